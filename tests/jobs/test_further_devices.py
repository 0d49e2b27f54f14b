"""A job that works beside its devices: judged, held, recorded, approved; on the bot's own machine only if said."""

import re
import threading

import pytest

from automation_bots.drivers import Contact
from automation_bots.model import Outcome, State, Status
from automation_bots.store import AuditKind
from tests.support.chatbot import BOT_TOML, ChatBot, wait, write_folder

pytestmark = pytest.mark.slow
POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [support]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: web, who: support, may: [drain, roam, swap], on: web}
  - {name: core, who: support, may: [roam, swap], on: core, needs: approval by admins}
"""
HOSTS = """
all:
  children:
    web: {hosts: {web1: {}, web2: {}}}
    core: {hosts: {core1: {ansible_host: 10.9.9.9}}}
    db: {hosts: {db1: {}}}
"""
DRAIN = """# bot:
#   risk: change
#   parameters: {via: {}}
- hosts: web
  tasks: [{name: drain, ansible.builtin.command: drain, delegate_to: "{{ via }}"}]
"""
HERE = "- hosts: web\n  tasks: [{name: note, local_action: command id}]\n"
FILES = {
    "playbooks/drain.yml": DRAIN,
    "playbooks/swap.yml": DRAIN,
    "playbooks/roam.yml": DRAIN.replace('delegate_to: "{{ via }}"', 'delegate_to: "{{ spare_of(via) }}"'),
    "playbooks/note.yml": HERE,
    "playbooks/report.yml": "# bot:\n#   risk: read\n#   controller: true\n" + HERE,
}


class Delegating:
    """Works where the value says, as Ansible would: it asks before."""

    name = "ansible"

    def __init__(self):
        self.go = threading.Event()

    def run(self, task, report):
        via = task.parameters.get("via")
        contact = Contact(via) if via and via[0].isalpha() else Contact("web1", str(via), own=True)
        why = task.further(contact) if via else task.further(Contact("localhost", here=True))
        if via == "web2":
            self.go.wait(20)
        for device in task.devices:
            report.outcome(Outcome(device.name, Status.FAILED if why else Status.CHANGED, why))


@pytest.fixture(scope="module")
def driver():
    return Delegating()


@pytest.fixture(scope="module")
def chat(tmp_path_factory, driver):
    folder = write_folder(tmp_path_factory.mktemp("further"), toml=BOT_TOML, policy=POLICY, hosts=HOSTS, files=FILES)
    with ChatBot(folder, drivers=(driver,)) as chat:
        yield chat


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("!drain db1 on web1", r"No: drain on these devices is not allowed .*works there too"),
        ("!roam db1 on web1", r"1 failed[^$]*roam on these devices is not allowed"),
        ("!roam core1 on web1", r"1 failed[^$]*core1 needs approval by admins, and nobody knew of it beforehand"),
        ("!roam 10.9.9.9 on web1", r"1 failed[^$]*core1 needs approval"),
        ("!roam 10.1.1.1 on web1", r"1 changed"),
        ("!roam sw9 on web1", r"1 failed[^$]*sw9 is no device of the inventory"),
    ],
)
def test_a_device_is_reached_only_if_this_person_may_do_that_there(chat, typed, said):
    assert chat.asks(typed, said, who="joe")


def test_a_frozen_device_is_not_reached_from_another_one(chat):
    chat.asks("!freeze db1 until 23:59 moving", "frozen")
    assert chat.asks("!drain db1 on web1", "No: db1 is frozen")
    assert chat.asks("!roam db1 on web1", r"1 failed[^$]*db1 is frozen")
    chat.asks("!unfreeze db1", "can be changed")


def test_what_is_known_beforehand_is_approved_with_the_rest_and_stands_in_the_record(chat):
    chat.asks("!swap core1 on web1", "waits for approval by admins", who="joe")
    number = chat.jobs[0].number
    assert re.search(r"also on +core1 \(delegate_to\)", chat.asks(f"!details {number}", "asks for approval"))
    chat.asks(f"!approve {number}", "1 changed")
    assert chat.jobs[0].also == ("core1",)
    assert chat.automation.store.audit_rows(device="core1", job=number)


def test_what_a_task_is_delegated_to_is_held_and_let_go(chat, driver):
    chat.asks("!roam web2 on web1", "roam web2 on web1")
    first = next(job.number for job in chat.jobs if job.parameters.get("via") == "web2")
    reached = {"job": first, "kind": AuditKind.REACHED}
    wait(lambda: chat.automation.store.audit_rows(**reached), 20)
    assert chat.asks("!swap db1 on web2", f"waits for web2|#{first}")
    driver.go.set()
    chat.hears("1 changed")
    rows = chat.automation.store.audit_rows(**reached)
    assert [row.devices for row in rows] == [1] and chat.automation.store.job(first).also == ("web2",)


def test_the_bots_own_machine_is_reached_only_where_the_header_says_so_and_a_rule_names_it(chat):
    assert "controller: true" in chat.asks("!note on web1", "own machine")
    assert "it works on the bot's own machine" in chat.asks("!report on web1", "No: ", who="joe")
    chat.asks("!report on web1", "report on web1 done in", seconds=20)
    assert chat.jobs[0].state is State.DONE
