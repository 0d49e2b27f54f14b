"""Where Ansible looks for roles and collections, and what is missing behind its errors."""

import os

import pytest

from automation_bots.processes.ansible_content import COLLECTIONS, ROLES, Content, collection_of

WHERE = " (site.yml, line 9)"


@pytest.fixture
def content(tmp_path):
    """A bot's own content, with one collection and one role in it."""
    made = tmp_path / "galaxy" / "content-1"
    (made / "collections" / "ansible_collections" / "acme" / "tools").mkdir(parents=True)
    (made / "roles" / "ntp").mkdir(parents=True)
    (tmp_path / "galaxy" / "current").symlink_to("content-1")
    return Content(tmp_path / "galaxy", "automation-bots install-requirements bots/x")


@pytest.mark.parametrize(
    ("name", "kind", "collection"),
    [
        ("cisco.ios.ios_config", "module", "cisco.ios"),
        ("ios_config", "module", "cisco.ios"),  # as Ansible's own table says
        ("debug", "module", ""),
        ("ansible.builtin.copy", "module", ""),
        ("aws_ec2", "inventory", "amazon.aws"),
        ("geerlingguy.java", "role", ""),
    ],
)
def test_the_collection_of_a_name(name, kind, collection):
    assert collection_of(name, kind) == collection


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("couldn't resolve module/action 'ios_config'. This often indicates a misspelling" + WHERE,
         "the module ios_config needs the collection cisco.ios, which is not installed" + WHERE),
        ("[x] Error while resolving value for 'msg': Syntax error in template: No filter named 'ansible.utils.ipaddr'.",
         "the filter ansible.utils.ipaddr needs the collection ansible.utils, which is not installed"),
        ("The lookup plugin 'community.sops.sops' was not found.",
         "the lookup community.sops.sops needs the collection community.sops, which is not installed"),
        ("the connection plugin 'ansible.netcommon.network_cli' was not found",
         "the connection ansible.netcommon.network_cli needs the collection ansible.netcommon, which is not installed"),
        ("The module ansible.builtin.setup was redirected to ansible.windows.setup, which could not be loaded.",
         "the module ansible.windows.setup needs the collection ansible.windows, which is not installed"),
        ("the role 'geerlingguy.java' was not found" + WHERE,
         "the role geerlingguy.java is not there, neither beside the playbook nor installed" + WHERE),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_with_the_command_that_brings_it(content, error, told):
    assert content.told(error, {}) == f"{told} → automation-bots install-requirements bots/x"


@pytest.mark.parametrize(
    "error",
    [
        "couldn't resolve module/action 'acme.tools.none'. This often indicates a misspelling",  # installed without it
        "couldn't resolve module/action 'copi'. This often indicates a misspelling",
        "the role 'x' has no tasks",
        "'target' is undefined",
    ],
)
def test_other_errors_stay_as_ansible_says_them(content, error):
    assert content.told(error, {}) == error


def test_what_a_repository_says_itself_comes_before_what_the_bot_installed(content, tmp_path):
    (tmp_path / "ansible.cfg").write_text("[defaults]\nroles_path = shared/roles ; ours\ncollections_path = /srv/c\n")
    found = content.environment({}, tmp_path)
    assert found[ROLES].split(os.pathsep)[:2] == [f"{tmp_path}/shared/roles", f"{content.current}/roles"]
    assert found[COLLECTIONS].split(os.pathsep)[:2] == ["/srv/c", f"{content.current}/collections"]
    assert content.environment({ROLES: "/env"}, tmp_path)[ROLES].startswith("/env:")


def test_roles_above_a_playbook_count_and_where_there_is_nothing_nothing_is_said(tmp_path):
    assert Content().environment({}, tmp_path, [tmp_path]) == {}
    (tmp_path / "roles").mkdir()
    assert Content().environment({}, tmp_path, [tmp_path])[ROLES].startswith(f"{tmp_path}/roles:")
