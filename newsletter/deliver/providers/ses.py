"""Amazon SES v2: one whole MIME message a request.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html (`Content.Raw`). Its bulk call takes templates only; a
raw message keeps our headers, links, pictures and signature, and nothing in it is substituted. SES writes its own Message-ID; the
tag `delivery` carries the trace token into its events. It takes no local parts beyond ASCII, and has no idempotency key.
"""

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from newsletter.app import Outgoing
from newsletter.deliver.providers.contract import Answers, Piece, Refusal, Request, Trouble
from newsletter.deliver.providers.reading import A_DAY_IS_OVER, refusal, taken, text
from newsletter.deliver.providers.sigv4 import Keys, signed
from newsletter.deliver.providers.writing import encoded
from newsletter.http import Posted
from newsletter.settings.providers import Ses
from subscribers import reveal

_OF_KIND = {
    "AccountSuspendedException": Trouble.DOWN,
    "SendingPausedException": Trouble.DOWN,
    "MailFromDomainNotVerifiedException": Trouble.DOWN,
    "NotFoundException": Trouble.DOWN,  # the configuration set
    "LimitExceededException": Trouble.THROTTLED,
    "TooManyRequestsException": Trouble.THROTTLED,
    "ThrottlingException": Trouble.THROTTLED,
}


class SesAdapter:
    name = "ses"
    most = 1
    most_octets = 40_000_000
    idempotent = False

    def __init__(self, settings: Ses, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """`now`: the true time, which the signature carries."""
        self._url, self._set, self._now = f"{settings.url}/v2/email/outbound-emails", settings.configuration_set, now
        secret, token = settings.secret_access_key, settings.session_token
        self._keys = Keys(
            access_key_id=settings.access_key_id,
            secret_access_key=secret.get_secret_value() if secret else "",
            session_token=token.get_secret_value() if token else "",
            region=settings.region,
            service="ses",
        )

    def piece(self, outgoing: Outgoing) -> Piece:
        message = outgoing.message
        payload: dict[str, Any] = {
            "Destination": {"ToAddresses": [reveal(message.rcpt)]},
            "Content": {"Raw": {"Data": base64.b64encode(message.mime()).decode()}},
            "EmailTags": [{"Name": "delivery", "Value": message.reader.message_id_token}],
        }
        if self._set:
            payload["ConfigurationSetName"] = self._set
        return Piece(content=encoded(payload), message_id=message.message_id)

    def request(self, pieces: Sequence[Piece], key: str) -> Request:
        [piece] = pieces
        headers = {"Content-Type": "application/json"}
        return Request(
            url=self._url,
            body=piece.content,
            headers=signed(self._keys, self._url, piece.content, headers=headers, now=self._now()),
        )

    def answers(self, posted: Posted, count: int) -> Answers | Refusal:
        if posted.status == 200:
            return taken(posted, text(posted.json, "MessageId"))
        kind = (posted.headers.get("x-amzn-errortype") or text(posted.json, "__type")).split(":")[0].split("#")[-1]
        words = text(posted.json, "message") or text(posted.json, "Message")
        found = refusal(posted, f"{kind} {words}", trouble=_OF_KIND.get(kind))
        if found.trouble is Trouble.THROTTLED and found.after is None and "daily" in words.lower():
            return Refusal(trouble=found.trouble, words=found.words, after=A_DAY_IS_OVER)
        return found
