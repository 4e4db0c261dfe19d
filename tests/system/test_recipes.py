"""The recipes, as they are written: only addresses and files are replaced by those of the parts behind them."""
import re
from pathlib import Path

import pytest

from parts.browsers import curl, s_client
from parts.ports import free_port

RECIPES = Path(__file__).resolve().parents[2] / "docs" / "recipes"


def recipe(name, block=0):
    """A YAML block of a recipe."""
    return re.findall(r"```yaml\n(.*?)```", (RECIPES / f"{name}.md").read_text(), re.DOTALL)[block]


def filled(text, replaced):
    """`text` with each of these replaced; each has to be there."""
    for what, by in replaced.items():
        assert what in text, f"{what} is not in the recipe any more"
        text = text.replace(what, str(by))
    return text


def test_mail_is_read_through_what_the_recipe_terminates(lockgate, dovecot, authority):
    certificate = authority.certificate("mail.example.org")
    front = lockgate(filled(recipe("terminate"), {
        '":993"': '"127.0.0.1:$port"', "/etc/lockgate/mail.pem": certificate.chain,
        "/etc/lockgate/mail.key": certificate.key, "tcp://127.0.0.1:143": f"tcp://127.0.0.1:{dovecot.port}"}))
    done = curl("imaps://mail.example.org/", front.port, "-u", f"{dovecot.user}:{dovecot.password}",
                root=authority.root)
    assert done.returncode == 0 and "INBOX" in done.stdout, done
    line = front.next_line()
    assert (line["verdict"], line["tls_version"], line["site"]) == ("terminate", "1.3", "mail.example.org")


@pytest.mark.parametrize("credentials", [True, False])
def test_an_old_program_is_bumped_as_the_recipe_says(lockgate, squid, nginx, authority, tmp_path, credentials):
    name = "externalresource.com"
    external = nginx(name)
    parent = squid(names={name: "127.0.0.1"}, login=("jane", "secret") if credentials else None)
    (tmp_path / "corporate").write_text("jane:secret\n")
    old = free_port()
    text = filled(recipe("bump"), {
        "http://corporateproxy:8080": f"http://{parent.address}", "/etc/lockgate/corporate": tmp_path / "corporate",
        f'"tls://{name}:443", via: corporate': f'"tls://{name}:{external.port}", via: corporate, '
                                               f'tls: {{ ca_file: {authority.root} }}',
        "127.0.0.1:7090": "127.0.0.1:$port", "127.0.0.1:7091": f"127.0.0.1:{old}"})
    front = lockgate(f"state_folder: {tmp_path}/state\n{text}")
    assert f"server={name}" in curl(f"http://{name}/", front.port).stdout
    line = front.next_line()
    assert (line["tls"], line["upstream_tls_version"], line["parent"]) == ("plain", "1.3", f"http://{parent.address}")
    done = s_client(old, "-tls1", "-cipher", "AES128-SHA:@SECLEVEL=0", "-quiet",
                    stdin=f"GET / HTTP/1.0\r\nHost: {name}\r\n\r\n")
    assert f"server={name}" in done.stdout, done.stdout
    line = front.next_line()
    assert (line["tls_version"], line["tls_cipher"]) == ("1.0", "TLS_RSA_WITH_AES_128_CBC_SHA")
