"""Mailgun: one whole MIME message a request.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages (`/messages.mime`). Its batch call answers one
id for all and puts recipient variables into every field, values included; the MIME call keeps our own Message-ID, headers and
pictures, and a name such as %recipient.x% stays a name. Tracking is off, so that no %unsubscribe_url% is looked for.
"""

import hashlib
from collections.abc import Sequence

from newsletter.app import Outgoing
from newsletter.deliver.providers.contract import Answers, Piece, Refusal, Request
from newsletter.deliver.providers.reading import refusal, taken, text
from newsletter.deliver.providers.writing import basic
from newsletter.http import Posted
from newsletter.settings.providers import Mailgun
from subscribers import reveal


class MailgunAdapter:
    name = "mailgun"
    most = 1
    most_octets = 25_000_000
    idempotent = False

    def __init__(self, settings: Mailgun) -> None:
        self._url = f"{settings.url}/v3/{settings.domain}/messages.mime"
        self._headers = {"Authorization": basic("api", settings.api_key.get_secret_value() if settings.api_key else "")}

    def piece(self, outgoing: Outgoing) -> Piece:
        message = outgoing.message
        fields = {
            "to": reveal(message.rcpt),
            "o:tracking": "no",
            "o:tracking-clicks": "no",
            "o:tracking-opens": "no",
            "v:delivery": message.reader.message_id_token,  # given back by its events
        }
        mime = message.mime()
        boundary = f"b{hashlib.blake2s(mime, digest_size=16).hexdigest()}"
        return Piece(content=_form(fields, mime, boundary), message_id=message.message_id, shared=boundary.encode())

    def request(self, pieces: Sequence[Piece], key: str) -> Request:
        [piece] = pieces
        kind = f"multipart/form-data; boundary={piece.shared.decode()}"
        return Request(url=self._url, body=piece.content, headers=self._headers, content_type=kind)

    def answers(self, posted: Posted, count: int) -> Answers | Refusal:
        if posted.status == 200:
            return taken(posted, text(posted.json, "id"))
        return refusal(posted, text(posted.json, "message") or posted.text[:200])


def _form(fields: dict[str, str], mime: bytes, boundary: str) -> bytes:
    """multipart/form-data (RFC 7578). The boundary is a hash of the message, so nothing in it can hold it."""
    made = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    made.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="message"; filename="message.eml"\r\n'
        "Content-Type: message/rfc822\r\n\r\n".encode()
    )
    return b"".join([*made, mime, f"\r\n--{boundary}--\r\n".encode()])
