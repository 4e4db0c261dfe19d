"""OCSP stapling: an authority with OpenSSL's responder, and what OpenSSL's client makes of what is stapled."""
import re
import subprocess
import time

import pytest

from parts.ports import free_port
from parts.process import Process
from parts.sockets import Origin
from parts.waiting import wait_until

NAME = "www.example.test"
SERIAL = "0A"
BASIC_RESPONSE = bytes.fromhex("06092b0601050507300101")  # id-pkix-ocsp-basic, before the answer proper
GATE = """
workers: 2
certificates:
  shown: { chain: $chain, key: $key }
listeners:
  - bind: "127.0.0.1:$port"
    tls: $tls
    sites:
      - { names: [$name], terminate: { certificate: shown, to: "tcp://127.0.0.1:$upstream" } }
"""


def openssl(*words, given=""):
    done = subprocess.run(["openssl", *map(str, words)], input=given, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done
    return done.stdout


def der_sizes(der, at):
    """Of the element that begins there: its tag with its length, and what they stand before."""
    if der[at + 1] < 0x80:
        return 2, der[at + 1]
    count = der[at + 1] & 0x7F
    return 2 + count, int.from_bytes(der[at + 2:at + 2 + count], "big")


class Issuer:
    """An authority whose certificates name a responder, which it can start and stop."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder, self.port, self.process = folder, free_port(), None
        self.root, self.chain, self.key = folder / "root.pem", folder / "chain.pem", folder / "leaf.key"
        self._request(folder / "root.key", self.root, "/CN=Issuer", "-addext", "basicConstraints=critical,CA:TRUE",
                      key_kind=["rsa:2048"])

    def certify(self, *extensions):
        """Makes a certificate for NAME, with its issuer behind it."""
        leaf = self.folder / "leaf.pem"
        more = [word for extension in extensions for word in ("-addext", extension)]
        self._request(self.key, leaf, f"/CN={NAME}", "-CA", self.root, "-CAkey", self.folder / "root.key",
                      "-set_serial", f"0x{SERIAL}", "-addext", f"subjectAltName=DNS:{NAME}",
                      "-addext", f"authorityInfoAccess=OCSP;URI:http://localhost:{self.port}/ocsp", *more)
        self.chain.write_text(leaf.read_text() + self.root.read_text())

    def answer(self, status="V"):
        """Starts the responder, which says this of the certificate: V(alid), R(evoked), or that it knows none."""
        self.stop()
        log = self.folder / "output.log"
        before = log.stat().st_size if log.exists() else 0
        self.process = Process("openssl ocsp", ["openssl", "ocsp", "-port", self.port, *self._signing(status)],
                               self.folder)
        # Not by connecting: it answers one at a time, and waits for what a connection says.
        wait_until(lambda: "waiting for OCSP client connections" in self.process.output()[before:], "the responder")

    def answer_for(self, seconds):
        """An answer in DER that is good for so long only: `openssl ocsp` knows nothing shorter than a minute."""
        file = self.folder / "answer.der"
        openssl("ocsp", "-issuer", self.root, "-cert", self.folder / "leaf.pem", "-respout", file, "-noverify",
                "-resp_no_certs", *self._signing("V"))
        answer = file.read_bytes()
        times = list(re.finditer(rb"\x18\x0f(\d{14}Z)", answer))  # of the answer, of thisUpdate and nextUpdate
        end = time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds)).encode()
        answer = answer[:times[2].start(1)] + end + answer[times[2].end(1):]
        begin = answer.index(BASIC_RESPONSE) + len(BASIC_RESPONSE)
        for _ in ("OCTET STRING", "BasicOCSPResponse"):
            begin += der_sizes(answer, begin)[0]
        signed = answer[begin:begin + sum(der_sizes(answer, begin))]
        sign = ["openssl", "dgst", "-sha256", "-sign", self.folder / "root.key"]
        signature = subprocess.run(sign, input=signed, capture_output=True, check=True).stdout
        return answer[:-len(signature)] + signature

    def _signing(self, status):
        revoked = "250101000000Z,keyCompromise" if status == "R" else ""
        index = self.folder / "index.txt"
        line = f"{status}\t360101000000Z\t{revoked}\t{SERIAL}\tunknown\t/CN={NAME}\n"
        index.write_text(line if status else "")
        return ("-index", index, "-CA", self.root, "-rsigner", self.root, "-rkey", self.folder / "root.key",
                "-nmin", "10")

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None

    @staticmethod
    def _request(key, out, subject, *more, key_kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        openssl("req", "-x509", "-newkey", *key_kind, "-nodes", "-days", "2", "-keyout", key, "-out", out,
                "-subj", subject, *more)


@pytest.fixture
def issuer(tmp_path, started):
    made = started(Issuer(tmp_path / "issuer"))
    made.certify()
    return made


@pytest.fixture
def responder(issuer, started):
    """The issuer's, which the test plays itself."""
    return started(Origin(port=issuer.port))


@pytest.fixture
def gate(lockgate, issuer, origin):
    def make(tls="{}", **more):
        return lockgate(GATE, chain=issuer.chain, key=issuer.key, name=NAME, upstream=origin.port, tls=tls, **more)

    return make


def stapled(gate, issuer, *words):
    """What `openssl s_client` makes of the staple: "good", "none" where there is none, or all it says."""
    said = openssl("s_client", "-connect", f"127.0.0.1:{gate.port}", "-servername", NAME, "-CAfile", issuer.root,
                   "-verify_return_error", *words)
    if "OCSP response: no response sent" in said:
        return "none"
    found = re.search(r"Cert Status: (\w+)", said)
    return found[1] if found else said


def state(gate):
    return gate.status()["certificates"][0]["ocsp"]


def wait_for_staple(gate):
    wait_until(lambda: state(gate) == "good", "a good answer")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_client_that_asks_gets_the_issuers_answer_and_no_other(gate, issuer, version):
    issuer.answer()
    lockgate = gate()
    wait_for_staple(lockgate)
    for _ in range(4):  # of whichever worker
        assert stapled(lockgate, issuer, "-status", version) == "good"
    assert "OCSP" not in stapled(lockgate, issuer, version)


def test_nothing_is_stapled_or_asked_where_that_is_off(gate, issuer, responder):
    lockgate = gate("{ ocsp_stapling: off }")
    assert responder.saw_nobody()
    assert stapled(lockgate, issuer, "-status") == "none"
    assert state(lockgate) == "none"


def test_a_responder_that_is_down_is_told_once_and_asked_again(gate, issuer):
    lockgate = gate()
    lockgate.wait_for_message(rf"certificate shown: no OCSP answer from http://localhost:{issuer.port}/ocsp: "
                              r"connecting.*refused.*; clients get none")
    assert stapled(lockgate, issuer, "-status") == "none"
    issuer.answer()
    lockgate.reload()  # which spares us the minute
    wait_for_staple(lockgate)
    lockgate.wait_for_message("says that it is good, until")
    assert stapled(lockgate, issuer, "-status") == "good"
    issuer.stop()
    lockgate.reload()
    assert stapled(lockgate, issuer, "-status") == "good", "it has not expired, and the sides were made anew"
    assert lockgate.process.output().count("no OCSP answer") == 1


def test_an_answer_survives_that_the_sides_are_made_anew(gate, issuer):
    issuer.answer()
    lockgate = gate()
    wait_for_staple(lockgate)
    issuer.stop()
    lockgate.reload(GATE.replace("$tls", "{ profile: modern }"))
    assert stapled(lockgate, issuer, "-status") == "good"
    lockgate.reload(GATE.replace("$tls", "{ ocsp_stapling: off }"))
    assert stapled(lockgate, issuer, "-status") == "none"


def test_an_answer_ends_with_its_time(gate, issuer, responder):
    lockgate = gate()
    with responder.accept() as asked:
        asked.recv(65536)
        asked.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + issuer.answer_for(4))
    wait_for_staple(lockgate)
    assert stapled(lockgate, issuer, "-status") == "good"
    lockgate.wait_for_message("certificate shown is shown without OCSP: its answer has expired", timeout=10)
    assert state(lockgate) == "none"
    assert stapled(lockgate, issuer, "-status") == "none"


def test_a_silent_responder_holds_nobody_up(gate, issuer, responder):
    lockgate = gate()
    with responder.accept():
        for _ in range(4):  # of whichever worker
            assert stapled(lockgate, issuer, "-status") == "none"
        lockgate.reload()
        assert stapled(lockgate, issuer, "-status") == "none"
        assert responder.saw_nobody(), "nobody asks while an answer is awaited"


@pytest.mark.parametrize("status, words", [("R", "the issuer has revoked the certificate as of 2025-01-01"),
                                           ("", "the issuer does not know the certificate")])
def test_only_good_answers_are_stapled(gate, issuer, status, words):
    issuer.answer(status)
    lockgate = gate()
    lockgate.wait_for_message(words)
    assert stapled(lockgate, issuer, "-status") == "none"


def test_a_stranger_cannot_answer(gate, issuer, tmp_path, started):
    stranger = started(Issuer(tmp_path / "stranger"))
    stranger.port = issuer.port
    stranger.answer()
    lockgate = gate()
    lockgate.wait_for_message("no OCSP answer")
    assert stapled(lockgate, issuer, "-status") == "none"


def test_a_renewed_certificate_is_asked_about_anew(gate, issuer):
    issuer.answer()
    lockgate = gate()
    wait_for_staple(lockgate)
    issuer.certify()
    lockgate.reload()
    wait_for_staple(lockgate)
    assert stapled(lockgate, issuer, "-status") == "good"


def test_check_warns_of_must_staple(gate, issuer):
    issuer.certify("tlsfeature=status_request")
    lockgate = gate("{ ocsp_stapling: off }", start=False)
    done = lockgate.command("check")
    assert "certificate `shown` is must-staple, and `ocsp_stapling` is off here" in done.stdout + done.stderr
    lockgate.write(GATE.replace("$tls", "{}"))
    done = lockgate.command("check")
    assert "staple" not in done.stdout + done.stderr
