"""Peers that misbehave, senders that die at the wrong moment, people who change their mind: no row is ever left hanging."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter import deliver
from newsletter.deliver import recorder as recording
from newsletter.errors import NotAllowed, TransportDown
from newsletter.model import DeliveryState
from newsletter.store import deliveries, receipts, recovering
from tests.conftest import NOW
from tests.deliver.conftest import addresses, lose_one_answer, outbox, smtp
from tests.fakes.smtpd import Behaviour, Sink


def counts(app, mailing_id):
    with app.db.read() as conn:
        return receipts.count(conn, mailing_id)


@contextmanager
def peer(answer: Callable[[bytes], bytes | None]) -> Iterator[int]:
    """A scripted SMTP peer: `answer` gets each command line (b"." for the end of a message); None closes the line."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(conn: socket.socket) -> None:
        with conn, conn.makefile("rb") as lines:
            conn.sendall(b"220 peer ESMTP\r\n")
            in_message = False
            for line in lines:
                if in_message and line != b".\r\n":
                    continue
                said = answer(line.strip())
                in_message = said is not None and said.startswith(b"354")
                if said is None:
                    return
                conn.sendall(said)

    def accept() -> None:
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_quietly, args=(serve, conn), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def _quietly(serve: Callable[[socket.socket], None], conn: socket.socket) -> None:
    with suppress(OSError):
        serve(conn)


def polite(line: bytes) -> bytes:
    return b"354 go on\r\n" if line == b"DATA" else b"250 2.0.0 ok\r\n"


def test_a_nul_in_a_reply_reaches_no_row(make_app, frozen_mailing):
    with peer(lambda line: b"250 2.0.0 queued \0 as \x01 7\r\n" if line == b"." else polite(line)) as port:
        app = make_app(transport=smtp(port))
        mailing_id = frozen_mailing(app, addresses(4))
        deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 4


@pytest.mark.parametrize("reply", [b"251 2.0.0 will forward\r\n", b"250 " + b"a" * 100_000 + b"\r\n"])
def test_any_acceptance_after_the_dot_is_one(make_app, frozen_mailing, reply):
    with peer(lambda line: reply if line == b"." else polite(line)) as port:
        app = make_app(transport=smtp(port))
        mailing_id = frozen_mailing(app, addresses(2))
        deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 2


def test_an_answer_out_of_step_before_the_dot_is_tried_again(make_app, frozen_mailing):
    with peer(lambda line: b"354 what\r\n" if line.startswith(b"RCPT") else polite(line)) as port:
        app = make_app(transport=smtp(port))
        mailing_id = frozen_mailing(app, addresses(2))
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert (final.deferred, final.unknown) == (2, 0)


def test_a_refusal_followed_by_a_closed_line_is_still_a_refusal(make_app, frozen_mailing):
    def answer(line: bytes) -> bytes | None:
        if line.startswith(b"RCPT"):
            return b"550 5.1.1 no such user\r\n"
        return None if line == b"RSET" else polite(line)

    with peer(answer) as port:
        app = make_app(transport=smtp(port))
        mailing_id = frozen_mailing(app, addresses(2))
        deliver.run(app, NOW)
    assert counts(app, mailing_id).failed == 2


def test_a_reply_that_drips_ends_with_the_time_out(make_app, frozen_mailing):
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        conn, _ = listener.accept()
        with conn:
            while not stop.wait(0.05):
                try:
                    conn.sendall(b"2")
                except OSError:
                    return

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    app = make_app(transport=smtp(listener.getsockname()[1], timeout=0.5, connections=1))
    mailing_id = frozen_mailing(app, addresses(1))
    with pytest.raises(TransportDown, match="no whole reply in time"):
        deliver.run(app, NOW)
    stop.set()
    listener.close()
    thread.join()
    assert counts(app, mailing_id).pending == 1


def test_a_peer_that_breaks_after_every_message_does_not_burn_the_list(make_app, frozen_mailing):
    with Sink(Behaviour(drop_after_data=lambda rcpt: True)) as sink:
        app = make_app(transport=smtp(sink.port, connections=1))
        mailing_id = frozen_mailing(app, addresses(60))
        with pytest.raises(TransportDown, match="the line broke after each"):
            deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert final.unknown <= 10
    assert final.pending >= 50


def test_a_login_refused_for_one_reader_gives_the_row_back(make_app, frozen_mailing):
    with peer(lambda line: b"530 5.7.0 authentication required\r\n" if line == b"." else polite(line)) as port:
        app = make_app(transport=smtp(port, connections=1))
        mailing_id = frozen_mailing(app, addresses(3))
        with pytest.raises(TransportDown, match="does not relay for us"):
            deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert (final.pending, final.unknown, final.failed) == (3, 0, 0)


def test_the_policy_resend_waits_and_ends(make_app, frozen_mailing, clock):
    with Sink(Behaviour(drop_after_data=lambda rcpt: True)) as sink:
        app = make_app(transport=smtp(sink.port, connections=1))
        mailing_id = frozen_mailing(app, addresses(1), policy="resend")
        for minutes in range(0, 120, 2):
            clock.at = NOW + timedelta(minutes=minutes)
            deliver.run(app, clock.now())
        assert len(sink.received) == 3
    final = counts(app, mailing_id)
    assert (final.unknown, final.open) == (1, 0)


def test_a_cancelled_mailing_keeps_no_open_row_when_its_sender_dies(make_app, frozen_mailing):
    app = make_app()
    mailing_id = frozen_mailing(app, addresses(5))
    with app.db.begin() as conn:
        held = deliveries.claim(conn, mailing_id, worker="gone", now=NOW, lease=timedelta(minutes=1))
        deliveries.intend(conn, mailing_id, [(held[0].person_id, held[0].epoch)], now=NOW)
        deliveries.cancel(conn, mailing_id, now=NOW)
    deliver.recover(app, NOW + timedelta(minutes=2))
    final = counts(app, mailing_id)
    assert (final.skipped, final.unknown, final.open, final.balanced) == (4, 1, 0, True)
    with pytest.raises(NotAllowed, match="cancelled"), app.db.begin() as conn:
        recovering.resend_unknown(conn, mailing_id, now=NOW)


def test_a_database_that_refuses_a_lease_does_not_stop_the_recorder(make_app, frozen_mailing, monkeypatch):
    """The senders wait for the recorder's thread; it must survive whatever the database says."""
    monkeypatch.setattr(recording, "RENEW_EVERY", 0.0)

    keep_lease = deliveries.keep_lease

    def refuse(*args, **kwargs):
        if threading.current_thread().name == "recorder":  # a claim says so, too
            raise sa.exc.InternalError("UPDATE", {}, Exception("read-only transaction"))
        keep_lease(*args, **kwargs)

    monkeypatch.setattr(deliveries, "keep_lease", refuse)
    with Sink() as sink:
        app = make_app(transport=smtp(sink.port))
        mailing_id = frozen_mailing(app, addresses(6))
        deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 6


def test_a_ledger_that_cannot_be_written_lets_nothing_go(make_app, frozen_mailing, monkeypatch):
    def broken(*args, **kwargs):
        raise sa.exc.InternalError("UPDATE", {}, Exception("read-only transaction"))

    with Sink() as sink:
        app = make_app(transport=smtp(sink.port))
        mailing_id = frozen_mailing(app, addresses(3))
        with monkeypatch.context() as patch:
            patch.setattr(deliveries, "intend", broken)
            with pytest.raises(TransportDown, match="the ledger cannot be written"):
                deliver.run(app, NOW)
        assert sink.received == []
        deliver.run(app, NOW)
    assert counts(app, mailing_id).sent == 3


def test_one_bad_result_does_not_take_its_neighbours_along(make_app, frozen_mailing, monkeypatch):
    original = deliveries.settle

    def refuse_one(conn, mailing_id, results, *, now):
        if any(result.person_id == victim for result in results if result.state is DeliveryState.SENT):
            raise sa.exc.DataError("UPDATE", {}, Exception("bad value"))
        original(conn, mailing_id, results, now=now)

    with Sink(Behaviour(delay=0.01)) as sink:
        app = make_app(transport=smtp(sink.port))
        mailing_id = frozen_mailing(app, addresses(8))
        with app.db.read() as conn:
            victim = conn.execute(sa.text("SELECT person_id FROM deliveries")).scalars().first()
        monkeypatch.setattr(deliveries, "settle", refuse_one)
        monkeypatch.setattr(recording, "RESULT_TRIES", 2)
        try:
            deliver.run(app, NOW)
        except TransportDown:
            deliver.run(app, NOW)
        monkeypatch.setattr(deliveries, "settle", original)
        deliver.run(app, NOW)
    final = counts(app, mailing_id)
    assert final.sent == 7
    assert final.intent + final.unknown == 1
    assert max(sink.counts().values()) == 1


def test_an_outbox_that_cannot_be_written_leaves_nothing_unknown(make_app, frozen_mailing, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    app = make_app(transport={"kind": "outbox", "outbox": blocked / "below"})
    mailing_id = frozen_mailing(app, addresses(3))
    with pytest.raises(TransportDown, match="cannot make the outbox folder"):
        deliver.run(app, NOW)
    assert counts(app, mailing_id).pending == 3


def test_intents_whose_commit_was_never_answered_are_taken_back_by_the_outbox(make_app, frozen_mailing, monkeypatch):
    app = make_app()
    mailing_id = frozen_mailing(app, addresses(5))
    lose_one_answer(monkeypatch)
    with pytest.raises(TransportDown, match="the ledger cannot be written"):
        deliver.run(app, NOW)
    assert (counts(app, mailing_id).pending, list(app.settings.outbox.iterdir())) == (5, [])
    deliver.run(app, NOW)
    assert (counts(app, mailing_id).sent, len(outbox(app))) == (5, 5)
