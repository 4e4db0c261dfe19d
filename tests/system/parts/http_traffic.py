"""Clients in threads that ask one request after the other on connections that they keep, and take failures down."""
import time
from collections import Counter

from . import http1
from .clients import Clients
from .sockets import connect
from .waiting import wait_until


class HttpTraffic(Clients):
    """`with HttpTraffic(port) as traffic:` runs it; afterwards `statuses` counts answers, and `failures` has what was
    no whole answer. `pause()` is how long a client waits after each answer. `served` counts answers by a field that
    tells who gave them."""

    def __init__(self, port, clients=4, pause=lambda: 0.002, target="/", host="a.example.test", told_by="X-Server"):
        super().__init__(clients)
        self.statuses, self.served, self.failures = Counter(), Counter(), []
        self._port, self._pause, self._told_by = port, pause, told_by
        self._request = http1.request(target=target, host=host)

    def wait_for(self, answers, timeout=20):
        """Until so many more have come."""
        wanted = self.statuses.total() + answers
        wait_until(lambda: self.failures or self.statuses.total() >= wanted, f"{answers} answers", timeout)

    def _run(self, _):
        while not self._stop.is_set():
            try:
                with connect(self._port) as sock, sock.makefile("rb") as file:
                    self._use(sock, file)
            except (OSError, AssertionError, ValueError) as error:
                self.failures.append(repr(error))
                time.sleep(0.01)

    def _use(self, sock, file):
        while not self._stop.is_set():
            sock.sendall(self._request)
            answer = http1.read_answer(file)
            with self._lock:
                self.statuses[answer.status] += 1
                self.served[answer.fields.get(self._told_by)] += 1
            if answer.fields.get("Connection", "").lower() == "close":
                return
            time.sleep(self._pause())
