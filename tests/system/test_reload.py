"""A new configuration takes effect without a dropped connection, and a broken one not at all.

By SIGHUP and by command; under traffic; with listeners that stay, come and go. The long form (1,000 reloads) is in
tests/soak.
"""
import signal
import time

import pytest

from parts import http1, proc
from parts.client_hello import hello
from parts.ports import free_port
from parts.sockets import connect, first_line, read_exactly
from parts.traffic import Traffic
from parts.waiting import wait_until

NAME = "a.example.test"
ONE = """
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
"""
TWO = ONE + """
  - bind: "127.0.0.1:$second"
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
"""


def who(port):
    with connect(port) as client:
        client.sendall(hello(NAME))
        return first_line(client)


def by_command(gate):
    assert gate.command("reload").returncode == 0


def by_signal(gate):
    gate.signal(signal.SIGHUP)


@pytest.mark.parametrize("reload", [by_command, by_signal])
def test_new_connections_follow_the_new_configuration(lockgate, echo, reload):
    gate = lockgate(ONE, to=echo("old").address)
    assert who(gate.port) == "old"
    gate.write(ONE, to=echo("new").address)
    reload(gate)
    wait_until(lambda: who(gate.port) == "new", "the new configuration is used")


def test_when_the_command_returns_the_new_configuration_holds(lockgate, echo):
    gate = lockgate(ONE, to=echo("old").address)
    servers = [echo("even"), echo("odd")]
    for number in range(10):
        gate.reload(ONE, to=servers[number % 2].address)
        assert {who(gate.port) for _ in range(4)} == {servers[number % 2].name}


@pytest.mark.parametrize("reload", [by_command, by_signal])
def test_open_connections_go_on_with_the_old_one(lockgate, echo, reload):
    gate = lockgate(ONE, to=echo("old").address)
    with gate.open(NAME) as client, gate.connect() as quiet:
        assert first_line(client) == "old"
        gate.write(ONE, to=echo("new").address)
        reload(gate)
        wait_until(lambda: who(gate.port) == "new", "the new configuration is used")
        client.sendall(b"still there?")
        assert read_exactly(client, 12) == b"still there?"
        quiet.sendall(hello(NAME))  # it had said nothing yet
        assert first_line(quiet) in ("old", "new")


@pytest.mark.parametrize("reload", ["command", "signal"])
def test_a_broken_configuration_is_refused_with_its_reason(lockgate, echo, reload):
    gate = lockgate(ONE, to=echo("old").address)
    gate.write(ONE.replace("sites:", "sitess:"))
    if reload == "command":
        done = gate.command("reload")
        assert done.returncode in (1, 2)
        told = done.stdout + done.stderr
        assert "sitess" in told and "lockgate.yaml:" in told
    else:
        gate.signal(signal.SIGHUP)
    gate.wait_for_message("sitess")
    assert who(gate.port) == "old"
    assert gate.health() == 200
    assert gate.metrics().total("lockgate_reloads_total") == 1


def test_a_mended_configuration_is_taken_after_a_broken_one(lockgate, echo):
    gate = lockgate(ONE, to=echo("old").address)
    gate.write("listeners: 5\n")
    assert gate.command("reload").returncode != 0
    gate.reload(ONE, to=echo("new").address)
    assert who(gate.port) == "new"


def test_a_listener_may_come_and_go(lockgate, echo):
    gate = lockgate(ONE, to=echo("served").address)
    second = free_port()
    gate.reload(TWO, second=second)
    assert who(second) == "served"
    with connect(second) as lasting:
        lasting.sendall(hello(NAME))
        assert first_line(lasting) == "served"
        gate.reload(ONE)
        with pytest.raises(ConnectionRefusedError):
            connect(second)
        lasting.sendall(b"still there?")
        assert read_exactly(lasting, 12) == b"still there?"
    assert who(gate.port) == "served"


def test_a_listener_may_return_at_once(lockgate, echo):
    second = free_port()
    gate = lockgate(TWO, to=echo("served").address, second=second)
    with Traffic(gate.port, [NAME]) as traffic:  # busy workers take their time to let go of a socket
        for _ in range(20):
            gate.reload(ONE)
            gate.reload(TWO)
            assert who(second) == "served"
    assert traffic.failures == []


def test_a_listener_that_stays_keeps_its_sockets(lockgate, echo):
    gate = lockgate(TWO, to=echo("old").address, second=free_port())
    before = proc.listening_sockets(gate.process.pid)
    gate.reload(ONE, to=echo("new").address)
    after = proc.listening_sockets(gate.process.pid)
    assert after[gate.port] == before[gate.port]
    assert set(before) - set(after) != set()


def test_a_listener_whose_port_is_taken_refuses_the_whole_reload(lockgate, echo, nginx):
    gate = lockgate(ONE, to=echo("old").address)
    gate.write(TWO, second=nginx("b.example.test").port, to=echo("new").address)
    done = gate.command("reload")
    assert done.returncode in (1, 2)
    # Its privileges are given up by now, so it can see whose the port is and no longer which program's.
    assert "a process of user root" in done.stdout + done.stderr
    assert who(gate.port) == "old"


def test_connections_that_the_kernel_had_taken_outlive_their_listener(lockgate, echo):
    second = free_port()
    gate = lockgate(TWO, to=echo("served").address, second=second)
    gate.signal(signal.SIGSTOP)
    waiting = [connect(second) for _ in range(20)]
    for client in waiting:
        client.sendall(hello(NAME))
    gate.write(ONE)
    gate.signal(signal.SIGHUP)
    gate.signal(signal.SIGCONT)
    assert [first_line(client) for client in waiting] == ["served"] * 20
    for client in waiting:
        client.close()


def test_a_site_is_enabled_by_a_link(lockgate, echo):
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - include: sites-enabled/*.yaml
      - { names: [default], pass: { to: "tcp://$other" } }
""", other=echo("other").address, start=False)
    available, enabled = gate.folder / "sites-available", gate.folder / "sites-enabled"
    available.mkdir()
    enabled.mkdir()
    (available / "a.yaml").write_text(f'names: [{NAME}]\npass: {{ to: "tcp://{echo("a").address}" }}\n')
    gate.start()
    assert who(gate.port) == "other"
    (enabled / "a.yaml").symlink_to(available / "a.yaml")
    by_command(gate)
    assert who(gate.port) == "a"
    (enabled / "a.yaml").unlink()
    by_command(gate)
    assert who(gate.port) == "other"


def test_nothing_is_left_of_former_configurations(lockgate, echo):
    gate = lockgate(TWO, to=echo("served").address, second=free_port())
    gate.reload()
    descriptors = proc.descriptors(gate.process.pid)
    for number in range(20):
        gate.reload(TWO if number % 2 else ONE)
    wait_until(lambda: proc.descriptors(gate.process.pid) <= descriptors, "all descriptors are closed")


def test_fifty_reloads_under_traffic_drop_nothing(lockgate, echo):
    servers = [echo("even"), echo("odd")]
    gate = lockgate(TWO, to=servers[0].address, second=free_port())
    with Traffic(gate.port, [NAME, "b.example.test"]) as traffic:
        for number in range(50):
            gate.reload(TWO if number % 2 else ONE, to=servers[number % 2].address)
            time.sleep(0.02)
    assert traffic.failures == []
    assert traffic.done > 100
    lines = gate.next_lines(traffic.done + 10)
    assert {line["outcome"] for line in lines} == {"finished"}
    assert gate.metrics().total("lockgate_reloads_total") == 50


WEB = """
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [$one], plain: { routes: [{ path: /, status: 200, body: "$said\\n" }] } }
      $more
      - { names: [default], plain: { routes: [{ path: /, status: 200, body: "default\\n" }] } }
"""


def test_an_open_connection_meets_the_site_that_takes_its_name_now(lockgate):
    gate = lockgate(WEB, one="a.test, b.test", said="old", more="")
    socks = {name: gate.connect() for name in ("a.test", "b.test", "c.test")}
    files = {name: sock.makefile("rb") for name, sock in socks.items()}

    def ask(name):
        socks[name].sendall(http1.request(host=name))
        return http1.read_answer(files[name])

    assert [ask(name).body for name in socks] == [b"old\n", b"old\n", b"default\n"]
    gate.reload(WEB, one="a.test", said="new",
                more="- { names: [b.test, c.test], require: nobody, plain: { routes: [{ path: /, status: 200 }] } }")
    assert ask("a.test").body == b"new\n"
    for name in ("b.test", "c.test"):
        assert [ask(name).status, ask(name).status] == [403, 403], "on the connection that was open before"
