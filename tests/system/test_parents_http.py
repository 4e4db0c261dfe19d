"""Plain HTTP upstreams behind Squid: asked in absolute form, since parents open tunnels to few ports.

Only the parent can resolve the upstream's name. What it refuses is our answer, with its reason in the log.
"""
import json
import threading

import pytest

from parts import http1
from parts.waiting import wait_until

NAME = "internal.example.test"
GATE = """
workers: 1
parents:
  corporate: { url: "$parent", $options }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - names: [default]
        plain: { via: corporate, to: [$to] }
        forward: { $forward }
"""


@pytest.fixture
def credentials(tmp_path):
    def make(text):
        file = tmp_path / "credentials"
        file.write_text(text + "\n")
        return f"credentials_file: {file}"

    return make


@pytest.fixture
def gate(lockgate):
    def make(parent, *ports, options="", forward="", scheme="http", name=NAME):
        to = ", ".join(f'"http://{name}:{port}"' for port in ports)
        return lockgate(GATE, parent=f"{scheme}://{parent.address}", to=to, options=options, forward=forward)

    return make


def known(squid, **more):
    return squid(names={NAME: "127.0.0.1"}, **{"requests": True} | more)


def fetch(gate, *words, count=1, **more):
    """So many requests on one connection; the last answer."""
    with gate.connect() as sock, sock.makefile("rb") as file:
        for _ in range(count):
            sock.sendall(http1.request(*words, **more))
            answer = http1.read_answer(file, words[0] if words else "GET")
    return answer


def told(answer):
    assert answer.status == 200, answer
    return json.loads(answer.body)


def test_a_parent_is_asked_in_absolute_form(gate, squid, web_origin):
    parent, origin = known(squid), web_origin()
    front = gate(parent, origin.port)
    seen = told(fetch(front, "GET", "/some/path?a=b", host="public.example.test"))
    assert seen["target"] == "/some/path?a=b"
    fields = dict(map(tuple, seen["fields"]))
    assert fields["host"] == f"{NAME}:{origin.port}", "proxies make it of the target"
    assert fields["x-forwarded-host"] == "public.example.test"
    line = front.next_line()
    assert (line["parent"], line["status"]) == (f"http://{parent.address}", 200)
    wait_until(lambda: f"GET http://{NAME}:{origin.port}/some/path? 200" in parent.access_log(), "squid tells it")
    assert "CONNECT" not in parent.access_log()


def test_bodies_of_all_kinds_go_through(gate, squid, web_origin):
    front = gate(known(squid), web_origin().port)
    assert told(fetch(front, "POST", body=b"x" * 100_000))["size"] == 100_000
    chunked = [("Transfer-Encoding", "chunked")]
    assert told(fetch(front, "POST", fields=chunked, body=b"5\r\nhello\r\n0\r\n\r\n"))["size"] == 5


def test_connections_to_the_parent_are_used_again(gate, squid, web_origin):
    front = gate(known(squid), web_origin().port)
    assert fetch(front, count=3).status == 200
    assert [line.get("reused", False) for line in front.next_lines(3)] == [False, True, True]


def test_credentials_are_for_the_parent_alone(gate, squid, web_origin, credentials):
    parent = known(squid, login=("jane", "pass word"))
    front = gate(parent, web_origin().port, options=credentials("jane:pass word"))
    seen = told(fetch(front, fields=[("Proxy-Authorization", "Basic ZXZlOmV2ZQ==")], count=2))
    assert "proxy-authorization" not in dict(map(tuple, seen["fields"]))
    wait_until(lambda: parent.access_log().count("200 jane") == 2, "squid has logged who asked")


@pytest.mark.parametrize("given", ["", "jane:wrong"])
def test_a_login_that_fails_is_ours_to_tell(gate, squid, web_origin, credentials, given):
    origin = web_origin()
    parent = known(squid, login=("jane", "right"))
    front = gate(parent, origin.port, options=credentials(given) if given else "")
    answer = fetch(front, fields=[("Proxy-Authorization", "Basic amFuZTpyaWdodA==")])
    assert answer.status == 502 and not answer.all("Proxy-Authenticate")
    line = front.next_line()
    assert "407" in line["reason"] and "wrong" not in line["reason"]
    assert ("it does not accept this user" if given else "it wants a user") in line["reason"]
    assert (line["ended_by"], origin.seen) == ("parent", [])


def test_a_name_that_the_parent_does_not_know_is_told(gate, squid):
    front = gate(squid(requests=True), 80)
    assert fetch(front).status in (502, 503)
    line = front.next_line()
    assert "ERR_" in line["reason"] and line["ended_by"] == "parent"


def test_an_endpoint_that_the_parent_cannot_reach_is_passed_over(gate, squid, web_origin):
    origin, gone = web_origin(), web_origin()
    gone.stop()
    front = gate(known(squid), gone.port, origin.port)
    for _ in range(4):
        assert fetch(front).status == 200


def test_a_server_behind_may_answer_503(gate, squid, web_origin):
    front = gate(known(squid), web_origin(lambda request: request.answer("busy", 503)).port)
    answer = fetch(front)
    assert (answer.status, answer.body) == (503, b"busy")


def test_a_parent_that_speaks_tls_is_asked_in_the_same_way(gate, squid, authority, web_origin):
    parent = known(squid, tls="localhost")
    parent.address = f"localhost:{parent.port}"
    front = gate(parent, web_origin().port, scheme="https", options=f"tls: {{ ca_file: {authority.root} }}")
    assert told(fetch(front, "GET", "/x"))["target"] == "/x"
    wait_until(lambda: "GET http://" in parent.access_log(), "squid has logged it")


def test_websocket_goes_through_a_tunnel(gate, squid, web_origin):
    parent = known(squid, requests=False)
    upgraded = []

    def switch(request):
        upgraded.append(request.fields["Upgrade"])
        request.head(101, [("Connection", "upgrade"), ("Upgrade", "websocket")])
        request.send(request.file.read(4)[::-1])
        request.hang_up()

    front = gate(parent, web_origin(switch).port)
    with front.connect() as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request(fields=[("Connection", "upgrade"), ("Upgrade", "websocket")]))
        assert http1.read_answer(file).status == 101
        sock.sendall(b"ping")
        assert file.read(4) == b"gnip"
    assert upgraded == ["websocket"]
    wait_until(lambda: "CONNECT" in parent.access_log(), "squid has logged it")


def test_a_tunnel_if_the_operator_wants_one(gate, squid, web_origin):
    parent = known(squid, requests=False)
    front = gate(parent, web_origin().port, options="plain_http: connect")
    seen = told(fetch(front, host="public.example.test"))
    assert dict(map(tuple, seen["fields"]))["host"] == "public.example.test"
    front.stop()
    wait_until(lambda: "CONNECT" in parent.access_log(), "squid has logged it")


def test_a_tunnel_is_not_used_when_another_way_is_wanted(gate, squid, web_origin):
    origin, parent = web_origin(), known(squid, requests=False)
    front = gate(parent, origin.port, options="plain_http: connect", name="127.0.0.1")
    assert told(fetch(front)) and front.next_line()["parent"]
    front.reload(GATE.replace("via: corporate", "via: direct"), parent=f"http://{parent.address}",
                 to=f'"http://127.0.0.1:{origin.port}"', options="plain_http: connect", forward="")
    assert told(fetch(front)) and "parent" not in front.next_line()
    assert origin.accepted == 2


def test_parents_by_socks_are_asked_as_before(gate, microsocks, web_origin):
    front = gate(microsocks(), web_origin().port, scheme="socks5", name="127.0.0.1")
    assert told(fetch(front, host="public.example.test"))["target"] == "/"


def test_health_is_asked_of_the_parent_alone(lockgate, squid, web_origin):
    """A check by CONNECT would find every endpoint down."""
    front = lockgate(GATE.replace("to: [$to]", "to: web") + """
upstreams:
  web: { endpoints: [$to], health: { every: 100ms, fall: 1 }, via: corporate }
""", parent=f"http://{known(squid).address}", to=f'"http://{NAME}:{web_origin().port}"', options="", forward="")
    threading.Event().wait(0.5)
    assert fetch(front).status == 200
