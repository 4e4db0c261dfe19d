"""TLS ends here: which certificate each client gets, what is agreed on with it, and what the server behind is told.

Servers without TLS (Dovecot, Redis, nginx) behind certificates of an authority of the test; clients are curl, Python's
imaplib, redis-cli and openssl s_client.
"""
import imaplib
import json
import os
import re
import shutil
import ssl
import stat
import subprocess
import time
from contextlib import suppress

import pytest

from parts import proxy_header
from parts.browsers import curl, s_client
from parts.certificates import Authority, openssl
from parts.process import die_with_parent
from parts.redis import redis_cli
from parts.sockets import first_line, is_cut, read_to_end
from parts.tls import V1_2, V1_3, client_context, tls_connect
from parts.waiting import wait_until

NAME = "a.example.test"
ONE = """
certificates:
  one: { chain: $chain, key: $key }
listeners:
  - name: front
    bind: "127.0.0.1:$port"
    tls: $tls
    sites:
      - names: [a.example.test]
        terminate: { certificate: one, to: "tcp://$to" }
"""
LOOK = 25  # seconds within which a changed file is noticed: it is looked for every 10


@pytest.fixture
def gate(lockgate, authority):
    """gate(to, tls=...): one site with a certificate for NAME in front of a server without TLS."""

    def make(to, text=ONE, tls="{}", certificate=None, **more):
        certificate = certificate or authority.certificate(NAME)
        return lockgate(text, to=to, tls=tls, chain=certificate.chain, key=certificate.key, **more)

    return make


@pytest.fixture
def web(nginx):
    return nginx(NAME, tls=False)


@pytest.fixture(scope="module")
def staff(tmp_path_factory):
    """Another authority, for clients."""
    return Authority(tmp_path_factory.mktemp("staff"), name="The staff")


def ask(word, root, more=""):
    return f"{{ client_certificate: {{ ask: {word}, ca_file: {root}{more} }} }}"


def shown(port, name, *more):
    """The serial number of the certificate that openssl s_client is shown, None if there is no handshake."""
    said = s_client(port, *(["-servername", name] if name else ["-noservername"]), *more).stdout
    pem = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", said, re.DOTALL)
    if not pem:
        return None
    done = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=pem[0], capture_output=True, text=True,
                          check=True, timeout=10)
    return done.stdout.partition("=")[2].strip().lower()


# Servers that know nothing of TLS.


def test_mail_is_read_over_imaps(gate, dovecot, authority):
    gate = gate(f"127.0.0.1:{dovecot.port}")
    done = curl(f"imaps://{NAME}/INBOX", gate.port, "--user", f"{dovecot.user}:{dovecot.password}", "-X", "NOOP", "-v",
                root=authority.root)
    assert done.returncode == 0 and "OK NOOP completed" in done.stderr, done
    line = gate.next_line()
    assert (line["verdict"], line["site"], line["outcome"]) == ("terminate", NAME, "finished")
    assert line["certificate_serial"] == authority.certificate(NAME).serial()


def test_a_large_message_comes_back_from_imap_as_it_was_put(gate, dovecot, authority, monkeypatch):
    gate = gate(f"127.0.0.1:{dovecot.port}")
    context = client_context(authority.root)
    wrap = context.wrap_socket
    monkeypatch.setattr(context, "wrap_socket", lambda sock, **_: wrap(sock, server_hostname=NAME))
    message = b"Subject: large\r\n\r\n" + b"".join(b"%070d\r\n" % number for number in range(40_000))
    with imaplib.IMAP4_SSL("127.0.0.1", gate.port, ssl_context=context, timeout=10) as mail:
        assert mail.login(dovecot.user, dovecot.password)[0] == "OK"
        assert mail.append("INBOX", None, None, message)[0] == "OK"
        assert mail.select()[0] == "OK"
        kind, answer = mail.fetch("1", "(BODY[])")
        assert kind == "OK" and answer[0][1] == message
        mail.close()
    line = gate.next_line()
    assert line["outcome"] in ("finished", "reset"), "it leaves without listening to our end"
    assert min(line["bytes_up"], line["bytes_down"]) > len(message)


def test_redis_is_asked_over_tls(gate, redis, authority):
    gate = gate(f"127.0.0.1:{redis.port}")
    words = ("--tls", "--cacert", authority.root, "--sni", NAME)
    assert redis_cli(gate.port, *words, "set", "k", "x" * 100_000).stdout == "OK\n"
    assert redis_cli(gate.port, *words, "get", "k").stdout == "x" * 100_000 + "\n"
    many = redis_cli(gate.port, *words, stdin="".join(f"incrby count {n}\n" for n in range(500)))
    assert many.stdout.splitlines()[-1] == str(sum(range(500)))
    refused = redis_cli(gate.port, "--tls", "--sni", NAME, "ping")
    assert "certificate verify failed" in refused.stderr
    line = gate.line_of(outcome="handshake")
    assert line["ended_by"] == "client" and line["tls_alert_received"] == "unknown_ca"
    assert "unknown_ca" in line["reason"]


def test_the_access_log_tells_what_was_agreed_on(gate, web, authority):
    gate = gate(web.address, tls="{ alpn: [h2, http/1.1] }")
    done = curl(f"https://{NAME}/", gate.port, "--http1.1", root=authority.root)
    assert f"server={NAME}\n" in done.stdout, done
    line = gate.next_line()
    assert (line["site"], line["verdict"], line["outcome"]) == (NAME, "terminate", "finished")
    assert (line["name"], line["alpn"], line["tls"]) == (NAME, "http/1.1", "1.3")
    assert (line["tls_version"], line["tls_cipher"]) == ("1.3", "TLS_AES_128_GCM_SHA256")
    assert line["tls_group"].lower() == "x25519" and line["tls_signature"] == "ecdsa_sha256"
    assert line["tls_resumed"] is False and line["tls_alpn"] == "http/1.1"
    assert line["certificate_serial"] == authority.certificate(NAME).serial()
    assert line["endpoint"] == f"tcp://{web.address}" and "upstream_tls_version" not in line
    curl(f"https://{NAME}/", gate.port, "--tls-max", "1.2", "--no-alpn", root=authority.root)
    line = gate.next_line()
    assert line["tls_version"] == "1.2" and line["tls_cipher"].startswith("TLS_ECDHE_ECDSA_WITH_AES_")
    assert "tls_alpn" not in line and line["outcome"] == "finished"


def test_a_client_that_shares_no_protocol_is_told_so(gate, web, authority):
    gate = gate(web.address, tls="{ alpn: [h2] }")
    assert "SSL alert number 120" in s_client(gate.port, "-servername", NAME, "-alpn", "imap").stdout
    line = gate.next_line()
    assert (line["outcome"], line["tls_alert_sent"]) == ("handshake", "no_application_protocol")


def test_versions_below_the_profile_are_refused_in_words(gate, web):
    gate = gate(web.address, tls="{ profile: modern }")
    assert "SSL alert number 70" in s_client(gate.port, "-servername", NAME, "-tls1_2").stdout
    line = gate.next_line()
    assert (line["outcome"], line["tls_alert_sent"], line["tls"]) == ("handshake", "protocol_version", "1.2")
    assert "protocol" in line["reason"]


# Certificates: from where, and which for whom.


SELF_SIGNED = """
state_folder: $folder/state
certificates:
  own: self_signed
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [a.example.test, "*.b.example.test"], terminate: { certificate: own, to: "tcp://$to" } }
"""


def test_a_self_signed_certificate_is_kept_over_a_restart(lockgate, web):
    gate = lockgate(SELF_SIGNED, to=web.address)
    kinds = ("ECDSA+SHA256", "RSA-PSS+SHA256")
    before = [shown(gate.port, NAME, "-tls1_3", "-sigalgs", kind) for kind in kinds]
    assert None not in before and before[0] != before[1]
    kept = sorted((gate.folder / "state").rglob("*.pem"))
    assert [file.name for file in kept] == ["own.ecdsa.pem", "own.rsa.pem"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept} == {0o600}
    for name in (NAME, "x.b.example.test"):
        done = curl(f"https://{name}/", gate.port, root=kept[0])
        assert "server=" in done.stdout, done
    gate.stop()
    gate.start()
    assert [shown(gate.port, NAME, "-tls1_3", "-sigalgs", kind) for kind in kinds] == before
    gate.reload(SELF_SIGNED.replace("*.b.", "*.c."))
    after = [shown(gate.port, NAME, "-tls1_3", "-sigalgs", kind) for kind in kinds]
    assert not set(after) & set(before), "other names need another certificate"


BY_NAME = """
certificates:
  default: { chain: $default_chain, key: $default_key }
  star: { chain: $star_chain, key: $star_key }
  exact: { chain: $exact_chain, key: $exact_key }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], terminate: { certificate: [default, star, exact], to: "tcp://$to" } }
"""


def test_the_certificate_is_chosen_by_name(lockgate, web, authority):
    names = {"default": "other.example.test", "star": "*.example.test", "exact": NAME}
    made = {word: authority.certificate(name) for word, name in names.items()}
    files = {f"{word}_chain": one.chain for word, one in made.items()} | {f"{word}_key": one.key
                                                                           for word, one in made.items()}
    gate = lockgate(BY_NAME, to=web.address, **files)
    for name, word in {NAME: "exact", NAME.upper(): "exact", "b.example.test": "star", "other.example.test": "default",
                       "elsewhere.test": "default", None: "default"}.items():
        assert shown(gate.port, name) == made[word].serial(), name


BOTH = """
certificates:
  ecdsa: { chain: $ecdsa_chain, key: $ecdsa_key }
  rsa: { chain: $rsa_chain, key: $rsa_key }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [default], terminate: { certificate: $order, to: "tcp://$to" } }
"""


@pytest.mark.parametrize("order", ["[ecdsa, rsa]", "[rsa, ecdsa]"])
def test_the_certificate_is_chosen_by_what_the_client_can_do(lockgate, web, authority, order):
    made = {kind: authority.certificate(NAME, kind) for kind in ("ecdsa", "rsa")}
    gate = lockgate(BOTH, to=web.address, order=order,
                    **{f"{kind}_chain": one.chain for kind, one in made.items()},
                    **{f"{kind}_key": one.key for kind, one in made.items()})
    for words, kind in ((("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"), "rsa"),
                        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"), "ecdsa"),
                        (("-tls1_3", "-sigalgs", "RSA-PSS+SHA256:RSA+SHA256"), "rsa"),
                        (("-tls1_3", "-sigalgs", "ECDSA+SHA256"), "ecdsa")):
        assert shown(gate.port, NAME, *words) == made[kind].serial(), words
    assert shown(gate.port, NAME) in {one.serial() for one in made.values()}
    lines = gate.next_lines(5)
    assert [line["tls_signature"] for line in lines[2:4]] == ["rsa_pss_sha256", "ecdsa_sha256"]


@pytest.mark.parametrize("how", ["password_file: $folder/password", "password_environment: THE_PASSWORD",
                                 "password_credential: password"])
def test_a_pkcs12_file_is_opened_with_its_password(lockgate, web, authority, how):
    certificate = authority.certificate("p12.example.test")
    text = ONE.replace("{ chain: $chain, key: $key }", f"{{ pkcs12: $file, {how} }}").replace(NAME, "default")
    gate = lockgate(text, start=False, to=web.address, tls="{}", file=certificate.pkcs12("correct horse"))
    (gate.folder / "password").write_text("correct horse\n")
    environment = os.environ | {"CREDENTIALS_DIRECTORY": str(gate.folder)}
    gate.start(env=environment | {"THE_PASSWORD": "correct horse"})
    assert shown(gate.port, "p12.example.test") == certificate.serial()
    gate.reload()
    assert shown(gate.port, "p12.example.test") == certificate.serial()
    gate.stop()
    (gate.folder / "password").write_text("battery staple\n")
    gate.start(wait=False, env=environment | {"THE_PASSWORD": "battery staple"})
    assert gate.process.wait() != 0
    assert "password is wrong" in gate.process.output() and "battery" not in gate.process.output()
    gate.process = None


# Files that change.


def replace(certificate, folder):
    """As a tool that renews certificates does it: the key first, each by a rename."""
    for source, target in ((certificate.key, folder / "key.pem"), (certificate.chain, folder / "chain.pem")):
        shutil.copy(source, target.with_suffix(".new"))
        target.with_suffix(".new").rename(target)


@pytest.fixture
def renewable(gate, web, authority, staff, tmp_path):
    """A gate whose certificate, and the list of clients whose certificates are revoked, stand in files that the test
    replaces."""
    replace(authority.certificate(NAME), tmp_path)
    shutil.copy(staff.revocations(), tmp_path / "crl.pem")
    text = ONE.replace("$chain", f"{tmp_path}/chain.pem").replace("$key", f"{tmp_path}/key.pem")
    return gate(web.address, text, tls=ask("optional", staff.root, f", crl_file: {tmp_path}/crl.pem"))


def is_served(gate, certificate):
    """Whether a client with this certificate gets a page, and what it was told."""
    done = s_client(gate.port, "-servername", NAME, "-cert", certificate.chain, "-key", certificate.key, "-quiet",
                    "-ign_eof", stdin="GET / HTTP/1.0\r\n\r\n")
    return "server=" in done.stdout, done.stdout


@pytest.mark.bounded(90)
def test_files_are_read_again_without_a_command_and_broken_ones_told_once(renewable, authority, staff, tmp_path):
    first, second, alice = authority.certificate(NAME), authority.certificate(NAME, issue=2), staff.certificate("alice")
    (tmp_path / "chain.pem").write_text("-----BEGIN CERTIFICATE-----\nbroken\n")
    renewable.wait_for_message("cannot be used, the old one stays in use", timeout=LOOK)
    time.sleep(10.5)  # it is seen to be broken once more
    told = re.findall(".*the old one stays in use.*", renewable.process.output())
    assert len(told) == 1 and "chain.pem" in told[0], told
    assert shown(renewable.port, NAME) == first.serial() and renewable.health() == 200
    assert is_served(renewable, alice)[0]
    with tls_connect(renewable.port, NAME, client_context(authority.root, certificate=alice)) as lasting:
        replace(second, tmp_path)
        shutil.copy(staff.revocations(alice), tmp_path / "crl.pem")
        wait_until(lambda: shown(renewable.port, NAME) == second.serial(), "the new certificate", LOOK, pause=0.3)
        lasting.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b"server=" in lasting.recv(65536), "who is in stays in"
    assert not is_served(renewable, alice)[0]
    metrics = renewable.metrics()
    assert metrics.total("lockgate_certificate_not_after_seconds", serial=second.serial()) > 0
    assert metrics.total("lockgate_certificate_not_after_seconds", serial=first.serial()) is None


def test_a_reload_takes_a_renewed_certificate_at_once_and_refuses_a_broken_one(renewable, authority, tmp_path):
    second = authority.certificate(NAME, issue=2)
    replace(second, tmp_path)
    renewable.reload()
    assert shown(renewable.port, NAME) == second.serial()
    shutil.copy(authority.certificate(NAME).key, tmp_path / "key.pem")
    done = renewable.command("reload")
    assert done.returncode != 0 and "not that of the certificate" in done.stderr, done
    assert shown(renewable.port, NAME) == second.serial()


# What is told before it is too late.


def test_check_refuses_a_key_of_another_certificate(lockgate, authority):
    gate = lockgate(ONE, start=False, to="127.0.0.1:1", tls="{}", chain=authority.certificate(NAME).chain,
                    key=authority.certificate("b.example.test").key)
    done = gate.command("check")
    assert done.returncode == 2 and "is not that of the certificate" in done.stderr, done
    assert f"{gate.config}:" in done.stderr and "certificate `one`" in done.stderr
    gate.start(wait=False)
    assert gate.process.wait() != 0 and "is not that of the certificate" in gate.process.output()
    gate.process = None


@pytest.mark.parametrize("tls, words", [
    ("{ client_certificate: { ask: required, ca_file: /none/such } }", "the trusted certificates in /none/such"),
    ("{ tickets: { key_file: /none/such } }", "/none/such"),
    ("{ dh_parameters: /none/such }", "/none/such"),
    ("{ ciphers: [NONE-SUCH] }", "`ciphers` cannot be `NONE-SUCH"),
    ("{ cipher_suites: [NONE-SUCH] }", "`cipher_suites` cannot be `NONE-SUCH"),
    ("{ groups: [NONE-SUCH] }", "`groups` cannot be `NONE-SUCH"),
    ("{ signature_algorithms: [NONE-SUCH] }", "`signature_algorithms` cannot be `NONE-SUCH"),
    ('{ profile: modern, max_version: "1.2" }', "`max_version` is below all that `profile: modern` takes")])
def test_check_refuses_what_would_not_start(gate, tls, words):
    gate = gate("127.0.0.1:1", tls=tls, start=False)
    done = gate.command("check")
    assert done.returncode == 2 and words in done.stderr and f"{gate.config}:" in done.stderr, done
    gate.start(wait=False)
    assert gate.process.wait() != 0 and words in gate.process.output()
    gate.process = None


def test_check_leaves_nothing_behind(lockgate):
    gate = lockgate(SELF_SIGNED, start=False, to="127.0.0.1:1")
    assert gate.command("check").returncode == 0
    assert not (gate.folder / "state").exists()


def test_check_warns_of_dates_and_names(lockgate, authority):
    expired = authority.expired("old.example.test")
    gate = lockgate(ONE, start=False, to="127.0.0.1:1", tls="{}", chain=expired.chain, key=expired.key)
    done = gate.command("check")
    assert done.returncode == 0, "it may be meant so"
    assert "the certificate expired on 2020-01-02" in done.stderr
    assert f"no certificate of this site has the name `{NAME}`" in done.stderr
    told = json.loads(gate.command("check", "--json").stdout)
    ours = [one for one in told if "certificate" in one["message"]]
    assert len(ours) >= 2 and all(one["severity"] == "warning" and one["line"] > 0 for one in ours), told


def test_status_and_metrics_tell_how_long_certificates_last(gate, web, authority):
    gate = gate(web.address)
    certificate = authority.certificate(NAME)
    ends = openssl("x509", "-in", certificate.chain, "-noout", "-enddate", "-dateopt", "iso_8601").strip()
    told = json.loads(gate.command("status", "--json").stdout)["certificates"]
    assert [(one["name"], one["serial"], one["days_left"]) for one in told] == [("one", certificate.serial(), 19)]
    assert told[0]["not_after"] == ends.partition("=")[2].replace(" ", "T")
    assert gate.status()["certificates"] == told
    assert NAME in gate.command("status").stdout
    seconds = gate.metrics().total("lockgate_certificate_not_after_seconds", certificate="one",
                                   serial=certificate.serial())
    assert seconds == ssl.cert_time_to_seconds(
        openssl("x509", "-in", certificate.chain, "-noout", "-enddate").strip().partition("=")[2])


# Clients that show a certificate.


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("word", ["none", "optional", "required"])
def test_client_certificates_are_asked_for_as_told(gate, web, authority, staff, word, version):
    gate = gate(web.address, tls=ask(word, staff.root))
    alice, stranger = staff.certificate("alice"), authority.certificate("stranger")

    def fetch(certificate=None):
        shown_by_client = ["--cert", certificate.chain, "--key", certificate.key] if certificate else []
        done = curl(f"https://{NAME}/", gate.port, "--tls-max", version, *shown_by_client, root=authority.root)
        return ("server=" in done.stdout), gate.next_line()

    served, line = fetch(alice)
    assert served and line["tls_version"] == version
    if word == "none":
        assert "client_subject" not in line
        return
    assert (line["client_subject"], line["client_serial"]) == ("CN=alice", alice.serial())
    served, line = fetch()
    assert served == (word == "optional")
    if word == "required":
        assert (line["outcome"], line["ended_by"]) == ("handshake", "client")
        assert line["tls_alert_sent"] == ("certificate_required" if version == "1.3" else "handshake_failure")
        assert "did not return a certificate" in line["reason"]
    served, line = fetch(stranger)
    assert not served, "what is shown has to hold"
    assert (line["outcome"], line["tls_alert_sent"]) == ("untrusted", "unknown_ca")
    assert "The authority of the system tests" in line["reason"]


def test_a_revoked_client_certificate_is_refused(renewable, authority, staff, tmp_path):
    alice, bob = staff.certificate("alice"), staff.certificate("bob")
    shutil.copy(staff.revocations(bob), tmp_path / "crl.pem")
    renewable.reload()
    served, told = is_served(renewable, bob)
    assert not served and "SSL alert number 44" in told
    line = renewable.next_line()
    assert (line["outcome"], line["tls_alert_sent"]) == ("untrusted", "certificate_revoked")
    assert "revoked" in line["reason"] and "CN=bob" in line["reason"]
    context = client_context(authority.root, V1_2, certificate=alice)
    with tls_connect(renewable.port, NAME, context) as client:
        session = client.session
    with tls_connect(renewable.port, NAME, context, session=session) as client:
        assert client.session_reused
    shutil.copy(staff.revocations(alice), tmp_path / "crl.pem")
    renewable.reload()
    with pytest.raises(ssl.SSLError, match="revoked"):
        tls_connect(renewable.port, NAME, context, session=session)
    assert is_served(renewable, bob)[0]


# Coming back.


def come_back(gates, version, folder, times=12):
    """How often s_client is let in by its ticket; each time with the newest that it has."""
    ticket, resumed = folder / "ticket", 0
    request = f"GET / HTTP/1.0\r\nHost: {NAME}\r\n\r\n"
    first = s_client(gates[0].port, "-servername", NAME, version, "-ign_eof", "-sess_out", ticket, stdin=request)
    assert "New, TLSv1" in first.stdout and "server=" in first.stdout and ticket.exists()
    for number in range(times):
        done = s_client(gates[number % len(gates)].port, "-servername", NAME, version, "-ign_eof", "-sess_in", ticket,
                        "-sess_out", ticket, stdin=request)
        assert "server=" in done.stdout, done.stdout
        resumed += "Reused, TLSv1" in done.stdout
    return resumed


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_tickets_are_good_at_every_worker(gate, web, version, tmp_path):
    gate = gate(web.address)
    assert come_back([gate], version, tmp_path) == 12
    lines = gate.next_lines(13)
    assert [line["tls_resumed"] for line in lines] == [False] + [True] * 12
    assert "tls_signature" in lines[0] and "tls_signature" not in lines[1]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_machines_that_share_ticket_keys_know_each_others_clients(gate, web, version, tmp_path):
    keys = tmp_path / "tickets.key"
    keys.write_bytes(os.urandom(80))
    tls = f"{{ tickets: {{ key_file: {keys} }} }}"
    assert come_back([gate(web.address, tls=tls), gate(web.address, tls=tls)], version, tmp_path, times=6) == 6


def test_machines_that_share_ticket_keys_may_ask_for_certificates(gate, web, staff, tmp_path):
    """Each has a copy of the list of issuers."""
    keys, gates = tmp_path / "tickets.key", []
    keys.write_bytes(os.urandom(80))
    for machine in ("a", "b"):
        shutil.copy(staff.root, tmp_path / f"{machine}.pem")
        issuers = f"client_certificate: {{ ask: optional, ca_file: {tmp_path}/{machine}.pem }}"
        gates.append(gate(web.address, tls=f"{{ {issuers}, tickets: {{ key_file: {keys} }} }}"))
    assert come_back(gates, "-tls1_3", tmp_path, times=4) == 4


def test_machines_with_keys_of_their_own_do_not(gate, web, tmp_path):
    first, second = gate(web.address), gate(web.address)
    assert come_back([first, second], "-tls1_3", tmp_path, times=2) == 1, "at the first alone"


def test_an_old_ticket_key_still_opens(gate, web, tmp_path):
    keys, old, new = tmp_path / "tickets.key", os.urandom(80), os.urandom(80)
    keys.write_bytes(old)
    gate = gate(web.address, tls=f"{{ tickets: {{ key_file: {keys} }} }}")
    ticket, request = tmp_path / "ticket", f"GET / HTTP/1.0\r\nHost: {NAME}\r\n\r\n"
    s_client(gate.port, "-servername", NAME, "-tls1_3", "-ign_eof", "-sess_out", ticket, stdin=request)

    def is_known():
        done = s_client(gate.port, "-servername", NAME, "-ign_eof", "-sess_in", ticket, stdin=request)
        return "Reused" in done.stdout

    keys.write_bytes(new + old)
    gate.reload()
    assert is_known()
    keys.write_bytes(new)
    gate.reload()
    assert not is_known()
    keys.write_bytes(new[:79])
    done = gate.command("reload")
    assert done.returncode != 0 and "79" in done.stderr


def test_a_session_cache_knows_clients_without_tickets(gate, web, authority):
    gate = gate(web.address, ONE.replace("certificates:", "workers: 1\ncertificates:", 1),
                tls="{ tickets: { enabled: off }, session_cache: 100 }")
    context = client_context(authority.root, V1_2)
    session = None
    for resumed in (False, True, True):
        with tls_connect(gate.port, NAME, context, session=session) as client:
            assert client.session_reused == resumed
            session = client.session
            assert not session.has_ticket
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert b"server=" in client.recv(65536)


# Secrets, and what the server behind is told.


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_secrets_of_chosen_clients_are_logged(gate, web, version, tmp_path):
    theirs, ours = tmp_path / "theirs.log", tmp_path / "ours.log"
    gate = gate(web.address, tls=f"{{ key_log: {{ to: {ours}, clients: 127.0.0.8/30 }} }}")
    request = f"GET / HTTP/1.0\r\nHost: {NAME}\r\n\r\n"
    for source in ("127.0.0.7", "127.0.0.9"):
        theirs.write_text("")
        done = s_client(gate.port, "-servername", NAME, version, "-bind", f"{source}:0", "-ign_eof", "-keylogfile",
                        theirs, stdin=request)
        assert "server=" in done.stdout, done.stdout
    expected = {line for line in theirs.read_text().splitlines() if not line.startswith("#")}
    assert any(line.startswith("CLIENT_RANDOM" if version == "-tls1_2" else "CLIENT_TRAFFIC_SECRET_0 ")
               for line in expected)
    wait_until(lambda: ours.exists() and len(ours.read_text().splitlines()) >= len(expected), "the secrets are written")
    assert set(ours.read_text().splitlines()) == expected, "those of 127.0.0.9, and of nobody else"
    assert stat.S_IMODE(ours.stat().st_mode) == 0o600


def test_the_server_is_told_of_the_clients_tls_in_a_proxy_header(gate, origin, authority, staff):
    text = ONE.replace('"tcp://$to" }', '"tcp://$to", send_proxy_protocol: v2, proxy_tlvs: [ssl, authority] }')
    gate = gate(origin.address, text, tls=ask("optional", staff.root))
    for certificate in (None, staff.certificate("alice")):
        context = client_context(authority.root, V1_3, certificate=certificate)
        with tls_connect(gate.port, NAME, context, source="127.0.0.7") as client, origin.accept() as server:
            header = proxy_header.read(server)
            assert header.source == client.getsockname()
            assert header.tlvs[proxy_header.AUTHORITY] == NAME.encode()
            flags, verdict, inside = proxy_header.read_ssl(header.tlvs[proxy_header.SSL])
            assert inside[proxy_header.SSL_VERSION] == b"TLSv1.3"
            assert inside[proxy_header.SSL_CIPHER] == b"TLS_AES_128_GCM_SHA256"
            if certificate:
                assert (flags, verdict) == (0x07, 0) and inside[proxy_header.SSL_COMMON_NAME] == b"alice"
            else:
                assert flags == 0x01 and verdict != 0 and proxy_header.SSL_COMMON_NAME not in inside
            client.sendall(b"after the header")
            assert server.recv(100) == b"after the header"


# Ends.


def test_a_client_that_breaks_off_its_handshake_is_not_waited_for(gate, web):
    gate = gate(web.address, ONE.replace('    tls:', '    timeouts: { handshake: 300ms }\n    tls:'))
    with gate.open(NAME) as client:
        begun = time.monotonic()
        assert is_cut(client) and time.monotonic() - begun < 2
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"]) == ("timed_out", "client")
    assert "shaking hands with the client" in line["reason"]


def test_keys_may_be_updated_and_nothing_is_renegotiated(gate, web):
    gate = gate(web.address)
    for version, command, expected in (("-tls1_3", "K", "KEYUPDATE"), ("-tls1_2", "R", "no renegotiation")):
        words = ["openssl", "s_client", "-connect", f"127.0.0.1:{gate.port}", "-servername", NAME, version]
        client = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, preexec_fn=die_with_parent)
        for line in (f"{command}\n", "GET / HTTP/1.0\n\n"):
            time.sleep(0.3)  # a command stands alone in what it reads
            with suppress(BrokenPipeError):  # it may have given up
                client.stdin.write(line)
                client.stdin.flush()
        said = client.stdout.read()  # until it has ended, for which its input must stay open
        client.communicate()
        assert expected in said and ("server=" in said) == (command == "K"), said


def test_the_ends_of_both_sides_are_told_apart(gate, origin, authority):
    gate = gate(origin.address)
    with tls_connect(gate.port, NAME, client_context(authority.root)) as client, origin.accept() as server:
        server.sendall(b"all of it")
        server.close()
        assert client.recv(100) == b"all of it"
        assert client.recv(100) == b"", "a close_notify"
    assert gate.next_line()["outcome"] == "finished"


def test_a_half_closed_connection_goes_on_in_the_other_direction(gate, origin, authority):
    gate = gate(origin.address)
    context = client_context(authority.root, V1_3)
    with tls_connect(gate.port, NAME, context) as client, origin.accept() as server:
        client.sendall(b"question")
        assert server.recv(100) == b"question"
        client.shutdown(1)  # of TCP, without a close_notify
        assert read_to_end(server) == b""


def test_a_terminated_client_can_echo_a_lot(gate, echo, authority):
    gate = gate(echo("served").address)
    sent = os.urandom(3_000_000)
    with tls_connect(gate.port, NAME, client_context(authority.root)) as client:
        client.sendall(b"hello")
        assert first_line(client) == "served"
        got = bytearray()
        for start in range(0, len(sent), 100_000):
            client.sendall(sent[start:start + 100_000])
            while len(got) < min(start, len(sent)):
                got += client.recv(65536)
        while len(got) < len(sent):
            got += client.recv(65536)
        assert bytes(got) == sent
