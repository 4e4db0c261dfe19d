"""The clients of real life: curl, openssl s_client, gnutls-cli, nghttp and Chromium."""
import os
import re
import signal
import subprocess
import tempfile

from .process import die_with_parent


def curl(url, port, *more, address="127.0.0.1", root=None, timeout=15):
    """curl of `url`, whose host and port are found at `address` and `port`."""
    host = url.split("/")[2].split(":")[0]
    trust = ["--cacert", str(root)] if root else []
    where = f"[{address}]" if ":" in address else address
    return subprocess.run(["curl", "-sS", "--max-time", str(timeout), "--noproxy", "*",
                           "--connect-to", f"{host}::{where}:{port}", *trust, *map(str, more), url],
                          capture_output=True, text=True, timeout=timeout + 5)


def curl_through(parent, url, *more, root=None, timeout=15):
    """curl of `url` through a parent proxy, as in "http://127.0.0.1:3128" or "socks5h://user:password@[::1]:1080"."""
    trust = ["--cacert", str(root), "--proxy-cacert", str(root)] if root else []
    return subprocess.run(["curl", "-sS", "--max-time", str(timeout), "--noproxy", "", "--proxytunnel", "--proxy",
                           parent, *trust, *map(str, more), url], capture_output=True, text=True, timeout=timeout + 5)


def s_client(port, *more, address="127.0.0.1", stdin=""):
    """openssl s_client; both outputs together."""
    where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    done = subprocess.run(["openssl", "s_client", "-connect", where, *map(str, more)], input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=15)
    return done


def gnutls_cli(port, name, *more, root, stdin=""):
    """gnutls-cli of GnuTLS, which verifies `name`; both outputs together."""
    return subprocess.run(["gnutls-cli", "--port", str(port), "--sni-hostname", name, "--verify-hostname", name,
                           "--x509cafile", str(root), *map(str, more), "127.0.0.1"], input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=15)


def nghttp(port, name, *more, path="/"):
    """nghttp, which speaks HTTP/2 only, with its frames; both outputs together."""
    return subprocess.run(["nghttp", "-v", "--no-verify-peer", "--timeout", "10", "-H", f":authority: {name}",
                           *map(str, more), f"https://127.0.0.1:{port}{path}"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=15)


def h2load(url, requests, *more):
    """h2load, many clients at once in HTTP/1.1, several requests in one breath: how many requests succeeded."""
    done = subprocess.run(["h2load", "--h1", "-n", str(requests), *map(str, more), url], capture_output=True, text=True,
                          timeout=50)
    return int(re.search(r"(\d+) 2xx", done.stdout)[1])


def chromium(url, host, port):
    """What Chromium makes of `url`, whose `host` it finds on this machine at `port`: the page, or its error page."""
    with tempfile.TemporaryDirectory(prefix="chromium-") as folder:
        browser = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--no-proxy-server", f"--user-data-dir={folder}",
             "--ignore-certificate-errors", f"--host-resolver-rules=MAP {host} 127.0.0.1:{port}",
             "--enable-logging=stderr", "--dump-dom", url],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
            preexec_fn=die_with_parent)
        try:
            page, messages = browser.communicate(timeout=40)
            return page + messages
        finally:
            try:
                os.killpg(browser.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            browser.wait(5)
