"""SES by SNS: whose certificate it is, asked over real TLS; a key that only agrees with itself proves nothing."""

import json
from datetime import timedelta

import pytest

from newsletter.mail import webhooks
from newsletter.mail.webhooks import Refused
from newsletter.store import returns
from newsletter.track import hooks
from tests.fakes import amazon
from tests.fakes.amazon import CERTIFICATE, CONFIRM, Chain
from tests.mail.webhooks import signing
from tests.mail.webhooks.signing import sns

BOUNCE = {"eventType": "Bounce", "mail": {"messageId": "pm-0"}, "bounce": {
    "bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "an@docgia.example"}]}}  # fmt: skip
SES = webhooks.provider("ses")


@pytest.fixture
def database_url(sqlite_url):
    """What is proved here is proved before any row is written."""
    return sqlite_url


@pytest.fixture
def serving(sent, authority, tmp_path):
    """`serving(chain)`: a world that trusts its root and takes webhooks of the topic, and Amazon's two sites."""
    open_sites = []

    def make(chain, **more):
        site = amazon.amazon(chain, authority, tmp_path)
        sns_site, issuers, fetch = site.__enter__()
        open_sites.append(site)
        world = sent(webhooks={"ses": {"topic": signing.Topic.arn}}, fetch={**fetch, **more})
        world.app.clock.at = signing.NOW
        return world, sns_site, issuers

    yield make
    for site in open_sites:
        site.__exit__(None, None, None)


def tell(world, asked, asking=None):
    return hooks.receive_webhook(world.app, SES, asked, asking=asking or hooks.Amazon(world.app.fetcher))


def kept(world):
    with world.app.db.read() as conn:
        return len(returns.latest(conn, 9))


def test_a_certificate_is_fetched_once_with_those_above_it_and_a_subscription_confirmed(serving):
    chain = Chain(signing.NOW)
    topic = signing.Topic(chain.key)
    world, site, issuers = serving(chain)
    asking = hooks.Amazon(world.app.fetcher)
    for number, name in ((1, "n-1"), (0, "n-1"), (1, "n-2")):
        assert tell(world, sns(topic.note(BOUNCE, name=name), {}), asking) == number
    assert (site.asked, issuers.asked) == ([CERTIFICATE], ["/thu1.cer"])
    asked = sns(topic.note("hello", kind="SubscriptionConfirmation"), {})
    assert tell(world, asked, asking) == 0
    assert site.asked == [CERTIFICATE, CONFIRM]
    with pytest.raises(Refused, match="another topic"):
        tell(world, sns(json.loads(asked.body) | {"TopicArn": "x"}, {}), asking)
    assert site.asked == [CERTIFICATE, CONFIRM], "an unproved subscription is not confirmed"


@pytest.mark.parametrize(
    ("names", "days"),
    [
        (("sns.amazonaws.com",), 9),
        (("sns-signing.eu-west-1.amazonaws.com", "sns.eu-west-1.amazonaws.com"), 9),
    ],
)
def test_the_names_of_all_regions_are_known(serving, names, days):
    chain = Chain(signing.NOW, *names, days=days)
    world, _, _ = serving(chain)
    assert tell(world, sns(signing.Topic(chain.key).note(BOUNCE), {})) == 1


def refused_chains():
    yield "expired", lambda: Chain(signing.NOW, days=-1), "validation failed"
    yield "not yet valid", lambda: Chain(signing.NOW + timedelta(days=40)), "validation failed"
    yield "another name", lambda: Chain(signing.NOW, "sns.us-east-9.amazonaws.com"), "subjectAltName"
    yield "a stranger's name", lambda: Chain(signing.NOW, "sns.amazonaws.com.evil.example"), "subjectAltName"
    yield "issuer elsewhere", lambda: Chain(signing.NOW, issuer="http://crt.evil.example/a.cer"), "not Amazon SNS's"
    yield "issuer inside", lambda: Chain(signing.NOW, issuer="http://127.0.0.1/thu1.cer"), "not Amazon SNS's"
    yield "no issuer", lambda: Chain(signing.NOW, issuer=""), "not Amazon SNS's"


@pytest.mark.parametrize(
    ("make", "words"), [case[1:] for case in refused_chains()], ids=[c[0] for c in refused_chains()]
)
def test_a_certificate_that_is_not_amazons_proves_nothing(serving, make, words):
    chain = make()
    world, _, _ = serving(chain)
    with pytest.raises(Refused, match=words):
        tell(world, sns(signing.Topic(chain.key).note(BOUNCE), {}))
    assert kept(world) == 0


def test_a_root_that_nobody_here_trusts_proves_nothing(serving):
    """The chain is whole and its name right; only nobody vouches for its root."""
    chain, other = Chain(signing.NOW), Chain(signing.NOW)
    world, site, issuers = serving(other)
    site.pages[CERTIFICATE] = chain.leaf
    issuers.pages["/thu1.cer"] = chain.middle.public_bytes(amazon.serialization.Encoding.DER)
    with pytest.raises(Refused, match="not Amazon SNS's"):
        tell(world, sns(signing.Topic(chain.key).note(BOUNCE), {}))


def test_a_certificate_that_vouches_for_itself_proves_nothing(serving):
    own = signing.Topic()
    world, site, _ = serving(Chain(signing.NOW))
    site.pages[CERTIFICATE] = own.certificate
    with pytest.raises(Refused, match="not Amazon SNS's"):
        tell(world, sns(own.note(BOUNCE), {}))
    assert kept(world) == 0


@pytest.mark.parametrize(
    "body", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_refused(serving, body):
    world, site, _ = serving(Chain(signing.NOW))
    site.pages[CERTIFICATE] = body
    with pytest.raises(Refused, match="no certificate"):
        tell(world, sns(signing.Topic().note(BOUNCE), {}))


def test_amazons_sites_that_answer_nothing_are_a_refusal(serving):
    chain = Chain(signing.NOW)
    world, site, issuers = serving(chain)
    issuers.pages.clear()
    with pytest.raises(Refused, match="Amazon could not be asked"):
        tell(world, sns(signing.Topic(chain.key).note(BOUNCE), {}))
    site.pages.clear()
    with pytest.raises(Refused, match="Amazon could not be asked"):
        tell(world, sns(signing.Topic(chain.key).note(BOUNCE), {}))


def test_a_kept_certificate_ends_with_its_chain(serving):
    chain = Chain(signing.NOW, days=2)
    topic = signing.Topic(chain.key)
    world, site, _ = serving(chain)
    asking = hooks.Amazon(world.app.fetcher)
    assert tell(world, sns(topic.note(BOUNCE), {}), asking) == 1
    world.app.clock.at = signing.NOW + timedelta(days=3)
    with pytest.raises(Refused, match="validation failed"):
        tell(world, sns(topic.note(BOUNCE, at=world.app.clock.at, name="n-2"), {}), asking)
    assert site.asked == [CERTIFICATE, CERTIFICATE]


@pytest.mark.parametrize(
    "change",
    [
        {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:khac"},
        {"TopicArn": ["arn"]},
        {"SigningCertURL": "https://sns.us-east-1.amazonaws.com/cert.pem"},
        {"SigningCertURL": "https://evil.example/cert.pem"},
    ],
)
def test_nobody_is_asked_on_behalf_of_another_topic_or_region(serving, change):
    chain = Chain(signing.NOW)
    world, site, issuers = serving(chain)
    with pytest.raises(Refused):
        tell(world, sns(signing.Topic(chain.key).note(BOUNCE) | change, {}))
    assert (site.asked, issuers.asked) == ([], [])


def test_several_topics_may_be_named_in_the_settings(serving, make_app):
    app = make_app(webhooks={"ses": {"topic": ["arn:aws:sns:eu-west-1:1:a", "arn:aws:sns:eu-west-1:1:b"]}})
    assert hooks.credentials_of(app.settings.webhooks.ses).topics == (
        "arn:aws:sns:eu-west-1:1:a",
        "arn:aws:sns:eu-west-1:1:b",
    )


def test_the_roots_that_are_trusted_by_name_are_those_of_amazon(make_app):
    found = make_app().fetcher.roots("Amazon")
    assert 2 <= len(found) <= 8
    assert make_app().fetcher.roots("Nobody At All") == []
