"""The admin address and the commands that look inside: metrics, status, health, explain.

Figures are compared with what the clients really did.
"""
import json
import socket
import urllib.request

import pytest

from parts.client_hello import hello
from parts.sockets import connect, first_line, is_cut, read_exactly, read_to_end
from parts.waiting import wait_until

NAME = "a.example.test"
GATE = """
upstreams:
  pool:
    endpoints: ["tcp://$to", "tcp://127.0.0.1:1"]
    health: { every: 100ms, timeout: 100ms, fall: 1 }
listeners:
  - name: front
    bind: "127.0.0.1:$port"
    sites:
      - { name: app, names: [a.example.test], pass: { to: pool } }
      - { names: ["*.wild.example.test"], match: { clients: [10.0.0.0/8] }, reject: { with: alert } }
      - { names: ["*.wild.example.test"], match: { alpn: [acme-tls/1] }, pass: { to: pool } }
      - { names: [plain.example.test], plain: { to: pool } }
"""


@pytest.fixture
def gate(lockgate, echo):
    return lockgate(GATE, to=echo("served").address)


def test_metrics_count_what_clients_did(gate):
    first = hello(NAME)
    for _ in range(3):
        with gate.connect() as client:
            client.sendall(first)
            assert first_line(client) == "served"
            client.sendall(b"x" * 10_000)
            read_exactly(client, 10_000)
    with gate.open("b.example.test") as client:
        is_cut(client)
    gate.next_lines(4)
    metrics = gate.metrics()
    assert metrics.total("lockgate_connections_total", listener="front", verdict="pass", outcome="finished") == 3
    assert metrics.total("lockgate_connections_total", verdict="none", outcome="no_site") == 1
    assert metrics.total("lockgate_bytes_total", direction="up") >= 3 * (len(first) + 10_000)
    assert metrics.total("lockgate_bytes_total", direction="down") == 3 * (10_000 + len("served\n"))
    assert metrics.types["lockgate_connections_total"] == "counter"
    assert metrics.types["lockgate_connections"] == "gauge"
    assert metrics.total("lockgate_build_info") == 1


def test_gauges_follow_open_connections(gate):
    held = [gate.open(NAME) for _ in range(5)]
    for client in held:
        assert first_line(client) == "served"
    metrics = gate.metrics()
    assert metrics.total("lockgate_connections", listener="front") == 5
    assert metrics.total("lockgate_endpoint_connections", upstream="pool") == 5
    for client in held:
        client.close()
    gate.next_lines(5)
    assert gate.metrics().total("lockgate_connections") == 0
    assert gate.metrics().total("lockgate_endpoint_connections") == 0


def test_endpoints_are_up_or_down_in_the_metrics(gate):
    def up(endpoint):
        return gate.metrics().total("lockgate_endpoint_up", upstream="pool", endpoint=endpoint)

    wait_until(lambda: up("tcp://127.0.0.1:1") == 0, "the dead endpoint is noticed")
    assert gate.metrics().total("lockgate_endpoint_up") == 1


def test_metrics_are_sent_with_their_type(gate):
    with urllib.request.urlopen(f"http://127.0.0.1:{gate.admin_port}/metrics", timeout=5) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain")


def test_health_is_ok(gate):
    assert gate.get("/health")[0] == 200
    assert gate.get("/health")[1].strip() == "ok"


def test_status_is_the_same_by_command_and_by_address(gate):
    with gate.open(NAME) as client:
        assert first_line(client) == "served"
        done = gate.command("status", "--json")
        assert done.returncode == 0
        assert set(json.loads(done.stdout)) == set(gate.status())
        assert "front" in json.dumps(gate.status()) and "pool" in json.dumps(gate.status())
    words = gate.command("status")
    assert words.returncode == 0 and "front" in words.stdout


def test_only_what_exists_is_answered(gate):
    assert gate.get("/nothing")[0] == 404
    with connect(gate.admin_port) as client:
        client.sendall(b"POST /health HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        assert read_to_end(client).split()[1] == b"405"


@pytest.mark.parametrize("sent", [b"\x16\x03\x01\x02\x00\x01", b"GET " + b"a" * 100_000, b"GET /health\r\n\r\n", b"",
                                  b"GET /health HTTP/1.1\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"])
def test_nonsense_does_not_hurt(gate, sent):
    with connect(gate.admin_port) as client:
        try:
            client.sendall(sent)
            client.shutdown(1)
            is_cut(client)
        except OSError:
            pass
    assert gate.health() == 200


def test_a_silent_client_holds_up_nobody(gate):
    silent = [connect(gate.admin_port) for _ in range(50)]
    assert gate.health() == 200
    assert gate.command("status").returncode == 0
    for client in silent:
        client.close()


def test_the_admin_address_may_be_off(lockgate, echo):
    gate = lockgate("""
admin: { bind: off, control_socket: $folder/control.sock }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
""", to=echo("served").address, start=False)
    gate.start(wait=False)
    wait_until(lambda: gate.command("status").returncode == 0, "it answers on its control socket")
    with gate.open(NAME) as client:
        assert first_line(client) == "served"
    assert gate.health() is None


@pytest.mark.parametrize("question, answers", [
    ([NAME], ["front", "app", "pool"]),
    (["tls://a.example.test"], ["app"]),
    (["https://a.example.test/path"], ["app"]),
    (["x.wild.example.test", "--from", "10.1.2.3"], ["reject"]),
    (["x.wild.example.test", "--alpn", "acme-tls/1"], ["*.wild.example.test", "pool"]),
    (["plain.example.test", "--plain"], ["plain.example.test", "pool"]),
    (["A.Example.Test."], ["app"]),
])
def test_explain_tells_what_would_happen(gate, question, answers):
    done = gate.command("explain", *question)
    assert done.returncode == 0, done
    for answer in answers:
        assert answer in done.stdout, done.stdout


def test_explain_tells_that_nothing_matches(gate):
    done = gate.command("explain", "x.wild.example.test", "--from", "192.0.2.1")
    assert "no site" in done.stdout + done.stderr or "no_site" in done.stdout + done.stderr


def test_idle_connections_shut_nobody_out(gate):
    idle = [socket.create_connection(("127.0.0.1", gate.admin_port), timeout=5) for _ in range(100)]
    assert gate.health() == 200
    for client in idle:
        client.close()
