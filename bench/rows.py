"""The rows of the tables: what work is done, how it is measured, and what is aimed at."""

import contextlib
import dataclasses
import signal
import time
from collections.abc import Callable

import proxies
from proxies import BenchError, OURS

GIGABYTE = 1e9
BULK_ANSWER = 64 * 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Setting:
    """A set-up of the proxies, and what precedes the requests at their origin (see bench/load.cc)."""
    word: str  # marks the lines of a peer's file that belong to this set-up; or several words
    origin: str
    checks_names: bool = True  # a proxy that looks at names; whether it does is tried
    logs: bool = False
    routes: int = 0  # in HTTP; whether a proxy refuses what none of them takes is tried
    networks: int = 0  # in a file, of random addresses but none of this machine
    bans: int = 0  # of random addresses, the same
    users: bool = False  # a file of them is there


SETTINGS = {
    "quiet": Setting("QUIET", "hello"),
    "logging": Setting("LOG", "hello", logs=True),
    "terminate": Setting("TERMINATE", "plain", checks_names=False),
    "reencrypt": Setting("REENCRYPT", "tls", checks_names=False),
    "http": Setting("PLAIN TOPLAIN QUIET WHOLE", "http", checks_names=False),
    "https": Setting("TLS TOPLAIN QUIET WHOLE", "http", checks_names=False),
    "https-again": Setting("TLS TOTLS QUIET WHOLE", "https", checks_names=False),
    "http-logging": Setting("PLAIN TOPLAIN LOG WHOLE", "http", checks_names=False, logs=True),
    "http-listed": Setting("PLAIN TOPLAIN QUIET WHOLE LISTED", "http", checks_names=False, networks=1_000_000),
    "http-banned": Setting("PLAIN TOPLAIN QUIET WHOLE", "http", checks_names=False, bans=100_000),
    "http-signed-in": Setting("PLAIN TOPLAIN QUIET WHOLE SIGNED", "http", checks_names=False, users=True),
    "http-rated": Setting("PLAIN TOPLAIN QUIET WHOLE RATED", "http", checks_names=False),
    "http-10-routes": Setting("PLAIN TOPLAIN QUIET ROUTED", "http", checks_names=False, routes=10),
    "http-10000-routes": Setting("PLAIN TOPLAIN QUIET ROUTED", "http", checks_names=False, routes=10000),
}


@dataclasses.dataclass(frozen=True)
class Row:
    key: str
    title: str
    unit: str
    measure: Callable  # (bench, row, proxy) -> sample
    work: tuple  # arguments of bench/load behind opening and port: mode, connections, answer, count, [last]
    of: Callable = None  # (CPU seconds, count) -> sample
    shown: Callable = "{:.1f}".format
    target: float | None = None  # of the ratio, or of the figure itself if absolute
    absolute: bool = False
    more_is_better: bool = False
    opening: str = "hello"  # as in bench/load.cc
    setting: str = "quiet"
    against: str | None = None  # a second setting, for a row that compares two
    only_ours: bool = False

    @property
    def target_text(self):
        if self.target is None:
            return "–"
        sign = "≥" if self.more_is_better else "≤"
        return f"{sign} {self.target:g}" + (f" {self.unit}" if self.absolute else "")

    def measures(self, proxy):
        return proxy.name == OURS if self.only_ours else self.setting not in proxy.cannot


@dataclasses.dataclass(frozen=True)
class Table:
    key: str
    compared: list
    rows: list

    def with_rows(self, keys):
        """The same with these rows only, if any are given."""
        return dataclasses.replace(self, rows=[row for row in self.rows if not keys or row.key in keys])

    def without(self, names):
        """The same without these proxies, named in lower case."""
        return dataclasses.replace(self, compared=[one for one in self.compared if one.name.lower() not in names])


def cpu(bench, row, proxy):
    """A sample of CPU time: the client's work, and nothing before or after it."""
    running = bench.up(row.setting)[proxy.name]
    with bench.client(row, running) as client:
        before = running.settled_cpu()
        count = client.work()
        after = running.settled_cpu()
    if proxy.name == OURS:  # threads of others wait for each other, too
        bench.ran += after[0] - before[0]
        bench.waited += after[1] - before[1]
    return row.of(after[0] - before[0], count)


def memory(bench, row, proxy):
    """A sample of the growth by idle connections of a new process, after some work has set up what is set up late."""
    with bench.started(proxy, row.setting) as running:
        with bench.client(dataclasses.replace(row, work=("connect", 16, 1024, 256, 1)), running) as client:
            client.work()
        running.settled_cpu()
        before = running.memory()
        with bench.client(row, running) as client:
            time.sleep(1)
            running.settled_cpu()
            grown = running.memory() - before
            client.work()  # the connections must still be there
        return grown / 1024 / bench.scaled(row.work)[1]


def system_calls(bench, row, proxy):
    """A sample of system calls, counted by the kernel in a run that measures nothing else."""
    running = bench.up(row.setting)[proxy.name]
    counts = running.folder / "system-calls"
    with bench.client(row, running) as client:
        running.settled_cpu()
        counter = proxies.pinned(["perf", "stat", "-x", ",", "-o", counts, "-e", "raw_syscalls:sys_enter",
                                  "-p", ",".join(map(str, running.pids()))], {bench.load_cpu})
        time.sleep(0.5)
        count = client.work()
        running.settled_cpu()
        counter.send_signal(signal.SIGINT)
        counter.wait(timeout=10)
    figures = [line.split(",")[0] for line in counts.read_text().splitlines() if "sys_enter" in line]
    if not figures or not figures[0].isdigit():
        raise BenchError("perf could not count system calls (package linux-perf; needs root)")
    return row.of(int(figures[0]), count)


def two_workers(bench, row, proxy):
    """What a process with two workers costs, as a multiple of two processes with one worker each.

    Both have two CPUs and share the connections alike, so what differs is what workers cost each other.
    """
    return cost_of(bench, row, proxy, processes=1, workers=2) / cost_of(bench, row, proxy, processes=2, workers=1)


def cost_of(bench, row, proxy, processes, workers):
    """CPU seconds per unit of work of several processes that have it by turns."""
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(bench.started(proxy, row.setting, cpus=bench.two_cpus, workers=workers))
                   for _ in range(processes)]
        for _ in range(2):  # the first time sets up what is set up late
            with bench.client(row, *running) as client:
                before = [one.settled_cpu()[0] for one in running]
                count = client.work()
                spent = [one.settled_cpu()[0] - ran for one, ran in zip(running, before)]
        return sum(spent) / count


def microseconds(seconds, count):
    return seconds / count * 1e6


def per_gigabyte(seconds, count):
    return seconds / (count * BULK_ANSWER / GIGABYTE)


PASSTHROUGH = Table("passthrough", proxies.PASSTHROUGH, [
    Row("small", "Relay, 1 KB answers", "µs/request", cpu, ("relay", 64, 1024, 30000), microseconds,
        "{:.2f}".format, target=0.93),
    Row("large", "Relay, 64 KB answers", "µs/request", cpu, ("relay", 16, 65536, 12000), microseconds),
    Row("bulk", "Relay, bulk", "CPU-s/GB", cpu, ("relay", 4, BULK_ANSWER, 12), per_gigabyte, "{:.3f}".format,
        target=0.70),
    Row("connect", "New connections", "per CPU-s", cpu, ("connect", 32, 1024, 4000, 0),
        lambda seconds, count: count / seconds, "{:,.0f}".format, target=1.1, more_is_better=True),
    Row("logged", "Access logging on: connections of 10 requests, 1 KB answers", "µs/request", cpu,
        ("connect", 32, 1024, 2000, 10), lambda seconds, count: microseconds(seconds, count * 10), "{:.2f}".format,
        setting="logging"),
    Row("idle", "An idle pair of connections", "KiB", memory, ("relay", 3000, 1024, 3000), None, "{:.2f}".format,
        target=2, absolute=True),
    Row("calls", "System calls, 1 KB answers", "per request", system_calls, ("relay", 64, 1024, 30000),
        lambda calls, count: calls / count),
])


def tls_row(key, title, unit, measure, work, *more, opening="tls1.3", setting="terminate", **options):
    return Row(key, title, unit, measure, work, *more, opening=opening, setting=setting, **options)


TLS = Table("tls", proxies.TLS, [
    tls_row("tls-small", "Terminate, 1 KB answers", "µs/request", cpu, ("relay", 64, 1024, 30000), microseconds,
            "{:.2f}".format, target=0.95),
    tls_row("tls-bulk", "Terminate, bulk", "CPU-s/GB", cpu, ("relay", 4, BULK_ANSWER, 12), per_gigabyte,
            "{:.3f}".format, target=0.75),
    tls_row("tls-new", "Full handshake, TLS 1.3", "µs/connection", cpu, ("connect", 32, 64, 2000, 1), microseconds,
            "{:.0f}".format, target=0.95),
    tls_row("tls-new-1.2", "Full handshake, TLS 1.2", "µs/connection", cpu, ("connect", 32, 64, 2000, 1),
            microseconds, "{:.0f}".format, opening="tls1.2"),
    tls_row("tls-resumed", "Resumed handshake, TLS 1.3", "µs/connection", cpu, ("connect", 32, 64, 2000, 1),
            microseconds, "{:.0f}".format, opening="resumed"),
    tls_row("tls-idle", "An idle terminated connection", "KiB", memory, ("relay", 2000, 1024, 2000), None,
            "{:.1f}".format, target=15, absolute=True),
    tls_row("tls-again-small", "Re-encrypt, 1 KB answers", "µs/request", cpu, ("relay", 64, 1024, 30000),
            microseconds, "{:.2f}".format, setting="reencrypt"),
    tls_row("tls-again-bulk", "Re-encrypt, bulk", "CPU-s/GB", cpu, ("relay", 4, BULK_ANSWER, 12), per_gigabyte,
            "{:.3f}".format, target=0.80, setting="reencrypt"),
    tls_row("tls-workers", "Full handshake, two workers against one", "times", two_workers,
            ("connect", 32, 64, 2000, 1), None, "{:.2f}".format, target=1.05, absolute=True,
            only_ours=True),
])

TABLES = [PASSTHROUGH, TLS]
