"""The way to a server: it carries bytes both ways, but breaks the next connection if it is told to.

"accept" resets it at once, "hello" when the client has begun its handshake, and "flight" when the server has answered
that and the client goes on.
"""
import socket
import threading
from contextlib import suppress

from .sockets import Origin, connect, reset


class Breaker(Origin):
    def __init__(self, to):
        super().__init__()
        self._to, self._how, self.broken = to, None, 0
        self.sock.settimeout(None)
        threading.Thread(target=self._accept_all, daemon=True).start()

    def break_next(self, how):
        self._how = how

    def _accept_all(self):
        with suppress(OSError):
            while True:
                client, _ = self.sock.accept()
                how, self._how = self._how, None
                threading.Thread(target=self._serve, args=(client, how), daemon=True).start()

    def _serve(self, client, how):
        if how:
            self.broken += 1
        with suppress(OSError):
            if how == "accept":
                return reset(client)
            first = client.recv(65536)
            if how == "hello":
                return reset(client)
            with client, connect(self._to) as server:
                client.settimeout(None)
                server.settimeout(None)
                server.sendall(first)
                if how == "flight":
                    client.sendall(server.recv(65536))
                    client.recv(65536)
                    return reset(client)
                back = threading.Thread(target=_carry, args=(server, client), daemon=True)
                back.start()
                _carry(client, server)
                back.join()


def _carry(source, sink):
    with suppress(OSError):
        while some := source.recv(65536):
            sink.sendall(some)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
