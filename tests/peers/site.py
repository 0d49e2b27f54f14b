"""Folders of bots that know each other by their keys, and are reached over one queue."""

from __future__ import annotations

from automation_bots.app.bot import now
from automation_bots.peers import cards
from automation_bots.peers.trust import TRUSTED, OwnKeys, TrustFile
from tests.support.chatbot import wait, write_folder

POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [support]}
  kim: {test: kim, groups: [support]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: look, who: everyone, may: [reads], on: "all:!vault"}
  - {name: others, who: support, may: ["@*"]}
"""
PEERS = """
[peers]
queue = "{queue}"
{bots}
"""


def toml(name, queue, *others, more=""):
    bots = "\n".join(f"[peers.{other}]\n{more}" for other in others)
    return f'name = "{name}"\nbackend = "Test"\n{PEERS.format(queue=queue, bots=bots)}'


def folder_of(tmp_path, name, queue, *others, policy=POLICY, more="", files=None):
    """Write a bot's folder; the other bots are named in it."""
    return write_folder(tmp_path / name, toml=toml(name, queue, *others, more=more), policy=policy, files=files)


def data_of(folder):
    """Where that bot keeps its state."""
    data = folder / "data" / folder.name
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "data").chmod(0o700)
    return data


def introduce(*folders):
    """Let each trust all others, as their people do it by files."""
    made = {folder.name: cards.written(folder.name, OwnKeys(data_of(folder)).signs, now()) for folder in folders}
    for folder in folders:
        file = TrustFile(data_of(folder) / TRUSTED)
        for name, text in made.items():
            if name != folder.name:
                file.write(file.now.adding(cards.read(text, name), "test", now()))


def meet(name, *bots):
    """Wait until each sees the bot of that name."""
    for bot in bots:
        look = bot.automation.peers.exchange.look
        wait(lambda look=look: look()[name].here, 20, lambda look=look: str(look()))
