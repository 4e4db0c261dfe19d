"""What a row of the tables of bad requests is made of."""
from dataclasses import dataclass

NAME = b"a.example.test"
HOST = b"Host: " + NAME


@dataclass(frozen=True)
class Passes:
    """A request that the origin gets, and as what. Fields that are None are not looked at."""
    method: bytes = b"GET"
    target: bytes = b"/"
    body: bytes = b""
    host: bytes = NAME
    has: tuple = ()  # of (name, value)
    lacks: tuple = ()  # names
    trailers: tuple = ()  # those that must not be left out, of (name, value)
    stays: bool = True  # the client's connection is open for another request
    status = 200


@dataclass(frozen=True)
class Refused:
    """An answer of our own."""
    status: int
    stays: bool = False  # True: where the request ends was clear
    in_body: bool = False  # the origin may have seen the beginning


@dataclass(frozen=True)
class Unfinished:
    """A request that never ends: the client gives up, and the origin must see that something is missing."""
    begins: bool = True  # its head is there, so the origin sees the beginning
    stays: bool = False


@dataclass(frozen=True)
class Row:
    name: str
    sent: tuple  # parts; each waits until the origin has seen something of those before
    rule: str
    outcomes: tuple  # one for each answer that comes down
    marker: bool = True  # another request follows

    @property
    def stays(self):
        return self.outcomes[-1].stays


def rows(family, form, entries, rule="", usual=None):
    """Rows of (name, bytes, outcome[, rule]): `form` makes the client's bytes of those of an entry.

    An outcome is a status, one of the classes above, or a list of them; None is the `usual` one.
    """
    made = []
    for name, sent, outcome, *own_rule in entries:
        outcomes = outcome if isinstance(outcome, list) else [outcome]
        outcomes = tuple(_outcome(usual if one is None else one) for one in outcomes)
        formed = form(sent)
        parts = formed if isinstance(formed, tuple) else (formed,)
        marker = not isinstance(outcomes[-1], Unfinished)
        made.append(Row(f"{family}: {name}", parts, own_rule[0] if own_rule else rule, outcomes, marker))
    return made


def _outcome(one):
    return Refused(one) if isinstance(one, int) else one


def request(line=b"GET / HTTP/1.1", *fields, host=HOST, body=b""):
    lines = [line, *([host] if host else []), *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
