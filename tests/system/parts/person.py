"""A person with a browser: Chromium, driven by playwright-core, which scripts/setup installs."""
import json
import os
import pathlib
import signal
import subprocess

from .process import die_with_parent

SYSTEM = pathlib.Path(__file__).resolve().parents[1]
PLAYWRIGHT = SYSTEM.parents[1] / "build/browser/node_modules/playwright-core"


def visits(*urls, hosts, login=None):
    """What each of `urls` came to, visited one after the other by somebody who answers questions for a password with
    `login`, a (name, password), once: a list of {"status", "text", "requests"}. `hosts` are found at these addresses."""
    wanted = {"visits": urls, "hosts": hosts, "login": login}
    browser = subprocess.Popen(["node", SYSTEM / "browser/visit.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, start_new_session=True,
                               preexec_fn=die_with_parent, env={**os.environ, "PLAYWRIGHT": str(PLAYWRIGHT)})
    try:
        told, messages = browser.communicate(json.dumps(wanted), timeout=60)
        assert browser.returncode == 0, messages
        return json.loads(told)
    finally:
        try:
            os.killpg(browser.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        browser.wait(5)
