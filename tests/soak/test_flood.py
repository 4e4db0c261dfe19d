"""A million clients, none of whom comes twice: the full form of tests/stories/flood_story_test.cc."""
import os
import re
import subprocess
from pathlib import Path

import pytest

STORIES = Path(__file__).resolve().parents[2] / "build/dev/stories_test"


@pytest.mark.bounded(1800)
def test_a_million_clients_leave_no_more_behind_than_they_may():
    done = subprocess.run([STORIES, "--gtest_filter=Flood.*"], env={**os.environ, "LOCKGATE_SOAK": "1"},
                          capture_output=True, text=True, timeout=1780)
    print(re.findall(r"OK \] (.*)", done.stdout))
    assert done.returncode == 0 and "[  PASSED  ] 2 tests" in done.stdout, done.stdout + done.stderr
