"""`lockgate certificate`: what it makes and shows, judged by openssl."""
import base64
import hashlib
import json
import os
import re
import stat
import subprocess

import pytest

from parts.lockgate import BINARY, run_command

NAMES = ["www.example.test", "*.example.test", "192.0.2.7", "2001:db8::7"]
AS_OPENSSL_SHOWS_THEM = ("DNS:www.example.test, DNS:*.example.test, IP Address:192.0.2.7, "
                         "IP Address:2001:DB8:0:0:0:0:0:7")


def certificate(*words, **more):
    return run_command("certificate", *words, **more)


def openssl(*words, given=None):
    done = subprocess.run(["openssl", *map(str, words)], input=given, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done
    return done.stdout


def mode_of(file):
    return stat.S_IMODE(os.stat(file).st_mode)


@pytest.fixture
def made(tmp_path):
    """A certificate and its key, in two files."""
    done = certificate("self-signed", *NAMES, "--out", tmp_path / "a.pem", "--key-out", tmp_path / "a.key")
    assert done.returncode == 0, done
    return tmp_path / "a.pem", tmp_path / "a.key"


# Self-signed.


@pytest.mark.parametrize("key_type, words", [("rsa", "Public-Key: (2048 bit)"), ("ecdsa", "NIST CURVE: P-256")])
def test_a_self_signed_certificate_is_what_openssl_takes(tmp_path, key_type, words):
    file, key = tmp_path / "a.pem", tmp_path / "a.key"
    done = certificate("self-signed", *NAMES, "--key-type", key_type, "--out", file, "--key-out", key)
    assert done.returncode == 0 and not done.stdout, done
    shown = openssl("x509", "-in", file, "-noout", "-text")
    assert words in shown and AS_OPENSSL_SHOWS_THEM in shown
    assert "TLS Web Server Authentication" in shown and "CA:FALSE" in shown
    for option, name in (("-verify_hostname", "www.example.test"), ("-verify_hostname", "b.example.test"),
                         ("-verify_ip", "192.0.2.7"), ("-verify_ip", "2001:db8::7")):
        openssl("verify", "-x509_strict", "-purpose", "sslserver", option, name, "-CAfile", file, file)
    assert openssl("x509", "-in", file, "-noout", "-pubkey") == openssl("pkey", "-in", key, "-pubout")


def test_a_self_signed_certificate_lasts_as_long_as_wanted(tmp_path):
    file = tmp_path / "a.pem"
    assert certificate("self-signed", "a.test", "--days", 10, "--out", file).returncode == 0
    openssl("x509", "-in", file, "-noout", "-checkend", 10 * 86400 - 60)
    seen = json.loads(certificate("inspect", file, "--json").stdout)
    assert seen["certificates"][0]["days_left"] in (9, 10)
    for days in ("0", "99999", "soon"):
        assert certificate("self-signed", "a.test", "--days", days).returncode == 2


def test_keys_are_for_their_owner_only(made, tmp_path):
    assert mode_of(made[1]) == 0o600
    assert mode_of(made[0]) == 0o644 & ~_umask()
    both = tmp_path / "both.pem"
    assert certificate("self-signed", "a.test", "--out", both).returncode == 0
    assert mode_of(both) == 0o600
    assert "PRIVATE KEY" in both.read_text() and "CERTIFICATE" in both.read_text()


def _umask():
    before = os.umask(0)
    os.umask(before)
    return before


def test_without_files_all_goes_to_stdout(tmp_path):
    done = certificate("self-signed", "a.test")
    assert done.returncode == 0
    assert openssl("x509", "-noout", "-pubkey", given=done.stdout) == openssl("pkey", "-pubout", given=done.stdout)
    assert "private key" in done.stderr
    done = certificate("self-signed", "a.test", "--key-out", tmp_path / "a.key")
    assert done.returncode == 0 and "CERTIFICATE" in done.stdout and "PRIVATE" not in done.stdout


@pytest.mark.parametrize("command", ["self-signed", "request"])
def test_nothing_is_overwritten_unless_forced(command, tmp_path):
    file, key = tmp_path / "a.pem", tmp_path / "a.key"
    for there, other in ((file, key), (key, file)):
        there.write_text("precious")
        done = certificate(command, "a.test", "--out", file, "--key-out", key)
        assert done.returncode == 1
        assert str(there) in done.stderr and "--force" in done.stderr and len(done.stderr.splitlines()) == 1
        assert there.read_text() == "precious" and not other.exists()
        there.unlink()
    key.write_text("precious")
    os.chmod(key, 0o644)
    assert certificate(command, "a.test", "--out", file, "--key-out", key, "--force").returncode == 0
    assert "PRIVATE KEY" in key.read_text() and mode_of(key) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["a.key", "a.pem"]


@pytest.mark.parametrize("words", [["self-signed"], ["request"], ["self-signed", "a b"], ["request", "no/name"],
                                   ["self-signed", "a.test", "--key-type", "dsa"], [], ["renew"], ["inspect"]])
def test_wrong_usage_is_told(words):
    done = certificate(*words)
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_a_folder_that_is_not_there_is_told(tmp_path):
    done = certificate("self-signed", "a.test", "--out", tmp_path / "none" / "a.pem")
    assert done.returncode == 1 and "none/a.pem cannot be written" in done.stderr


# Requests.


@pytest.mark.parametrize("key_type", ["rsa", "ecdsa"])
def test_a_request_can_be_signed_by_an_authority(tmp_path, authority, key_type):
    request, key = tmp_path / "a.csr", tmp_path / "a.key"
    done = certificate("request", *NAMES, "--key-type", key_type, "--out", request, "--key-out", key)
    assert done.returncode == 0 and not done.stdout, done
    shown = openssl("req", "-in", request, "-verify", "-noout", "-text")
    assert AS_OPENSSL_SHOWS_THEM in shown
    signed = tmp_path / "a.pem"
    openssl("x509", "-req", "-in", request, "-CA", authority.root, "-CAkey", authority.folder / "root.key",
            "-copy_extensions", "copy", "-days", "30", "-out", signed)
    openssl("verify", "-CAfile", authority.root, "-verify_hostname", "b.example.test", signed)
    seen = certificate("inspect", signed, "--key", key)
    assert seen.returncode == 0 and "that of the first certificate" in seen.stdout, seen


def test_a_request_never_takes_its_key_along(tmp_path):
    done = certificate("request", "a.test", "--out", tmp_path / "a.csr")
    assert done.returncode == 2 and "--key-out" in done.stderr
    assert not os.listdir(tmp_path)


# Looking.


def test_inspect_agrees_with_openssl(made):
    done = certificate("inspect", made[0], "--key", made[1], "--json")
    assert done.returncode == 0, done
    seen = json.loads(done.stdout)
    assert len(seen["certificates"]) == 1 and seen["key"]["matches"] is True
    certificate_seen = seen["certificates"][0]
    assert certificate_seen["names"] == NAMES
    der = subprocess.run(["openssl", "x509", "-in", made[0], "-outform", "DER"], capture_output=True, check=True).stdout
    assert certificate_seen["fingerprint"] == hashlib.sha256(der).hexdigest()
    spki = subprocess.run(["openssl", "pkey", "-in", made[1], "-pubout", "-outform", "DER"], capture_output=True,
                          check=True).stdout
    assert certificate_seen["pin"] == "sha256/" + base64.b64encode(hashlib.sha256(spki).digest()).decode()
    serial = openssl("x509", "-in", made[0], "-noout", "-serial").strip().partition("=")[2]
    assert certificate_seen["serial"] == serial.lower()
    assert any("self-signed" in warning for warning in seen["warnings"])
    words = certificate("inspect", made[0], "--key", made[1]).stdout
    assert certificate_seen["fingerprint"] in words and certificate_seen["pin"] in words


def test_a_key_of_another_certificate_is_told(made, tmp_path):
    other = tmp_path / "other.key"
    assert certificate("request", "b.test", "--key-out", other).returncode == 0
    done = certificate("inspect", made[0], "--key", other)
    assert done.returncode == 1 and not done.stdout
    assert str(other) in done.stderr and str(made[0]) in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("legacy", [False, True])
def test_pkcs12_is_opened_with_a_password_from_a_file(made, tmp_path, legacy):
    file, password, wrong = tmp_path / "a.p12", tmp_path / "password", tmp_path / "wrong"
    password.write_text("correct horse\nanother line\n")
    wrong.write_text("battery staple")
    ciphers = ["-legacy", "-certpbe", "PBE-SHA1-RC2-40", "-keypbe", "PBE-SHA1-3DES"] if legacy else []
    openssl("pkcs12", "-export", "-in", made[0], "-inkey", made[1], "-passout", "pass:correct horse", *ciphers,
            "-out", file)
    done = certificate("inspect", file, "--password-file", password, "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["key"]["matches"] is True, done
    done = certificate("inspect", file, "--password-file", wrong)
    assert done.returncode == 1 and "password is wrong" in done.stderr and "battery" not in done.stderr
    done = certificate("inspect", file)
    assert done.returncode == 1 and "no password is given" in done.stderr
    done = certificate("inspect", file, "--password-file", tmp_path / "none")
    assert done.returncode == 1 and "none" in done.stderr


def test_a_password_may_come_through_a_pipe(made, tmp_path):
    key = tmp_path / "encrypted.key"
    openssl("pkcs8", "-topk8", "-in", made[1], "-passout", "pass:secret", "-out", key)
    done = certificate("inspect", made[0], "--key", key, "--password-file", "/dev/stdin", input="secret\r\n")
    assert done.returncode == 0, done


def test_nobody_is_asked_for_a_password(made, tmp_path):
    """On a terminal, where OpenSSL itself would ask."""
    key = tmp_path / "encrypted.key"
    openssl("ec", "-in", made[1], "-aes128", "-passout", "pass:secret", "-out", key)
    done = subprocess.run(["script", "--quiet", "--return", "--command",
                           f"{BINARY} certificate inspect {made[0]} --key {key}", "/dev/null"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10)
    assert done.returncode == 1 and "no password is given" in done.stdout
    assert not re.search(r"pass phrase", done.stdout, re.IGNORECASE)


def test_what_is_no_certificate_is_told(tmp_path):
    for name, content in {"empty": b"", "words": b"hello\n", "zeros": bytes(5000)}.items():
        file = tmp_path / name
        file.write_bytes(content)
        done = certificate("inspect", file)
        assert done.returncode == 1 and str(file) in done.stderr and len(done.stderr.splitlines()) == 1
    assert certificate("inspect", tmp_path).returncode == 1
    assert certificate("inspect", tmp_path / "none").returncode == 1


def test_a_bundle_of_authorities_can_be_looked_at():
    done = certificate("inspect", "/etc/ssl/certs/ca-certificates.crt", "--json")
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["certificates"]) > 50
