"""`!dns` against a real DNS server on loopback."""

import socket
import threading

import pytest

from automation_bots.drivers import Cancel
from automation_bots.drivers.fake import Recorder
from automation_bots.drivers.paths.driver import Paths, Sight, operations
from automation_bots.errors import BadParameter
from automation_bots.model import Status
from automation_bots.pipeline.parser import checked, parse
from tests.drivers.contract import make_task
from tests.fakes.nameserver import Nameserver

pytestmark = pytest.mark.slow  # starts a DNS server

DNS = operations()[2]
INVENTORY = {"web1": "192.0.2.1", "web2": "www.lab.test"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Nameserver(tmp_path_factory.mktemp("nsd")) as running:
        yield running.address


def ask(tmp_path, line, **more):
    recorder = Recorder()
    paths = Paths(sight=Sight(device=lambda person, name: INVENTORY.get(name, "") if person == "ana" else ""))
    task = make_task(DNS, [], tmp_path, parameters=checked(DNS, parse(DNS, line)), **more)
    paths.run(task, recorder)
    return recorder.outcomes[""]


@pytest.mark.parametrize(
    ("line", "record"),
    [
        ("www.lab.test", "www.lab.test 60 s A 192.0.2.1"),
        ("www.lab.test", "www.lab.test 300 s AAAA 2001:db8::1"),
        ("www.lab.test aaaa", "www.lab.test 300 s AAAA 2001:db8::1"),
        ("alias.lab.test", "alias.lab.test 300 s CNAME www.lab.test."),
        ("alias.lab.test", "www.lab.test 60 s A 192.0.2.1"),
        ("lab.test MX", "lab.test 300 s MX 10 mail.lab.test."),
        ("lab.test ns", "lab.test 300 s NS ns1.lab.test."),
        ("lab.test SOA", "lab.test 300 s SOA ns1.lab.test. admin.lab.test. 1 3600 600 86400 60"),
        ("text.lab.test TXT", 'text.lab.test 300 s TXT "hello world"'),
        ("_sip._tcp.lab.test SRV", "_sip._tcp.lab.test 300 s SRV 1 2 5060 www.lab.test."),
        ("192.0.2.1", "1.2.0.192.in-addr.arpa 300 s PTR www.lab.test."),
        ("2001:db8::1", "www.lab.test."),
    ],
)
def test_every_kind_of_record_is_told_with_its_ttl(tmp_path, server, line, record):
    outcome = ask(tmp_path, f"{line} server={server}")
    assert outcome.status is Status.OK
    assert record in " ".join(outcome.output.split())
    assert f"from {server}, " in outcome.output


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("nope.lab.test", Status.FAILED, "no such name: nope.lab.test (NXDOMAIN)"),
        ("x.broken.test", Status.FAILED, "cannot answer (SERVFAIL)"),
        ("other.example", Status.FAILED, "does not answer us (REFUSED)"),
        ("lab.test", Status.OK, "lab.test exists, but has no address"),
        ("www.lab.test MX", Status.OK, "www.lab.test exists, but has no MX record"),
        ("a..b", Status.FAILED, "'a..b' is not a name that DNS knows"),
    ],
)
def test_what_goes_wrong_is_told_apart(tmp_path, server, line, status, said):
    outcome = ask(tmp_path, f"{line} server={server}")
    assert outcome.status is status
    assert said in outcome.summary


@pytest.fixture
def silent():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"127.0.0.1#{sock.getsockname()[1]}"


def test_a_server_that_says_nothing_is_named(tmp_path, silent):
    outcome = ask(tmp_path, f"www.lab.test server={silent}", seconds=1)
    assert outcome.status is Status.UNREACHABLE
    assert outcome.summary.startswith(f"no answer from {silent} within ")


def test_a_silent_server_does_not_hold_up_a_cancel(tmp_path, silent):
    cancel = Cancel()
    threading.Timer(0.3, cancel.set, ("ana said stop",)).start()
    outcome = ask(tmp_path, f"www.lab.test server={silent}", cancel=cancel)
    assert (outcome.status, outcome.summary) == (Status.CANCELLED, "stopped after 0 s: ana said stop")


def test_a_server_may_be_a_name_and_a_wrong_one_is_said_to_be_the_servers(tmp_path, server):
    assert ask(tmp_path, f"www.lab.test server={server.replace('127.0.0.1', 'localhost')}").status is Status.OK
    assert "the server's own name 'no..such'" in ask(tmp_path, "www.lab.test server=no..such").summary


def test_a_device_is_its_address_in_the_inventory_and_what_dns_says_of_that(tmp_path, server):
    text = ask(tmp_path, f"web1 server={server}").output
    assert text.splitlines()[0] == "web1 is 192.0.2.1 in the inventory"
    assert "www.lab.test." in text
    assert "192.0.2.1" in ask(tmp_path, f"web2 server={server}").output


def test_with_a_type_a_device_is_a_name_like_any_other(tmp_path, server):
    assert "inventory" not in ask(tmp_path, f"web1 A server={server}").output


@pytest.mark.parametrize("line", ["-x", "a;b", "'a b'", "x server=-f", "x server=a/b", "x server=1.1.1.1#x", "x ANY"])
def test_options_and_nonsense_are_refused_before_anything_is_asked(line):
    with pytest.raises(BadParameter):
        checked(DNS, parse(DNS, line))
