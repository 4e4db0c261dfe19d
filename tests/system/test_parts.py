"""The real programs work without Lockgate between them; where one of these fails, look at the machine first."""
import imaplib
import socket

from parts import proxy_header
from parts.browsers import chromium, curl, s_client
from parts.client_hello import ClientHello
from parts.metrics import Metrics
from parts.sockets import connect, first_line


def test_nginx_answers_curl_openssl_and_chromium(nginx, authority):
    server = nginx("a.example.test")
    done = curl("https://a.example.test/", server.port, root=authority.root)
    assert "server=a.example.test" in done.stdout, done
    done = s_client(server.port, "-servername", "a.example.test", "-CAfile", authority.root, "-brief")
    assert "Verification: OK" in done.stdout
    assert "server=a.example.test" in chromium("https://a.example.test/", "a.example.test", server.port)


def test_haproxy_says_to_nginx_who_the_client_is(nginx, haproxy, authority):
    server = nginx("a.example.test", proxy_protocol=True)
    front = haproxy(server.address)
    done = curl("https://a.example.test/", front.port, "--interface", "127.0.0.9", root=authority.root)
    assert "client=127.0.0.9\n" in done.stdout, done
    assert "127.0.0.9 127.0.0.1" in server.access_log()


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
