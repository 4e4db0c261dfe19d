"""Bad and odd fields of requests: their syntax, what Connection names, upgrades, expectations, limits."""
from .malformed import HOST, NAME, Passes, Refused, request, rows

_OK = Passes()


def _has(*fields, **more):
    return Passes(has=fields, **more)


def _fields(fields):
    return request(b"GET / HTTP/1.1", fields)


SYNTAX = rows("field", _fields, [
    ("space before the colon", b"X : 1", 400, "RFC 9112, 5.1"),
    ("tab before the colon", b"X\t: 1", 400, "RFC 9112, 5.1"),
    ("vertical tab before the colon", b"X\x0b: 1", 400, "RFC 9112, 5.1"),
    ("no-break space before the colon", b"X\xa0: 1", 400, "RFC 9112, 5.1"),
    ("no name", b": 1", 400, "RFC 9110, 5.6.2: a token is not empty"),
    ("no colon", b"X", 400),
    ("no colon but a value", b"X 1", 400),
    ("equals sign for the colon", b"X= 1", 400),
    ("space in front", b" X: 1", 400, "RFC 9112, 5.2: folded"),
    ("tab in front", b"\tX: 1", 400, "RFC 9112, 5.2: folded"),
    ("folded with a space", b"X: 1\r\n 2", 400, "RFC 9112, 5.2"),
    ("folded with a tab", b"X: 1\r\n\t2", 400, "RFC 9112, 5.2"),
    ("folded with nothing in it", b"X: 1\r\n \r\nY: 2", 400, "RFC 9112, 5.2"),
    ("folded before the value", b"X:\r\n 1", 400, "RFC 9112, 5.2"),
    ("folded name", b"X\r\n : 1", 400, "RFC 9112, 5.2"),
    ("folded Content-Length", b"X: 1\r\n Content-Length: 5", 400, "RFC 9112, 5.2"),
    ("ends with LF", b"X: 1\nY: 2", 400, "RFC 9112, 2.2"),
    ("ends with CR", b"X: 1\rY: 2", 400, "RFC 9112, 2.2"),
    ("ends with CR CR LF", b"X: 1\r\r\nY: 2", 400, "RFC 9112, 2.2"),
    ("ends with LF CR", b"X: 1\n\rY: 2", 400, "RFC 9112, 2.2"),
    ("framing behind LF", b"X: 1\nTransfer-Encoding: chunked", 400, "RFC 9112, 2.2"),
    ("framing behind CR", b"X: 1\rContent-Length: 5", 400, "RFC 9112, 2.2"),
    ("CR in a name", b"X\r: 1", 400, "RFC 9112, 2.2"),
    ("CR before the value", b"X:\r1", 400, "RFC 9112, 2.2"),
    ("empty line of LF in the middle", b"X: 1\r\n\nGET /evil HTTP/1.1", 400, "RFC 9112, 2.2"),
    ("NUL", b"X: a\0b", 400, "RFC 9110, 5.5"),
    ("NUL at the end", b"X: a\0", 400, "RFC 9110, 5.5"),
    ("NUL alone", b"X: \0", 400, "RFC 9110, 5.5"),
    ("NUL in a name", b"X\0Y: 1", 400),
    ("SOH", b"X: a\x01b", 400, "RFC 9110, 5.5"),
    ("backspace", b"X: a\x08b", 400, "RFC 9110, 5.5"),
    ("vertical tab", b"X: a\x0bb", 400, "RFC 9110, 5.5"),
    ("form feed", b"X: a\x0cb", 400, "RFC 9110, 5.5"),
    ("ESC", b"X: \x1b[2J", 400, "RFC 9110, 5.5"),
    ("last control character", b"X: a\x1f", 400, "RFC 9110, 5.5"),
    ("DEL", b"X: a\x7fb", 400, "RFC 9110, 5.5"),
    ("tab inside", b"X: a\tb", _has((b"X", b"a\tb"))),
    ("spaces and tabs at the end", b"X: a \t ", _has((b"X", b"a"))),
    ("spaces and tabs in front", b"X:\t  a", _has((b"X", b"a"))),
    ("no space behind the colon", b"X:a", _has((b"X", b"a"))),
    ("no value", b"X:", _has((b"X", b""))),
    ("spaces only", b"X:  \t", _has((b"X", b""))),
    ("colon in the value", b"X: : :", _has((b"X", b": :"))),
    ("bytes above 127", b"X: \x80\xff", _has((b"X", b"\x80\xff")), "RFC 9110, 5.5: opaque"),
    ("next line of Unicode", b"X: \xc2\x85 y", _has((b"X", b"\xc2\x85 y")), "RFC 9110, 5.5: opaque"),
    ("line separator of Unicode", b"X: a\xe2\x80\xa8b", _has((b"X", b"a\xe2\x80\xa8b")), "RFC 9110, 5.5: opaque"),
    ("name that is not ASCII", b"X\xc3\xa9: 1", 400),
    ("byte order mark", b"\xef\xbb\xbfX: 1", 400),
    ("space in a name", b"X Y: 1", 400),
    ("DEL in a name", b"X\x7f: 1", 400),
    ("underscore", b"X_Y: 1", _has((b"X_Y", b"1"))),
    ("point", b"X.Y: 1", _has((b"X.Y", b"1"))),
    ("all that a token may have", b"a!#$%&'*+-^`|~: 1", _has((b"a!#$%&'*+-^`|~", b"1"))),
    ("digit", b"1: 1", _has((b"1", b"1"))),
    ("Content_Length", b"Content_Length: 5", _has((b"Content_Length", b"5"))),
    ("Transfer_Encoding", b"Transfer_Encoding: chunked", _has((b"Transfer_Encoding", b"chunked"))),
    ("a known name in odd letters", b"uSER-aGENT: x", _has((b"User-Agent", b"x"))),
    ("an unknown name in odd letters", b"x-OdD: x", _has((b"x-OdD", b"x"))),
    ("what strangers say of the client", b"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"
     b"X-Real-IP: 192.0.2.1", _has((b"X-Forwarded-Proto", b"http"), lacks=(b"X-Real-IP",))),
], "RFC 9112, 5: a token, a colon, a value, CR LF")
SYNTAX += rows("field", _fields, [
    (f"name with {sign}", b"X" + sign.encode() + b"Y: 1", 400) for sign in '(),/;<=>?@[\\]{}"'
], "RFC 9110, 5.6.2: no character of a token")


def _post(fields):
    return request(b"POST / HTTP/1.1", fields, b"Content-Length: 5", body=b"hello")


_POSTED = Passes(method=b"POST", body=b"hello")
CONNECTION = rows("Connection", _post, [
    ("Host", b"Connection: Host", _POSTED),
    ("Content-Length", b"Connection: Content-Length", _POSTED),
    ("Content-Length and close", b"Connection: close, Content-Length", Passes(
        method=b"POST", body=b"hello", stays=False)),
    ("Transfer-Encoding", b"Connection: Transfer-Encoding", _POSTED),
    ("Cookie", b"Connection: Cookie\r\nCookie: a=b", Passes(method=b"POST", body=b"hello", lacks=(b"Cookie",))),
    ("Cookie in odd letters", b"Cookie: a=b\r\nConnection: cOOKIE", Passes(
        method=b"POST", body=b"hello", lacks=(b"Cookie",))),
    ("X-Forwarded-For", b"Connection: X-Forwarded-For, X-Forwarded-Host, Via", Passes(
        method=b"POST", body=b"hello", has=((b"X-Forwarded-Host", NAME),))),
    ("close", b"Connection: close", Passes(method=b"POST", body=b"hello", stays=False)),
    ("close in odd letters", b"Connection: cLoSe", Passes(method=b"POST", body=b"hello", stays=False)),
    ("close in a list", b"Connection: , X ,,close\t,", Passes(method=b"POST", body=b"hello", stays=False)),
    ("close and keep-alive", b"Connection: keep-alive\r\nConnection: close", Passes(
        method=b"POST", body=b"hello", stays=False)),
    ("close in quotes", b'Connection: "close"', _POSTED),
    ("a word that begins as close", b"Connection: closed", _POSTED),
    ("nothing", b"Connection:", _POSTED),
    ("Keep-Alive", b"Connection: keep-alive\r\nKeep-Alive: timeout=5", Passes(
        method=b"POST", body=b"hello", lacks=(b"Keep-Alive",))),
    ("Keep-Alive unnamed", b"Keep-Alive: timeout=5", Passes(method=b"POST", body=b"hello", lacks=(b"Keep-Alive",))),
    ("Proxy-Connection", b"Proxy-Connection: close", Passes(
        method=b"POST", body=b"hello", lacks=(b"Proxy-Connection",))),
    ("TE", b"TE: gzip;q=1", Passes(method=b"POST", body=b"hello", lacks=(b"TE",))),
    ("TE: trailers", b"TE: gzip, trailers\r\nConnection: TE", Passes(
        method=b"POST", body=b"hello", has=((b"TE", b"trailers"),))),
], "RFC 9110, 7.6.1: what it names is for this connection only, but for what every message needs")

_GET_UPGRADE = (b"Upgrade", b"HTTP2-Settings")
UPGRADES = rows("upgrade", _fields, [
    ("h2c", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", Passes(
        lacks=_GET_UPGRADE)),
    ("h2c that Connection does not name", b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", Passes(
        lacks=(b"Upgrade",))),
    ("h2c whose settings Connection does not name", b"Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA",
     Passes(lacks=(b"Upgrade",))),
    ("h2c in odd letters", b"Connection: upgrade\r\nUpgrade: H2C", Passes(lacks=(b"Upgrade",))),
    ("h2c in a list", b"Connection: upgrade\r\nUpgrade: websocket, h2c", Passes(lacks=(b"Upgrade",))),
    ("h2c with a version", b"Connection: upgrade\r\nUpgrade: h2c/1", Passes(lacks=(b"Upgrade",))),
    ("h2c in a second field", b"Connection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c", Passes(
        lacks=(b"Upgrade",))),
    ("HTTP/2.0", b"Connection: upgrade\r\nUpgrade: HTTP/2.0", Passes(lacks=(b"Upgrade",))),
    ("TLS", b"Connection: upgrade\r\nUpgrade: TLS/1.2", Passes(lacks=(b"Upgrade",))),
    ("websocket that Connection does not name", b"Upgrade: websocket", Passes(lacks=(b"Upgrade",))),
    ("nothing to upgrade to", b"Connection: upgrade", Passes(lacks=(b"Upgrade", b"Connection"))),
    ("an empty one", b"Connection: upgrade\r\nUpgrade:", Passes(lacks=(b"Connection",))),
    ("websocket that the origin does not take", b"Connection: upgrade\r\nUpgrade: websocket", Passes(
        has=((b"Connection", b"upgrade"), (b"Upgrade", b"websocket"))),
     "RFC 9110, 7.8: what follows a refused upgrade is a request"),
], "RFC 9110, 7.8: nothing that carries requests past the gate")
UPGRADES += rows("upgrade", lambda sent: sent, [
    ("websocket with a body", request(b"POST / HTTP/1.1", b"Connection: upgrade", b"Upgrade: websocket",
                                      b"Content-Length: 5", body=b"hello"),
     Passes(method=b"POST", body=b"hello", lacks=(b"Upgrade",))),
    ("websocket with chunks", request(b"GET / HTTP/1.1", b"Connection: upgrade", b"Upgrade: websocket",
                                      b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
     Passes(body=b"hello", lacks=(b"Upgrade",))),
    ("h2c with a body", request(b"POST / HTTP/1.1", b"Connection: upgrade", b"Upgrade: h2c", b"Content-Length: 5",
                                body=b"hello"),
     Passes(method=b"POST", body=b"hello", lacks=(b"Upgrade",))),
    ("websocket in HTTP/1.0", request(b"GET / HTTP/1.0", b"Connection: upgrade", b"Upgrade: websocket"),
     Passes(lacks=(b"Upgrade",), stays=False)),
], "RFC 9110, 7.8: a protocol is switched behind a message, in HTTP/1.1")

_HEAD_OF_5 = b"POST / HTTP/1.1\r\n" + HOST + b"\r\nContent-Length: 5\r\nExpect: "
EXPECT = rows("Expect", lambda sent: sent, [
    ("100-continue, body at once", _HEAD_OF_5 + b"100-continue\r\n\r\nhello", _POSTED),
    ("100-continue, body later", (_HEAD_OF_5 + b"100-continue\r\n\r\n", b"hello"), _POSTED),
    ("100-Continue", (_HEAD_OF_5 + b"100-Continue\r\n\r\n", b"hello"), _POSTED),
    ("100-continue, broken chunks later", (request(b"POST / HTTP/1.1", b"Expect: 100-continue",
                                                   b"Transfer-Encoding: chunked"), b"0x5\r\nhello\r\n0\r\n\r\n"),
     Refused(400, in_body=True)),
    ("100-continue without a body", request(b"GET / HTTP/1.1", b"Expect: 100-continue"), Passes(lacks=(b"Expect",))),
    ("100-continue in HTTP/1.0", request(b"POST / HTTP/1.0", b"Expect: 100-continue", b"Content-Length: 5",
                                         body=b"hello"),
     Passes(method=b"POST", body=b"hello", lacks=(b"Expect",), stays=False)),
    ("something else", _HEAD_OF_5 + b"200-ok\r\n\r\nhello", Passes(
        method=b"POST", body=b"hello", lacks=(b"Expect",))),
    ("twice", _HEAD_OF_5 + b"100-continue\r\nExpect: 100-continue\r\n\r\nhello", _POSTED),
    ("100-continue and Content-Length twice", _HEAD_OF_5 + b"100-continue\r\nContent-Length: 6\r\n\r\nhello", 400),
], "RFC 9110, 10.1.1")


def _bytes_of_head(count):
    return request(b"GET / HTTP/1.1", b"X: " + b"a" * (count - len(request(b"GET / HTTP/1.1", b"X: "))))


LIMITS = rows("limit", lambda sent: sent, [
    ("100 fields", request(b"GET / HTTP/1.1", *[b"X-%d: 1" % i for i in range(99)]), _OK),
    ("101 fields", request(b"GET / HTTP/1.1", *[b"X-%d: 1" % i for i in range(100)]), 431),
    ("101 fields of one name", request(b"GET / HTTP/1.1", *[b"X: 1"] * 100), 431),
    ("101 fields without values", request(b"GET / HTTP/1.1", *[b"X:"] * 100), 431),
    ("1000 fields", request(b"GET / HTTP/1.1", *[b"X: 1"] * 1000), 431),
    ("head of 17 KiB", _bytes_of_head(17 * 1024), _OK),
    ("head of 32 KiB", _bytes_of_head(32 * 1024), _OK),
    ("head of 32 KiB and one", _bytes_of_head(32 * 1024 + 1), 431),
    ("head of 33 KiB", _bytes_of_head(33 * 1024), 431),
    ("field of 60 KiB", _bytes_of_head(60 * 1024), 431),
    ("name of 33 KiB", request(b"GET / HTTP/1.1", b"X" * 33 * 1024 + b": 1"), 431),
    ("many fields of 33 KiB", request(b"GET / HTTP/1.1", *[b"X: " + b"a" * 500] * 67), 431),
    ("Content-Length at the end of 33 KiB", request(b"POST / HTTP/1.1", b"X: " + b"a" * 33 * 1024, b"Content-Length: 5",
                                                    body=b"hello"), 431),
], "RFC 6585, 5: no more than the limits")

ALL = SYNTAX + CONNECTION + UPGRADES + EXPECT + LIMITS
