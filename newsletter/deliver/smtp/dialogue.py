"""One SMTP connection as a conversation: what to say for a message, and what each reply means for it. Pure: no socket.

Replies come in the order of the commands (RFC 2920 section 3.1), so a queue of what was said is all the state there is.
What is certain stays certain: a refusal, or a line lost before the whole content was written, was not sent; only content
that was written whole and never answered is `unknown`. Must never call a message sent without a 2yz to its content.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from newsletter.app import Fate, Outcome, Outgoing, Permit
from newsletter.deliver.smtp.offers import Offers
from newsletter.errors import BadInput, TransportDown
from newsletter.mail.replies import Reply, ReplyKind, classify, mask_addresses, reply_of
from subscribers import Address, reveal

END = b".\r\n"
_BARRED = frozenset("\r\n<>\0 ")
RETRY_AFTER = timedelta(minutes=5)


class Step(Enum):
    RESET = "RSET"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "content"  # the final dot, or BDAT LAST


class OutOfStep(Exception):
    """An answer that does not belong to what was said: nothing later on this connection can be trusted."""


@dataclass(slots=True, eq=False)
class Flight:
    """One message on its way. `octets` is the whole message, ending in CRLF, without a dot at the start of a line."""

    outgoing: Outgoing
    octets: bytes
    rcpt: str
    eight_bit: bool = False  # it may not be 7-bit
    outcome: Outcome | None = None
    asked: bool = False
    permitted: bool = False  # its intent is durable
    go: bool = False  # 354: the server waits for the content
    taken: bool = False  # the recipient was accepted
    unsent: bool = False  # refused only because the connection ends (421 before the content)
    end: int = 0  # octets written on this connection when its content is whole; 0: not begun

    @property
    def may_follow(self) -> bool:
        """Whether its content may be written: its recipient stands, the server waits for it, the intent is durable."""
        return self.permitted and self.go and self.taken and self.outcome is None

    @property
    def accepted(self) -> bool:
        return self.outcome is not None and self.outcome.fate is Fate.ACCEPTED

    def ashore(self) -> None:
        """As before its first command: for another connection."""
        self.outcome, self.end = None, 0
        self.go = self.taken = self.unsent = False


def flight_of(outgoing: Outgoing, *, eight_bit: bool = False) -> Flight:
    """Build the message. Raises BadInput when it cannot be written."""
    octets = outgoing.message.mime(eight_bit=eight_bit, utf8=True)
    rcpt = reveal(outgoing.message.rcpt)
    if not _BARRED.isdisjoint(rcpt):
        raise BadInput("an address holds what no envelope may hold")  # the door refuses such; never seen
    return Flight(outgoing, octets if octets.endswith(b"\r\n") else octets + b"\r\n", rcpt, eight_bit=eight_bit)


def ask(permit: Permit, flights: Sequence[Flight]) -> None:
    """Make the intents of those not yet asked for durable. Whoever may not go has that as outcome."""
    wanted = [flight for flight in flights if not flight.asked]
    if not wanted:
        return
    kept = Outcome(fate=Fate.REFUSED)
    try:
        allowed = permit([flight.outgoing for flight in wanted])
    except TransportDown as error:  # the ledger cannot be written: nothing may go, nothing went
        allowed, kept = set(), Outcome(fate=Fate.RETRY, reply=error.what, down=error.what)
    for flight in wanted:
        flight.asked, flight.permitted = True, flight.outgoing.person_id in allowed
        if not flight.permitted:
            flight.outcome = kept


Said = tuple[Step, bytes]
DATA: Said = (Step.DATA, b"DATA\r\n")


class Dialogue:
    """`begun`: messages spoken of; `answered`: messages the server judged, by which the connection proved usable."""

    def __init__(self, offers: Offers) -> None:
        self.offers = offers
        self.begun = self.answered = 0
        self.contents = 0  # said and unanswered
        self.closing = False  # it said 421: what it has not answered it will not do (RFC 5321 section 3.8)
        self._went_on = False  # ... and took more all the same: then that is not to be believed
        self.expected: deque[tuple[Step, Flight]] = deque()  # what was said and not answered
        self._open = False  # a mail transaction may be open: RSET before the next

    # ------------------------------------------------------------ what to say

    def unfit(self, flight: Flight) -> Outcome | None:
        """The refusal of a message that this relay said it cannot take (RFC 1870 section 6.1, RFC 6531 section 3.1)."""
        size = self.offers.size
        if size is not None and len(flight.octets) > size:
            return Outcome(fate=Fate.REJECTED, reply=f"{len(flight.octets)} octets; the relay takes {size} at most")
        if not self.offers.smtputf8 and not flight.rcpt.isascii():
            return Outcome(fate=Fate.REJECTED, reply="the address is not ASCII and the relay does not offer SMTPUTF8")
        return None

    def envelope(self, flight: Flight) -> list[Said]:
        """RSET where needed, MAIL and RCPT."""
        self.begun += 1
        parameters = f" SIZE={len(flight.octets)}" if self.offers.has_size else ""
        if flight.eight_bit:
            parameters += " BODY=8BITMIME"
        if not flight.rcpt.isascii():
            parameters += " SMTPUTF8"
        said = [(Step.RESET, b"RSET\r\n")] if self._open else []
        said.append((Step.MAIL, f"MAIL FROM:<{flight.outgoing.message.mail_from}>{parameters}\r\n".encode()))
        said.append((Step.RCPT, f"RCPT TO:<{flight.rcpt}>\r\n".encode()))
        self._open = True
        return said

    def say(self, flight: Flight, said: Sequence[Said]) -> bytes:
        """The octets of these commands; their replies are expected from now on, in this order."""
        self.expected += [(step, flight) for step, _ in said]
        return b"".join([command for _, command in said])

    def say_all(self, flight: Flight) -> bytes:
        """Envelope and DATA in one: only to a server that offers PIPELINING."""
        return self.say(flight, [*self.envelope(flight), DATA])

    def say_chunk(self, flight: Flight) -> bytes:
        """Envelope and the announcement of the whole content (RFC 3030); `content` is to be told when it is written.

        Each but the first begins with RSET: a transaction whose content failed may still be open, and a recipient
        accepted into it would get the next message under another reader's return path.
        """
        return self.say(flight, self.envelope(flight)) + f"BDAT {len(flight.octets)} LAST\r\n".encode()

    def content(self, flight: Flight, *, end: int, chunk: bool = False) -> None:
        """The content of `flight` is being written; it is whole when `end` octets have left on this connection."""
        flight.end = end
        self.contents += 1
        self._open = chunk  # a dot ends the transaction whatever its reply (RFC 5321 section 4.1.1.4)
        self.expected.append((Step.CONTENT, flight))

    # ------------------------------------------------------------ what was answered

    def hear_all(self, replies: Iterable[tuple[int, bytes]]) -> None:
        """The next replies, in order. Raises OutOfStep.

        What says "go on" about an envelope is counted here, without a call: three replies of four.
        """
        expected = self.expected
        for code, text in replies:
            step, flight = expected[0]
            unusual = code not in (250, 251, 354) or (step is Step.DATA) != (code == 354)
            if unusual or step is Step.CONTENT or self.closing:
                self.hear(code, text)
                continue
            expected.popleft()
            if step is Step.RCPT:
                flight.taken = True
            elif step is Step.DATA:
                flight.go = True

    def hear(self, code: int, text: bytes) -> None:
        """The next reply. `text`: its lines without codes, joined by LF. Raises OutOfStep."""
        step, flight = self.expected.popleft()
        if code == 421:
            self.closing, self._went_on = True, False
        elif self.closing and code < 400:
            self._went_on = True
        if step is Step.CONTENT:
            self._hear_content(flight, code, text)
        elif code >= 400:
            self._hear_refusal(step, flight, code, text)
        elif step is Step.DATA:
            if code != 354:
                raise OutOfStep(_plain(code, text, flight))
            flight.go = True
        elif code >= 300:
            raise OutOfStep(_plain(code, text, flight))
        elif step is Step.RCPT:
            flight.taken = True

    def _hear_content(self, flight: Flight, code: int, text: bytes) -> None:
        self.contents -= 1
        self.answered += 1
        if code < 300 and (flight.outcome is None or flight.taken):  # RFC 5321 4.3.2: any 2yz says that it has it
            flight.outcome = Outcome(fate=Fate.ACCEPTED, reply=_plain(code, text, flight))
        elif flight.outcome is not None:
            return  # its envelope was refused, and with it this
        elif code < 400:
            words = _plain(code, text, flight)
            flight.outcome = Outcome(fate=Fate.UNKNOWN, reply=f"after the end of the message: {words}")
            raise OutOfStep(words)
        else:
            flight.outcome = refusal(reply_of(code, text), flight.outgoing.message.rcpt)

    def _hear_refusal(self, step: Step, flight: Flight, code: int, text: bytes) -> None:
        if step is Step.RESET and code != 421:
            raise OutOfStep(_plain(code, text, flight))
        if flight.outcome is None:
            flight.outcome = refusal(reply_of(code, text), flight.outgoing.message.rcpt)
            flight.unsent = code == 421
            self.answered += not flight.unsent

    def lost(self, written: int, why: str) -> None:
        """The line is gone after `written` octets: judge what was never answered.

        Unknown is what was written whole, unless the server said 421 before and nothing good since: then it looked at nothing
        behind that.
        """
        closed = self.closing and not self._went_on
        for step, flight in self.expected:
            if step is Step.CONTENT and flight.outcome is None and flight.end <= written and not closed:
                flight.outcome = Outcome(fate=Fate.UNKNOWN, reply=f"after the end of the message: {why}")
        self.expected.clear()
        self.contents = 0


# ---------------------------------------------------------------- replies in words


def refusal(reply: Reply, rcpt: Address) -> Outcome:
    """What a 4yz or 5yz reply means for the message it answers."""
    words, judged = words_of(reply, rcpt), classify(reply)
    if judged.kind is ReplyKind.AUTH:
        down = f"it does not relay for us: {words}" if judged.permanent else ""  # 454: only for a while
        return Outcome(fate=Fate.RETRY, reply=words, down=down)
    if judged.permanent:
        return Outcome(fate=Fate.REJECTED, reply=words, kind=judged.kind.value)
    return Outcome(fate=Fate.RETRY, reply=words, retry_after=RETRY_AFTER)


def words_of(reply: Reply, rcpt: Address | None = None) -> str:
    """A reply in one bounded line, addresses masked."""
    code = f"{reply.code} {reply.enhanced} " if reply.enhanced else f"{reply.code} "
    return code + mask_addresses(" ".join(reply.text.split())[:400], rcpt=rcpt)


def _plain(code: int, text: bytes, flight: Flight) -> str:
    """The same without taking the reply apart: an acceptance is only kept, and there is one for every message."""
    said = " ".join(text[:400].decode("utf-8", "replace").split())
    return f"{code} {mask_addresses(said, rcpt=flight.outgoing.message.rcpt)}"
