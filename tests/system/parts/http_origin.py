"""An HTTP server that the test plays: a thread for each connection, and a function that answers each request.

Without a function it tells, in JSON, what it has been asked and by whom.
"""
import hashlib
import json
import ssl
import time
from dataclasses import dataclass
from email.message import Message
from http.client import parse_headers

from .http1 import pieces
from .sockets import ServingOrigin


@dataclass
class Request:
    """One request; the function that is given it reads its body and answers it."""
    connection: int
    sock: object
    file: object
    method: str
    target: str
    version: str
    fields: Message
    stays: bool = True

    def pieces(self):
        """The body as it comes; nothing if there is none."""
        if "Content-Length" in self.fields or "Transfer-Encoding" in self.fields:
            yield from pieces(self.file, self.fields)

    def body(self):
        return b"".join(self.pieces())

    def answer(self, body=b"", status=200, fields=(), close=False):
        """A sized answer."""
        body = body.encode() if isinstance(body, str) else body
        self.head(status, [*fields, ("Content-Length", len(body))], close)
        if self.method != "HEAD":
            self.send(body)

    def head(self, status=200, fields=(), close=False):
        lines = [f"HTTP/1.1 {status} As told", *(f"{name}: {value}" for name, value in fields)]
        if close or self.version == "HTTP/1.0":
            self.stays = False
            lines.append("Connection: close")
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n")

    def chunk(self, piece):
        self.send(b"%x\r\n%b\r\n" % (len(piece), piece))

    def send(self, some):
        self.sock.sendall(some)

    def hang_up(self):
        """Nothing more is answered on this connection."""
        self.stays = False


def tell(request):
    """What has been asked, and a digest of what has come with it."""
    digest, size = hashlib.sha256(), 0
    if request.fields.get("Expect", "").lower() == "100-continue":
        request.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    for piece in request.pieces():
        digest.update(piece)
        size += len(piece)
    request.answer(json.dumps({
        "method": request.method, "target": request.target, "version": request.version,
        "connection": request.connection, "fields": [[name.lower(), value] for name, value in request.fields.items()],
        "size": size, "sha256": digest.hexdigest()}), fields=[("Content-Type", "application/json")])


class HttpOrigin(ServingOrigin):
    """`certificate`: it speaks TLS, `hesitates` seconds after it was called. `path`: of a Unix socket. `seen` has (connection, method, target) of all
    requests, `ended` what ended connections in the midst of one."""

    def __init__(self, answer=tell, certificate=None, hesitates=0, **where):
        self._answer, self._hesitates = answer, hesitates
        self._tls = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate.chain, certificate.key)
        self.seen, self.ended = [], []
        super().__init__(**where)

    def _serve(self, number, plain):
        sock = plain
        try:
            with plain:
                time.sleep(self._hesitates)
                sock = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
                with sock, sock.makefile("rb") as file:
                    while self._serve_one(number, sock, file):
                        pass
        except Exception as error:  # as a server would: it tells, and goes on with the others
            self.ended.append(error)

    def _serve_one(self, number, sock, file):
        line = file.readline()
        if not line:
            return False
        method, target, version = line.decode().split()
        request = Request(number, sock, file, method, target, version, parse_headers(file))
        if request.fields.get("Connection", "").lower() == "close" or version == "HTTP/1.0":
            request.stays = False
        self.seen.append((number, method, target))
        self._answer(request)
        return request.stays
