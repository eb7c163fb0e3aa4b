"""Webhooks become rows: matched by token, provider id or address, once, in any order."""

import itertools
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from structlog.testing import capture_logs

import subscribers
from newsletter.mail import webhooks
from newsletter.mail.webhooks import Refused, Told, WebhookEvent, Why
from newsletter.model import DeliveryState, EventType
from newsletter.store import returns
from newsletter.track import hooks
from subscribers import ConsentGiven, ConsentSource
from tests.conftest import NOW
from tests.mail.webhooks import signing
from tests.mail.webhooks.signing import request
from tests.track.conftest import READERS

SECRETS = {
    "postmark": {"password": "vien:mat-khau"},
    "brevo": {"password": "vien:mat-khau", "former_password": "vien:cu"},
    "mailgun": {"signing": "khoa"},
    "mailjet": {"password": "vien:mat-khau"},
    "mailersend": {"signing": "khoa"},
}

DELIVERED = {"RecordType": "Delivery", "MessageID": "pm-0", "Recipient": "an@docgia.example",
             "DeliveredAt": "2026-11-22T08:00:00Z"}  # fmt: skip


def tell(world, body, slug="postmark", headers=None):
    return give(world, request(body, headers), slug)


def give(world, asked, slug):
    provider = webhooks.provider(slug)
    assert provider is not None
    return hooks.receive_webhook(world.app, provider, asked)


def bounce(**more):
    return {"RecordType": "Bounce", "Type": "HardBounce", "ID": 7, "Email": "an@docgia.example", "MessageID": "x",
            "Details": "smtp;550 5.1.1 user unknown an@docgia.example"} | more  # fmt: skip


def test_a_hard_bounce_is_matched_by_our_token_and_acted_on_once(sent):
    world = sent(webhooks=SECRETS)
    body = bounce(Email="khac@docgia.example", Metadata={"delivery": world.token()})
    assert [tell(world, body), tell(world, body)] == [1, 0]
    assert world.barred() is None
    assert (world.track(), world.track()) == (1, 0)
    assert world.barred() == "bounced"
    with world.app.db.read() as conn:
        [row] = returns.latest(conn, 5)
    assert "@" not in row["said"]


def test_the_providers_message_id_or_the_address_will_do(sent):
    world = sent(webhooks=SECRETS)
    tell(world, bounce(MessageID="pm-1", Email="binh@docgia.example"))
    tell(world, bounce(ID=8))
    world.track()
    assert [world.barred(n) for n in range(3)] == ["bounced", "bounced", None]
    tell(world, bounce(ID=9, Email="ai@khac.example", MessageID="<" + world.token(2) + "@vien.example>"))
    world.track()
    assert world.barred(2) == "bounced"


def test_what_matches_nobody_is_kept_and_harms_nobody(sent):
    world = sent(webhooks=SECRETS)
    for body in (bounce(Email="ai@khac.example"), bounce(ID=8, Email="not an address"), {"RecordType": "Bounce"}):
        assert tell(world, body) == 1
    assert world.track() == 3
    assert [world.barred(n) for n in range(3)] == [None] * 3


def test_a_request_that_is_not_proved_leaves_nothing(sent):
    world = sent(webhooks=SECRETS)
    with pytest.raises(Refused):
        tell(world, bounce(), headers={})
    with pytest.raises(Refused):
        tell(world, bounce(), slug="sendgrid")
    with world.app.db.read() as conn:
        assert returns.latest(conn, 5) == []


def test_the_former_password_still_counts(sent):
    world = sent(webhooks=SECRETS)
    assert tell(world, {"event": "spam", "email": "chi@hopthu.example"}, "brevo", signing.basic("vien:cu")) == 1
    world.track()
    assert world.state(2) == "complained"


def test_an_event_settles_a_delivery_of_unknown_fate(sent):
    world = sent(DeliveryState.UNKNOWN, webhooks=SECRETS)
    tell(world, DELIVERED)
    world.track()
    assert [world.delivery(n)["state"] for n in range(2)] == ["sent", "unknown"]
    assert world.told() == {EventType.DELIVERED: 1}


def test_unsubscribing_at_the_provider_leaves_the_list(sent):
    world = sent(webhooks=SECRETS)
    tell(world, {"event": "unsubscribe", "email": "an@docgia.example"}, "brevo")
    world.track()
    assert world.barred() == "left"


def comes_back(world, at, person=0):
    """Leaves, and joins again by their own hand at this moment."""
    given = ConsentGiven(form="f/1", wording="Đồng ý", language="vi", source=ConsentSource.FORM, ip="192.0.2.9")
    with world.app.db.begin() as conn:
        subscribers.unsubscribe(conn, "tin", world.people[person], now=at, reason="page")
        address = subscribers.parse_address(READERS[person])
        subscribers.subscribe(conn, "tin", address, now=at, key=world.app.suppression_key, consent=given)
        subscribers.confirm(conn, "tin", world.people[person], now=at)


def left_at(moment, email="an@docgia.example"):
    return {"event": "unsubscribe", "email": email, "ts_epoch": int(moment.timestamp() * 1000)}


@pytest.mark.parametrize(("days", "barred"), [(50, None), (36, None), (34, "left"), (1, "left")])
def test_a_late_word_of_leaving_does_not_end_what_was_joined_after_it(sent, days, barred):
    world = sent(webhooks=SECRETS)
    comes_back(world, NOW - timedelta(days=35))
    tell(world, left_at(NOW - timedelta(days=days)), "brevo")
    world.track()
    assert world.barred() == barred


def test_leaving_and_coming_back_end_the_same_in_either_order(sent):
    world = sent(webhooks=SECRETS)
    left, back = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
    tell(world, left_at(left, READERS[0]), "brevo")
    world.track()
    for person in (0, 1):
        comes_back(world, back, person)
    tell(world, left_at(left, READERS[1]), "brevo")
    world.track()
    assert [world.barred(person) for person in (0, 1)] == [None, None]


def untimed(slug, kind, at):
    """A complaint or a leaving as one of the providers tells it who prove no time."""
    who, epoch, iso = READERS[0], int(at.timestamp()), at.isoformat()
    spam = kind == "complaint"
    if slug == "mailersend":
        named = "spam_complaint" if spam else "unsubscribed"
        return signing.mailersend({"created_at": iso, "data": {"type": named, "id": "e1", "recipient": who}})
    if slug == "postmark":
        left = {"RecordType": "SubscriptionChange", "SuppressSending": True, "SuppressionReason": "ManualSuppression",
                "Recipient": who, "ChangedAt": iso}  # fmt: skip
        return request({"RecordType": "SpamComplaint", "ID": 5, "Email": who, "BouncedAt": iso} if spam else left)
    if slug == "brevo":
        return request({"event": "spam" if spam else "unsubscribe", "email": who, "ts_epoch": epoch * 1000})
    return request([{"event": "spam" if spam else "unsub", "email": who, "time": epoch}])


UNTIMED = list(itertools.product(["mailersend", "postmark", "brevo", "mailjet"], ["complaint", "leaving"]))


@pytest.mark.parametrize(("slug", "kind"), UNTIMED)
def test_what_is_sent_again_is_known_or_too_old_also_when_its_row_is_gone(sent, slug, kind):
    world = sent(webhooks=SECRETS, bounces={"keep_days": 30})
    asked = untimed(slug, kind, NOW)
    answers = [give(world, asked, slug)]
    for since in (timedelta(days=30), timedelta(days=30, hours=2), timedelta(days=31), timedelta(days=31, hours=2)):
        world.app.clock.at = NOW + since
        world.track(world.app.clock.at)
        answers.append(give(world, asked, slug))
    assert answers == [1, 0, 0, 0, 0]
    with world.app.db.read() as conn:
        assert returns.latest(conn, 5) == []


@pytest.mark.parametrize(("slug", "kind"), UNTIMED)
def test_what_is_too_old_does_nothing_and_is_counted(sent, slug, kind):
    world = sent(webhooks=SECRETS, bounces={"keep_days": 30})
    comes_back(world, NOW - timedelta(days=90))
    with capture_logs() as said:
        assert give(world, untimed(slug, kind, NOW - timedelta(days=31)), slug) == 0
    assert [line["too_old"] for line in said if line["event"] == "webhook"] == [1]
    world.track()
    assert (world.barred(), world.told()) == (None, {})
    assert give(world, untimed(slug, kind, NOW - timedelta(days=29)), slug) == 1
    world.track()
    assert world.barred() == ("complained" if kind == "complaint" else "left")


def form(told):
    return request(urlencode(told).encode(), {}, content_type="application/x-www-form-urlencoded")


def test_a_token_of_mailgun_tells_one_event_whatever_the_body_says_then(sent):
    """Its signature covers time and token, not the body: who sees one request could write any other."""
    world = sent(webhooks=SECRETS)
    first = signing.mailgun({"event": "delivered", "recipient": "an@docgia.example"}, at=NOW)
    others = [
        request({**first, "event-data": {"event": event, "recipient": reader}}, {})
        for event in ("complained", "unsubscribed", "delivered")
        for reader in ("an@docgia.example", "binh@docgia.example")
    ]
    others.append(form({**first["signature"], "event": "complained", "recipient": "chi@hopthu.example"}))
    assert give(world, request(first, {}), "mailgun") == 1
    assert [give(world, other, "mailgun") for other in others] == [0] * 7
    world.track()
    assert [world.barred(n) for n in range(3)] == [None] * 3
    again = signing.mailgun({"event": "complained", "recipient": "an@docgia.example"}, at=NOW, token="u" * 50)
    assert give(world, request(again, {}), "mailgun") == 1
    world.track()
    assert world.barred() == "complained"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_events_changes_nothing(sent, order):
    world = sent(webhooks=SECRETS)
    told = [
        DELIVERED,
        bounce(MessageID="pm-0"),
        {
            "RecordType": "Open",
            "MessageID": "pm-0",
            "Recipient": "an@docgia.example",
            "ReceivedAt": "2026-11-22T09:00:00Z",
        },
    ]
    for number in order:
        tell(world, told[number])
        world.track()
    assert world.barred() == "bounced"
    assert world.told() == {EventType.DELIVERED: 1, EventType.BOUNCED: 1, EventType.OPENED: 1}


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (WebhookEvent(event_type=Told.BOUNCED, permanent=True), "hard"),
        (WebhookEvent(event_type=Told.BOUNCED, permanent=False), "soft"),
        (WebhookEvent(event_type=Told.BOUNCED), "soft"),
        (WebhookEvent(event_type=Told.BOUNCED, permanent=True, mta_response="552 5.2.2 mailbox full"), "soft"),
        (WebhookEvent(event_type=Told.BOUNCED, permanent=True, mta_response="554 blocked using a DNSBL"), "block"),
        (WebhookEvent(event_type=Told.BOUNCED, permanent=False, mta_response="550 5.1.1 no such user"), "soft"),
        (WebhookEvent(event_type=Told.BOUNCED, reject_reason=Why.INVALID), "hard"),
        (WebhookEvent(event_type=Told.REJECTED, reject_reason=Why.BOUNCED), "hard"),
        (WebhookEvent(event_type=Told.REJECTED, reject_reason=Why.BLOCKED), "block"),
        (WebhookEvent(event_type=Told.REJECTED, reject_reason=Why.SPAM), "complaint"),
        (WebhookEvent(event_type=Told.REJECTED, reject_reason=Why.UNSUBSCRIBED), "left"),
        (WebhookEvent(event_type=Told.DEFERRED), "deferred"),
        (WebhookEvent(event_type=Told.AUTORESPONDED), "autoreply"),
        (WebhookEvent(event_type=Told.UNKNOWN), "unread"),
    ],
)
def test_the_kind_of_an_event(event, kind):
    assert hooks.judged(event)[0] == kind
