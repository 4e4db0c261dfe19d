"""The end of the process: health fails first, then no new connections, then none at all.

A drain begins with SIGTERM or `lockgate drain`; a second SIGTERM ends it at once.
"""
import signal
import time

import pytest

from parts.sockets import connect, first_line, is_cut, read_exactly
from parts.tls import V1_2, V1_3, client_context, tls_connect
from parts.waiting import wait_until

NAME = "a.example.test"
GATE = """
drain: { delay: $delay, deadline: $deadline }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
"""


def by_command(gate):
    assert gate.command("drain").returncode == 0


def by_signal(gate):
    gate.signal(signal.SIGTERM)


@pytest.fixture
def gate(lockgate, echo):
    return lambda delay="0s", deadline="10s": lockgate(GATE, to=echo("served").address, delay=delay, deadline=deadline)


def refuses(gate):
    try:
        connect(gate.port).close()
        return False
    except ConnectionRefusedError:
        return True


@pytest.mark.parametrize("drain", [by_command, by_signal])
def test_health_fails_first_and_connections_are_still_taken(gate, drain):
    gate = gate(delay="1s")
    drain(gate)
    wait_until(lambda: gate.health() == 503, "health fails", timeout=0.8)
    assert gate.get("/health")[1].strip() == "draining"
    with gate.open(NAME) as client:
        assert first_line(client) == "served"
    wait_until(lambda: not gate.process.is_running(), "it ends after the delay")
    assert gate.process.wait() == 0


@pytest.mark.parametrize("drain", [by_command, by_signal])
def test_open_connections_may_finish(gate, drain):
    gate = gate()
    with gate.open(NAME) as client:
        assert first_line(client) == "served"
        drain(gate)
        wait_until(lambda: refuses(gate), "no new connection is taken")
        client.sendall(b"still there?")
        assert read_exactly(client, 12) == b"still there?"
        assert gate.process.is_running()
        assert gate.health() == 503
    assert gate.process.wait(3) == 0
    assert gate.access_log()[-1]["outcome"] == "finished"


def test_an_idle_gate_ends_at_once(gate):
    gate = gate()
    gate.signal(signal.SIGTERM)
    assert gate.process.wait(2) == 0


def test_what_still_runs_at_the_deadline_is_cut(gate):
    gate = gate(deadline="700ms")
    with gate.open(NAME) as client:
        assert first_line(client) == "served"
        begun = time.monotonic()
        gate.signal(signal.SIGTERM)
        assert is_cut(client)
        assert 0.5 < time.monotonic() - begun < 2
    assert gate.process.wait(2) == 0
    line = gate.access_log()[-1]
    assert (line["outcome"], line["ended_by"]) == ("shutting_down", "here")


def test_a_second_sigterm_ends_at_once(gate):
    gate = gate(delay="20s", deadline="30s")
    with gate.open(NAME) as client:
        assert first_line(client) == "served"
        gate.signal(signal.SIGTERM)
        wait_until(lambda: gate.health() == 503, "health fails")
        gate.signal(signal.SIGTERM)
        gate.process.wait(2)
        assert is_cut(client)
    assert gate.access_log()[-1]["outcome"] == "shutting_down", "the log line is written all the same"


def test_a_reload_does_not_end_a_drain(gate):
    gate = gate()
    with gate.open(NAME) as client:
        assert first_line(client) == "served"
        gate.signal(signal.SIGTERM)
        wait_until(lambda: refuses(gate), "no new connection is taken")
        gate.signal(signal.SIGHUP)
        time.sleep(0.3)
        assert refuses(gate)
        assert gate.health() == 503
    assert gate.process.wait(3) == 0


def test_the_control_socket_is_gone_afterwards(gate):
    gate = gate()
    socket = gate.folder / "control.sock"
    assert socket.exists()
    gate.signal(signal.SIGTERM)
    gate.process.wait(2)
    assert not socket.exists()


# With TLS of our own, whose threads, keys and sessions end in an order.


TLS = """
drain: { deadline: 300ms }
certificates:
  one: { chain: $chain, key: $key }
upstreams:
  web: { endpoints: ["$to"], $tls }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], terminate: { certificate: one, to: web } }
"""


def has_left(gate, context):
    stays(gate, context).close()


def stays(gate, context):
    client = tls_connect(gate.port, NAME, context)
    client.sendall(b"GET / HTTP/1.1\r\nHost: a.example.test\r\n\r\n")
    assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    return client


def is_in_the_midst_of_its_handshake(gate, context):
    has_left(gate, context)
    client = gate.open(NAME)
    assert client.recv(1) == b"\x16"
    return client


@pytest.mark.parametrize("client", [has_left, stays, is_in_the_midst_of_its_handshake])
@pytest.mark.parametrize("tls", [False, True])
def test_the_end_right_after_a_handshake_is_a_clean_one(lockgate, nginx, authority, tls, client):
    server, certificate = nginx(NAME, tls=tls), authority.certificate(NAME)
    gate = lockgate(TLS, start=False, to=f"{'tls' if tls else 'tcp'}://{server.address}",
                    tls=f"tls: {{ ca_file: {authority.root} }}" if tls else "",
                    chain=certificate.chain, key=certificate.key)
    for version in (V1_2, V1_3):
        gate.start()
        held = client(gate, client_context(authority.root, version))
        gate.signal(signal.SIGTERM)
        assert gate.process.wait(15) == 0, gate.process.output()[-5000:]
        assert "Sanitizer" not in gate.process.output()
        if held:
            held.close()
