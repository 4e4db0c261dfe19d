"""What goes wrong in production, done on purpose: each fault is bounded, told in the log, and over when it is over.

Timeouts are shortened; the forms that take minutes are in tests/soak.
"""
import os
import resource
import socket
import subprocess
import threading
import time

import pytest

from parts import proc
from parts.browsers import curl
from parts.client_hello import hello
from parts.sockets import first_line, is_cut, read_exactly, read_to_end, reset
from parts.waiting import wait_until

NAME = "a.example.test"
GATE = """
defaults:
  timeouts: { idle: $idle, half_closed: $half_closed }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
"""


@pytest.fixture
def gate(lockgate):
    return lambda to, idle="1m", half_closed="1m": lockgate(GATE, to=to.address, idle=idle, half_closed=half_closed)


@pytest.fixture
def pair(gate, origin):
    """pair(): a gate, a client and the server's end of its connection, the hello already there."""

    def make(**timeouts):
        made = gate(origin, **timeouts)
        client, server = next_pair(made, origin)
        return made, client, server

    return make


def next_pair(gate, origin):
    first = hello(NAME)
    client = gate.connect()
    client.sendall(first)
    server = origin.accept()
    assert read_exactly(server, len(first)) == first
    return client, server


def serves(gate, origin):
    """True if a new connection gets through in both directions."""
    client, server = next_pair(gate, origin)
    with client, server:
        server.sendall(b"ready")
        return read_exactly(client, 5) == b"ready"


# An upstream that dies.


def test_kill_9_of_a_server_in_mid_stream(nginx, gate, authority):
    server = nginx(NAME, rate="200k")
    path = server.put_file("slow", 50_000_000)
    gate = gate(server)
    killed = threading.Timer(1.0, server.process.kill)
    killed.start()
    begun = time.monotonic()
    done = curl(f"https://{NAME}{path}", gate.port, "-o", "/dev/null", root=authority.root)
    killed.join()
    assert done.returncode in (18, 56), done
    assert time.monotonic() - begun < 3, "the client learns it at once"
    line = gate.next_line()
    assert line["ended_by"] == "upstream"
    assert line["bytes_down"] > 100_000
    server.start()
    assert curl(f"https://{NAME}/", gate.port, root=authority.root).returncode == 0


def test_a_reset_by_the_server_reaches_the_client_as_a_reset(pair):
    gate, client, server = pair()
    reset(server)
    with client, pytest.raises(ConnectionResetError):
        read_to_end(client)
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"]) == ("reset", "upstream")


def test_a_reset_by_the_client_reaches_the_server_as_a_reset(pair):
    gate, client, server = pair()
    reset(client)
    with server, pytest.raises(ConnectionResetError):
        read_to_end(server)
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"]) == ("reset", "client")


def test_bytes_before_a_fin_are_delivered_before_it(pair):
    gate, client, server = pair()
    with client:
        server.sendall(b"x" * 1_000_000)
        server.close()
        assert len(read_to_end(client)) == 1_000_000
    assert gate.next_line()["bytes_down"] == 1_000_000


# Slow and stubborn peers.


def test_a_client_that_trickles_is_served_byte_by_byte(pair):
    _, client, server = pair(idle="500ms")
    with client, server:
        for number in range(30):
            client.sendall(bytes([number]))
            assert server.recv(10) == bytes([number])
            time.sleep(0.03)


def test_a_peer_that_never_reads_holds_up_the_other_and_costs_little_memory(gate, origin):
    gate = gate(origin)
    serves(gate, origin)
    before = proc.memory(gate.process.pid)
    pairs = [next_pair(gate, origin) for _ in range(8)]
    sent = sum(_send_until_stuck(server) for _, server in pairs)
    sent += sum(_send_until_stuck(client) for client, _ in pairs)
    assert sent < 16 * 30_000_000, "somebody swallows without end"
    grown = proc.memory(gate.process.pid) - before
    print(f"{grown / 16 / 1024:.0f} KiB for each blocked direction")
    assert grown < 16 * 512 * 1024
    assert serves(gate, origin), "others are not held up"
    begun = proc.cpu_seconds(gate.process.pid)
    time.sleep(0.5)
    assert proc.cpu_seconds(gate.process.pid) - begun < 0.1, "waiting costs no CPU"
    for client, server in pairs:
        client.close()
        server.close()


def _send_until_stuck(sock):
    """Bytes taken until nothing moves for a moment."""
    sock.settimeout(0.15)
    total = 0
    try:
        while total < 100_000_000:
            total += sock.send(bytes(262_144))
    except TimeoutError:
        pass
    return total


def test_a_peer_that_reads_again_gets_everything(pair):
    _, client, server = pair()
    sent = os.urandom(20_000_000)
    sender = threading.Thread(target=lambda: (server.settimeout(20), server.sendall(sent), server.close()))
    sender.start()
    time.sleep(0.3)
    with client:
        client.settimeout(20)
        assert read_to_end(client) == sent
    sender.join()


def test_an_idle_connection_ends_in_time(pair):
    gate, client, server = pair(idle="600ms")
    begun = time.monotonic()
    with client, server:
        assert is_cut(client) and is_cut(server)
    assert 0.4 < time.monotonic() - begun < 2
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"]) == ("timed_out", "here")


def test_bytes_in_one_direction_keep_both_alive(pair):
    _, client, server = pair(idle="600ms")
    with client, server:
        for _ in range(10):
            time.sleep(0.15)
            server.sendall(b"tick")
            assert read_exactly(client, 4) == b"tick"
        client.sendall(b"still there?")
        assert read_exactly(server, 12) == b"still there?"


# Half-closed connections.


def test_a_server_may_go_on_after_the_client_has_finished(pair):
    gate, client, server = pair(half_closed="500ms")
    with client:
        client.shutdown(socket.SHUT_WR)
        assert read_to_end(server) == b""
        for _ in range(8):
            time.sleep(0.15)
            server.sendall(b"tick")
            assert read_exactly(client, 4) == b"tick"
        server.close()
        assert read_to_end(client) == b""
    assert gate.next_line()["outcome"] == "finished"


def test_a_client_may_go_on_after_the_server_has_finished(pair):
    gate, client, server = pair(half_closed="500ms")
    with server:
        server.shutdown(socket.SHUT_WR)
        assert read_to_end(client) == b""
        for _ in range(8):
            time.sleep(0.15)
            client.sendall(b"tick")
            assert read_exactly(server, 4) == b"tick"
        client.close()
        assert read_to_end(server) == b""
    assert gate.next_line()["outcome"] == "finished"


@pytest.mark.parametrize("finisher", ["client", "upstream"])
def test_a_half_closed_connection_that_falls_silent_ends_in_time(pair, finisher):
    gate, client, server = pair(half_closed="500ms")
    with client, server:
        done, other = (client, server) if finisher == "client" else (server, client)
        begun = time.monotonic()
        done.shutdown(socket.SHUT_WR)
        assert read_to_end(other) == b""
        assert is_cut(done)
        assert 0.3 < time.monotonic() - begun < 2
    assert gate.next_line()["outcome"] == "timed_out"


def test_connections_ask_whether_their_peers_are_still_there(pair):
    gate, client, server = pair()
    with client, server:
        seen = subprocess.run(["ss", "-tnoHp"], capture_output=True, text=True, timeout=10).stdout
        own = [line for line in seen.splitlines() if f"pid={gate.process.pid}," in line]
        assert len(own) == 2, seen
        assert all("keepalive" in line for line in own), own


# Resources that run out.


def test_without_descriptors_it_waits_and_recovers(gate, echo):
    gate = gate(echo("served"))
    pid = gate.process.pid
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (proc.descriptors(pid) + 20,) * 2)
    clients = [gate.open(NAME) for _ in range(60)]
    gate.wait_for_message("(?i)descriptors|too many open files")
    begun = proc.cpu_seconds(pid)
    time.sleep(1)
    assert proc.cpu_seconds(pid) - begun < 0.3, "it spins"
    told = len([line for line in gate.process.output().splitlines() if "open files" in line or "descriptors" in line])
    assert told < 200, "the log is flooded"
    for client in clients:
        client.close()

    def works():
        with gate.open(NAME) as client:
            return client.recv(100) == b"served\n"

    wait_until(works, "it serves again", timeout=8, pause=0.1)
    wait_until(lambda: gate.metrics().total("lockgate_connections") == 0, "nothing is left")


def test_a_log_on_a_full_device_stops_nothing(lockgate, echo):
    gate = lockgate("""
defaults:
  timeouts: { idle: 1m }
listeners:
  - bind: "127.0.0.1:$port"
    access_log: /dev/full
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
""", to=echo("served").address)
    for _ in range(1000):  # more lines than may wait
        with gate.open(NAME) as client:
            assert first_line(client) == "served"
    gate.wait_for_message("(?i)no space left")
    assert gate.health() == 200
    wait_until(lambda: gate.metrics().total("lockgate_log_lines_dropped_total"), "what is lost is counted")
    assert gate.process.output().count("No space left") < 50, "the log is flooded"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_disk_is_told_and_logging_goes_on_when_there_is_room(lockgate, echo, tmp_path, request):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True, timeout=10)
    request.addfinalizer(lambda: subprocess.run(["umount", "-l", disk], check=True, timeout=10))
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    access_log: { to: $disk/access.log, format: json }
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
""", to=echo("served").address, disk=disk)
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file, pytest.raises(OSError):
        while True:
            file.write(bytes(4096))

    def connections(count):
        for _ in range(count):
            with gate.open(NAME) as client:
                assert first_line(client) == "served"

    connections(40)
    gate.wait_for_message("(?i)no space left")
    filler.unlink()
    connections(5)
    log = disk / "access.log"
    wait_until(lambda: log.read_bytes().count(b"\n") >= 5, "lines are written again")
    assert log.read_bytes().endswith(b"\n")
