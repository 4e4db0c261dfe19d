"""The command line: what each command prints, and its exit code (0, 1 failure, 2 usage or configuration).

Every mistake in a configuration is one sentence with the file, the line and the column where it is written.
"""
import json
import os
import re
import shlex
import subprocess

import pytest

from parts.browsers import curl
from parts.client_hello import hello
from parts.fixtures import NOBODY
from parts.lockgate import BINARY, run_command
from parts.ports import free_port
from parts.process import Process
from parts.sockets import connect, first_line

GOOD = """\
admin: { bind: "127.0.0.1:9180", control_socket: /tmp/lockgate-test.sock }
defaults:
  timeouts: { idle: 10m }
upstreams:
  portal:
    endpoints: ["tcp://192.0.2.7:443", { url: "tcp://192.0.2.8:443", weight: 2, backup: true }]
listeners:
  - name: front
    bind: [":8443"]
    sites:
      - names: [a.example.test, "*.b.example.test"]
        pass: { to: portal, send_proxy_protocol: v2, proxy_tlvs: [authority] }
      - names: [default]
        reject: { with: alert }
limits: { connections: 1000 }
"""


@pytest.fixture
def check(tmp_path):
    def run(text, *options, name="lockgate.yaml"):
        file = tmp_path / name
        file.write_text(text)
        return run_command("check", "-c", file, *options)

    return run


def test_a_good_configuration_is_good(check):
    done = check(GOOD)
    assert done.returncode == 0, done
    assert "warning" not in done.stderr


MISTAKES = {  # what is written instead of what; the line it is on; words of the sentence
    "an unknown key": ("    sites:", "    sitess:", 10, ["sitess", "sites"]),
    "an unknown key at the top": ("upstreams:", "upstraems:", 4, ["upstraems", "upstreams"]),
    "a word for a duration": ("idle: 10m", "idle: soon", 3, ["soon"]),
    "a duration without unit": ("idle: 10m", "idle: 10x", 3, ["10x"]),
    "an unknown upstream": ("to: portal", "to: protal", 12, ["protal", "portal"]),
    "a URL without port": ("tcp://192.0.2.7:443", "tcp://192.0.2.7", 6, ["port"]),
    "an unknown scheme": ("tcp://192.0.2.7:443", "ftp://192.0.2.7:443", 6, ["ftp"]),
    "a port too high": ('":8443"', '":84430"', 9, ["84430"]),
    "a bind without port": ('":8443"', '"127.0.0.1"', 9, ["127.0.0.1"]),
    "a name with a space": ("a.example.test", '"a example"', 11, ["a example"]),
    "a wildcard in the middle": ('"*.b.example.test"', '"b.*.test"', 11, ["b.*.test"]),
    "an unknown word": ("with: alert", "with: alarm", 14, ["alarm", "alert"]),
    "two verdicts": ("pass:", "reject: {}\n        pass:", None, ["reject", "pass"]),
    "no verdict": ("        reject: { with: alert }\n", "", 13, ["pass", "reject"]),
    "no names": ("      - names: [default]\n        reject", "      - reject", 13, ["names"]),
    "a key twice": ("    bind:", '    bind: ":1"\n    bind:', 10, ["bind", "twice"]),
    "a list where a map belongs": ("upstreams:\n  portal:", "upstreams:\n  - portal:", 5, ["map"]),
    "a weight of zero": ("weight: 2", "weight: 0", 6, ["weight"]),
    "a negative number": ("weight: 2", "weight: -2", 6, ["weight"]),
    "an unclosed bracket": ("[default]", "[default", None, []),
    "a tab": ("  timeouts:", "\ttimeouts:", 3, []),
    "a network too long": ("names: [default]", "names: [default]\n        match: { clients: [10.0.0.0/33] }", 14,
                           ["10.0.0.0/33"]),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_with_its_position(check, what):
    right, wrong, line, words = MISTAKES[what]
    assert right in GOOD
    done = check(GOOD.replace(right, wrong, 1))
    assert done.returncode == 2, done
    position = rf"\S*lockgate\.yaml:{line or '[1-9][0-9]*'}:[1-9][0-9]*: error: "
    told = [sentence for sentence in done.stderr.splitlines() if re.match(position, sentence)]
    assert any(all(word in sentence for word in words) for sentence in told), done.stderr


def test_several_mistakes_are_told_at_once(check):
    done = check(GOOD.replace("idle: 10m", "idle: soon").replace("with: alert", "with: alarm"))
    assert done.returncode == 2
    assert "soon" in done.stderr and "alarm" in done.stderr


def test_a_mistake_is_told_as_json_for_programs(check):
    done = check(GOOD.replace("idle: 10m", "idle: soon"), "--json")
    assert done.returncode == 2
    assert "soon" in json.dumps(json.loads(done.stdout))


def test_a_mistake_in_an_included_file_is_told_with_that_file(check, tmp_path):
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "x.yaml").write_text("names: [c.example.test]\npass: { too: portal }\n")
    done = check(GOOD.replace("    sites:\n", "    sites:\n      - include: sites/*.yaml\n"))
    assert done.returncode == 2
    assert re.search(r"x\.yaml:2:\d+: ", done.stderr)


def test_included_files_are_one_configuration(check, tmp_path):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "more.yaml").write_text('upstreams: { other: { endpoints: ["tcp://192.0.2.9:1"] } }\n')
    done = check("include: [conf.d/*.yaml]\n" + GOOD.replace("to: portal", "to: other"))
    assert done.returncode == 0, done.stderr
    (tmp_path / "conf.d" / "same.yaml").write_text('upstreams: { portal: { endpoints: ["tcp://192.0.2.9:1"] } }\n')
    done = check("include: [conf.d/*.yaml]\n" + GOOD)
    assert done.returncode == 2 and "portal" in done.stderr


def test_what_it_understood_can_be_read_back(check):
    done = check(GOOD, "--print")
    assert done.returncode == 0
    assert "192.0.2.8" in done.stdout
    again = check(done.stdout, "--print", name="printed.yaml")
    assert again.returncode == 0, again.stderr
    assert again.stdout == done.stdout


def test_a_missing_file_is_told(tmp_path):
    done = run_command("check", "-c", tmp_path / "nothing.yaml")
    assert done.returncode == 2
    assert "nothing.yaml" in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes somebody else")
def test_checking_needs_no_rights(public, public_binary):
    file = public / "lockgate.yaml"
    file.write_text("user: nobody\n" + GOOD.replace(":8443", ":443"))
    done = subprocess.run([public_binary, "check", "-c", file], capture_output=True, text=True, timeout=10,
                          user=NOBODY, group=NOBODY, extra_groups=[], cwd="/")
    assert done.returncode == 0, done.stderr


def test_footguns_are_warned_of(check):
    done = check(GOOD.replace('"127.0.0.1:9180"', '"0.0.0.0:9180"'))
    assert done.returncode == 0
    assert re.search(r"lockgate\.yaml:.* warning: .*0\.0\.0\.0:9180", done.stderr), done.stderr


def test_a_site_that_can_never_be_reached_is_told(check):
    done = check(GOOD.replace("      - names: [default]", "      - { names: [a.example.test], reject: {} }\n"
                                                          "      - names: [default]"))
    assert re.search(r"lockgate\.yaml:13:\d+: .*a\.example\.test", done.stderr), done.stderr


def test_a_broken_configuration_does_not_start(tmp_path):
    file = tmp_path / "lockgate.yaml"
    file.write_text(GOOD.replace("sites:", "sitess:"))
    done = run_command("run", "-c", file)
    assert done.returncode == 2
    assert "lockgate.yaml:10:" in done.stderr


@pytest.mark.parametrize("words", [["fly"], ["run", "--nonsense"], ["explain"], []])
def test_wrong_usage_is_told(words):
    done = run_command(*words)
    assert done.returncode == 2
    assert done.stderr


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["pass", "--help"]])
def test_help_is_given(words):
    done = run_command(*words)
    assert done.returncode == 0
    assert "lockgate" in done.stdout.lower()


def test_its_version_is_told():
    done = run_command("version")
    assert done.returncode == 0
    assert re.search(r"\d+\.\d+\.\d+", done.stdout)


@pytest.mark.parametrize("command", [["status"], ["reload"], ["drain"], ["log", "debug"]])
def test_commands_say_when_nothing_runs(command, tmp_path):
    file = tmp_path / "lockgate.yaml"
    file.write_text(GOOD.replace("/tmp/lockgate-test.sock", str(tmp_path / "nobody.sock")))
    done = run_command(*command, "-c", file)
    assert done.returncode == 1
    assert "nobody.sock" in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_told_with_its_holder(lockgate, nginx):
    server = nginx("a.example.test")
    gate = lockgate(GOOD.replace('":8443"', f'"127.0.0.1:{server.port}"'), start=False)
    done = gate.command("run")
    assert done.returncode == 1
    assert "nginx" in done.stderr and str(server.process.pid) in done.stderr
    assert str(server.port) in done.stderr


# The reference.


def test_the_reference_names_every_key():
    done = run_command("config-reference")
    assert done.returncode == 0
    for key in ("listeners", "accept_proxy_protocol", "optional_from", "hello_limit", "half_closed", "try_timeout",
                "consistent_hash", "queue_timeout", "control_socket", "proxy_tlvs", "no_sni"):
        assert key in done.stdout, key


def test_the_schema_is_json():
    done = run_command("config-reference", "--schema")
    assert done.returncode == 0
    schema = json.loads(done.stdout)
    assert "$schema" in schema and "listeners" in schema["properties"]


# Without a file.


@pytest.fixture
def running(tmp_path, started):
    """running(port, words...): the program with these words, once it listens on the port."""

    def run(port, *words):
        process = started(Process("lockgate", [BINARY, *words], tmp_path / "run"))
        process.wait_for_port(port)
        return process

    return run


def who(port, name):
    with connect(port) as client:
        client.sendall(hello(name))
        return first_line(client)


def test_a_whole_proxy_from_flags(running, echo):
    port = free_port()
    a, b = echo("a"), echo("b")
    running(port, "pass", "--listen", f"127.0.0.1:{port}", "--to", f"a.example.test=tcp://{a.address}",
            "--default", f"tcp://{b.address}")
    assert who(port, "a.example.test") == "a"
    assert who(port, "c.example.test") == "b"


def test_flags_can_be_turned_into_a_file(lockgate, echo, check):
    done = run_command("pass", "--listen", "127.0.0.1:8443", "--to", "a.example.test=tcp://192.0.2.1:443",
                       "--print-config")
    assert done.returncode == 0
    assert "a.example.test" in done.stdout
    assert check(done.stdout).returncode == 0


@pytest.mark.parametrize("words", [[], ["--listen", "nonsense", "--to", "a=tcp://192.0.2.1:1"],
                                   ["--listen", "nonsense", "--to", "a=tcp://192.0.2.1:1", "--print-config"],
                                   ["--listen", ":1", "--to", "a.example.test"]])
def test_wrong_flags_are_told(words):
    done = run_command("pass", *words)
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_a_command_that_is_not_there_is_named():
    done = run_command("srve")
    assert done.returncode == 2 and 'no command "srve"' in done.stderr


def test_the_version_is_told_either_way():
    assert run_command("--version").stdout == run_command("version").stdout != ""


def test_the_quick_start_does_what_it_prints(running, nginx, authority):
    server = nginx("a.example.test")
    port = free_port()
    process = running(port, "quickstart", "--port", str(port), "--tls-port", str(free_port()), "--to",
                      f"a.example.test=tcp://{server.address}")
    assert curl(f"http://localhost:{port}/", port).returncode == 0
    lines = [line.strip().lstrip("$ ") for line in process.output().splitlines()]
    printed = [line for line in lines if line.startswith("curl ")]
    assert printed, process.output()
    answers = []
    for line in printed:
        done = subprocess.run(shlex.split(line.split("  #")[0]), capture_output=True, text=True, timeout=15,
                              env=os.environ | {"CURL_CA_BUNDLE": str(authority.root)})
        assert done.returncode == 0, (line, done)
        answers.append(done.stdout)
    assert any("server=a.example.test" in answer for answer in answers), answers
