"""Bad and odd answers of an origin, and what its client may see of them."""
from dataclasses import dataclass, replace

from .hostile_origin import CLOSE, RESET
from .malformed import HOST


@dataclass(frozen=True)
class Good:
    """The client gets this."""
    status: int = 200
    body: bytes = b"hello"
    lacks: tuple = ()  # names
    sound: bool = False  # nothing is wrong with it: the origin's connection serves the next request, too


@dataclass(frozen=True)
class Cut:
    """The client sees the beginning, and that something is missing."""
    status: int = 200


@dataclass(frozen=True)
class Bad:
    """The client is told that the origin is at fault."""
    status: int = 502


@dataclass(frozen=True)
class Row:
    name: str
    script: tuple
    outcomes: tuple  # any of them
    request: bytes = b"GET %s HTTP/1.1\r\n" + HOST + b"\r\n\r\n"
    method: bytes = b"GET"
    greeting: bytes = b""
    pause: float = 0.0  # before another client asks


_BAD, _CUT, _GOOD, _ALL_WELL = Bad(), Cut(), Good(), Good(sound=True)
_OK = b"HTTP/1.1 200 OK\r\n"
_SOUND = _OK + b"Content-Length: 5\r\n\r\nhello"
_POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"


def _rows(family, form, entries, usual=_BAD, **more):
    made = []
    for name, sent, *outcomes in entries:
        script = form(sent)
        made.append(Row(f"{family}: {name}", script if isinstance(script, tuple) else (script,),
                        tuple(outcomes) or (usual,), **more))
    return made


STATUS_LINES = _rows("status line", lambda line: line + b"\r\nContent-Length: 5\r\n\r\nhello", [
    ("HTTP/0.9", b"hello"),
    ("nothing", b""),
    ("empty line in front", b"\r\n\r\nHTTP/1.1 200 OK"),
    ("space in front", b" HTTP/1.1 200 OK"),
    ("small letters", b"http/1.1 200 OK"),
    ("another protocol", b"ICY 200 OK"),
    ("HTTP/2.0", b"HTTP/2.0 200 OK"),
    ("HTTP/0.9 by number", b"HTTP/0.9 200 OK"),
    ("HTTP/1.10", b"HTTP/1.10 200 OK"),
    ("HTTP/1", b"HTTP/1 200 OK"),
    ("two spaces", b"HTTP/1.1  200 OK"),
    ("tab", b"HTTP/1.1\t200 OK"),
    ("no status", b"HTTP/1.1"),
    ("no status but words", b"HTTP/1.1 OK"),
    ("two digits", b"HTTP/1.1 20 OK"),
    ("four digits", b"HTTP/1.1 2000 OK"),
    ("leading zero", b"HTTP/1.1 020 OK"),
    ("negative", b"HTTP/1.1 -200 OK"),
    ("hexadecimal", b"HTTP/1.1 0xc OK"),
    ("no space behind the status", b"HTTP/1.1 200OK"),
    ("NUL in the reason", b"HTTP/1.1 200 O\0K"),
    ("bare CR in the reason", b"HTTP/1.1 200 O\rK"),
    ("bare LF in the reason", b"HTTP/1.1 200 OK\nX: 1"),
    ("control character in the reason", b"HTTP/1.1 200 \x1b[2J"),
    ("a request", b"GET / HTTP/1.1"),
    ("TLS", b"\x15\x03\x01\0\x02\x02\x50"),
    ("no reason", b"HTTP/1.1 200 ", _ALL_WELL),
    ("no reason and no space", b"HTTP/1.1 200", _ALL_WELL),
    ("reason that is not ASCII", b"HTTP/1.1 200 \xc3\xa9", _ALL_WELL),
    ("status that nobody knows", b"HTTP/1.1 299 X", Good(299, sound=True)),
])

FIELDS = _rows("answer's field", lambda field: _OK + field + b"\r\nContent-Length: 5\r\n\r\nhello", [
    ("space before the colon", b"X : 1"),
    ("no name", b": 1"),
    ("no colon", b"X"),
    ("name that is no token", b"X Y: 1"),
    ("folded", b"X: 1\r\n 2"),
    ("folded with a tab", b"X: 1\r\n\t2"),
    ("folded first", b" X: 1"),
    ("bare LF", b"X: 1\nY: 2"),
    ("bare CR", b"X: 1\rY: 2"),
    ("CR CR LF", b"X: 1\r\r\nY: 2"),
    ("NUL", b"X: \0"),
    ("control character", b"X: \x1b[2J"),
    ("DEL", b"X: \x7f"),
    ("300 of them", b"\r\n".join([b"X: 1"] * 300)),
    ("one of 70 KiB", b"X: " + b"a" * 71_680),
    ("many of 70 KiB", b"\r\n".join([b"X: " + b"a" * 500] * 143)),
    ("name of 70 KiB", b"X" * 71_680 + b": 1"),
    ("Connection names others", b"Connection: X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5",
     Good(lacks=(b"X-Secret", b"Keep-Alive"), sound=True)),
    ("Upgrade without a switch", b"Upgrade: h2c\r\nConnection: upgrade", Good(lacks=(b"Upgrade",), sound=True)),
    ("Proxy-Connection", b"Proxy-Connection: close", Good(lacks=(b"Proxy-Connection",), sound=True)),
])
FIELDS += _rows("answer's head", lambda head: head, [
    ("lines that end with LF", b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"),
    ("last line that ends with LF", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\nhello"),
    ("half a first line", (b"HTTP/1.1 2", CLOSE)),
    ("half a head", (b"HTTP/1.1 200 OK\r\nContent-Le", CLOSE)),
    ("no last line", (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", CLOSE)),
    ("no answer", (CLOSE,)),
    ("no answer but a reset", (RESET,)),
    ("half a head and a reset", (b"HTTP/1.1 200 OK\r\nContent-Le", 0.05, RESET)),
])

_CHUNKED = b"Transfer-Encoding: chunked"
FRAMING = _rows("answer's framing", lambda fields: _OK + fields + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n", [
    ("CL and TE", b"Content-Length: 5\r\n" + _CHUNKED),
    ("TE and CL", _CHUNKED + b"\r\nContent-Length: 5"),
    ("CL twice", b"Content-Length: 5\r\nContent-Length: 6"),
    ("CL twice the same", b"Content-Length: 5\r\nContent-Length: 5"),
    ("CL as a list", b"Content-Length: 5, 5"),
    ("CL negative", b"Content-Length: -5"),
    ("CL with a plus", b"Content-Length: +5"),
    ("CL hexadecimal", b"Content-Length: 0x5"),
    ("CL empty", b"Content-Length:"),
    ("CL above 64 bits", b"Content-Length: 18446744073709551616"),
    ("TE twice", _CHUNKED + b"\r\n" + _CHUNKED),
    ("TE of two chunked", b"Transfer-Encoding: chunked, chunked"),
    ("TE of something else", b"Transfer-Encoding: xchunked"),
    ("TE identity", b"Transfer-Encoding: identity"),
    ("TE gzip, chunked", b"Transfer-Encoding: gzip, chunked"),
    ("TE chunked, gzip", b"Transfer-Encoding: chunked, gzip"),
    ("TE empty", b"Transfer-Encoding:"),
    ("TE with a vertical tab", b"Transfer-Encoding: \x0bchunked"),
    ("TE with a space before the colon", b"Transfer-Encoding : chunked"),
    ("TE in quotes", b'Transfer-Encoding: "chunked"'),
    ("TE in odd letters", b"tRANSFER-eNCODING: ChUnKeD", _ALL_WELL),
])
FRAMING += _rows("answer's framing", lambda answer: answer, [
    ("TE in HTTP/1.0", b"HTTP/1.0 200 OK\r\n" + _CHUNKED + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    ("none, until the end", (_OK + b"\r\nhello", CLOSE), _GOOD),
    ("none, and an end in the middle of everything", (_OK + b"\r\nhel", 0.05, b"lo", 0.05, CLOSE), _GOOD),
    ("none, and a reset", (_OK + b"\r\nhello", 0.05, RESET), _CUT),
    ("HTTP/1.0 until the end", (b"HTTP/1.0 200 OK\r\n\r\nhello", CLOSE), _GOOD),
])

# Chunks that break a rule at once, with the head, and later, when the head has gone.
_CHUNK_FAULTS = [
    ("no size", b"\r\nhello\r\n0\r\n\r\n"),
    ("0x", b"0x5\r\nhello\r\n0\r\n\r\n"),
    ("negative size", b"-5\r\nhello\r\n0\r\n\r\n"),
    ("17 digits", b"00000000000000005\r\nhello\r\n0\r\n\r\n"),
    ("space behind the size", b"5 \r\nhello\r\n0\r\n\r\n"),
    ("size line of LF", b"5\nhello\r\n0\r\n\r\n"),
    ("data too long", b"4\r\nhello\r\n0\r\n\r\n"),
    ("data too short", b"6\r\nhello\r\n0\r\n\r\n"),
    ("NUL in an extension", b"5;a\0\r\nhello\r\n0\r\n\r\n"),
    ("giant extension", b"5;" + b"a" * 9000 + b"\r\nhello\r\n0\r\n\r\n"),
    ("folded trailer", b"5\r\nhello\r\n0\r\nX: 1\r\n 2\r\n\r\n"),
    ("last line of LF", b"5\r\nhello\r\n0\r\n\n"),
    ("an answer in the trailers", b"5\r\nhello\r\n0\r\n" + _POISON),
]
CHUNKS = _rows("answer's chunks at once", lambda body: _OK + _CHUNKED + b"\r\n\r\n" + body, _CHUNK_FAULTS)
CHUNKS += _rows("answer's chunks later", lambda body: (_OK + _CHUNKED + b"\r\n\r\n3\r\nabc\r\n", 0.1, body),
                _CHUNK_FAULTS, _CUT)

_HEAD_OF_10 = _OK + b"Content-Length: 10\r\n\r\n"
ENDS = _rows("answer's end", lambda script: script, [
    ("close before the body", (_HEAD_OF_10, CLOSE)),
    ("close in the body", (_HEAD_OF_10 + b"hello", CLOSE)),
    ("close in the body, later", (_HEAD_OF_10 + b"hello", 0.1, CLOSE)),
    ("reset in the body", (_HEAD_OF_10 + b"hello", 0.1, RESET)),
    ("close before the last byte", (_HEAD_OF_10 + b"123456789", CLOSE)),
    ("close before the first chunk", (_OK + _CHUNKED + b"\r\n\r\n", CLOSE)),
    ("close in a chunk", (_OK + _CHUNKED + b"\r\n\r\n5\r\nhel", CLOSE)),
    ("close behind a chunk", (_OK + _CHUNKED + b"\r\n\r\n5\r\nhello\r\n", CLOSE)),
    ("close in the last chunk", (_OK + _CHUNKED + b"\r\n\r\n5\r\nhello\r\n0\r\n", CLOSE)),
    ("reset behind a chunk", (_OK + _CHUNKED + b"\r\n\r\n5\r\nhello\r\n", 0.1, RESET)),
    ("64 bits of body", (_OK + b"Content-Length: 18446744073709551615\r\n\r\nhello", CLOSE)),
], _CUT)
_OLD = b"GET %s HTTP/1.0\r\n" + HOST + b"\r\n\r\n"
ENDS += _rows("answer's end to HTTP/1.0", lambda script: script, [
    ("close behind a chunk", (_OK + _CHUNKED + b"\r\n\r\n5\r\nhello\r\n", 0.1, CLOSE), _CUT),
    ("broken chunk", (_OK + _CHUNKED + b"\r\n\r\n5\r\nhello\r\n", 0.1, b"x\r\n"), _CUT),
    ("reset", (_OK + b"\r\nhello", 0.1, RESET), _CUT),
    ("chunks", _OK + _CHUNKED + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n", _ALL_WELL),
], request=_OLD)

BEHIND = _rows("behind the answer", lambda behind: _SOUND + behind, [
    ("one byte", b"x"),
    ("line end", b"\r\n"),
    ("another answer", _POISON),
    ("an interim answer", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ("64 KiB of another answer", _POISON + b"x" * 65_536),
], _GOOD)
BEHIND += [replace(row, name=row.name + ", a moment later", script=(_SOUND, 0.05, row.script[0][len(_SOUND):]),
                   pause=0.15) for row in BEHIND]
BEHIND += _rows("behind the answer", lambda answer: answer, [
    ("to chunks", _OK + _CHUNKED + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + _POISON, _GOOD),
    ("to length 0", _OK + b"Content-Length: 0\r\n\r\n" + _POISON, Good(body=b"")),
    ("of 204", b"HTTP/1.1 204 No Content\r\n\r\nhello", Good(204, b"")),
    ("of 204 with a length", b"HTTP/1.1 204 No Content\r\nContent-Length: 46\r\n\r\n" + _POISON,
     Good(204, b"", lacks=(b"Content-Length",))),
    ("of 204 with chunks", b"HTTP/1.1 204 No Content\r\n" + _CHUNKED + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
     Good(204, b"", lacks=(b"Transfer-Encoding",))),
    ("of 304 with a length", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 46\r\n\r\n" + _POISON, Good(304, b"")),
    ("of 304 with chunks", b"HTTP/1.1 304 Not Modified\r\n" + _CHUNKED + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
     Good(304, b"")),
    ("of 204 with a length that is none", b"HTTP/1.1 204 No Content\r\nContent-Length: x\r\n\r\n", _BAD),
])
_TO_HEAD = b"HEAD %s HTTP/1.1\r\n" + HOST + b"\r\n\r\n"
BEHIND += _rows("behind the answer", lambda answer: answer, [
    ("to HEAD", _SOUND, Good(body=b"")),
    ("to HEAD, another answer", _OK + b"Content-Length: 46\r\n\r\n" + _POISON, Good(body=b"")),
    ("to HEAD, in chunks", _OK + _CHUNKED + b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n", Good(body=b"")),
    ("to HEAD, until the end", (_OK + b"\r\nhello", CLOSE), Good(body=b"")),
], request=_TO_HEAD, method=b"HEAD")
BEHIND += _rows("behind the answer", lambda answer: answer, [
    ("to HEAD, a moment later", (_OK + b"Content-Length: 46\r\n\r\n", 0.05, _POISON), Good(body=b"")),
], request=_TO_HEAD, method=b"HEAD", pause=0.15)

_INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
_WEBSOCKET = b"GET %s HTTP/1.1\r\n" + HOST + b"\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
INTERIM = _rows("interim answers", lambda answer: answer, [
    ("a few", _INTERIM * 5 + _SOUND, _ALL_WELL),
    ("a thousand", _INTERIM * 1000 + _SOUND, _BAD),
    ("without end", (_INTERIM * 1000, 0.05, _INTERIM * 1000, 0.05, CLOSE), _BAD),
    ("one, and no answer", (_INTERIM, CLOSE), _BAD),
    ("one with a length", b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n" + _SOUND, _ALL_WELL),
    ("one with a bad length", b"HTTP/1.1 100 Continue\r\nContent-Length: 5, 5\r\n\r\n" + _SOUND, _BAD),
    ("one with a folded field", b"HTTP/1.1 103 Early Hints\r\nX: 1\r\n 2\r\n\r\n" + _SOUND, _BAD),
    ("one with a body", b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhello" + _SOUND, _BAD),
    ("100 that nobody has asked for", b"HTTP/1.1 100 Continue\r\n\r\n" + _SOUND, _ALL_WELL),
    ("199", b"HTTP/1.1 199 X\r\n\r\n" + _SOUND, _ALL_WELL),
    ("101 that nobody has asked for", b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
     b"Upgrade: websocket\r\n\r\n" + _POISON, _BAD),
    ("101 without fields", b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + _POISON, _BAD),
    ("101 to h2c", b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", _BAD),
])
INTERIM += _rows("switching", lambda answer: answer, [
    ("without Upgrade", b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n" + _POISON, _BAD),
    ("without Connection", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n" + _POISON, _BAD),
    ("to h2c", b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", _BAD),
    ("to what was not asked for", b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n",
     _BAD),
], request=_WEBSOCKET)

_POST = b"POST %s HTTP/1.1\r\n" + HOST + b"\r\nContent-Length: 10\r\n\r\n"
EARLY = _rows("early answer", lambda script: script, [
    ("before the body", (_SOUND,), _GOOD),
    ("before the body, and close", (_SOUND, CLOSE), _GOOD),
    ("a refusal before the body, and close", (b"HTTP/1.1 413 X\r\nContent-Length: 5\r\n\r\nhello", CLOSE), Good(413)),
    ("close before the body", (CLOSE,), _BAD),
], request=_POST + b"hello")
EARLY += _rows("early answer", lambda script: script, [
    ("to nobody, and a second one", (_SOUND,), _BAD, Good(body=b"poison")),
    ("to nobody, and a second one later", (0.1, _SOUND,), _BAD, Good(body=b"poison")),
], greeting=_POISON, pause=0.2)
EARLY += _rows("early answer", lambda script: script, [
    ("that is none", (_SOUND,), _BAD),
], greeting=b"220 mail.example.test ESMTP\r\n")

ALL = STATUS_LINES + FIELDS + FRAMING + CHUNKS + ENDS + BEHIND + INTERIM + EARLY
