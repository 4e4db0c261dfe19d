"""Rates: how often, how many at once and how fast; promises of the whole process, so every gate here has two workers."""
import threading
import time

import pytest

from parts import http1, proxy_header, websocket
from parts.sockets import first_line, is_cut, read_alert
from parts.waiting import wait_until

GATE = """
$global
listeners:
  - name: front
    bind: "127.0.0.1:$port"
    $listener
    sites:
      - name: web
        names: [default]
        $site
        plain: { routes: [{ path: /login, to: "http://$to", $route }, { path: /, to: "http://$to" }] }
"""
PASSED = """
listeners:
  - bind: "127.0.0.1:$port"
    $listener
    sites: [{ names: [a.example.test], $site pass: { to: "tcp://$to" } }]
"""


@pytest.fixture
def gate(lockgate, web_origin):
    """gate(listener="rates: [...]", ...): an origin behind rates at any level."""

    def make(answer=None, **levels):
        origin = web_origin(answer) if answer else web_origin()
        values = {"global": "", "listener": "", "site": "", "route": ""} | levels
        return lockgate(GATE, to=origin.address, **values)

    return make


def ask(gate, target="/", method="GET", fields=(), source=None):
    """One request over a connection of its own, from this address."""
    with gate.connect(source=source) as sock:
        return ask_on(sock, target, method, fields)


def ask_on(sock, target="/", method="GET", fields=()):
    sock.sendall(http1.request(method, target, fields=fields))
    with sock.makefile("rb") as file:
        return http1.read_answer(file, method)


def statuses(gate, count, **more):
    return [ask(gate, **more).status for _ in range(count)]


def is_turned_away(gate, source=None):
    """A reset may be quicker than the connection is open."""
    try:
        with gate.connect(source=source) as sock:
            return is_cut(sock)
    except ConnectionResetError:
        return True


def retry_after(answer):
    return int(answer.fields["Retry-After"])


def test_each_client_has_its_rate_and_no_more(gate):
    web = gate(site="rates: [{ name: each, rate: 5/h }]")
    assert statuses(web, 8) == [200] * 5 + [429] * 3
    assert statuses(web, 6, source="127.0.0.2") == [200] * 5 + [429]
    lines = [line for line in web.next_lines(14) if line["status"] == 429]
    assert [(line["outcome"], line["rate"]) for line in lines] == [("limited", "each")] * 4
    assert web.metrics().total("lockgate_rate_refused_total", listener="front", site="web", rate="each") == 4
    assert web.status()["rates"][0] == {"listener": "front", "site": "web", "route": "", "name": "each",
                                        "of": "requests", "refused": 4, "delayed": 0, "waiting": 0}
    assert "each" in web.command("status").stdout
    assert "counting requests" not in web.process.output()  # a flood is not one of the error log


def test_the_promise_is_kept_between_workers_and_connections(gate):
    web = gate(listener="rates: [{ rate: 50/h }]")
    seen, lock = [], threading.Lock()

    def some():
        for _ in range(5):
            with web.connect() as sock:
                for _ in range(4):
                    status = ask_on(sock).status
                    with lock:
                        seen.append(status)

    threads = [threading.Thread(target=some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (seen.count(200), seen.count(429)) == (50, 110)


def test_who_honours_retry_after_is_let_in(gate):
    web = gate(site="rates: [{ rate: 1/2s }]")
    with web.connect() as sock:
        assert ask_on(sock).status == 200
        answer = ask_on(sock)
        assert answer.status == 429
        assert 1 <= retry_after(answer) <= 2
        time.sleep(retry_after(answer))
        assert ask_on(sock).status == 200


def test_all_levels_hold_together(gate):
    web = gate(**{"global": "rates: [{ name: all, by: everything, rate: 6/h }]"},
               route="rates: [{ name: logins, rate: 2/h, methods: [POST] }]")
    assert statuses(web, 3, target="/login", method="POST") == [200, 200, 429]
    assert statuses(web, 2, target="/login") == [200, 200]
    assert statuses(web, 3, source="127.0.0.3") == [200, 200, 429]  # those refused were not counted
    assert {line["rate"] for line in web.next_lines(8) if line["status"] == 429} == {"logins", "all"}


def test_keys_of_fields_and_variables(gate):
    web = gate(site='rates: [{ rate: 1/h, by: ["field:X-Api-Key", $path] }]')
    one, two = [("X-Api-Key", "one")], [("x-api-key", "two")]
    assert [ask(web, fields=one).status for _ in range(2)] == [200, 429]
    assert [ask(web, fields=two).status, ask(web, "/b", fields=one).status] == [200, 200]
    assert statuses(web, 2) == [200, 429]  # without a key it is the client
    assert ask(web, source="127.0.0.2").status == 200


def test_clients_behind_a_trusted_proxy_are_told_apart(gate):
    web = gate(listener="""trusted_proxies: { from: [127.0.0.1] }
    rates: [{ of: new_connections, rate: 1/h }, { of: connections, most: 1 }]""", site="rates: [{ rate: 1/h }]")
    told = [[("X-Forwarded-For", client)] for client in ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2")]
    assert [ask(web, fields=fields).status for fields in told] == [200, 200, 200, 429]  # one /64
    assert ask(web, fields=told[0]).status == 429
    assert ask(web, source="127.0.0.2").status == 200
    assert is_turned_away(web, source="127.0.0.2")  # it is no proxy


def test_who_need_not_send_a_proxy_header_is_counted_as_itself(gate):
    web = gate(listener="""accept_proxy_protocol: { optional_from: [127.0.0.1] }
    rates: [{ of: new_connections, rate: 3/h }]""", site="rates: [{ rate: 2/h }]")
    assert statuses(web, 3) == [200, 200, 429]
    assert is_turned_away(web), "a fourth connection"


def test_a_trusted_proxy_that_names_nobody_is_not_counted_as_itself(gate):
    web = gate(listener="trusted_proxies: { from: [127.0.0.1] }",
               site='rates: [{ rate: 2/h }, { rate: 2/h, by: "field:X-Api-Key", name: keys }]')
    assert statuses(web, 4) == [200] * 4
    assert statuses(web, 3, fields=[("X-Api-Key", "one")]) == [200, 200, 429]
    assert statuses(web, 3, source="127.0.0.2") == [200, 200, 429]


def test_a_field_that_comes_twice_tells_nobody_apart(gate):
    web = gate(site='rates: [{ rate: 2/h, by: "field:X-Api-Key" }]')
    twice = [[("X-Api-Key", f"made-up-{number}"), ("X-Api-Key", "one")] for number in range(3)]
    assert [ask(web, fields=fields).status for fields in twice] == [200, 200, 429]


def test_what_everything_shares_is_shared_at_its_own_place_only(lockgate, web_origin):
    web = lockgate("""
rates: [{ name: all, of: connections, by: everything, most: 20 }]
listeners:
  - bind: "127.0.0.1:$port"
    rates: [{ name: few, of: connections, by: everything, most: 2 }, { of: new_connections, by: everything, rate: 3/h }]
    sites: [{ names: [default], plain: { to: "http://$to" }, rates: [{ name: here, of: connections, by: everything, most: 2 }] }]
""", to=web_origin().address)
    with web.connect() as first, web.connect() as second:
        assert [ask_on(sock).status for sock in (first, second)] == [200, 200]


def test_new_connections_are_refused_at_accept(gate):
    web = gate(listener="rates: [{ of: new_connections, rate: 3/h }]")
    assert statuses(web, 3) == [200] * 3
    assert is_turned_away(web) and is_turned_away(web)
    assert ask(web, source="127.0.0.2").status == 200
    line = web.line_of(outcome="limited")
    assert (line["rate"], line["client"].split(":")[0]) == ("new_connections", "127.0.0.1")


def test_clients_of_a_proxy_header_are_counted_behind_it(gate):
    web = gate(listener="""accept_proxy_protocol: { from: [127.0.0.1] }
    rates: [{ of: new_connections, rate: 2/h, then: close }]""")

    def come(client):
        with web.connect() as sock:
            sock.sendall(proxy_header.v1((client, 4711), ("192.0.2.9", 80)) + http1.request())
            with sock.makefile("rb") as file:
                try:
                    return http1.read_answer(file).status
                except (AssertionError, ConnectionResetError, ValueError, IndexError):
                    return None

    assert [come("192.0.2.1") for _ in range(3)] == [200, 200, None]
    assert come("192.0.2.2") == 200


def test_only_so_many_at_once(gate):
    web = gate(listener="rates: [{ of: connections, most: 3 }]")
    held = [web.connect() for _ in range(3)]
    for sock in held:
        assert ask_on(sock).status == 200
    assert is_turned_away(web)
    assert ask(web, source="127.0.0.2").status == 200
    held.pop().close()
    wait_until(lambda: web.metrics().total("lockgate_connections", listener="front") == 2, "it has gone")
    assert ask(web).status == 200
    for sock in held:
        sock.close()


def test_handshakes_are_told_in_an_alert(lockgate, echo):
    web = lockgate(PASSED, to=echo("served").address, site="rates: [{ of: handshakes, rate: 2/h }],", listener="")
    for _ in range(2):
        with web.open("a.example.test") as sock:
            assert first_line(sock) == "served"
    with web.open("a.example.test") as sock:
        assert read_alert(sock) == 80
    assert web.line_of(outcome="limited")["rate"] == "handshakes"


def test_a_tarpit_lets_each_wait_for_its_turn(gate):
    web = gate(site="rates: [{ rate: 2/s, burst: 1, then: delay, longest_delay: 1200ms }]")
    begun, done, lock = time.monotonic(), [], threading.Lock()

    def one():
        status = ask(web).status
        with lock:
            done.append((status, time.monotonic() - begun))

    threads = [threading.Thread(target=one) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    served = sorted(took for status, took in done if status == 200)
    assert [status for status, _ in sorted(done)] == [200, 200, 200, 429, 429]
    assert served[1] > 0.4 and served[2] > 0.9
    assert web.metrics().total("lockgate_rate_delayed_total", site="web") == 2


def test_the_silent_say_nothing(gate):
    web = gate(site="rates: [{ rate: 1/h, then: close }]")
    assert ask(web).status == 200
    with web.connect() as sock:
        sock.sendall(http1.request())
        heard = b""
        try:
            heard = sock.recv(100)
        except ConnectionResetError:
            pass
        assert heard == b""


def test_counts_outlive_reloads(gate):
    web = gate(site="rates: [{ name: each, rate: 3/h }]")
    text = web.config.read_text().replace("defaults:\n", "defaults:\n  tcp: { keepalive: 1h }\n")
    assert statuses(web, 2) == [200, 200]
    web.config.write_text(text)
    web.reload()
    assert statuses(web, 2) == [200, 429]
    web.config.write_text(text.replace("name: each", "name: other"))
    web.reload()
    assert ask(web).status == 200  # it is another rate


def download(web, size, source=None):
    begun = time.monotonic()
    assert len(ask(web, f"/{size}", source=source).body) == size
    return time.monotonic() - begun


def sized(request):
    request.body()
    request.answer(b"x" * int(request.target[1:]))


def test_bandwidth_makes_slower(gate):
    rule = "rates: [{ of: bandwidth, rate: 1MB/s, burst: 64KB }]"
    limited, free = gate(sized, site=rule), gate(sized)
    size = 2_000_000
    slow, fast = download(limited, size), download(free, size)
    assert 1.8 < slow < 6
    assert slow > 3 * fast


def test_one_client_shares_its_bandwidth_and_others_do_not(gate):
    web = gate(sized, listener="rates: [{ of: bandwidth, rate: 1MB/s, burst: 64KB }]")
    took = {}

    def load(number, source):
        took[number] = download(web, 800_000, source)

    threads = [threading.Thread(target=load, args=pair)
               for pair in [(1, "127.0.0.1"), (2, "127.0.0.1"), (3, "127.0.0.2")]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(took[1], took[2]) > 1.2  # both together, neither at the other's cost
    assert took[3] < min(took[1], took[2])


def test_bandwidth_of_what_is_sent_up_and_of_tunnels(gate):
    web = gate(websocket.echo, site="rates: [{ of: bandwidth, by: connection, rate: 500KB/s, burst: 20KB, direction: up }]")
    with web.connect() as sock:
        talk = websocket.connect(sock, "a.example.test")
        begun = time.monotonic()
        for _ in range(10):
            talk.send(b"x" * 50_000)
            assert len(talk.frame().content) == 50_000
        assert time.monotonic() - begun > 0.8
