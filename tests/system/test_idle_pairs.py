"""9,000 idle connections passed through at once: what they cost in memory and CPU, and that all still work."""
import resource
import selectors
import socket
import threading
import time

import pytest

from parts import proc
from parts.client_hello import hello
from parts.sockets import read_exactly
from parts.waiting import wait_until

WANTED = 9_000
GATE = """
limits: { connections: 20000 }
listeners:
  - bind: "127.0.0.1:$port"
    backlog: 4096
    timeouts: { hello: 30s }
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
"""


class SilentOrigin:
    """Takes connections and keeps them, reading nothing; the test speaks for the server's ends itself."""

    def __init__(self):
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.sock.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.taken = []
        self._thread = threading.Thread(target=self._accept_all, daemon=True)
        self._thread.start()

    def _accept_all(self):
        try:
            while True:
                self.taken.append(self.sock.accept()[0])
        except OSError:
            pass

    def stop(self):
        self.sock.close()
        for sock in self.taken:
            sock.close()


@pytest.fixture
def pairs_possible():
    """How many pairs the descriptors of this process allow, both ends being ours."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, 2 * WANTED + 1000),) * 2)
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield min(WANTED, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500) // 2)
    now = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, now))


def test_thousands_of_idle_pairs_cost_little(lockgate, started, pairs_possible):
    count = pairs_possible
    server = started(SilentOrigin())
    gate = lockgate(GATE, to=server.address)
    pid = gate.process.pid
    first = hello("a.example.test")
    clients = [_opened(gate, first) for _ in range(100)]
    _wait_for(server, 100)
    before = proc.memory(pid)
    begun = time.monotonic()
    clients += [_opened(gate, first) for _ in range(count - 100)]
    _wait_for(server, count)
    took = time.monotonic() - begun
    time.sleep(0.5)
    each = (proc.memory(pid) - before) / (count - 100)
    cpu = proc.cpu_seconds(pid)
    time.sleep(2)
    cpu = proc.cpu_seconds(pid) - cpu
    print(f"{count} pairs opened in {took:.1f} s; {each:.0f} bytes of memory each; {cpu * 1000:.1f} ms of CPU in 2 s")
    assert each < 8 * 1024
    assert cpu < 0.3

    _all_hear_their_servers(clients, server.taken, len(first))
    assert gate.health() == 200
    assert gate.metrics().total("lockgate_connections") == count
    for client in clients:
        client.close()
    for taken in server.taken:
        taken.close()
    wait_until(lambda: gate.metrics().total("lockgate_connections") == 0, "all have ended", timeout=20)
    wait_until(lambda: len(gate.access_log()) == count, "every connection is logged", timeout=20)
    assert gate.metrics().total("lockgate_log_lines_dropped_total") == 0


def _opened(gate, first):
    client = gate.connect()
    client.sendall(first)
    return client


def _wait_for(server, count):
    wait_until(lambda: len(server.taken) == count, f"{count} connections at the server", timeout=40)


def _all_hear_their_servers(clients, servers, hello_size):
    """Each server's end says one byte; each client must hear one, and none may be left over."""
    for server in servers:
        server.settimeout(5)
        read_exactly(server, hello_size)
        server.sendall(b"!")
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_READ)
        missing = len(clients)
        while missing:
            ready = selector.select(5)
            assert ready, f"{missing} clients hear nothing"
            for key, _ in ready:
                assert key.fileobj.recv(10) == b"!"
                selector.unregister(key.fileobj)
                missing -= 1
