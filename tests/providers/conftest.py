"""Every adapter against a loopback server that follows its provider's documents, without a database."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter.app import Outgoing
from newsletter.deliver import providers
from newsletter.deliver.providers import ProviderTransport
from newsletter.http import Fetcher
from newsletter.mail.compile import Frame, Reader, compile_message
from newsletter.mail.inline import cid_url
from newsletter.mail.markers import make_nonce, marker
from newsletter.model import Image, MailingId, PersonId, Rendering
from newsletter.settings import Settings
from subscribers import parse_address
from tests.conftest import NOW
from tests.fakes import providers as fakes

PICTURE = Image.of(b"\xff\xd8 an invented picture", "jpg", width=1104, height=620)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`later`: what is wrong with a message is found after the request was answered."""

    kind: str
    fake: type[fakes.Provider]
    account: dict[str, Any]
    key: str  # the setting that holds the key
    path: str = ""
    later: bool = False
    pictures: bool = True


RELAY = {
    "key": "right",
    "headers": {"X-Key": "key {key}"},
    "list_at": "mails",
    "batch": 20,
    "results_at": "results",
    "id_at": "ref.id",
    "error_at": "error.reason",
    "idempotency_header": "X-Once",
    "literal": ["{{", "{%", "{#", "{$"],
    "attachment": {"cid": "{content_id}", "data": "{content}"},
    "message": {
        "to": {"address": "{to_address}", "name": "{to_name}"},
        "from": "{from}",
        "reply": "{reply_to}",
        "subject": "{subject}",
        "body": {"html": "{html}", "text": "{text}"},
        "headers": "{headers}",
        "inline": "{attachments}",
        "tag": "{delivery}",
    },
}
SES = {"region": "ap-southeast-1", "access_key_id": "AKIDEXAMPLE", "configuration_set": "newsletter"}

CASES = {
    "postmark": Case(kind="postmark", fake=fakes.Postmark, account={}, key="token"),
    "mailgun": Case(kind="mailgun", fake=fakes.Mailgun, account={"domain": "vien.example"}, key="api_key"),
    "brevo": Case(kind="brevo", fake=fakes.Brevo, account={}, key="api_key", path="/v3", pictures=False),
    "resend": Case(kind="resend", fake=fakes.Resend, account={}, key="api_key"),
    "sendgrid": Case(kind="sendgrid", fake=fakes.SendGrid, account={}, key="api_key", path="/v3"),
    "mailjet": Case(kind="mailjet", fake=fakes.Mailjet, account={"secret_key": "secret"}, key="api_key", path="/v3.1"),
    "mailersend": Case(kind="mailersend", fake=fakes.MailerSend, account={}, key="token", path="/v1"),
    "mailersend bulk": Case(
        kind="mailersend", fake=fakes.MailerSend, account={"bulk": True}, key="token", path="/v1", later=True
    ),
    "ses": Case(kind="ses", fake=fakes.Ses, account=SES, key="secret_access_key"),
    "generic": Case(kind="generic", fake=fakes.Relay, account=RELAY, key="key", path="/send"),
}


@dataclass(slots=True)
class Bench:
    """One provider with its server. `pauses`: the seconds the transport would have waited; the clock goes on by them."""

    case: Case
    server: fakes.Provider
    fetcher: Fetcher
    at: datetime = NOW
    pauses: list[float] = field(default_factory=list)

    def transport(self, **changes: Any) -> ProviderTransport:
        return providers.make(self.settings(**changes), self.fetcher, now=lambda: self.at, pause=self.pauses.append)

    def ending(self) -> ProviderTransport:
        """While the program ends: every pause is over at once."""

        def cut_short(seconds: float) -> bool:
            self.pauses.append(seconds)
            return True

        return providers.make(self.settings(), self.fetcher, now=lambda: self.at, pause=cut_short)

    def settings(self, **changes: Any) -> Settings:
        case = self.case
        account = {"url": f"http://api.example{case.path}", case.key: "right", **case.account, "timeout": 5}
        transport = {"kind": case.kind, case.kind: {**account, **changes}}
        return Settings.model_validate({"transport": transport, "sender": {"address": "bantin@vien.example"}})


@pytest.fixture(scope="session")
def bench_of() -> Iterator[Callable[[str], Bench]]:
    """`bench_of("resend")` when a test is about one provider. The servers live on; what they know is forgotten."""
    with ExitStack() as stack:
        opened: dict[str, tuple[fakes.Provider, Fetcher]] = {}

        def make(name: str) -> Bench:
            case = CASES[name]
            if name not in opened:
                server = stack.enter_context(case.fake())
                resolve = {"api.example": server.at, "gone.example": "127.0.0.1:1"}
                fetcher = Fetcher(user_agent="Newsletter/test", resolve=resolve)
                stack.callback(fetcher.close)
                opened[name] = server, fetcher
            server, fetcher = opened[name]
            server.forget()
            return Bench(case=case, server=server, fetcher=fetcher)

        yield make


@pytest.fixture(params=list(CASES))
def bench(request: pytest.FixtureRequest, bench_of: Callable[[str], Bench]) -> Bench:
    return bench_of(request.param)


def people(count: int) -> list[str]:
    return [f"doc.gia{n}@thu{n % 7}.example" for n in range(count)]


def batch(
    addresses: Sequence[str], *, name: str = "Nguyễn Văn Thử", sender: str = "Bản tin Viện", picture: bool = False
) -> list[Outgoing]:
    """Built messages, one for each address, with a name in subject, text and HTML."""
    nonce = make_nonce(b"not a real secret", "mailing")
    hello, leave = marker(nonce, "subscriber_name"), marker(nonce, "unsubscribe_url")
    image = f'<img src="{cid_url(PICTURE.name, "vien.example")}" alt="" width="552">' if picture else ""
    rendering = Rendering(
        language="vi",
        subject=f"{hello}: tin tuần này",
        preheader="Ba tin mới",
        html=f'<html lang="vi"><head><title>Tin</title><style>@media (max-width:9px){{#a{{margin:0}}}}</style></head>'
        f'<body>{image}<p>Chào {hello}!</p><p><a href="{leave}">Hủy đăng ký</a></p></body></html>',
        text=f"Chào {hello}!\n\nHủy đăng ký: {leave}\n",
    )
    frame = Frame(
        from_name=sender,
        from_address="bantin@vien.example",
        date=datetime(2026, 11, 23, 1, 0, tzinfo=UTC),
        domain="vien.example",
        reply_to="toasoan@vien.example",
        list_id=("Bản tin tuần", "tuan.vien.example"),
        list_unsubscribe_mailto="roi@vien.example",
        one_click=True,
        feedback_id="so7:tuan:issue:vien",
        precedence_bulk=True,
    )
    compiled = compile_message(rendering, frame, nonce=nonce, images=[PICTURE] if picture else ())
    return [
        Outgoing(
            mailing_id=MailingId("m"),
            list_slug="tin",
            person_id=PersonId(f"p{n}"),
            epoch=1,
            tries=1,
            frozen_at=NOW,
            message=compiled.splice(
                Reader(
                    to=parse_address(address),
                    message_id_token=f"t{n}abc{address.split('@')[0].replace('.', '')}",
                    name=name,
                    unsubscribe_url=f"https://news.vien.example/u/{n}",
                    values={"subscriber_name": name},
                )
            ),
        )
        for n, address in enumerate(addresses)
    ]


def everybody(batch: Sequence[Outgoing]) -> set[PersonId]:
    return {outgoing.person_id for outgoing in batch}
