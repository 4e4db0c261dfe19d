"""The proxies that are compared: how each is started on its CPU, and what its processes cost.

A new one is an entry in PROXIES and a file in peers/. In that file @PORT@ is where the proxy listens, @ORIGIN@ the
origin's port and @RUN@ a folder of its own; lines that begin with @LOG@ belong to the set-up with access logging
only, those with @QUIET@ to the one without.
"""

import dataclasses
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
OURS = "Lockgate"
LOCKGATE = os.environ.get("LOCKGATE", str(HERE.parent / "build/release/lockgate"))
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

    def installed(self):
        return any(os.access(os.path.join(folder, self.command[0]), os.X_OK)
                   for folder in [*os.get_exec_path(), "/usr/sbin"])

    def version_text(self):
        told = subprocess.run(self.version, capture_output=True, text=True, timeout=10)
        found = re.search(r"\d+\.\d+(\.\d+)?", told.stdout + told.stderr)
        return found.group() if found else "of unknown version"


PROXIES = [
    Proxy(OURS, "lockgate.yaml", (LOCKGATE, "run", "-c", "@CONFIG@"), (LOCKGATE, "version")),
    Proxy("nginx", "nginx.conf", ("nginx", "-p", "@RUN@", "-e", "@RUN@/start.log", "-c", "@CONFIG@"), ("nginx", "-v")),
    Proxy("HAProxy", "haproxy.conf", ("haproxy", "-db", "-f", "@CONFIG@"), ("haproxy", "-v"), log="output"),
    Proxy("HAProxy, splicing", "haproxy-splicing.conf", ("haproxy", "-db", "-f", "@CONFIG@"), ("haproxy", "-v"),
          log="output"),
    Proxy("sniproxy", "sniproxy.conf", ("sniproxy", "-f", "-n", "16384", "-c", "@CONFIG@"), ("sniproxy", "-V")),
]


class Running:
    """A proxy that is up, with all processes and threads it started."""

    def __init__(self, proxy, folder, cpu, origin, logging=False):
        self.proxy = proxy
        self.port = free_port()
        self.folder = folder
        folder.mkdir(parents=True)
        config = folder / proxy.config
        config.write_text(self._filled((HERE / "peers" / proxy.config).read_text(), origin, logging))
        command = [part.replace("@CONFIG@", str(config)).replace("@RUN@", str(folder)) for part in proxy.command]
        with open(folder / "output", "wb") as output:
            self._process = pinned(command, cpu, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            self._await_port()
        except BenchError:
            self.stop()
            raise

    def _filled(self, text, origin, logging):
        kept, dropped = ("@LOG@", "@QUIET@") if logging else ("@QUIET@", "@LOG@")
        lines = [line.removeprefix(kept) for line in text.splitlines() if not line.startswith(dropped)]
        filled = "\n".join(lines) + "\n"
        for word, value in {"@PORT@": self.port, "@ORIGIN@": origin, "@RUN@": self.folder}.items():
            filled = filled.replace(word, str(value))
        return filled

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
                found += [int(child) for child in (task / "children").read_text().split()]
        return found

    def cpu(self):
        """(ran, waited): seconds that all threads together ran, and waited for a CPU that others had."""
        ran = waited = 0
        for pid in self.pids():
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                fields = (task / "schedstat").read_text().split()
                ran += int(fields[0])
                waited += int(fields[1])
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


def pinned(command, cpu, **options):
    """Starts a command on one CPU, with Debian's sbin in the path and enough descriptors."""
    environment = {**os.environ, "PATH": os.environ.get("PATH", "/usr/bin") + ":/usr/sbin"}
    return subprocess.Popen(command, env=environment, preexec_fn=lambda: os.sched_setaffinity(0, {cpu}), **options)


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
