"""requirements.yml: what it asks for, from where, and what the rules of [repos] refuse."""

import pytest

from automation_bots.errors import DefinitionError
from automation_bots.repos.ansible_requirements import GALAXY, Rules, files, read

RULES = Rules(["github.com", "galaxy.ansible.com", "git.corp.example:8443"])


def one(tmp_path, text, rules=RULES):
    path = tmp_path / "requirements.yml"
    path.write_text(text)
    return read(path, rules)[0]


@pytest.mark.parametrize(
    ("entry", "name", "ref"),
    [
        ("{src: git+https://github.com/acme/ansible-ntp.git, version: v1, name: ntp}", "ntp", "v1"),
        ("{src: https://github.com/acme/ntp, version: 2.0.1}", "ntp", "2.0.1"),
        ("{src: git@github.com:acme/ntp.git, scm: git}", "ntp", ""),
        ("git+https://git.corp.example:8443/acme/ntp.git,v3,clock", "clock", "v3"),
    ],
)
def test_a_role_of_a_git_repository(tmp_path, entry, name, ref):
    found = one(tmp_path, f"- {entry}")
    assert (found.kind, found.name, found.source.ref, found.pinned) == ("role", name, ref, bool(ref))


@pytest.mark.parametrize(
    ("entry", "name", "pinned"),
    [
        ("geerlingguy.java", "geerlingguy.java", False),
        ("{src: geerlingguy.java, version: 2.0.1, name: java}", "java", True),
        ("geerlingguy.java,1.0,java", "java", True),
    ],
)
def test_a_role_of_galaxy(tmp_path, entry, name, pinned):
    found = one(tmp_path, f"roles: [{entry!r}]" if "{" not in entry else f"roles: [{entry}]")
    assert (found.name, found.called, found.place, found.pinned) == (name, "geerlingguy.java", GALAXY, pinned)


@pytest.mark.parametrize(
    ("entry", "pinned"),
    [
        ("cisco.ios", False),
        ('"cisco.ios:9.0.0"', True),
        ("{name: cisco.ios, version: 9.0.0}", True),
        ("{name: cisco.ios, version: ==9.0.0}", True),
        ("{name: cisco.ios, version: '>=9.0.0,<10'}", False),
        ("{name: cisco.ios, version: '*'}", False),
    ],
)
def test_a_collection_of_galaxy_is_pinned_by_one_exact_version(tmp_path, entry, pinned):
    found = one(tmp_path, f"collections: [{entry}]")
    assert (found.kind, found.name, found.pinned) == ("collection", "cisco.ios", pinned)


def test_a_collection_in_a_folder_of_a_repository(tmp_path):
    found = one(tmp_path, "collections: ['https://github.com/acme/all.git#/net/tools,v2']")
    assert (found.source.url, found.source.ref, found.inside) == ("https://github.com/acme/all.git", "v2", "net/tools")


def test_a_file_beside_requirements_needs_no_rule_and_one_elsewhere_does(tmp_path):
    (tmp_path / "a.tar.gz").touch()
    assert one(tmp_path, "collections: [./a.tar.gz]").is_file
    with pytest.raises(DefinitionError, match=r"see \[repos\] local"):
        one(tmp_path, f"collections: [{{name: {tmp_path}/a.tar.gz}}]")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- https://gitlab.example/acme/ntp.git", r"gitlab.example is not allowed here"),
        ("collections: [{name: acme.x, source: 'https://hub.example/api'}]", r"hub.example is not allowed here"),
        ("collections: [{name: acme.x, source: my_hub}]", "must be the https address"),
        ("collections: ['https://dl.example/x-1.0.0.tar.gz']", "dl.example is not allowed here"),
        ("- {src: x, scm: hg}", "only from git"),
        ("- just-a-word", "neither a name of Galaxy"),
        ("- {src: acme.ntp, name: ../../x}", "no name for a role"),
        ("- {src: acme.ntp, nmae: x}", "mapping with"),
        ("rolls: []", "not rolls"),
        ("just text", "must be a list"),
        ("- git+https://user:secret@github.com/acme/x", "password must not stand"),
    ],
)
def test_what_the_rules_do_not_allow_is_refused_by_file_and_entry(tmp_path, text, said):
    with pytest.raises(DefinitionError, match=f"requirements.yml.*{said}"):
        one(tmp_path, text)


def test_galaxy_needs_its_host_and_for_roles_that_of_their_files(tmp_path):
    with pytest.raises(DefinitionError, match=r"galaxy\.ansible\.com is not allowed"):
        one(tmp_path, "collections: [cisco.ios]", Rules(["github.com"]))
    with pytest.raises(DefinitionError, match=r"github\.com is not allowed"):
        one(tmp_path, "roles: [geerlingguy.java]", Rules(["galaxy.ansible.com"]))


def test_an_included_file_is_read_too(tmp_path):
    (tmp_path / "more.yml").write_text("[{src: acme.ntp, version: 1.0.0}]")
    assert one(tmp_path, "- include: more.yml").name == "acme.ntp"


def test_requirements_beside_and_above_playbooks_are_found(tmp_path):
    wanted = ["requirements.yml", "roles/requirements.yml", "net/collections/requirements.yaml"]
    for name in [*wanted, "net/plays/site.yml", "elsewhere/requirements.yml"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("- hosts: all\n" if name.endswith("site.yml") else "[]")
    assert [path.relative_to(tmp_path).as_posix() for path in files([tmp_path])] == wanted
