"""Limits on the number of connections: of the process, of a listener, of a site; the surplus is refused or waits.

They are promises of the whole process: all gates here run two workers.
"""
import ctypes
import resource
import time

import pytest

from parts.sockets import first_line, is_cut
from parts.waiting import wait_until

NAME, OTHER = "a.example.test", "b.example.test"
GATE = """
$global
listeners:
  - bind: "127.0.0.1:$port"
    $listener
    sites:
      - { names: [a.example.test], $site pass: { to: "tcp://$to" } }
      - { names: [default], pass: { to: "tcp://$to" } }
"""
REFUSE = "limits: { connections: 4, when_full: refuse }"
QUEUE = "limits: { connections: 4, when_full: queue, queue_timeout: 700ms }"


def made(lockgate, echo, level, limits):
    values = {"global": "", "listener": "", "site": ""}
    values[level] = limits + ("," if level == "site" else "")
    return lockgate(GATE, to=echo("served").address, **values)


def fill(gate, count=4):
    held = [gate.open(NAME) for _ in range(count)]
    for client in held:
        assert first_line(client) == "served"
    return held


def close(clients):
    for client in clients:
        client.close()


@pytest.mark.parametrize("level", ["global", "listener", "site"])
def test_the_surplus_is_refused(lockgate, echo, level):
    gate = made(lockgate, echo, level, REFUSE)
    held = fill(gate)
    for _ in range(3):
        with gate.open(NAME) as client:
            assert is_cut(client)
    assert [line["outcome"] for line in gate.next_lines(3)] == ["limited"] * 3
    close(held)
    gate.next_lines(4)
    close(fill(gate))


@pytest.mark.parametrize("level", ["global", "listener", "site"])
def test_the_surplus_waits_for_its_turn(lockgate, echo, level):
    gate = made(lockgate, echo, level, QUEUE)
    held = fill(gate)
    with gate.open(NAME) as client:
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
        held.pop().close()
        client.settimeout(5)
        assert first_line(client) == "served"
    close(held)


@pytest.mark.parametrize("level", ["global", "listener", "site"])
def test_waiting_has_an_end(lockgate, echo, level):
    gate = made(lockgate, echo, level, QUEUE)
    held = fill(gate)
    begun = time.monotonic()
    with gate.open(NAME) as client:
        assert is_cut(client)
    assert 0.5 < time.monotonic() - begun < 2.5
    assert gate.next_line()["outcome"] == "limited"
    close(held)


def test_a_full_site_leaves_the_others_alone(lockgate, echo):
    gate = made(lockgate, echo, "site", REFUSE)
    held = fill(gate)
    for _ in range(6):
        with gate.open(OTHER) as client:
            assert first_line(client) == "served"
    close(held)


def test_those_who_wait_are_served_in_turn(lockgate, echo):
    gate = made(lockgate, echo, "listener", QUEUE.replace("700ms", "10s"))
    held = fill(gate)
    waiting = [gate.open(NAME) for _ in range(10)]
    close(held)
    for client in waiting:
        assert first_line(client) == "served"
        client.close()
    gate.next_lines(14)


def test_one_who_gives_up_waiting_leaves_the_queue(lockgate, echo):
    gate = made(lockgate, echo, "listener", QUEUE.replace("700ms", "10s"))
    held = fill(gate)
    for _ in range(5):
        gate.open(NAME).close()
    close(held)
    close(fill(gate))
    gate.next_lines(13)


def test_the_limit_holds_over_all_workers(lockgate, echo):
    server = echo("served")
    gate = lockgate(GATE, to=server.address, listener=REFUSE, site="", **{"global": ""})
    clients = [gate.open(NAME) for _ in range(40)]
    wait_until(lambda: len(gate.access_log()) == 36, "36 are refused")
    wait_until(lambda: server.accepted == 4, "4 reach the server")
    assert gate.metrics().total("lockgate_connections") == 4
    close(clients)


def test_nothing_is_counted_forever(lockgate, echo):
    gate = made(lockgate, echo, "global", REFUSE)
    for number in range(100):
        with gate.open(NAME) as client:
            if number % 2:
                first_line(client)
        gate.next_line()
    close(fill(gate))


def test_a_reload_keeps_count_and_takes_the_new_limit(lockgate, echo):
    gate = made(lockgate, echo, "site", REFUSE)
    held = fill(gate)
    gate.reload()
    with gate.open(NAME) as client:
        assert is_cut(client)
    gate.reload(GATE, site=REFUSE.replace("4", "6") + ",")
    held += fill(gate, 2)
    with gate.open(NAME) as client:
        assert is_cut(client)
    close(held)


def test_no_more_are_served_than_there_are_descriptors_for(lockgate, echo):
    gate = lockgate(GATE, start=False, to=echo("served").address, site="", listener="", **{"global": ""})

    def few_descriptors():
        PR_CAPBSET_DROP, CAP_SYS_RESOURCE = 24, 24  # root would raise the limit
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (700, 700))

    gate.start(before_exec=few_descriptors)
    gate.wait_for_message("`limits.connections` is 10000, but 700 descriptors suffice for")
    clients = [gate.open(NAME) for _ in range(400)]  # 800 descriptors, if they were let in
    served = (700 - 200 - 2 * 100 - 2) // 2  # beside them: the process, two workers, and a socket for each of these
    wait_until(lambda: gate.metrics().total("lockgate_connections") == served, "it is full")
    assert gate.command("status").returncode == 0
    assert gate.health() == 200
    assert gate.metrics().total("lockgate_connections") == served
    assert "too many open files" not in gate.process.output().lower()
    for client in clients[:390]:
        client.close()
    assert first_line(clients[-1]) == "served"
    close(clients[390:])
