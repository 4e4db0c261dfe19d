"""A server that keeps every byte it was sent, and reads it by strict rules of its own.

Each complete request is answered with 200 and a body that has the request's number, so that a client can tell whose
answer it got. What is not in the one canonical form is kept as `broken`, and that connection is closed.
"""
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from .sockets import Origin
from .strict_http import Broken, read_request
from .waiting import wait_until


@dataclass
class Recorded:
    """One connection."""
    raw: bytearray = field(default_factory=bytearray)
    requests: list = field(default_factory=list)  # the last one may be incomplete
    broken: str = ""
    unread: bytes = b""  # less than a head
    ended: bool = False


class RecordingOrigin(Origin):
    def __init__(self, **where):
        super().__init__(**where, backlog=4096)
        self.sock.settimeout(None)
        self.connections = []
        self._open = set()
        self._lock = threading.Lock()
        self._number = 0
        threading.Thread(target=self._accept_all, daemon=True).start()

    def of(self, client):
        """The requests that came from this address, in order, as X-Forwarded-For tells."""
        return [request for recorded in list(self.connections) for request in list(recorded.requests)
                if client.encode() in request.values(b"X-Forwarded-For")]

    def wait_for(self, client, timeout=10.0):
        """Waits until a request has begun to come from this address."""
        return wait_until(lambda: self.of(client), f"a request of {client} at the origin", timeout, pause=0.002)

    def requests(self):
        return [request for recorded in list(self.connections) for request in list(recorded.requests)]

    def stop(self):
        super().stop()
        for sock in list(self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _accept_all(self):
        with suppress(OSError):
            while True:
                sock, _ = self.sock.accept()
                self._open.add(sock)
                self.connections.append(Recorded())
                threading.Thread(target=self._serve, args=(sock, self.connections[-1]), daemon=True).start()

    def _serve(self, sock, recorded):
        try:
            with sock:
                while not recorded.broken and (more := sock.recv(65536)):
                    recorded.raw += more
                    recorded.unread += more
                    for answer in self._read(recorded):
                        sock.sendall(answer)
        except OSError:
            pass  # it was broken off
        finally:
            recorded.ended = True
            self._open.discard(sock)

    def _read(self, recorded):
        """Reads on, and gives the answers to what is complete."""
        while recorded.unread:
            try:
                request = read_request(recorded.unread)
            except Broken as error:
                recorded.broken = f"{error} in {recorded.unread[:2000]!r}"
                return
            if request is None:
                return
            if recorded.requests and not recorded.requests[-1].complete:
                recorded.requests.pop()
            request.connection = recorded
            recorded.requests.append(request)
            if not request.complete:
                return
            recorded.unread = recorded.unread[request.size:]
            with self._lock:
                self._number += 1
                request.number = self._number
            yield _answer(request)


def _answer(request):
    body = b"number %d" % request.number
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    return head if request.first[0] == b"HEAD" else head + body
