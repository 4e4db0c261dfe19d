"""What guards together: sign-in, rates and bans for whom a connection is, however it comes, directly or by proxies."""
import base64
import json
import socket
import subprocess
from pathlib import Path

import pytest

from parts import http1, proxy_header
from parts.client_hello import hello
from parts.lockgate import run_command
from parts.ports import free_port
from parts.waiting import wait_until

HOST = "app.example.test"
GATE = """
state_folder: $folder
users: { staff: $folder/users }
bans:
  rules:
    - { on: failed_sign_in, count: 5, within: 1min, for: 1min }
    - { on: rate_exceeded, count: 3, within: 1min, for: 1min }
listeners:
  - bind: "127.0.0.1:$port"
    trusted_proxies: { from: 127.0.0.2 }
    accept_proxy_protocol: { optional_from: 127.0.0.3 }
    access_log: { to: $folder/lines.log, format: $form }
    sites:
      - names: [app.example.test]
        plain:
          routes:
            - { path: /open, status: 200, body: "open\\n" }
            - { path: /few, status: 200, rates: [{ by: client, rate: 2/h }] }
            - { path: /, sign_in: { users: staff }, to: "http://$to" }
  - bind: "127.0.0.1:$tls_port"
    accept_proxy_protocol: { optional_from: 127.0.0.3 }
    sites:
      - names: [app.example.test]
        sign_in: { users: staff }
        terminate: { certificate: own, to: "http://$to" }
certificates: { own: { self_signed: true, names: [app.example.test] } }
"""
PROXY, TEACHER = "127.0.0.2", "127.0.0.3"  # who names clients in a field, and who does in a PROXY header
CLIENT, OTHER = "203.0.113.9", "203.0.113.8"


def line_of_user(name, password):
    return run_command("password", "--cost", "4", name, input=password + "\n").stdout


@pytest.fixture
def gate(lockgate, web_origin):
    def make(form="json"):
        made = lockgate(GATE, to=web_origin().address, tls_port=free_port(), form=form, start=False)
        made.tls_port = made._values["tls_port"]
        (made.folder / "users").write_text(line_of_user("alice", "right"))
        return made.start()

    return make


def credentials(password, name="alice"):
    return ("Authorization", "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode())


def ask_on(sock, target="/", password=None, client=None):
    """A request's status; `client`: for whom a proxy asks."""
    fields = [credentials(password)] if password else []
    fields += [("X-Forwarded-For", client)] if client else []
    sock.sendall(http1.request(target=target, host=HOST, fields=fields))
    with sock.makefile("rb") as file:
        return http1.read_answer(file).status


def ask(gate, target="/", password=None, source="127.0.0.5", opening=b"", client=None):
    """The status of a request with a connection of its own; None where that is refused."""
    try:
        with gate.connect(source=source) as sock:
            sock.sendall(opening)
            return ask_on(sock, target, password, client)
    except (ConnectionError, AssertionError):
        return None


def wait_until_out(gate, *request, **whose):
    """An event counts when the answer is out, and the next connection may be another worker's."""
    wait_until(lambda: ask(gate, *request, **whose) is None, "the client is banned")


def named(client, port=443):
    return proxy_header.v2((client, 4711), ("192.0.2.1", port))


def banned(gate):
    return {entry["who"]: entry["why"] for entry in json.loads(gate.command("bans", "--json").stdout)}


def test_five_wrong_passwords_ban_who_comes_directly(gate):
    gate = gate()
    assert [ask(gate, password="wrong") for _ in range(4)] == [401] * 4
    assert ask(gate, password="right") == 200 and banned(gate) == {}, "four are forgiven"
    assert [ask(gate) for _ in range(5)] == [401] * 5 and banned(gate) == {}, "to be asked is no failure"
    assert ask(gate, password="wrong") == 401
    wait_until_out(gate, password="right")
    assert ask(gate, "/open") is None
    assert ask(gate, password="right", source="127.0.0.6") == 200
    assert banned(gate) == {"127.0.0.5": "failed_sign_in"}
    assert "failed_sign_in" in gate.command("bans").stdout


def test_behind_a_proxy_its_client_is_banned_and_others_go_on(gate):
    gate = gate()
    with gate.connect(source=PROXY) as sock:
        assert [ask_on(sock, password="wrong", client=CLIENT) for _ in range(5)] == [401] * 5
        assert ask_on(sock, password="right", client=CLIENT) == ask_on(sock, "/open", client=CLIENT) == 403
        assert ask_on(sock, password="right", client=OTHER) == ask_on(sock, "/open", client=OTHER) == 200
        assert ask_on(sock, "/open", client=f"{CLIENT}, {OTHER}") == 200, "what a client says of others is not believed"
    assert banned(gate) == {CLIENT: "failed_sign_in"}


def test_a_proxy_that_names_nobody_is_never_banned(gate):
    gate = gate()
    with gate.connect(source=PROXY) as sock:
        assert [ask_on(sock, password="wrong") for _ in range(8)] == [401] * 8
        assert ask_on(sock, password="right", client=OTHER) == 200
    assert banned(gate) == {}


def test_whom_a_proxy_header_names_is_banned_and_others_go_on(gate):
    gate = gate()
    assert [ask(gate, password="wrong", source=TEACHER, opening=named(CLIENT)) for _ in range(5)] == [401] * 5
    wait_until_out(gate, password="right", source=TEACHER, opening=named(CLIENT))
    assert ask(gate, password="right", source=TEACHER, opening=named(OTHER)) == 200
    assert ask(gate, password="right", source=TEACHER) == 200, "the one that sends the headers"
    assert banned(gate) == {CLIENT: "failed_sign_in"}


def tls_answer(gate, source, opening=b""):
    """The first byte of the answer to a hello: b"" if there is none."""
    try:
        with socket.create_connection(("127.0.0.1", gate.tls_port), 5, (source, 0)) as sock:
            sock.sendall(opening + hello(HOST))
            return sock.recv(1)
    except ConnectionError:
        return b""


def test_who_is_banned_has_no_handshake_any_more(gate):
    gate = gate()
    assert tls_answer(gate, "127.0.0.5") and tls_answer(gate, TEACHER, named(CLIENT))
    for _ in range(5):
        subprocess.run(["curl", "-sk", "-m", "5", "-u", "alice:wrong", "--interface", "127.0.0.5", "--connect-to",
                        f"::127.0.0.1:{gate.tls_port}", f"https://{HOST}/"], capture_output=True, timeout=10)
        assert ask(gate, password="wrong", source=TEACHER, opening=named(CLIENT)) == 401
    wait_until(lambda: banned(gate) == {"127.0.0.5": "failed_sign_in", CLIENT: "failed_sign_in"}, "both are banned")
    assert tls_answer(gate, "127.0.0.5") == tls_answer(gate, TEACHER, named(CLIENT)) == b""
    lines = wait_until(lambda: len(found := [line for line in gate.access_log() if line["outcome"] == "banned"]) == 2
                       and found, "their lines")
    assert {line["client"].rpartition(":")[0] for line in lines} == {"127.0.0.5", CLIENT}
    assert not any("tls_version" in line for line in lines)
    assert tls_answer(gate, TEACHER, named(OTHER))


def test_excess_of_a_rate_bans(gate):
    gate = gate()
    assert [ask(gate, "/few") for _ in range(5)] == [200] * 2 + [429] * 3
    wait_until_out(gate, "/open")
    assert ask(gate, "/open", source="127.0.0.6") == 200
    with gate.connect(source=PROXY) as sock:
        assert [ask_on(sock, "/few", client=CLIENT) for _ in range(6)] == [200] * 2 + [429] * 3 + [403]
        assert ask_on(sock, "/few", client=OTHER) == 200
    assert banned(gate) == {"127.0.0.5": "rate_exceeded", CLIENT: "rate_exceeded"}


@pytest.mark.parametrize("form", ["text", "json"])
def test_fail2ban_finds_clients_in_lines_that_name_users(gate, form):
    gate = gate(form)
    assert ask(gate, password="right") == 200
    assert ask(gate, password="wrong", source="127.0.0.6") == 401
    log = gate.folder / "lines.log"
    wait_until(lambda: log.exists() and len(log.read_text().splitlines()) >= 2, "two lines")
    [line] = [line for line in log.read_text().splitlines() if "alice" in line]
    with open(log, "a") as file:  # as of a user who has asked for what is not there
        file.write(line.replace("status=200", "status=404").replace('"status":200', '"status":404') + "\n")
    filter_file = Path(__file__).resolve().parents[2] / "contrib/fail2ban/filter.d/lockgate.conf"
    done = subprocess.run(["fail2ban-regex", "--print-all-matched", log, filter_file], capture_output=True, text=True,
                          timeout=30)
    assert "2 matched" in done.stdout, done
    assert "3 lines" in done.stdout


def test_a_change_of_the_users_holds_on_open_connections(gate):
    gate = gate()
    users = gate.folder / "users"
    with gate.connect(source="127.0.0.5") as sock:
        assert [ask_on(sock, password="right") for _ in range(3)] == [200] * 3
        users.write_text(line_of_user("alice", "new") + line_of_user("bob", "x"))
        gate.wait_for_message("users are as .*/users says now: 2", 15)
        assert ask_on(sock, password="right") == 401 and ask_on(sock, password="new") == 200
        users.write_text(line_of_user("bob", "x"))
        gate.reload()
        assert ask_on(sock, password="new") == 401
