"""Two whole bots that ask each other, over the queue of one machine, as people see it."""

import re
from datetime import UTC, datetime

import pytest

from automation_bots.alerts.event import Phase, ReportedEvent, Severity
from automation_bots.app.bot import now
from automation_bots.drivers.fake import Fake
from automation_bots.health.metrics import Metrics
from automation_bots.model import Outcome, State, Status
from automation_bots.store import AuditKind
from tests.peers.site import POLICY, folder_of, introduce, meet
from tests.support.chatbot import ChatBot, wait

pytestmark = [pytest.mark.slow, pytest.mark.works]
ROBOT = "  looker: {rule: looker, robot: true, groups: [support]}\nrules:\n"
LIN_POLICY = POLICY.replace("rules:\n", ROBOT) + "  - {name: both, who: support, may: [both]}\n"
RULES = """
- name: looked at there
  when: {source: zabbix, what: look, on: all}
  as: looker
  do: {to: "#ops", run: "@winbot uptime on {device}"}
"""
PLAYBOOK = """
# bot:
#   help: Ask the other bot
#   risk: change
#   devices: none
#   parameters: {command: {rest: true}}
- hosts: localhost
  gather_facts: false
  tasks:
    - ask_bot: {bot: winbot, command: "{{ command | join(' ') }}"}
      register: said
    - ansible.builtin.debug: {msg: "{{ said.msg }}"}
"""
WIN_POLICY = f"""{LIN_POLICY}
  - {{name: services, who: support, may: ["service restart *"], on: web, needs: approval by admins}}
  - {{name: only here, who: everyone, deny: ["disk"], where: ["@linuxbot"]}}
"""


@pytest.fixture(scope="module")
def bots(tmp_path_factory):
    """linuxbot and winbot; the devices are winbot's. Over PostgreSQL they are killed, in test_kills.py."""
    folder = tmp_path_factory.mktemp("bots")
    queue = str(folder / "queue")
    files = {"rules.yml": RULES, "playbooks/both.yml": PLAYBOOK}
    lin = folder_of(folder, "linuxbot", queue, "winbot", "dbbot", policy=LIN_POLICY, files=files)
    win = folder_of(folder, "winbot", queue, "linuxbot", policy=WIN_POLICY)
    introduce(lin, win)
    printed = Outcome("web2", Status.OK, "fine", "\n".join(f"line {number}" for number in range(60)))
    fake = Fake({"web2": printed}, seconds={"web3": 60.0})
    with ChatBot(lin) as linuxbot, ChatBot(win, drivers=(fake,)) as winbot:
        meet("winbot", linuxbot)
        meet("linuxbot", winbot)
        yield linuxbot, winbot


def last(bot):
    return bot.automation.store.jobs(limit=1)[0]


def test_the_answer_of_the_other_bot_stands_where_it_was_asked_for(bots):
    said = bots[0].asks(
        "!@winbot uptime on web1", r"@winbot uptime on web1 done in .*winbot #\d+ uptime on web1 done", room="ops"
    )
    assert "done" in said.splitlines()[-1]
    assert (last(bots[0]).state, last(bots[1]).caller.id) == (State.DONE, "ana/test/ana")


def test_a_playbook_asks_the_other_bot_as_whose_job_it_is(bots):
    bots[0].asks("!both uptime on web1", r"both uptime on web1 done in", seconds=60)
    assert (last(bots[1]).operation, last(bots[1]).caller.id) == ("uptime", "ana/test/ana")
    assert last(bots[0]).operation == "both"


def test_what_is_refused_to_whose_job_it_is_fails_the_task(bots):
    before = len(bots[1].jobs)
    bots[0].asks("!both reboot on web1", r"both reboot on web1 .*failed", who="joe", seconds=60)
    bots[0].asks("!both uptime on web1 --check", r"would ask @winbot: uptime on web1|skipped|done in", seconds=60)
    assert [job for job in bots[1].jobs[: len(bots[1].jobs) - before] if job.state is State.DONE] == []


def test_a_question_to_the_bot_itself_is_answered_without_a_job(bots):
    before = len(bots[1].jobs)
    bots[0].asks("!@winbot status", r"winbot [\d.]+ is up")
    assert len(bots[1].jobs) == before


def test_both_sides_say_which_job_it_is_at_the_other(bots):
    bots[0].asks("!@winbot version on web1", "done in")
    mine, theirs = last(bots[0]).number, last(bots[1]).number
    assert f"winbot #{theirs}" in bots[0].asks("!jobs", "latest first")
    assert f"linuxbot #{mine}" in bots[1].asks("!jobs", "latest first")
    assert f"linuxbot #{mine}" in bots[1].asks(f"!job {theirs}", "asked by")


def test_the_other_bot_judges_the_human_by_its_own_rules(bots):
    bots[0].asks("!@winbot service stop nginx on web1", r"winbot: No: service on web1 is for admins", who="joe")
    denied = bots[1].automation.store.audit_rows(limit=1, kind=AuditKind.DENIED)[0]
    assert (denied.person, denied.place.split("/")[0]) == ("joe", "@linuxbot")


def test_a_rule_can_name_the_place_that_another_bot_is(bots):
    bots[0].asks("!@winbot disk on web1", "winbot: No: ", who="kim")
    bots[1].asks("!disk on web1", "done in", who="kim")


def test_whom_the_other_bot_does_not_know_it_refuses_and_both_record_it(bots):
    lin = bots[0].automation.store
    file = bots[0].folder / "policy.yml"
    file.write_text(LIN_POLICY.replace("kim: {test: kim", "zoe: {test: zoe, groups: [support]}\n  kim: {test: kim"))
    bots[0].automation.live.look()
    bots[0].asks("!@winbot status", r"zoe \(test zoe\) is nobody here", who="zoe")
    for store in (lin, bots[1].automation.store):
        row = store.audit_rows(limit=1, kind=AuditKind.PEER_REFUSED)[0]
        assert row.body["why"] == "unknown person"


def test_here_too_a_rule_has_to_allow_that_a_bot_is_asked(bots):
    file = bots[0].folder / "policy.yml"
    file.write_text(LIN_POLICY.replace('may: ["@*"]', 'may: ["@winbot uptime *"]'))
    bots[0].automation.live.look()
    bots[0].asks("!@winbot version on web1", r"No: @winbot", who="joe")
    bots[0].asks('!@winbot "uptime" on web1', "done in", who="joe")
    file.write_text(LIN_POLICY)
    bots[0].automation.live.look()


def test_what_the_other_bot_does_not_know_is_said_with_what_to_type(bots):
    bots[0].asks("!@winbot uptme on web", r"winbot: No operation \"uptme\". Did you mean  ?!@winbot uptime")
    bots[0].asks("!@winbot uptime", "winbot: uptime needs the devices")


def test_what_would_change_the_other_bot_itself_is_said_to_it_alone(bots):
    for line in ("freeze all until 1h x", "every 1h uptime on web1", "approve 1", "person link"):
        bots[0].asks(f"!@winbot {line}", "is said to winbot itself")


def test_a_cancel_goes_on_to_the_other_bot(bots):
    bots[0].asks("!@winbot uptime on web3", r"winbot #\d+ uptime on web3")
    number = last(bots[0]).number
    bots[0].asks(f"!cancel {number}", rf"#{number} .*cancelled", seconds=20)
    wait(lambda: last(bots[1]).state is State.CANCELLED, 10)


def test_what_waits_for_approval_there_is_approved_there_and_its_end_is_told_here(bots):
    lin, win = bots
    lin.asks(
        "!@winbot service restart nginx on web1", r"winbot #\d+ .*waits for approval by admins", who="joe", room="ops"
    )
    number = last(lin).number
    asked = int(re.search(r"winbot #(\d+)", lin.asks("!jobs", "latest first"))[1])
    win.asks(f"!approve {asked}", "ok|done|approved", seconds=10)
    lin.hears(rf"#{number}: winbot #{asked} service restart nginx on web1 done")
    wait(lambda: not lin.automation.store.peers.calls_of(number)[0].open, 10)


def test_what_waits_there_can_be_withdrawn_from_here(bots):
    lin = bots[0]
    lin.asks("!@winbot service restart cron on web1", r"waits for approval", who="joe")
    number = last(lin).number
    lin.asks(f"!cancel {number}", r"winbot was told to stop", who="joe")
    lin.hears(rf"#{number}: winbot #\d+ .*withdrawn")


def test_several_are_asked_at_once_and_who_is_away_is_named(bots):
    said = bots[0].asks("!@all uptime on web1", r"1 bot answered, 1 did not: dbbot")
    assert "── winbot #" in said
    bots[0].asks("!@winbot,nobody uptime on web1", r"1 bot answered, 1 did not: nobody")


def test_a_schedule_asks_another_bot_as_its_maker(bots):
    bots[0].asks("!every 1h @winbot uptime on web1", r"S\d+ @winbot uptime on web1")
    number = bots[0].automation.store.schedules.all()[-1].number
    bots[0].asks(f"!schedule {number} run", r"done in .*winbot #\d+ uptime on web1 done", room="ops")
    assert last(bots[1]).person == "ana"


def test_a_rule_asks_another_bot_as_its_robot_which_is_judged_there_too(bots):
    event = ReportedEvent("zabbix", "zabbix", "look", datetime.now(UTC), Phase.FIRING, Severity.HIGH, about="web1")
    bots[0].automation.alerts.intake.take([event])
    bots[0].hears(r"@winbot uptime on web1 done in .*winbot #\d+ uptime on web1 done", 20)
    asked = bots[1].automation.store.peers.of_job(last(bots[1]).number)
    assert (last(bots[1]).person, asked.facts["origin"]) == ("looker", ["linuxbot: looked at there"])


def test_it_never_comes_back_to_a_bot_that_it_came_by(bots):
    bots[0].asks("!@winbot @linuxbot status", "it came by linuxbot already: linuxbot → winbot → linuxbot")
    assert bots[1].automation.store.audit_rows(limit=1, kind=AuditKind.PEER_REFUSED)[0].body["why"] == "loop"


def test_peers_says_who_is_there_by_which_key(bots):
    said = bots[0].asks("!peers", "2 other bots, 1 here")
    assert bots[1].automation.peers.exchange.fingerprint in said
    assert bots[0].automation.peers.exchange.fingerprint in said
    assert re.search(r"dbbot +its key is not trusted yet", said)


def test_a_long_output_comes_as_the_file_that_it_is_there(bots):
    bots[0].asks("!@winbot logs on web2", r"winbot #\d+ logs on web2 done")
    bots[0].asks(f"!@winbot job {last(bots[1]).number} output", "line 0\n.*\nline 2(?s:.*)line 59")


def test_a_bot_that_is_called_by_its_own_name_means_itself(bots):
    before = len(bots[0].jobs)
    bots[0].asks("!@linuxbot status", r"linuxbot [\d.]+ is up")
    assert len(bots[0].jobs) == before


@pytest.mark.parametrize("first", [0, 1])
def test_what_both_hear_in_one_room_runs_once(bots, first, request):
    message, before = f"{request.node.name}", len(bots[1].jobs)
    bots[first].say("!@winbot uptime on web1", room="ops", message_id=message)
    bots[first].hears("uptime on web1 done")
    bots[1 - first].say("!@winbot uptime on web1", room="ops", message_id=message)
    if first:
        bots[0].hears("heard it itself, and answers there")
    else:
        bots[1].asks("!whoami", "You are ana")  # what was said before it has come to nothing
    assert len(bots[1].jobs) == before + 1


def test_figures_count_what_was_asked_and_who_is_there(bots):
    samples = {(one.name, *one.labels.values()): one.value for family in Metrics(
        bots[0].automation.health, now).collect() for one in family.samples}  # fmt: skip
    name = "automation_bots_peer"
    assert (samples[f"{name}_here", "winbot"], samples[f"{name}_here", "dbbot"]) == (1, 0)
    assert samples[f"{name}_requests_sent_total",] > 0


def test_both_records_hold(bots):
    assert all(bot.automation.store.verify_audit() for bot in bots)
