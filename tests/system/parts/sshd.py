"""An OpenSSH server with a host key and a user key of its own."""
import getpass
import os
import subprocess
from pathlib import Path

from .ports import free_port
from .process import Process

_CONFIG = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile {folder}/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
"""


class Sshd:
    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.folder, self.port = folder, free_port()
        for key in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True, timeout=20)
        config = folder / "sshd_config"
        config.write_text(_CONFIG.format(port=self.port, folder=folder))
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.process = Process("sshd", ["/usr/sbin/sshd", "-D", "-e", "-f", config], folder)
        self.process.wait_for_port(self.port)

    def run(self, port, *command):
        """Logs in through `port` with the user key, insisting on the host key, and runs `command`."""
        host_key = (self.folder / "host_key.pub").read_text()
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}")
        return subprocess.run(["ssh", "-F", "/dev/null", "-p", str(port), "-i", self.folder / "user_key",
                               "-o", f"UserKnownHostsFile={self.folder}/known_hosts", "-o", "BatchMode=yes",
                               "-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes",
                               f"{getpass.getuser()}@127.0.0.1", *command],
                              capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)

    def stop(self):
        self.process.stop()
