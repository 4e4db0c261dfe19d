"""Requests that two servers might read differently never reach an origin as two, or as another one.

Each row of the tables is sent over a connection of its own, from an address of its own, by which the origin's record
tells whose a request was. Behind it another request follows, `/marker`, which the origin must see only if the row's
own requests ended where they seemed to.
"""
import time
from collections import Counter

import pytest

from parts import malformed_chunks, malformed_fields, malformed_framing, malformed_lines
from parts.lockgate import Lockgate
from parts.malformed import HOST, Passes, Refused, Unfinished
from parts.ports import free_port
from parts.raw_client import RawClient
from parts.recording_origin import RecordingOrigin
from parts.strict_http import Broken, read_request
from parts.waiting import wait_until

GATE = """
listeners:
  - name: web
    bind: "127.0.0.1:$port"
    http: { head_timeout: 20s, keepalive: 60s, body_timeout: 30s, head_limit: 32KiB, field_limit: 100,
            target_limit: 8KiB }
    sites:
      - names: [default]
        plain: { to: "http://127.0.0.1:$origin" }
  - name: named
    bind: "127.0.0.1:$named"
    http: { head_timeout: 20s, keepalive: 60s, body_timeout: 30s, head_limit: 32KiB, field_limit: 100,
            target_limit: 8KiB }
    sites:
      - names: [raw.example.test]
        plain: { to: "http://127.0.0.1:$origin" }
        paths: { encoded_slashes: raw, dot_segments: raw }
      - names: [strict.example.test]
        plain: { to: "http://127.0.0.1:$origin" }
        paths: { encoded_slashes: raw, dot_segments: reject }
      - names: [decoded.example.test]
        plain: { to: "http://127.0.0.1:$origin" }
        paths: { encoded_slashes: decode, dot_segments: decode }
      - names: [default]
        plain: { to: "http://127.0.0.1:$origin" }
  - name: hasty
    bind: "127.0.0.1:$hasty"
    http: { head_timeout: 1s, keepalive: 1s, body_timeout: 1s }
    sites:
      - names: [default]
        plain: { to: "http://127.0.0.1:$origin" }
        forward: { body_limit: 1KiB }
"""
MARKER = b"GET /marker HTTP/1.1\r\n" + HOST + b"\r\nConnection: close\r\n\r\n"
PLAIN = (malformed_lines.METHODS_AND_SPACES + malformed_lines.VERSIONS + malformed_lines.OLD_AND_OTHER
         + malformed_lines.TARGETS + malformed_lines.ABSOLUTE + malformed_lines.PATHS + malformed_lines.HOSTS
         + malformed_fields.ALL + malformed_framing.ALL + malformed_chunks.ALL + malformed_chunks.LATE)
# What the gate adds to every request.
ADDED = (b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Port", b"Via")


@pytest.fixture(scope="module")
def origin():
    origin = RecordingOrigin()
    origin.known = {}  # how many complete requests of each address were looked at
    yield origin
    origin.stop()


@pytest.fixture(scope="module")
def gate(tmp_path_factory, origin):
    named, hasty = free_port(), free_port()
    gate = Lockgate(tmp_path_factory.mktemp("gate"), GATE, origin=origin.port, named=named, hasty=hasty)
    gate.named, gate.hasty = named, hasty
    yield gate.start()
    gate.stop()


def names(rows):
    return [row.name for row in rows]


@pytest.mark.parametrize("row", PLAIN, ids=names(PLAIN))
def test_row(row, gate, origin):
    play(row, gate.port, origin)


# Nothing may depend on how the bytes arrive, but whether a body can be passed over whose request was refused.
IN_PIECES = [row for row in PLAIN if len(row.sent) == 1 and not (
    b"Content-Length" in row.sent[0] and any(isinstance(one, Refused) and one.stays for one in row.outcomes))]


@pytest.mark.parametrize("row", IN_PIECES, ids=names(IN_PIECES))
def test_row_in_pieces(row, gate, origin):
    play(row, gate.port, origin, in_pieces=True)


# There the name is looked for before a site is chosen, which must not make a difference.
BY_NAME = malformed_lines.ALL + malformed_fields.ALL


@pytest.mark.parametrize("row", BY_NAME, ids=names(BY_NAME))
def test_row_where_sites_have_names(row, gate, origin):
    play(row, gate.named, origin)


def note(client, origin):
    """What is broken off may reach the origin later than its client hears of it, but never as a whole request."""
    origin.known[client.address] = sum(one.complete for one in origin.of(client.address))


def play(row, port, origin, in_pieces=False):
    with RawClient(port) as client:
        try:
            answers, rest = converse(row, client, origin, in_pieces)
            print(f"{row.rule}\nsent {row.sent}\nanswers {answers}\nrest {rest!r}")
            print(f"origin {origin.of(client.address)}")
            check_answers(row, answers, rest, client)
            check_origin(row, answers, origin, client.address)
        finally:
            note(client, origin)


def converse(row, client, origin, in_pieces):
    """The answers that came, and what is left behind them."""
    send(row, client, origin, in_pieces)
    last = row.outcomes[-1]
    unfinished = isinstance(last, Unfinished)
    answers = client.answers(method_of(outcome) for outcome in row.outcomes[:-1] + (() if unfinished else (last,)))
    if row.marker and row.stays:
        answers += client.answers([b"GET"])
    if unfinished:
        if last.begins:
            wait_until(lambda: len(origin.of(client.address)) == len(row.outcomes), "the beginning at the origin")
        client.finish()
        answers += client.answers([b"GET"])
    return answers, client.rest()


def send(row, client, origin, in_pieces):
    for number, part in enumerate(row.sent):
        if number > 0:
            origin.wait_for(client.address)
        last = number == len(row.sent) - 1
        whole = part + MARKER if row.marker and last else part
        cut = len(part) * 2 // 3 if in_pieces else 0
        client.send(whole[:cut])
        if in_pieces:
            time.sleep(0.003)
        client.send(whole[cut:])


def method_of(outcome):
    return outcome.method if isinstance(outcome, Passes) else b"GET"


def check_answers(row, answers, rest, client):
    """One for each request, and the end of the connection behind one that was refused."""
    expected = [outcome.status for outcome in row.outcomes if not isinstance(outcome, Unfinished)]
    if row.marker and row.stays:
        expected.append(200)
    statuses = [answer.first[0] for answer in answers]
    if isinstance(row.outcomes[-1], Unfinished) and statuses[len(expected):] in ([400], [408]):
        statuses.pop()  # to somebody who does not listen
    assert statuses == expected
    assert rest == b"" and all(answer.complete for answer in answers)
    assert not client.was_reset or isinstance(row.outcomes[-1], Unfinished), "a reset may overtake the answer"
    last = row.outcomes[-1]
    if isinstance(last, Refused) and not last.stays:
        assert answers[-1].value(b"Connection") == b"close"


def check_origin(row, answers, origin, address):
    """Requests that passed, each as it should, and nothing else but the beginning of one that was broken off."""
    wait_until_settled(address, origin)
    seen = origin.of(address)
    passed = [outcome for outcome in row.outcomes if isinstance(outcome, Passes)]
    if row.marker and row.stays:
        passed.append(Passes(target=b"/marker"))
    complete = [one for one in seen if one.complete]
    assert [one.first for one in complete] == [(one.method, one.target) for one in passed]
    for request, outcome in zip(complete, passed):
        check_request(request, outcome, address)
    answered = [answer.body for answer in answers if answer.first[0] == 200 and answer.body]
    assert answered == [b"number %d" % one.number for one in complete if one.first[0] != b"HEAD"]
    last = row.outcomes[-1]
    may_begin = isinstance(last, Unfinished) or isinstance(last, Refused) and last.in_body
    assert len(seen) - len(complete) <= may_begin, "the beginning of a request that should not have come"


def wait_until_settled(address, origin):
    def settled():
        return all(one.complete or one.connection.ended for one in origin.of(address))

    wait_until(settled, "what is incomplete at the origin is broken off", timeout=10, pause=0.002)


def check_request(request, outcome, address):
    assert outcome.host in (None, request.value(b"Host"))
    assert request.body == outcome.body
    for name in ADDED:
        assert request.value(name), name
    assert request.value(b"X-Forwarded-For") == address.encode()
    for name, value in outcome.has:
        assert request.values(name) == [value], name
    for name in outcome.lacks:
        assert request.values(name) == [], name
    assert request.trailers in ([], list(outcome.trailers))


POST = b"POST / HTTP/1.1\r\n" + HOST + b"\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("sent", [
    (POST + b"Content-Length: 1025\r\n\r\n" + b"a" * 1025,),
    (POST + b"Content-Length: 18446744073709551615\r\n\r\n" + b"a" * 100,),
    (CHUNKED + b"401\r\n" + b"a" * 1025 + b"\r\n0\r\n\r\n",),
    (CHUNKED + b"1\r\na\r\n" * 1025 + b"0\r\n\r\n",),
    (CHUNKED + b"5\r\nhello\r\n", b"400\r\n" + b"a" * 1024 + b"\r\n0\r\n\r\n"),
    (CHUNKED + b"5\r\nhello\r\n", b"1000\r\n" + b"a" * 1025),
], ids=["length", "length of all 64 bits", "chunk", "small chunks", "second chunk", "second chunk that does not end"])
def test_too_large_a_body(sent, gate, origin):
    """The connection may go on if all of the body is there; otherwise the answer says that it does not."""
    with RawClient(gate.hasty) as client:
        for part in sent[:-1]:
            client.send(part)
            origin.wait_for(client.address)
        client.send(sent[-1] + MARKER)
        refused, *others = client.answers([b"POST", b"GET"])
        assert client.rest() == b"" and not client.was_reset
    wait_until_settled(client.address, origin)
    requests = origin.of(client.address)
    note(client, origin)
    assert refused.first[0] == 413 and bool(refused.values(b"Connection")) != bool(others)
    assert [one.first[1] for one in requests if one.complete] == [b"/marker"] * len(others)


def given_up(client, origin):
    """No complete request has come from this client, and none is open."""
    wait_until(lambda: all(one.connection.ended for one in origin.of(client.address)), "the request is given up")
    note(client, origin)
    assert not any(one.complete for one in origin.of(client.address))


@pytest.mark.parametrize("sent", [
    POST + b"Content-Length: 5\r\n\r\nhell", POST + b"Content-Length: 5\r\n\r\n", CHUNKED + b"5\r\nhell",
    CHUNKED + b"5\r\nhello\r\n0\r\n", CHUNKED + b"5\r\nhello\r\n0\r\n\r", POST, b"GET / HT",
], ids=["body", "body that has not begun", "chunk", "last chunk", "last line end", "head", "first line"])
def test_what_stops_is_too_slow(sent, gate, origin):
    with RawClient(gate.hasty) as client:
        client.send(sent)
        answer = client.answer()
        assert client.rest() == b"" and answer.first[0] == 408 and answer.value(b"Connection") == b"close"
    given_up(client, origin)


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n" + HOST + b"\r\nX: " + b"a" * 100, b"\r\n" + b"G" * 100,
                                  b"GET /" + b"a" * 100], ids=["field", "method", "target"])
def test_one_byte_at_a_time_is_too_slow(sent, gate, origin):
    """The time is for the head, however often something of it comes."""
    with RawClient(gate.hasty) as client:
        client.sock.settimeout(0.05)
        for number, byte in enumerate(sent):
            client.send(bytes([byte]))
            try:
                client.unread += client.sock.recv(65536)
                break
            except TimeoutError:
                assert number < 80, "it waits for ever"
        client.sock.settimeout(10)
        assert client.answer().first[0] == 408 and client.rest() == b""
    assert origin.of(client.address) == []


@pytest.mark.parametrize("sent", [
    b"GET / HTTP/1.1\nHost: a\n\n", b"GET / HTTP/1.1\r\nX: 1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX:1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: 1 \r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: \r1\r\n\r\n",
    b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    b"GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 00\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a\r\nx\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxx0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
], ids=repr)
def test_the_origin_takes_one_form_only(sent):
    with pytest.raises(Broken):
        read_request(sent)


@pytest.mark.parametrize("sent, size, complete", [
    (b"GET /?a HTTP/1.1\r\nHost: a\r\nX: \r\n\r\nGET", 34, True),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET", 52, True),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell", 51, False),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX: 1\r\n\r\nGET", 73, True),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", 65, False),
], ids=repr)
def test_the_origin_reads_the_one_form(sent, size, complete):
    request = read_request(sent)
    assert (request.size, request.complete) == (size, complete)
    if complete:
        assert request.written() == sent[:size]
        assert all(not (read_request(sent[:cut]) or request).complete for cut in range(1, size)
                   if read_request(sent[:cut])), "nor is it complete before its end"


# The last one, over all that came.
def test_nothing_else_has_reached_the_origin(gate, origin):
    broken = [one.broken for one in origin.connections if one.broken]
    assert not broken, "\n".join(broken)
    assert not [one.unread for one in origin.connections if one.ended and not one.requests and one.unread]
    for one in origin.connections:
        assert all(request.complete for request in one.requests[:-1])
        assert b"".join(request.written() for request in one.requests if request.complete) in bytes(one.raw)
    count = Counter()
    for request in origin.requests():
        count[request.value(b"X-Forwarded-For").decode()] += request.complete
        assert request.first[1] != b"/evil" or request.value(b"Host") == b"evil.example.test"
    assert +count == +Counter(origin.known)
