"""How requests are seen from outside: lines of the access log, metrics, status, and what `explain` foretells.

The client is curl, the origin a small server of Python's that says what it was asked.
"""
import json
import re
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from parts.ports import free_port
from parts.sockets import connect, read_to_end
from parts.waiting import wait_until

HOST = "app.example.test"
# LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"", as log analysers read it.
COMMON = r'(?P<client>\S+) (?P<ident>\S+) (?P<user>\S+) \[(?P<time>[^\]]+)\] ' \
         r'"(?P<request>[^"]*)" (?P<status>\d{3}|-) (?P<bytes>\d+|-)'
COMBINED = COMMON + r' "(?P<referer>[^"]*)" "(?P<agent>[^"]*)"'

GATE = """
upstreams:
  pool: { endpoints: ["http://127.0.0.1:$origin"] }
  dead: { endpoints: ["http://127.0.0.1:$dead"] }
  half: { endpoints: ["http://127.0.0.1:$dead", "http://127.0.0.1:$origin"] }
listeners:
  - name: front
    bind: "127.0.0.1:$port"
    sites:
      - name: app
        names: [app.example.test]
        $log
        plain:
          routes:
            - { name: write, path: /app, methods: [POST], to: pool, rewrite: /write }
            - { name: beta, path: /app, fields: { X-Beta: "1" }, to: pool, forward: { host: upstream } }
            - { name: app, path: /app, to: pool, rewrite: /new }
            - { name: slow, path: /slow, to: pool, forward: { first_byte: 300ms } }
            - { name: dead, path: /dead, to: dead }
            - { name: half, path: /half, to: half }
            - { name: item, path_regex: "^/item/([0-9]+)$$", redirect: "/new/$$1" }
            - { name: gone, path_exact: /gone, status: 410, body: nothing }
            - { name: safe, path: /safe, redirect: https }
            - { name: asis, path: /asis, to: pool }
"""


class Asked(BaseHTTPRequestHandler):
    """Answers with what it was asked, as JSON; /…/status/503 with that status."""
    protocol_version = "HTTP/1.1"

    def answer(self):
        if "slow" in self.path:
            time.sleep(1)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        said = json.dumps({"method": self.command, "target": self.path, "host": self.headers["Host"],
                           "body": len(body)}).encode()
        status = re.search(r"/status/(\d+)", self.path)
        self.send_response(int(status[1]) if status else 200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    do_GET = do_POST = do_HEAD = answer

    def log_message(self, *_):
        pass


class PythonOrigin:
    def __init__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


@pytest.fixture
def python_origin(started):
    return started(PythonOrigin())


@pytest.fixture
def gate(lockgate, python_origin):
    """gate(log): the gate above, with this in its site."""
    return lambda log="": lockgate(GATE, origin=python_origin.port, dead=free_port(), log=log)


def curl(gate, path, *options, host=HOST):
    """(status, body, fields) of a request with curl."""
    done = subprocess.run(["curl", "-sS", "--path-as-is", "--max-time", "10", "-D", "/dev/stderr",
                           "--connect-to", f"::127.0.0.1:{gate.port}", *options, f"http://{host}{path}"],
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done
    head = [part for part in done.stderr.split("\n\n") if part.startswith("HTTP/")][-1].splitlines()
    fields = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in head[1:] if ":" in line)}
    return int(head[0].split()[1]), done.stdout, fields


def lines_of(file, count):
    def lines():
        found = file.read_text().splitlines() if file.exists() else []
        return found if len(found) >= count else None

    return wait_until(lines, f"{count} lines in {file}")


def test_a_combined_line_is_as_apache_writes_it(gate, tmp_path):
    file = tmp_path / "combined.log"
    gate = gate(f"access_log: {{ format: combined, to: {file} }}")
    status, body, _ = curl(gate, "/app/x?y=%20z", "-e", "http://from.example.test/", "-A", 'a "quoted" \\ agent')
    assert status == 200
    [first] = lines_of(file, 1)
    curl(gate, "/nowhere", "-I")
    second = lines_of(file, 2)[1]
    with connect(gate.port) as client:
        client.sendall(f"GET /gone HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: \xff\tb\r\n\r\n".encode("latin-1"))
        assert b"410 Gone" in client.recv(10_000)
        client.sendall(b"GET /app HTTP/1.1\r\nNo Host: x\r\n\r\n")
        assert b" 400 " in read_to_end(client)
    third, fourth = lines_of(file, 4)[2:]
    match = re.fullmatch(COMBINED, first)
    assert match, first
    assert match["client"] == "127.0.0.1" and match["ident"] == match["user"] == "-"
    assert match["request"] == "GET /app/x?y=%20z HTTP/1.1"
    assert (match["status"], int(match["bytes"])) == ("200", len(body))
    assert match["referer"] == "http://from.example.test/"
    assert match["agent"] == r"a \x22quoted\x22 \x5c agent"
    assert abs(time.mktime(time.strptime(match["time"], "%d/%b/%Y:%H:%M:%S +0000")) - time.timezone - time.time()) < 60
    match = re.fullmatch(COMBINED, second)
    assert match and match["request"] == "HEAD /nowhere HTTP/1.1"
    assert (match["status"], match["bytes"], match["referer"]) == ("404", "-", "-")
    match = re.fullmatch(COMBINED, third)
    assert match and match["agent"] == r"\xff\x09b", third
    match = re.fullmatch(COMBINED, fourth)
    assert match and (match["status"], match["request"]) == ("400", "-"), fourth


def test_common_and_own_forms(gate, tmp_path):
    file = tmp_path / "own.log"
    gate = gate(f'access_log: {{ format: "$status $method $route $upstream $attempts \'$reason\'", to: {file} }}')
    for number, path in enumerate(["/app", "/dead", "/nowhere"]):
        curl(gate, path)
        lines_of(file, number + 1)
    first, second, third = lines_of(file, 3)
    assert first == "200 GET app pool 1 '-'"
    assert re.fullmatch(r"502 GET dead dead 1 'connecting to the upstream: refused.*'", second), second
    assert third.startswith("404 GET - - - 'choosing the route: rejected"), third
    common = tmp_path / "common.log"
    gate.reload(GATE, log=f"access_log: {{ format: common, to: {common} }}")
    curl(gate, "/app", "-d", "x")
    assert re.fullmatch(COMMON, lines_of(common, 1)[0])


def test_a_form_with_an_unknown_variable_is_refused(lockgate, python_origin):
    gate = lockgate(GATE, origin=python_origin.port, dead=1, log="access_log: { format: $statsu }", start=False)
    done = gate.command("check")
    assert done.returncode != 0 and "did you mean `status`?" in done.stderr + done.stdout
    gate.write(GATE.replace("status: 410, body: nothing", 'status: 410, body: "$$duration_ms"'), log="")
    done = gate.command("check")
    assert done.returncode != 0 and "access logs" in done.stderr + done.stdout


def test_json_lines_tell_who_asked_what_and_what_became_of_it(gate):
    gate = gate()
    status, body, _ = curl(gate, "/app/x?y", "-d", "12345", "-A", "agent", "-e", "http://from/")
    assert status == 200
    line = gate.next_line()
    wanted = {"listener": "front", "scheme": "http", "host": HOST, "method": "POST", "target": "/app/x?y",
              "protocol": "HTTP/1.1", "status": 200, "site": "app", "route": "write", "upstream": "pool",
              "attempts": 1, "bytes_up": 5, "bytes_down": len(body), "outcome": "finished", "referer": "http://from/",
              "user_agent": "agent"}
    assert wanted.items() <= line.items(), line
    assert line["client"].startswith("127.0.0.1:") and line["endpoint"].startswith("http://127.0.0.1:")
    assert 0 <= line["answer_ms"] <= line["duration_ms"] < 5000


def test_lines_tell_why_there_was_no_answer(gate):
    gate = gate()
    assert curl(gate, "/dead")[0] == 502
    line = gate.next_line()
    assert (line["status"], line["outcome"], line["ended_by"]) == (502, "refused", "upstream"), line
    assert "connecting to the upstream" in line["reason"] and "refused" in line["tries"]
    assert curl(gate, "/slow")[0] == 504
    line = gate.next_line()
    assert (line["status"], line["outcome"], line["ended_by"]) == (504, "timed_out", "upstream"), line
    assert line["attempts"] == 1 and line["route"] == "slow"
    with connect(gate.port) as client:  # the connection is of our site, the request is not
        client.sendall(f"GET /app HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
                       "GET /app HTTP/1.1\r\nHost: other.example.test\r\nConnection: close\r\n\r\n".encode())
        read_to_end(client)
    assert gate.next_line()["status"] == 200
    line = gate.next_line()
    assert (line["status"], line["outcome"], line["ended_by"]) == (421, "no_site", "client"), line

    def asks_a_second():
        assert curl(gate, "/half")[0] == 200
        line = gate.next_line()
        return line["attempts"] == 2 and line

    line = wait_until(asks_a_second, "the dead endpoint is asked first")
    assert line["status"] == 200 and line["tries"].count("connecting") == 1 and line["outcome"] == "finished"


def test_a_client_that_leaves_is_told_of(gate):
    gate = gate()
    with connect(gate.port) as client:
        client.sendall(f"GET /asis/slow HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        time.sleep(0.2)
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"]) == ("closed", "client") and "status" not in line, line


def test_metrics_count_requests(gate):
    gate = gate()
    before = gate.metrics()
    assert before.total("lockgate_requests_total", site="app") == 0
    assert before.total("lockgate_request_duration_seconds_count", site="app") == 0
    for _ in range(3):
        assert curl(gate, "/app")[0] == 200
    assert curl(gate, "/asis/status/503")[0] == 503
    assert curl(gate, "/app", "-d", "x" * 1000)[0] == 200
    assert curl(gate, "/nowhere")[0] == 404
    assert curl(gate, "/dead")[0] == 502
    assert curl(gate, "/safe")[0] == 301
    gate.next_lines(8)
    after = gate.metrics()
    requests = "lockgate_requests_total"
    assert after.total(requests, listener="front", site="app") == 8
    assert after.total(requests, route="app", **{"class": "2xx"}) == 3
    assert after.total(requests, route="", **{"class": "4xx"}) == 1
    assert after.total("lockgate_answers_total", route="asis", status="503") == 1
    assert after.total("lockgate_answers_total", route="safe", status="301") == 1
    assert after.types["lockgate_request_duration_seconds"] == "histogram"
    assert after.total("lockgate_request_duration_seconds_count", site="app") == 8
    assert after.total("lockgate_request_duration_seconds_bucket", site="app", le="+Inf") == 8
    assert after.total("lockgate_upstream_answer_seconds_count", upstream="pool") == 5
    assert after.total("lockgate_request_bytes_total", site="app", direction="up") == 1000
    assert after.total("lockgate_request_errors_total", outcome="rejected", ended_by="client") == 1
    assert after.total("lockgate_request_errors_total", outcome="refused", ended_by="upstream") == 1
    assert after.total("lockgate_endpoint_requests_total", upstream="pool") == 5
    assert after.total("lockgate_endpoint_server_errors_total", upstream="pool") == 1
    assert after.total("lockgate_endpoint_request_failures_total", upstream="dead") == 1
    assert after.total("lockgate_endpoint_idle_connections", upstream="pool") >= 1
    site = next(site for site in gate.status()["sites"] if site["site"] == "app")
    assert site["requests"] == {"2xx": 4, "3xx": 1, "4xx": 1, "5xx": 2}
    words = gate.command("status").stdout
    assert "REQUESTS" in words and "IDLE" in words


def test_gauges_follow_connections_that_wait(gate):
    gate = gate()
    with connect(gate.port) as client:
        client.sendall(f"GET /app HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert client.recv(10_000)
        wait_until(lambda: gate.metrics().total("lockgate_connections_waiting", listener="front") == 1, "it waits")
    wait_until(lambda: gate.metrics().total("lockgate_connections_waiting", listener="front") == 0, "it has gone")


def test_idle_connections_are_counted_until_the_origin_closes_them(gate, python_origin):
    class Leaves(Asked):
        timeout = 0.3  # then it closes

    python_origin.server.RequestHandlerClass = Leaves
    gate = gate()
    for _ in range(5):
        assert curl(gate, "/app")[0] == 200
    assert gate.metrics().total("lockgate_endpoint_idle_connections", upstream="pool") >= 1
    wait_until(lambda: gate.metrics().total("lockgate_endpoint_idle_connections", upstream="pool") == 0,
               "the pool forgets what was closed")
    assert gate.metrics().total("lockgate_endpoint_request_failures_total", upstream="pool") == 0


ASKED = [("/app/x?y=1", [], []), ("/app", ["-X", "POST"], ["--method", "POST"]),
         ("/app/z", ["-H", "X-Beta: 1"], ["--field", "X-Beta: 1"]), ("/app/a/../b/%7Ec", [], []),
         ("/asis/%2e%2e/asis/x", [], []), ("/item/17", [], []), ("/gone", [], []), ("/safe/x?y", [], []),
         ("/nowhere", [], []), ("/app/..%2Fx", [], []), ("/app/../../x", [], []),
         ("/safe", ["-X", "POST"], ["--method", "POST"]), ("/applications", [], [])]


@pytest.mark.parametrize("path, for_curl, for_explain", ASKED)
def test_explain_foretells_what_happens(gate, path, for_curl, for_explain):
    gate = gate()
    done = gate.command("explain", f"http://{HOST}{path}", *for_explain, "--json")
    assert done.returncode == 0, done
    told = json.loads(done.stdout)[0]
    status, body, fields = curl(gate, path, *for_curl)
    line = gate.next_line()
    assert told["site"] == line["site"]
    assert told.get("route") == line.get("route")
    if told["action"] == "forward":
        asked = json.loads(body)
        assert status == 200
        assert (asked["target"], asked["host"]) == (told["target"], told["host"])
        assert told["upstream"] == line["upstream"] and line["endpoint"] in told["endpoints"]
    else:
        assert status == told["status"]
        assert fields.get("location") == told.get("location")
        if told["action"] == "refuse":
            assert told["reason"] == line["reason"]


def test_explain_foretells_a_misdirected_request(gate):
    gate = gate()
    told = json.loads(gate.command("explain", f"http://{HOST}/app", "--field", "Host: other.example.test",
                                   "--json").stdout)[0]
    assert (told["action"], told["status"]) == ("refuse", 421)
    words = gate.command("explain", f"http://{HOST}/app/x").stdout
    assert "route: app" in words and "target: /new/x" in words and "lockgate.yaml:" in words
