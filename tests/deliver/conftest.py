"""An approved issue ready to send, without collecting and composing one: the deliver stage on its own."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from newsletter.app import App
from newsletter.deliver.recorder import Recorder
from newsletter.mail.manifest import content_hash
from newsletter.mail.markers import make_nonce, marker, segment_marks
from newsletter.model import (
    Mailing,
    MailingId,
    MailingKind,
    MailingState,
    Rendering,
    Segments,
    new_id,
)
from newsletter.store import deliveries, mailings
from subscribers import audience
from tests.conftest import subscribe

Frozen = Callable[..., MailingId]


def topical(nonce: str, language: str = "vi") -> Rendering:
    """Two items, each of one topic."""
    made = rendering(nonce, language)
    for at, words in enumerate(("Phao đo sóng.", "Giống lúa chịu mặn.")):
        begin, end = segment_marks(nonce, [at], html=True)
        made = replace(made, html=made.html.replace("</body>", f"{begin}<p>{words}</p>{end}</body>"))
        begin, end = segment_marks(nonce, [at], html=False)
        made = replace(made, text=f"{made.text}{begin}{words}\n{end}")
    return replace(made, segments=Segments(topics=(("Biển",), ("Lúa",))))


def rendering(nonce: str, language: str = "vi") -> Rendering:
    link = marker(nonce, "unsubscribe_url")
    hello = "Chào" if language == "vi" else "Hello"
    return Rendering(
        language=language,
        subject="Viện Thử nghiệm công bố kết quả đo ẩm độ tháng Mười một",
        preheader="Ba tin mới trong tuần từ phòng thí nghiệm",
        html=f'<!doctype html><html lang="{language}"><head><title>Bản tin</title></head><body>'
        f"<p>{hello} {marker(nonce, 'subscriber_name')}</p><p>Ẩm độ tăng 1,5&nbsp;%.</p>"
        f'<p><a href="{link}">Hủy đăng ký</a></p></body></html>',
        text=f"{hello} {marker(nonce, 'subscriber_name')}\n\nẨm độ tăng 1,5 %.\n\nHủy đăng ký: {link}\n",
    )


@pytest.fixture
def frozen_mailing() -> Frozen:
    """`frozen_mailing(app, addresses)` subscribes them and freezes a mailing of kind TEST-free content for them."""

    def make(
        app: App,
        addresses: list[str],
        *,
        kind: MailingKind = MailingKind.ISSUE,
        policy: str = "hold",
        made: Callable[..., Rendering] = rendering,
        list_slug: str = "tin",
    ) -> MailingId:
        subscribe(app, list_slug, addresses)
        mailing_id = MailingId(new_id())
        nonce = make_nonce(app.nonce_secret, mailing_id)
        renderings = (made(nonce), made(nonce, "en"))
        sender = f"Bản tin Viện <{app.settings.sender.address_of(list_slug)}>"
        mailing = Mailing(
            id=mailing_id,
            kind=kind,
            state=MailingState.COMPOSED,
            issue_id=None,
            list_slug=list_slug,
            sender_name="Bản tin Viện",
            unknown_policy=policy,
            content_hash=content_hash(renderings, sender=sender, list_id=list_slug),
            nonce=nonce,
            renderings=renderings,
        )
        with app.db.begin() as conn:
            mailings.add(conn, mailing, now=app.clock.now())
            deliveries.freeze(conn, mailing_id, audience(conn, list_slug), now=app.clock.now())
        return mailing_id

    return make


def lose_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first commit of intents is done, and the database's answer to it never comes."""
    commit, lost = Recorder._commit, threading.Event()

    def commit_and_lose(recorder: Recorder, entries: list[Any]) -> list[Any]:
        answers = commit(recorder, entries)
        if not lost.is_set() and any(entry.wanted for entry in entries):
            lost.set()
            raise ConnectionResetError("server closed the connection unexpectedly")
        return answers

    monkeypatch.setattr(Recorder, "_commit", commit_and_lose)


def addresses(count: int) -> list[str]:
    return [f"doc.gia{n}@thu{n % 7}.example" for n in range(count)]


def smtp(port: int, **more: object) -> dict[str, object]:
    settings = {"host": "localhost", "port": port, "security": "none", "connections": 3, "timeout": 5} | more
    return {"kind": "smtp", "smtp": settings}


def outbox(app: App) -> list[Path]:
    return sorted(app.settings.outbox.glob("*.eml"))
