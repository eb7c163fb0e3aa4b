"""One connection at a time to one of the relays, and the messages on their way over it.

What may be under way depends on the relay's offers (offers.py): lock-step one message; with PIPELINING the next envelope
goes out behind each final dot, so that a message costs one round trip and the intent's commit falls into it; with CHUNKING
a whole group, whose intents are durable before its first octet. A message that certainly did not leave goes over the next
connection, unless its connection was fresh: then it is the ledger's to try again later.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from newsletter.app import Fate, Outcome, Outgoing, Permit
from newsletter.deliver.smtp.dialogue import DATA, END, Dialogue, Flight, OutOfStep, ask, flight_of
from newsletter.deliver.smtp.line import Line, Lost
from newsletter.deliver.smtp.offers import CHUNKED, PIPED, Offers
from newsletter.deliver.smtp.relays import Relays
from newsletter.errors import TransportDown
from newsletter.settings.smtp import Relay, Smtp

CONTENT_TIMEOUT = 600.0  # seconds; RFC 5321 4.5.3.2.6: giving up earlier makes doubles
QUIT_TIMEOUT = 5.0
LAST_WORDS = 2.0  # seconds for replies that came before the line broke
MOST_OCTETS = 4_000_000  # of one group on the way: pictures inside messages weigh

Open = Callable[[Relay], tuple[Line, Offers]]
Settled = tuple[Outgoing, Outcome]


class SmtpSession:
    """A Flow (newsletter/app.py). Used by one thread; after a loss it connects again by itself."""

    def __init__(self, settings: Smtp, relays: Relays, open_line: Open, *, may_be_raw: bool = False) -> None:
        """`may_be_raw`: messages may go unencoded where 8BITMIME is offered: none carries our signature."""
        self._settings, self._relays, self._open_line = settings, relays, open_line
        self._may_be_raw = may_be_raw
        self._line: Line | None = None
        self._talk = Dialogue(Offers())
        self._relay: Relay | None = None
        self._todo: deque[Flight] = deque()  # no octet of theirs is on this connection
        self.held: Flight | None = None  # its envelope was written, its content not
        self._flying: list[Flight] = []  # content written, reply not heard
        self.settled: list[Settled] = []
        self._left = False  # QUIT was said
        self._heard_at = 0.0  # or written, by the monotonic clock
        self._careful = False  # after a loss of unknown fate: one message shows whether the next connection holds

    # ------------------------------------------------------------ what the crew calls

    @property
    def batch(self) -> int:
        """Messages one `push` may hold now, so that no more than the window have an intent and no recorded reply."""
        return CHUNKED if self._talk.offers.window == CHUNKED and not self._careful else 1

    @property
    def busy(self) -> bool:
        return bool(self._todo or self.held or self._flying)

    @property
    def raw(self) -> bool:
        """27 % fewer octets, and 9 µs instead of 35 to splice."""
        return self._may_be_raw and self._talk.offers.eight_bit

    def push(self, batch: Sequence[Outgoing], permit: Permit) -> list[Settled]:
        """Send, or have under way, each of `batch`. Raises BadInput, and nothing was begun, when one cannot be written."""
        self._todo.extend([flight_of(outgoing, eight_bit=self.raw) for outgoing in batch])
        self._work(permit, finish=False)
        return self.collect()

    def drain(self, permit: Permit) -> list[Settled]:
        """Finish what is under way."""
        self._work(permit, finish=True)
        return self.collect()

    def send(self, batch: Sequence[Outgoing], permit: Permit) -> list[Outcome]:
        """One outcome per message, in order, when all are known."""
        settled = self.push(batch, permit) + self.drain(permit)
        known = {id(outgoing): outcome for outgoing, outcome in settled}
        return [known[id(outgoing)] for outgoing in batch]

    def leave(self) -> None:
        """QUIT, so that the server need not wait for us; `close` takes its answer."""
        if self._line is not None and not self._talk.expected and self.held is None and not self._left:
            try:
                self._line.write(b"QUIT\r\n")
                self._left = True
            except Lost:
                self._drop()

    def close(self) -> None:
        """Whatever the server answers, the connection ends."""
        self.leave()
        if self._line is not None and self._left:
            with suppress(Lost):
                self._line.read(QUIT_TIMEOUT)
        self._drop()

    # ------------------------------------------------------------ what a fleet calls, for several in one thread

    @property
    def window(self) -> int:
        return self._talk.offers.window

    @property
    def waits(self) -> bool:
        """Whether replies are due; while none is, `carry` waits for nothing."""
        return self._line is not None and bool(self._talk.expected)

    @property
    def number(self) -> int:
        """The descriptor that becomes readable when a reply comes."""
        return self._on_line().number

    def carry(self, flight: Flight | None, permit: Permit) -> None:
        """One step: the content of the message whose envelope is out, and behind it the envelope of `flight`."""
        self._step(permit, flight)

    def listen(self) -> None:
        """Hear the replies that have come, without waiting for more."""
        line, talk = self._on_line(), self._talk
        try:
            replies = line.take(len(talk.expected))
            if replies:
                self._heard_at = time.monotonic()
            talk.hear_all(replies)
            while talk.expected and line.hidden:  # TLS has read it already: no descriptor would tell of it
                talk.hear_all(line.take(len(talk.expected)))
        except Lost as error:
            self._lost(str(error))
        except OutOfStep as error:
            self._lost(f"out of step: {error}")

    def expire(self) -> None:
        """Give the connection up when a reply was due for too long."""
        if self._is_overdue():
            self.listen()  # it may have come while others were served
            if self._is_overdue():
                self._lost("no whole reply in time")

    def _is_overdue(self) -> bool:
        return self.waits and time.monotonic() > self._heard_at + self._patience

    # ------------------------------------------------------------ connecting

    def connect(self) -> None:
        """Dial the relays in turn until one takes mail. Raises TransportDown: none does, and why."""
        tried: list[Relay] = []
        failed: list[TransportDown] = []
        while (relay := self._relays.pick(tried)) is not None:
            try:
                self._line, offers = self._open_line(relay)
            except TransportDown as error:
                self._relays.leave(relay)
                self._relays.rest(relay)
                tried.append(relay)
                failed.append(error)
                continue
            except BaseException:
                self._relays.leave(relay)
                raise
            self._relay, self._talk = relay, Dialogue(offers)
            return
        if len(failed) == 1:
            raise failed[0]
        raise TransportDown("no relay takes mail: " + "; ".join(map(str, failed)), where="smtp")

    def _ready(self, permit: Permit) -> bool:
        """A connection with room for one more message; False when there is none to be had, and every message told so."""
        if self._line is not None and self._todo and self._talk.begun >= self._settings.messages_per_connection:
            while self.held or self._flying:
                self._go(permit, None)
            self.close()
        if self._line is None:
            try:
                self.connect()
            except TransportDown as error:
                self._give_up(str(error))
                return False
        return True

    def _drop(self) -> None:
        self._left = False
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._relay is not None:
            self._relays.leave(self._relay)
            self._relay = None

    # ------------------------------------------------------------ sending

    def _work(self, permit: Permit, *, finish: bool) -> None:
        """Until all is under way, or with `finish` until all is settled."""
        while self._todo or (finish and (self.held or self._flying)):
            self._step(permit)

    def _step(self, permit: Permit, flight: Flight | None = None) -> None:
        try:
            if flight is not None and self._is_smooth(flight):
                self._pass_on(flight)
                return
            if flight is not None:
                self._todo.append(flight)
            if self._ready(permit):
                self._advance(permit)
        except Lost as error:
            self._lost(str(error))
        except OutOfStep as error:
            self._lost(f"out of step: {error}")

    def _is_smooth(self, flight: Flight) -> bool:
        """Whether nothing is to be decided: all before was accepted, and what is held may go, and `flight` fits."""
        talk, held = self._talk, self.held
        return (
            held is not None
            and held.may_follow
            and all(one.accepted for one in self._flying)
            and not (self._todo or talk.expected or talk.closing)
            and talk.offers.window == PIPED
            and talk.begun < self._settings.messages_per_connection
            and flight.eight_bit == self.raw
            and talk.unfit(flight) is None
        )

    def _pass_on(self, flight: Flight) -> None:
        """What `_go` does for a message that goes smoothly, as nearly all do, in a quarter of the time (3 of 12 µs)."""
        line, held = self._on_line(), self.held
        assert held is not None, "smooth"
        self.settled += [(one.outgoing, one.outcome) for one in self._flying if one.outcome is not None]
        self._talk.content(held, end=line.written + len(held.octets) + len(END))
        self._flying, self.held = [held], flight
        self._write(held.octets, END, self._talk.say_all(flight))

    def _advance(self, permit: Permit) -> None:
        window = self._talk.offers.window
        if window == CHUNKED:
            self._send_group(permit)
        elif window == PIPED:
            self._go(permit, self._next())
        else:
            self._send_alone(permit)
        self._end_if_closing()

    def _next(self) -> Flight | None:
        """The next message that this relay may be offered; those it said it cannot take are settled here."""
        while self._todo:
            flight = self._todo.popleft()
            if flight.eight_bit != self.raw:  # built for another relay
                again = flight_of(flight.outgoing, eight_bit=self.raw)
                flight.octets, flight.eight_bit = again.octets, again.eight_bit
            flight.outcome = self._talk.unfit(flight)
            if flight.outcome is None:
                return flight
            self._sort([flight])
        return None

    def _send_alone(self, permit: Permit) -> None:
        """Lock-step: each command waits for its reply; the intent is durable between the content and the final dot."""
        flight, line, talk = self._next(), self._on_line(), self._talk
        if flight is None:
            return
        self.held = flight
        for step in (*talk.envelope(flight), DATA):
            line.write(talk.say(flight, [step]))
            self._hear_all()
            if flight.outcome is not None:
                self._end_if_closing()
                self.held = None
                self._sort([flight])
                return
        line.write(flight.octets)
        if not self._ask(permit, [flight]):
            self._take_back(flight)
            return
        self.held, self._flying = None, [flight]
        talk.content(flight, end=line.written + len(END))
        line.write(END)
        self._hear_all()
        self._land()

    def _go(self, permit: Permit, following: Flight | None) -> None:
        """PIPELINING: the content of the message whose envelope is out, and behind its dot the envelope of `following`."""
        line, talk, held = self._on_line(), self._talk, self.held
        if following is not None:
            self._todo.appendleft(following)  # until its envelope is on the line
        allowed = held is None or bool(self._ask(permit, [held]))
        self._hear_all()
        self._land()
        if held is not None and held.go and (not allowed or (held.outcome is not None and held.taken)):
            self._take_back(held)
            return
        if held is not None and not held.go and not talk.closing:
            self._sort([held])
            held = self.held = None
        self._end_if_closing()
        parts: list[bytes] = []
        if held is not None:
            # Refused, and DATA accepted all the same (RFC 2920 section 3.1): there is no recipient; only the dot.
            parts = [held.octets, END] if held.outcome is None else [END]
            talk.content(held, end=line.written + sum(map(len, parts)))
            self.held, self._flying = None, [held]
        if following is not None:
            self.held = self._todo.popleft()
            parts.append(talk.say_all(following))
        if parts:
            self._write(*parts)

    def _send_group(self, permit: Permit) -> None:
        """CHUNKING: intents first, then every envelope and content of the group in one go, then all the replies."""
        line, talk = self._on_line(), self._talk
        self._flying = self._ask(permit, self._group())
        parts: list[bytes] = []
        ahead = line.written
        for flight in self._flying:
            command = talk.say_chunk(flight)
            ahead += len(command) + len(flight.octets)
            talk.content(flight, end=ahead, chunk=True)
            parts += (command, flight.octets)
        if parts:
            self._write(*parts)
        self._hear_all()
        self._land()
        self._careful = False

    def _group(self) -> list[Flight]:
        """As many of the waiting as may go together: of one mailing, as a permit speaks of people."""
        room = min(self.batch, self._settings.messages_per_connection - self._talk.begun)
        group: list[Flight] = []
        octets = 0
        while len(group) < room and octets < MOST_OCTETS and (flight := self._next()) is not None:
            if group and flight.outgoing.mailing_id != group[0].outgoing.mailing_id:
                self._todo.appendleft(flight)
                break
            group.append(flight)
            octets += len(flight.octets)
        return group

    def _hear_all(self) -> None:
        line, talk = self._on_line(), self._talk
        patience = self._patience
        while talk.expected:
            code, text = line.read(patience)
            talk.hear(code, text)

    @property
    def _patience(self) -> float:
        least = self._settings.timeout
        return max(CONTENT_TIMEOUT, least) if self._talk.contents else least

    def _write(self, *parts: bytes) -> None:
        """When the line breaks meanwhile, what the server said before may still be read, and counts."""
        line, talk = self._on_line(), self._talk
        self._heard_at = time.monotonic()
        try:
            line.write(*parts)
        except Lost:
            with suppress(Lost):
                while talk.expected:
                    code, text = line.read(LAST_WORDS)
                    talk.hear(code, text)
            raise

    # ------------------------------------------------------------ intents and outcomes

    def _ask(self, permit: Permit, flights: Sequence[Flight]) -> list[Flight]:
        """Those that may go, their intents durable. The others are settled, unless they are held on the line."""
        new = [flight for flight in flights if not flight.asked]
        ask(permit, flights)
        self.settled += [
            (flight.outgoing, flight.outcome)
            for flight in new
            if not flight.permitted and flight.outcome is not None and flight is not self.held
        ]
        return [flight for flight in flights if flight.permitted]

    def _take_back(self, held: Flight) -> None:
        """The server waits for content that must not go: end the connection, there is no other way (no dot, no message)."""
        outcome = held.outcome or Outcome(fate=Fate.REFUSED)
        self.settled.append((held.outgoing, outcome))
        self.held = None
        self._drop()

    def _land(self) -> None:
        landed, self._flying = self._flying, []
        self._sort(landed)

    def _end_if_closing(self) -> None:
        if self._talk.closing:
            raise Lost("the server closes the connection")

    def _lost(self, why: str) -> None:
        """The connection is gone. What was written whole and not answered is unknown; the rest goes over the next one."""
        relay, written = self._relay, self._line.written if self._line is not None else 0
        self._talk.lost(written, why)
        under_way = self._flying + ([self.held] if self.held is not None else [])
        self._flying, self.held = [], None
        broken = any(flight.outcome is not None and flight.outcome.fate is Fate.UNKNOWN for flight in under_way)
        self._careful = self._careful or broken
        if relay is not None and (broken or not self._talk.answered):
            self._relays.rest(relay)
        self._sort(under_way, why=why)
        self._drop()

    def _sort(self, flights: Sequence[Flight], *, why: str = "") -> None:
        """Settle those whose outcome stands; the others wait for the next connection.

        The first message of a connection that judged none is settled in any case: that ends every loop.
        """
        proven = self._talk.answered > 0
        moved: list[Flight] = []
        for flight in flights:
            outcome = flight.outcome
            if outcome is not None and outcome.down and self._relay and self._relays.another(self._relay):
                self._relays.rest(self._relay)
                self._talk.closing = True  # everything on it was answered; the next relay may take it
                moved.append(flight)
            elif outcome is not None and not (flight.unsent and proven):
                self.settled.append((flight.outgoing, outcome))
                proven = proven or flight.unsent
            elif proven:
                moved.append(flight)
            else:
                retry = Outcome(fate=Fate.RETRY, reply=f"before the end of the message: {why}")
                self.settled.append((flight.outgoing, retry))
                proven = True
        for flight in moved:
            flight.ashore()
        self._todo.extendleft(reversed(moved))

    def _give_up(self, why: str) -> None:
        """No relay can be reached: nothing of these was sent, and nobody's tries are counted."""
        for flight in self._todo:
            self.settled.append((flight.outgoing, Outcome(fate=Fate.RETRY, reply=why, down=why)))
        self._todo.clear()

    def _on_line(self) -> Line:
        assert self._line is not None, "made ready before"
        return self._line

    def collect(self) -> list[Settled]:
        """What was settled since it was asked last."""
        settled, self.settled = self.settled, []
        return settled
