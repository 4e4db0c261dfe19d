"""TLS ends here and begins anew towards the server: whom we trust there, what we say, and what both sides agree on.

Servers are nginx, most of them with TLS 1.3 only, and scripted ones; clients are curl, nghttp, gnutls-cli, openssl and
Chromium.
"""
import re
import ssl
import time

import pytest

from parts.browsers import chromium, curl, gnutls_cli, nghttp, s_client
from parts.certificates import Authority
from parts.ports import free_port
from parts.tls import V1_2, V1_3, TlsServer, client_context, end_without_close_notify, tls_connect
from parts.waiting import wait_until

NAME = "a.example.test"
GATE = """
workers: 1  # each one has sessions of its own with a server
certificates:
  one: { chain: $chain, key: $key }
upstreams:
  web:
    endpoints: $endpoints
    tls: { ca_file: $root, $tls }
    $options
listeners:
  - name: front
    bind: "127.0.0.1:$port"
    sites:
      - { names: [default], terminate: { certificate: one, to: web } }
"""
CUT_OFF = (ssl.SSLError, ConnectionResetError)


@pytest.fixture
def gate(lockgate, authority):
    """gate(server..., tls="..."): in front of these servers; one given as a text is a URL."""

    def make(*servers, text=GATE, tls="", options="", **more):
        urls = [f'"{server if isinstance(server, str) else f"tls://{server.address}"}"' for server in servers]
        certificate = authority.certificate(NAME)
        return lockgate(text, endpoints=f"[ {', '.join(urls)} ]", tls=tls, options=options, root=authority.root,
                        chain=certificate.chain, key=certificate.key, **more)

    return make


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    """An authority that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("strangers"), name="Strangers")


@pytest.fixture
def web(nginx):
    return nginx(NAME, protocols="TLSv1.3")


def fetch(gate, *more, name=NAME, root=None):
    return curl(f"https://{name}/", gate.port, *(() if root else ("-k",)), *more, root=root)


def seen_by_server(page):
    """What the server says it saw, by name."""
    return dict(line.split("=", 1) for line in page.splitlines())


# Both sides.


def test_the_client_gets_our_certificate_and_the_server_a_connection_of_its_own(gate, web, authority):
    gate = gate(web)
    done = fetch(gate, "--tls-max", "1.2", root=authority.root)
    seen = seen_by_server(done.stdout)
    assert (seen["server"], seen["tls"], seen["sni"], seen["remote"]) == (NAME, "TLSv1.3", NAME, "127.0.0.1"), done
    line = gate.next_line()
    assert (line["verdict"], line["outcome"]) == ("terminate", "finished")
    assert (line["tls_version"], line["upstream_tls_version"]) == ("1.2", "1.3")
    assert line["upstream_tls_cipher"] == "TLS_AES_128_GCM_SHA256" and line["upstream_tls_group"] == "x25519"
    assert line["upstream_tls_signature"] == "ecdsa_sha256" and line["upstream_tls_resumed"] is False
    assert (line["upstream_subject"], line["upstream_serial"]) == (f"CN={NAME}", authority.certificate(NAME).serial())
    assert line["endpoint"] == f"tls://{web.address}"


def test_gnutls_speaks_with_us(gate, web, authority):
    gate = gate(web)
    for version in ("1.2", "1.3"):
        done = gnutls_cli(gate.port, NAME, "--priority", f"NORMAL:-VERS-ALL:+VERS-TLS{version}", root=authority.root,
                          stdin="GET / HTTP/1.0\r\n\r\n")
        assert f"server={NAME}\n" in done.stdout and done.returncode == 0, done.stdout
        assert "The certificate is trusted" in done.stdout and "Peer has closed the GnuTLS connection" in done.stdout
        line = gate.next_line()
        assert (line["tls_version"], line["upstream_tls_version"]) == (version, "1.3")
        assert line["outcome"] == "finished"


def test_a_large_answer_arrives_whole(gate, web, authority):
    path = web.put_file("large", 100_000_000)
    done = curl(f"https://{NAME}{path}", gate(web).port, "-o", "/dev/null", "-w", "%{size_download}",
                root=authority.root)
    assert done.stdout == "100000000", done.stderr


def test_the_server_is_told_the_clients_address_before_its_tls_begins(gate, nginx):
    server = nginx(NAME, proxy_protocol=True)
    gate = gate(server, text=GATE.replace("to: web }", "to: web, send_proxy_protocol: v2, proxy_tlvs: [alpn, ssl] }"))
    seen = seen_by_server(fetch(gate, "--interface", "127.0.0.7").stdout)
    assert (seen["client"], seen["remote"], seen["tls"]) == ("127.0.0.7", "127.0.0.1", "TLSv1.3")


# Whom we trust.


def refused(gate):
    """The line of a connection that was refused because of the server's certificate; the error log says the same."""
    done = fetch(gate)
    assert done.returncode == 35 and "alert" in done.stderr, done
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"], line["bytes_down"]) == ("untrusted", "upstream", 0)
    assert line["upstream_tls_alert_sent"] and "upstream_tls_version" not in line
    gate.wait_for_message(r"level=warning.*" + re.escape(line["reason"]))
    return line


def test_an_unknown_issuer_is_told(gate, nginx, strangers):
    line = refused(gate(nginx(NAME, certificate=strangers.certificate(NAME))))
    assert "unable to get local issuer certificate" in line["reason"]
    assert f"the certificate of CN={NAME}, issued by CN=Strangers" in line["reason"]
    assert line["upstream_tls_alert_sent"] == "unknown_ca"


def test_a_wrong_name_is_told(gate, nginx):
    line = refused(gate(nginx("b.example.test")))
    assert "hostname mismatch" in line["reason"] and "the certificate of CN=b.example.test" in line["reason"]
    assert line["upstream_tls_alert_sent"] == "bad_certificate"


def test_an_expired_certificate_is_told(gate, nginx, authority):
    line = refused(gate(nginx(NAME, certificate=authority.expired(NAME))))
    assert "certificate has expired" in line["reason"] and f"the certificate of CN={NAME}" in line["reason"]
    assert line["upstream_tls_alert_sent"] == "certificate_expired"


def test_a_wrong_pin_is_told(gate, nginx, authority):
    server = nginx(NAME)
    fetch(gate(server, tls=f"pins: [{authority.certificate(NAME).pin()}]"))
    wrong = gate(server, tls=f"pins: [{authority.certificate('b.example.test').pin()}], verify: off")
    done = fetch(wrong)
    assert done.returncode == 35, done
    line = wrong.next_line()
    assert (line["outcome"], line["ended_by"]) == ("untrusted", "upstream") and "none of `pins`" in line["reason"]
    wrong.wait_for_message(r"level=warning.*none of `pins`")


def test_one_right_pin_among_several_is_enough_even_for_strangers(gate, nginx, strangers):
    stranger = strangers.certificate(NAME)
    other = strangers.certificate("b.example.test")
    gate = gate(nginx(NAME, certificate=stranger), tls=f"pins: [{other.pin()}, {stranger.pin()}], verify: off")
    for _ in range(3):  # with a session, too
        assert f"server={NAME}\n" in fetch(gate).stdout


@pytest.mark.parametrize("verify, issuer, name, good", [
    ("chain", "authority", "b.example.test", True), ("chain", "strangers", NAME, False),
    ("off", "strangers", "b.example.test", True), ("full", "authority", NAME, True)])
def test_only_what_is_wanted_is_verified(gate, nginx, authority, strangers, verify, issuer, name, good):
    issuer = {"authority": authority, "strangers": strangers}[issuer]
    gate = gate(nginx(name, certificate=issuer.certificate(name)), tls=f"verify: {verify}")
    assert (f"server={name}\n" in fetch(gate).stdout) == good
    assert gate.next_line()["outcome"] == ("finished" if good else "untrusted")


def test_the_certificate_may_have_another_name_than_the_one_that_is_asked_for(gate, nginx):
    gate = gate(nginx("b.example.test"), tls="verify_name: b.example.test")
    seen = seen_by_server(fetch(gate).stdout)
    assert (seen["server"], seen["sni"]) == ("b.example.test", NAME)


# What we say.


@pytest.mark.parametrize("server_name, expected", [
    ("auto", NAME), ("carry", NAME), ("off", ""), ("other.example.test", "other.example.test")])
def test_the_server_is_asked_for_the_name_that_is_wanted(gate, web, server_name, expected):
    gate = gate(web, tls=f"server_name: {server_name}, verify: chain")
    assert seen_by_server(fetch(gate).stdout)["sni"] == expected


@pytest.mark.parametrize("server_name, expected", [("auto", "origin.example.test"), ("carry", NAME)])
def test_an_endpoint_with_a_name_is_asked_for_it(gate, nginx, dnsmasq, server_name, expected):
    dnsmasq.host("origin.example.test", "127.0.0.1").start()
    server = nginx(expected)
    gate = gate(f"tls://origin.example.test:{server.port}", tls=f"server_name: {server_name}",
                options=f'name_servers: ["{dnsmasq.address}"]')
    assert seen_by_server(fetch(gate).stdout)["sni"] == expected


def test_a_service_is_verified_by_the_domain_that_the_operator_wrote(gate, nginx, dnsmasq):
    good, bad = nginx("example.test"), nginx("host.elsewhere.test")
    dnsmasq.host("host.elsewhere.test", "127.0.0.1")
    dnsmasq.service("_https._tcp.example.test", "host.elsewhere.test", good.port)
    dnsmasq.service("_https._tcp.other.test", "host.elsewhere.test", bad.port).start()
    options = f'name_servers: ["{dnsmasq.address}"]'
    done = fetch(gate("tls+srv://_https._tcp.example.test", options=options))
    assert seen_by_server(done.stdout)["sni"] == "example.test"
    refused(gate("tls+srv://_https._tcp.other.test", options=options))


def test_we_show_a_certificate_of_our_own(gate, nginx, authority, strangers):
    ours = strangers.certificate("gate")
    server = nginx(NAME, lines=f"ssl_client_certificate {strangers.root}; ssl_verify_client on;")
    text = GATE.replace("  one:", "  ours: { chain: $ours_chain, key: $ours_key }\n  one:")
    gate = gate(server, text=text, tls="certificate: ours", ours_chain=ours.chain, ours_key=ours.key)
    seen = seen_by_server(fetch(gate).stdout)
    assert (seen["verified"], seen["subject"]) == ("SUCCESS", "CN=gate")


def test_a_server_that_wants_a_certificate_and_gets_none_is_told_of(gate, nginx, strangers):
    server = nginx(NAME, lines=f"ssl_client_certificate {strangers.root}; ssl_verify_client on;")
    assert "No required SSL certificate was sent" in fetch(gate(server)).stdout


# Endpoints.


def test_an_endpoint_with_a_bad_certificate_is_passed_over(gate, nginx, authority, web):
    bad = nginx("bad.example.test", certificate=authority.expired(NAME))
    gate = gate(bad, web, options="ejection: { failures: 2, time: 1m }")
    for _ in range(6):
        assert f"server={NAME}\n" in fetch(gate).stdout
    lines = gate.next_lines(6)
    assert sum(line["attempts"] for line in lines) == 8, "two failures, then it is left alone"
    assert {line["endpoint"] for line in lines} == {f"tls://{web.address}"}
    assert {line["outcome"] for line in lines} == {"finished"}
    gate.wait_for_message(f"endpoint tls://{bad.address} of upstream web is put aside.*certificate has expired")


def test_clients_cannot_put_endpoints_aside_by_what_they_ask_for(gate, web):
    gate = gate(web, options="ejection: { failures: 1, time: 1m }")
    for _ in range(3):
        assert fetch(gate, name="elsewhere.test").returncode == 35
        assert "SSL alert" in s_client(gate.port, "-servername", NAME, "-alpn", "imap").stdout
    lines = gate.next_lines(6)
    assert {line["outcome"] for line in lines} == {"untrusted", "handshake"}
    assert {line.get("upstream_tls_alert_received") for line in lines} == {None, "no_application_protocol"}
    assert gate.metrics().total("lockgate_endpoint_up") == 1 and "put aside" not in gate.process.output()
    assert f"server={NAME}\n" in fetch(gate).stdout


def test_an_endpoint_that_says_nothing_is_passed_over_in_time(gate, origin, web):
    gate = gate(origin, web, options="try_timeout: 300ms\n    ejection: { failures: 1, time: 1m }")
    for _ in range(2):
        assert f"server={NAME}\n" in fetch(gate).stdout
    gate.wait_for_message(f"endpoint tls://{origin.address} of upstream web is put aside.*timed_out")


def test_a_server_without_tls_is_told_of(gate, nginx):
    done = fetch(gate := gate(nginx(NAME, tls=False)))
    assert done.returncode == 35
    line = gate.next_line()
    assert (line["outcome"], line["ended_by"]) == ("handshake", "upstream") and "wrong version number" in line["reason"]


def test_a_server_without_a_version_in_common_is_told_of(gate, web):
    done = fetch(gate := gate(web, tls='max_version: "1.2"'))
    assert done.returncode == 35
    line = gate.next_line()
    assert (line["outcome"], line["upstream_tls_alert_received"]) == ("handshake", "protocol_version")
    assert "protocol_version" in line["reason"]


def test_checks_shake_hands_and_verify(gate, nginx, authority, dnsmasq):
    dnsmasq.host(NAME, "127.0.0.1").start()
    good, bad = nginx(NAME), nginx("bad.example.test", certificate=authority.expired(NAME))
    gate = gate(*(f"tls://{NAME}:{server.port}" for server in (good, bad)),
                options="health: { every: 100ms, timeout: 1s, rise: 1, fall: 2 }\n"
                        f'    name_servers: ["{dnsmasq.address}"]')

    def up(server):
        return gate.metrics().total("lockgate_endpoint_up", endpoint=f"tls://{NAME}:{server.port}")

    wait_until(lambda: (up(good), up(bad)) == (1, 0), "the check finds the expired certificate")
    gate.wait_for_message(f"endpoint tls://{NAME}:{bad.port} of upstream web is down: .*certificate has expired")
    assert f"server={NAME}\n" in fetch(gate).stdout
    good.stop()
    wait_until(lambda: up(good) == 0, "the check notices the death")
    good.start()
    wait_until(lambda: up(good) == 1, "the check notices the return")


@pytest.mark.parametrize("tls", ["", "server_name: carry"])
def test_checks_know_no_client_and_verify_no_name_that_only_a_client_brings(gate, web, tls):
    gate = gate(web, tls=tls, options="health: { every: 100ms, timeout: 1s, rise: 1, fall: 1 }")
    assert f"server={NAME}\n" in fetch(gate).stdout
    time.sleep(1)  # of checks
    assert gate.metrics().total("lockgate_endpoint_up") == 1
    assert f"server={NAME}\n" in fetch(gate).stdout


# HTTP/2 and other protocols.


def test_http2_is_agreed_on_from_end_to_end(gate, nginx, authority):
    server = nginx(NAME, http2=True, protocols="TLSv1.3")
    gate = gate(server)
    done = fetch(gate, "--http2", "-v", "-w", "\nversion=%{http_version}\n", root=authority.root)
    assert "version=2\n" in done.stdout and "ALPN: server accepted h2" in done.stderr, done
    seen = seen_by_server(done.stdout.replace("\n\n", "\n"))
    assert (seen["http"], seen["alpn"]) == ("HTTP/2.0", "h2")
    line = gate.next_line()
    assert (line["alpn"], line["tls_alpn"], line["upstream_tls_alpn"]) == ("h2,http/1.1", "h2", "h2")
    done = fetch(gate, "--http1.1", "-w", "\nversion=%{http_version}\n")
    assert "version=1.1\n" in done.stdout
    line = gate.next_line()
    assert (line["alpn"], line["tls_alpn"], line["upstream_tls_alpn"]) == ("http/1.1", "http/1.1", "http/1.1")


def test_many_streams_of_http2_run_side_by_side(gate, nginx):
    server = nginx(NAME, http2=True)
    path = server.put_file("some", 300_000)
    gate = gate(server)
    done = nghttp(gate.port, NAME, "-n", "-m", 20, path=path)
    assert done.returncode == 0 and done.stdout.count(":status: 200") == 20, done.stdout[-2000:]
    assert "The negotiated protocol: h2" in done.stdout
    wait_until(lambda: server.access_log().count(f"GET {path} HTTP/2.0") == 20, "nginx has logged them all")


TYPES = "types { text/html html; text/css css; text/javascript js; image/gif gif; }"
GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
IMAGES = 20
PAGE = f"""<!doctype html>
<link rel="stylesheet" href="style.css">
<p id="told">nothing yet</p>
<script src="script.js"></script>
{"".join(f'<img src="{number}.gif">' for number in range(IMAGES))}
"""
STYLE = "#told { color: rgb(1, 2, 3); }"
SCRIPT = """
addEventListener("load", () => {
  const told = document.getElementById("told");
  const shown = [...document.images].filter((image) => image.naturalWidth > 0).length;
  told.textContent = `images=${shown} ${getComputedStyle(told).color}`;
});
"""


def test_chromium_shows_a_page_with_all_that_belongs_to_it_over_http2(gate, nginx):
    server = nginx(NAME, http2=True, lines=TYPES)
    names = ["page.html", "style.css", "script.js", *(f"{number}.gif" for number in range(IMAGES))]
    for name, content in zip(names, [PAGE, STYLE, SCRIPT, *[GIF] * IMAGES], strict=True):
        content = content if isinstance(content, bytes) else content.encode()
        (server.folder / "files" / name).write_bytes(content)
    gate = gate(server)
    page = chromium(f"https://{NAME}/files/page.html", NAME, gate.port)
    assert f"images={IMAGES} rgb(1, 2, 3)" in page, page
    for name in names:
        wait_until(lambda name=name: f'"GET /files/{name} HTTP/2.0" 200' in server.access_log(), f"{name} is logged")
    line = gate.line_of(outcome="finished", tls_alpn="h2")
    assert (line["upstream_tls_alpn"], line["upstream_subject"]) == ("h2", f"CN={NAME}")
    assert {line["outcome"] for line in gate.access_log()} <= {"finished", "reset"}


@pytest.mark.parametrize("protocol", ["h2", "http/1.1"])
def test_gnutls_agrees_on_a_protocol_with_the_server_behind(gate, nginx, authority, protocol):
    gate = gate(nginx(NAME, http2=True))
    done = gnutls_cli(gate.port, NAME, "--alpn", protocol, root=authority.root, stdin="GET / HTTP/1.0\r\n\r\n")
    assert f"Application protocol: {protocol}\n" in done.stdout and "The certificate is trusted" in done.stdout
    assert (f"server={NAME}\n" in done.stdout) == (protocol == "http/1.1"), done.stdout
    line = gate.next_line()
    assert (line["alpn"], line["tls_alpn"], line["upstream_tls_alpn"]) == (protocol,) * 3


def test_a_server_without_http2_gives_http1_to_the_client(gate, web):
    gate = gate(web)
    done = fetch(gate, "--http2", "-w", "\nversion=%{http_version}\n")
    assert "version=1.1\n" in done.stdout, done
    line = gate.next_line()
    assert (line["tls_alpn"], line["upstream_tls_alpn"]) == ("http/1.1", "http/1.1")
    assert "processed=0" in nghttp(gate.port, NAME).stdout


def test_a_server_that_agrees_to_nothing_leaves_the_client_without_a_protocol(gate, origin, authority):
    gate = gate(origin)
    with TlsServer(origin, authority.certificate(NAME)) as server:
        with tls_connect(gate.port, NAME, client_context(authority.root, alpn=["h2", "imap"])) as client:
            assert client.selected_alpn_protocol() is None
            server.accepted().sendall(b"hello")
            assert client.recv(100) == b"hello"


def test_the_server_is_asked_before_the_client_is_answered(gate):
    gate = gate(f"tls://127.0.0.1:{free_port()}")
    said = s_client(gate.port, "-servername", NAME, "-alpn", "h2").stdout
    assert "no peer certificate available" in said and "SSL alert number 80" in said
    assert gate.next_line()["outcome"] == "refused"
    said = s_client(gate.port, "-servername", NAME).stdout
    assert "BEGIN CERTIFICATE" in said, "without protocols to agree on there is no reason to wait"


def test_protocols_of_our_own_are_kept_apart(gate, nginx):
    server = nginx(NAME, http2=True)
    text = GATE.replace('    bind: "127', '    tls: { alpn: [http/1.1] }\n    bind: "127')
    gate = gate(server, text=text, tls="alpn: [http/1.1]")
    assert "version=1.1" in fetch(gate, "--http2", "-w", "version=%{http_version}").stdout
    line = gate.next_line()
    assert (line["tls_alpn"], line["upstream_tls_alpn"]) == ("http/1.1", "http/1.1")


# Coming back to the server.


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_sessions_with_the_server_are_resumed(gate, nginx, version):
    gate = gate(nginx(NAME, protocols=version))
    assert [seen_by_server(fetch(gate).stdout)["reused"] for _ in range(4)] == [".", "r", "r", "r"]
    lines = gate.next_lines(4)
    assert [line["upstream_tls_resumed"] for line in lines] == [False, True, True, True]
    assert all(line["upstream_subject"] == f"CN={NAME}" for line in lines)


def test_a_session_for_one_name_is_not_used_for_another(gate, nginx, authority):
    server = nginx(NAME, certificate=authority.certificate("*.example.test"))
    gate = gate(server)
    assert [seen_by_server(fetch(gate, name=name).stdout)["reused"] for name in (NAME, "b.example.test", NAME)] == [
        ".", ".", "r"]
    assert fetch(gate, name="elsewhere.test").returncode == 35
    assert gate.next_lines(4)[-1]["outcome"] == "untrusted"


# Ends.


@pytest.mark.parametrize("version", [V1_2, V1_3])
def test_an_answer_that_is_cut_off_never_looks_complete(gate, origin, authority, version):
    gate = gate(origin)
    with TlsServer(origin, authority.certificate(NAME)) as server:
        with tls_connect(gate.port, NAME, client_context(authority.root, version)) as client:
            server.accepted().sendall(b"half of the ans")
            plain = end_without_close_notify(server.accepted())
            assert client.recv(100) == b"half of the ans"
            with pytest.raises(CUT_OFF):
                client.recv(100)
            plain.close()


@pytest.mark.parametrize("version", [V1_2, V1_3])
def test_an_answer_that_is_complete_looks_so(gate, origin, authority, version):
    gate = gate(origin)
    with TlsServer(origin, authority.certificate(NAME)) as server:
        with tls_connect(gate.port, NAME, client_context(authority.root, version)) as client:
            server.accepted().sendall(b"all of the answer")
            server.accepted().setblocking(False)
            with pytest.raises(ssl.SSLWantReadError):
                server.accepted().unwrap()  # says so, and does not wait for our answer
            assert client.recv(100) == b"all of the answer"
            assert client.recv(100) == b""


def test_a_request_that_is_cut_off_never_looks_complete(gate, origin, authority):
    gate = gate(origin)
    with TlsServer(origin, authority.certificate(NAME)) as server:
        client = tls_connect(gate.port, NAME, client_context(authority.root))
        client.sendall(b"half of the req")
        assert server.accepted().recv(100) == b"half of the req"
        plain = end_without_close_notify(client)
        with pytest.raises(CUT_OFF):
            server.accepted().recv(100)
        plain.close()
