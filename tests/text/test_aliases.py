"""What short forms of commands stand for."""

import pytest

from automation_bots.errors import BadCommand
from automation_bots.text.aliases import filled, slots, usage

BOUNCE = "service restart {name} on {devices}"


@pytest.mark.parametrize(
    ("meaning", "line", "command"),
    [
        (BOUNCE, "nginx web1", "service restart nginx on web1"),
        (BOUNCE, "nginx on web1", "service restart nginx on web1"),
        (BOUNCE, "nginx web1,web2 --check", "service restart nginx on web1,web2 --check"),
        (BOUNCE, '"two words" web:&a --reason "on it"', 'service restart "two words" on web:&a --reason "on it"'),
        ("uptime on {devices}", "web1", "uptime on web1"),
        ("uptime on web", "", "uptime on web"),
        ("uptime", "on web", "uptime on web"),
        ("dns {name} server={server}", "a.example 192.0.2.1", "dns a.example server=192.0.2.1"),
        ("run echo {x} {x} on {devices}", "a web1", "run echo a a on web1"),
    ],
)  # fmt: skip
def test_words_fill_slots_in_their_order_and_the_last_takes_the_rest(meaning, line, command):
    assert filled("short", meaning, line) == command


def test_a_missing_value_is_named_with_what_to_type():
    with pytest.raises(BadCommand, match=r"bounce needs devices. → !bounce <name> <devices>"):
        filled("bounce", BOUNCE, "nginx")


def test_slots_in_a_value_are_not_filled_again():
    assert filled("bounce", BOUNCE, "{devices} web1") == "service restart {devices} on web1"


def test_a_slot_that_stands_twice_is_asked_for_once():
    assert slots("run echo {x} {x}") == ("x",)
    assert usage("say", "run echo {x} {x} on {devices}") == "say <x> <devices>"
