"""What the kernel knows about a process: memory, CPU time, descriptors, rights."""
import os
from pathlib import Path


def status(pid, thread=None):
    """The fields of /proc/PID/status, of the process or of one thread."""
    file = Path(f"/proc/{pid}/task/{thread}/status" if thread else f"/proc/{pid}/status")
    return dict(line.split(":\t", 1) for line in file.read_text().splitlines() if ":\t" in line)


def threads(pid):
    return os.listdir(f"/proc/{pid}/task")


def memory(pid):
    """Resident bytes."""
    return int(status(pid)["VmRSS"].split()[0]) * 1024


def cpu_seconds(pid):
    """CPU time of all threads so far (schedstat counts nanoseconds)."""
    return sum(int(Path(f"/proc/{pid}/task/{thread}/schedstat").read_text().split()[0])
               for thread in threads(pid)) / 1e9


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def listening_sockets(pid):
    """The inodes of the TCP sockets on which a process listens, by port."""
    inodes = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A":
                inodes[f"socket:[{words[9]}]"] = int(words[1].rpartition(":")[2], 16)
    found = {}
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(descriptor)
        except OSError:
            continue
        if target in inodes:
            found.setdefault(inodes[target], set()).add(target)
    return found
