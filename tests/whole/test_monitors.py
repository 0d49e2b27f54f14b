"""Monitors in a whole bot: what people type, who may, and what stays over a restart."""

import pytest

from tests.support.chatbot import ChatBot, write_folder

pytestmark = pytest.mark.slow

POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [support]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: look, who: support, may: [reads], on: web}
"""
HOSTS = """
all:
  children:
    web: {hosts: {web1: {ansible_host: 127.0.0.1}, web2: {ansible_host: 127.0.0.2}}}
    db: {hosts: {db1: {ansible_host: 127.0.0.3}}}
"""
PLUGIN = '''
def load() -> str:
    """How loaded something is.

    Example: !load
    Risk: read
    """
    return "name  used\\n/     95%\\nvar   20%"
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("bot"), policy=POLICY, hosts=HOSTS, files={"plugins/load.py": PLUGIN})


@pytest.fixture(scope="module")
def chat(folder):
    with ChatBot(folder) as chat:
        yield chat


def test_a_ping_is_begun_shown_muted_and_ended(chat):
    assert chat.asks("!monitor ping web every 1s", "M1 ") == "M1 ping web (2), every 1 s"
    chat.hears(r"M1 .*web1 \S+ 0\.\d ms · web2")
    assert "2 up" in chat.asks("!monitors", "M1  ping web")
    assert "web1  up" in chat.asks("!monitor m1", "web1")
    chat.asks("!mute 1 web2 2h cabling", r"M1 web2 is muted until .* \(ana: cabling\)")
    chat.asks("!monitor 1 csv", 'monitor-1.csv|"time","target"')
    chat.asks("!unmonitor 1", r"M1 ended \(ana ended it\): web1 100 % · web2 100 %")
    chat.asks("!monitors", "Nothing is watched")


def test_only_what_one_may_do_oneself_can_be_watched(chat):
    chat.asks("!monitor ping db1", "No device or group 'db1'", who="joe")
    chat.asks("!monitor ping nosuch", "No device or group 'nosuch'", who="joe")
    chat.asks("!monitor http https://192.0.2.1/", "No: http is for admins: no rule names it", who="joe")
    chat.asks("!monitor http https://u:p@127.0.0.1/", "password must not stand in an address", who="joe")
    chat.asks("!monitor service restart nginx on web1", "only looks, and service may change something")
    chat.asks("!monitor nosuch on web1", 'No operation "nosuch"')


def test_others_neither_see_nor_end_what_they_may_not_see(chat):
    begun = chat.asks("!monitor ping db1 every 1s", r"M\d+ ping db1")
    number = begun.split()[0]
    chat.asks(f"!monitor {number}", f"There is no monitor {number}", who="joe")
    chat.asks(f"!unmonitor {number}", f"There is no monitor {number}", who="joe")
    chat.asks(f"!unmonitor {number}", "ended")


def test_a_read_runs_as_a_job_that_tells_no_room_and_its_condition_is_told(chat):
    number = chat.asks("!monitor load where used > 90 every 1h", r"M\d+ load where").split()[0]
    chat.hears(f"{number} .*load: / used 95%")
    assert "load" not in chat.asks("!jobs", "jobs")
    (job,) = [job for job in chat.jobs if job.operation == "load"]
    assert f"M{job.monitor}" == number
    chat.asks(f"!unmonitor {number}", "ended")


def test_who_looks_after_an_outage_says_so_by_the_number_of_its_monitor(chat):
    number = chat.asks("!monitor tcp 1 on web1 every 1s", r"M\d+ tcp").split()[0]
    chat.hears(f"{number} .*web1:1 down")
    chat.asks(f"!ack {number} on it", f"{number} web1:1 · ana: on it")
    chat.asks(f"!ack {number} nosuch1", f"{number} web1:1 · ana: nosuch1")
    chat.asks("!ack M999", "There is no monitor M999")
    chat.asks(f"!unmonitor {number}", "ended")


def test_interfaces_are_watched_by_their_counters_and_who_cannot_be_asked_is_never_fine(chat):
    number = chat.asks("!monitor interface errors on web1", r"M\d+ interface errors on web1, every 5 min").split()[0]
    chat.hears(f"{number} .*web1: I cannot say how it is")
    chat.asks(f"!unmonitor {number}", "ended")
    chat.asks("!monitor interface traffic", "counters: which devices is missing")
    chat.asks("!monitor interface speed on web1", "errors or traffic are watched")


def test_it_ends_when_the_rules_take_the_right_away(chat, folder):
    number = chat.asks("!monitor ping web1 every 1s", r"M\d+ ping web1", who="joe").split()[0]
    policy = folder / "policy.yml"
    policy.write_text(POLICY.replace("on: web}", "on: db}"))
    chat.hears(rf"{number} ended \(joe may no longer look there", seconds=60)
    policy.write_text(POLICY)


def test_it_goes_on_after_a_restart_in_the_same_message(tmp_path):
    folder = write_folder(tmp_path, policy=POLICY, hosts=HOSTS)
    with ChatBot(folder) as chat:
        chat.asks("!monitor ping web every 1s", "M1 ping web")
        chat.hears("M1 .*web1 .* ms")
    with ChatBot(folder) as chat:
        assert "goes on after a restart" in chat.hears("M1 ping web .*web1 .* ms")
        assert not [text for _, text in chat.surface.said if text.startswith("M1") and "goes on" not in text]
