"""Asking for an account: the form with curl, what the operator sees of it, and signing in once it was granted."""
import json
import os
import stat
import subprocess

import pytest

from parts.lockgate import run_command
from parts.waiting import wait_until

HOST = "app.example.test"
GATE = """
state_folder: $folder/state
users: { staff: { file: $folder/users } }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - names: [app.example.test]
        sign_in: { users: staff }
        plain:
          routes:
            - { path: /sign-up, require: anybody, sign_up: staff }
            - { path: /, status: 200, body: "welcome $$user" }
"""
PASSWORD = "correct horse & co"


@pytest.fixture
def gate(lockgate):
    made = lockgate(GATE, start=False)
    (made.folder / "state").mkdir()
    (made.folder / "users").write_text("old:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=")  # "secret", and no end of the line
    (made.folder / "users").chmod(0o640)
    return made.start()


def curl(gate, path, *options, source="127.0.0.1"):
    """(status, fields, body) of a request."""
    done = subprocess.run(["curl", "-sS", "--max-time", "20", "-D", "/dev/stderr", "--interface", source, "-H", f"Host: {HOST}",
                           *map(str, options), f"http://127.0.0.1:{gate.port}{path}"],
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done
    head = [part for part in done.stderr.split("\n\n") if part.startswith("HTTP/")][-1].splitlines()
    fields = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in head[1:] if ":" in line)}
    return int(head[0].split()[1]), fields, done.stdout


def ask(gate, name, password=PASSWORD, again=None, remark="", *options, source="127.0.0.1"):
    fields = {"name": name, "password": password, "password_again": password if again is None else again, "remark": remark}
    words = [word for key, value in fields.items() for word in ("--data-urlencode", f"{key}={value}")]
    return curl(gate, "/sign-up", *words, *options, source=source)


def accounts(gate, *words):
    return run_command("accounts", *words, "-c", gate.config)


def waiting(gate):
    return json.loads(accounts(gate, "--json").stdout)


def may_enter(gate, name, password=PASSWORD):
    return curl(gate, "/", "--user", f"{name}:{password}")[0] == 200


def test_form_needs_nothing_else(gate):
    status, fields, page = curl(gate, "/sign-up")
    assert status == 200 and fields["content-type"] == "text/html; charset=utf-8" and fields["cache-control"] == "no-store"
    assert "default-src 'none'" in fields["content-security-policy"] and "<script" not in page and "http" not in page
    for name in ("name", "password", "password_again", "remark"):
        assert f'name="{name}"' in page
    assert curl(gate, "/sign-up", "--head")[0] == 200
    status, fields, _ = curl(gate, "/sign-up", "-X", "DELETE")
    assert status == 405 and fields["allow"] == "GET, HEAD, POST"


def test_whoever_is_approved_signs_in(gate):
    assert accounts(gate).stdout == "nobody waits for an account\n"
    status, fields, page = ask(gate, "müller", remark='from the <b>"other"</b> office')
    assert status == 202 and fields["cache-control"] == "no-store" and "Thank you" in page
    assert not may_enter(gate, "müller")
    [one] = waiting(gate)
    assert (one["list"], one["name"], one["from"], one["is_user"]) == ("staff", "müller", "127.0.0.1", False)
    assert one["remark"] == 'from the <b>"other"</b> office' and "hash" not in one
    assert "müller" in accounts(gate, "--list", "staff").stdout
    kept = gate.folder / "state" / "accounts" / "staff"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    before = (gate.folder / "users").stat()
    done = accounts(gate, "approve", "müller")
    assert done.returncode == 0 and done.stdout == "müller is a user of staff now\n", done
    after = (gate.folder / "users").stat()
    assert (before.st_ino, before.st_mode, before.st_uid) == (after.st_ino, after.st_mode, after.st_uid)
    wait_until(lambda: may_enter(gate, "müller"), "müller can sign in", timeout=30)
    assert may_enter(gate, "old", "secret"), "the line that had no end is whole"
    assert waiting(gate) == []
    assert "$2y$" not in "".join(path.read_text(errors="replace") for path in gate.folder.glob("*.log"))


def test_nobody_learns_who_is_a_user(gate):
    first, again, known = ask(gate, "new"), ask(gate, "new", "another one"), ask(gate, "old")
    assert first[0] == again[0] == known[0] == 202 and first[2] == again[2] == known[2]
    assert [(one["name"], one["is_user"]) for one in waiting(gate)] == [("new", False), ("old", True)]
    assert "there is such a user already" in accounts(gate).stdout
    done = accounts(gate, "approve", "old")
    assert done.returncode == 1 and "already, with another password" in done.stderr
    assert accounts(gate, "approve", "new").returncode == 0
    wait_until(lambda: may_enter(gate, "new"), "new can sign in", timeout=30)
    assert not may_enter(gate, "new", "another one"), "the first who asked has the name"


def test_refused_and_unknown_names(gate):
    ask(gate, "ann")
    assert accounts(gate, "refuse", "ann").stdout == "ann was refused for staff\n"
    assert waiting(gate) == [] and "ann" not in (gate.folder / "users").read_text()
    for words in (("approve", "ann"), ("refuse", "ann")):
        done = accounts(gate, *words)
        assert done.returncode == 1 and "nobody of the name ann waits" in done.stderr
    assert accounts(gate, "approve").returncode == 2
    assert "there is no list" in accounts(gate, "--list", "else").stderr


@pytest.mark.parametrize("name, password, again, sentence", [
    ("a:b", PASSWORD, None, "A name has"), ("", PASSWORD, None, "A name has"), ("#ann", PASSWORD, None, "A name has"),
    ("a\tb", PASSWORD, None, "A name has"), ("\ufeffann", PASSWORD, None, "nothing invisible"),
    ("a\u202enn", PASSWORD, None, "nothing invisible"), ("x" * 65, PASSWORD, None, "A name has"),
    ("ann", "short", None, "A password has"), ("ann", "x" * 73, None, "A password has"),
    ("ann", "with\x01control", None, "A password has"), ("ann", PASSWORD, "else" + PASSWORD, "not the same"),
])
def test_mistakes_are_told_and_filed_nowhere(gate, name, password, again, sentence):
    status, _, page = ask(gate, name, password, again, '"><script>')
    assert status == 400 and sentence in page and "<script>" not in page and "&quot;&gt;&lt;script&gt;" in page
    assert password not in page or password == "" and waiting(gate) == []


def test_a_remark_hides_nothing_from_whoever_decides(gate):
    status, _, page = ask(gate, "ann", remark="from \u202eecila")
    assert status == 400 and "A remark is one line" in page and waiting(gate) == []
    assert ask(gate, "ann", password="with\u00a0such a space")[0] == 202  # as some keyboards make it


def test_other_sites_and_other_bodies_are_refused(gate):
    for field in ("Origin: http://evil.test", "Origin: null", f"Origin: https://{HOST}", "Sec-Fetch-Site: cross-site",
                  "Sec-Fetch-Site: same-site"):
        assert ask(gate, "ann", PASSWORD, None, "", "-H", field)[0] == 403, field
    assert curl(gate, "/sign-up", "-d", "{}", "-H", "Content-Type: application/json")[0] == 415
    assert curl(gate, "/sign-up", "-d", "name=%zz")[0] == 400
    assert curl(gate, "/sign-up", "-d", "name=" + "x" * 9000)[0] == 413
    assert curl(gate, "/sign-up", "-d", "name=" + "x" * 9000, "-H", "Transfer-Encoding: chunked")[0] == 413
    assert waiting(gate) == []
    assert ask(gate, "ann", PASSWORD, None, "", "-H", f"Origin: http://{HOST}")[0] == 202
    assert ask(gate, "bob", PASSWORD, None, "", "-H", "Sec-Fetch-Site: same-origin")[0] == 202


def test_flood_is_bounded(gate):
    statuses = [ask(gate, f"flood{i}")[0] for i in range(8)]
    assert statuses == [202] * 5 + [429] * 3
    assert ask(gate, "other", source="127.0.0.2")[0] == 202, "somebody else is not concerned"
    gate.stop()
    kept = gate.folder / "state" / "accounts" / "staff"
    title, line, *_ = kept.read_text().splitlines(keepends=True)
    kept.write_text(title + "".join(line.replace("flood0", f"full{i}") for i in range(1000)))
    gate.start()
    status, _, page = ask(gate, "late")
    assert status == 503 and "Too many requests wait" in page
    assert len(waiting(gate)) == 1000
    accounts(gate, "refuse", "full7")
    assert ask(gate, "late")[0] == 202


@pytest.fixture
def humble_gate(lockgate, public):
    """A gate whose user may read the file of users, and not write to it: started by root, it becomes nobody."""
    user = "user: nobody\n" if os.geteuid() == 0 else ""
    made = lockgate(user + GATE, start=False, folder=public / "gate")
    made.folder.chmod(0o777)
    for name in ("state", "users"):
        path = made.folder / name
        path.mkdir() if name == "state" else path.write_text("old:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=")
        path.chmod(0o777 if name == "state" else 0o444)
    return made.start()


def test_line_is_told_where_the_file_cannot_be_written(humble_gate):
    told_and_taken_off(humble_gate)


def told_and_taken_off(gate):
    ask(gate, "ann")
    done = accounts(gate, "approve", "ann")
    assert done.returncode == 1 and "cannot be written by the service's user" in done.stderr, done
    line = done.stderr.splitlines()[-1]
    assert line.startswith("ann:$2y$") and len(waiting(gate)) == 1
    (gate.folder / "users").chmod(0o644)
    with (gate.folder / "users").open("a") as users:
        users.write(f"\n{line}\n")
    assert accounts(gate, "approve", "ann").returncode == 0 and waiting(gate) == []
    wait_until(lambda: may_enter(gate, "ann"), "ann can sign in", timeout=30)


def test_trouble_with_the_state_folder_is_told(gate):
    (gate.folder / "state" / "accounts").write_text("no folder")
    assert ask(gate, "ann")[0] == 503
    gate.wait_for_message("is lost")


def test_what_would_lose_a_request_is_told_beforehand(gate):
    gate.stop()
    kept = gate.folder / "state" / "accounts"
    kept.write_text("no folder")
    done = run_command("check", "-c", gate.config)
    assert done.returncode == 0 and "nobody can sign up for `staff`" in done.stderr and "Not a directory" in done.stderr
    kept.unlink()
    assert "nobody can sign up" not in run_command("check", "-c", gate.config).stderr
    kept.mkdir()
    (kept / "staff").write_text("of somebody else")
    assert "its first line is not that of a file of accounts" in run_command("check", "-c", gate.config).stderr
    gate.start()
    gate.wait_for_message("nobody can sign up for `staff`: .*its first line")
    line = "7\t-\tname{}\tabuq21xu6EMNI\t\n"
    (kept / "staff").write_text("lockgate accounts 1\n" + "".join(line.format(i) for i in range(1000)))
    assert "1000 requests wait already" in run_command("check", "-c", gate.config).stderr
    accounts(gate, "refuse", "name7")
    assert "nobody can sign up" not in run_command("check", "-c", gate.config).stderr


def test_a_folder_that_the_services_user_may_not_write_is_told_at_the_start(humble_gate):
    humble_gate.stop()
    (humble_gate.folder / "state").chmod(0o555)
    humble_gate.start()
    humble_gate.wait_for_message("nobody can sign up for `staff`: .*/state cannot be written")


def test_check_warns(gate):
    gate.write(GATE.replace("127.0.0.1:$port", "0.0.0.0:$port").replace("require: anybody, ", ""))
    done = run_command("check", "-c", gate.config)
    assert "pass in the clear" in done.stderr and "has to sign in first" in done.stderr
    gate.write(GATE.replace("$folder/state", "off"))
    assert "keeps what is asked for in the `state_folder`" in run_command("check", "-c", gate.config).stderr
