"""Webhooks that we call: one call for each change, signed, tried again, given up, disabled; on both databases."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

import subscribers
from newsletter import compose, notify
from newsletter.errors import BadInput, FetchRefused
from newsletter.mail.tokens import Purpose
from newsletter.model import IssueState, Newsletter, NewsletterId, new_id
from newsletter.notify import calling, telling
from newsletter.readers import leave
from newsletter.store import changes, issues, letters, newsletters, staff, webhooks
from subscribers import SuppressionReason, parse_address
from tests.conftest import NOW, subscribe
from tests.fakes.listener import Listener

URL = "http://nghe.vien.example/hook"
SECRET_WORDS = ("an@docgia.example", "docgia.example")


@pytest.fixture
def listener():
    with Listener() as one:
        yield one


@pytest.fixture
def app(make_app, listener):
    return make_app(fetch={"resolve": {"nghe.vien.example": listener.at, "khac.vien.example": "127.0.0.1:1"}})


@pytest.fixture
def webhook(app):
    return telling.add(app, URL, ["*"], addresses=False)


def run(app):
    return notify.run(app, app.clock.now())


def calls(app, webhook):
    with app.db.read() as conn:
        return webhooks.calls_of(conn, webhook.id, limit=50)


def reader(app, address="an@docgia.example"):
    [person_id] = subscribe(app, "tin", [address])
    return person_id


# ---------------------------------------------------------------- what is told


def test_the_signature_is_that_of_the_specification():
    headers = calling.signature(
        "whsec_plJ3nmyCDGBKInavdOK15jsl",
        "msg_loFOjxBNrRLzqYUf",
        b'{"event_type":"ping","data":{"success":true}}',
        at=datetime.fromtimestamp(1731705121, UTC),
    )
    assert headers == {
        "webhook-id": "msg_loFOjxBNrRLzqYUf",
        "webhook-timestamp": "1731705121",
        "webhook-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
    }


def test_who_joins_is_told_once_signed_and_without_an_address(app, listener, webhook):
    person_id = reader(app)
    assert run(app) == 1
    assert run(app) == 0
    [heard] = listener.heard
    assert heard.is_signed_with(webhook.secret)
    assert not heard.is_signed_with("whsec_" + "A" * 44)
    assert heard.seconds == int(NOW.timestamp())
    assert heard.told["type"] == "subscriber.subscribed"
    assert datetime.fromisoformat(heard.told["timestamp"]) == NOW
    assert heard.told["data"]["subscriber"]["id"] == person_id
    assert heard.told["data"]["list"] == "tin"
    assert heard.told["data"]["subscription"] == {"state": "active"}
    assert "@" not in heard.body.decode()
    assert not any(word in heard.body.decode() for word in SECRET_WORDS)


def test_an_address_is_told_only_to_who_was_added_with_addresses_and_waits_in_no_row(app, listener, webhook):
    telling.add(app, URL, ["subscriber.subscribed"], addresses=True)
    reader(app)
    telling.gather(app, NOW)
    with app.db.read() as conn:
        rows = [str(tuple(row)) for table in TABLES for row in conn.exec_driver_sql(f"SELECT * FROM {table}")]
    assert rows
    assert not any("docgia" in row for row in rows)
    run(app)
    emails = [heard.told["data"]["subscriber"].get("email") for heard in listener.heard]
    assert sorted(emails, key=str) == [None, "an@docgia.example"]


TABLES = ("webhooks", "webhook_events", "webhook_calls", "changes", "issue_changes")


def test_every_change_of_a_person_is_told_in_its_own_words(app, listener, webhook):
    first, second = reader(app), reader(app, "binh@docgia.example")
    third = reader(app, "chi@docgia.example")
    given = subscribers.ConsentGiven(form="t", wording="w", language="vi", source=subscribers.ConsentSource.FORM)
    key = app.suppression_key
    with app.db.begin() as conn:
        subscribers.create_list(conn, "moi", name="Mới", now=NOW)
        joined = subscribers.subscribe(
            conn, "moi", parse_address("dung@docgia.example"), now=NOW, key=key, consent=given
        )
        subscribers.confirm(conn, "moi", joined.person_id, now=NOW)
        subscribers.unsubscribe(conn, "tin", first, now=NOW, reason="page")
        subscribers.unsubscribe(conn, "tin", first, now=NOW, reason="page")  # twice is once
        subscribers.suppress(conn, second, reason=SuppressionReason.BOUNCED, now=NOW, key=key)
        subscribers.suppress(conn, third, reason=SuppressionReason.COMPLAINED, now=NOW, key=key)
        subscribers.erase(conn, third, now=NOW, key=key)
    run(app)
    told = [name.removeprefix("subscriber.") for name in listener.types]
    assert told[:4] == ["subscribed"] * 4
    assert told[4:] == ["confirmed", "unsubscribed", "bounced", "complained", "erased"]
    last = next(heard for heard in listener.heard if heard.told["type"] == "subscriber.erased")
    assert last.told["data"]["subscriber"] == {
        "id": third, "email_masked": None, "state": "erased", "language": None,
    }  # fmt: skip


def test_a_change_that_is_rolled_back_is_not_told(app, listener, webhook):
    person_id = reader(app)
    run(app)
    with app.db.begin() as conn:
        subscribers.unsubscribe(conn, "tin", person_id, now=NOW, reason="page")
        conn.rollback()
    run(app)
    assert listener.types == ["subscriber.subscribed"]


def test_the_states_of_an_issue_are_told_with_its_newsletter(app, listener, webhook):
    subscribe(app, "tin", [])
    issue_id = an_issue(app)
    with app.db.begin() as conn:
        issues.skip(conn, issue_id, "nothing new", seen=IssueState.DRAFT)
        issues.reopen(conn, issue_id, now=NOW)
        issues.fail(conn, issue_id, "no template")
    run(app)
    assert listener.types == ["issue.skipped", "issue.draft", "issue.failed"]
    told = listener.heard[0].told["data"]["issue"]
    assert told["newsletter"] == "ban-tin"
    assert (told["id"], told["state"]) == (issue_id, "skipped")


def an_issue(app):
    made = Newsletter(
        id=NewsletterId(new_id()), slug="ban-tin", name="Bản tin", language="vi", languages=("vi",), design="bulletin",
        options={}, list_slug="tin", cron="0 8 * * 1", timezone="Asia/Ho_Chi_Minh", approval="manual",
        compose_lead=timedelta(), latest_start=timedelta(hours=12), max_items=3, unknown_policy="hold", active=True,
    )  # fmt: skip
    with app.db.begin() as conn:
        newsletters.save(conn, made, now=NOW)
        issue_id = issues.open_issue(conn, made, "2026-11-23T08:00", send_at=NOW, now=NOW)
    assert issue_id is not None
    return issue_id


def test_a_webhook_hears_only_what_it_asked_for_and_nothing_from_before(app, listener):
    reader(app)
    run(app)
    telling.add(app, URL, ["subscriber.unsubscribed"], addresses=False)
    person_id = reader(app, "binh@docgia.example")
    with app.db.begin() as conn:
        subscribers.unsubscribe(conn, "tin", person_id, now=NOW, reason="staff")
    run(app)
    assert listener.types == ["subscriber.unsubscribed"]


# ---------------------------------------------------------------- when it is not taken


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503, 302])
def test_what_is_not_taken_is_tried_again_with_growing_pauses_under_the_same_id(app, listener, webhook, status):
    listener.status = status
    reader(app)
    run(app)
    run(app)
    assert len(listener.heard) == 1, "not before its time"
    app.clock.at += timedelta(seconds=11)
    run(app)
    app.clock.at += timedelta(seconds=11)
    run(app)
    assert len(listener.heard) == 2
    listener.status = 200
    app.clock.at += timedelta(minutes=6)
    assert run(app) == 1
    assert len({heard.id for heard in listener.heard}) == 1
    assert [heard.seconds for heard in listener.heard] == sorted({heard.seconds for heard in listener.heard})
    [call] = calls(app, webhook)
    assert (call.state, call.tries, call.status) == ("delivered", 3, 200)


def test_eight_tries_over_more_than_a_day_then_it_is_given_up_and_shown(app, listener, webhook):
    listener.status = 500
    reader(app)
    for _ in range(12):
        run(app)
        app.clock.at += timedelta(hours=15)
    assert len(listener.heard) == 8
    [call] = calls(app, webhook)
    assert (call.state, call.tries, call.status, call.reason) == ("failed", 8, 500, "answered 500")
    assert sum(calling.PAUSES, timedelta()) > timedelta(hours=24)


def test_a_wish_to_be_left_alone_is_granted_for_a_day_at_most():
    assert calling.again_at(1, now=NOW, wish=timedelta(hours=3)) == NOW + timedelta(hours=3)
    assert calling.again_at(1, now=NOW, wish=timedelta(days=90)) == NOW + timedelta(hours=24)
    assert calling.again_at(8, now=NOW) is None


def test_a_dead_webhook_costs_one_call_a_round_and_the_others_are_told(app, listener, webhook):
    dead = telling.add(app, "http://khac.vien.example/", ["*"], addresses=False)
    for number in range(5):
        reader(app, f"doc{number}@docgia.example")
    assert run(app) == 5
    assert [call.tries for call in calls(app, dead)] == [0, 0, 0, 0, 1]
    assert "connect" in calls(app, dead)[-1].reason


def test_after_five_days_of_failing_it_is_disabled_and_staff_are_told_once(app, listener, webhook):
    employ(app)
    listener.status = 500
    for day in range(7):
        reader(app, f"ngay{day}@docgia.example")
        run(app)
        app.clock.at += timedelta(days=1)
    with app.db.read() as conn:
        [known] = webhooks.listed(conn)
        told = [letter for letter in letters.asked(conn) if letter.variables.get("topic") == "webhook_disabled"]
    assert known.disabled_at is not None
    assert "5 days" in known.reason
    assert len(told) == 1
    assert "nghe.vien.example" in told[0].variables["name"]
    compose.compose_letters(app, app.clock.now())
    with app.db.read() as conn:
        assert letters.failures(conn) == []
    heard = len(listener.heard)
    reader(app, "sau@docgia.example")
    run(app)
    assert len(listener.heard) == heard


def test_410_ends_it_at_once_and_enabling_sends_what_waited(app, listener, webhook):
    employ(app)
    reader(app)
    reader(app, "binh@docgia.example")
    listener.status = 410
    run(app)
    listener.status = 200
    app.clock.at += timedelta(hours=1)
    assert run(app) == 0
    with app.db.begin() as conn:
        webhooks.enable(conn, webhook.id, now=app.clock.now())
    assert run(app) == 1, "the one that was refused by 410 is not sent again"


def employ(app):
    with app.db.begin() as conn:
        person_id = subscribers.ensure_person(
            conn, parse_address("biên-tập@vien.example"), now=NOW, key=app.suppression_key
        )
        staff.add(conn, person_id, name="Biên tập", language="vi", now=NOW)


def test_two_processes_make_each_call_once(app, listener, webhook):
    for number in range(12):
        reader(app, f"doc{number}@docgia.example")
    together = threading.Barrier(3)

    def one():
        together.wait()
        run(app)

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run(app)
    assert len(listener.heard) == 12
    assert len({heard.id for heard in listener.heard}) == 12


def test_a_call_whose_process_died_is_made_again(app, listener, webhook):
    reader(app)
    telling.gather(app, NOW)
    [call] = calls(app, webhook)
    with app.db.begin() as conn:
        assert webhooks.claim(conn, call, until=NOW + calling.CLAIMED, now=NOW)
        assert not webhooks.claim(conn, call, until=NOW + calling.CLAIMED, now=NOW), "it is somebody's"
    assert run(app) == 0
    app.clock.at += calling.CLAIMED
    assert run(app) == 1


def test_what_was_taken_is_not_taken_by_another(app):
    for number in range(6):
        reader(app, f"doc{number}@docgia.example")
    with app.db.begin() as conn:
        first = subscribers.take_changes(conn, 4)
    with app.db.begin() as conn:
        second = subscribers.take_changes(conn, 4)
        assert changes.take(conn) == []
    assert (len(first), len(second)) == (4, 2)
    assert [one.id for one in first + second] == sorted(one.id for one in first + second)


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "url",
    [
        "http://nghe.example.org/hook",
        "ftp://nghe.example.org/",
        "https://user:pass@nghe.example.org/",
        "nghe.example.org",
    ],
)
def test_a_webhook_is_called_over_https_only(app, url):
    with pytest.raises((BadInput, FetchRefused)):
        telling.add(app, url, ["*"], addresses=False)


def test_an_event_there_is_not_is_refused_with_those_there_are(app):
    with pytest.raises(BadInput, match=r"issue\.sent"):
        telling.add(app, URL, ["issue.sold"], addresses=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "[::1]", "10.0.0.8"])
def test_no_address_of_our_own_network_is_called(app, listener, host):
    with app.db.begin() as conn:  # as before such were refused when they are added
        webhook = webhooks.add(conn, f"https://{host}/latest", ["*"], addresses=False, now=NOW)
    reader(app)
    assert run(app) == 0
    [call] = calls(app, webhook)
    assert "not public" in call.reason


def test_a_test_call_says_so_and_leaves_nothing(app, listener, webhook):
    assert calling.test(app, webhook) == (204, "")
    [heard] = listener.heard
    assert heard.told["type"] == "webhook.test"
    assert heard.is_signed_with(webhook.secret)
    assert calls(app, webhook) == []


def test_old_calls_are_forgotten_and_waiting_ones_are_not(app, listener, webhook):
    reader(app)
    run(app)
    listener.status = 500
    app.clock.at += timedelta(days=31)
    person_id = reader(app, "binh@docgia.example")
    run(app)
    assert [call.event.subject_id for call in calls(app, webhook)] == [person_id]
    with app.db.begin() as conn:
        webhooks.remove(conn, webhook.id)
        assert webhooks.listed(conn) == []


def test_leaving_by_the_link_in_a_mail_is_told(app, listener, webhook, tmp_path):
    """Through the readers' own way out, not only through `subscribers`."""
    person_id = reader(app)
    mailing = a_mailing(app)
    run(app)
    leave(app, app.keyring.make(Purpose.READER, mailing, person_id), how="one-click")
    run(app)
    assert listener.types == ["subscriber.subscribed", "subscriber.unsubscribed"]


def a_mailing(app):
    from newsletter.model import Mailing, MailingId, MailingKind, MailingState
    from newsletter.store import mailings

    made = Mailing(
        id=MailingId(new_id()), kind=MailingKind.ISSUE, state=MailingState.SENT, issue_id=None, list_slug="tin",
        sender_name="Viện", unknown_policy="hold", content_hash="0" * 64, nonce="n",
    )  # fmt: skip
    with app.db.begin() as conn:
        mailings.add(conn, made, now=NOW)
    return made.id
