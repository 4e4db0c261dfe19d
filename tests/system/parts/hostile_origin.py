"""A server that answers as a row says, and everybody else as it should.

A script is what it does once it has a request's head: bytes are sent, a number is a pause in seconds, CLOSE and RESET
end the connection; otherwise it goes on with the next request.
"""
import re
import threading
from contextlib import suppress

from .sockets import ServingOrigin, reset

CLOSE, RESET = object(), object()


class HostileOrigin(ServingOrigin):
    def __init__(self, **where):
        self.scripts = {}  # by target
        self.greeting = b""  # said on a new connection, before any request
        self.seen = []  # of (number of the connection, target)
        super().__init__(**where)

    def connections_of(self, target):
        return [number for number, one in list(self.seen) if one == target]

    def _serve(self, number, sock):
        with suppress(OSError), sock:
            sock.sendall(self.greeting)
            seen = b""
            while True:
                while b"\r\n\r\n" not in seen:
                    more = sock.recv(65536)
                    if not more:
                        break
                    seen += more
                if b"\r\n\r\n" not in seen or not self._answer(sock, number, seen):
                    break
                seen = self._behind(sock, seen)

    def _answer(self, sock, number, seen):
        target = seen.split(b" ")[1]
        self.seen.append((number, target))
        if target not in self.scripts:
            sock.sendall(right_answer(target))
            return True
        for step in self.scripts[target]:
            if step is CLOSE:
                return False
            if step is RESET:
                reset(sock)
                return False
            if isinstance(step, float):
                threading.Event().wait(step)
            else:
                sock.sendall(step)
        return True

    def _behind(self, sock, seen):
        """What follows the request in `seen`, whose body is read."""
        head, _, rest = seen.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        missing = int(length[1]) - len(rest) if length else 0
        while missing > 0:
            more = sock.recv(65536)
            if not more:
                raise OSError("the gate has left")
            missing, rest = missing - len(more), rest + more
        return rest[int(length[1]):] if length else rest


def right_answer(target):
    body = b"right for " + target
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
