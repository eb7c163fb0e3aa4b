"""Mailjet v3.1: up to 50 whole messages a request, one answer for each, in order, whatever the status.

https://dev.mailjet.com/email/guides/send-api-v31/. The template language is off unless asked for, so text arrives as written.
There is no idempotency key. Of a request with one wrong message the others are sent: the status is then 400 and the list tells.
"""

from collections.abc import Sequence
from typing import Any

from newsletter.app import Fate, Outcome, Outgoing
from newsletter.deliver.providers.contract import Answers, Blamed, Piece, Refusal, Request
from newsletter.deliver.providers.reading import accepted, at, masked, refusal, text
from newsletter.deliver.providers.writing import attachments, basic, encoded, entry, extra_headers, joined
from newsletter.http import Posted
from newsletter.settings.providers import Mailjet


class MailjetAdapter:
    name = "mailjet"
    most = 50
    most_octets = 15_000_000
    idempotent = False

    def __init__(self, settings: Mailjet) -> None:
        self._url = f"{settings.url}/send"
        user = settings.api_key.get_secret_value() if settings.api_key else ""
        self._headers = {
            "Authorization": basic(user, settings.secret_key.get_secret_value() if settings.secret_key else "")
        }

    def piece(self, outgoing: Outgoing) -> Piece:
        """EventPayload carries the trace token, which the events give back."""
        parts = outgoing.message.parts()
        payload: dict[str, Any] = {
            "From": entry(parts.from_, name="Name", email="Email"),
            "To": [entry(parts.to, name="Name", email="Email")],
            "Subject": parts.subject,
            "HTMLPart": parts.html,
            "TextPart": parts.text,
            "Headers": extra_headers(parts),
            "CustomID": outgoing.message.reader.message_id_token,
            "EventPayload": encoded({"delivery": outgoing.message.reader.message_id_token}).decode(),
            "TemplateLanguage": False,
            "TrackOpens": "disabled",
            "TrackClicks": "disabled",
        }
        if parts.reply_to:
            payload["ReplyTo"] = {"Email": parts.reply_to}
        if parts.inline:
            payload["InlinedAttachments"] = attachments(
                parts, name="Filename", content="Base64Content", media_type="ContentType", content_id="ContentID"
            )
        return Piece(content=encoded(payload), message_id=outgoing.message.message_id)

    def request(self, pieces: Sequence[Piece], key: str) -> Request:
        body = b'{"Messages":%b}' % joined(piece.content for piece in pieces)
        return Request(url=self._url, body=body, headers=self._headers)

    def answers(self, posted: Posted, count: int) -> Answers | Refusal:
        found = at(posted.json, "Messages")
        if posted.status in (200, 201, 400) and isinstance(found, list) and len(found) == count:
            return [_one(answer) for answer in found]
        return refusal(posted, text(posted.json, "ErrorCode", "ErrorMessage"))


def _one(answer: Any) -> Outcome | Blamed:
    if text(answer, "Status") == "success":
        return accepted(text(answer, "To.0.MessageID") or text(answer, "To.0.MessageUUID"))
    status = at(answer, "Errors.0.StatusCode")
    if not isinstance(status, int):
        return Outcome(fate=Fate.UNKNOWN, reply="an answer that is not documented")
    words = masked(f"{status} {text(answer, 'Errors.0.ErrorCode', 'Errors.0.ErrorMessage')}")
    if status in (401, 402, 403):
        return Outcome(fate=Fate.RETRY, reply=words, down=words)
    if status == 429 or status >= 500:
        return Outcome(fate=Fate.RETRY, reply=words)
    return Blamed(words=words)
