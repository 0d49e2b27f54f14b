"""Which bots are trusted by which keys: compared by people, changed only with a word, revoked for good."""

from datetime import UTC, datetime

import pytest

from automation_bots.errors import StoreError
from automation_bots.peers import cards
from automation_bots.peers.cards import BadCard
from automation_bots.peers.trust import TRUSTED, OwnKeys, Trusted, TrustFile
from automation_bots.secrets.envelopes import Keys

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD, NEW, OTHER = (Keys(bytes([number]) * 64) for number in (1, 2, 3))


def card(keys, *earlier, bot="winbot"):
    return cards.read(cards.written(bot, keys, NOW, *earlier), "winbot.peer")


TRUSTING = Trusted().adding(card(OLD), "ana", NOW)


def test_a_card_says_whose_keys_it_has_and_is_signed_by_them():
    assert (card(OLD).bot, card(OLD).keys) == ("winbot", OLD.public)


@pytest.mark.parametrize(("old", "new"), [("winbot", "dbbot"), ('"signature":"', '"signature":"A'), ("{", "")])
def test_a_card_that_was_changed_is_none(old, new):
    line = cards.written("winbot", OLD, NOW).splitlines()[-1]
    with pytest.raises(BadCard, match="no key of a bot"):
        cards.read(line.replace(old, new, 1), "winbot.peer")


@pytest.mark.parametrize("text", ["", "{}", "[]", "x" * 100_000, '{"bot":"w","keys":"AA=="}', "# only a comment"])
def test_what_is_no_card_is_refused(text):
    with pytest.raises(BadCard):
        cards.read(text, "winbot.peer")


def test_another_key_of_a_trusted_bot_is_refused_until_somebody_says_that_it_takes_its_place():
    with pytest.raises(BadCard, match="trusted with another key"):
        TRUSTING.adding(card(NEW), "ana", NOW)
    assert TRUSTING.adding(card(NEW), "ana", NOW, replaces=True).bots["winbot"].keys == (NEW.public,)


def test_a_new_key_for_which_the_old_one_vouches_is_taken_and_both_are_good_meanwhile():
    assert TRUSTING.adding(card(NEW, OLD), "ana", NOW).bots["winbot"].keys == (OLD.public, NEW.public)
    with pytest.raises(BadCard, match="does not vouch"):
        TRUSTING.adding(card(NEW, OTHER), "ana", NOW)


def test_a_revoked_key_never_comes_back_whoever_vouches_for_it():
    gone = TRUSTING.without("winbot")
    assert gone.key("winbot", OLD.public.fingerprint) is None
    with pytest.raises(BadCard, match="revoked"):
        gone.adding(card(OLD), "ana", NOW, replaces=True)
    assert gone.adding(card(NEW), "ana", NOW).bots["winbot"].keys == (NEW.public,)


def test_what_is_written_is_read_at_once_by_whoever_has_it_open(tmp_path):
    running, by_hand = TrustFile(tmp_path / TRUSTED), TrustFile(tmp_path / TRUSTED)
    assert running.now == Trusted()
    by_hand.write(TRUSTING)
    assert running.now == TRUSTING
    by_hand.write(TRUSTING.without("winbot"))
    assert running.now.bots == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"bots":{"w":{"keys":["x"],"by":"","at":""}},"revoked":[]}'])
def test_while_the_file_cannot_be_read_nobody_is_trusted_and_it_says_why(tmp_path, text):
    file = TrustFile(tmp_path / TRUSTED)
    file.write(TRUSTING)
    file.path.write_text(text)
    with pytest.raises(StoreError, match="no bot is trusted"):
        _ = file.now


def test_a_file_that_others_can_write_is_not_believed(tmp_path):
    file = TrustFile(tmp_path / TRUSTED)
    file.write(TRUSTING)
    file.path.chmod(0o666)
    with pytest.raises(StoreError, match="chmod 600"):
        _ = file.now


def test_a_bot_goes_over_to_a_new_key_and_opens_with_both_until_it_has(tmp_path):
    own = OwnKeys(tmp_path)
    old = own.signs.public
    new = own.prepare().public
    assert (own.signs.public, [one.public for one in own.all]) == (old, [old, new])
    own.go_over()
    assert [one.public for one in own.all] == [new]
    assert (tmp_path / "keys/peer.key").stat().st_mode & 0o077 == 0
