"""`automation-bots doctor`: each kind of wrong thing is named with what to do; nothing is changed, no secret shown."""

import os
import re
import sqlite3
import stat
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from automation_bots import doctor
from automation_bots.chat import registry
from automation_bots.chat.client import PlainClient
from automation_bots.config import room_names
from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.doctor import chat, files, servers, tools
from automation_bots.doctor import record as record_of
from automation_bots.errors import AutomationError, StoreError
from automation_bots.policy import policy
from automation_bots.processes import own
from automation_bots.store import AuditKind, Store
from automation_bots.sweep.sockets import NotPermitted
from backends.adapter import installed
from tests.support.chatbot import write_folder
from tests.support.paper import Network, PaperClient
from tests.support.program import ROOT, Program, automation_bots, write_bot

pytestmark = [pytest.mark.slow, pytest.mark.works]  # every look reads an inventory in a process of its own
NET_POLICY = """
people: {ana: {test: U1, groups: [admins]}, joe: {test: U9}, kim: {slack: U3}}
rules: [{name: all, who: admins, may: [everything]}]
"""


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "bot", policy=NET_POLICY)


def look(folder, *more, **environment):
    data = {"AUTOMATION_BOTS_DATA": str(folder / "data"), "PATH": os.environ["PATH"]}
    return list(doctor.examine(folder, {**data, **environment}, *more))


def part(look, folder):
    """One part alone, without the inventory."""
    bot_folder = BotFolder(
        folder, {"AUTOMATION_BOTS_DATA": str(folder / "data"), "PATH": os.environ["PATH"]}, untouched=True
    )
    world = LiveConfig(bot_folder.inventory(folder / "cache"), folder / "policy.yml", bot_folder.operations(), {})
    world.take(policy.load(world.policy_file))
    return list(look(bot_folder, world))


def wrong(lines):
    return "\n".join(text for mark, text in lines if mark == "WRONG")


def notes(lines):
    return "\n".join(text for mark, text in lines if mark == "NOTE")


def add(folder, text, file="bot.toml"):
    (folder / file).write_text((folder / file).read_text() + text)


def record(folder):
    data = folder / "data/netbot"
    data.mkdir(mode=0o700, parents=True)
    store = Store.open(data)
    store.record(AuditKind.OPENED)
    store.close()
    return data


# -- the bot's folder and its files


def test_a_bot_that_is_well_has_nothing_wrong(folder):
    record(folder)
    lines = look(folder)
    assert wrong(lines) == ""
    assert {"inventory: 5 devices, 5 groups", "policy: 3 people, 1 rules"} <= {text for _, text in lines}


def test_looking_changes_nothing(folder):
    data = record(folder)
    before = {
        path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.name not in {"bot.db-shm", "bot.db-wal"}
    }
    look(folder)
    after = {
        path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.name not in {"bot.db-shm", "bot.db-wal"}
    }
    assert after.keys() == before.keys()
    assert [path for path in before if before[path] != after[path] and path != data] == []


def test_a_data_folder_that_is_not_there_is_not_made(folder):
    assert "the first start makes it" in notes(look(folder))
    assert not (folder / "data").exists()


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("bot.toml", "colour = 1\n", "colour: this key is not known"),
        ("bot.toml", "\n[inventory]\nsources = ['nowhere']\n", "nowhere: there is no such inventory"),
        ("policy.yml", "x: [\n", "policy.yml, line"),
        ("plugins/calc.py", "def calc(:\n", "calc.py, line 1"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(folder, file, text, said):
    (folder / "plugins").mkdir()
    (folder / "plugins/calc.py").touch()
    add(folder, text, file)
    assert re.search(said, wrong(look(folder)))


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[chat]\ntoken = 'env:NOT_THERE'", r"chat.token \(bot.toml, line 5\) .* has no NOT_THERE; set it"),
        ("[chat]\ntoken = 'file:token'", "the secret file .*token is not there; chat.token of bot.toml"),
        ("[drivers.ssh]\nkey_files = ['id']", "the private key .*id is not there"),
    ],
)  # fmt: skip
def test_a_secret_that_is_not_there_is_named(folder, table, said):
    add(folder, f"\n{table}\n")
    assert re.search(said, wrong(part(files.look, folder)))


def test_a_policy_that_everybody_can_change_is_named(folder):
    (folder / "policy.yml").chmod(0o646)
    assert f"can change {folder}/policy.yml (mode 0646). Run: chmod go-w {folder}/policy.yml" in wrong(
        part(files.look, folder)
    )


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[drivers.salt]\nurl = 'http://127.0.0.1:1'\nuser = 'x'", "driver salt: .*cannot be reached"),
        ("[record]\nsyslog = 'tcp://127.0.0.1:1'", "syslog: .*cannot be reached"),
        ("[record]\nsyslog = 'unix:/nowhere/log'", "syslog: .*cannot be reached"),
        ("[vault]\nurl = 'http://127.0.0.1:1'\ntoken = 'env:PATH'", "vault: .*cannot be used"),
        ("[ldap]\nurl = 'ldaps://127.0.0.1:1'\nbase = 'o=x'\ngroups = {a = 'cn=a'}", "ldap: .*cannot be read"),
    ],
)
def test_a_server_that_is_not_there_is_named(folder, table, said):
    add(folder, f"\n{table}\n")
    assert re.search(said, wrong(part(servers.look, folder)))


def test_every_secret_file_is_looked_at_and_none_is_shown(folder):
    add(folder, "\n[chat]\ntoken = 'file:token'\npassword = 'file:other'\n")
    for name in ("token", "other"):
        (folder / name).write_text("hunter2-and-more")
        (folder / name).chmod(0o644)
    lines = part(files.look, folder)
    assert f"chmod 600 {folder}/token" in wrong(lines) and f"chmod 600 {folder}/other" in wrong(lines)
    assert "hunter2" not in str(lines)


def test_a_data_folder_that_others_read_is_named(folder):
    record(folder).chmod(0o755)
    assert f"chmod 700 {folder}/data/netbot" in wrong(part(files.look, folder))


def test_what_root_has_left_in_the_data_folder_is_named(folder):
    data = record(folder)
    os.chown(data, 65534, 65534)
    assert re.search(r"and \d+ more belongs to root, .*Run: chown -R nobody: ", wrong(part(files.look, folder)))


def test_a_disk_without_room_is_named(folder, tmp_path):
    (tmp_path / "small").mkdir()
    command = f"mount -t tmpfs -o size=1m,nr_inodes=99 tmpfs {tmp_path}/small; automation-bots doctor {folder}"
    environment = {**os.environ, "AUTOMATION_BOTS_DATA": f"{tmp_path}/small", **own.python_path()}
    environment["PATH"] = f"{ROOT}/.venv/bin:{environment['PATH']}"
    ended = subprocess.run(["unshare", "-m", "sh", "-c", command], capture_output=True, text=True, env=environment)
    assert ended.returncode == 1 and "WRONG disk: nearly full, " in ended.stdout


# -- the record


@pytest.mark.parametrize(
    ("version", "mark", "said"), [("0001", "NOTE", "0001.*next start"), ("9999", "WRONG", "newer version")]
)
def test_tables_of_another_version_are_named(folder, version, mark, said):
    data = record(folder)
    with sqlite3.connect(data / "bot.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    connection.close()
    found = [text for marked, text in part(record_of.look, folder) if marked == mark]
    assert re.search(said, "\n".join(found))


def test_a_record_that_cannot_be_read_is_named(folder):
    (record(folder) / "bot.db").write_bytes(b"x" * 8192)
    with pytest.raises(StoreError, match="is damaged"):
        part(record_of.look, folder)


# -- tools


HERE = tools.Machine()
HOSTS = "all: {hosts: {a: {ansible_password: !vault x}, b: {}, c: {ansible_connection: winrm, driver: powershell}}}"


def missing(folder, **machine):
    def looked(bot_folder, world):
        world.load()
        return tools.look(bot_folder, world, replace(HERE, **machine))

    return part(looked, folder)


def not_permitted():
    raise NotPermitted


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        ({"tool": lambda name: None}, "WRONG driver ansible: there is no ssh client. Run: apt-get"),
        ({"tool": lambda name: None}, "NOTE git is not there"),
        ({"tool": lambda name: None}, "WRONG driver paths: !mtu needs ping"),
        ({"beside": Path("/nowhere")}, "WRONG driver ansible: ansible-playbook is missing"),
        ({"package": lambda name: None}, "WRONG driver ssh: the Python package asyncssh is missing. Run: pip"),
        ({"package": lambda name: None}, "WRONG driver powershell: the Python package pywinrm is missing"),
        ({"ping": not_permitted}, "WRONG driver reach: this user may not ping. Run: sysctl"),
    ],
)  # fmt: skip
def test_a_tool_that_is_missing_is_named_with_what_to_type(folder, machine, said):
    (folder / "inventory/hosts.yml").write_text(HOSTS.replace("!vault x", "x"))
    found = [f"{mark} {text}" for mark, text in missing(folder, **machine)]
    assert any(line.startswith(said) for line in found), found


def test_what_no_device_needs_is_not_asked_for(folder):
    assert not [text for _, text in missing(folder, package=lambda name: None) if "powershell" in text]


def test_passwords_of_playbooks_need_sshpass(folder):
    (folder / "inventory/hosts.yml").write_text("all: {hosts: {a: {ansible_password: geheim-42}}}")
    found = missing(folder, tool=lambda name: None if name == "sshpass" else "/bin/true")
    assert "apt-get install sshpass" in wrong(found) and "geheim" not in str(found)


# -- people


def test_a_network_on_which_no_admin_is_known_is_wrong(folder):
    add(folder, "", "policy.yml")
    (folder / "policy.yml").write_text(NET_POLICY.replace("ana: {test", "ana: {slack"))
    assert "nobody of the group admins has an id on test" in wrong(look(folder))


def test_people_without_an_id_on_the_network_are_noted(folder):
    assert "1 have no id on test and may do nothing there: kim" in notes(look(folder))


# -- the chat network


def asked(folder, network, rooms='[places]\nops = "C1"\n'):
    add(folder, f"\n{rooms}")
    client = PaperClient(network)
    return part(lambda bot_folder, world: chat.ask(client, bot_folder, world), folder)


def test_a_network_that_knows_all_is_asked_without_connecting(folder):
    network = Network()
    lines = asked(folder, network)
    assert "room #ops: the bot can read and write there" in {text for _, text in lines}
    assert (network.clients, network.calls) == ([], [])


ROOMS = '[places]\nops = "C1"\ndev = "C2"\n[approvals]\nroom = "C7"\n[record]\ncheckpoint_room = "#dev"\n'


@pytest.mark.parametrize(
    ("fault", "rooms", "said"),
    [
        ("revoked", "", "Test does not take the credentials of .chat.: invalid_auth"),
        ("away", "", "Test cannot be asked: no answer"),
        ("scope", "", "the scope chat:write is missing; add it to the app"),
        ("clock", "", "clock: this machine is 90 s behind the chat network.*timedatectl"),
        ("", "", r"people: joe \(U9\): nobody has this id"),
        ("", ROOMS, r"room #dev \(C2\): not in C2"),
        ("", ROOMS, r"approvals.room C7 \(C7\): there is no such room, or the bot is not in it; invite the bot"),
    ],
)
def test_what_is_wrong_with_the_network_is_named(folder, fault, rooms, said):
    assert re.search(said, wrong(asked(folder, Network(fault), rooms)))


BY_NAME = """
people: {ana: {slack: U1, groups: [admins]}}
rules:
  - {name: here, who: everyone, may: [reads], where: ["#ops", "#netops", dm, slack, C1, C7]}
  - {name: asked, who: everyone, may: [changes], approval: {by: ana, room: "#dev"}}
"""


def test_a_room_of_a_rule_that_the_network_does_not_have_is_named(tmp_path):
    toml = 'name = "n"\nbackend = "Slack"\n[approvals]\nroom = "#gone"\n'
    lines = asked(write_folder(tmp_path / "bot", toml=toml, policy=BY_NAME), Network(), "")
    assert [text.partition(": there is")[0] for text in wrong(lines).splitlines() if "room" in text] == [
        room_names.unknown('rule "here": where', "netops"),
        room_names.unknown("bot.toml: approvals.room", "gone"),
        "room #dev (C2): not in C2",
        'rule "here": where C7 (C7)',
    ]


def test_a_room_with_two_names_is_looked_at_once(folder):
    lines = asked(folder, Network(), '[places]\nops = "C1"\n[record]\ncheckpoint_room = "ops"\n')
    assert [text for _, text in lines if "C1" in text or "#ops" in text] == [
        "room #ops: the bot can read and write there"
    ]


def test_a_client_that_cannot_say_more_is_named_as_not_checked(folder):
    add(folder, f"\n{ROOMS}")

    class Silent(PlainClient):
        def examine(self):
            yield "ok", "logged in"

    lines = part(lambda bot_folder, world: chat.ask(Silent(), bot_folder, world), folder)
    assert notes(lines).count("cannot be checked on this network") == 2


def test_a_client_that_breaks_is_a_line_and_no_traceback(folder):
    class Broken(PlainClient):
        def examine(self):
            raise KeyError("ok")

    lines = look(folder, lambda bot_folder, world: chat.ask(Broken(), bot_folder, world))
    assert "one part could not be looked at: KeyError: 'ok'" in wrong(lines)


# -- as it is typed


@pytest.mark.parametrize(
    ("name", "said"),
    [("Slck", "no such chat network 'Slck' here; there are .*Text"), ("XMPP", r"pip install .errbot\[xmpp\]")],
)
def test_a_backend_that_cannot_be_loaded_is_named(name, said):
    with pytest.raises(installed.NoBackend, match=said):
        installed.load(name)


@pytest.mark.parametrize("name", ["Text", "Test", *registry.NETWORKS])
def test_a_backend_that_is_there_can_be_loaded(name):
    installed.load(name)


def test_a_network_of_ours_is_told_its_own_settings_with_their_secrets_and_where_it_may_keep_things(tmp_path):
    toml = 'name = "netbot"\nbackend = "Slack"\n[chat]\ntoken = "env:TOKEN"\naway_seconds = 5\n'
    folder = BotFolder(write_folder(tmp_path, toml=toml), {"AUTOMATION_BOTS_DATA": str(tmp_path), "TOKEN": "let-me-in"})
    shared, made = registry.made(lambda chat, data: (chat, data), folder, folder.data)
    assert (shared.away_seconds, made) == (5, ({"token": "let-me-in"}, folder.data))


def test_a_network_whose_library_is_missing_says_what_to_do(tmp_path):
    def maker(chat, data):
        raise ImportError("No module named 'slack_sdk'")

    folder = BotFolder(write_folder(tmp_path, toml='name = "netbot"\nbackend = "Slack"\n'), {})
    with pytest.raises(AutomationError, match=r"Slack cannot be loaded: .*slack_sdk.*pip install -r"):
        registry.made(maker, folder, tmp_path)


def test_another_network_of_errbot_is_reached_and_the_rest_is_said_to_be_unknown(tmp_path):
    toml = 'name = "netbot"\nbackend = "Test"\n[chat]\nserver = "127.0.0.1"\nport = 1\n'
    lines = part(partial(chat.look, installed.load), write_folder(tmp_path, toml=toml))
    assert "chat: 127.0.0.1 port 1 cannot be reached" in wrong(lines)
    assert "credentials, rooms and people cannot be checked before it runs" in notes(lines)


def test_a_bot_that_runs_is_seen_and_goes_on(tmp_path):
    folder = write_bot(tmp_path / "mine")
    with Program("run", folder, data=tmp_path / "data") as bot:
        bot.asks("!whoami", "admin")
        ended = automation_bots("doctor", folder, data=tmp_path / "data")
        assert f"a bot runs on this data folder (pid {bot.process.pid})" in ended.stdout, ended.stdout
        bot.asks("!whoami", "admin")
    assert (ended.returncode, ended.stdout.splitlines()[-1], ended.stderr) == (0, "all is well", "")


@pytest.mark.parametrize(
    ("backend", "chat", "said"),
    [
        ("Slack", {"bot_token": "env:EMPTY", "app_token": "env:APP"}, "line 4: chat.bot_token is empty"),
        ("Slack", {"bot_token": "env:APP", "app_token": "env:APP"}, "chat.bot_token is no bot token; it begins with"),
        ("RocketChat", {"url": "https://chat.example", "token": "env:EMPTY"}, "chat: give a token"),
        ("Matrix", {"server": "https://m.example", "token": "env:APP", "password": "env:APP"}, "give either a token"),
    ],
)
def test_what_is_wrong_with_chat_is_said_in_words_that_can_be_read(tmp_path, backend, chat, said):
    lines = "".join(f'{key} = "{value}"\n' for key, value in chat.items())
    folder = write_folder(tmp_path / "mine", toml=f'name = "mine"\nbackend = "{backend}"\n[chat]\n{lines}')
    ended = automation_bots("doctor", folder, data=tmp_path / "data", EMPTY="", APP="xapp-1-A0-1-abcdef")
    about = [line for line in ended.stdout.splitlines() if "bot.toml, line" in line]
    assert said in about[0]
    assert "redacted" not in about[0] and "pydantic" not in ended.stdout


def test_the_exit_code_says_that_something_is_wrong(tmp_path):
    folder = write_bot(tmp_path / "mine", more="[chat]\ntoken = 'env:NOT_THERE'\n")
    ended = automation_bots("doctor", folder, data=tmp_path / "data")
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (1, "1 problem")
    assert stat.S_IMODE((folder / "bot.toml").stat().st_mode) & stat.S_IWOTH == 0
