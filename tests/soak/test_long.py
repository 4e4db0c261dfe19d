"""The long forms: the same promises as in tests/system, held for minutes and thousands of times.

Each prints its figures (pytest -s, or -rP for the summary).
"""
import socket
import time

import pytest

from parts import proc
from parts.client_hello import hello
from parts.ports import free_port
from parts.sockets import first_line, is_cut, read_exactly, read_to_end
from parts.traffic import Traffic

NAME = "a.example.test"
GATE = """
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
"""
TWO = GATE + """
  - bind: "127.0.0.1:$second"
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
"""


@pytest.mark.bounded(600)
def test_a_thousand_reloads_under_traffic_drop_nothing(lockgate, echo):
    servers = [echo("even"), echo("odd")]
    gate = lockgate(TWO, to=servers[0].address, second=free_port())
    memory = []
    with Traffic(gate.port, [NAME, "b.example.test"]) as traffic:
        for number in range(1000):
            gate.reload(TWO if number % 2 else GATE, to=servers[number % 2].address)
            if number % 100 == 50:
                memory.append(proc.memory(gate.process.pid))
    print(f"{traffic.done} connections; memory {[size // 1024 for size in memory]} KiB")
    assert traffic.failures == []
    assert traffic.done > 2_000
    assert {line["outcome"] for line in gate.next_lines(traffic.done + 10)} == {"finished"}
    assert gate.metrics().total("lockgate_reloads_total") == 1000
    assert memory[-1] < memory[1] * 1.3 + 2_000_000, "memory grows with each reload"


@pytest.mark.bounded(400)
def test_connections_half_closed_for_minutes_go_on(lockgate, origin):
    """The default timeout of a silent half-closed connection is two minutes; these say something each minute."""
    gate = lockgate(GATE, to=origin.address)
    with gate.open(NAME) as client, origin.accept() as server:
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(server)
        for _ in range(4):
            time.sleep(60)
            server.sendall(b"tick")
            assert read_exactly(client, 4) == b"tick"
        server.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == b""
    assert gate.next_line()["outcome"] == "finished"


@pytest.mark.bounded(400)
def test_silent_half_closed_connections_end_after_two_minutes(lockgate, origin):
    gate = lockgate(GATE, to=origin.address)
    with gate.open(NAME) as client, origin.accept() as server:
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(server)
        client.settimeout(180)
        begun = time.monotonic()
        assert is_cut(client)
        assert 115 < time.monotonic() - begun < 130
    assert gate.next_line()["outcome"] == "timed_out"


@pytest.mark.bounded(200)
def test_a_hundred_clients_that_trickle_one_byte_a_second(lockgate, echo):
    """In the hello they are given up after five seconds; afterwards they are served as long as they like."""
    gate = lockgate(GATE, to=echo("served").address)
    late = [gate.connect() for _ in range(100)]
    served = [gate.open(NAME) for _ in range(100)]
    for client in served:
        assert first_line(client) == "served"
    cpu = proc.cpu_seconds(gate.process.pid)
    first = hello(NAME)
    for second in range(60):
        for client in late:
            try:
                client.sendall(first[second:second + 1])
            except OSError:
                assert second >= 4, "given up too early"
        for client in served:
            client.sendall(b"x")
            assert read_exactly(client, 1) == b"x"
        time.sleep(1)
    print(f"{proc.cpu_seconds(gate.process.pid) - cpu:.2f} s of CPU in a minute")
    lines = gate.next_lines(100)
    assert {line["outcome"] for line in lines} == {"timed_out"}
    assert all(4_500 < line["duration_ms"] < 6_500 for line in lines)


@pytest.mark.bounded(300)
def test_memory_stays_flat_over_many_connections(lockgate, echo):
    gate = lockgate(GATE, to=echo("served").address)
    memory, descriptors = [], []
    for _ in range(8):
        with Traffic(gate.port, [NAME], clients=4, lasting=0) as traffic:
            time.sleep(15)
        assert traffic.failures == []
        time.sleep(0.5)
        memory.append(proc.memory(gate.process.pid))
        descriptors.append(proc.descriptors(gate.process.pid))
    print(f"memory {[size // 1024 for size in memory]} KiB; descriptors {descriptors}")
    assert memory[-1] < memory[1] * 1.1 + 1_000_000
    assert descriptors[-1] <= descriptors[0]
