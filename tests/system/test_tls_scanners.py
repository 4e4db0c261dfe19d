"""What those find who look for weaknesses: testssl.sh at a listener as it is by default, sslscan at others."""
import json
import subprocess
import xml.etree.ElementTree as xml

import pytest

NAME = "a.example.test"
GATE = """
certificates:
  rsa: { chain: $rsa_chain, key: $rsa_key }
  ecdsa: { chain: $ecdsa_chain, key: $ecdsa_key }
listeners:
  - bind: "127.0.0.1:$port"
    tls: $tls
    sites:
      - { names: [default], terminate: { certificate: [rsa, ecdsa], to: "tcp://$to" } }
"""
HARMLESS = {"OK", "INFO"}
ABOUT_ITSELF = {"engine_problem"}  # what testssl.sh lacks on this machine


@pytest.fixture
def gate(lockgate, nginx, authority):
    def make(tls="{}"):
        made = {kind: authority.certificate(NAME, kind) for kind in ("rsa", "ecdsa")}
        return lockgate(GATE, to=nginx(NAME, tls=False).address, tls=tls,
                        **{f"{kind}_chain": one.chain for kind, one in made.items()},
                        **{f"{kind}_key": one.key for kind, one in made.items()})

    return make


@pytest.mark.bounded(120)
def test_testssl_finds_no_weakness_in_the_defaults(gate, tmp_path):
    gate = gate()
    report = tmp_path / "report.json"
    done = subprocess.run(["testssl", "--jsonfile", report, "--quiet", "--color", "0", "--warnings", "off", "--nodns",
                           "none", "--ip", "127.0.0.1", "-p", "-s", "-f", "-U", f"{NAME}:{gate.port}"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=110)
    found = {one["id"]: one for one in json.loads(report.read_text())}
    assert len(found) > 30, done.stdout + done.stderr
    weak = [one for one in found.values() if one["severity"] not in HARMLESS and one["id"] not in ABOUT_ITSELF]
    assert not weak, weak
    assert {name for name in ("SSLv2", "SSLv3", "TLS1", "TLS1_1") if "not offered" in found[name]["finding"]} == {
        "SSLv2", "SSLv3", "TLS1", "TLS1_1"}
    for weakness in ("heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_client_renego", "CRIME_TLS", "POODLE_SSL",
                     "SWEET32", "FREAK", "DROWN", "LOGJAM", "BEAST", "LUCKY13", "RC4"):
        assert found[weakness]["severity"] == "OK", found[weakness]



def scan(port):
    """(versions that sslscan gets through with, (version, cipher) pairs that it is given, all that it found)."""
    done = subprocess.run(["sslscan", "--no-colour", f"--sni-name={NAME}", "--xml=-", f"127.0.0.1:{port}"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=50)
    found = xml.fromstring(done.stdout).find("ssltest")
    assert found is not None, done
    versions = {f"{one.get('type')}{one.get('version')}" for one in found.iter("protocol") if one.get("enabled") == "1"}
    return versions, {(one.get("sslversion"), one.get("cipher")) for one in found.iter("cipher")}, found


def test_sslscan_finds_just_what_was_asked_for(gate):
    gate = gate('{ profile: legacy, min_version: "1.0", max_version: "1.1", '
                "ciphers: [ECDHE-RSA-AES128-SHA, AES256-SHA] }")
    versions, ciphers, found = scan(gate.port)
    assert versions == {"tls1.0", "tls1.1"}
    assert ciphers == {(version, cipher) for version in ("TLSv1.0", "TLSv1.1")
                       for cipher in ("ECDHE-RSA-AES128-SHA", "AES256-SHA")}
    assert found.find("renegotiation").get("secure") == "1"
    assert not [one for one in found.iter("heartbleed") if one.get("vulnerable") == "1"]


def test_sslscan_finds_all_versions_but_ssl_in_the_legacy_profile(gate):
    versions, ciphers, _ = scan(gate("{ profile: legacy }").port)
    assert versions == {"tls1.0", "tls1.1", "tls1.2", "tls1.3"}
    names = {cipher for _, cipher in ciphers}
    assert {"AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "TLS_AES_128_GCM_SHA256"} <= names
    worse = ("NULL", "anon", "ADH", "AECDH", "EXP", "RC4", "DES", "PSK", "MD5")
    assert not [name for name in names if any(word in name for word in worse)]


def test_sslscan_finds_only_the_newest_in_the_modern_profile(gate):
    versions, ciphers, _ = scan(gate("{ profile: modern }").port)
    assert versions == {"tls1.3"}
    assert ciphers == {("TLSv1.3", name) for name in (
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")}
