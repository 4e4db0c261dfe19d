"""Clients in threads that use the gate all the time and take every failure down."""
import random
import threading
import time

from .client_hello import hello
from .sockets import connect, first_line, read_exactly, read_to_end


class Traffic:
    """`with Traffic(port, names) as traffic:` runs it; afterwards `done` and `failures` tell how it went.

    Each round is a connection of its own: a hello, the server's name, some bytes there and back, and a clean end.
    Beside them a few connections last from the first moment to the last.
    """

    def __init__(self, port, names, clients=3, lasting=10):
        self.port, self.names = port, names
        self.done, self.failures = 0, []
        self._clients, self._lasting = clients, lasting
        self._stop = threading.Event()

    def __enter__(self):
        self._held = [self._open(self.names[0]) for _ in range(self._lasting)]
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(self._clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()
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


def _echo(sock, size):
    sent = random.randbytes(size)
    sock.sendall(sent)
    assert read_exactly(sock, size) == sent, "bytes were changed"
