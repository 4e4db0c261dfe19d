"""Upstreams with several endpoints: how one is chosen, and what happens where some are dead, slow or without address.

Endpoints are scripted servers that say their names; names come from a real dnsmasq. Counts are read from what the
clients saw, never from what the gate believes.
"""
import socket
import time
from collections import Counter

import pytest

from parts.client_hello import hello
from parts.ports import free_port
from parts.sockets import first_line, is_cut
from parts.waiting import wait_until

NAME = "a.example.test"
POOL = """
workers: 1  # each worker counts for itself
name_servers: ["$dns"]
upstreams:
  pool:
    endpoints: $endpoints
    $options
listeners:
  - bind: "127.0.0.1:$port"
    timeouts: { connect: 2s }
    sites:
      - { names: [default], pass: { to: pool } }
"""


@pytest.fixture
def pool(lockgate, dnsmasq):
    """pool(endpoints, options): a gate in front of these endpoints, written as in YAML."""

    def make(*endpoints, options="", **more):
        return lockgate(POOL, endpoints=f"[ {', '.join(endpoints)} ]", options=options, dns=dnsmasq.address, **more)

    return make


def at(server, options=""):
    return f'{{ url: "tcp://{server.address}", {options} }}'


def who(gate, name=NAME, source=None):
    """The name of the server that one connection reaches."""
    with gate.open(name, source=source) as client:
        return first_line(client)


def is_refused(gate):
    with gate.open(NAME) as client:
        return is_cut(client)


# Balancing.


def test_weights_are_exact(pool, echo):
    gate = pool(at(echo("one")), at(echo("three"), "weight: 3"))
    assert Counter(who(gate) for _ in range(40)) == {"one": 10, "three": 30}


def test_the_least_busy_endpoint_is_chosen(pool, echo):
    gate = pool(at(echo("a")), at(echo("b")), options="balance: least_connections")
    held = [gate.open(NAME) for _ in range(6)]
    assert Counter(first_line(client) for client in held) == {"a": 3, "b": 3}
    held.pop(0).close()
    quiet = gate.next_line()["endpoint"]
    held.append(gate.open(NAME))
    first_line(held[-1])
    for client in held:
        client.close()
    assert [line["endpoint"] for line in gate.next_lines(6)].count(quiet) == 3


def test_random_choice_uses_every_endpoint(pool, echo):
    gate = pool(at(echo("a")), at(echo("b")), at(echo("c")), options="balance: random_two")
    assert set(who(gate) for _ in range(60)) == {"a", "b", "c"}


def test_a_client_always_meets_the_same_endpoint(pool, echo):
    gate = pool(*(at(echo(name)) for name in "abcd"), options="balance: consistent_hash")
    sources = [f"127.0.3.{number}" for number in range(1, 25)]
    first = {source: who(gate, source=source) for source in sources}
    assert first == {source: who(gate, source=source) for source in sources}
    assert len(set(first.values())) >= 3


def test_few_clients_move_when_an_endpoint_is_taken_away(pool, echo):
    servers = {name: echo(name) for name in "abcd"}
    options = "balance: consistent_hash\n    hash: name"
    gate = pool(*map(at, servers.values()), options=options)
    names = [f"n{number}.example.test" for number in range(60)]
    before = {name: who(gate, name) for name in names}
    gate.reload(POOL, endpoints=f"[ {', '.join(at(servers[name]) for name in 'abc')} ]")
    after = {name: who(gate, name) for name in names}
    assert all(after[name] == before[name] for name in names if before[name] != "d")


def test_a_backup_serves_only_while_no_other_can(pool, echo):
    main, backup = echo("main", port=free_port()), echo("backup")
    gate = pool(at(main), at(backup, "backup: true"), options="ejection: { failures: 1, time: 500ms }")
    assert {who(gate) for _ in range(5)} == {"main"}
    main.stop()
    assert {who(gate) for _ in range(5)} == {"backup"}
    echo("main again", port=main.port)
    wait_until(lambda: who(gate) == "main again", "the main endpoint is used again")


# Dead and slow endpoints.


def test_a_dead_endpoint_is_passed_over(pool, echo):
    gate = pool(f'"tcp://127.0.0.1:{free_port()}"', at(echo("alive")), options="ejection: { failures: 0 }")
    assert [who(gate) for _ in range(6)] == ["alive"] * 6
    assert {line["attempts"] for line in gate.next_lines(6)} == {1, 2}


def test_an_endpoint_that_swallows_everything_is_passed_over_in_time(pool, echo, origin):
    origin.sock.listen(0)
    fill = [_begin_to_connect(origin.port) for _ in range(4)]  # the queue is full: further SYNs are dropped
    gate = pool(at(origin), at(echo("alive")), options="try_timeout: 300ms\n    ejection: { failures: 0 }")
    for _ in range(4):
        begun = time.monotonic()
        assert who(gate) == "alive"
        assert time.monotonic() - begun < 1.5
    for sock in fill:
        sock.close()


def _begin_to_connect(port):
    sock = socket.socket()
    sock.setblocking(False)
    sock.connect_ex(("127.0.0.1", port))
    return sock


def test_when_all_are_dead_the_client_is_cut_within_the_connect_timeout(pool):
    ports = [free_port() for _ in range(2)]
    gate = pool(*(f'"tcp://127.0.0.1:{port}"' for port in ports))
    begun = time.monotonic()
    assert is_refused(gate)
    assert time.monotonic() - begun < 2.5
    line = gate.next_line()
    assert line["outcome"] in ("refused", "no_endpoint")
    assert line["ended_by"] in ("upstream", "here")
    assert line["reason"]


def test_an_endpoint_that_keeps_failing_is_ejected_for_a_while(pool, echo):
    dead = free_port()
    gate = pool(f'"tcp://127.0.0.1:{dead}"', at(echo("alive")), options="ejection: { failures: 2, time: 1s }")
    for _ in range(12):
        assert who(gate) == "alive"
    tried = [line["attempts"] for line in gate.next_lines(12)]
    assert sum(tried) == 14, "two failures, then it is left alone"
    echo("dead no more", port=dead)
    wait_until(lambda: who(gate) == "dead no more", "the ejected endpoint is tried again", timeout=5)


def test_checks_find_out_what_dies_and_what_comes_back(pool, echo):
    a, b = echo("a", port=free_port()), echo("b")
    gate = pool(at(a), at(b), options="health: { every: 100ms, timeout: 100ms, rise: 2, fall: 2 }\n"
                                      "    ejection: { failures: 0 }")

    def up(server):
        return gate.metrics().total("lockgate_endpoint_up", endpoint=f"tcp://{server.address}")

    wait_until(lambda: up(a) == 1 and up(b) == 1, "both are up")
    assert {who(gate) for _ in range(6)} == {"a", "b"}
    a.stop()
    wait_until(lambda: up(a) == 0, "the check notices the death")
    seen = len(gate.access_log())
    assert {who(gate) for _ in range(6)} == {"b"}
    wait_until(lambda: len(gate.access_log()) == seen + 6, "all are logged")
    assert {line["attempts"] for line in gate.access_log()[seen:]} == {1}
    echo("a", port=a.port)
    wait_until(lambda: up(a) == 1, "the check notices the return")
    assert {who(gate) for _ in range(6)} == {"a", "b"}


# Unix sockets.


def test_an_upstream_may_be_a_unix_socket(lockgate, echo, tmp_path):
    server = echo("by path", path=tmp_path / "app.sock")
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], pass: { to: "unix:$path" } }
""", path=server.path)
    assert who(gate) == "by path"
    assert gate.next_line()["endpoint"] == f"unix:{server.path}"


def test_a_listener_may_be_a_unix_socket(lockgate, echo, tmp_path):
    path = tmp_path / "gate.sock"
    gate = lockgate("""
listeners:
  - bind: "unix:$path"
    sites:
      - { names: [default], pass: { to: "tcp://$to" } }
""", path=path, to=echo("served").address)
    for _ in range(2):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(path))
            client.sendall(hello(NAME))
            assert first_line(client) == "served"
    gate.stop()
    gate.start()  # what a former run left behind is no obstacle
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


# Names.


def test_a_name_is_asked_once_per_time_to_live(pool, echo, dnsmasq):
    server = echo("named")
    dnsmasq.ttl = 1
    dnsmasq.host("app.example.test", "127.0.0.1").start()
    gate = pool(f'"tcp://app.example.test:{server.port}"')
    for _ in range(10):
        assert who(gate) == "named"
    assert dnsmasq.questions("app.example.test") <= 2
    asked = dnsmasq.questions("app.example.test")
    time.sleep(1.3)
    who(gate)
    wait_until(lambda: dnsmasq.questions("app.example.test") > asked, "it is asked again when its time is over")


def test_a_changed_address_is_followed_when_its_time_is_over(pool, echo, dnsmasq):
    old = echo("old", host="127.0.0.11", port=(port := free_port()))
    echo("new", host="127.0.0.12", port=port)
    dnsmasq.ttl = 1
    dnsmasq.host("app.example.test", "127.0.0.11").start()
    gate = pool(f'"tcp://app.example.test:{port}"')
    assert who(gate) == old.name
    dnsmasq.clear().host("app.example.test", "127.0.0.12").start()
    wait_until(lambda: who(gate) == "new", "the new address is used", timeout=4)


def test_the_last_good_answer_is_kept_while_name_servers_are_down(pool, echo, dnsmasq):
    server = echo("named")
    dnsmasq.ttl = 1
    dnsmasq.host("app.example.test", "127.0.0.1").start()
    gate = pool(f'"tcp://app.example.test:{server.port}"')
    assert who(gate) == "named"
    dnsmasq.stop()
    time.sleep(1.5)
    begun = time.monotonic()
    assert [who(gate) for _ in range(3)] == ["named"] * 3
    assert time.monotonic() - begun < 3


def test_an_upstream_without_address_at_start_is_used_once_it_has_one(pool, echo, dnsmasq):
    server = echo("late")
    dnsmasq.ttl = 1
    dnsmasq.start()
    gate = pool(f'"tcp://late.example.test:{server.port}"')
    assert is_refused(gate)
    line = gate.next_line()
    assert line["outcome"] in ("unresolved", "no_endpoint")
    assert "late.example.test" in gate.process.output() + str(line)
    dnsmasq.host("late.example.test", "127.0.0.1").start()

    def serves():
        with gate.open(NAME) as client:
            return client.recv(100) == b"late\n"

    wait_until(serves, "the upstream is found", timeout=8, pause=0.2)


def test_a_name_server_that_does_not_answer_delays_nobody_else(pool, echo, lockgate):
    gate = lockgate("""
name_servers: ["127.0.0.1:$dead"]
listeners:
  - bind: "127.0.0.1:$port"
    timeouts: { connect: 1s }
    sites:
      - { names: [named.example.test], pass: { to: "tcp://app.example.test:1" } }
      - { names: [default], pass: { to: "tcp://$to" } }
""", dead=free_port(), to=echo("address").address)
    begun = time.monotonic()
    with gate.open("named.example.test") as waiting:
        assert who(gate) == "address"
        assert is_cut(waiting)
    assert time.monotonic() - begun < 3
    assert {line["outcome"] for line in gate.next_lines(2)} <= {"finished", "unresolved", "timed_out", "no_endpoint"}


def test_a_service_is_found_with_its_port_priority_and_weight(pool, echo, dnsmasq):
    first, second, reserve = echo("first"), echo("second"), echo("reserve")
    dnsmasq.host("app.example.test", "127.0.0.1")
    dnsmasq.service("_imaps._tcp.example.test", "app.example.test", first.port, 10, 30)
    dnsmasq.service("_imaps._tcp.example.test", "app.example.test", second.port, 10, 10)
    dnsmasq.service("_imaps._tcp.example.test", "app.example.test", reserve.port, 20, 10).start()
    gate = pool('"tcp+srv://_imaps._tcp.example.test"')
    seen = Counter(who(gate) for _ in range(40))
    assert set(seen) == {"first", "second"}, seen
    assert seen["first"] > seen["second"]


def test_a_services_lower_priority_serves_when_the_higher_is_dead(pool, echo, dnsmasq):
    reserve = echo("reserve")
    dnsmasq.host("app.example.test", "127.0.0.1")
    dnsmasq.service("_imaps._tcp.example.test", "app.example.test", free_port(), 10, 10)
    dnsmasq.service("_imaps._tcp.example.test", "app.example.test", reserve.port, 20, 10).start()
    gate = pool('"tcp+srv://_imaps._tcp.example.test"')
    assert {who(gate) for _ in range(5)} == {"reserve"}


def test_names_of_the_hosts_file_need_no_name_server(pool, echo):
    gate = pool(f'"tcp://localhost:{echo("local").port}"')
    assert who(gate) == "local"


def test_an_upstream_may_have_name_servers_of_its_own(lockgate, echo, dnsmasq):
    server = echo("inside")
    dnsmasq.host("app.example.test", "127.0.0.1").start()
    gate = lockgate("""
name_servers: ["127.0.0.1:$dead"]
upstreams:
  inside: { endpoints: ["tcp://app.example.test:$to"], name_servers: ["$dns"] }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], pass: { to: inside } }
""", dead=free_port(), dns=dnsmasq.address, to=server.port)
    assert who(gate) == "inside"


# Loops.


def test_an_upstream_that_is_our_own_listener_is_refused(pool, lockgate):
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], pass: { to: "tcp://127.0.0.1:$port" } }
""")
    assert is_refused(gate)
    assert gate.next_line()["outcome"] in ("loops", "no_endpoint")
    assert len(gate.access_log()) == 1, "the gate connected to itself"


def test_a_name_that_leads_back_to_us_is_refused(lockgate, dnsmasq):
    dnsmasq.host("front.example.test", "127.0.0.1").start()
    gate = lockgate("""
name_servers: ["$dns"]
listeners:
  - bind: ":$port"
    sites:
      - { names: [default], pass: { to: "tcp://front.example.test:$port" } }
""", dns=dnsmasq.address)
    assert is_refused(gate)
    assert gate.next_line()["outcome"] in ("loops", "no_endpoint")
    assert len(gate.access_log()) == 1, "the gate connected to itself"


def test_check_warns_of_an_upstream_that_is_our_own_listener(lockgate):
    gate = lockgate("""
listeners:
  - bind: ":$port"
    sites:
      - { names: [default], pass: { to: "tcp://127.0.0.1:$port" } }
""", start=False)
    done = gate.command("check")
    assert done.returncode == 0
    assert "lockgate.yaml:" in done.stderr + done.stdout and "own" in done.stderr + done.stdout
