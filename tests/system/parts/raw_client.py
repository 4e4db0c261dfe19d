"""A client that sends bytes as they are and reads the answers by strict rules."""
import itertools
import socket

from .sockets import connect
from .strict_http import read_answer

_PATIENCE = 20.0  # a sanitizer build on a busy machine is slow
_numbers = itertools.count()


def own_address():
    """An address of this machine that no other client has."""
    number = next(_numbers)
    return f"127.{1 + number // 62_500}.{number // 250 % 250 + 1}.{number % 250 + 1}"


class RawClient:
    """One connection. What it has received and not yet read as an answer is `unread`."""

    def __init__(self, port, address=None):
        self.address = address or own_address()
        self.sock = connect(port, source=self.address)
        self.sock.settimeout(_PATIENCE)
        self.unread = b""
        self.ended = self.was_reset = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, sent):
        self.sock.sendall(sent)

    def answers(self, methods):
        """The answers to requests with these methods, or as many as there are before the connection ends."""
        return [answer for answer in map(self.answer, methods) if answer]

    def answer(self, method=b"GET"):
        """The next answer that is not interim; None if the connection has ended, incomplete if it ends within it."""
        interim = 0
        while True:
            answer = read_answer(self.unread, method, self.ended and not self.was_reset)
            if answer and (answer.complete or self.ended):
                self.unread = self.unread[answer.size:]
                answer.interim = interim
                if not _is_interim(answer):
                    return answer
                interim += 1
            elif self.ended:
                return None
            else:
                self._more()

    def finish(self):
        """Ends its side, as a client that has all its answers."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the gate was first

    def rest(self):
        """All that comes until the gate ends the connection."""
        while not self.ended:
            self._more()
        return self.unread

    def _more(self):
        try:
            more = self.sock.recv(65536)
        except ConnectionResetError:
            self.was_reset, more = True, b""
        self.ended = not more
        self.unread += more


def _is_interim(answer):
    return answer.first[0] < 200 and answer.first[0] != 101
