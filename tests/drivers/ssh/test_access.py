"""What the inventory and an ssh_config say of the way to a device."""

from __future__ import annotations

from pathlib import Path

import pytest

from automation_bots.drivers.ssh import algorithms
from automation_bots.drivers.ssh.access import Access, LoginSources, access_to
from automation_bots.drivers.ssh.ssh_config import SshConfig
from automation_bots.errors import DriverError
from automation_bots.model import NOTHING, Device


def way(variables: dict[str, object], around: LoginSources | None = None) -> list[str]:
    """Who is passed, as user@where."""
    device = Device("web1", variables={"ansible_user": "ops", **variables})
    return [f"{hop.user}@{hop.where}" for hop in access_to(device, NOTHING, around or LoginSources()).jump]


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, []),
        ({"jump": "none"}, []),
        ({"jump": "b1"}, ["ops@b1:22"]),
        ({"jump": ["b1", "eve@b2:2222"]}, ["ops@b1:22", "eve@b2:2222"]),
        ({"jump": "eve@[2001:db8::1]:2222"}, ["eve@[2001:db8::1]:2222"]),
        ({"ansible_ssh_common_args": "-J b1,b2"}, ["ops@b1:22", "ops@b2:22"]),
        ({"ansible_ssh_common_args": "-C -o ProxyJump=b1"}, ["ops@b1:22"]),
        ({"ansible_ssh_common_args": '-o ProxyCommand="ssh -q -W %h:%p -p 2222 eve@b1"'}, ["eve@b1:2222"]),
        ({"ansible_ssh_common_args": '-oProxyCommand="ssh -l eve -W %h:%p b1"'}, ["eve@b1:22"]),
        ({"ansible_ssh_extra_args": "-o StrictHostKeyChecking=no"}, []),
        ({"jump": "b1", "ansible_ssh_common_args": "-J b2"}, ["ops@b1:22"]),
    ],
)
def test_jump_hosts_are_read_wherever_they_stand(variables, found):
    assert way(variables) == found


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ansible_ssh_common_args": '-o ProxyCommand="nc %h %p"'}, "write  jump:"),
        ({"ansible_ssh_common_args": "-o 'ProxyJump"}, "cannot be read"),
        ({"jump": "b1:ssh"}, "must be a device of the inventory"),
    ],
)
def test_what_cannot_be_followed_says_what_to_write(variables, words):
    with pytest.raises(DriverError, match=words):
        way(variables)


def test_a_jump_host_of_the_inventory_brings_its_own_account_and_way():
    inventory = {
        "b1": Device("b1", variables={"ansible_host": "10.0.0.1", "ansible_user": "door", "jump": "b0"}),
        "b0": Device("b0", variables={"ansible_user": "gate", "ansible_port": 2222}),
    }
    assert way({"jump": "b1"}, LoginSources(device=inventory.get)) == ["gate@b0:2222", "door@10.0.0.1:22"]


def test_jump_hosts_in_a_circle_are_named():
    inventory = {name: Device(name, variables={"jump": other}) for name, other in (("b1", "b2"), ("b2", "b1"))}
    with pytest.raises(DriverError, match="circle: web1 → b1 → b2 → b1"):
        way({"jump": "b1"}, LoginSources(device=inventory.get))


def test_a_password_is_never_given_to_a_jump_host_that_the_inventory_does_not_know():
    device = Device("web1", variables={"jump": "b1", "ansible_ssh_private_key_file": "/k"})
    hop = access_to(device, {"ansible_password": "s3cret", "ansible_become_password": "s3cret"}).jump[0]
    assert (hop.password, hop.become_password, hop.key_file) == ("", "", Path("/k"))


def test_the_inventory_wins_over_ssh_config(tmp_path):
    (tmp_path / "config").write_text("Host web1\n HostName 10.0.0.7\n User root\n Port 2222\n CertificateFile /c.pub\n")
    device = Device("web1", variables={"ansible_user": "ops"})
    access = access_to(device, NOTHING, LoginSources(SshConfig(tmp_path / "config")))
    assert (access.user, access.host, access.port, access.certificate) == ("ops", "10.0.0.7", 2222, Path("/c.pub"))


def test_a_change_of_ssh_config_is_seen(tmp_path):
    config = SshConfig(tmp_path / "config")
    for number in (1, 2):
        config.path.write_text(f"Host web1\n Port {number}{'#' * number}\n".replace("#", ""))
        config._stamps.clear() if number == 1 else config._stamps.update({config.path: 0})
        assert access_to(Device("web1"), NOTHING, LoginSources(config)).port == number


def test_a_missing_ssh_config_is_named(tmp_path):
    with pytest.raises(DriverError, match="none cannot be read: No such file"):
        access_to(Device("web1"), NOTHING, LoginSources(SshConfig(tmp_path / "none")))


def test_an_access_travels_whole():
    hop = Access("b1", "b1", 22, "door", password="p")
    access = Access("w", "h", 2, "u", Path("/k"), more_keys=(Path("/m"),), jump=(hop,), wishes=(("ciphers", "x"),))
    assert Access.of_plain(access.plain()) == access


def test_no_secret_is_in_the_printed_form():
    assert "s3cret" not in repr(Access("w", "h", 2, "u", password="s3cret", private_key="s3cret", passphrase="s3cret"))


@pytest.mark.parametrize(
    ("wish", "first", "has_old"),
    [("aes256-ctr,3des-cbc", "aes256-ctr", False), ("^aes256-ctr", "aes256-ctr", False),
     ("3des-cbc", "aes128-gcm@openssh.com", False), ("+3des-cbc", "aes128-gcm@openssh.com", False)],
)  # fmt: skip
def test_ssh_config_chooses_among_what_is_allowed(wish, first, has_old):
    found = algorithms.chosen(legacy=False, wishes={"ciphers": wish})["encryption_algs"]
    assert (found[0], "3des-cbc" in found) == (first, has_old)


def test_old_algorithms_need_the_word_of_the_inventory():
    modern, old = (algorithms.chosen(legacy=legacy, wishes={}) for legacy in (False, True))
    assert not set(algorithms.OLD_KEX) & set(modern["kex_algs"])
    assert set(algorithms.OLD_KEX) <= set(old["kex_algs"])
    assert "ssh-rsa" not in algorithms.for_host_keys(["ssh-rsa"], legacy=False, certified=False)
    assert algorithms.for_host_keys(["ssh-rsa"], legacy=True, certified=False)[2] == "ssh-rsa"
