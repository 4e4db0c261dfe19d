"""Free ports, below the range from which the kernel takes the ports of outgoing connections."""
import os
import random
import socket

_given = set()


def _share():
    """Of all ports, those of this process: where tests run in several at once, each has its own."""
    ports = range(10_000, 32_000)
    number, count = os.environ.get("PYTEST_XDIST_WORKER", "gw0"), os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
    return ports[int(number.removeprefix("gw"))::int(count)]


def free_port():
    """A port that nobody holds on any address, for TCP and UDP, and that is handed out only once."""
    while True:
        port = random.choice(_share())
        if port not in _given and all(_is_free(port, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
            _given.add(port)
            return port


def _is_free(port, kind):
    with socket.socket(socket.AF_INET6, kind) as probe:
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            probe.bind(("::", port))
        except OSError:
            return False
    return True
