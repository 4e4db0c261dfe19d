"""Minutes of all that HTTP can bring at once, against the binary with sanitizers (LOCKGATE_ASAN) if there is one.

LOCKGATE_SOAK_MINUTES says how long, 5 if nothing does.
"""
import os
import signal
from pathlib import Path

import pytest

from parts import proc
from parts.mixed_run import MixedRun, figures, sanitized
from parts.waiting import wait_until

MINUTES = float(os.environ.get("LOCKGATE_SOAK_MINUTES", "5"))
ASAN = os.environ.get("LOCKGATE_ASAN")


@pytest.mark.bounded(int(MINUTES * 60) + 300)
def test_minutes_of_mixed_traffic_leave_nothing_behind(lockgate, authority, started, tmp_path):
    run = MixedRun(lockgate, authority, started, tmp_path, Path(ASAN) if ASAN else None, env=sanitized())
    play(run, seconds=15)
    before = figures(run.pid)
    traffic = play(run, MINUTES * 60)
    run.part_with_servers()
    wait_until(lambda: proc.descriptors(run.pid) <= before["descriptors"], "descriptors are given back", 10)
    after = figures(run.pid)
    print(f"before: {before}; after: {after}")
    assert after["threads"] == before["threads"]
    assert after["memory"] < before["memory"] * 1.3 + 30_000_000, f"memory grows: {before} {after}"
    assert len(traffic.answers) > 10 * MINUTES * 60
    assert ends_well(run.gate)


def play(run, seconds):
    traffic = run.play(seconds, clients=12)
    print(f"{len(traffic.answers)} answers, {traffic.given_up} given up, missing {dict(traffic.missing)}, "
          f"{run.reloads} reloads, {run.deaths} deaths; {dict(traffic.acts)}")
    assert not traffic.failures, "\n".join(traffic.failures)
    run.settle()
    run.check_accounts()
    run.check_share_of_missing()
    return traffic


def ends_well(gate):
    """In order, with nothing to report."""
    gate.signal(signal.SIGTERM)
    code, said = gate.process.wait(20), gate.process.output()
    assert code == 0 and "Sanitizer" not in said and "runtime error" not in said, f"{code}: {said[-5000:]}"
    return True
