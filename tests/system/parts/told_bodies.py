"""Bodies that follow from the target they belong to: whoever has one can tell whether it is whole, and whether it is the
right one. A target is /ROUTE/SHAPE/NUMBER?down=SIZE&up=SIZE.
"""
import hashlib
import itertools
import re
from dataclasses import dataclass

_TARGET = re.compile(r"/(\w+)/(\w+)/(\w+)\?down=(\d+)&up=(\d+)")
_numbers = itertools.count(1)


def down(target):
    """The body of the answer."""
    return _body("down", target, int(_parts(target)[3]))


def up(target):
    """The body of the request."""
    return _body("up", target, int(_parts(target)[4]))


def shape(target):
    """How the answer is framed."""
    return _parts(target)[1]


def digest(body):
    return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True)
class Asked:
    """A request that a client makes; no two have the same target."""
    method: str
    target: str

    def body(self):
        return up(self.target)


def ask(method, route, kind, down_size=0, up_size=0):
    return Asked(method, f"/{route}/{kind}/{next(_numbers):x}?down={down_size}&up={up_size}")


def _parts(target):
    match = _TARGET.fullmatch(target)
    assert match, f"an unknown target {target!r}"
    return match.groups()


def _body(way, target, size):
    return hashlib.shake_256(f"{way} {target}".encode()).digest(size)
