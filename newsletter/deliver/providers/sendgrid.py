"""SendGrid v3: one whole message a request.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send. Its 1000 personalizations share one content, with at most
10,000 octets of substitutions each, which no digest with its own links fits; without substitutions nothing is substituted.
202 means queued, the id stands in a header; what it drops later is told by its events.
"""

from collections.abc import Sequence
from typing import Any

from newsletter.app import Outgoing
from newsletter.deliver.providers.contract import Answers, Piece, Refusal, Request
from newsletter.deliver.providers.reading import refusal, taken, text
from newsletter.deliver.providers.writing import attachments, encoded, entry, extra_headers
from newsletter.http import Posted
from newsletter.settings.providers import SendGrid

_NO_TRACKING = {name: {"enable": False} for name in ("click_tracking", "open_tracking", "subscription_tracking")}


class SendGridAdapter:
    name = "sendgrid"
    most = 1
    most_octets = 30_000_000
    idempotent = False

    def __init__(self, settings: SendGrid) -> None:
        self._url = f"{settings.url}/mail/send"
        self._headers = {"Authorization": f"Bearer {settings.api_key.get_secret_value() if settings.api_key else ''}"}

    def piece(self, outgoing: Outgoing) -> Piece:
        """custom_args carry the trace token, which the events give back."""
        parts = outgoing.message.parts()
        payload: dict[str, Any] = {
            "personalizations": [
                {"to": [entry(parts.to)], "custom_args": {"delivery": outgoing.message.reader.message_id_token}}
            ],
            "from": entry(parts.from_),
            "subject": parts.subject,
            "content": [{"type": "text/plain", "value": parts.text}, {"type": "text/html", "value": parts.html}],
            "headers": extra_headers(parts, without=frozenset()),
            "tracking_settings": _NO_TRACKING,
        }
        if parts.reply_to:
            payload["reply_to"] = {"email": parts.reply_to}
        if parts.inline:
            found = attachments(parts, name="filename", content="content", media_type="type", content_id="content_id")
            payload["attachments"] = [{**one, "disposition": "inline"} for one in found]
        return Piece(content=encoded(payload), message_id=outgoing.message.message_id)

    def request(self, pieces: Sequence[Piece], key: str) -> Request:
        [piece] = pieces
        return Request(url=self._url, body=piece.content, headers=self._headers)

    def answers(self, posted: Posted, count: int) -> Answers | Refusal:
        if posted.status == 202:
            return taken(posted, posted.headers.get("x-message-id", ""))
        return refusal(posted, text(posted.json, "errors.0.field", "errors.0.message"))
