"""Bans: whoever misbehaves stays out for a while, wherever it is known who that is."""
import json
import subprocess
import time

import pytest

from parts import http1, proxy_header, websocket
from parts.sockets import first_line
from parts.waiting import wait_until

GATE = """
state_folder: $folder
upstreams:
  web: { endpoints: ["http://$web"] }
  bytes: { endpoints: ["tcp://$bytes"] }
bans:
  except: 127.0.9.0/24
  rules:
    - { name: storm, on: status, statuses: 404, count: 5, within: 10s, for: 30s }
    - { name: scanners, on: trap, for: 30s }
    - { name: grows, on: bad_request, for: 300ms, factor: 3, longest: 10s }
    - { on: failed_handshake, count: 2, for: 30s }
    - { on: unknown_name, count: 3, for: 30s }
    - { on: rejected, for: 30s }
listeners:
  - bind: "127.0.0.1:$port"
    name: plain
    accept_proxy_protocol: { optional_from: 127.0.0.3 }
    trusted_proxies: { from: 127.0.0.2 }
    sites:
      - names: [default]
        plain:
          routes:
            - { path: /wp-login.php, status: 404, trap: scanners }
            - { path: /here, status: 200, body: "here\\n" }
            - { path: /socket, to: web }
            - { path: /missing, status: 404 }
  - bind: "127.0.0.1:$tls_port"
    name: tls
    accept_proxy_protocol: { optional_from: 127.0.0.3 }
    sites:
      - { names: [a.example.test], pass: { to: bytes } }
      - { names: [no.example.test], reject: {} }
      - { names: [t.example.test], terminate: { certificate: own, routes: [{ path: /, status: 204 }] } }
certificates: { own: { self_signed: true, names: [t.example.test] } }
"""


@pytest.fixture
def gate(lockgate, web_origin, echo):
    from parts.ports import free_port
    gate = lockgate(GATE, web=web_origin(websocket.echo).address, bytes=echo("one").address, tls_port=free_port())
    gate.tls_port = gate._values["tls_port"]
    return gate


def get(gate, path, client="127.0.0.1", fields=()):
    """The status, or None where the connection is reset or closed without a word."""
    words = [word for field in fields for word in ("-H", field)]
    done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--interface", client, "-m", "5", *words,
                           f"http://127.0.0.1:{gate.port}{path}"], capture_output=True, text=True, timeout=10)
    return int(done.stdout) or None


def refused(gate, port=None, source="127.0.0.1", says=b""):
    """Whether a connection ends without a byte."""
    import socket
    try:
        with socket.create_connection(("127.0.0.1", port or gate.port), 5, (source, 0)) as sock:
            sock.settimeout(2)
            sock.sendall(says)
            return sock.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def wait_until_out(gate, source):
    """An event counts when the answer is out, and the next connection may be another worker's."""
    wait_until(lambda: get(gate, "/here", source) is None, f"{source} is banned")


def banned(gate):
    return {entry["who"]: entry for entry in json.loads(gate.command("bans", "--json").stdout)}


def test_a_storm_of_404_ends_at_the_door(gate):
    assert [get(gate, "/missing", "127.0.0.5") for _ in range(5)] == [404] * 5
    wait_until_out(gate, "127.0.0.5")
    assert get(gate, "/here", "127.0.0.6") == 200
    assert banned(gate)["127.0.0.5"]["why"] == "storm"
    line = gate.line_of(outcome="banned")
    assert line["peer"].startswith("127.0.0.5:") and "bytes_down" in line
    assert gate.metrics().total("lockgate_connections_total", outcome="banned") == 1
    assert gate.metrics().total("lockgate_bans_total", rule="storm") == 1
    gate.wait_for_message("127.0.0.5 is banned for 30 s by storm, 1 in a row")


def test_a_trap_needs_one_step(gate):
    assert get(gate, "/wp-login.php", "127.0.0.5") == 404
    wait_until_out(gate, "127.0.0.5")


def test_the_next_request_of_an_open_connection_is_refused(gate):
    with gate.connect() as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request(target="/here"))
        assert http1.read_answer(file).status == 200
        sock.sendall(http1.request(target="/wp-login.php"))
        assert http1.read_answer(file).status == 404
        sock.sendall(http1.request(target="/here"))
        answer = http1.read_answer(file)
        assert answer.status == 403 and answer.fields["Connection"] == "close"
        assert file.read() == b""
    assert gate.line_of(outcome="banned")["status"] == 403


def test_each_further_ban_is_longer(gate):
    for expected in (0.3, 0.9, 2.7):
        assert refused(gate, source="127.0.0.5", says=b"no request\r\n\r\n") is False
        began = time.monotonic()
        wait_until(lambda: get(gate, "/here", "127.0.0.5") == 200, "it is let in again", 10)
        assert expected - 0.1 <= time.monotonic() - began <= expected + 1
    assert banned(gate) == {}


def test_a_proxy_in_front_is_never_banned_its_client_is(gate):
    with gate.connect(source="127.0.0.2") as sock, sock.makefile("rb") as file:
        def ask(target, client):
            sock.sendall(http1.request(target=target, fields=[("X-Forwarded-For", client)]))
            return http1.read_answer(file).status

        assert ask("/wp-login.php", "203.0.113.9") == 404
        assert [ask("/here", "203.0.113.9"), ask("/here", "203.0.113.8"), ask("/here", "203.0.113.9")] == [403, 200, 403]
    assert get(gate, "/wp-login.php", "127.0.0.2") == 404
    assert get(gate, "/here", "127.0.0.2") == 200
    assert list(banned(gate)) == ["203.0.113.9"]


def test_who_a_proxy_header_names_is_refused_before_tls(gate):
    header = proxy_header.v1(("203.0.113.9", 4711), ("192.0.2.1", 443))
    other = proxy_header.v1(("203.0.113.8", 4711), ("192.0.2.1", 443))
    assert gate.command("ban", "203.0.113.9").returncode == 0
    for port in (gate.port, gate.tls_port):
        assert refused(gate, port, "127.0.0.3", header)
        assert not refused(gate, port, "127.0.0.3", other)
    assert gate.line_of(outcome="banned", listener="tls")["client"] == "203.0.113.9:4711"


def test_who_need_not_send_a_proxy_header_is_banned_as_itself(gate):
    header = proxy_header.v1(("203.0.113.8", 4711), ("192.0.2.1", 443))
    assert get(gate, "/wp-login.php", "127.0.0.3") == 404
    wait_until_out(gate, "127.0.0.3")
    assert list(banned(gate)) == ["127.0.0.3"]
    assert not refused(gate, source="127.0.0.3", says=header + http1.request(target="/here")), "others need not suffer for it"
    assert not refused(gate, gate.tls_port, "127.0.0.3", header)
    line = gate.line_of(outcome="banned")
    assert line["client"] == line["peer"] and line["peer"].startswith("127.0.0.3:")


def test_while_it_is_not_known_for_whom_it_comes_nobody_is_cut(gate):
    with gate.connect(source="127.0.0.3") as sock, sock.makefile("rb") as file:
        assert gate.command("ban", "127.0.0.3").returncode == 0
        time.sleep(0.7)
        sock.sendall(proxy_header.v1(("203.0.113.8", 4711), ("192.0.2.1", 443)) + http1.request(target="/here"))
        assert http1.read_answer(file).status == 200


def test_nobody_excepted_is_counted(gate):
    assert [get(gate, "/missing", "127.0.9.1") for _ in range(8)] == [404] * 8
    done = gate.command("ban", "127.0.9.1")
    assert done.returncode == 1 and "127.0.9.1 is never banned" in done.stderr
    assert gate.command("ban", "127.0.0.0/16").returncode == 0
    assert get(gate, "/here", "127.0.9.1") == 200
    wait_until_out(gate, "127.0.0.7")


def open_tls(gate, name, source):
    from parts.client_hello import hello
    import socket
    sock = socket.create_connection(("127.0.0.1", gate.tls_port), 5, (source, 0))
    sock.sendall(hello(name))
    return sock


def read_end(sock):
    sock.settimeout(5)
    with sock:
        try:
            while sock.recv(4096):
                pass
        except ConnectionError:
            pass


@pytest.mark.parametrize("name, count, rule", [("other.example.test", 3, "unknown_name"), ("no.example.test", 1, "rejected")])
def test_connections_that_no_site_takes_are_counted(gate, name, count, rule):
    for _ in range(count):
        read_end(open_tls(gate, name, "127.0.0.5"))
    wait_until(lambda: banned(gate), "it is banned")
    assert banned(gate)["127.0.0.5"]["why"] == rule
    assert refused(gate, gate.tls_port, "127.0.0.5")


def test_failed_handshakes_are_counted(gate):
    for _ in range(2):
        subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{gate.tls_port}", "-servername", "t.example.test",
                        "-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384:NULL-SHA256@SECLEVEL=0", "-bind", "127.0.0.5:0"],
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
    wait_until(lambda: banned(gate), "it is banned")
    assert banned(gate)["127.0.0.5"]["why"] == "failed_handshake"


def test_what_is_relayed_already_is_cut(gate):
    from parts.http1 import request
    with open_tls(gate, "a.example.test", "127.0.0.5") as sock, gate.connect(source="127.0.0.5") as web, \
            open_tls(gate, "a.example.test", "127.0.0.6") as other:
        assert first_line(sock) == "one" and first_line(other) == "one"
        there = websocket.connect(web, "a.example.test", "/socket")
        assert gate.command("ban", "127.0.0.5", "--for", "1h", "--why", "enough of it").returncode == 0
        read_end(sock)
        read_end(web)
        other.sendall(b"still\n")
        other.settimeout(0.3)
        with pytest.raises(TimeoutError):
            while other.recv(4096):
                pass
    assert gate.line_of(outcome="banned", site="a.example.test")
    assert there


def test_a_tunnel_is_cut_for_whom_a_trusted_proxy_has_named(gate):
    with gate.connect(source="127.0.0.2") as one, gate.connect(source="127.0.0.2") as two:
        for sock, client in ((one, "203.0.113.9"), (two, "203.0.113.8")):
            sock.sendall(websocket.opening("a.example.test", "/socket", fields=[("X-Forwarded-For", client)])
                         if hasattr(websocket, "opening") else
                         http1.request(target="/socket", fields=[("X-Forwarded-For", client), ("Upgrade", "websocket"),
                                                                 ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
                                                                 ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")]))
            assert b" 101 " in sock.recv(4096)
        assert gate.command("ban", "203.0.113.9").returncode == 0
        read_end(one)
        two.settimeout(0.3)
        with pytest.raises(TimeoutError):
            two.recv(1)


def test_bans_outlive_the_process(gate):
    assert get(gate, "/wp-login.php", "127.0.0.5") == 404
    assert gate.command("ban", "127.0.1.0/24", "--for", "1h").returncode == 0
    assert gate.command("ban", "2001:db8::7", "--why", "by and by").returncode == 0
    before = banned(gate)
    kept = gate.folder / "bans"
    wait_until(lambda: kept.exists() and "by and by" in kept.read_text(), "the last of them is kept", 10)
    gate.process.kill()  # no time for last words
    gate.start()
    assert set(banned(gate)) == set(before) == {"127.0.0.5", "127.0.1.0/24", "2001:db8::/64"}
    assert banned(gate)["2001:db8::/64"]["why"] == "by and by" and "until" not in banned(gate)["2001:db8::/64"]
    assert abs(banned(gate)["127.0.0.5"]["seconds_left"] - 30) < 10
    assert get(gate, "/here", "127.0.1.9") is None and get(gate, "/here", "127.0.0.5") is None


def test_a_file_of_bans_is_used_but_for_lines_that_are_none(gate):
    assert gate.command("ban", "127.0.1.0/24", "--for", "1h").returncode == 0
    assert gate.command("ban", "2001:db8::7").returncode == 0
    gate.stop()
    title, first, second = (gate.folder / "bans").read_text().splitlines(keepends=True)
    (gate.folder / "bans").write_text(title + first + "nobody\n" + second + second[:-9])
    gate.start()
    assert set(banned(gate)) == {"127.0.1.0/24", "2001:db8::/64"}
    gate.wait_for_message("bans hold on but for 2 of its lines, which are no bans; the first of them is line 3")
    gate.stop()
    (gate.folder / "bans").write_text("else\n" + first)
    gate.start()
    assert banned(gate) == {}
    gate.wait_for_message("the bans that were kept in .*/bans cannot be used, nobody is banned: its first line is not that")


def test_a_file_of_bans_that_is_too_large_is_not_read(gate):
    gate.stop()
    with open(gate.folder / "bans", "wb") as file:
        file.truncate((512 << 20) + 1)
    gate.start()
    gate.wait_for_message("the bans that were kept in .*/bans cannot be used, nobody is banned: .*/bans is larger than 512 MiB")
    assert banned(gate) == {}


def test_bans_are_not_written_through_a_link(gate):
    other = gate.folder / "of-somebody-else"
    other.write_text("theirs")
    (gate.folder / "bans.new").symlink_to(other)
    assert gate.command("ban", "192.0.2.1").returncode == 0
    gate.wait_for_message("level=error .*bans cannot be kept in .*/bans: Too many levels of symbolic links")
    assert other.read_text() == "theirs" and not (gate.folder / "bans").exists()
    (gate.folder / "bans.new").unlink()
    assert gate.command("ban", "192.0.2.2").returncode == 0
    wait_until(lambda: (gate.folder / "bans").exists(), "they are kept again", 10)


def test_they_are_lifted_by_command_and_by_a_reload(gate):
    for who in ("127.0.0.5", "127.0.0.6", "127.0.1.0/24", "127.0.0.8"):
        assert gate.command("ban", who).returncode == 0
    assert gate.command("unban", "127.0.0.5").stdout == "1 ban lifted\n"
    assert get(gate, "/here", "127.0.0.5") == 200
    done = gate.command("unban", "127.0.0.5")
    assert (done.returncode, done.stderr) == (1, "127.0.0.5 is not banned\n")
    gate.reload(GATE.replace("127.0.9.0/24", "127.0.0.8"))
    assert get(gate, "/here", "127.0.0.8") == 200
    assert set(banned(gate)) == {"127.0.0.6", "127.0.1.0/24"}
    assert "127.0.0.6" in gate.command("bans").stdout
    assert gate.status()["bans"] == {"clients": 1, "networks": 1, "displaced": 0}
    assert gate.command("unban", "--all").stdout == "2 bans lifted\n"
    assert gate.command("bans").stdout == "nobody is banned\n"
    assert get(gate, "/here", "127.0.0.6") == 200


@pytest.mark.parametrize("words, status, said", [
    (("ban", "here"), 1, '"here" is no address'), (("ban", "192.0.2.1/24"), 1, "is no address"),
    (("ban", "192.0.2.1", "--for", "soon"), 1, "--for must be a duration"), (("ban",), 2, "address is required"),
    (("ban", "192.0.2.1", "--why", "by \u202eecila"), 1, "invisible characters"), (("unban",), 2, "give an address"), (("unban", "192.0.2.1", "--all"), 2, "give an address")])
def test_wrong_usage_is_told(gate, words, status, said):
    done = gate.command(*words)
    assert done.returncode == status and said in done.stderr, done


def test_a_flood_of_the_banned_does_not_fill_the_log(gate):
    assert gate.command("ban", "127.0.0.5").returncode == 0
    for _ in range(100):
        assert refused(gate, source="127.0.0.5")
    wait_until(lambda: gate.metrics().total("lockgate_connections_total", outcome="banned") == 100, "all are counted")
    assert len([line for line in gate.access_log() if line["outcome"] == "banned"]) < 60
    time.sleep(1.1)
    for _ in range(8):
        refused(gate, source="127.0.0.5")
    gate.wait_for_message("lines about banned clients were left out of the access log")
