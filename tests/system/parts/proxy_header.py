"""PROXY protocol headers, written and read (proxy-protocol.txt of HAProxy)."""
import ipaddress
import struct
from dataclasses import dataclass, field

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
ALPN, AUTHORITY, CRC32C, UNIQUE_ID, SSL = 0x01, 0x02, 0x03, 0x05, 0x20
SSL_VERSION, SSL_COMMON_NAME, SSL_CIPHER = 0x21, 0x22, 0x23


@dataclass
class ProxyHeader:
    version: int
    source: tuple = None  # (address, port); None where the header names nobody
    destination: tuple = None
    tlvs: dict = field(default_factory=dict)


def v1(source, destination):
    """`source` and `destination` are (address, port)."""
    family = "TCP6" if ":" in source[0] else "TCP4"
    return f"PROXY {family} {source[0]} {destination[0]} {source[1]} {destination[1]}\r\n".encode()


def v2(source, destination, tlvs=b"", command=1):
    addresses = [ipaddress.ip_address(side[0]) for side in (source, destination)]
    family = 0x11 if addresses[0].version == 4 else 0x21
    body = addresses[0].packed + addresses[1].packed + struct.pack(">HH", source[1], destination[1]) + tlvs
    return SIGNATURE + bytes([0x20 | command, family]) + struct.pack(">H", len(body)) + body


def v2_local(filler=b""):
    """The LOCAL command: the sender speaks for itself, as in a health check."""
    return SIGNATURE + b"\x20\x00" + struct.pack(">H", len(filler)) + filler


def tlv(kind, value):
    return bytes([kind]) + struct.pack(">H", len(value)) + value


def read(sock):
    """Reads exactly one header, of either version, from a socket."""
    start = _exactly(sock, 12)
    return _read_v2(sock) if start == SIGNATURE else _read_v1(sock, start)


def _read_v1(sock, line):
    assert line.startswith(b"PROXY "), f"no PROXY header but {line!r}"
    while not line.endswith(b"\r\n"):
        line += _exactly(sock, 1)
        assert len(line) <= 107, f"too long for a PROXY header: {line!r}"
    words = line.decode().split()
    if words[1] == "UNKNOWN":
        return ProxyHeader(1)
    return ProxyHeader(1, (words[2], int(words[4])), (words[3], int(words[5])))


def _read_v2(sock):
    command, family, length = struct.unpack(">BBH", _exactly(sock, 4))
    body = _exactly(sock, length)
    assert command in (0x20, 0x21), f"unknown PROXY command {command:#x}"
    if command == 0x20:
        return ProxyHeader(2)
    assert family in (0x11, 0x21), f"not TCP over IPv4 or IPv6: {family:#x}"
    size = 4 if family == 0x11 else 16
    addresses = [str(ipaddress.ip_address(body[start:start + size])) for start in (0, size)]
    ports = struct.unpack(">HH", body[2 * size:2 * size + 4])
    return ProxyHeader(2, (addresses[0], ports[0]), (addresses[1], ports[1]), _tlvs(body[2 * size + 4:]))


def _tlvs(content):
    found = {}
    while content:
        kind, length = struct.unpack(">BH", content[:3])
        found[kind] = content[3:3 + length]
        content = content[3 + length:]
    return found


def read_ssl(content):
    """The TLV that tells of a client's TLS: (its flags, 0 if it has a certificate that holds, the TLVs
    inside)."""
    flags, verdict = struct.unpack(">BI", content[:5])
    return flags, verdict, _tlvs(content[5:])


def _exactly(sock, count):
    seen = b""
    while len(seen) < count:
        more = sock.recv(count - len(seen))
        assert more, f"ended within the PROXY header, after {seen!r}"
        seen += more
    return seen
