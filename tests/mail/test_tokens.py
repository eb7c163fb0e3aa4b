import pytest

from newsletter.errors import ConfigError
from newsletter.mail.tokens import Keyring, Purpose
from newsletter.model import MailingId, PersonId, new_id

KEYS = {"1": b"a" * 32, "2": b"b" * 16}


def ids():
    return MailingId(new_id()), PersonId(new_id())


def test_a_token_comes_back_as_its_ids_in_any_case():
    ring = Keyring(KEYS, "2")
    for purpose in Purpose:
        mailing, person = ids()
        token = ring.make(purpose, mailing, person)
        assert len(token) == 49
        assert token.islower()
        assert set(token) <= set("0123456789abcdefghjkmnpqrstvwxyz")
        assert ring.read(purpose, token) == ring.read(purpose, token.upper()) == (mailing, person)
        assert len(f"b.{token}") <= 64


def test_the_same_delivery_always_has_the_same_token():
    mailing, person = ids()
    assert Keyring(KEYS, "1").make(Purpose.TRACE, mailing, person) == Keyring(KEYS, "1").make(
        Purpose.TRACE, mailing, person
    )


def test_a_token_serves_one_purpose_only():
    ring = Keyring(KEYS, "1")
    token = ring.make(Purpose.TRACE, *ids())
    assert [purpose for purpose in Purpose if ring.read(purpose, token)] == [Purpose.TRACE]


def test_no_single_changed_character_is_accepted():
    ring = Keyring(KEYS, "1")
    token = ring.make(Purpose.READER, *ids())
    for at, letter in enumerate(token):
        for other in "0z":
            if letter != other:
                assert ring.read(Purpose.READER, token[:at] + other + token[at + 1 :]) is None


@pytest.mark.parametrize(
    "junk", ["", "x", "1" * 48, "1" * 50, "é" * 49, "\u212a" * 49, "9" + "0" * 48, "1" + "\0" * 48]
)
def test_junk_is_nobody(junk):
    assert Keyring(KEYS, "1").read(Purpose.READER, junk) is None


def test_old_keys_still_read_after_rotation_and_lost_ones_do_not():
    mailing, person = ids()
    old = Keyring({"1": KEYS["1"]}, "1").make(Purpose.READER, mailing, person)
    assert Keyring(KEYS, "2").read(Purpose.READER, old) == (mailing, person)
    assert Keyring({"2": KEYS["2"]}, "2").read(Purpose.READER, old) is None
    assert Keyring({"1": b"c" * 32}, "1").read(Purpose.READER, old) is None


@pytest.mark.parametrize(
    ("keys", "current"),
    [({}, "1"), ({"1": b"short"}, "1"), ({"1": b"x" * 33}, "1"), ({"u": b"a" * 32}, "u"), (KEYS, "3")],
)
def test_unusable_keys_are_refused(keys, current):
    with pytest.raises(ConfigError):
        Keyring(keys, current)


def test_a_keyring_shows_no_key():
    assert "aaaa" not in repr(Keyring(KEYS, "1"))


def test_ids_of_another_length_are_refused():
    with pytest.raises(ValueError, match="16"):
        Keyring(KEYS, "1").make(Purpose.TRACE, MailingId("short"), PersonId(new_id()))
