"""`check` tells of names that browsers would ask for on a connection which does not lead there."""
import pytest

GATE = """
certificates: { one: { chain: $chain, key: $key } }
listeners:
  - bind: "127.0.0.1:$port"
    sites:
      - names: [www.example.test]
        terminate: { certificate: one, to: "http://127.0.0.1:1" }
      - names: [$other]
        $verdict
      - { names: [default], reject: {} }
"""


@pytest.fixture
def check(lockgate, authority):
    def check(other, verdict, name="*.example.test"):
        own = authority.certificate(name)
        gate = lockgate(GATE.replace("$verdict", verdict), start=False, chain=own.chain, key=own.key, other=other)
        done = gate.command("check")
        assert done.returncode == 0, done
        return done.stdout + done.stderr, gate

    return check


@pytest.mark.parametrize("verdict, word", [('pass: { to: "tls://127.0.0.1:2" }', "passes"), ("reject: {}", "rejects")])
@pytest.mark.parametrize("other", ["mail.example.test", '"*.example.test"'])
def test_a_name_that_a_certificate_covers_and_another_site_has(check, verdict, word, other):
    said, gate = check(other, verdict)
    name = other.strip('"')
    lines = gate.config.read_text().splitlines()
    first, second = (number for number, line in enumerate(lines, 1) if "- names: [" in line)
    assert f"{gate.config}:{first}:" in said
    assert f"is good for `{name}`, too, which the site `{name}` at {gate.config}:{second} {word}" in said
    assert "421" in said


@pytest.mark.parametrize("other, verdict, name", [
    ("mail.example.org", 'pass: { to: "tls://127.0.0.1:2" }', "*.example.test"),
    ("mail.example.test", 'pass: { to: "tls://127.0.0.1:2" }', "www.example.test"),
    ("mail.example.test", 'terminate: { certificate: one, to: "http://127.0.0.1:1" }', "*.example.test"),
    ("mail.example.test", 'plain: { to: "http://127.0.0.1:1" }', "*.example.test")])
def test_names_that_do_no_harm(check, other, verdict, name):
    assert "421" not in check(other, verdict, name)[0]
