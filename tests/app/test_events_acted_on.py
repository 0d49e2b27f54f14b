"""From an event to a request: whatever listens to the bus asks in somebody's name, and is judged as a person is."""

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.events import Event
from automation_bots.jobs.request_context import TypedCommand
from automation_bots.model import Caller, Place, State
from automation_bots.store import AuditKind
from tests.support.chatbot import ChatBot, wait, write_folder

pytestmark = pytest.mark.slow
POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  watch: {test: watch, groups: [robots]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: robots look, who: robots, may: [uptime], on: web}
  - {name: robots know, who: robots, may: [version], on: db}
"""


@pytest.fixture
def chat(tmp_path):
    with ChatBot(write_folder(tmp_path, policy=POLICY), drivers=(Fake(),)) as chat:
        yield chat


def act_on(chat, event):
    """What a rule does: a minion that has started is looked at."""
    said = TypedCommand(Caller("test", "watch"), Place("test", "ops"), "uptime", f"on {event.data['id']}")
    return chat.automation.pipeline.submit(said)


def started(chat, minion):
    with chat.automation.bus.listen("salt/minion/*/start") as events:
        chat.automation.bus.publish(Event("salt", f"salt/minion/{minion}/start", {"id": minion}))
        return act_on(chat, events.next(5))


def test_a_request_that_an_event_made_is_a_job_of_the_one_who_asked(chat):
    assert started(chat, "web1") is None  # its job has been announced
    assert "#1 uptime on web1" in chat.hears("done in")
    assert (chat.jobs[0].person, chat.jobs[0].rules) == ("watch", ("robots look",))


def test_what_a_person_may_not_an_event_may_not_either(chat):
    assert str(started(chat, "db1")).startswith("No: uptime on db1")
    assert chat.jobs == []
    assert [row.person for row in chat.automation.store.audit_rows(kind=AuditKind.DENIED)] == ["watch"]


def test_the_end_of_a_job_is_an_event_too(chat):
    with chat.automation.bus.listen("bot/job/*/ended") as events:
        chat.say("!uptime on web1")
        event = events.next(10)
    assert (event.data["operation"], event.data["person"], event.data["state"]) == ("uptime", "ana", "done")


def test_the_end_of_a_look_of_a_monitor_is_none_since_the_monitor_tells_what_it_means(chat):
    with chat.automation.bus.listen("bot/job/*/ended") as events:
        chat.say("!monitor uptime on web1 every 5m")
        wait(lambda: any(job.monitor and job.state is State.DONE for job in chat.jobs), 20)
        chat.asks("!uptime on web2", "uptime on web2 done")
        assert events.next(10).data["devices"] == ("web2",)


def test_where_there_is_no_salt_nobody_waits_for_its_events(chat):
    chat.asks("!salt events --seconds 60", "Salt is not set up: .* needs url, user and password")
    assert chat.jobs[0].state is State.FAILED
