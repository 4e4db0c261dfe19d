"""Requests of real clients go through: curl, Java, Chromium, WebSocket and event streams, the hasty and the slow.

The origin is a server of the test's own, which tells what it was asked, or an nginx with files. All goes by plain HTTP,
by TLS that ends here, or by both.
"""
import hashlib
import io
import json
import random
import signal
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from socket import IPPROTO_TCP, MSG_MORE, TCP_NODELAY

import pytest

from parts import http1, proc, websocket
from parts.browsers import chromium, curl, h2load
from parts.ports import free_port
from parts.sockets import both_ways, connect, is_cut, reset
from parts.tls import client_context, tls_connect
from parts.waiting import wait_until

NAME = "a.example.test"
GATE = """
drain: { deadline: 30s }
certificates:
  one: { chain: $chain, key: $key }
upstreams:
  web: { endpoints: ["http://$to"] }
listeners:
  - name: plain
    bind: "127.0.0.1:$port"
    sites:
      - { names: [default], plain: { routes: [{ path: /, to: web }] } }
  - name: secure
    bind: "127.0.0.1:$secure"
    sites:
      - { names: [default], terminate: { certificate: one, routes: [{ path: /, to: web }] } }
"""
SCHEMES = pytest.mark.parametrize("scheme", ["http", "https"])


@pytest.fixture
def gate(lockgate, authority):
    """gate(to): in front of the HTTP server there."""

    def make(to, text=GATE):
        certificate = authority.certificate(NAME)
        secure = free_port()
        gate = lockgate(text, to=to, chain=certificate.chain, key=certificate.key, secure=secure)
        gate.ports = {"http": gate.port, "https": secure}
        return gate

    return make


@pytest.fixture
def told(gate, web_origin):
    """In front of an origin that tells what it was asked."""
    return gate(web_origin().address)


@pytest.fixture
def visit(authority):
    """visit(gate, scheme): a connection on which requests can be written, in TLS if the scheme says so."""

    def make(gate, scheme="http"):
        if scheme == "http":
            return connect(gate.port)
        return tls_connect(gate.ports["https"], NAME, client_context(authority.root, alpn=["http/1.1"]))

    return make


@pytest.fixture
def surf(authority):
    """surf(gate, scheme, path, ...): curl."""
    return lambda gate, scheme, path, *more, **how: curl(f"{scheme}://{NAME}{path}", gate.ports[scheme], *more,
                                                         root=authority.root, **how)


def ask(sock, *words, **more):
    """One request, one answer, on a connection that may go on."""
    with sock.makefile("rb") as file:
        sock.sendall(http1.request(*words, **more))
        return http1.read_answer(file, words[0] if words else "GET")


def values(told, name):
    return [value for field, value in told["fields"] if field == name]


def random_file(path, size):
    content = random.Random(size).randbytes(size)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


# curl.


@SCHEMES
def test_a_get_arrives_with_what_a_proxy_adds_to_it(told, surf, scheme):
    done = surf(told, scheme, "/a/b?c=d%20e", "--interface", "127.0.0.9", "-H", "X-Forwarded-For: 192.0.2.1")
    asked = json.loads(done.stdout)
    assert (asked["method"], asked["target"], asked["version"]) == ("GET", "/a/b?c=d%20e", "HTTP/1.1")
    assert values(asked, "host") == [NAME]
    assert values(asked, "x-forwarded-for") == ["127.0.0.9"], "what a stranger says of himself is not believed"
    assert values(asked, "x-forwarded-proto") == [scheme]
    assert len(values(asked, "via")) == 1
    line = told.next_line()
    assert (line["method"], line["target"], line["status"], line["scheme"]) == ("GET", "/a/b?c=d%20e", 200, scheme)
    assert line["outcome"] == "finished" and line["client"].startswith("127.0.0.9:")


@SCHEMES
def test_head_tells_the_length_and_leaves_the_connection_usable(told, surf, authority, scheme):
    done = surf(told, scheme, "/two", "-I", f"{scheme}://{NAME}/one", "--next", "-sS", "--cacert", authority.root,
                "--connect-to", f"{NAME}::127.0.0.1:{told.ports[scheme]}", "-w", "%{num_connects}")
    assert done.stdout.startswith("HTTP/1.1 200 ") and "Content-Length: " in done.stdout, done
    assert '"target": "/two"' in done.stdout and done.stdout.endswith("}0"), done.stdout
    assert [line["method"] for line in told.next_lines(2)] == ["HEAD", "GET"]


@SCHEMES
@pytest.mark.parametrize("how", ["sized", "chunked"])
def test_a_post_of_20_mb_arrives_whole(told, surf, tmp_path, scheme, how):
    digest = random_file(tmp_path / "upload", 20_000_000)
    more = ("-H", "Transfer-Encoding: chunked") if how == "chunked" else ()
    done = surf(told, scheme, "/", "--data-binary", f"@{tmp_path}/upload", *more, timeout=40)
    asked = json.loads(done.stdout)
    assert (asked["method"], asked["size"], asked["sha256"]) == ("POST", 20_000_000, digest)
    framing = [values(asked, "content-length"), values(asked, "transfer-encoding")]
    assert framing == ([["20000000"], []] if how == "sized" else [[], ["chunked"]])
    assert told.next_line()["bytes_up"] == 20_000_000


def test_put_waits_to_be_told_to_continue(gate, web_origin, surf, tmp_path):
    """The origin decides, not we: what it does not want is not sent."""
    def choosy(request):
        if request.target == "/wanted":
            request.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            return request.answer(hashlib.sha256(request.body()).hexdigest())
        request.answer("no", status=413, close=True)

    gate = gate(web_origin(choosy).address)
    digest = random_file(tmp_path / "upload", 2_000_000)
    words = ("-T", f"{tmp_path}/upload", "-H", "Expect: 100-continue", "--expect100-timeout", "10", "-v")
    done = surf(gate, "http", "/wanted", *words)
    assert done.stdout == digest and "HTTP/1.1 100 Continue" in done.stderr, done
    done = surf(gate, "http", "/unwanted", *words, "-w", "%{http_code} %{size_upload}")
    assert done.stdout == "no413 0" and "100 Continue" not in done.stderr, done


def test_put_to_an_origin_that_never_says_continue(gate, web_origin, surf, tmp_path):
    gate = gate(web_origin(lambda request: request.answer(hashlib.sha256(request.body()).hexdigest())).address)
    digest = random_file(tmp_path / "upload", 2_000_000)
    words = ("-T", f"{tmp_path}/upload", "-H", "Expect: 100-continue", "--expect100-timeout", "10")
    assert surf(gate, "http", "/", *words).stdout == digest


@SCHEMES
def test_ranges_of_a_file(gate, nginx, surf, scheme):
    server = nginx(NAME, tls=False)
    random_file(server.folder / "files" / "one", 100_000)
    content = (server.folder / "files" / "one").read_bytes()
    gate = gate(server.address)
    out = server.folder / "part"
    for asked, part in (("0-0", content[:1]), ("5000-69999", content[5000:70_000]), ("-10", content[-10:])):
        done = surf(gate, scheme, "/files/one", "-r", asked, "-o", out, "-w", "%{http_code}")
        assert (done.stdout, out.read_bytes()) == ("206", part), done
    surf(gate, scheme, "/files/one", "-r", "0-1,10-11", "-o", out)
    assert out.read_bytes().count(b"Content-Range: bytes ") == 2
    assert surf(gate, scheme, "/files/one", "-r", "200000-", "-o", out, "-w", "%{http_code}").stdout == "416"


def test_what_has_not_changed_is_answered_without_a_body(gate, nginx, surf):
    server = nginx(NAME, tls=False)
    gate = gate(server.address)
    server.put_file("one", 1000)
    headers = surf(gate, "http", "/files/one", "-I").stdout
    etag = next(line.split(": ")[1] for line in headers.splitlines() if line.lower().startswith("etag"))
    done = surf(gate, "http", "/files/one", "-i", "-H", f"If-None-Match: {etag.strip()}", "-w", "%{size_download}")
    assert done.stdout.startswith("HTTP/1.1 304 ") and done.stdout.endswith("\n0"), done


@SCHEMES
def test_http_1_0_gets_what_it_can_read(gate, web_origin, surf, visit, scheme):
    def in_chunks(request):
        request.head(fields=[("Transfer-Encoding", "chunked")])
        for piece in (b"one ", b"two ", b"three"):
            request.chunk(piece)
        request.chunk(b"")

    gate = gate(web_origin(in_chunks).address)
    done = surf(gate, scheme, "/", "-i", "--http1.0")
    assert done.stdout.endswith("\n\none two three") and "chunked" not in done.stdout.lower(), done
    with visit(gate, scheme) as client:
        answer = ask(client, version="HTTP/1.0", fields=[("Connection", "keep-alive")])
        assert answer.body == b"one two three", "without a length, its end is the connection's"


def test_http_1_0_may_keep_its_connection(told, visit):
    with visit(told) as client:
        for _ in range(3):
            answer = ask(client, version="HTTP/1.0", fields=[("Connection", "keep-alive")])
            assert answer.status == 200 and answer.fields["Connection"].lower() == "keep-alive"
        assert ask(client, version="HTTP/1.0").status == 200
        assert client.recv(1) == b""


@SCHEMES
def test_many_urls_share_one_connection(told, surf, scheme):
    done = surf(told, scheme, "/[1-50]", "-w", "\n%{num_connects}\n")
    assert done.returncode == 0, done
    told_lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [one["target"] for one in told_lines] == [f"/{number}" for number in range(1, 51)]
    assert done.stdout.splitlines()[1::2] == ["1"] + ["0"] * 49
    assert len({one["connection"] for one in told_lines}) == 1, "nor does the upstream see more than one"


@SCHEMES
def test_a_download_at_a_limited_rate_arrives_whole(gate, nginx, surf, scheme):
    server = nginx(NAME, tls=False)
    path = server.put_file("large", 30_000_000)
    begun = time.monotonic()
    done = surf(gate(server.address), scheme, path, "--limit-rate", "10M", "-o", "/dev/null", "-w", "%{size_download}")
    assert done.stdout == "30000000", done
    assert time.monotonic() - begun > 1.5


def test_compressed_answers_and_odd_fields_stay_as_they_are(gate, web_origin, visit):
    def odd(request):
        request.answer(b"\x1f\x8b\x08\x00...", fields=[("Content-Encoding", "gzip"), ("Set-Cookie", "a=1"),
                                                      ("X-Latin", "caf\xe9".encode().decode("latin-1")),
                                                      ("Set-Cookie", "b=2"), ("ETag", '"x"'), ("X-Empty", "")])

    gate = gate(web_origin(odd).address)
    with visit(gate) as client:
        answer = ask(client)
    assert answer.body == b"\x1f\x8b\x08\x00..." and answer.fields["Content-Encoding"] == "gzip"
    assert answer.all("Set-Cookie") == ["a=1", "b=2"] and answer.fields["ETag"] == '"x"'
    assert answer.fields["X-Empty"] == ""


@SCHEMES
def test_h2load_loses_no_request(gate, nginx, scheme):
    gate = gate(nginx(NAME, tls=False).address)
    assert h2load(f"{scheme}://127.0.0.1:{gate.ports[scheme]}/", 5000, "-c", 40, "-m", 10) == 5000
    assert h2load(f"{scheme}://127.0.0.1:{gate.ports[scheme]}/", 300, "-c", 300) == 300


# Requests by hand.


@SCHEMES
def test_requests_in_one_breath_are_answered_in_their_order(told, visit, scheme):
    wanted, sent = [], b""
    for number in range(60):
        body = random.Random(number).randbytes(number * 37) if number % 3 == 0 else b""
        method = "POST" if body else "GET"
        sent += http1.request(method, f"/{number}", body=body)
        wanted.append((method, f"/{number}", len(body)))
    with visit(told, scheme) as client, client.makefile("rb") as file:
        client.sendall(sent)
        answers = [json.loads(http1.read_answer(file).body) for _ in wanted]
    assert [(one["method"], one["target"], one["size"]) for one in answers] == wanted


def test_requests_in_pieces_are_understood(told, visit):
    sent = b"".join(http1.request("POST", f"/{number}", body=b"x" * number) for number in range(1, 20))
    chance = random.Random(1)
    with visit(told) as client, client.makefile("rb") as file, ThreadPoolExecutor(1) as pool:
        answers = pool.submit(lambda: [json.loads(http1.read_answer(file).body) for _ in range(19)])
        at = 0
        while at < len(sent):
            size = chance.randint(1, 40)
            client.sendall(sent[at:at + size])
            at += size
            time.sleep(0.0005)
        assert [one["size"] for one in answers.result(10)] == list(range(1, 20))


@SCHEMES
@pytest.mark.parametrize("size", [10_000, 20_000_000])
def test_an_answer_that_comes_before_the_body_is_passed_on(gate, web_origin, visit, scheme, size):
    """A server that has decided need not read on (RFC 9110, 9.3). Most clients look for an answer only when they have
    sent all: it must not be lost because nobody reads what they send (RFC 9112, 9.6)."""
    def hasty(request):
        request.answer("too much", status=413, close=True)

    gate = gate(web_origin(hasty).address)
    with visit(gate, scheme) as client, client.makefile("rb") as file:
        client.sendall(http1.request("POST", body=bytes(size)))
        answer = http1.read_answer(file)
        assert (answer.status, answer.body) == (413, b"too much")


@SCHEMES
def test_curl_hears_that_its_upload_is_not_wanted(gate, web_origin, surf, tmp_path, scheme):
    gate = gate(web_origin(lambda request: request.answer("too much", status=413, close=True)).address)
    random_file(tmp_path / "upload", 20_000_000)
    for _ in range(5):
        done = surf(gate, scheme, "/", "-T", f"{tmp_path}/upload", "-H", "Expect:", "-w", "%{http_code}")
        assert done.stdout == "too much413", done


@SCHEMES
def test_an_upload_above_the_limit_is_refused_in_words(gate, web_origin, visit, scheme):
    origin = web_origin()
    gate = gate(origin.address, text=GATE.replace("{ path: /, to: web }",
                                                  "{ path: /, to: web, forward: { body_limit: 1MiB } }"))
    with visit(gate, scheme) as client, client.makefile("rb") as file:
        client.sendall(http1.request("POST", body=bytes(20_000_000)))
        assert http1.read_answer(file).status == 413
    assert origin.seen == [], "it is known from the start"
    with visit(gate, scheme) as client, client.makefile("rb") as file:
        client.sendall(http1.request("POST", fields=[("Transfer-Encoding", "chunked")],
                                     body=b"186a0\r\n" + bytes(100_000) + b"\r\n"))
        for _ in range(49):
            client.sendall(b"186a0\r\n" + bytes(100_000) + b"\r\n")
        assert http1.read_answer(file).status == 413
    assert ask(visit(gate, scheme), "POST", body=bytes(1_000_000)).status == 200


@SCHEMES
@pytest.mark.parametrize("piece", [1_000, 1_000_000])
def test_bodies_go_both_ways_at_once(gate, web_origin, visit, scheme, piece):
    def mirror(request):
        request.head(fields=[("Transfer-Encoding", "chunked")])
        for part in request.pieces():
            request.chunk(part)
        request.chunk(b"")

    gate = gate(web_origin(mirror).address)
    sent = random.Random(1).randbytes(piece * 20)
    chunks = [b"%x\r\n%b\r\n" % (piece, sent[at:at + piece]) for at in range(0, len(sent), piece)]
    request = http1.request("POST", fields=[("Transfer-Encoding", "chunked"), ("Connection", "close")])
    with visit(gate, scheme) as client:
        heard = both_ways(client, [request, *chunks, b"0\r\n\r\n"])
    assert http1.read_answer(io.BytesIO(heard)).body == sent


@SCHEMES
def test_a_dialogue_in_chunks_waits_for_nothing(gate, web_origin, visit, scheme):
    """Each side speaks only when it has heard the other."""
    def mirror(request):
        request.head(fields=[("Transfer-Encoding", "chunked")])
        for part in request.pieces():
            request.chunk(part)
        request.chunk(b"")

    gate = gate(web_origin(mirror).address)
    with visit(gate, scheme) as client, client.makefile("rb") as file:
        client.sendall(http1.request("POST", fields=[("Transfer-Encoding", "chunked")]))
        assert http1.read_head(file).status == 200
        for number in range(200):
            client.sendall(b"4\r\n%04d\r\n" % number)
            assert file.readline() + file.readline() == b"4\r\n%04d\r\n" % number
        client.sendall(b"0\r\n\r\n")
        assert file.readline() == b"0\r\n"


def test_trailers_go_through(gate, web_origin, visit):
    def with_trailers(request):
        body = request.body()
        request.head(fields=[("Transfer-Encoding", "chunked"), ("Trailer", "X-Digest")])
        request.chunk(body)
        request.send(b"0\r\nX-Digest: abc\r\n\r\n")

    gate = gate(web_origin(with_trailers).address)
    with visit(gate) as client:
        client.sendall(http1.request("POST", fields=[("TE", "trailers"), ("Connection", "TE, close"),
                                                     ("Transfer-Encoding", "chunked")],
                                     body=b"3\r\nabc\r\n0\r\nX-Mine: yes\r\n\r\n"))
        seen = b""
        while more := client.recv(65536):
            seen += more
    assert b"3\r\nabc\r\n0\r\nX-Digest: abc\r\n\r\n" in seen, seen


@pytest.mark.parametrize("fin", ["with_the_request", "after_it"])
def test_a_client_that_ends_before_its_answer_is_taken_to_have_left(gate, web_origin, visit, fin):
    """As nginx takes it: a FIN of one who has closed and of one who only sends no more look the same."""
    origin = web_origin(lambda request: (request.sock.recv(1), request.hang_up()))
    gate = gate(origin.address)
    with visit(gate) as client:
        client.sendall(http1.request(), MSG_MORE)
        if fin == "after_it":
            client.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)  # which sends what there is
            wait_until(lambda: origin.seen, "the request arrives")
        client.shutdown(1)
        assert is_cut(client)
    wait_until(lambda: not origin.open, "the origin has been told, if it was asked at all")
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"]) == ("closed", "client") and "status" not in line


def test_hop_by_hop_fields_stay_on_their_hop(told, visit):
    """And nobody can switch the upstream to HTTP/2 without TLS behind our back."""
    with visit(told) as client:
        asked = json.loads(ask(client, fields=[
            ("Connection", "keep-alive, X-Secret, Upgrade, HTTP2-Settings"), ("X-Secret", "1"), ("Keep-Alive", "300"),
            ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA"), ("Proxy-Connection", "keep-alive"),
            ("Proxy-Authorization", "Basic c2VjcmV0"), ("TE", "trailers"), ("X-Kept", "yes")]).body)
    names = {name for name, _ in asked["fields"]}
    assert "x-kept" in names
    assert not names & {"x-secret", "keep-alive", "upgrade", "http2-settings", "proxy-connection"}, asked


@SCHEMES
def test_answers_without_a_body_leave_the_connection_usable(gate, web_origin, visit, scheme):
    def bare(request):
        request.body()
        if request.target == "/204":
            return request.head(204)
        return request.head(fields=[("Transfer-Encoding", "chunked")])  # of a HEAD, so nothing follows

    gate = gate(web_origin(bare).address)
    with visit(gate, scheme) as client:
        for _ in range(3):
            answer = ask(client, "GET", "/204")
            assert answer.status == 204 and not answer.all("Content-Length") + answer.all("Transfer-Encoding")
            assert ask(client, "HEAD", "/head").status == 200
            assert ask(client, "DELETE", "/204").status == 204
            assert ask(client, "POST", "/204", body=b"x").status == 204
    assert len({line["connection"] for line in gate.next_lines(12)}) == 1


def test_addresses_of_ipv6_are_told_as_they_should(lockgate, web_origin):
    gate = lockgate("""
listeners:
  - bind: "[::1]:$port"
    sites:
      - names: [default]
        plain: { routes: [{ path: /moved, redirect: https }, { path: /, to: "http://$to" }] }
        forward: { client_fields: [x_forwarded, x_real_ip, forwarded] }
""", to=web_origin(host="::1").address)
    with connect(gate.port, host="::1") as client:
        asked = json.loads(ask(client, host=f"[::1]:{gate.port}").body)
        assert values(asked, "x-forwarded-for") == values(asked, "x-real-ip") == ["::1"]
        assert 'for="[::1]:' in values(asked, "forwarded")[0] or 'for="[::1]"' in values(asked, "forwarded")[0]
        assert values(asked, "x-forwarded-host") == values(asked, "host") == [f"[::1]:{gate.port}"]
        assert ask(client, "GET", "/moved", host="[::1]").fields["Location"] == "https://[::1]/moved"


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS"])
def test_max_forwards_is_honoured(gate, web_origin, visit, method):
    """RFC 9110, 7.6.2: whoever finds 0 answers, and sends nothing on."""
    origin = web_origin()
    gate = gate(origin.address)
    with visit(gate) as client:
        assert ask(client, method, fields=[("Max-Forwards", "0")]).status in (200, 204, 405)
        assert origin.seen == []
    with visit(gate) as client:
        answer = ask(client, method, fields=[("Max-Forwards", "3")])
        assert answer.status == 405 or values(json.loads(answer.body), "max-forwards") == ["2"]


# Java.


@SCHEMES
def test_java_gets_posts_and_keeps_its_connection(told, java, scheme):
    said = java.fetch(f"{scheme}://localhost:{told.ports[scheme]}/x").stdout.splitlines()
    answers = [json.loads(line) for line in said if line.startswith("{")]
    assert [(one["method"], one["size"]) for one in answers] == [
        ("GET", 0), ("POST", 5), ("POST", 3_000_000), ("PUT", 3_000_000), ("DELETE", 0)], said
    assert values(answers[2], "transfer-encoding") == ["chunked"]
    assert "upgrade" not in {name for name, _ in answers[0]["fields"]}
    connections = {line["connection"] for line in told.next_lines(5)}
    assert len(connections) == 1, "it needs no second connection"


@SCHEMES
def test_java_speaks_websocket(gate, web_origin, java, scheme):
    gate = gate(web_origin(websocket.echo).address)
    scheme_of_sockets = {"http": "ws", "https": "wss"}[scheme]
    said = java.talk(f"{scheme_of_sockets}://localhost:{gate.ports[scheme]}/socket").stdout
    assert said.splitlines() == ["text 5", "text 200000", "pong 4", "closed 1000"], said


# WebSocket.


@pytest.fixture
def socket(gate, web_origin, visit):
    """socket(scheme): (gate, a WebSocket to an origin that echoes)."""

    def make(scheme="http", answer=websocket.echo):
        made = gate(web_origin(answer).address)
        sock = visit(made, scheme)
        return made, websocket.connect(sock, NAME), sock

    return make


@SCHEMES
def test_messages_of_all_sizes_are_echoed(socket, scheme):
    _, there, _ = socket(scheme)
    for size in (0, 1, 125, 126, 65535, 65536, 1_000_000):
        message = random.randbytes(size)
        there.send(message)
        assert there.frame() == websocket.Frame(websocket.BINARY, message)
    there.send("grüß dich", websocket.TEXT)
    assert there.frame() == websocket.Frame(websocket.TEXT, "grüß dich".encode())
    there.close()
    assert there.frame().kind == websocket.CLOSE and there.at_end()


@pytest.mark.xfail(strict=True, reason="the line is written when the protocol is switched, so it tells nothing of what "
                                       "follows")
@SCHEMES
def test_the_log_tells_how_much_went_through_a_socket(socket, scheme):
    gate, there, _ = socket(scheme)
    there.send(bytes(100_000))
    assert len(there.frame().content) == 100_000
    time.sleep(0.3)
    there.close()
    assert there.frame().kind == websocket.CLOSE and there.at_end()
    line = gate.next_line()
    assert (line["status"], line["outcome"]) == (101, "finished"), line
    assert min(line["bytes_up"], line["bytes_down"]) > 100_000 and line["duration_ms"] > 300, line


@SCHEMES
def test_a_message_in_fragments_with_pings_between_them(socket, scheme):
    _, there, _ = socket(scheme)
    there.send(b"one ", final=False)
    there.send(b"are you there?", websocket.PING)
    assert there.frame() == websocket.Frame(websocket.PONG, b"are you there?")
    for _ in range(50):
        there.send(b"more ", websocket.CONTINUATION, final=False)
    there.send(b"end", websocket.CONTINUATION)
    assert there.frame().content == b"one " + b"more " * 50 + b"end"


@SCHEMES
def test_the_server_closes_first(socket, scheme):
    _, there, _ = socket(scheme)
    there.send(b"bye")
    frame = there.frame()
    assert (frame.kind, frame.content) == (websocket.CLOSE, struct.pack(">H", 1001))
    there.close(1001)
    assert there.at_end()


def test_a_socket_may_be_silent_for_longer_than_answers_may(gate, web_origin, visit):
    made = gate(web_origin(websocket.echo).address,
                text=GATE.replace("path: /, to: web", "path: /, to: web, forward: { idle: 1s, first_byte: 1s }"))
    there = websocket.connect(visit(made), NAME)
    time.sleep(2.5)
    there.send(b"still there?")
    assert there.frame().content == b"still there?"


def test_a_server_that_will_not_switch_answers_as_always(told, visit):
    with visit(told) as client:
        fields = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
                  ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
        asked = json.loads(ask(client, fields=fields).body)
        assert values(asked, "upgrade") == ["websocket"] and "upgrade" in values(asked, "connection")[0].lower()
        assert ask(client).status == 200, "and the connection goes on"


def test_a_socket_whose_server_dies_ends(gate, web_origin, visit):
    origin = web_origin(websocket.echo)
    there = websocket.connect(visit(gate(origin.address)), NAME)
    there.send(b"x")
    assert there.frame().content == b"x"
    origin.stop()
    assert there.at_end()


def test_a_socket_whose_client_dies_ends(gate, web_origin, visit):
    origin = web_origin(websocket.echo)
    sock = visit(gate(origin.address))
    websocket.connect(sock, NAME)
    reset(sock)
    wait_until(lambda: not origin.open, "the origin has been told")


# Events.


def events(request):
    """An event every half a second, with the time at which it was sent."""
    sized = request.target == "/sized"
    request.head(fields=[("Content-Type", "text/event-stream")] +
                 ([] if sized else [("Transfer-Encoding", "chunked")]), close=sized)
    for _ in range(4):
        event = f"data: {time.monotonic()}\n\n".encode()
        request.send(event) if sized else request.chunk(event)
        time.sleep(0.5)
    if not sized:
        request.chunk(b"")


@SCHEMES
@pytest.mark.parametrize("path", ["/chunked", "/sized"])
def test_events_arrive_when_they_are_sent(gate, web_origin, visit, scheme, path):
    gate = gate(web_origin(events).address)
    with visit(gate, scheme) as client, client.makefile("rb") as file:
        client.sendall(http1.request(target=path))
        answer, late = http1.read_head(file), []
        seen = b""
        for piece in http1.pieces(file, answer.fields):
            seen += piece
            late.append(time.monotonic() - float(piece.split()[1]))
    assert seen.count(b"data: ") == 4 and max(late) < 0.9, late


# Chromium.

PAGE = """<!doctype html><title>page</title>
%s
<script>
const socket = new WebSocket("wss://" + location.host + "/socket");
socket.onopen = () => socket.send("hello");
socket.onmessage = message => { document.title = "echo:" + message.data; socket.send("seen"); };
</script>
<img src="/wait">
<script>document.write("<p>loaded:" + (window.loaded || []).length + "</p>")</script>
""" % "\n".join(f'<script src="/{number}.js"></script>' for number in range(20))


def test_chromium_loads_a_page_with_its_parts_and_a_socket(gate, web_origin):
    seen = threading.Event()

    def site(request):
        if request.target == "/":
            return request.answer(PAGE, fields=[("Content-Type", "text/html")])
        if request.target.endswith(".js"):
            return request.answer("(window.loaded = window.loaded || []).push(1);" + "/" * 50_000,
                                  fields=[("Content-Type", "text/javascript")])
        if request.target == "/socket":
            there = websocket.accept(request)
            while (frame := there.frame()).kind != websocket.CLOSE:
                if frame.content == b"seen":
                    seen.set()
                else:
                    there.send(frame.content, frame.kind)
            return None
        if request.target == "/wait":  # the page is complete when this is
            seen.wait(15)
        return request.answer("", status=404)

    gate = gate(web_origin(site).address)
    page = chromium(f"https://{NAME}/", NAME, gate.ports["https"])
    assert "<title>echo:hello</title>" in page and "<p>loaded:20</p>" in page, page[-3000:]
    assert seen.is_set()


# Those who leave, and those who are slow.


@SCHEMES
def test_an_origin_hears_of_a_client_that_leaves_a_download(gate, web_origin, visit, scheme):
    def endless(request):
        request.head(fields=[("Transfer-Encoding", "chunked")])
        while True:
            request.chunk(b"x" * 10_000)

    origin = web_origin(endless)
    gate = gate(origin.address)
    client = visit(gate, scheme)
    client.sendall(http1.request())
    assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
    client.close()
    wait_until(lambda: origin.ended, "the origin's connection ends")
    line = gate.next_line()
    assert line["ended_by"] == "client" and line["outcome"] in ("closed", "reset"), line


@SCHEMES
@pytest.mark.parametrize("how", ["sized", "chunked"])
def test_an_origin_hears_of_a_client_that_leaves_an_upload(gate, web_origin, visit, scheme, how):
    whole = []

    def read_all(request):
        whole.append(request.body())
        request.answer()

    origin = web_origin(read_all)
    gate = gate(origin.address)
    client = visit(gate, scheme)
    fields = [("Content-Length", "10000000")] if how == "sized" else [("Transfer-Encoding", "chunked")]
    body = b"x" * 500_000 if how == "sized" else b"7a120\r\n" + b"x" * 500_000 + b"\r\n"
    client.sendall(http1.request("POST", fields=fields, body=body))
    wait_until(lambda: origin.seen, "the request arrives")
    client.close()
    wait_until(lambda: origin.ended, "the origin's connection ends")
    assert whole == [], "and it does not take what came for all there is"
    assert gate.next_line()["ended_by"] == "client"


@SCHEMES
def test_an_origin_hears_of_a_client_that_waits_no_longer(gate, web_origin, visit, scheme):
    left = threading.Event()

    def slow(request):
        if request.sock.recv(1) == b"":
            left.set()
        request.hang_up()

    gate = gate(web_origin(slow).address)
    client = visit(gate, scheme)
    client.sendall(http1.request())
    time.sleep(0.3)
    reset(client) if scheme == "http" else client.close()
    assert left.wait(5), "the origin was not told"


@SCHEMES
def test_a_slow_reader_costs_no_memory(gate, nginx, visit, scheme):
    server = nginx(NAME, tls=False)
    path = server.put_file("huge", 200_000_000)
    gate = gate(server.address)
    ask_once = visit(gate, scheme)
    ask(ask_once, "GET", "/")
    ask_once.close()
    before, most, seen = proc.memory(gate.process.pid), 0, 0
    with visit(gate, scheme) as client:
        client.sendall(http1.request(target=path))
        until = time.monotonic() + 4
        while time.monotonic() < until:
            seen += len(client.recv(20_000))
            most = max(most, proc.memory(gate.process.pid))
            time.sleep(0.01)
        while more := client.recv(1_000_000):
            seen += len(more)
            if seen >= 200_000_000:
                break
        most = max(most, proc.memory(gate.process.pid))
    assert seen > 200_000_000
    assert most - before < 60_000_000, f"from {before} to {most} bytes"


def test_one_who_asks_a_lot_and_reads_nothing_costs_no_memory(gate, nginx, visit):
    server = nginx(NAME, tls=False)
    path = server.put_file("large", 5_000_000)
    gate = gate(server.address)
    with visit(gate) as client:
        ask(client)
    before = proc.memory(gate.process.pid)
    with visit(gate) as client:
        client.settimeout(1)
        sent = 0
        with suppress(TimeoutError):
            for _ in range(2000):
                client.sendall(http1.request(target=path) * 50)
                sent += 1
        assert sent < 2000, "somebody reads all this"
        assert proc.memory(gate.process.pid) - before < 60_000_000
        assert server.access_log().count(path) < 20, "and one answer is given after the other"


@SCHEMES
def test_a_slow_origin_costs_no_memory(gate, web_origin, visit, scheme):
    """An upload of 100 MB to one that reads at leisure."""
    begin = threading.Event()

    def at_leisure(request):
        begin.wait(20)
        request.answer(str(sum(map(len, request.pieces()))))

    gate = gate(web_origin(at_leisure).address)
    before = proc.memory(gate.process.pid)
    with visit(gate, scheme) as client, client.makefile("rb") as file:
        client.settimeout(20)
        sending = threading.Thread(target=client.sendall, args=(
            http1.request("POST", fields=[("Content-Length", "100000000")]) + bytes(100_000_000),))
        sending.start()
        time.sleep(2)
        grown = proc.memory(gate.process.pid) - before
        begin.set()
        sending.join()  # a TLS socket of Python's is not to be read and written at once
        assert http1.read_answer(file).body == b"100000000"
    assert grown < 60_000_000, "sanitizers keep some of what was freed"


# Changes while requests are under way.


def test_a_drain_lets_answers_finish_and_idle_connections_go(gate, nginx, visit):
    server = nginx(NAME, tls=False, rate="2m")
    path = server.put_file("large", 8_000_000)
    gate = gate(server.address)
    idle = [visit(gate, scheme) for scheme in ("http", "https") for _ in range(3)]
    for client in idle:
        assert ask(client).status == 200
    silent = visit(gate)
    with visit(gate) as client, client.makefile("rb") as file:
        client.sendall(http1.request(target=path))
        answer = http1.read_head(file)
        gate.signal(signal.SIGTERM)
        begun = time.monotonic()
        for one in idle:
            assert is_cut(one)
        took = time.monotonic() - begun
        assert took < 1.5, f"idle connections were closed after {took} s"
        assert is_cut(silent)
        assert sum(map(len, http1.pieces(file, answer.fields))) == 8_000_000
        assert file.read(1) == b""
    assert gate.process.wait(5) == 0


def test_a_drain_tells_those_who_wait_for_an_answer_that_it_is_the_last(gate, web_origin, visit):
    waiting, go_on = [], threading.Event()

    def slow(request):
        waiting.append(request)
        go_on.wait(20)
        request.answer("late")

    gate = gate(web_origin(slow).address)
    with visit(gate) as client, client.makefile("rb") as file:
        client.sendall(http1.request() + http1.request(target="/second"))
        wait_until(lambda: waiting, "the first has arrived")
        gate.signal(signal.SIGTERM)
        gate.wait_for_message("draining")
        go_on.set()
        answer = http1.read_answer(file)
        assert (answer.status, answer.body) == (200, b"late")
        assert answer.fields["Connection"] == "close"
        assert file.read(1) == b""
    assert gate.process.wait(5) == 0


def test_a_socket_is_cut_at_the_deadline_of_a_drain(gate, web_origin, visit):
    made = gate(web_origin(websocket.echo).address, text=GATE.replace("deadline: 30s", "deadline: 1s"))
    sock = visit(made)
    there = websocket.connect(sock, NAME)
    made.signal(signal.SIGTERM)
    there.send(b"x")
    assert there.frame().content == b"x"
    assert is_cut(sock)
    assert made.process.wait(5) == 0


@SCHEMES
def test_reloads_fail_no_request(gate, web_origin, visit, scheme):
    def slowly(request):
        size = sum(map(len, request.pieces()))
        request.head(fields=[("Transfer-Encoding", "chunked")])
        for _ in range(3):
            time.sleep(0.01)
            request.chunk(b"%d;" % size)
        request.chunk(b"")

    gate = gate(web_origin(slowly).address)
    stop, failures, done = threading.Event(), [], []

    def use(number):
        try:
            with visit(gate, scheme) as client, client.makefile("rb") as file:
                while not stop.is_set():
                    size = number * 20_000
                    client.sendall(http1.request("POST" if size else "GET", "/x", body=b"x" * size))
                    answer = http1.read_answer(file)
                    assert (answer.status, answer.body) == (200, b"%d;" % size * 3), answer
                    done.append(1)
        except (OSError, AssertionError) as error:
            failures.append(error)

    with ThreadPoolExecutor(5) as pool:
        for number in range(5):
            pool.submit(use, number)
        for number in range(25):
            gate.reload(GATE + (f"#{number}\n" if number % 2 else "  - { bind: '127.0.0.1:%d', sites: "
                                "[{ names: [default], redirect: https }] }\n" % free_port()))
            time.sleep(0.02)
        stop.set()
    assert failures == [] and len(done) > 50


@SCHEMES
def test_a_kept_connection_follows_a_reload(gate, web_origin, visit, scheme):
    gate = gate(web_origin(lambda request: request.answer("old")).address)
    with visit(gate, scheme) as client:
        assert ask(client).body == b"old"
        gate.reload(GATE, to=web_origin(lambda request: request.answer("new")).address)
        assert ask(client).body == b"new"


@SCHEMES
def test_a_socket_outlives_reloads(socket, web_origin, scheme):
    gate, there, _ = socket(scheme)
    for number in range(5):
        gate.reload(GATE, to=web_origin().address)
        there.send(b"%d" % number)
        assert there.frame().content == b"%d" % number
    there.close()
    assert there.frame().kind == websocket.CLOSE and there.at_end()
