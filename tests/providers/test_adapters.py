"""What is one provider's own: signatures, odd answers, names, limits, settings."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.app import Fate
from newsletter.deliver import providers
from newsletter.deliver.providers import reading, writing
from newsletter.deliver.providers.contract import Trouble
from newsletter.deliver.providers.generic import GenericAdapter, filled
from newsletter.deliver.providers.sigv4 import Keys, signed
from newsletter.errors import ConfigError
from newsletter.http import Posted
from newsletter.settings import file as settingsfile
from newsletter.settings import load
from newsletter.settings.providers import PLACEHOLDERS, placeholders
from tests.providers.conftest import batch, everybody, people


def posted(status, body=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    after = float(named["retry-after"]) if "retry-after" in named else None
    return Posted(status=status, json=body, text=json.dumps(body), headers=named, retry_after=after)


# ---------------------------------------------------------------- the signature of AWS

EXAMPLE = Keys(
    access_key_id="AKIDEXAMPLE",
    secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    region="us-east-1",
    service="service",
)
THEN = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "body", "signature"),
    [  # post-vanilla, post-header-key-case, post-x-www-form-urlencoded of aws-sig-v4-test-suite
        ({}, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
)
def test_requests_are_signed_as_in_the_published_vectors(headers, body, signature):
    made = signed(EXAMPLE, "https://example.amazonaws.com/", body, headers=headers, now=THEN)
    assert made["X-Amz-Date"] == "20150830T123600Z"
    assert made["Authorization"].endswith(f"Signature={signature}")
    assert "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request" in made["Authorization"]


def test_a_session_token_is_part_of_what_is_signed():
    keys = Keys(access_key_id="a", secret_access_key="b", session_token="c", region="r", service="ses")
    made = signed(keys, "https://email.r.amazonaws.com/v2/x", b"", headers={}, now=THEN)
    assert made["X-Amz-Security-Token"] == "c"
    assert "x-amz-security-token" in made["Authorization"]
    assert "'b'" not in repr(keys)


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (posted(429, retry_after="7"), 7),
        (posted(429, ratelimit_reset="3"), 3),
        (posted(429, x_sib_ratelimit_reset="30"), 30),
        (posted(429, x_ratelimit_reset="1000000001"), 0),  # long ago
        (posted(429, x_ratelimit_reset="2026-11-23"), None),
        (posted(429), None),
    ],
)
def test_how_long_to_wait_is_read_from_whatever_says_it(answer, seconds):
    assert reading.wait_of(answer) == seconds


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        *((status, "throttled") for status in (429, 503)),
        *((status, "down") for status in (302, 401, 402, 403, 404, 405)),
        *((status, "content") for status in (400, 413, 422)),
        *((status, "lost") for status in (200, 408, 409, 500, 502, 504)),
    ],
)
def test_a_status_means_the_same_everywhere(status, trouble):
    found = reading.refusal(posted(status), "to reader@thu.example")
    assert found.trouble == trouble
    assert "reader@" not in found.words


@pytest.mark.parametrize(
    ("kind", "answer", "trouble", "after"),
    [
        ("ses", posted(400, {"message": "x"}, x_amzn_errortype="SendingPausedException:http://a/"), "down", None),
        ("ses", posted(400, {"__type": "a#MailFromDomainNotVerifiedException"}), "down", None),
        ("ses", posted(400, {"message": "x"}, x_amzn_errortype="LimitExceededException"), "throttled", None),
        (
            "ses",
            posted(429, {"message": "Daily message quota exceeded."}, x_amzn_errortype="TooManyRequestsException"),
            "throttled",
            3600.0,
        ),
        ("resend", posted(429, {"name": "daily_quota_exceeded", "message": "x"}), "throttled", 3600.0),
        ("resend", posted(409, {"name": "concurrent_idempotent_requests", "message": "x"}), "lost", None),
        ("resend", posted(451, {"name": "security_error", "message": "x"}), "content", None),
        ("resend", posted(200, {"data": [{"id": "1"}], "errors": [{"index": 7, "message": "x"}]}), "lost", None),
        ("brevo", posted(201, {"messageIds": ["1", "2", "3"]}), "lost", None),
        ("brevo", posted(402, {"code": "not_enough_credits", "message": "x"}), "down", None),
        ("postmark", posted(422, {"ErrorCode": 405, "Message": "Not allowed to send"}), "down", None),
        ("postmark", posted(200, [{"ErrorCode": 0}]), "lost", None),
        ("mailjet", posted(400, {"ErrorCode": "mj-0004", "ErrorMessage": "x"}), "content", None),
        ("mailersend", posted(202, None), "lost", None),
        ("sendgrid", posted(200, {}), "lost", None),
    ],
)
def test_what_a_provider_says_in_its_own_way(bench_of, kind, answer, trouble, after):
    adapter = bench_of(kind).transport().adapter
    found = adapter.answers(answer, min(2, adapter.most))
    assert found.trouble is Trouble(trouble)
    assert found.after == after


def test_an_answer_of_one_message_counts_for_that_message(bench_of):
    adapter = bench_of("mailjet").transport().adapter
    errors = [{"StatusCode": 401}, {"StatusCode": 500}, {"StatusCode": 429}, {}]
    body = {"Messages": [{"Status": "error", "Errors": [one]} for one in errors]}
    fates = [(answer.fate, bool(answer.down)) for answer in adapter.answers(posted(400, body), 4)]
    assert fates == [(Fate.RETRY, True), (Fate.RETRY, False), (Fate.RETRY, False), (Fate.UNKNOWN, False)]


@pytest.mark.parametrize(
    ("reason", "kind"), [("hard_bounced", "hard"), ("spam_complaint", "block"), ("unsubscribed", None)]
)
def test_whom_mailersend_suppresses_is_rejected_with_the_reason(bench_of, reason, kind):
    adapter = bench_of("mailersend").transport().adapter
    warning = {"type": "ALL_SUPPRESSED", "recipients": [{"email": "a@thu.example", "reasons": [reason]}]}
    [outcome] = adapter.answers(posted(202, {"warnings": [warning]}), 1)
    assert (outcome.fate, outcome.kind) == (Fate.REJECTED, kind)
    assert reason in outcome.reply
    assert "@" not in outcome.reply


def test_brevo_accepts_a_batch_whose_ids_it_does_not_tell(bench_of):
    adapter = bench_of("brevo").transport().adapter
    assert [one.fate for one in adapter.answers(posted(202, {}), 2)] == [Fate.ACCEPTED] * 2
    [one] = adapter.answers(posted(201, {"messageId": "<a@b>"}), 1)
    assert one.provider_id == "<a@b>"


# ---------------------------------------------------------------- requests


def test_a_name_that_needs_quotes_keeps_them_out_of_resend(bench_of):
    bench = bench_of("resend")
    message = batch(people(1), name='Trần, "Út" Văn', sender="Ban Biên tập, Viện")
    [outcome] = bench.transport().open().send(message, everybody)
    assert outcome.fate is Fate.ACCEPTED
    [sent] = json.loads(bench.server.requests[0][2])
    assert (sent["from"], sent["to"]) == ("bantin@vien.example", people(1))


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("doc@thu.example", "", "doc@thu.example"),
        ("Nguyễn Văn Thử <doc@thu.example>", "Nguyễn Văn Thử", "doc@thu.example"),
        ('"Trần, \\"Út\\" Văn" <doc@thu.example>', 'Trần, "Út" Văn', "doc@thu.example"),
        ('"a <b@c> d" <doc@thu.example>', "a <b@c> d", "doc@thu.example"),
    ],
)
def test_a_mailbox_is_taken_apart_as_it_was_put_together(text, name, address):
    assert writing.mailbox(text) == (name, address)


def test_a_repeated_request_is_the_same_request(bench_of):
    bench = bench_of("brevo")
    bench.server.faults = ["drop", "500"]
    outcomes = bench.transport().open().send(batch(people(3)), everybody)
    assert [outcome.fate for outcome in outcomes] == [Fate.ACCEPTED] * 3
    first, *others = [body for _, _, body in bench.server.requests]
    assert others == [first, first]
    assert len(bench.server.received) == 3


def test_other_messages_never_share_a_key(bench_of):
    bench = bench_of("resend")
    transport = bench.transport()
    for messages in (batch(people(3)), batch(people(2)), batch(people(3)[::-1])):
        transport.open().send(messages, everybody)
    assert len({headers["idempotency-key"] for _, headers, _ in bench.server.requests}) == 3


def test_mailersend_leaves_headers_away_that_a_plan_lacks(bench_of):
    bench = bench_of("mailersend")
    bench.transport(custom_headers=False).open().send(batch(people(1)), everybody)
    sent = json.loads(bench.server.requests[0][2])
    assert "headers" not in sent
    assert sent["list_unsubscribe"] == "https://news.vien.example/u/0"
    assert sent["precedence_bulk"] is True


def test_a_rest_never_outlasts_what_was_asked_when_the_clock_is_set_back(bench_of):
    bench = bench_of("resend")
    transport = bench.transport()
    transport.account.rest(100)
    bench.at -= timedelta(days=1)
    assert transport.account.left() == 100
    bench.at += timedelta(days=1, seconds=100)
    assert transport.account.left() == 0


# ---------------------------------------------------------------- settings


def test_placeholders_are_filled_once_and_only_where_they_stand():
    values = {"to_name": "{html}", "html": "<p>{to_name}</p>", "reply_to": None}
    template = {"a": "Hi {to_name}!", "b": ["{html}", 3], "c": "{reply_to}", "d": {"e": True}}
    assert filled(template, values) == {"a": "Hi {html}!", "b": ["<p>{to_name}</p>", 3], "d": {"e": True}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('kind = "mailgun"\n[transport.mailgun]\napi_key = "k"', "transport.mailgun.domain is missing"),
        ('kind = "mailjet"\n[transport.mailjet]\napi_key = "k"', "transport.mailjet.secret_key is missing"),
        ('kind = "ses"', "transport.ses.region is missing"),
        ('kind = "resend"\n[transport.resend]\napi_key = ""', "transport.resend.api_key is missing"),
        ('kind = "generic"\n[transport.generic]\nmessage = { to = "{to}" }', "transport.generic.url is missing"),
        ('[transport.generic]\nmessage = { to = "{too}" }', "there is no placeholder {too}"),
        ('[transport.ses]\nregion = "Asia/Hanoi"', "transport.ses.region: is not a region"),
        ('[transport.brevo]\nurl = "api.brevo.com"', "transport.brevo.url: must be an http"),
    ],
)
def test_an_account_that_is_not_complete_is_said_with_its_key(tmp_path, text, words):
    path = tmp_path / "newsletter.toml"
    path.write_text(f"[transport]\n{text}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load(path, environ={})
    assert words in str(error.value)


def test_the_example_in_the_documents_is_valid_and_sends(tmp_path):
    written = (Path(__file__).parents[2] / "docs/providers.md").read_text(encoding="utf-8")
    [example] = [block for block in re.findall(r"```toml\n(.*?)```", written, re.DOTALL) if '"generic"' in block]
    path = tmp_path / "newsletter.toml"
    path.write_text(example, encoding="utf-8")
    account = load(path, environ={}).transport.generic
    assert set(PLACEHOLDERS) - set(placeholders(account.message)) == {"from", "to", "message_id", "header_list", "mime"}
    [outgoing] = batch(people(1), picture=True)
    sent = json.loads(GenericAdapter(account).piece(outgoing).content)
    assert sent["to"] == [{"email": people(1)[0], "name": "Nguyễn Văn Thử"}]
    assert sent["attachments"][0]["content_id"] in sent["html"]


def test_every_key_of_a_provider_may_stand_in_a_file(tmp_path):
    (tmp_path / "key").write_text("secret\n")
    environ = {
        "NEWSLETTER_TRANSPORT__KIND": "ses",
        "NEWSLETTER_TRANSPORT__SES__REGION": "ap-southeast-1",
        "NEWSLETTER_TRANSPORT__SES__ACCESS_KEY_ID": "AKID",
        "NEWSLETTER_TRANSPORT__SES__SECRET_ACCESS_KEY_FILE": str(tmp_path / "key"),
    }
    path = tmp_path / "newsletter.toml"
    path.write_text(settingsfile.TEMPLATE, encoding="utf-8")
    found = load(path, environ=environ).transport.ses
    assert found.url == "https://email.ap-southeast-1.amazonaws.com"
    assert found.secret_access_key.get_secret_value() == "secret"
    assert "secret" not in repr(found).replace("secret_access_key", "")


def test_doctors_notes_name_what_would_go_wrong(bench_of):
    told = {words: fault for fault, words in providers.notes(bench_of("brevo").settings())}
    assert any(fault and "not https" in words for words, fault in told.items())
    assert any(not fault and "no pictures" in words for words, fault in told.items())
    other = bench_of("mailgun").settings(domain="mg.khac.example", url="https://api.mailgun.net")
    assert [fault for fault, words in providers.notes(other) if "DMARC" in words] == [True]
    under = bench_of("mailgun").settings(domain="mg.vien.example", url="https://api.mailgun.net")
    assert list(providers.notes(under)) == []
