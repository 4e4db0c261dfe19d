"""Certificates made on the spot: one authority per test run, one certificate per name and kind."""
import base64
import hashlib
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_KEYS = {"ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}

_CA = """
[ca]
default_ca = authority
[authority]
database = {folder}/index
new_certs_dir = {folder}
unique_subject = no
rand_serial = yes
default_md = sha256
default_days = 2
default_crl_days = 2
policy = names
copy_extensions = copy
[names]
commonName = supplied
"""


@dataclass
class Certificate:
    chain: Path
    key: Path

    def serial(self):
        """As logs write it: hexadecimal, small letters."""
        return openssl("x509", "-in", self.chain, "-noout", "-serial").partition("=")[2].strip().lower()

    def pin(self):
        """SHA-256 of the public key, as `pins` takes it."""
        public = openssl("pkey", "-in", self.key, "-pubout")
        der = base64.b64decode(re.sub(r"-----.*-----", "", public))
        return "sha256/" + base64.b64encode(hashlib.sha256(der).digest()).decode()

    def pkcs12(self, password):
        """The same in a PKCS#12 file."""
        file = self.chain.with_suffix(".p12")
        openssl("pkcs12", "-export", "-in", self.chain, "-inkey", self.key, "-passout", f"pass:{password}",
                "-out", file)
        return file


class Authority:
    def __init__(self, folder, name="The authority of the system tests"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.root = folder / "root.pem"
        self._key = folder / "root.key"
        self._made = {}
        _openssl_req("ecdsa", self._key, self.root, f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE")

    def certificate(self, name, kind="ecdsa", issue=1):
        """A certificate for `name`, signed by this authority; another `issue` has another key and serial number."""
        which = f"{name}.{kind}.{issue}"
        if which not in self._made:
            made = Certificate(self.folder / f"{which}.pem", self.folder / f"{which}.key")
            _openssl_req(kind, made.key, made.chain, f"/CN={name.replace('*', 'any')}",
                         "-addext", f"subjectAltName=DNS:{name}", "-CA", self.root, "-CAkey", self._key)
            self._made[which] = made
        return self._made[which]

    def expired(self, name):
        """A certificate for `name` that was good for one day, years ago."""
        made = Certificate(self.folder / f"{name}.expired.pem", self.folder / f"{name}.expired.key")
        request = made.chain.with_suffix(".csr")
        openssl("req", "-new", "-newkey", *_KEYS["ecdsa"], "-nodes", "-keyout", made.key, "-out", request,
                "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}")
        self._ca("-startdate", "20200101000000Z", "-enddate", "20200102000000Z", "-in", request, "-out", made.chain,
                 "-notext", "-batch")
        return made

    def revocations(self, *certificates):
        """A file with the list of exactly these."""
        for certificate in certificates:
            self._ca("-revoke", certificate.chain)
        file = self.folder / f"revoked-{len(list(self.folder.glob('revoked-*')))}.pem"
        self._ca("-gencrl", "-out", file)
        (self.folder / "index").unlink()
        return file

    def _ca(self, *words):
        (self.folder / "index").touch()
        config = self.folder / "ca.conf"
        config.write_text(_CA.format(folder=self.folder))
        openssl("ca", "-config", config, "-cert", self.root, "-keyfile", self._key, *words)


def openssl(*words):
    """What openssl says; fails if it does."""
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done
    return done.stdout


def _openssl_req(kind, key, out, subject, *more):
    openssl("req", "-x509", "-newkey", *_KEYS[kind], "-nodes", "-days", "20", "-keyout", key, "-out", out,
            "-subj", subject, *more)
