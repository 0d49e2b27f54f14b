"""`!device trust`: what a real server offers is shown, confirmed by an admin, written down and recorded."""

import re
import socket
import subprocess

import pytest

from automation_bots.drivers.ssh.known_hosts import KnownHosts
from automation_bots.store import AuditKind
from tests.fakes import faulty_ssh, strange
from tests.fakes.__main__ import inventory
from tests.support.chatbot import BOT_TOML, ChatBot, write_folder

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path, sshd):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    lost = f"    lost: {{hosts: {{lost1: {{ansible_host: 127.0.0.1, ansible_port: {port}}}}}}}\n"
    here = "    here: {hosts: {here1: {ansible_connection: local}}}\n"
    return write_folder(tmp_path, toml=BOT_TOML, hosts=inventory(sshd) + lost + here)


@pytest.fixture
def chat(folder):
    with ChatBot(folder) as chat:
        yield chat


@pytest.fixture
def code(sshd):
    return sshd.fingerprint().removeprefix("SHA256:")[:6]


def known(chat, sshd, number=0):
    return KnownHosts(chat.automation.bot_folder.known_hosts).keys(sshd.addresses[number], sshd.port)


def trust(chat, devices, code):
    chat.asks(f"!device trust {devices}", "device trust .* yes", seconds=15)
    return chat.asks(f"!device trust {devices} yes {code}")


def test_offered_keys_are_shown_and_nothing_is_trusted_by_that(chat, sshd):
    said = chat.asks("!device trust web1", "offered", seconds=15)
    assert "is not known yet" in said
    assert sshd.fingerprint() in said
    assert sshd.fingerprint("ecdsa") in said
    assert "→ !device trust web1 yes <the first 6 characters behind SHA256: of one of them>" in said
    assert known(chat, sshd) == ()


def test_a_confirmed_device_can_be_used_and_the_file_says_who_trusted_it(chat, sshd, code):
    assert "web1 is trusted now" in trust(chat, "web1", code)
    assert {key.fingerprint for key in known(chat, sshd)} == {sshd.fingerprint(), sshd.fingerprint("ecdsa")}
    assert all(re.match(r"trusted by ana on 20\d\d-", key.comment) for key in known(chat, sshd))
    assert "1 ok" in chat.asks("!uptime on web1 --wait", "uptime on", seconds=30)


def test_who_trusted_what_stands_in_the_record(chat, sshd, code):
    trust(chat, "web1", code)
    (row,) = chat.automation.store.audit_rows(kind=AuditKind.TRUSTED, device="web1")
    assert row.person == "ana"
    assert f"ssh-ed25519 {sshd.fingerprint()}" in row.body["keys"]["web1"]
    rows = chat.automation.store.host_keys.of(sshd.addresses[0], sshd.port)
    assert {(row.trusted_by, row.revoked_by) for row in rows} == {("ana", "")}
    assert "trusted" in chat.asks("!audit kind=trusted", "entries")
    assert chat.automation.store.verify_audit()


def test_what_is_known_is_shown_with_who_trusted_it(chat, sshd, code):
    trust(chat, "web1", code)
    said = chat.asks("!device trust web1", "nothing to confirm", seconds=15)
    assert re.search(rf"{re.escape(sshd.fingerprint())}\s+known, trusted by ana on", said)


def test_hashed_names_are_known_too(chat, sshd):
    path = chat.automation.bot_folder.known_hosts
    path.write_text(sshd.known_hosts.read_text())
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(path)], check=True, capture_output=True)
    assert re.search(
        rf"{re.escape(sshd.fingerprint())}\s+known", chat.asks("!device trust web1", "offered", seconds=15)
    )


@pytest.mark.parametrize("typed", ["", "AAAAAA", "SHA256:", "a"])
def test_something_else_than_the_fingerprint_trusts_nothing(chat, sshd, typed):
    assert "Nothing was trusted" in trust(chat, "web1", typed)
    assert known(chat, sshd) == ()


def test_a_whole_fingerprint_confirms_too(chat, sshd):
    assert "is trusted now" in trust(chat, "web1", sshd.fingerprint("ecdsa"))


def test_nothing_is_confirmed_that_was_not_shown_to_the_same_person(chat, sshd, code):
    assert "You have not looked" in chat.asks(f"!device trust web1 yes {code}")
    chat.asks("!device trust web1", "offered", seconds=15)
    assert "You have not looked" in chat.asks(f"!device trust web1,web2 yes {code}")
    assert known(chat, sshd) == ()


@pytest.mark.parametrize("verb", ["trust", "untrust"])
def test_only_admins_decide_about_trust(chat, verb):
    said = chat.asks(f"!device {verb} web1", who="joe")
    assert said == "No: which host keys are trusted is for admins to say (ana)."
    assert chat.automation.store.audit_rows(kind=AuditKind.DENIED)[0].operation == f"device {verb}"


def test_untrust_undoes_it(chat, sshd, code):
    trust(chat, "web1,web2", _code(chat, "web1,web2"))
    said = chat.asks("!device untrust web1")
    assert "no longer trusted" in said
    assert sshd.fingerprint() in said
    assert (known(chat, sshd, 0), len(known(chat, sshd, 1))) == ((), 2)
    assert chat.automation.store.audit_rows(kind=AuditKind.UNTRUSTED, device="web1")[0].person == "ana"
    assert {row.revoked_by for row in chat.automation.store.host_keys.of(sshd.addresses[0], sshd.port)} == {"ana"}
    assert "is not known" in chat.asks("!uptime on web1 --wait", "uptime on", seconds=30)
    assert "No host key of web1 is known" in chat.asks("!device untrust web1")


def _code(chat, devices):
    return re.search(r"yes (\w+)  trusts", chat.asks(f"!device trust {devices}", "trusts the", seconds=15))[1]


def test_many_devices_are_a_table_with_one_confirmation(chat, sshd):
    said = chat.asks("!device trust all", "trusts the 3 new", seconds=20)
    assert said.startswith("5 devices: 2 not reached, 3 new.")
    assert re.search(r"lost1\s+not reached\s+.*refused the connection", said)
    assert re.search(r"here1\s+not reached\s+it is not reached over SSH, but by local", said)
    code = re.search(r"yes (\w+)", said)[1]
    assert "are trusted now" in chat.asks(f"!device trust all yes {code}")
    assert "2 not reached, 3 known" in chat.asks("!device trust all", "5 devices", seconds=20)


def test_a_device_that_cannot_be_reached_says_so(chat):
    assert "lost1 (127.0.0.1:" in chat.asks("!device trust lost1", "could not be asked: .*refused", seconds=15)


def test_a_silent_device_does_not_keep_the_chat_waiting(folder, sshd):
    with strange.server(strange.silent) as port:
        quiet = f"    quiet: {{hosts: {{quiet1: {{ansible_host: 127.0.0.1, ansible_port: {port}}}}}}}\n"
        write_folder(folder, toml=BOT_TOML, hosts=inventory(sshd) + quiet)
        with ChatBot(folder) as chat:
            assert chat.asks("!device trust quiet1", seconds=2).startswith("Asking 1 device for host keys")
            chat.hears("quiet1 .* could not be asked: .*no SSH greeting", 15)


def test_a_changed_key_is_refused_with_both_fingerprints_and_who_trusted_the_old_one(folder, sshd):
    with faulty_ssh.running(faulty_ssh.ChangesKey) as faulty:
        odd = f"ansible_host: 127.0.0.1, ansible_port: {faulty.port}, ansible_user: lab, ansible_password: lab"
        write_folder(folder, toml=BOT_TOML, hosts=f"all: {{hosts: {{odd1: {{{odd}}}}}}}\n")
        with ChatBot(folder) as chat:
            (folder / "known_hosts").write_text(f"{faulty.known} trusted by kim on 2026-01-02 03:04 UTC\n")
            said = chat.asks("!device trust odd1", "offer", seconds=15)
            later = chat.asks("!uptime on odd1 --wait", "uptime on", seconds=30)
            for text in (later, chat.asks("!device trust odd1", "OTHER keys", seconds=15)):
                assert faulty.key.fingerprint in text
                assert faulty.later.fingerprint in text
                assert "trusted by kim on 2026-01-02 03:04 UTC" in text
            assert said
            code = faulty.later.fingerprint.removeprefix("SHA256:")[:8]
            assert "odd1 is trusted now" in chat.asks(f"!device trust odd1 yes {code}")
            assert "1 ok" in chat.asks("!uptime on odd1 --wait", "uptime on", seconds=30)


@pytest.mark.parametrize("devices", ["web1 web2", "web1, web2", "on web1,web2", "web"])
def test_devices_are_named_as_everywhere(chat, devices):
    assert "2 devices: 2 new" in chat.asks(f"!device trust {devices}", "devices", seconds=15)


def test_what_cannot_be_written_is_not_called_trusted(chat, sshd, code):
    chat.asks("!device trust web1", "offered", seconds=15)
    chat.automation.bot_folder.known_hosts.mkdir()
    assert chat.asks(f"!device trust web1 yes {code}").startswith("Nothing is trusted: cannot")
    assert {row.revoked_by for row in chat.automation.store.host_keys.of(sshd.addresses[0], sshd.port)} == {"ana"}
    assert "not written" in chat.automation.store.audit_rows(kind=AuditKind.UNTRUSTED)[0].body["reason"]
