"""Requests whose end is told badly, twice or in a way that two readers may understand differently."""
from .malformed import HOST, Passes, Refused, Unfinished, request, rows

_EVIL = b"GET /evil HTTP/1.1\r\nHost: evil.example.test\r\n\r\n"
_CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
_HELLO = Passes(method=b"POST", body=b"hello")


def _post(fields, body):
    return request(b"POST / HTTP/1.1", fields, body=body)


LENGTHS = rows("Content-Length", lambda fields: _post(fields, b"hello"), [
    ("sound", b"Content-Length: 5", None),
    ("spaces around it", b"Content-Length: \t 5 \t", None),
    ("no space in front", b"Content-Length:5", None),
    ("leading zeros", b"Content-Length: 0005", None),
    ("many leading zeros", b"Content-Length: " + b"0" * 40 + b"5", None),
    ("odd letters", b"cONTENT-lENGTH: 5", None),
    ("negative", b"Content-Length: -5", 400),
    ("negative zero", b"Content-Length: -0", 400),
    ("plus", b"Content-Length: +5", 400),
    ("hexadecimal", b"Content-Length: 0x5", 400),
    ("hexadecimal digit", b"Content-Length: 5a", 400),
    ("fraction", b"Content-Length: 5.0", 400),
    ("exponent", b"Content-Length: 5e0", 400),
    ("thousands", b"Content-Length: 5_0", 400),
    ("space inside", b"Content-Length: 5 0", 400),
    ("tab inside", b"Content-Length: 0\t5", 400),
    ("vertical tab behind it", b"Content-Length: 5\x0b", 400),
    ("form feed in front", b"Content-Length: \x0c5", 400),
    ("NUL behind it", b"Content-Length: 5\0", 400),
    ("no-break space in front", b"Content-Length: \xa05", 400),
    ("digit of full width", b"Content-Length: \xef\xbc\x95", 400),
    ("empty", b"Content-Length:", 400),
    ("spaces only", b"Content-Length:   ", 400),
    ("word", b"Content-Length: chunked", 400),
    ("quotes", b'Content-Length: "5"', 400),
    ("parameter", b"Content-Length: 5;x", 400),
    ("list of the same", b"Content-Length: 5, 5", 400),
    ("list of two", b"Content-Length: 5, 6", 400),
    ("list without a space", b"Content-Length: 5,5", 400),
    ("comma behind it", b"Content-Length: 5,", 400),
    ("comma in front", b"Content-Length: ,5", 400),
    ("twice the same", b"Content-Length: 5\r\nContent-Length: 5", 400),
    ("twice", b"Content-Length: 5\r\nContent-Length: 6", 400),
    ("twice, 0 first", b"Content-Length: 0\r\nContent-Length: 5", 400),
    ("twice, 0 last", b"Content-Length: 5\r\nContent-Length: 0", 400),
    ("twice, one empty", b"Content-Length: 5\r\nContent-Length:", 400),
    ("twice in other letters", b"Content-Length: 5\r\ncontent-length: 0", 400),
    ("twice, one far behind", b"Content-Length: 5\r\nX: 1\r\nY: 1\r\nZ: 1\r\nContent-Length: 5", 400),
    ("three times", b"Content-Length: 5\r\nContent-Length: 5\r\nContent-Length: 5", 400),
    ("64 bits and one", b"Content-Length: 18446744073709551616", 400),
    ("64 bits and five", b"Content-Length: 18446744073709551621", 400),
    ("32 bits and five, never sent", b"Content-Length: 4294967301", Unfinished()),
    ("all of 63 bits, never sent", b"Content-Length: 9223372036854775807", Unfinished()),
    ("all of 64 bits, never sent", b"Content-Length: 18446744073709551615", Unfinished()),
    ("a hundred digits", b"Content-Length: " + b"9" * 100, 400),
    ("space before the colon", b"Content-Length : 5", 400),
    ("tab before the colon", b"Content-Length\t: 5", 400),
    ("space before the name", b" Content-Length: 5", 400),
    ("space in the name", b"Content Length: 5", 400),
    ("folded", b"Content-Length:\r\n 5", 400),
    ("folded behind", b"Content-Length: 5\r\n 0", 400),
    ("one of two behind a bare LF", b"Content-Length: 5\nContent-Length: 0", 400),
    ("one of two behind a bare CR", b"Content-Length: 5\rContent-Length: 0", 400),
], "RFC 9112, 6.2, and RFC 9110, 8.6: decimal digits, once", _HELLO)

CODINGS = rows("Transfer-Encoding", lambda fields: _post(fields, _CHUNKS), [
    ("sound", b"Transfer-Encoding: chunked", None),
    ("in mixed letters", b"Transfer-Encoding: ChUnKeD", None),
    ("in large letters", b"TRANSFER-ENCODING: CHUNKED", None),
    ("in small letters", b"transfer-encoding: chunked", None),
    ("no space in front", b"Transfer-Encoding:chunked", None),
    ("tab in front", b"Transfer-Encoding:\tchunked", None),
    ("spaces and tabs around it", b"Transfer-Encoding: \t chunked \t ", None),
    ("Connection names it", b"Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding", None),
    ("letter in front", b"Transfer-Encoding: xchunked", 400),
    ("letter behind", b"Transfer-Encoding: chunkedx", 400),
    ("one letter less", b"Transfer-Encoding: chunke", 400),
    ("part of it", b"Transfer-Encoding: chunk", 400),
    ("letter like another", b"Transfer-Encoding: chun\xe2\x84\xaaed", 400),
    ("identity", b"Transfer-Encoding: identity", 400),
    ("gzip", b"Transfer-Encoding: gzip", 400),
    ("cow", b"Transfer-Encoding: cow", 400),
    ("chunked, identity", b"Transfer-Encoding: chunked, identity", 400),
    ("chunked, gzip", b"Transfer-Encoding: chunked, gzip", 400),
    ("chunked, cow", b"Transfer-Encoding: chunked, cow", 400),
    ("identity, chunked", b"Transfer-Encoding: identity, chunked", 501),
    ("gzip, chunked", b"Transfer-Encoding: gzip, chunked", 501),
    ("gzip,chunked", b"Transfer-Encoding: gzip,chunked", 501),
    ("cow, chunked", b"Transfer-Encoding: cow, chunked", 501),
    ("chunked twice", b"Transfer-Encoding: chunked, chunked", 400),
    ("chunked, gzip, chunked", b"Transfer-Encoding: chunked, gzip, chunked", 400),
    ("gzip with a parameter, chunked", b"Transfer-Encoding: gzip;q=1, chunked", 400),
    ("empty", b"Transfer-Encoding:", 400),
    ("comma", b"Transfer-Encoding: ,", 400),
    ("comma behind", b"Transfer-Encoding: chunked,", 400),
    ("comma in front", b"Transfer-Encoding: ,chunked", 400),
    ("comma and space in front", b"Transfer-Encoding: , chunked", 400),
    ("two commas inside", b"Transfer-Encoding: gzip,,chunked", 400),
    ("parameter", b"Transfer-Encoding: chunked;q=1", 400),
    ("parameter behind a space", b"Transfer-Encoding: chunked ;x", 400),
    ("quotes", b'Transfer-Encoding: "chunked"', 400),
    ("single quotes", b"Transfer-Encoding: 'chunked'", 400),
    ("list in quotes", b'Transfer-Encoding: "x, chunked"', 400),
    ("space inside", b"Transfer-Encoding: chun ked", 400),
    ("twice behind a space", b"Transfer-Encoding: chunked chunked", 400),
    ("backslash", b"Transfer-Encoding: \\chunked", 400),
    ("vertical tab behind", b"Transfer-Encoding: chunked\x0b", 400),
    ("vertical tab in front", b"Transfer-Encoding: \x0bchunked", 400),
    ("form feed in front", b"Transfer-Encoding: \x0cchunked", 400),
    ("NUL in front", b"Transfer-Encoding: \0chunked", 400),
    ("NUL behind", b"Transfer-Encoding: chunked\0", 400),
    ("DEL in front", b"Transfer-Encoding: \x7fchunked", 400),
    ("byte above 127 behind", b"Transfer-Encoding: chunked\x80", 400),
    ("no-break space in front", b"Transfer-Encoding: \xa0chunked", 400),
    ("folded", b"Transfer-Encoding:\r\n chunked", 400),
    ("folded behind a word", b"Transfer-Encoding: identity\r\n , chunked", 400),
    ("folded with a tab", b"Transfer-Encoding:\r\n\tchunked", 400),
    ("space before the colon", b"Transfer-Encoding : chunked", 400),
    ("tab before the colon", b"Transfer-Encoding\t: chunked", 400),
    ("vertical tab before the colon", b"Transfer-Encoding\x0b: chunked", 400),
    ("NUL before the colon", b"Transfer-Encoding\0: chunked", 400),
    ("space before the name", b" Transfer-Encoding: chunked", 400),
    ("space in the name", b"Transfer Encoding: chunked", 400),
    ("no-break space before the name", b"\xa0Transfer-Encoding: chunked", 400),
    ("two colons", b"Transfer-Encoding:: chunked", 400),
    ("twice in two fields", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
    ("identity in a second field", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", 400),
    ("identity in a first field", b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", 400),
    ("gzip in a first field", b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", 400),
    ("empty in a second field", b"Transfer-Encoding: chunked\r\nTransfer-Encoding:", 400),
    ("behind a bare LF", b"X: 1\nTransfer-Encoding: chunked", 400),
    ("behind a bare CR", b"X: 1\rTransfer-Encoding: chunked", 400),
    ("before a bare LF", b"Transfer-Encoding: chunked\nX: 1", 400),
], "RFC 9112, 6.1, 6.3 and 7: chunked, once and alone", _HELLO)

BOTH = rows("both lengths", lambda fields: _post(fields, b"0\r\n\r\n" + _EVIL), [
    ("CL before TE", b"Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
    ("TE before CL", b"Transfer-Encoding: chunked\r\nContent-Length: 5", 400),
    ("CL of both", b"Content-Length: 80\r\nTransfer-Encoding: chunked", 400),
    ("CL 0", b"Content-Length: 0\r\nTransfer-Encoding: chunked", 400),
    ("CL far from TE", b"Content-Length: 5\r\nX: 1\r\nY: 2\r\nTransfer-Encoding: chunked", 400),
    ("CL around TE", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", 400),
    ("CL and TE in odd letters", b"cOnTeNt-LeNgTh: 5\r\ntRaNsFeR-eNcOdInG: cHuNkEd", 400),
    ("CL and identity", b"Content-Length: 5\r\nTransfer-Encoding: identity", 400),
    ("CL and an unknown coding", b"Content-Length: 5\r\nTransfer-Encoding: xchunked", 400),
    ("CL and an empty TE", b"Content-Length: 5\r\nTransfer-Encoding:", 400),
    ("CL and TE with a space before the colon", b"Content-Length: 5\r\nTransfer-Encoding : chunked", 400),
    ("CL and folded TE", b"Content-Length: 5\r\nTransfer-Encoding:\r\n chunked", 400),
    ("bad CL and TE", b"Content-Length: x\r\nTransfer-Encoding: chunked", 400),
    ("CL with a space before the colon and TE", b"Content-Length : 5\r\nTransfer-Encoding: chunked", 400),
    ("Connection names CL", b"Connection: Content-Length\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", 400),
    ("Connection names TE", b"Connection: Transfer-Encoding\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", 400),
    ("two TE of which one is odd", b"Transfer-Encoding: chunked\r\nTransfer-encoding: cow", 400),
], "RFC 9112, 6.1: one of the two only")

OLD = rows("framing of HTTP/1.0", lambda fields: request(b"POST / HTTP/1.0", fields, body=_CHUNKS), [
    ("TE", b"Transfer-Encoding: chunked", 400),
    ("TE and keep-alive", b"Transfer-Encoding: chunked\r\nConnection: keep-alive", 400),
    ("TE and CL", b"Transfer-Encoding: chunked\r\nContent-Length: 15", 400),
    ("CL", b"Content-Length: 15", Passes(method=b"POST", body=_CHUNKS, stays=False)),
    ("CL and keep-alive", b"Content-Length: 15\r\nConnection: keep-alive", Passes(method=b"POST", body=_CHUNKS)),
], "RFC 9112, 6.1: a server of HTTP/1.0 would not look at Transfer-Encoding")


def _with(line, body, *fields):
    return request(line, *fields, b"Content-Length: %d" % len(body), body=body)


METHODS = rows("body", lambda sent: sent, [
    ("of GET", _with(b"GET / HTTP/1.1", _EVIL), Passes(body=_EVIL)),
    ("of HEAD", _with(b"HEAD / HTTP/1.1", _EVIL), Passes(method=b"HEAD", body=_EVIL)),
    ("of DELETE", _with(b"DELETE / HTTP/1.1", _EVIL), Passes(method=b"DELETE", body=_EVIL)),
    ("of OPTIONS", _with(b"OPTIONS * HTTP/1.1", _EVIL), Passes(method=b"OPTIONS", target=b"*", body=_EVIL)),
    ("of TRACE", _with(b"TRACE / HTTP/1.1", _EVIL), 405),
    ("of a method that nobody knows", _with(b"XYZ / HTTP/1.1", _EVIL), Passes(method=b"XYZ", body=_EVIL)),
    ("of GET in chunks", request(b"GET / HTTP/1.1", b"Transfer-Encoding: chunked", body=_CHUNKS),
     Passes(body=b"hello")),
    ("of HEAD in chunks", request(b"HEAD / HTTP/1.1", b"Transfer-Encoding: chunked", body=_CHUNKS),
     Passes(method=b"HEAD", body=b"hello")),
    ("that is a request (CL.0)", _with(b"POST / HTTP/1.1", _EVIL, b"Content-Type: text/plain"),
     Passes(method=b"POST", body=_EVIL)),
    ("that is a request, in chunks (TE.0)", request(b"OPTIONS / HTTP/1.1", b"Transfer-Encoding: chunked",
                                                    body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(_EVIL), _EVIL)),
     Passes(method=b"OPTIONS", body=_EVIL)),
    ("of no length, with POST (0.CL)", request(b"POST / HTTP/1.1") + _EVIL, [Passes(method=b"POST"), Passes(
        target=b"/evil", host=b"evil.example.test")], "RFC 9112, 6.3: no body, so another request"),
    ("of length 0", request(b"POST / HTTP/1.1", b"Content-Length: 0") + _EVIL, [Passes(method=b"POST"), Passes(
        target=b"/evil", host=b"evil.example.test")]),
    ("of length 0 with GET", request(b"GET / HTTP/1.1", b"Content-Length: 0"), Passes()),
    ("that is shorter than told", _post(b"Content-Length: 100", b"hello"), Unfinished()),
    ("that lacks one byte", _post(b"Content-Length: 6", b"hello"), Unfinished()),
    ("that has not begun", _post(b"Content-Length: 6", b""), Unfinished()),
    ("that is longer than told", _post(b"Content-Length: 5", b"hello, world"), [_HELLO, Refused(400)],
     "RFC 9112, 3: the rest is no request"),
    ("that is longer by a line end", _post(b"Content-Length: 5", b"hello\r\n"), _HELLO,
     "RFC 9112, 2.2: old clients do so"),
    ("that is longer by a request", _post(b"Content-Length: 5", b"hello" + _EVIL), [_HELLO, Passes(
        target=b"/evil", host=b"evil.example.test")], "RFC 9112, 9.3.2: another request"),
    ("of half a request, and the other half", _post(b"Content-Length: 5", b"GET /") + b" HTTP/1.1\r\nHost: a\r\n\r\n",
     [Passes(method=b"POST", body=b"GET /"), Refused(400)]),
    ("of a CONNECT", _with(b"CONNECT a.example.test:443 HTTP/1.1", b"hello"), 405),
], "RFC 9112, 6.3: fields tell the length, and the method does not")


def _two(between=b"", line=b"GET /second HTTP/1.1"):
    return request() + between + request(line)


_BOTH_PASS = [Passes(), Passes(target=b"/second")]
PIPELINES = rows("pipeline", lambda sent: sent, [
    ("two requests", _two(), _BOTH_PASS),
    ("an empty line between", _two(b"\r\n"), _BOTH_PASS, "RFC 9112, 2.2"),
    ("two empty lines between", _two(b"\r\n\r\n"), [Passes(), 400], "RFC 9112, 2.2"),
    ("LF between", _two(b"\n"), [Passes(), 400], "RFC 9112, 2.2"),
    ("CR between", _two(b"\r"), [Passes(), 400], "RFC 9112, 2.2"),
    ("space between", _two(b" "), [Passes(), 400], "RFC 9112, 2.2"),
    ("NUL between", _two(b"\0"), [Passes(), 400]),
    ("garbage between", _two(b"garbage\r\n\r\n"), [Passes(), 400]),
    ("chunks behind a request without a body", _two(_CHUNKS), [Passes(), 400]),
    ("last chunk behind a request without a body", _two(b"0\r\n\r\n"), [Passes(), 400]),
    ("TLS between", _two(b"\x16\x03\x01\0\x05hello"), [Passes(), 400]),
    ("the second in HTTP/2", _two(line=b"PRI * HTTP/2.0"), [Passes(), 505]),
    ("the second with two Hosts", request() + request(b"GET /evil HTTP/1.1", HOST), [Passes(), 400]),
    ("the second with both lengths", request() + _post(b"Content-Length: 5\r\nTransfer-Encoding: chunked", _CHUNKS),
     [Passes(), 400]),
    ("the second with broken chunks", request() + _post(b"Transfer-Encoding: chunked", b"0x5\r\nhello"),
     [Passes(), Refused(400, in_body=True)]),
    ("the second never ends", request() + b"GET /half HTT", [Passes(), Unfinished(begins=False)]),
    ("the body of the second never ends", request() + _post(b"Content-Length: 6", b"hello"), [Passes(), Unfinished()]),
    ("ten requests", b"".join(request(b"GET /%d HTTP/1.1" % i) for i in range(10)), [
        Passes(target=b"/%d" % i) for i in range(10)]),
    ("a HEAD between two GET", request() + request(b"HEAD /head HTTP/1.1") + request(b"GET /second HTTP/1.1"), [
        Passes(), Passes(method=b"HEAD", target=b"/head"), Passes(target=b"/second")]),
    ("behind close", request(b"GET / HTTP/1.1", b"Connection: close") + request(b"GET /evil HTTP/1.1"), Passes(
        stays=False)),
    ("behind a path that is refused", request(b"GET /a%2fb HTTP/1.1") + request(b"GET /second HTTP/1.1"), [
        Refused(400, stays=True), Passes(target=b"/second")]),
    ("behind a body whose path is refused", request(b"POST /a%2fb HTTP/1.1", b"Content-Length: %d" % len(_EVIL),
                                                    body=_EVIL) + request(b"GET /second HTTP/1.1"), [
        Refused(400, stays=True), Passes(target=b"/second")]),
], "RFC 9112, 9.3.2")

ALL = LENGTHS + CODINGS + BOTH + OLD + METHODS + PIPELINES
