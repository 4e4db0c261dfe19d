"""What a server behind is told of a client's connection: by us and by proxies that are trusted, never by the client."""
import base64
import json
import re
import ssl

import pytest

from parts import http1
from parts.browsers import curl, s_client
from parts.certificates import Authority, Certificate, openssl

NAME = "a.example.test"
GATE = """
listeners:
  - bind: "127.0.0.1:$port"
    trusted_proxies: { from: 127.0.0.2 }
    sites:
      - names: [default]
        forward: { client_fields: [x_forwarded, x_real_ip, forwarded] }
        plain: { to: "http://$to" }
"""
TLS_GATE = """
certificates: { one: { chain: $chain, key: $key } }
listeners:
  - bind: "127.0.0.1:$port"
    tls: { client_certificate: { ask: optional, ca_file: $issuer } }
    sites:
      - names: [default]
        terminate:
          certificate: one
          routes: [{ path: /, to: "http://$to", forward: { client_fields: [$told] } }]
"""


def values(fields, name):
    return [value for key, value in fields if key.lower() == name.lower()]


def told(gate, *fields, source="127.0.0.1"):
    with gate.connect(source=source) as sock, sock.makefile("rb") as file:
        sock.sendall(http1.request(fields=fields))
        return json.loads(http1.read_answer(file).body)["fields"]


@pytest.fixture
def gate(lockgate, web_origin):
    return lockgate(GATE, to=web_origin().address)


@pytest.mark.parametrize("name", ["X_Forwarded_For", "x-forwarded_proto", "X.Forwarded.Host", "X_Forwarded_Port", "X_REAL_IP",
                                  "Client_Cert", "Client.Cert-Chain"])
@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.2"])
def test_a_name_that_is_taken_for_one_of_ours_goes_no_further(gate, name, source):
    fields = told(gate, (name, "forged"), ("X_Other_Name", "stays"), source=source)
    assert "forged" not in [value for _, value in fields]
    assert values(fields, "X_Other_Name") == ["stays"]
    assert len(values(fields, "X-Forwarded-For")) == len(values(fields, "X-Real-IP")) == 1


@pytest.mark.parametrize("given, told_of", [
    (["https"], "https"), (["https", "http"], "http"), (["https, http"], "http"), (["http,https"], "https"),
    (["https", ""], "https"), (["gopher"], "http")])
def test_the_scheme_is_what_the_nearest_proxy_has_added(gate, given, told_of):
    fields = told(gate, *[("X-Forwarded-Proto", one) for one in given], source="127.0.0.2")
    assert values(fields, "X-Forwarded-Proto") == [told_of]


OF_A_CDN = GATE.replace("from: 127.0.0.2 }", "from: 127.0.0.2, field: CF-Connecting-IP }\n    access: { deny: 192.0.2.7 }")


def test_a_field_of_ones_own_choice_is_the_proxys_alone(lockgate, web_origin):
    gate = lockgate(OF_A_CDN, to=web_origin().address)

    def status(*fields):
        with gate.connect(source="127.0.0.2") as sock, sock.makefile("rb") as file:
            sock.sendall(http1.request(fields=fields))
            return http1.read_answer(file).status

    banned, other = ("CF-Connecting-IP", "192.0.2.7"), ("CF-Connecting-IP", "192.0.2.8")
    assert (status(banned), status(other), status()) == (403, 200, 200)
    for hiding in ([banned, other], [("CF-Connecting-IP", "192.0.2.8, 192.0.2.7")], [("CF-Connecting-IP", "")],
                   [("Connection", "CF-Connecting-IP"), banned], [("Connection", "keep-alive, cf-connecting-ip"), banned]):
        assert status(*hiding) == 400, f"{hiding} leaves nobody named, who would be let in"
    assert values(told(gate, other, source="127.0.0.2"), "CF-Connecting-IP") == ["192.0.2.8"]
    assert values(told(gate, other, ("CF_Connecting_IP", "192.0.2.9")), "CF-Connecting-IP") == []
    assert values(told(gate, ("CF_Connecting_IP", "192.0.2.9")), "CF_Connecting_IP") == []
    through = told(gate, other, ("CF_Connecting_IP", "192.0.2.9"), source="127.0.0.2")
    assert values(through, "CF-Connecting-IP") == ["192.0.2.8"] and values(through, "CF_Connecting_IP") == []


# Certificates.


@pytest.fixture(scope="module")
def staff(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("staff"), name="The staff")


def issued(staff, name, more):
    made = Certificate(staff.folder / f"{name}.pem", staff.folder / f"{name}.key")
    signer = staff.folder / "office.pem" if name != "office" else staff.root
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "20", "-keyout", made.key,
            "-out", made.chain, "-subj", f"/CN={name}", "-CA", signer, "-CAkey", signer.with_suffix(".key"), *more)
    return made


@pytest.fixture(scope="module")
def alice(staff):
    """A certificate that an office of the staff has issued, in one file with that of the office."""
    office = issued(staff, "office", ["-addext", "basicConstraints=critical,CA:TRUE"])
    alice = issued(staff, "alice", [])
    alice.chain.write_text(alice.chain.read_text() + office.chain.read_text())
    return alice


@pytest.fixture
def tls_gate(lockgate, web_origin, authority, staff):
    def make(words):
        own = authority.certificate(NAME)
        return lockgate(TLS_GATE, to=web_origin().address, chain=own.chain, key=own.key, issuer=staff.root, told=words)

    return make


def fetch(gate, authority, *more):
    done = curl(f"https://{NAME}/", gate.port, "-H", "Client-Cert-Chain: :Zm9yZ2Vk:", *more, root=authority.root)
    return json.loads(done.stdout)["fields"]


def ders(file):
    return [ssl.PEM_cert_to_DER_cert(pem) for pem in
            re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", file.read_text(), re.DOTALL)]


def sequences(fields, name):
    """The members of a list of byte sequences."""
    return [base64.b64decode(one.strip().strip(":")) for value in values(fields, name) for one in value.split(",")]


def test_a_certificates_chain_is_told_up_to_who_is_trusted(tls_gate, authority, staff, alice):
    gate = tls_gate("client_certificate_chain")
    fields = fetch(gate, authority, "--cert", alice.chain, "--key", alice.key)
    own, office = ders(alice.chain)
    assert sequences(fields, "Client-Cert") == [own]
    assert sequences(fields, "Client-Cert-Chain") == [office, *ders(staff.root)]
    assert values(fetch(gate, authority), "Client-Cert-Chain") == [], "nobody has shown one"


def test_a_chain_is_told_to_those_only_who_want_it(tls_gate, authority, alice):
    gate = tls_gate("client_certificate")
    fields = fetch(gate, authority, "--cert", alice.chain, "--key", alice.key)
    assert len(values(fields, "Client-Cert")) == 1 and values(fields, "Client-Cert-Chain") == []


@pytest.mark.parametrize("words, reused", [("client_certificate", True), ("client_certificate_chain", False)])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_session_that_lacks_the_chain_is_not_resumed(tls_gate, alice, tmp_path, words, reused, version):
    gate = tls_gate(words)
    shows, kept = ["-servername", NAME, "-cert", alice.chain, "-cert_chain", alice.chain, "-key", alice.key, version,
                   "-ign_eof"], tmp_path / "session"
    request = f"GET / HTTP/1.0\r\nHost: {NAME}\r\n\r\n"
    s_client(gate.port, *shows, "-sess_out", kept, stdin=request)
    said = s_client(gate.port, *shows, *(["-sess_in", kept] if kept.exists() else []), stdin=request).stdout
    assert '"fields"' in said, said
    assert ("Reused, TLS" in said) == reused, said
