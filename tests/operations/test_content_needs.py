"""Which collections and roles a playbook would not find, known from its words alone."""

from automation_bots.operations import content_needs
from automation_bots.operations.playbooks import load
from automation_bots.processes.ansible_content import Content

SITE = """
- hosts: all
  roles: [here, above, gone, acme.tools.motd]
  tasks:
    - {ios_config: {lines: x}, when: true}
    - block: [{acme.more.thing: {}}, {mine: {}}, {netscaler: {}}]
    - {debug: {}, with_community.general.filetree: x}
    - {ansible.builtin.copy: {}, delegate_to: x}
"""
FILES = ("net/plays/roles/here/tasks", "net/roles/above/tasks", "net/plays/library/netscaler.py",
         "net/collections/ansible_collections/acme/more")  # fmt: skip


def test_what_is_missing_is_named_once_by_its_first_use(tmp_path):
    for name in FILES:
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "net/plays/site.yml").write_text(SITE)
    operations = [load(tmp_path / "net/plays/site.yml", tmp_path)]
    found = content_needs.of_all(operations, Content(), {})
    assert {one.collection or one.name: one.name for one in found} == {
        "cisco.ios": "ios_config",
        "community.general": "community.general.filetree",
        "gone": "gone",
        "acme.tools": "acme.tools.motd",
    }
    assert all(names == ["site"] for names in found.values())
