"""A mailing that left for three invented readers, and what tests ask about it afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

import subscribers
from newsletter import track
from newsletter.app import App
from newsletter.mail.tokens import Purpose
from newsletter.model import (
    DeliveryState,
    Mailing,
    MailingId,
    MailingKind,
    MailingState,
    PersonId,
    Rendering,
    new_id,
)
from newsletter.store import deliveries, events, mailings, receipts
from newsletter.store.deliveries import Result
from tests.conftest import NOW, subscribe

READERS = ("an@docgia.example", "binh@docgia.example", "chi@hopthu.example")


@dataclass(frozen=True)
class Sent:
    """An App whose mailings left; `people` in the order of READERS."""

    app: App
    people: list[PersonId]
    mailing: MailingId

    def token(self, person: int = 0, purpose: Purpose = Purpose.TRACE, mailing: MailingId | None = None) -> str:
        return self.app.keyring.make(purpose, mailing or self.mailing, self.people[person])

    def path(self, person: int = 0, mailing: MailingId | None = None) -> str:
        return f"b.{self.token(person, mailing=mailing)}@tra.vien.example"

    def track(self, now: datetime = NOW) -> int:
        return track.run(self.app, now)

    def state(self, person: int = 0) -> str:
        with self.app.db.read() as conn:
            return str(subscribers.person(conn, self.people[person]).state)

    def barred(self, person: int = 0) -> str | None:
        with self.app.db.read() as conn:
            found = subscribers.not_mailable(conn, "tin", [self.people[person]], key=self.app.suppression_key)
        return str(found[self.people[person]]) if found else None

    def told(self) -> dict[str, int]:
        with self.app.db.read() as conn:
            return events.count(conn, self.mailing)

    def delivery(self, person: int = 0) -> dict[str, Any]:
        with self.app.db.read() as conn:
            return dict(receipts.of_person(conn, self.people[person], self.mailing) or {})

    def send(self, *, at: datetime = NOW, state: DeliveryState = DeliveryState.SENT) -> MailingId:
        """One more mailing to the same people."""
        return send(self.app, self.people, at=at, state=state)


def send(app: App, people: list[PersonId], *, at: datetime, state: DeliveryState) -> MailingId:
    mailing_id = MailingId(new_id())
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
        renderings=(Rendering(language="vi", subject="Tin", preheader="", html="<p>Tin</p>", text="Tin"),),
    )
    rows = [
        sa.select(
            sa.literal(person).label("person_id"),
            sa.literal("vi").label("language"),
            sa.literal("g").label("mail_group"),
        )
        for person in people
    ]
    with app.db.begin() as conn:
        mailings.add(conn, mailing, now=at)
        deliveries.freeze(conn, mailing_id, sa.union_all(*rows), now=at)
        held = deliveries.claim(conn, mailing_id, worker="w", now=at, lease=timedelta(minutes=1))
        deliveries.intend(conn, mailing_id, [(one.person_id, one.epoch) for one in held], now=at)
        results = [
            Result(person_id=one.person_id, epoch=one.epoch, state=state, provider_id=f"pm-{n}")
            for n, one in enumerate(sorted(held, key=lambda one: people.index(one.person_id)))
        ]
        deliveries.settle(conn, mailing_id, results, now=at)
    return mailing_id


@pytest.fixture
def sent(make_app: Callable[..., App]) -> Callable[..., Sent]:
    """`sent(state=UNKNOWN, **settings)`: the App after one mailing in this state."""

    def make(state: DeliveryState = DeliveryState.SENT, **changes: Any) -> Sent:
        app = make_app(**changes)
        people = subscribe(app, "tin", READERS)
        return Sent(app=app, people=people, mailing=send(app, people, at=NOW - timedelta(hours=1), state=state))

    return make
