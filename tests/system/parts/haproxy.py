"""HAProxy in front of Lockgate: a TCP balancer that says with PROXY v1 or v2 whom it speaks for."""
from .ports import free_port
from .process import Process

_CONFIG = """
global
  maxconn 500
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
listen front
  bind 127.0.0.1:{port}
  bind [::1]:{port}
  server lockgate {to} {header}
"""


class HAProxy:
    def __init__(self, folder, to, header="send-proxy-v2"):
        folder.mkdir(parents=True)
        self.port = free_port()
        config = folder / "haproxy.cfg"
        config.write_text(_CONFIG.format(port=self.port, to=to, header=header))
        self.process = Process("haproxy", ["/usr/sbin/haproxy", "-db", "-f", config], folder)
        self.process.wait_for_port(self.port)

    def stop(self):
        self.process.stop()
