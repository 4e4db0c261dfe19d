"""Redis, which keeps nothing on disk, and redis-cli."""
import subprocess

from .ports import free_port
from .process import Process


class Redis:
    def __init__(self, folder):
        self.port = free_port()
        self.process = Process("redis", ["/usr/bin/redis-server", "--port", self.port, "--bind", "127.0.0.1",
                                         "--save", "", "--appendonly", "no", "--daemonize", "no"], folder)
        self.process.wait_for_port(self.port)

    def stop(self):
        self.process.stop()


def redis_cli(port, *words, stdin=None):
    return subprocess.run(["redis-cli", "-h", "127.0.0.1", "-p", str(port), *map(str, words)], input=stdin,
                          capture_output=True, text=True, timeout=15)
