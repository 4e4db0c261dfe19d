"""The tables of docs/performance.md, made from the samples of one run."""

import pathlib
import platform
import re
import socket
import statistics

from proxies import OURS


def ratios(row, samples):
    """(best peer, median, lower and upper quartile) of ours / best peer, each round by itself; None without both."""
    ours = samples.get(OURS)
    peers = {name: values for name, values in samples.items() if name != OURS and values}
    if not ours or not peers:
        return None
    pick = max if row.more_is_better else min
    best = pick(peers, key=lambda name: statistics.median(peers[name]))
    each = sorted(mine / theirs for mine, theirs in zip(ours, peers[best]))
    quartiles = statistics.quantiles(each, n=4, method="inclusive") if len(each) > 1 else each * 3
    return best, statistics.median(each), quartiles[0], quartiles[2]


def table(rows, results, names):
    """Markdown; `results` maps a row's key to {proxy: samples}."""
    lines = ["| Work | Unit | " + " | ".join(names) + " | Ratio to the best peer (middle half) | Target | Met |",
             "|---|---|" + "---:|" * len(names) + "---|---|---|"]
    for row in rows:
        if row.key not in results:
            continue
        samples = results[row.key]
        figures = [row.shown(statistics.median(samples[name])) if samples.get(name) else "–" for name in names]
        found = ratios(row, samples)
        ratio = f"{found[1]:.2f} of {found[0]} ({found[2]:.2f}–{found[3]:.2f})" if found else "–"
        lines.append(f"| {row.title} | {row.unit} | " + " | ".join(figures) +
                     f" | {ratio} | {row.target_text} | {met(row, samples, found)} |")
    return "\n".join(lines)


def met(row, samples, found):
    if row.target is None or not samples.get(OURS):
        return "–"
    if row.absolute:
        return "yes" if statistics.median(samples[OURS]) <= row.target else "**no**"
    if found is None:
        return "–"
    return "yes" if (found[1] >= row.target if row.more_is_better else found[1] <= row.target) else "**no**"


def machine(proxies):
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()

    def field(name):
        return re.search(rf"^{name}\s*:\s*(.*)$", cpuinfo, re.M)[1]

    kind = "virtual machine" if " hypervisor" in field("flags") else "machine"
    kernel = ".".join(platform.release().split(".")[:2])
    versions = {}
    for proxy in proxies:
        versions.setdefault(proxy.version, f"{proxy.name} {proxy.version_text()}")
    return (f"{cpuinfo.count('processor')}-CPU {kind}, {field('model name')} (family {field('cpu family')}, "
            f"model {field('model')}), Linux {kernel}; {', '.join(versions.values())}")


def congestion_control():
    """What connections over the loopback use."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as connected:
            return connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()


def summary(rounds, waiting, proxies):
    """The paragraph under the table. `waiting`: share of Lockgate's time that it waited for its CPU, if it ran."""
    text = f"{machine(proxies)}. TCP with {congestion_control()}. Medians of {rounds} interleaved rounds."
    if waiting is not None:
        text += (f" While it had work to do, Lockgate waited for its CPU, which other processes had, for {waiting:.0%} "
                 "of the time.")
    return text


def write(path, key, text):
    """Replaces what stands between the markers of this table, and nothing else."""
    begin, end = f"<!-- bench/run {key}: begin -->", f"<!-- bench/run {key}: end -->"
    page = path.read_text()
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise ValueError(f"{path} has no place for the table: {begin} ... {end}")
    head, rest = page.split(begin)
    path.write_text(f"{head}{begin}\n\n{text}\n\n{end}{rest.split(end)[1]}")
