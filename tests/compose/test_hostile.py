"""A hostile article through the whole compose: shown harmlessly as text, never run, and the message stays fit to send."""

import email
import email.policy
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import lxml.html
import pytest

from newsletter import compose
from newsletter.app import App
from newsletter.compose.preflight import sample_message
from newsletter.model import Issue, IssueId, IssueState, Item, new_id
from tests.conftest import NOW

HOSTILE = {
    "script": "<script>alert(1)</script>Tin biển",
    "style": "<style>* { display: none }</style>Tin biển",
    "tracker": '<img src="https://dem.example/p.gif" width="1" height="1">Tin biển',
    "event": '<b onmouseover="alert(1)">Tin biển</b>',
    "frame": '<iframe src="https://xau.example/"></iframe>Tin biển',
    "form": '<form action="https://xau.example/"><input name="p"></form>Tin biển',
    "comment": "<!--[if mso]><table><![endif]--> --> Tin biển",
    "end of all": "</p></td></tr></table></mj-text></mj-section></mj-body></mjml> Tin biển",
    "mjml": '<mj-include path="/etc/passwd" /><mj-raw>x</mj-raw> Tin biển',
    "jinja": "{{ 7*7 }} {% for x in range(9999999) %}x{% endfor %} {{ ''.__class__ }} {# #} Tin biển",
    "merge tags": "*|EMAIL|* %recipient.name% %(name)s {{ subscriber.email }} Tin biển",
    "marker": "QqX0123456789abcdefXsubscriber_emailqQ Tin biển",
    "controls": "\x00\x01\x02\x1b[31m\x7f\x85 Tin\r\nBcc: ai@do.example\r\n\r\nbiển",
    "bidi": "\u202e\u2066gpj.exe\u2069\u202c Tin biển\u200f",
    "entities": "&lt;script&gt; &#60;script&#62; &amp;lt; Tin biển",
    "long title": "Ẫ" * 10_000_000,
    "long words": ("biển " * 2_000_000).strip(),
    "huge table": "<table>" + "<tr><td>biển</td></tr>" * 100_000 + "</table>",
    "marks on marks": "Ti" + "\u0301" * 5000 + "n biển",
    "quotes": "\"'`><\" onload='x' Tin biển",
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """No row is read or written here: one database is enough."""
    return sqlite_url


@pytest.fixture
def composed(make_app: Callable[..., App], made: ModuleType) -> Callable[[list[Item]], tuple[object, dict[str, str]]]:
    """`composed(items)` -> (findings, the sample message's parts by content type and "subject")."""

    def run(items: list[Item]) -> tuple[object, dict[str, str]]:
        app = make_app()
        newsletter = replace(made.made_newsletter(), languages=("vi",))
        issue = Issue(
            id=IssueId(new_id()),
            newsletter_id=newsletter.id,
            occurrence="2026-11-23T08:00",
            number=7,
            send_at=NOW,
            state=IssueState.DRAFT,
            reason=None,
            mailing_id=None,
            subject=None,
            preheader=None,
            content_hash=None,
            approved_hash=None,
            approved_by=None,
            approved_at=None,
        )
        mailing, findings = compose.render_mailing(app, newsletter, issue, items, now=NOW)
        raw = sample_message(app, mailing, mailing.renderings[0], now=NOW)
        message = email.message_from_bytes(raw, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
        return findings, {**parts, "subject": str(message["subject"]), "bcc": str(message["bcc"])}

    return run


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
def test_hostile_words_in_every_field_stay_words(
    composed: Callable[[list[Item]], tuple[list[object], dict[str, str]]], made: ModuleType, words: str
) -> None:
    first, *others = made.made_items(5)
    bad = replace(
        first, title=words, summary=words, source=words, author=words, section=words, image="https://vien.example/a.jpg"
    )
    findings, parts = composed([bad, *others])
    page = lxml.html.document_fromstring(parts["text/html"].encode())
    body = page.find("body")
    assert body is not None
    assert not page.xpath("//script | //iframe | //form | //input | //body//style | //object")
    assert not [name for node in page.iter() for name in getattr(node, "attrib", {}) if str(name).startswith("on")]
    pictures = page.xpath("//img/@src")
    assert pictures
    assert all(str(src).startswith("https://vien.example/") for src in pictures)
    links = [str(href) for href in page.xpath("//a/@href")]
    assert all(".example/" in href and "xau." not in href for href in links)
    assert "49" not in body.text_content().split()
    for part in parts.values():
        assert not {"\x00", "\x1b", "\u202e", "\u2066"} & set(part)
    assert parts["bcc"] == "None"
    assert len(parts["text/html"].encode()) < 100_000
    for item in others:  # and nobody else's news is touched
        assert " ".join(item.title.split()) in " ".join(body.text_content().replace("\xa0", " ").split())
    errors = {finding.check for finding in findings if finding.level == "error"}  # type: ignore[attr-defined]
    assert errors <= {"X01 template left over"}  # a person is asked about words that look like a template


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        'https://vien.example/"onload="x',
        "https://v@xau.example\\@vien.example/",
    ],
)
def test_a_hostile_address_is_text_or_harmless(
    composed: Callable[[list[Item]], tuple[list[object], dict[str, str]]], made: ModuleType, url: str
) -> None:
    items = [replace(made.made_items(1)[0], url=url, image=url), *made.made_items(4)[1:]]
    page = lxml.html.document_fromstring(composed(items)[1]["text/html"].encode())
    for value in [*page.xpath("//@href"), *page.xpath("//@src")]:
        assert str(value).startswith(("https://", "mailto:"))
        assert not set('"<> \\') & set(str(value))
    assert not [name for node in page.iter() for name in getattr(node, "attrib", {}) if str(name).startswith("on")]


def test_a_link_that_shows_another_address_is_pointed_out(
    composed: Callable[[list[Item]], tuple[list[object], dict[str, str]]], made: ModuleType
) -> None:
    items = [replace(made.made_items(1)[0], title="https://nganhang.example/dang-nhap"), *made.made_items(4)[1:]]
    findings, _ = composed(items)
    assert any("shows nganhang.example but leads to" in finding.message for finding in findings)  # type: ignore[attr-defined]


def test_what_a_limit_of_staff_keeps_on_the_web_is_no_finding(
    composed: Callable[[list[Item]], tuple[list[object], dict[str, str]]], made: ModuleType
) -> None:
    items = made.made_items(5)
    findings, _ = composed([*items[:4], replace(items[4], only_web=True)])
    assert not any("only on the web" in finding.message for finding in findings)  # type: ignore[attr-defined]
