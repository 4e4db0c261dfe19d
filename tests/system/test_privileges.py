"""What the process may still do once it runs (user, capabilities, system calls), and how systemd starts and
watches it."""
import os
import re
import signal
import socket
import time

import pytest

from parts import proc
from parts.client_hello import hello
from parts.fixtures import NOBODY
from parts.lockgate import BINARY
from parts.process import Process
from parts.sockets import connect, first_line
from parts.waiting import wait_until

NAME = "a.example.test"
CAP_NET_BIND_SERVICE = 1 << 10
GATE = """
user: nobody
listeners:
  - bind: "127.0.0.1:$low"
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
"""
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def low():
    """A port that only the privileged may bind."""
    for port in range(1023, 600, -1):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    pytest.fail("no free port below 1024")


@pytest.fixture
def gate(lockgate, echo, low, public):
    return lockgate(GATE, to=echo("served").address, low=low, folder=public)


def who(port):
    with connect(port) as client:
        client.sendall(hello(NAME))
        return first_line(client)


@root_only
def test_root_is_given_up_in_every_thread(gate, low):
    assert who(low) == "served"
    pid = gate.process.pid
    for thread in proc.threads(pid):
        fields = proc.status(pid, thread)
        assert set(fields["Uid"].split()) == {str(NOBODY)}, fields["Name"]
        assert set(fields["Gid"].split()) == {str(NOBODY)}, fields["Name"]
        assert fields["Groups"].split() in ([], [str(NOBODY)]), fields["Name"]
        for kind in ("CapEff", "CapPrm"):
            assert int(fields[kind], 16) & ~CAP_NET_BIND_SERVICE == 0, f"{fields['Name']} {kind} {fields[kind]}"
        assert int(fields["CapInh"], 16) == 0 and int(fields["CapAmb"], 16) == 0


@root_only
def test_no_thread_can_gain_rights_or_call_what_it_needs_not(gate):
    for thread in proc.threads(gate.process.pid):
        fields = proc.status(gate.process.pid, thread)
        assert fields["NoNewPrivs"].strip() == "1", fields["Name"]
        assert fields["Seccomp"].strip() == "2", fields["Name"]


def test_without_a_user_the_filter_holds_all_the_same(lockgate, echo):
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
""", to=echo("served").address)
    for thread in proc.threads(gate.process.pid):
        fields = proc.status(gate.process.pid, thread)
        assert (fields["NoNewPrivs"].strip(), fields["Seccomp"].strip()) == ("1", "2"), fields["Name"]


@root_only
def test_a_privileged_port_can_still_be_added_later(gate, low):
    other = low - 1
    gate.reload(GATE + '\n  - bind: "127.0.0.1:$other"\n    sites: [{ names: default, pass: { to: "tcp://$to" } }]\n',
                other=other)
    assert who(other) == "served"


@root_only
def test_logs_can_be_reopened_without_root(gate, low):
    log = gate.access_log_file()
    assert who(low) == "served"
    gate.next_line()
    log.rename(log.with_suffix(".1"))
    gate.signal(signal.SIGUSR1)
    wait_until(log.exists, "the log is opened again")
    assert who(low) == "served"
    wait_until(lambda: len(log.read_text().splitlines()) == 1, "lines go to the new file")


@root_only
def test_the_control_socket_is_for_few(gate):
    assert (gate.folder / "control.sock").stat().st_mode & 0o007 == 0


@root_only
def test_an_unknown_user_is_told(lockgate, echo, low):
    gate = lockgate(GATE.replace("nobody", "nosuchuser"), to=echo("served").address, low=low, start=False)
    done = gate.command("run")
    assert done.returncode in (1, 2)
    assert "nosuchuser" in done.stderr


@root_only
def test_it_runs_as_an_ordinary_user(lockgate, echo, public, public_binary):
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
""", to=echo("served").address, folder=public, start=False)

    def become_nobody():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)

    gate.process = Process("lockgate", [public_binary, "run", "-c", gate.config], public, before_exec=become_nobody)
    gate.wait_until_ready()
    assert who(gate.port) == "served"
    assert proc.status(gate.process.pid)["Uid"].split()[0] == str(NOBODY)


# systemd, played by the test.


class Notifications:
    """The socket to which a service tells systemd how it is."""

    def __init__(self, path):
        self.path = path
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(path))
        os.chmod(path, 0o777)
        self.seen = []

    def wait_for(self, word, timeout=5.0):
        deadline = time.monotonic() + timeout
        while True:
            self.sock.settimeout(max(0.01, deadline - time.monotonic()))
            message = self.sock.recv(4096).decode().split("\n")
            self.seen += message
            if word in message:
                return message

    def stop(self):
        self.sock.close()


@pytest.fixture
def systemd(public, started):
    return started(Notifications(public / "notify.sock"))


SIMPLE = """
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
"""


def test_systemd_learns_that_it_is_ready_reloads_and_stops(lockgate, echo, systemd):
    gate = lockgate(SIMPLE, to=echo("served").address, start=False)
    gate.start(wait=False, env=os.environ | {"NOTIFY_SOCKET": str(systemd.path)})
    systemd.wait_for("READY=1")
    assert who(gate.port) == "served", "it was not ready"
    gate.signal(signal.SIGHUP)
    message = systemd.wait_for("RELOADING=1")
    assert any(word.startswith("MONOTONIC_USEC=") for word in message), message
    systemd.wait_for("READY=1")
    gate.signal(signal.SIGTERM)
    systemd.wait_for("STOPPING=1")


def test_systemd_is_told_again_and_again_that_it_lives(lockgate, echo, systemd):
    gate = lockgate(SIMPLE, to=echo("served").address, start=False)
    gate.start(wait=False, env=os.environ | {"NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": "400000"})
    begun = time.monotonic()
    for _ in range(5):
        systemd.wait_for("WATCHDOG=1", timeout=0.6)
    assert time.monotonic() - begun < 3


def start_with_sockets(gate, sockets, names):
    """Starts it as systemd does, with these listening sockets from descriptor 3 on."""
    moves = " ".join(f"{3 + place}<&{sock.fileno()}" for place, sock in enumerate(sockets))
    script = f'exec {moves}; export LISTEN_PID=$$; exec "$0" run -c "$1"'
    gate.process = Process("lockgate", ["bash", "-c", script, BINARY, gate.config], gate.folder,
                           env=os.environ | {"LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": names},
                           pass_fds=[sock.fileno() for sock in sockets])
    gate.wait_until_ready()


def test_sockets_may_come_from_systemd(lockgate, echo):
    gate = lockgate("""
listeners:
  - bind: "systemd:tls"
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
  - bind: "systemd:other"
    sites:
      - { names: [default], reject: { with: reset } }
""", to=echo("served").address, start=False)
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_server(("127.0.0.1", 0), backlog=50) as tls:
        start_with_sockets(gate, [other, tls], "other:tls")
        port = tls.getsockname()[1]
        assert [who(port) for _ in range(20)] == ["served"] * 20
        gate.reload()
        assert who(port) == "served"
        gate.stop()
        connect(port).close()  # systemd still holds the socket: nobody is refused between two runs


def test_a_socket_that_systemd_did_not_pass_is_told(lockgate, echo):
    gate = lockgate(SIMPLE.replace('"127.0.0.1:$port"', '"systemd:tls"'), to=echo("served").address, start=False)
    done = gate.command("run")
    assert done.returncode in (1, 2)
    assert re.search(r"systemd:?.*tls|tls.*systemd", done.stderr), done.stderr
