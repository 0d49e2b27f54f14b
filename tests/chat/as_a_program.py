"""The bot as a program of its own, on a chat network of the tests."""

import subprocess
import sys
import time

from tests.support.chatbot import wait
from tests.support.program import ROOT, surroundings


def said_below(talk, message):
    return [post.text for post in talk.net.seen(talk.ana, talk.room) if post.thread == message]


def running(talk):
    """Start the bot, and wait until it answers."""
    environment = {**surroundings(talk.folder / "data"), **talk.net.environment()}
    command = [sys.executable, "-m", "automation_bots.cli.main", "run", str(talk.folder)]
    bot = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    asked = []

    def answered():
        asked.append(talk.say("!whoami"))
        time.sleep(0.5)
        return any(said_below(talk, message) for message in asked)

    try:
        wait(answered, 60)
        last = talk.say("!whoami")  # one person is answered in order: none of those before is still on its way
        wait(lambda: said_below(talk, last), 30)
    except BaseException:
        bot.kill()
        bot.wait(10)
        raise
    return bot
