"""What offered keys mean beside the known ones; any doubt counts as a change."""

import pytest

from automation_bots.commands import host_key_text
from automation_bots.commands.host_key_text import Key, Look, Standing

A, B = Key("ssh-ed25519", "SHA256:aaaaaaaa"), Key("ssh-ed25519", "SHA256:bbbbbbbb")
R, S = Key("ssh-rsa", "SHA256:rrrrrrrr"), Key("ssh-rsa", "SHA256:ssssssss")


def look(offered=(), known=(), name="web1", **more):
    return Look(name, "10.0.0.1", 22, tuple(offered), tuple(known), **more)


@pytest.mark.parametrize(
    ("offered", "known", "standing"),
    [
        ([A], [], Standing.NEW),
        ([A], [A], Standing.KNOWN),
        ([A], [A, R], Standing.KNOWN),
        ([A, R], [A], Standing.MORE),
        ([B], [A], Standing.CHANGED),
        ([B, R], [A, R], Standing.CHANGED),
        ([A, S], [A, R], Standing.CHANGED),
        ([R], [A], Standing.CHANGED),
        ([], [A], Standing.SILENT),
    ],
)
def test_a_device_stands_where_its_keys_put_it(offered, known, standing):
    assert look(offered, known).standing is standing


def test_a_revoked_key_is_never_new():
    assert look([A], revoked=(A,)).standing is Standing.REVOKED


@pytest.mark.parametrize("typed", ["aaaaaa", "SHA256:aaaaaaaa", "rrrrrr"])
def test_the_beginning_of_any_offered_fingerprint_confirms(typed):
    assert look([A, R]).begins(typed)


@pytest.mark.parametrize("typed", ["", "SHA256:", "aaaaa", "AAAAAA", "aaaaaaaaaa", "bbbbbb"])
def test_anything_else_confirms_nothing(typed):
    assert not look([A, R]).begins(typed)


def test_the_code_of_many_is_of_exactly_their_keys():
    assert host_key_text.code([look([A])]) == host_key_text.code([look([A])]) != host_key_text.code([look([B])])
    assert host_key_text.code([look([A]), look([A], name="web2")]) != host_key_text.code([look([A])])


def test_a_changed_key_is_not_among_those_that_one_code_trusts():
    changed, new = look([B], [A], "web9"), look([A])
    answer = host_key_text.several([new, changed], "!device trust all")
    assert answer.hint == f"→ !device trust all yes {host_key_text.code([new])}  trusts the 1 new"
    assert "A changed key is confirmed for its device alone" in answer.text
    assert answer.block.split("\n")[0].split()[:2] == ["web9", "CHANGED"]
