"""Postmark: up to 500 whole messages a request, one answer for each, in order.

https://postmarkapp.com/developer/api/email-api#send-batch-emails — `ErrorCode` 0 is accepted, 406 an inactive recipient. There is
no idempotency key. This endpoint knows no templates: text arrives as written.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from newsletter.app import Fate, Outcome, Outgoing
from newsletter.deliver.providers.contract import Answers, Blamed, Piece, Refusal, Request, Trouble
from newsletter.deliver.providers.reading import accepted, masked, refusal, text
from newsletter.deliver.providers.writing import attachments, encoded, joined
from newsletter.http import Posted
from newsletter.settings.providers import Postmark

# https://postmarkapp.com/developer/api/overview#error-codes: whom a code speaks about.
_INACTIVE = 406  # hard bounced or complained before
_MESSAGE = {300, 402, 403, 407, 408, 409, 410, 413, 422, 1101, 1235}
_ACCOUNT = {10, 400, 401, 405, 411, 412, 505, 700, 1200}  # token, sender signature, credits, pending approval


class PostmarkAdapter:
    name = "postmark"
    most = 100  # it takes 500; this is the window of a connection
    most_octets = 40_000_000  # it takes 50 MB
    idempotent = False

    def __init__(self, settings: Postmark) -> None:
        self._url, self._stream = f"{settings.url}/email/batch", settings.stream
        self._headers = {"X-Postmark-Server-Token": settings.token.get_secret_value() if settings.token else ""}

    def piece(self, outgoing: Outgoing) -> Piece:
        """Metadata carries the trace token, which the events give back."""
        parts = outgoing.message.parts()
        payload: dict[str, Any] = {
            "From": parts.from_,
            "To": parts.to,
            "Subject": parts.subject,
            "HtmlBody": parts.html,
            "TextBody": parts.text,
            "Headers": [{"Name": name, "Value": value} for name, value in parts.headers],
            "MessageStream": self._stream,
            "TrackOpens": False,
            "TrackLinks": "None",
            "Metadata": {"delivery": outgoing.message.reader.message_id_token},
        }
        if parts.inline:
            found = attachments(parts, name="Name", content="Content", media_type="ContentType", content_id="ContentID")
            payload["Attachments"] = [{**one, "ContentID": f"cid:{one['ContentID']}"} for one in found]
        if parts.reply_to:
            payload["ReplyTo"] = parts.reply_to
        return Piece(content=encoded(payload), message_id=outgoing.message.message_id)

    def request(self, pieces: Sequence[Piece], key: str) -> Request:
        return Request(url=self._url, body=joined(piece.content for piece in pieces), headers=self._headers)

    def answers(self, posted: Posted, count: int) -> Answers | Refusal:
        if posted.status == 200 and isinstance(posted.json, list) and len(posted.json) == count:
            return [_one(answer) for answer in posted.json]
        of_account = isinstance(posted.json, dict) and posted.json.get("ErrorCode") in _ACCOUNT
        return refusal(posted, text(posted.json, "Message"), trouble=Trouble.DOWN if of_account else None)


def _one(answer: Any) -> Outcome | Blamed:
    code = answer.get("ErrorCode") if isinstance(answer, dict) else None
    if not isinstance(code, int):
        return Outcome(fate=Fate.UNKNOWN, reply="an answer that is not documented")
    words = masked(f"{code} {text(answer, 'Message')}")
    if code == 0:
        return accepted(text(answer, "MessageID"), words)
    if code == _INACTIVE:
        return Outcome(fate=Fate.REJECTED, reply=words, kind="hard")
    if code in _ACCOUNT:
        return Outcome(fate=Fate.RETRY, reply=words, down=words)
    if code in _MESSAGE:
        return Blamed(words=words)
    return Outcome(fate=Fate.RETRY, reply=words, retry_after=timedelta(minutes=15))
