"""Secrets of a key/value server: for bot.toml and for devices, opened at the last moment and written nowhere."""

import re
import sys

import pytest

from automation_bots.config.settings import load
from automation_bots.drivers.fake import Fake
from automation_bots.errors import ConfigError
from automation_bots.model import Outcome, Status
from automation_bots.secrets import key_value
from automation_bots.secrets.key_value import Address, Kv, Login
from tests.fakes.kv_server import KvServer
from tests.support.chatbot import BOT_TOML, HOSTS, ChatBot, write_folder

pytestmark = pytest.mark.slow

SECRET = "Zebra-Quartz-91"
TOKEN = "hvs.test-token-of-the-lab"


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "kv"
    folder.mkdir()
    with KvServer(folder, token=TOKEN, role=("role-1", "secret-1")) as server:
        server.put("switches", password=SECRET, user="netbot")
        yield server


@pytest.fixture
def client(server):
    return Kv(server.url, Login(token=lambda: TOKEN), ca_file=str(server.ca_file))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("kv:net/switches#password", Address("net", "switches", "password")),
        ("kv:net/site/a/core1#enable", Address("net", "site/a/core1", "enable")),
        ("bao:secret/data/bot#token", Address("secret", "bot", "token")),
        ("bao:team/net/data/a/data/b#c", Address("team/net", "a/data/b", "c")),
        ("kv:net#password", None),
        ("kv:net/switches", None),
        ("bao:net/switches#password", None),
        ("kv:net/two words#x", None),
    ],
)
def test_a_reference_says_mount_path_and_field(text, address):
    assert key_value.address(text) == address


def test_a_value_is_read_once_for_a_while(client, server):
    assert [client.resolve(f"kv:net/switches#{field}") for field in ("password", "user")] == [SECRET, "netbot"]
    assert client.resolve("bao:net/data/switches#password") == SECRET
    assert server.asked == [("net", "switches")]


def test_a_new_value_counts_when_the_old_one_has_been_kept_long_enough(client, server):
    times = [0.0]
    client.clock = lambda: times[-1]
    client.resolve("kv:net/switches#password")
    server.put("switches", password="new-one-22")
    times.append(59.0)
    assert client.resolve("kv:net/switches#password") == SECRET
    times.append(60.0)
    assert client.resolve("kv:net/switches#password") == "new-one-22"


def test_an_approle_logs_in_and_again_when_its_token_has_run_out(client, server):
    client.login = Login(role_id=lambda: "role-1", secret_id=lambda: "secret-1")
    client.cache_seconds = 0
    assert client.resolve("kv:net/switches#password") == SECRET
    server.tokens.clear()
    assert client.resolve("kv:net/switches#password") == SECRET


@pytest.mark.parametrize(
    ("change", "reference", "said"),
    [
        ({}, "kv:net/gone#x", "there is no net/gone on https://127"),
        ({}, "kv:net/switches#x", "net/switches on https://.* has no field x"),
        ({}, "kv:other/switches#password", "there is no other/switches"),
        ({"ca_file": ""}, "kv:net/switches#password", "cannot be read: SSLError"),
        ({"login": Login(token=lambda: "wrong")}, "kv:net/switches#password", "may not read net/switches"),
        ({"login": Login(role_id=lambda: "r", secret_id=lambda: "s")}, "kv:net/switches#password", "InvalidRequest"),
        ({"login": Login()}, "kv:net/switches#password", "set token, or role_id"),
        ({"namespace": "team"}, "kv:net/switches#password", "there is no net/switches"),
        ({"url": "https://127.0.0.1:1"}, "kv:net/switches#password", "cannot be read: ConnectionError"),
        ({"url": ""}, "kv:net/switches#password", "set url in"),
        ({}, "kv:switches", "written kv:mount/path#field"),
    ],
)
def test_what_cannot_be_had_is_said_without_any_value(client, change, reference, said):
    for name, value in change.items():
        setattr(client, name, value)
    with pytest.raises(LookupError, match=said) as caught:
        client.resolve(reference)
    assert SECRET not in str(caught.value) and TOKEN not in str(caught.value)


def test_deleted_and_forbidden_values_and_a_sealed_server_are_said(client, server):
    server.secrets[("net", "old")] = [{"x": "y"}, None]
    server.forbidden.add("net/secret")
    for path, said in (("old", "there is no net/old"), ("secret", "may not read net/secret")):
        with pytest.raises(LookupError, match=said):
            client.resolve(f"kv:net/{path}#x")
    server.sealed = True
    with pytest.raises(LookupError, match="VaultDown"):
        client.resolve("kv:net/switches#password")


def test_a_namespace_is_sent(tmp_path):
    with KvServer(tmp_path, token=TOKEN, namespace="team") as server:
        server.put("switches", password=SECRET)
        client = Kv(server.url, Login(token=lambda: TOKEN), "team", str(server.ca_file))
        assert client.resolve("kv:net/switches#password") == SECRET


def test_the_environment_of_the_bot_is_not_asked_for_a_token(client, monkeypatch):
    monkeypatch.setenv("VAULT_TOKEN", TOKEN)
    client.login = Login()
    with pytest.raises(LookupError, match="set token"):
        client.resolve("kv:net/switches#password")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('url = "https://x"', "it needs token, or role_id and secret_id"),
        ('token = "hvs.1"', "must not stand here in clear"),
        ('token = "kv:a/b#c"', "it cannot come from it"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(tmp_path, text, said):
    with pytest.raises(ConfigError, match=said):
        load(write_folder(tmp_path, toml=f"{BOT_TOML}[vault]\n{text}\n"))


# -- in a bot

VAULT = '[vault]\nurl = "{url}"\nca_file = "{ca}"\ntoken = "file:token"\n'
BOOK = """
# bot:
#   help: Say who would log in
#   risk: read
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.command:
        argv: [echo, "user {{ snmp_user }}, community {{ snmp_community }}, plain {{ plain }}"]
"""


class Takes(Fake):
    """Keeps what it was given to log in with, and prints it as a careless device would."""

    def run(self, task, report):
        self.given = {device.name: dict(task.secrets(device.name)) for device in task.devices}
        printed = {name: " ".join(values.values()) for name, values in self.given.items()}
        self.outcomes = {name: Outcome(name, Status.OK, "done", text) for name, text in printed.items()}
        super().run(task, report)


def folder_of(tmp_path, server, hosts, **files):
    toml = BOT_TOML + VAULT.format(url=server.url, ca=server.ca_file)
    folder = write_folder(tmp_path / "bot", toml=toml, hosts=hosts, files={"token": TOKEN, **files})
    (folder / "token").chmod(0o600)
    return folder


def everything(folder):
    return b"".join(path.read_bytes() for path in (folder / "data").rglob("*") if path.is_file())


@pytest.mark.slow
def test_a_device_logs_in_with_what_its_reference_points_to(tmp_path, server):
    hosts = HOSTS.replace("web1: {}", "web1: {ansible_password: 'kv:net/switches#password', site: a}")
    hosts = hosts.replace("web2: {}", "web2: {login_as: 'kv:net/switches#user'}")
    driver = Takes()
    folder = folder_of(tmp_path, server, hosts)
    with ChatBot(folder, drivers=(driver,)) as chat:
        chat.asks("!uptime on web1,web2", "done in")
        assert driver.given == {"web1": {"ansible_password": SECRET}, "web2": {"login_as": "netbot"}}
        said = chat.asks("!job 1 output")
        assert SECRET not in said and "web1" in said
    assert SECRET.encode() not in everything(folder) and TOKEN.encode() not in everything(folder)


@pytest.mark.slow
def test_a_reference_that_leads_nowhere_fails_its_device_with_the_reason(tmp_path, server):
    hosts = HOSTS.replace("web1: {}", "web1: {ansible_password: 'kv:net/gone#password'}")
    with ChatBot(folder_of(tmp_path, server, hosts), drivers=(Takes(),)) as chat:
        chat.asks("!uptime on web1", "ansible_password of web1 cannot be had: there is no net/gone")


LOCAL = """
all:
  vars: {ansible_connection: local, ansible_python_interpreter: PYTHON, snmp_community: "kv:net/switches#password"}
  hosts:
    here: {snmp_user: "kv:net/switches#user", plain: "{{ 1 + 1 }}"}
"""


@pytest.mark.slow
def test_a_playbook_gets_the_values_and_what_it_prints_is_redacted(tmp_path, server):
    server.put("switches", password=SECRET, user="{{ lookup('pipe','id') }}")
    hosts = LOCAL.replace("PYTHON", sys.executable)
    folder = folder_of(tmp_path, server, hosts, **{"playbooks/community.yml": BOOK})
    with ChatBot(folder) as chat:
        said = chat.asks("!community on here", "done in", seconds=60) + chat.asks("!job 1")
    assert SECRET not in said and "kv:net" not in said and "plain 2" in said and "uid=" not in said
    assert SECRET.encode() not in everything(folder)


@pytest.mark.slow
def test_a_reference_in_host_vars_of_the_inventory_is_replaced_too(tmp_path, server):
    hosts = LOCAL.replace("PYTHON", sys.executable).replace(', snmp_community: "kv:net/switches#password"', "")
    files = {"playbooks/community.yml": BOOK, "inventory/host_vars/here.yml": "snmp_community: kv:net/switches#user\n"}
    with ChatBot(folder_of(tmp_path, server, hosts, **files)) as chat:
        said = chat.asks("!community on here", "done in", seconds=60) + chat.asks("!job 1")
    assert "kv:net" not in said and re.search("community (netbot|‹|\\*)", said), said


@pytest.mark.slow
def test_bot_toml_points_there_too(tmp_path, server):
    folder = folder_of(tmp_path, server, HOSTS)
    text = (folder / "bot.toml").read_text()
    (folder / "bot.toml").write_text(text + '[drivers.python.environment]\nAPI_TOKEN = "kv:net/switches#password"\n')
    with ChatBot(folder, drivers=(Fake(),)) as chat:
        assert chat.automation.bot_folder.references.resolved({"x": "bao:net/data/switches#password"}, "chat") == {
            "x": SECRET
        }
        assert chat.automation.redactor.text(f"it is {SECRET}") != f"it is {SECRET}"
    (folder / "bot.toml").write_text(text + '[drivers.python.environment]\nAPI_TOKEN = "kv:net/gone#password"\n')
    with pytest.raises(ConfigError, match=r"line 8: drivers.python.environment.API_TOKEN: there is no net/gone"):
        ChatBot(folder, drivers=(Fake(),))
