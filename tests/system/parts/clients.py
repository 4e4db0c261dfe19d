"""Clients in threads, for as long as a `with` lasts."""
import threading


class Clients:
    """`_run(number)` of whoever inherits it runs in a thread for each client, until `_stop` is set."""

    def __init__(self, clients):
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()
