"""Write to a store from four threads until killed; say on standard output what was acknowledged."""

import random
import sys
import threading
from dataclasses import replace

from conftest import JOB

from automation_bots.model import Outcome, Risk, State, Status
from automation_bots.store import Store


def write(store, seed):
    dice = random.Random(seed)
    while True:
        number = store.add_job(replace(JOB, risk=dice.choice(list(Risk)))).number
        say("added", number)
        if dice.random() < 0.2:
            continue
        assert store.start(number)
        say("started", number)
        store.add_outcomes(number, [Outcome("web1", Status.OK, output="x" * dice.randrange(5_000))])
        if dice.random() < 0.7:
            assert store.finish(number, State.DONE)
            say("finished", number)


def say(word, number):
    sys.stdout.write(f"{word} {number}\n")  # in one piece, so that threads do not mix their lines
    sys.stdout.flush()


def main(url, seed):
    store = Store.open(url)
    for number in range(4):
        threading.Thread(target=write, args=(store, f"{seed}-{number}"), daemon=True).start()
    threading.Event().wait()


main(sys.argv[1], sys.argv[2])
