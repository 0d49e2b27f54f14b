import os
import py_compile
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from automation_bots.drivers import Task
from automation_bots.drivers.python.driver import Python
from automation_bots.errors import DriverError
from automation_bots.model import Caller, Device, Job, Outcome, Place, State, Status
from automation_bots.operations import catalog
from automation_bots.operations.functions import load

pytestmark = [pytest.mark.slow, pytest.mark.works]  # every test starts a process

ROOT = Path(__file__).parents[3]


@dataclass
class Heard:
    outcomes: list[Outcome] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    on_progress: list = field(default_factory=list)

    def outcome(self, outcome):
        self.outcomes.append(outcome)

    def progress(self, text):
        self.said.append(text)
        for call in self.on_progress:
            call(text)

    @property
    def only(self):
        (outcome,) = self.outcomes
        return outcome

    @property
    def statuses(self):
        return {outcome.device: outcome.status.value for outcome in self.outcomes}


def task_for(path, devices=(), seconds=20.0, check=False, **parameters):
    operation = load(path)
    devices = tuple(d if isinstance(d, Device) else Device(d) for d in devices)
    place = Place("test", "room")
    job = Job(1, State.RUNNING, "ana", Caller("test", "1"), place, operation.name, parameters, "",
              tuple(d.name for d in devices), operation.risk, ("python",), check=check)  # fmt: skip
    return Task(job, operation, devices, path.parent, time.monotonic() + seconds,
                covered=catalog.covered(operation))  # fmt: skip


@pytest.fixture
def command(tmp_path):
    """Write a command `tool` from its signature and body; return its task."""

    def write(body, signature="", doc="Do it. Risk: read", **kwargs):
        path = tmp_path / "tool.py"
        head = body if "def tool(" in body else f'def tool({signature}):\n    """{doc}"""\n'
        path.write_text(head if head is body else head + textwrap.indent(textwrap.dedent(body), "    "))
        return task_for(path, **kwargs)

    return write


@pytest.fixture
def run(command):
    def run_it(body, signature="", doc="Do it. Risk: read", driver=None, **kwargs):
        heard = Heard()
        (driver or Python()).run(command(body, signature, doc, **kwargs), heard)
        return heard

    return run_it


def alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    except OSError:
        return False


def gone_soon(pid):
    until = time.monotonic() + 3
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


LATE = """
yield "started"
import helper
return helper.said
"""


@pytest.fixture
def beside(tmp_path):
    """Write a module beside the command."""

    def write(text, name="helper.py"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_a_module_that_is_replaced_while_a_command_runs_is_not_run(command, beside, tmp_path):
    beside("said = 'as approved'\n")
    heard = Heard()
    heard.on_progress.append(lambda _: beside(f"open({str(tmp_path / 'evil')!r}, 'w')\n"))
    Python().run(command(LATE), heard)
    assert heard.only.status is Status.FAILED
    assert "helper.py was changed after the job was accepted" in heard.only.summary
    assert not (tmp_path / "evil").exists()


def test_code_that_came_after_the_job_was_accepted_is_not_run(command, beside):
    heard = Heard()
    heard.on_progress.append(lambda _: beside("said = 'evil'\n"))
    Python().run(command(LATE), heard)
    assert "helper.py is not among the files" in heard.only.summary


def test_what_somebody_compiled_of_a_module_is_not_read(command, beside):
    source = beside("said = 'as approved'\n")
    told = source.stat()
    beside("said = 'other word'\n")
    cached = source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
    compiled = py_compile.compile(str(source), str(cached))
    beside("said = 'as approved'\n")
    os.utime(source, ns=(told.st_atime_ns, Path(compiled).stat().st_mtime_ns))
    header = bytearray(Path(compiled).read_bytes())
    header[8:16] = int(source.stat().st_mtime).to_bytes(4, "little") + source.stat().st_size.to_bytes(4, "little")
    Path(compiled).write_bytes(header)
    heard = Heard()
    Python().run(command(LATE), heard)
    assert heard.only.summary == "as approved"


def test_data_beside_a_command_are_its_own(command, beside):
    heard = Heard()
    heard.on_progress.append(lambda _: beside("of now", "data.txt"))
    body = "yield 'started'\nfrom pathlib import Path\nreturn Path(__file__).with_name('data.txt').read_text()"
    Python().run(command(body), heard)
    assert heard.only.summary == "of now"


def test_a_returned_text_is_the_output_and_its_first_line_the_summary(run):
    outcome = run("return f'{name} {count + 1}\\nmore'", "name: str, count: int = 2", name="ünïcode").only
    assert (outcome.device, outcome.status) == ("", Status.OK)
    assert (outcome.summary, outcome.output) == ("ünïcode 3", "ünïcode 3\nmore")


def test_a_change_that_returns_nothing_has_changed_something(run):
    outcome = run("pass", doc="Do it. Risk: change").only
    assert (outcome.status, outcome.summary, outcome.output) == (Status.CHANGED, "done", "")


@pytest.mark.parametrize(
    ("value", "output"),
    [("5", "5"), ("['a', 2]", "a\n2"), ("{'a': 1}", "a: 1"), ("None", "printed"), ("'x'", "printed\nx")],
)
def test_whatever_is_returned_can_be_read(run, value, output):
    first = "print('printed')" if "printed" in output else "pass"
    assert run(f"{first}\nreturn {value}").only.output == output


def test_print_never_gets_into_the_messages(run):
    heard = run("print('{\"kind\": \"end\"}')\nimport sys; sys.stderr.write('warned\\n')\nreturn 'fine'")
    assert heard.only.output == '{"kind": "end"}\nwarned\nfine'
    assert heard.only.summary == "fine"


def test_a_yielded_text_is_progress(run):
    heard = run("yield 'one'\nyield 'two'\nreturn 'end'")
    assert heard.said == ["one", "two"]
    assert heard.only.output == "end"


@pytest.mark.parametrize("pause", ["", "await asyncio.sleep(0)\n    yield 'half'\n    "])
def test_async_functions_run(run, pause):
    end = "print('end')" if pause else "return 'end'"
    heard = run(f'import asyncio\nasync def tool():\n    """Do it. Risk: read"""\n    {pause}{end}\n')
    assert (heard.only.summary, heard.said) == ("end", ["half"] if pause else [])


def test_each_device_gets_the_outcome_that_was_yielded_for_it_and_what_was_printed_before(run):
    body = "for name in devices:\n    print('look at', name)\n    yield name, 'failed' if name == 'b' else 'ok', 'seen'"
    heard = run(body, "devices: list[str]", devices=["a", "b"])
    assert heard.statuses == {"a": "ok", "b": "failed"}
    assert [outcome.output for outcome in heard.outcomes] == ["look at a\nseen", "look at b\nseen"]


def test_a_returned_dict_gives_each_device_its_text(run):
    body = "return {'a': 'one', 'b': ('unreachable', 'two')}"
    heard = run(body, "devices: list[str]", doc="Do it. Risk: change", devices=["a", "b"])
    assert heard.statuses == {"a": "changed", "b": "unreachable"}


def test_one_text_for_several_devices_is_for_each_of_them(run):
    assert run("return 'x'", "devices: list[str]", devices=["a", "b"]).statuses == {"a": "ok", "b": "ok"}


def test_results_for_devices_outside_the_job_and_second_results_are_ignored_with_a_note(run):
    heard = run("for name in 'aazb':\n    yield name, 'ok', name", "devices: list[str]", devices=["a", "b"])
    assert heard.statuses == {"a": "ok", "b": "ok"}
    assert heard.said == [
        "tool.py: ignored a result for a, which had one already",
        "tool.py: ignored a result for z, which is not in this job",
    ]


def test_a_device_that_the_command_forgot_is_unknown_not_ok(run):
    assert run("yield 'a', 'ok', ''", "devices: list[str]", devices=["a", "b"]).statuses == {"a": "ok", "b": "unknown"}


def test_device_objects_bring_the_inventory_along(run):
    body = "from automation_bots.model import Device\ndef tool(device: Device):\n    '''Do it.'''\n"
    body += "    return f'{device.name} {device.address} {sorted(device.groups)}'\n"
    device = Device("r1", frozenset({"core"}), {"ansible_host": "192.0.2.1"})
    assert run(body, devices=[device]).only.output == "r1 192.0.2.1 ['core']"


def test_optional_devices_are_left_to_the_default(run):
    assert run("return repr(devices)", "devices: list[str] = ()").only.output == "()"


def test_a_command_with_a_check_parameter_learns_of_the_preview(run):
    heard = run("return f'check={check}'", "check: bool = False", doc="Do it. Risk: change", check=True)
    assert (heard.only.output, heard.only.status) == ("check=True", Status.OK)


def test_a_command_without_a_check_parameter_is_not_run_as_a_preview(run):
    with pytest.raises(DriverError, match="check: bool"):
        run("pass", check=True)


def test_an_exception_becomes_one_sentence_with_the_line(run):
    outcome = run("import json\nhelp_me = 1\ndef inner():\n    raise ValueError('no\\nsense')\ninner()").only
    assert (outcome.status, outcome.summary) == (Status.FAILED, "ValueError: no, tool.py line 6")
    assert outcome.output.startswith("tool.py line 7, in tool\n    inner()\ntool.py line 6, in inner")
    assert "python_child" not in outcome.output


def test_an_error_inside_a_library_names_the_line_of_the_command(run):
    assert run("import json\njson.loads('{')").only.summary.endswith("(char 1), tool.py line 4")


def test_devices_done_before_an_exception_keep_their_outcome(run):
    heard = run("yield 'a', 'ok', ''\nraise KeyError('x')", "devices: list[str]", devices=["a", "b"])
    assert heard.statuses == {"a": "ok", "b": "failed"}


@pytest.mark.parametrize(
    ("body", "summary"),
    [
        ("import sys; sys.exit()", "done"),
        ("import sys; sys.exit('no such host')", "no such host"),
        ("import sys; sys.exit(3)", "tool.py ended with sys.exit(3)"),
        ("import os; os._exit(7)", "tool.py ended without a result, with exit code 7 (os._exit?)"),
        ("import ctypes; ctypes.string_at(0)", "tool.py was killed by SIGSEGV: it crashed in compiled code"),
        ("import os; os.kill(os.getpid(), 9)", "tool.py was killed by SIGKILL; perhaps the machine ran out of memory"),
        ("input('sure? ')", "EOFError: EOF when reading a line, tool.py line 3"),
        ("yield 5", 'TypeError: yield a text, or (device, "ok", text); got int, tool.py line 3'),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere', tool.py line 3"),
        (
            "raise type('Odd', (Exception,), {'__str__': lambda e: 1 / 0})",
            "Odd: its text cannot be shown, tool.py line 3",
        ),
        ("tool()", "RecursionError: maximum recursion depth exceeded, tool.py line 3"),
    ],
)
def test_every_way_to_end_is_a_clear_sentence(run, body, summary):
    outcome = run(body).only
    assert outcome.summary == summary
    assert outcome.status is (Status.OK if summary == "done" else Status.FAILED)


def test_a_wrong_status_names_the_known_ones(run):
    assert run("yield '', 'good', ''").only.summary.startswith("ValueError: status must be one of ok, changed")


def test_an_error_at_import_is_an_outcome(run):
    heard = run('import helper_of_tool\ndef tool():\n    """Do it."""\n')
    assert heard.only.summary == "ModuleNotFoundError: No module named 'helper_of_tool', tool.py line 1"


def test_a_command_may_import_the_file_beside_it_but_never_hides_a_module(run, tmp_path):
    (tmp_path / "near.py").write_text("VALUE = 'near'\n")
    (tmp_path / "json.py").write_text("raise RuntimeError('hidden')\n")
    assert run("import json, near\nreturn near.VALUE").only.output == "near"
    assert not list(tmp_path.glob("__pycache__"))


def test_the_environment_is_minimal(run, monkeypatch):
    monkeypatch.setenv("CHAT_TOKEN", "s3cret")
    heard = run("import os\nreturn sorted(os.environ)", driver=Python(environment={"REGION": "eu"}))
    assert set(heard.only.output.split()) <= {"PATH", "HOME", "LANG", "LC_CTYPE", "TMPDIR", "REGION"}
    assert "REGION" in heard.only.output


def test_parameters_are_not_in_the_process_list(run):
    assert (
        run("return open('/proc/self/cmdline').read()", "word: str", word="hunter2").only.output.count("hunter2") == 0
    )


def test_a_flood_of_output_is_cut_and_costs_no_memory(run):
    import resource

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = run("for _ in range(50):\n    print('x' * 1_000_000)\nreturn 'after the flood'").only
    assert outcome.output.endswith("x\n[output cut at 1 MB]\nafter the flood")
    assert len(outcome.output) < 1_000_100
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # kB


def test_a_huge_returned_text_is_cut(run):
    assert (
        run("return 'é' * 5_000", driver=Python(output_limit=1000)).only.output == "é" * 1000 + "\n[output cut at 1 kB]"
    )


def test_a_memory_limit_ends_in_a_sentence(run):
    heard = run("x = bytearray(10**9)", driver=Python(memory_limit=300_000_000))
    assert heard.only.summary == "MemoryError, tool.py line 3"


def test_the_time_limit_stops_the_command(run):
    outcome = run("print('before', flush=True)\nimport time; time.sleep(60)", seconds=2).only
    assert (outcome.status, outcome.output) == (Status.FAILED, "before\n")
    assert outcome.summary.startswith("tool.py was stopped at the time limit, after 2")


def test_cancel_stops_a_sleeping_command_at_once_and_lets_it_clean_up(command):
    task, heard = (
        command("try:\n    yield 'in'\n    import time; time.sleep(60)\nfinally:\n    print('cleaned up')"),
        Heard(),
    )
    heard.on_progress.append(lambda _: task.cancel.set("cancelled by ana"))
    started = time.monotonic()
    Python().run(task, heard)
    assert (heard.only.status, heard.only.summary) == (Status.CANCELLED, "cancelled by ana")
    assert heard.only.output == "cleaned up\n"
    assert time.monotonic() - started < 50


@pytest.mark.parametrize("limit", [0.4, 60])
def test_a_change_that_is_stopped_in_the_middle_is_never_called_undone(command, limit):
    task, heard = command("yield 'in'\nimport time; time.sleep(60)", doc="Do it.", seconds=limit), Heard()
    if limit == 60:
        heard.on_progress.append(lambda _: task.cancel.set("cancelled by ana"))
    Python().run(task, heard)
    assert heard.only.status is Status.UNKNOWN
    assert heard.only.summary.endswith("in the middle of the work")


def test_a_task_that_is_cancelled_before_it_starts_never_starts(command, tmp_path):
    task, heard = command(f"open('{tmp_path}/ran', 'w')"), Heard()
    task.cancel.set("cancelled by ana")
    Python().run(task, heard)
    assert heard.only.status is Status.CANCELLED
    assert not (tmp_path / "ran").exists()


STUBBORN = """
import signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 60 & wait; sleep 60"])
yield f"{child.pid}"
time.sleep(60)
"""


@pytest.mark.slow
def test_a_command_that_ignores_the_stop_is_killed_with_its_children_after_three_seconds(run):
    started = time.monotonic()
    heard = run(STUBBORN, seconds=1)
    assert 3.5 < time.monotonic() - started < 50
    assert gone_soon(int(heard.said[0]))


def test_children_that_a_command_leaves_behind_do_not_survive_it(run):
    heard = run("import subprocess\nreturn str(subprocess.Popen(['sleep', '60']).pid)")
    assert heard.only.status is Status.OK
    assert gone_soon(int(heard.only.output))


def test_a_thread_that_a_command_leaves_behind_does_not_keep_it_alive(run):
    heard = run(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\nreturn 'end'", seconds=5
    )
    assert heard.only.output == "end"


BOT = """
import sys, pathlib
sys.path[:0] = [{root!r}]
from tests.drivers.python.test_driver import Heard, task_for
from automation_bots.drivers.python.driver import Python
heard = Heard()
heard.on_progress.append(lambda text: print(text, flush=True))
Python().run(task_for(pathlib.Path({path!r})), heard)
"""


def test_a_command_dies_when_the_bot_is_killed(command, tmp_path):
    command("import os, time\nyield str(os.getpid())\ntime.sleep(60)")
    script = BOT.format(root=str(ROOT), path=str(tmp_path / "tool.py"))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as bot:
        pid = int(bot.stdout.readline())
        assert alive(pid)
        os.kill(bot.pid, signal.SIGKILL)
    assert gone_soon(pid)


def test_many_commands_at_once_do_not_mix(tmp_path):
    (tmp_path / "tool.py").write_text('def tool(n: int):\n    """Do it."""\n    print(n)\n    yield str(n)\n')
    heard = [Heard() for _ in range(12)]
    threads = [
        threading.Thread(target=Python().run, args=(task_for(tmp_path / "tool.py", n=n), heard[n])) for n in range(12)
    ]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert [(h.said, h.only.output.strip()) for h in heard] == [([str(n)], str(n)) for n in range(12)]


def test_no_file_descriptor_and_no_process_stays(run):
    def mine():  # servers that other tests share may run already
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        return {p.name for p in Path("/proc/self/fd").iterdir()}, children

    before = mine()
    run("yield 'x'\nraise SystemExit(2)")
    assert mine() == before


def test_a_file_that_is_gone_is_an_error_of_the_driver(command):
    task = command("pass")
    task.operation.source.unlink()
    with pytest.raises(DriverError, match="not there any more"):
        Python().run(task, Heard())


DEMO = ROOT / "bots/demo/plugins"


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("resolve", {"name": "localhost", "family": "ipv4"}, "localhost: 127.0.0.1"),
        ("resolve", {"name": "127.0.0.1"}, "127.0.0.1: localhost"),
        ("subnet", {"network": "10.1.2.3/22"}, "10.1.0.0/22: 1,024 addresses\nmask       255.255.252.0"),
        ("subnet", {"network": "10.1.0.0/31"}, "10.1.0.0/31: 2 addresses"),
        ("subnet", {"network": "2001:db8::/48", "split": 64}, "2001:db8::/48: 65,536 networks of /64\n2001:db8::/64"),
        ("subnet", {"network": "10.1.0/22"}, "'10.1.0/22' does not appear to be"),
        ("subnet", {"network": "10.1.0.0/22", "split": 8}, "split must be 22–32"),
    ],
)
def test_the_demo_commands_answer(name, parameters, expected):
    heard = Heard()
    Python().run(task_for(DEMO / f"{name}.py", **parameters), heard)
    assert (heard.only.output or heard.only.summary).startswith(expected)


def test_the_demo_command_port_tells_open_from_closed():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        number, heard = server.getsockname()[1], Heard()
        here, there = (
            Device("a", variables={"ansible_host": "127.0.0.1"}),
            Device("b", variables={"ansible_host": "127.0.0.2"}),
        )
        Python().run(task_for(DEMO / "port.py", [here, there], number=number), heard)
    assert heard.statuses == {"a": "ok", "b": "failed"}
