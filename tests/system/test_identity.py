"""Who the client is, told to a server behind by its certificate: exactly what openssl says of it, and by nobody else."""
import json
import re
from urllib.parse import unquote

import pytest

from parts import http1
from parts.certificates import Authority, Certificate, openssl
from parts.tls import V1_2, V1_3, client_context, tls_connect

NAME = "a.example.test"
FIELDS = ["subject", "issuer", "serial", "names", "fingerprint", "pem", "der", "verify"]
GATE = """
certificates: { one: { chain: $chain, key: $key } }
listeners:
  - bind: "127.0.0.1:$port"
    tls: { client_certificate: { ask: $ask, ca_file: $issuer } }
    sites:
      - names: [default]
        terminate:
          certificate: one
          routes:
            - path: /
              to: "http://$to"
              request_fields:
                set: { $set }
"""


@pytest.fixture(scope="session")
def staff(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("staff"), "Staff, of the tests")


@pytest.fixture(scope="session")
def alice(staff):
    """A certificate with everything: names of all kinds, and a subject that has to be escaped."""
    made = Certificate(staff.folder / "alice.pem", staff.folder / "alice.key")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "20", "-keyout", made.key, "-out", made.chain,
            "-subj", "/O=Example, Inc./CN=Al\u00efce", "-utf8", "-CA", staff.root, "-CAkey", staff.folder / "root.key",
            "-addext", "subjectAltName=DNS:alice.example.test,IP:192.0.2.7,email:alice@example.test,"
                       "URI:spiffe://example.test/alice")
    return made


@pytest.fixture
def gate(lockgate, authority, staff, web_origin):
    def make(ask="required"):
        own = authority.certificate(NAME)
        set_fields = ", ".join(f"X-Client-{word}: $client_certificate_{word}" for word in FIELDS)
        return lockgate(GATE.replace("$set", set_fields.replace("$", "$$")), chain=own.chain, key=own.key,
                        issuer=staff.root, ask=ask, to=web_origin().address)

    return make


def told(gate, context, fields=(), count=1):
    """What the server behind was told of the client, of the last of so many requests."""
    with tls_connect(gate.port, NAME, context) as sock, sock.makefile("rb") as file:
        for _ in range(count):
            sock.sendall(http1.request(fields=fields))
            answer = http1.read_answer(file)
    assert answer.status == 200
    return {name: value for name, value in json.loads(answer.body)["fields"] if "client" in name}


def of_openssl(certificate, *words):
    return openssl("x509", "-in", certificate.chain, "-noout", *words).strip()


@pytest.mark.parametrize("version", [V1_2, V1_3])
def test_what_is_told_is_what_openssl_says(gate, authority, alice, version):
    gate = gate()
    fields = told(gate, client_context(authority.root, version, certificate=alice), count=3)
    pem = alice.chain.read_text()
    assert unquote(fields["x-client-pem"]) == pem and not re.search(r"[^%\w.~-]", fields["x-client-pem"])
    assert fields["x-client-der"] == "".join(pem.splitlines()[1:-1])
    assert fields["x-client-fingerprint"] == \
        of_openssl(alice, "-fingerprint", "-sha256").partition("=")[2].replace(":", "").lower()
    assert fields["x-client-issuer"] == of_openssl(alice, "-issuer", "-nameopt", "RFC2253").partition("=")[2]
    assert fields["x-client-subject"] == of_openssl(alice, "-subject", "-nameopt", "RFC2253").partition("=")[2]
    assert fields["x-client-serial"] == alice.serial()
    names = of_openssl(alice, "-ext", "subjectAltName").splitlines()[1].strip()
    assert fields["x-client-names"] == re.sub(r"(DNS|IP Address|email|URI):", "", names).replace(", ", ",")
    assert fields["x-client-verify"] == "SUCCESS"


def test_they_are_told_again_when_the_client_comes_back_with_a_ticket(gate, authority, alice):
    gate = gate()
    context = client_context(authority.root, V1_2, certificate=alice)
    with tls_connect(gate.port, NAME, context) as first, first.makefile("rb") as file:
        first.sendall(http1.request())
        before = http1.read_answer(file)
        session = first.session
    with tls_connect(gate.port, NAME, context, session=session) as again, again.makefile("rb") as file:
        assert again.session_reused
        again.sendall(http1.request())
        after = http1.read_answer(file)
    fields = [{name: value for name, value in json.loads(answer.body)["fields"]} for answer in (before, after)]
    assert fields[0]["x-client-pem"] and fields[0] == fields[1]


def test_a_client_tells_nothing_of_the_kind_itself(gate, authority, alice):
    """Not with a certificate, not without one, and not in the spelling that CGI takes for the same."""
    gate = gate("optional")
    forged = [(name, "forged") for word in FIELDS
              for name in (f"X-Client-{word}", f"x-client-{word}", f"X_Client_{word}")]
    with_one = told(gate, client_context(authority.root, certificate=alice), forged)
    assert "forged" not in with_one.values() and len(with_one) == len(FIELDS)
    assert told(gate, client_context(authority.root), forged) == {"x-client-verify": "NONE"}


def test_a_field_that_the_connection_names_is_told_all_the_same(gate, authority, alice):
    fields = told(gate(), client_context(authority.root, certificate=alice), [("Connection", "X-Client-Serial")])
    assert fields["x-client-serial"] == alice.serial()
