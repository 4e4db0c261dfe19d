"""The real programs work without Lockgate between them; where one of these fails, look at the machine first."""
import imaplib
import socket

from parts import http1, proxy_header, socks, websocket
from parts.browsers import chromium, curl, curl_through, gnutls_cli, nghttp, s_client
from parts.client_hello import ClientHello
from parts.metrics import Metrics
from parts.redis import redis_cli
from parts.sockets import connect, first_line, read_to_end
from parts.waiting import wait_until


def test_nginx_answers_curl_openssl_and_chromium(nginx, authority):
    server = nginx("a.example.test")
    done = curl("https://a.example.test/", server.port, root=authority.root)
    assert "server=a.example.test" in done.stdout, done
    done = s_client(server.port, "-servername", "a.example.test", "-CAfile", authority.root, "-brief")
    assert "Verification: OK" in done.stdout
    assert "server=a.example.test" in chromium("https://a.example.test/", "a.example.test", server.port)


def test_nginx_answers_gnutls_and_nghttp(nginx, authority):
    server = nginx("a.example.test", http2=True)
    done = gnutls_cli(server.port, "a.example.test", root=authority.root, stdin="GET / HTTP/1.0\r\n\r\n")
    assert "server=a.example.test" in done.stdout, done
    assert ":status: 200" in nghttp(server.port, "a.example.test").stdout


def test_java_speaks_tls_1_0_with_nginx(nginx, java, authority):
    server = nginx("a.example.test", certificate=authority.certificate("a.example.test", "rsa"), protocols="TLSv1",
                   lines="ssl_ciphers ALL:@SECLEVEL=0;")
    done = java.get(server.port, "SSLv2Hello", "TLSv1")
    assert "protocol=TLSv1\n" in done.stdout and "tls=TLSv1\n" in done.stdout, done


def test_java_asks_and_talks_to_a_server_of_ours(web_origin, java):
    assert java.fetch(f"http://localhost:{web_origin().port}/x").stdout.count("HTTP_1_1 200\n") == 5
    said = java.talk(f"ws://localhost:{web_origin(websocket.echo).port}/socket").stdout
    assert said.splitlines() == ["text 5", "text 200000", "pong 4", "closed 1000"], said


def test_apache_answers_curl(apache):
    server = apache("one")
    done = curl(f"http://a.example.test{server.put_file('hello', b'hello')}", server.port, "-i")
    assert done.stdout.endswith("\n\nhello") and "\nX-Server: one\n" in done.stdout, done


def test_our_server_answers_curl_by_tls(web_origin, authority):
    server = web_origin(certificate=authority.certificate("a.example.test"))
    done = curl("https://a.example.test/x", server.port, "-d", "y=1", root=authority.root)
    assert '"target": "/x"' in done.stdout and '"size": 3' in done.stdout, done


def test_our_two_ends_of_a_websocket_understand_each_other(web_origin):
    assert websocket.accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "RFC 6455, 1.3"
    with connect(web_origin(websocket.echo).port) as sock:
        there = websocket.connect(sock, "a.example.test")
        for size in (0, 125, 126, 65536):
            there.send(b"x" * size)
            assert there.frame() == websocket.Frame(websocket.BINARY, b"x" * size)
        there.close()
        assert there.frame().kind == websocket.CLOSE and there.at_end()


def test_requests_by_hand_are_answered_by_nginx(nginx):
    server = nginx("a.example.test", tls=False)
    with connect(server.port) as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request() * 3)
        assert [http1.read_answer(file).status for _ in range(3)] == [200] * 3


def test_redis_answers_its_client(redis):
    assert redis_cli(redis.port, "ping").stdout == "PONG\n"


def test_haproxy_says_to_nginx_who_the_client_is(nginx, haproxy, authority):
    server = nginx("a.example.test", proxy_protocol=True)
    front = haproxy(server.address)
    done = curl("https://a.example.test/", front.port, "--interface", "127.0.0.9", root=authority.root)
    assert "client=127.0.0.9\n" in done.stdout, done
    wait_until(lambda: "127.0.0.9 127.0.0.1" in server.access_log(), "nginx tells it")


def test_squid_opens_tunnels_to_names_that_it_knows(nginx, squid, authority):
    server = nginx("a.example.test")
    parent = squid(names={"a.example.test": "127.0.0.1"}, denied_ports=(7,))
    url = f"https://a.example.test:{server.port}/"
    done = curl_through(f"http://{parent.address}", url, root=authority.root)
    assert "server=a.example.test" in done.stdout, done
    line = f"127.0.0.1 CONNECT a.example.test:{server.port} 200 -"
    wait_until(lambda: line in parent.access_log(), "Squid's line about the tunnel")
    for nowhere, why in (("b.example.test", "ERR_CANNOT_FORWARD"), ("127.0.0.1:1", "ERR_CONNECT_FAIL")):
        done = curl_through(f"http://{parent.address}", f"https://{nowhere}/", "-v")
        assert f"X-Squid-Error: {why}" in done.stderr, done


def test_squid_wants_the_password(nginx, squid, authority):
    server = nginx("a.example.test")
    parent = squid(names={"a.example.test": "127.0.0.1"}, login=("user", "the password"))
    url = f"https://a.example.test:{server.port}/"
    done = curl_through(f"http://user:the%20password@{parent.address}", url, root=authority.root)
    assert "server=a.example.test" in done.stdout, done
    wait_until(lambda: "200 user" in parent.access_log(), "Squid's line about the user")
    for wrong in (f"http://{parent.address}", f"http://user:wrong@{parent.address}"):
        done = curl_through(wrong, url, "-v", root=authority.root)
        assert "407 Proxy Authentication Required" in done.stderr and "Proxy-Authenticate: Basic" in done.stderr, done


def test_squid_says_what_it_forbids_on_a_page(squid):
    parent = squid(denied_ports=(7,))
    with connect(parent.port) as sock:
        sock.sendall(b"CONNECT 127.0.0.1:7 HTTP/1.1\r\nHost: 127.0.0.1:7\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        answer = read_to_end(sock)
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n") and b"Access Denied." in answer


def test_squid_takes_tls(nginx, squid, authority):
    server = nginx("a.example.test")
    parent = squid(tls="parent.example.test", names={"a.example.test": "127.0.0.1"})
    done = curl_through(f"https://parent.example.test:{parent.port}", f"https://a.example.test:{server.port}/",
                        "--resolve", f"parent.example.test:{parent.port}:127.0.0.1", root=authority.root)
    assert "server=a.example.test" in done.stdout, done


def test_microsocks_opens_tunnels_for_who_has_the_password(nginx, microsocks, authority):
    server = nginx("a.example.test")
    to_it = ("--connect-to", f"a.example.test::127.0.0.1:{server.port}")
    anybody, known = microsocks(), microsocks("known", login=("user", "password"))
    for parent in (anybody.address, f"user:password@{known.address}"):
        done = curl_through(f"socks5h://{parent}", "https://a.example.test/", *to_it, root=authority.root)
        assert "server=a.example.test" in done.stdout, done
    for parent in (known.address, f"user:wrong@{known.address}"):
        done = curl_through(f"socks5h://{parent}", "https://a.example.test/", *to_it, root=authority.root)
        assert done.returncode == 97, done  # CURLE_PROXY


def test_scripted_socks_answers_as_told(nginx, scripted_socks, authority):
    server = nginx("a.example.test")
    parent = scripted_socks(method=socks.LOGIN, to=server.port)
    done = curl_through(f"socks5h://user:password@{parent.address}", "https://a.example.test/", root=authority.root)
    assert "server=a.example.test" in done.stdout, done
    assert parent.requests == [("a.example.test", 443)] and parent.logins == [("user", "password")]
    refusing = scripted_socks(reply=b"\5\4\0\1" + bytes(6))
    done = curl_through(f"socks5h://{refusing.address}", "https://a.example.test/")
    assert done.returncode == 97 and "(4)" in done.stderr, done


def test_sshd_lets_the_user_key_in(sshd):
    done = sshd.run(sshd.port, "echo", "inside")
    assert done.stdout == "inside\n", done.stderr


def test_dovecot_lets_its_user_in(dovecot):
    with imaplib.IMAP4("127.0.0.1", dovecot.port, timeout=5) as mail:
        assert mail.login(dovecot.user, dovecot.password)[0] == "OK"
        assert mail.select()[0] == "OK"


def test_dnsmasq_counts_its_questions(dnsmasq):
    dnsmasq.host("a.example.test", "127.0.0.5").start()
    query = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x01a\x07example\x04test\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.sendto(query, ("127.0.0.1", dnsmasq.port))
        assert socket.inet_aton("127.0.0.5") in sock.recv(512)
    assert dnsmasq.questions("a.example.test") == 1


def test_built_hellos_are_understood_by_a_real_server(nginx):
    server = nginx("a.example.test")
    for built in (ClientHello(names=("a.example.test",)).records(), ClientHello(alpn=("http/1.1",)).records(50)):
        with connect(server.port) as sock:
            sock.sendall(built)
            assert sock.recv(1) == b"\x16", "no ServerHello"


def test_proxy_headers_are_read_as_they_are_written():
    near, far = socket.socketpair()
    with near, far:
        extra = proxy_header.tlv(proxy_header.AUTHORITY, b"a.example.test")
        near.sendall(proxy_header.v2(("::1", 1), ("::2", 2), extra) + proxy_header.v1(("1.2.3.4", 5), ("6.7.8.9", 10)))
        assert proxy_header.read(far).tlvs == {proxy_header.AUTHORITY: b"a.example.test"}
        assert proxy_header.read(far).source == ("1.2.3.4", 5)


def test_an_echo_origin_says_its_name(echo):
    with connect(echo("a").port) as sock:
        sock.sendall(b"anything")
        assert first_line(sock) == "a"


def test_metrics_are_read_strictly():
    assert Metrics('# TYPE a counter\na{x="1",y="\\""} 2\na{x="2"} 3\n').total("a") == 5
