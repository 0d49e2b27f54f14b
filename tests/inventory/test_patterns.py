"""Device patterns mean what Ansible says they mean, and none of them can hang the bot."""

import re
import warnings
from itertools import pairwise
from random import Random

import pytest
from ansible.constants import LOCALHOST
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automation_bots.errors import BadCommand, UnknownDevice, UserError
from automation_bots.inventory import patterns
from automation_bots.text.linear_regex import SafeRegex
from tests.support.bounds import examples
from tests.support.cost import in_yardsticks

pytestmark = [pytest.mark.slow, pytest.mark.works]
HOSTS = ("web1", "web2", "web10", "db1.example.com", "core-1", "core-2", "10.0.0.1", "2001:db8::1", "localhost")
GROUPS = {
    "all": HOSTS,
    "ungrouped": ("localhost",),
    "web": ("web1", "web2", "web10"),
    "madrid": ("web2", "core-1"),
    "empty": (),
}


def expand(pattern, hosts=HOSTS, groups=GROUPS):
    return patterns.expand(patterns.split(pattern), patterns.Names(hosts, groups))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("web1", "web1"),
        ("web", "web1 web2 web10"),
        ("web*", "web1 web2 web10"),
        ("web?", "web1 web2"),
        ("web[12]", "IndexError"),
        ("web2,web1", "web2 web1"),
        ("web2:web1", "web2 web1"),
        ("web:&madrid", "web2"),
        ("web:!web2", "web1 web10"),
        ("web:!web2:&madrid", ""),
        ("!web", "db1.example.com core-1 core-2 10.0.0.1 2001:db8::1 localhost"),
        ("&madrid", "web2 core-1"),
        ("web[0]", "web1"),
        ("web[-1]", "web10"),
        ("web[0:1]", "web1 web2"),
        ("web[1:]", "web2 web10"),
        ("web[5:9]", ""),
        (r"~web\d$", "web1 web2"),
        (r"~(web|core-)1", "web1 web10 core-1"),
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:db8::1,web1", "2001:db8::1 web1"),
        ("localhost", "localhost"),
        ("127.0.0.1", ""),
        ("nothing", ""),
        ("empty", ""),
        ("web1:80", ""),
    ],
)
def test_a_pattern_means_these_devices(pattern, expected):
    if expected == "IndexError":
        with pytest.raises(UnknownDevice, match="goes too far: there are 3 devices"):
            expand(pattern)
        return
    assert " ".join(expand(pattern)) == expected


def test_localhost_is_a_device_only_when_it_is_in_the_inventory():
    assert expand("localhost", ("web1",), {"all": ("web1",)}) == ()


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "which devices"),
        (" , ", "which devices"),
        ("all:!", "name after it"),
        ("w" * 2001, "at most 2000 characters"),
        (",".join(f"*{n}*" for n in range(9)), "at most 8 wildcards"),
        ("~a,~b,~c", "at most 2 regular expressions"),
        ("~web(", "not a regular expression"),
        (r"~(a)\1", "know no groupref"),
        ("~(?=web)", "know no assert"),
        (r"~web\b", "word boundaries"),
        ("~(a{500}){500}", "too complex"),
        ("~(){400000000}", "too complex"),
        ("~" + "(" * 1500, "not a regular expression"),
    ],
)
def test_a_pattern_that_cannot_be_read_says_why(pattern, reason):
    with pytest.raises(BadCommand, match=reason):
        expand(pattern)


def test_unknown_names_the_words_that_are_no_device_and_no_group():
    words = "wbe1,web1,web*,zzz*,~zzz,!gone,&wbe2,web[0],wbe3[0],empty"
    assert patterns.unknown(patterns.split(words), patterns.Names(HOSTS, GROUPS)) == ("wbe1", "wbe2", "wbe3[0]")


# ── the same as Ansible, over random inventories and patterns ──

names = st.sampled_from(
    ["web1", "web2", "web10", "db1", "db-2", "core", "a", "b", "ab", "a.b", "1", "x.example.com", "10.0.0.1", "fe80::1"]
)
group_names = st.sampled_from(["web", "db", "a", "ab", "core", "g1", "web1", "prod"])
pieces = st.one_of(
    names,
    group_names,
    st.sampled_from(["all", "*", "ungrouped", "web*", "?", "*b*", "[wd]*", "w[!a]b*", "*.*", "al*", "none", "[", "]"]),
    st.sampled_from([r"~web\d", "~.*b", "~(a|b)+$", "~^db", "~", "~[^w]", "~web1?$", "~(", "~(?i)WEB", r"~.\S*-"]),
)
subscripts = st.sampled_from(
    ["", "", "", "[0]", "[1]", "[-1]", "[0:1]", "[1:]", "[0:0]", "[2:1]", "[7]", "[0-1]", "[a:c]"]
)
words = st.tuples(st.sampled_from(["", "", "", "!", "&", " "]), pieces, subscripts).map("".join)
joined = st.tuples(st.lists(words, min_size=1, max_size=4), st.sampled_from([",", ":", ", ", "::"])).map(
    lambda pair: pair[1].join(pair[0])
)
noise = st.text(alphabet="ab12:,!&[]*?~.-_ ", min_size=1, max_size=12)


def comparable(pattern):
    """Leave out what is meant to differ.

    No words at all mean every host there and nothing here; our limits; and the localhost that Ansible makes up.
    """
    made_up = any(word.strip(" !&").partition("[")[0] in LOCALHOST for word in pattern.split(","))
    return bool(pattern.strip(" ,:[]")) and pattern.count("~") <= patterns.MAX_REGEXES and not made_up


@st.composite
def inventories(draw):
    manager = InventoryManager(DataLoader(), sources=None, parse=False)
    data = manager._inventory
    for host in draw(st.lists(names, min_size=1, max_size=8, unique=True)):
        data.add_host(host)
    made = draw(st.lists(group_names, max_size=5, unique=True))
    for group in made:
        data.add_group(group)
        for host in draw(st.lists(st.sampled_from(list(data.hosts)), max_size=4)):
            data.groups[group].add_host(data.hosts[host])
    for parent, child in pairwise(made):
        if draw(st.booleans()):
            data.add_child(parent, child)
    data.reconcile_inventory()
    return manager


def ours(manager, pattern):
    groups = {name: tuple(host.name for host in group.get_hosts()) for name, group in manager.groups.items()}
    try:
        return expand(pattern, tuple(manager.hosts), groups)
    except UserError:
        return "refused"


def ansibles(manager, pattern):
    try:
        return tuple(str(host) for host in manager.list_hosts(pattern))
    except (AnsibleError, IndexError):  # IndexError: Ansible falls over a lone "!"
        return "refused"


@pytest.mark.slow
@settings(max_examples=examples(600), suppress_health_check=list(HealthCheck))
@given(inventories(), st.lists(st.one_of(joined, noise).filter(comparable), min_size=1, max_size=4))
def test_every_pattern_means_what_ansible_says(manager, tried):
    warnings.simplefilter("ignore", FutureWarning)  # both read "[[" with Python's parser
    for pattern in tried:
        assert ours(manager, pattern) == ansibles(manager, pattern), pattern


atoms = st.sampled_from(["a", "b", "1", ".", "[ab]", "[^a]", r"\d", r"\w", r"\.", "-", "[a-c1]", "^", "$", "()"])
expressions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}", "*?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=examples(600))
@given(
    expressions, st.lists(st.text(alphabet="abc1-.A", min_size=1, max_size=8), min_size=1, max_size=5), st.booleans()
)
def test_a_safe_regex_matches_what_pythons_own_does(expression, texts, fold):
    expression = ("(?i)" if fold else "") + expression
    regex, whole = SafeRegex(expression), SafeRegex(expression, to_the_end=True)
    for text in texts:
        assert whole.matches(text) is bool(re.fullmatch(expression, text)), (expression, text)
        assert regex.matches(text) is bool(re.match(expression, text)), (expression, text)


MANY = tuple(f"sw-{n:05d}.site{n % 20}.example.com" for n in range(10_000))
MANY_GROUPS = {"all": MANY, "ungrouped": (), **{f"site{n}": MANY[n::20] for n in range(20)}}


@pytest.mark.parametrize(
    "pattern",
    [
        "all",
        "*",
        "site1:!sw-000*",
        r"~(.*a)*.*m$",
        r"~(\w+\w+)+!",
        r"~(.*.*.*.*)*z",
        "~((a|s|w|.)*)*$",
        ",".join(f"*{n}*" for n in range(8)) + r",~.*\.com$,~.*site(1|2|3).*\.com$",
        ",".join(f"all[{n}:9000]" for n in range(40)),
    ],
)
def test_no_pattern_on_ten_thousand_devices_hangs(pattern):
    assert in_yardsticks(lambda: expand(pattern, MANY, MANY_GROUPS), 10) < 10


def test_a_regex_with_too_many_states_is_refused_and_not_computed():
    random = Random(1)
    hosts = tuple("".join(random.choices("ab", k=60)) for _ in range(10_000))

    def refused():
        with pytest.raises(BadCommand, match="too complex"):
            expand("~.*a.{40}z", hosts, {})

    assert in_yardsticks(refused, 20) < 20


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("WEB", ("web1", "Web2")),
        ("Web1", ("web1",)),
        ("WEB2", ("Web2",)),
        ("ALL:!Web1", ("Web2", "db", "DB")),
        ("Web[0]", ("web1",)),
    ],
)
def test_capitals_of_a_phone_mean_the_one_name_with_these_letters(pattern, hosts):
    names = patterns.Names(("web1", "Web2", "db", "DB"), {"all": ("web1", "Web2", "db", "DB"), "web": ("web1", "Web2")})
    assert patterns.meant(pattern, names) == hosts


def test_of_two_names_with_the_same_letters_none_is_guessed():
    with pytest.raises(UnknownDevice):
        patterns.meant("Db", patterns.Names(("db", "DB"), {"all": ("db", "DB")}))
