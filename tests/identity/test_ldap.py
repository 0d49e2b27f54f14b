"""Groups from a real OpenLDAP server: read over TLS, kept for a while, not trusted for long."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.config.settings import load
from automation_bots.drivers.fake import Fake
from automation_bots.errors import ConfigError
from automation_bots.identity.ldap import Directory, DirectoryAway, Ldap
from tests.fakes import slapd
from tests.fakes.slapd import ADMIN, BASE, PASSWORD, Slapd
from tests.support.chatbot import BOT_TOML, ChatBot, wait, write_folder

pytestmark = pytest.mark.slow

GROUPS = {
    "netops": f"cn=netops,ou=groups,{BASE}",
    "dba": f"CN=dba, ou=groups,{BASE}",
    "unix": f"cn=unix,ou=groups,{BASE}",
}
LOGINS = {"ana": "ana", "joe": "joseph", "kim": "kim", "ghost": "ghost", "star": "*", "bad": "a)(uid=*"}


@pytest.fixture
def server(tmp_path):
    assert slapd.there(), "needs OpenLDAP: apt install slapd ldap-utils"
    folder = tmp_path / "slapd"
    folder.mkdir()
    with Slapd(folder) as server:
        yield server


@pytest.fixture
def ldap(server):
    return Ldap(server.tls_url, f"ou=people,{BASE}", "(uid={login})", GROUPS, ADMIN, PASSWORD, str(server.ca_file))


def test_groups_are_read_from_members_of_three_kinds(ldap):
    found = ldap.read(LOGINS)
    assert found == {"ana": {"netops"}, "joe": {"dba", "unix"}}


def test_start_tls_is_used_before_the_password_is_said(ldap, server):
    assert replace(ldap, url=server.url).read({"ana": "ana"}) == {"ana": {"netops"}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ca_file": ""}, "certificate|CERTIFICATE"),
        ({"password": "wrong"}, "[Ii]nvalid"),
        ({"groups": {"x": f"cn=gone,{BASE}"}}, "has no group cn=gone"),
        ({"bind_dn": "", "password": ""}, "inappropriate|auth"),
    ],
)
def test_what_is_wrong_is_said(ldap, change, said):
    with pytest.raises(DirectoryAway, match=said):
        replace(ldap, **change).read(LOGINS)


def test_a_certificate_of_another_name_is_refused(ldap, server):
    with pytest.raises(DirectoryAway):
        replace(ldap, url=server.tls_url.replace("127.0.0.1", "localhost")).read(LOGINS)


def test_two_entries_for_one_name_count_as_none(ldap, server):
    server.change("dn: ou=more,ou=people,{base}\nchangetype: add\nobjectClass: organizationalUnit\nou: more\n")
    server.change(
        "dn: uid=ana,ou=more,ou=people,{base}\nchangetype: add\nobjectClass: inetOrgPerson\nuid: ana\ncn: A\nsn: A\n"
    )
    assert ldap.read({"ana": "ana"}) == {}


def test_the_groups_of_a_directory_that_is_away_count_for_a_set_time_only(ldap, server):
    times = [datetime(2026, 3, 2, tzinfo=UTC)]
    directory = Directory(ldap, lambda: LOGINS, lambda: times[-1], timedelta(minutes=5), timedelta(hours=1))
    assert directory.groups() == {}
    assert directory.read() and directory.groups()["ana"] == {"netops"}
    server.stop()
    times.append(times[0] + timedelta(minutes=59))
    assert not directory.read() and directory.groups()["ana"] == {"netops"} and "cannot be read" in directory.problem
    times.append(times[0] + timedelta(minutes=61))
    assert directory.groups() == {}
    server.start()
    assert directory.read() and directory.groups()["ana"] == {"netops"} and not directory.problem


def test_the_groups_stay_the_same_object_as_long_as_nothing_changes(ldap, server):
    directory = Directory(ldap, lambda: LOGINS, lambda: datetime.now(UTC), timedelta(minutes=5), timedelta(hours=1))
    directory.read()
    first = directory.groups()
    directory.read()
    assert directory.groups() is first


POLICY = """
people:
  root: {test: root, groups: [admins]}
  ana: {test: ana}
  joe: {test: joe, ldap: joseph}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: netops, who: netops, may: [reads], on: all}
  - {name: dba, who: dba, may: [reads], on: db}
"""
LDAP = """
[ldap]
url = "{url}"
ca_file = "{ca}"
bind_dn = "{admin}"
bind_password = "file:pass"
base = "ou=people,{base}"
refresh_seconds = 1
groups = {{netops = "cn=netops,ou=groups,{base}", dba = "cn=dba,ou=groups,{base}"}}
"""


@pytest.fixture
def chat(tmp_path, server):
    toml = BOT_TOML + LDAP.format(url=server.tls_url, ca=server.ca_file, admin=ADMIN, base=BASE)
    folder = write_folder(tmp_path, toml=toml, policy=POLICY, files={"pass": PASSWORD})
    (folder / "pass").chmod(0o600)
    with ChatBot(folder, drivers=(Fake(),)) as chat:
        yield chat


def test_who_joins_or_leaves_a_group_there_may_more_or_less_here(chat, server):
    chat.asks("!uptime on web1", "done in", who="ana")
    chat.asks("!uptime on db1", "done in", who="joe")
    assert "No device or group" in chat.asks("!uptime on web1", who="joe")
    server.change(
        f"dn: cn=netops,ou=groups,{{base}}\nchangetype: modify\nreplace: member\nmember: uid=joseph,ou=people,{BASE}\n"
    )
    person = chat.automation.live.policy.people
    wait(lambda: "netops" in chat.automation.live.policy.people["joe"].groups, 10)
    assert person is not chat.automation.live.policy.people
    chat.asks("!uptime on web1", "done in", who="joe")
    assert "No device or group" in chat.asks("!uptime on web1", who="ana")


def test_admins_see_where_a_group_comes_from(chat):
    assert re.search(r"from LDAP +dba", chat.asks("!person joe", who="root"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('url = "http://x"', "must begin with ldaps"),
        ('url = "ldaps://x"', "it needs base"),
        ('filter = "uid=x"', "in brackets, with {login}"),
        ('bind_password = "hunter2"', "must not stand here in clear"),
        (
            'url="ldap://x"\nbase="b"\ngroups={a="b"}\nstart_tls=false\nbind_password="env:X"',
            "over the network in clear",
        ),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(tmp_path, text, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        load(write_folder(tmp_path, toml=f"{BOT_TOML}[ldap]\n{text}\n"))
