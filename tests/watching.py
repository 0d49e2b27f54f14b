"""What every process of this machine shows of itself while something happens."""

import threading
from contextlib import contextmanager
from pathlib import Path


def processes():
    """The words and the environment of each."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit():
                yield (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
        except OSError:
            continue


@contextmanager
def watched():
    """Look again and again; the list has (words, environment)."""
    seen, over = set(), threading.Event()

    def look():
        while not over.wait(0.02):
            seen.update(processes())

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
