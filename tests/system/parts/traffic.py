"""Clients in threads that use the gate all the time and take every failure down."""
import random
import threading
import time
from collections import Counter

from .client_hello import hello
from .clients import Clients
from .sockets import connect, first_line, read_exactly, read_to_end
from .tls import V1_2, V1_3, client_context, tls_connect
from .waiting import wait_until


class Traffic(Clients):
    """`with Traffic(port, names) as traffic:` runs it; afterwards `done` and `failures` tell how it went.

    Each round is a connection of its own: a hello, the server's name, some bytes there and back, and a clean end.
    Beside them a few connections last from the first moment to the last.
    """

    def __init__(self, port, names, clients=3, lasting=10):
        super().__init__(clients)
        self.port, self.names = port, names
        self.done, self.failures = 0, []
        self._lasting = lasting

    def __enter__(self):
        self._held = [self._open(self.names[0]) for _ in range(self._lasting)]
        return super().__enter__()

    def __exit__(self, *_):
        super().__exit__()
        for sock in self._held:
            self._guarded("a lasting connection", lambda sock=sock: _echo(sock, 1000))
            sock.close()

    def _run(self, seed):
        chance = random.Random(seed)
        while not self._stop.is_set():
            name = chance.choice(self.names)
            self._guarded(f"a connection for {name}", lambda: self._round(name, chance.randint(1, 30_000)))
            time.sleep(0.002)

    def _round(self, name, size):
        with self._open(name) as sock:
            _echo(sock, size)
            sock.shutdown(1)
            assert read_to_end(sock) == b""
        self.done += 1

    def _open(self, name):
        sock = connect(self.port)
        sock.sendall(hello(name))
        assert first_line(sock)
        return sock

    def _guarded(self, what, run):
        try:
            run()
        except (OSError, AssertionError) as error:
            self.failures.append(f"{what}: {error!r}")


class TlsTraffic(Traffic):
    """The same inside of TLS 1.2 and 1.3: each round is a handshake with a server that `root` vouches for, bytes there
    and back, and an end that both sides announce. Handshakes are full ones, unless clients `come_back`: with the newest
    session that they have of that name and version.

    `serials` are those of all certificates shown in full handshakes; `resumed` and `full` count rounds by client, name
    and version.
    """

    def __init__(self, ports, names, root, come_back=False, **more):
        super().__init__(ports[0], names, **more)
        self.serials, self.resumed, self.full = set(), Counter(), Counter()
        self._ports, self._come_back = ports, come_back
        self._contexts = {version: client_context(root, version) for version in (V1_2, V1_3)}
        self._sessions = {}

    def wait_for_rounds(self):
        """Until every client has begun and finished one more round of each kind."""
        kinds = len(self._threads) * len(self.names) * len(self._contexts)
        before = self._rounds()

        def all_done():
            now = self._rounds()
            # Two have ended, of which the first may have begun before.
            return len(now) == kinds and all(now[kind] > before[kind] + 1 for kind in now)

        wait_until(lambda: self.failures or all_done(), "rounds of all clients", timeout=20)

    def _rounds(self):
        with self._lock:
            return self.resumed + self.full

    def _round(self, name, size):
        version = random.choice(list(self._contexts))
        kind = (threading.get_ident(), name, version)
        with self._open(name, version, random.choice(self._ports), self._sessions.get(kind)) as sock:
            _echo(sock, size)
            if self._come_back:
                self._sessions[kind] = sock.session  # it has come, at the latest with the echo
            resumed, shown = sock.session_reused, sock.getpeercert()
            sock.unwrap().close()
        with self._lock:
            self.done += 1
            (self.resumed if resumed else self.full)[kind] += 1
            if not resumed:
                self.serials.add(shown["serialNumber"].lower())

    def _open(self, name, version=V1_3, port=None, session=None):
        sock = tls_connect(port or self.port, name, self._contexts[version], session=session)
        sock.sendall(b"hello")
        assert first_line(sock)
        return sock


def _echo(sock, size):
    sent = random.randbytes(size)
    sock.sendall(sent)
    assert read_exactly(sock, size) == sent, "bytes were changed"
