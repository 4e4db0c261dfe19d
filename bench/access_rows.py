"""The rows of who may enter: what it costs to ask, against asking nobody and against peers."""

import dataclasses

import proxies
from http_rows import http_row
from rows import Table, cpu, microseconds

REQUESTS = "relay", 64, 1024, 30000
NEW = "connect", 32, 1024, 4000, 1
SIGNED_IN = "http/signed-in"


TURNS = 4


def against_none(bench, row, proxy):
    """What it costs in this setting, as a multiple of what it costs in the other.

    By turns, each of which begins with the one that ended the last, for a difference of a hundredth is to be seen.
    """
    none = dataclasses.replace(row, setting=row.against)
    spent = {row.setting: 0, none.setting: 0}
    for turn in range(TURNS):
        for one in (row, none)[::1 if turn % 2 else -1]:
            spent[one.setting] += cpu(bench, one, proxy)
    return spent[row.setting] / spent[none.setting]


def guarded_row(key, title, setting, target, work=REQUESTS, opening="http"):
    """Ours alone, against nothing being asked."""
    return http_row(key, title, "times", against_none, work, microseconds, "{:.2f}".format,
                    opening=opening, setting=setting, against="http", target=target, absolute=True, only_ours=True)


ACCESS = Table("access", [proxy for proxy in proxies.HTTP if proxy.name in (proxies.OURS, "nginx", "Apache httpd")], [
    http_row("access-signed-in", "Requests of a user with bcrypt (cost 5)", "µs/request", cpu,
             ("relay", 16, 1024, 1500), microseconds, opening=SIGNED_IN, setting="http-signed-in"),
    guarded_row("access-sign-in", "The same, remembered, against none", "http-signed-in", 1.05, opening=SIGNED_IN),
    guarded_row("access-new", "New connections, 1,000,000 networks against none", "http-listed", 1.05, NEW),
    guarded_row("access-requests", "Requests, 1,000,000 networks against none", "http-listed", 1.05),
    guarded_row("access-bans-new", "New connections, 100,000 bans against none", "http-banned", 1.02, NEW),
    guarded_row("access-bans", "Requests, 100,000 bans against none", "http-banned", 1.02),
    guarded_row("access-rates", "Requests, with a rate that is never exceeded against none", "http-rated", None),
])
