"""The identity of a request: that of a proxy in front if it is trusted, else one of ours; and traces pass untouched."""
import json

import pytest

from parts import http1

GATE = """
listeners:
  - bind: "127.0.0.1:$port"
    trusted_proxies: { from: [$trusted] }
    sites:
      - names: [default]
        plain: { to: "http://$to" }
        http: { request_id: $taken }
        forward: { client_fields: [request_id] }
        response_fields: { set: { X-Request-ID: $$request_id } }
"""


@pytest.fixture
def ask(lockgate, web_origin):
    def make(taken="trusted", trusted="127.0.0.1"):
        gate = lockgate(GATE, to=web_origin().address, taken=taken, trusted=trusted)

        def ask(*fields):
            """What the server behind is told, what the client is, and what the log says."""
            with gate.connect() as sock, sock.makefile("rb") as file:
                sock.sendall(http1.request(fields=fields))
                answer = http1.read_answer(file)
            seen = json.loads(answer.body)["fields"]
            return seen, answer.all("X-Request-ID"), gate.next_line()["request"]

        return ask

    return make


def ids(seen):
    return [value for name, value in seen if name == "x-request-id"]


@pytest.mark.parametrize("taken, trusted, believed", [
    ("trusted", "127.0.0.1", True), ("trusted", "192.0.2.1", False), ("never", "127.0.0.1", False),
    ("any", "192.0.2.1", True)])
def test_it_is_taken_from_whom_the_operator_trusts(ask, taken, trusted, believed):
    seen, told, logged = ask(taken, trusted)(("X-Request-ID", "given-1"))
    assert ids(seen) == told == [logged]
    assert (logged == "given-1") == believed


@pytest.mark.parametrize("bad", ["two words", 'quo"te', "x" * 129, "<b>", ""])
def test_one_that_is_not_safe_is_replaced(ask, bad):
    seen, told, logged = ask("any")(("X-Request-ID", bad))
    assert ids(seen) == told == [logged] and logged != bad


def test_traces_pass_untouched(ask):
    ask = ask()
    for trace in ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "no trace at all", "00-0-0-00"):
        seen, _, _ = ask(("traceparent", trace), ("tracestate", "a=1,b=2"), ("tracestate", "c=;;"))
        assert [pair for pair in map(tuple, seen) if "trace" in pair[0]] == [
            ("traceparent", trace), ("tracestate", "a=1,b=2"), ("tracestate", "c=;;")]
