"""The HTTP shape of the transport: Postmark's batch endpoint, against a loopback server over real TLS."""

import json
from datetime import timedelta

import pytest

from newsletter import deliver
from newsletter.errors import TransportDown
from newsletter.model import DeliveryState
from newsletter.store import receipts
from tests.conftest import NOW
from tests.deliver.conftest import addresses
from tests.fakes.providers import Postmark


@pytest.fixture
def server(authority):
    with Postmark(authority.server("api.postmarkapp.com")) as running:
        yield running


@pytest.fixture
def app(make_app, server, authority):
    return make_app(
        transport={"kind": "postmark", "postmark": {"token": "right", "timeout": 5}},
        fetch={"resolve": {"api.postmarkapp.com": server.at}, "ca_file": authority.ca_file},
    )


def counts(app, mailing_id):
    with app.db.read() as conn:
        return receipts.count(conn, mailing_id)


def test_everybody_is_handed_over_once_with_the_headers_of_a_list(app, server, frozen_mailing):
    mailing_id = frozen_mailing(app, addresses(130))
    deliver.run(app, NOW)
    deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 130
    assert max(len(json.loads(body)) for _, _, body in server.requests) <= 100
    assert len({message.to for message in server.received}) == len(server.received) == 130
    first = server.received[0]
    assert first.headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert first.headers["list-unsubscribe"].startswith("<https://news.vien.example/u/")
    assert first.subject == "Viện Thử nghiệm công bố kết quả đo ẩm độ tháng Mười một"
    assert "Nguyễn Văn Thử" in first.html
    assert "Nguyễn Văn Thử" in first.text
    assert app.keyring.read("trace", first.delivery)[0] == mailing_id
    sent = json.loads(server.requests[0][2])[0]
    assert (sent["From"], sent["MessageStream"]) == ("Bản tin Viện <bantin@vien.example>", "broadcast")


def test_one_answer_per_message_counts_for_that_message_only(app, server, frozen_mailing):
    people = addresses(5)
    server.answers = {
        people[1]: {"ErrorCode": 406, "Message": f"You tried to send to {people[1]}, which is inactive"},
        people[2]: {"ErrorCode": 300, "Message": "Invalid 'To' address"},
        people[3]: {"ErrorCode": 1000, "Message": "A code that is not documented"},
    }
    mailing_id = frozen_mailing(app, people)
    deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert (final.sent, final.failed, final.deferred) == (2, 2, 1)
    with app.db.read() as conn:
        told = receipts.reasons(conn, mailing_id, DeliveryState.FAILED)
        import sqlalchemy as sa

        replies = conn.execute(sa.text("SELECT reply, reply_kind FROM deliveries WHERE state='failed'")).fetchall()
    assert told
    assert all("@" not in reply for reply, _ in replies)
    assert {kind for _, kind in replies} == {"hard", None}


def test_a_line_that_breaks_after_the_request_leaves_the_batch_unknown(app, server, frozen_mailing):
    server.faults = ["drop"]
    mailing_id = frozen_mailing(app, addresses(3))
    deliver.run(app, NOW)
    deliver.run(app, NOW)
    assert counts(app, mailing_id).unknown == 3
    assert len(server.requests) == 1


def test_a_server_error_is_unknown_and_never_repeated_blindly(app, server, frozen_mailing):
    server.faults = ["500"]
    mailing_id = frozen_mailing(app, addresses(2))
    deliver.run(app, NOW)
    deliver.run(app, NOW)
    assert counts(app, mailing_id).unknown == 2
    assert len(server.requests) == 1


@pytest.mark.parametrize(("trouble", "minutes"), [("429 long", 120), ("413", 15)])
def test_a_refused_request_is_tried_again_later_and_fails_nobody(app, server, frozen_mailing, clock, trouble, minutes):
    server.faults, server.heavy = ([trouble], 10**9) if trouble != "413" else ([], 9)
    mailing_id = frozen_mailing(app, addresses(2))
    deliver.run(app, NOW)
    assert counts(app, mailing_id).deferred == 2
    server.heavy = 10**9
    clock.at = NOW + timedelta(minutes=minutes - 1)
    deliver.run(app, clock.now())
    assert server.received == []
    clock.at = NOW + timedelta(minutes=minutes)
    deliver.run(app, clock.now())
    assert counts(app, mailing_id).sent == 2


def test_a_wrong_token_is_said_and_fails_nobody(make_app, server, authority, frozen_mailing, clock):
    app = make_app(
        transport={"kind": "postmark", "postmark": {"token": "wrong"}},
        fetch={"resolve": {"api.postmarkapp.com": server.at}, "ca_file": authority.ca_file},
    )
    mailing_id = frozen_mailing(app, addresses(2))
    for days in (0, 1, 3):
        clock.at = NOW + timedelta(days=days)
        with pytest.raises(TransportDown, match="HTTP 401 the key is wrong"):
            deliver.run(app, clock.now())
        final = counts(app, mailing_id)
        assert (final.pending, final.failed) == (2, 0)


def test_a_server_that_is_not_there_leaves_everybody_pending(make_app, authority, frozen_mailing):
    with Postmark(authority.server("api.postmarkapp.com")) as gone:
        at = gone.at
    app = make_app(
        transport={"kind": "postmark", "postmark": {"token": "right"}},
        fetch={"resolve": {"api.postmarkapp.com": at}, "ca_file": authority.ca_file},
    )
    mailing_id = frozen_mailing(app, addresses(2))
    with pytest.raises(TransportDown, match="cannot connect"):
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert (final.pending, final.unknown, final.sent) == (2, 0, 0)
