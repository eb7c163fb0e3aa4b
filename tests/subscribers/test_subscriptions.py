import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from newsletter.store import Database
from subscribers import (
    ConfirmOutcome,
    ConsentGiven,
    ConsentSource,
    Envelope,
    InvalidValue,
    Outcome,
    PersonId,
    SubscriptionState,
    SuppressionKey,
    SuppressionReason,
    UnknownList,
    audience,
    choose_topics,
    confirm,
    counts,
    create_list,
    ensure_person,
    envelopes,
    erase,
    evidence,
    find,
    get_list,
    is_suppressed,
    list_lists,
    parse_address,
    person,
    rename,
    set_language,
    subscribe,
    suppress,
    unsubscribe,
    verify_chain,
)

Join = Callable[[str], PersonId]
AN = parse_address("an@example.org")


def test_a_sign_up_waits_for_its_confirmation(
    people_db: Database, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    with people_db.begin() as conn:
        asked = subscribe(
            conn, "news", AN, name="An", language="vi", time_zone="Asia/Ho_Chi_Minh", now=now, key=key, consent=form
        )
        assert (asked.outcome, asked.state) == (Outcome.PENDING, SubscriptionState.PENDING)
        assert asked.person_id is not None
        assert confirm(conn, "news", asked.person_id, now=now).outcome == ConfirmOutcome.CONFIRMED
        assert confirm(conn, "news", asked.person_id, now=now).outcome == ConfirmOutcome.ALREADY
        assert counts(conn, "news")[SubscriptionState.ACTIVE] == 1
        assert [row.action for row in evidence(conn, asked.person_id)] == ["subscribe", "confirm"]
        assert evidence(conn, asked.person_id)[0].wording == form.wording


def test_a_repeated_sign_up_asks_again_only_after_an_hour(
    people_db: Database, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    with people_db.begin() as conn:
        outcomes = [
            subscribe(conn, "news", parse_address(text), now=now + later, key=key, consent=form).outcome
            for text, later in [
                ("an@example.org", timedelta()),
                ("AN@EXAMPLE.ORG", timedelta(minutes=59)),
                ("an@example.org", timedelta(minutes=61)),
            ]
        ]
    assert outcomes == [Outcome.PENDING, Outcome.ALREADY_PENDING, Outcome.PENDING]


def test_a_confirmation_expires_after_seven_days(
    people_db: Database, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    with people_db.begin() as conn:
        who = subscribe(conn, "news", AN, now=now, key=key, consent=form).person_id
        assert who is not None
        assert confirm(conn, "news", who, now=now + timedelta(days=7, seconds=1)).outcome == ConfirmOutcome.EXPIRED
        assert confirm(conn, "news", who, now=now + timedelta(days=7)).outcome == ConfirmOutcome.CONFIRMED
        assert confirm(conn, "news", PersonId("nobody"), now=now).outcome == ConfirmOutcome.GONE


def test_a_list_without_double_opt_in_takes_people_at_once(
    people_db: Database, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    with people_db.begin() as conn:
        create_list(conn, "staff", name="Nội bộ", now=now, double_opt_in=False)
        assert subscribe(conn, "staff", AN, now=now, key=key, consent=form).outcome == Outcome.ACTIVE
        assert subscribe(conn, "staff", AN, now=now, key=key, consent=form).outcome == Outcome.ALREADY_ACTIVE


def test_who_left_comes_back_only_by_their_own_hand(
    people_db: Database, join: Join, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    who = join("an@example.org")
    by_staff = ConsentGiven(form="desk", wording="said so", language="en", source=ConsentSource.STAFF)
    with people_db.begin() as conn:
        assert unsubscribe(conn, "news", who, now=now, reason="one-click") is True
        assert unsubscribe(conn, "news", who, now=now, reason="one-click") is False
        refused = subscribe(conn, "news", AN, now=now, key=key, consent=by_staff, confirmed=True)
        assert refused.outcome == Outcome.LEFT
        again = subscribe(conn, "news", AN, now=now, key=key, consent=form)
        assert (again.outcome, again.person_id) == (Outcome.PENDING, who)
        assert confirm(conn, "news", who, now=now).outcome == ConfirmOutcome.CONFIRMED
        actions = [row.action for row in evidence(conn, who)]
        assert actions == ["subscribe", "confirm", "unsubscribe", "resubscribe", "confirm"]
        assert verify_chain(conn, who)


def test_a_word_of_leaving_that_comes_late_ends_only_what_was_there_when_it_was_said(
    people_db: Database, join: Join, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    who = join("an@example.org")
    said, later = now + timedelta(days=1), now + timedelta(days=2)
    with people_db.begin() as conn:
        assert unsubscribe(conn, "news", who, now=said, reason="page") is True
        assert subscribe(conn, "news", AN, now=later, key=key, consent=form).outcome == Outcome.PENDING
        assert unsubscribe(conn, "news", who, now=later, reason="provider", said_at=said) is False
        assert confirm(conn, "news", who, now=later).outcome == ConfirmOutcome.CONFIRMED
        assert unsubscribe(conn, "news", who, now=later, reason="provider", said_at=said) is False
        assert unsubscribe(conn, "news", who, now=later, reason="provider", said_at=later) is True


def test_nobody_suppressed_is_stored_or_subscribed(
    people_db: Database, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    with people_db.begin() as conn:
        assert suppress(conn, AN, reason=SuppressionReason.STAFF, now=now, key=key) is True
        assert suppress(conn, AN, reason=SuppressionReason.BOUNCED, now=now, key=key) is False
        answer = subscribe(conn, "news", parse_address("AN@example.org"), now=now, key=key, consent=form)
        assert (answer.outcome, answer.person_id) == (Outcome.SUPPRESSED, None)
        assert find(conn, AN) is None
        assert is_suppressed(conn, AN, key=key)


def test_a_suppression_of_one_list_leaves_the_others(
    people_db: Database, join: Join, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    who = join("an@example.org")
    with people_db.begin() as conn:
        create_list(conn, "other", name="Khác", now=now)
        suppress(conn, who, reason=SuppressionReason.STAFF, now=now, key=key, list_slug="news")
        assert is_suppressed(conn, AN, key=key, list_slug="news")
        assert not is_suppressed(conn, AN, key=key)
        assert subscribe(conn, "other", AN, now=now, key=key, consent=form).outcome == Outcome.PENDING


def test_somebody_erased_may_sign_up_anew_and_is_free_once_they_confirm(
    people_db: Database, join: Join, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    old = join("an@example.org")
    with people_db.begin() as conn:
        erase(conn, old, now=now, key=key)
        asked = subscribe(conn, "news", AN, now=now, key=key, consent=form)
        assert asked.outcome == Outcome.PENDING
        assert asked.person_id not in (None, old)
        assert is_suppressed(conn, AN, key=key)  # typing an address proves nothing
        assert asked.person_id is not None
        confirm(conn, "news", asked.person_id, now=now)
        assert not is_suppressed(conn, AN, key=key)


def test_eight_threads_signing_up_one_address_make_one_person_and_one_consent(
    people_db: Database, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    start, answers, faults = threading.Barrier(8), [], []

    def sign_up(text: str) -> None:
        start.wait()
        try:
            with people_db.begin() as conn:
                answers.append(subscribe(conn, "news", parse_address(text), now=now, key=key, consent=form))
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=sign_up, args=(text,)) for text in ["an@example.org", "AN@Example.org"] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len({answer.person_id for answer in answers}) == 1
    assert sorted(answer.outcome for answer in answers) == ["already_pending"] * 7 + ["pending"]
    with people_db.read() as conn:
        who = find(conn, AN)
        assert who is not None
        assert len(evidence(conn, who)) == 1
        assert verify_chain(conn, who)
        assert sum(counts(conn, "news").values()) == 1


def test_threads_leaving_and_coming_back_keep_the_chain_whole(
    people_db: Database, join: Join, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    who, start, faults = join("an@example.org"), threading.Barrier(6), []

    def leave_or_return(leaves: bool) -> None:
        start.wait()
        try:
            with people_db.begin() as conn:
                if leaves:
                    unsubscribe(conn, "news", who, now=now, reason="page")
                else:
                    subscribe(conn, "news", AN, now=now, key=key, consent=form, confirmed=True)
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=leave_or_return, args=(turn % 2 == 0,)) for turn in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with people_db.read() as conn:
        assert len(evidence(conn, who)) >= 3
        assert verify_chain(conn, who)


def test_a_known_person_is_not_overwritten_only_completed(
    people_db: Database, key: SuppressionKey, now: datetime
) -> None:
    with people_db.begin() as conn:
        who = ensure_person(conn, AN, now=now, key=key)
        assert ensure_person(conn, AN, now=now, key=key, name=" Trần\u00a0 Văn  An ", language="VI") == who
        ensure_person(conn, AN, now=now, key=key, name="Somebody Else", language="en")
        seen = person(conn, who)
        assert (seen.name, seen.language, seen.state) == ("Trần Văn An", "vi", "active")
        rename(conn, who, "Nguye\u0302\u0303n An")
        set_language(conn, who, "en")
        assert (person(conn, who).name, person(conn, who).language) == ("Nguyễn An", "en")


def test_lists_are_found_by_slug_and_bad_ones_refused(people_db: Database, now: datetime) -> None:
    with people_db.begin() as conn:
        create_list(conn, "events-2026", name="Sự kiện", now=now)
        assert [found.slug for found in list_lists(conn)] == ["events-2026", "news"]
        assert get_list(conn, "news").created_at == now
        for slug in ("news", "News", "tin tức", "-", "", "a" * 61):
            with pytest.raises(InvalidValue):
                create_list(conn, slug, name="x", now=now)
        with pytest.raises(UnknownList, match="no list 'nope'"):
            get_list(conn, "nope")


@pytest.mark.parametrize(("column", "value"), [("language", "tiếng Việt"), ("time_zone", "Hanoi")])
def test_an_unusable_language_or_zone_is_one_clear_line(
    people_db: Database, key: SuppressionKey, now: datetime, column: str, value: str
) -> None:
    with people_db.begin() as conn, pytest.raises(InvalidValue, match="use a") as caught:
        ensure_person(conn, AN, now=now, key=key, **{column: value})
    assert caught.value.where == column


def test_a_time_without_a_zone_is_refused(people_db: Database, key: SuppressionKey, now: datetime) -> None:
    with pytest.raises(Exception, match="without a zone"), people_db.begin() as conn:
        ensure_person(conn, AN, now=now.replace(tzinfo=None), key=key)


def test_chosen_topics_are_kept_in_one_spelling_until_everything_is_chosen_again(
    people_db: Database, join: Join, key: SuppressionKey, now: datetime
) -> None:
    someone = join("an@example.org")
    with people_db.begin() as conn:
        assert choose_topics(conn, "news", someone, ["Lúa", " bie\u0302\u0309n", "Lúa "])
        [envelope] = envelopes(conn, "news", [someone], key=key)
        assert isinstance(envelope, Envelope)
        assert envelope.topics == ("Lúa", "biển")
        [row] = conn.execute(audience(conn, "news")).all()
        assert json.loads(row.topics) == ["Lúa", "biển"]
        assert choose_topics(conn, "news", someone, [])
        [envelope] = envelopes(conn, "news", [someone], key=key)
        assert isinstance(envelope, Envelope)
        assert envelope.topics == ()
        assert conn.execute(audience(conn, "news")).one().topics is None


def test_only_who_is_on_the_list_chooses_and_only_real_topics(
    people_db: Database, join: Join, key: SuppressionKey, now: datetime
) -> None:
    someone = join("an@example.org")
    with people_db.begin() as conn:
        assert not choose_topics(conn, "news", PersonId("nobody"), ["biển"])
        for wrong in (" ", "x" * 81):
            with pytest.raises(InvalidValue, match="1 to 80"):
                choose_topics(conn, "news", someone, [wrong])
        choose_topics(conn, "news", someone, ["biển"])
        erase(conn, someone, now=now, key=key)
        assert not choose_topics(conn, "news", someone, ["biển"])
        assert conn.execute(text("SELECT count(*) FROM subscriptions WHERE topics IS NOT NULL")).scalar() == 0
