"""Rooms that are named as people call them, on networks that tell ids."""

import tomllib

from automation_bots.app import named_rooms
from automation_bots.chat.client import Away, only
from automation_bots.config import room_names
from automation_bots.config.settings import EventSettings, Settings
from automation_bots.policy import policy
from automation_bots.surface import PlainWays

PLACES = {"ops": "C1", "dev": "#development"}
RULES = """
people: {joe: {slack: U1}}
rules:
  - {name: there, who: everyone, may: [reads], where: ["#netops", "#ops", "#dev", dm, slack, C7]}
  - {name: asked, who: everyone, may: [changes], approval: {by: joe, room: "#leads"}}
"""


class Network(PlainWays):
    """Knows some rooms by name."""

    def __init__(self, rooms=None, error=None):
        self.rooms, self.error = rooms or {}, error

    def room_ids(self, names):
        if self.error:
            raise self.error
        return {name: self.rooms[name] for name in names if name in self.rooms}


class World:
    """A policy, and the places of now."""

    def __init__(self, folder):
        (folder / "policy.yml").write_text(RULES)
        self.policy, self.places = policy.load(folder / "policy.yml"), dict(PLACES)
        self.rooms = list

    def name_places(self, places):
        self.places = places


def settings(backend="Slack"):
    return Settings.model_validate({"name": "n", "backend": backend, "places": PLACES, "approvals": {"room": "#ops"}})


def test_rooms_of_rules_of_events_are_looked_up_too(tmp_path):
    world = World(tmp_path)
    world.rooms = lambda: [('rules.yml, rule "one"', "#noc")]
    said = named_rooms.look_up(world, settings(), Network({"netops": "C9", "development": "C8", "leads": "C7"}))
    assert said[0].startswith('rules.yml, rule "one": no room that the bot is in is called #noc')


def test_what_is_named_without_an_id_is_found_where_it_stands(tmp_path):
    assert room_names.named(World(tmp_path).policy, settings()) == [
        ("bot.toml: places.dev", "development"), ('rule "there": where', "netops"), ('rule "asked": room', "leads"),
    ]  # fmt: skip


def test_rooms_of_events_are_looked_up_too(tmp_path):
    sources = {"am": {"kind": "x", "room": "#noc"}, "z": {"kind": "x"}}
    wanted = settings().model_copy(update={"events": EventSettings(room="#all", sources=sources)})
    assert room_names.named(World(tmp_path).policy, wanted)[-2:] == [
        ("bot.toml: events.room", "all"), ("bot.toml: events.sources.am.room", "noc"),
    ]  # fmt: skip


def test_where_names_are_ids_nothing_has_to_be_found(tmp_path):
    assert room_names.named(World(tmp_path).policy, settings("IRC")) == []


def test_rules_know_by_its_id_what_the_network_has_found(tmp_path):
    world = World(tmp_path)
    assert named_rooms.look_up(world, settings(), Network({"netops": "C9", "development": "C8", "leads": "C7"})) == []
    assert world.places == {"ops": "C1", "dev": "C8", "development": "C8", "netops": "C9", "leads": "C7"}


def test_what_no_room_is_called_is_said_with_what_to_write(tmp_path):
    said = named_rooms.look_up(World(tmp_path), settings(), Network({"netops": "C9", "leads": "C7"}))
    assert len(said) == 1
    assert said[0].startswith("bot.toml: places.dev: no room that the bot is in is called #development")
    assert said[0].endswith('write the id: [places] dev = "<the id of the room>"')


def test_what_is_to_be_written_is_toml():
    line = room_names.unknown('rule "x": where', "netops:corp.example").rpartition("[places] ")[2]
    assert tomllib.loads(line) == {"netops:corp.example": "<the id of the room>"}


def test_an_admin_is_told_once_and_a_room_is_found_when_the_bot_was_invited(tmp_path):
    world, network, told = World(tmp_path), Network({"development": "C8", "leads": "C7"}), []
    rooms = named_rooms.NamedRooms(world, settings(), lambda: network, told.append)
    for _ in range(3):
        rooms.find()
    network.rooms["netops"] = "C9"
    rooms._again()
    rooms.stop()
    assert [str(answer).partition(":")[0] for answer in told] == ['rule "there"']
    assert world.places["netops"] == "C9"


def test_while_the_network_does_not_say_what_was_found_before_stays(tmp_path):
    world = World(tmp_path)
    world.places = {"netops": "C9"}
    (said,) = named_rooms.look_up(world, settings(), Network(error=Away("no answer")))
    assert "cannot be looked up (no answer)" in said
    assert world.places == {"netops": "C9"}


def test_a_name_of_two_rooms_is_none():
    rooms = [("ops", "C1"), ("#dev", "C2"), ("ops", "C3")]
    assert only(rooms, ["ops", "dev", "gone"]) == {"dev": "C2"}
