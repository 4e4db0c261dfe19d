"""Passwords that are guessed by the thousand: nobody else waits for them, and nobody learns from them who is a user."""
import base64
import multiprocessing
import selectors
import socket
import statistics
import time

import pytest

from parts import http1, proc
from parts.lockgate import run_command
from parts.sockets import connect

HOST = "app.example.test"
USERS = ("alice", "bob", "carol", "dora")  # of one password
GATE = """
users: { staff: $folder/users }
log: { level: warning }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - names: [app.example.test]
        plain:
          routes:
            - { path: /open, to: "http://$to" }
            - { path: /, sign_in: { users: staff }, status: 204 }
"""


@pytest.fixture
def gate(lockgate, nginx):
    def make(cost):
        made = lockgate(GATE, to=nginx("plain", tls=False).address, start=False)
        line = run_command("password", "--cost", cost, "alice", input="right\n")
        assert line.returncode == 0, line
        (made.folder / "users").write_text("".join(line.stdout.replace("alice", name) for name in USERS))
        return made.start()

    return make


def asking(name, password, target="/"):
    login = base64.b64encode(f"{name}:{password}".encode()).decode()
    return http1.request(target=target, host=HOST, fields=[("Authorization", f"Basic {login}")])


def answer(sock, request):
    """The status, and how many seconds it took."""
    begun = time.monotonic()
    sock.sendall(request)
    with sock.makefile("rb") as file:
        return http1.read_answer(file).status, time.monotonic() - begun


def plain_seconds(gate, span):
    """How long each of the requests took that could be made in `span` seconds to where nobody signs in."""
    seen, until = [], time.monotonic() + span
    with connect(gate.port, source="127.0.0.9") as sock:
        while time.monotonic() < until:
            status, took = answer(sock, http1.request(target="/open", host=HOST))
            assert status == 200
            seen.append(took)
            time.sleep(0.002)
    return seen


class Guessing:
    """So many wrong passwords a second, each another, of so many clients, in a process of its own. Whoever has no answer
    yet asks no further. Afterwards: how many were sent, and how many answers there were, by status."""

    def __init__(self, gate, rate=1000, clients=600):
        self._port, self._rate, self._clients = gate.port, rate, clients
        self._ours, self._its = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(target=self._guess, daemon=True)
        self.rate, self.seconds, self.statuses = 0, 0, {}

    def __enter__(self):
        self._process.start()
        return self

    def __exit__(self, *_):
        self._ours.send("enough")
        self.rate, self.seconds, self.statuses = self._ours.recv()
        self._process.join(10)

    def _come(self, number):
        return connect(self._port, source=f"127.0.{1 + number // 200}.{1 + number % 200}")

    def _guess(self):
        free = [self._come(number) for number in range(self._clients)]
        waiting, begun, sent, statuses = selectors.DefaultSelector(), time.monotonic(), 0, {}
        while not self._its.poll():
            while free and sent < (time.monotonic() - begun) * self._rate:
                sock = free.pop(0)
                sock.sendall(asking("alice", f"guess {sent}"))
                waiting.register(sock, selectors.EVENT_READ)
                sent += 1
            for key, _ in waiting.select(timeout=0.005):
                sock = key.fileobj
                waiting.unregister(sock)
                said = sock.recv(4096)
                status = int(said[9:12]) if said else 0
                statuses[status] = statuses.get(status, 0) + 1
                if not said or b"\r\nconnection: close\r\n" in said.lower():
                    sock.close()
                    sock = self._come(sent % self._clients)
                free.append(sock)
        seconds = time.monotonic() - begun
        self._its.send((sent / seconds, seconds, statuses))


def first_right(gate, name, source, longest=60):
    """How long somebody with the right password asks until it is taken, who comes back when told to."""
    begun = time.monotonic()
    while time.monotonic() - begun < longest:
        with connect(gate.port, source=source) as sock:
            sock.settimeout(20)
            status, _ = answer(sock, asking(name, "right"))
        if status == 204:
            return time.monotonic() - begun
        assert status == 503, "right, or told to come back"
        time.sleep(0.5)
    raise AssertionError(f"the right password was not taken within {longest} s")


@pytest.mark.bounded(120)
def test_a_flood_of_guesses_slows_nobody_and_keeps_nobody_out(gate):
    gate = gate(cost=10)
    plain_seconds(gate, 0.5)
    before, memory = plain_seconds(gate, 2), proc.memory(gate.process.pid)
    with Guessing(gate) as guessing:
        took = [first_right(gate, "alice", "127.0.0.6")]
        during = plain_seconds(gate, 5)
        # The first of the flood's addresses were never wrong when somebody asks; later most were.
        took += [first_right(gate, "bob", "127.0.0.7"), first_right(gate, "carol", "127.0.0.8"),
                 first_right(gate, "dora", "127.0.1.250")]
    print(f"plain: {statistics.median(before) * 1e6:.0f} us before, {statistics.median(during) * 1e6:.0f} us during, "
          f"{len(before) / 2:.0f} and {len(during) / 5:.0f} a second; {guessing.rate:.0f} guesses a second, {guessing.statuses}; "
          f"right passwords took {', '.join(f'{one:.2f}' for one in took)} s")
    assert guessing.rate > 500, "it was no flood"
    checks = guessing.statuses[401] / guessing.seconds
    assert statistics.median(took) * checks < 30, "a right password waited for dozens of guesses to be checked"
    assert max(took[1:]) * checks < 100, "a right password waited until the flood had no more addresses"
    # Who comes with the flood, when none of it has been wrong yet, may be told once to come back.
    assert took[0] * checks < 400, "a right password was never taken while the flood went on"
    assert set(guessing.statuses) <= {401, 503} and guessing.statuses.get(503, 0) > 0
    assert statistics.median(during) < 10 * statistics.median(before) + 0.005, "half of them wait longer"
    assert sorted(during)[len(during) * 9 // 10] < 0.05, "one of ten waits"
    assert proc.memory(gate.process.pid) < memory + 32_000_000
    with connect(gate.port) as sock:
        assert answer(sock, asking("alice", "right"))[0] == 204


def distinguished(one, other):
    """How often a duration of `one` is the longer, if two are drawn: 0.5 if nothing tells them apart (Mann-Whitney's U)."""
    higher = sum((a > b) + (a == b) / 2 for a in one for b in other)
    return higher / (len(one) * len(other))


@pytest.mark.bounded(60)
def test_nothing_tells_an_unknown_user_from_a_wrong_password(gate):
    gate = gate(cost=8)
    wrong, unknown = [], []
    with socket.create_connection(("127.0.0.1", gate.port)) as sock:
        for number in range(100):  # by turns, and never one that was asked before
            pair = [(wrong, asking("alice", f"x{number}")), (unknown, asking(f"user{number}", f"x{number}"))]
            for seen, request in pair if number % 2 else reversed(pair):
                status, took = answer(sock, request)
                assert status == 401
                seen.append(took)
    share = distinguished(wrong, unknown)
    print(f"wrong {statistics.median(wrong) * 1e3:.2f} ms, unknown {statistics.median(unknown) * 1e3:.2f} ms, {share:.2f}")
    assert min(*wrong, *unknown) > 0.003, "somebody's password was not checked"
    assert 0.3 < share < 0.7  # the standard deviation is 0.04
    assert statistics.median(unknown) == pytest.approx(statistics.median(wrong), rel=0.25)
