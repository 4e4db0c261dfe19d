"""As many requests as an endpoint may have, and no more: the others wait for their turn, or are told that it never came."""
import threading
import time

import pytest

from parts import http1
from parts.waiting import wait_until

GATE = """
limits: { connections: 2000 }
upstreams:
  web:
    endpoints: [$to]
    $more
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - names: [default]
        $site
"""
PLAIN = "plain: { routes: [{ path: /, to: web }] }"


@pytest.fixture
def gate(lockgate):
    return lambda more, *to, site=PLAIN: lockgate(
        GATE, to=", ".join(f'"{one}"' for one in to), more=more, site=site)


class Busy:
    """A server that takes its time, and counts how many it serves at once."""

    def __init__(self, web_origin, pause=0.0):
        self.pause, self.now, self.most, self.served = pause, 0, 0, 0
        self.free = threading.Event()
        self.free.set()
        self._lock = threading.Lock()
        self.server = web_origin(self._answer)
        self.address = self.server.address

    def _answer(self, request):
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        request.body()
        time.sleep(self.pause)
        self.free.wait(30)
        with self._lock:
            self.now -= 1
            self.served += 1
        request.answer(self.address)


class Crowd:
    """Clients, each with a connection of its own and so many requests, all at once."""

    def __init__(self, gate, clients, requests=1):
        self.statuses, self.failures, self.waits = [], [], []
        self._gate, self._requests = gate, requests
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        try:
            with self._gate.connect() as sock, sock.makefile("rb") as file:
                sock.settimeout(30)
                for _ in range(self._requests):
                    begun = time.monotonic()
                    sock.sendall(http1.request())
                    self.statuses.append(http1.read_answer(file).status)
                    self.waits.append(time.monotonic() - begun)
        except (OSError, AssertionError, ValueError) as error:
            self.failures.append(repr(error))

    def join(self):
        for thread in self._threads:
            thread.join()
        return self


def test_two_hundred_clients_at_once_and_never_too_many(gate, web_origin):
    one, two = Busy(web_origin, 0.02), Busy(web_origin, 0.02)
    gate = gate("max_connections: 5\n    queue: { length: 1000, timeout: 30s }",
                f"http://{one.address}", f"http://{two.address}")
    crowd = Crowd(gate, 200, 5).join()
    assert (set(crowd.statuses), len(crowd.statuses), crowd.failures) == ({200}, 1000, [])
    assert one.most <= 5 and two.most <= 5
    assert one.most + two.most >= 9, "and all of them are used"
    assert min(one.served, two.served) > 300
    assert max(crowd.waits) < 20 * sum(crowd.waits) / len(crowd.waits), "nobody waits much longer than others"
    metrics = gate.metrics()
    assert metrics.total("lockgate_upstream_queue", upstream="web") == 0
    assert metrics.total("lockgate_upstream_queued_total", upstream="web") > 100
    assert metrics.total("lockgate_endpoint_connections", upstream="web") == 0


def test_a_place_that_comes_free_on_another_worker_is_taken(gate, web_origin):
    """Eight clients of two workers at one place: none is forgotten."""
    busy = Busy(web_origin)
    gate = gate("max_connections: 1\n    queue: { timeout: 20s }", f"http://{busy.address}")
    for _ in range(20):
        begun = time.monotonic()
        crowd = Crowd(gate, 8).join()
        assert (crowd.statuses, crowd.failures) == ([200] * 8, [])
        assert time.monotonic() - begun < 5
    assert busy.most == 1


def test_whoever_waits_too_long_is_told(gate, web_origin):
    busy = Busy(web_origin)
    busy.free.clear()
    gate = gate("max_connections: 2\n    queue: { length: 3, timeout: 500ms }", f"http://{busy.address}")
    crowd = Crowd(gate, 8)
    wait_until(lambda: len(crowd.statuses) == 6, "six are refused")
    busy.free.set()
    crowd.join()
    assert sorted(crowd.statuses) == [200, 200] + [503] * 6
    reasons = sorted(line["reason"] for line in gate.next_lines(8) if line["status"] == 503)
    assert reasons == ["looking for a place in the queue: limited"] * 3 + \
        ["waiting for a place at an endpoint: limited"] * 3
    assert gate.metrics().total("lockgate_upstream_turned_away_total", upstream="web") == 6


def test_whoever_leaves_while_it_waits_is_never_asked_for(gate, web_origin):
    busy = Busy(web_origin)
    busy.free.clear()
    gate = gate("max_connections: 1\n    queue: { timeout: 20s }", f"http://{busy.address}")
    first = Crowd(gate, 1)
    wait_until(lambda: busy.now == 1, "the first is served")
    gone = [gate.connect() for _ in range(5)]
    for sock in gone:
        sock.sendall(http1.request(target="/gone"))

    def waiting():
        return gate.metrics().total("lockgate_upstream_queue", upstream="web")

    wait_until(lambda: waiting() == 5, "they wait")
    for sock in gone:
        sock.close()
    wait_until(lambda: waiting() == 0, "they have left the queue")
    busy.free.set()
    first.join()
    assert Crowd(gate, 1).join().statuses == [200]
    assert [target for _, _, target in busy.server.seen] == ["/", "/"]


def test_a_tunnel_has_its_place_until_it_ends(gate, web_origin):
    def switch(request):
        if request.fields.get("Upgrade"):
            request.head(101, [("Connection", "upgrade"), ("Upgrade", "websocket")])
            request.sock.recv(1)
            request.hang_up()
        else:
            request.answer("x")

    origin = web_origin(switch)
    gate = gate("max_connections: 1\n    queue: { timeout: 500ms }", f"http://{origin.address}")
    with gate.connect() as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request(fields=[("Connection", "upgrade"), ("Upgrade", "websocket")]))
        assert http1.read_answer(file).status == 101
        assert Crowd(gate, 1).join().statuses == [503]
        sock.sendall(b"x")
        assert file.read() == b""
    wait_until(lambda: Crowd(gate, 1).join().statuses == [200], "the place is free again")


def test_relayed_bytes_count_as_well(gate, echo):
    server = echo()
    gate = gate("max_connections: 1\n    queue: { length: 1, timeout: 20s }", f"tcp://{server.address}",
                site="plain: { to: web }")

    def hello(sock):
        sock.sendall(b"hello\n")
        return sock.makefile("rb").readline()

    first, second = gate.connect(), gate.connect()
    said = hello(first)
    assert said
    second.sendall(b"hello\n")
    wait_until(lambda: gate.metrics().total("lockgate_upstream_queue", upstream="web") == 1, "the second waits")
    third = gate.connect()
    third.sendall(b"hello\n")
    assert third.recv(100) == b"", "no place is left in the queue"
    first.close()
    assert second.makefile("rb").readline() == said


def test_a_reload_brings_another_limit(gate, web_origin):
    busy = Busy(web_origin)
    busy.free.clear()
    gate = gate("max_connections: 1\n    queue: { length: off }", f"http://{busy.address}")
    crowd = Crowd(gate, 2)
    wait_until(lambda: crowd.statuses == [503], "one is too many")
    gate.reload(GATE, more="max_connections: 3\n    queue: { length: off }")
    more = Crowd(gate, 3)
    wait_until(lambda: more.statuses == [503], "the first counts under the new limit, too")
    busy.free.set()
    assert sorted(crowd.join().statuses + more.join().statuses) == [200, 200, 200, 503, 503]


# Further tries, and connections that wait.


def test_a_failing_server_is_not_asked_twice_as_much(gate, web_origin):
    """Both hang up on every request, so that each would be asked again."""
    def hang_up(request):
        request.hang_up()

    servers = [web_origin(hang_up), web_origin(hang_up)]
    gate = gate("retry_budget: 0%\n    ejection: { failures: off }", *[f"http://{one.address}" for one in servers])
    crowd = Crowd(gate, 20, 30).join()
    assert crowd.statuses == [502] * 600
    asked = sum(len(one.seen) for one in servers)
    assert 600 <= asked <= 600 + 2 * 10 * 10, "ten a second of each worker"
    assert gate.metrics().total("lockgate_upstream_retries_saved_total", upstream="web") >= 400


def test_connections_wait_as_long_as_they_may(gate, web_origin):
    origin = web_origin()
    gate = gate("idle_connections: { time: 500ms }", f"http://{origin.address}")
    assert Crowd(gate, 1).join().statuses == [200]
    assert len(origin.open) == 1
    wait_until(lambda: len(origin.open) == 0, "it is closed", timeout=2)


def test_no_more_connections_wait_than_may(gate, web_origin):
    busy = Busy(web_origin)
    busy.free.clear()
    gate = gate("idle_connections: { most: 2 }", f"http://{busy.address}")
    crowd = Crowd(gate, 20)
    wait_until(lambda: busy.now == 20, "all are served")
    busy.free.set()
    assert crowd.join().statuses == [200] * 20
    wait_until(lambda: len(busy.server.open) <= 4, "two of each worker are left")
    assert gate.metrics().total("lockgate_endpoint_idle_connections", upstream="web") <= 4


def test_a_place_is_free_while_the_client_still_reads(gate, web_origin):
    """What is buffered needs no server any more."""
    server = web_origin(lambda request: request.answer(b"x" * 8_000_000))
    gate = gate("max_connections: 1\n    queue: { timeout: 3s }", f"http://{server.address}",
                site=PLAIN + "\n        forward: { buffer_response: 16MiB }")
    with gate.connect() as slow:
        slow.sendall(http1.request())
        wait_until(lambda: server.seen, "it is asked")
        assert Crowd(gate, 2).join().statuses == [200, 200]


def test_whoever_waits_for_what_is_disabled_goes_elsewhere(gate, web_origin):
    """Though nobody leaves the one that it waits for."""
    busy, other = Busy(web_origin), Busy(web_origin)
    gate = gate("max_connections: 1\n    queue: { timeout: 20s }\n    sticky: { own_cookie: GATE }",
                f"http://{busy.address}", f"http://{other.address}")
    cookie = None
    while not cookie:
        with gate.connect() as sock, sock.makefile("rb") as file:
            sock.sendall(http1.request())
            answer = http1.read_answer(file)
        if answer.body.decode() == busy.address:
            cookie = answer.fields["Set-Cookie"].partition(";")[0]
    busy.free.clear()
    request = http1.request(fields=[("Cookie", cookie)])
    with gate.connect() as first, gate.connect() as second, second.makefile("rb") as file:
        first.sendall(request)
        wait_until(lambda: busy.now, "it is asked")
        second.sendall(request)
        wait_until(lambda: gate.metrics().total("lockgate_upstream_queue", upstream="web") == 1, "it waits")
        assert gate.command("endpoint", "disable", "web", f"http://{busy.address}").returncode == 0
        second.settimeout(5)
        assert http1.read_answer(file).body.decode() == other.address
        busy.free.set()
