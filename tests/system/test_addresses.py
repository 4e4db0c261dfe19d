"""Who is let in by address: lists in place, in files and at URLs, countries and systems, at the earliest moment.

curl comes from several addresses of the loopback network; lists change while the program runs.
"""
import pytest

from parts import mmdb, proxy_header
from parts.browsers import curl
from parts.http1 import request
from parts.lockgate import run_command
from parts.sockets import is_cut, read_alert
from parts.waiting import wait_until

NAME = "a.example.test"
GATE = """
state_folder: $folder
address_lists:
  bad: $bad
defaults:
  access: { deny: [bad] }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: default, plain: { routes: [{ status: 200, body: "in" }] } }
"""


@pytest.fixture
def gate(lockgate):
    return lambda bad, text=GATE, **more: lockgate(text, bad=bad, **more)


def ask(gate, source="127.0.0.1", *more, path="/"):
    """The answer's text and status to curl from `source`, "in 200"; what curl has to say if there is none."""
    done = curl(f"http://{NAME}{path}", gate.port, "--interface", source, "-w", " %{http_code}", *more)
    return done.stdout if done.returncode == 0 else f"curl {done.returncode}"


def is_in(gate, source):
    return ask(gate, source) == "in 200"


def is_out(gate, source):
    return ask(gate, source).startswith("curl ")


def rejected(gate):
    """The lines of all who were refused; in any order, for connections belong to several workers."""
    return [line for line in gate.access_log() if line["outcome"] == "rejected"]


class ListOrigin:
    """A web server with one list; the test says what it answers."""

    def __init__(self, web_origin, text="", **more):
        self.status, self.text, self.fields, self.asked = 200, text, [], []
        self.origin = web_origin(self._answer, **more)

    def url(self, scheme="http", path="/list.txt?key=secret"):
        return f"{scheme}://localhost:{self.origin.port}{path}"

    def _answer(self, request):
        self.asked.append(dict(request.fields))
        if self.status == 200 and dict(self.fields).get("ETag") == request.fields.get("If-None-Match", ""):
            return request.answer(status=304)
        return request.answer(self.text, self.status, self.fields)


# When it is decided.


def test_whoever_all_sites_refuse_is_refused_before_a_byte_is_read(gate):
    gate = gate("[127.0.0.2, 127.0.0.64/26]")
    assert ask(gate) == "in 200"
    with gate.connect(source="127.0.0.2") as client:
        assert is_cut(client), "nothing was sent, and nothing waited for"
    assert is_out(gate, "127.0.0.77") and is_in(gate, "127.0.0.3")
    wait_until(lambda: len(rejected(gate)) == 2, "a line of each that was refused")
    assert {line["peer"].split(":")[0] for line in rejected(gate)} == {"127.0.0.2", "127.0.0.77"}
    assert all(line["verdict"] == "none" and "looking at `access`" in line["reason"] for line in rejected(gate))


BY_NAME = """
address_lists: { bad: 127.0.0.2 }
certificates: { self: self_signed }
listeners:
  - bind: "127.0.0.1:$port"
    access: { deny: bad }
    sites:
      - { names: closed.example.test, terminate: { certificate: self, routes: [{ status: 200, body: "in" }] } }
      - { names: open.example.test, access: {}, terminate: { certificate: self, routes: [{ status: 200, body: "in" }] } }
      - names: default
        plain:
          routes:
            - { path: /open, access: {}, status: 200, body: "in" }
            - { path: /office, access: { allow: 127.0.0.9 }, status: 200, body: "in" }
            - { status: 200, body: "in" }
"""


def test_where_sites_differ_the_name_decides_before_the_handshake(lockgate):
    gate = lockgate(BY_NAME)
    with gate.open("closed.example.test", source="127.0.0.2") as client:
        assert read_alert(client) == 112
    done = curl("https://open.example.test/", gate.port, "-k", "--interface", "127.0.0.2")
    assert done.stdout == "in", done
    done = curl("https://closed.example.test/", gate.port, "-k", "--interface", "127.0.0.3")
    assert done.stdout == "in", done
    assert gate.line_of(outcome="rejected")["site"] == "closed.example.test"


def test_where_routes_differ_the_request_decides(lockgate):
    gate = lockgate(BY_NAME)
    assert ask(gate, "127.0.0.2", path="/open") == "in 200"
    assert ask(gate, "127.0.0.2", path="/").endswith(" 403")
    assert ask(gate, "127.0.0.3", path="/office").endswith(" 403")
    assert ask(gate, "127.0.0.9", path="/office") == "in 200"


def test_explain_says_what_the_lists_decide(lockgate):
    gate = lockgate(BY_NAME)

    def explained(url, source):
        done = gate.command("explain", url, "--from", source)
        assert done.returncode == 0, done
        return done.stdout

    assert "refused by its name: refused: `deny` holds the client" in explained("closed.example.test", "127.0.0.2")
    assert "let in: `deny` does not hold the client" in explained("https://closed.example.test/", "127.0.0.3")
    assert "refused: `allow` does not hold the client" in explained("http://x.example.test/office", "127.0.0.3")
    assert "403" in explained("http://x.example.test/office", "127.0.0.3")


# Front proxies.


FRONT = """
listeners:
  - bind: "127.0.0.1:$port"
    access: { deny: [127.0.0.0/30, 192.0.2.0/24] }
    accept_proxy_protocol: { optional_from: 127.0.0.1 }
    trusted_proxies: { from: 127.0.0.2 }
    sites:
      - { names: default, plain: { routes: [{ status: 200, body: "in" }] } }
"""


def test_who_speaks_in_a_proxy_header_is_judged_by_whom_it_speaks_for(lockgate):
    gate = lockgate(FRONT)

    def asked(client):
        with gate.connect(source="127.0.0.1") as sock:
            sock.sendall(proxy_header.v2((client, 4711), ("198.51.100.1", 80)) + request(fields=[("Connection", "close")]))
            return sock.recv(4096).decode()

    assert asked("192.0.2.7") == ""
    assert asked("198.51.100.7").startswith("HTTP/1.1 200 ")
    assert asked("127.0.0.1") == "", "it may name itself, too"


def test_who_may_send_a_proxy_header_and_sends_none_is_judged_as_itself(lockgate):
    gate = lockgate(FRONT)
    assert is_out(gate, "127.0.0.1")
    with gate.connect(source="127.0.0.1") as sock:
        sock.sendall(proxy_header.v2_local() + request())
        assert is_cut(sock), "one that names nobody is for itself"
    wait_until(lambda: len(rejected(gate)) == 2, "a line of each that was refused")
    done = gate.command("explain", f"http://{NAME}/", "--from", "127.0.0.1")
    assert "refused unless a PROXY header names another" in done.stdout, done


def test_who_speaks_in_a_field_is_judged_by_whom_it_speaks_for(lockgate):
    gate = lockgate(FRONT)
    assert is_out(gate, "127.0.0.3")
    assert ask(gate, "127.0.0.2", "-H", "X-Forwarded-For: 192.0.2.7").endswith(" 403")
    assert ask(gate, "127.0.0.2", "-H", "X-Forwarded-For: 198.51.100.7") == "in 200"
    assert ask(gate, "127.0.0.2") == "in 200", "it may ask for itself"
    assert ask(gate, "127.0.0.9", "-H", "X-Forwarded-For: 192.0.2.7") == "in 200", "nobody believes it"


# Files.


def test_a_file_is_followed_and_what_cannot_be_read_leaves_the_last_good_one(gate, tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_text("# nobody\n127.0.0.2\n")
    gate = gate(f"{{ file: {bad} }}")
    assert is_out(gate, "127.0.0.2") and is_in(gate, "127.0.0.3")
    bad.write_text("127.0.0.3/32 ; another\r\n")
    wait_until(lambda: is_out(gate, "127.0.0.3"), "the change takes effect", timeout=10)
    assert is_in(gate, "127.0.0.2")
    bad.write_text("127.0.0.2\n<rubbish>\n")
    gate.wait_for_message(r"address list .bad.: \S+bad.txt:2: .<rubbish>. is no network, address or range", timeout=10)
    assert is_out(gate, "127.0.0.3") and is_in(gate, "127.0.0.2")
    bad.unlink()
    gate.wait_for_message("bad.txt cannot be read: No such file", timeout=10)
    assert is_out(gate, "127.0.0.3")
    bad.write_text("127.0.0.4\n")
    gate.wait_for_message("address list .bad. is good again", timeout=10)
    wait_until(lambda: is_out(gate, "127.0.0.4"), "it is good again by itself")
    assert gate.process.output().count("<rubbish>") == 1, "it is told once"


def test_a_bad_file_refuses_the_start_and_the_reload(gate, tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_text("127.0.0.2\n")
    gate = gate(f"{{ file: {bad} }}")
    bad.write_text("127.0.0.3\nnonsense\n")
    for command in ("check", "reload"):
        done = gate.command(command)
        assert done.returncode != 0 and f"{bad}:2: `nonsense` is no network" in done.stdout + done.stderr, command
    assert is_out(gate, "127.0.0.2")
    gate.stop()
    done = run_command("run", "-c", gate.config)
    assert done.returncode != 0 and f"{bad}:2: `nonsense` is no network" in done.stderr


# URLs.


def test_a_url_is_fetched_again_and_again_and_only_what_is_good_is_taken(gate, web_origin):
    lists = ListOrigin(web_origin, "127.0.0.2 ; one\n")
    lists.fields = [("ETag", '"v1"')]
    gate = gate(f'{{ url: "{lists.url()}", every: 1s }}')
    wait_until(lambda: is_out(gate, "127.0.0.2"), "the list is there", timeout=10)
    wait_until(lambda: lists.asked[-1].get("If-None-Match") == '"v1"', "it is asked whether it has changed")
    lists.status, lists.text, lists.fields = 500, "127.0.0.3\n", []
    gate.wait_for_message("list.txt: fetching: refused .500 ", timeout=10)
    lists.status, lists.text = 200, "<html>in maintenance</html>"
    gate.wait_for_message("list.txt:1: .<html>in maintenance</html>. is no network", timeout=10)
    lists.text, lists.fields = "127.0.0.3\n", [("X-Padding", "x")]
    assert is_out(gate, "127.0.0.2")
    gate.wait_for_message("address list .bad. is good again", timeout=10)
    wait_until(lambda: is_out(gate, "127.0.0.3"), "the new list is in use")
    assert is_in(gate, "127.0.0.2")
    assert "secret" not in gate.process.output(), "what is behind the question mark may be"


def test_a_list_that_is_too_large_is_not_taken(gate, web_origin):
    def answer(request):
        request.head(200, [("Content-Length", (64 << 20) + 1)])

    gate = gate(f'{{ url: "http://localhost:{web_origin(answer).port}/", every: 1s }}')
    gate.wait_for_message("fetching: too_large", timeout=10)
    assert is_in(gate, "127.0.0.2")


def test_the_last_good_copy_is_used_at_the_next_start(gate, web_origin):
    lists = ListOrigin(web_origin, "127.0.0.2\n")
    gate = gate(f'{{ url: "{lists.url()}", every: 1h }}')
    gate.wait_for_message("nothing was fetched from .* yet")
    wait_until(lambda: is_out(gate, "127.0.0.2"), "the list is there", timeout=10)
    gate.stop()
    lists.origin.stop()
    gate.start()
    assert is_out(gate, "127.0.0.2") and is_in(gate, "127.0.0.3")


def test_redirects_are_followed_and_few_of_them(gate, web_origin):
    lists = ListOrigin(web_origin, "127.0.0.2\n")

    def answer(request):
        to = request.target if request.target == "/round" else lists.url()
        request.answer(status=302, fields=[("Location", to)])

    front = web_origin(answer).port
    gate = gate(f'{{ url: ["http://localhost:{front}/once", "http://localhost:{front}/round"], every: 1s }}')
    wait_until(lambda: is_out(gate, "127.0.0.2"), "the list is there", timeout=10)
    gate.wait_for_message("redirected more than 3 times", timeout=10)


def test_a_list_over_https_is_taken_only_from_whom_it_is_named_for(gate, web_origin, authority):
    lists = ListOrigin(web_origin, "127.0.0.2\n", certificate=authority.certificate("localhost"))
    gate = gate(f'{{ url: "{lists.url("https")}", every: 1s }}')
    gate.wait_for_message("address list .bad.: .*untrusted", timeout=10)
    assert is_in(gate, "127.0.0.2")
    gate.reload(GATE, bad=f'{{ url: "{lists.url("https")}", every: 1s, ca_file: {authority.root} }}')
    wait_until(lambda: is_out(gate, "127.0.0.2"), "the list is there", timeout=10)


# Countries and systems.


GEO = """
geo: { country: $country, system: $system }
listeners:
  - bind: "127.0.0.1:$port"
    trusted_proxies: { from: 127.0.0.2 }
    sites:
      - names: default
        plain:
          routes:
            - { path: /de, access: { allow: country DE }, status: 200, body: "in" }
            - { path: /telekom, access: { deny: AS3320 }, status: 200, body: "in" }
            - { status: 200, body: "$$client_country $$client_system" }
"""


def test_countries_and_systems_decide_and_are_told(lockgate, tmp_path):
    country = mmdb.write(tmp_path / "country.mmdb", "country", DE=["192.0.2.0/25"], AT=["192.0.2.128/25", "2001:db8::/32"])
    system = mmdb.write(tmp_path / "system.mmdb", "system", _3320=["192.0.2.0/24"])
    gate = lockgate(GEO, country=country, system=system)

    def asked(client, path="/"):
        return ask(gate, "127.0.0.2", "-H", f"X-Forwarded-For: {client}", path=path)

    assert asked("192.0.2.1") == "DE AS3320 200"
    assert asked("192.0.2.200") == "AT AS3320 200"
    assert asked("2001:db8::1") == "AT  200"
    assert asked("198.51.100.1") == "  200"
    assert asked("192.0.2.1", "/de") == "in 200" and asked("192.0.2.200", "/de").endswith(" 403")
    assert asked("192.0.2.1", "/telekom").endswith(" 403") and asked("198.51.100.1", "/telekom") == "in 200"
    mmdb.write(country, "country", DE=["198.51.100.0/24"])
    wait_until(lambda: asked("198.51.100.1") == "DE  200", "the new database is in use", timeout=10)
    with open(country, "r+b") as file:
        file.truncate(100)
    gate.wait_for_message("country.mmdb is no database of addresses that can be used", timeout=10)
    assert asked("198.51.100.1") == "DE  200"
    done = gate.command("reload")
    assert done.returncode != 0 and "country.mmdb is no database" in done.stdout + done.stderr
