"""Fixtures: each hands out parts that end with the test, by the process ids they were started with."""
import os
import shutil
import signal
from pathlib import Path

import pytest

from .apache import Apache
from .certificates import Authority
from .dnsmasq import Dnsmasq
from .dovecot import Dovecot
from .haproxy import HAProxy
from .http_origin import HttpOrigin, tell
from .java import Java
from .lockgate import BINARY, Lockgate
from .nginx import Nginx
from .portal import Portal
from .redis import Redis
from .sockets import EchoOrigin, Origin
from .socks import MicroSocks, ScriptedSocks
from .squid import Squid
from .sshd import Sshd

NOBODY = 65534


def pytest_configure(config):
    config.addinivalue_line("markers", "bounded(seconds): how long this test may run, if not a minute")


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def started(request):
    """Registers a part to be stopped when the test ends, the last one first."""

    def register(part):
        request.addfinalizer(part.stop)
        return part

    return register


@pytest.fixture
def nginx(tmp_path, authority, started):
    """nginx(name, ...): an HTTPS server with its own certificate for `name`; tls=False for plain HTTP."""

    def make(name, tls=True, certificate=None, **more):
        certificate = (certificate or authority.certificate(name)) if tls else None
        folder = tmp_path / f"nginx-{name}-{len(list(tmp_path.glob('nginx-*')))}"
        return started(Nginx(folder, name, certificate, **more))

    return make


@pytest.fixture
def apache(public, started):
    """apache(name, ...): an HTTP server without TLS."""
    return lambda name, **more: started(Apache(public / f"apache-{name}", name, **more))


@pytest.fixture
def portal(public, started):
    """portal(name, ...): one server of a portal that keeps sessions, on Apache."""
    return lambda name, **more: started(Portal(public / f"portal-{name}", name, **more))


@pytest.fixture
def haproxy(tmp_path, started):
    return lambda to, **more: started(HAProxy(tmp_path / "haproxy", to, **more))


@pytest.fixture
def sshd(tmp_path, started):
    return started(Sshd(tmp_path / "sshd"))


@pytest.fixture
def dovecot(tmp_path, started):
    return started(Dovecot(tmp_path / "dovecot"))


@pytest.fixture
def redis(tmp_path, started):
    return started(Redis(tmp_path / "redis"))


@pytest.fixture
def java(tmp_path):
    return Java(tmp_path / "java")


@pytest.fixture
def dnsmasq(tmp_path, started):
    """Not started yet: records first."""
    return started(Dnsmasq(tmp_path / "dnsmasq"))


@pytest.fixture
def squid(request, tmp_path, authority, started):
    """squid(...): a parent by CONNECT; tls="parent.example.test" for one that speaks TLS under that name."""

    def make(name="squid", tls=None, **more):
        certificate = authority.certificate(tls) if tls else None
        folder = request.getfixturevalue("public") if os.geteuid() == 0 else tmp_path
        return started(Squid(folder / name, certificate=certificate, **more))

    return make


@pytest.fixture
def microsocks(tmp_path, started):
    """microsocks(...): a parent by SOCKS5."""
    return lambda name="microsocks", **more: started(MicroSocks(tmp_path / name, **more))


@pytest.fixture
def scripted_socks(started):
    """scripted_socks(...): a parent by SOCKS5 that answers as it is told."""
    return lambda **more: started(ScriptedSocks(**more))


@pytest.fixture
def origin(started):
    """A server that the test plays itself."""
    return started(Origin())


@pytest.fixture
def echo(started):
    """echo(name, ...): a server that says its name and echoes."""
    return lambda name="echo", **more: started(EchoOrigin(name, **more))


@pytest.fixture
def web_origin(started):
    """web_origin(answer, ...): an HTTP server that answers as the test tells it."""
    return lambda answer=tell, **more: started(HttpOrigin(answer, **more))


@pytest.fixture
def lockgate(tmp_path, request):
    """lockgate(text, **values): the program under test, running and ready; start=False to start it later."""
    assert BINARY.exists(), f"{BINARY} is not built"
    made = 0

    def make(text, start=True, folder=None, **values):
        nonlocal made
        made += 1
        gate = Lockgate(folder or tmp_path / f"lockgate-{made}", text, **values)
        request.addfinalizer(gate.stop)
        request.addfinalizer(gate.tell)
        if start:
            gate.start()
        return gate

    return make


@pytest.fixture
def public(tmp_path_factory):
    """A folder that belongs to `nobody`, as /var/log/lockgate would to its user, and that everybody can reach."""
    folder = tmp_path_factory.mktemp("public")
    for part in [folder, *folder.parents]:
        if part == Path("/tmp"):
            break
        part.chmod(0o755)
    os.chown(folder, NOBODY, NOBODY)
    return folder


@pytest.fixture
def public_binary(public):
    """The program where `nobody` can start it; the build folder may be out of reach."""
    binary = public / "lockgate"
    shutil.copy(BINARY, binary)
    binary.chmod(0o755)
    return binary


@pytest.fixture(autouse=True)
def bounded(request):
    """No test runs longer than a minute; one that must says `@pytest.mark.bounded(seconds)`."""
    marker = request.node.get_closest_marker("bounded")

    def give_up(*_):
        raise TimeoutError("the test took too long")

    previous = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(marker.args[0] if marker else 60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)
