"""Squid as a parent proxy: CONNECT over plain TCP or over TLS, with or without a user and password.

One process in the foreground, without a cache, without name servers: names are those it is told. It refuses to be
root; started as root it becomes `nobody`, who has to reach its folder.
"""
import os
import subprocess
from pathlib import Path

from .ports import free_port
from .process import Process

_NOBODY = 65534

_CONFIG = """
{port} {address}:{number} {options}
pid_filename none
visible_hostname parent.example.test
hosts_file {folder}/hosts
dns_nameservers 127.0.0.1
dns_timeout 1 second
dns_retransmit_interval 500 milliseconds
cache deny all
cache_mem 1 MB
memory_pools off
max_filedescriptors 1024
pinger_enable off
shutdown_lifetime 0 seconds
connect_timeout 5 seconds
logformat who %>a %rm %ru %>Hs %un
access_log stdio:{folder}/access.log who
cache_log {folder}/cache.log
cache_store_log none
coredump_dir {folder}
cache_effective_user nobody
cache_effective_group nogroup
{login}
acl denied port {denied}
http_access deny denied
acl tunnel method CONNECT
http_access deny {others}tunnel
{allow}
http_access deny all
"""

_LOGIN = """
auth_param basic program /usr/lib/squid/basic_ncsa_auth {folder}/passwords
auth_param basic children 1
auth_param basic realm the parent of these tests
acl known proxy_auth REQUIRED
"""


class Squid:
    """`login`: ("user", "password") is wanted. `certificate`: it speaks TLS. `names`: {name: address} that it knows.
    What goes to `denied_ports` is forbidden. `requests`: it takes those, and no tunnels."""

    def __init__(self, folder, login=None, certificate=None, names=None, denied_ports=(1,), host="127.0.0.1",
                 requests=False):
        self.folder, self.host, self.port = folder, host, free_port()
        self.scheme = "https" if certificate else "http"
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        folder.mkdir(parents=True)
        (folder / "hosts").write_text("".join(f"{address} {name}\n" for name, address in (names or {}).items()))
        if login:
            (folder / "passwords").write_text(f"{login[0]}:{_hash(login[1])}\n")
        tls = f"tls-cert={certificate.chain} tls-key={certificate.key}" if certificate else ""
        self._service = f"squid{os.getpid()}x{self.port}"
        self._config = folder / "squid.conf"
        self._config.write_text(_CONFIG.format(
            folder=folder, port=f"{self.scheme}_port", address=f"[{host}]" if ":" in host else host, number=self.port,
            options=tls, others="" if requests else "!", denied=" ".join(map(str, denied_ports)),
            login=_LOGIN.format(folder=folder) if login else "",
            allow="http_access allow known" if login else "http_access allow all"))
        if os.geteuid() == 0:
            os.chown(folder, _NOBODY, _NOBODY)
        self.start()

    def start(self):
        # Under a name of its own, which is also that of its shared memory: several may run at once.
        self.process = Process("squid", ["/usr/sbin/squid", "-N", "-n", self._service, "-f", self._config], self.folder)
        self.process.wait_for_port(self.port, self.host)

    def access_log(self):
        """A line per request, once it is over: the client's address, method, target, status and user."""
        file = self.folder / "access.log"
        return file.read_text() if file.exists() else ""

    def stop(self):
        self.process.stop()
        for left in Path("/dev/shm").glob(f"{self._service}-*.shm"):  # by one that was killed
            left.unlink(missing_ok=True)


def _hash(password):
    return subprocess.run(["openssl", "passwd", "-apr1", "-stdin"], input=password, check=True, capture_output=True,
                          text=True, timeout=10).stdout.strip()
