"""IPv6 on every side, and the rule which families a bind takes.

":443" takes both families on one socket, "[::]:443" IPv6 only, "0.0.0.0:443" IPv4 only.
"""
import socket
import time

import pytest

from parts import proxy_header
from parts.browsers import curl
from parts.ports import free_port
from parts.sockets import connect, first_line, is_cut

NAME = "a.example.test"
GATE = """
listeners:
  - bind: "$bind:$port"
    sites:
      - names: [default]
        pass: { to: "tcp://$to", send_proxy_protocol: $send }
"""


def reaches(port, host):
    try:
        connect(port, host).close()
        return True
    except ConnectionRefusedError:
        return False


@pytest.mark.parametrize("bind, over_ipv4, over_ipv6", [
    ("", True, True), ("[::]", False, True), ("0.0.0.0", True, False), ("[::1]", False, True)])
def test_a_bind_takes_the_families_it_says(lockgate, origin, bind, over_ipv4, over_ipv6):
    gate = lockgate(GATE, bind=bind, to=origin.address, send="off")
    assert reaches(gate.port, "127.0.0.1") == over_ipv4
    assert reaches(gate.port, "::1") == over_ipv6


def test_both_families_may_be_bound_apart_on_one_port(lockgate, origin):
    gate = lockgate(GATE.replace('"$bind:$port"', '["[::]:$port", "0.0.0.0:$port"]'), to=origin.address, send="off")
    assert reaches(gate.port, "127.0.0.1") and reaches(gate.port, "::1")


def test_everything_may_be_ipv6(nginx, lockgate, authority):
    server = nginx(NAME, host="::1", proxy_protocol=True)
    gate = lockgate(GATE, bind="[::1]", to=server.address, send="v2")
    done = curl(f"https://{NAME}/", gate.port, address="::1", root=authority.root)
    assert "client=::1\n" in done.stdout, done
    line = gate.next_line()
    assert line["client"].startswith("[::1]:")
    assert line["address"] == server.address


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_ipv4_client_of_a_socket_for_both_is_told_as_ipv4(lockgate, origin, version):
    gate = lockgate(GATE, bind="", to=origin.address, send=version)
    with gate.open(NAME, source="127.0.0.7"), origin.accept() as server:
        header = proxy_header.read(server)
    assert header.source[0] == "127.0.0.7"
    assert header.destination == ("127.0.0.1", gate.port)
    assert gate.next_line()["client"].startswith("127.0.0.7:")


def test_an_ipv4_client_reaches_an_ipv6_server(nginx, lockgate, authority):
    server = nginx(NAME, host="::1", proxy_protocol=True)
    gate = lockgate(GATE, bind="127.0.0.1", to=server.address, send="v1")
    done = curl(f"https://{NAME}/", gate.port, "--interface", "127.0.0.7", root=authority.root)
    assert "client=127.0.0.7\n" in done.stdout, done


def test_client_networks_match_in_both_families(lockgate, echo):
    gate = lockgate("""
listeners:
  - bind: ":$port"
    sites:
      - { names: default, match: { clients: ["::1/128"] }, pass: { to: "tcp://$six" } }
      - { names: default, match: { clients: [127.0.0.0/25] }, pass: { to: "tcp://$four" } }
      - { names: default, reject: { with: reset } }
""", six=echo("six").address, four=echo("four").address)
    with gate.open(NAME, host="::1") as client:
        assert first_line(client) == "six"
    with gate.open(NAME, source="127.0.0.100") as client:
        assert first_line(client) == "four"
    with gate.open(NAME, source="127.0.0.200") as client:
        assert is_cut(client)


NAMED = """
name_servers: ["$dns"]
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - names: [default]
        pass: { to: "tcp://$name:$to" }
"""


@pytest.mark.parametrize("alive", ["127.0.0.1", "::1"])
def test_a_name_with_both_families_is_reached_by_the_one_that_answers(lockgate, echo, dnsmasq, alive):
    server = echo("alive", host=alive)
    dnsmasq.host("both.example.test", "127.0.0.1", "::1").start()
    gate = lockgate(NAMED, dns=dnsmasq.address, name="both.example.test", to=server.port)
    with gate.open(NAME) as client:
        assert first_line(client) == "alive"
    assert gate.next_line()["address"] == server.address


def test_an_ipv6_address_that_swallows_everything_costs_little_time(lockgate, echo, dnsmasq):
    port = free_port()
    echo("alive", port=port)
    with socket.socket(socket.AF_INET6) as swallowing:
        swallowing.bind(("::1", port))
        swallowing.listen(0)
        fill = [_begin_to_connect(port) for _ in range(4)]  # the queue is full: further SYNs are dropped
        dnsmasq.host("both.example.test", "127.0.0.1", "::1").start()
        gate = lockgate(NAMED, dns=dnsmasq.address, name="both.example.test", to=port)
        begun = time.monotonic()
        with gate.open(NAME) as client:
            assert first_line(client) == "alive"
        assert time.monotonic() - begun < 1.5
        for sock in fill:
            sock.close()


def _begin_to_connect(port):
    sock = socket.socket(socket.AF_INET6)
    sock.setblocking(False)
    sock.connect_ex(("::1", port))
    return sock
