"""The documentation cannot rot: its examples are loaded and run, and the tests that it names are there."""

import contextlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import yaml
from pydantic import BaseModel

from automation_bots.app.bot import Bot
from automation_bots.config import settings
from automation_bots.doctor import check as checks
from automation_bots.drivers.fake import Fake
from automation_bots.model import ApprovalRequirement, Operation, Risk, Verdict
from automation_bots.operations import playbooks, verbs
from automation_bots.policy import approval_rule, gate, policy, reauth
from automation_bots.policy import schema as policy_file
from automation_bots.secrets import key_value
from tests.support.chatbot import BOT_TOML, POLICY, ROOT, ChatBot, write_folder
from tests.support.world import NOON, SERVICE, request, scope_of

DOCS = sorted((ROOT / "docs").glob("*.md"))
_BLOCK = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HOSTS = """
all:
  children:
    web:
      hosts:
        web1:
          ansible_host: 127.0.0.1
          ansible_connection: local
          ansible_python_interpreter: "{{ ansible_playbook_python }}"
        web2: {driver: fake}
"""
_LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")


def _examples():
    found = {}
    for page in DOCS:
        for name, text in _BLOCK.findall(page.read_text()):
            assert name not in found, f"{name} stands twice in docs/"
            found[name] = text
    return found


EXAMPLES = _examples()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every example, at the place that the page names."""
    folder = tmp_path_factory.mktemp("docs") / "netbot"
    for name, text in EXAMPLES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    files = {name: text for name, text in EXAMPLES.items() if name.startswith(("playbooks/", "plugins/", "errbot-"))}
    folder = write_folder(tmp_path_factory.mktemp("chat"), toml=BOT_TOML, policy=POLICY, hosts=HOSTS, files=files)
    plugins = [str(ROOT / "errbot-plugins"), str(folder / "errbot-plugins")]
    with ChatBot(folder, drivers=(Fake(),), plugins=plugins) as chat:
        assert not chat.automation.live.catalog.problems
        yield chat


# -- the bot's folder


def _keys(model):
    for name, info in model.model_fields.items():
        yield name
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _keys(info.annotation)


def test_every_key_of_bot_toml_is_explained_and_shown_with_its_default(folder):
    example = EXAMPLES["bot.toml"]
    for key in _keys(settings.Settings):
        assert re.search(rf"^(\[[\w.]*\b{key}\]|{key} = )", example, re.MULTILINE), key
    shown = settings.load(folder).model_dump()
    default = settings.Settings(name="netbot", places=shown["places"]).model_dump()
    assert shown == default


def test_every_key_of_policy_yml_is_in_its_example():
    example = "".join(text for name, text in EXAMPLES.items() if name == "policy.yml" or name.startswith("rules/"))
    keys = {
        *policy_file.PolicyFile.model_fields,
        *policy_file.PersonFile.model_fields,
        *policy_file.LimitFile.model_fields,
        *reauth.ReauthFile.model_fields,
    }
    keys |= {name.removesuffix("_") for name in policy_file.RuleFile.model_fields}
    assert not [key for key in keys if not re.search(rf"\b{key}:", example)]


RULES = sorted(name for name in EXAMPLES if name.startswith("rules/") and name.endswith("-tests.yml"))


def _days():
    """Days ahead of now, since a calendar is read only so far."""
    today = datetime.now(UTC).date() + timedelta(days=7)
    monday = today - timedelta(days=today.weekday())
    first = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    patchday = first + timedelta(days=(1 - first.weekday()) % 7 + 7)
    return {"monday": monday, "saturday": monday + timedelta(days=5), "patchday": patchday}


@pytest.fixture(scope="module")
def rules_world(tmp_path_factory):
    hosts = "all: {children: {web: {hosts: {'web[1:4]': {driver: fake}}}, db: {hosts: {db1: {driver: fake}}}}}"
    return Bot(write_folder(tmp_path_factory.mktemp("rules"), hosts=hosts), {}, read_only=True).live


@pytest.mark.parametrize("name", RULES)
def test_the_example_of_a_key_does_what_its_cases_say(folder, rules_world, tmp_path, name):
    rules_world.take(policy.load(folder / name.replace("-tests", "")))
    (tmp_path / "cases.yml").write_text(re.sub(r"\{(\w+)\}T", lambda day: f"{_days()[day[1]]}T", EXAMPLES[name]))
    assert [text for mark, text in checks.run_tests(rules_world, tmp_path / "cases.yml") if mark == "WRONG"] == []


def test_the_example_of_a_bots_folder_is_checked_and_right(folder):
    assert [text for mark, text in checks.folder(folder) if mark == "WRONG"] == []


def test_the_example_of_another_chat_network_is_a_bot_toml(folder):
    found = settings.load(folder / "irc")
    assert (found.network, found.errbot["CHATROOM_PRESENCE"]) == ("irc", ["#netops"])


# -- extensions


def test_the_verb_knows_its_platforms_and_risks(folder):
    operation = verbs.load(folder / "playbooks/verbs/package.yml")
    assert operation.risk_of({"action": "show"}) is Risk.READ
    command = operation.body.command("linux", {"action": "hold", "name": "nginx"})
    assert (command.argv, command.become) == (("apt-mark", "hold", "nginx"), True)


@pytest.mark.slow
def test_the_verb_runs_here_and_on_a_device_of_another_driver(chat):
    chat.asks("!package show bash on web1", "done in .*: 1 ok", who="joe", seconds=60)
    chat.asks("!package show bash on web2", "done in .*: 1 ok", who="joe")
    assert "is for admins" in chat.asks("!package hold bash on web2", who="joe")


def test_playbooks_say_what_the_page_says_about_them(folder):
    motd, kernel, user = (playbooks.load(folder / f"playbooks/{name}.yml") for name in ("motd", "kernel", "add-user"))
    assert (motd.risk, motd.time_limit, motd.previews, motd.declared) == (Risk.CHANGE, 120, True, True)
    assert (kernel.risk, kernel.declared) == (Risk.CHANGE, False)
    assert [(p.name, p.required, p.secret) for p in user.parameters] == [
        ("login", True, False),
        ("login_shell", False, False),
    ]


@pytest.mark.slow
def test_a_playbook_without_a_header_runs_for_admins(chat):
    assert "is for admins" in chat.asks("!kernel on web1", who="joe")
    chat.asks("!kernel on web1", "done in .*: 1 ok", who="ana", seconds=60)


@pytest.fixture
def service():
    """Something that greets whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet():
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"220 mail.example ready\r\n")

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        yield server.getsockname()[1]


@pytest.mark.slow
def test_the_python_command_runs(chat, service):
    assert "port" in chat.asks("!help banner", who="joe")
    chat.asks(f"!banner port={service} on web1", "done in .*: 1 ok(.|\n)*220 mail.example ready", who="joe")
    chat.asks(f"!banner port={service} on web1", "1 unreachable", who="joe")


@pytest.mark.slow
def test_the_plugin_takes_the_way_of_a_command(chat):
    chat.asks("!bounce web2", "#[0-9]+ service restart nginx on web2 done in", who="ana")
    chat.asks("nginx is down on web2", "#[0-9]+ service status nginx on web2 done in", who="ana", room="ops")
    assert "is for admins" in chat.asks("!bounce web2", who="joe")


@pytest.mark.slow
def test_the_driver_holds_the_contract_as_the_page_shows_it(tmp_path):
    tree = tmp_path / "tree"
    for name in ("automation_bots", "tests"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    for name in ("automation_bots/drivers/container.py", "tests/drivers/test_container.py"):
        (tree / name).write_text(EXAMPLES[name])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/drivers/test_container.py"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_key_of_an_approval_is_in_its_example_and_means_what_the_page_says(tmp_path):
    example = EXAMPLES["approvals.yml"]
    assert not [
        key for key in approval_rule.ApprovalFile.model_fields if not re.search(rf"^ +{key}:", example, re.MULTILINE)
    ]
    long, line, short = (rule.need for rule in scope_of(tmp_path, example).policy.rules)
    assert long == ApprovalRequirement(long.rule, ("leads",), 2, 14400, "managers", 3600, "#approvals", once=2592000)
    assert (line.by, line.quorum, line.within, line.escalate, line.after) == (("leads",), 2, 14400, "managers", 3600)
    assert (short.by, short.quorum, short.within) == (("managers",), 1, 0)


def test_the_example_of_approvals_wants_all_rules_met(tmp_path):
    asked = request("joe", SERVICE, "web1", "db1", action="restart", name="nginx")
    decision = gate.decide(scope_of(tmp_path, EXAMPLES["approvals.yml"]), asked, NOON)
    assert (decision.verdict, [need.quorum for need in decision.needs]) == (Verdict.APPROVAL, [2, 1])


@pytest.mark.parametrize(("who", "verdict"), [("joe", Verdict.ALLOW), ("kim", Verdict.DENY)])
def test_the_rule_lets_the_web_team_hold_packages(folder, tmp_path, who, verdict):
    operation = verbs.load(folder / "playbooks/verbs/package.yml")
    scope = scope_of(tmp_path, EXAMPLES["a-rule.yml"])
    asked = request(who, operation, "web1", action="hold", name="nginx")
    assert gate.decide(scope, asked, NOON).verdict is verdict


@pytest.mark.parametrize(("device", "within"), [("web1", 15), ("db1", 5)])
def test_the_rules_ask_for_a_proof_that_is_not_too_old(tmp_path, device, within):
    operation = Operation("patch", "h", driver="ansible")
    scope = scope_of(tmp_path, EXAMPLES["reauth-rules.yml"])
    asked = request("ana", operation, device)
    for age, denied in ((within, False), (within + 1, True)):
        then = NOON - timedelta(minutes=age)
        decision = gate.decide(replace(scope, proved=lambda caller, person, then=then: then), asked, NOON)
        assert (decision.verdict is Verdict.DENY) is denied


@pytest.mark.parametrize("table", ["ldap", "people", "vault", "record"])
def test_the_table_is_shown_with_every_key(folder, table):
    known = set(type(getattr(settings.load(folder / table), table)).model_fields)
    assert known - set(tomllib.loads(EXAMPLES[f"{table}/bot.toml"])[table]) <= {"start_tls"}


def test_the_inventory_of_the_page_points_to_the_server():
    values = yaml.safe_load(EXAMPLES["inventory/group_vars/core.yml"]).values()
    assert [key_value.address(value) for value in values] == [
        key_value.Address("net", "switches", "password"),
        key_value.Address("net", "switches", "community"),
    ]


# -- what the pages say


def test_the_tests_that_the_pages_name_are_there():
    named = {name for page in DOCS for name in re.findall(r"`(test_\w+)`", page.read_text())}
    code = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    assert named
    assert [name for name in sorted(named) if f"def {name}(" not in code] == []


def test_the_files_that_the_pages_name_as_tests_are_there():
    named = {name for page in DOCS for name in re.findall(r"`(tests/[\w/]+\.py)`", page.read_text())}
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists() and name not in EXAMPLES] == []


@pytest.mark.parametrize(
    ("page", "begin", "end", "least"),
    [("security.md", "# Security", "## What looks like a secret", 40),
     ("chat.md", "## What published backends do wrong", "\n## ", 25),
     *((page.name, "## Shown by\n", "\n## ", 3) for page in DOCS if page.name != "security.md")],
)  # fmt: skip
def test_every_row_of_a_table_of_claims_names_a_test(page, begin, end, least):
    table = (ROOT / "docs" / page).read_text().partition(begin)[2].partition(end)[0]
    rows = [row for row in re.findall(r"^\| (.+) \|$", table, re.MULTILINE)[1:] if not row.startswith("---")]
    assert len(rows) > least
    assert [row for row in rows if not re.search(r"`test_\w+`[^|]*$", row)] == []


def _anchors(page):
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*sorted(ROOT.glob("*.md")), *DOCS], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = re.sub(r"`[^`\n]*`", "", page.read_text())  # what is code is no link
    for target, anchor in _LINK.findall(text):
        other = page.parent / target if target else page
        assert other.exists(), target
        assert not anchor or anchor in _anchors(other), f"{target}#{anchor}"


def test_the_commands_of_the_readme_are_in_the_makefile():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    used = re.findall(r"^make ([\w-]+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert used
    assert set(used) <= set(targets)


def said_of_the_unit(folder, text):
    """What systemd says of our unit, and only of it: other packages' units may be wrong on any machine."""
    program = folder / ".venv/bin/automation-bots"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    (folder / "automation-bots@.service").write_text(text.replace("/opt/automation-bots", str(folder)))
    command = ["systemd-analyze", "verify", "--man=no", str(folder / "automation-bots@demo.service")]
    done = subprocess.run(command, capture_output=True, text=True)
    return [line for line in done.stderr.splitlines() if "automation-bots" in line]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_the_systemd_unit_is_understood(tmp_path):
    text = (ROOT / "deploy/automation-bots@.service").read_text()
    assert said_of_the_unit(tmp_path / "as-it-is", text) == []
    wrong = text.replace("Type=notify", "Type=notify\nNoSuchKey=yes").replace("bin/automation-bots", "bin/nothing")
    assert len(said_of_the_unit(tmp_path / "wrong", wrong)) == 2


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_the_systemd_unit_exposes_little():
    unit = str(ROOT / "deploy/automation-bots@.service")
    command = ["systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=24", unit]
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert subprocess.run([*command[:-2], "--threshold=10", unit], capture_output=True).returncode == 1


def test_a_case_of_the_policy_is_decided_on_the_bots_own_network(rules_world, tmp_path):
    (tmp_path / "cases.yml").write_text("- {who: nobody, what: uptime on db1, expect: allow}\n")
    ((mark, text),) = checks.run_tests(rules_world, tmp_path / "cases.yml", "mattermost")
    assert mark == "WRONG"
    assert "Your id on mattermost is @nobody" in text
