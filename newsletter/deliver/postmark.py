"""Transport `postmark`: Postmark's batch endpoint, up to 500 messages a request, one answer per message.

https://postmarkapp.com/developer/api/email-api#send-batch-emails — the list in the reply is in the order of the request;
`ErrorCode` 0 is accepted, 406 an inactive recipient, 300 an invalid request for that message. There is no idempotency key,
so a connection lost after the request leaves the whole batch `unknown`, until Postmark's events tell (issue: webhooks).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from newsletter.app import Fate, Outcome, Outgoing, Permit
from newsletter.errors import TransportDown
from newsletter.http import Fetcher, Posted, Uncertain
from newsletter.mail.replies import mask_addresses
from newsletter.settings import Postmark

# https://postmarkapp.com/developer/api/overview#error-codes: what a code says about the recipient.
_HARD = {406}  # inactive: hard bounced or complained before
_PERMANENT = {300, 402, 403, 406, 407, 408, 409, 410, 413, 422, 1101, 1235}
_ACCOUNT = {
    10,
    400,
    401,
    405,
    411,
    412,
    505,
    700,
    1200,
}  # token, sender signature, credits, pending approval: not the reader


MOST_OCTETS = 40_000_000  # of a request: Postmark takes 50 MB


class PostmarkTransport:
    name = "postmark"
    connections = 2
    batch = 100  # the window of an HTTP provider: at most this many unknown after a crash, per connection

    def __init__(self, settings: Postmark, fetcher: Fetcher) -> None:
        self.settings, self.fetcher = settings, fetcher

    def open(self) -> "PostmarkTransport":
        return self

    def close(self) -> None:
        """The HTTP client belongs to the App."""

    def send(self, batch: Sequence[Outgoing], permit: Permit) -> list[Outcome]:
        payloads = [_payload(outgoing, self.settings.stream) for outgoing in batch]
        allowed = permit(batch)
        going = [at for at, outgoing in enumerate(batch) if outgoing.person_id in allowed]
        outcomes = [Outcome(fate=Fate.REFUSED)] * len(batch)
        answers = [outcome for some in requests_of([payloads[at] for at in going]) for outcome in self._post(some)]
        for at, outcome in zip(going, answers, strict=True):
            outcomes[at] = outcome
        return outcomes

    def _post(self, payloads: list[dict[str, Any]]) -> list[Outcome]:
        token = self.settings.token.get_secret_value() if self.settings.token else ""
        try:
            posted = self.fetcher.post_json(
                f"{self.settings.url}/email/batch",
                payloads,
                headers={"X-Postmark-Server-Token": token, "Accept": "application/json"},
                timeout=self.settings.timeout,
            )
        except Uncertain as error:
            return [Outcome(fate=Fate.UNKNOWN, reply=str(error))] * len(payloads)
        except TransportDown as error:  # certainly not sent: the intents are taken back
            return [Outcome(fate=Fate.RETRY, reply=str(error), down=error.what)] * len(payloads)
        return _judged(posted, len(payloads))


def requests_of(payloads: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The payloads in order, in as many requests as their weight asks for (pure). Only embedded pictures weigh so much."""
    made: list[list[dict[str, Any]]] = []
    room = 0
    for payload in payloads:
        weight = 2_000 + 2 * (len(payload["HtmlBody"]) + len(payload["TextBody"]))  # characters; UTF-8 and escapes
        weight += sum(len(attached["Content"]) for attached in payload.get("Attachments", ()))
        if weight > room:
            made.append([])
            room = MOST_OCTETS
        made[-1].append(payload)
        room -= weight
    return made


def _judged(posted: Posted, count: int) -> list[Outcome]:
    """One outcome per message, from the status and the per-message answers (pure)."""
    if posted.status == 429 or posted.status >= 500:
        # 5xx came before acceptance as documented; Postmark accepts a batch as a whole or answers 200 with details.
        fate = Fate.RETRY if posted.status in (429, 503) else Fate.UNKNOWN
        wait = timedelta(seconds=posted.retry_after) if posted.retry_after else None
        return [Outcome(fate=fate, reply=f"HTTP {posted.status}", retry_after=wait)] * count
    if posted.status != 200 or not isinstance(posted.json, list) or len(posted.json) != count:
        message = _text(posted.json, "Message") if isinstance(posted.json, dict) else ""
        words = mask_addresses(f"HTTP {posted.status} {message}".strip())
        if posted.status in (401, 403):
            return [Outcome(fate=Fate.RETRY, reply=words, down=words)] * count
        # The request as a whole was refused: nothing was accepted. Wait for a person rather than fail every reader.
        return [Outcome(fate=Fate.RETRY, reply=words, retry_after=timedelta(minutes=15))] * count
    return [_one(answer) for answer in posted.json]


def _one(answer: Any) -> Outcome:
    if not isinstance(answer, dict) or not isinstance(answer.get("ErrorCode"), int):
        return Outcome(fate=Fate.UNKNOWN, reply="an answer that is not documented")
    code = answer["ErrorCode"]
    words = mask_addresses(f"{code} {_text(answer, 'Message')}")[:400]
    if code == 0:
        return Outcome(fate=Fate.ACCEPTED, reply=words, provider_id=_text(answer, "MessageID"))
    if code in _ACCOUNT:
        return Outcome(fate=Fate.RETRY, reply=words, down=words)
    if code not in _PERMANENT:
        return Outcome(fate=Fate.RETRY, reply=words, retry_after=timedelta(minutes=15))
    return Outcome(fate=Fate.REJECTED, reply=words, kind="hard" if code in _HARD else None)


def _text(answer: Mapping[str, Any], key: str) -> str:
    value = answer.get(key, "")
    return value if isinstance(value, str) else ""


def _payload(outgoing: Outgoing, stream: str) -> dict[str, Any]:
    """One message as Postmark documents it. Metadata carries the trace token, which its events give back."""
    parts = outgoing.message.parts()
    payload: dict[str, Any] = {
        "From": parts.from_,
        "To": parts.to,
        "Subject": parts.subject,
        "HtmlBody": parts.html,
        "TextBody": parts.text,
        "Headers": [{"Name": name, "Value": value} for name, value in parts.headers],
        "MessageStream": stream,
        "TrackOpens": False,
        "TrackLinks": "None",
        "Metadata": {"delivery": outgoing.message.reader.message_id_token},
    }
    if parts.inline:
        payload["Attachments"] = [
            {"Name": i.name, "Content": i.content, "ContentType": i.media_type, "ContentID": f"cid:{i.content_id}"}
            for i in parts.inline
        ]
    if parts.reply_to:
        payload["ReplyTo"] = parts.reply_to
    return payload
