"""Brevo: up to 100 versions a request, each a whole message; one idempotency key for the request.

https://developers.brevo.com/reference/send-transac-email (`messageVersions`) and
https://developers.brevo.com/docs/heterogenous-versions-batch-emails (the key: a UUID, kept 15 to 30 minutes). Sender and reply
address are the request's. Bodies are read as templates ({{ params.x }}), so their openings are written such that they arrive.
Unicode in a header of ours would leave as raw octets: only ASCII goes. There are no pictures inside a message.
"""

import uuid
from collections.abc import Sequence
from email.header import decode_header
from typing import Any

from newsletter.app import Outgoing
from newsletter.deliver.providers.contract import Answers, Piece, Refusal, Request
from newsletter.deliver.providers.reading import accepted, at, refusal, text, unreadable
from newsletter.deliver.providers.writing import (
    encoded,
    entry,
    extra_headers,
    joined,
    literal_html,
    literal_text,
    refuse_pictures,
)
from newsletter.http import Posted
from newsletter.settings.providers import Brevo

_OPENINGS = ("{{", "{%", "{#")
_BRACE = "{{params.brace}}"


class BrevoAdapter:
    name = "brevo"
    most = 100  # it takes 2000 recipients
    most_octets = 10_000_000
    idempotent = True

    def __init__(self, settings: Brevo) -> None:
        self._url = f"{settings.url}/smtp/email"
        self._headers = {"api-key": settings.api_key.get_secret_value() if settings.api_key else ""}

    def piece(self, outgoing: Outgoing) -> Piece:
        """X-Mailin-custom carries the trace token, which the events give back."""
        parts = outgoing.message.parts()
        refuse_pictures(parts, self.name)
        headers = {name.title(): _ascii(value) for name, value in extra_headers(parts).items()}
        headers["X-Mailin-Custom"] = encoded({"delivery": outgoing.message.reader.message_id_token}).decode()
        version = {
            "to": [entry(parts.to, email="email")],
            "subject": literal_text(parts.subject, _OPENINGS, _BRACE),
            "htmlContent": literal_html(parts.html, _OPENINGS),
            "textContent": literal_text(parts.text, _OPENINGS, _BRACE),
            "headers": headers,
            "params": {"brace": "{"},
        }
        shared: dict[str, Any] = {"sender": entry(parts.from_)}
        if parts.reply_to:
            shared["replyTo"] = {"email": parts.reply_to}
        return Piece(content=encoded(version), message_id=outgoing.message.message_id, shared=encoded(shared)[1:-1])

    def request(self, pieces: Sequence[Piece], key: str) -> Request:
        """The content beside the versions is asked for and used by none of them."""
        rest = {
            "subject": "-",
            "htmlContent": "<p>-</p>",
            "headers": {"idempotencyKey": str(uuid.UUID(key, version=4))},
        }
        versions = joined(piece.content for piece in pieces)
        body = b'{%b,%b,"messageVersions":%b}' % (pieces[0].shared, encoded(rest)[1:-1], versions)
        return Request(url=self._url, body=body, headers=self._headers)

    def answers(self, posted: Posted, count: int) -> Answers | Refusal:
        if posted.status not in (201, 202):
            return refusal(posted, text(posted.json, "code", "message"))
        ids = at(posted.json, "messageIds")
        if ids is None:
            ids = [at(posted.json, "messageId")] if count == 1 else [None] * count
        if not isinstance(ids, list) or len(ids) != count:
            return unreadable(posted)
        return [accepted(one if isinstance(one, str) else "") for one in ids]


def _ascii(value: str) -> str:
    """A header without encoded words, which Brevo would decode: of `=?utf-8?…?= <tin.example.org>` the last."""
    if value.isascii() and "=?" not in value:
        return value
    decoded = "".join(
        part.decode(charset or "ascii") if isinstance(part, bytes) else part for part, charset in decode_header(value)
    )
    return " ".join("".join(sign if sign.isascii() else " " for sign in decoded).split())
