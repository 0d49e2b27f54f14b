"""Quoting: nothing a person types becomes a second command."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation_bots.drivers.quoting import quoted
from automation_bots.drivers.ssh.access import Access
from automation_bots.drivers.sudo import becoming
from automation_bots.errors import DriverError
from automation_bots.model import Command

WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))), min_size=1)


@given(WORDS)
def test_a_posix_shell_reads_back_the_same_words(words):
    assert shlex.split(quoted(Command(("printf", *words)), "linux")) == ["printf", *words]


@given(st.text(min_size=1))
def test_no_network_command_is_ever_two_lines(word):
    try:
        line = quoted(Command(("show", word)), "cisco_ios")
    except DriverError:
        return
    assert line.isprintable()
    assert ";" not in line


def test_words_of_a_network_cli_are_joined_as_typed():
    assert quoted(Command(("show", "run", "|", "include", "bgp")), "cisco_ios") == "show run | include bgp"


@pytest.mark.parametrize("word", ["a\nreload", "a\rreload", "a\x1bb", "a\u2028b", "a;reload", "\x00"])
@pytest.mark.parametrize("platform", ["cisco_ios", "arista_eos", "juniper_junos", "frr", "vyos", "something_else"])
def test_words_that_could_start_another_command_are_refused(word, platform):
    with pytest.raises(DriverError, match=r"holds"):
        quoted(Command(("show", word)), platform)


@pytest.mark.parametrize("word", ["$(id)", "`id`", "| sh", "&", "> /etc/passwd", "$HOME"])
@pytest.mark.parametrize("platform", ["frr", "vyos"])
def test_where_a_shell_may_answer_nothing_a_shell_acts_on_passes(word, platform):
    with pytest.raises(DriverError, match="could start another command"):
        quoted(Command(("show", word)), platform)


def test_a_regular_expression_of_bgp_passes():
    assert quoted(Command(("show", "ip", "bgp", "regexp", "^65001_(2|3)$")), "cisco_ios").endswith("^65001_(2|3)$")


def test_windows_is_sent_to_its_driver():
    with pytest.raises(DriverError, match="powershell driver"):
        quoted(Command(("hostname",)), "windows")


def test_a_command_of_no_words_is_refused():
    with pytest.raises(DriverError, match="empty"):
        quoted(Command(()), "linux")


def test_sudo_never_carries_the_password_in_its_words():
    ops = Access("web1", "web1", 22, "ops", become_password="s3cret")
    line = becoming(Command(("id",), become=True), "linux", ops)
    assert "s3cret" not in repr(line)
    assert line.prompt in line.command.argv


def test_becoming_with_something_else_than_sudo_is_refused():
    with pytest.raises(DriverError, match="sudo only, not with doas"):
        becoming(Command(("id",), become=True), "linux", Access("web1", "web1", 22, "ops", become_method="doas"))


def test_who_is_root_already_needs_no_sudo():
    line = becoming(Command(("id",), become=True), "linux", Access("web1", "web1", 22, "root"))
    assert line.command.argv == ("id",)
