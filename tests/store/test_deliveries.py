"""The ledger: every transition, the fencing epoch, and the closed sum, on both databases."""

import threading
from collections import Counter
from datetime import timedelta

import pytest

from newsletter.errors import NotAllowed
from newsletter.model import DeliveryState, MailingId, MailingState, PersonId
from newsletter.store import Database, deliveries, mailings, receipts, recovering, statements
from newsletter.store.deliveries import Claim, LedgerBroken, Result
from tests.conftest import NOW

LEASE = timedelta(minutes=15)


def claim(
    db: Database, mailing_id: MailingId, *, worker: str = "me", limit: int = 500, at=NOW, deaths: int = 0
) -> list[Claim]:
    with db.begin() as conn:
        return deliveries.claim(conn, mailing_id, worker=worker, now=at, lease=LEASE, limit=limit, deaths=deaths)


def settle(db: Database, mailing_id: MailingId, claim: Claim, state: DeliveryState, **more) -> None:
    with db.begin() as conn:
        result = Result(person_id=claim.person_id, epoch=claim.epoch, state=state, **more)
        deliveries.settle(conn, mailing_id, [result], now=NOW)


def intend(db: Database, mailing_id: MailingId, claims: list[Claim]) -> set[PersonId]:
    with db.begin() as conn:
        return deliveries.intend(conn, mailing_id, [(c.person_id, c.epoch) for c in claims], now=NOW)


def counts(db: Database, mailing_id: MailingId):
    with db.read() as conn:
        return receipts.count(conn, mailing_id)


def test_a_mailing_is_frozen_once(db, frozen):
    import sqlalchemy as sa

    mailing_id, _ = frozen(3)
    with pytest.raises(NotAllowed), db.begin() as conn:
        deliveries.freeze(conn, mailing_id, sa.select(sa.literal("x").label("person_id")), now=NOW)
    assert counts(db, mailing_id).frozen == 3


def test_the_way_of_a_row_from_pending_to_sent(db, frozen):
    mailing_id, people = frozen(2)
    claims = claim(db, mailing_id)
    assert {c.person_id for c in claims} == set(people)
    assert {c.epoch for c in claims} == {1}
    assert intend(db, mailing_id, claims) == set(people)
    for one in claims:
        settle(db, mailing_id, one, DeliveryState.SENT, reply="250 ok")
    with db.begin() as conn:
        final = deliveries.finish(conn, mailing_id, now=NOW)
        assert final is not None
        assert (final.frozen, final.sent, final.open, final.balanced) == (2, 2, 0, True)
        assert mailings.get(conn, mailing_id).state is MailingState.SENT


def test_a_mailing_with_open_rows_is_not_finished(db, frozen):
    mailing_id, _ = frozen(2)
    claim(db, mailing_id, limit=1)
    with db.begin() as conn:
        assert deliveries.finish(conn, mailing_id, now=NOW) is None


def test_six_senders_never_claim_the_same_row(db, frozen):
    mailing_id, people = frozen(300)
    seen: list[PersonId] = []
    lock = threading.Lock()

    def work(name: str) -> None:
        empty = 0
        while empty < 3:  # an empty answer means "ask again", so ask again
            got = claim(db, mailing_id, worker=name, limit=20)
            empty = 0 if got else empty + 1
            with lock:
                seen.extend(c.person_id for c in got)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(Counter(seen).values()) == 1
    assert set(seen) == set(people)


def test_a_sender_that_lost_its_claim_writes_nothing(db, frozen):
    mailing_id, _ = frozen(1)
    [old] = claim(db, mailing_id, worker="slow")
    later = NOW + LEASE + timedelta(seconds=1)
    with db.begin() as conn:
        assert recovering.recover(conn, dead=[], now=later) == (1, 0)
    [new] = claim(db, mailing_id, worker="quick", at=later, deaths=1)
    assert new.epoch == old.epoch + 1
    assert intend(db, mailing_id, [old]) == set()
    settle(db, mailing_id, old, DeliveryState.FAILED, reason="stale")
    assert counts(db, mailing_id).claimed == 1
    assert intend(db, mailing_id, [new]) == {new.person_id}


def test_what_a_dead_sender_held_is_pending_before_the_intent_and_unknown_after(db, frozen):
    mailing_id, _ = frozen(5)
    claims = claim(db, mailing_id, worker="host:dead")
    intend(db, mailing_id, claims[:2])
    with db.begin() as conn:
        assert recovering.senders(conn) == ["host:dead"]
        assert recovering.recover(conn, dead=["host:dead"], now=NOW) == (3, 2)
        assert len(receipts.unknown_people(conn, mailing_id)) == 2
    assert counts(db, mailing_id).unknown == 2


def test_a_living_sender_keeps_what_it_holds(db, frozen):
    mailing_id, _ = frozen(1)
    claim(db, mailing_id, worker="alive")
    with db.begin() as conn:
        deliveries.keep_lease(conn, "alive", until=NOW + 3 * LEASE)
        assert recovering.recover(conn, dead=["other"], now=NOW + 2 * LEASE) == (0, 0)


def test_a_sender_is_known_from_its_first_claim_until_it_says_that_it_holds_nothing(db, frozen):
    mailing_id, _ = frozen(2)
    claim(db, mailing_id, worker="a", limit=1)
    claim(db, mailing_id, worker="b", limit=1)
    with db.begin() as conn:
        assert sorted(recovering.senders(conn)) == ["a", "b"]
        assert deliveries.release_all(conn, mailing_id, "a", now=NOW) == 1
        recovering.sign_off(conn, "a")
        assert recovering.senders(conn) == ["b"]
    assert (counts(db, mailing_id).pending, counts(db, mailing_id).claimed) == (1, 1)


def test_a_sender_taken_for_dead_is_known_again_by_its_next_claim(db, frozen):
    mailing_id, _ = frozen(2)
    claim(db, mailing_id, worker="slow", limit=1)
    later = NOW + LEASE + timedelta(seconds=1)
    with db.begin() as conn:
        assert recovering.recover(conn, dead=[], now=later) == (1, 0)
        assert recovering.senders(conn) == []
    assert len(claim(db, mailing_id, worker="slow", at=later)) == 1
    with db.begin() as conn:
        assert recovering.recover(conn, dead=["slow"], now=later) == (1, 0)
    assert counts(db, mailing_id).pending == 2


def test_only_rows_that_wait_have_a_moment_at_which_they_are_due(db, frozen):
    """The index of what is due rests on it: a row that waits and has none would never be sent."""
    mailing_id, _ = frozen(8)
    claims = claim(db, mailing_id, limit=7)
    intend(db, mailing_id, claims[:4])
    settle(db, mailing_id, claims[0], DeliveryState.SENT)
    settle(db, mailing_id, claims[1], DeliveryState.DEFERRED, next_at=NOW + timedelta(minutes=5))
    settle(db, mailing_id, claims[2], DeliveryState.PENDING)
    settle(db, mailing_id, claims[3], DeliveryState.UNKNOWN)
    settle(db, mailing_id, claims[4], DeliveryState.FAILED)
    settle(db, mailing_id, claims[5], DeliveryState.SKIPPED)
    assert _due_by_state(db) == {
        ("pending", True): 2,
        ("deferred", True): 1,
        **{(state, False): 1 for state in ("sent", "unknown", "failed", "skipped", "claimed")},
    }
    with db.begin() as conn:
        recovering.recover(conn, dead=["me"], now=NOW)
        recovering.expire(conn, mailing_id, now=NOW + timedelta(days=3))
        recovering.retry_failed(conn, mailing_id, now=NOW)
        deliveries.cancel(conn, mailing_id, now=NOW)
    assert {due for _, due in _due_by_state(db)} == {False}


def _due_by_state(db: Database) -> Counter[tuple[str, bool]]:
    with db.read() as conn:
        return Counter(
            (state, at is not None) for state, at in conn.exec_driver_sql("SELECT state, next_at FROM deliveries")
        )


def test_a_late_reply_settles_an_unknown_row_of_the_same_epoch(db, frozen):
    mailing_id, _ = frozen(1)
    [one] = claim(db, mailing_id)
    intend(db, mailing_id, [one])
    with db.begin() as conn:
        recovering.recover(conn, dead=["me"], now=NOW)
    settle(db, mailing_id, one, DeliveryState.SENT, reply="250 after all")
    assert counts(db, mailing_id).sent == 1


def test_a_late_refusal_for_now_leaves_an_unknown_row_as_it_is(db, frozen):
    """The mailing may be finished: a deferred row would be asked for by nobody."""
    mailing_id, _ = frozen(1)
    [one] = claim(db, mailing_id)
    intend(db, mailing_id, [one])
    with db.begin() as conn:
        recovering.recover(conn, dead=["me"], now=NOW)
        assert deliveries.finish(conn, mailing_id, now=NOW) is not None
    settle(db, mailing_id, one, DeliveryState.DEFERRED, reply="452 later", next_at=NOW)
    assert (counts(db, mailing_id).unknown, counts(db, mailing_id).open) == (1, 0)


@pytest.mark.parametrize("proof", ["a reply", "evidence"])
def test_proof_that_comes_before_the_second_try_prevents_it(db, frozen, proof):
    mailing_id, people = frozen(1)
    [one] = claim(db, mailing_id)
    intend(db, mailing_id, [one])
    with db.begin() as conn:
        recovering.recover(conn, dead=["me"], now=NOW)
        assert recovering.resend_unknown(conn, mailing_id, now=NOW) == 1
    if proof == "a reply":
        settle(db, mailing_id, one, DeliveryState.SENT, reply="250 after all")
    else:
        with db.begin() as conn:
            assert recovering.arrived(conn, mailing_id, people[0], evidence="a return (delivered)", now=NOW)
    assert counts(db, mailing_id).sent == 1
    assert claim(db, mailing_id) == []


@pytest.mark.parametrize("after", ["unknown", "deferred", "pending", "died"])
def test_proof_that_comes_while_the_message_is_in_flight_is_heeded_afterwards(db, frozen, after):
    mailing_id, _ = frozen(2)
    first, second = claim(db, mailing_id)
    intend(db, mailing_id, [first, second])
    with db.begin() as conn:
        assert not recovering.arrived(conn, mailing_id, first.person_id, evidence="a return (opened)", now=NOW)
    if after == "died":
        with db.begin() as conn:
            assert recovering.recover(conn, dead=["me"], now=NOW) == (0, 1)
    else:
        for one in (first, second):
            settle(db, mailing_id, one, DeliveryState(after), next_at=NOW)
    with db.read() as conn:
        row, other = (receipts.of_person(conn, one.person_id, mailing_id) for one in (first, second))
    assert (row["state"], row["reason"], row["next_at"]) == ("sent", "settled by a return (opened)", None)
    assert other["state"] == ("unknown" if after == "died" else after)


def test_who_was_given_up_in_quarantine_or_after_48_hours_is_really_tried_again(db, frozen):
    mailing_id, _ = frozen(2)
    deferred, deadly = claim(db, mailing_id)
    settle(db, mailing_id, deferred, DeliveryState.DEFERRED, next_at=NOW)
    with db.begin() as conn:
        recovering.recover(conn, dead=["me"], now=NOW)
        conn.exec_driver_sql("UPDATE deliveries SET deaths = 5 WHERE deaths = 1")
        assert recovering.quarantine(conn, mailing_id, deaths=5, most=10, now=NOW) == (1, False)
        later = NOW + timedelta(hours=49)
        assert recovering.expire(conn, mailing_id, now=later) == 1
        assert recovering.retry_failed(conn, mailing_id, now=later) == 2
        assert recovering.quarantine(conn, mailing_id, deaths=5, most=10, now=later) == (0, False)
    again = claim(db, mailing_id, at=later)
    assert {(one.refused_at, one.tries) for one in again} == {(None, 1)}
    assert {one.person_id for one in again} == {deferred.person_id, deadly.person_id}


def test_who_ended_by_itself_did_not_die_of_what_it_held(db, frozen):
    mailing_id, _ = frozen(2)
    claim(db, mailing_id, worker="a", limit=1)
    claim(db, mailing_id, worker="b", limit=1)
    with db.begin() as conn:
        assert recovering.recover(conn, dead=["a"], ended=["b"], now=NOW) == (2, 0)
        assert recovering.suspicion(conn, mailing_id, now=NOW) == 1
    assert len(claim(db, mailing_id, deaths=0)) == 1


def test_a_row_that_a_stranger_holds_does_not_hold_up_its_mailing_for_ever(db, frozen):
    mailing_id, _ = frozen(2)
    first, _ = claim(db, mailing_id, worker="lost")
    intend(db, mailing_id, [first])
    with db.begin() as conn:
        recovering.sign_off(conn, "lost")
        recovering.adopt(conn, mailing_id, now=NOW)
    assert (counts(db, mailing_id).unknown, counts(db, mailing_id).pending) == (1, 1)


def test_results_find_their_rows_by_key_in_a_mailing_that_the_statistics_do_not_know(db, frozen):
    """A server that takes the mailing for one row reads it whole for each commit: 300 ms for 100,000."""
    if db.is_sqlite:
        return
    frozen(2_000)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("ANALYZE deliveries")
    mailing_id, _ = frozen(1_000)
    rows = [(one.person_id, one.epoch, "250", None, None, None, None) for one in claim(db, mailing_id, limit=20)]
    columns = dict(zip(statements._ROW, (list(column) for column in zip(*rows, strict=True)), strict=True))
    made = statements._SETTLE[DeliveryState.SENT]
    with db.begin() as conn:
        text = made._text(conn)
        cursor = conn.connection.cursor()
        cursor.execute("EXPLAIN " + text.text, text.given({**columns, "mailing": mailing_id, "now": NOW}))
        plan = " ".join(row[0] for row in cursor.fetchall())
    assert "(person_id)::text = " in plan.split("Index Cond:")[1]
    assert "Seq Scan on deliveries" not in plan


def test_sent_needs_an_intent(db, frozen):
    mailing_id, _ = frozen(1)
    [one] = claim(db, mailing_id)
    settle(db, mailing_id, one, DeliveryState.SENT)
    assert counts(db, mailing_id).claimed == 1


def test_a_deferred_row_is_claimed_again_only_when_due(db, frozen):
    mailing_id, _ = frozen(1)
    [one] = claim(db, mailing_id)
    settle(db, mailing_id, one, DeliveryState.DEFERRED, reply="451 later", next_at=NOW + timedelta(minutes=5))
    assert claim(db, mailing_id) == []
    [again] = claim(db, mailing_id, at=NOW + timedelta(minutes=5))
    assert (again.epoch, again.tries) == (2, 2)


def test_a_deferred_row_expires_48_hours_after_freezing(db, frozen):
    mailing_id, _ = frozen(1)
    [one] = claim(db, mailing_id)
    settle(db, mailing_id, one, DeliveryState.DEFERRED, next_at=NOW + timedelta(minutes=5))
    with db.begin() as conn:
        assert recovering.expire(conn, mailing_id, now=NOW + timedelta(hours=47)) == 0
        assert recovering.expire(conn, mailing_id, now=NOW + timedelta(hours=48)) == 1
    assert counts(db, mailing_id).failed == 1


def test_pausing_refuses_intents_and_resuming_goes_on(db, frozen):
    mailing_id, _ = frozen(2)
    [one] = claim(db, mailing_id, limit=1)
    with db.begin() as conn:
        deliveries.pause(conn, mailing_id)
    assert intend(db, mailing_id, [one]) == set()
    assert claim(db, mailing_id) == []
    with db.begin() as conn:
        deliveries.release(conn, mailing_id, [(one.person_id, one.epoch)], now=NOW)
        deliveries.resume(conn, mailing_id)
    assert len(claim(db, mailing_id)) == 2


def test_cancelling_skips_everyone_not_yet_tried(db, frozen):
    mailing_id, _ = frozen(4)
    claims = claim(db, mailing_id, limit=2)
    intend(db, mailing_id, claims[:1])
    settle(db, mailing_id, claims[0], DeliveryState.SENT)
    with db.begin() as conn:
        assert deliveries.cancel(conn, mailing_id, now=NOW) == 2
        deliveries.release_all(conn, mailing_id, "me", now=NOW)
        assert deliveries.skip_cancelled(conn, mailing_id, now=NOW) == 1
    final = counts(db, mailing_id)
    assert (final.sent, final.skipped, final.open, final.balanced) == (1, 3, 0, True)


def test_released_rows_do_not_count_as_tries(db, frozen):
    mailing_id, _ = frozen(1)
    claim(db, mailing_id)
    with db.begin() as conn:
        assert deliveries.release_all(conn, mailing_id, "me", now=NOW) == 1
    [again] = claim(db, mailing_id)
    assert again.tries == 1


def test_unknown_rows_are_sent_again_only_when_asked_and_the_mailing_reopens(db, frozen):
    mailing_id, _ = frozen(1)
    [one] = claim(db, mailing_id)
    intend(db, mailing_id, [one])
    settle(db, mailing_id, one, DeliveryState.UNKNOWN, reason="line broke")
    with db.begin() as conn:
        assert deliveries.finish(conn, mailing_id, now=NOW) is not None
    assert claim(db, mailing_id) == []
    with db.begin() as conn:
        assert recovering.resend_unknown(conn, mailing_id, now=NOW) == 1
    assert len(claim(db, mailing_id)) == 1


def test_who_failed_is_tried_again_and_has_48_hours_anew(db, frozen):
    mailing_id, people = frozen(3)
    for one in claim(db, mailing_id):
        intend(db, mailing_id, [one])
        settle(db, mailing_id, one, DeliveryState.SENT if one.person_id == people[0] else DeliveryState.FAILED)
    with db.begin() as conn:
        assert deliveries.finish(conn, mailing_id, now=NOW) is not None
    later = NOW + timedelta(days=3)
    with db.begin() as conn:
        assert recovering.retry_failed(conn, mailing_id, now=later) == 2
        assert recovering.retry_failed(conn, mailing_id, now=later) == 0
    with db.begin() as conn:
        again = deliveries.claim(conn, mailing_id, worker="w", now=later, lease=timedelta(minutes=1))
        assert [one.person_id for one in again] == sorted(people[1:])
        assert {one.frozen_at for one in again} == {later}
    with db.begin() as conn:
        deliveries.cancel(conn, mailing_id, now=later)
    with pytest.raises(NotAllowed), db.begin() as conn:
        recovering.retry_failed(conn, mailing_id, now=later)


def test_evidence_settles_an_unknown_row(db, frozen):
    mailing_id, people = frozen(1)
    [one] = claim(db, mailing_id)
    intend(db, mailing_id, [one])
    settle(db, mailing_id, one, DeliveryState.UNKNOWN)
    with db.begin() as conn:
        assert recovering.arrived(conn, mailing_id, people[0], evidence="an unsubscribe", now=NOW)
        assert not recovering.arrived(conn, mailing_id, people[0], evidence="an unsubscribe", now=NOW)
    assert counts(db, mailing_id).sent == 1


def test_a_sum_that_does_not_close_is_an_error(db, frozen):
    import sqlalchemy as sa

    mailing_id, people = frozen(2)
    for one in claim(db, mailing_id):
        intend(db, mailing_id, [one])
        settle(db, mailing_id, one, DeliveryState.SENT)
    with db.begin() as conn:
        conn.execute(sa.text("DELETE FROM deliveries WHERE person_id = :p"), {"p": people[0]})
    with pytest.raises(LedgerBroken), db.begin() as conn:
        deliveries.finish(conn, mailing_id, now=NOW)


def test_reasons_group_what_went_wrong(db, frozen):
    mailing_id, _ = frozen(3)
    claims = claim(db, mailing_id)
    for one in claims[:2]:
        settle(db, mailing_id, one, DeliveryState.FAILED, reason="refused for good")
    settle(db, mailing_id, claims[2], DeliveryState.SKIPPED, reason="left")
    with db.read() as conn:
        rows = receipts.reasons(conn, mailing_id, DeliveryState.FAILED, DeliveryState.SKIPPED)
    assert rows == [("failed", "refused for good", 2), ("skipped", "left", 1)]


def test_a_claim_reads_only_what_is_due_and_a_result_its_own_row(sqlite_url):
    """A whole mailing read for each chunk would be the square of the list."""
    database = Database(sqlite_url)
    try:
        with database.read() as conn:
            plans = {
                name: " ".join(row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).fetchall())
                for name, (text, values) in _hot_statements(conn).items()
            }
    finally:
        database.close()
    assert "ix_deliveries_due (mailing_id=? AND next_at<?)" in plans["claim"]
    for plan in plans.values():
        assert "SEARCH deliveries USING PRIMARY KEY (mailing_id=? AND person_id=?)" in plan
        assert "SCAN deliveries" not in plan
        assert "TEMP B-TREE" not in plan


def _hot_statements(conn):
    made = {
        "claim": statements.CLAIM,
        "intend": statements.INTEND,
        "settle": statements._SETTLE[DeliveryState.SENT],
    }
    texts = {name: one._text(conn) for name, one in made.items()}
    return {name: (one.text, tuple("[]" for _ in one.order)) for name, one in texts.items()}
