"""The rows of the table of the reverse proxy for HTTP/1.1."""

import dataclasses

import proxies
from rows import BULK_ANSWER, Row, Table, cpu, memory, microseconds, per_gigabyte, system_calls

FEW, MANY = "http-10-routes", "http-10000-routes"  # settings


def http_row(key, title, unit, measure, work, *more, opening="http", setting="http", **options):
    return Row(key, title, unit, measure, work, *more, opening=opening, setting=setting, **options)


def https_row(key, title, unit, measure, work, *more, setting="https", **options):
    return Row(key, title, unit, measure, work, *more, opening="https", setting=setting, **options)


def routes_row(key, title, setting, path):
    """Requests for the last of all routes."""
    return http_row(key, title, "µs/request", cpu, ("relay", 64, 1024, 15000), microseconds, "{:.2f}".format,
                    opening="http" + path, setting=setting)


FEW_ROUTES = routes_row("http-10-routes", "10 routes, 1 KB answers", FEW, "/r/00009")
MANY_ROUTES = routes_row("http-10000-routes", "10,000 routes, 1 KB answers", MANY, "/r/09999")


def against_few(bench, _row, proxy):
    """What a request costs among many routes, as a multiple of what it costs among few, one behind the other."""
    few = cpu(bench, FEW_ROUTES, proxy)
    return cpu(bench, MANY_ROUTES, proxy) / few


HTTP = Table("http", proxies.HTTP, [
    http_row("http-small", "HTTP, 1 KB answers", "µs/request", cpu, ("relay", 64, 1024, 30000), microseconds,
             "{:.2f}".format, target=0.85),
    http_row("http-large", "HTTP, 64 KB answers", "µs/request", cpu, ("relay", 16, 65536, 12000), microseconds),
    http_row("http-bulk", "HTTP, bulk", "CPU-s/GB", cpu, ("relay", 4, BULK_ANSWER, 12), per_gigabyte, "{:.3f}".format),
    https_row("https-small", "HTTPS, 1 KB answers", "µs/request", cpu, ("relay", 64, 1024, 30000), microseconds,
              "{:.2f}".format, target=0.85),
    https_row("https-large", "HTTPS, 64 KB answers", "µs/request", cpu, ("relay", 16, 65536, 12000), microseconds),
    https_row("https-bulk", "HTTPS, bulk", "CPU-s/GB", cpu, ("relay", 4, BULK_ANSWER, 12), per_gigabyte,
              "{:.3f}".format, target=0.75),
    https_row("https-again-small", "HTTPS on both sides, 1 KB answers", "µs/request", cpu, ("relay", 64, 1024, 30000),
              microseconds, "{:.2f}".format, setting="https-again"),
    https_row("https-again-large", "HTTPS on both sides, 64 KB answers", "µs/request", cpu,
              ("relay", 16, 65536, 12000), microseconds, setting="https-again"),
    http_row("http-new", "New connections of one request", "µs/connection", cpu, ("connect", 32, 1024, 4000, 1),
             microseconds),
    http_row("websocket", "WebSocket, 100 bytes echoed", "µs/message", cpu, ("relay", 64, 100, 30000), microseconds,
             "{:.2f}".format, opening="websocket/websocket"),
    FEW_ROUTES,
    MANY_ROUTES,
    dataclasses.replace(MANY_ROUTES, key="http-routes", title="10,000 routes against 10", unit="times",
                        measure=against_few, against=FEW, shown="{:.2f}".format, target=1.05, absolute=True),
    http_row("http-logged", "Access logging on, 1 KB answers", "µs/request", cpu, ("relay", 64, 1024, 30000),
             microseconds, "{:.2f}".format, setting="http-logging"),
    http_row("http-idle", "An idle connection, HTTP", "KiB", memory, ("relay", 3000, 1024, 3000, 64), None,
             "{:.2f}".format, target=2, absolute=True),
    https_row("https-idle", "An idle connection, HTTPS", "KiB", memory, ("relay", 2000, 1024, 2000, 64), None,
              "{:.1f}".format, target=16, absolute=True),
    http_row("http-calls", "System calls, 1 KB answers", "per request", system_calls, ("relay", 64, 1024, 30000),
             lambda calls, count: calls / count, "{:.2f}".format, target=4.2, absolute=True),
])
