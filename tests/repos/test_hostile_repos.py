"""Hostile addresses, trees, .plug files and requirements: refused before anything runs, nothing outside touched."""

import os
import subprocess

import pytest

from automation_bots.errors import BadRepository
from automation_bots.repos import address as source
from automation_bots.repos import requirements
from automation_bots.repos.git import Limits
from automation_bots.repos.installed import InstalledPlugins
from automation_bots.repos.installer import Installer
from automation_bots.repos.packages import Packages
from tests.repos import making

slow = pytest.mark.slow
HOSTS = ("github.com",)


class Nothing:
    """A bot without plugins."""

    def commands(self):
        return ()

    def plugins(self):
        return ()


@pytest.fixture
def work(tmp_path):
    found = Installer(
        InstalledPlugins(tmp_path / "repos"), Limits(megabytes=1, seconds=30, files=50), Packages(), taken=lambda: ()
    )
    found.attach(Nothing())
    return found


@pytest.fixture
def repo(tmp_path):
    return making.repository(tmp_path / "from" / "greeter")


def refused(work, repo, ref=""):
    """Prepare it, and return why not; nothing is left of it."""
    with pytest.raises(BadRepository) as found:
        work.prepare(source.read(f"{repo}{ref}", HOSTS, local=True))
    assert [path for path in work.plugins.root.rglob("*") if path.is_file()] == []
    return str(found.value)


# -- addresses


@pytest.mark.parametrize(
    "address",
    [
        "ext::sh -c touch% /tmp/x",
        "fd::17",
        "--upload-pack=touch x",
        "-u https://github.com/o/n",
        "http://github.com/o/n",
        "git://github.com/o/n",
        "ftp://github.com/o/n",
        "https://evil.example/o/n",
        "https://github.com.evil.example/o/n",
        "https://github.com:8443/o/n",
        "ssh://git@github.com:443/o/n",
        "https://evil.example\\@github.com/o/n",
        "https://github.com@evil.example/o/n",
        "https://ana:secret@github.com/o/n",
        "https://github.com/o/n?x=1",
        "https://github.com/o/n#x",
        "https://github.com/o/%2e%2e",
        "https://github.com/o/..",
        "https://github.com/../n",
        "https://github.com/o/.git",
        "https://github.com/o/-n",
        "ssh://-oProxyCommand=x/o/n",
        "ssh://-oProxyCommand=x@github.com/o/n",
        "-oProxyCommand=x@github.com:o/n",
        "git@-oProxyCommand=x:o/n",
        "git@evil.example:o/n",
        "relative/folder",
        "file://relative",
        "/folder/../other",
        "https://github.com/o/n\n--upload-pack=x",
        "https://github.com/o/n@--upload-pack=x",
        "https://github.com/o/n@",
        "https://github.com/o/n@v1..v2",
        "https://github.com/o/n@HEAD:x",
        "https://github.com/o/n@v1^{/x}",
        "https://github.com/o/n@*",
    ],
)
def test_an_address_that_git_could_take_for_something_else_is_refused(address):
    with pytest.raises(BadRepository):
        source.read(address, HOSTS, local=True)


@pytest.mark.parametrize(
    ("address", "url", "ref"),
    [
        ("https://github.com/o/n.git@v1.2", "https://github.com/o/n.git", "v1.2"),
        ("ssh://git@github.com:22/o/n@release/1", "ssh://git@github.com:22/o/n", "release/1"),
        ("git@github.com:o/n@v1", "git@github.com:o/n", "v1"),
        ("/srv/n", "file:///srv/n", ""),
        ("file:///srv/n.git@" + "a" * 40, "file:///srv/n.git", "a" * 40),
    ],
)
def test_a_plain_address_is_read(address, url, ref):
    found = source.read(address, HOSTS, local=True)
    assert (found.url, found.ref, found.name) == (url, ref, "n")


def test_another_port_of_a_host_is_another_place():
    assert source.read("https://github.com:443/o/n", HOSTS, local=False).host == "github.com"
    assert source.read("https://git.corp.example:8443/o/n", ("git.corp.example:8443",), local=False).ref == ""
    with pytest.raises(BadRepository, match=r"git.corp.example is not allowed here \(allowed: git.corp.example:8443\)"):
        source.read("https://git.corp.example/o/n", ("git.corp.example:8443",), local=False)


def test_who_has_to_wait_hears_who_works_on_what(work, repo):
    work._busy.acquire()
    work._doing = "kim has greeter installed"
    assert refused(work, repo) == "kim has greeter installed; try again when that has ended."


def test_the_machine_itself_is_not_allowed_until_bot_toml_says_so():
    with pytest.raises(BadRepository, match="local"):
        source.read("/srv/n", HOSTS, local=False)


# -- requirements


@slow
@pytest.mark.parametrize(
    "line",
    [
        "-r /etc/passwd",
        "-r/etc/passwd",
        "--requirement=/etc/passwd",
        "-c other.txt",
        "-e .",
        "-e git+https://evil.example/x",
        "--extra-index-url https://evil.example",
        "--index-url=https://evil.example",
        "-i https://evil.example",
        "--find-links /tmp",
        "--trusted-host evil.example",
        "--no-binary :all:",
        "pkg @ file:///etc/passwd",
        "pkg @ https://evil.example/x.whl",
        "git+https://evil.example/x",
        "https://evil.example/x.whl",
        "./local",
        "/etc/passwd",
        "pkg --global-option=x",
        "pkg --config-settings=x=y",
        "pkg==1 \\",
        "$(touch x)",
        "${HOME}",
        "pkg; __import__('os')",
        "pkg\x00",
        "errbot<1",
    ],
)
def test_a_requirement_that_is_more_than_a_package_is_refused(tmp_path, line):
    (tmp_path / "requirements.txt").write_text(f"# fine\nidna\n{line}\n")
    with pytest.raises(BadRepository):
        requirements.read(tmp_path, [], "https://packages.example/simple")


def test_a_plain_list_is_read(tmp_path):
    text = "idna>=2 # why\n\n-i https://packages.example/simple/\nabsent==1; python_version<'3'\nother[extra] ~= 1.0\n"
    (tmp_path / "requirements.txt").write_text(text)
    assert requirements.read(tmp_path, [], "https://packages.example/simple") == ("idna>=2", "other[extra]~=1.0")


# -- trees


def entries(*more):
    kept = [("100644", "blob", name, text) for name, text in making.files().items()]
    return [*kept, *more]


@slow
@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (("120000", "blob", "link", "/etc/passwd"), "link link leads outside"),
        (("120000", "blob", "link", "../../../secret"), "leads outside"),
        (("120000", "blob", "link", "link"), "leads outside"),
        (("120000", "blob", "requirements.txt", "greeter.py"), "no file"),
        (("120000", "blob", "x.plug", "greeter.plug"), "no file"),
        (("160000", "commit", "sub", "1" * 40), "submodule"),
        (("100644", "blob", "Greeter.py", "x"), "differ only in case"),
        (("100644", "blob", "a\nb", "x"), "cannot be shown"),
        (("100644", "blob", "a\x1b[31mb", "x"), "cannot be shown"),
        (("100644", "blob", "a\u202eb", "x"), "cannot be shown"),
        (("100644", "blob", "a\\b", "x"), "cannot be shown"),
        (("100644", "blob", "x.pyc", "x"), "nobody can read"),
        (("100644", "blob", "x.so", "x"), "nobody can read"),
        (("100644", "blob", "x.py", "# coding: utf-7\n"), "UTF-8 only"),
        (("100644", "blob", "x" * 250, "x"), "too long"),
        (("100644", "blob", ".GIT", "x"), "hasDotgit"),
        (("100644", "blob", "git~1", "x"), "hasDotgit"),
        (("100644", "blob", "greeter.py", "twice"), "duplicate"),
    ],
)
def test_a_tree_that_could_reach_outside_is_refused(work, repo, entry, why):
    making.tree(repo, *entries(entry))
    assert why in refused(work, repo)


@slow
def test_links_that_stay_inside_are_kept(work, repo):
    making.tree(repo, *entries(("120000", "blob", "link", "greeter.py")))
    ready = work.prepare(source.read(str(repo), HOSTS, local=True))
    assert (ready.staged / "code" / "link").read_text() == making.code()


@slow
@pytest.mark.parametrize(
    "plug",
    [
        "[Core]\nName = x\nModule = ../../x\n",
        "[Core]\nName = x\nModule = /etc/passwd\n",
        "[Core]\nName = x\nModule = a.b\n",
        "[Core]\nName = x\nModule = %(x)s\n",
        "[Core]\nName = ../x\nModule = greeter\n",
        "[Core]\nName = x\x1b[31m\nModule = greeter\n",
        "[Core]\nName = x\nModule = greeter\nCore = True\n",
        "[Core]\nName = x\nModule = absent\n",
        "[Core]\nName = x\n",
        "Name = x",
        "\x00\x01",
        b"\xff\xfe",
        "[Core]\nName = Greeter\nModule = greeter\n",
    ],
)
def test_a_plug_file_that_is_not_one_is_refused(work, repo, plug):
    making.commit(repo, {"x.plug": plug})
    assert refused(work, repo)


@slow
@pytest.mark.parametrize("text", ["def (", "(" * 5000, "x = 1\x00", "@botcmd(name=input())\ndef f(): pass\n"])
def test_a_module_that_cannot_be_read_is_refused(work, repo, text):
    making.commit(repo, {"greeter.py": text})
    assert "greeter.py" in refused(work, repo)


@slow
@pytest.mark.parametrize(
    "line",
    [
        "from automation_bots.drivers.ssh.driver import Ssh",
        "from automation_bots import drivers",
        "import automation_bots.store.store as s",
        "import automation_bots",
        "from automation_bots import *",
        "def later():\n    from automation_bots.jobs import door",
        "from backends import guard",
    ],
)
@pytest.mark.parametrize("name", ["greeter.py", "beside/inner.py"])
def test_a_module_that_imports_the_inside_of_the_bot_is_refused(work, repo, line, name):
    making.commit(repo, {name: making.code(more=line)})
    assert "which is the inside of the bot" in refused(work, repo)


@slow
def test_what_its_code_reaches_is_shown_also_of_helpers(work, repo):
    more = "import re, platform\nPATTERN = re.compile('x')\nprint(platform.system())"
    helper = (
        "import subprocess\nfrom paramiko import client\nimport os\nos.system('x')\neval('1')\nx.automation.store\n"
    )
    making.commit(repo, {"greeter.py": making.code(more=more)}, tag="v1.1")
    assert work.prepare(source.read(f"{repo}@v1.1", HOSTS, local=True)).contents.reach == ()
    making.commit(repo, {"greeting_inner/deep.py": helper}, tag="v1.2")
    assert work.prepare(source.read(f"{repo}@v1.2", HOSTS, local=True)).contents.reach == (
        "hides or makes code while it runs (eval)",
        "opens connections of its own (paramiko)",
        "starts programs (os.system)",
        "starts programs (subprocess)",
        "uses the bot's own parts (automation)",
    )


@slow
@pytest.mark.parametrize("name", ["yaml.py", "json.py", "tests.py"])
def test_a_helper_under_a_name_that_others_use_is_refused(work, repo, name):
    making.commit(repo, {name: "", "greeter.py": making.code(more=f"import {name[:-3]}")})
    assert "It brings a module called" in refused(work, repo)


@slow
def test_a_huge_file_is_refused_and_one_that_only_unpacks_to_be_huge_too(work, repo):
    making.commit(repo, {"big": os.urandom(3_000_000)})
    assert "larger than 1 MB" in refused(work, repo)
    making.commit(repo, {"big": b"0" * 50_000_000})
    assert "larger than 1 MB" in refused(work, repo)


@slow
def test_many_files_and_a_tree_that_multiplies_itself_are_refused(work, repo):
    making.commit(repo, {f"f{number}": str(number) for number in range(60)})
    assert "at most 50" in refused(work, repo)
    made = making.git(repo, "hash-object", "-w", "--stdin", typed="x")
    kind, mode = "blob", "100644"
    for _ in range(9):
        made = making.git(repo, "mktree", typed="".join(f"{mode} {kind} {made}\td{n}\n" for n in range(10)))
        kind, mode = "tree", "040000"
    making.git(repo, "update-ref", "refs/heads/main", making.git(repo, "commit-tree", "-m", "x", made))
    assert "larger" in refused(work, repo)


# -- what would run


@slow
def test_no_hook_filter_setup_or_module_runs_before_the_confirmation(work, repo, tmp_path):
    mark = tmp_path / "ran"
    touch = f"touch {mark}"
    for hook in ("post-checkout", "pre-commit", "post-upload-pack", "reference-transaction", "post-update"):
        path = repo / ".git" / "hooks" / hook
        path.write_text(f"#!/bin/sh\n{touch}\n")
    making.commit(
        repo,
        {
            ".gitattributes": "* filter=evil diff=evil merge=evil\n",
            ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = https://github.com/o/n\n\tupdate = none\n',
            "setup.py": f"open({str(mark)!r}, 'w')\n",
            "conftest.py": f"open({str(mark)!r}, 'w')\n",
            "greeter.py": making.code(more=f"open({str(mark)!r}, 'w')"),
            "hooks/post-checkout": f"#!/bin/sh\n{touch}\n",
        },
    )
    for key in ("filter.evil.smudge", "filter.evil.clean", "uploadpack.packObjectsHook", "core.fsmonitor"):
        making.git(repo, "config", key, touch)
    for path in (repo / ".git" / "hooks").iterdir():
        path.chmod(0o755)
    ready = work.prepare(source.read(str(repo), HOSTS, local=True))
    assert ready.contents.commands == ("bounce", "hello")
    assert not mark.exists()


@slow
def test_a_submodule_address_that_is_an_option_stops_the_fetch(work, repo):
    making.commit(repo, {".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = --upload-pack=touch x\n'})
    assert "cannot be fetched" in refused(work, repo)


@slow
def test_a_branch_called_like_an_option_is_only_a_name(work, repo, tmp_path):
    name = f"refs/heads/--upload-pack=touch${{IFS}}{tmp_path.name}"
    making.git(repo, "update-ref", name, "HEAD")
    (repo / ".git" / "HEAD").write_text(f"ref: {name}\n")
    making.git(repo, "update-ref", "refs/tags/--output=x", name)
    work.prepare(source.read(str(repo), HOSTS, local=True))
    assert work.tags(source.read(str(repo), HOSTS, local=True)) == ["v1.0"]
    assert subprocess.run(["ls", "-A"], cwd=work.plugins.root, capture_output=True, text=True).stdout.split() == [
        ".staging"
    ]


@slow
def test_something_that_is_no_repository_says_so(work, tmp_path):
    assert "cannot be fetched" in refused(work, tmp_path / "absent")
    (tmp_path / "plain").mkdir()
    assert "cannot be fetched" in refused(work, tmp_path / "plain")


@slow
def test_a_commit_that_is_not_there_is_said(work, repo):
    assert "no commit" in refused(work, repo, "@" + "1" * 40)


@slow
def test_what_changes_between_the_look_and_the_confirmation_is_not_installed(work, repo):
    ready = work.prepare(source.read(str(repo), HOSTS, local=True))
    (ready.staged / "code" / "greeter.py").write_text("import os")
    with pytest.raises(BadRepository, match="has changed on the disk"):
        work.install(ready, "ana", None)
