"""Certificates and ticket keys change under clients that shake hands all the time, and none of them notices.

Files are replaced as tools that renew certificates do it, and also as they should not: a chain and a key that do not
belong together, half a file.
"""
import os
import signal

import pytest

from parts.lockgate import Lockgate
from parts.tls import V1_2, V1_3, client_context, tls_connect
from parts.traffic import TlsTraffic
from parts.waiting import wait_until

ONE, TWO = "a.example.test", "b.example.test"
GATE = """
certificates:
  one: { chain: $files/one.pem }
  two: { chain: $files/two.pem, key: $files/two.key }
listeners:
  - name: front
    bind: "127.0.0.1:$port"
    tls: $tls
    sites:
      - { names: [a.example.test], terminate: { certificate: one, to: "tcp://$to" } }
      - { names: [b.example.test], terminate: { certificate: two, to: "tcp://$to" } }
"""
LOOK = 25  # seconds within which a changed file is noticed: it is looked for every 10
ISSUES, TURNS = 8, 24


class Files:
    """Certificate files of two sites: one with its key inside, and one with a key file beside it."""

    def __init__(self, folder, authority):
        self.folder = folder
        self._issued = {name: [authority.certificate(name, issue=issue) for issue in range(1, ISSUES + 1)]
                        for name in (ONE, TWO)}
        self._turn = -1
        self.renew()

    def put(self, name, content):
        """By a rename, so that nobody reads half of it."""
        new = self.folder / f"{name}.new"
        new.write_bytes(content)
        new.rename(self.folder / name)

    def renew(self, between=lambda: None):
        """The next certificates of both; `between` is run while the new key stands beside the old chain."""
        self._turn = (self._turn + 1) % ISSUES
        one, two = self.newest()
        self.put("one.pem", one.chain.read_bytes() + one.key.read_bytes())
        self.put("two.key", two.key.read_bytes())
        between()
        self.put("two.pem", two.chain.read_bytes())

    def newest(self):
        return [self._issued[name][self._turn] for name in (ONE, TWO)]

    def all_serials(self):
        return {one.serial() for issued in self._issued.values() for one in issued}


@pytest.fixture
def files(tmp_path, authority):
    return Files(tmp_path, authority)


@pytest.fixture
def gate(lockgate, echo, files):
    return lambda tls="{}": lockgate(GATE, to=echo("served").address, files=files.folder, tls=tls)


def serials(gate, root):
    """Those that both sites show now."""
    found = []
    for name in (ONE, TWO):
        with tls_connect(gate.port, name, client_context(root)) as client:
            found.append(client.getpeercert()["serialNumber"].lower())
            client.unwrap().close()
    return found


def reload_by_signal(gate):
    reloads = gate.metrics().total("lockgate_reloads_total")
    gate.signal(signal.SIGHUP)
    wait_until(lambda: gate.metrics().total("lockgate_reloads_total") > reloads, "the reload")


def reload(gate, turn):
    """By command and by signal, in turns."""
    (Lockgate.reload if turn % 2 else reload_by_signal)(gate)


# Certificates.


def test_certificates_are_renewed_dozens_of_times_without_a_failed_handshake(gate, files, authority):
    gate = gate()
    refused = 0

    def reload_is_refused():
        nonlocal refused
        refused += 1
        done = gate.command("reload")
        assert done.returncode != 0 and "is not that of the certificate" in done.stderr, done

    with TlsTraffic([gate.port], [ONE, TWO], authority.root) as traffic:
        traffic.wait_for_rounds()
        for turn in range(TURNS):
            files.renew(between=(lambda: None) if turn % 4 else reload_is_refused)
            newest = [one.serial() for one in files.newest()]
            reload(gate, turn)
            assert serials(gate, authority.root) == newest
            if turn % 8 == 3:
                files.put("one.pem", b"-----BEGIN CERTIFICATE-----\nbroken\n")
                assert gate.command("reload").returncode != 0
                refused += 1
                traffic.wait_for_rounds()
                assert serials(gate, authority.root) == newest, "the old one stays in use"
            if turn >= TURNS - ISSUES:
                traffic.wait_for_rounds()
    assert traffic.failures == []
    assert traffic.serials == files.all_serials(), "clients have seen them all, and no other"
    gate.next_lines(traffic.done)
    lines = gate.access_log()
    assert {line["outcome"] for line in lines} == {"finished"}
    assert {line["tls_version"] for line in lines} == {"1.2", "1.3"}
    assert not any(line["tls_resumed"] for line in lines)
    assert gate.metrics().total("lockgate_reloads_total", result="ok") == TURNS
    assert gate.metrics().total("lockgate_reloads_total", result="failed") == refused


@pytest.mark.bounded(90)
def test_renewed_certificates_are_found_under_load_without_a_command(gate, files, authority):
    gate = gate()
    old = serials(gate, authority.root)
    with TlsTraffic([gate.port], [ONE, TWO], authority.root) as traffic:
        files.put("one.pem", b"-----BEGIN CERTIFICATE-----\nbroken\n")
        gate.wait_for_message("cannot be used, the old one stays in use", timeout=LOOK)
        assert serials(gate, authority.root) == old
        for turn in range(36):  # it may look at any of these moments
            files.renew(between=(lambda: None) if turn % 3 else traffic.wait_for_rounds)
        newest = [one.serial() for one in files.newest()]
        wait_until(lambda: serials(gate, authority.root) == newest, "the new certificates", LOOK, pause=0.3)
        traffic.wait_for_rounds()
    assert traffic.failures == []
    assert traffic.serials >= {*old, *newest}


# Ticket keys.


class TicketKeys:
    """A file of keys, the newest first, for one gate or several."""

    def __init__(self, file):
        self._file, self._keys = file, []
        self.tls = f"{{ tickets: {{ key_file: {file} }} }}"
        self.rotate()

    def rotate(self, keep=1):
        """A new one in front of the `keep` newest."""
        self._keys = [os.urandom(80), *self._keys[:keep]]
        new = self._file.with_suffix(".new")
        new.write_bytes(b"".join(self._keys))
        new.rename(self._file)


@pytest.fixture
def ticket_keys(tmp_path):
    return TicketKeys(tmp_path / "tickets.key")


class Guest:
    """A client that keeps its first session, and is let in with it or without."""

    def __init__(self, root, version):
        self._context, self._session = client_context(root, version), None

    def is_known(self, gate):
        """Whether the session spares it a full handshake; both ways it is served."""
        with tls_connect(gate.port, ONE, self._context, session=self._session) as client:
            client.sendall(b"x" * 100)
            assert client.recv(7) == b"served\n"
            self._session = self._session or client.session
            return client.session_reused


def test_ticket_keys_are_rotated_without_a_failed_handshake_and_clients_stay_known(gate, ticket_keys, authority):
    gate = gate(tls=ticket_keys.tls)
    with TlsTraffic([gate.port], [ONE, TWO], authority.root, come_back=True, lasting=0) as traffic:
        traffic.wait_for_rounds()
        for turn in range(16):
            guests = [Guest(authority.root, version) for version in (V1_2, V1_3)]
            assert [guest.is_known(gate) for guest in guests] == [False, False]
            for known in (True, False):  # first under the key before, then under one that is gone
                ticket_keys.rotate()
                reload(gate, turn)
                assert [guest.is_known(gate) for guest in guests] == [known, known]
                traffic.wait_for_rounds()
    assert traffic.failures == []
    assert set(traffic.full.values()) == {1}, "each was known from its second round on"
    assert traffic.resumed.total() > 16 * 2 * len(traffic.full)


def test_two_that_share_ticket_keys_rotate_them_without_a_failed_handshake(gate, ticket_keys, authority):
    gates = [gate(tls=ticket_keys.tls) for _ in range(2)]
    with TlsTraffic([one.port for one in gates], [ONE], authority.root, come_back=True) as traffic:
        for _ in range(12):
            traffic.wait_for_rounds()
            ticket_keys.rotate()
            for one in gates:  # one after the other: for a moment they have different keys
                one.reload()
            for version in (V1_2, V1_3):
                for here, there in (gates, reversed(gates)):
                    guest = Guest(authority.root, version)
                    assert (guest.is_known(here), guest.is_known(there)) == (False, True)
    assert traffic.failures == []
    assert traffic.resumed.total() > traffic.full.total()
    lines = [line for one in gates for line in one.access_log()]
    assert {line["outcome"] for line in lines} == {"finished"}
