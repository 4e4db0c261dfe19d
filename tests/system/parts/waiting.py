"""Waiting for something to become true, never longer than told."""
import time


def wait_until(true, what, timeout=5.0, pause=0.02):
    """Calls `true` until it answers something truthy, and returns that; fails with `what` in words."""
    deadline = time.monotonic() + timeout
    while True:
        answer = true()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {timeout} s in vain: {what}"
        time.sleep(pause)
