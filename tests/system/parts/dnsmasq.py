"""dnsmasq as a name server on a loopback port; its records can be changed, and it tells what it was asked."""
import re

from .ports import free_port
from .process import Process


class Dnsmasq:
    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._records = []
        self.ttl = 60
        self.process = None

    def host(self, name, *addresses):
        """A and AAAA records."""
        self._records += [f"--host-record={name},{address}" for address in addresses]
        return self

    def service(self, name, target, port, priority=0, weight=0):
        """An SRV record."""
        self._records.append(f"--srv-host={name},{target},{port},{priority},{weight}")
        return self

    def clear(self):
        self._records.clear()
        return self

    def start(self):
        """Starts, or starts again with the records as they are now."""
        self.stop()
        self.process = Process("dnsmasq", [
            "/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            "--pid-file=", "--user=root", "--listen-address=127.0.0.1", "--bind-interfaces", f"--port={self.port}",
            "--local=/test/", f"--local-ttl={self.ttl}", "--log-queries", "--log-facility=-", *self._records],
            self.folder)
        self.process.wait_for_port(self.port)
        return self

    def questions(self, name, kind="A"):
        """How often `name` was asked for."""
        return len(re.findall(rf"query\[{kind}\] {re.escape(name)} from", self.process.output()))

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None
