"""Databases of countries and autonomous systems, made by MaxMind's own writer."""
import subprocess
from pathlib import Path

_WRITER = Path(__file__).with_name("mmdb.pl")


def write(file, kind, **networks):
    """A database of `kind`, "country" or "system", in `file`; networks as `DE=["192.0.2.0/24"]` or `_3320=[...]`."""
    entries = [f"{network}={value.lstrip('_')}" for value, some in networks.items() for network in some]
    subprocess.run(["perl", _WRITER, file, kind, *entries], check=True, timeout=60)
    return file
