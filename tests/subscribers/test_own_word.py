"""Who is on a list because others said so, and then signs up themselves: their own word is asked for and recorded once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from newsletter.store import Database
from subscribers import (
    ConfirmOutcome,
    ConsentAction,
    ConsentGiven,
    ConsentSource,
    ImportReport,
    Outcome,
    PersonId,
    SubscriptionState,
    SuppressionKey,
    confirm,
    counts,
    evidence,
    find,
    keep_form,
    kept_form,
    parse_address,
    subscribe,
    subscription,
    unsubscribe,
    verify_chain,
)

Load = Callable[..., ImportReport]
AN = parse_address("an@example.org")


def _vouched(db: Database, load: Load, key: SuppressionKey, form: ConsentGiven, how: str, now: datetime) -> PersonId:
    """Somebody who is active and never said so themselves."""
    by_staff = replace(form, form="desk", source=ConsentSource.STAFF)
    if how == "import":
        load("email\nan@example.org\n")
    with db.begin() as conn:
        if how == "wish, then staff":  # a sign-up that was never answered may have been anybody's
            subscribe(conn, "news", AN, now=now - timedelta(days=1), key=key, consent=form)
        if how != "import":
            given = replace(by_staff, source=ConsentSource.API) if how == "api" else by_staff
            subscribe(conn, "news", AN, now=now, key=key, consent=given, confirmed=True)
        who = find(conn, AN)
    assert who is not None
    return who


@pytest.mark.parametrize("how", ["import", "staff", "api", "wish, then staff"])
def test_who_is_active_on_others_word_alone_is_asked_and_their_answer_is_recorded_once(
    people_db: Database, load: Load, key: SuppressionKey, form: ConsentGiven, now: datetime, how: str
) -> None:
    who = _vouched(people_db, load, key, form, how, now)
    later, answered = now + timedelta(minutes=5), now + timedelta(minutes=9)
    with people_db.begin() as conn:
        before, since = evidence(conn, who), subscription(conn, "news", who)
        asked = subscribe(conn, "news", AN, now=later, key=key, consent=form)
        assert (asked.outcome, asked.person_id) == (Outcome.VOUCHED, who)
        assert evidence(conn, who) == before  # asking is nobody's consent yet
        given = kept_form(conn, keep_form(conn, form), ConsentSource.FORM, ip="192.0.2.7")
        outcomes = [confirm(conn, "news", who, now=answered, consent=given).outcome for _ in range(2)]
        assert outcomes == [ConfirmOutcome.AGREED, ConfirmOutcome.ALREADY]
        (said,) = evidence(conn, who)[len(before) :]
        assert (said.action, said.source, said.at) == (ConsentAction.CONFIRM, ConsentSource.FORM, answered)
        assert (said.form, said.wording, said.language, said.ip) == (form.form, form.wording, "vi", "192.0.2.7")
        assert verify_chain(conn, who)
        after = subscription(conn, "news", who)
        assert (after.state, after.since) == (since.state, since.since)
        again = subscribe(conn, "news", AN, now=now + timedelta(days=1), key=key, consent=form)
        assert again.outcome == Outcome.ALREADY_ACTIVE  # nothing is left to ask


def test_who_is_active_on_others_word_is_asked_once_an_hour_as_strangers_are(
    people_db: Database, load: Load, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    _vouched(people_db, load, key, form, "import", now)
    with people_db.begin() as conn:
        outcomes = [
            subscribe(conn, "news", AN, now=now + timedelta(minutes=after), key=key, consent=form).outcome
            for after in (1, 2, 60, 61)
        ]
    assert outcomes == [Outcome.VOUCHED, Outcome.ALREADY_ACTIVE, Outcome.ALREADY_ACTIVE, Outcome.VOUCHED]


def test_neither_staff_nor_a_vouching_program_nor_an_old_letter_speak_for_the_person(
    people_db: Database, load: Load, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    who = _vouched(people_db, load, key, form, "import", now)
    by_staff, by_api = replace(form, source=ConsentSource.STAFF), replace(form, source=ConsentSource.API)
    with people_db.begin() as conn:
        asked = [
            subscribe(conn, "news", AN, now=now, key=key, consent=given, confirmed=vouches).outcome
            for given, vouches in ((by_staff, False), (by_staff, True), (by_api, True))
        ]
        assert asked == [Outcome.ALREADY_ACTIVE] * 3
        late = now + timedelta(days=7, seconds=1)
        assert confirm(conn, "news", who, now=now).outcome == ConfirmOutcome.ALREADY
        assert confirm(conn, "news", who, now=now, consent=by_staff).outcome == ConfirmOutcome.ALREADY
        assert confirm(conn, "news", who, now=late, consent=form).outcome == ConfirmOutcome.ALREADY
        assert [row.action for row in evidence(conn, who)] == ["import"]
        unsubscribe(conn, "news", who, now=now, reason="page")
        assert confirm(conn, "news", who, now=now, consent=form).outcome == ConfirmOutcome.GONE


def test_a_file_that_says_no_does_not_end_what_a_person_said_themselves(
    people_db: Database, load: Load, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    _vouched(people_db, load, key, form, "import", now)
    with people_db.begin() as conn:
        who = subscribe(conn, "news", AN, now=now, key=key, consent=form).person_id
        assert who is not None
        confirm(conn, "news", who, now=now, consent=form)
    load("email,state\nan@example.org,unsubscribed\n")
    with people_db.begin() as conn:
        assert counts(conn, "news")[SubscriptionState.ACTIVE] == 1
