"""HTTP/1.1 written and read by hand: what a client library would hide is what is tried here."""
from dataclasses import dataclass
from email.message import Message
from http.client import parse_headers


@dataclass
class Answer:
    version: str
    status: int
    fields: Message
    body: bytes = b""

    def all(self, name):
        return self.fields.get_all(name) or []


def request(method="GET", target="/", host="a.example.test", fields=(), body=b"", version="HTTP/1.1"):
    """The bytes of a request; a body is sized unless `fields` say otherwise."""
    lines = [f"{method} {target} {version}", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in fields]
    if body and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in fields):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def read_head(file):
    """The head of an answer, from a file as of `sock.makefile("rb")`."""
    line = file.readline()
    assert line, "the connection ended where an answer was awaited"
    version, status = line.decode().split(" ", 2)[:2]
    return Answer(version, int(status), parse_headers(file))


def read_answer(file, method="GET"):
    """A whole answer, its body without chunks; interim ones are passed over."""
    answer = read_head(file)
    while answer.status < 200 and answer.status != 101:
        answer = read_head(file)
    if method != "HEAD" and answer.status not in (101, 204, 304):
        answer.body = b"".join(pieces(file, answer.fields))
    return answer


def pieces(file, fields, size=65536):
    """The body that follows a head with these fields, as it comes; one that is cut fails."""
    if fields.get("Transfer-Encoding", "").lower() == "chunked":
        while count := int(file.readline().partition(b";")[0], 16):
            yield _exactly(file, count)
            assert file.readline() == b"\r\n"
        while file.readline() not in (b"\r\n", b""):
            pass
    elif "Content-Length" in fields:
        left = int(fields["Content-Length"])
        while left > 0:
            piece = _exactly(file, min(left, size))
            left -= len(piece)
            yield piece
    else:
        while piece := file.read1(size):
            yield piece


def _exactly(file, count):
    piece = file.read(count)
    assert len(piece) == count, f"cut within its body: {len(piece)} of {count} bytes"
    return piece
