"""The rows of who is let in by address: what a million networks cost against none."""

import dataclasses

import proxies
from http_rows import http_row
from rows import Table, cpu, microseconds


def against_none(bench, row, proxy):
    """What it costs with the lists, as a multiple of what it costs without, one behind the other."""
    none = cpu(bench, dataclasses.replace(row, setting=row.against), proxy)
    return cpu(bench, row, proxy) / none


def listed_row(key, title, work):
    return http_row(key, title, "times", against_none, work, microseconds, "{:.2f}".format, setting="http-listed",
                    against="http", target=1.05, absolute=True, only_ours=True)


ACCESS = Table("access", proxies.HTTP[:1], [
    listed_row("access-new", "New connections, 1,000,000 networks against none", ("connect", 32, 1024, 4000, 1)),
    listed_row("access-requests", "Requests, 1,000,000 networks against none", ("relay", 64, 1024, 30000)),
])
