"""Bad and odd chunked bodies: sizes, extensions, data and trailers."""
from dataclasses import replace

from .malformed import Passes, Refused, Row, Unfinished, request, rows

_HEAD = request(b"POST / HTTP/1.1", b"Transfer-Encoding: chunked")
_HELLO = Passes(method=b"POST", body=b"hello")
_BAD, _LARGE = Refused(400, in_body=True), Refused(431, in_body=True)
_EVIL = b"GET /evil HTTP/1.1\r\nHost: evil.example.test\r\n\r\n"


def _rest(size):
    """A body whose first line is given, without its line end."""
    return size + b"\r\nhello\r\n0\r\n\r\n"


SIZES = rows("chunk size", _rest, [
    ("leading zeros", b"005", None),
    ("16 digits", b"0000000000000005", None),
    ("17 digits", b"00000000000000005", _BAD),
    ("64 bits and five", b"10000000000000005", _BAD),
    ("32 bits and five, never sent", b"100000005", Unfinished()),
    ("all of 63 bits, never sent", b"7fffffffffffffff", Unfinished()),
    ("all of 64 bits, never sent", b"ffffffffffffffff", Unfinished()),
    ("0x", b"0x5", _BAD),
    ("0X", b"0X5", _BAD),
    ("x", b"x5", _BAD),
    ("h behind", b"5h", _BAD),
    ("plus", b"+5", _BAD),
    ("minus", b"-5", _BAD),
    ("minus zero", b"-0", _BAD),
    ("space in front", b" 5", _BAD),
    ("tab in front", b"\t5", _BAD),
    ("space behind", b"5 ", _BAD),
    ("tab behind", b"5\t", _BAD),
    ("space inside", b"0 5", _BAD),
    ("vertical tab behind", b"5\x0b", _BAD),
    ("NUL behind", b"5\0", _BAD),
    ("NUL in front", b"\x005", _BAD),
    ("underscore", b"0_5", _BAD),
    ("comma", b"5,5", _BAD),
    ("point", b"5.0", _BAD),
    ("letter behind F", b"g", _BAD),
    ("quotes", b'"5"', _BAD),
    ("digit of full width", b"\xef\xbc\x95", _BAD),
    ("no-break space behind", b"5\xa0", _BAD),
    ("empty", b"", _BAD),
    ("line end in front", b"\r\n5", _BAD),
    ("CR behind", b"5\r", _BAD),
    ("LF behind", b"5\n", _BAD),
], "RFC 9112, 7.1: 1 to 16 hexadecimal digits", _HELLO)

EXTENSIONS = rows("chunk extension", lambda extension: _rest(b"5" + extension), [
    ("name", b";a", None),
    ("name and value", b";a=b", None),
    ("value in quotes", b';a="b;\xc3\xa9 c"', None),
    ("escaped quotes", b';a="\\""', None),
    ("two of them", b";a=b;c", None),
    ("white space around the signs", b" ; a = b", None),
    ("256 bytes", b";" + b"a" * 255, None),
    ("257 bytes", b";" + b"a" * 256, _LARGE),
    ("60 KiB", b";" + b"a" * 61_440, _LARGE),
    ("no name", b";", _BAD),
    ("no name but a value", b";=b", _BAD),
    ("no value", b";a=", _BAD),
    ("two equals signs", b";a==b", _BAD),
    ("space at the end", b";a ", _BAD),
    ("two words", b";a b", _BAD),
    ("two words as value", b";a=b c", _BAD),
    ("quotes that do not end", b';a="b', _BAD),
    ("quotes around a line end", b';a="\r\n"', _BAD),
    ("quotes and more", b';a="b"c', _BAD),
    ("escape at the end", b';a="b\\', _BAD),
    ("bare LF", b";a\nb", _BAD),
    ("bare LF in quotes", b';a="\n"', _BAD),
    ("bare LF at the end", b";\n", _BAD),
    ("bare CR", b";a\rb", _BAD),
    ("bare CR at the end", b";a\r", _BAD),
    ("bare CR in quotes", b';a="\r"', _BAD),
    ("NUL", b";a\0", _BAD),
    ("NUL in quotes", b';a="\0"', _BAD),
    ("DEL", b";a\x7f", _BAD),
    ("bytes above 127", b";\xc3\xa9", _BAD),
    ("comma", b",a", _BAD),
    ("colon", b": a", _BAD),
    ("parenthesis", b";(a)", _BAD),
    ("no semicolon", b" a", _BAD),
], "RFC 9112, 7.1.1: names, and tokens or quoted strings as values", _HELLO)

BODIES = rows("chunks", lambda sent: sent, [
    ("two of them", b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", None),
    ("none", b"0\r\n\r\n", Passes(method=b"POST")),
    ("last one with three zeros", b"5\r\nhello\r\n000\r\n\r\n", None),
    ("last one with an extension", b"5\r\nhello\r\n0;a=b\r\n\r\n", None),
    ("size in large letters", b"A\r\nhellohello\r\n0\r\n\r\n", Passes(method=b"POST", body=b"hellohello")),
    ("chunks as data", b"f\r\n5\r\nhello\r\n0\r\n\r\n\r\n0\r\n\r\n", Passes(
        method=b"POST", body=b"5\r\nhello\r\n0\r\n\r\n")),
    ("a request as data", b"%x\r\n%s\r\n0\r\n\r\n" % (len(_EVIL), _EVIL), Passes(method=b"POST", body=_EVIL)),
    ("a request behind the last one", b"5\r\nhello\r\n0\r\n\r\n" + _EVIL, [_HELLO, Passes(
        target=b"/evil", host=b"evil.example.test")]),
    ("an empty line behind the last one", b"5\r\nhello\r\n0\r\n\r\n\r\n", _HELLO),
    ("two empty lines behind the last one", b"5\r\nhello\r\n0\r\n\r\n\r\n\r\n", [_HELLO, 400]),
    ("a chunk behind the last one", b"5\r\nhello\r\n0\r\n\r\n1\r\nx\r\n0\r\n\r\n", [_HELLO, 400]),
    ("size line that ends with LF", b"5\nhello\r\n0\r\n\r\n", _BAD),
    ("size line that ends with CR", b"5\rhello\r\n0\r\n\r\n", _BAD),
    ("size line that ends with LF CR", b"5\n\rhello\r\n0\r\n\r\n", _BAD),
    ("data that end with LF", b"5\r\nhello\n0\r\n\r\n", _BAD),
    ("data that end with CR", b"5\r\nhello\r0\r\n\r\n", _BAD),
    ("data that end with LF CR", b"5\r\nhello\n\r0\r\n\r\n", _BAD),
    ("data that end with two other bytes", b"5\r\nhelloXX0\r\n\r\n", _BAD),
    ("data without an end", b"5\r\nhello0\r\n\r\n", _BAD),
    ("data one too long", b"4\r\nhello\r\n0\r\n\r\n", _BAD),
    ("data one too short", b"6\r\nhello\r\n0\r\n\r\n", _BAD),
    ("data two too short", b"7\r\nhello\r\n0\r\n\r\n", _BAD),
    ("data with one line end more", b"5\r\nhello\r\n\r\n0\r\n\r\n", _BAD),
    ("last line that ends with LF", b"5\r\nhello\r\n0\n\n", _BAD),
    ("empty line that ends with LF", b"5\r\nhello\r\n0\r\n\n", _BAD),
    ("empty line that ends with CR CR LF", b"5\r\nhello\r\n0\r\n\r\r\n", _BAD),
    ("last line with LF in its extension", b"5\r\nhello\r\n0;\n" + _EVIL, _BAD),
    ("no empty line but a request", b"5\r\nhello\r\n0\r\n" + _EVIL, _BAD),
    ("no last one", b"5\r\nhello\r\n", Unfinished()),
    ("no last one but half of its line", b"5\r\nhello\r\n0", Unfinished()),
    ("no empty line", b"5\r\nhello\r\n0\r\n", Unfinished()),
    ("half an empty line", b"5\r\nhello\r\n0\r\n\r", Unfinished()),
    ("half the data", b"5\r\nhel", Unfinished()),
    ("data without their line end", b"5\r\nhello", Unfinished()),
    ("no chunks but data", b"hello", _BAD),
    ("no chunks but a request", _EVIL, _BAD),
    ("16 KiB of extensions in many", (b"1;" + b"a" * 250 + b"\r\nx\r\n") * 70 + b"0\r\n\r\n", _LARGE),
], "RFC 9112, 7.1: size, CR LF, data, CR LF, and at last 0 CR LF CR LF", _HELLO)


def _with_trailers(trailers):
    return b"5\r\nhello\r\n0\r\n" + trailers + b"\r\n\r\n"


def _kept(*fields):
    return replace(_HELLO, trailers=fields)


TRAILERS = rows("trailer", _with_trailers, [
    ("sound", b"X-Check: 1", _kept((b"X-Check", b"1"))),
    ("two of them", b"X-Check: 1\r\nX-Check: 2", _kept((b"X-Check", b"1"), (b"X-Check", b"2"))),
    ("digest", b"Content-Digest: x", _kept((b"Content-Digest", b"x"))),
    ("ETag", b'ETag: "x"', _kept((b"ETag", b'"x"'))),
    ("Content-Length", b"Content-Length: 5", None),
    ("bad Content-Length", b"Content-Length: x", None),
    ("Transfer-Encoding", b"Transfer-Encoding: chunked", None),
    ("Transfer-Encoding in odd letters", b"tRANSFER-eNCODING: gzip", None),
    ("Host", b"Host: evil.example.test", None),
    ("Connection", b"Connection: close", None),
    ("Upgrade", b"Upgrade: h2c", None),
    ("Trailer", b"Trailer: X", None),
    ("TE", b"TE: gzip", None),
    ("Expect", b"Expect: 100-continue", None),
    ("Authorization", b"Authorization: Basic eDp5", None),
    ("Proxy-Authorization", b"Proxy-Authorization: Basic eDp5", None),
    ("Cookie", b"Cookie: a=b", None),
    ("Set-Cookie", b"Set-Cookie: a=b", None),
    ("Cache-Control", b"Cache-Control: no-store", None),
    ("If-Match", b"If-Match: *", None),
    ("Range", b"Range: bytes=0-1", None),
    ("Max-Forwards", b"Max-Forwards: 1", None),
    ("Content-Type", b"Content-Type: text/html", None),
    ("Content-Encoding", b"Content-Encoding: gzip", None),
    ("Via", b"Via: 1.1 x", None),
    ("X-Forwarded-For", b"X-Forwarded-For: 192.0.2.1", None),
    ("X-Forwarded-Host", b"X-Forwarded-Host: evil.example.test", None),
    ("one that stays between two that do not", b"Host: x\r\nX-Check: 1\r\nCookie: a", _kept((b"X-Check", b"1"))),
    ("space before the colon", b"X : 1", _BAD),
    ("space in front", b" X: 1", _BAD),
    ("folded", b"X: 1\r\n 2", _BAD),
    ("no colon", b"X", _BAD),
    ("no name", b": 1", _BAD),
    ("name that is no token", b"X Y: 1", _BAD),
    ("ends with LF", b"X: 1\nY: 2", _BAD),
    ("ends with CR", b"X: 1\rY: 2", _BAD),
    ("ends with CR CR LF", b"X: 1\r\r\nY: 2", _BAD),
    ("NUL", b"X: \0", _BAD),
    ("control character", b"X: \x1b", _BAD),
    ("LF LF and a request", b"X: 1\n\n" + _EVIL[:-4], _BAD),
    ("a request", _EVIL[:-4], _BAD),
    ("32 fields", b"\r\n".join([b"X: 1"] * 32), _kept(*[(b"X", b"1")] * 32)),
    ("33 fields", b"\r\n".join([b"X: 1"] * 33), _LARGE),
    ("9 KiB", b"X: " + b"a" * 9216, _LARGE),
], "RFC 9112, 7.1.2, and RFC 9110, 6.5.1: read as fields, and framing never in them", _HELLO)

# What follows the head, for a request of which some came before it, and for a whole one.
PARTS = SIZES + EXTENSIONS + BODIES + TRAILERS
ALL = [replace(row, sent=(_HEAD + row.sent[0],)) for row in PARTS]


def _late(row):
    """The same body behind a sound chunk that the origin has seen already."""
    first, *others = row.outcomes
    if isinstance(first, Passes):
        first = replace(first, body=b"abc" + first.body)
    return Row(f"{row.name}, late", (_HEAD + b"3\r\nabc\r\n", row.sent[0]), row.rule, (first, *others), row.marker)


LATE = [_late(row) for row in PARTS]
