"""Servers behind come and go, close connections when they like, and say odd things: clients see as little as can be.

nginx and Apache as they are, and servers of the test's own for what those never do.
"""
import gzip
import random
import time

import pytest

from parts import http1, proc, websocket
from parts.browsers import curl
from parts.http_traffic import HttpTraffic
from parts.ports import free_port
from parts.sockets import connect
from parts.waiting import wait_until

NAME = "a.example.test"
GATE = """
upstreams:
  web:
    endpoints: [$to]
    ejection: { time: 1s }
    $more
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - names: [default]
        plain: { routes: [{ path: /, to: web }] }
        forward: { $forward }
"""


@pytest.fixture
def gate(lockgate):
    """gate(endpoint, ...): in front of these."""
    return lambda *endpoints, more="", forward="": lockgate(
        GATE, to=", ".join(f'"{endpoint}"' for endpoint in endpoints), more=more, forward=forward)


@pytest.fixture
def named(nginx):
    """named(name, ...): an nginx that tells its name in a field."""
    return lambda name, tls=False, lines="", **more: nginx(name, tls=tls, lines=f"add_header X-Server {name}; {lines}",
                                                           **more)


def http(*servers):
    return [f"http://{server.address}" for server in servers]


def ask(gate, *words, **more):
    """One request on a connection of its own."""
    with gate.connect() as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request(*words, **more))
        return http1.read_answer(file, words[0] if words else "GET")


# Servers come and go.


def test_a_server_dies_under_load_and_another_takes_over(gate, named):
    one, two = named("one"), named("two")
    gate = gate(*http(one, two))
    with HttpTraffic(gate.port) as traffic:
        traffic.wait_for(300)
        assert set(traffic.served) == {"one", "two"}
        one.process.kill()
        traffic.wait_for(500)
        traffic.served.clear()
        traffic.wait_for(100)
        assert set(traffic.served) == {"two"}
        one.start()
        wait_until(lambda: traffic.served["one"], "it is asked again", timeout=15)
    assert (set(traffic.statuses), traffic.failures) == ({200}, [])


def test_a_server_restarts_again_and_again_under_load(gate, named):
    one, two = named("one"), named("two")
    gate = gate(*http(one, two))
    with HttpTraffic(gate.port) as traffic:
        for server in (one, two) * 3:
            server.process.stop()
            traffic.wait_for(50)
            server.start()
            time.sleep(1.5)  # until it is asked again
    assert (set(traffic.statuses), traffic.failures) == ({200}, [])


def test_the_only_server_restarts(gate, named):
    """There is nobody to take over, so clients are told; and it is found again at once."""
    one = named("one")
    gate = gate(*http(one))
    assert ask(gate).status == 200
    one.process.kill()
    for _ in range(5):
        begun = time.monotonic()
        assert ask(gate).status in (502, 503)
        assert time.monotonic() - begun < 1
    one.start()
    wait_until(lambda: ask(gate).status == 200, "it is asked again", timeout=2.5)


def test_a_backup_serves_while_the_others_are_down(gate, named):
    one, two = named("one"), named("two")
    gate = gate(f"http://{one.address}\", {{ url: \"http://{two.address}\", backup: on }}, \"http://{one.address}")
    assert {ask(gate).fields["X-Server"] for _ in range(6)} == {"one"}
    one.process.kill()
    assert {ask(gate).fields["X-Server"] for _ in range(6)} == {"two"}


# Connections that are kept, and not.


def test_connections_are_kept_and_used_again(gate, web_origin):
    origin = web_origin()
    gate = gate(*http(origin))
    with HttpTraffic(gate.port) as traffic:
        traffic.wait_for(400)
    assert (set(traffic.statuses), traffic.failures) == ({200}, [])
    assert origin.accepted <= 8, "four clients at a time, of two workers"


@pytest.mark.parametrize("told", [True, False])
def test_a_server_that_closes_after_each_answer(gate, web_origin, told):
    def once(request):
        request.body()
        request.answer("x", fields=[("Connection", "close")] if told else [])
        request.hang_up()

    origin = web_origin(once)
    gate = gate(*http(origin))
    with HttpTraffic(gate.port) as traffic:
        traffic.wait_for(600)
    assert (set(traffic.statuses), traffic.failures) == ({200}, [])


def test_posts_to_a_server_that_closes_after_each_answer(gate, web_origin):
    """They are not sent twice, so nothing but a look at the connection before can help them."""
    def once(request):
        request.body()
        request.answer("x")
        request.hang_up()

    gate = gate(*http(web_origin(once)))
    for _ in range(30):
        assert ask(gate, "POST", body=b"x" * 100).status == 200
        time.sleep(0.02)


@pytest.mark.parametrize("server", ["nginx", "apache"])
def test_a_server_that_keeps_connections_for_a_second(gate, named, apache, server):
    """Clients come again at about the moment when it closes."""
    if server == "nginx":
        behind = named("one", lines="keepalive_timeout 1s; keepalive_requests 20;")
    else:
        behind = apache("one", keepalive=1, requests=20)
    gate = gate(*http(behind))
    chance = random.Random(1)
    with HttpTraffic(gate.port, clients=30, pause=lambda: chance.choice((0.001, 0.999, 1.0, 1.001, 1.002))) as traffic:
        time.sleep(10)
    assert traffic.failures == [] and 502 not in traffic.statuses and traffic.statuses.total() > 200, traffic.statuses


def test_keepalive_off_asks_each_on_a_connection_of_its_own(gate, web_origin):
    origin = web_origin()
    gate = gate(*http(origin), forward="keepalive: off")
    for _ in range(5):
        answer = ask(gate)
        assert answer.status == 200 and b'["connection", "close"]' in answer.body
    assert origin.accepted == 5


# Asking again.


def dies(request):
    """A server that ends without an answer once it has read all."""
    request.body()
    request.hang_up()


def test_a_get_without_an_answer_is_asked_elsewhere(gate, web_origin, named):
    origin = web_origin(dies)
    gate = gate(*http(origin, named("one")))
    for _ in range(4):
        assert ask(gate).fields["X-Server"] == "one"
    assert origin.seen, "it had its chance"


def test_a_post_that_has_been_sent_is_never_sent_again(gate, web_origin):
    origins = [web_origin(dies), web_origin(dies)]
    gate = gate(*http(*origins))
    for number in range(1, 5):
        assert ask(gate, "POST", f"/{number}", body=b"once").status == 502
    posts = sorted(seen[2] for origin in origins for seen in origin.seen)
    assert posts == ["/1", "/2", "/3", "/4"]


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_a_post_whose_server_is_down_goes_elsewhere(gate, web_origin, size):
    origin = web_origin()
    gate = gate(f"http://127.0.0.1:{free_port()}", *http(origin))
    for _ in range(4):
        answer = ask(gate, "POST", body=b"x" * size)
        assert answer.status == 200 and f'"size": {size}'.encode() in answer.body


def test_an_upload_that_waits_to_be_wanted_goes_elsewhere_too(gate, web_origin, tmp_path):
    (tmp_path / "upload").write_bytes(bytes(2_000_000))
    origin = web_origin()
    gate = gate(f"http://127.0.0.1:{free_port()}", *http(origin))
    for method in ("PUT", "POST"):
        done = curl(f"http://{NAME}/", gate.port, "-X", method, "-T", tmp_path / "upload", "-H", "Expect: 100-continue")
        assert '"size": 2000000' in done.stdout, done


# What servers say.


@pytest.mark.parametrize("said", [
    b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x46"])
def test_what_is_no_answer_is_502(gate, web_origin, said):
    def speak(request):
        request.send(said)
        request.hang_up()

    gate = gate(*http(web_origin(speak)))
    answer = ask(gate)
    assert answer.status == 502 and said not in answer.body
    line = gate.next_line()
    assert (line["status"], line["ended_by"]) == (502, "upstream") and line["reason"], line


@pytest.mark.parametrize("how", ["sized", "chunked"])
def test_an_answer_that_is_cut_is_not_taken_for_whole(gate, web_origin, how):
    def cut(request):
        request.head(fields=[("Content-Length", "100000")] if how == "sized" else [("Transfer-Encoding", "chunked")])
        request.send(b"x" * 5000) if how == "sized" else request.chunk(b"x" * 5000)
        request.hang_up()

    gate = gate(*http(web_origin(cut)))
    with pytest.raises((AssertionError, ValueError, ConnectionResetError)):
        ask(gate)
    done = curl(f"http://{NAME}/", gate.port)
    assert done.returncode in (18, 56) and len(done.stdout) <= 5000, done
    line = gate.next_line()
    assert line["ended_by"] == "upstream" and line["outcome"] == "closed" and line["status"] == 200, line


def test_a_server_that_does_not_answer_in_time_is_504(gate, web_origin):
    gate = gate(*http(web_origin(lambda request: time.sleep(3))), forward="first_byte: 500ms")
    begun = time.monotonic()
    assert ask(gate).status == 504
    assert 0.4 < time.monotonic() - begun < 2
    line = gate.next_line()
    assert (line["status"], line["outcome"], line["ended_by"]) == (504, "timed_out", "upstream"), line


def test_a_long_head_comes_through(gate, web_origin):
    """nginx stumbles over more than 4 KiB; sessions in cookies are larger."""
    cookies = [("Set-Cookie", f"part{number}={'x' * 3500}") for number in range(5)]
    gate = gate(*http(web_origin(lambda request: request.answer("ok", fields=cookies))))
    answer = ask(gate)
    assert (answer.status, answer.body, len(answer.all("Set-Cookie"))) == (200, b"ok", 5)


def test_hints_come_before_the_answer(gate, web_origin):
    def hints(request):
        request.send(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
        time.sleep(0.1)
        request.answer("ok")

    gate = gate(*http(web_origin(hints)))
    with gate.connect() as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request())
        first = http1.read_head(file)
        assert (first.status, first.fields["Link"]) == (103, "</style.css>; rel=preload")
        assert http1.read_answer(file).body == b"ok"
    with gate.connect() as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request(version="HTTP/1.0"))
        assert http1.read_head(file).status == 200, "HTTP/1.0 knows no interim answers"


def test_apache_and_its_compressed_files(gate, apache):
    server = apache("one")
    text = b"".join(b"line %d\n" % number for number in range(50_000))
    path = server.put_file("long.txt", text)
    gate = gate(*http(server))
    for _ in range(3):
        answer = ask(gate, "GET", path, fields=[("Accept-Encoding", "gzip")])
        assert answer.fields["Content-Encoding"] == "gzip" and gzip.decompress(answer.body) == text
        assert answer.fields["X-Server"] == "one" and answer.fields["X-Client"] == "127.0.0.1"
    assert ask(gate, "GET", path).body == text
    assert ask(gate, "HEAD", path).fields["Content-Length"] == str(len(text))
    assert ask(gate, "GET", "/moved").fields["Location"] == f"http://{NAME}/there"
    with gate.connect() as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request(target=path) * 5)
        assert all(http1.read_answer(file).body == text for _ in range(5))


# Other ways to a server.


def test_tls_to_a_server_is_verified(gate, named, authority):
    server = named(NAME, tls=True)
    gate = gate(f"https://{server.address}", more=f"tls: {{ ca_file: {authority.root}, server_name: {NAME} }}")
    body = ask(gate).body.decode()
    for told in (f"server={NAME}", "tls=TLSv1.3", f"sni={NAME}", "alpn=http/1.1"):
        assert f"{told}\n" in body


@pytest.mark.parametrize("tls, reason", [
    ("server_name: a.example.test", "issuer"),
    ("ca_file: $root, server_name: b.example.test", "hostname mismatch"),
    (f"ca_file: $root, server_name: a.example.test, pins: [sha256/{'A' * 43}=]", "pin")])
def test_a_server_that_is_not_trusted_gets_no_request(gate, named, authority, tls, reason):
    server = named(NAME, tls=True)
    gate = gate(f"https://{server.address}", more=f"tls: {{ {tls.replace('$root', str(authority.root))} }}")
    answer = ask(gate, "POST", body=b"secret")
    assert answer.status == 502 and b"server=" not in answer.body and server.address.encode() not in answer.body
    line = gate.next_line()
    assert (line["status"], line["outcome"], line["ended_by"]) == (502, "untrusted", "upstream")
    assert reason in line["reason"], line
    gate.wait_for_message("level=warning .*untrusted")
    assert '"POST' not in server.access_log()


def test_an_expired_server_is_told_as_such(gate, named, authority):
    server = named(NAME, tls=True, certificate=authority.expired(NAME))
    gate = gate(f"https://{server.address}", more=f"tls: {{ ca_file: {authority.root}, server_name: {NAME} }}")
    assert ask(gate).status == 502
    assert "expired" in gate.next_line()["reason"]


def test_plain_http_to_a_server_that_speaks_tls(gate, named):
    """What it says of that comes back as it is; the other way round is a failed handshake."""
    server, other = named(NAME, tls=True), named("b.example.test")
    assert ask(gate(*http(server))).status == 400
    gate = gate(f"https://{other.address}", more="tls: { verify: off }")
    assert ask(gate).status == 502
    assert gate.next_line()["outcome"] == "handshake"


def test_a_socket_through_tls_and_a_parent(lockgate, web_origin, squid, authority):
    """WebSocket, to a server whose certificate is verified, through a tunnel of Squid."""
    origin = web_origin(websocket.echo, certificate=authority.certificate(NAME))
    parent = squid(names={NAME: "127.0.0.1"})
    gate = lockgate("""
parents: { squid: { url: "http://$parent" } }
upstreams:
  web: { endpoints: ["https://a.example.test:$to"], via: squid, tls: { ca_file: $root } }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], plain: { to: web } }
""", parent=parent.address, to=origin.port, root=authority.root)
    with gate.connect() as sock:
        there = websocket.connect(sock, NAME)
        for size in (10, 300_000):
            there.send(bytes(size))
            assert there.frame().content == bytes(size)
        there.close()
        assert there.frame().kind == websocket.CLOSE and there.at_end()


def test_a_server_on_a_unix_socket(gate, named, tmp_path):
    path = tmp_path / "web.sock"
    named("one", lines=f"listen unix:{path};")
    gate = gate(f"unix:{path}")
    with HttpTraffic(gate.port) as traffic:
        traffic.wait_for(100)
    assert (set(traffic.served), traffic.failures) == ({"one"}, [])
    assert f"host={NAME}\n" in ask(gate).body.decode()
    assert gate.next_line()["endpoint"] == f"unix:{path}"


def test_a_server_on_a_unix_socket_has_no_name_of_its_own(gate, named, tmp_path):
    path = tmp_path / "web.sock"
    named("one", lines=f"listen unix:{path};")
    gate = gate(f"unix:{path}", forward="host: upstream")
    assert ask(gate).status == 200
    with gate.connect() as sock, sock.makefile("rb") as file:
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert http1.read_answer(file).status == 200


def test_each_request_tells_its_own_client_by_the_proxy_protocol(lockgate, named):
    server = named("one", proxy_protocol=True)
    gate = lockgate("""
defaults:
  send_proxy_protocol: v2
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], plain: { to: "http://$to" } }
""", to=server.address)
    clients = [(f"127.0.0.{number}", connect(gate.port, source=f"127.0.0.{number}")) for number in range(2, 12)]
    for _ in range(3):
        for address, sock in clients:
            with sock.makefile("rb") as file:
                sock.sendall(http1.request())
                assert f"client={address}\n" in http1.read_answer(file).body.decode()
    for _, sock in clients:
        sock.close()
    assert gate.next_line()["status"] == 200


def test_connections_that_tell_of_a_client_end_with_their_client(lockgate, named):
    """Nobody else can use them."""
    server = named("one", proxy_protocol=True)
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], plain: { to: "http://$to", send_proxy_protocol: v2 } }
""", to=server.address)
    before = proc.descriptors(gate.process.pid)
    for _ in range(100):
        assert ask(gate).status == 200
    wait_until(lambda: proc.descriptors(gate.process.pid) < before + 10, "they are closed")


def test_a_second_try_has_its_own_time_to_connect(lockgate, authority, web_origin):
    """The first one has not failed before it was over."""
    requests = []

    def breaks_off_late(request):
        requests.append(request)
        if len(requests) != 2:
            return request.answer("well")
        time.sleep(1.2)
        request.hang_up()

    server = web_origin(breaks_off_late, certificate=authority.certificate(NAME), hesitates=0.1)
    gate = lockgate("""
workers: 1
upstreams:
  web: { endpoints: ["https://$to"], tls: { ca_file: $root, server_name: a.example.test } }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], timeouts: { connect: 1s }, plain: { to: web } }
""", to=server.address, root=authority.root)
    assert [ask(gate).status for _ in range(2)] == [200, 200]


def test_a_connection_that_tells_of_nobody_is_not_used_for_who_is_told_of(lockgate, web_origin):
    origin = web_origin()
    gate = lockgate("""
workers: 1
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [told.example.test], plain: { to: "http://$to", send_proxy_protocol: v1 } }
      - { names: [default], plain: { to: "http://$to" } }
""", to=origin.address)
    assert ask(gate).status == 200
    ask(gate, host="told.example.test")
    assert origin.accepted == 2


def test_the_proxy_protocol_goes_before_tls(lockgate, nginx, authority):
    server = nginx(NAME, proxy_protocol=True)
    gate = lockgate("""
upstreams:
  web: { endpoints: ["https://$to"], tls: { ca_file: $root, server_name: a.example.test } }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], plain: { to: web, send_proxy_protocol: v1 } }
""", to=server.address, root=authority.root)
    for number in (2, 3, 2):
        done = curl(f"http://{NAME}/", gate.port, "--interface", f"127.0.0.{number}")
        assert f"client=127.0.0.{number}\n" in done.stdout and "tls=TLSv1.3\n" in done.stdout, done
