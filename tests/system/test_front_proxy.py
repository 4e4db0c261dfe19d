"""PROXY protocol on both sides: believed only from named networks, sent to the servers that want it.

A real HAProxy in front sends PROXY v1 and v2; scripted senders send what no proxy should. The test plays the server
where it must see the header that Lockgate writes.
"""
import time

import pytest

from parts import proxy_header
from parts.browsers import curl
from parts.client_hello import hello
from parts.proxy_header import tlv
from parts.sockets import first_line, is_cut, read_exactly

NAME = "a.example.test"
GATE = """
listeners:
  - bind: ["127.0.0.1:$port", "[::1]:$port"]
    accept_proxy_protocol: { from: $trusted, optional_from: $optional }
    timeouts: { proxy_header: 400ms }
    sites:
      - names: [default]
        pass: { to: "tcp://$to", send_proxy_protocol: $send, proxy_tlvs: $tlvs }
"""
CLIENT, SERVER = ("192.0.2.77", 4711), ("198.51.100.1", 443)
CLIENT6, SERVER6 = ("2001:db8::77", 4711), ("2001:db8::1", 443)


@pytest.fixture
def gate(lockgate):
    def make(to, trusted="[127.0.0.1]", optional="[]", send="off", tlvs="[]"):
        return lockgate(GATE, to=to.address, trusted=trusted, optional=optional, send=send, tlvs=tlvs)

    return make


def header_seen(gate, origin, opening, source=None):
    """Sends `opening` and a hello; the header with which the origin is greeted, and the connection's log line."""
    first = hello(NAME)
    with gate.connect(source=source) as client:
        client.sendall(opening + first)
        with origin.accept() as server:
            header = proxy_header.read(server)
            assert read_exactly(server, len(first)) == first, "the hello does not follow the header unchanged"
    return header, gate.next_line()


# A real proxy in front.


@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2"])
def test_behind_haproxy_the_server_sees_the_first_client(nginx, haproxy, gate, authority, version):
    server = nginx(NAME, proxy_protocol=True)
    gate = gate(server, send="v2")
    front = haproxy(f"127.0.0.1:{gate.port}", header=version)
    done = curl(f"https://{NAME}/", front.port, "--interface", "127.0.0.9", root=authority.root)
    assert "client=127.0.0.9\n" in done.stdout, done
    line = gate.line_of(name=NAME)
    assert line["client"].startswith("127.0.0.9:")
    assert line["peer"].startswith("127.0.0.1:")


def test_behind_haproxy_an_ipv6_client_stays_an_ipv6_client(nginx, haproxy, gate, authority):
    server = nginx(NAME, proxy_protocol=True)
    gate = gate(server, send="v1")
    front = haproxy(f"127.0.0.1:{gate.port}")
    done = curl(f"https://{NAME}/", front.port, address="::1", root=authority.root)
    assert "client=::1\n" in done.stdout, done


# Who is believed.


def test_a_header_from_a_stranger_is_refused(gate, origin):
    gate = gate(origin, trusted="[10.0.0.0/8]")
    with gate.connect() as client:
        client.sendall(proxy_header.v2(CLIENT, SERVER) + hello(NAME))
        assert is_cut(client)
    assert origin.saw_nobody()
    line = gate.next_line()
    assert line["outcome"] in ("bad_message", "no_site")
    assert line["client"] == line["peer"], "the forged address must not be believed"


def test_a_trusted_sender_must_send_a_header(gate, origin):
    gate = gate(origin)
    with gate.open(NAME) as client:
        assert is_cut(client)
    assert origin.saw_nobody()
    assert gate.next_line()["outcome"] == "bad_message"


def test_from_optional_networks_both_are_served(gate, origin):
    gate = gate(origin, trusted="[10.0.0.5]", optional="[127.0.0.0/8]", send="v2")
    header, line = header_seen(gate, origin, proxy_header.v1(CLIENT, SERVER))
    assert header.source == CLIENT and line["client"] == "192.0.2.77:4711"
    header, line = header_seen(gate, origin, b"", source="127.0.0.8")
    assert header.source[0] == "127.0.0.8" and line["client"].startswith("127.0.0.8:")


def test_a_silent_trusted_sender_is_given_up(gate, origin):
    gate = gate(origin)
    begun = time.monotonic()
    with gate.connect() as client:
        client.sendall(b"PROXY TCP4 192")
        assert is_cut(client)
    assert 0.3 < time.monotonic() - begun < 2
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"]) == ("timed_out", "here")
    assert "PROXY header" in line["reason"]


# What a header may look like.


@pytest.mark.parametrize("write", [proxy_header.v1, proxy_header.v2])
@pytest.mark.parametrize("send, version", [("v1", 1), ("v2", 2)])
def test_addresses_are_handed_on_in_either_version(gate, origin, write, send, version):
    gate = gate(origin, send=send)
    for source, destination in ((CLIENT, SERVER), (CLIENT6, SERVER6)):
        header, _ = header_seen(gate, origin, write(source, destination))
        assert header.version == version
        assert (header.source, header.destination) == (source, destination)


def test_mapped_addresses_are_handed_on_as_ipv4(gate, origin):
    gate = gate(origin, send="v1")
    header, line = header_seen(gate, origin, proxy_header.v2(("::ffff:192.0.2.77", 4711), ("::ffff:198.51.100.1", 443)))
    assert (header.source, header.destination) == (CLIENT, SERVER)
    assert line["client"] == "192.0.2.77:4711"


@pytest.mark.parametrize("opening", [proxy_header.v2_local(), proxy_header.v2_local(bytes(40)), b"PROXY UNKNOWN\r\n",
                                     b"PROXY UNKNOWN 1.2.3.4 what ever\r\n"])
def test_a_proxy_that_speaks_for_itself_is_the_client(gate, origin, opening):
    header, line = header_seen(gate(origin, send="v1"), origin, opening)
    assert header.source[0] == "127.0.0.1"
    assert line["client"] == line["peer"]


def test_a_header_may_come_byte_by_byte(gate, origin):
    gate = gate(origin, send="v2")
    first = hello(NAME)
    with gate.connect() as client:
        for byte in proxy_header.v1(CLIENT, SERVER) + first[:20]:
            client.sendall(bytes([byte]))
            time.sleep(0.001)
        client.sendall(first[20:])
        with origin.accept() as server:
            assert proxy_header.read(server).source == CLIENT
            assert read_exactly(server, len(first)) == first


@pytest.mark.parametrize("opening", [
    b"PROXY TCP4 192.0.2.77 198.51.100.1 99999 443\r\n",
    b"PROXY TCP4 2001:db8::1 198.51.100.1 1 443\r\n",
    b"PROXY TCP4 192.0.2.77 198.51.100.1 4711 443\n" + b"x" * 120,
    b"PROXY UNKNOWN " + b"x" * 120 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    proxy_header.SIGNATURE + b"\x11\x11\x00\x0c" + bytes(12),  # version 1 in the format of version 2
    proxy_header.SIGNATURE + b"\x22\x11\x00\x0c" + bytes(12),  # an unknown command
    proxy_header.SIGNATURE + b"\x21\x11\x00\x04" + bytes(4),  # too short for its addresses
    proxy_header.v2(CLIENT, SERVER, tlv(proxy_header.CRC32C, b"\1\2\3\4")),  # a checksum that is wrong
    proxy_header.v2(CLIENT, SERVER, b"\x05\xff\xff"),  # a TLV that is longer than the header
], ids=range(10))
def test_a_broken_header_is_refused_and_logged(gate, origin, opening):
    gate = gate(origin)
    with gate.connect() as client:
        client.sendall(opening + hello(NAME))
        assert is_cut(client)
    line = gate.next_line()
    assert line["outcome"] in ("bad_message", "too_large")
    assert origin.saw_nobody(0.05)


def test_tlvs_tell_the_server_what_the_client_asked_for(gate, origin):
    gate = gate(origin, send="v2", tlvs="[alpn, authority, unique_id]")
    first = hello(NAME, alpn=("h2", "http/1.1"))
    seen = []
    for _ in range(2):
        with gate.connect() as client:
            client.sendall(proxy_header.v1(CLIENT, SERVER) + first)
            with origin.accept() as server:
                seen.append(proxy_header.read(server).tlvs)
    assert seen[0][proxy_header.AUTHORITY] == NAME.encode()
    assert seen[0][proxy_header.ALPN] == b"h2"
    assert 0 < len(seen[0][proxy_header.UNIQUE_ID]) <= 128
    assert seen[0][proxy_header.UNIQUE_ID] != seen[1][proxy_header.UNIQUE_ID]


def test_a_server_that_speaks_first_gets_the_header_without_being_asked(lockgate, origin):
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    peek: off
    sites:
      - { names: default, pass: { to: "tcp://$to", send_proxy_protocol: v2 } }
""", to=origin.address)
    with gate.connect(source="127.0.0.8") as client, origin.accept() as server:
        assert proxy_header.read(server).source[0] == "127.0.0.8"
        server.sendall(b"220 ready\n")
        assert first_line(client) == "220 ready"
