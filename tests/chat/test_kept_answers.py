"""What the network does not take is written down: the end of the program, also a sudden one, loses no answer."""

import sqlite3
import time
from contextlib import closing

import pytest

from automation_bots.chat.client import Away, Busy, Down, Rejected
from automation_bots.chat.delivery import Delivery
from automation_bots.chat.network_surface import NetworkSurface
from automation_bots.chat.outbox import Outbox
from automation_bots.model import Answer, File, Place
from automation_bots.store import Store
from automation_bots.surface import Waiting
from tests.chat.as_a_program import said_below
from tests.chat.harness import Talk
from tests.chat.networks.matrix import Matrix
from tests.chat.networks.mattermost import Mattermost
from tests.chat.networks.memory import MemoryClient, Server
from tests.chat.networks.rocketchat import RocketChat
from tests.chat.networks.slack import SlackNet
from tests.store.lives import Clock
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow  # waits as networks do

HERE = Place("memory", "R1")


class Life:
    """One life of a program: its outbox and surface, on a network and a record that stay."""

    def __init__(self, server, store):
        self.client, self.outbox, self.posts = MemoryClient(server), Outbox(0.1, workers=2), store.posts
        self.client.connect(None)
        self.surface = NetworkSurface(self.client, self.outbox, lambda: "", store.posts, 0.2)

    def answers(self, *answers):
        for answer in answers:
            with pytest.raises(Waiting):
                self.surface.answer(HERE, answer)

    def kept(self):
        return self.posts.waiting("memory")

    def killed(self):
        """End as a killed program does: nothing is noted any more."""
        self.client.post = self.client.upload = lambda *_: time.sleep(60)


@pytest.fixture
def server():
    server = Server()
    server.members["R1"] = set()
    return server


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def life(server, clock, tmp_path):
    store, lives = Store.open(tmp_path / "data", clock=clock), []

    def begin():
        lives.append(Life(server, store))
        return lives[-1]

    yield begin
    for one in lives:
        one.client.post = one.client.upload = lambda *_: "x"
        one.outbox.close(0)
    store.close()


def said(server):
    return [post.text for post in server.posts]


def test_what_is_taken_at_once_is_written_nowhere(server, life):
    first = life()
    first.surface.answer(HERE, Answer("taken"))
    assert (said(server), first.kept()) == (["taken"], [])


def test_what_waits_is_said_by_the_next_life_in_its_order_and_once(server, life):
    server.limited = [60]
    first = life()
    first.answers(*(Answer(f"answer {number}") for number in range(4)))
    wait(lambda: len(first.kept()) == 4, 5)
    first.killed()
    second = life()
    second.surface.take_up("memory")
    second.surface.answer(HERE, Answer("new"))
    assert said(server) == ["answer 0", "answer 1", "answer 2", "answer 3", "new"]
    wait(lambda: not second.kept(), 5)


def test_only_what_is_left_of_an_answer_is_kept_with_its_files(server, life):
    server.limited = []
    first = life()
    posts, post = [], first.client.post

    def once(*given):
        if posts:
            server.limited = [60]
        posts.append(given)
        return post(*given)

    first.client.post = once
    lines = "\n".join("x" * 90 for _ in range(38))  # two messages
    first.answers(Answer("first", lines, files=(File("a.bin", b"\x00\xff"),)))
    wait(first.kept, 5)
    first.killed()
    life().surface.take_up("memory")
    wait(lambda: server.posts[-1].files, 5)
    assert server.posts[-1].files == (("a.bin", b"\x00\xff"),)
    assert "\n".join(said(server)).count("x" * 90) == 38


def test_what_the_network_took_while_its_answer_was_lost_is_said_once_part_by_part(server, life):
    first = life()
    post = first.client.post

    def lost(*given):
        post(*given)
        raise Away("the line was cut")

    first.client.post = lost
    lines = "\n".join("x" * 90 for _ in range(38))  # two messages
    first.answers(Answer("first", lines, files=(File("a.bin", b"\x00\xff"),)))
    wait(first.kept, 5)
    first.killed()
    assert len(server.posts) == 1
    second = life()
    second.surface.take_up("memory")
    wait(lambda: server.posts[-1].files and not second.kept(), 5)
    assert len(server.posts) == 3


@pytest.mark.parametrize(("error", "looked_for"), [(Busy(0), False), (Down(0), True), (Away("cut"), True)])
def test_only_what_may_have_arrived_is_looked_for(error, looked_for):
    tries, seen = Delivery(), []

    def say(once):
        seen.append(once)
        if len(seen) == 1:
            raise error

    with pytest.raises(Away):
        tries(0, say)
    tries(0, say)
    assert ([once.since is not None for once in seen], seen[0].key) == ([False, looked_for], seen[1].key)


def test_what_is_said_in_time_is_forgotten(server, life):
    server.limited = [0.5]
    first = life()
    first.answers(Answer("a little late"))
    assert len(first.kept()) == 1
    wait(lambda: said(server) == ["a little late"] and not first.kept(), 5)


def test_a_secret_is_kept_nowhere(server, life):
    server.limited = [60]
    first = life()
    first.answers(Answer("a", entrusted=True), Answer("b", files=(File("qr.png", b"x", passing=True),)), Answer("c"))
    assert ["c" in kept.body for kept in first.kept()] == [True]


def test_what_nobody_heard_for_an_hour_is_not_said_but_counted(server, life, clock):
    server.limited = [60]
    first = life()
    first.answers(Answer("too old"))
    first.killed()
    clock.pass_days(1 / 20)
    second = life()
    second.surface.take_up("memory")
    assert (said(server), second.kept(), second.surface.undelivered[1]) == ([], [], 1)


def test_what_is_refused_for_good_is_not_tried_in_the_next_life(server, life):
    server.limited = [0.3]
    first = life()
    with pytest.raises((Waiting, Rejected)):  # whichever comes first
        first.surface.answer(Place("memory", "R9"), Answer("nobody there"))
    wait(lambda: first.outbox.failed == 1 and not first.kept(), 5)


def test_an_orderly_end_leaves_it_to_the_next_life_and_calls_nothing_lost(server, life):
    server.limited = [60]
    first = life()
    first.answers(Answer("later"))
    first.outbox.lay_aside()
    first.outbox.close(0.1)
    assert first.outbox.failed == 0
    life().surface.take_up("memory")
    wait(lambda: said(server) == ["later"], 5)


# -- on networks


def kept_in(data):
    with closing(sqlite3.connect(data / "netbot/bot.db")) as connection:
        return connection.execute("SELECT count(*) FROM letters").fetchone()[0]


@pytest.fixture(params=[SlackNet, Mattermost, RocketChat, Matrix])
def net(request):
    """Give each network in turn."""
    made = (
        request.param(request.getfixturevalue("synapse"), encrypted=True)
        if request.param is Matrix
        else request.param()
    )
    yield made
    made.close()


def test_what_the_network_took_before_the_bot_was_killed_is_said_once(net, started, tmp_path):
    talk = Talk(net, tmp_path)
    bot = started(talk)
    wait(lambda: kept_in(talk.folder / "data") == 0, 20)  # what it says at its start
    net.limit(1, 1)
    net.late(30)
    message = talk.say("!nosuchthing")
    wait(lambda: said_below(talk, message), 20)
    # Most times the bot does not know yet; Mattermost's own event of the post may have told it.
    assert kept_in(talk.folder / "data") or isinstance(net, Mattermost)
    bot.kill()
    bot.wait(10)
    started(talk)
    wait(lambda: kept_in(talk.folder / "data") == 0, 20)
    assert len(said_below(talk, message)) == 1


@pytest.mark.parametrize("kind", [SlackNet, Mattermost])
def test_a_bot_that_is_killed_says_what_it_owed(kind, started, tmp_path):
    net = kind()
    talk = Talk(net, tmp_path)
    bot = started(talk)
    wait(lambda: kept_in(talk.folder / "data") == 0, 20)
    net.limit(1, 60)
    message = talk.say("!nosuchthing")
    wait(lambda: kept_in(talk.folder / "data") == 1, 10)
    bot.kill()
    bot.wait(10)
    started(talk)
    answers = [post.text for post in net.seen(talk.ana, talk.room) if post.thread == message]
    assert (len(answers), "nosuchthing" in answers[0]) == (1, True)
    wait(lambda: kept_in(talk.folder / "data") == 0, 5)
    net.close()
