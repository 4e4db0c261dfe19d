"""Free ports, below the range from which the kernel takes the ports of outgoing connections."""
import random
import socket

_given = set()


def free_port():
    """A port that nobody holds on any address, for TCP and UDP, and that is handed out only once."""
    while True:
        port = random.randint(10_000, 32_000)
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
