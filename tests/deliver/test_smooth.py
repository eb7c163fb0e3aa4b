"""A message that goes smoothly takes a shorter way through the session: whatever a server says, both ways are one."""

import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.app import Fate, Outgoing
from newsletter.deliver.smtp import Fleet, SmtpSession
from newsletter.deliver.smtp.dialogue import Dialogue
from newsletter.deliver.smtp.line import Line
from newsletter.deliver.smtp.offers import Offers
from newsletter.deliver.smtp.relays import Relays
from newsletter.errors import TransportDown
from newsletter.mail.compile import compile_message
from newsletter.model import PersonId
from newsletter.settings.smtp import Relay, Smtp
from tests.deliver.conftest import rendering
from tests.deliver.test_smtp import FRAME, flight

MESSAGES = 5
VALUES = {"subscriber_name": "Miên", "unsubscribe_url": "https://news.vien.example/u/t"}
COMPILED = compile_message(rendering("n"), FRAME, nonce="n")
GOOD = {"MAIL": b"250 2.1.0 fine", "RCPT": b"250 2.1.5 fine", "DATA": b"354 go on", "content": b"250 2.0.0 queued"}
ODD = (
    b"250 2.0.0 fine",
    b"251 2.1.5 forwarded",
    b"250-2.1.5 in two\r\n250 2.1.5 lines",
    b"354 go on",
    b"450 4.2.0 later",
    b"550 5.1.1 no such user",
    b"503 5.5.1 out of sequence",
    b"421 4.3.2 closing",
    b"235 what",
    b"no reply",
)


def outgoing(number: int) -> Outgoing:
    one = flight(number).outgoing
    return one._replace(message=COMPILED.splice(one.message.reader._replace(values=VALUES)))


OUTGOING = [outgoing(number) for number in range(MESSAGES)]


class Script(NamedTuple):
    """What a server says on one connection: to each command in turn the usual, but for `odd` (number, words), then it ends."""

    replies: int
    odd: dict[int, bytes]

    def octets(self, messages: int) -> bytes:
        order = ["MAIL", "RCPT", "DATA"]
        for _ in range(messages):
            order += ["content", "MAIL", "RCPT", "DATA"]
        said = [self.odd.get(at, GOOD[verb]) for at, verb in enumerate(order)]
        return b"".join(one + b"\r\n" for one in said[: self.replies])


scripts = st.builds(
    Script,
    replies=st.integers(0, 40),
    odd=st.dictionaries(st.integers(0, 20), st.sampled_from(ODD), max_size=3),
)


def played(connections: list[Script], messages: int, *, left: frozenset[int], most: int):
    """What became of each message, who was permitted in which order, and the octets that each connection heard."""
    waiting, heard, asked = list(connections), [], []

    def permit(batch: Sequence[Outgoing]) -> set[PersonId]:
        asked.extend(one.person_id for one in batch)
        return {one.person_id for one in batch if int(one.person_id[1:]) not in left}

    with ExitStack() as kept:

        def open_line(_: Relay) -> tuple[Line, Offers]:
            if not waiting:
                raise TransportDown("nobody there")
            ours, theirs = socket.socketpair()
            kept.enter_context(ours)
            heard.append(kept.enter_context(theirs))
            theirs.sendall(waiting.pop(0).octets(messages))
            theirs.shutdown(socket.SHUT_WR)
            return Line(ours), Offers(pipelining=True)

        relay = Smtp(host="relay.example", security="none", timeout=5, messages_per_connection=most)
        session = SmtpSession(relay, Relays(relay.all_relays), open_line)
        session.connect()
        fleet = Fleet(session, session.connect, most=1)
        outcomes = []
        for number in range(messages):
            outcomes += fleet.push([OUTGOING[number]], permit)
        while fleet.busy:
            outcomes += fleet.drain(permit)
        fleet.close()
        return [(one.person_id, outcome) for one, outcome in outcomes], asked, [all_of(theirs) for theirs in heard]


def all_of(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(1 << 16), b""))


@settings(max_examples=150, deadline=None)
@given(
    connections=st.lists(scripts, min_size=1, max_size=3),
    left=st.frozensets(st.integers(0, MESSAGES - 1), max_size=2),
    most=st.sampled_from([2, 3, 1_000]),
)
def test_whatever_a_server_says_the_short_way_is_the_long_way(connections, left, most):
    short = played(connections, MESSAGES, left=left, most=most)
    with patch.object(SmtpSession, "_is_smooth", lambda session, flight: False):
        long = played(connections, MESSAGES, left=left, most=most)

    assert short == long
    outcomes, asked, _ = short
    assert sorted(person for person, _ in outcomes) == sorted(one.person_id for one in OUTGOING)
    assert len(asked) == len(set(asked))


def test_what_goes_smoothly_takes_the_short_way():
    passed, original = [], SmtpSession._pass_on
    with patch.object(SmtpSession, "_pass_on", lambda session, one: (passed.append(one), original(session, one))[1]):
        outcomes, _, [heard] = played([Script(replies=100, odd={})], MESSAGES, left=frozenset(), most=1_000)

    assert {outcome.fate for _, outcome in outcomes} == {Fate.ACCEPTED}
    assert len(passed) == MESSAGES - 1  # nothing is held when the first envelope goes
    assert heard.count(b"\r\n.\r\n") == MESSAGES


@pytest.mark.parametrize(("after", "fates"), [((503,), "not sent"), ((503, 250, 250, 250), "unknown")])
def test_what_a_server_said_421_to_and_then_broke_is_unknown_only_if_it_took_more_meanwhile(after, fates):
    """RFC 5321 section 3.8 says that it does nothing more; one that does all the same would make a double."""
    talk, flights = Dialogue(Offers(pipelining=True, chunking=True)), [flight(number) for number in range(3)]
    end = 0
    for one in flights:
        end += 10
        talk.say_chunk(one)
        talk.content(one, end=end, chunk=True)
    talk.hear_all((code, b"said") for code in (250, 421, *after))
    talk.lost(end, "it broke")
    assert flights[0].outcome.fate is Fate.RETRY
    found = {one.outcome and one.outcome.fate for one in flights[1:]}
    assert found == ({Fate.UNKNOWN} if fates == "unknown" else {None})
