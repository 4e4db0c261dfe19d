"""Health checks by HTTP, as applications see them: asked for a path, judged by status and text, told why not.

Servers are nginx and an origin of the test's own, which says what it is told to; parents are a real Squid.
"""
import pytest

from parts import http1
from parts.http_traffic import HttpTraffic
from parts.sockets import Origin
from parts.waiting import wait_until

NAME = "a.example.test"
GATE = """
upstreams:
  web:
    endpoints: [$endpoints]
    health: { every: 100ms, timeout: 500ms, rise: 2, fall: 2, $health }
    $more
listeners:
  - bind: "127.0.0.1:$port"
    sites: [{ names: [default], plain: { to: web } }]
"""


class Application:
    """What it says when it is asked for /health; everything else is answered with its name."""

    def __init__(self, name):
        self.name, self.status, self.text, self.asked = name, 200, "ready", []

    def __call__(self, request):
        request.body()
        if request.target.startswith("/health"):
            self.asked.append((request.method, request.target, dict(request.fields.items())))
            request.answer(self.text, status=self.status)
        else:
            request.answer(self.name, fields=[("X-Server", self.name)])


@pytest.fixture
def gate(lockgate):
    return lambda *endpoints, health="path: /health", more="": lockgate(
        GATE, endpoints=", ".join(f'"{endpoint}"' for endpoint in endpoints), health=health, more=more)


def ask(gate):
    with gate.connect() as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request())
        return http1.read_answer(file)


def endpoint(gate, url):
    """What `status` tells of it."""
    upstreams = {upstream["name"]: upstream["endpoints"] for upstream in gate.status()["upstreams"]}
    return next(one for one in upstreams["web"] if one["endpoint"] == url)


def wait_for_state(gate, url, state):
    wait_until(lambda: endpoint(gate, url)["state"] == state, f"{url} is {state}")


def test_the_first_checks_of_names_do_not_wait_for_the_next_round(lockgate, dnsmasq, web_origin):
    one, two = Application("one"), Application("two")
    names = [f"http://{name}.example.test:{web_origin(app).port}" for name, app in [("one", one), ("two", two)]]
    dnsmasq.host("one.example.test", "127.0.0.1").host("two.example.test", "127.0.0.1").start()
    lockgate('name_servers: ["$dns"]' + GATE.replace("every: 100ms", "every: 1h"), dns=dnsmasq.address,
             endpoints=", ".join(f'"{name}"' for name in names), health="path: /health", more="")
    wait_until(lambda: one.asked and two.asked, "they are checked")


def test_a_status_takes_an_endpoint_out_and_brings_it_back(gate, web_origin):
    one, two = Application("one"), Application("two")
    first, second = web_origin(one), web_origin(two)
    url = f"http://{first.address}"
    gate = gate(url, f"http://{second.address}")
    with HttpTraffic(gate.port) as traffic:
        traffic.wait_for(50)
        assert set(traffic.served) == {"one", "two"}
        one.status = 503
        wait_for_state(gate, url, "down")
        traffic.wait_for(50)
        traffic.served.clear()
        traffic.wait_for(100)
        assert set(traffic.served) == {"two"}
        one.status = 200
        wait_for_state(gate, url, "up")
        wait_until(lambda: traffic.served["one"], "it is asked again")
    assert (set(traffic.statuses), traffic.failures) == ({200}, []), "clients have noticed nothing"
    why = f"endpoint {url} of upstream web is down: answered 503 instead of 200-399"
    gate.wait_for_message(f"endpoint {url} of upstream web is up again")
    assert gate.process.output().count(why) == 1, "told once"


def test_why_it_is_down_is_in_the_status(gate, web_origin):
    one = Application("one")
    one.text = "starting"
    url = f"http://{web_origin(one).address}"
    gate = gate(url, health="path: /health, body: ready")
    wait_for_state(gate, url, "down")
    assert endpoint(gate, url)["fault"] == "`ready` is not in the answer"
    assert f"{url} of web is down: `ready` is not in the answer" in gate.command("status").stdout
    assert ask(gate).status == 503
    one.text = "x" * 50_000 + "ready"
    wait_for_state(gate, url, "up")
    assert endpoint(gate, url)["fault"] == "" and ask(gate).status == 200


def test_the_request_is_what_the_operator_has_written(gate, web_origin):
    one = Application("one")
    origin = web_origin(one)
    health = 'path: "/health?full=1", method: HEAD, host: intern.example.test, fields: { X-Check: "1" }, status: 200'
    gate(f"http://{origin.address}", health=health)
    method, target, fields = wait_until(lambda: one.asked, "a check")[0]
    assert (method, target, fields["Host"], fields["X-Check"], fields["Connection"]) == (
        "HEAD", "/health?full=1", "intern.example.test", "1", "close")
    assert fields["User-Agent"] == "lockgate"


def test_an_application_that_accepts_and_never_answers_is_down(gate, started):
    silent = started(Origin())
    url = f"http://{silent.address}"
    gate = gate(url)
    wait_for_state(gate, url, "down")
    assert "timed_out" in endpoint(gate, url)["fault"]


def test_a_certificate_that_does_not_hold_is_the_reason(gate, nginx, authority):
    server = nginx(NAME, lines="location /health { return 200 ready; }")
    url = f"https://{server.address}"
    tls = "tls: {{ ca_file: {}, server_name: {} }}"
    wrong = gate(url, more=tls.format(authority.root, "b.example.test"))
    wait_for_state(wrong, url, "down")
    assert "hostname mismatch" in endpoint(wrong, url)["fault"] and f"CN={NAME}" in endpoint(wrong, url)["fault"]
    wrong.wait_for_message("is down: .*hostname mismatch")
    assert "/health" not in server.access_log()
    right = gate(url, health="path: /health, body: ready", more=tls.format(authority.root, NAME))
    wait_until(lambda: "GET /health" in server.access_log(), "it is asked")
    assert endpoint(right, url)["state"] == "up"


def test_an_own_certificate_is_shown(gate, nginx, authority):
    client = authority.certificate("lockgate")
    server = nginx(NAME, lines=f"ssl_client_certificate {authority.root}; ssl_verify_client on;"
                               "location /health { return 200 $ssl_client_s_dn; }")
    url = f"https://{server.address}"
    tls = f"ca_file: {authority.root}, server_name: {NAME}"
    without = gate(url, more=f"tls: {{ {tls} }}")
    wait_for_state(without, url, "down")
    assert endpoint(without, url)["fault"] == "answered 400 instead of 200-399"
    shown = gate(url, health="path: /health, body: CN=lockgate",
                 more=f"tls: {{ {tls}, certificate: own }}\ncertificates: "
                      f"{{ own: {{ chain: {client.chain}, key: {client.key} }} }}")
    wait_until(lambda: "GET /health" in server.access_log(), "it is asked")
    assert endpoint(shown, url)["state"] == "up"


def test_checks_go_through_the_parent(lockgate, squid, nginx, authority):
    server = nginx(NAME, lines="location /health { return 200 ready; }")
    parent = squid(names={NAME: "127.0.0.1"})
    gate = lockgate("""
parents: { squid: { url: "http://$parent" } }
upstreams:
  web:
    endpoints: ["https://$name:$to"]
    via: squid
    health: { every: 200ms, rise: 1, fall: 1, path: /health, body: ready }
    tls: { ca_file: $root }
listeners:
  - bind: "127.0.0.1:$port"
    sites: [{ names: [default], plain: { to: web } }]
""", parent=parent.address, to=server.port, root=authority.root, name=NAME)
    url = f"https://{NAME}:{server.port}"
    wait_until(lambda: server.access_log().count("GET /health") >= 2, "it is asked")
    wait_until(lambda: f"CONNECT {NAME}:" in parent.access_log(), "squid has logged the tunnel")
    assert endpoint(gate, url)["state"] == "up"
    parent.stop()
    wait_for_state(gate, url, "down")


def test_bad_answers_in_a_row_put_an_endpoint_aside(gate, web_origin, lockgate):
    def busy(request):
        request.body()
        request.answer("busy", status=503, fields=[("X-Server", "busy")])

    busy_one, good = web_origin(busy), web_origin(Application("good"))
    gate = lockgate("""
workers: 1
upstreams:
  web: { endpoints: ["http://$busy", "http://$good"], ejection: { server_errors: 3, time: 2s } }
listeners:
  - bind: "127.0.0.1:$port"
    sites: [{ names: [default], plain: { to: web } }]
""", busy=busy_one.address, good=good.address)
    statuses = [ask(gate).status for _ in range(20)]
    assert statuses.count(503) == 3 and set(statuses[7:]) == {200}
    assert endpoint(gate, f"http://{busy_one.address}")["state"] == "ejected"
    gate.wait_for_message("is put aside for 2 s: 3 bad answers in a row")
    wait_until(lambda: ask(gate).status == 503, "it has another chance")
