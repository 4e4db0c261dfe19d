"""Plain sockets as the clients and servers of a test: always with a timeout."""
import select
import socket
import ssl
import struct
import threading
import time
from contextlib import suppress

TIMEOUT = 5.0


def connect(port, host="127.0.0.1", source=None):
    """A TCP connection, if wanted from the address `source` of this machine."""
    sock = socket.create_connection((host, port), timeout=TIMEOUT, source_address=(source, 0) if source else None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def read_exactly(sock, count):
    seen = b""
    while len(seen) < count:
        more = sock.recv(count - len(seen))
        assert more, f"ended after {len(seen)} of {count} bytes: {seen[:200]!r}"
        seen += more
    return seen


def read_to_end(sock):
    """All bytes until the peer finishes; a reset is an exception."""
    seen = bytearray()
    while more := sock.recv(65536):
        seen += more
    return bytes(seen)


def is_cut(sock):
    """True if the peer ended the connection, in whatever manner; bytes that came before are passed over."""
    try:
        while sock.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


def reset(sock):
    """Ends with a RST instead of a FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def read_alert(sock):
    """The description of the TLS alert that is all the peer has to say before it closes."""
    answer = read_to_end(sock)
    assert len(answer) == 7 and answer[0] == 21, f"no lone alert but {answer[:100]!r}"
    assert answer[5] == 2, "the alert is not fatal"
    return answer[6]


def both_ways(sock, pieces):
    """Sends all pieces while it reads: what was read until the peer finished. In one thread, for two must not use a TLS
    socket of Python's at once."""
    heard, deadline = bytearray(), time.monotonic() + 30
    not_now = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
    left = [memoryview(piece) for piece in pieces]
    sock.setblocking(False)
    while True:
        assert time.monotonic() < deadline, f"{len(left)} pieces are left, and {len(heard)} bytes were read"
        with suppress(*not_now):
            while left:
                left[0] = left[0][sock.send(left[0]):]
                if not left[0]:
                    left.pop(0)
        with suppress(*not_now):
            while part := sock.recv(65536):
                heard += part
            return bytes(heard)
        select.select([sock], [sock] if left else [], [], 1)


class Origin:
    """A server whose connections the test accepts, reads and answers itself."""

    def __init__(self, host="127.0.0.1", port=0, path=None, backlog=128):
        self.path = path
        if path:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.bind(str(path))
        else:
            self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.sock.bind((host, port))
            self.host, self.port = self.sock.getsockname()[:2]
            self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self.sock.listen(backlog)
        self.sock.settimeout(TIMEOUT)

    def accept(self):
        sock, self.peer = self.sock.accept()
        sock.settimeout(TIMEOUT)
        return sock

    def saw_nobody(self, seconds=0.3):
        """True if nobody connects for so long."""
        self.sock.settimeout(seconds)
        try:
            self.sock.accept()[0].close()
            return False
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(TIMEOUT)

    def stop(self):
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


class ServingOrigin(Origin):
    """Serves by itself, from when it is made: `_serve(number, sock)` of whoever inherits it runs in a thread for each
    connection, and closes it."""

    def __init__(self, **where):
        super().__init__(**where, backlog=4096)
        self.accepted = 0
        self.open = set()
        self.sock.settimeout(None)
        threading.Thread(target=self._accept_all, daemon=True).start()

    def close_all(self):
        """Ends what is open, so that whoever wants more needs a new connection."""
        for sock in list(self.open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def stop(self):
        """No server and no connection is left."""
        super().stop()
        self.close_all()

    def _accept_all(self):
        with suppress(OSError):
            while True:
                sock, _ = self.sock.accept()
                self.accepted += 1
                self.open.add(sock)
                threading.Thread(target=self._serve_one_client, args=(self.accepted, sock), daemon=True).start()

    def _serve_one_client(self, number, sock):
        try:
            self._serve(number, sock)
        finally:
            self.open.discard(sock)


class EchoOrigin(ServingOrigin):
    """Answers the first bytes with its name on a line, and echoes all that follows them."""

    def __init__(self, name="echo", **where):
        self.name = name
        super().__init__(**where)

    def _serve(self, _, sock):
        with suppress(OSError), sock:
            if sock.recv(65536):
                sock.sendall(self.name.encode() + b"\n")
            while seen := sock.recv(65536):
                sock.sendall(seen)


def first_line(sock):
    """The line with which an EchoOrigin says its name."""
    line = b""
    while not line.endswith(b"\n"):
        more = sock.recv(1)
        assert more, f"ended after {line!r}"
        line += more
    return line.decode().strip()
