"""The recipe for a cluster of application servers, as it is written, in front of two that are real."""
import json
import re
from collections import Counter
from contextlib import closing

import pytest

from parts import http1
from parts.breaker import Breaker
from parts.browsers import curl
from parts.certificates import Authority, openssl
from parts.clients import Clients
from parts.ports import free_port
from parts.sockets import connect
from parts.tls import client_context, tls_connect
from parts.waiting import wait_until
from test_recipes import RECIPES, filled, recipe

PORTAL = "portal.example.com"
SCHEMES = pytest.mark.parametrize("scheme", ["http", "https"])
CHECKS, QUICK_CHECKS = "every: 5s", "every: 200ms"


class Cluster:
    """The gate of the recipe and the two servers behind."""

    def __init__(self, gate, secure, servers, trusted, folder):
        self.gate, self.servers, self.folder, self._trusted = gate, servers, folder, trusted
        self._ports = {"http": gate.port, "https": secure}
        self._context = client_context(trusted)

    def surf(self, scheme, path, *more):
        """What curl gets."""
        return curl(f"{scheme}://{PORTAL}{path}", self._ports[scheme], *more, root=self._trusted).stdout

    def ask(self, *words):
        """What the portal was asked."""
        return json.loads(self.surf(*words))

    def connect(self, scheme):
        port = self._ports[scheme]
        return tls_connect(port, PORTAL, self._context) if scheme == "https" else connect(port)

    def endpoint(self, action, *more):
        """A command of the recipe, about the first server."""
        words = re.search(rf"^    lockgate (endpoint {action} .*)$", (RECIPES / "cluster.md").read_text(), re.MULTILINE)
        done = self.gate.command(*words[1].replace("50000", str(self.port_of_the_first)).split(), *more)
        assert done.returncode == 0, done
        return done.stdout

    def states(self):
        return [one["state"] for one in self.gate.status()["upstreams"][0]["endpoints"]]


class Visitor:
    """A browser that keeps its session, and opens a connection for each request."""

    def __init__(self, cluster, scheme="http", cookie=None):
        self.cluster, self.scheme, self.cookie = cluster, scheme, cookie

    def answer(self, target="/irj/portal", method="GET", body=b"", cookies=True):
        fields = [("Cookie", self.cookie)] if self.cookie and cookies else []
        with closing(self.cluster.connect(self.scheme)) as sock, sock.makefile("rb") as file:
            sock.sendall(http1.request(method, target, PORTAL, fields, body))
            answer = http1.read_answer(file)
        for one in answer.all("Set-Cookie") if cookies else []:
            self.cookie = one.partition(";")[0]
        return answer

    def ask(self, *words, **more):
        answer = self.answer(*words, **more)
        assert answer.status == 200, answer
        return json.loads(answer.body)

    def node(self):
        return self.ask()["node"]


class Visitors(Clients):
    """So many of them in threads, half of them by https, for as long as it is entered; `nodes` has, for each, whom it
    was served by, in order."""

    def __init__(self, cluster, count=6):
        super().__init__(count)
        self.nodes, self.failures = [[] for _ in range(count)], []
        self._visitors = [Visitor(cluster, ("http", "https")[number % 2]) for number in range(count)]

    def wait_for(self, answers):
        """Until each of them has so many more."""
        wanted = [len(nodes) + answers for nodes in self.nodes]
        wait_until(lambda: self.failures or all(len(nodes) >= least for nodes, least in
                                                zip(self.nodes, wanted, strict=True)), "answers", timeout=20)

    def _run(self, number):
        while not self._stop.is_set():
            try:
                self.nodes[number].append(self._visitors[number].node())
            except (OSError, AssertionError, ValueError) as error:
                self.failures.append(repr(error))
            self._stop.wait(0.01)


@pytest.fixture(scope="session")
def staff(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("staff"), "Staff of the portal")


@pytest.fixture
def cluster(lockgate, portal, dnsmasq, authority, staff, started, tmp_path):
    """cluster(replaced, ...): running; with `tls` behind, too, where every server is found by a Breaker of its own."""

    def make(replaced=None, tls=False):
        certificate, secure, www = authority.certificate(PORTAL), free_port(), tmp_path / "www"
        www.mkdir()
        (www / "logo.txt").write_text("logo")
        (tmp_path / "sorry.html").write_text("<h1>Sorry ($status)</h1>")
        (tmp_path / "later.html").write_text("<h1>Later</h1>")
        replaced = {CHECKS: QUICK_CHECKS, "slow_start: 30s": "slow_start: 1s"} | (replaced or {}) | {
            '":80", ":443"': f'"127.0.0.1:$port", "127.0.0.1:{secure}"',
            "/etc/lockgate/portal.pem": certificate.chain, "/etc/lockgate/portal.key": certificate.key,
            "/etc/lockgate/staff.pem": staff.root, "/etc/lockgate": tmp_path, "10.0.0.0/8": "127.0.0.9"}
        servers, ways = [], []
        for number in (1, 2):
            name = f"sap{number}.internal"
            servers.append(portal(f"node{number}", certificate=authority.certificate(name) if tls else None))
            ways.append(started(Breaker(servers[-1].port)) if tls else servers[-1])
            dnsmasq.host(name, "127.0.0.1")
            replaced[f"http://{name}:50000"] = f"{'https' if tls else 'http'}://{name}:{ways[-1].port}"
        if tls:
            replaced["slow_start: 1s"] = f"tls: {{ ca_file: {authority.root} }}"
        dnsmasq.start()
        gate = lockgate(f'name_servers: ["{dnsmasq.address}"]\n'
                        + filled(recipe("cluster").replace("$", "$$"), replaced).replace("$$port", "$port"), start=False)
        (gate.folder / "portal-routes.yaml").write_text(filled(recipe("cluster", 1), {"/var/www/portal": www}))
        gate.start()
        made = Cluster(gate, secure, servers, authority.root, tmp_path)
        made.ways, made.port_of_the_first = ways, ways[0].port
        return made

    return make


def values(asked, name):
    return [value for field, value in asked["fields"] if field == name.lower()]


# What the portal is told.


@SCHEMES
def test_the_portal_learns_how_it_was_called(cluster, scheme):
    cluster = cluster()
    forged = [word for name in ("ClientProtocol", "X-SAP-Webdisp-AP", "Front-End-Https", "X-Client-Name",
                                "X-Client-Certificate", "X_Client_Name") for word in ("-H", f"{name}: forged")]
    asked = cluster.ask(scheme, "/irj/portal", *forged)
    assert values(asked, "ClientProtocol") == [scheme]
    assert values(asked, "x-sap-webdisp-ap") == ["HTTP=80,HTTPS=443"]
    assert values(asked, "Front-End-Https") == (["On"] if scheme == "https" else [])
    assert values(asked, "Host") == [PORTAL] and values(asked, "X-Forwarded-Proto") == [scheme]
    assert "forged" not in str(asked), "not even where there is nothing to say"
    assert cluster.gate.next_line()["site"] == f"portal-{scheme}"


def test_the_portal_learns_who_has_a_certificate(cluster, staff):
    cluster, alice = cluster(), staff.certificate("alice.example.com")
    asked = cluster.ask("https", "/irj/portal", "--cert", alice.chain, "--key", alice.key)
    subject = openssl("x509", "-in", alice.chain, "-noout", "-subject", "-nameopt", "RFC2253").partition("=")[2]
    assert values(asked, "X-Client-Name") == [subject.strip()]
    assert values(asked, "X-Client-Certificate")[0].startswith("-----BEGIN%20CERTIFICATE-----")


@SCHEMES
def test_the_root_leads_to_the_portal(cluster, scheme):
    cluster = cluster()
    page = cluster.surf(scheme, "/", "-i")
    assert page.startswith("HTTP/1.1 302 ") and "\nLocation: /irj/portal\n" in page, page
    assert cluster.ask(scheme, "/", "-L")["target"] == "/irj/portal"
    assert cluster.surf(scheme, "/static/logo.txt") == "logo"


def test_who_logs_on_by_http_is_led_to_https(cluster):
    cluster = cluster()
    assert f"\nLocation: https://{PORTAL}/logon?x\n" in cluster.surf("http", "/logon?x", "-i")
    assert cluster.ask("https", "/logon?x")["target"] == "/logon?x"


@pytest.mark.parametrize("path", ["/irj/a%2Fb", "/irj/a%2Fb%5Cc", "/irj/%C3%A9%20x?y=%2F"])
def test_encoded_slashes_go_through_as_they_are(cluster, path):
    assert cluster().ask("https", path)["target"] == path


def test_a_broken_part_is_asked_as_of_old(cluster):
    cluster = cluster()
    for _ in range(4):
        asked = cluster.ask("https", "/irj/broken", "-d", "x=1")
        assert asked["version"] == "HTTP/1.0" and asked["size"] == 3, asked
        assert values(asked, "Connection") in ([], ["close"]) and values(asked, "Transfer-Encoding") == []
    assert cluster.ask("https", "/irj/portal")["version"] == "HTTP/1.1"
    assert cluster.surf("http", "/irj/broken", "-i", "-d", "x=1", "-H", "Transfer-Encoding: chunked").startswith(
        "HTTP/1.1 411 "), "HTTP/1.0 has no chunks"
    wait_until(lambda: Counter(line for server in cluster.servers for line in server.requests("POST")) ==
               {"POST /irj/broken HTTP/1.0": 4}, "the servers' logs tell the same")


def test_reports_may_take_longer(cluster):
    printed = cluster({"first_byte: 10m": "first_byte: 400ms"})
    assert printed.ask("https", "/irj/reports/report?900")["target"] == "/irj/reports/report?900"
    page = printed.surf("https", "/irj/report?900", "-i")
    assert page.startswith("HTTP/1.1 504 ") and "<h1>Sorry (504)</h1>" in page, page
    assert "first_byte: 2h" in printed.gate.command("check", "--print").stdout


# Sessions.


@SCHEMES
def test_a_session_stays_by_its_cookie(cluster, scheme):
    cluster = cluster()
    nodes = Counter()
    for _ in range(6):
        visitor = Visitor(cluster, scheme)
        first = visitor.ask()
        nodes[first["node"]] += 1
        for _ in range(8):
            again = visitor.ask()
            assert (again["node"], again["session"], again["known"]) == (first["node"], first["session"], True)
    assert set(nodes) == {"node1", "node2"}, "both have their share"


def test_a_session_stays_by_the_links_of_the_portal(cluster):
    cluster = cluster()
    for number in range(6):
        visitor = Visitor(cluster, ("http", "https")[number % 2])
        first = visitor.ask(cookies=False)
        link = first["link"]
        for _ in range(8):
            again = visitor.ask(link, cookies=False)
            assert (again["node"], again["session"], again["known"]) == (first["node"], first["session"], True)
            assert again["target"] == link
            link = again["link"]


def test_a_server_dies_and_its_sessions_move(cluster):
    cluster = cluster()
    with Visitors(cluster) as visitors:
        visitors.wait_for(10)
        before = [nodes[-1] for nodes in visitors.nodes]
        cluster.servers[0].stop()
        visitors.wait_for(20)
        assert {nodes[-1] for nodes in visitors.nodes} == {"node2"}
        cluster.servers[0].start()
        wait_until(lambda: Visitor(cluster).node() == "node1", "it is back for new ones", timeout=10)
        visitors.wait_for(10)
    assert visitors.failures == []
    assert set(before) == {"node1", "node2"}
    for nodes, place in zip(visitors.nodes, before, strict=True):
        moves = [one for one, last in zip(nodes, [None, *nodes]) if one != last]
        assert moves == (["node1", "node2"] if place == "node1" else ["node2"]), "at most once, and not back"


def test_one_server_is_restarted_and_nobody_notices(cluster):
    cluster = cluster()
    with Visitors(cluster) as visitors:
        visitors.wait_for(10)
        before = [nodes[-1] for nodes in visitors.nodes]
        cluster.endpoint("drain")
        assert {Visitor(cluster).node() for _ in range(10)} == {"node2"}, "new ones go elsewhere"
        visitors.wait_for(20)
        assert [nodes[-1] for nodes in visitors.nodes] == before, "sessions stay"
        assert "connections now: 0" in cluster.endpoint("disable")
        cluster.servers[0].stop()
        visitors.wait_for(10)
        assert {nodes[-1] for nodes in visitors.nodes} == {"node2"}
        cluster.servers[0].start()
        cluster.endpoint("enable")
        wait_until(lambda: Visitor(cluster).node() == "node1", "it is back for new ones", timeout=10)
    assert visitors.failures == [] and set(before) == {"node1", "node2"}


# What goes wrong.


@pytest.mark.parametrize("down", [0, 1])
def test_a_post_whose_server_is_down_reaches_the_other(cluster, down):
    cluster = cluster()
    cluster.servers[down].stop()
    for _ in range(6):
        assert cluster.ask("https", "/logon", "-d", "x" * 5000)["size"] == 5000
    assert {line["status"] for line in cluster.gate.next_lines(6)} == {200}


def posts(cluster):
    return [line for server in cluster.servers for line in server.requests("POST")]


def behind_tls(cluster):
    """With TLS to the servers, and no check for a minute."""
    cluster = cluster({CHECKS: "every: 1m"}, tls=True)
    wait_until(lambda: all(server.requests("GET /irj/health") for server in cluster.servers), "checks are over")
    return cluster


@pytest.mark.parametrize("how", ["accept", "hello"])
@pytest.mark.parametrize("size", [5, 200_000])
@pytest.mark.parametrize("others", [True, False])
def test_a_post_whose_first_tls_connection_breaks_is_delivered_once(cluster, how, size, others):
    """And to where its session is."""
    cluster = behind_tls(cluster)
    if not others:
        cluster.ways[1].stop()
    cluster.ways[0].break_next(how)
    asked = Visitor(cluster, "https", cookie="JSESSIONID=0A1B.node1").ask("/logon", "POST", b"x" * size)
    assert (asked["size"], asked["node"], cluster.ways[0].broken) == (size, "node1", 1)
    assert cluster.gate.next_line()["attempts"] == 2
    assert cluster.ask("https", "/irj/portal")["size"] == 0
    assert posts(cluster) == ["POST /logon HTTP/1.1"]


def test_a_post_that_may_have_been_sent_is_not_sent_again(cluster):
    """With TLS 1.3 the client's handshake is over before the server's, and nobody knows what has arrived."""
    cluster = behind_tls(cluster)
    cluster.ways[0].break_next("flight")
    answer = Visitor(cluster, "https", cookie="JSESSIONID=0A1B.node1").answer("/logon", "POST", b"x" * 5)
    assert cluster.ways[0].broken == 1
    assert cluster.ask("https", "/irj/portal")["size"] == 0
    assert (answer.status, posts(cluster)) in ((200, ["POST /logon HTTP/1.1"]), (502, [])), answer


def test_a_server_that_is_not_ready_is_left_alone(cluster):
    cluster = cluster()
    with Visitors(cluster, 2) as visitors:
        cluster.servers[0].tell_state("starting")
        wait_until(lambda: cluster.states() == ["down", "up"], "its checks fail")
        assert {Visitor(cluster).node() for _ in range(6)} == {"node2"}
        cluster.servers[0].tell_state("ready")
        wait_until(lambda: Visitor(cluster).node() == "node1", "it is back", timeout=10)
    assert visitors.failures == []


@SCHEMES
def test_nobody_is_there_and_somebody_is_sorry(cluster, scheme):
    cluster = cluster()
    for server in cluster.servers:
        server.stop()
    page = cluster.surf(scheme, "/irj/portal", "-i")
    assert re.match("HTTP/1.1 50[23] ", page) and "<h1>Sorry (50" in page, page


@SCHEMES
def test_maintenance_is_a_file(cluster, scheme):
    cluster = cluster()
    file = cluster.folder / "maintenance"
    file.touch()
    wait_until(lambda: "<h1>Later</h1>" in cluster.surf(scheme, "/irj/portal"), "it is closed")
    page = cluster.surf(scheme, "/", "-i")
    assert page.startswith("HTTP/1.1 503 ") and "\nRetry-After: 300\n" in page, page
    assert cluster.ask(scheme, "/irj/portal", "--interface", "127.0.0.9")["target"] == "/irj/portal"
    file.unlink()
    wait_until(lambda: "<h1>Later</h1>" not in cluster.surf(scheme, "/irj/portal"), "it is open")
    assert cluster.ask(scheme, "/irj/portal")["target"] == "/irj/portal"
