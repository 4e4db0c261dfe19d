"""A gate among clients of every kind and servers of which some die and some break off, while it is reloaded each second;
and the accounts of it all, which have to agree."""
import itertools
import os
import random
import threading
import time
from contextlib import contextmanager

from . import proc
from .mixed_traffic import NAME, MixedTraffic
from .ports import free_port
from .tls import client_context
from .told_origin import ToldOrigin
from .waiting import wait_until

_GATE = """
certificates:
  own: {{ chain: $chain, key: $key }}
defaults:
  http: {{ keepalive_requests: {requests} }}
  response_fields: {{ set: {{ X-Id: $$request_id }} }}
upstreams:
  sure: {{ endpoints: [{sure}], balance: {balance} }}
  secret: {{ endpoints: ["https://$secret"], tls: {{ ca_file: $root, server_name: {name} }} }}
  dying: {{ endpoints: ["http://$one", "http://$dying"], ejection: {{ time: 500ms }} }}
  faulty: {{ endpoints: ["http://$faulty"], ejection: {{ failures: 0 }} }}
listeners:
  - name: plain
    bind: "127.0.0.1:$port"
    sites:
      - {{ names: [default], plain: {{ routes: [{routes}] }} }}
  - name: secure
    bind: "127.0.0.1:$secure"
    sites:
      - {{ names: [default], terminate: {{ certificate: own, routes: [{routes}] }} }}
"""
_ROUTES = [f"{{ name: {name}, path: /{name}, to: {name} }}" for name in ("sure", "secret", "dying", "faulty")]
_ONE = _GATE.format(requests=0, balance="round_robin", sure='"http://$one", "http://$two"', name=NAME,
                    routes=", ".join(_ROUTES))
_OTHER = _GATE.format(requests=7, balance="least_connections", sure='"http://$two"', name=NAME,
                      routes=", ".join(reversed(_ROUTES)))


class MixedRun:
    """`play()` for so many seconds; `settle()` and then the `check_` functions, once all clients have gone."""

    def __init__(self, lockgate, authority, started, folder, binary=None, **how):
        certificate = authority.certificate(NAME)
        make = lambda name, **kind: started(ToldOrigin(folder / name, **kind))  # noqa: E731
        self._origins = {"one": make("one"), "two": make("two"), "secret": make("secret", certificate=certificate),
                         "dying": make("dying"), "faulty": make("faulty", faulty=True)}
        self._secure = free_port()
        self.gate = lockgate(_ONE, start=False, chain=certificate.chain, key=certificate.key, root=authority.root,
                             secure=self._secure, **{name: one.address for name, one in self._origins.items()})
        self.gate.binary = binary or self.gate.binary
        self.gate.start(**how)
        self._context = client_context(authority.root)
        self.reloads = self.deaths = self._passed_over = 0

    @property
    def pid(self):
        return self.gate.process.pid

    def play(self, seconds, clients=8):
        """The traffic, when it is over."""
        ports = (self.gate.port, self._secure)
        with MixedTraffic(ports, self._context, ("sure", "secret"), ("dying", "faulty"), clients) as self.traffic:
            with _meanwhile(self._reload_each_second), _meanwhile(self._kill_one_now_and_then):
                end = time.monotonic() + seconds
                while time.monotonic() < end and not self.traffic.failures:
                    time.sleep(0.1)
        return self.traffic

    def _reload_each_second(self, stop):
        for text in itertools.cycle((_OTHER, _ONE)):
            if stop.wait(1):
                return
            self.gate.reload(text)
            self.reloads += 1

    def _kill_one_now_and_then(self, stop):
        while not stop.wait(1 + 2 * random.random()):
            self._origins["dying"].kill()
            time.sleep(random.random())
            self._origins["dying"].start()
            self.deaths += 1

    def settle(self):
        """No request is under way any more, and no connection either, but for those that wait in pools."""
        def over():
            metrics = self.gate.metrics()
            return metrics.total("lockgate_connections") == 0 and self._lines_are_written(metrics)

        wait_until(over, "all requests are over", 30, pause=0.2)

    def _lines_are_written(self, metrics):
        return len(self.requests()) == metrics.total("lockgate_requests_total")

    def part_with_servers(self):
        for one in self._origins.values():
            one.stop()
        wait_until(lambda: self.gate.metrics().total("lockgate_endpoint_connections") == 0, "pools are empty", 10)

    def requests(self):
        """The lines of requests."""
        return [line for line in self.gate.access_log() if "request" in line]

    def check_accounts(self):
        """Clients, log and metrics tell the same."""
        lines, answers = self.requests(), self.traffic.answers
        told = {line["request"]: line for line in lines}
        assert len(told) == len(lines), "two lines of one request"
        unknown = answers.keys() - told.keys()
        assert not unknown, f"no lines of {list(unknown)[:10]}"
        for identity, status in answers.items():
            assert told[identity]["status"] == status, f"answered with {status}: {told[identity]}"
        assert len(lines) - self._passed_over <= len(answers) + self.traffic.given_up
        self._passed_over = len(lines)
        blamed = [line for line in lines if line.get("route") in ("sure", "secret")
                  and line["outcome"] != "finished" and line.get("ended_by") != "client"]
        assert not blamed, f"no client's fault: {blamed[:5]}"

    def check_share_of_missing(self):
        """Where servers die and break off, most is answered all the same."""
        missing = self.traffic.missing.total()
        assert missing < len(self.traffic.answers) / 5, f"{missing} of {len(self.traffic.answers)}"


@contextmanager
def _meanwhile(run):
    """`run(stop)` in a thread; what it fails with is raised in the end."""
    stop, failed = threading.Event(), []

    def guarded():
        try:
            run(stop)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failed:
        raise failed[0]


def figures(pid):
    return {"memory": proc.memory(pid), "descriptors": proc.descriptors(pid), "threads": len(proc.threads(pid))}


def sanitized():
    """How a binary with sanitizers is started: it keeps little of what was freed, so that memory can be compared."""
    return os.environ | {"ASAN_OPTIONS": "detect_leaks=1:quarantine_size_mb=4"}
