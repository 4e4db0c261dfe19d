"""Clients that are slow hold nobody but us, where the operator gives them room."""
import json
import time

import pytest

from parts import http1
from parts.waiting import wait_until

GATE = """
workers: 1
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - names: [default]
        plain: { to: [$to] }
        forward: { $forward }
"""


@pytest.fixture
def gate(lockgate):
    return lambda *origins, forward: lockgate(
        GATE, to=", ".join(f'"http://{origin.address}"' for origin in origins), forward=forward)


def post(size, *fields):
    return http1.request("POST", fields=[("Content-Length", size), *fields])


def answer_on(sock):
    with sock.makefile("rb") as file:
        return http1.read_answer(file)


def told(sock):
    answer = answer_on(sock)
    assert answer.status == 200
    return json.loads(answer.body)


def test_the_upstream_is_asked_when_the_body_is_here(gate, web_origin):
    origin = web_origin()
    with gate(origin, forward="buffer_request: 1MiB").connect() as sock:
        sock.sendall(post(20_000) + b"x" * 10_000)
        time.sleep(0.3)
        assert (origin.seen, origin.accepted) == ([], 0)
        sock.sendall(b"x" * 10_000)
        assert told(sock)["size"] == 20_000


def test_without_a_buffer_it_is_asked_at_once(gate, web_origin):
    origin = web_origin()
    with gate(origin, forward="").connect() as sock:
        sock.sendall(post(20_000) + b"x" * 10_000)
        wait_until(lambda: origin.seen, "it is asked")


def test_a_chunked_body_gets_a_length(gate, web_origin):
    with gate(web_origin(), forward="buffer_request: 1MiB, http: 1.0").connect() as sock:
        sock.sendall(http1.request("POST", fields=[("Transfer-Encoding", "chunked")]) + b"5\r\nhello\r\n")
        time.sleep(0.1)
        sock.sendall(b"6\r\n world\r\n0\r\n\r\n")
        seen = told(sock)
    assert dict(map(tuple, seen["fields"]))["content-length"] == "11" and seen["size"] == 11


def test_a_body_that_is_too_large_for_the_buffer_is_streamed(gate, web_origin):
    origin = web_origin()
    with gate(origin, forward="buffer_request: 64KiB").connect() as sock:
        sock.sendall(post(1_000_000) + b"x" * 400_000)
        wait_until(lambda: origin.seen, "it is asked")
        sock.sendall(b"x" * 600_000)
        assert told(sock)["size"] == 1_000_000


@pytest.mark.parametrize("sized", [True, False])
def test_a_body_above_the_limit_is_refused_and_nobody_asked(gate, web_origin, sized):
    origin = web_origin()
    with gate(origin, forward="buffer_request: 1MiB, body_limit: 10KiB").connect() as sock:
        chunked = http1.request("POST", fields=[("Transfer-Encoding", "chunked")]) + b"2ee0\r\n" + b"x" * 12_000
        sock.sendall(post(12_000) if sized else chunked)
        assert answer_on(sock).status == 413
    assert origin.seen == []


def test_a_client_that_waits_to_be_told_is_told(gate, web_origin):
    with gate(web_origin(), forward="buffer_request: 1MiB").connect() as sock, sock.makefile("rb") as file:
        sock.sendall(post(5, ("Expect", "100-continue")))
        assert http1.read_head(file).status == 100
        sock.sendall(b"hello")
        answer = http1.read_answer(file)
    assert json.loads(answer.body)["size"] == 5


def test_trailers_follow_a_body_that_was_buffered(gate, web_origin):
    with gate(web_origin(), forward="buffer_request: 1MiB").connect() as sock:
        sock.sendall(http1.request("POST", fields=[("Transfer-Encoding", "chunked"), ("Trailer", "X-Sum")]) +
                     b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n")
        seen = told(sock)
    assert seen["size"] == 5 and dict(map(tuple, seen["fields"]))["transfer-encoding"] == "chunked"


def test_a_body_is_sent_again_to_another_endpoint(gate, web_origin):
    """It is larger than what comes with a head, and the first server breaks off."""
    broken = web_origin(lambda request: (request.body(), request.hang_up()))
    gate = gate(broken, web_origin(), forward="buffer_request: 1MiB")
    for _ in range(4):
        with gate.connect() as sock:
            sock.sendall(http1.request("PUT", body=b"x" * 300_000))
            assert told(sock)["size"] == 300_000
    assert broken.seen


def test_a_body_is_not_sent_twice_for_post(gate, web_origin):
    broken = web_origin(lambda request: (request.body(), request.hang_up()))
    gate = gate(broken, forward="buffer_request: 1MiB")
    with gate.connect() as sock:
        sock.sendall(http1.request("POST", body=b"x" * 300_000))
        assert answer_on(sock).status == 502
    assert len(broken.seen) == 1


SIZE = 8_000_000  # more than sockets hold


def test_the_upstream_is_free_while_the_client_still_reads(gate, web_origin):
    done = []

    def large(request):
        request.answer(b"x" * SIZE)
        done.append(time.monotonic())

    origin = web_origin(large)
    gate = gate(origin, forward="buffer_response: 16MiB")
    with gate.connect() as slow:
        slow.sendall(http1.request())
        wait_until(lambda: done, "the upstream has got rid of it")
        with gate.connect() as other:
            other.sendall(http1.request())
            assert len(answer_on(other).body) == SIZE
        assert origin.accepted == 1, "the connection was used again meanwhile"
        assert answer_on(slow).body == b"x" * SIZE


def test_no_more_waits_than_there_is_room_for(gate, web_origin):
    sent = []

    def large(request):
        request.head(fields=[("Content-Length", 10 * SIZE)])
        for _ in range(10 * SIZE // 100_000):
            request.send(b"x" * 100_000)
            sent.append(100_000)

    gate = gate(web_origin(large), forward="buffer_response: 1MiB")
    with gate.connect() as slow, slow.makefile("rb") as file:
        slow.sendall(http1.request())
        time.sleep(1.5)
        assert 1_000_000 < sum(sent) < 4 * SIZE
        answer = http1.read_head(file)
        assert sum(map(len, http1.pieces(file, answer.fields))) == 10 * SIZE


def test_what_breaks_off_never_looks_complete(gate, web_origin):
    def broken(request):
        request.head(fields=[("Content-Length", 200_000)])
        request.send(b"x" * 100_000)
        request.hang_up()

    gate = gate(web_origin(broken), forward="buffer_response: 1MiB")
    with gate.connect() as sock, pytest.raises((AssertionError, ConnectionError)):
        sock.sendall(http1.request())
        answer_on(sock)


def test_events_come_without_delay(gate, web_origin):
    def events(request):
        request.head(fields=[("Transfer-Encoding", "chunked")])
        request.chunk(b"one")
        time.sleep(1)
        request.chunk(b"two")
        request.send(b"0\r\n\r\n")

    with gate(web_origin(events), forward="buffer_response: 1MiB").connect() as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request())
        begun, answer = time.monotonic(), http1.read_head(file)
        pieces = http1.pieces(file, answer.fields)
        assert next(pieces) == b"one" and time.monotonic() - begun < 0.7
        assert b"".join(pieces) == b"two"


def test_trailers_of_an_answer_come_behind_it(gate, web_origin):
    def trailing(request):
        request.head(fields=[("Transfer-Encoding", "chunked"), ("Trailer", "X-Sum")])
        request.chunk(b"one")
        time.sleep(0.1)
        request.send(b"0\r\nX-Sum: 1\r\n\r\n")

    with gate(web_origin(trailing), forward="buffer_response: 1MiB").connect() as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request(fields=[("TE", "trailers"), ("Connection", "TE")]))
        http1.read_head(file)
        assert file.read(len(b"3\r\none\r\n0\r\nX-Sum: 1\r\n\r\n")) == b"3\r\none\r\n0\r\nX-Sum: 1\r\n\r\n"
