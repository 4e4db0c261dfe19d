"""The proxies that are compared: how each is started on its CPU, and what its processes cost.

A new one is an entry in PASSTHROUGH, TLS or HTTP and a file in peers/. In that file @PORT@ is where the proxy
listens, @ORIGIN@ the origin's port, @INNER@ a port for itself, @RUN@ a folder of its own, @CERTIFICATE@ a file with
certificate and key, and @USER@ and @GROUP@ who runs all this. A line that begins with another word of this kind
belongs only to settings that have it: @LOG@ and @QUIET@ (with access logging and without), @TERMINATE@ and
@REENCRYPT@, or for HTTP @PLAIN@ and @TLS@ (towards clients), @TOPLAIN@ and @TOTLS@ (towards the origin), @WHOLE@
and @ROUTED@ (without routes and with them). One that begins with @EACH@ is there once for each route, with @NUMBER@
for its number.
"""

import dataclasses
import grp
import os
import pathlib
import pwd
import random
import re
import resource
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
OURS = "Lockgate"
LOCKGATE = os.environ.get("LOCKGATE", str(HERE.parent / "build/release/lockgate"))
USER = "jane:$2y$05$Ly1m4hhkFBfjCXt6XoLDQ.LGySuxqTSC//7drxzN879u8Q7Yaa/6G\n"  # bcrypt as htpasswd -B makes it
DESCRIPTORS = 16384  # HAProxy counts two and a half for each of its maxconn


class BenchError(Exception):
    """Something that makes the figures worthless; the run ends with its text."""


@dataclasses.dataclass(frozen=True)
class Proxy:
    name: str
    config: str  # in peers/
    command: tuple[str, ...]  # @CONFIG@ and @RUN@ are replaced
    version: tuple[str, ...]
    log: str = "access.log"  # in its folder
    cannot: tuple[str, ...] = ()  # settings
    others: tuple[str, ...] = ()  # more files in peers/ that it reads from its folder

    def installed(self):
        return any(os.access(os.path.join(folder, self.command[0]), os.X_OK)
                   for folder in [*os.get_exec_path(), "/usr/sbin"])

    def version_text(self):
        told = subprocess.run(self.version, capture_output=True, text=True, timeout=10)
        found = re.search(r"\d+\.\d+(\.\d+)?", told.stdout + told.stderr)
        return found.group() if found else "of unknown version"


NGINX = ("nginx", "-p", "@RUN@", "-e", "@RUN@/start.log", "-c", "@CONFIG@"), ("nginx", "-v")
HAPROXY = ("haproxy", "-db", "-f", "@CONFIG@"), ("haproxy", "-v")
HTTPD = ("apache2", "-DFOREGROUND", "-f", "@CONFIG@"), ("apache2", "-v")
H2O = ("h2o", "-c", "@CONFIG@"), ("h2o", "--version")
LOCKGATE_RUN = (LOCKGATE, "run", "-c", "@CONFIG@"), (LOCKGATE, "version")

PASSTHROUGH = [
    Proxy(OURS, "lockgate.yaml", *LOCKGATE_RUN),
    Proxy("nginx", "nginx.conf", *NGINX),
    Proxy("HAProxy", "haproxy.conf", *HAPROXY, log="output"),
    Proxy("HAProxy, splicing", "haproxy-splicing.conf", *HAPROXY, log="output"),
    Proxy("sniproxy", "sniproxy.conf", ("sniproxy", "-f", "-n", "16384", "-c", "@CONFIG@"), ("sniproxy", "-V")),
]
TLS = [
    Proxy(OURS, "tls/lockgate.yaml", *LOCKGATE_RUN),
    Proxy("nginx", "tls/nginx.conf", *NGINX),
    Proxy("HAProxy", "tls/haproxy.conf", *HAPROXY),
    Proxy("hitch", "tls/hitch.conf", ("hitch", "--config=@CONFIG@"), ("hitch", "--version"), cannot=("reencrypt",)),
    Proxy("stunnel", "tls/stunnel.conf", ("stunnel4", "@CONFIG@"), ("stunnel4", "-version")),
]
HTTP = [
    Proxy(OURS, "http/lockgate.yaml", *LOCKGATE_RUN),
    Proxy("nginx", "http/nginx.conf", *NGINX),
    Proxy("HAProxy", "http/haproxy.conf", *HAPROXY, log="output", others=("http/haproxy-routes.map",)),
    Proxy("HAProxy, splicing", "http/haproxy-splicing.conf", *HAPROXY,
          cannot=("https", "https-again", "http-logging", "http-10-routes", "http-10000-routes")),
    Proxy("Apache httpd", "http/httpd.conf", *HTTPD),
    Proxy("h2o", "http/h2o.conf", *H2O),
]


class Running:
    """A proxy that is up, with all processes and threads it started."""

    def __init__(self, proxy, folder, setting, origin, certificate, cpus, workers=1):
        self.proxy = proxy
        self.port = free_port()
        self.folder = folder
        folder.mkdir()
        words = {"PORT": self.port, "ORIGIN": origin, "INNER": free_port(), "RUN": folder, "CERTIFICATE": certificate,
                 "WORKERS": workers, "USER": pwd.getpwuid(os.getuid()).pw_name,
                 "GROUP": grp.getgrgid(os.getgid()).gr_name}
        if setting.networks:
            write_networks(folder / "networks", setting.networks)
        if setting.bans:
            write_bans(folder / "state", setting.bans)
        if setting.users:
            (folder / "users").write_text(USER)
        for name in (*proxy.others, proxy.config):
            config = folder / pathlib.Path(name).name
            config.write_text(filled((HERE / "peers" / name).read_text(), setting, words))
        command = [part.replace("@CONFIG@", str(config)).replace("@RUN@", str(folder)) for part in proxy.command]
        with open(folder / "output", "wb") as output:
            self._process = pinned(command, cpus, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            self._await_port()
        except BenchError:
            self.stop()
            raise

    def _await_port(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise BenchError(f"{self.proxy.name} did not start:\n{(self.folder / 'output').read_text(errors='replace')}")

    def check_alive(self):
        if self._process.poll() is not None:
            raise BenchError(f"{self.proxy.name} ended with status {self._process.returncode}")

    def pids(self):
        found = [self._process.pid]
        for pid in found:
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                try:
                    found += [int(child) for child in (task / "children").read_text().split()]
                except (FileNotFoundError, ProcessLookupError):
                    pass  # a thread that has ended just now
        return found

    def cpu(self):
        """(ran, waited): seconds that all threads together ran, and waited for a CPU that others had.

        Threads that have ended count in the first, but not in the second.
        """
        ran = waited = 0
        for pid in self.pids():
            ran += time.clock_gettime_ns(cpu_clock(pid))
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                try:
                    waited += int((task / "schedstat").read_text().split()[1])
                except (FileNotFoundError, ProcessLookupError):
                    pass  # a thread that has ended just now
        return ran / 1e9, waited / 1e9

    def settled_cpu(self):
        """cpu() once the proxy has nothing left to do: a running thread's time is not up to date."""
        before = self.cpu()
        for _ in range(100):
            time.sleep(0.02)
            now = self.cpu()
            if now[0] - before[0] < 50e-6:
                return now
            before = now
        raise BenchError(f"{self.proxy.name} keeps its CPU busy with nothing to do")

    def memory(self):
        """Bytes of RAM, shared pages divided among those that share them (PSS)."""
        kib = 0
        for pid in self.pids():
            kib += int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1])
        return kib * 1024

    def logged_lines(self):
        with open(self.folder / self.proxy.log, "rb") as log:
            return sum(1 for _ in log)

    def stop(self):
        if self._process.poll() is not None:
            return
        whole = self.pids()
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            for pid in whole:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self._process.wait(timeout=5)


def write_bans(folder, count):
    """Random clients, half of them IPv4, that are banned for good."""
    rng = random.Random(2)
    folder.mkdir()
    with open(folder / "bans", "w") as out:
        out.write("lockgate bans 1\n")
        for number in range(count // 2):
            out.write(f"{rng.randrange(128, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}"
                      "/32 0 - 1 bench\n")
            out.write(f"2001:{rng.getrandbits(16):x}:{rng.getrandbits(16):x}:{rng.getrandbits(16):x}::/64 0 - 1 bench\n")


def write_networks(file, count):
    """Random networks, half of them IPv4 (/24 to /32) and half IPv6 (/32 to /64)."""
    rng = random.Random(1)
    with open(file, "w") as out:
        for number in range(count // 2):
            out.write(f"{rng.randrange(128, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}"
                      f"/{rng.randrange(24, 33)}\n")
            out.write(f"2{rng.getrandbits(12):03x}:{rng.getrandbits(16):x}:{rng.getrandbits(16):x}:"
                      f"{rng.getrandbits(16):x}::/{rng.randrange(32, 65)}\n")


def filled(text, setting, words):
    """A peer's file for one setting, each word in its place."""
    lines = []
    for line in text.splitlines():
        copies = [words]
        while (marked := re.match("@([A-Z]+)@", line)) and marked[1] not in words:
            line = line[marked.end():]
            if marked[1] == "EACH":
                copies = [{**words, "NUMBER": f"{number:05}"} for number in range(setting.routes)]
            elif marked[1] not in setting.word.split():
                copies = []
        lines += [with_words(line, copy) for copy in copies]
    return "\n".join(lines) + "\n"


def with_words(line, words):
    return re.sub("@([A-Z]+)@", lambda found: str(words[found[1]]) if found[1] in words else found[0], line)


def cpu_clock(pid):
    """The clock of the CPU time of a process, its past threads included (clock_getcpuclockid(3))."""
    return (~pid << 3) | 2


def pinned(command, cpus, **options):
    """Starts a command on these CPUs, with Debian's sbin in the path and enough descriptors."""
    environment = {**os.environ, "PATH": os.environ.get("PATH", "/usr/bin") + ":/usr/sbin"}
    return subprocess.Popen(command, env=environment, preexec_fn=lambda: os.sched_setaffinity(0, cpus), **options)


def raise_descriptor_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < DESCRIPTORS:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
        except (ValueError, PermissionError):
            raise BenchError(f"needs {DESCRIPTORS} descriptors (ulimit -Hn) and may not raise the limit of {hard}")
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))


_next_port = 21000  # below the ports that the kernel gives to clients


def free_port():
    global _next_port
    while _next_port < 32000:
        _next_port += 1
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", _next_port))
                return _next_port
            except OSError:
                continue
    raise BenchError("no free port between 21000 and 32000")
