"""The long forms of the system tests; they run only with LOCKGATE_SOAK=1."""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from parts.fixtures import *  # noqa: E402,F401,F403


def pytest_collection_modifyitems(items):
    if os.environ.get("LOCKGATE_SOAK") != "1":
        for item in items:
            item.add_marker(pytest.mark.skip(reason="a long test: LOCKGATE_SOAK=1 runs it"))
