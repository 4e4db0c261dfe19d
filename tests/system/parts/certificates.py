"""Certificates made on the spot: one authority per test run, one certificate per name."""
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Certificate:
    chain: Path
    key: Path


class Authority:
    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "root.pem"
        self._made = {}
        _openssl_req(folder / "root.key", self.root, "/CN=The authority of the system tests",
                     "-addext", "basicConstraints=critical,CA:TRUE")

    def certificate(self, name):
        """A certificate for `name`, signed by this authority."""
        if name not in self._made:
            made = Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")
            _openssl_req(made.key, made.chain, f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                         "-CA", self.root, "-CAkey", self.folder / "root.key")
            self._made[name] = made
        return self._made[name]


def _openssl_req(key, out, subject, *more):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-keyout", key, "-out", out, "-subj", subject, *more],
                   check=True, capture_output=True, timeout=20)
