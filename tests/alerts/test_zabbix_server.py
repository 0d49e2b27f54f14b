"""A real Zabbix and a whole bot: problems come in by the media type of deploy/, and what people say goes back."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from automation_bots.alerts.missed_updates import MissedUpdates
from automation_bots.model import Phase
from tests.drivers.alerts.answering import Answering
from tests.fakes import zabbix
from tests.fakes.zabbix import Zabbix
from tests.support.chatbot import ChatBot, wait, write_folder

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(zabbix.missing()), reason=f"no {zabbix.missing()}")]
MEDIA_TYPE = Path("deploy/zabbix/automation-bot.yaml").read_text()
TOKEN = "a-token-of-a-test"
TOML = """name = "netbot"
backend = "Test"
[http]
port = {port}
[events.sources.zabbix]
kind = "zabbix"
room = "#noc"
token = "file:token"
url = "{url}"
api_token = "file:api_token"
"""
POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [noc]}
  kim: {test: kim, groups: [staff]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: look, who: everyone, may: [reads]}
  - {name: alerts of the core, who: noc, may: ["driver:alerts"], on: core}
"""
HOSTS = "all:\n  vars: {driver: fake}\n  children:\n    core: {hosts: {core1: {ansible_host: 192.0.2.1}}}\n"


class Lab:
    """The server, the bot, and one problem after the other."""

    def __init__(self, server: Zabbix, bot: ChatBot) -> None:
        self.server, self.bot = server, bot

    def problem(self) -> str:
        """Let one begin, after the one before is over; returns its number in chat."""
        alerts = self.bot.automation.store.alerts
        if alerts.firing():
            self.server.send("core1", "bgp.state", "6")
            wait(lambda: not alerts.firing(), 60)
        wait(lambda: self.server.send("core1", "bgp.state", "1"), 60)
        wait(lambda: len(alerts.firing()) == 1, 60)
        self.bot.seen = len(self.bot.surface.said)
        return f"A{alerts.firing()[0].number}"

    def there(self) -> list[tuple[str, str]]:
        """Who did what about it, as Zabbix knows: (action, message), the oldest first."""
        [found] = self.server.call("problem.get", {"output": ["eventid"], "selectAcknowledges": "extend"})
        self.event = found["eventid"]
        return [(one["action"], one["message"]) for one in reversed(found["acknowledges"])]


@pytest.fixture(scope="module")
def lab(postgresql, tmp_path_factory):
    folder = tmp_path_factory.mktemp("zabbix")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Zabbix(folder, postgresql) as server:
        token = server.set_up(MEDIA_TYPE, f"http://127.0.0.1:{port}/hooks/zabbix", TOKEN)
        secrets = {"token": TOKEN, "api_token": token}
        home = write_folder(folder / "bot", toml=TOML.format(port=port, url=server.url), policy=POLICY, hosts=HOSTS,
                            files=secrets)  # fmt: skip
        for name in secrets:
            (home / name).chmod(0o600)
        with ChatBot(home) as bot:
            yield Lab(server, bot)


def test_who_acknowledges_in_chat_has_acknowledged_in_zabbix_by_name(lab):
    number = lab.problem()
    wait(lambda: any(f"▲ {number} core1: BGP session" in said for _, said in lab.bot.surface.said), 60)
    lab.bot.asks(f'!ack {number} "on it"', "acknowledged in Zabbix", who="joe", room="#noc", seconds=60)
    [job] = [one for one in lab.bot.jobs if one.operation == "ack-alert"]
    assert lab.there() == [("6", f"on it (joe, from chat, #{job.number})")]
    wait(lambda: any(f"▲ {number}" in said and "joe: on it" in said for _, said in lab.bot.surface.edited), 60)


def test_who_may_not_hears_why_and_zabbix_hears_nothing(lab):
    number = lab.problem()
    lab.bot.asks(f"!ack {number}", "No: ack-alert on core1 is for", who="kim", room="#noc", seconds=60)
    assert lab.there() == []


def test_what_is_done_in_zabbix_stands_in_the_message(lab):
    number = lab.problem()
    lab.there()
    lab.server.call("event.acknowledge", {"eventids": [lab.event], "action": 6, "message": "known <b>@here"})
    lab.bot.hears(f"▲ {number} .*Zabbix Administrator .Admin.: known <b>@here", 60)


def test_a_comment_and_the_close_of_a_problem_go_to_zabbix_and_its_end_comes_back(lab):
    number = lab.problem()
    lab.bot.asks(f"!comment {number} provider called", "commented in Zabbix", who="joe", room="#noc", seconds=60)
    lab.bot.asks(f"!close {number} line replaced", "Zabbix was told to close it", who="joe", room="#noc", seconds=60)
    wait(lambda: not lab.bot.automation.store.alerts.firing(), 60)


def test_what_zabbix_refuses_is_said_and_does_not_count_here(lab):
    number = lab.problem()
    group = lab.server.call("usergroup.get", {"filter": {"name": "bots"}, "selectRights": "extend"})[0]
    lab.server.call("usergroup.update", {"usrgrpid": group["usrgrpid"], "rights": []})
    lab.bot.asks(
        f"!ack-alert {number}", "needs read-write rights on the host's group", who="joe", room="#noc", seconds=60
    )
    lab.server.call("usergroup.update", {"usrgrpid": group["usrgrpid"], "rights": group["rights"]})
    assert not lab.bot.automation.store.alerts.find(int(number[1:])).acknowledged


def test_a_problem_that_is_muted_is_muted_here_where_zabbix_cannot(lab):
    number = lab.problem()
    lab.bot.asks(f"!mute {number} 2h line card", "here alone: Zabbix before 6.2", who="joe", room="#noc", seconds=60)
    assert lab.bot.automation.store.alerts.find(int(number[1:])).muted_why == "joe: line card"


def test_what_zabbix_could_not_tell_is_found_out_by_asking(lab):
    number, store = lab.problem(), lab.bot.automation.store
    lab.there()
    later = MissedUpdates(lab.bot.automation.alerts.backs["zabbix"], lambda: datetime.now(UTC) + timedelta(minutes=2))
    [user] = lab.server.call("user.get", {"filter": {"username": "automation-bot"}})
    lab.server.call("user.update", {"userid": user["userid"], "medias": []})  # nobody is told of anything now
    lab.server.call("event.acknowledge", {"eventids": [lab.event], "action": 6, "message": "known"})
    [said] = later.other(store.alerts.firing())
    assert (said.done, said.note, said.fingerprint) == ("acknowledged", "known", lab.event)
    lab.server.send("core1", "bgp.state", "6")
    wait(lambda: [one.phase for one in later.other(store.alerts.firing())] == [Phase.RESOLVED], 60)
    store.events.take(later.other(store.alerts.firing()))
    assert not store.alerts.find(int(number[1:])).firing


# -- the script of the media type alone, in the engine that Zabbix runs it in


def script(tmp_path, **values):
    """What it returns, or what Zabbix shows and tries again for."""
    if not (engine := shutil.which("zabbix_js")):
        pytest.skip("needs zabbix_js: apt install zabbix-server-pgsql")
    [kind] = yaml.safe_load(MEDIA_TYPE)["zabbix_export"]["media_types"]
    (tmp_path / "script.js").write_text(kind["script"])
    given = {one["name"]: one["value"] for one in kind["parameters"]}
    argv = [engine, "-s", str(tmp_path / "script.js"), "-p", json.dumps({**given, **values})]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    return done.stdout + done.stderr


def test_the_script_sends_the_token_in_a_header_and_nowhere_else(tmp_path):
    with Answering(lambda *_: (202, b"")) as server:
        assert "OK" in script(tmp_path, url=server.url, token=TOKEN, event_id="7")
    [(_, _, headers, sent)] = server.asked
    assert (headers["Authorization"], sent["event_id"]) == (f"Bearer {TOKEN}", "7")
    assert TOKEN not in json.dumps(sent) and "url" not in sent


@pytest.mark.parametrize("status", [401, 429, 500, 301])
def test_the_script_fails_where_the_bot_did_not_take_it_so_that_zabbix_tries_again(tmp_path, status):
    with Answering(lambda *_: (status, b"no")) as server:
        assert f"The bot answered with status {status}: no" in script(tmp_path, url=server.url, token=TOKEN)


def test_the_script_says_which_macro_is_missing(tmp_path):
    assert "{$AUTOMATION_BOT.URL}" in script(tmp_path, token=TOKEN)
    assert "{$AUTOMATION_BOT.TOKEN}" in script(tmp_path, url="http://127.0.0.1:9")


def test_it_tries_again_often_enough_for_a_bot_that_starts_anew():
    [kind] = yaml.safe_load(MEDIA_TYPE)["zabbix_export"]["media_types"]
    assert (kind["attempts"], kind["timeout"]) == ("5", "10s")
