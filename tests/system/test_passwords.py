"""Files of users as other programs write them, and `lockgate password`."""
import os
import pty
import select
import subprocess
import time
from pathlib import Path

import pytest

from parts.lockgate import BINARY, Lockgate, run_command

PASSWORD = "s3cret päss"


def output(*words, given=None):
    done = subprocess.run([str(word) for word in words], input=given, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done
    return done.stdout.strip()


def htpasswd(option):
    return lambda: output("htpasswd", "-ni", *option.split(), "alice", given=PASSWORD + "\n")


def mkpasswd(method, *more):
    return lambda: "alice:" + output("mkpasswd", "-m", method, *more, "-s", given=PASSWORD + "\n")


def slappasswd(scheme, *more):
    return lambda: "alice:" + output("slappasswd", "-h", scheme, *more, "-s", PASSWORD)


PROGRAMS = {
    "htpasswd -B": htpasswd("-B -C 5"), "htpasswd -m": htpasswd("-m"), "htpasswd -s": htpasswd("-s"),
    "htpasswd -d": htpasswd("-d"), "htpasswd -2": htpasswd("-2"), "htpasswd -5": htpasswd("-5"),
    "mkpasswd yescrypt": mkpasswd("yescrypt"), "mkpasswd gost-yescrypt": mkpasswd("gost-yescrypt"),
    "mkpasswd sha512crypt": mkpasswd("sha512crypt", "-R", "10000"), "mkpasswd md5crypt": mkpasswd("md5crypt"),
    "slappasswd {SSHA}": slappasswd("{SSHA}"),
    "slappasswd {SSHA512}": slappasswd("{SSHA512}", "-o", "module-load=pw-sha2"),
}


def password(*words, given=PASSWORD + "\n"):
    return run_command("password", *words, input=given)


def verify(file, name, given=PASSWORD + "\n"):
    return password("--verify", file, name, given=given)


def config(tmp_path, users):
    file = tmp_path / "lockgate.yaml"
    file.write_text(f"users: {{ staff: {users} }}\n"
                    "listeners: [ { bind: '127.0.0.1:1', sites: [ { names: [default], reject: {} } ] } ]\n")
    return file


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_password_is_what_other_programs_have_hashed(tmp_path, program):
    users = tmp_path / "users"
    users.write_text(PROGRAMS[program]() + "\n")
    right = verify(users, "alice")
    assert (right.returncode, right.stdout) == (0, "the password is right\n"), right
    for wrong in ("S" + PASSWORD[1:], "x" + PASSWORD, PASSWORD[:5]):
        done = verify(users, "alice", wrong + "\n")
        assert done.returncode == 1 and "the password is wrong" in done.stderr, done
    done = verify(users, "bob")
    assert done.returncode == 1 and "has no user bob" in done.stderr, done
    checked = run_command("check", "-c", config(tmp_path, users))
    assert checked.returncode == 0, checked
    assert ("soon guessed" in checked.stderr) == (program in ("htpasswd -s", "htpasswd -d")), checked


@pytest.mark.parametrize("scheme", ["bcrypt", "apr1", "sha256", "sha512", "yescrypt", "ssha"])
def test_a_line_that_is_made_is_one_that_is_taken(tmp_path, scheme):
    made = password("--scheme", scheme, "alice")
    assert made.returncode == 0 and made.stdout.startswith("alice:") and made.stdout.count("\n") == 1, made
    assert PASSWORD not in made.stdout + made.stderr
    users = tmp_path / "users"
    users.write_text(made.stdout)
    assert verify(users, "alice").returncode == 0
    assert verify(users, "alice", "another\n").returncode == 1
    if scheme != "ssha":  # which Apache httpd does not know
        assert output("htpasswd", "-vi", users, "alice", given=PASSWORD + "\n") == ""


def test_a_line_is_made_at_the_cost_that_is_asked_for():
    assert password("--cost", 6, "alice").stdout.startswith("alice:$2y$06$")
    assert password("alice").stdout.startswith("alice:$2y$10$")
    assert password("--scheme", "sha512", "--cost", 5000, "alice").stdout.startswith("alice:$6$")


@pytest.mark.parametrize("words, given, told", [
    (["--cost", "3", "alice"], "x\n", "the cost of bcrypt is 4 to 17"),
    (["--scheme", "argon2", "alice"], "x\n", 'there is no scheme "argon2"'),
    (["--scheme", "des", "alice"], "x\n", "des is too weak"),
    (["al:ice"], "x\n", "no colon"),
    (["\ufeffalice"], "x\n", "nothing invisible"),
    (["alice"], "", "there is no password in standard input"),
    (["alice"], "\n", "an empty password lets everybody in"),
    (["alice"], "x" * 600 + "\n", "at most 511 bytes"),
    (["alice"], "x" * 73 + "\n", "first 72 bytes"),
])
def test_what_cannot_be_made_is_told(words, given, told):
    done = password(*words, given=given)
    assert done.returncode in (1, 2) and told in done.stderr and not done.stdout, done


def typed(lines, *words):
    """What a terminal shows when `lines` are typed, and the exit code."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(str(BINARY), [str(BINARY), "password", *words])
    shown, waiting, deadline = "", list(lines), time.monotonic() + 20
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            shown += os.read(terminal, 1000).decode()
        except OSError:  # it has ended
            break
        if waiting and shown.endswith(": "):
            time.sleep(0.1)
            os.write(terminal, waiting.pop(0).encode())
    return shown, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_terminal_is_asked_twice_and_shows_nothing(tmp_path):
    shown, status = typed([PASSWORD + "\n"] * 2, "alice")
    assert status == 0 and PASSWORD not in shown and shown.count(": ") == 2, shown
    users = tmp_path / "users"
    users.write_text(shown[shown.index("alice:"):].replace("\r", ""))
    assert verify(users, "alice").returncode == 0
    shown, status = typed(["one\n", "other\n"], "alice")
    assert status == 1 and "the two passwords are not the same" in shown, shown
    shown, status = typed(["one\x03"], "alice")
    assert status == 1 and "nothing was done" in shown, shown


@pytest.mark.parametrize("text, told", [
    ("alice:hunter2\n", "users:1: the line has no hash that is known here"),
    ("\nalice:{PLAIN}hunter2\n", "users:2: the line has a password in clear"),
    ("alice:$argon2id$v=19$m=4096,t=3,p=1$c2FsdHNhbHQ$hunter2\n", "argon2, which is not known here"),
    ("alice\n", "users:1: the line has no colon"),
])
def test_a_file_that_cannot_be_used_refuses_the_configuration_in_words(tmp_path, text, told):
    users = tmp_path / "users"
    users.write_text(text)
    for done in (run_command("check", "-c", config(tmp_path, users)),
                 run_command("run", "-c", config(tmp_path, users)), verify(users, "alice")):
        assert done.returncode != 0 and told in done.stderr and "hunter2" not in done.stderr, done


def test_check_tells_of_members_who_are_no_users(tmp_path):
    (tmp_path / "users").write_text(password("alice").stdout)
    (tmp_path / "groups").write_text("staff: alice bob\n")
    entry = f"{{ file: {tmp_path / 'users'}, groups: {tmp_path / 'groups'} }}"
    done = run_command("check", "-c", config(tmp_path, entry))
    assert done.returncode == 0 and "does not have: bob in staff" in done.stderr, done


@pytest.fixture
def staffed(tmp_path, started):
    """A running Lockgate with a file of one user; and that file."""
    users = tmp_path / "users"
    users.write_text(password("--cost", "4", "alice").stdout)
    gate = Lockgate(tmp_path / "lockgate", """
users: { staff: $users }
listeners: [ { bind: "127.0.0.1:$port", sites: [ { names: [default], reject: {} } ] } ]
""", users=users)
    return started(gate.start()), users


def test_a_file_that_becomes_unusable_keeps_the_last_good_one_and_recovers(staffed):
    gate, users = staffed
    good = users.read_text()
    users.write_text("alice:hunter2\n")
    gate.wait_for_message(r"error.*a file of users has changed and cannot be used.*users:1: the line has no hash", 15)
    users.write_text(good + good.replace("alice", "bob"))
    gate.wait_for_message(r"users are as .*/users says now: 2", 15)
    said = gate.process.output()
    assert said.count("cannot be used") == 1 and "hunter2" not in said


def test_a_reload_is_refused_while_a_file_is_unusable(staffed):
    gate, users = staffed
    users.write_text("alice\n")
    done = gate.command("reload")
    assert done.returncode == 1 and "users:1: the line has no colon" in done.stderr, done
    assert gate.health() == 200


def test_the_threads_that_check_passwords_have_the_lowest_priority(staffed):
    gate, _ = staffed
    tasks = list((Path("/proc") / str(gate.process.popen.pid) / "task").iterdir())
    by_name = {}
    for task in tasks:
        by_name.setdefault((task / "comm").read_text().strip(), []).append(
            int((task / "stat").read_text().rsplit(")", 1)[1].split()[16]))
    checking = by_name["lockgate-passwd"]
    assert len(checking) == max(1, os.cpu_count() // 2) and set(checking) == {19}, by_name
    assert max(by_name["lockgate-worker"]) < 19
