"""A mailing of a few frozen people, for the ledger's tests."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from newsletter.model import Mailing, MailingId, MailingKind, MailingState, PersonId, Rendering, new_id
from newsletter.store import Database, deliveries, mailings
from tests.conftest import NOW


@pytest.fixture
def frozen(db: Database) -> Callable[[int], tuple[MailingId, list[PersonId]]]:
    """Makes a mailing and freezes so many invented people for it."""

    def make(count: int) -> tuple[MailingId, list[PersonId]]:
        mailing_id = MailingId(new_id())
        people = [PersonId(new_id()) for _ in range(count)]
        rendering = Rendering(language="vi", subject="Tin", preheader="", html="<p>Tin</p>", text="Tin")
        mailing = Mailing(
            id=mailing_id,
            kind=MailingKind.ISSUE,
            state=MailingState.COMPOSED,
            issue_id=None,
            list_slug="tin",
            sender_name="Bản tin",
            unknown_policy="hold",
            content_hash="0" * 64,
            nonce="n",
            renderings=(rendering,),
        )
        audience = sa.union_all(
            *(
                sa.select(
                    sa.literal(person).label("person_id"),
                    sa.literal("vi").label("language"),
                    sa.literal("g").label("mail_group"),
                )
                for person in people
            )
        )
        with db.begin() as conn:
            mailings.add(conn, mailing, now=NOW)
            assert deliveries.freeze(conn, mailing_id, audience, now=NOW) == count
        return mailing_id, people

    return make
