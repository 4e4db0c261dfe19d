"""`lockgate endpoint`: an endpoint is drained before somebody works on it, and nobody notices."""
import json
import socket
import threading
import time

import pytest

from parts import http1, websocket
from parts.http_traffic import HttpTraffic
from parts.sockets import first_line
from parts.waiting import wait_until

GATE = """
upstreams:
  web: { endpoints: [$endpoints] }
listeners:
  - bind: "127.0.0.1:$port"
    sites: [{ names: [default], plain: { to: web } }]
"""


def named(name, pause=0.0):
    def answer(request):
        request.body()
        time.sleep(pause)
        request.answer(name, fields=[("X-Server", name)])

    return answer


@pytest.fixture
def gate(lockgate):
    return lambda *servers: lockgate(GATE, endpoints=", ".join(f'"http://{server.address}"' for server in servers))


def endpoint(gate, action, server, *more, upstream="web"):
    return gate.command("endpoint", action, upstream, f"http://{server.address}", *more)


def of_metrics(gate, name, server):
    return gate.metrics().total(f"lockgate_endpoint_{name}", endpoint=f"http://{server.address}")


@pytest.mark.parametrize("action, state", [("drain", "draining"), ("disable", "disabled")])
def test_it_is_taken_out_under_load_and_no_request_fails(gate, web_origin, action, state):
    one, two = web_origin(named("one", 0.02)), web_origin(named("two", 0.02))
    gate = gate(one, two)
    with HttpTraffic(gate.port, clients=8) as traffic:
        traffic.wait_for(100)
        assert set(traffic.served) == {"one", "two"}
        done = endpoint(gate, action, one, "--wait", "--timeout", "10s")
        assert done.returncode == 0, done
        assert f"endpoint http://{one.address} of upstream web is {state}; connections now: 0" in done.stdout
        traffic.served.clear()
        traffic.wait_for(200)
        assert set(traffic.served) == {"two"}
        wait_until(lambda: not one.open, "no connection is left there")
        assert endpoint(gate, "enable", one).returncode == 0
        wait_until(lambda: traffic.served["one"], "it is used again")
    assert (set(traffic.statuses), traffic.failures) == ({200}, [])
    gate.wait_for_message(f"level=info .*endpoint http://{one.address} of upstream web is {state}, as user [0-9]+, "
                          "process [0-9]+ has asked")


def test_idle_connections_to_it_are_closed(gate, web_origin):
    one = web_origin(named("one"))
    gate = gate(one)
    with gate.connect() as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request())
        assert http1.read_answer(file).status == 200
        wait_until(lambda: of_metrics(gate, "idle_connections", one) == 1, "one waits")
        assert endpoint(gate, "drain", one).returncode == 0
        wait_until(lambda: not one.open, "it is closed")
        assert of_metrics(gate, "idle_connections", one) == 0
        sock.sendall(http1.request())
        assert http1.read_answer(file).status == 503, "there is no other"
        assert endpoint(gate, "enable", one).returncode == 0
        sock.sendall(http1.request())
        assert http1.read_answer(file).status == 200


def test_a_request_under_way_and_a_socket_are_waited_for(gate, web_origin):
    go_on = threading.Event()

    def answer(request):
        if request.target == "/socket":
            return websocket.echo(request)
        request.body()
        go_on.wait(10)
        return request.answer("done")

    one = web_origin(answer)
    gate = gate(one)
    with gate.connect() as slow, slow.makefile("rb") as file, gate.connect() as sock:
        there = websocket.connect(sock, "a.example.test")
        slow.sendall(http1.request())
        wait_until(lambda: len(one.seen) == 2, "both have come")
        done = endpoint(gate, "drain", one, "--wait", "--timeout", "500ms")
        assert done.returncode == 1 and "connections now: 2" in done.stdout, done
        assert "it still has connections after 500ms" in done.stderr
        go_on.set()
        assert http1.read_answer(file).body == b"done"
        wait_until(lambda: of_metrics(gate, "connections", one) == 1, "the request is over, the socket is not")
        there.send(b"still here")
        assert there.frame().content == b"still here"
        there.close()
        assert there.frame().kind == websocket.CLOSE and there.at_end()
        sock.shutdown(socket.SHUT_RDWR)
    assert endpoint(gate, "drain", one, "--wait", "--timeout", "5s").returncode == 0


def test_connections_that_are_relayed_are_waited_for(lockgate, echo):
    server = echo("one")
    gate = lockgate("""
upstreams: { bytes: { endpoints: "tcp://$to" } }
listeners: [{ bind: "127.0.0.1:$port", sites: [{ names: [default], pass: { to: bytes } }] }]
""", to=server.address)
    with gate.open("a.example.test") as client:
        assert first_line(client) == "one"
        words = ("drain", "bytes", f"tcp://{server.address}", "--wait", "--timeout")
        assert gate.command("endpoint", *words, "300ms").returncode == 1
    assert gate.command("endpoint", *words, "5s").returncode == 0


def test_it_is_shown_and_holds_over_a_reload(gate, web_origin):
    one, two = web_origin(named("one")), web_origin(named("two"))
    gate = gate(one, two)
    endpoint(gate, "drain", one)
    endpoint(gate, "disable", two)
    gate.reload(GATE.replace("] }\nlisteners", "], tries: 2 }\nlisteners"))
    states = {one["endpoint"]: one["state"] for one in gate.status()["upstreams"][0]["endpoints"]}
    assert states == {f"http://{one.address}": "draining", f"http://{two.address}": "disabled"}
    assert of_metrics(gate, "administration", one) == 1 and of_metrics(gate, "administration", two) == 2
    shown = gate.command("status").stdout
    assert "draining" in shown and "disabled" in shown


def test_names_that_are_not_there_are_told_with_those_that_are(gate, web_origin):
    one = web_origin(named("one"))
    gate = gate(one)
    done = endpoint(gate, "drain", one, upstream="wep")
    assert (done.returncode, done.stderr) == (1, 'there is no upstream "wep"; there are: web\n')
    done = gate.command("endpoint", "drain", "web", "http://b", "--wait")
    assert (done.returncode, done.stderr) == (1, f'upstream web has no endpoint "http://b"; it has: http://{one.address}\n')


def test_it_answers_as_json(gate, web_origin):
    one = web_origin(named("one"))
    told = json.loads(endpoint(gate(one), "drain", one, "--json").stdout)
    assert (told["ok"], told["administration"], told["connections"]) == (True, "draining", 0)


@pytest.mark.parametrize("words", [(), ("stop", "web", "http://a"), ("drain", "web"),
                                   ("enable", "web", "http://a", "--wait")])
def test_wrong_usage_is_told(gate, web_origin, words):
    done = gate(web_origin(named("one"))).command("endpoint", *words)
    assert done.returncode == 2 and done.stderr


def test_a_time_that_is_none_is_told(gate, web_origin):
    one = web_origin(named("one"))
    done = endpoint(gate(one), "drain", one, "--wait", "--timeout", "soon")
    assert done.returncode == 2 and "--timeout must be a duration" in done.stderr
