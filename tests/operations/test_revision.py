"""Which state of a playbook would run is said in a line: its content, and the commit that is checked out."""

import subprocess

import pytest

from automation_bots.operations import catalog, playbooks
from automation_bots.operations.revision import revision
from tests.support.world import UPTIME

BOOK = "- hosts: all\n  tasks: [{debug: }]\n"


@pytest.fixture
def book(tmp_path):
    (tmp_path / "play.yml").write_text(BOOK)
    return playbooks.load(tmp_path / "play.yml")


def git(folder, *words):
    who = ("-c", "user.name=ana", "-c", "user.email=ana@corp.example", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_without_git_it_is_the_content(book):
    assert revision(book) == f"content {catalog.content(book)[:12]}"
    assert revision(UPTIME) == ""


@pytest.mark.parametrize("how", ["branch", "packed", "detached", "worktree"])
def test_with_git_it_is_the_commit_too(book, tmp_path, how):
    git(tmp_path, "init", "-q")
    assert "git" not in revision(book), "nothing is committed yet"
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    if how == "packed":
        git(tmp_path, "pack-refs", "--all")
    if how == "detached":
        git(tmp_path, "checkout", "-q", "--detach")
    if how == "worktree":
        git(tmp_path, "worktree", "add", "-q", "other")
        book = playbooks.load(tmp_path / "other/play.yml")
    assert revision(book).endswith(f", git at {git(tmp_path, 'rev-parse', 'HEAD')[:12]}")


def test_what_is_not_committed_shows_in_the_content(book, tmp_path):
    before = revision(book)
    (tmp_path / "play.yml").write_text(BOOK + "# more\n")
    assert revision(book) != before
