"""SOCKS5 servers as parents: microsocks, and one of our own that answers as it is told (RFC 1928, RFC 1929)."""
import socket
import threading
from contextlib import suppress

from .ports import free_port
from .process import Process
from .sockets import Origin, read_exactly

OPEN, LOGIN, NO_WAY = 0, 2, 0xff
OPENED = b"\5\0\0\1\x7f\0\0\1\x1f\x90"


class MicroSocks:
    """`login`: ("user", "password") is wanted."""

    def __init__(self, folder, login=None, host="127.0.0.1"):
        self.host, self.port = host, free_port()
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        words = ["-u", login[0], "-P", login[1]] if login else []
        self.process = Process("microsocks", ["/usr/bin/microsocks", "-i", host, "-p", self.port, *words], folder)
        self.process.wait_for_port(self.port, host)

    def stop(self):
        self.process.stop()


class ScriptedSocks(Origin):
    """Serves by itself. It chooses `method`, lets everybody in unless `lets_in` is False, and answers each request
    with `reply` and what may be behind it; then it relays to `to`, a port of this machine, or ends where that is None.
    `requests` has what was asked for, as (host, port), and `logins` who asked."""

    def __init__(self, method=OPEN, lets_in=True, reply=OPENED, to=None, **where):
        super().__init__(**where)
        self.method, self.lets_in, self.reply, self.to = method, lets_in, reply, to
        self.requests, self.logins = [], []
        self.open = set()
        self.sock.settimeout(None)
        threading.Thread(target=self._accept_all, daemon=True).start()

    def stop(self):
        super().stop()
        for sock in list(self.open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _accept_all(self):
        with suppress(OSError):
            while True:
                sock = self.accept()
                self.open.add(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with suppress(OSError, AssertionError), sock:
            if self._greet(sock):
                self.requests.append(_read_request(sock))
                sock.sendall(self.reply)
                if self.to:
                    self._relay(sock)
        self.open.discard(sock)

    def _greet(self, sock):
        version, count = read_exactly(sock, 2)
        assert version == 5
        read_exactly(sock, count)
        sock.sendall(bytes([5, self.method]))
        if self.method == LOGIN:
            _, size = read_exactly(sock, 2)
            user = read_exactly(sock, size).decode()
            password = read_exactly(sock, read_exactly(sock, 1)[0]).decode()
            self.logins.append((user, password))
            sock.sendall(bytes([1, 0 if self.lets_in else 1]))
        return self.method != NO_WAY and self.lets_in

    def _relay(self, sock):
        with socket.create_connection(("127.0.0.1", self.to), timeout=5) as upstream:
            self.open.add(upstream)
            for side in (sock, upstream):
                side.settimeout(None)
            back = threading.Thread(target=_copy, args=(upstream, sock), daemon=True)
            back.start()
            _copy(sock, upstream)
            back.join()
            self.open.discard(upstream)


def _read_request(sock):
    _, command, _, kind = read_exactly(sock, 4)
    assert command == 1, "not CONNECT"
    if kind == 3:
        host = read_exactly(sock, read_exactly(sock, 1)[0]).decode()
    else:
        family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
        host = socket.inet_ntop(family, read_exactly(sock, size))
    return host, int.from_bytes(read_exactly(sock, 2), "big")


def _copy(source, target):
    with suppress(OSError):
        while seen := source.recv(65536):
            target.sendall(seen)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
