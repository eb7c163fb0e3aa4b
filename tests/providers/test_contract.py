"""One contract for every provider: accepted with an id, rejected, retry after so long, or unknown; nobody twice, nobody lost."""

from collections import Counter
from datetime import timedelta

import pytest

from newsletter.app import Fate
from newsletter.deliver.providers.transport import TRIES
from newsletter.errors import TransportDown
from tests.providers.conftest import PICTURE, Bench, batch, everybody, people

SYNTAX = "{{ params.x }} {{brace}} {% if a %} {# b #} {$c} %recipient.d% %unsubscribe_url% -e- *|F|* [[var:g]] <%h%> & {{{i}}}"


def send(bench, transport, messages):
    """In the batches the crew would make."""
    size = transport.batch
    return [
        outcome
        for at in range(0, len(messages), size)
        for outcome in transport.open().send(messages[at : at + size], everybody)
    ]


def fates(outcomes):
    return Counter(outcome.fate for outcome in outcomes)


def test_everybody_gets_a_whole_message_of_their_own_with_an_id(bench: Bench):
    addresses = people(7)
    outcomes = send(bench, bench.transport(), batch(addresses))
    assert fates(outcomes) == {Fate.ACCEPTED: 7}
    assert all(outcome.provider_id for outcome in outcomes)
    assert len({outcome.provider_id for outcome in outcomes}) == (1 if bench.case.later else 7)
    assert [message.to for message in bench.server.received] == addresses
    for n, message in enumerate(bench.server.received):
        assert message.subject == "Nguyễn Văn Thử: tin tuần này"
        assert "Chào Nguyễn Văn Thử!" in message.seen
        assert f"Hủy đăng ký: https://news.vien.example/u/{n}" in message.text
        assert message.headers["list-unsubscribe"].startswith(f"<https://news.vien.example/u/{n}>")
        assert message.headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
        assert "tuan.vien.example" in message.headers["list-id"]
        if bench.case.kind != "mailersend":  # it gives nothing back but its own id
            assert message.delivery is not None
            assert message.delivery.startswith(f"t{n}abc")


def test_a_name_that_looks_like_a_providers_template_arrives_as_a_name(bench: Bench):
    [outcome] = send(bench, bench.transport(), batch(people(1), name=SYNTAX))
    assert outcome.fate is Fate.ACCEPTED
    [message] = bench.server.received
    assert f"Chào {SYNTAX}!" in message.seen
    assert f"Chào {SYNTAX}!" in message.text
    assert message.subject == f"{SYNTAX}: tin tuần này"
    assert "#a{margin:0}" in message.html.replace(" ", "")


def test_a_wrong_key_stops_and_fails_nobody(bench: Bench):
    outcomes = send(bench, bench.transport(**{bench.case.key: "wrong"}), batch(people(3)))
    assert fates(outcomes) == {Fate.RETRY: 3}
    assert all(str(bench.server.unauthorised) in outcome.down for outcome in outcomes)
    assert bench.server.received == []


def test_a_short_rest_is_sat_out_and_everybody_is_sent_once(bench: Bench):
    bench.server.faults = ["429", "503"]
    outcomes = send(bench, bench.transport(), batch(people(2)))
    assert fates(outcomes) == {Fate.ACCEPTED: 2}
    assert bench.pauses[0] == 2.0
    assert sorted(message.to for message in bench.server.received) == people(2)


def test_a_long_rest_is_kept_by_all_connections_of_the_account(bench: Bench):
    bench.server.faults = ["429 long"]
    transport = bench.transport()
    first = transport.open().send(batch(people(1)), everybody)
    asked = []
    second = transport.open().send(batch(people(1)), lambda wanted: asked.append(wanted) or everybody(wanted))
    assert [outcome.retry_after for outcome in (*first, *second)] == [timedelta(hours=2)] * 2
    assert fates([*first, *second]) == {Fate.RETRY: 2}
    assert (len(bench.server.requests), asked, bench.pauses) == (1, [], [])
    bench.at += timedelta(hours=2)
    assert fates(transport.open().send(batch(people(1)), everybody)) == {Fate.ACCEPTED: 1}


@pytest.mark.parametrize("fault", ["429", "503"])
def test_who_asks_for_patience_is_not_asked_again_when_the_program_ends(bench: Bench, fault: str):
    """A pause is cut short then, so the next request would follow at once."""
    bench.server.faults = [fault] * TRIES
    transport = bench.ending()
    outcomes = transport.open().send(batch(people(1)), everybody)
    assert (fates(outcomes), len(bench.server.requests), len(bench.pauses)) == ({Fate.RETRY: 1}, 1, 1)
    asked = []
    later = transport.open().send(batch(people(1)), lambda wanted: asked.append(wanted) or everybody(wanted))
    assert (fates(later), len(bench.server.requests), asked) == ({Fate.RETRY: 1}, 1, [])


def test_a_lost_answer_is_not_asked_for_again_when_the_program_ends(bench: Bench):
    bench.server.faults = ["drop"] * TRIES
    outcomes = bench.ending().open().send(batch(people(1)), everybody)
    assert (fates(outcomes), len(bench.server.requests)) == ({Fate.UNKNOWN: 1}, 1)


def test_only_the_message_at_fault_fails(bench: Bench):
    addresses = people(9)
    bench.server.wrong = {addresses[5]}
    outcomes = send(bench, bench.transport(), batch(addresses))
    if bench.case.later:
        assert fates(outcomes) == {Fate.ACCEPTED: 9}
        return
    assert [outcome.fate for outcome in outcomes] == [Fate.ACCEPTED] * 5 + [Fate.REJECTED] + [Fate.ACCEPTED] * 3
    assert [message.to for message in bench.server.received] == addresses[:5] + addresses[6:]
    assert "@" not in outcomes[5].reply


def test_what_every_message_is_refused_for_fails_nobody(bench: Bench):
    bench.server.wrong_sender = True
    outcomes = send(bench, bench.transport(), batch(people(20)))
    if bench.case.later:
        assert fates(outcomes) == {Fate.ACCEPTED: 20}, "its refusals come with its events"
        return
    assert fates(outcomes) == {Fate.RETRY: 20}
    assert [outcome.retry_after for outcome in outcomes[:7]] == [timedelta(minutes=15)] * 7
    assert any("sender is not verified" in outcome.down for outcome in outcomes), (
        "the sending stops, for a person to look"
    )
    assert all("sender is not verified" in outcome.reply for outcome in outcomes)
    assert len(bench.server.requests) <= 20
    assert bench.server.received == []


def test_an_account_that_stops_working_fails_eight_at_most(bench: Bench):
    transport = bench.transport()
    first = send(bench, transport, batch(people(1)))
    bench.server.wrong_sender = True
    outcomes = send(bench, transport, batch(people(30)))
    assert fates(first) == {Fate.ACCEPTED: 1}
    if bench.case.later:
        assert fates(outcomes) == {Fate.ACCEPTED: 30}
        return
    assert fates(outcomes)[Fate.REJECTED] < 8
    assert fates(outcomes)[Fate.RETRY] > 22
    assert any(outcome.down for outcome in outcomes)


def test_a_request_that_is_too_large_is_halved(bench: Bench):
    transport = bench.transport()
    send(bench, transport, batch(people(12)))
    whole = len(bench.server.requests[0][2])
    bench.server.received.clear()
    bench.server.heavy = whole // 2
    outcomes = send(bench, bench.transport(), batch(people(12)))
    if transport.batch == 1:
        assert fates(outcomes) == {Fate.RETRY: 12}, "there is nothing to halve, and none has gone to prove it theirs"
        return
    assert fates(outcomes) == {Fate.ACCEPTED: 12}
    assert [message.to for message in bench.server.received] == people(12)


@pytest.mark.parametrize("fault", ["drop", "cut", "500", "nonsense"])
def test_a_request_of_unknown_fate_is_repeated_only_with_a_key(bench: Bench, fault):
    bench.server.faults = [fault]
    [outcome] = bench.transport().open().send(batch(people(1)), everybody)
    assert len(bench.server.received) <= 1
    if bench.server.idempotent:
        assert outcome.fate is Fate.ACCEPTED
        assert len(bench.server.received) == 1
    else:
        assert outcome.fate is Fate.UNKNOWN
        assert len(bench.server.requests) == 1


def test_an_answer_that_never_comes_leaves_the_request_unknown(bench: Bench):
    bench.server.faults = ["drop"] * TRIES
    transport = bench.transport()
    messages = batch(people(min(3, transport.batch)))
    outcomes = transport.open().send(messages, everybody)
    assert fates(outcomes) == {Fate.UNKNOWN: len(messages)}
    assert len(bench.server.received) == len(messages)
    assert len(bench.server.requests) == (TRIES if bench.server.idempotent else 1)


def test_a_refusal_after_a_lost_answer_proves_nothing(bench: Bench):
    bench.server.faults = ["drop", *["429"] * TRIES]
    [outcome] = bench.transport().open().send(batch(people(1)), everybody)
    assert outcome.fate is Fate.UNKNOWN


def test_a_server_that_is_not_there_leaves_everybody_as_they_were(bench: Bench):
    transport = bench.transport(url="http://gone.example")
    outcomes = send(bench, transport, batch(people(2)))
    assert fates(outcomes) == {Fate.RETRY: 2}
    assert all("cannot connect" in outcome.down for outcome in outcomes)


def test_who_was_not_let_go_is_not_in_the_request(bench: Bench):
    transport = bench.transport()
    messages = batch(people(3))[: transport.batch]
    outcomes = transport.open().send(messages, lambda wanted: {one.person_id for one in wanted[1:]})
    assert [outcome.fate for outcome in outcomes] == [Fate.REFUSED] + [Fate.ACCEPTED] * (len(messages) - 1)
    assert [message.to for message in bench.server.received] == people(3)[1 : len(messages)]


def test_a_picture_goes_inside_the_message_or_stops_the_sending(bench: Bench):
    messages = batch(people(2), picture=True)
    if not bench.case.pictures:
        with pytest.raises(TransportDown, match="no pictures inside a message"):
            send(bench, bench.transport(), messages)
        assert bench.server.requests == []
        return
    assert fates(send(bench, bench.transport(), messages)) == {Fate.ACCEPTED: 2}
    for message in bench.server.received:
        assert message.pictures == {f"{PICTURE.name}@vien.example"}
        assert f"cid:{PICTURE.name}@vien.example" in message.html


def test_mailings_of_two_senders_never_share_what_a_request_shares(bench: Bench):
    transport = bench.transport()
    mixed = [*batch(people(1)), *batch(["khac@thu.example"], sender="Ban biên tập, Viện")]
    outcomes = send(bench, transport, mixed)
    assert fates(outcomes) == {Fate.ACCEPTED: 2}
    assert len(bench.server.requests) == (2 if transport.batch == 1 or bench.case.kind == "brevo" else 1)
