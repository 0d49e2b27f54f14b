"""What `check` says about rules.yml, on files alone."""

from datetime import UTC, datetime

import pytest

from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.doctor import rules
from tests.support.chatbot import HOSTS, write_folder

pytestmark = pytest.mark.slow  # reads an inventory
POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  looker: {robot: true, rule: looker}
  idle: {robot: true, rule: idle}
oncall: {net: ana, old: "ical:gone.ics"}
rules:
  - {name: look, who: looker, may: [reads], on: web}
"""
GOOD = "- name: one\n  when: {source: zabbix, on: web}\n  as: looker\n  do: {post: '#ops', run: 'uptime on {device}'}\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A bot's folder, read once."""
    folder = write_folder(tmp_path_factory.mktemp("check"), policy=POLICY, hosts=HOSTS)
    bot_folder = BotFolder(folder, {"AUTOMATION_BOTS_DATA": str(folder / "data")})
    live = LiveConfig(bot_folder.inventory(), folder / "policy.yml", bot_folder.operations(), {})
    live.load()
    return bot_folder, live


def said(world, text, tests=""):
    bot_folder, live = world
    for name, content in (("rules.yml", text), ("rules-tests.yml", tests)):
        path = bot_folder.folder / name
        path.write_text(content) if content else path.unlink(missing_ok=True)
    return [(mark, line.partition(": ")[2]) for mark, line in rules.lines(live, bot_folder, datetime.now(UTC))]


def wrong(world, text, tests=""):
    return " ".join(line for mark, line in said(world, text, tests) if mark == "WRONG")


def test_a_good_file_is_counted_and_a_calendar_that_is_gone_is_named(world):
    assert said(world, GOOD)[0] == ("ok", "1")
    assert "gone.ics cannot be read" in wrong(world, GOOD)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("on: web", "on: nowhere"), "on: 'nowhere' means no device or group"),
        (("as: looker", "as: nobody"), "policy.yml has no robot with `rule: nobody`"),
        (("as: looker", "as: idle"), "idle may not do that in #ops at all"),
        (("uptime on", "service restart nginx on"), "looker may not do that in #ops at all"),
        (("uptime on", "uptme on"), "uptme is no operation"),
        (("uptime on {device}", "uptime"), "uptime: it lacks the devices"),
        (("uptime on {device}", "service jump {text} on {device}"), "action must be one of"),
        (("run: 'uptime on {device}'", "run: 'retry 3'"), "a command of the bot itself, which a rule can only propose"),
        (("'#ops', run", "'#ops', mention: nobody, run"), "nobody is or belongs to 'nobody'"),
        (("'#ops', run", "'#ops', mention: oncall, run"), "policy.yml has 2 rotas, so say which"),
        (("'#ops', run", "'#ops', mention: oncall x, run"), "policy.yml has no rota 'x'"),
    ],
)
def test_what_a_rule_cannot_do_is_found_before_it_has_to(world, change, what):
    assert what in wrong(world, GOOD.replace(*change))


def test_the_same_with_values_that_only_look_is_right(world):
    assert "may not" not in wrong(world, GOOD.replace("uptime on", "service status nginx on"))


def test_the_bots_own_commands_may_be_proposed(world):
    assert "retry" not in wrong(world, GOOD.replace("run: 'uptime on {device}'", "propose: 'retry {fields.job}'"))


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("{event: {source: zabbix, device: web1}, acts: one}", ""),
        ("{event: {source: zabbix, device: db1}, acts: one}", "expected one to act, got none"),
        ("{event: {source: other}, acts: []}", ""),
        ("{event: {colour: red}, acts: []}", "'colour' is no field of an event"),
        ("{acts: one}", "a case is {event"),
    ],
)
def test_cases_say_which_rules_act(world, case, why):
    found = wrong(world, GOOD, f"- {case}\n").partition("it stands beside policy.yml")[2]
    assert (why in found, bool(found)) == (True, bool(why))
