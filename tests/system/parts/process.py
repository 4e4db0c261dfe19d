"""A program that a test started: its output goes to a file, and it is ended by its own process group."""
import ctypes
import os
import signal
import socket
import subprocess
import time

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def die_with_parent():
    """Run in the child: whatever happens to pytest, no server is left behind."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    def __init__(self, name, argv, folder, env=None, pass_fds=(), before_exec=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.argv = [str(word) for word in argv]
        self.log = folder / "output.log"

        def prepare():
            die_with_parent()
            if before_exec:
                before_exec()

        with open(self.log, "ab") as output:
            self.popen = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                          cwd=folder, env=env, pass_fds=pass_fds, start_new_session=True,
                                          preexec_fn=prepare)

    @property
    def pid(self):
        return self.popen.pid

    def output(self):
        return self.log.read_text(errors="replace")

    def is_running(self):
        return self.popen.poll() is None

    def wait_for_port(self, port, host="127.0.0.1", timeout=10.0):
        deadline = time.monotonic() + timeout
        while True:
            assert self.is_running(), f"{self.name} ended with {self.popen.returncode}:\n{self.output()}"
            try:
                socket.create_connection((host, port), timeout=1).close()
                return
            except OSError:
                assert time.monotonic() < deadline, f"{self.name} does not listen on {port}:\n{self.output()}"
                time.sleep(0.02)

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self, timeout=10.0):
        """The exit code; fails if the program is still there after `timeout`."""
        return self.popen.wait(timeout)

    def kill(self):
        """kill -9, children included."""
        self._signal_group(signal.SIGKILL)
        self.popen.wait(5)

    def stop(self, timeout=5.0):
        if self.is_running():
            self.popen.terminate()
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                pass
        self._signal_group(signal.SIGKILL)
        self.popen.wait(5)

    def _signal_group(self, number):
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass
