"""Fields that keep browsers from what hardly any page wants, added where a server behind has none of its own."""
import pytest

from parts import http1
from parts.tls import client_context, tls_connect

NAME = "a.example.test"
ADDED = {"Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
         "Content-Security-Policy", "Permissions-Policy"}
GATE = """
certificates: { one: { chain: $chain, key: $key } }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - names: [default]
        security_fields: strict
        $verdict
          $certificate
          routes:
            - { path: /teapot, status: 418, body: short and stout }
            - { path: /frames, to: "http://$to", response_fields: { set: { X-Frame-Options: SAMEORIGIN } } }
            - { path: /files, files: $folder }
            - { path: /basic, to: "http://$to", security_fields: basic }
            - { path: /off, to: "http://$to", security_fields: off }
            - { path: /, to: "http://$to" }
"""


def application(request):
    own = [("content-security-policy", "default-src *")] if request.target == "/own" else []
    status = 304 if request.target == "/cached" else 200
    request.answer("" if status == 304 else "x", status, fields=[("Server", "old/1.0"), ("X-Powered-By", "PHP"), *own])


@pytest.fixture
def gate(lockgate, authority, web_origin, tmp_path):
    def make(tls=True):
        (tmp_path / "file.txt").write_text("x")
        own = authority.certificate(NAME)
        text = GATE.replace("$verdict", "terminate:" if tls else "plain:")
        text = text.replace("$certificate", "certificate: one" if tls else "")
        return lockgate(text, chain=own.chain, key=own.key, to=web_origin(application).address,
                        folder=tmp_path)

    return make


@pytest.fixture
def fetch(gate, authority):
    gate = gate()

    def fetch(target):
        with tls_connect(gate.port, NAME, client_context(authority.root)) as sock, sock.makefile("rb") as file:
            sock.sendall(http1.request(target=target))
            return http1.read_answer(file).fields

    return fetch


@pytest.mark.parametrize("target", ["/", "/teapot", "/files/file.txt", "/files"])
def test_strict_ones_are_added_to_all_answers(fetch, target):
    fields = fetch(target)
    assert set(fields) >= ADDED
    assert fields["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert fields["X-Frame-Options"] == "DENY"
    assert not {"Server", "X-Powered-By"} & set(fields)


def test_a_route_may_want_fewer_or_none(fetch):
    fields = fetch("/basic")
    assert ADDED & set(fields) == ADDED - {"Content-Security-Policy", "Permissions-Policy"}
    assert (fields["X-Frame-Options"], fields["Server"]) == ("SAMEORIGIN", "old/1.0")
    assert not ADDED & set(fetch("/off"))


def test_the_application_and_the_operator_have_the_last_word(fetch):
    assert fetch("/own").get_all("Content-Security-Policy") == ["default-src *"]
    assert fetch("/frames").get_all("X-Frame-Options") == ["SAMEORIGIN"]


def test_a_cached_answer_keeps_what_it_came_with(fetch):
    assert not ADDED & set(fetch("/cached"))


def test_nothing_is_said_of_tls_to_a_client_without_it(gate):
    with gate(tls=False).connect() as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request())
        fields = http1.read_answer(file).fields
    assert ADDED & set(fields) == ADDED - {"Strict-Transport-Security"}
