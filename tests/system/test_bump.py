"""Old programs reach new servers: plain HTTP or TLS 1.0 comes in, TLS 1.3 goes out.

The server is an nginx that takes TLS 1.3 only; the old programs are curl without TLS, openssl s_client, and a Java
client with SSLv2's hello and TLS 1.0.
"""
import imaplib
import socket

import pytest

from parts.browsers import curl, s_client
from parts.ports import free_port
from parts.sockets import read_to_end

NAME = "a.example.test"
GATE = """
certificates:
  old: { chain: $chain, key: $key }
upstreams:
  web:
    endpoints: ["tls://$to"]
    tls: { ca_file: $root, profile: modern, $tls }
listeners:
  - name: http
    bind: "127.0.0.1:$port"
    sites:
      - { names: [a.example.test], plain: { to: web } }
  - name: legacy
    bind: "127.0.0.1:$legacy"
    tls: { profile: legacy, min_version: "1.0" }
    sites:
      - { names: [default], terminate: { certificate: old, to: web } }
  - name: usual
    bind: "127.0.0.1:$usual"
    sites:
      - { names: [default], terminate: { certificate: old, to: web } }
"""
REQUEST = f"GET / HTTP/1.0\r\nHost: {NAME}\r\n\r\n"
OLD = ("-tls1", "-cipher", "ALL:@SECLEVEL=0")


@pytest.fixture
def web(nginx):
    return nginx(NAME, protocols="TLSv1.3")


@pytest.fixture
def gate(lockgate, authority, web):
    """gate(...): its port takes plain HTTP, `legacy` old TLS and `usual` TLS as it is by default."""

    def make(tls=f"server_name: {NAME}"):
        certificate = authority.certificate(NAME, "rsa")
        legacy, usual = free_port(), free_port()
        gate = lockgate(GATE, to=web.address, root=authority.root, chain=certificate.chain, key=certificate.key,
                        tls=tls, legacy=legacy, usual=usual)
        gate.legacy, gate.usual = legacy, usual
        return gate

    return make


def test_plain_http_goes_on_in_tls(gate):
    gate = gate(tls="server_name: auto")
    done = curl(f"http://{NAME}/", gate.port)
    assert f"server={NAME}\n" in done.stdout and "tls=TLSv1.3\n" in done.stdout and f"sni={NAME}\n" in done.stdout, done
    line = gate.next_line()
    assert (line["listener"], line["verdict"], line["tls"], line["outcome"]) == ("http", "plain", "plain", "finished")
    assert line["upstream_tls_version"] == "1.3" and line["upstream_subject"] == f"CN={NAME}"
    assert "tls_version" not in line and "upstream_tls_alpn" not in line


def test_a_large_answer_comes_back_in_plain(gate, web):
    path = web.put_file("large", 50_000_000)
    done = curl(f"http://{NAME}{path}", gate().port, "-o", "/dev/null", "-w", "%{size_download}")
    assert done.stdout == "50000000", done


def test_a_plain_client_that_ends_first_gets_its_answer(gate):
    gate = gate()
    for _ in range(20):
        with gate.connect() as client:
            client.sendall(REQUEST.encode())
            client.shutdown(socket.SHUT_WR)
            assert f"server={NAME}\n".encode() in read_to_end(client)
    assert {line["outcome"] for line in gate.next_lines(20)} == {"finished"}


def test_a_server_that_speaks_first_is_reached_without_looking(lockgate, dovecot, authority):
    """IMAP without TLS comes in, IMAPS goes out; another gate plays its server."""
    certificate = authority.certificate(NAME)
    behind = lockgate("""
certificates: { one: { chain: $chain, key: $key } }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], terminate: { certificate: one, to: "tcp://127.0.0.1:$to" } }
""", chain=certificate.chain, key=certificate.key, to=dovecot.port)
    gate = lockgate("""
upstreams:
  mail:
    endpoints: ["tls://127.0.0.1:$to"]
    tls: { ca_file: $root, server_name: a.example.test }
listeners:
  - bind: "127.0.0.1:$port"
    peek: off
    sites:
      - { names: [default], plain: { to: mail } }
""", to=behind.port, root=authority.root)
    with imaplib.IMAP4("127.0.0.1", gate.port, timeout=10) as mail:
        assert mail.login(dovecot.user, dovecot.password)[0] == "OK"
        assert mail.select()[0] == "OK"
    assert gate.next_line()["upstream_tls_version"] == behind.next_line()["tls_version"] == "1.3"


def test_a_server_that_is_not_trusted_gives_a_page_that_says_nothing_of_it(gate):
    gate = gate(tls="server_name: other.example.test")
    done = curl(f"http://{NAME}/", gate.port, "-i")
    assert done.stdout.startswith("HTTP/1.1 502 ") and "server=" not in done.stdout, done
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"]) == ("untrusted", "upstream") and "hostname mismatch" in line["reason"]


def test_tls_1_0_of_openssl_goes_on_as_tls_1_3(gate, authority):
    gate = gate()
    done = s_client(gate.legacy, "-servername", NAME, *OLD, "-ign_eof", stdin=REQUEST)
    assert f"server={NAME}\n" in done.stdout and "tls=TLSv1.3\n" in done.stdout, done.stdout
    assert "New, TLSv1.0" in done.stdout or "Protocol  : TLSv1\n" in done.stdout
    line = gate.next_line()
    assert (line["listener"], line["tls"], line["tls_version"], line["upstream_tls_version"]) == (
        "legacy", "1.0", "1.0", "1.3")
    assert line["certificate_serial"] == authority.certificate(NAME, "rsa").serial()
    assert "CBC" in line["tls_cipher"] and line["outcome"] == "finished"


def test_rsa_key_exchange_is_there_for_those_who_know_nothing_else(gate):
    gate = gate()
    done = s_client(gate.legacy, "-servername", NAME, "-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0", "-ign_eof",
                    stdin=REQUEST)
    assert f"server={NAME}\n" in done.stdout, done.stdout
    line = gate.next_line()
    assert line["tls_cipher"] == "TLS_RSA_WITH_AES_128_CBC_SHA" and "tls_group" not in line


@pytest.mark.parametrize("protocols, version", [(("SSLv2Hello", "TLSv1"), "1.0"), (("TLSv1",), "1.0"),
                                                (("SSLv2Hello", "TLSv1.1"), "1.1")])
def test_java_of_long_ago_goes_on_as_tls_1_3(gate, java, protocols, version):
    gate = gate()
    done = java.get(gate.legacy, *protocols)
    assert f"protocol={protocols[-1]}\n" in done.stdout, done
    assert f"server={NAME}\n" in done.stdout and "tls=TLSv1.3\n" in done.stdout, done
    line = gate.next_line()
    assert (line["tls_version"], line["upstream_tls_version"]) == (version, "1.3")
    assert line["outcome"] == "finished" and "name" not in line


def test_no_other_listener_takes_old_tls(gate):
    gate = gate()
    for version, number in (("-tls1", "1.0"), ("-tls1_1", "1.1")):
        done = s_client(gate.usual, "-servername", NAME, version, "-cipher", "ALL:@SECLEVEL=0")
        assert "SSL alert number 70" in done.stdout, done.stdout
        line = gate.next_line()
        assert (line["listener"], line["tls"], line["outcome"]) == ("usual", number, "handshake")
        assert line["tls_alert_sent"] == "protocol_version" and "tls_version" not in line
    old = "AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0"
    done = s_client(gate.usual, "-servername", NAME, "-tls1_2", "-cipher", old)
    assert "SSL alert number 40" in done.stdout, "nor old ciphers"
    assert f"server={NAME}\n" in s_client(gate.usual, "-servername", NAME, "-ign_eof", stdin=REQUEST).stdout


def test_check_wants_old_tls_to_be_asked_for_by_its_name(gate):
    gate = gate()
    gate.write(GATE.replace('{ profile: legacy, min_version: "1.0" }', '{ min_version: "1.0" }'))
    done = gate.command("check")
    assert done.returncode == 2 and "TLS below 1.2 needs `profile: legacy`" in done.stderr, done
