"""nginx as a server behind Lockgate: it says its name, which client it believes to talk to, and what it sees of TLS.

One process without a master, so that kill -9 leaves nothing behind.
"""
from .ports import free_port
from .process import Process

_CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr info;
events {{ worker_connections 512; }}
http {{
  log_format who '$proxy_protocol_addr $remote_addr "$request" $status';
  access_log {folder}/access.log who;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen {address} {flags};
    server_name {name};
    {certificate}
    default_type text/plain;
    location / {{
      return 200 "server={name}\\nhost=$host\\nclient=$proxy_protocol_addr\\nremote=$remote_addr\\n{told}";
    }}
    location /files/ {{
      root {folder};
      limit_rate {rate};
    }}
  }}
}}
"""
_TOLD = ("http=$server_protocol\\ntls=$ssl_protocol\\nsni=$ssl_server_name\\nalpn=$ssl_alpn_protocol\\n"
         "reused=$ssl_session_reused\\nverified=$ssl_client_verify\\nsubject=$ssl_client_s_dn\\n")


class Nginx:
    """`certificate` absent: plain HTTP; one, or several of different kinds. `proxy_protocol`: every connection must
    open with a PROXY header. `lines` are further directives."""

    def __init__(self, folder, name, certificate=None, proxy_protocol=False, host="127.0.0.1", port=None, rate="0",
                 protocols="TLSv1.2 TLSv1.3", http2=False, lines=""):
        self.folder, self.name = folder, name
        self.port = port or free_port()
        self.host = host
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        (folder / "files").mkdir(parents=True, exist_ok=True)
        flags = " ".join(flag for flag, wanted in
                         (("ssl", certificate), ("http2", http2), ("proxy_protocol", proxy_protocol)) if wanted)
        for one in certificate if isinstance(certificate, (list, tuple)) else [certificate] if certificate else []:
            lines += f"\n    ssl_certificate {one.chain}; ssl_certificate_key {one.key};"
        if certificate:
            lines += f"\n    ssl_protocols {protocols};"
        config = folder / "nginx.conf"
        config.write_text(_CONFIG.format(folder=folder, name=name, address=self.address, flags=flags,
                                         certificate=lines, rate=rate, told=_TOLD))
        self._argv = ["/usr/sbin/nginx", "-p", folder, "-c", config, "-e", "stderr"]
        self.start()

    def start(self):
        self.process = Process("nginx", self._argv, self.folder)
        self.process.wait_for_port(self.port, self.host)

    def put_file(self, name, size):
        """A file of `size` bytes under /files/; its path in a URL."""
        with open(self.folder / "files" / name, "wb") as file:
            file.truncate(size)
        return f"/files/{name}"

    def access_log(self):
        return (self.folder / "access.log").read_text()

    def stop(self):
        self.process.stop()
