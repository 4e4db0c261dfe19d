"""HTTP/1.1 in the one form that Lockgate writes it in, read by a reader of its own.

It takes nothing else: what other readers would forgive is `Broken` here. So what this one has read and can write again
byte for byte has one meaning only, whoever reads it.
"""
import re
from dataclasses import dataclass, field

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rb"(%s) (\*|/[!-\"$-~]*) HTTP/1\.1" % _TOKEN)
_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-9][0-9][0-9]) ([\t -~\x80-\xff]*)")
_FIELD = re.compile(rb"(%s): ((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)" % _TOKEN)
_SIZE = re.compile(rb"[1-9a-f][0-9a-f]{0,15}")
_LENGTH = re.compile(rb"0|[1-9][0-9]{0,19}")

# As they are written, whatever the sender's letters were.
_CANONICAL = {name.lower().encode(): name.encode() for name in (
    "Age Connection Content-Length Content-Location Content-Type Cookie Date ETag Expect Forwarded Host Keep-Alive Link"
    " Location Proxy-Connection Referer Refresh Server Set-Cookie Strict-Transport-Security TE Trailer"
    " Transfer-Encoding Upgrade User-Agent Via X-Forwarded-For X-Forwarded-Host X-Forwarded-Port X-Forwarded-Proto"
    " X-Real-IP X-Request-ID").split()}
_FRAMING = {b"content-length", b"transfer-encoding", b"host", b"connection", b"trailer", b"te", b"upgrade", b"expect"}


class Broken(Exception):
    """These bytes are no message in the one form."""


@dataclass
class Message:
    """A request, or an answer; while `complete` is false, as much of it as has come."""
    first: tuple  # (method, target), or (status, reason)
    fields: list  # of (name, value)
    head: bytes
    body: bytes = b""
    chunks: list = field(default_factory=list)  # sizes
    trailers: list = field(default_factory=list)
    sized: bool = False
    chunked: bool = False
    until_close: bool = False
    complete: bool = False
    size: int = 0  # in bytes

    def values(self, name):
        return [value for one, value in self.fields if one.lower() == name.lower()]

    def value(self, name):
        values = self.values(name)
        assert len(values) <= 1, f"{name} more than once: {values}"
        return values[0] if values else None

    def written(self):
        """The message once more, from what was understood of it."""
        out = b" ".join(self.first) + b" HTTP/1.1\r\n" if self.is_request() else b"HTTP/1.1 %d %s\r\n" % self.first
        out += _lines(self.fields) + b"\r\n"
        if not self.chunked:
            return out + self.body
        at = 0
        for size in self.chunks:
            out += b"%x\r\n%s\r\n" % (size, self.body[at:at + size])
            at += size
        return out + b"0\r\n" + _lines(self.trailers) + b"\r\n"

    def is_request(self):
        return isinstance(self.first[0], bytes)


def read_request(seen):
    """The request at the beginning of `seen`; None if its head has not all come."""
    head = _head(seen)
    if head is None:
        return None
    line = _REQUEST_LINE.fullmatch(head[0])
    if not line:
        raise Broken(f"first line {head[0][:100]!r}")
    message = Message(line.groups(), _fields(head[1:]), seen[:_end(seen)])
    if [name for name, _ in message.fields if name.lower() == b"host"] != [b"Host"] or message.fields[0][0] != b"Host":
        raise Broken("not one Host in front of all other fields")
    _take_body(message, seen, has_none=False, closed=False)
    return message


def read_answer(seen, method=b"GET", closed=False):
    """The answer at the beginning of `seen`, interim or not; `closed` if no more will come."""
    head = _head(seen)
    if head is None:
        return None
    line = _STATUS_LINE.fullmatch(head[0])
    if not line:
        raise Broken(f"first line {head[0][:100]!r}")
    message = Message((int(line[1]), line[2]), _fields(head[1:]), seen[:_end(seen)])
    status = message.first[0]
    _take_body(message, seen, method == b"HEAD" or status < 200 or status in (204, 304), closed)
    return message


def _end(seen):
    return seen.index(b"\r\n\r\n") + 4


def _head(seen):
    end = seen.find(b"\r\n\r\n")
    lines = seen[:end].split(b"\r\n") if end >= 0 else []
    for line in lines or [seen.replace(b"\r\n", b"")]:
        if b"\n" in line or b"\0" in line or b"\r" in line[:-1]:
            raise Broken(f"a line {line[:100]!r}")
    return lines or None


def _fields(lines):
    fields = []
    for line in lines:
        read = _FIELD.fullmatch(line)
        if not read:
            raise Broken(f"a field {line[:100]!r}")
        name, value = read.groups()
        if _CANONICAL.get(name.lower(), name) != name:
            raise Broken(f"{name!r} is not in canonical letters")
        fields.append((name, value))
    return fields


def _lines(fields):
    return b"".join(b"%s: %s\r\n" % one for one in fields)


def _take_body(message, seen, has_none, closed):
    lengths, codings = message.values(b"Content-Length"), message.values(b"Transfer-Encoding")
    if len(lengths) + len(codings) > 1:
        raise Broken(f"the body's end is told twice: {lengths} {codings}")
    if lengths and not _LENGTH.fullmatch(lengths[0]) or codings and codings != [b"chunked"]:
        raise Broken(f"the body's end is told badly: {lengths} {codings}")
    message.size = len(message.head)
    if has_none:
        message.complete = not codings
        if codings:
            raise Broken("chunked where no body can be")
    elif lengths:
        message.sized = True
        message.body = seen[message.size:message.size + int(lengths[0])]
        message.size += len(message.body)
        message.complete = len(message.body) == int(lengths[0])
    elif codings:
        message.chunked = True
        _take_chunks(message, seen)
    elif message.is_request():
        message.complete = True
    else:
        message.until_close = True
        message.body, message.size, message.complete = seen[message.size:], len(seen), closed
    if message.complete and message.written() != seen[:message.size]:
        raise Broken("written again it is another message")


def _take_chunks(message, seen):
    at = message.size
    while True:
        line, at = _line(seen, at, 18)
        if line is None:
            break
        if line == b"0":
            _take_trailers(message, seen, at)
            return
        if not _SIZE.fullmatch(line):
            raise Broken(f"a chunk's size {line[:100]!r}")
        size = int(line, 16)
        data = seen[at:at + size]
        message.body += data
        message.chunks.append(len(data))
        at += len(data)
        end = seen[at:at + 2]
        if len(data) == size and not b"\r\n".startswith(end):
            raise Broken(f"{end!r} behind a chunk")
        at += len(end)
        if len(data) < size or len(end) < 2:
            break
    message.size = len(seen)


def _take_trailers(message, seen, at):
    while True:
        line, at = _line(seen, at, 70_000)
        if line is None:
            message.size = len(seen)
            return
        if line == b"":
            message.size, message.complete = at, True
            return
        message.trailers += _fields([line])
        if message.trailers[-1][0].lower() in _FRAMING:
            raise Broken(f"a trailer {line[:100]!r}")


def _line(seen, at, most):
    """The line at `at` and where the next one begins; None and the end where it has not all come."""
    end = seen.find(b"\n", at)
    line = seen[at:] if end < 0 else seen[at:end + 1]
    if len(line) > most or end >= 0 and not line.endswith(b"\r\n"):
        raise Broken(f"a line {line[:100]!r}")
    return (line[:-2], end + 1) if end >= 0 else (None, len(seen))
