"""Protocols in which the server speaks first, behind a listener with `peek: off`: SSH and IMAP, with real servers."""
import imaplib

import pytest

from parts.sockets import first_line, read_to_end

GATE = """
listeners:
  - bind: "127.0.0.1:$port"
    peek: off
    sites:
      - names: [default]
        pass: { to: "tcp://127.0.0.1:$to" }
"""


def test_one_logs_in_by_ssh(lockgate, sshd):
    gate = lockgate(GATE, to=sshd.port)
    done = sshd.run(gate.port, "echo", "inside")
    assert done.stdout == "inside\n", done.stderr
    line = gate.next_line()
    assert line["outcome"] == "finished"
    assert "tls" not in line and "name" not in line


def test_a_megabyte_goes_through_ssh(lockgate, sshd):
    gate = lockgate(GATE, to=sshd.port)
    assert len(sshd.run(gate.port, "head -c 1000000 /dev/zero | tr '\\0' x").stdout) == 1_000_000


def test_one_reads_mail_by_imap(lockgate, dovecot):
    gate = lockgate(GATE, to=dovecot.port)
    with imaplib.IMAP4("127.0.0.1", gate.port, timeout=5) as mail:
        assert b"Dovecot" in mail.welcome or b"IMAP4rev1" in mail.welcome
        assert mail.login(dovecot.user, dovecot.password)[0] == "OK"
        assert mail.select()[0] == "OK"
    assert gate.next_line()["outcome"] == "finished"


def test_the_banner_comes_to_a_client_that_says_nothing(lockgate, origin):
    gate = lockgate(GATE, to=origin.port)
    with gate.connect() as client, origin.accept() as server:
        server.sendall(b"220 mail.example.test\n")
        assert first_line(client) == "220 mail.example.test"


def test_a_client_may_finish_and_still_be_answered(lockgate, origin):
    gate = lockgate(GATE, to=origin.port)
    with gate.connect() as client, origin.accept() as server:
        client.sendall(b"question")
        client.shutdown(1)
        assert read_to_end(server) == b"question"
        server.sendall(b"answer")
        server.close()
        assert read_to_end(client) == b"answer"
    line = gate.next_line()
    assert (line["outcome"], line["bytes_up"], line["bytes_down"]) == ("finished", 8, 6)


@pytest.mark.parametrize("verdict", ["reject: { with: reset }", "reject: { with: silence }"])
def test_a_rejecting_listener_says_nothing(lockgate, verdict):
    gate = lockgate(GATE.replace('pass: { to: "tcp://127.0.0.1:$to" }', verdict))
    try:
        with gate.connect() as client:
            assert read_to_end(client) == b""
    except ConnectionResetError:
        assert "reset" in verdict
    assert gate.next_line()["outcome"] == "rejected"
