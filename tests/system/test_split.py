"""One port, several servers with their own certificates, told apart by name and never decrypted.

Two nginx servers stand behind one Lockgate port. Each must be reached under its own name, with its own certificate,
and must see the client's real address by PROXY protocol; a third name is turned away. Real clients: curl, openssl
s_client, Chromium.
"""
import pytest

from parts.browsers import chromium, curl, s_client
from parts.ports import free_port

SPLIT = """
upstreams:
  team-b:
    endpoints: ["tcp://$b"]
listeners:
  - name: front
    bind: "127.0.0.1:$port"
    sites:
      - name: team-a
        names: [a.example.test]
        pass: { to: "tcp://$a", send_proxy_protocol: v1 }
      - names: ["*.b.example.test"]
        pass: { to: team-b, send_proxy_protocol: v2, proxy_tlvs: [alpn, authority, unique_id] }
      - names: [default]
        reject: { with: alert }
"""
A, B, UNKNOWN = "a.example.test", "www.b.example.test", "c.example.test"


@pytest.fixture
def split(nginx, lockgate):
    a = nginx(A, proxy_protocol=True)
    b = nginx(B, proxy_protocol=True)
    return lockgate(SPLIT, a=a.address, b=b.address)


@pytest.mark.parametrize("name", [A, B])
def test_curl_reaches_each_server_and_verifies_its_certificate(split, authority, name):
    done = curl(f"https://{name}/", split.port, root=authority.root)
    assert done.returncode == 0, done.stderr
    assert f"server={name}\n" in done.stdout


@pytest.mark.parametrize("name", [A, B])
def test_each_server_sees_the_clients_own_address(split, authority, name):
    done = curl(f"https://{name}/", split.port, "--interface", "127.0.0.7", root=authority.root)
    assert "client=127.0.0.7\n" in done.stdout
    assert "remote=127.0.0.1\n" in done.stdout


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_verifies_the_servers_own_certificate(split, authority, version):
    done = s_client(split.port, version, "-servername", B, "-CAfile", authority.root, "-verify_return_error",
                    "-verify_hostname", B, "-brief")
    assert "Verification: OK" in done.stdout
    assert f"Peer certificate: CN = {B}" in done.stdout


def test_a_third_name_is_refused_with_an_alert(split):
    done = curl(f"https://{UNKNOWN}/", split.port)
    assert done.returncode == 35
    assert "unrecognized name" in done.stderr
    assert "SSL alert number 112" in s_client(split.port, "-servername", UNKNOWN).stdout
    line = split.next_line()
    assert line["name"] == UNKNOWN
    assert (line["verdict"], line["outcome"], line["ended_by"]) == ("reject", "rejected", "here")
    assert "address" not in line


def test_chromium_sees_both_servers_and_no_third(split):
    for name in (A, B):
        assert f"server={name}" in chromium(f"https://{name}/", name, split.port)
    assert "server=" not in chromium(f"https://{UNKNOWN}/", UNKNOWN, split.port)
    for name in (A, B, UNKNOWN):
        split.line_of(name=name)


def test_the_access_log_tells_the_whole_story(split, authority):
    curl(f"https://{B}/", split.port, "--interface", "127.0.0.8", "--tlsv1.3", "--http1.1", root=authority.root)
    line = split.next_line()
    assert line["listener"] == "front"
    assert line["client"].startswith("127.0.0.8:") and line["peer"] == line["client"]
    assert (line["name"], line["alpn"], line["tls"]) == (B, "http/1.1", "1.3")
    assert (line["site"], line["verdict"], line["why"]) == ("*.b.example.test", "pass", "name *.b.example.test")
    assert line["upstream"] == "team-b" and line["endpoint"] == f"tcp://{line['address']}"
    assert line["attempts"] == 1
    assert line["bytes_up"] > 500 and line["bytes_down"] > 800
    assert 0 <= line["hello_ms"] <= line["duration_ms"] and 0 <= line["connect_ms"] <= line["duration_ms"]
    assert line["ja4"].startswith("t13d") and line["ja4"].split("_")[0].endswith("h1")
    assert line["outcome"] == "finished" and "reason" not in line


def test_a_large_download_arrives_whole(nginx, lockgate, authority):
    server = nginx(A)
    path = server.put_file("large", 200_000_000)
    gate = lockgate(SPLIT.replace(", send_proxy_protocol: v1", ""), a=server.address, b=server.address)
    done = curl(f"https://{A}{path}", gate.port, "-o", "/dev/null", "-w", "%{size_download}", root=authority.root)
    assert done.stdout == "200000000", done.stderr
    assert gate.next_line()["bytes_down"] > 200_000_000


def test_ports_are_kept_apart_by_listener(nginx, lockgate, authority):
    a, b = nginx(A), nginx(B)
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: default, pass: { to: "tcp://$a" } }
  - bind: "127.0.0.1:$other"
    sites:
      - { names: default, pass: { to: "tcp://$b" } }
""", a=a.address, b=b.address, other=(other := free_port()))
    assert f"server={A}" in curl(f"https://{A}/", gate.port, root=authority.root).stdout
    assert f"server={B}" in curl(f"https://{B}/", other, root=authority.root).stdout


def test_plain_http_is_relayed_by_its_host(nginx, lockgate):
    web = nginx("web.example.test", tls=False)
    other = nginx("other.example.test", tls=False)
    gate = lockgate("""
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - { names: [web.example.test], plain: { to: "tcp://$web" } }
      - { names: [default], plain: { to: "tcp://$other" } }
""", web=web.address, other=other.address)
    assert "server=web.example.test" in curl("http://web.example.test/", gate.port).stdout
    assert "server=other.example.test" in curl("http://what.example.test/", gate.port).stdout
    line = gate.line_of(name="web.example.test")
    assert (line["tls"], line["verdict"], line["outcome"]) == ("plain", "plain", "finished")
