"""Pictures as rows: one for each content, kept while a mailing shows them, in every backup."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.model import Image, Mailing, MailingId, MailingKind, MailingState, new_id
from newsletter.store import Database, images, mailings
from newsletter.store.backup import backup_sqlite
from tests.conftest import NOW

ONE, TWO = (Image.of(octets, "jpg", width=286, height=190) for octets in (b"one", b"two"))
LATER = NOW + timedelta(days=31)


def add_mailing(conn, *names):
    mailing = Mailing(
        id=MailingId(new_id()), kind=MailingKind.LETTER, state=MailingState.COMPOSED, issue_id=None, list_slug=None,
        sender_name="Viện", unknown_policy="hold", content_hash="x", nonce="n", images=names,
    )  # fmt: skip
    mailings.add(conn, mailing, now=NOW)
    return mailing


def test_the_same_content_is_kept_once_whatever_its_address(db):
    with db.begin() as conn:
        images.keep(conn, ("https://a.example/1", 143, 95), ONE, now=NOW)
        images.keep(conn, ("https://b.example/2", 143, 95), ONE, now=NOW)
        assert conn.execute(sa.text("SELECT count(*) FROM images")).scalar() == 1
        assert images.get(conn, ONE.name) == ONE
        assert images.read(conn, [TWO.name, ONE.name]) == [ONE]
        found = images.fetched(conn, [("https://a.example/1", 143, 95), ("https://a.example/1", 552, 310)])
    assert [fetch.image.name for fetch in found.values()] == [ONE.name]


def test_a_refusal_is_remembered_until_there_is_a_picture(db):
    key = ("https://a.example/1", 143, 95)
    with db.begin() as conn:
        images.refuse(conn, key, "it breaks off", now=NOW)
        assert (images.fetched(conn, [key])[key].image, images.fetched(conn, [key])[key].reason) == (
            None,
            "it breaks off",
        )
        images.keep(conn, key, ONE, now=NOW)
        assert images.fetched(conn, [key])[key].image.name == ONE.name
        assert images.fetched(conn, []) == {}


def test_what_a_mailing_shows_is_never_cleaned(db):
    with db.begin() as conn:
        for image in (ONE, TWO):
            images.keep(conn, (f"https://a.example/{image.name}", 143, 95), image, now=NOW)
        mailing = add_mailing(conn, TWO.name)
        assert mailings.get(conn, mailing.id).images == (TWO.name,)
        assert images.clean(conn, now=LATER) == 1
        assert images.get(conn, ONE.name) is None
        assert images.get(conn, TWO.name) == TWO


def test_what_was_used_again_stays_a_month_longer(db):
    with db.begin() as conn:
        images.keep(conn, ("https://a.example/1", 143, 95), ONE, now=NOW)
        images.used(conn, [ONE.name], now=NOW + timedelta(days=20))
        assert images.clean(conn, now=LATER) == 0
        assert images.clean(conn, now=LATER + timedelta(days=20)) == 1


@pytest.mark.parametrize("name", [ONE.name, TWO.name])
def test_a_picture_knows_whether_it_is_still_what_its_name_says(name):
    assert Image(name=name, width=1, height=1, content=b"one").is_true is (name == ONE.name)


def test_the_backup_holds_the_pictures(sqlite_url, tmp_path):
    db = Database(sqlite_url)
    with db.begin() as conn:
        images.keep(conn, ("https://a.example/1", 143, 95), ONE, now=NOW)
        add_mailing(conn, ONE.name)
    backup_sqlite(db, tmp_path / "copy.db")
    db.close()
    copy = Database(f"sqlite:///{tmp_path / 'copy.db'}")
    with copy.read() as conn:
        assert images.get(conn, ONE.name) == ONE
    copy.close()
