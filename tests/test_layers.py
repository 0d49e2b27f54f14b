"""Imports point down, and Errbot is known only at the rim."""

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # a thousand small looks; `make quick` has to stay quick
ROOT = Path(__file__).resolve().parent.parent
CORE = sorted((ROOT / "automation_bots").rglob("*.py"))
PURE = (
    "gate",
    "tally",
    "throttle",
    "render",
    "helptext",
    "grammar",
    "leading",
    "parameters",
    "timewindow",
    "patterns",
    "safe_regex",
    "scope",
    "needs",
    "moments",
    "quorum",
    "approval_text",
    "rules",
    "conditions",
    "blast",
    "canary",
    "closures",
    "explain",
    "until",
    "people",
    "reauth",
    "grouping",
    "hostkeys",
)
OUTSIDE = {
    "os",
    "socket",
    "subprocess",
    "sqlalchemy",
    "paramiko",
    "asyncssh",
    "threading",
    "tempfile",
    "shutil",
    "requests",
}
# Modules that run in a process of their own, with Ansible inside.
ANSIBLE = {"inventory_loader", "inventory_sources", "inventory_secrecy", "bot_events"}
LAYERS = (  # nothing imports from a layer behind its own
    {
        "errors",
        "model",
        "needs",
        "moments",
        "approval",
        "closures",
        "yaml_lines",
        "safe_regex",
        "timewindow",
        "surface",
        "secret_patterns",
        "secret_wraps",
        "secret_spellings",
        "docstrings",
        "until",
        "grouping",
        "leading",
        "events",
        "render",
        "reauth",
        "sweep",
        "bundle",
        "leaving",
        "heap",
    },
    {
        "parameters",
        "patterns",
        "secrets",
        "settings_strict",
        "secret_files",
        "kv",
        "redact",
        "signatures",
        "inventory_snapshot",
        "inventory_child",
        "playbook_files",
    },
    {
        "rules",
        "tally",
        "policy_file",
        "ical",
        "canary",
        "grammar",
        "inventory",
        "policy",
        "people",
        "drivers",
        "sealed",
        "store",
        "functions",
        "playbooks",
        "verbs",
        "device_secrets",
    },
    {
        "scope",
        "blast",
        "conditions",
        "quorum",
        "throttle",
        "ecs",
        "follower",
        "logs",
        "catalog",
        "totp",
        "directory",
        "members",
        "settings_people",
        "settings_drivers",
        "settings_repos",
        "syslog",
        "checkpoints",
        "export",
    },
    {"gate", "settings", "references", "home", "helptext", "questions", "world", "announce"},
    {"consent"},
    {"dispatch", "chores", "keeper", "membership"},
    {"parts", "resolve", "elsewhere", "meaning", "dialogue"},
    {"explain", "acceptance", "asker", "approval_text", "foreign"},
    {"vigil"},
    {"approvals"},
    {"recall", "health", "pipeline"},
    {"later", "office", "hostkeys", "trust", "repos", "jobdesk", "metrics", "approvaldesk", "peopledesk", "recorddesk"},
    {"why", "closedesk"},
    {"desk"},
    {"equipment", "voice"},
    {"bot", "starter"},
    {"mixin", "checks", "demo", "cli_db", "audit_cli", "try_windows"},
    {"doctor"},
    {"cli"},
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def imported(path, *, at_start_only=False):
    tree = ast.parse(path.read_text())
    for node in tree.body if at_start_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(path):
    return path.relative_to(ROOT / "automation_bots").with_suffix("").parts[0]


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_core_never_imports_errbot_or_what_stands_on_it(path):
    assert not {name.split(".")[0] for name in imported(path)} & {"errbot", "backends", "tests"}


@pytest.mark.parametrize("path", [p for p in CORE if layer_of(p) in PURE], ids=lambda path: path.stem)
def test_what_decides_and_renders_does_no_io(path):
    assert not {name.split(".")[0] for name in imported(path)} & OUTSIDE


@pytest.mark.parametrize("path", [p for p in CORE if p.stem not in ANSIBLE], ids=lambda path: path.stem)
def test_the_bots_process_never_imports_ansible(path):
    assert "ansible" not in {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize("path", [p for p in CORE if layer_of(p) in LEVEL], ids=lambda path: path.stem)
def test_imports_point_down(path):
    mine = LEVEL[layer_of(path)]
    for name in imported(path, at_start_only=True):
        parts = name.split(".")
        if parts[0] == "automation_bots" and len(parts) > 1 and parts[1] in LEVEL:
            assert LEVEL[parts[1]] <= mine, f"{path.name} imports {name}"


def test_every_module_has_its_layer():
    assert {layer_of(path) for path in CORE} - ANSIBLE - {"__init__"} <= set(LEVEL)


def test_all_sql_is_in_the_store():
    users = {layer_of(p) for p in CORE if "sqlalchemy" in {name.split(".")[0] for name in imported(p)}}
    assert users == {"store"}
