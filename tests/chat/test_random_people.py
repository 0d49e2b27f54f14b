"""Random people type, click, react, fill in forms, edit and repeat, on a network: only what the rules say runs."""

import random

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.model import FINAL
from automation_bots.store import AuditKind
from tests.chat.harness import Talk, wait
from tests.chat.networks.mattermost import Mattermost
from tests.chat.networks.memory import Memory
from tests.chat.networks.slack import SlackNet
from tests.support.bounds import rounds
from tests.support.chatbot import ROOT

pytestmark = pytest.mark.slow
PLUGINS = [str(ROOT / "tests/support/plugins/outside")]
WIPES = "- {name: wipes, who: leads, may: [wipe, regex]}"
NETS = {"memory": lambda: Memory(forms=True), "Slack": SlackNet, "Mattermost": Mattermost}
STEPS = rounds(30, 300)
DEVICES = ("web1", "web1,web2", "db1", "db1", "db1", "web3,db1", "vault1")
WORDS = ("service restart nginx on {}", "uptime on {}", "service restart nginx on {} --reason x")


class Crowd:
    """Four people, of whom one is unknown; each step is one of what people can do with a chat."""

    def __init__(self, talk, net, seed):
        self.talk, self.net, self.chance = talk, net, random.Random(seed)
        self.eve = net.human("eve")
        talk.room = net.room(talk.ana, talk.joe, talk.kim, self.eve)
        self.people = [talk.ana, talk.joe, talk.kim, self.eve]
        self.typed, self.wipes = [], 0

    def step(self):
        can = (
            [self.types] * 3 + [self.clicks] * 2 + [self.approves, self.edits, self.repeats, self.wipe, self.repetition]
        )
        can += [self.fills] * hasattr(self.net, "fill") + [self.slashes] * hasattr(self.net, "slash")
        self.chance.choice(can)(self.chance.choice(self.people))

    def types(self, who):
        text = self.chance.choice(WORDS).format(self.chance.choice(DEVICES))
        room, mention = self.chance.choice([(self.talk.room, True), (self.talk.room, False), ("", False)])
        text = text if mention else f"!{text}"
        inside = [message for _, place, message in self.typed if place == room == self.talk.room]
        thread = self.chance.choice(["", *inside[:1]])
        self.typed.append((who, room, self.net.say(who, room, text, mention=mention, thread=thread)))

    def wipe(self, who):
        """A command, or words that a regular expression catches, of a plugin from elsewhere: kim may, and ana."""
        text = self.chance.choice(["!wipe", "please wipe it"])
        self.net.say(who, self.chance.choice([self.talk.room, ""]), text)
        self.wipes += who in (self.talk.ana, self.talk.kim)

    def repetition(self, who):
        self.net.say(who, self.talk.room, self.chance.choice(["!!", "!1", "!retry 1", "!retry 2 failed"]))

    def slashes(self, who):
        self.net.slash(who, self.talk.room, self.chance.choice(WORDS).format(self.chance.choice(DEVICES)))

    def questions(self):
        return [post for post in self.talk.answers() if "Approve" in post.choices]

    def clicks(self, who):
        self.talk.settled(0.1)
        for post in self.questions()[-3:]:
            self.net.choose(
                who, self.talk.room, post.id, self.chance.choice(["Approve", "Approve", "Approve", "Deny", "Details"])
            )

    def agrees(self):
        """Whatever chance brought, one request is approved as it should be."""
        before = {post.id for post in self.questions()}
        self.net.say(self.talk.joe, self.talk.room, "!service restart nginx on db1 --reason sure")
        wait(lambda: {post.id for post in self.questions()} - before, 10)
        for post in [post for post in self.questions() if post.id not in before]:
            self.net.choose(self.talk.kim, self.talk.room, post.id, "Approve")
        wait(lambda: self.talk.bot.automation.store.audit_rows(kind=AuditKind.APPROVED), 10)

    def approves(self, who):
        waiting = [job.number for job in self.talk.jobs if job.state not in FINAL]
        for number in waiting[:2]:
            self.net.say(who, "", f"!approve {number}")

    def edits(self, who):
        if self.typed:
            author, room, message = self.chance.choice(self.typed)
            self.net.edit(author, room, message, f"!service restart nginx on {self.chance.choice(DEVICES)}")

    def repeats(self, who):
        if self.typed:
            author, room, message = self.chance.choice(self.typed)
            self.net.deliver_again(room or f"D{author.id}", message)

    def fills(self, who):
        """One asks and opens a form; another one may send it."""
        notifier = self.chance.choice(self.people)
        self.net.say(notifier, self.talk.room, "!service restart")
        self.talk.settled(0)
        for post in [post for post in self.talk.answers() if "Fill in a form" in post.choices][-1:]:
            self.net.choose(notifier, self.talk.room, post.id, "Fill in a form")
        self.talk.settled(0)
        for form in self.net.forms[-1:]:
            device = self.chance.choice(["web1", "db1", "vault1"])
            self.net.fill(who, self.talk.room, form, name="nginx", devices=device)


@pytest.fixture(scope="module", params=NETS)
def net(request):
    net = NETS[request.param]()
    net.plugins = [*getattr(net, "plugins", []), *PLUGINS]
    yield net
    net.close()


def approved_by(talk, number):
    return {row.person for row in talk.bot.automation.store.audit_rows(kind=AuditKind.APPROVED, job=number)}


def outside(talk):
    return talk.bot.errbot.plugin_manager.plugins["Outside"]


def may(talk, job, device):
    """A plain reading of the rules that `harness` writes."""
    if job.person == "ana":
        return True
    if device == "vault1" or job.person not in {"joe", "kim"}:
        return False
    if job.operation == "uptime" or device.startswith("web"):
        return True
    return job.operation == "service" and bool(approved_by(talk, job.number) & {"kim"} - {job.person})


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_people_type_click_and_fill_in_only_what_the_rules_say_runs(net, tmp_path, seed):
    fake = Fake()
    with Talk(net, tmp_path, (fake,), rules=WIPES) as talk:
        crowd = Crowd(talk, net, seed)
        for _ in range(STEPS):
            crowd.step()
        crowd.agrees()
        talk.settled()
        wait(lambda: talk.bot.automation.dispatcher.active == (0, 0), 30)
        store = talk.bot.automation.store
        ids = {talk.ana.id: "ana", talk.joe.id: "joe", talk.kim.id: "kim"}
        assert fake.ran, seed
        assert store.audit_rows(kind=AuditKind.DENIED), seed
        assert store.audit_rows(kind=AuditKind.ASKED), seed
        for number, operation, device in fake.ran:
            job = store.job(number)
            assert may(talk, job, device), (seed, job.person, operation, device)
            assert ids[job.caller.id] == job.person
        assert len(set(fake.ran)) == len(fake.ran), "something ran twice"
        assert len(outside(talk).done) == crowd.wipes, (seed, outside(talk).done)
        assert store.verify_audit()


def test_a_click_of_the_one_who_asked_or_of_a_stranger_approves_nothing(net, tmp_path):
    fake = Fake()
    with Talk(net, tmp_path, (fake,)) as talk:
        eve = net.human("eve")
        talk.room = net.room(talk.ana, talk.joe, talk.kim, eve)
        talk.asks("!service restart nginx on db1", "waits for approval", who=talk.joe)
        question = talk.hears("joe asks for approval")
        for who in (talk.joe, eve):
            net.choose(who, talk.room, question.id, "Approve")
        talk.settled()
        assert fake.ran == []
        net.choose(talk.kim, talk.room, question.id, "Approve")
        wait(lambda: fake.ran, 10)
        assert approved_by(talk, 1) == {"kim"}
