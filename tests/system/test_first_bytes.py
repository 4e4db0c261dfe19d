"""What clients say first, however they say it: each case has one outcome, for the client, in the log and in metrics.

The hellos are built byte by byte; the test plays the server, which must get what the client sent, unchanged.
"""
import random
import re
import socket
import time

import pytest

from parts.browsers import curl, s_client
from parts.client_hello import ClientHello, hello, record, sslv2_hello, vector
from parts.sockets import first_line, is_cut, read_alert, read_exactly, read_to_end

NAME = "a.example.test"
DECODE_ERROR, ILLEGAL_PARAMETER, UNRECOGNIZED_NAME = 50, 47, 112
BY_NAME = """
listeners:
  - bind: "127.0.0.1:$port"
    timeouts: { hello: 500ms }
    sites:
      - names: [a.example.test]
        pass: { to: "tcp://$to" }
"""
WITH_DEFAULT = """
listeners:
  - bind: "127.0.0.1:$port"
    $option
    sites:
      - { names: [a.example.test], pass: { to: "tcp://$named" } }
      - { names: [default], pass: { to: "tcp://$default" } }
"""


@pytest.fixture
def gate(lockgate, origin):
    return lockgate(BY_NAME, to=origin.address)


@pytest.fixture
def two(lockgate, echo):
    """A server for the name and one for the rest; each says which it is."""
    return lambda option="": lockgate(WITH_DEFAULT, option=option, named=echo("named").address,
                                      default=echo("default").address)


def chosen(gate, sent):
    """Which of the two servers takes a connection that begins with these bytes."""
    with gate.connect() as client:
        client.sendall(sent)
        return first_line(client)


def arrives(gate, origin, sent, pieces):
    """Sends `sent` in pieces; true if the origin gets it, bit by bit."""
    with gate.connect() as client:
        at = 0
        for size in pieces:
            client.sendall(sent[at:at + size])
            at += size
        client.sendall(sent[at:])
        with origin.accept() as server:
            return read_exactly(server, len(sent)) == sent


# How a hello is cut.


def test_a_hello_in_segments_of_one_byte(gate, origin):
    sent = hello(NAME)
    assert arrives(gate, origin, sent, [1] * len(sent))
    assert gate.next_line()["bytes_up"] == len(sent)


def test_a_hello_in_two_segments_cut_anywhere(gate, origin):
    sent = hello(NAME)
    for cut in [1, 4, 5, 6, 9, *random.Random(1).sample(range(10, len(sent)), 8), len(sent) - 1]:
        with gate.connect() as client:
            client.sendall(sent[:cut])
            time.sleep(0.005)
            client.sendall(sent[cut:])
            with origin.accept() as server:
                assert read_exactly(server, len(sent)) == sent, f"cut at {cut}"


@pytest.mark.parametrize("size", [1, 3, 50, 255])
def test_a_hello_spread_over_many_records(gate, origin, size):
    assert arrives(gate, origin, ClientHello(names=(NAME,)).records(size), [])
    assert gate.next_line()["name"] == NAME


@pytest.mark.parametrize("padding", [1_500, 9_000, 40_000])
def test_a_hello_of_post_quantum_size_and_beyond(gate, origin, padding):
    assert arrives(gate, origin, hello(NAME, padding=padding), [1400] * (padding // 1400))


def test_what_follows_the_hello_at_once_is_not_lost(gate, origin):
    sent = hello(NAME) + record(b"early data", kind=0x17) * 500
    assert arrives(gate, origin, sent, [])


def test_a_client_that_finishes_after_its_hello_is_served(gate, origin):
    with gate.connect() as client:
        client.sendall(hello(NAME))
        client.shutdown(socket.SHUT_WR)
        with origin.accept() as server:
            assert read_to_end(server)[:1] == b"\x16"
            server.sendall(b"answer")
        assert read_to_end(client) == b"answer"
    assert gate.next_line()["outcome"] == "finished"


# Which name it is.


@pytest.mark.parametrize("name", ["A.Example.TEST", "a.example.test.", "A.EXAMPLE.TEST."])
def test_case_and_a_trailing_dot_make_no_difference(two, name):
    gate = two()
    assert chosen(gate, hello(name)) == "named"
    assert gate.next_line()["name"] == NAME


def test_openssl_reaches_a_server_by_a_name_in_mixed_case(nginx, lockgate, authority):
    gate = lockgate(BY_NAME, to=nginx(NAME).address)
    done = s_client(gate.port, "-servername", "A.example.TEST", "-CAfile", authority.root, "-brief")
    assert "Verification: OK" in done.stdout


@pytest.mark.parametrize("sent", [hello(), hello("192.0.2.1"), hello("2001:db8::1"), sslv2_hello(),
                                  hello("b.example.test"), ClientHello(versions=()).records()],
                         ids=["no name", "IPv4 as name", "IPv6 as name", "SSLv2 format", "unknown name", "TLS 1.2"])
def test_what_has_no_name_of_ours_takes_the_default(two, sent):
    assert chosen(two(), sent) == "default"


@pytest.mark.parametrize("sent", [hello(), hello("192.0.2.1"), sslv2_hello()], ids=["none", "address", "SSLv2 format"])
def test_without_a_name_one_can_be_assumed(two, sent):
    assert chosen(two("no_sni: a.example.test"), sent) == "named"


def test_an_assumed_name_is_not_given_to_unknown_names(two):
    assert chosen(two("no_sni: a.example.test"), hello("b.example.test")) == "default"


def test_a_name_that_no_site_takes_is_told_so(gate, origin):
    with gate.open("b.example.test") as client:
        assert read_alert(client) == UNRECOGNIZED_NAME
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"], line["name"]) == ("no_site", "here", "b.example.test")
    assert origin.saw_nobody(0.05)
    with gate.connect() as client:
        client.sendall(hello())
        assert read_alert(client) == UNRECOGNIZED_NAME


def test_the_longest_wildcard_wins_and_exact_names_before_it(lockgate, echo):
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], pass: { to: "tcp://$default" } }
      - { names: ["*.example.test"], pass: { to: "tcp://$short" } }
      - { names: ["*.deep.example.test"], pass: { to: "tcp://$long" } }
      - { names: [www.deep.example.test], pass: { to: "tcp://$exact" } }
""", **{name: echo(name).address for name in ("default", "short", "long", "exact")})
    assert chosen(gate, hello("www.deep.example.test")) == "exact"
    assert chosen(gate, hello("x.y.deep.example.test")) == "long"
    assert chosen(gate, hello("deep.example.test")) == "short"
    assert chosen(gate, hello("example.test")) == "default"
    assert {line["name"]: line["why"] for line in gate.next_lines(4)} == {
        "www.deep.example.test": "name www.deep.example.test",
        "x.y.deep.example.test": "name *.deep.example.test",
        "deep.example.test": "name *.example.test",
        "example.test": "default"}


# What else a hello can be chosen by.


def test_acme_challenges_go_their_own_way(lockgate, echo):
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [a.example.test], match: { alpn: [acme-tls/1] }, pass: { to: "tcp://$acme" } }
      - { names: [a.example.test], pass: { to: "tcp://$web" } }
""", acme=echo("acme").address, web=echo("web").address)
    assert chosen(gate, hello(NAME, alpn=("acme-tls/1",))) == "acme"
    assert chosen(gate, hello(NAME, alpn=("h2", "http/1.1"))) == "web"
    assert chosen(gate, hello(NAME)) == "web"
    assert gate.line_of(alpn="acme-tls/1")["verdict"] == "pass"


def test_a_client_is_known_by_its_fingerprint(lockgate, echo):
    known = ClientHello(names=(NAME,), alpn=("h2",), ciphers=(0x1301, 0xC030, 0x009D))
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], match: { ja4: ["$ja4"] }, reject: { with: reset } }
      - { names: [default], pass: { to: "tcp://$to" } }
""", ja4=known.ja4(), to=echo("served").address)
    assert chosen(gate, hello(NAME)) == "served"
    assert gate.next_line()["ja4"] == ClientHello(names=(NAME,)).ja4()
    with gate.connect() as client:
        client.sendall(known.records())
        assert is_cut(client)
    line = gate.next_line()
    assert (line["outcome"], line["ja4"]) == ("rejected", known.ja4())


def test_clients_are_told_apart_by_network(lockgate, echo):
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [a.example.test], match: { clients: [127.0.1.0/24] }, pass: { to: "tcp://$inside" } }
      - { names: [a.example.test], pass: { to: "tcp://$outside" } }
""", inside=echo("inside").address, outside=echo("outside").address)
    for source, server in (("127.0.1.9", "inside"), ("127.0.2.9", "outside")):
        with gate.open(NAME, source=source) as client:
            assert first_line(client) == server


# Rejections.


@pytest.mark.parametrize("manner", ["alert", "reset", "silence"])
def test_a_rejection_is_said_as_configured(lockgate, manner):
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], reject: { with: $manner } }
""", manner=manner)
    with gate.open(NAME) as client:
        if manner == "alert":
            assert read_alert(client) == UNRECOGNIZED_NAME
        elif manner == "reset":
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        else:
            assert read_to_end(client) == b""
    line = gate.next_line()
    assert (line["verdict"], line["outcome"], line["ended_by"]) == ("reject", "rejected", "here")


# What is no hello, or never becomes one.


def test_plain_http_gets_an_answer_in_words(gate, origin):
    done = curl(f"http://{NAME}/", gate.port, "-i")
    assert re.match(r"HTTP/1\.1 4(00|21) ", done.stdout)
    assert "https" in done.stdout
    line = gate.next_line()
    assert (line["tls"], line["outcome"]) == ("plain", "no_site")
    assert origin.saw_nobody(0.05)


def test_a_silent_client_is_given_up(gate):
    begun = time.monotonic()
    with gate.connect() as client:
        assert is_cut(client)
    assert 0.4 < time.monotonic() - begun < 2
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"]) == ("timed_out", "here")
    assert line["reason"].startswith("reading the hello")


def test_a_client_that_trickles_its_hello_is_given_up_in_the_same_time(gate):
    begun = time.monotonic()
    with gate.connect() as client:
        try:
            for byte in hello(NAME, padding=2_000):
                client.sendall(bytes([byte]))
                time.sleep(0.05)
        except OSError:
            pass
    assert 0.4 < time.monotonic() - begun < 2
    assert gate.next_line()["outcome"] == "timed_out"


def test_a_client_that_goes_away_before_its_hello_is_logged(gate):
    with gate.connect() as client:
        client.sendall(hello(NAME)[:50])
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"]) == ("closed", "client")


def test_a_connection_without_a_byte_is_logged(gate):
    gate.connect().close()
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"]) == ("closed", "client")
    assert line["bytes_up"] == 0


GARBAGE = {
    "a binary protocol": bytes(range(200, 256)) * 20,
    "another record": record(b"\0" * 20, kind=0x17),
    "another handshake message": record(b"\x02" + vector(3, bytes(40))),
    "an empty record": record(b"") + hello(NAME),
    "a list longer than its message": record(b"\x01" + vector(3, b"\x03\x03" + bytes(32) + b"\0\xff\xff")),
    "two names": ClientHello(names=(NAME, "b.example.test")).records(),
    "a name with a NUL": ClientHello(names=(b"a.example.test\0.evil.test",)).records(),
    "a name of no bytes": ClientHello(names=("",)).records(),
    "an extension twice": ClientHello(names=(NAME,), more=[(16, vector(2, vector(1, b"h2")))] * 2).records(),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_is_refused_cleanly(gate, origin, what):
    with gate.connect() as client:
        client.sendall(GARBAGE[what])
        answer = b""
        try:
            answer = read_to_end(client)
        except ConnectionResetError:
            pass
    assert answer == b"" or (answer[0] == 21 and answer[6] in (10, DECODE_ERROR, ILLEGAL_PARAMETER, 70)), answer
    line = gate.next_line()
    assert line["outcome"] in ("bad_message", "no_site"), line
    assert line["reason"]
    assert origin.saw_nobody(0.05)


def test_a_broken_hello_is_answered_with_an_alert(gate):
    with gate.connect() as client:
        client.sendall(GARBAGE["a list longer than its message"])
        assert read_alert(client) in (DECODE_ERROR, ILLEGAL_PARAMETER)


def test_a_hello_that_claims_too_much_is_refused_before_it_arrives(gate):
    with gate.connect() as client:
        client.sendall(record(b"\x01\xff\xff\xff" + bytes(1000)))
        assert is_cut(client)
    line = gate.next_line()
    assert line["outcome"] == "too_large"
    assert line["duration_ms"] < 400


def test_the_limit_of_a_hello_can_be_lowered(two):
    gate = two("hello_limit: 2KiB")
    assert chosen(gate, hello(NAME, padding=1_000)) == "named"
    with gate.connect() as client:
        client.sendall(hello(NAME, padding=3_000))
        assert is_cut(client)
    assert {line["outcome"] for line in gate.next_lines(2)} == {"finished", "too_large"}


def test_many_strange_clients_leave_the_gate_as_it_was(gate, origin):
    chance = random.Random(2)
    for _ in range(200):
        sent = bytearray(hello(NAME))
        for _ in range(chance.randint(1, 4)):
            sent[chance.randrange(9)] = chance.randrange(256)
        with gate.connect() as client:
            client.sendall(sent[:chance.randint(1, len(sent))])
    assert arrives(gate, origin, hello(NAME), [])
    gate.next_lines(201)
    assert gate.metrics().total("lockgate_connections") == 0


def test_refusals_are_counted(gate):
    for _ in range(3):
        with gate.open("b.example.test") as client:
            read_alert(client)
    gate.next_lines(3)
    assert gate.metrics().total("lockgate_connections_total", outcome="no_site") == 3
