"""Any provider that takes JSON, described in `[transport.generic]` instead of in code.

Placeholders are filled in one pass, so a reader's name that looks like one stays a name. `literal` names the openings of the
provider's own template language: in HTML they are written as character references; text is left as it is, because no way to
write them there is common to all.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from newsletter.app import Outcome, Outgoing
from newsletter.deliver.providers.contract import Answers, Blamed, Piece, Refusal, Request
from newsletter.deliver.providers.reading import accepted, at, masked, refusal, taken, text, unreadable
from newsletter.deliver.providers.writing import (
    attachments,
    encoded,
    extra_headers,
    joined,
    literal_html,
    mailbox,
    refuse_pictures,
)
from newsletter.http import Posted
from newsletter.settings.providers import PLACEHOLDER, Generic


class GenericAdapter:
    name = "generic"
    most_octets = 10_000_000

    def __init__(self, settings: Generic) -> None:
        self._settings = settings
        self.most, self.idempotent = settings.batch, bool(settings.idempotency_header)
        key = settings.key.get_secret_value() if settings.key else ""
        self._headers = {
            name: value.get_secret_value().replace("{key}", key) for name, value in settings.headers.items()
        }

    def piece(self, outgoing: Outgoing) -> Piece:
        payload = filled(self._settings.message, self._values(outgoing))
        return Piece(content=encoded(payload), message_id=outgoing.message.message_id)

    def _values(self, outgoing: Outgoing) -> dict[str, Any]:
        message, settings = outgoing.message, self._settings
        parts = message.parts()
        if not settings.embeds:
            refuse_pictures(parts, self.name)
        from_name, from_address = mailbox(parts.from_)
        to_name, to_address = mailbox(parts.to)
        headers = extra_headers(parts, without=frozenset())
        pictures = attachments(parts, name="name", media_type="media_type", content="content", content_id="content_id")
        return {
            "from": parts.from_,
            "from_name": from_name,
            "from_address": from_address,
            "to": parts.to,
            "to_name": to_name,
            "to_address": to_address,
            "reply_to": parts.reply_to,
            "subject": parts.subject,
            "html": literal_html(parts.html, settings.literal) if settings.literal else parts.html,
            "text": parts.text,
            "message_id": message.message_id,
            "delivery": message.reader.message_id_token,
            "headers": headers,
            "header_list": [{"name": name, "value": value} for name, value in headers.items()],
            "attachments": [filled(settings.attachment, one) for one in pictures] or None,
            "mime": base64.b64encode(message.mime()).decode(),
        }

    def request(self, pieces: Sequence[Piece], key: str) -> Request:
        settings = self._settings
        headers = {**self._headers, **({settings.idempotency_header: key} if self.idempotent else {})}
        if settings.list_at:
            body = b"{%b:%b}" % (encoded(settings.list_at), joined(piece.content for piece in pieces))
        else:
            body = joined(piece.content for piece in pieces) if settings.batch > 1 else pieces[0].content
        return Request(url=settings.url, body=body, headers=headers)

    def answers(self, posted: Posted, count: int) -> Answers | Refusal:
        settings = self._settings
        if not 200 <= posted.status < 300:
            return refusal(posted, text(posted.json, settings.error_at, "message"))
        if settings.batch == 1 and not settings.results_at:
            return taken(posted, text(posted.json, settings.id_at))
        found = at(posted.json, settings.results_at)
        if not isinstance(found, list) or len(found) != count:
            return unreadable(posted)
        return [self._one(answer) for answer in found]

    def _one(self, answer: Any) -> Outcome | Blamed:
        wrong = at(answer, self._settings.error_at) if self._settings.error_at else None
        if wrong:
            return Blamed(words=masked(wrong if isinstance(wrong, str) else encoded(wrong).decode()))
        return accepted(text(answer, self._settings.id_at))


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """The template with its placeholders filled, once. A key whose whole value is absent (None) is left out."""
    if isinstance(template, Mapping):
        made = {key: filled(value, values) for key, value in template.items()}
        return {key: value for key, value in made.items() if value is not None}
    if isinstance(template, list):
        return [value for value in (filled(one, values) for one in template) if value is not None]
    if not isinstance(template, str):
        return template
    whole = PLACEHOLDER.fullmatch(template)
    if whole:
        return values[whole[1]]
    return PLACEHOLDER.sub(lambda found: str(values[found[1]] or ""), template)
