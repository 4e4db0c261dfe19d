"""Dovecot, a mail server that speaks first: IMAP without TLS, one user."""
import os
import tempfile

from .ports import free_port
from .process import Process

_CONFIG = """
base_dir = {sockets}
state_dir = {folder}/state
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail
first_valid_uid = {uid}
first_valid_gid = {gid}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail
}}
"""


class Dovecot:
    user, password = "alice", "correct horse"

    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.port = free_port()
        uid, gid = (65534, 65534) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
        self.password = "correct-horse"
        mail = folder / "mail"
        mail.mkdir()
        os.chown(mail, uid, gid)
        for part in [folder, *folder.parents][:4]:  # what runs as the mail user must reach its mail
            if str(part).startswith("/tmp/") and part.stat().st_uid == os.geteuid():
                part.chmod(part.stat().st_mode | 0o011)
        # What it listens at has long names of its own, and a path of a socket has at most 107 bytes (unix(7)).
        self._sockets = tempfile.TemporaryDirectory(prefix="dovecot-", dir="/tmp")
        os.chmod(self._sockets.name, 0o755)
        config = folder / "dovecot.conf"
        config.write_text(_CONFIG.format(folder=folder, sockets=self._sockets.name, port=self.port, uid=uid, gid=gid, password=self.password))
        self.process = Process("dovecot", ["/usr/sbin/dovecot", "-F", "-c", config], folder)
        self.process.wait_for_port(self.port)

    def stop(self):
        self.process.stop()
        self._sockets.cleanup()
