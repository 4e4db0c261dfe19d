"""An origin that breaks the rules harms nobody but the client that asked it.

What is noticed before the answer has begun is a 502; later, the answer is broken off so that its client notices. And
whatever comes behind an answer is nobody's: the next client gets its own.
"""
import time

import pytest

from parts import malformed_answers
from parts.hostile_origin import HostileOrigin
from parts.lockgate import Lockgate
from parts.malformed import HOST
from parts.malformed_answers import Bad, Cut
from parts.raw_client import RawClient

# One worker, so that whoever comes next would be given a connection that was spoilt.
GATE = """
workers: 1
listeners:
  - name: web
    bind: "127.0.0.1:$port"
    sites:
      - names: [default]
        plain: { to: "http://127.0.0.1:$origin" }
"""
ROWS = malformed_answers.ALL


@pytest.fixture(scope="module")
def origin():
    origin = HostileOrigin()
    yield origin
    origin.stop()


@pytest.fixture(scope="module")
def gate(tmp_path_factory, origin):
    gate = Lockgate(tmp_path_factory.mktemp("gate"), GATE, origin=origin.port)
    yield gate.start()
    gate.stop()


@pytest.mark.parametrize("number", range(len(ROWS)), ids=[row.name for row in ROWS])
def test_row(number, gate, origin):
    row, target = ROWS[number], b"/row-%d" % number
    origin.scripts[target] = row.script
    if row.greeting:
        origin.close_all()
        origin.greeting = row.greeting
    try:
        with RawClient(gate.port) as client:
            client.send(row.request % target)
            answer = client.answer(row.method)
            print(f"script {row.script}\nanswer {answer}\nrest {client.unread}")
            outcome = check_answer(answer, row, client)
            time.sleep(row.pause)
            origin.greeting = b""
            with RawClient(gate.port) as other:
                check_right(other, b"/other-%d" % number)
            if answer.complete and not client.ended and b"POST" not in row.request:
                check_right(client, b"/again-%d" % number)
    finally:
        origin.greeting = b""
    used = origin.connections_of(target)
    sound = getattr(outcome, "sound", False)
    assert (used == origin.connections_of(b"/other-%d" % number)) == sound, "the next request over this connection"
    assert len(used) <= 1 or b"POST" not in row.request, "a POST was sent again"
    assert len(used) <= 4


def check_answer(answer, row, client):
    seen = [answer.first[0], answer.complete]
    expected = {Bad: lambda one: [one.status, True], Cut: lambda one: [one.status, False]}
    fitting = [one for one in row.outcomes
               if seen == expected.get(type(one), lambda one: [one.status, True])(one)]
    assert fitting, f"{seen} is none of {row.outcomes}"
    assert client.unread == b""
    one = fitting[0]
    if isinstance(one, Bad):
        assert b"poison" not in answer.body and b"hello" not in answer.body
    elif not isinstance(one, Cut):
        assert answer.body == one.body
        for name in one.lacks:
            assert answer.values(name) == [], name
    return one


def check_right(client, target):
    """This client gets the answer to its own request, or none if its connection has just ended."""
    client.send(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n\r\n")
    answer = client.answer()
    if answer is None and b"/again" in target:
        return
    assert (answer.first[0], answer.complete, answer.body) == (200, True, b"right for " + target)
