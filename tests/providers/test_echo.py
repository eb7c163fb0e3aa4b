"""What an adapter sends along is what the reader of the provider's webhook finds: so events settle rows of unknown fate."""

import json

import pytest

from newsletter.mail import webhooks
from newsletter.mail.webhooks import Credentials
from tests.mail.webhooks import signing
from tests.providers.conftest import batch, everybody, people

TO = "doc.gia0@thu0.example"
TOPIC = signing.Topic()
SENDGRID = signing.SendGridKey()


def postmark(sent, token):
    return signing.request({"RecordType": "Delivery", "Recipient": TO, "Metadata": sent[0]["Metadata"]}), signing.BASIC


def brevo(sent, token):
    echoed = sent["messageVersions"][0]["headers"]["X-Mailin-Custom"]
    return signing.request({"event": "delivered", "email": TO, "X-Mailin-custom": echoed}), signing.BASIC


def mailjet(sent, token):
    echoed = sent["Messages"][0]["EventPayload"]
    return signing.request([{"event": "sent", "email": TO, "Payload": echoed}]), signing.BASIC


def resend(sent, token):
    echoed = {tag["name"]: tag["value"] for tag in sent[0]["tags"]}
    told = {"type": "email.delivered", "data": {"to": [TO], "tags": echoed}}
    return signing.svix(told), Credentials(signing=signing.SECRET)


def sendgrid(sent, token):
    told = {"event": "delivered", "email": TO, **sent["personalizations"][0]["custom_args"]}
    return SENDGRID.sign([told]), Credentials(signing=SENDGRID.public)


def mailgun(sent, token):
    told = signing.mailgun({"event": "delivered", "recipient": TO, "user-variables": {"delivery": token}})
    return signing.request(told), Credentials(signing="khoa")


def ses(sent, token):
    echoed = {tag["Name"]: [tag["Value"]] for tag in sent["EmailTags"]}
    told = {"eventType": "Delivery", "mail": {"messageId": "1", "tags": echoed}, "delivery": {"recipients": [TO]}}
    return signing.sns(TOPIC.note(told)), signing.BASIC


@pytest.mark.parametrize("event_of", [postmark, mailgun, brevo, resend, sendgrid, mailjet, ses])
def test_the_trace_token_comes_back_with_the_events(bench_of, event_of):
    bench = bench_of(event_of.__name__)
    [outgoing] = batch(people(1))
    bench.transport().open().send([outgoing], everybody)
    [(_, _, body)] = bench.server.requests
    sent = json.loads(body) if event_of is not mailgun else None
    request, credentials = event_of(sent, bench.server.received[0].delivery)
    provider = webhooks.provider(event_of.__name__)
    assert provider is not None
    [event] = provider.read(request, credentials, signing.NOW)
    assert event.recipient == TO
    assert event.metadata["delivery"] == outgoing.message.reader.message_id_token
