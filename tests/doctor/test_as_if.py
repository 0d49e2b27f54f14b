"""`automation-bots try`: what a command would do, without doing it."""

import pytest

from automation_bots.doctor import as_if
from automation_bots.errors import AutomationError
from tests.support.program import write_bot

POLICY = """
people:
  ana: {text: "@ana", groups: [admins]}
  joe: {text: "@joe", groups: [support]}
  kim: {text: "@kim", groups: [leads]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: look, who: support, may: [reads]}
  - {name: ops, who: support, may: ["service restart *"], where: ["#ops"], needs: approval by leads}
"""
HOSTS = (
    "all:\n  hosts:\n    web1: {ansible_connection: local}\n    win1: {platform: windows}\n    sw1: {platform: ios}\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_bot(tmp_path_factory.mktemp("bots") / "trial", hosts=HOSTS, files={"policy.yml": POLICY})


def said(folder, line, who="joe", where="dm"):
    return "\n".join(as_if.lines(folder, line, who, where))


def test_it_says_how_it_is_read_what_the_rules_say_and_what_is_sent(folder):
    text = said(folder, "!service restart nginx on web1", "ana")
    assert "read as   service restart nginx on web1, by ana in dm" in text
    assert 'Yes: service on web1 (rule "admins")' in text
    assert "web1: by local: sudo systemctl restart -- nginx" in text
    assert text.endswith("Nothing was done.")


def test_a_secret_value_is_not_shown(folder):
    (folder / "playbooks").mkdir(exist_ok=True)
    head = "# bot:\n#   help: h\n#   risk: change\n#   parameters: {password: {secret: true}}\n"
    (folder / "playbooks/userlogin.yml").write_text(f"{head}- hosts: all\n")
    text = said(folder, "userlogin hunter2 on web1", "ana")
    assert "read as   userlogin" in text and "hunter2" not in text


def test_the_room_counts(folder):
    assert "No: service" in said(folder, "service restart nginx on web1")
    assert "with approval by leads" in said(folder, "service restart nginx on web1", where="#ops")


def test_each_platform_has_its_own_way_and_none_is_said(folder):
    text = said(folder, "uptime on web1,win1,sw1", "ana")
    assert "web1: by local: uptime" in text
    assert "sw1: " in text and "win1: " in text


@pytest.mark.parametrize(
    ("line", "who", "why"),
    [
        ("nonsens on web1", "ana", "no operation 'nonsens'"),
        ("service restart on", "ana", "would ask for name"),
        ("uptime on web9", "ana", "No device or group 'web9'"),
        ("uptime on web1", "jo", "There is no 'jo' in policy.yml. Did you mean joe"),
    ],
)
def test_what_cannot_be_read_is_said(folder, line, who, why):
    with pytest.raises(AutomationError, match=why):
        said(folder, line, who)


def test_habits_are_read_as_in_chat(folder):
    assert "read as   service restart nginx on web1" in said(folder, "sudo systemctl restart nginx on web1", "ana")
