"""All kinds of clients and servers at once, for some seconds; tests/soak has the long form."""
import pytest

from parts import proc
from parts.mixed_run import MixedRun
from parts.waiting import wait_until


@pytest.mark.bounded(120)
def test_mixed_traffic_is_answered_right_through_reloads_and_deaths(lockgate, authority, started, tmp_path):
    run = MixedRun(lockgate, authority, started, tmp_path)
    before = proc.descriptors(run.pid)
    traffic = run.play(seconds=20)
    print(f"{len(traffic.answers)} answers, {traffic.given_up} given up, missing {dict(traffic.missing)}, "
          f"{run.reloads} reloads, {run.deaths} deaths; {dict(traffic.acts)}")
    assert not traffic.failures, "\n".join(traffic.failures)
    run.settle()
    run.check_accounts()
    run.check_share_of_missing()
    run.part_with_servers()
    wait_until(lambda: proc.descriptors(run.pid) <= before + 16, "descriptors are given back", 10)
    assert len(traffic.answers) > 300
