"""Files of a folder are served whole and in parts, and nothing outside of it is; pages of the operator's, and
maintenance.

Clients are curl, and sockets where curl would tidy up what is asked.
"""
import hashlib
import os
import socket
import time

import pytest

from parts import http1
from parts.browsers import curl
from parts.ports import free_port
from parts.sockets import connect
from parts.waiting import wait_until

NAME = "a.example.test"
GATE = """
certificates:
  one: { chain: $chain, key: $key }
upstreams:
  web: { endpoints: ["http://$to"] }
listeners:
  - name: plain
    bind: "127.0.0.1:$port"
    sites:
      - names: [default]
        $site
        plain:
          routes:
$routes
  - name: secure
    bind: "127.0.0.1:$secure"
    sites:
      - { names: [default], terminate: { certificate: one, routes: [{ path: /, files: $www }] } }
"""
WHOLE = "            - { path: /, files: $www }\n"
PIECE = os.urandom(1 << 20)


@pytest.fixture
def www(tmp_path):
    folder = tmp_path / "www"
    folder.mkdir()
    (folder / "index.html").write_text("<h1>home</h1>")
    (folder / "hello.txt").write_text("0123456789")
    return folder


@pytest.fixture
def gate(lockgate, authority, www):
    """gate(routes, ...): a site with these routes, and one with the whole folder under TLS."""

    def make(routes=WHOLE, site="", to="127.0.0.1:9", **more):
        certificate = authority.certificate(NAME)
        secure = free_port()
        text = GATE.replace("$routes", routes).replace("$site", site)
        made = lockgate(text, to=to, www=www, chain=certificate.chain, key=certificate.key, secure=secure, **more)
        made.secure = secure
        return made

    return make


def ask(gate, target="/", method="GET", **fields):
    fields = [(name.replace("_", "-"), value) for name, value in fields.items()]
    with gate.connect() as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request(method, target, fields=fields))
        return http1.read_answer(file, method)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


# What is served.


def test_a_file_is_served_with_what_is_known_of_it(gate, www):
    answer = ask(gate(), "/hello.txt")
    assert (answer.status, answer.body) == (200, b"0123456789")
    assert answer.fields["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.fields["Accept-Ranges"] == "bytes"
    assert answer.fields["ETag"].startswith('"') and answer.fields["Last-Modified"].endswith(" GMT")


def test_head_has_the_same_head(gate):
    gate = gate()
    get, head = ask(gate, "/hello.txt"), ask(gate, "/hello.txt", "HEAD")
    del get.fields["Date"], head.fields["Date"]
    assert head.status == 200 and head.body == b"" and head.fields.items() == get.fields.items()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_files_are_only_read(gate, method):
    answer = ask(gate(), "/hello.txt", method)
    assert (answer.status, answer.fields["Allow"]) == (405, "GET, HEAD")


def test_a_folder_is_its_index_and_has_a_slash(gate, www):
    (www / "sub").mkdir()
    (www / "sub" / "index.html").write_text("sub")
    gate = gate("            - { path: /site, files: $www, index: [none.html, index.html] }\n")
    assert ask(gate, "/site/").body == b"<h1>home</h1>"
    answer = ask(gate, "/site?a=%2f")
    assert (answer.status, answer.fields["Location"]) == (301, "/site/?a=%2f")
    assert ask(gate, "/site/sub").fields["Location"] == "/site/sub/"
    assert ask(gate, "/site/sub/").body == b"sub"
    (www / "empty").mkdir()
    assert ask(gate, "/site/empty/").status == 404


def test_paths_are_rewritten_and_matched_whole(gate, www):
    (www / "v2").mkdir()
    (www / "v2" / "x.js").write_text("v2")
    gate = gate("""            - { path: /static, files: $www, rewrite: /v2 }
            - { path_exact: /hello.txt, files: $www }
            - { path_regex: "^/old/(.*)$$", files: $www, rewrite: /v2/$$1 }
            - { path_exact: /, files: $www }
""")
    answer = ask(gate, "/static/x.js")
    assert (answer.body, answer.fields["Content-Type"]) == (b"v2", "text/javascript; charset=utf-8")
    assert ask(gate, "/old/x.js").body == b"v2"
    assert ask(gate, "/hello.txt").body == b"0123456789"
    assert ask(gate, "/").body == b"<h1>home</h1>"


def test_an_application_of_one_page_answers_everywhere(gate, www):
    (www / ".hidden").write_text("hidden")
    gate = gate("            - { path: /, files: $www, fallback: /index.html }\n")
    for target in ("/", "/some/where", "/some/where/", "/none.js"):
        answer = ask(gate, target)
        assert (answer.status, answer.body) == (200, b"<h1>home</h1>")
        assert answer.fields["Content-Type"] == "text/html; charset=utf-8"
    assert ask(gate, "/hello.txt").body == b"0123456789"
    assert ask(gate, "/.hidden").status == 404


def test_fields_of_answers_are_changed(gate):
    gate = gate(
        "            - { path: /, files: $www, response_fields: { set: { Cache-Control: max-age=60 }, remove: ETag } }\n")
    answer = ask(gate, "/hello.txt")
    assert answer.fields["Cache-Control"] == "max-age=60" and "ETag" not in answer.fields


# Parts and conditions.


def test_curl_gets_parts(gate, tmp_path):
    gate = gate()
    url = f"http://{NAME}/hello.txt"
    for asked, got in {"0-3": "0123", "4-": "456789", "-2": "89", "0-0": "0", "0-1,4-5": "0123456789"}.items():
        assert curl(url, gate.port, "-r", asked).stdout == got
    beyond = ask(gate, "/hello.txt", Range="bytes=10-")
    assert (beyond.status, beyond.fields["Content-Range"]) == (416, "bytes */10")
    part = ask(gate, "/hello.txt", Range="bytes=2-3")
    assert (part.status, part.fields["Content-Range"], part.body) == (206, "bytes 2-3/10", b"23")


def test_curl_goes_on_where_it_has_stopped(gate, www, tmp_path):
    (www / "large").write_bytes(PIECE)
    got = tmp_path / "got"
    got.write_bytes(PIECE[:400_000])
    done = curl(f"http://{NAME}/large", gate().port, "-C", "-", "-o", got)
    assert done.returncode == 0 and got.read_bytes() == PIECE


def test_curl_asks_only_for_what_is_newer(gate, www, tmp_path):
    gate = gate()
    url = f"http://{NAME}/hello.txt"
    os.utime(www / "hello.txt", (1_000_000_000, 1_000_000_000))
    got = tmp_path / "got"
    status = ["-w", "%{http_code}", "-R", "-o", got]
    assert curl(url, gate.port, *status).stdout == "200"
    assert curl(url, gate.port, "-z", got, *status).stdout == "304"
    os.utime(www / "hello.txt", (1_000_000_060, 1_000_000_060))
    assert curl(url, gate.port, "-z", got, *status).stdout == "200"


def test_a_tag_changes_with_the_file(gate, www):
    gate = gate()
    tag = ask(gate, "/hello.txt").fields["ETag"]
    same = ask(gate, "/hello.txt", If_None_Match=tag)
    assert (same.status, same.body, same.fields["ETag"]) == (304, b"", tag)
    assert ask(gate, "/hello.txt", If_Match='"other"').status == 412
    (www / "new").write_text("9876543210")
    os.replace(www / "new", www / "hello.txt")
    assert ask(gate, "/hello.txt", If_None_Match=tag).body == b"9876543210"
    assert ask(gate, "/hello.txt", Range="bytes=0-1", If_Range=tag).body == b"9876543210"


# Large ones.


@pytest.mark.bounded(120)
def test_a_large_file_arrives_whole(gate, www, authority, tmp_path):
    with open(www / "large.bin", "wb") as file:
        for number in range(64):
            file.write(number.to_bytes(4) + PIECE[4:])
    gate = gate()
    for scheme, port in (("http", gate.port), ("https", gate.secure)):
        got = tmp_path / scheme
        done = curl(f"{scheme}://{NAME}/large.bin", port, "-o", got, root=authority.root, timeout=60)
        assert done.returncode == 0, done.stderr
        assert got.stat().st_size == 64 << 20 and digest(got) == digest(www / "large.bin")


def slow_get(gate, target):
    """A connection that has asked and read nothing yet; small buffers, so that most of the file has to wait."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    sock.settimeout(20)
    sock.connect(("127.0.0.1", gate.port))
    sock.sendall(http1.request(target=target))
    return sock


def test_a_file_that_is_replaced_meanwhile_goes_on_as_it_was(gate, www):
    (www / "large").write_bytes(PIECE * 16)
    gate = gate()
    with slow_get(gate, "/large") as sock, sock.makefile("rb") as file:
        head = http1.read_head(file)
        (www / "new").write_bytes(b"new")
        os.replace(www / "new", www / "large")
        body = b"".join(http1.pieces(file, head.fields))
    assert hashlib.sha256(body).digest() == hashlib.sha256(PIECE * 16).digest()
    assert ask(gate, "/large").body == b"new"


def test_a_file_that_shrinks_meanwhile_is_broken_off(gate, www):
    (www / "large").write_bytes(PIECE * 16)
    gate = gate()
    with slow_get(gate, "/large") as sock:
        sock.recv(1000)
        os.truncate(www / "large", 1000)
        size = 0
        try:
            while piece := sock.recv(65536):
                size += len(piece)
        except ConnectionResetError:
            pass
    assert size < 16 << 20
    line = gate.next_line()
    assert (line["status"], line["outcome"], line["reason"]) == (200, "closed", "reading the file: closed")
    assert ask(gate, "/hello.txt").status == 200


def test_others_are_served_while_a_large_file_is_taken(gate, www):
    with open(www / "huge", "wb") as file:
        file.truncate(1 << 30)
    gate = gate()
    with connect(gate.port) as sock:
        sock.sendall(http1.request(target="/huge"))
        taken, slowest, until = 0, 0.0, time.monotonic() + 2
        while time.monotonic() < until:
            taken += len(sock.recv(1 << 20))
            begun = time.monotonic()
            assert ask(gate, "/hello.txt").status == 200
            slowest = max(slowest, time.monotonic() - begun)
    assert slowest < 1


# What is not served.


@pytest.fixture
def hostile(www):
    outside = www.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    for name, to in {"out": "../outside/secret", "far": str(outside / "secret"), "up": "..", "folder": "../outside",
                     "loop": "loop", "nowhere": "nothing", "within": "hello.txt"}.items():
        (www / name).symlink_to(to)
    os.mkfifo(www / "fifo")
    (www / ".git").mkdir()
    (www / ".git" / "config").write_text("secret")
    (www / ".htaccess").write_text("secret")
    (www / "sub").mkdir()
    (www / ".well-known").mkdir()
    (www / ".well-known" / "security.txt").write_text("contact")
    return www


PATHS = ["/../outside/secret", "/%2e%2e/outside/secret", "/sub/../../outside/secret", "/..%2foutside%2fsecret",
         "/%2e%2e%2foutside/secret", "/..;/outside/secret", "/..%5coutside", "/%252e%252e/outside/secret",
         "//outside/secret", "/out", "/far", "/up/outside/secret", "/folder/secret", "/folder/", "/folder", "/loop",
         "/nowhere", "/fifo", "/fifo/", "/.git/config", "/.git/", "/.htaccess", "/%2ehtaccess", "/sub/.htaccess",
         "/hello.txt%00.html", "/hello.txt/", "/hello.txt/x", "/etc/passwd", "/%2fetc/passwd", "/" + "a" * 300,
         "/" + "a/" * 3000, "/%ff%fe", "/sub/", "/within%2f..%2fout", "/%c0%ae%c0%ae/outside/secret"]


@pytest.mark.parametrize("paths", ["{}", "{ encoded_slashes: decode }",
                                   "{ encoded_slashes: raw, dot_segments: raw, empty_segments: raw }"])
def test_nothing_outside_is_reached(gate, hostile, paths):
    gate = gate(site=f"paths: {paths}")
    for path in PATHS:
        answer = ask(gate, path)
        assert answer.status in (400, 404), path
        assert b"secret" not in answer.body.replace(path.encode(), b"")
    assert ask(gate, "/within").body == b"0123456789"
    assert ask(gate, "/.well-known/security.txt").body == b"contact"
    assert curl(f"http://{NAME}/../outside/secret", gate.port, "--path-as-is", "-w", "%{http_code}").stdout[-3:] in (
        "400", "404")


def test_two_slashes_lead_to_no_other_host(gate, www):
    (www / "evil.example").mkdir()
    gate = gate(site="paths: { empty_segments: raw }")
    assert ask(gate, "//evil.example").fields["Location"] == f"http://{NAME}//evil.example/"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_what_the_user_may_not_read_is_forbidden(lockgate, public, public_binary, www):
    folder = public / "www"
    folder.mkdir()
    (folder / "index.html").write_text("home")
    (folder / "closed").write_text("closed")
    (folder / "closed").chmod(0)
    gate = lockgate("""
user: nobody
listeners:
  - bind: "127.0.0.1:$port"
    sites: [{ names: [default], plain: { routes: [{ path: /, files: $www }] } }]
""", www=folder, folder=public)
    assert ask(gate, "/closed").status == 403
    assert gate.next_line()["reason"] == "opening the file: rejected (Permission denied)"
    assert ask(gate, "/").body == b"home"


# Before anybody asks.


def test_check_and_start_know_the_folder(gate, www, tmp_path):
    gate = gate("            - { path: /, files: /nowhere/www }\n", start=False)
    done = gate.command("check")
    assert done.returncode != 0 and "the folder /nowhere/www cannot be opened: No such file" in done.stderr
    gate.start(wait=False)
    assert gate.process.wait(10) == 1
    assert "the folder /nowhere/www cannot be opened" in gate.process.output()


def test_explain_tells_the_folder(gate, www):
    gate = gate("            - { path: /static, files: $www, fallback: /index.html }\n")
    told = gate.command("explain", f"http://{NAME}/static/a%20b.html", "--listener", "plain").stdout
    assert f"folder: {www}" in told and "file: /a b.html" in told and "fallback: /index.html" in told


# Pages of the operator's.


def test_errors_have_the_pages_that_are_written(gate, tmp_path):
    (tmp_path / "404.html").write_text("<p>$status of $path, $request_id</p>")
    (tmp_path / "any.json").write_text('{"status": $status}')
    gate = gate("""            - { path: /files, files: $www, response_fields: { set: { X-From: us } } }
            - { path: /up, to: web }
            - { path: /gone, status: 410 }
            - { path: /told, status: 404, body: told }
""", site="error_pages: { 404: $pages/404.html, default: $pages/any.json }", pages=tmp_path)
    answer = ask(gate, "/files/<b>")
    assert answer.status == 400 or answer.status == 404
    answer = ask(gate, "/files/it's")
    assert answer.status == 404 and answer.body.startswith(b"<p>404 of /files/it&#39;s, ")
    assert answer.fields["Content-Type"] == "text/html; charset=utf-8"
    assert (answer.fields["Cache-Control"], answer.fields["X-From"]) == ("no-store", "us")
    assert ask(gate, "/none").body.startswith(b"<p>404 of /none, ")
    for target, status in {"/up": 502, "/gone": 410}.items():
        answer = ask(gate, target)
        assert (answer.status, answer.body) == (status, b'{"status": %d}' % status)
        assert answer.fields["Content-Type"] == "application/json"
    assert ask(gate, "/told").body == b"told"
    head = ask(gate, "/gone", "HEAD")
    assert (head.status, head.fields["Content-Length"]) == (410, "15")
    assert ask(gate, "/files/x", "POST").fields["Allow"] == "GET, HEAD"


def test_pages_stand_for_those_of_upstreams_if_it_is_said(gate, tmp_path, web_origin):
    def answer(request):
        status = int(request.target.rpartition("/")[2])
        request.answer(b"theirs" * 100, status, [("WWW-Authenticate", "Basic"), ("X-Theirs", "1")])

    (tmp_path / "page.txt").write_text("ours $status")
    origin = web_origin(answer)
    gate = gate("""            - { path: /ours, to: web, forward: { intercept_errors: on } }
            - { path: /theirs, to: web }
""", site="error_pages: { 4xx: $pages/page.txt }", pages=tmp_path, to=origin.address)
    answer = ask(gate, "/ours/401")
    assert (answer.status, answer.body, answer.fields["WWW-Authenticate"]) == (401, b"ours 401", "Basic")
    assert "X-Theirs" not in answer.fields
    assert ask(gate, "/ours/200").body == ask(gate, "/ours/500").body == ask(gate, "/theirs/404").body == b"theirs" * 100
    assert ask(gate, "/ours/404", "HEAD").fields["Content-Length"] == "8"


def test_a_page_that_is_not_there_is_told(gate, tmp_path):
    gate = gate(site="error_pages: { 404: $pages/none.html }", pages=tmp_path, start=False)
    done = gate.command("check")
    assert done.returncode != 0 and "none.html cannot be read: No such file" in done.stderr
    assert "lockgate.yaml:" in done.stderr


# Maintenance.


def test_maintenance_begins_and_ends_with_its_file(gate, tmp_path):
    sign = tmp_path / "maintenance"
    (tmp_path / "later.html").write_text("later")
    gate = gate("""            - { path: /health, status: 204, maintenance: { when: off } }
            - { path: /, files: $www }
""", site="maintenance: { when: $sign, page: $pages/later.html, retry_after: 2m, except: [127.0.0.2] }",
                sign=sign, pages=tmp_path)
    assert ask(gate, "/hello.txt").status == 200
    sign.touch()
    wait_until(lambda: ask(gate, "/hello.txt").status == 503, "maintenance begins", timeout=3)
    answer = ask(gate, "/hello.txt")
    assert (answer.body, answer.fields["Retry-After"]) == (b"later", "120")
    assert ask(gate, "/health").status == 204
    with gate.connect(source="127.0.0.2") as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request(target="/hello.txt"))
        assert http1.read_answer(file).status == 200
    told = gate.command("explain", f"http://{NAME}/hello.txt", "--listener", "plain").stdout
    assert f"maintenance: while there is {sign}" in told and "status: 503" in told
    assert gate.line_of(status=503)["reason"] == "looking at `maintenance`: rejected (503 Service Unavailable)"
    sign.unlink()
    wait_until(lambda: ask(gate, "/hello.txt").status == 200, "maintenance ends", timeout=3)


def test_maintenance_is_switched_on_by_the_configuration(gate):
    gate = gate(site="maintenance: { when: always, retry_after: off }")
    answer = ask(gate, "/hello.txt")
    assert answer.status == 503 and "Retry-After" not in answer.fields


def test_slashes_that_stay_raw_lead_past_no_guard(gate, www):
    (www / "a" / "private").mkdir(parents=True)
    (www / "a" / "private" / "x").write_text("secret")
    (www / "a" / "y").write_text("open")
    gate = gate("            - { path: /a/private, require: nobody, files: $www }\n" + WHOLE,
                site="paths: { empty_segments: raw }")

    def status(target):
        with gate.connect() as sock:
            sock.sendall(http1.request(target=target))
            return http1.read_answer(sock.makefile("rb")).status

    assert status("/a/private/x") == 403
    for target in ("/a//private/x", "//a/private/x", "/a///private//x"):
        assert status(target) == 400, target
    assert status("/a//y") == 200
