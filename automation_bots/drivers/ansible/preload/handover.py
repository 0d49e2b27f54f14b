"""Stands in for `ansible-playbook`: hands all to a server that has Ansible in memory, and ends as that run does.

A program of its own: `python -I -S handover.py <socket> ansible-playbook <words…>`. Where there is no server, or it
takes nothing, this process becomes the real `ansible-playbook`.
"""

import json
import os
import signal
import socket
import sys

WAIT_SECONDS = 30  # a server that was just started still imports Ansible


def main(address: str, words: list[str]) -> int:
    """Return the exit code of the run; where nobody took it, do not return."""
    with socket.socket(socket.AF_UNIX) as client:
        if not _taken(client, address, words):
            os.execv(words[0], words)  # noqa: S606 - what the bot was going to run
        told = b""
        while more := client.recv(16):
            told += more
    if not told:
        return 70  # the server's side was killed: what is left of the run has no keeper
    if (code := int(told)) < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _taken(client: socket.socket, address: str, words: list[str]) -> bool:
    umask = os.umask(0)
    os.umask(umask)
    request = json.dumps([words, os.getcwd(), dict(os.environ), umask]).encode()  # noqa: PTH109 - few imports
    client.settimeout(WAIT_SECONDS)
    try:
        client.connect(address)
        socket.send_fds(client, [len(request).to_bytes(4, "big")], [0, 1, 2])
        client.sendall(request)
        if client.recv(1) != b"t":
            return False
    except OSError:
        return False
    client.settimeout(None)
    client.sendall(b"g")  # only now does it begin: nothing is run here and there
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
