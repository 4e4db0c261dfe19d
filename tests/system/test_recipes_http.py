"""The recipes for HTTP, as they are written, among real programs: nginx, squid, curl, OpenSSL and Java."""
import json
import re
import subprocess

import pytest

from parts.browsers import chromium, curl, s_client
from parts.lockgate import run_command
from parts.person import visits
from parts.ports import free_port
from parts.sockets import read_to_end
from parts.waiting import wait_until
from test_recipes import filled, recipe

# An old program calls a modern web service.

EXTERNAL = "externalresource.com"
API = "/externalget/api.aspx"
MOVES = """
    location = /externalget/api.aspx/moved { return 302 /externalget/api.aspx/there; }
    location = /externalget/api.aspx/elsewhere { return 302 https://other.example/; }
    location = /externalget/api.aspx/told { return 200 "via=$http_via\\nhost=$http_host\\n"; }
"""


@pytest.fixture
def bumped(lockgate, squid, nginx, authority, tmp_path):
    """bumped(...): (gate, its port for TLS 1.0, the parent); the service takes TLS 1.2 and nothing else."""

    def make(login=None, wanted=None, **more):
        external = nginx(EXTERNAL, protocols="TLSv1.2", lines=MOVES)
        parent = squid(names={EXTERNAL: "127.0.0.1"}, login=wanted, **more)
        (tmp_path / "corporate").write_text(login or "jane:secret\n")
        old = free_port()
        text = filled(recipe("bump-http"), {
            "http://corporateproxy:8080": f"http://{parent.address}", "/etc/lockgate/corporate": tmp_path / "corporate",
            f'"https://{EXTERNAL}", via: corporate': f'"https://{EXTERNAL}:{external.port}", via: corporate, '
                                                    f'tls: {{ ca_file: {authority.root} }}',
            "127.0.0.1:7090": "127.0.0.1:$port", "127.0.0.1:7091": f"127.0.0.1:{old}"})
        return lockgate(f"state_folder: {tmp_path}/state\n{text}"), old, parent

    return make


@pytest.mark.parametrize("credentials", [True, False])
def test_plain_http_reaches_the_service_through_the_parent(bumped, credentials):
    gate, _, parent = bumped(wanted=("jane", "secret") if credentials else None)
    done = curl(f"http://127.0.0.1:{gate.port}{API}", gate.port)
    assert f"server={EXTERNAL}\n" in done.stdout and "tls=TLSv1.2\n" in done.stdout, done
    line = gate.next_line()
    assert (line["scheme"], line["target"], line["status"]) == ("http", API, 200)
    assert line["parent"] == f"http://{parent.address}" and line["endpoint"].startswith(f"https://{EXTERNAL}")
    assert f"host={EXTERNAL}:" in (told := curl(f"http://127.0.0.1:{gate.port}{API}/told", gate.port).stdout)
    assert "via=1.1 lockgate" in told
    assert gate.next_line()["status"] == 200


def test_tunnels_through_the_parent_are_used_again(bumped):
    gate, _, parent = bumped()
    done = curl(f"http://127.0.0.1:{gate.port}{API}?[1-20]", gate.port)
    assert done.stdout.count(f"server={EXTERNAL}") == 20
    gate.stop()
    wait_until(lambda: "CONNECT" in parent.access_log(), "the parent tells of it")
    assert parent.access_log().count("CONNECT") == 1


def test_tls_1_0_reaches_the_service(bumped):
    gate, old, _ = bumped()
    done = s_client(old, "-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0", "-quiet",
                    stdin=f"GET {API} HTTP/1.0\r\n\r\n")
    assert f"server={EXTERNAL}" in done.stdout and "tls=TLSv1.2\n" in done.stdout, done.stdout
    assert gate.next_line()["scheme"] == "https"


def test_one_log_line_tells_of_both_legs(bumped):
    gate, old, parent = bumped()
    s_client(old, "-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0", "-quiet", stdin=f"GET {API} HTTP/1.0\r\n\r\n")
    line = gate.next_line()
    assert line["parent"] == f"http://{parent.address}"
    assert (line["tls_version"], line["tls_cipher"]) == ("1.0", "TLS_RSA_WITH_AES_128_CBC_SHA")
    assert line["upstream_tls_version"] == "1.2" and line["upstream_tls_cipher"].startswith("TLS_ECDHE_")


def test_java_of_long_ago_reaches_a_service_that_moves(bumped, java):
    gate, old, _ = bumped()
    done = java.get(old, "SSLv2Hello", "TLSv1")
    assert "protocol=TLSv1\n" in done.stdout and "HTTP/1.1 404 " in done.stdout, "it asks for / only"
    assert gate.next_line()["status"] == 404


def test_redirects_lead_back_to_where_the_program_came_in(bumped):
    gate, old, _ = bumped()
    base = f"127.0.0.1:{gate.port}"
    done = curl(f"http://{base}{API}/moved", gate.port, "-i")
    assert f"\nLocation: http://{base}{API}/there\n" in done.stdout, done.stdout
    assert f"server={EXTERNAL}\n" in curl(f"http://{base}{API}/moved", gate.port, "-L").stdout
    done = curl(f"https://127.0.0.1:{old}{API}/moved", old, "-ik")
    assert f"\nLocation: https://127.0.0.1:{old}{API}/there\n" in done.stdout, done.stdout
    assert "\nLocation: https://other.example/\n" in curl(f"http://{base}{API}/elsewhere", gate.port, "-i").stdout


def test_nobody_reaches_anything_else(bumped, nginx):
    gate, _, parent = bumped()
    other = nginx("other.example", tls=False)
    done = curl(f"http://{other.address}/", gate.port, "-i", "--request-target", f"http://{other.address}/")
    assert done.stdout.startswith("HTTP/1.1 404 ") and "server=" not in done.stdout, done
    done = curl(f"http://{other.address}/", gate.port, "-i", "-X", "CONNECT", "--request-target", other.address)
    assert done.stdout.startswith("HTTP/1.1 405 "), done
    done = curl(f"http://127.0.0.1:{gate.port}{API}", gate.port, "-H", "Host: other.example")
    assert f"server={EXTERNAL}" in done.stdout, "whatever it asks for, it gets the service"
    assert other.access_log() == "" and other.address not in parent.access_log()


def test_a_parent_that_is_down_is_told(bumped):
    gate, _, parent = bumped()
    parent.stop()
    done = curl(f"http://127.0.0.1:{gate.port}{API}", gate.port, "-i")
    assert done.stdout.startswith("HTTP/1.1 502 "), done
    assert parent.address not in done.stdout and EXTERNAL not in done.stdout
    line = gate.next_line()
    assert (line["status"], line["ended_by"], line["parent"]) == (502, "parent", f"http://{parent.address}"), line
    gate.wait_for_message(r"level=warning .*parent")


@pytest.mark.parametrize("why, status", [({"wanted": ("jane", "other")}, 407), ({"denied_ports": ("1-65535",)}, 403)])
def test_a_parent_that_refuses_is_told(bumped, why, status):
    gate, _, parent = bumped(**why)
    done = curl(f"http://127.0.0.1:{gate.port}{API}", gate.port, "-i")
    assert done.stdout.startswith("HTTP/1.1 502 ") and "squid" not in done.stdout.lower(), done
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"], line["parent"]) == ("refused", "parent", f"http://{parent.address}")
    assert str(status) in line["reason"], line
    gate.wait_for_message(rf"level=warning .*{status}")


# Applications inside, names outside.


APP = """
    location = /welcome { return 302 /hello; }
    location = /base/list { return 302 /base/other; }
    location = /base/relative { absolute_redirect off; return 302 /base/other; }
    location /hello { add_header Set-Cookie "session=1; Domain=$host; Path=/";
                      add_header Set-Cookie "b=2; Path=/base/x";
                      add_header X-Told "$http_via, user=$http_x_remote_user, $http_authorization";
                      return 200 "host=$http_host\\nclient=$http_x_forwarded_for\\nscheme=$http_x_forwarded_proto\\n"; }
    location /base/hello { add_header Set-Cookie "session=1; Domain=$host; Path=/base";
                           return 200 "base of {name}\\n"; }
    location /where { return 200 "uri=$request_uri\\n"; }
"""


@pytest.fixture
def staff(tmp_path):
    """The files of users and groups, made as the recipe says."""
    users, groups = tmp_path / "users", tmp_path / "groups"
    for name in ("alice", "carol", "specialContractor"):
        new = [] if users.exists() else ["-c"]
        subprocess.run(["htpasswd", "-i", "-B", *new, users, name], input=f"of {name}", text=True, check=True,
                       capture_output=True, timeout=10)
    done = run_command("password", "bob", input="of bob\n")
    with open(users, "a") as file:
        file.write(done.stdout)
    groups.write_text("employees: alice bob\naccounting: carol\n")
    return users, groups


@pytest.fixture
def publish(lockgate, nginx, apache, authority, dnsmasq, staff, tmp_path):
    """publish(the inner network, ...): the gate between its two applications; `second="apache"`: of Apache httpd."""

    def make(inner="10.0.0.0/8", second="nginx"):
        certificate = authority.certificate("*.example.com")
        secure = free_port()
        (tmp_path / "sorry.html").write_text("<h1>Sorry ($status)</h1> $request_id")
        replaced = {'":80"': '"127.0.0.1:$port"', '":443"': f'"127.0.0.1:{secure}"', "10.0.0.0/8": inner,
                    "127.0.0.1:8402": nginx("certbot", tls=False).address,
                    "/etc/lockgate/example.com.pem": certificate.chain,
                    "/etc/lockgate/example.com.key": certificate.key, "/etc/lockgate/users": staff[0],
                    "/etc/lockgate/groups": staff[1], "/etc/lockgate/sorry.html": tmp_path / "sorry.html"}
        servers = {}
        for app, kind in (("app1.internal", "nginx"), ("app2.internal", second)):
            servers[app] = nginx(app, tls=False, lines=APP.replace("{name}", app)) if kind == "nginx" else apache(app)
            dnsmasq.host(app, "127.0.0.1")
            replaced[f"{app}:8080"] = f"{app}:{servers[app].port}"
        dnsmasq.start()
        gate = lockgate(f'state_folder: {tmp_path}/state\nname_servers: ["{dnsmasq.address}"]\n'
                        + filled(recipe("publish"), replaced))
        gate.secure, gate.servers = secure, servers
        gate.get_page = lambda name, path, *more: curl(f"https://{name}.example.com{path}", secure, "-i", *more,
                                                       root=authority.root).stdout
        return gate

    return make


@pytest.fixture
def published(publish):
    """As it is seen from inside."""
    return publish("127.0.0.0/28")


def test_port_80_leads_to_https(published):
    done = curl("http://app1.example.com/a?b=c", published.port, "-i")
    assert done.stdout.startswith("HTTP/1.1 301 ")
    assert "\nLocation: https://app1.example.com/a?b=c\n" in done.stdout
    done = curl("http://app1.example.com/a", published.port, "-i", "-d", "x")
    assert done.stdout.startswith("HTTP/1.1 308 "), "a form is not lost on its way"
    assert "Location" not in curl("http://other.example.org/", published.port, "-i").stdout


def test_each_name_has_its_application(published):
    page = published.get_page("app1", "/hello", "--interface", "127.0.0.5")
    assert "host=app1.example.com\n" in page and "client=127.0.0.5\n" in page and "scheme=https\n" in page, page
    assert "server=app1.internal\n" in published.get_page("app1", "/")
    assert "server=app2.internal\n" in published.get_page("app2", "/")
    assert published.get_page("other", "/") == "", "no such site"


@pytest.mark.parametrize("path", ["/some/part", "/some/part/", "/some/part/x?y", "/some/%70art", "/some/./part",
                                  "/x/../some/part", "/x/%2e%2e/some/part", "//some/part", "/some//part",
                                  "/some///part//x"])
def test_an_excluded_part_is_not_reached_by_any_spelling(published, path):
    page = published.get_page("app1", path, "--path-as-is")
    assert page.startswith("HTTP/1.1 404 ") and "server=" not in page, page


def test_beside_the_excluded_part_all_is_reached(published):
    for path in ("/some/parting", "/some", "/Some/Part"):
        assert "server=app1.internal\n" in published.get_page("app1", path)


def test_paths_lead_to_applications(published):
    assert "server=app1.internal\n" in published.get_page("www", "/app1")
    assert "\nuri=/where/x?y=z\n" in published.get_page("www", "/app1/where/x?y=z")
    assert "base of app2.internal\n" in published.get_page("www", "/app2/hello")
    assert "\nLocation: /app1/\n" in published.get_page("www", "/")
    assert published.get_page("www", "/app3").startswith("HTTP/1.1 404 ")
    assert published.get_page("www", "/app10").startswith("HTTP/1.1 404 ")


def test_locations_are_led_back(published):
    assert "\nLocation: https://app1.example.com/hello\n" in published.get_page("app1", "/welcome")
    assert "\nLocation: https://www.example.com/app1/hello\n" in published.get_page("www", "/app1/welcome")
    assert "\nLocation: https://www.example.com/app2/other\n" in published.get_page("www", "/app2/list")
    assert "\nLocation: /app2/other\n" in published.get_page("www", "/app2/relative")


def cookies(page):
    return [line.partition(": ")[2] for line in page.splitlines() if line.lower().startswith("set-cookie: ")]


def test_cookies_are_led_back(published):
    assert "session=1; Domain=app1.example.com; Path=/" in cookies(published.get_page("app1", "/hello"))
    below = cookies(published.get_page("www", "/app1/hello"))
    assert len(below) == 2 and "app1.internal" not in str(below), below
    assert "Path=/app1" in below[0] and "Path=/app1/base/x" in below[1], below
    assert "Path=/app2" in cookies(published.get_page("www", "/app2/hello"))[0]


def test_browsers_are_told_what_to_be_careful_with(published):
    page = published.get_page("app1", "/hello")
    assert "\nStrict-Transport-Security: max-age=31536000\n" in page and "\nX-Content-Type-Options: nosniff\n" in page
    assert "Strict-Transport" not in curl("http://app1.example.com/", published.port, "-i").stdout


def test_who_meets_an_application_that_is_down_is_told_so(published):
    published.servers["app1.internal"].stop()
    page = published.get_page("app1", "/hello")
    assert page.startswith("HTTP/1.1 502 ") and "<h1>Sorry (502)</h1> " in page, page
    line = published.next_line()
    assert line["reason"] and line["request"] in page, line
    assert "server=app2.internal\n" in published.get_page("app2", "/"), "the other is there"


def test_cookies_come_back_to_the_application(published, authority, tmp_path):
    url = "https://www.example.com/app1/hello"
    jar = tmp_path / "jar"
    curl(url, published.secure, "-c", jar, root=authority.root)
    done = curl(url, published.secure, "-b", jar, "-v", root=authority.root)
    assert "> Cookie: session=1" in done.stderr, done.stderr + jar.read_text()


def test_chromium_follows_its_way_in(published):
    page = chromium("https://www.example.com/app1/welcome", "www.example.com", published.secure)
    assert "host=app1.internal" in page, page[-2000:]


# From outside: who signs in.

OUTSIDE = ("--interface", "127.0.1.1")


def status_of(gate, name, path="/hello", who=None, source="127.0.1.1"):
    """The status of the page that curl gets, as `who`, with the right password or another ("alice:x"); or None."""
    login = ["-u", who if ":" in who else f"{who}:of {who}"] if who else []
    page = gate.get_page(name, path, "--interface", source, *login)
    return int(page.split()[1]) if page else None


def test_each_application_has_its_people(publish):
    gate = publish("127.0.0.0/28", second="apache")
    gate.servers["app2.internal"].put_file("hello", b"of apache\n")
    for name, who, outcome in [("app1", None, 401), ("app1", "alice", 200), ("app1", "bob", 200),
                               ("app1", "specialContractor", 200), ("app1", "carol", 403), ("app2", None, 401),
                               ("app2", "carol", 200), ("app2", "alice", 403), ("app2", "specialContractor", 403)]:
        assert status_of(gate, name, who=who) == outcome, (name, who)
    for path, who, outcome in [("/app1/hello", None, 401), ("/app1/hello", "alice", 200), ("/app1/hello", "carol", 403),
                               ("/app2/", None, 401), ("/app2/", "alice", 403), ("/", None, 302), ("/x", None, 404)]:
        assert status_of(gate, "www", path, who) == outcome, (path, who)
    assert status_of(gate, "app1", source="127.0.0.5") == status_of(gate, "app2", source="127.0.0.5") == 200, "inside"
    assert status_of(gate, "app1", "/some/part", "alice") == 404


def test_the_application_is_told_who_it_is_and_not_the_password(publish):
    gate = publish()
    page = gate.get_page("app1", "/hello", *OUTSIDE, "-u", "alice:of alice", "-H", "X-Remote-User: root")
    assert re.search(r"\nX-Told: 1\.1 lockgate\S*, user=alice, *\n", page) and "\nVia: 1.1 lockgate" not in page, page
    line = gate.next_line()
    assert (line["user"], line["status"]) == ("alice", 200)


def test_an_authority_that_asks_for_a_proof_need_not_sign_in(publish):
    gate = publish()
    proof = "/.well-known/acme-challenge/token"
    assert curl(f"http://app1.example.com{proof}", gate.port).stdout.startswith("server=certbot\n")
    assert "server=app1.internal\n" in gate.get_page("app1", proof, *OUTSIDE)
    assert status_of(gate, "app1", "/.well-known/other") == 401
    assert gate.get_page("app1", f"{proof}/%2e%2e/%2e%2e/x", "--path-as-is", *OUTSIDE).startswith("HTTP/1.1 401 ")


def test_who_guesses_is_banned(publish):
    gate = publish("127.0.0.0/28")
    assert [status_of(gate, "app1", who="alice:guess") for _ in range(5)] == [401] * 5
    assert status_of(gate, "app1", who="alice") is None and status_of(gate, "app2", who="carol") is None
    assert status_of(gate, "app1", who="alice", source="127.0.1.2") == 200, "somebody else"
    assert "failed_sign_in" in gate.command("bans").stdout
    assert gate.command("unban", "127.0.1.1").returncode == 0
    assert status_of(gate, "app1", who="alice") == 200
    assert [status_of(gate, "www", "/x", who="alice:guess", source="127.0.0.5") for _ in range(8)] == [404] * 8


def test_who_asks_for_too_much_is_told_to_slow_down(publish):
    gate = publish()
    pages = gate.get_page("app1", "/?[1-400]", *OUTSIDE, "-u", "alice:of alice")
    assert pages.count("HTTP/1.1 429 ") > 50 and pages.count("HTTP/1.1 200 ") >= 200
    assert "\nRetry-After: 1\n" in pages
    assert status_of(gate, "app1", who="bob", source="127.0.1.2") == 200


def test_files_of_users_change_while_people_are_signed_in(publish, staff):
    gate = publish()
    assert status_of(gate, "app2", who="alice") == 403
    staff[1].write_text("employees: bob\naccounting: carol alice\n")
    wait_until(lambda: status_of(gate, "app2", who="alice") == 200, "the new groups hold", 15)
    assert status_of(gate, "app1", who="alice") == 403


def test_explain_says_what_meets_somebody_from_outside(publish):
    gate = publish()
    asked = ["https://app1.example.com/", "--from"]
    assert "401" in gate.command("explain", *asked, "192.0.2.1").stdout
    assert "lets it in" in gate.command("explain", *asked, "10.1.2.3").stdout


def visited(gate, *urls, login=None):
    hosts = {f"{name}.example.com": f"127.0.0.1:{gate.secure}" for name in ("app1", "app2", "www")}
    return visits(*urls, hosts=hosts, login=login)


def test_a_person_signs_in_with_chromium(publish):
    gate = publish()
    app1, app2 = "https://app1.example.com/hello", "https://app2.example.com/hello"
    wrong, = visited(gate, app1, login=("alice", "guess"))
    assert wrong["status"] in (0, 401) and "host=" not in wrong["text"], wrong
    right, again, other, back = visited(gate, app1, app1, app2, app1, login=("alice", "of alice"))
    assert (right["status"], again["status"], back["status"]) == (200, 200, 200), right
    assert "host=app1.example.com" in right["text"]
    asked = [request["status"] for request in again["requests"] if request["url"] == app1]
    assert asked == [200], "the browser remembers"
    assert other["status"] == 403 and "host=" not in other["text"], "it is not for her"
    assert [request["status"] for request in other["requests"]][-1] == 403
    carol, = visited(gate, app2, login=("carol", "of carol"))
    assert carol["status"] == 200 and "host=app2.example.com" in carol["text"]
    assert json.loads(gate.command("bans", "--json").stdout) == []


# Passed through, served here, on both ports.


def test_both_kinds_of_sites_share_both_ports(lockgate, nginx, authority, tmp_path):
    one, three = "one.example.org", "three.example.org"
    passed, certificate = nginx(one, proxy_protocol=True), authority.certificate(three)
    real = 'location /real { return 200 "real=$http_x_real_ip\\n"; }'
    plain, app = nginx(one, tls=False, lines=real), nginx(three, tls=False, lines=real)
    challenge = nginx("acme", tls=False)
    secure = free_port()
    gate = lockgate(filled(recipe("split-web"), {
        '":80", ":443"': f'"127.0.0.1:$port", "127.0.0.1:{secure}"',
        "/etc/letsencrypt/live/three.example.org/fullchain.pem": certificate.chain,
        "/etc/letsencrypt/live/three.example.org/privkey.pem": certificate.key}), start=False)
    enabled = gate.folder / "sites-enabled"
    enabled.mkdir()
    (enabled / "one.yaml").write_text(filled(recipe("split-web", 1), {
        "192.168.99.11:443": passed.address, "http://192.168.99.11": f"http://{plain.address}"}))
    gate.start()

    def by_tls(name, path="/", *more):
        return curl(f"https://{name}{path}", secure, *more, root=authority.root)

    def by_plain(name, path="/", *more):
        return curl(f"http://{name}{path}", gate.port, *more).stdout

    assert "client=127.0.0.6\n" in by_tls(one, "/", "--interface", "127.0.0.6").stdout
    assert f"server={one}\n" in by_plain(one, "/.well-known/acme-challenge/x")
    assert by_plain(one, "/real", "--interface", "127.0.0.6", "-H", "X-Real-IP: 192.0.2.1") == "real=127.0.0.6\n"
    assert by_tls(three).returncode == 35 and by_plain(three, "/", "-i").startswith("HTTP/1.1 421 "), "not enabled yet"
    available = tmp_path / "three.yaml"
    available.write_text(filled(recipe("split-web", 2), {"192.168.99.13:8080": app.address,
                                                         "127.0.0.1:8402": challenge.address}))
    (enabled / "three.yaml").symlink_to(available)
    gate.reload()
    assert f"server={three}\n" in by_tls(three).stdout
    assert "\nStrict-Transport-Security: max-age=" in by_tls(three, "/", "-i").stdout
    assert by_tls(three, "/real", "--interface", "127.0.0.6").stdout == "real=127.0.0.6\n"
    assert "server=acme\n" in by_plain(three, "/.well-known/acme-challenge/x")
    assert f"\nLocation: https://{three}/x\n" in by_plain(three, "/x", "-i")
    assert f"\nLocation: https://{three}/.well-known/acme\n" in by_plain(three, "/.well-known/acme", "-i")
    with gate.connect() as client:
        client.sendall(f"GET / HTTP/1.1\r\nHost: {one}\r\n\r\nGET / HTTP/1.1\r\nHost: {three}\r\n"
                       "Connection: close\r\n\r\n".encode())
        both = read_to_end(client)
    assert f"server={one}".encode() in both and b"Location: https://three" in both, "each request by its own Host"
