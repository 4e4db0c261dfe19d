"""Upstreams behind parents: Squid by CONNECT, with and without sign-in and TLS, and SOCKS5 servers.

Plain HTTP comes in, TLS goes out, verified against the upstream's own name, which only the parent can resolve. What
a parent says when it refuses has to be in the log.
"""
import subprocess

import pytest

from parts.ports import free_port
from parts.sockets import Origin, first_line
from parts.waiting import wait_until

NAME = "external.example.test"
GATE = """
workers: 1
parents:
  corporate: { url: $parent, $options }
upstreams:
  out:
    endpoints: "tls://$name:$upstream"
    tls: { ca_file: $ca }
    ejection: { failures: off }
    $upstream_options
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], plain: { to: out$via } }
"""


@pytest.fixture
def modern(nginx):
    """What is outside: nginx with a certificate for NAME."""
    return nginx(NAME)


@pytest.fixture
def gate(lockgate, authority, modern):
    """gate(parent, ...): plain HTTP in, TLS out to the modern server through this parent."""

    def make(*parents, options="", via=", via: corporate", upstream_options="", name=NAME, upstream=None):
        urls = ", ".join(f'"{url}"' for url in parents)
        return lockgate(GATE, parent=f"[{urls}]", options=options, ca=authority.root, name=name, via=via,
                        upstream=upstream or modern.port, upstream_options=upstream_options)

    return make


@pytest.fixture
def credentials(tmp_path):
    def make(text):
        file = tmp_path / "credentials"
        file.write_text(text + "\n")
        return f"credentials_file: {file}"

    return make


def fetch(gate):
    """The page, or nothing if there was none."""
    answer = subprocess.run(["curl", "-s", "--max-time", "20", f"http://127.0.0.1:{gate.port}/"], capture_output=True,
                            text=True, timeout=30)
    return answer.stdout


def known(squid, **more):
    return squid(names={NAME: "127.0.0.1"}, **more)


def reason(gate):
    return gate.next_line()["reason"]


def test_an_upstream_that_only_the_parent_can_resolve_is_reached_and_verified(gate, squid):
    parent = known(squid)
    front = gate(f"http://{parent.address}")
    assert f"server={NAME}" in fetch(front)
    line = front.next_line()
    assert line["parent"] == f"http://{parent.address}"
    assert line["upstream_tls_version"] == "1.3" and line["upstream_subject"] == f"CN={NAME}"
    wait_until(lambda: f"CONNECT {NAME}:" in parent.access_log(), "squid has logged the tunnel")


def test_credentials_are_for_the_parent_alone(gate, squid, credentials):
    parent = known(squid, login=("jane", "pass word"))
    front = gate(f"http://{parent.address}", options=credentials("jane:pass word"))
    assert f"server={NAME}" in fetch(front)
    wait_until(lambda: "200 jane" in parent.access_log(), "squid has logged who asked")


@pytest.mark.parametrize("given", ["", "jane:wrong"])
def test_a_sign_in_that_fails_is_told_and_repeats_no_password(gate, squid, credentials, given):
    parent = known(squid, login=("jane", "right"))
    front = gate(f"http://{parent.address}", options=credentials(given) if given else "")
    assert "502 Bad Gateway" in fetch(front)
    line = front.next_line()
    assert "407" in line["reason"] and "wrong" not in line["reason"]
    assert line["ended_by"] == "parent"


def test_a_port_that_the_parent_denies_is_told_with_its_own_words(gate, squid, modern):
    parent = known(squid, denied_ports=(modern.port,))
    front = gate(f"http://{parent.address}")
    fetch(front)
    told = reason(front)
    assert "403" in told and "Access Denied" in told


def test_a_name_that_the_parent_does_not_know_is_told(gate, squid):
    front = gate(f"http://{squid().address}")
    fetch(front)
    assert f"it cannot reach {NAME}" in reason(front)


def test_a_parent_that_speaks_tls_is_verified_itself(gate, squid, authority):
    parent = known(squid, tls="localhost")
    front = gate(f"https://localhost:{parent.port}", options=f"tls: {{ ca_file: {authority.root} }}")
    assert f"server={NAME}" in fetch(front)


def test_a_parent_with_the_wrong_certificate_gets_no_credentials(gate, squid, authority, credentials):
    parent = known(squid, tls="other.example.test", login=("jane", "right"))
    front = gate(f"https://localhost:{parent.port}",
                 options=f"tls: {{ ca_file: {authority.root} }}, {credentials('jane:right')}")
    fetch(front)
    assert "hostname mismatch" in reason(front)
    assert "jane" not in parent.access_log()


def test_a_parent_that_is_down_is_stood_in_for(gate, squid):
    front = gate(f"http://127.0.0.1:{free_port()}", f"http://{known(squid).address}")
    for _ in range(4):
        assert f"server={NAME}" in fetch(front)


def test_a_parent_that_is_silent_leaves_time_for_the_next(gate, squid, started):
    silent = started(Origin())
    front = gate(f"http://{silent.address}", f"http://{known(squid).address}",
                 options="destinations: default", via="")
    assert f"server={NAME}" in fetch(front) + fetch(front)


def test_socks_parents_resolve_names_and_take_a_login(gate, microsocks, credentials):
    parent = microsocks(login=("jane", "right"))
    front = gate(f"socks5://{parent.address}", options=credentials("jane:right"), name="localhost",
                 upstream_options="", via=", via: corporate")
    fetch(front)
    assert "hostname mismatch" in reason(front), "the tunnel stands, and the certificate is for another name"


def test_what_the_upstream_says_first_behind_the_answer_arrives(lockgate, scripted_socks, echo):
    greeter = echo("greeter")
    parent = scripted_socks(to=greeter.port)
    front = lockgate("""
parents: { socks: { url: "socks5://$parent" } }
listeners:
  - bind: "127.0.0.1:$port"
    peek: off
    sites: [{ names: default, plain: { to: "tcp://mail.example.test:25", via: socks } }]
""", parent=parent.address)
    with front.connect() as client:
        client.sendall(b"hello\n")
        assert first_line(client) == "greeter"
    assert parent.requests == [("mail.example.test", 25)]


def test_destinations_choose_the_parent_and_no_proxy_goes_without(lockgate, squid, echo):
    direct = echo("direct")
    front = lockgate("""
parents: { corporate: { url: "http://127.0.0.1:$nobody", destinations: default, no_proxy: 127.0.0.0/8 } }
listeners:
  - bind: "127.0.0.1:$port"
    peek: off
    sites: [{ names: default, plain: { to: "tcp://$direct" } }]
""", nobody=free_port(), direct=direct.address)
    with front.connect() as client:
        client.sendall(b"hello\n")
        assert first_line(client) == "direct"


def test_checks_go_through_the_parent(gate, squid):
    parent = known(squid)
    front = gate(f"http://{parent.address}", upstream_options="health: { every: 500ms, rise: 1, fall: 1 }")
    wait_until(lambda: parent.access_log().count(f"CONNECT {NAME}:") >= 2, "squid has logged checks")
    assert f"server={NAME}" in fetch(front)
    parent.stop()
    front.wait_for_message("is down")
