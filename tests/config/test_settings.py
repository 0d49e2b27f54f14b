"""bot.toml: defaults that work, and errors that say which line, what is wrong and what would be right."""

import re

import pytest

from automation_bots.config import settings
from automation_bots.errors import ConfigError
from automation_bots.jobs.throttle import Caps


def load(tmp_path, text):
    (tmp_path / "bot.toml").write_text(text)
    return settings.load(tmp_path)


def test_an_empty_file_is_a_bot_with_the_folders_name(tmp_path):
    folder = tmp_path / "netbot"
    folder.mkdir()
    found = load(folder, "")
    assert (found.name, found.backend, found.network, found.prefix) == ("netbot", "Text", "text", "!")


def test_limits_reach_the_throttle_as_it_wants_them(tmp_path):
    settings = load(
        tmp_path,
        'name = "n"\n[limits]\njobs = 3\ndriver = {ansible = 2}\n'
        '[limits.rates]\nperson = "10/min"\n"operation:patch" = "3/5min"\n',
    )
    caps = Caps.of(settings.limits)
    assert (caps.bot, caps.driver) == (3, {"ansible": 2})
    assert caps.rates == {"person": (10, 60.0), "operation:patch": (3, 300.0)}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("name = 'a b'", 1, "name: .*pattern"),
        ("name = 'a/../../b'", 1, "name: .*pattern"),
        ("\n\nprefix = ''", 3, "prefix: .*at least 1"),
        ("prefix = '!'\nprefix = '?'\n", 2, "no TOML"),
        ("backend = Text", 1, "no TOML"),
        ("backend = 3", 1, "backend: .*string"),
        ("mention = 'bot'", 1, "mention: .*list"),
        ("places = {ops = 3}", 1, "places.ops: .*string"),
        ("limits.jobs = 0", 1, "limits.jobs: .*greater than or equal to 1"),
        ("limits = {jobs = 0}", 1, "limits.jobs"),
        ("[limits]\n\njobs = 'many'", 3, "limits.jobs: .*integer"),
        ("[limits]\nperson = 1\n[limits.rates]\nplace = '1/fortnight'", 3, "write 10/min"),
        ("[limits.rates]\nplaces = '1/min'", 1, "'places' is no rate; known: person, place"),
        ("[drivers.ssh]\nparallel = 0", 2, "drivers.ssh.parallel"),
        ("[drivers.snmp]\nx = 1", 1, "known here: .*ansible.*ssh"),
        ("[drivers.ansible.environment]\nVAULT_TOKEN = 'abc'", 2, "must not stand here in clear"),
        ("[retention]\ndays = 0", 2, "retention.days"),
        ("[inventory]\nsource = 'x'", 2, "known here: .*sources"),
        ("[chatt]\ntoken = 'x'", 1, "known here: .*chat"),
        ("[[chat]]\ntoken = 'x'", 1, "chat: .*dictionary"),
        ("[events.sources.am]\nkind = 'json'\ntoken = 'x'", 3, "token must not stand here in clear"),
        ("[events.sources.Am]\nkind = 'json'", None, "is no name for a source"),
        ("[http]\nproxies = ['nowhere']", 2, "is no address or network"),
        ("[chat]\n# token\nserver = 'x'\n\"token\" = 'x'", 4, "must not stand here in clear"),
    ],
)
def test_a_wrong_value_is_named_with_its_line(tmp_path, text, line, said):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert caught.value.line == line, caught.value
    assert re.search(said, caught.value.reason), caught.value.reason


def test_what_shows_to_be_wrong_later_has_its_line_too(tmp_path):
    (tmp_path / "bot.toml").write_text('[chat]\nserver = "x"\ntoken = "env:NONE"\n')
    error = settings.wrong(tmp_path, ("chat", "token"), "the environment has no NONE")
    assert str(error) == f"{tmp_path}/bot.toml, line 3: chat.token: the environment has no NONE"


def test_a_file_that_cannot_be_read_says_how_to_begin(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot be read .*make new-bot"):
        settings.load(tmp_path)
    (tmp_path / "bot.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ConfigError, match=r"bot\.toml: is not UTF-8"):
        settings.load(tmp_path)
