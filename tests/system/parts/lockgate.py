"""The program under test, run with a configuration of the test and asked about what it did.

A configuration is YAML with $names: $port is the gate's main port, $admin its admin port, $folder a folder of its
own; other names are given by the test. What a test does not write is added so that it can look inside: the admin
address, the control socket, an access log in JSON (in a file), an error log on stderr, and a short drain.
"""
import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from string import Template

from .client_hello import hello
from .metrics import Metrics
from .ports import free_port
from .process import Process
from .sockets import connect
from .waiting import wait_until

BINARY = Path(os.environ.get("LOCKGATE", Path(__file__).resolve().parents[3] / "build/release/lockgate")).resolve()

_ADDED = {
    "workers": "workers: 2",
    "log": "log: { level: debug }",
    "admin": 'admin: { bind: "127.0.0.1:$admin", control_socket: $folder/control.sock }',
    "drain": "drain: { deadline: 1s }",
    "defaults": "defaults:\n  access_log: { to: $folder/access.log, format: json }",
}


def run_command(*words, timeout=10, **more):
    """A command that ends by itself."""
    return subprocess.run([str(BINARY), *map(str, words)], capture_output=True, text=True, timeout=timeout, **more)


class Lockgate:
    def __init__(self, folder, text, **values):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.config = folder / "lockgate.yaml"
        self.port, self.admin_port = free_port(), free_port()
        self._values = {"port": self.port, "admin": self.admin_port, "folder": folder} | values
        self._lines, self._read, self._passed_over = [], 0, 0
        self.process, self.binary = None, BINARY
        self.write(text)

    # Its life.

    def write(self, text, **values):
        """Writes the configuration file; takes effect at start or reload."""
        self._values |= values
        self.config.write_text(self.complete(text))

    def complete(self, text):
        """`text` with its $names filled in and with what every test wants."""
        given = set(re.findall(r"^(\w+):", text, re.MULTILINE))
        for key, line in _ADDED.items():
            if key not in given:
                text = f"{line}\n{text}"
        if "defaults" in given:
            text = re.sub(r"^defaults:\n", _ADDED["defaults"] + "\n", text, count=1, flags=re.MULTILINE)
        return Template(text).substitute(self._values)

    def start(self, wait=True, **more):
        self.process = Process("lockgate", [self.binary, "run", "-c", self.config], self.folder, **more)
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self):
        def ready():
            assert self.process.is_running(), f"ended with {self.process.popen.returncode}:\n{self.process.output()}"
            return self.health() == 200

        wait_until(ready, "lockgate gets ready", timeout=15)

    def signal(self, number):
        self.process.signal(number)

    def stop(self):
        """Ends it, and fails if it had ended by itself or crashes now."""
        if not self.process:
            return
        if self.process.is_running():
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGTERM)
        try:
            code = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError("two SIGTERMs did not end it") from None
        said = self.process.output()  # sanitizers end it with 1, too
        assert code in (0, 1) and "Sanitizer" not in said, f"lockgate ended with {code}:\n{said[-5000:]}"

    def tell(self):
        """Prints all that is known; pytest shows it when a test fails."""
        print(f"--- {self.config}\n{self.config.read_text()}")
        if self.process:
            print(f"--- stderr of lockgate\n{self.process.output()[-8000:]}")
        if self.access_log_file().exists():
            print(f"--- access log\n{self.access_log_file().read_text()[-8000:]}")

    # Its commands and its admin address.

    def command(self, *words, **more):
        return run_command(*words, "-c", self.config, **more)

    def reload(self, text=None, **values):
        """Reloads by command; with `text`, that configuration. Fails if it is refused."""
        if text is not None:
            self.write(text, **values)
        done = self.command("reload")
        assert done.returncode == 0, f"reload: {done.stdout}{done.stderr}"

    def get(self, path, timeout=5):
        """(status, body) of the admin address."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self.admin_port}{path}", timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def health(self):
        """The status of /health, None where nobody answers."""
        try:
            return self.get("/health")[0]
        except (OSError, urllib.error.URLError):
            return None

    def metrics(self):
        status, text = self.get("/metrics")
        assert status == 200
        return Metrics(text)

    def status(self):
        status, text = self.get("/status")
        assert status == 200
        return json.loads(text)

    # Its logs.

    def access_log_file(self):
        return self.folder / "access.log"

    def access_log(self):
        """All lines so far, in order, each a dict."""
        file = self.access_log_file()
        if file.exists():
            with open(file, "rb") as log:
                log.seek(self._read)
                new = log.read()
            new = new[:new.rfind(b"\n") + 1]  # the rest is being written
            self._read += len(new)
            self._lines += [json.loads(line) for line in new.splitlines()]
        return self._lines

    def next_line(self, timeout=5.0):
        """The next line of the access log that was not yet asked for.

        Connections that end at about the same time are logged in any order: they may have different workers.
        """
        wait_until(lambda: len(self.access_log()) > self._passed_over, "a line in the access log", timeout)
        self._passed_over += 1
        return self._lines[self._passed_over - 1]

    def line_of(self, **fields):
        """The first line with these fields, of whichever connection."""
        def found():
            return [line for line in self.access_log() if fields.items() <= line.items()]

        return wait_until(found, f"a line with {fields} in the access log")[0]

    def next_lines(self, count, timeout=5.0):
        """So many next lines, in the order in which their connections came."""
        return sorted((self.next_line(timeout) for _ in range(count)), key=lambda line: int(line["connection"], 16))

    def wait_for_message(self, pattern, timeout=5.0):
        """Waits until the error log has something that matches the regular expression; the match."""
        return wait_until(lambda: re.search(pattern, self.process.output()), f"a message like {pattern!r}", timeout)

    # Its clients.

    def connect(self, **where):
        return connect(self.port, **where)

    def open(self, name=None, **where):
        """A connection on which a ClientHello for `name` has been sent."""
        sock = self.connect(**where)
        sock.sendall(hello(name))
        return sock
