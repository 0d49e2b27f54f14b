"""What people type, and what phones and chat programs make of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation_bots.errors import BadCommand, BadParameter, UserError
from automation_bots.model import Operation, Parameter, Risk
from automation_bots.pipeline import parser as grammar

SERVICE = Operation(
    "service",
    "h",
    risk_by=("action", {"status": Risk.READ, "*": Risk.CHANGE}),
    parameters=(Parameter("action", choices=("status", "restart")), Parameter("name", wildcards=False)),
)
TAGS = Operation(
    "tags", "h", parameters=(Parameter("tags", "list", required=False), Parameter("vars", "dict", required=False))
)
UNIT = Operation("unit", "h", parameters=(Parameter("name", match=r"[\w@.-]+"),))
PATCH = Operation(
    "patch",
    "h",
    previews=True,
    parameters=(
        Parameter("batch", "int", required=False, default=1, minimum=1, maximum=10),
        Parameter("reboot", "bool", required=False, default=False),
    ),
)
PING = Operation("ping", "h", parameters=(Parameter("count", "int", required=False, default=3),))
RUN = Operation("run", "h", parameters=(Parameter("command", rest=True),))
DNS = Operation("dns", "h", devices="none", parameters=(Parameter("name"), Parameter("server", required=False)))
CONFIG = Operation("config", "h", parameters=(Parameter("lines", text=True, max_length=1000),))


def values(operation, line, text=""):
    typed = grammar.parse(operation, line, text)
    return grammar.checked(operation, typed), typed


@pytest.mark.parametrize(
    ("operation", "line", "expected", "pattern"),
    [
        (SERVICE, "restart nginx on web", {"action": "restart", "name": "nginx"}, "web"),
        (SERVICE, "restart nginx on web1, web2", {"action": "restart", "name": "nginx"}, "web1,web2"),
        (SERVICE, "on web action=restart name=nginx", {"action": "restart", "name": "nginx"}, "web"),
        (SERVICE, "RESTART nginx ON web", {"action": "restart", "name": "nginx"}, "web"),
        (PING, "core", {"count": 3}, "core"),
        (PING, "core:&site_a:!core3", {"count": 3}, "core:&site_a:!core3"),
        (PING, "5 on core", {"count": 5}, "core"),
        (PATCH, "web batch=3 --reboot", {"batch": 3, "reboot": True}, "web"),
        (PATCH, "on web --batch 3", {"batch": 3, "reboot": False}, "web"),
        (RUN, "show ip route on core1", {"command": ("show", "ip", "route")}, "core1"),
        (RUN, "ls -la --color /tmp on web", {"command": ("ls", "-la", "--color", "/tmp")}, "web"),
        (RUN, "'turn it on' now on web", {"command": ("turn it on", "now")}, "web"),
        (RUN, 'printf "[%s]" a "" \' b\' on web', {"command": ("printf", "[%s]", "a", "", " b")}, "web"),
        (SERVICE, "nginx restart on web", {"action": "restart", "name": "nginx"}, "web"),
        (SERVICE, "nginx restart web", {"action": "restart", "name": "nginx"}, "web"),
        (SERVICE, "status * on web", {"action": "status", "name": "*"}, "web"),
        (SERVICE, "restart 'Print Spooler' on web", {"action": "restart", "name": "Print Spooler"}, "web"),
        (TAGS, "tags=[a, b] on web", {"tags": ("a", "b")}, "web"),
        (TAGS, "--vars {a: 1, b: [x]} on web", {"vars": {"a": 1, "b": ["x"]}}, "web"),
        (TAGS, "web vars=a=1", {"vars": {"a": 1}}, "web"),
        (DNS, "example.com server=1.1.1.1", {"name": "example.com", "server": "1.1.1.1"}, ""),
    ],
)
def test_words_become_values(operation, line, expected, pattern):
    assert (values(operation, line)[0], values(operation, line)[1].pattern) == (expected, pattern)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("!patch on web —check", "!patch on web --check"),
        ("!patch on web –check --reason “no reason”", '!patch on web --check --reason "no reason"'),
        ("!ping\u00a0all", "!ping all"),
        ("```\n!ping all\n```", "!ping all"),
        ("`!ping all`", "!ping all"),
        ("!dns <http://example.com|example.com>", "!dns example.com"),
        ("!ping web\u200b1", "!ping web1"),
    ],
)
def test_what_chat_programs_do_to_text_is_undone(typed, meant):
    assert grammar.clean(typed) == meant


def test_a_code_block_is_the_text_parameter():
    line, text = grammar.split_text("on core1\n```\ninterface Gi1\n shutdown\n```")
    assert values(CONFIG, line, text)[0] == {"lines": "interface Gi1\n shutdown"}


@pytest.mark.parametrize("line", ["restart", "restart nginx", ""])
def test_what_is_missing_is_named(line):
    missing = values(SERVICE, line)[0]
    assert isinstance(missing, grammar.Missing)


@pytest.mark.parametrize(
    ("operation", "line", "error"),
    [
        (SERVICE, "explode nginx on web", "action must be one of status, restart"),
        (SERVICE, "restart ngin* on web", "'\\*' may mean several; name one"),
        (UNIT, "'a;b' on web", "name cannot be 'a;b': it takes no ';'"),
        (PATCH, "web batch=99", "batch must be 1–10"),
        (PATCH, "web batch=x", "batch must be a whole number"),
        (PATCH, "web btach=2", "has no parameter 'btach'"),
        (PATCH, "web batch=1 batch=2", "given twice"),
        (PATCH, "web 'open", "A quote is not closed"),
        (DNS, "a b c", "do not know what to do with 'c'"),
    ],
)
def test_wrong_input_gets_a_sentence(operation, line, error):
    with pytest.raises((BadCommand, BadParameter), match=error):
        values(operation, line)


@given(st.text(max_size=200), st.sampled_from([SERVICE, PATCH, PING, RUN, DNS, CONFIG]))
def test_no_text_breaks_the_parser(text, operation):
    try:
        line, block = grammar.split_text(grammar.clean(text))
        grammar.checked(operation, grammar.parse(operation, line, block))
    except UserError as error:
        assert str(error)


@given(st.text(alphabet=st.characters(exclude_characters='"'), max_size=80))
def test_quotes_keep_any_word_together(text):
    found = grammar.words(f'"{text}"')
    assert [word.text for word in found] == [text]


LOGS = Operation("logs", "h", parameters=(Parameter("unit", required=False),))
SHOW = Operation("show", "h", parameters=(Parameter("command", rest=True), Parameter("match", view=True)))
ERRORS = (("include", "error"), ("count", ""))


@pytest.mark.parametrize(
    ("operation", "line", "pattern", "chain"),
    [
        (LOGS, "web | include error | count", "web", ERRORS),
        (LOGS, "on web |i error | count", "web", ERRORS),
        (LOGS, "nginx | include error | count on web1,web2", "web1,web2", ERRORS),
        (LOGS, "web | include is on its way", "its,way", (("include", "is"),)),
        (LOGS, "on web | include is on its way", "web", (("include", "is on its way"),)),
        (LOGS, "web | include '^a|b c' --wait", "web", (("include", "^a|b c"),)),
        (RUN, "ps aux | exclude root on web", "web", (("exclude", "root"),)),
        (DNS, "example.com | include 192", "", (("include", "192"),)),
    ],
)
def test_filters_stand_behind_any_command_before_or_after_its_devices(operation, line, pattern, chain):
    typed = grammar.parse(operation, line)
    assert (typed.pattern, typed.filters) == (pattern, chain)


def test_a_command_that_filters_by_itself_gets_its_filters_whole_wherever_the_devices_stand():
    for line in ("ip route | include ^B | count on core", "ip route on core | include ^B | count"):
        typed = grammar.parse(SHOW, line)
        assert (typed.pattern, typed.filters) == ("core", ())
        assert " ".join(typed.values["command"]) == "ip route | include ^B | count"


def test_a_bar_that_begins_no_filter_is_a_word():
    assert grammar.parse(RUN, "echo a | cat on web").values == {"command": ("echo", "a", "|", "cat")}
    with pytest.raises(BadCommand, match="needs what to look for"):
        grammar.parse(LOGS, "web | include")
