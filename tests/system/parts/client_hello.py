"""ClientHellos built byte by byte, so that a test can also build those that no library would send.

RFC 8446, 4.1.2 for the message, 5.1 for records; JA4 after the FoxIO description (ja4.md).
"""
import hashlib
import os
import struct
from dataclasses import dataclass, field


def vector(length_bytes, content):
    return len(content).to_bytes(length_bytes, "big") + content


@dataclass
class ClientHello:
    names: tuple = ()  # of server_name; most clients send one
    alpn: tuple = ()
    ciphers: tuple = (0x1301, 0x1302, 0xC02B)
    versions: tuple = (0x0304, 0x0303)
    padding: int = 0  # bytes of an extension that says nothing
    more: list = field(default_factory=list)  # (type, content) pairs, placed last

    def extensions(self):
        found = []
        if self.names:
            entries = b"".join(b"\0" + vector(2, _encoded(name)) for name in self.names)
            found.append((0, vector(2, entries)))
        found.append((10, vector(2, struct.pack(">H", 29))))  # supported_groups: x25519
        found.append((13, vector(2, struct.pack(">HH", 0x0403, 0x0804))))  # signature_algorithms
        if self.alpn:
            found.append((16, vector(2, b"".join(vector(1, _encoded(value)) for value in self.alpn))))
        if self.versions:
            found.append((43, vector(1, b"".join(struct.pack(">H", version) for version in self.versions))))
        found.append((51, vector(2, struct.pack(">H", 29) + vector(2, os.urandom(32)))))  # key_share
        if self.padding:
            found.append((21, bytes(self.padding)))
        return found + self.more

    def message(self):
        """The handshake message, without records around it."""
        extensions = b"".join(struct.pack(">H", kind) + vector(2, content) for kind, content in self.extensions())
        ciphers = b"".join(struct.pack(">H", cipher) for cipher in self.ciphers)
        body = (b"\x03\x03" + os.urandom(32) + vector(1, os.urandom(32)) + vector(2, ciphers) + vector(1, b"\0")
                + vector(2, extensions))
        return b"\x01" + vector(3, body)

    def records(self, size=16_000):
        """The message in records that hold at most `size` bytes each."""
        message = self.message()
        return b"".join(record(message[start:start + size]) for start in range(0, len(message), size))

    def ja4(self):
        """The fingerprint this hello has, whatever its random is."""
        extensions = self.extensions()
        version = {0x0304: "13", 0x0303: "12"}[max(self.versions)] if self.versions else "12"
        first = self.alpn[0] if self.alpn else "00"
        head = (f"t{version}{'d' if self.names else 'i'}{len(self.ciphers):02}{len(extensions):02}"
                f"{first[0]}{first[-1]}")
        kinds = ",".join(sorted(f"{kind:04x}" for kind, _ in extensions if kind not in (0, 16)))
        ciphers = ",".join(sorted(f"{cipher:04x}" for cipher in self.ciphers))
        return f"{head}_{_short_hash(ciphers)}_{_short_hash(kinds + '_0403,0804')}"


def hello(name=None, **more):
    """The bytes of an ordinary ClientHello for `name`."""
    return ClientHello(names=(name,) if name else (), **more).records()


def record(content, kind=0x16, version=b"\x03\x01"):
    return bytes([kind]) + version + vector(2, content)


def sslv2_hello():
    """A hello in the format of SSL 2 that offers TLS 1.0 (RFC 5246, E.2): it can name no server."""
    specs = bytes.fromhex("00002f 000035 00000a")
    body = b"\x01\x03\x01" + struct.pack(">HHH", len(specs), 0, 16) + specs + bytes(16)
    return struct.pack(">H", 0x8000 | len(body)) + body


def _encoded(text):
    return text if isinstance(text, bytes) else text.encode()


def _short_hash(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]
