"""Clients stay where their session is: by the application's cookie, by the path, and by a cookie of ours.

The application is played by servers that know the sessions they have begun and no others. Clients open a connection for
each request, so that they come to any worker.
"""
import json
import uuid
from urllib.parse import urlsplit

import pytest

from parts import http1

GATE = """
upstreams:
  web:
    endpoints: [$to]
    ejection: { failures: 1, time: 1h }
    sticky: { $sticky }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - names: [default]
        plain: { routes: [{ path: /, to: web }] }
        forward: { $forward }
"""


@pytest.fixture
def gate(lockgate):
    """gate(sticky, endpoint, ...): in front of these."""
    return lambda sticky, *endpoints, forward="", **more: lockgate(
        GATE, to=", ".join(endpoints), sticky=sticky, forward=forward, **more)


class Application:
    """Tells its name, whose session it was asked for, and whether that has begun here."""

    def __init__(self, web_origin, name, cookie="JSESSIONID", route=""):
        self.name, self.cookie, self.route, self.sessions = name, cookie, route, set()
        self.cookies_seen = []
        self.server = web_origin(self._answer)
        self.address = self.server.address

    def _answer(self, request):
        request.body()
        self.cookies_seen.append(request.fields.get("Cookie"))
        session = cookies_of(request.fields.get("Cookie", "")).get(self.cookie)
        path = urlsplit(request.target).path
        if ";jsessionid=" in path:
            session = path.partition(";jsessionid=")[2]
        fields, known = [], session in self.sessions
        if not known and not path.startswith("/look"):
            session = uuid.uuid4().hex + self.route
            self.sessions.add(session)
            fields = [("Set-Cookie", f"{self.cookie}={session}; Path=/; HttpOnly")]
        request.answer(json.dumps({"name": self.name, "session": session, "known": known}), fields=fields)


def cookies_of(text):
    return dict(pair.strip().split("=", 1) for pair in text.split(";") if "=" in pair)


class Browser:
    """Keeps cookies, and nothing else."""

    def __init__(self, gate):
        self.gate, self.cookies, self.set = gate, {}, []

    def get(self, target="/", cookies=True):
        fields = [("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))]
        with self.gate.connect() as sock, sock.makefile("rb") as file:
            sock.sendall(http1.request(target=target, fields=fields if cookies and self.cookies else []))
            answer = http1.read_answer(file)
        assert answer.status == 200, answer
        self.set = answer.all("Set-Cookie")
        for one in self.set:
            self.cookies |= cookies_of(one.partition(";")[0])
        return json.loads(answer.body)

    def names(self, count=8, **more):
        return {self.get(**more)["name"] for _ in range(count)}


def endpoints(*applications, names=()):
    if names:
        return [f'{{ url: "http://{one.address}", name: {name} }}'
                for one, name in zip(applications, names, strict=True)]
    return [f'"http://{one.address}"' for one in applications]


@pytest.fixture
def two(web_origin):
    return lambda **more: [Application(web_origin, name, **more) for name in ("one", "two")]


@pytest.mark.parametrize("cookie,sticky", [("JSESSIONID", "JSESSIONID"), ("saplb_*", "saplb_*"),
                                           ("saplb_PORTAL", "saplb_*")])
def test_a_session_stays_where_its_cookie_was_set(gate, two, cookie, sticky):
    applications = two(cookie=cookie)
    gate = gate(f'cookie: "{sticky}"', *endpoints(*applications))
    places = set()
    for _ in range(6):
        browser = Browser(gate)
        place = browser.get()["name"]
        places.add(place)
        assert browser.names() == {place}
    assert places == {"one", "two"}
    assert sum(len(one.sessions) for one in applications) == 6


def test_a_session_stays_where_its_value_says(gate, web_origin):
    applications = [Application(web_origin, name, route=f".{name}") for name in ("one", "two")]
    gate = gate("cookie: JSESSIONID", *endpoints(*applications, names=["one", "two"]))
    browsers = [Browser(gate) for _ in range(6)]
    places = [browser.get()["name"] for browser in browsers]
    gate.stop()
    gate.start()  # what was learned has gone, but the names tell
    for browser, place in zip(browsers, places, strict=True):
        assert browser.names() == {place}


def test_what_was_learned_outlives_a_reload(gate, two):
    applications = two()
    gate = gate("cookie: JSESSIONID", *endpoints(*applications))
    browsers = [Browser(gate) for _ in range(6)]
    places = [browser.get()["name"] for browser in browsers]
    gate.reload(GATE.replace("    ejection", "    tries: 2\n    ejection"))
    for browser, place in zip(browsers, places, strict=True):
        assert browser.names() == {place}


def test_a_session_is_found_in_the_path(gate, two):
    applications = two()
    gate = gate("cookie: JSESSIONID, path_parameter: jsessionid", *endpoints(*applications))
    for _ in range(6):
        first = Browser(gate).get()
        target = f"/./shop;jsessionid={first['session']}"
        for _ in range(6):
            again = Browser(gate).get(target)
            assert (again["name"], again["session"], again["known"]) == (first["name"], first["session"], True)
    assert {target for one in applications for _, _, target in one.server.seen if "jsessionid" in target} != set()
    assert all("/./" not in target for one in applications for _, _, target in one.server.seen)


def test_what_clients_make_up_is_not_learned(gate, two):
    applications = two()
    gate = gate("cookie: JSESSIONID", *endpoints(*applications))
    browser = Browser(gate)
    browser.cookies = {"JSESSIONID": "made-up"}
    assert browser.names(12, target="/look") == {"one", "two"}


def test_a_session_moves_when_its_server_dies(gate, two):
    applications = two()
    gate = gate("cookie: JSESSIONID", *endpoints(*applications))
    browser = Browser(gate)
    place = browser.get()["name"]
    next(one for one in applications if one.name == place).server.stop()
    other = browser.get()
    assert other["name"] != place and not other["known"]
    assert browser.names() == {other["name"]}


# A cookie of ours.


def test_our_cookie_keeps_a_client_at_its_server(gate, two):
    applications = two()
    gate = gate("own_cookie: GATE", *endpoints(*applications))
    browsers = [Browser(gate) for _ in range(6)]
    places = [browser.get("/look")["name"] for browser in browsers]
    assert set(places) == {"one", "two"}
    for browser, place in zip(browsers, places, strict=True):
        assert len(browser.cookies["GATE"]) == 16
        assert browser.names(target="/look") == {place}
        assert browser.set == [], "it is set once"
    assert set(applications[0].cookies_seen + applications[1].cookies_seen) == {None}, "it is not passed on"
    gate.reload(GATE.replace("    ejection", "    tries: 2\n    ejection"))
    for browser, place in zip(browsers, places, strict=True):
        assert browser.names(target="/look") == {place}
    gate.stop()
    gate.start()
    for browser, place in zip(browsers, places, strict=True):
        assert browser.names(target="/look") == {place}


def test_our_cookie_stands_beside_those_of_the_application(gate, two):
    applications = two()
    gate = gate("own_cookie: GATE, expire: 1h", *endpoints(*applications))
    browser = Browser(gate)
    place = browser.get()["name"]
    ours = [one for one in browser.set if one.startswith("GATE=")]
    assert ours[0].partition(";")[2] == " Path=/; HttpOnly; SameSite=Lax; Max-Age=3600"
    assert browser.names() == {place}
    seen = next(one for one in applications if one.name == place).cookies_seen
    assert all(cookies_of(one).keys() == {"JSESSIONID"} for one in seen if one)


def test_our_cookie_is_set_anew_when_its_server_dies(gate, two):
    applications = two()
    gate = gate("own_cookie: GATE", *endpoints(*applications))
    browser = Browser(gate)
    place = browser.get("/look")["name"]
    before = browser.cookies["GATE"]
    next(one for one in applications if one.name == place).server.stop()
    assert browser.get("/look")["name"] != place
    assert browser.cookies["GATE"] != before
    assert place not in browser.names(target="/look")
