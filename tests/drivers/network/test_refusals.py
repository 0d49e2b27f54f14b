"""What devices of each platform say: which answers are refusals, by the samples that stand in the platforms' files."""

import pytest

from automation_bots.drivers.network.refusals import judge

FILES = [*judge.names(), "any"]
SAMPLES = [
    (name, kind, text) for name in FILES for kind, texts in judge.written(name)["tested"].items() for text in texts
]
REFUSED = [(name, text) for name, kind, text in SAMPLES if kind == "refused"]
TAKEN = [(name, text) for name, kind, text in SAMPLES if kind == "taken"]
ANSWERED = [(name, text) for name, kind, text in SAMPLES if kind == "answered"]


def echoed(text: str) -> str:
    return f"description x\r\n{text}\r\n"


def test_every_platform_names_where_its_words_come_from():
    assert len(FILES) >= 17
    assert [name for name in FILES if not judge.written(name)["source"]] == []


@pytest.mark.parametrize(("platform", "text"), REFUSED)
def test_what_a_platform_says_against_a_line_is_heard(platform, text):
    said = judge.objection(echoed(text), "description x", platform)
    words = next(line.strip() for line in text.splitlines() if line.strip() not in {"", "^"})
    assert words in said


@pytest.mark.parametrize("platform", FILES)
def test_a_line_that_is_taken_is_answered_by_nothing(platform):
    assert judge.objection("sw1(config)#description x\r\n\r\n", "description x", platform) == ""


@pytest.mark.parametrize(("platform", "text"), TAKEN)
def test_what_is_known_to_be_harmless_is_no_refusal(platform, text):
    assert judge.objection(echoed(text), "description x", platform) == ""


@pytest.mark.parametrize(("platform", "text"), ANSWERED)
def test_a_line_of_a_log_is_no_refusal_of_a_question(platform, text):
    assert judge.refusal(text, platform) == ""


@pytest.mark.parametrize("platform", FILES)
def test_a_question_that_is_not_understood_is_refused(platform):
    first = judge.written(platform)["tested"]["refused"][0]
    assert judge.refusal(first, platform)


@pytest.mark.parametrize("platform", FILES)
def test_words_that_nobody_has_foreseen_are_a_refusal_too(platform):
    assert judge.objection(echoed("Sorry, not on a Monday."), "description x", platform) == "Sorry, not on a Monday."


def test_behind_a_warning_a_refusal_is_still_heard():
    said = "%Warning: portfast should only be enabled on\n ports connected to a single host.\n% Incomplete command."
    assert judge.objection(echoed(said), "description x", "cisco_ios") == "% Incomplete command."


@pytest.mark.parametrize(
    "screen",
    [
        "ip route 198.51.100.0 255.255.255.0 192.0.2.1\r\n",
        "ip route 198.51.100.0 255.2\r\n55.255.0 192.0.2.1\r\n",
        "r1(config)#$te 198.51.100.0 255.255.255.0 192.0.2.1\r\n",
        "r1(config)#ip route 198.51.100.0 255.255.255.0 192.0.2.1\r\n",
        "",
    ],
)
def test_the_echo_is_no_answer_however_a_screen_breaks_it(screen):
    assert judge.objection(screen, "ip route 198.51.100.0 255.255.255.0 192.0.2.1", "cisco_ios") == ""


@pytest.mark.parametrize(
    ("platform", "stamp"),
    [
        ("cisco_xr", "Mon Nov 30 10:22:33.123 UTC\n"),
        (
            "cisco_ios",
            "Load for five secs: 1%/0%; one minute: 2%\nTime source is NTP, 10:22:33.123 UTC Mon Nov 30 2026\n\n",
        ),
        ("cisco_xe", "Load for five secs: 1%/0%; one minute: 2%\nNo time source, *10:22:33.1 UTC Mon Nov 30 2026\n"),
    ],
)
def test_when_it_was_asked_is_no_part_of_an_answer(platform, stamp):
    answer = "10:22:33.123 UTC Mon Nov 30 2026\nTime source is NTP"
    assert judge.without_stamp(f"{stamp}{answer}", platform) == answer
    assert judge.without_stamp(answer, platform) == answer
    assert judge.without_stamp("Mon Nov 30 10:22:33 2026\nTimezone: UTC", "arista_eos").startswith("Mon")
