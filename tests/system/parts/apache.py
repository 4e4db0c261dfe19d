"""Apache httpd as a server behind Lockgate: it has files, and tells by fields what it was asked.

Started as root it becomes `nobody`, who has to reach its folder.
"""
from .ports import free_port
from .process import Process

_MODULES = ("mpm_event", "authz_core", "mime", "headers", "deflate", "filter", "alias")

_CONFIG = """
ServerRoot {folder}
PidFile {folder}/apache.pid
Mutex file:{folder}
ErrorLog {folder}/error.log
{modules}
CustomLog {folder}/access.log "%r"
User nobody
Group nogroup
ServerName {name}
Listen 127.0.0.1:{port}
TypesConfig /dev/null
AddType text/plain .txt
StartServers 1
ServerLimit 1
ThreadsPerChild 25
MaxRequestWorkers 25
KeepAliveTimeout {keepalive}
MaxKeepAliveRequests {requests}
DocumentRoot {folder}/files
AddOutputFilterByType DEFLATE text/plain
Header always set X-Server {name}
Header always set X-Via expr=%{{req:Via}}
Header always set X-Client expr=%{{req:X-Forwarded-For}}
Redirect /moved /there
<Directory {folder}/files>
  Require all granted
</Directory>
{lines}
"""

_TLS = """
SSLEngine on
SSLCertificateFile {chain}
SSLCertificateKeyFile {key}
"""


class Apache:
    """`keepalive`: seconds for which it keeps a connection; `requests`: how many it serves on one. With a
    `certificate` it speaks TLS. `modules` and `lines` are added to its configuration."""

    def __init__(self, folder, name, keepalive=5, requests=100, certificate=None, modules=(), lines=""):
        self.folder, self.name, self.port = folder, name, free_port()
        self.address = f"127.0.0.1:{self.port}"
        (folder / "files").mkdir(parents=True)
        folder.chmod(0o777)
        modules = (*_MODULES, *modules)
        if certificate:
            modules = (*modules, "socache_shmcb", "ssl")
            lines += _TLS.format(chain=certificate.chain, key=certificate.key)
        config = folder / "apache.conf"
        config.write_text(_CONFIG.format(
            folder=folder, name=name, port=self.port, keepalive=keepalive, requests=requests, lines=lines,
            modules="\n".join(f"LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so"
                              for module in modules)))
        self._argv = ["/usr/sbin/apache2", "-DFOREGROUND", "-f", config]
        self.start()

    def start(self):
        self.process = Process("apache", self._argv, self.folder)
        self.process.wait_for_port(self.port)

    def put_file(self, name, content):
        """A file; its path in a URL."""
        (self.folder / "files" / name).write_bytes(content)
        return f"/{name}"

    def requests(self, beginning=""):
        """The first lines of the requests it has answered, of those that begin so."""
        log = self.folder / "access.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if line.startswith(beginning)]

    def stop(self):
        self.process.stop()
