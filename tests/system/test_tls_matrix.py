"""Every version of TLS that a client can speak, with every kind of certificate, through every verdict, to every version
of TLS that a server can speak: one gate with a site for each case.
"""
import ssl

import pytest

from parts.lockgate import Lockgate
from parts.nginx import Nginx
from parts.tls import V1_0, V1_1, V1_2, V1_3, client_context, tls_connect

CLIENTS = {"1.0": V1_0, "1.1": V1_1, "1.2": V1_2, "1.3": V1_3}
KINDS = {"rsa": ["rsa"], "ecdsa": ["ecdsa"], "both": ["rsa", "ecdsa"]}
SERVERS = {"1.2": "TLSv1.2", "1.3": "TLSv1.3"}
WAYS = ["plain", "tls to 1.2", "tls to 1.3", "pass to 1.2", "pass to 1.3"]
GATE = """
certificates:
  rsa: {{ chain: {rsa.chain}, key: {rsa.key} }}
  ecdsa: {{ chain: {ecdsa.chain}, key: {ecdsa.key} }}
upstreams:
{upstreams}
listeners:
  - name: front
    bind: "127.0.0.1:$port"
    tls: {{ profile: legacy }}
    sites:
{sites}
"""
SIGNATURES = {  # of the server, by version and kind of its key
    ("1.0", "rsa"): "rsa_pkcs1_md5_sha1", ("1.0", "ecdsa"): "ecdsa_sha1",
    ("1.1", "rsa"): "rsa_pkcs1_md5_sha1", ("1.1", "ecdsa"): "ecdsa_sha1",
    ("1.2", "rsa"): "rsa_pss_sha256", ("1.2", "ecdsa"): "ecdsa_sha256",
    ("1.3", "rsa"): "rsa_pss_sha256", ("1.3", "ecdsa"): "ecdsa_sha256",
}


def name_of(kind, way):
    return f"{kind}.{way.replace(' ', '-').replace('.', '')}.example.test"


@pytest.fixture(scope="module")
def made(authority):
    return {kind: authority.certificate("*.example.test", kind) for kind in ("rsa", "ecdsa")}


@pytest.fixture(scope="module")
def gate(tmp_path_factory, authority, made):
    """In front of an nginx without TLS, and of one for each version and kind of certificate."""
    folder, parts = tmp_path_factory.mktemp("matrix"), []
    try:
        parts.append(plain := Nginx(folder / "plain", "plain"))
        upstreams, sites = [], []
        for kind, keys in KINDS.items():
            servers = {}
            for version, protocol in SERVERS.items():
                servers[version] = Nginx(folder / f"{kind}-{version}", f"{kind}-{version}",
                                         [made[key] for key in keys], protocols=protocol)
                parts.append(servers[version])
            for way in WAYS:
                verdict, _, version = way.partition(" to ")
                to = f"tcp://{servers[version].address if version else plain.address}"
                if verdict == "tls":
                    upstreams.append(f'  {kind}-{version}:\n    endpoints: ["tls://{servers[version].address}"]\n'
                                     f"    tls: {{ ca_file: {authority.root}, verify: chain }}")
                    to = f"{kind}-{version}"
                forward = (f'pass: {{ to: "{to}" }}' if verdict == "pass" else
                           f'terminate: {{ certificate: [{", ".join(keys)}], to: "{to}" }}')
                sites.append(f"      - {{ names: [{name_of(kind, way)}], {forward} }}")
        text = GATE.format(**made, upstreams="\n".join(upstreams), sites="\n".join(sites))
        parts.append(gate := Lockgate(folder / "gate", text))
        gate.start()
        yield gate
    finally:
        for part in reversed(parts):
            part.stop()


def fetch(gate, name, version):
    """The page that a client of this version, and of no other, gets."""
    with tls_connect(gate.port, name, client_context(version=version)) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        page = b""
        while more := client.recv(65536):
            page += more
        return page.decode()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("client", CLIENTS)
def test_client(gate, made, client, kind, way):
    name, (verdict, _, server) = name_of(kind, way), way.partition(" to ")
    if verdict == "pass" and client != server:
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION|protocol version"):
            fetch(gate, name, CLIENTS[client])
    else:
        page = fetch(gate, name, CLIENTS[client])
        assert (f"server={kind}-{server}\n" if server else "server=plain\n") in page
        assert f"\ntls={SERVERS.get(server, '')}\n" in page
    line = gate.line_of(name=name, tls=client)
    assert (line["site"], line["outcome"]) == (name, "finished")
    assert line["verdict"] == ("pass" if verdict == "pass" else "terminate")
    assert line.get("upstream_tls_version") == (server if verdict == "tls" else None)
    if verdict == "pass":
        assert not [key for key in line if key.startswith(("tls_", "upstream_tls_"))]
        return
    key = "rsa" if kind == "rsa" else "ecdsa"
    assert (line["tls_version"], line["tls_signature"]) == (client, SIGNATURES[client, key])
    assert line["certificate_serial"] == made[key].serial()
    if verdict == "tls":
        assert line["upstream_tls_resumed"] or line["upstream_tls_signature"] == SIGNATURES[server, key]
        assert line["upstream_serial"] == made[key].serial()
