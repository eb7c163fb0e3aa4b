"""Providers under the ledger: settings choose one, and every frozen recipient ends in one state."""

import pytest
import sqlalchemy as sa

from newsletter import deliver
from newsletter.errors import TransportDown
from newsletter.store import receipts
from tests.conftest import NOW
from tests.deliver.conftest import addresses, frozen_mailing, lose_one_answer
from tests.providers.conftest import CASES

__all__ = ["frozen_mailing"]


def counts(app, mailing_id):
    with app.db.read() as conn:
        return receipts.count(conn, mailing_id)


def made(make_app, bench, **changes):
    case = bench.case
    account = {"url": f"http://api.example{case.path}", case.key: "right", **case.account, **changes}
    fetch = {"resolve": {"api.example": bench.server.at}}
    return make_app(transport={"kind": case.kind, case.kind: account}, fetch=fetch)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"postmark", "mailersend bulk"}))
def test_the_provider_of_the_settings_sends_and_its_ids_are_kept(make_app, bench_of, frozen_mailing, name):
    bench = bench_of(name)
    people = addresses(5)
    bench.server.wrong = {people[2]}
    app = made(make_app, bench, connections=1)
    mailing_id = frozen_mailing(app, people)
    deliver.run(app, NOW)
    deliver.run(app, NOW)
    found = counts(app, mailing_id)
    assert (found.sent, found.failed, found.open) == (4, 1, 0)
    assert sorted(message.to for message in bench.server.received) == sorted(set(people) - {people[2]})
    with app.db.read() as conn:
        kept = conn.execute(sa.text("SELECT provider_id FROM deliveries WHERE state = 'sent'")).scalars().all()
    assert len(set(kept)) == 4
    if name != "mailersend":
        traced = {app.keyring.read("trace", message.delivery) for message in bench.server.received}
        assert len(traced) == 4
        assert {mailing for mailing, _ in traced} == {mailing_id}


def test_a_wrong_key_leaves_everybody_pending(make_app, bench_of, frozen_mailing):
    bench = bench_of("ses")
    app = made(make_app, bench, secret_access_key="wrong")
    mailing_id = frozen_mailing(app, addresses(3))
    with pytest.raises(TransportDown, match="HTTP 403"):
        deliver.run(app, NOW)
    found = counts(app, mailing_id)
    assert (found.pending, found.failed, found.sent) == (3, 0, 0)


@pytest.mark.parametrize("name", ["mailgun", "resend", "ses"])
def test_intents_whose_commit_was_never_answered_are_taken_back(make_app, bench_of, frozen_mailing, monkeypatch, name):
    """Certainly nothing was sent, so nobody's fate is unknown."""
    bench = bench_of(name)
    app = made(make_app, bench, connections=1)
    mailing_id = frozen_mailing(app, addresses(3))
    lose_one_answer(monkeypatch)
    with pytest.raises(TransportDown, match="the ledger cannot be written"):
        deliver.run(app, NOW)
    assert (counts(app, mailing_id).pending, bench.server.requests) == (3, [])
    deliver.run(app, NOW)
    assert (counts(app, mailing_id).sent, len(bench.server.received)) == (3, 3)
