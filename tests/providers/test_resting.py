"""A provider asks for patience: every process that uses the account hears of it."""

from datetime import timedelta

from newsletter.deliver.providers.account import Account, SharedRests
from tests.conftest import NOW


def accounts(db, clock, *names):
    return [Account(clock.now, lambda _seconds: None, SharedRests(db, name)) for name in names]


def test_one_process_is_told_and_all_wait(db, clock):
    told, beside, other = accounts(db, clock, "mailgun", "mailgun", "postmark")
    told.rest(90)
    assert (told.left(), beside.left(), other.left()) == (90, 90, 0)
    clock.at = NOW + timedelta(seconds=60)
    assert beside.left() == 30
    clock.at = NOW + timedelta(seconds=91)
    assert (told.left(), beside.left()) == (0, 0)


def test_a_shorter_wait_told_elsewhere_does_not_end_a_longer_one(db, clock):
    first, second = accounts(db, clock, "ses", "ses")
    first.rest(300)
    second.rest(5)
    assert (first.left(), second.left()) == (300, 300)


def test_a_database_that_is_gone_leaves_an_account_to_what_it_knows_itself(tmp_path, clock):
    from newsletter.store import Database

    [alone] = accounts(Database(f"sqlite:///{tmp_path}/none/there.db"), clock, "brevo")
    alone.rest(7)
    assert alone.left() == 7
