"""Each provider: what proves a request, what is refused, and what its events become."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.mail import webhooks
from newsletter.mail.webhooks import (
    Credentials,
    Refused,
    Told,
    Why,
    brevo,
    mailersend,
    mailgun,
    mailjet,
    postmark,
    resend,
    sendgrid,
    ses,
)
from tests.mail.webhooks import signing
from tests.mail.webhooks.signing import BASIC, NOW, SECRET, basic, request

LATER = NOW + timedelta(minutes=6)
AN = "an@docgia.example"

BODIES = {
    "brevo": {"event": "delivered", "email": AN},
    "mailjet": [{"event": "sent", "email": AN}],
    "postmark": {"RecordType": "Delivery", "Recipient": AN},
}


# ---------------------------------------------------------------- the door


def test_providers_are_found_by_slug_or_name_in_any_case():
    assert [one.slug for one in webhooks.PROVIDERS] == [
        "ses", "mailgun", "postmark", "brevo", "resend", "sendgrid", "mailjet", "mailersend",
    ]  # fmt: skip
    assert webhooks.provider("amazon SES") is webhooks.provider("ses") is not None
    assert webhooks.provider("nobody") is None


@pytest.mark.parametrize("slug", BODIES)
def test_a_wrong_or_missing_password_is_refused(slug):
    provider = webhooks.provider(slug)
    assert provider is not None
    assert [one.event_type for one in provider.read(request(BODIES[slug]), BASIC, NOW)] == [Told.DELIVERED]
    for headers in ({}, basic("vien:sai"), {"Authorization": "Bearer x"}, {"Authorization": "Basic ?"}, basic("")):
        with pytest.raises(Refused):
            provider.read(request(BODIES[slug], headers), BASIC, NOW)


@pytest.mark.parametrize("slug", [one.slug for one in webhooks.PROVIDERS])
def test_without_a_secret_nothing_is_believed(slug):
    provider = webhooks.provider(slug)
    assert provider is not None
    asked = request({"Type": "Notification", "MessageId": "1"}, basic() | {"x-amz-sns-message-type": "Notification"})
    with pytest.raises(Refused):
        provider.read(replace(asked, headers=asked.headers | {"x-amz-sns-message-id": "1"}), Credentials(), NOW)


def test_two_passwords_count_while_one_is_changed():
    two = Credentials(basic=("vien:cu", "vien:moi"))
    for user in ("vien:cu", "vien:moi"):
        assert brevo.read(request(BODIES["brevo"], basic(user)), two, NOW)


@pytest.mark.parametrize("body", [b"", b"\xff", b"{", b"[" * 5000, b"3", b'"x"', b"[1]", b"null"])
@pytest.mark.parametrize("read", [brevo.read, mailjet.read, postmark.read])
def test_what_is_no_event_is_refused(read, body):
    with pytest.raises(Refused):
        read(request(body), BASIC, NOW)


@pytest.mark.parametrize("value", [None, [], {}, "x", 10**40, True, [[["x"]]]])
def test_fields_of_any_shape_are_borne(value):
    names = (
        "event",
        "email",
        "ts_epoch",
        "tags",
        "X-Mailin-custom",
        "time",
        "error",
        "Payload",
        "MessageID",
        "Metadata",
    )
    body = dict.fromkeys((*names, "RecordType", "Type", "BouncedAt", "hard_bounce", "message-id"), value)
    for read in (brevo.read, mailjet.read, postmark.read):
        assert len(read(request(body), BASIC, NOW)) == 1
    grid = Credentials(basic=BASIC.basic)
    assert len(sendgrid.read(request(dict.fromkeys(("event", "timestamp", "type", "reason"), value)), grid, NOW)) == 1
    deep = {"event-data": value}
    assert mailgun.read(request(signing.mailgun(value) | deep, {}), Credentials(signing="khoa"), NOW)
    assert resend.read(signing.svix({"type": value, "data": {"to": value, "headers": value, "bounce": value}}),
                       Credentials(signing=SECRET), NOW)  # fmt: skip
    assert mailersend.read(
        signing.mailersend({"data": {"email": value, "morph": value}}), Credentials(signing="khoa"), NOW
    )


# ---------------------------------------------------------------- those with a password only


@pytest.mark.parametrize(
    ("told", "event_type", "why", "permanent"),
    [
        ("hard_bounce", Told.BOUNCED, Why.BOUNCED, True),
        ("soft_bounce", Told.BOUNCED, Why.BOUNCED, False),
        ("spam", Told.COMPLAINED, Why.SPAM, None),
        ("blocked", Told.REJECTED, Why.BLOCKED, None),
        ("mới", Told.UNKNOWN, None, None),
    ],
)
def test_brevo(told, event_type, why, permanent):
    body = {"event": told, "email": AN, "ts_epoch": 1795334400000, "message-id": "<m@vien.example>", "tag": "tin"}
    [event] = brevo.read(request(body | {"X-Mailin-custom": '{"delivery": "tok"}'}), BASIC, NOW)
    assert (event.event_type, event.reject_reason, event.permanent) == (event_type, why, permanent)
    assert event.timestamp == datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    assert (event.tags, event.metadata, event.message_id) == (["tin"], {"delivery": "tok"}, "<m@vien.example>")


def test_mailjet_takes_one_event_or_many_and_greylisting_is_no_bounce():
    bounce = {
        "event": "bounce",
        "time": 1795334400,
        "MessageID": 2**60,
        "email": AN,
        "hard_bounce": True,
        "error": "user unknown",
    }
    grey = bounce | {"hard_bounce": False, "error": "greylisted"}
    first, second = mailjet.read(request([bounce, grey]), BASIC, NOW)
    assert (first.event_type, first.message_id, first.permanent) == (Told.BOUNCED, str(2**60), True)
    assert second.event_type is Told.DEFERRED
    assert len(mailjet.read(request(bounce), BASIC, NOW)) == 1
    assert mailjet.read(request([]), BASIC, NOW) == []


@pytest.mark.parametrize(
    ("told", "event_type"),
    [
        ({"RecordType": "Bounce", "Type": "HardBounce"}, Told.BOUNCED),
        ({"RecordType": "Bounce", "Type": "AutoResponder"}, Told.AUTORESPONDED),
        ({"RecordType": "Bounce", "Type": "Transient"}, Told.DEFERRED),
        ({"RecordType": "SpamComplaint", "Type": "SpamComplaint"}, Told.COMPLAINED),
        ({"RecordType": "SubscriptionChange", "SuppressSending": False}, Told.SUBSCRIBED),
        ({"RecordType": "SubscriptionChange", "SuppressSending": True, "SuppressionReason": "HardBounce"}, Told.BOUNCED),
        ({"RecordType": "SubscriptionChange", "SuppressSending": True, "SuppressionReason": "ManualSuppression"},
         Told.UNSUBSCRIBED),
        ({}, Told.UNKNOWN),
    ],
)  # fmt: skip
def test_postmark(told, event_type):
    [event] = postmark.read(
        request(told | {"Metadata": {"delivery": "tok"}, "BouncedAt": "2026-11-22T08:00:00.1234567+07:00"}), BASIC, NOW
    )
    assert event.event_type is event_type
    assert event.metadata == {"delivery": "tok"}
    assert event.timestamp is not None
    assert event.timestamp.isoformat() == "2026-11-22T08:00:00.123456+07:00"


def test_postmarks_inbound_hook_is_refused_with_a_hint():
    with pytest.raises(Refused, match="inbound"):
        postmark.read(request({"FromFull": {}}), BASIC, NOW)


# ---------------------------------------------------------------- those that sign


def test_resend_is_proved_by_svix_and_an_old_request_is_a_replay():
    body = {"type": "email.bounced", "created_at": "2026-11-22T08:00:00Z", "data": {
        "email_id": "e-1", "to": ["An <an@docgia.example>"],
        "bounce": {"message": "sent a hard bounce message", "type": "Permanent"},
        "headers": [{"name": "X-Metadata", "value": '{"delivery": "tok"}'}]}}  # fmt: skip
    credentials = Credentials(signing=SECRET)
    [event] = resend.read(signing.svix(body), credentials, NOW)
    assert (event.event_type, event.recipient, event.event_id) == (Told.BOUNCED, AN, "msg_1")
    assert (event.permanent, event.metadata, event.message_id) == (True, {"delivery": "tok"}, "e-1")
    asked = signing.svix(body)
    for wrong in (
        replace(asked, body=asked.body.replace(b"bounced", b"clicked")),
        replace(asked, headers=asked.headers | {"svix-id": "msg_2"}),
        replace(asked, headers={}),
    ):
        with pytest.raises(Refused, match="signature"):
            resend.read(wrong, credentials, NOW)
    with pytest.raises(Refused, match="time"):
        resend.read(asked, credentials, LATER)
    assert resend.read(asked, credentials, None), "a recording has no now"
    with pytest.raises(Refused, match="damaged"):
        resend.read(asked, Credentials(signing="whsec_?"), NOW)


def test_where_a_password_is_set_too_both_must_fit():
    both = Credentials(signing=SECRET, basic=BASIC.basic)
    with pytest.raises(Refused):
        resend.read(signing.svix({"type": "email.sent"}), both, NOW)


def test_mailgun_json():
    data = {"event": "failed", "severity": "permanent", "reason": "bounce", "timestamp": 1795334400.5, "recipient": AN,
            "message": {"headers": {"message-id": "m@vien.example"}}, "delivery-status": {"message": "550 5.1.1 unknown"},
            "user-variables": {"delivery": "tok"}}  # fmt: skip
    credentials = Credentials(signing="khoa")
    [event] = mailgun.read(request(signing.mailgun(data), {}), credentials, NOW)
    assert (event.event_type, event.reject_reason, event.permanent) == (Told.BOUNCED, Why.BOUNCED, True)
    assert (event.message_id, event.event_id, event.metadata) == ("<m@vien.example>", "t" * 50, {"delivery": "tok"})
    [late] = mailgun.read(request(signing.mailgun(data | {"severity": "temporary"}), {}), credentials, NOW)
    assert late.event_type is Told.DEFERRED
    for wrong in (
        signing.mailgun(data, key="sai"),
        {"event-data": data},
        {},
        {"signature": {"token": "", "timestamp": "", "signature": ""}},
    ):
        with pytest.raises(Refused, match="signature"):
            mailgun.read(request(wrong, {}), credentials, NOW)
    with pytest.raises(Refused, match="time"):
        mailgun.read(request(signing.mailgun(data), {}), credentials, LATER)


@pytest.mark.parametrize("multipart", [True, False])
def test_mailgun_form_fields_where_our_variables_stand_among_its_own(multipart):
    signed = signing.mailgun({})["signature"]
    fields = [("event", "opened"), ("recipient", AN), ("delivery", "tok"), ("token", "mine"), *signed.items()]
    if multipart:
        kind = 'multipart/form-data; boundary="XX"'
        body = (
            "".join(f'--XX\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields)
            + "--XX--\r\n"
        )
    else:
        kind, body = "application/x-www-form-urlencoded", "&".join(f"{n}={v}" for n, v in fields)
    [event] = mailgun.read(request(body.encode(), {}, content_type=kind), Credentials(signing="khoa"), NOW)
    assert (event.event_type, event.recipient, event.event_id) == (Told.OPENED, AN, "t" * 50)
    assert event.metadata == {"delivery": "tok", "token": "mine"}


def test_mailgun_form_variables_in_the_headers_come_first():
    headers = json.dumps([["X-Mailgun-Variables", '{"delivery": "tok"}'], ["To", "x"], "damaged"])
    fields = [
        ("event", "bounced"),
        ("code", "550"),
        ("message-headers", headers),
        *signing.mailgun({})["signature"].items(),
    ]
    body = "".join(f'--XX\nContent-Disposition: form-data; name="{n}"\n\n{v}\n' for n, v in fields) + "--XX--\n"
    asked = request(body.encode(), {}, content_type="multipart/form-data; boundary=XX")
    [event] = mailgun.read(asked, Credentials(signing="khoa"), NOW)
    assert (event.metadata, event.reject_reason, event.permanent) == ({"delivery": "tok"}, Why.BOUNCED, True)


def test_mailersend_in_both_shapes():
    credentials = Credentials(signing="khoa")
    flat = {"type": "activity.hard_bounced", "created_at": "2026-11-22T08:00:00Z", "data": {
        "id": "e1", "type": "hard_bounced", "message_id": "m1", "recipient": AN,
        "meta": {"bounce_reason": "gone", "bounce_code": 550}}}  # fmt: skip
    [event] = mailersend.read(signing.mailersend(flat), credentials, NOW)
    assert (event.event_type, event.description, event.mta_response, event.permanent) == (
        Told.BOUNCED,
        "gone",
        "550",
        True,
    )
    nested = {"data": {"id": "e2", "type": "spam_complaint", "email": {"recipient": {"email": AN}, "message": {"id": "m2"}},
                       "morph": {"object": "spam_complaint", "reason": None}}}  # fmt: skip
    [event] = mailersend.read(signing.mailersend(nested), credentials, NOW)
    assert (event.event_type, event.reject_reason, event.message_id) == (Told.COMPLAINED, Why.SPAM, "m2")
    assert mailersend.read(signing.mailersend({"type": "webhook.test"}), credentials, NOW) == []
    with pytest.raises(Refused, match="signature"):
        mailersend.read(signing.mailersend(flat, key="sai"), credentials, NOW)
    with pytest.raises(Refused, match="inbound"):
        mailersend.read(signing.mailersend({"type": "inbound.message"}), credentials, NOW)


def test_sendgrid_is_proved_by_its_key():
    key = signing.SendGridKey()
    credentials = Credentials(signing=key.public)
    body = [{"event": "bounce", "type": "bounce", "email": AN, "timestamp": 1795334400, "sg_event_id": "s1",
             "smtp-id": "<m@vien.example>", "reason": "550 5.1.1 unknown", "delivery": "tok"},
            {"event": "dropped", "reason": "Bounced Address", "email": AN}]  # fmt: skip
    asked = key.sign(body)
    first, second = sendgrid.read(asked, credentials, NOW)
    assert (first.event_type, first.permanent, first.metadata) == (Told.BOUNCED, True, {"delivery": "tok"})
    assert (first.mta_response, first.message_id, first.event_id) == ("550 5.1.1 unknown", "<m@vien.example>", "s1")
    assert (second.event_type, second.reject_reason, second.mta_response) == (Told.REJECTED, Why.BOUNCED, None)
    stamp = "X-Twilio-Email-Event-Webhook-Timestamp"
    for wrong in (
        replace(asked, body=asked.body + b" "),
        replace(asked, headers=asked.headers | {stamp: ""}),
        replace(asked, headers=asked.headers | {stamp: "1"}),
        replace(asked, headers={}),
        signing.SendGridKey().sign(body),
    ):
        with pytest.raises(Refused):
            sendgrid.read(wrong, credentials, NOW)
    with pytest.raises(Refused, match="time"):
        sendgrid.read(asked, credentials, LATER)
    with pytest.raises(Refused, match="damaged"):
        sendgrid.read(asked, Credentials(signing="AAAA"), NOW)


BOUNCE = {"eventType": "Bounce", "mail": {"messageId": "ses-1", "destination": [AN],
                                          "headers": [{"name": "X-Tag", "value": "tin"}]},
          "bounce": {"bounceType": "Permanent", "bounceSubType": "General",
                     "bouncedRecipients": [{"emailAddress": AN, "diagnosticCode": "smtp; 550 5.1.1 unknown"}]}}  # fmt: skip


@pytest.fixture(scope="module")
def topic() -> signing.Topic:
    return signing.Topic()


def test_ses_by_password(topic):
    [event] = ses.read(signing.sns(topic.note(BOUNCE)), BASIC, NOW)
    assert (event.event_type, event.recipient, event.message_id, event.event_id) == (Told.BOUNCED, AN, "ses-1", "n-1")
    assert (event.permanent, event.tags, event.description) == (True, ["tin"], "Permanent: General")
    with pytest.raises(Refused):
        ses.read(signing.sns(topic.note(BOUNCE), {}), BASIC, NOW)


def test_ses_by_topic_and_signature(topic):
    credentials = Credentials(topics=("arn:aws:sns:eu-west-1:123456789012:khac", topic.arn))
    note = topic.note(BOUNCE)
    asked = signing.sns(note, {})
    assert ses.certificate_url(asked) == "https://sns.eu-west-1.amazonaws.com/cert.pem"
    assert ses.read(asked, credentials, NOW, certificate=topic.certificate)
    for wrong, certificate in (
        (asked, None),
        (asked, signing.Topic().certificate),
        (asked, b"no certificate"),
        (signing.sns(note | {"Message": "{}"}, {}), topic.certificate),
        (signing.sns(note | {"TopicArn": topic.arn + "x"}, {}), topic.certificate),
        (signing.sns(note | {"SignatureVersion": "9"}, {}), topic.certificate),
    ):
        with pytest.raises(Refused):
            ses.read(wrong, credentials, NOW, certificate=certificate)


@pytest.mark.parametrize(
    "url",
    ["http://sns.eu-west-1.amazonaws.com/c.pem", "https://sns.eu-west-1.amazonaws.com.evil.example/c.pem",
     "https://evil.example/sns.eu-west-1.amazonaws.com/c.pem", "https://sns.x@evil.example/.amazonaws.com/c.pem",
     "https://s3.eu-west-1.amazonaws.com/c.pem", "https://sns.eu-west-1.amazonaws.com:8443/c.pem", 3, None],
)  # fmt: skip
def test_only_amazons_own_addresses_are_ever_fetched(topic, url):
    note = topic.note("", kind="SubscriptionConfirmation")
    assert ses.certificate_url(signing.sns(note | {"SigningCertURL": url})) is None
    assert ses.subscribe_url(signing.sns(note | {"SubscribeURL": url})) is None
    assert ses.subscribe_url(signing.sns(note)) is not None
    assert ses.subscribe_url(signing.sns(topic.note(BOUNCE))) is None


def test_ses_refuses_what_differs_between_header_and_body_and_what_is_old(topic):
    note = topic.note(BOUNCE)
    for headers in ({"x-amz-sns-message-type": "SubscriptionConfirmation"}, {"x-amz-sns-message-id": "other"}):
        with pytest.raises(Refused):
            ses.read(signing.sns(note, basic() | headers), BASIC, NOW)
    with pytest.raises(Refused, match="time"):
        ses.read(signing.sns(note), BASIC, NOW + timedelta(hours=2))
    assert ses.read(signing.sns(note), BASIC, NOW + timedelta(minutes=50)), "SNS repeats for an hour"


@pytest.mark.parametrize(
    ("told", "event_type", "recipients"),
    [
        (
            {"eventType": "Complaint", "complaint": {"complainedRecipients": [{"emailAddress": AN}]}},
            Told.COMPLAINED,
            [AN],
        ),
        ({"notificationType": "Delivery", "delivery": {"recipients": [AN]}}, Told.DELIVERED, [AN]),
        ({"eventType": "Open", "mail": {"destination": [AN, "b@c.example"]}}, Told.OPENED, [AN, "b@c.example"]),
        (
            {"eventType": "Rendering Failure", "mail": {"destination": [AN]}, "failure": {"errorMessage": "x"}},
            Told.FAILED,
            [AN],
        ),
        ({"eventType": "DeliveryDelay", "mail": {"destination": [AN]}, "deliveryDelay": {}}, Told.DEFERRED, [AN]),
        ({"eventType": "Mới", "mail": {"destination": [AN]}}, Told.UNKNOWN, [AN]),
        ({"eventType": "Bounce", "bounce": None}, None, []),
        ({}, None, []),
    ],
)
def test_ses_events(topic, told, event_type, recipients):
    events = ses.read(signing.sns(topic.note(told)), BASIC, NOW)
    assert [event.recipient for event in events] == recipients
    assert {event.event_type for event in events} == ({event_type} if event_type else set())


def test_sns_housekeeping_tells_nothing(topic):
    told = "Successfully validated SNS topic for Amazon SES event publishing."
    assert ses.read(signing.sns(topic.note(told)), BASIC, NOW) == []
    assert ses.read(signing.sns(topic.note("x", kind="SubscriptionConfirmation")), BASIC, NOW) == []
