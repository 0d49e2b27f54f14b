from pathlib import Path

import pytest

from automation_bots.errors import DefinitionError
from automation_bots.model import Operation, Risk
from automation_bots.operations.functions import Function, digest, load

DEMO = Path(__file__).parents[2] / "bots/demo/plugins"


@pytest.fixture
def loaded(tmp_path):
    def load_text(text: str, name: str = "dns") -> Operation:
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        return load(path)

    return load_text


@pytest.fixture
def signature(loaded):
    return lambda arguments, doc="Look. Risk: read": loaded(f'def dns({arguments}):\n    """{doc}"""\n')


def test_the_command_of_the_design_reads_as_it_stands_there(loaded):
    operation = loaded(
        'def dns(name: str, server: str = "") -> str:\n'
        '    """Look a name up. Example: !dns example.com server=1.1.1.1"""\n'
    )
    assert (operation.name, operation.help, operation.driver) == ("dns", "Look a name up.", "python")
    assert operation.examples == ("!dns example.com server=1.1.1.1",)
    assert [(p.name, p.required, p.default) for p in operation.parameters] == [
        ("name", True, None),
        ("server", False, ""),
    ]
    assert isinstance(operation.body, Function)


def test_a_file_is_never_executed(loaded, tmp_path):
    loaded(f'open({str(tmp_path / "ran")!r}, "w")\ndef dns():\n    """Look. Risk: read"""\n')
    assert not (tmp_path / "ran").exists()


def test_a_function_without_a_risk_line_counts_as_an_undeclared_change(signature):
    operation = signature("", doc="Look.")
    assert (operation.risk, operation.declared) == (Risk.CHANGE, False)


@pytest.mark.parametrize("risk", list(Risk))
def test_a_risk_line_declares_the_command(signature, risk):
    operation = signature("", doc=f"Look.\n\n    Risk: {risk}\n    ")
    assert (operation.risk, operation.declared) == (risk, True)


@pytest.mark.parametrize(
    ("hint", "kind", "choices"),
    [
        ("str", "str", ()),
        ("int", "int", ()),
        ("float", "float", ()),
        ("bool", "bool", ()),
        ("'int'", "int", ()),
        ("list[str]", "list", ()),
        ("Literal['a', 'b']", "str", ("a", "b")),
        ("typing.Literal[1, 2]", "int", (1, 2)),
        ("list[Literal['a', 'b']]", "list", ("a", "b")),
    ],
)
def test_a_type_hint_becomes_a_parameter_type(signature, hint, kind, choices):
    (parameter,) = signature(f"value: {hint}").parameters
    assert (parameter.type, parameter.choices, parameter.required) == (kind, choices, True)


@pytest.mark.parametrize("hint", ["int | None", "None | int", "Optional[int]", "typing.Union[int, None]"])
def test_a_type_or_none_may_be_left_out(signature, hint):
    (parameter,) = signature(f"value: {hint}").parameters
    assert (parameter.type, parameter.required, parameter.default) == ("int", False, None)


def test_a_default_gets_the_type_of_its_parameter(signature):
    operation = signature("a: float = 1, b: list[str] = ['x'], *, c: int = -3")
    assert [(p.name, p.default) for p in operation.parameters] == [("a", 1.0), ("b", ("x",)), ("c", -3)]


def test_a_parameter_called_text_takes_a_code_block(signature):
    assert signature("text: str").parameters[0].text


@pytest.mark.parametrize(
    ("arguments", "devices", "wants"),
    [
        ("", "none", ()),
        ("devices: list[str]", "required", ("devices",)),
        ("devices: list[Device]", "required", ("devices", "objects")),
        ("devices: list[str] = ()", "optional", ("devices",)),
        ("devices: list[str] | None = None", "optional", ("devices",)),
        ("device: str", "one", ("device",)),
        ("device: model.Device, check: bool = False", "one", ("device", "check", "objects")),
    ],
)
def test_the_signature_says_whether_the_command_takes_devices(signature, arguments, devices, wants):
    operation = signature(arguments)
    assert (operation.devices, operation.body.wants, operation.parameters) == (devices, wants, ())
    assert operation.previews == ("check" in wants)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("name", "name has no type"),
        ("name: set", "cannot be typed in chat"),
        ("name: list[int]", "cannot be typed in chat"),
        ("name: int | str", "cannot be typed in chat"),
        ("name: 'int ='", "is no type"),
        ("name: Literal['a', 1]", "all texts or all whole numbers"),
        ("name: str = OTHER", "must be a plain value"),
        ("name: str = {[]: 1}", "must be a plain value"),
        ("name: int = 'x'", "must be a whole number"),
        ("name: Literal['a'] = 'b'", "must be one of a"),
        ("*names: str", "cannot be typed in chat"),
        ("**names: str", "cannot be typed in chat"),
        ("name: str, /", "leave out the /"),
        ("devices: str", "list[str]"),
        ("devices: list[str] = ('a',)", "come from the inventory"),
        ("device: str = ''", "without a default"),
        ("device: str, devices: list[str]", "not both"),
    ],
)
def test_a_signature_that_nobody_could_type_is_refused_with_its_line(signature, arguments, reason):
    with pytest.raises(DefinitionError, match=f"line 1: .*{reason.replace('[', '.')}"):
        signature(arguments)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def dns(:\n", "line 1: not valid Python"),
        ("x = 'a\0b'\n", "not valid Python"),
        ("-" * 9999 + "1", "not valid Python"),
        ("def other():\n    pass\n", "no function named as the file"),
        ("if x:\n    def dns():\n        pass\n", "no function named as the file"),
        ("\ndef dns():\n    pass\n", "line 2: dns has no docstring"),
        ('def dns():\n    """Risk: read"""\n', "begin with a sentence"),
        ('def dns():\n    """Look. Risk: none"""\n', "Risk: must be read or change"),
        ('def dns():\n    """Look. Risk: read Risk: change"""\n', "Risk: must be read or change"),
        ('def dns():\n    """Look. Time limit: soon"""\n', "Time limit: 'soon' is no length of time; write 30s"),
    ],
)
def test_a_file_that_is_no_command_says_why(loaded, text, reason):
    with pytest.raises(DefinitionError, match=reason):
        loaded(text)


@pytest.mark.parametrize("name", ["_helper", "two-words"])
def test_a_file_whose_name_is_no_command_is_refused(loaded, name):
    with pytest.raises(DefinitionError, match="name the file as its function"):
        loaded("x = 1\n", name)


def test_a_missing_file_is_a_definition_error(tmp_path):
    with pytest.raises(DefinitionError, match="No such file"):
        load(tmp_path / "gone.py")


def test_an_async_function_is_a_command(loaded):
    assert loaded('async def dns(name: str):\n    """Look."""\n').name == "dns"


GOOGLE = """Look a name up
    in the DNS.

    It asks the resolver.

    Args:
        name (str): what to
            look for
        server: whom to ask
    Returns:
        other: not a parameter

    Examples:
        !dns example.com
        !dns example.com server=.
    Time limit: 2 min
    """
SPHINX = """Look a name up
    in the DNS.

    :param name: what to
        look for
    :param str server: whom to ask
    :return: text
    Example: `!dns example.com`. Example: !dns example.com server=.
    Time limit: 120 s
    """


@pytest.mark.parametrize("doc", [GOOGLE, SPHINX])
def test_both_common_docstring_styles_are_understood(signature, doc):
    operation = signature("name: str, server: str = '', other: int = 1", doc=doc)
    assert operation.help == "Look a name up in the DNS."
    assert [p.help for p in operation.parameters] == ["what to look for", "whom to ask", ""]
    assert operation.time_limit == 120
    assert operation.examples == ("!dns example.com", "!dns example.com server=.")


def test_the_digest_changes_with_a_module_that_is_imported_through_another(tmp_path):
    (tmp_path / "dns.py").write_text("import os, near\n")
    (tmp_path / "near.py").write_text("from package.part import x\nimport dns\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package/part.py").write_text("x = 1\n")
    before = digest(tmp_path / "dns.py")
    (tmp_path / "package/part.py").write_text("x = 2\n")
    assert digest(tmp_path / "dns.py") != before


def test_the_digest_ignores_files_that_are_not_imported(tmp_path):
    (tmp_path / "dns.py").write_text("import os\n")
    before = digest(tmp_path / "dns.py")
    (tmp_path / "other.py").write_text("x = 1\n")
    assert digest(tmp_path / "dns.py") == before


@pytest.mark.parametrize("path", sorted(DEMO.glob("*.py")), ids=lambda path: path.stem)
def test_every_demo_command_is_declared_and_has_an_example(path):
    operation = load(path)
    assert operation.declared
    assert operation.examples
    assert all(parameter.help for parameter in operation.parameters)
