"""Ten thousand clients with which no handshake can succeed, or who spoil it themselves, and what is left of them.

Each kind of client comes from an address of its own, so that the access log tells what became of it.
"""
import os
import random
import signal
import socket
import ssl
import subprocess
from collections import Counter
from contextlib import suppress
from functools import partial

import pytest

from parts import proc
from parts.browsers import curl
from parts.certificates import Authority
from parts.client_hello import ClientHello, hello, record
from parts.process import die_with_parent
from parts.sockets import reset
from parts.storm import TlsClient, storm
from parts.tls import V1_0, V1_1, V1_2, V1_3, client_context
from parts.waiting import wait_until

PLAIN, AGAIN, STAFF = "plain.example.test", "again.example.test", "staff.example.test"
GATE = """
log: { level: info }
certificates:
  one: { chain: $chain, key: $key }
upstreams:
  web: { endpoints: ["tls://$tls"], tls: { ca_file: $root } }
defaults:
  timeouts: { hello: 5s, handshake: 5s }
listeners:
  - name: front
    bind: "127.0.0.1:$port"
    sites:
      - { names: [plain.example.test], terminate: { certificate: one, to: "tcp://$to" } }
      - { names: [again.example.test], terminate: { certificate: one, to: web } }
      - names: [staff.example.test]
        tls: { client_certificate: { ask: required, ca_file: $root } }
        terminate: { certificate: one, to: "tcp://$to" }
"""
SEED = 10_000
STORM = 10_000
WAITING = 50  # of them leave it to us to end
RENEGOTIATING = 20

# How a client leaves.


def until_the_end(sock):
    """Reads until the peer finishes; a reset breaks the story."""
    while True:
        yield
        if not sock.recv(65536):
            return


def leave(sock, chance):
    """In one of the ways there are."""
    way = chance.randrange(4)
    if way == 0:
        reset(sock)
    elif way == 1:
        sock.close()
    elif way == 2:
        sock.shutdown(socket.SHUT_RDWR)
    else:
        yield from say_no_more(sock)


def say_no_more(sock):
    sock.shutdown(socket.SHUT_WR)
    yield from until_the_end(sock)


# What it says. Each kind is told its socket and its chances.


class Kinds:
    """The stories of all kinds, and which `outcomes` each may have."""

    def __init__(self, root, stranger):
        self.any_version = [client_context(root, version) for version in (V1_2, V1_3)]
        self.strangers = [client_context(root, version, certificate=stranger) for version in (V1_2, V1_3)]
        self.old = [client_context(version=version) for version in (V1_0, V1_1)]
        self.distrusting = client_context(stranger.chain)
        self.distrusting.check_hostname = False

    outcomes = {
        "random_bytes": {"no_site", "bad_message", "closed", "too_large"},
        "other_protocols": {"no_site"},
        "half_a_hello": {"closed", "reset"},
        "a_mutated_hello": {"bad_message", "no_site", "handshake", "closed", "too_large", "reset"},
        "alerts": {"no_site", "handshake", "closed", "reset"},
        "oversized_records": {"no_site", "bad_message", "too_large", "handshake"},
        "unknown_names": {"no_site", "bad_message"},
        "versions_of_old": {"handshake"},
        "nothing_in_common": {"handshake"},
        "leaves_after_the_answer": {"closed", "reset"},
        "a_wrong_finished": {"handshake"},
        "a_bad_certificate": {"handshake", "untrusted"},
        "a_distrustful_one": {"handshake"},
        "leaves_at_any_stage": {"closed", "reset", "finished"},
        "a_second_hello": {"handshake"},
    }

    def random_bytes(self, sock, chance):
        begun = chance.choice((b"", b"\x16", b"\x16\x03\x01", b"\x16\x03\x01\x01\x00\x01"))
        sock.sendall(begun + chance.randbytes(chance.randint(1, 600)))
        yield from say_no_more(sock)

    def other_protocols(self, sock, chance):
        sock.sendall(chance.choice([
            b"GET / HTTP/1.1\r\nHost: " + PLAIN.encode() + b"\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.2\r\n", b"EHLO example.test\r\n", b"\x04\x01\x01\xbb\x7f\x00\x00\x01\x00", bytes(100)]))
        yield from until_the_end(sock)

    def half_a_hello(self, sock, chance):
        whole = hello(chance.choice((PLAIN, AGAIN)), alpn=("h2",))
        sock.sendall(whole[:chance.randint(1, len(whole) - 1)])
        yield from leave(sock, chance)

    def a_mutated_hello(self, sock, chance):
        mutated = bytearray(hello(chance.choice((PLAIN, AGAIN, STAFF)), alpn=("h2", "http/1.1")))
        for _ in range(chance.randint(1, 6)):
            mutated[chance.randrange(len(mutated))] = chance.randrange(256)
        sock.sendall(mutated)
        yield from say_no_more(sock)

    def alerts(self, sock, chance):
        alert = record(bytes([chance.randint(1, 2), chance.choice((0, 10, 20, 40, 48, 90, 100, 255))]), kind=0x15)
        first = chance.choice((b"", hello(PLAIN), hello(AGAIN, alpn=("http/1.1",))))
        sock.sendall(first)
        if first:
            yield
        sock.sendall(alert * chance.randint(1, 10))
        yield from say_no_more(sock)

    def oversized_records(self, sock, chance):
        size = chance.choice((0x4801, 0x8000, 0xffff))
        head = bytes([chance.choice((0x16, 0x17)), 3, chance.randint(1, 3), *size.to_bytes(2, "big")])
        sock.sendall(chance.choice((b"", hello(PLAIN))) + head + bytes(chance.randint(0, 2000)))
        yield from say_no_more(sock)

    def unknown_names(self, sock, chance):
        name = chance.choice(("other.example.test", "example.test", f"{chance.randbytes(8).hex()}.test", "127.0.0.1",
                              "not a name", None))
        sock.sendall(hello(name))
        yield from until_the_end(sock)

    def versions_of_old(self, sock, chance):
        way = chance.randrange(3)
        if way == 0:  # SSL 3
            message = bytearray(ClientHello(names=(PLAIN,), versions=(), ciphers=(0x000a, 0x0005)).message())
            message[5] = 0
            sock.sendall(record(bytes(message), version=b"\x03\x00"))
        elif way == 1:
            sock.sendall(hello(PLAIN, versions=(0x0300, 0x0301, 0x0302)))
        else:
            yield from TlsClient(sock, chance.choice(self.old), chance.choice((PLAIN, AGAIN))).shake_hands()
        yield from until_the_end(sock)

    def nothing_in_common(self, sock, chance):
        kind = chance.choice(({"ciphers": (0x0005, 0x000a, 0x002f), "versions": (0x0303,)},
                              {"ciphers": (0x1399,), "versions": (0x0304,)}, {"versions": (0x0305, 0x7f1c)}))
        sock.sendall(hello(chance.choice((PLAIN, AGAIN, STAFF)), **kind))
        yield from until_the_end(sock)

    def leaves_after_the_answer(self, sock, chance):
        flight, _ = TlsClient(sock, chance.choice(self.any_version), chance.choice((PLAIN, AGAIN))).next_flight()
        sock.sendall(flight)
        yield
        if chance.random() < 0.5:
            sock.recv(chance.randint(1, 3000))
        yield from leave(sock, chance)

    def a_wrong_finished(self, sock, chance):
        def change(flight):
            at = len(flight) - chance.randint(1, 32)
            return flight[:at] + bytes([flight[at] ^ chance.randint(1, 255)]) + flight[at + 1:]

        client = TlsClient(sock, chance.choice(self.any_version), chance.choice((PLAIN, AGAIN)))
        yield from client.shake_hands(change)
        yield from until_the_end(sock)

    def a_bad_certificate(self, sock, chance):
        contexts = chance.choice((self.any_version, self.strangers))
        yield from TlsClient(sock, chance.choice(contexts), STAFF).shake_hands()
        yield from until_the_end(sock)

    def a_distrustful_one(self, sock, chance):
        with suppress(ssl.SSLCertVerificationError):
            yield from TlsClient(sock, self.distrusting, chance.choice((PLAIN, AGAIN))).shake_hands()
        yield from until_the_end(sock)

    def leaves_at_any_stage(self, sock, chance):
        client = TlsClient(sock, chance.choice(self.any_version), chance.choice((PLAIN, AGAIN)))
        stage = chance.randrange(5)
        if stage >= 1:
            flight, _ = client.next_flight()
            sock.sendall(flight[:chance.randint(1, len(flight))] if stage == 1 else flight)
        while stage >= 3:
            yield
            if not client.hear():
                return
            flight, over = client.next_flight()
            sock.sendall(flight)
            if over:
                break
        if stage == 4:
            client.write(b"GET / HTTP/1.0\r\n\r\n")
            yield
        if chance.random() < 0.7:
            reset(sock)
        else:
            yield from leave(sock, chance)

    def a_second_hello(self, sock, chance):
        """In plain text, where nothing but sealed records has a place."""
        client = TlsClient(sock, chance.choice(self.any_version), PLAIN)
        yield from client.shake_hands()
        sock.sendall(hello(PLAIN))
        yield from until_the_end(sock)


def waits(sock, chance):
    """Until it is ended; nothing that it has said is complete."""
    whole = hello(chance.choice((PLAIN, AGAIN)))
    sock.sendall(whole[:chance.choice((0, 1, 5, 100, len(whole)))])
    yield from until_the_end(sock)


@pytest.fixture
def gate(lockgate, nginx, authority):
    certificate = authority.certificate("*.example.test")
    return lockgate(GATE, start=False, to=nginx(PLAIN, tls=False).address, tls=nginx(AGAIN, http2=True).address,
                    root=authority.root, chain=certificate.chain, key=certificate.key)


def good_clients(gate, authority):
    """One at each site; how many."""
    staff = authority.certificate("staff")
    for name, more in ((PLAIN, []), (AGAIN, []), (STAFF, ["--cert", staff.chain, "--key", staff.key])):
        done = curl(f"https://{name}/", gate.port, *more, root=authority.root)
        assert "server=" in done.stdout, done
    return 3


def renegotiate(gate):
    """Clients of TLS 1.2 that begin a second handshake inside of the first one's secrets."""
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{gate.port}", "-servername", PLAIN, "-tls1_2"]
    clients = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, preexec_fn=die_with_parent) for _ in range(RENEGOTIATING)]
    try:
        for client in clients:
            client.stdin.write("R\n")
            client.stdin.flush()
        for client in clients:
            assert "no renegotiation" in client.stdout.read()
    finally:
        for client in clients:
            client.kill()
            client.communicate()


@pytest.mark.bounded(150)
def test_ten_thousand_spoilt_handshakes_leave_nothing_behind(gate, authority, tmp_path_factory):
    gate.start(env=os.environ | {"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=16"})
    pid, chance = gate.process.pid, random.Random(SEED)
    print(f"the seed is {SEED}")
    stranger = Authority(tmp_path_factory.mktemp("strangers"), name="Strangers").certificate("stranger")
    kinds = Kinds(authority.root, stranger)
    sources = {name: f"127.0.1.{number}" for number, name in enumerate([*kinds.outcomes, "waits"], 1)}
    came = Counter()

    def story_of(name):
        came[name] += 1
        story = waits if name == "waits" else getattr(kinds, name)
        return sources[name], partial(story, chance=random.Random(chance.random()))

    def connections():
        return gate.metrics().total("lockgate_connections_total")

    good = sum(good_clients(gate, authority) for _ in range(4))  # all workers have worked
    wait_until(lambda: connections() == good, "good clients have left")
    descriptors, memory = proc.descriptors(pid), []
    for _ in range(2):
        names = ["waits"] * (WAITING // 2)
        names += chance.choices(list(kinds.outcomes), k=(STORM - WAITING) // 2)
        storm(gate.port, map(story_of, names))
        wait_until(lambda: connections() == good + came.total(), "all have been counted", timeout=10)
        memory.append(proc.memory(pid))
    print(f"memory {[size // 1024 for size in memory]} KiB")
    renegotiate(gate)
    assert came.total() == STORM
    good += good_clients(gate, authority)
    total = STORM + RENEGOTIATING + good
    wait_until(lambda: connections() == total, "all have been counted")
    assert gate.metrics().total("lockgate_connections") == 0
    assert gate.metrics().total("lockgate_log_lines_dropped_total") == 0
    assert gate.metrics().total("lockgate_endpoint_up") == 2
    wait_until(lambda: proc.descriptors(pid) <= descriptors, "all descriptors are closed")
    lines = gate.next_lines(total)
    logged = Counter(line["outcome"] for line in lines)
    assert {name: gate.metrics().total("lockgate_connections_total", outcome=name) for name in logged} == logged
    assert sum(site["finished"] + sum(site["failed"].values()) for site in gate.status()["sites"]) == total
    assert len(gate.access_log()) == len({line["connection"] for line in lines}) == total
    outcomes = {name: Counter(line["outcome"] for line in lines if line["client"].startswith(f"{source}:"))
                for name, source in sources.items()}
    for name, found in outcomes.items():
        print(name, dict(found))
    assert outcomes.pop("waits") == {"timed_out": WAITING}
    for name, found in outcomes.items():
        assert found.total() == came[name], name
        assert set(found) <= kinds.outcomes[name], name
    assert memory[1] - memory[0] < 5_000_000, "memory grows with each"
    gate.signal(signal.SIGTERM)
    assert gate.process.wait(20) == 0, gate.process.output()[-5000:]
    assert "Sanitizer" not in gate.process.output()
