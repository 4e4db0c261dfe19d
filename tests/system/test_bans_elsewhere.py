"""Bans told to others and by others: a real set of nftables, and a real fail2ban, both ways."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from parts import http1
from parts.lockgate import BINARY
from parts.process import Process
from parts.waiting import wait_until

CONTRIB = Path(__file__).resolve().parents[2] / "contrib/fail2ban"
GATE = """
state_folder: $folder
bans:
  rules: [{ on: trap, for: 30s }]
  $more
listeners:
  - bind: "127.0.0.1:$port"
    access_log: { to: $folder/access.log, format: $format }
    sites:
      - names: [default]
        plain:
          routes:
            - { path: /trap, status: 404, trap: trap }
            - { path: /missing, status: 404 }
            - { path: /forbidden, status: 403 }
            - { path: /private, status: 401 }
            - { path: /here, status: 200 }
"""
NFTABLES = "nftables: { family: inet, table: filter, set_v4: lockgate4, set_v6: lockgate6 }"
SETS = """
table inet filter {
  set lockgate4 { type ipv4_addr; flags interval, timeout; }
  set lockgate6 { type ipv6_addr; flags interval, timeout; }
}
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has a packet filter")


def get(gate, path, client="127.0.0.1"):
    done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--interface", client, "-m", "5",
                           f"http://127.0.0.1:{gate.port}{path}"], capture_output=True, text=True, timeout=10)
    return int(done.stdout) or None


def elements(network, name):
    """By address or network, the seconds that are left; None for ever."""
    text = network("nft", "-j", "list", "set", "inet", "filter", name)
    found = {}
    for entry in json.loads(text)["nftables"][1]["set"].get("elem", []):
        value, left = (entry["elem"]["val"], entry["elem"].get("expires")) if isinstance(entry, dict) and "elem" in entry \
            else (entry, None)
        who = f"{value['prefix']['addr']}/{value['prefix']['len']}" if isinstance(value, dict) else value
        found[who] = left
    return found


@pytest.fixture
def network(request):
    """network(words...): a command in a network of the test's own."""
    name = f"lockgate-bans-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True, timeout=10)
    request.addfinalizer(lambda: subprocess.run(["ip", "netns", "delete", name], check=True, timeout=10))

    def run(*words, **more):
        return subprocess.run(["ip", "netns", "exec", name, *words], check=True, capture_output=True, text=True,
                              timeout=10, **more).stdout

    run.name = name
    run("ip", "link", "set", "lo", "up")
    return run


@pytest.fixture
def gate_inside(lockgate, network, public, public_binary):
    """The gate inside of that network, whose own user is nobody; asked through its control socket."""
    def make(**more):
        gate = lockgate(GATE, start=False, folder=public / "gate", more=NFTABLES, format="text")
        gate.folder.chmod(0o777)
        gate.write(f"user: nobody\n{GATE}")
        gate.binary = public_binary
        gate.process = Process("lockgate", ["ip", "netns", "exec", network.name, gate.binary, "run", "-c", gate.config],
                               gate.folder)
        gate.wait_for_message("serving with")
        return gate

    return make


@needs_root
def test_a_set_of_nftables_holds_who_is_banned(network, gate_inside):
    network("nft", "-f", "-", input=SETS + "add element inet filter lockgate4 { 192.0.2.99 }\n")
    gate = gate_inside()
    wait_until(lambda: elements(network, "lockgate4") == {}, "it is emptied at the start")
    for words in (("192.0.2.1", "--for", "1h"), ("192.0.2.2",), ("198.51.100.0/24", "--for", "2h"),
                  ("198.51.100.7",), ("2001:db8::1", "--for", "10m")):
        assert gate.command("ban", *words).returncode == 0
    wait_until(lambda: set(elements(network, "lockgate4")) == {"192.0.2.1", "192.0.2.2", "198.51.100.0/24"}, "they are told")
    told = elements(network, "lockgate4")
    assert 3590 < told["192.0.2.1"] <= 3600 and told["192.0.2.2"] is None and 7190 < told["198.51.100.0/24"] <= 7200
    assert list(elements(network, "lockgate6")) == ["2001:db8::/64"]
    assert gate.command("ban", "192.0.2.1", "--for", "5h").returncode == 0
    wait_until(lambda: elements(network, "lockgate4")["192.0.2.1"] > 17000, "its time is changed")
    network("curl", "-s", f"http://127.0.0.1:{gate.port}/trap")
    wait_until(lambda: "127.0.0.1" in elements(network, "lockgate4"), "a rule is told, too")
    assert gate.command("unban", "192.0.2.2").returncode == 0
    wait_until(lambda: "192.0.2.2" not in elements(network, "lockgate4"), "a ban that is lifted is told")
    gate.stop()
    network("nft", "flush", "set", "inet", "filter", "lockgate4")
    gate = gate_inside()
    wait_until(lambda: "192.0.2.1" in elements(network, "lockgate4"), "it is filled again")
    rights = re.search(r"CapEff:\s*(\w+)", Path(f"/proc/{children(gate)}/status").read_text())[1]
    assert int(rights, 16) & 1 << 12, "CAP_NET_ADMIN"
    assert int(rights, 16) & ~(1 << 12 | 1 << 10) == 0, "and nothing else but ports below 1024"


@needs_root
def test_a_network_takes_the_place_of_what_is_inside_of_it_for_as_long_as_it_is_banned(network, gate_inside):
    network("nft", "-f", "-", input=SETS)
    gate = gate_inside()

    def ban(*words):
        assert gate.command("ban", *words).returncode == 0

    def holds(name, *who):
        wait_until(lambda: set(elements(network, name)) == set(who), f"{name} is {who}: {elements(network, name)}")

    ban("198.51.100.7")
    ban("198.51.100.8", "--for", "1h")
    ban("192.0.2.1")
    holds("lockgate4", "198.51.100.7", "198.51.100.8", "192.0.2.1")
    ban("198.51.100.0/24", "--for", "1h")
    holds("lockgate4", "198.51.100.0/24", "192.0.2.1")
    ban("198.51.0.0/16", "--for", "3s")
    holds("lockgate4", "198.51.0.0/16", "192.0.2.1")
    holds("lockgate4", "198.51.100.0/24", "192.0.2.1")  # when that is over
    assert gate.command("unban", "198.51.100.0/24").returncode == 0
    holds("lockgate4", "192.0.2.1")
    ban("2001:db8:0:1::1")
    holds("lockgate6", "2001:db8:0:1::/64")
    ban("2001:db8::/48", "--for", "2s")
    holds("lockgate6", "2001:db8::/48")
    holds("lockgate6", "2001:db8:0:1::/64")


def children(gate):
    """`ip netns exec` becomes the program that it starts."""
    return gate.process.pid


@needs_root
@pytest.mark.bounded(90)
def test_a_set_that_is_missing_stops_nothing_and_is_found_once_it_is_there(network, gate_inside):
    gate = gate_inside()
    gate.wait_for_message("level=error .*bans are not told to nftables, which is tried again and again: .*No such file")
    assert gate.command("ban", "192.0.2.1").returncode == 0
    assert "192.0.2.1" in gate.command("bans").stdout
    network("nft", "-f", "-", input=SETS)
    wait_until(lambda: "192.0.2.1" in elements(network, "lockgate4"), "it is filled", 15)
    gate.wait_for_message("nftables is told of bans again")
    network("nft", "flush", "ruleset")
    assert gate.command("ban", "192.0.2.2").returncode == 0
    wait_until(lambda: gate.process.output().count("bans are not told to nftables") == 2, "that is told, once more")


def test_rights_are_kept_only_for_who_wants_them(lockgate):
    gate = lockgate(GATE, more="remember: 1h", format="text")
    rights = re.search(r"CapEff:\s*(\w+)", Path(f"/proc/{gate.process.pid}/status").read_text())[1]
    assert int(rights, 16) & 1 << 12 == 0


# fail2ban


@pytest.fixture
def jail(tmp_path, started):
    """jail(gate, ...): a fail2ban with one jail of Lockgate's filter and action, in a folder of the test's own."""
    def make(gate, **options):
        folder = tmp_path / "fail2ban"
        for part in ("action.d", "filter.d", "jail.d"):
            (folder / part).mkdir(parents=True)
        for part in ("action.d/lockgate.conf", "filter.d/lockgate.conf"):
            (folder / part).write_text((CONTRIB / part).read_text())
        (folder / "fail2ban.conf").write_text(f"""
[Definition]
loglevel = DEBUG
logtarget = {folder}/fail2ban.log
syslogsocket = auto
socket = {folder}/fail2ban.sock
pidfile = {folder}/fail2ban.pid
dbfile = None
dbpurgeage = 1d
""")
        (folder / "jail.conf").write_text(f"""
[lockgate]
enabled = true
backend = polling
filter = lockgate
logpath = {gate.folder}/access.log
maxretry = 3
findtime = 600
bantime = {options.get("bantime", 600)}
ignoreself = false
ignoreip =
usedns = no
action = lockgate[lockgate="{BINARY}", options="-c {gate.config}"]
""")
        part = Process("fail2ban", ["fail2ban-server", "-f", "-c", folder, "-s", folder / "fail2ban.sock", "-p",
                                    folder / "fail2ban.pid", "start"], folder)
        part.stop = lambda: (part.signal(15), part.wait(10))
        started(part)
        part.command = lambda *words: subprocess.run(["fail2ban-client", "-c", folder, "-s", folder / "fail2ban.sock", *words],
                                                     capture_output=True, text=True, timeout=20)
        wait_until(lambda: part.command("status", "lockgate").returncode == 0, "fail2ban is ready", 20)
        return part

    return make


def matched(gate, *flags):
    """How many lines of the access log the filter finds, of how many, as fail2ban-regex counts."""
    done = subprocess.run(["fail2ban-regex", *flags, gate.folder / "access.log", CONTRIB / "filter.d/lockgate.conf"],
                          capture_output=True, text=True, timeout=30)
    counts = re.search(r"Lines: (\d+) lines, (\d+) ignored, (\d+) matched, (\d+) missed", done.stdout)
    assert counts, done
    assert f"[{counts[1]}] " in done.stdout, f"not every line has a date: {done.stdout}"
    return tuple(map(int, counts.groups())), done.stdout


@pytest.mark.parametrize("format", ["text", "json"])
def test_the_filter_finds_who_is_to_be_banned(lockgate, format):
    gate = lockgate(GATE, more="remember: 1h", format=format)
    for path in ("/here", "/missing", "/forbidden", "/private", "/here"):
        get(gate, path, "127.0.0.5")
    with gate.connect() as sock:
        sock.sendall(b"no request\r\n\r\n")
        sock.recv(4096)
    with gate.open("a.example.test") as sock:
        sock.recv(4096)
    spoof = 'x" client=192.0.2.1:1 status=404 outcome=finished ","client":"192.0.2.1:1","status":404,"outcome":"finished"'
    with gate.connect() as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request(target="/here", fields=[("User-Agent", spoof)]))
        http1.read_answer(file)
        gate.command("ban", "127.0.0.1")
        sock.sendall(http1.request(target="/here"))
        assert http1.read_answer(file).status == 403
    wait_until(lambda: len((gate.folder / "access.log").read_text().splitlines()) == 9, "the lines are written")
    (lines, ignored, found, missed), said = matched(gate)
    assert (lines, ignored) == (9, 0)
    assert found <= 6 and missed >= 3 and "192.0.2.1" not in said.partition("Missed")[0], said
    addresses = subprocess.run(["fail2ban-regex", "-o", "ip", gate.folder / "access.log", CONTRIB / "filter.d/lockgate.conf"],
                               capture_output=True, text=True, timeout=30).stdout.split()
    assert sorted(addresses)[-3:] == ["127.0.0.5"] * 3 and set(addresses) == {"127.0.0.1", "127.0.0.5"}, addresses


def test_what_fail2ban_finds_is_banned_and_let_in_again(lockgate, jail):
    gate = lockgate(GATE, more="remember: 1h", format="text")
    jail = jail(gate)
    assert [get(gate, "/missing", "127.0.0.5") for _ in range(4)] == [404] * 4
    wait_until(lambda: "127.0.0.5" in gate.command("bans").stdout, "it is banned", 20)
    shown = json.loads(gate.command("bans", "--json").stdout)
    assert shown[0]["why"] == "fail2ban lockgate" and 580 < shown[0]["seconds_left"] <= 600
    assert get(gate, "/here", "127.0.0.5") is None and get(gate, "/here", "127.0.0.6") == 200
    assert jail.command("set", "lockgate", "unbanip", "127.0.0.5").returncode == 0
    wait_until(lambda: get(gate, "/here", "127.0.0.5") == 200, "it is let in again", 20)


def test_a_ban_of_fail2ban_for_ever_is_one(lockgate, jail):
    gate = lockgate(GATE, more="remember: 1h", format="text")
    jail = jail(gate, bantime=-1)
    assert jail.command("set", "lockgate", "banip", "2001:db8::1").returncode == 0
    wait_until(lambda: "2001:db8::/64" in gate.command("bans").stdout, "it is banned", 20)
    assert "until lifted" in gate.command("bans").stdout
