"""MailerSend: one whole message a request, or a hundred through its bulk endpoint.

https://developers.mailersend.com/api/v1/email.html. The single endpoint answers for the recipient (an id, or a warning that the
address is suppressed); the bulk one only that it will look (`bulk = true`: more a minute, refusals seen in the events alone).
Bodies are read as templates ({{ x }}, {$x}), so their openings are written such that they arrive. There is no metadata and no
idempotency key; the id of a message is what its events name.
"""

from collections.abc import Sequence
from typing import Any

from newsletter.app import Fate, Outcome, Outgoing
from newsletter.deliver.providers.contract import Answers, Piece, Refusal, Request
from newsletter.deliver.providers.reading import at, masked, refusal, taken, text
from newsletter.deliver.providers.writing import (
    attachments,
    encoded,
    entry,
    extra_headers,
    joined,
    literal_html,
    literal_text,
    mailbox,
)
from newsletter.http import Posted
from newsletter.mail.compile import Parts
from newsletter.settings.providers import MailerSend

_OPENINGS = ("{{", "{%", "{#", "{$")
_BRACE = "{{brace}}"
_OF_ITS_OWN = frozenset({"message-id", "list-unsubscribe", "list-unsubscribe-post", "precedence"})
_SUPPRESSED = {"hard_bounced": "hard", "spam_complaint": "block", "unsubscribed": None, "blocklisted": None}


class MailerSendAdapter:
    name = "mailersend"
    most_octets = 25_000_000
    idempotent = False

    def __init__(self, settings: MailerSend) -> None:
        self._bulk, self._custom_headers = settings.bulk, settings.custom_headers
        self.most = 100 if settings.bulk else 1
        self._url = f"{settings.url}/{'bulk-email' if settings.bulk else 'email'}"
        self._headers = {"Authorization": f"Bearer {settings.token.get_secret_value() if settings.token else ''}"}

    def piece(self, outgoing: Outgoing) -> Piece:
        parts = outgoing.message.parts()
        payload: dict[str, Any] = {
            "from": entry(parts.from_),
            "to": [entry(parts.to)],
            "subject": literal_text(parts.subject, _OPENINGS, _BRACE),
            "html": literal_html(parts.html, _OPENINGS),
            "text": literal_text(parts.text, _OPENINGS, _BRACE),
            "personalization": [{"email": mailbox(parts.to)[1], "data": {"brace": "{"}}],
            "settings": {"track_clicks": False, "track_opens": False, "track_content": False},
            **self._about_leaving(parts),
        }
        if parts.reply_to:
            payload["reply_to"] = {"email": parts.reply_to}
        if parts.inline:
            found = attachments(parts, name="filename", content="content", content_id="id")
            payload["attachments"] = [{**one, "disposition": "inline"} for one in found]
        return Piece(content=encoded(payload), message_id=outgoing.message.message_id)

    def _about_leaving(self, parts: Parts) -> dict[str, Any]:
        """List-Unsubscribe has a field of its own, for one URL; so has Precedence. The rest asks for a plan that has it."""
        headers = dict(parts.headers)
        fields: dict[str, Any] = {"precedence_bulk": headers.get("Precedence") == "bulk"}
        leave = headers.get("List-Unsubscribe", "").split(",")[0].strip("<> ")
        if leave:
            fields["list_unsubscribe"] = leave
        rest = extra_headers(parts, without=_OF_ITS_OWN)
        if self._custom_headers and rest:
            fields["headers"] = [{"name": name, "value": value} for name, value in rest.items()]
        return fields

    def request(self, pieces: Sequence[Piece], key: str) -> Request:
        body = joined(piece.content for piece in pieces) if self._bulk else pieces[0].content
        return Request(url=self._url, body=body, headers=self._headers)

    def answers(self, posted: Posted, count: int) -> Answers | Refusal:
        if posted.status != 202:
            return refusal(posted, text(posted.json, "message"))
        if self._bulk:
            number = text(posted.json, "bulk_email_id")
            return taken(posted, f"bulk:{number}" if number else "", count)
        if text(posted.json, "warnings.0.type") == "ALL_SUPPRESSED":
            return [_suppressed(posted.json)]
        return taken(posted, posted.headers.get("x-message-id", ""))


def _suppressed(body: Any) -> Outcome:
    reasons = at(body, "warnings.0.recipients.0.reasons") or at(body, "warnings.0.recipients.0.reason") or []
    named = [reason for reason in reasons if isinstance(reason, str)] if isinstance(reasons, list) else []
    kind = next((_SUPPRESSED.get(reason) for reason in named), None)
    return Outcome(fate=Fate.REJECTED, reply=masked(f"suppressed there: {', '.join(named)}"), kind=kind)
