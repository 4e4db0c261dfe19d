"""Very many clients with stories of their own, run side by side in one thread.

A story is a generator that is given its socket, and yields where it waits until there is something to read. It is over
when it ends, or breaks with its connection.
"""
import selectors
import ssl

from .sockets import connect


def storm(port, stories, at_once=100):
    """Runs all (source, story) pairs, each from a loopback address that tells it from others."""
    coming, waiting = iter(stories), selectors.DefaultSelector()
    with waiting:
        while True:
            while len(waiting.get_map()) < at_once and (next_one := next(coming, None)):
                source, story = next_one
                sock = connect(port, source=source)
                _go_on(waiting, sock, story(sock))
            if not waiting.get_map():
                return
            ready = waiting.select(timeout=20)
            assert ready, f"clients wait in vain: {[key.data for key in waiting.get_map().values()]}"
            for key, _ in ready:
                waiting.unregister(key.fileobj)
                _go_on(waiting, key.fileobj, key.data)


def _go_on(waiting, sock, story):
    try:
        next(story)
        waiting.register(sock, selectors.EVENT_READ, story)
    except (StopIteration, OSError):
        sock.close()


class TlsClient:
    """TLS of a client whose story carries its bytes."""

    def __init__(self, sock, context, name):
        self.sock = sock
        self._heard, self._said = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._heard, self._said, server_hostname=name)

    def next_flight(self):
        """(what it says to what it has heard, whether its handshake is over then)"""
        try:
            self._tls.do_handshake()
            return self._said.read(), True
        except ssl.SSLWantReadError:
            return self._said.read(), False
        except ssl.SSLError:
            self.sock.sendall(self._said.read())  # an alert
            raise

    def hear(self):
        """False at the end."""
        self._heard.write(heard := self.sock.recv(65536))
        return bool(heard)

    def shake_hands(self, change=bytes):
        """A part of a story, up to where its own handshake is over. `change` has its way with each flight but the
        hello."""
        flight, over = self.next_flight()
        self.sock.sendall(flight)
        while not over:
            yield
            if not self.hear():
                raise ConnectionResetError("ended in the middle of a handshake")
            flight, over = self.next_flight()
            if flight:
                self.sock.sendall(change(flight))

    def write(self, content):
        self._tls.write(content)
        self.sock.sendall(self._said.read())
