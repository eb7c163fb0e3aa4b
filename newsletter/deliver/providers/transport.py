"""The transport of every HTTP provider: one contract per recipient, whatever the provider's endpoint looks like.

    accepted(id) | rejected | retry(after) | unknown

- 401, 402, 403: the sending stops, the rows stay as they are; nobody fails for a wrong key.
- 429, 503: the account rests, all connections with it; short rests are sat out, long ones put the rows off.
- 400, 413, 422: the request is halved until the message at fault stands alone; it fails only while the account works
  (account.py), because a wrong sender or plan is told in the same words. Else it is put off, and the sending stops.
- When the program ends, nobody who asked for patience is asked again: a rest that is cut short was not kept.
- Broken off after the request left: the whole request is `unknown`, unless the provider keeps to idempotency keys; then it is
  repeated with the same key, and is `unknown` when no answer comes at all.

Must never repeat a request without a key, nor call a message failed that the provider did not refuse.
"""

import hashlib
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from newsletter.app import Fate, Outcome, Outgoing, Permit
from newsletter.deliver.providers.account import Account, Pause, Rests
from newsletter.deliver.providers.contract import Adapter, Answers, Blamed, Piece, Refusal, Request, Trouble
from newsletter.errors import TransportDown
from newsletter.http import Fetcher, Uncertain
from newsletter.mail.replies import mask_addresses

TRIES = 5  # of one request, while the provider asks for patience
PATIENCE = 60.0  # seconds sat out with intents in hand; longer waits put the rows off
LATER = timedelta(minutes=15)  # for what a person should look at


class ProviderTransport:
    def __init__(
        self,
        adapter: Adapter,
        fetcher: Fetcher,
        *,
        timeout: float,
        connections: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause: Pause = time.sleep,
        rests: Rests | None = None,
    ) -> None:
        """`timeout`: seconds for each request. `now`, `pause` and `rests` are those of the account."""
        self.adapter, self.fetcher, self.timeout = adapter, fetcher, timeout
        self.name, self.batch, self.connections = adapter.name, adapter.most, connections
        self.account = Account(now, pause, rests)

    def open(self) -> "ProviderTransport":
        return self

    def close(self) -> None:
        """The HTTP client belongs to the App."""

    def send(self, batch: Sequence[Outgoing], permit: Permit) -> list[Outcome]:
        pieces = [self.adapter.piece(outgoing) for outgoing in batch]
        left = self.account.left()
        if left > PATIENCE or not self.account.wait():
            return [_put_off(f"{self.name} asked to wait", left)] * len(batch)
        try:
            allowed = permit(batch)
        except TransportDown as error:  # the ledger cannot be written: nothing may go, nothing went
            return [Outcome(fate=Fate.RETRY, reply=error.what, down=error.what)] * len(batch)
        going = [at for at, outgoing in enumerate(batch) if outgoing.person_id in allowed]
        outcomes = [Outcome(fate=Fate.REFUSED)] * len(batch)
        for at, outcome in zip(going, _Round(self).deliver([pieces[at] for at in going]), strict=True):
            outcomes[at] = outcome
        return outcomes


class _Round:
    """One batch under way. `stopped`: what is said of all that were not asked about any more."""

    def __init__(self, transport: ProviderTransport) -> None:
        self._transport, self._adapter, self._account = transport, transport.adapter, transport.account
        self._stopped: Outcome | None = None
        self._given_up = False

    def deliver(self, pieces: Sequence[Piece]) -> list[Outcome]:
        answers: Answers = []
        for group in requests_of(pieces, most=self._adapter.most, most_octets=self._adapter.most_octets):
            answers += self._group(group)
        if self._given_up:  # all blamed are put off but the last, which says why the sending stops
            last, blamed = [(at, answer) for at, answer in enumerate(answers) if isinstance(answer, Blamed)][-1]
            answers[last] = _down(blamed)
        return [self._believed(answer) for answer in answers]

    def _believed(self, answer: Outcome | Blamed) -> Outcome:
        if isinstance(answer, Outcome):
            return answer
        if self._account.proven:
            return Outcome(fate=Fate.REJECTED, reply=answer.words, kind=answer.kind)
        return Outcome(fate=Fate.RETRY, reply=answer.words, retry_after=LATER)

    def _group(self, group: Sequence[Piece]) -> Answers:
        if self._stopped is not None:
            return [self._stopped] * len(group)
        answers = self._asked(group)
        if isinstance(answers, Refusal):
            return self._refused(group, answers)
        if any(isinstance(answer, Outcome) and answer.fate is Fate.ACCEPTED for answer in answers):
            self._account.took()
        else:
            self._blame([answer for answer in answers if isinstance(answer, Blamed)])
        return answers

    def _blame(self, blamed: Sequence[Blamed]) -> None:
        if blamed and self._account.refused(len(blamed)):
            self._given_up, self._stopped = True, _down(blamed[-1])

    def _refused(self, group: Sequence[Piece], refusal: Refusal) -> Answers:
        if refusal.trouble is Trouble.CONTENT:
            return self._halved(group, refusal)
        if refusal.trouble is Trouble.LOST:
            return [Outcome(fate=Fate.UNKNOWN, reply=refusal.words)] * len(group)
        if refusal.trouble is Trouble.DOWN:
            self._stopped = _down(refusal)
        else:
            self._stopped = _put_off(refusal.words, refusal.after)
        return [self._stopped] * len(group)

    def _halved(self, group: Sequence[Piece], refusal: Refusal) -> Answers:
        if len(group) > 1:
            half = len(group) // 2
            return [*self._group(group[:half]), *self._group(group[half:])]
        blamed = Blamed(words=refusal.words)
        self._blame([blamed])
        return [blamed]

    def _asked(self, group: Sequence[Piece]) -> Answers | Refusal:
        """The answer, after as much patience as there is. What may have been taken once stays LOST whatever comes later."""
        key, lost = key_of(group), False
        refusal = Refusal(trouble=Trouble.THROTTLED, words=f"{self._adapter.name} asked to wait")
        for number in range(1, TRIES + 1):
            if not self._account.wait():
                break
            answer = self._posted(self._adapter.request(group, key), len(group))  # anew: a signature carries the time
            if not isinstance(answer, Refusal):
                return answer
            refusal, lost = answer, lost or answer.trouble is Trouble.LOST
            pause = refusal.after if refusal.after is not None else _backoff(number)
            if refusal.trouble is not Trouble.THROTTLED and not (lost and self._adapter.idempotent):
                break
            self._account.rest(pause)
            if pause > PATIENCE:
                break
        return Refusal(trouble=Trouble.LOST, words=refusal.words) if lost else refusal

    def _posted(self, request: Request, count: int) -> Answers | Refusal:
        try:
            posted = self._transport.fetcher.post(
                request.url,
                request.body,
                headers={**request.headers, "Content-Type": request.content_type},
                timeout=self._transport.timeout,
            )
        except Uncertain as error:
            return Refusal(trouble=Trouble.LOST, words=mask_addresses(str(error)))
        except TransportDown as error:  # certainly not sent: the intents are taken back
            return Refusal(trouble=Trouble.DOWN, words=error.what)
        return self._adapter.answers(posted, count)


def _down(said: Refusal | Blamed) -> Outcome:
    """The row is given back, and the sending stops with these words."""
    return Outcome(fate=Fate.RETRY, reply=said.words, down=said.words)


def _put_off(words: str, seconds: float | None) -> Outcome:
    return Outcome(
        fate=Fate.RETRY, reply=words, retry_after=timedelta(seconds=seconds) if seconds is not None else None
    )


def _backoff(number: int) -> float:
    return float(2 ** (number - 1)) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret


def key_of(group: Sequence[Piece]) -> str:
    """32 hex digits: the same messages in the same order have the same key, in any process."""
    return hashlib.blake2s("\n".join(piece.message_id for piece in group).encode(), digest_size=16).hexdigest()


def requests_of(pieces: Sequence[Piece], *, most: int, most_octets: int) -> list[list[Piece]]:
    """The pieces in order, in as few requests as number, weight and what they share allow."""
    made: list[list[Piece]] = []
    room = 0
    for piece in pieces:
        weight = len(piece.content) + 1
        last = made[-1][-1] if made else None
        fits = last is not None and len(made[-1]) < most and weight <= room
        if last is None or not fits or piece.shared != last.shared or piece.alone or last.alone:
            made.append([])
            room = most_octets
        made[-1].append(piece)
        room -= weight
    return made
