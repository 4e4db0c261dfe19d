"""A server that keeps every byte it was sent, and reads it by strict rules of its own.

Each complete request is answered with 200 and a body that has the request's number, so that a client can tell whose
answer it got. What is not in the one canonical form is kept as `broken`, and that connection is closed.
"""
import threading
from dataclasses import dataclass, field

from .sockets import ServingOrigin
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


class RecordingOrigin(ServingOrigin):
    def __init__(self, **where):
        self.connections = []
        self._lock = threading.Lock()
        self._number = 0
        super().__init__(**where)

    def of(self, client):
        """The requests that came from this address, in order, as X-Forwarded-For tells."""
        return [request for recorded in list(self.connections) for request in list(recorded.requests)
                if client.encode() in request.values(b"X-Forwarded-For")]

    def wait_for(self, client, timeout=10.0):
        """Waits until a request has begun to come from this address."""
        return wait_until(lambda: self.of(client), f"a request of {client} at the origin", timeout, pause=0.002)

    def requests(self):
        return [request for recorded in list(self.connections) for request in list(recorded.requests)]

    def _serve(self, _, sock):
        recorded = Recorded()
        self.connections.append(recorded)
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
