"""How fast the SMTP client hands messages over: beside Postfix's smtp-source, and over a line with a round trip of 20 ms.

    python tests/benchmarks/bench_smtp.py [--messages 3000] [--rounds 5] [--only source|trip]

`source`: the client alone (no ledger, no TLS) and smtp-source in turn against one smtp-sink, both 10 connections, the same
size. `trip`: through a proxy that delays each direction by 10 ms, 10 connections, to a near-free sink of ours; the client
with real intents and results in a SQLite ledger at full durability, against smtplib, which has no ledger. Rates and CPU
are medians; ratios are taken within a round. A round is repeated in the same order, so load falls on both.
"""

import argparse
import heapq
import os
import resource
import selectors
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import Process
from pathlib import Path
from statistics import median
from typing import Any, cast

import subscribers
from newsletter import main as root
from newsletter.app import Fate, Outgoing
from newsletter.deliver.crew import Crew
from newsletter.deliver.recorder import Recorder
from newsletter.deliver.smtp import SmtpTransport
from newsletter.mail.compile import Message
from newsletter.model import Mailing, MailingId, MailingKind, MailingState, PersonId, new_id
from newsletter.settings import Settings
from newsletter.settings.smtp import Smtp
from newsletter.store import deliveries, mailings, receipts
from subscribers import Address, audience
from tests.benchmarks.tools import need

LINE = b'<p style=3D"margin:0">Tin t=E1=BB=A9c vi=E1=BB=87n nghi=C3=AAn c=E1=BB=A9u</p>=\r\n'
HEAD = b"From: bantin@vien.example\r\nTo: doc@doc.example\r\nSubject: Tin\r\nMIME-Version: 1.0\r\n\r\n"
TRIP = 0.020  # seconds
CONNECTIONS = 10


def content(size: int) -> bytes:
    return HEAD + LINE * ((size - len(HEAD)) // len(LINE))


class Ready:
    """A message that is built already: what is measured here is the handing over."""

    def __init__(self, number: int, octets: bytes) -> None:
        self.mail_from, self.rcpt, self._octets = (
            "b.0123456789abcdef@tra.vien.example",
            Address(f"d{number}", "doc.example"),
            octets,
        )

    def mime(self, *, eight_bit: bool = False, utf8: bool = False) -> bytes:
        return self._octets


def outgoing(number: int, octets: bytes, person: PersonId, mailing: MailingId, *, epoch: int = 1) -> Outgoing:
    return Outgoing(
        mailing_id=mailing,
        list_slug=None,
        person_id=person,
        epoch=epoch,
        tries=1,
        frozen_at=datetime.now(UTC),
        message=cast(Message, Ready(number, octets)),
    )


def cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


Way = Callable[[], None]
Measured = tuple[float, float]  # seconds by the clock, CPU seconds of the sender


def timed(way: Way, *, who: int = resource.RUSAGE_SELF) -> Measured:
    before, start = cpu(who), time.perf_counter()
    way()
    return time.perf_counter() - start, cpu(who) - before


def settings(port: int, **more: Any) -> Smtp:
    values = {"host": "127.0.0.1", "port": port, "security": "none", "messages_per_connection": 10**9}
    return Smtp.model_validate(values | {"connections": CONNECTIONS} | more)


# ---------------------------------------------------------------- the client alone


def hand_over(transport: SmtpTransport, messages: Sequence[Outgoing]) -> None:
    """Everything through one flow, with a permit that costs nothing. Fails when one was not accepted."""

    def permit(batch: Sequence[Outgoing]) -> set[PersonId]:
        return {one.person_id for one in batch}

    left, accepted, flow = iter(messages), 0, transport.open()
    while batch := [one for _, one in zip(range(flow.batch), left, strict=False)]:
        accepted += sum(outcome.fate is Fate.ACCEPTED for _, outcome in flow.push(batch, permit))
    while flow.busy:
        accepted += sum(outcome.fate is Fate.ACCEPTED for _, outcome in flow.drain(permit))
    flow.close()
    assert accepted == len(messages), accepted


@contextmanager
def sink() -> Iterator[tuple[int, int]]:
    """Postfix's smtp-sink: its port and its process id."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    root_only = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen(["smtp-sink", *root_only, f"127.0.0.1:{port}", "256"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port, process.pid
    finally:
        process.kill()
        process.wait()


def against_source(size: int, messages: int, rounds: int) -> None:
    octets = content(size)
    batch = [outgoing(n, octets, PersonId(f"p{n}"), MailingId("m")) for n in range(messages)]
    with sink() as (port, pid):
        transport = SmtpTransport(settings(port, connections=CONNECTIONS), ehlo_name="vien.example")
        command = ["smtp-source", "-s", str(CONNECTIONS), "-m", str(messages), "-l", str(len(octets))]
        command += ["-f", "bantin@vien.example", "-t", "doc@doc.example", f"127.0.0.1:{port}"]

        def source() -> None:
            subprocess.run(command, check=True)

        found: list[tuple[Measured, Measured]] = []
        busy: list[float] = []
        for _ in range(rounds):
            before, start = cpu_of(pid), time.perf_counter()
            ours = timed(lambda: hand_over(transport, batch))
            busy.append((cpu_of(pid) - before) / (time.perf_counter() - start))
            found.append((ours, timed(source, who=resource.RUSAGE_CHILDREN)))
    for name, side in ((f"ours, {CONNECTIONS} connections", 0), ("smtp-source, 10 connections", 1)):
        rate = median(messages / one[side][0] for one in found)
        per_thousand = median(one[side][1] / messages * 1000 for one in found)
        print(f"| {size // 1000} kB | {name} | {rate:,.0f} | {per_thousand:.3f} |")
    speed = median(theirs[0] / ours[0] for ours, theirs in found)
    spent = median(ours[1] / theirs[1] for ours, theirs in found)
    bound = ", sink-bound" if median(busy) > 0.9 else ""
    print(f"| {size // 1000} kB | **ours to smtp-source** | **{speed:.2f} ×** | **{spent:.2f} ×** |")
    print(
        f"  (smtp-sink used {median(busy):.2f} of a core while ours sent{bound}; load {os.getloadavg()[0]:.1f})",
        file=sys.stderr,
    )


# ---------------------------------------------------------------- 20 ms away


class _Peer:
    """One connection of the near-free sink: finds ends of messages, counts, answers."""

    def __init__(self, offers: bytes) -> None:
        self.offers, self.buffer, self.skip, self.in_data = offers, b"", 0, False

    def hear(self, data: bytes) -> bytes:
        self.buffer += data
        said = b""
        while self.buffer:
            if self.skip:
                taken = min(self.skip, len(self.buffer))
                self.buffer, self.skip = self.buffer[taken:], self.skip - taken
                said += b"250 2.0.0 ok\r\n" if not self.skip else b""
                continue
            if self.in_data:
                body, end, rest = self.buffer.partition(b"\r\n.\r\n")
                if not end:
                    self.buffer = body[-4:]
                    break
                self.buffer, self.in_data = rest, False
                said += b"250 2.0.0 ok\r\n"
                continue
            line, end, rest = self.buffer.partition(b"\n")
            if not end:
                break
            self.buffer = rest
            said += self._command(line.strip())
        return said

    def _command(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"EHLO":
            return self.offers
        if verb == b"DATA":
            self.in_data = True
            return b"354 go on\r\n"
        if verb == b"BDAT":
            self.skip = int(line.split()[1])
            return b""
        return b"221 2.0.0 bye\r\n" if verb == b"QUIT" else b"250 2.1.0 ok\r\n"


def serve_far(port_pipe: Any, offers: bytes) -> None:
    """The sink and the distance in one process: what arrives is heard 10 ms later, what is said arrives 10 ms later."""
    selector, server = selectors.DefaultSelector(), socket.create_server(("127.0.0.1", 0), backlog=64)
    server.setblocking(False)
    selector.register(server, selectors.EVENT_READ)
    port_pipe.send(server.getsockname()[1])
    due: list[tuple[float, int, socket.socket, bytes, bool]] = []
    peers: dict[socket.socket, _Peer] = {}
    number = 0

    def later(line: socket.socket, data: bytes, heard: bool) -> None:
        nonlocal number
        number += 1
        heapq.heappush(due, (time.monotonic() + TRIP / 2, number, line, data, heard))

    while True:
        wait = max(0.0, due[0][0] - time.monotonic()) if due else None
        for key, _ in selector.select(wait):
            if key.fileobj is server:
                line, _ = server.accept()
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peers[line] = _Peer(offers)
                selector.register(line, selectors.EVENT_READ)
                later(line, b"220 far ESMTP\r\n", True)
                continue
            line = cast(socket.socket, key.fileobj)
            data = line.recv(1 << 18)
            if data:
                later(line, data, False)
            else:
                selector.unregister(line)
                del peers[line]
                line.close()
        while due and due[0][0] <= time.monotonic():
            _, _, line, data, heard = heapq.heappop(due)
            if line not in peers:
                continue
            if heard:
                line.sendall(data)
            elif said := peers[line].hear(data):
                later(line, said, True)


@contextmanager
def far_sink(*names: str) -> Iterator[int]:
    from multiprocessing import Pipe

    offers = "".join(f"250-{name}\r\n" for name in ("far", *names)).encode() + b"250 8BITMIME\r\n"
    mine, its = Pipe()
    process = Process(target=serve_far, args=(its, offers), daemon=True)
    process.start()
    try:
        yield mine.recv()
    finally:
        process.kill()
        process.join()


def with_ledger(port: int, octets: bytes, messages: int, folder: Path) -> Measured:
    """Crew and recorder as a run of the stage uses them: intents durable before each message, results recorded."""
    transport = {
        "kind": "smtp",
        "smtp": {"host": "127.0.0.1", "port": port, "security": "none", "connections": CONNECTIONS},
    }
    app = root.build(Settings.model_validate({"data_dir": folder, "transport": transport}))
    try:
        mailing_id, now = frozen(app, messages), app.clock.now()
        with app.db.begin() as conn:
            claims = deliveries.claim(
                conn, mailing_id, worker="bench", now=now, lease=timedelta(hours=1), limit=messages
            )
        work = [outgoing(n, octets, c.person_id, mailing_id, epoch=c.epoch) for n, c in enumerate(claims)]

        def send() -> None:
            with Recorder(app, "bench") as recorder, Crew(app.transport, recorder) as crew:
                for one in work:
                    assert crew.put(one), crew.trouble

        found = timed(send)
        with app.db.read() as conn:
            assert receipts.count(conn, mailing_id).sent == messages
        return found
    finally:
        root.close(app)


def frozen(app: Any, people: int) -> MailingId:
    now, mailing_id = app.clock.now(), MailingId(new_id())
    with app.db.begin() as conn:
        subscribers.create_list(conn, "tin", name="Tin", description="", now=now)
    csv = app.settings.data_dir / "people.csv"
    csv.write_text("email\n" + "".join(f"doc{n}@doc{n % 9}.example\n" for n in range(people)))
    subscribers.import_people(app.db, csv, list_slug="tin", key=app.suppression_key, now=now, consent="benchmark")
    mailing = Mailing(
        id=mailing_id,
        kind=MailingKind.TEST,
        state=MailingState.COMPOSED,
        issue_id=None,
        list_slug="tin",
        sender_name="V",
        unknown_policy="hold",
        content_hash="-",
        nonce="n",
        renderings=(),
    )
    with app.db.begin() as conn:
        mailings.add(conn, mailing, now=now)
        deliveries.freeze(conn, mailing_id, audience(conn, "tin"), now=now)
    return mailing_id


def by_smtplib(port: int, octets: bytes, messages: int) -> Measured:
    def one() -> None:
        with smtplib.SMTP("127.0.0.1", port) as line:
            line.ehlo()
            for number in range(messages // CONNECTIONS):
                line.sendmail("bantin@vien.example", [f"d{number}@doc.example"], octets)

    def run() -> None:
        threads = [threading.Thread(target=one) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return timed(run)


def over_a_trip(size: int, rounds: int) -> None:
    octets = content(size)
    rates: dict[str, list[float]] = {}
    with far_sink("PIPELINING") as piped, far_sink("PIPELINING", "CHUNKING") as chunked:
        for _ in range(rounds):
            for name, port, messages in (("PIPELINING", piped, 1500), ("CHUNKING", chunked, 4000)):
                with tempfile.TemporaryDirectory() as folder:
                    wall, _ = with_ledger(port, octets, messages, Path(folder))
                rates.setdefault(name, []).append(messages / wall)
            rates.setdefault("smtplib", []).append(300 / by_smtplib(piped, octets, 300)[0])
    for name, found in rates.items():
        ratio = median(a / b for a, b in zip(found, rates["smtplib"], strict=True))
        print(f"| {name} | {median(found):,.0f} | {median(found) * TRIP / CONNECTIONS:.2f} | {ratio:.1f} × |")


def main() -> None:
    reader = argparse.ArgumentParser()
    reader.add_argument("--messages", type=int, default=3000)
    reader.add_argument("--rounds", type=int, default=5)
    reader.add_argument("--only", choices=("source", "trip"))
    options = reader.parse_args()
    if options.only != "trip":
        need("smtp-source", "postfix")
        print("| message | sender | messages/s | CPU s per 1000 |\n|---|---|---|---|")
        for size in (30_000, 80_000):
            against_source(size, options.messages, options.rounds)
    if options.only != "source":
        print(
            "\n| 20 ms round trip, 10 connections, 30 kB | messages/s | per trip and connection | to smtplib |\n|---|---|---|---|"
        )
        over_a_trip(30_000, min(options.rounds, 3))


if __name__ == "__main__":
    main()
