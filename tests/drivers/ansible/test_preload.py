"""Ansible in memory: runs begin in a fork of it, and go on as ever where there is none that fits."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from automation_bots.drivers.ansible.driver import ansible_playbook
from automation_bots.drivers.ansible.preload import servers as module
from automation_bots.drivers.ansible.preload.servers import Servers
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.debug: {msg: "forks {{ lookup('config', 'DEFAULT_FORKS') }}"}
"""


@pytest.fixture
def sockets():
    with tempfile.TemporaryDirectory(prefix="ab") as folder:  # short, as a socket's path must be
        yield Path(folder)


@pytest.fixture
def servers(sockets):
    with contextlib.closing(Servers(lambda: sockets)) as servers:
        yield servers


@pytest.fixture
def play(tmp_path):
    path = tmp_path / "play.yml"
    path.write_text(PLAY)
    return path


def environment(folder):
    own = {"ANSIBLE_LOCAL_TEMP": str(folder / "tmp"), "AUTOMATION_BOTS_RUN": "x"}
    return {"HOME": str(folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", **own}


def ran(servers, folder, *words, **more):
    around = {**environment(folder), **more}
    argv = servers.command((str(ansible_playbook()), *map(str, words)), around, folder)
    return subprocess.run(argv, env=around, cwd=folder, capture_output=True, text=True, timeout=120)


def one(servers):
    return next(iter(servers._by_setup.values()))


def test_the_settings_beside_a_playbook_count_and_others_have_a_server_of_their_own(servers, play, tmp_path):
    assert "forks 5" in ran(servers, tmp_path, play).stdout
    (tmp_path / "ansible.cfg").write_text("[defaults]\nforks = 7\n")
    assert "forks 7" in ran(servers, tmp_path, play).stdout
    (tmp_path / "ansible.cfg").write_text("[defaults]\nforks = 8\n")
    os.utime(tmp_path / "ansible.cfg", ns=(1, 1))
    assert "forks 8" in ran(servers, tmp_path, play).stdout
    assert len(servers._by_setup) == 2
    for number in range(2):
        other = tmp_path / f"other{number}"
        other.mkdir()
        (other / "ansible.cfg").write_text(f"[defaults]\nforks = 1{number}\n")
        assert f"forks 1{number}" in ran(servers, other, play).stdout
    assert len(servers._by_setup) == 2, "each takes some 70 MB"


def test_a_path_that_begins_where_the_playbook_is_leads_where_it_would(servers, play, tmp_path):
    for name in ("one", "two"):
        place = tmp_path / name
        (place / "mine/greet/tasks").mkdir(parents=True)
        (place / "mine/greet/tasks/main.yml").write_text(f"- debug: {{msg: role of {name}}}\n")
        (place / "play.yml").write_text("- hosts: localhost\n  gather_facts: false\n  roles: [greet]\n")
        assert f"role of {name}" in ran(servers, place, "play.yml", ANSIBLE_ROLES_PATH="mine").stdout


def test_its_exit_code_is_that_of_ansible_and_what_it_prints_comes_through(servers, play, tmp_path):
    play.write_text("- hosts: localhost\n  gather_facts: false\n  tasks: [{fail: {msg: not today}}]\n")
    failed = ran(servers, tmp_path, play)
    assert (failed.returncode, "not today" in failed.stdout) == (2, True)
    assert ran(servers, tmp_path, "no-such.yml").returncode == 1


def test_a_run_goes_on_though_its_server_is_ended(servers, play, tmp_path):
    play.write_text("- hosts: localhost\n  gather_facts: false\n  tasks: [{pause: {seconds: 2}}, {debug: {msg: hi}}]\n")
    words = (str(ansible_playbook()), str(play))
    argv = servers.command(words, environment(tmp_path), tmp_path)
    with subprocess.Popen(argv, env=environment(tmp_path), cwd=tmp_path, stdout=subprocess.PIPE, text=True) as run:
        assert "PLAY" in run.stdout.readline() + run.stdout.readline()
        servers.close()
        assert "hi" in run.stdout.read()
    assert run.returncode == 0


def as_ansible(folder, address):
    """Hand over what only prints a word, to whatever is at the address; return the process."""
    program = folder / "plainly"
    program.write_text("#!/bin/sh\necho plainly $1\n")
    program.chmod(0o755)
    script = str(Path(module.__file__).with_name("handover.py"))
    command = [sys.executable, "-I", "-S", script, str(address), str(program), "run"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_what_nobody_takes_is_run_as_ever(tmp_path, sockets):
    assert as_ansible(tmp_path, sockets / "nobody").communicate()[0] == "plainly run\n"
    with socket.socket(socket.AF_UNIX) as deaf:  # listens, and is killed before it takes anything
        deaf.bind(str(sockets / "deaf"))
        deaf.listen()
        asked = as_ansible(tmp_path, sockets / "deaf")
        deaf.accept()[0].close()
        assert asked.communicate()[0] == "plainly run\n"


def test_what_was_taken_is_never_run_a_second_time(tmp_path, sockets):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(sockets / "taken"))
        server.listen()
        asked = as_ansible(tmp_path, sockets / "taken")
        client, _ = server.accept()
        client.sendall(b"t")
        while client.recv(4096)[-1:] != b"g":
            pass
        client.close()  # all of its side is killed
        assert asked.communicate()[0] == ""
    assert asked.returncode == 70


def test_who_no_longer_waits_when_the_server_is_ready_is_not_run_there(servers, play, tmp_path):
    ran(servers, tmp_path, play)
    os.kill(one(servers).group.pid, signal.SIGSTOP)
    marked = tmp_path / "effect"
    play.write_text(f"- hosts: localhost\n  gather_facts: false\n  tasks: [{{command: touch {marked}}}]\n")
    argv = servers.command((str(ansible_playbook()), str(play)), environment(tmp_path), tmp_path)
    run = subprocess.Popen(argv, env=environment(tmp_path), cwd=tmp_path)
    wait(lambda: Path("/proc/net/unix").read_text().count(str(one(servers).address)) == 2, 30)  # it is in the queue
    run.kill()
    run.wait()
    os.kill(one(servers).group.pid, signal.SIGCONT)
    assert "forks" not in ran(servers, tmp_path, "no-such.yml").stdout  # it serves again, after what came before
    assert not marked.exists()


def test_without_a_process_to_be_had_it_is_run_as_ever(tmp_path):
    servers = Servers(lambda: tmp_path / "no-such-folder")
    assert servers.command(("ansible-playbook", "x"), environment(tmp_path), tmp_path) == ("ansible-playbook", "x")


SHOUT = "class FilterModule:\n    def filters(self):\n        return {{'shout': lambda text: text + '{0}'}}\n"


def test_a_collection_that_is_another_than_before_counts_in_the_next_run(servers, tmp_path):
    play = tmp_path / "shout.yml"
    play.write_text(PLAY.replace("forks {{ lookup('config', 'DEFAULT_FORKS') }}", "{{ 'hey' | our.own.shout }}"))
    place = tmp_path / "collections/ansible_collections/our/own/plugins/filter/shout.py"
    place.parent.mkdir(parents=True)
    for end in ("!", "??"):  # Python knows a file that was compiled before by its second and its size
        place.write_text(SHOUT.format(end))
        said = ran(servers, tmp_path, play, ANSIBLE_COLLECTIONS_PATH=str(tmp_path / "collections")).stdout
        assert f"hey{end}" in said
    assert one(servers).runs == 2
