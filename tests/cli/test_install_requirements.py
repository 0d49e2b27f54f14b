"""`automation-bots install-requirements` with real git over TLS, a real tarball, and a real ansible-galaxy."""

import hashlib
import json
import tarfile
from urllib.parse import urlsplit

import pytest

from automation_bots.app.bot import Bot
from automation_bots.cli import install_requirements
from automation_bots.cli import main as cli
from automation_bots.operations import content_needs
from tests.repos import making, servers
from tests.support.program import write_bot

pytestmark = [pytest.mark.slow, pytest.mark.works]
META = "galaxy_info: {author: a, description: d, license: MIT, min_ansible_version: '2.9'}\n"
GALAXY = "namespace: acme\nname: tools\nversion: 1.2.0\nreadme: README.md\nauthors: [a]\n"
SITE = "- hosts: all\n  roles: [ntp, acme.tools.motd]\n  tasks: [{acme.more.thing: {}}]\n"
ROLE = "roles: [{src: git+SERVER/ntp, version: v1.0}]\n"
TOOLS = "collections: [{name: SERVER/tools, type: git, version: v1.0}, ./more.tar.gz]\n"


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A bot whose playbook needs a role and a collection of a git server, and a collection that lies beside it."""
    monkeypatch.setenv("AUTOMATION_BOTS_DATA", str(tmp_path / "data"))
    served = tmp_path / "served"
    making.repository(served / "ntp", {"tasks/main.yml": "[]", "meta/main.yml": META})
    motd = {"roles/motd/tasks/main.yml": "[]", "picture.bin": b"\0\xff"}
    making.repository(served / "tools", {"galaxy.yml": GALAXY, "README.md": "", **motd})
    with servers.https(served, tmp_path) as address:
        repos = f'[repos]\nhosts = ["{urlsplit(address).netloc}"]\nca = "../ca.pem"\n'
        yield write_bot(tmp_path / "bot", more=repos, files={"playbooks/site.yml": SITE}), address


def tarball(path, needs=None):
    """The file that `ansible-galaxy collection build` makes."""
    whole = {"chksum_type": "sha256", "format": 1, "name": "FILES.json", "ftype": "file"}
    listed = json.dumps({"files": [{"name": ".", "ftype": "dir", "format": 1}], "format": 1}).encode()
    info = {"namespace": "acme", "name": "more", "version": "0.9.0", "dependencies": needs or {}}
    whole["chksum_sha256"] = hashlib.sha256(listed).hexdigest()
    (path / "FILES.json").write_bytes(listed)
    (path / "MANIFEST.json").write_text(json.dumps({"collection_info": info, "file_manifest_file": whole, "format": 1}))
    with tarfile.open(path / "more.tar.gz", "w:gz") as bundle:
        for name in ("FILES.json", "MANIFEST.json"):
            bundle.add(path / name, name)


def install(world, capsys, text, *words):
    folder, address = world
    (folder / "playbooks" / "requirements.yml").write_text(text.replace("SERVER", address))
    code = cli.main(["install-requirements", str(folder), *words])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_roles_and_collections_of_git_and_a_file_are_installed_and_then_found(world, capsys):
    tarball(world[0] / "playbooks")
    code, said = install(world, capsys, ROLE + TOOLS, "--yes")
    shown, _, done = said.partition("Installed")
    assert code == 0 and f"{world[1]}/ntp" in shown and "acme.more" in shown
    assert [line.split() for line in done.splitlines()[1:]] == [
        ["role", "ntp", "v1.0"], ["collection", "acme.more", "0.9.0"], ["collection", "acme.tools", "1.2.0"]
    ]  # fmt: skip
    bot = Bot(world[0], read_only=True)
    assert not content_needs.of_all([bot.live.catalog.operations["site"]], bot.bot_folder.content, {})


def test_what_fails_changes_nothing_and_what_is_no_longer_wanted_goes(world, capsys):
    assert install(world, capsys, ROLE, "--yes")[0] == 0
    current = Bot(world[0], read_only=True).bot_folder.content
    before = current.current
    code, said = install(world, capsys, ROLE.replace("v1.0", "v7"), "--yes")
    assert code == 1 and "ntp has no tag 'v7'; there are v1.0" in said
    assert current.current == before and (before / "roles" / "ntp").is_dir()
    assert install(world, capsys, "roles: [{src: git+SERVER/ntp, version: v1.0, name: clock}]", "--yes")[0] == 0
    assert [path.name for path in (current.current / "roles").iterdir()] == ["clock"]
    assert sorted(path.name[:7] for path in current.folder.iterdir()) == ["content", "content", "current"]


def test_what_is_not_pinned_is_shown_and_asked_for_and_never_taken_with_yes(world, capsys):
    loose = ROLE.replace(", version: v1.0", "")
    code, said = install(world, capsys, loose, "--yes")
    assert code == 1 and "Not pinned: ntp. Name exact versions" in said
    said: list[str] = []
    assert install_requirements.run(world[0], said.append, lambda question: not said.append(question)) == 0
    assert "not pinned: its default branch (" in said[1] and "Install it? [yes/no]" in said[2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("roles: [{src: 'git+https://elsewhere.example/x'}]", "elsewhere.example is not allowed here"),
        ("roles: [{src: 'SERVER/moved/files/x.tar.gz', name: x}]", "leads elsewhere"),
        ("roles: [{src: git+SERVER/tools, version: v1.0, name: x}]", "does not appear to have a meta/main.yml"),
        ("collections: [{name: SERVER/ntp, type: git, version: v1.0}]", "It is no collection: No such file"),
        ("roles: [{src: git+SERVER/ntp, version: v1.0}, {src: git+SERVER/ntp, version: v2}]", "ntp is wanted twice"),
    ],
)
def test_what_cannot_be_had_is_told_by_its_reason(world, capsys, text, said):
    code, printed = install(world, capsys, text, "--yes")
    assert code == 1 and said in printed


def test_a_collection_that_needs_others_by_an_address_is_refused(world, capsys):
    tarball(world[0] / "playbooks", {"git@elsewhere.example:x/y.git": "main"})
    code, said = install(world, capsys, "collections: [./more.tar.gz]", "--yes")
    assert code == 1 and "It needs git@elsewhere.example:x/y.git: an address" in said
