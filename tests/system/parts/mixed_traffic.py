"""Clients of every kind in threads: what each asks, and how, is left to chance; what it is answered is checked to the byte.

Answers come from told_origin. On routes that are `sure` nothing may go wrong; on others an answer may be missing or be
a page of the gate's, but a whole one is the right one.
"""
import os
import random
import re
import socket
import time
from collections import Counter

from . import http1, told_bodies, websocket
from .clients import Clients
from .sockets import connect, reset
from .tls import tls_connect

NAME = "a.example.test"
PATIENCE = 20.0
_PAGES = (502, 503, 504)
_ID = re.compile(rb"[0-9a-f]+-[0-9a-f]+")


class Broken(Exception):
    """No whole answer."""


class Wrong(Exception):
    """An answer that is not the one to what was asked."""


class MixedTraffic(Clients):
    """`with MixedTraffic(ports, context, sure, unsure) as traffic:` runs it. `ports` are a plain one and one with TLS.

    Afterwards: `failures`; `answers`, the status of each answer by the identity of its request; `given_up`, how many
    requests were or may have been begun whose answer no client has read; `acts`, how often each was played;
    `missing`, answers that may be missing, by what there was in their place.
    """

    def __init__(self, ports, context, sure, unsure=(), clients=8, seed=None):
        super().__init__(clients)
        self.failures, self.answers, self.given_up = [], {}, 0
        self.acts, self.missing = Counter(), Counter()
        self._ports, self._context, self._sure, self._unsure = ports, context, sure, unsure
        self._seed = random.randrange(1 << 32) if seed is None else seed
        print(f"the seed of the traffic: {self._seed}")

    def _run(self, number):
        chance = random.Random(f"{self._seed} {number}")
        while not self._stop.is_set() and len(self.failures) < 20:
            act = chance.choices(list(_ACTS), list(_ACTS.values()))[0]
            sure = not self._unsure or chance.random() < 0.7
            visit = _Visit(chance, chance.choice(self._sure if sure else self._unsure), sure)
            begun = time.monotonic()
            try:
                with self._open(chance) as sock, sock.makefile("rb") as file:
                    visit.sock, visit.file = sock, file
                    act(visit)
            except Wrong as error:
                self.failures.append(f"{act.__name__}: {error!r}")
            except (OSError, AssertionError, ValueError, IndexError, Broken) as error:
                took = time.monotonic() - begun
                if sure or took > PATIENCE / 2:
                    self.failures.append(f"{act.__name__} after {took:.2f} s: {error!r}; asked {visit.asked[-3:]}")
                visit.missing[type(error).__name__] += 1
            self._note(act, visit)

    def _note(self, act, visit):
        with self._lock:
            self.acts[act.__name__.strip("_")] += 1
            self.missing += visit.missing
            twice = visit.answers.keys() & self.answers.keys()
            if twice:
                self.failures.append(f"answered twice: {twice}")
            self.answers |= visit.answers
            self.given_up += len(visit.asked) - len(visit.answers)

    def _open(self, chance):
        plain, secure = self._ports
        if chance.random() < 0.6:
            sock = connect(plain)
        else:
            sock = tls_connect(secure, NAME, self._context)
        sock.settimeout(PATIENCE)
        return sock


class _Visit:
    """One connection of a client. `asked` are all requests of which a byte may have gone."""

    def __init__(self, chance, route, is_sure):
        self.chance, self.route, self.is_sure = chance, route, is_sure
        self.asked, self.answers, self.missing = [], {}, Counter()

    def new_request(self, methods=("GET", "GET", "HEAD", "POST", "PUT", "DELETE"), most=100_000, kinds=None):
        method = self.chance.choice(methods)
        kinds = list(kinds or ("sized", "sized", "chunked", "chunked", "until_close", "interim", "nothing"))
        if not self.is_sure and "until_close" in kinds:  # whose server may die of it, and nobody can tell
            kinds.remove("until_close")
        kind = self.chance.choice(kinds)
        down_size = 0 if kind == "nothing" else self.size(most)
        return told_bodies.ask(method, self.route, kind, down_size, self.size(most) if method in ("POST", "PUT") else 0)

    def size(self, most):
        """Small ones often, and those around the sizes of buffers."""
        return self.chance.choice((0, 1, int(most ** self.chance.random()), int(most ** self.chance.random()),
                                   self.chance.randint(0, most), *(size for size in (16384, 65536) if size <= most)))

    def written(self, asked, fields=()):
        """The bytes of a request, its body in one of its forms."""
        body, fields = asked.body(), [("TE", "trailers"), ("Connection", "TE"), *fields]
        if asked.method not in ("POST", "PUT"):
            return http1.request(asked.method, asked.target, NAME, fields)
        if self.chance.random() < 0.5:
            fields.append(("Content-Length", len(body)))
            return http1.request(asked.method, asked.target, NAME, fields, body)
        return http1.request(asked.method, asked.target, NAME, [*fields, ("Transfer-Encoding", "chunked")],
                             self.in_chunks(body))

    def in_chunks(self, body):
        out, at = [], 0
        while at < len(body):
            size = self.chance.choice((1, 7, 1000, 16384, 50_000)) if len(out) < 50 else len(body)
            piece = body[at:at + size]
            out.append(b"%x\r\n%b\r\n" % (len(piece), piece))
            at += len(piece)
        trailer = b"X-Last: yes\r\n" if self.chance.random() < 0.3 else b""
        return b"".join(out) + b"0\r\n" + trailer + b"\r\n"

    def send(self, some):
        """In one piece, or in a few."""
        if self.chance.random() < 0.7:
            return self.sock.sendall(some)
        for _ in range(self.chance.randint(1, 4)):
            size = self.chance.randint(0, len(some))
            self.sock.sendall(some[:size])
            some = some[size:]
            time.sleep(0.005 * self.chance.random())
        self.sock.sendall(some)

    def hear(self, asked, read=None):
        """The answer, checked; false if the connection serves no further request."""
        try:
            answer = http1.read_answer(read or self.file, asked.method)
        except (OSError, AssertionError, ValueError, IndexError) as error:
            raise Broken(f"{asked}: {error!r}") from error
        return self.check(asked, answer)

    def check(self, asked, answer):
        stays = answer.fields.get("Connection", "").lower() != "close"
        own = answer.fields.get("X-Target") is None
        if own and answer.status in _PAGES:
            if answer.body:  # the page for a HEAD does not tell
                self.answers[_ID.search(answer.body).group().decode()] = answer.status
            if self.is_sure:
                raise Broken(f"{asked}: {answer}")
            self.missing[str(answer.status)] += 1
            return stays
        if own:
            raise Wrong(f"nobody's answer to {asked}: {answer}")
        self.answers[answer.fields["X-Id"]] = answer.status
        if answer.fields["X-Target"] != asked.target:
            raise Wrong(f"the answer to another: {asked}: {answer.fields.items()}")
        if answer.status == 409 and not self.is_sure:
            return stays
        nothing = asked.method == "HEAD" or answer.status == 204
        down = b"" if nothing else told_bodies.down(asked.target)
        wanted = (204 if told_bodies.shape(asked.target) == "nothing" else 200, asked.method,
                  told_bodies.digest(asked.body()))
        seen = (answer.status, answer.fields["X-Method"], answer.fields["X-Digest"])
        if wanted != seen:
            raise Wrong(f"{asked}: {seen} instead of {wanted}")
        if answer.body != down:
            same = len(os.path.commonprefix([answer.body, down]))
            raise Wrong(f"{asked}: {len(answer.body)} bytes instead of {len(down)}, the same up to {same}")
        return stays


class _Slowly:
    """A file that is read in small parts, with pauses that are a second in all."""

    def __init__(self, sock, chance):
        self._sock, self._chance = sock, chance
        self._pauses, self._had = 50, b""

    def _more(self):
        if self._pauses > 0:
            self._pauses -= 1
            time.sleep(0.02)
        more = self._sock.recv(self._chance.choice((1, 100, 4000, 60_000)))
        self._had += more
        return more

    def readline(self, *_):
        while b"\n" not in self._had and self._more():
            pass
        return self._take(self._had.find(b"\n") + 1 or len(self._had))

    def read(self, count):
        while len(self._had) < count and self._more():
            pass
        return self._take(count)

    def read1(self, count):
        return self._take(count) if self._had or self._more() else b""

    def _take(self, count):
        taken, self._had = self._had[:count], self._had[count:]
        return taken


# What a client may do with its connection.

def _one_after_the_other(visit):
    for number in range(visit.chance.randint(1, 10)):
        asked = visit.new_request()
        visit.asked.append(asked)
        last = visit.chance.random() < 0.1
        visit.send(visit.written(asked, [("Connection", "close")] if last else ()))
        if not visit.hear(asked):
            break
        assert not last, "the connection stays against the client's wish"
        if visit.chance.random() < 0.1:
            time.sleep(visit.chance.random() * 0.3)
    else:
        return
    assert visit.file.read(1) == b"", "something behind the last answer"


def _pipelined(visit):
    requests = [visit.new_request(("GET", "HEAD", "POST"), most=5000) for _ in range(visit.chance.randint(2, 8))]
    visit.asked += requests
    visit.send(b"".join(map(visit.written, requests)))
    for asked in requests:
        if not visit.hear(asked):
            break


def _expecting(visit):
    """Waits for 100, as long as it likes."""
    asked = visit.new_request(("POST", "PUT"))
    visit.asked.append(asked)
    body = asked.body()
    visit.send(http1.request(asked.method, asked.target, NAME,
                              [("Expect", "100-continue"), ("Content-Length", len(body))]))
    if visit.chance.random() < 0.7 and body:
        head = http1.read_head(visit.file)
        while head.status == 103:
            head = http1.read_head(visit.file)
        if head.status != 100:
            head.body = b"".join(http1.pieces(visit.file, head.fields)) if head.status != 204 else b""
            visit.check(asked, head)
            return
    visit.send(body)
    visit.hear(asked)


def _web_socket(visit):
    asked = told_bodies.ask("GET", visit.route, "sized")
    visit.asked.append(asked)
    try:
        here = websocket.connect(visit.sock, NAME, asked.target)
        for _ in range(visit.chance.randint(1, 10)):
            content = visit.chance.randbytes(visit.size(70_000))
            here.send(content)
            assert here.frame().content == content, "another echo"
        here.close()
        assert here.frame().kind == websocket.CLOSE
        assert here.at_end()
    except (AssertionError, ValueError, IndexError) as error:
        raise Broken(repr(error)) from error


def _events(visit):
    asked = visit.new_request(("GET",), most=3000, kinds=("events",))
    visit.asked.append(asked)
    visit.send(visit.written(asked))
    visit.hear(asked)


def _slow_reader(visit):
    visit.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    asked = visit.new_request(("GET", "POST"), most=1_500_000, kinds=("sized", "chunked", "until_close"))
    visit.asked.append(asked)
    visit.send(visit.written(asked))
    visit.hear(asked, _Slowly(visit.sock, visit.chance))


def _large(visit):
    asked = visit.new_request(("GET", "PUT"), most=3_000_000, kinds=("sized", "chunked"))
    visit.asked.append(asked)
    visit.send(visit.written(asked))
    visit.hear(asked)


def _half_closed(visit):
    """It has said that it would."""
    asked = visit.new_request(most=50_000)
    visit.asked.append(asked)
    visit.send(visit.written(asked, [("Connection", "close")]))
    if not hasattr(visit.sock, "unwrap"):
        visit.sock.shutdown(socket.SHUT_WR)
    visit.hear(asked)
    assert visit.file.read(1) == b""


def _leaves_in_the_request(visit):
    asked = visit.new_request(("GET", "POST"))
    visit.asked.append(asked)
    some = visit.written(asked)
    head = some.index(b"\r\n\r\n") + 4
    size = visit.chance.randint(0, head if visit.chance.random() < 0.5 else len(some))
    try:
        visit.send(some[:size])
    except OSError:
        pass  # it was answered before it has left
    _leave(visit)


def _leaves_in_the_answer(visit):
    asked = visit.new_request(("GET", "POST"), most=500_000)
    visit.asked.append(asked)
    visit.send(visit.written(asked))
    visit.sock.settimeout(0.5)
    try:
        for _ in range(visit.chance.choice((0, 1, 1, 5))):
            visit.file.read1(visit.size(100_000))
    except OSError:
        pass
    _leave(visit)


def _leaves_a_tunnel(visit):
    asked = told_bodies.ask("GET", visit.route, "sized")
    visit.asked.append(asked)
    try:
        here = websocket.connect(visit.sock, NAME, asked.target)
        here.send(visit.chance.randbytes(100_000))
        visit.file.read1(visit.chance.choice((0, 5000)))
    except (AssertionError, ValueError, IndexError, OSError) as error:
        raise Broken(repr(error)) from error
    _leave(visit)


def _leave(visit):
    if visit.chance.random() < 0.5:
        time.sleep(visit.chance.random() * 0.05)
    if visit.chance.random() < 0.5:
        reset(visit.sock)


_ACTS = {_one_after_the_other: 10, _pipelined: 5, _expecting: 4, _web_socket: 3, _events: 1, _slow_reader: 1, _large: 1,
         _half_closed: 3, _leaves_in_the_request: 4, _leaves_in_the_answer: 4, _leaves_a_tunnel: 1}
