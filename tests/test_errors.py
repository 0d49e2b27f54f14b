"""What the system says goes on in its words, without its numbers, wherever an error of ours tells of it."""

import ast
from pathlib import Path

import pytest

from automation_bots.errors import in_words

ROOT = Path(__file__).resolve().parents[1]
OF_THE_SYSTEM = {"OSError", "ConnectionError", "FileNotFoundError", "PermissionError", "TimeoutError", "ClientError"}
MODULES = sorted([*ROOT.glob("automation_bots/**/*.py"), *ROOT.glob("backends/**/*.py")])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(2, "No such file or directory", "/etc/x"), "No such file or directory"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (OSError("[Errno 111] Connect call failed ('10.0.0.1', 22)"), "Connect call failed ('10.0.0.1', 22)"),
        (RuntimeError("[Errno 13] Permission denied: '/x'"), "Permission denied"),
        (OSError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "wrong version number"),
        (ValueError("line 3: 'x'"), "line 3: 'x'"),
        (TimeoutError(), "no answer in time"),
        (ConnectionResetError(), "ConnectionResetError"),
    ],
)
def test_an_error_of_the_system_is_said_in_words(error, said):
    assert in_words(error) == said


def told_raw(handler):
    """Where an error is put into a text as it is, but for the log."""
    logged = {id(one) for call in ast.walk(handler) if is_log(call) for one in ast.walk(call)}
    for node in ast.walk(handler):
        shown = node.value if isinstance(node, ast.FormattedValue) else None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str" and node.args:
            shown = node.args[0]
        if isinstance(shown, ast.Attribute) and shown.attr == "strerror":
            shown = shown.value
        if isinstance(shown, ast.Name) and shown.id == handler.name and id(node) not in logged:
            yield node.lineno


def is_log(call):
    return (
        isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and ast.unparse(call.func).startswith("log")
    )


def test_no_text_of_ours_carries_an_error_of_the_system_as_it_is():
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler) and node.name and node.type:
                words = {getattr(one, "id", getattr(one, "attr", "")) for one in ast.walk(node.type)}
                found += [f"{path.relative_to(ROOT)}:{line}" for line in told_raw(node) if words & OF_THE_SYSTEM]
    assert found == ["automation_bots/drivers/salt/api.py:180"]  # it is looked at there, not told
