"""An HTTP server whose answers follow from their targets, as told_bodies has them; a program of its own, so that it can
be killed: python -m parts.told_origin PORT [faulty] [CHAIN KEY].

A request whose body is not that of its target is answered with 500. A faulty one breaks connections wherever it likes,
says too much, or answers before it was asked everything, but says nothing wrong.
"""
import os
import random
import socket
import ssl
import sys
import time
from contextlib import suppress
from pathlib import Path

from . import told_bodies, websocket
from .certificates import Certificate
from .http_origin import HttpOrigin
from .ports import free_port
from .process import Process
from .sockets import reset


class ToldOrigin:
    """The program, run by a test."""

    def __init__(self, folder, faulty=False, certificate=None):
        self._folder, self._port = folder, free_port()
        self.address = f"127.0.0.1:{self._port}"
        self._words = ["faulty"] * faulty + ([certificate.chain, certificate.key] if certificate else [])
        self.start()

    def start(self):
        self._process = Process("told_origin", [sys.executable, "-m", __name__, self._port, *self._words], self._folder,
                                env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])})
        self._process.wait_for_port(self._port)

    def kill(self):
        self._process.kill()

    def stop(self):
        self._process.stop()


def answer(request):
    if "Upgrade" in request.fields:
        websocket.echo(request)
        return _end_properly(request)
    if request.fields.get("Expect", "").lower() == "100-continue":
        request.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = request.body()
    if body != told_bodies.up(request.target):
        return request.answer(f"{len(body)} bytes that are not those of {request.target}", status=500)
    shape = told_bodies.shape(request.target)
    fields = [("X-Target", request.target), ("X-Method", request.method), ("X-Digest", told_bodies.digest(body))]
    return _SHAPES[shape](request, fields, told_bodies.down(request.target))


def _sized(request, fields, body):
    request.answer(body, fields=fields)


def _chunked(request, fields, body):
    request.head(fields=[*fields, ("Transfer-Encoding", "chunked"), ("Trailer", "X-Whole")])
    if request.method == "HEAD":
        return
    at = 0
    while at < len(body):
        size = random.choice((1, 10, 1000, 16384, 70000))
        request.chunk(body[at:at + size])
        at += size
    request.send(b"0\r\nX-Whole: %s\r\n\r\n" % told_bodies.digest(body).encode())


def _until_close(request, fields, body):
    request.head(fields=fields, close=True)
    if request.method != "HEAD":
        request.send(body)
    _end_properly(request)


def _end_properly(request):
    """TLS wants to be told."""
    if isinstance(request.sock, ssl.SSLSocket):
        with suppress(OSError):  # theirs need not come
            request.sock.unwrap()


def _events(request, fields, body):
    request.head(fields=[*fields, ("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked")])
    if request.method == "HEAD":
        return
    for at in range(0, len(body), 100):
        request.chunk(body[at:at + 100])
        time.sleep(0.01)
    request.send(b"0\r\n\r\n")


def _interim(request, fields, body):
    for number in range(random.randint(1, 3)):
        request.send(b"HTTP/1.1 103 Early Hints\r\nLink: </%d>; rel=preload\r\n\r\n" % number)
    _sized(request, fields, body)


def _nothing(request, fields, _):
    request.stays &= random.random() < 0.9
    request.send(b"HTTP/1.1 204 None\r\n" + b"".join(f"{name}: {value}\r\n".encode() for name, value in fields) +
                 (b"" if request.stays else b"Connection: close\r\n") + b"\r\n")


_SHAPES = {"sized": _sized, "chunked": _chunked, "until_close": _until_close, "events": _events, "interim": _interim,
           "nothing": _nothing}


class _Breaking:
    """A socket that takes so many bytes of answers more; then it breaks."""

    def __init__(self, sock, left):
        self._sock, self._left = sock, left

    def sendall(self, some):
        self._sock.sendall(some[:self._left])
        self._left -= len(some)
        if self._left <= 0:
            _break(self._sock)


def _break(sock):
    if random.random() < 0.5:
        reset(sock)
    else:
        sock.shutdown(socket.SHUT_RDWR)
    raise ConnectionError("on purpose")


def answer_faultily(request):
    luck = random.random()
    if luck < 0.05:
        _break(request.sock)
    if luck < 0.25:
        request.sock = _Breaking(request.sock, int(random.paretovariate(0.3)))
    if luck > 0.95:
        closes = random.random() < 0.5
        request.answer(b"early", status=409, fields=[("X-Target", request.target)], close=closes)
        if not closes:
            request.body()  # or what is left of it would be taken for the next request
        return None
    if 0.25 < luck < 0.3:
        return _say_too_much(request)
    answer(request)
    if 0.3 < luck < 0.4:  # without a word
        request.hang_up()


class _Gathering:
    def __init__(self):
        self.gathered = b""

    def sendall(self, some):
        self.gathered += some


def _say_too_much(request):
    """In one breath, or it could be taken for the answer to a request that has been sent meanwhile."""
    if "Upgrade" in request.fields or "Expect" in request.fields or "/until_close/" in request.target:
        return answer(request)
    sock, request.sock = request.sock, _Gathering()
    answer(request)
    sock.sendall(request.sock.gathered + b"HTTP/1.1 200 Unasked\r\nContent-Length: 7\r\n\r\nunasked")
    request.hang_up()


def main():
    port, *words = sys.argv[1:]
    faulty = words[:1] == ["faulty"]
    chain_and_key = [Path(word) for word in words[faulty:]]
    certificate = Certificate(*chain_and_key) if chain_and_key else None
    origin = HttpOrigin(answer_faultily if faulty else answer, certificate=certificate, port=int(port))
    while True:
        time.sleep(10)
        origin.seen.clear()
        for error in origin.ended:
            print(repr(error), flush=True)
        origin.ended.clear()


if __name__ == "__main__":
    main()
