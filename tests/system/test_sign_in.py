"""Who may enter: signing in with curl, what the origin is then told of the user, and client certificates per path."""
import json
import subprocess

import pytest

from parts.certificates import Authority
from parts.recording_origin import RecordingOrigin
from parts.waiting import wait_until

HOST = "app.example.test"
GATE = """
users: { staff: { file: $folder/users, groups: $folder/groups } }
listeners:
  - name: front
    bind: "127.0.0.1:$port"
    trusted_proxies: { from: 127.0.0.2 }
    sites:
      - names: [app.example.test]
        sign_in: { users: staff, realm: 'The "inner" circle' }
        access_log: { format: $form, to: $folder/access.log }
        plain:
          routes:
            - { path: /group, require: { group: employees }, to: "$to" }
            - { path: /some, require: { any: [{ group: employees }, { user: special }] }, to: "$to" }
            - { path: /inside, require: { any: [{ networks: 127.0.0.3 }, signed_in] }, to: "$to" }
            - { path: /only, require: { networks: 127.0.0.3 }, to: "$to" }
            - { path: /open, require: anybody, to: "$to" }
            - { path: /off, sign_in: off, to: "$to" }
            - { path: /keep, sign_in: { authorization: keep, user_field: X-User }, to: "$to" }
            - { path: /fake, sign_in: { basic_password_file: $folder/fake }, to: "$to" }
            - { path: /cors, sign_in: { exempt_preflight: yes }, to: "$to" }
            - { path: /.well-known, sign_in: { exempt: /.well-known/acme-challenge/ }, to: "$to" }
            - { path: /, to: "$to" }
"""
PASSWORDS = {"ann": "right", "bob": "b:o:b", "special": "x", "m\u00fcller": "gr\u00fcn"}


def hash_of(password):
    return subprocess.run(["openssl", "passwd", "-5", "-stdin"], input=password, capture_output=True, text=True,
                          check=True).stdout.strip()


@pytest.fixture(scope="module")
def users():
    return "".join(f"{name}:{hash_of(password)}\n" for name, password in PASSWORDS.items())


@pytest.fixture
def origin(started):
    return started(RecordingOrigin())


@pytest.fixture
def gate(lockgate, origin, users):
    def make(text=GATE, form="json", **values):
        made = lockgate(text, to=f"http://127.0.0.1:{origin.port}", form=form, start=False, **values)
        (made.folder / "users").write_text(users)
        (made.folder / "groups").write_text("employees: ann m\u00fcller\n")
        (made.folder / "fake").write_text("shared\n")
        made.start()
        return made

    return make


def curl(gate, path, *options, source="127.0.0.1", scheme="http"):
    """(status, fields, body) of a request."""
    done = subprocess.run(["curl", "-sS", "--path-as-is", "--max-time", "10", "-D", "/dev/stderr", "--interface", source,
                           "--connect-to", f"::127.0.0.1:{gate.port}", *map(str, options), f"{scheme}://{HOST}{path}"],
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done
    head = [part for part in done.stderr.split("\n\n") if part.startswith("HTTP/")][-1].splitlines()
    fields = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in head[1:] if ":" in line)}
    return int(head[0].split()[1]), fields, done.stdout


def status(gate, path, *options, **more):
    return curl(gate, path, *options, **more)[0]


def last(origin):
    """The last request, over whichever connection it came."""
    return max(origin.requests(), key=lambda request: request.number)


def told(origin, name):
    """What the origin was told in this field of its last request."""
    return [value.decode() for value in last(origin).values(name.encode())]


def raw(origin):
    return bytes(last(origin).connection.raw).rpartition(b"GET ")[2]


def test_somebody_signs_in_with_curl(gate, origin):
    gate = gate()
    code, fields, body = curl(gate, "/")
    assert code == 401 and fields["www-authenticate"] == r'Basic realm="The \"inner\" circle", charset="UTF-8"'
    assert body.startswith("401 Unauthorized\nRequest ") and fields["cache-control"] == "no-store"
    assert status(gate, "/", "-u", "ann:wrong") == status(gate, "/", "-u", "nobody:right") == 401
    for odd in ("Basic", "Basic !", "Basic OnJpZ2h0", "Bearer abc", "Digest username=ann"):
        assert status(gate, "/", "-H", f"Authorization: {odd}") == 401
    assert not origin.requests(), "the origin has heard of none of them"
    for name, password in PASSWORDS.items():
        assert status(gate, "/", "-u", f"{name}:{password}") == 200
        assert told(origin, "X-Remote-User") == [name] and told(origin, "Authorization") == []
    assert status(gate, "/", "--anyauth", "-u", "ann:right") == 200, "asked first"


def test_two_fields_of_credentials_are_none(gate):
    gate = gate()
    right = "Authorization: Basic YW5uOnJpZ2h0"
    assert status(gate, "/", "-H", right) == 200
    assert status(gate, "/", "-H", right, "-H", right.replace("Authorization", "authorization")) == 401


def test_groups_and_users(gate, origin):
    gate = gate()
    for path, name, outcome in [("/group", "ann", 200), ("/group", "bob", 403), ("/group", "special", 403),
                                ("/some", "ann", 200), ("/some", "special", 200), ("/some", "bob", 403)]:
        assert status(gate, path, "-u", f"{name}:{PASSWORDS[name]}") == outcome, (path, name)
    assert status(gate, "/group") == status(gate, "/some") == 401


def test_inside_the_network_or_signed_in(gate, origin):
    gate = gate()
    assert status(gate, "/inside") == 401
    assert status(gate, "/inside", source="127.0.0.3") == 200
    assert told(origin, "X-Remote-User") == []
    assert status(gate, "/inside", "-u", "ann:wrong", source="127.0.0.3") == 200, "nobody looks at the password"
    assert told(origin, "Authorization") == []
    assert status(gate, "/inside", "-u", "ann:right") == 200
    code, fields, _ = curl(gate, "/only")
    assert code == 403 and "www-authenticate" not in fields, "to sign in would not help"
    assert status(gate, "/only", "-u", "ann:right") == 403
    assert status(gate, "/only", "-H", "X-Forwarded-For: 127.0.0.3", source="127.0.0.2") == 200, "of a trusted proxy"
    assert status(gate, "/only", "-H", "X-Forwarded-For: 127.0.0.3") == 403


def test_parameters_of_segments_hide_nothing_from_what_is_required(gate, origin):
    gate = gate()
    for path in ("/only;x", "/only;x/y", "/;x/only", "/only;a=b;c/", "//;/;x//only"):
        assert status(gate, path, "-u", "ann:right") == 400, f"servlet containers take {path} for /only"
    assert not origin.requests()
    for path in ("/shop;jsessionid=1/x;y=2", "/shop;/only", "/x;only", "/group;jsessionid=1/x"):
        expected = 400 if path.startswith("/group") else 200
        assert status(gate, path, "-u", "ann:right") == expected, path
    assert status(gate, "/only/x;y", source="127.0.0.3") == 200, "the same route either way"
    assert status(gate, "/open/x;y") == 200 and status(gate, "/open;y") == 401
    assert last(origin).first[1] == b"/open/x;y"


def test_a_proxy_that_names_nobody_is_not_inside(gate):
    gate = gate(GATE.replace("trusted_proxies: { from: 127.0.0.2 }", "trusted_proxies: { from: 127.0.0.3 }"))
    assert status(gate, "/inside", source="127.0.0.3") == 401, "others are behind it"
    assert status(gate, "/only", "-H", "X-Forwarded-For: unknown", source="127.0.0.3") == 403
    assert status(gate, "/only", "-H", "X-Forwarded-For: 127.0.0.3", source="127.0.0.3") == 200, "it asks itself"


def test_what_goes_on_to_the_origin(gate, origin):
    gate = gate()
    assert status(gate, "/keep", "-u", "ann:right") == 200
    assert told(origin, "Authorization") == ["Basic YW5uOnJpZ2h0"]
    assert told(origin, "X-User") == ["ann"] and told(origin, "X-Remote-User") == []
    assert status(gate, "/fake", "-u", "bob:b:o:b") == 200
    assert told(origin, "Authorization") == ["Basic Ym9iOnNoYXJlZA=="], "bob:shared"


def test_nobody_says_of_themselves_who_they_are(gate, origin):
    gate = gate()
    spoofed = [word for name in ("X-Remote-User", "x_remote_user", "X_Remote-User", "X.Remote~User", "X-User", "X_USER")
               for word in ("-H", f"{name}: root")]
    for path, *who in [("/", "-u", "bob:b:o:b"), ("/open",), ("/off",), ("/keep", "-u", "bob:b:o:b")]:
        assert status(gate, path, *spoofed, *who) == 200
        assert b"root" not in raw(origin), path
    assert status(gate, "/inside", *spoofed, source="127.0.0.3") == 200
    assert b"root" not in raw(origin)


def test_paths_and_questions_for_which_nobody_signs_in(gate):
    gate = gate()
    assert status(gate, "/.well-known/acme-challenge/token") == 200
    for path in ("/.well-known/other", "/.well-known/acme-challenge/../other", "/.well-known/acme-challenge/%2e%2e/x",
                 "/.well-known/acme-challenge/a;b", "/.well-known/acme-challengex", "/.well-known/acme-challenge/%252e"):
        assert status(gate, path) == 401, path
    preflight = ["-X", "OPTIONS", "-H", "Origin: http://other", "-H", "Access-Control-Request-Method: PUT"]
    assert status(gate, "/cors", *preflight) == 200
    assert status(gate, "/cors", *preflight[:4]) == status(gate, "/cors", *preflight[2:]) == 401
    assert status(gate, "/", *preflight) == 401


def test_a_body_is_not_read_of_whoever_may_not(gate, origin):
    gate = gate()
    code, fields, _ = curl(gate, "/", "-H", "Expect: 100-continue", "-d", "x" * 100_000, "--expect100-timeout", "5")
    assert code == 401 and fields["connection"] == "close"
    assert status(gate, "/", "-H", "Expect: 100-continue", "-u", "ann:right", "-d", "x" * 100_000) == 200
    assert len(origin.requests()) == 1


def test_logs_and_metrics_tell_of_those_alone_who_have_signed_in(gate):
    gate = gate()
    for who in ("ann:right", "eve:x", "ann:wrong"):
        curl(gate, "/", "-u", who)
    log = gate.folder / "access.log"
    lines = wait_until(lambda: len(found := log.read_text().splitlines()) >= 3 and found, "three lines")
    told = [(line["status"], line.get("user")) for line in map(json.loads, lines)]
    assert sorted(told, key=str) == [(200, "ann"), (401, None), (401, None)], "in whichever order workers write them"
    assert "eve" not in log.read_text() and "wrong" not in log.read_text()
    assert gate.metrics().total("lockgate_failed_sign_ins_total", site=HOST) == 2


def test_common_lines_have_the_user(gate):
    gate = gate(form="common")
    curl(gate, "/", "-u", "ann:right")
    curl(gate, "/", "-u", "ann:wrong")
    log = gate.folder / "access.log"
    lines = wait_until(lambda: len(found := log.read_text().splitlines()) >= 2 and found, "two lines")
    nobody, ann = sorted(lines)  # in whichever order workers write them
    assert nobody.startswith("127.0.0.1 - - [") and ann.startswith("127.0.0.1 - ann [")


def test_a_reload_changes_who_may(gate):
    gate = gate()
    assert status(gate, "/open") == 200
    gate.reload(GATE.replace("require: anybody", "require: nobody").replace("group: employees", "group: nobodies"))
    assert status(gate, "/open") == status(gate, "/group", "-u", "ann:right") == 403
    gate.write(GATE.replace("users: staff", "users: staf"))
    done = gate.command("reload")
    assert done.returncode != 0 and "did you mean `staff`" in done.stderr
    assert status(gate, "/open") == 403, "what was before holds"


@pytest.mark.parametrize("change, message", [
    (("sign_in: off,", "sign_in: off, require: { user: ann },"), "somebody has to sign in here"),
    (("$folder/fake", "/none/such"), "/none/such"),
    (("groups: $folder/groups", ""), "the list `staff` has no groups"),
])
def test_what_cannot_hold_is_refused_at_once(gate, change, message):
    gate = gate()
    gate.write(GATE.replace(*change))
    done = gate.command("reload")
    assert done.returncode != 0 and message in done.stderr, done


def test_explain_says_what_is_required(gate):
    gate = gate()
    for path, client, said in [("/", "127.0.0.1", "asks who it is: 401"), ("/inside", "127.0.0.3", "lets it in"),
                               ("/only", "127.0.0.1", "refuses it"), ("/open", "127.0.0.1", "lets it in"),
                               ("/.well-known/acme-challenge/x", "127.0.0.1", "it is exempt")]:
        done = gate.command("explain", f"http://{HOST}{path}", "--from", client)
        assert said in done.stdout, (path, done)


CERTIFIED = """
certificates: { one: { chain: $chain, key: $key } }
listeners:
  - bind: "127.0.0.1:$port"
    tls: { client_certificate: { ask: optional, ca_file: $issuer } }
    sites:
      - names: [app.example.test]
        access_log: { format: $form, to: $folder/access.log }
        terminate:
          certificate: one
          routes:
            - { path: /any, require: client_certificate, to: "$to", forward: { client_fields: [client_certificate] } }
            - { path: /ann, require: { client_certificate: { subject: "~CN=ann[.]" } }, to: "$to" }
            - { path: /name, require: { client_certificate: { names: "*.staff.test" } }, to: "$to" }
            - { path: /print, require: { client_certificate: { fingerprints: "$print" } }, to: "$to" }
            - { path: /strong, require: { tls: { version: "1.3" } }, to: "$to" }
            - { path: /, to: "$to", forward: { client_fields: [client_certificate] } }
"""


def test_client_certificates_are_asked_for_by_path(gate, origin, authority, tmp_path_factory):
    staff = Authority(tmp_path_factory.mktemp("staff"), "Staff of the tests")
    ann, bob, own = (staff.certificate("ann.staff.test"), staff.certificate("bob.staff.test"),
                     authority.certificate(HOST))
    print_of = subprocess.run(["openssl", "x509", "-in", ann.chain, "-noout", "-fingerprint", "-sha256"],
                              capture_output=True, text=True, check=True).stdout.strip().partition("=")[2]
    gate = gate(CERTIFIED, chain=own.chain, key=own.key, issuer=staff.root, print=print_of)

    def as_somebody(path, who=None, *more):
        shown = ["--cert", who.chain, "--key", who.key] if who else []
        return curl(gate, path, "--cacert", authority.root, *shown, *more, scheme="https")

    for path, of_nobody, of_ann, of_bob in [("/any", 403, 200, 200), ("/ann", 403, 200, 403), ("/name", 403, 200, 200),
                                            ("/print", 403, 200, 403), ("/", 200, 200, 200)]:
        assert [as_somebody(path, who)[0] for who in (None, ann, bob)] == [of_nobody, of_ann, of_bob], path
    assert "needs a client certificate" in as_somebody("/any")[2]
    assert "needs a client certificate" not in as_somebody("/ann", bob)[2]
    assert as_somebody("/strong", None, "--tls-max", "1.2")[0] == 403 and as_somebody("/strong")[0] == 200
    assert as_somebody("/any", ann, "-H", "Client_Cert: :AAAA:", "-H", "client-cert: :AAAA:")[0] == 200
    [shown] = told(origin, "Client-Cert")
    assert shown.strip(":") == "".join(ann.chain.read_text().split("-----")[2].split())
    for name in ("Client-Cert", "Client_Cert", "Client-Cert-Chain"):
        assert as_somebody("/", None, "-H", f"{name}: :AAAA:")[0] == 200
        assert b"AAAA" not in raw(origin), name
