"""Lets a process that is about to read an inventory be a fork of one that has Ansible in memory: see `reader`.

Python runs this file first where its folder is in PYTHONPATH. What anything but the defaults would make of Ansible's
own settings is read by a process of its own, as without tests.
"""

import os
import sys


def _words():
    """The arguments of the module, if it is the one."""
    at = sys.orig_argv.index("-m") if "-m" in sys.orig_argv else len(sys.orig_argv)
    return sys.orig_argv[at + 2 :] if sys.orig_argv[at + 1 : at + 2] == ["automation_bots.inventory.child"] else None


def _usual():
    """Whether Ansible would find no settings here that the fork has not read."""
    own = [name for name in os.environ if name.startswith("ANSIBLE_")]
    return not own and os.environ.get("HOME") == os.environ.get("TESTS_HOME") and "ansible.cfg" not in os.listdir()  # noqa: PTH208


def _in_a_fork(address, words):
    """Hand all that this process is over to a fork; return its exit code."""
    import json
    import select
    import socket

    parent = os.getppid()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(address)
        told = json.dumps([words, os.getcwd(), dict(os.environ)]).encode()  # noqa: PTH109 - no import that can be spared
        socket.send_fds(client, [len(told).to_bytes(4, "big")], [0, 1, 2])
        client.sendall(told)
        while not select.select([client], [], [], 0.5)[0]:
            if os.getppid() != parent:  # it was killed: the fork ends with this one
                return 1
        return int(client.recv(4) or b"70")


if (address := os.environ.get("TESTS_READER")) and (words := _words()) is not None and _usual():
    os._exit(_in_a_fork(address, words))
