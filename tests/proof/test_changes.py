"""F16–F18: people leave, vanish or move while a mailing runs; the list grows, the content changes; one message is poisoned."""

import email
import email.policy

import pytest
import sqlalchemy as sa

import subscribers
from newsletter import deliver
from newsletter.mail.compile import Compiled, Message
from newsletter.model import MailingState
from newsletter.store import deliveries, mailings, receipts
from subscribers import ConsentGiven, ConsentSource, SuppressionReason
from tests.conftest import NOW, subscribe
from tests.proof import sender
from tests.proof.invariant import hold_invariant, states
from tests.proof.peers import peer

PEOPLE = {"lock-step": 180, "pipelined": 180, "chunked": 700}  # more than two claims take, so that some are pending
CONSENT = ConsentGiven(source=ConsentSource.FORM, form="test", wording="Đổi địa chỉ.", language="vi")
KINDS = pytest.mark.parametrize("kind", ["lock-step", "pipelined", "chunked"])


class Leavers:
    """At the tenth message at the sink, of the pending and of the claimed: one leaves, one is erased, one complains, one moves.

    `out`: who was not yet in anybody's intent when that was committed; `moved`: old address -> new.
    """

    def __init__(self) -> None:
        self.app, self.mailing, self.seen = None, None, 0
        self.out: set[str] = set()
        self.moved: dict[str, str] = {}

    def __call__(self, heard) -> None:
        if heard.verb == "content":
            self.seen += 1
            if self.seen == 10:
                self.leave()

    def leave(self) -> None:
        known = states(self.app, self.mailing)
        with self.app.db.begin() as conn:
            for wanted in ("pending", "claimed"):
                chosen = [who for who, state in known.items() if state == wanted][-4:]
                ids = [subscribers.find(conn, subscribers.parse_address(who)) for who in chosen]
                self.change(conn, ids, f"moi.{wanted}@khac.example")
                # Read behind the locks that leaving takes: an intent before them is committed by now.
                now = [receipts.of_person(conn, one, self.mailing)["state"] for one in ids]
                self.out |= {
                    who for who, state in zip(chosen[:3], now, strict=False) if state in ("pending", "claimed")
                }
                if now[3] == "pending":
                    self.moved[chosen[3]] = f"moi.{wanted}@khac.example"

    def change(self, conn, ids, to: str) -> None:
        key = self.app.suppression_key
        subscribers.unsubscribe(conn, "tin", ids[0], now=NOW, reason="page")
        subscribers.erase(conn, ids[1], now=NOW, key=key)
        subscribers.suppress(conn, ids[2], reason=SuppressionReason.COMPLAINED, now=NOW, key=key)
        holder = subscribers.ensure_person(conn, subscribers.parse_address(to), now=NOW, key=key)
        subscribers.move(conn, ids[3], holder, now=NOW, consent=CONSENT)


@KINDS
def test_who_leaves_before_the_intent_gets_nothing(mailed_to, told, kind):
    leavers = Leavers()
    with peer(kind, leavers) as sink:
        app, mailing_id = mailed_to(sink, PEOPLE[kind])
        leavers.app, leavers.mailing = app, mailing_id
        deliver.run(app, NOW)
        deliver.run(app, NOW)
        taken = sink.counts()
    assert leavers.out
    assert not leavers.out & set(taken), "mailed after the commit of an opt-out"
    for old, new in leavers.moved.items():
        assert (taken.get(old), taken.get(new)) == (None, 1), "who moved gets it at the new address"
    with app.db.read() as conn:
        final = receipts.count(conn, mailing_id)
    left = len(leavers.out)
    assert (final.sent, final.skipped, final.open, final.unknown) == (PEOPLE[kind] - left, left, 0, 0)
    assert sum(taken.values()) == final.sent
    assert max(taken.values()) == 1
    told("F16", f"{final.sent} sent, {left} skipped; nobody mailed after an opt-out was committed")


def test_a_list_that_grows_and_content_that_changes_reach_nobody_in_mid_run(mailed_to, told):
    with peer("chunked") as sink:
        app, mailing_id = mailed_to(sink, 180)
        assert sender.run(app, point="after result", nth=2) == -9
        subscribe(app, "tin", ["muon@khac.example", "muon2@khac.example"])
        with app.db.begin() as conn:
            conn.execute(sa.text("UPDATE renderings SET html = replace(html, '1,5', '9,5')"))
        dialled = sink.server.connections
        assert sender.run(app) == 0
        assert sink.server.connections == dialled, "what was not approved is not sent"
        with app.db.begin() as conn:
            assert mailings.get(conn, mailing_id).state is MailingState.PAUSED
            conn.execute(sa.text("UPDATE renderings SET html = replace(html, '9,5', '1,5')"))
            deliveries.resume(conn, mailing_id)
        assert sender.run(app) == 0
        books = hold_invariant(app, mailing_id, sink.counts(), unknown=sink.most)
        assert books.counts.frozen == 180
        for kept in sink.server.kept:
            message = email.message_from_bytes(kept.content, policy=email.policy.default)
            assert "1,5" in message.get_body(("html",)).get_content()
        told("F17", books)


@pytest.mark.parametrize("kind", ["lock-step", "pipelined", "chunked", "http"])
@pytest.mark.parametrize("step", ["splice", "content"])
def test_one_message_that_cannot_be_made_fails_alone(mailed_to, told, monkeypatch, kind, step):
    poison: set[tuple[str, ...]] = set()

    def break_in(name: str) -> None:
        original = getattr(Compiled, name)

        def broken(self, given, **more):
            reader = given.reader if isinstance(given, Message) else given
            if reader.topics in poison:
                raise ZeroDivisionError("an invented fault")
            return original(self, given, **more)

        monkeypatch.setattr(Compiled, name, broken)

    for name in ("splice",) if step == "splice" else ("head", "leave_pairs"):
        break_in(name)
    with peer(kind) as sink:
        app, mailing_id = mailed_to(sink, 60)
        victim = next(iter(states(app, mailing_id)))
        with app.db.begin() as conn:
            person = subscribers.find(conn, subscribers.parse_address(victim))
            assert subscribers.choose_topics(conn, "tin", person, ["Độc"])
        poison.add(("Độc",))
        deliver.run(app, NOW)
        books = hold_invariant(app, mailing_id, sink.counts(), failed=1)
        assert books.counts.sent == 59
        with app.db.read() as conn:
            reason = receipts.of_person(conn, person, mailing_id)["reason"]
        assert reason.startswith("unrenderable: ")
        told("F18", books)
