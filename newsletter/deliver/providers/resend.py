"""Resend: up to 100 whole messages a request, with an idempotency key of 24 hours.

https://resend.com/docs/api-reference/emails/send-batch-emails, https://resend.com/docs/dashboard/emails/batch-validation-modes
(`permissive`: the valid ones go, the others are told by their index) and /idempotency-keys. A batch takes no attachments, so a
message with pictures goes alone. Names stand unquoted there, as nowhere else; one that would need quotes is left out.
"""

from collections.abc import Sequence
from typing import Any

from newsletter.app import Outgoing
from newsletter.deliver.providers.contract import Answers, Blamed, Piece, Refusal, Request, Trouble
from newsletter.deliver.providers.reading import A_DAY_IS_OVER, accepted, at, masked, refusal, text, unreadable
from newsletter.deliver.providers.writing import attachments, encoded, extra_headers, joined, mailbox
from newsletter.http import Posted
from newsletter.settings.providers import Resend

_SPECIALS = frozenset('()<>[]:;@\\,"')  # RFC 5322 section 3.2.3, without the dot


class ResendAdapter:
    name = "resend"
    most = 100
    most_octets = 30_000_000
    idempotent = True

    def __init__(self, settings: Resend) -> None:
        self._url = f"{settings.url}/emails"
        self._headers = {"Authorization": f"Bearer {settings.api_key.get_secret_value() if settings.api_key else ''}"}

    def piece(self, outgoing: Outgoing) -> Piece:
        parts = outgoing.message.parts()
        payload: dict[str, Any] = {
            "from": _plain(parts.from_),
            "to": [_plain(parts.to)],
            "subject": parts.subject,
            "html": parts.html,
            "text": parts.text,
            "headers": extra_headers(parts, without=frozenset()),
            "tags": [{"name": "delivery", "value": outgoing.message.reader.message_id_token}],
        }
        if parts.reply_to:
            payload["reply_to"] = parts.reply_to
        if parts.inline:
            payload["attachments"] = attachments(
                parts, name="filename", content="content", media_type="content_type", content_id="content_id"
            )
        return Piece(content=encoded(payload), message_id=outgoing.message.message_id, alone=bool(parts.inline))

    def request(self, pieces: Sequence[Piece], key: str) -> Request:
        headers = {**self._headers, "Idempotency-Key": key}
        if pieces[0].alone:
            return Request(url=self._url, body=pieces[0].content, headers=headers)
        body = joined(piece.content for piece in pieces)
        return Request(url=f"{self._url}/batch", body=body, headers={**headers, "x-batch-validation": "permissive"})

    def answers(self, posted: Posted, count: int) -> Answers | Refusal:
        if posted.status in (200, 201):
            return _read(posted, count)
        name = text(posted.json, "name")
        found = refusal(posted, text(posted.json, "name", "message"), trouble=_trouble(posted.status))
        if found.trouble is Trouble.THROTTLED and "quota" in name and found.after is None:
            return Refusal(trouble=found.trouble, words=found.words, after=A_DAY_IS_OVER)
        return found


def _trouble(status: int) -> Trouble | None:
    return Trouble.CONTENT if status == 451 else None  # "security_error": signs it does not let through


def _read(posted: Posted, count: int) -> Answers | Refusal:
    """`data` has the ids of those taken, in order; `errors` the index of each that was not."""
    body = posted.json
    single = at(body, "id")
    if isinstance(single, str) and count == 1:
        return [accepted(single)]
    data, errors = at(body, "data"), at(body, "errors") or []
    wrong = {at(one, "index"): text(one, "message") for one in errors if isinstance(one, dict)}
    if not isinstance(data, list) or len(data) + len(wrong) != count or not wrong.keys() <= set(range(count)):
        return unreadable(posted)
    ids = iter(data)
    return [Blamed(words=masked(wrong[n])) if n in wrong else accepted(text(next(ids), "id")) for n in range(count)]


def _plain(shown: str) -> str:
    name, address = mailbox(shown)
    return address if not name or _SPECIALS.intersection(name) else f"{name} <{address}>"
