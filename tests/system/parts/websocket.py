"""WebSocket (RFC 6455), both sides of it, over any socket: frames by hand, as odd as a test likes."""
import base64
import hashlib
import os
import struct
import threading
from dataclasses import dataclass

from .http1 import read_head

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass
class Frame:
    kind: int
    content: bytes
    final: bool = True


def accept_key(key):
    return base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()


class WebSocket:
    """One end of a connection that has been switched; only a client masks what it sends."""

    def __init__(self, sock, file, masks):
        self._sock, self._file, self._masks = sock, file, masks
        self._sending = threading.Lock()

    def send(self, content, kind=BINARY, final=True):
        content = content.encode() if isinstance(content, str) else content
        size, mask = len(content), 0x80 if self._masks else 0
        head = bytes([0x80 * final | kind])
        if size < 126:
            head += bytes([mask | size])
        elif size < 65536:
            head += struct.pack(">BH", mask | 126, size)
        else:
            head += struct.pack(">BQ", mask | 127, size)
        if self._masks:
            key = os.urandom(4)
            head, content = head + key, _masked(content, key)
        with self._sending:
            self._sock.sendall(head + content)

    def close(self, code=1000):
        self.send(struct.pack(">H", code), CLOSE)

    def frame(self):
        first, second = self._exactly(2)
        size = second & 0x7f
        if size == 126:
            size, = struct.unpack(">H", self._exactly(2))
        elif size == 127:
            size, = struct.unpack(">Q", self._exactly(8))
        key = self._exactly(4) if second & 0x80 else None
        content = self._exactly(size)
        return Frame(first & 0x0f, _masked(content, key) if key else content, bool(first & 0x80))

    def at_end(self):
        """True if the other side ends the connection with nothing more to say."""
        return self._file.read(1) == b""

    def _exactly(self, count):
        content = self._file.read(count)
        assert len(content) == count, f"ended in the midst of a frame, {len(content)} of {count} bytes"
        return content


def connect(sock, host, target="/socket", fields=()):
    """A client's end, once the server has agreed."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {target} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
             f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *(f"{name}: {value}" for name, value in fields)]
    sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
    file = sock.makefile("rb")
    answer = read_head(file)
    assert answer.status == 101, answer
    assert answer.fields["Upgrade"].lower() == "websocket" and answer.fields["Connection"].lower() == "upgrade"
    assert answer.fields["Sec-WebSocket-Accept"] == accept_key(key)
    return WebSocket(sock, file, masks=True)


def accept(request):
    """A server's end, of a Request of an HttpOrigin."""
    assert request.fields["Upgrade"].lower() == "websocket", request.fields
    request.hang_up()
    request.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 b"Sec-WebSocket-Accept: " + accept_key(request.fields["Sec-WebSocket-Key"]).encode() + b"\r\n\r\n")
    return WebSocket(request.sock, request.file, masks=False)


def echo(request):
    """Answers each message with the same in one frame, a ping with a pong; "bye" makes it say goodbye first."""
    here, message, kind = accept(request), b"", BINARY
    while (frame := here.frame()).kind != CLOSE:
        if frame.kind == PING:
            here.send(frame.content, PONG)
        if frame.kind in (PING, PONG):
            continue
        kind = frame.kind or kind
        message += frame.content
        if not frame.final:
            continue
        if message == b"bye":
            here.close(1001)
        else:
            here.send(message, kind)
        message = b""
    if frame.content != struct.pack(">H", 1001):  # else that is their answer to ours
        here.send(frame.content, CLOSE)


def _masked(content, key):
    size = len(content)
    repeated = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(content, "little") ^ int.from_bytes(repeated, "little")).to_bytes(size, "little")
