"""The access log and the error log: readable for people and programs, complete, and movable while they are written."""
import json
import os
import re
import signal
import socket
from pathlib import Path

import pytest

from parts.client_hello import hello
from parts.sockets import first_line, is_cut
from parts.waiting import wait_until

NAME = "a.example.test"
GATE = """
log: { $log }
listeners:
  - name: front
    bind: "127.0.0.1:$port"
    sites:
      - names: [a.example.test]
        access_log: $access_log
        pass: { to: "tcp://$to" }
      - { names: [b.example.test], pass: { to: "tcp://$to" } }
"""
JSON_FILE = "{ to: $folder/access.log, format: json }"
WORD = re.compile(r'([a-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?: |$)')


@pytest.fixture
def gate(lockgate, echo):
    def make(access_log=JSON_FILE, log="level: debug", **more):
        text = GATE.replace("$access_log", access_log).replace("$log", log)
        return lockgate(text, to=echo("served").address, **more)

    return make


def use(gate, name=NAME):
    with gate.open(name) as client:
        assert first_line(client) == "served"


def logfmt(line):
    """The fields of a line of text; fails where it is more than key=value words."""
    fields, at = {}, 0
    while at < len(line):
        match = WORD.match(line, at)
        assert match, f"no key=value at {line[at:]!r}"
        assert match[1] not in fields, f"twice: {match[1]}"
        fields[match[1]] = json.loads(match[2]) if match[2].startswith('"') else match[2]
        at = match.end()
    return fields


def error_log(gate):
    """What it said, without the warnings about its configuration, which come before the log begins."""
    return [line for line in gate.process.output().splitlines() if not line.startswith(str(gate.config))]


def lines_of(file, count):
    file = Path(file)
    wait_until(lambda: file.exists() and file.read_text().count("\n") >= count, f"{count} lines in {file}")
    return file.read_text().splitlines()


def test_text_and_json_say_the_same(gate):
    gate = gate(access_log="{ to: $folder/text.log, format: text }")
    use(gate)
    use(gate, "b.example.test")
    text = logfmt(lines_of(gate.folder / "text.log", 1)[0])
    line = gate.next_line()
    assert list(text) == list(line), "the same keys in the same order"
    assert {key for key, value in line.items() if str(value) != text[key]} <= {
        "time", "connection", "peer", "client", "name", "site", "why", "hello_ms", "connect_ms", "duration_ms"}


def test_a_line_has_all_that_one_asks_for(gate):
    gate = gate()
    use(gate)
    line = gate.next_line()
    for key in ("time connection listener peer client name ja4 tls site verdict why upstream endpoint address attempts "
                "hello_ms connect_ms duration_ms bytes_up bytes_down outcome ended_by").split():
        assert key in line, key
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", line["time"])
    assert line["bytes_down"] == len("served\n")


def test_what_a_client_says_cannot_forge_a_line(gate):
    gate = gate(access_log="{ to: $folder/text.log, format: text }")
    for name in ('x" outcome="finished', "x\noutcome=finished", "x outcome=finished"):
        with gate.connect() as client:
            client.sendall(hello(name))
            is_cut(client)
    for line in gate.next_lines(3):
        assert line["outcome"] in ("no_site", "bad_message")
    with gate.connect() as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\" x=y\r\n\r\n")
        is_cut(client)
    assert gate.next_line()["verdict"] == "none"
    assert all(re.match(r"\S+=", line) for line in error_log(gate)), "a forged line in the error log"


def test_no_line_is_lost_and_each_connection_has_its_own(gate):
    gate = gate()
    for _ in range(500):
        use(gate)
    lines = gate.next_lines(500)
    assert len({line["connection"] for line in lines}) == 500


def test_a_log_can_be_moved_away(gate):
    gate = gate()
    log, old = gate.access_log_file(), gate.folder / "access.log.1"
    for round_ in range(1, 5):
        use(gate)
        lines_of(log, 1)
        log.rename(old)
        use(gate)  # still in the old one
        lines_of(old, 2)
        gate.signal(signal.SIGUSR1)
        wait_until(log.exists, "the log is opened again")
        assert len(lines_of(old, 2)) == 2


def test_moving_a_log_under_load_loses_nothing(gate):
    gate = gate()
    log = gate.access_log_file()
    parts = []
    for number in range(5):
        for _ in range(20):
            use(gate)
        parts.append(log.rename(gate.folder / f"access.log.{number}"))
        gate.signal(signal.SIGUSR1)
        for _ in range(20):
            use(gate)
        wait_until(log.exists, "the log is opened again")
    parts.append(log)
    wait_until(lambda: sum(part.read_text().count("\n") for part in parts) == 200, "200 lines in all")
    for part in parts:
        for line in part.read_text().splitlines():
            json.loads(line)


def test_a_site_may_have_a_log_of_its_own_or_none(gate):
    gate = gate(access_log="{ to: $folder/a.log, format: json }")
    use(gate)
    use(gate, "b.example.test")
    assert gate.next_line()["site"] == "b.example.test"
    assert json.loads(lines_of(gate.folder / "a.log", 1)[0])["site"] == NAME
    gate.reload(GATE.replace("$access_log", "off").replace("$log", "level: debug"))
    use(gate)
    use(gate, "b.example.test")
    assert gate.next_line()["site"] == "b.example.test"
    assert len(lines_of(gate.folder / "a.log", 1)) == 1


def test_lines_may_go_to_standard_output(gate):
    gate = gate(access_log="{ to: stdout, format: json }")
    use(gate)
    match = gate.wait_for_message(r'(?m)^\{.*"site": ?"a\.example\.test".*\}$')
    assert json.loads(match[0])["outcome"] == "finished"


def test_the_error_log_may_be_json_in_a_file(gate):
    gate = gate(log="to: $folder/error.log, level: debug, format: json")
    use(gate)
    for line in lines_of(gate.folder / "error.log", 1):
        fields = json.loads(line)
        assert {"time", "level", "message"} <= set(fields)


@pytest.mark.skipif(os.geteuid() != 0 or Path("/dev/log").exists(), reason="needs root and no syslog daemon")
def test_lines_may_go_to_syslog(gate, request):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind("/dev/log")
        request.addfinalizer(Path("/dev/log").unlink)
        os.chmod("/dev/log", 0o666)
        syslog.settimeout(5)
        gate = gate(access_log="{ to: syslog, format: text }")
        use(gate)
        while True:
            message = syslog.recv(8192).decode()
            assert re.match(r"<\d+>", message)
            if "outcome=" in message:
                break
        assert "lockgate" in message and f"site={NAME}" in message


# Levels, changed while it runs.


def debug_lines(gate):
    return [line for line in gate.process.output().splitlines() if "level=debug" in line]


def test_the_level_can_be_changed_while_it_runs(gate):
    gate = gate(log="level: warning")
    use(gate)
    gate.next_line()
    assert debug_lines(gate) == []
    assert gate.command("log", "debug").returncode == 0
    use(gate)
    wait_until(lambda: any("connected to" in line for line in debug_lines(gate)), "debugging is on")
    assert gate.command("log", "error").returncode == 0
    seen = len(debug_lines(gate))
    use(gate)
    gate.next_lines(2)
    assert len(debug_lines(gate)) == seen


def test_the_level_can_be_changed_for_one_site(gate):
    gate = gate(log="level: warning")
    assert gate.command("log", "debug", "--site", NAME).returncode == 0
    use(gate, "b.example.test")
    gate.next_line()
    assert debug_lines(gate) == []
    use(gate)
    wait_until(lambda: debug_lines(gate), "debugging is on for the site")
    connection = gate.next_line()["connection"]
    assert any(f"connection={connection}" in line for line in debug_lines(gate)), "a line names its connection"


def test_an_unknown_level_or_site_is_refused(gate):
    gate = gate()
    done = gate.command("log", "loud")
    assert done.returncode == 2 and "loud" in done.stderr
    done = gate.command("log", "debug", "--site", "nobody.example.test")
    assert done.returncode in (1, 2) and "nobody.example.test" in done.stderr


def test_every_line_of_the_error_log_is_well_formed(gate):
    gate = gate()
    use(gate)
    gate.reload()
    with gate.connect() as client:
        client.sendall(b"garbage \"\\ \n")
        is_cut(client)
    gate.next_lines(2)
    for line in error_log(gate):
        assert {"time", "level", "message"} <= set(logfmt(line)), line
