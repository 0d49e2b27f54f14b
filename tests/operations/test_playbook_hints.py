"""Variables of playbooks without a header: an AWX survey beside it, examples in its comments, keywords of its plays."""

import json

import pytest

from automation_bots.errors import DefinitionError
from automation_bots.operations.playbooks import load

PLAY = "- hosts: all\n  tasks: [{debug: {msg: '{{ version }} {{ mode | default(1) }}'}}]\n"


def asked(tmp_path, head, play=PLAY):
    (tmp_path / "deploy.yml").write_text(f"{head}\n---\n{play}")
    return {one.name: one for one in load(tmp_path / "deploy.yml").parameters}


@pytest.mark.parametrize(
    "head",
    [
        '# usage: ansible-playbook deploy.yml -e "version=1.2 mode=fast"',
        "# Usage:\n#   ansible-playbook -i hosts deploy.yml \\\n#     --extra-vars 'version=1.2, mode=fast' -v",
        "# ansible-playbook deploy.yml --extra-vars='{version: 1.2, mode: fast}'",
        "# ansible-playbook deploy.yml -e version=1.2 -e mode=fast -e @more.yml -e ansible_user=root",
    ],
)
def test_an_example_in_the_first_comments_names_the_variables(tmp_path, head):
    found = asked(tmp_path, head)
    assert {name: (one.required, one.help) for name, one in found.items()} == {
        "version": (True, "such as 1.2"), "mode": (False, "such as fast")
    }  # fmt: skip


def test_a_list_of_variables_is_read_and_prose_is_none(tmp_path):
    assert set(asked(tmp_path, "# Variables: version, mode")) == {"version", "mode"}
    assert not asked(tmp_path, "# vars: see the wiki\n# it's run by ansible-playbook -e 'x\n# -e not=read")


def test_an_example_in_json_gives_the_type(tmp_path):
    found = asked(tmp_path, """# ansible-playbook x.yml -e '{"images": ["a", "b"], "wait": 5, "now": true}'""")
    assert {name: (one.type, one.help) for name, one in found.items()} == {
        "images": ("list", "such as a,b"), "wait": ("int", "such as 5"), "now": ("bool", "such as True")
    }  # fmt: skip


def test_what_has_a_value_already_is_not_asked_for_or_may_be_left_out(tmp_path):
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text("version: 1\n")
    assert not asked(tmp_path, "# ansible-playbook x.yml -e version=2")["version"].required
    play = "- hosts: '{{ target }}'\n  vars: {version: 1}\n  tasks: []\n"
    assert not asked(tmp_path, "# ansible-playbook x.yml -e version=2 -e target=web", play)


def test_a_header_says_it_all_and_comments_are_comments(tmp_path):
    assert not asked(tmp_path, "# bot:\n#   risk: read\n#   parameters: {}\n# ansible-playbook x.yml -e version=2\n")


def test_keywords_of_a_play_are_asked_for(tmp_path):
    found = asked(tmp_path, "", "- hosts: all\n  gather_facts: '{{ facts }}'\n  serial: '{{ at_once | default(1) }}'\n")
    assert {name: one.required for name, one in found.items()} == {"facts": True, "at_once": False}


SURVEY = [
    {
        "variable": "state",
        "type": "multiplechoice",
        "choices": "on\noff",
        "default": "on",
        "question_name": "On or off?",
    },
    {"variable": "count", "type": "integer", "min": 1, "max": 5, "required": True},
    {"variable": "pw", "type": "password", "default": "$encrypted$", "required": True},
    {"variable": "note", "type": "textarea", "required": False, "max": 1024},
    {"variable": "tags", "type": "multiselect", "choices": ["a", "b"], "default": "a\nb"},
    {"variable": "target", "type": "text", "required": True},
]


@pytest.mark.parametrize("whole", [{"name": "", "description": "", "spec": SURVEY}, SURVEY])
def test_a_survey_beside_the_playbook_is_what_is_asked_for(tmp_path, whole):
    (tmp_path / "deploy.survey.json").write_text(json.dumps(whole))
    found = asked(tmp_path, "", "- hosts: '{{ target }}'\n  tasks: []\n")
    assert list(found) == ["state", "count", "pw", "note", "tags"]
    assert (found["state"].choices, found["state"].default, found["state"].help) == (("on", "off"), "on", "On or off?")
    assert (found["count"].type, found["count"].maximum, found["count"].required) == ("int", 5, True)
    assert found["pw"].secret and found["pw"].default is None
    assert (found["note"].text, found["note"].max_length, found["note"].required) == (True, 1024, False)
    assert (found["tags"].type, found["tags"].default) == ("list", ["a", "b"])


@pytest.mark.parametrize("text", ["{", "[{}]", '[{"variable": "x", "type": "nope"}]', '{"spec": 1}'])
def test_a_survey_that_is_none_is_named(tmp_path, text):
    (tmp_path / "deploy.survey.json").write_text(text)
    with pytest.raises(DefinitionError, match=r"deploy\.survey\.json: cannot be read as a survey of AWX"):
        asked(tmp_path, "")
