"""Imports point down, everywhere, as ARCHITECTURE.md says: its tables are read here."""

import ast
import re
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
OURS = ("automation_bots", "backends")
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
BROAD = {"Exception", "BaseException"}


def places(text):
    """Paths in backticks, without the slash of folders."""
    return [name.rstrip("/") for name in re.findall(r"`([\w./-]+)`", text)]


def table(head):
    """The rows of the table that begins with this head, each as the texts of its cells."""
    lines = TEXT.partition(f"\n{head}\n")[2].splitlines()[1:]
    rows = lines[: next((at for at, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


ROWS = {place: int(row) for row, folders, _ in table("| row | folders | what is in it |") for place in places(folders)}
BESIDE = {places(folder)[0]: set(places(known)) for folder, known in table("| folder | knows |")}
ONLY = {package.strip("`"): places(where) for package, where in table("| package | only in |")}
PURE = places(TEXT.partition("\nPure (")[2].partition("`automation_bots/sweep/`")[0])


@cache
def sources():
    """Every module of ours: its path below the root → its syntax tree."""
    files = [*(ROOT / "errbot-plugins").rglob("*.py"), ROOT / "config.py"]
    files += [path for top in OURS for path in (ROOT / top).rglob("*.py")]
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in sorted(files)}


def module_of(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def imports():
    """Path → the names that it imports, wherever in the file; of ours, the paths."""
    ours = {module_of(path): path for path in sources()}
    found = defaultdict(set)
    for path, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found[path] |= {ours.get(alias.name, alias.name) for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                whole = ours.get(node.module, node.module)
                found[path] |= {ours.get(f"{node.module}.{alias.name}", whole) for alias in node.names}
    return found


def arrows():
    return [
        (path, other) for path, names in imports().items() for other in names if other in sources() and other != path
    ]


def is_in(path, places):
    return any(path == place or path.startswith(f"{place}/") for place in places)


def layer(path):
    return next((place for place in ROWS if is_in(path, [place])), None)


def test_every_module_has_its_layer():
    assert {path for path in sources() if layer(path) is None} == {"automation_bots/__init__.py"}
    assert [place for place in ROWS if not (ROOT / place).exists()] == []


def test_imports_point_down():
    wrong = [
        f"{path} imports {other}"
        for path, other in arrows()
        if (mine := layer(path)) != (its := layer(other)) and mine and its and ROWS[mine] <= ROWS[its]
        and not (ROWS[mine] == 12 and is_in(other, ["backends"]))  # the rim knows itself
    ]  # fmt: skip
    assert wrong == []


def beside(path, other):
    """The two folders at which the ways to these files part, when both are folders."""
    mine, its = path.split("/"), other.split("/")
    at = next(n for n, (one, two) in enumerate(zip(mine, its, strict=False)) if one != two)
    if at in {len(mine) - 1, len(its) - 1} or at == 0:
        return None
    return "/".join(mine[: at + 1]), "/".join(its[: at + 1])


def test_folders_beside_each_other_do_not_know_each_other():
    pairs = {beside(path, other) for path, other in arrows() if layer(path) == layer(other)} - {None}
    assert sorted((one, two) for one, two in pairs if two not in BESIDE.get(one, ())) == []
    assert (
        sorted(
            f"{one} knows {two}: no longer" for one, known in BESIDE.items() for two in known if (one, two) not in pairs
        )
        == []
    )


def test_there_is_no_circle():
    left = defaultdict(set)
    for path, other in arrows():
        left[path].add(other)
    while ends := [path for path, others in left.items() if not others & left.keys()]:
        for path in ends:
            del left[path]
    assert sorted(left) == []


def test_some_packages_are_used_in_one_place_only():
    for package, where in ONLY.items():
        users = [path for path, names in imports().items() if package in {name.split(".")[0] for name in names}]
        assert users, package
        assert [path for path in users if not is_in(path, where)] == []


def test_what_decides_and_renders_does_no_io():
    pure = {path: {name.split(".")[0] for name in imports()[path]} for path in sources() if is_in(path, PURE)}
    assert [place for place in PURE if not (ROOT / place).exists()] == []
    assert {path: names & OUTSIDE for path, names in pure.items() if names & OUTSIDE} == {}


def test_the_sweep_stands_on_the_standard_library_alone():
    names = {name for path in sources() if is_in(path, ["automation_bots/sweep"]) for name in imports()[path]}
    others = {name for name in names if not is_in(name, ["automation_bots/sweep"])}
    assert {name for name in others if name.split(".")[0] not in sys.stdlib_module_names} == set()


def test_values_need_no_package():
    names = {name.split(".")[0] for name in imports()["automation_bots/model.py"] if name not in sources()}
    assert names <= sys.stdlib_module_names


def broad_handlers(tree):
    """Where everything is caught and not raised again."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and not isinstance(node.body[-1], ast.Raise):
            names = {each.id for each in ast.walk(node.type) if isinstance(each, ast.Name)} if node.type else BROAD
            if names & BROAD:
                yield node.lineno


def test_whoever_catches_everything_raises_it_again_or_says_why():
    silent = [
        f"{path}:{number}"
        for path, tree in sources().items()
        for number in broad_handlers(tree)
        if "#" not in (ROOT / path).read_text().splitlines()[number - 1]
    ]
    assert silent == []
