"""Digests of every size, language and shape, as a receiver gets them: well-formed, under 100 kB, no item lost unsaid."""

import email
import email.policy
import random
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from newsletter.compose.context import IssueContext, IssueView, NewsletterView, item_views
from newsletter.compose.design import Design
from newsletter.compose.render import HTML_BUDGET, Fitted, fit_issue
from newsletter.compose.select import preheader, subject
from newsletter.locale import labels
from newsletter.mail.check import check_message
from newsletter.mail.compile import Frame, Reader, compile_message
from newsletter.mail.dkim import Signer, dns_record
from newsletter.model import ArticleId, Item
from subscribers import Address

LANGUAGES = ("vi", "en", "ja", "ar")
DAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
WORDS = {
    "vi": (
        "biển sóng gió Ẩm độ ruộng lúa phao Ỗi trạm đo khí mỏ vịnh tàu thuyền đề tài kỹ sư",
        "nghiên cứu bão lũ “quý” 11,4 % chín tuyến",
    ),
    "en": (
        "sea wave wind rice buoy station gas mine bay boat study engineer storm",
        "flood “year” R&D 11.4 % <b> it's",
    ),
    "ja": (
        "海の観測 波と風 稲作の研究 気象台 「速報」 沿岸の町 船",
        "技術者 台風 洪水 年報 測定 公開 協力",
    ),
    "ar": (
        "البحر الموج الريح الأرز المحطة قياس الغاز المنجم الخليج",
        "القارب دراسة مهندس عاصفة فيضان «خبر» تقرير",
    ),
}


def words(chance: random.Random, language: str, most: int) -> str:
    return " ".join(chance.choices(" ".join(WORDS[language]).split(), k=chance.randint(1, most)))


def items_of(chance: random.Random, language: str) -> list[Item]:
    """1 to 60 items, each recognised by its address."""
    pictures = chance.random() < 0.5
    return [
        Item(
            article_id=ArticleId(f"article{n:09}"),
            position=n + 1,
            section=chance.choice([None, *(words(random.Random(k), language, 3) for k in range(4))]),
            title=words(chance, language, 25),
            url=f"https://vien.example/tin/{n:03}?a=1&b={chance.randint(1, 9)}",
            summary=words(chance, language, 90) if chance.random() < 0.9 else "",
            source=words(chance, language, 4),
            author=chance.choice([None, words(chance, language, 3)]),
            image=f"https://vien.example/anh/{n}.jpg" if pictures and chance.random() < 0.7 else None,
            language=chance.choice([language, language, "en"]),
            published=chance.choice([None, date(2026, 11, 1) + timedelta(days=chance.randint(0, 22)), DAY]),
        )
        for n in range(chance.randint(1, 60))
    ]


def digest(seed: int, design: Design, made: ModuleType) -> tuple[list[Item], Fitted, str]:
    chance = random.Random(seed)
    language = LANGUAGES[seed % len(LANGUAGES)]
    items, newsletter = items_of(chance, language), made.made_newsletter("vi" if language == "vi" else "en")
    context = IssueContext(
        issue=IssueView(
            number=seed,
            subject=subject(newsletter, items, language),
            preheader=preheader(newsletter, items, language),
            date=DAY.date(),
            intro=words(chance, language, 40) if chance.random() < 0.5 else "",
            web_url=f"https://vien.example/ban-tin/{seed}" if chance.random() < 0.8 else None,
        ),
        newsletter=NewsletterView(
            name=words(chance, language, 5),
            organisation=words(chance, language, 5),
            postal_address=words(chance, language, 6),
            url="https://vien.example/ban-tin",
            language=language,
        ),
        items=item_views(items, "Asia/Ho_Chi_Minh"),
    )
    return items, fit_issue(design, context, nonce=made.NONCE, language=language), language


def sent(fitted: Fitted, made: ModuleType, signer: Signer) -> bytes:
    frame = Frame(
        from_name="Bản tin Viện",
        from_address="bantin@vien.example",
        date=DAY,
        domain="vien.example",
        bounce_domain="vien.example",
        list_id=("Bản tin", "ban-tin.vien.example"),
        one_click=True,
        list_unsubscribe_mailto="roi@vien.example",
        precedence_bulk=True,
    )
    leave = "https://vien.example/u/" + "7f3k9q2m" * 5
    reader = Reader(
        to=Address("doc.gia", "doc.example"),
        name="Đỗ Quỹ Nghiễm",
        message_id_token="7f3k9q2m7f3k9q2m",
        unsubscribe_url=leave,
        values={
            "unsubscribe_url": leave,
            "preferences_url": "https://vien.example/p/" + "7f3k9q2m" * 5,
            "subscriber_email": "doc.gia@doc.example",
            "subscribed_since": "03/05/2026",
            "subscriber_name": "Đỗ Quỹ Nghiễm",
            "subscriber_first_name": "Nghiễm",
        },
    )
    return compile_message(fitted.rendering, frame, nonce=made.NONCE, signer=signer).splice(reader).mime()


def judge(seed: int, design: Design, made: ModuleType, signer: Signer, record: str) -> None:
    items, fitted, language = digest(seed, design, made)
    raw = sent(fitted, made, signer)
    found = check_message(
        raw,
        from_domain="vien.example",
        rcpt="doc.gia@doc.example",
        subject=fitted.rendering.subject,
        dkim_public=record,
        now=DAY,
    )
    # A digest near the limit is warned of; it is still whole in Gmail.
    told = [one for one in found if one.level != "note" and (one.check, one.level) != ("A17 html size", "warning")]
    assert told == []
    message = email.message_from_bytes(raw, policy=email.policy.default)
    parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    html, text = parts["text/html"], parts["text/plain"]
    assert len(html.encode()) <= HTML_BUDGET
    shown = set(re.findall(r"https://vien\.example/tin/(\d{3})", text))
    assert shown == set(re.findall(r"https://vien\.example/tin/(\d{3})", html))
    assert len(shown) + counted(text, language) == len(items)
    assert f'lang="{language}"' in html
    assert ('dir="rtl"' in html) is (language == "ar")


def counted(text: str, language: str) -> int:
    """How many items the text says are only on the web."""
    said = labels(language).ngettext
    line = " ".join(text.split())
    for count in range(1, 61):
        label = said("and {n} more story on the web", "and {n} more stories on the web", count)
        if " ".join(label.split()) in line:
            return count
    return 0


@pytest.fixture(scope="module")
def signing(dkim_key: Path) -> tuple[Signer, str]:
    pem = dkim_key.read_bytes()
    return Signer("vien.example", "tin", pem), dns_record(pem)


@pytest.mark.parametrize("seed", range(12))
def test_a_generated_digest_holds_what_a_receiver_asks_and_loses_nothing(
    bulletin: Design, made: ModuleType, signing: tuple[Signer, str], seed: int
) -> None:
    judge(seed, bulletin, made, *signing)


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(12, 200))
def test_the_other_188_hold_too(bulletin: Design, made: ModuleType, signing: tuple[Signer, str], seed: int) -> None:
    judge(seed, bulletin, made, *signing)
