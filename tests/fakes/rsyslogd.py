"""The system's rsyslogd on a port of loopback, with octet counts as RFC 6587 has them; what it heard is in a file."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAM = shutil.which("rsyslogd", path="/usr/sbin:/sbin:/usr/bin")
CONF = """
global(workDirectory="{folder}" maxMessageSize="256k")
module(load="imtcp")
module(load="imudp")
input(type="imtcp" port="{port}" address="127.0.0.1" supportOctetCountedFraming="on")
input(type="imudp" port="{port}" address="127.0.0.1")
template(name="whole" type="string" string="%msg:::drop-last-lf%\\n")
action(type="omfile" file="{folder}/heard" template="whole")
"""


class Rsyslogd:
    """Runs while the block does; may be stopped and started in it. `more` is configuration of the test's own."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self._folder, self.heard = folder, folder / "heard"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        (folder / "rsyslog.conf").write_text(f"{CONF.format(folder=folder, port=self.port)}{more}\n")
        self.start()

    def __enter__(self) -> Rsyslogd:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._process = subprocess.Popen(
            [PROGRAM, "-n", "-f", self._folder / "rsyslog.conf", "-i", self._folder / "pid"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("rsyslogd does not listen")

    def hears(self, message: str, sender: str) -> None:
        """Let it hear a message over UDP, as one address of loopback."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
            device.bind((sender, 0))
            device.sendto(message.encode(), ("127.0.0.1", self.port))

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(30)
