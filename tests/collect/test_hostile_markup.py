"""What a hostile source writes arrives as text: no element, no script address, no turning or control character, on
every way a source's words take into the database."""

import json
import re
from collections.abc import Callable
from dataclasses import astuple, replace
from html import escape
from pathlib import Path

import pytest

from newsletter.collect.documents.files import read_file
from newsletter.collect.feeds.feed import read_feed
from newsletter.collect.lists.listing import read_listing
from newsletter.collect.lists.serial import listing_items
from newsletter.collect.lists.sitemap import read_sitemap
from newsletter.collect.pages.page import read_page
from newsletter.model import RawItem

BAD = (
    "<script>steal()</script><img src=x onerror=steal()><svg onload=steal()><a href='javascript:steal()'>a</a>"
    "<iframe src='data:text/html,x'></iframe><p style='background:url(javascript:steal())'>b</p>"
)
TURNED = "Tin\u202eviện\u2066 biển\x07\x00\u200b"
SAID = "Đoàn khảo sát đo độ sâu ở mười hai điểm của đầm và lấy mẫu bùn tại sáu điểm, kết quả có sau hai tuần nữa."
PICTURES = ("javascript:steal()", "data:image/svg+xml,x", " JaVaScRiPt:steal()", "java\nscript:steal()", "vbscript:x")
FORBIDDEN = re.compile(
    r"<\s*/?\s*(?:script|img|svg|a|iframe|p)\b|onerror|onload|steal\(\)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]",
    re.I,
)


def _feed(picture: str) -> list[RawItem]:
    said, title = escape(f"<p>{SAID}</p>{BAD}"), escape(TURNED.replace("\x00", "").replace("\x07", ""))
    body = (
        "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/' xmlns:media='http://search.yahoo.com/mrss/'"
        f" xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>{title}{escape(BAD)}</title>"
        f"<item><title>{title} {escape(escape(BAD))}</title><link>{escape(picture)}</link>"
        f"<dc:creator>{escape(BAD)}Lê An</dc:creator>"
        f"<description>{said}</description>"
        f"<content:encoded>{said}</content:encoded><media:content url='{escape(picture)}' medium='image'/></item></channel></rss>"
    )
    return list(read_feed(body.encode()).entries)


def _json_feed(picture: str) -> list[RawItem]:
    item = {"id": "1", "title": TURNED + BAD, "content_html": f"<p>{SAID}</p>{BAD}", "image": picture, "url": picture}
    item |= {"summary": BAD + SAID, "authors": [{"name": BAD + "Lê An"}]}
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": BAD, "items": [item]}
    return list(read_feed(json.dumps(feed).encode(), content_type="application/feed+json").entries)


def _page(picture: str) -> list[RawItem]:
    told = {
        "@type": "NewsArticle", "headline": TURNED + BAD, "image": picture, "author": {"name": BAD + "Lê An"},
        "articleBody": SAID + BAD, "description": BAD,
    }  # fmt: skip
    quoted, script = escape(BAD, quote=True), json.dumps(told).replace("</", "<\\/")
    markup = (
        f"<html><head><meta property='og:title' content=\"{TURNED}{quoted}\">"
        f"<meta property='og:image' content='{escape(picture)}'>"
        f"<meta name='author' content=\"{quoted}Lê An\"><meta name='description' content=\"{quoted}{SAID}\">"
        f"<script type='application/ld+json'>{script}</script></head><body><article><h1>{TURNED}{BAD}</h1>"
        f"<img src='{escape(picture)}'><p>{SAID}{TURNED}</p>{BAD}<p>{SAID}</p></article></body></html>"
    )
    return [read_page(markup.encode(), url="http://vien.example/tin/1")]


def _listing(picture: str) -> list[RawItem]:
    rows = "".join(
        f"<li class='tin'><h3><a href='/bai/{n}.html'>{TURNED} số {n} {SAID[:60]}{BAD}</a></h3><img src='{escape(picture)}'></li>"
        for n in range(8)
    )
    body = f"<html><head><title>{escape(BAD)}</title></head><body><ul>{rows}</ul></body></html>"
    return listing_items(read_listing(body.encode(), url="http://vien.example/tin"))


def _sitemap(picture: str) -> list[RawItem]:
    body = (
        "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'><url>"
        f"<loc>{escape(picture)}</loc></url><url><loc>http://vien.example/bai/1.html</loc><n:news><n:title>{escape(BAD)} Tin biển"
        "</n:title></n:news></url></urlset>"
    )
    found = read_sitemap(body.encode(), url="http://vien.example/sitemap.xml")
    return [RawItem(title=entry.title, url=entry.url) for entry in found.entries]


def _markdown(picture: str) -> str:
    front = (
        f"---\ntitle: {BAD}Tin biển\nauthor: {BAD}Lê An\nsummary: {BAD}{SAID}\nimage: {picture}\nurl: {picture}\n---\n"
    )
    return f"{front}\n# {TURNED}\n\n{SAID}\n\n{BAD}\n\n[a]({picture}) ![b]({picture})\n"


WAYS: dict[str, Callable[[str], list[RawItem]]] = {
    "feed": _feed, "JSON feed": _json_feed, "page": _page, "listing": _listing, "sitemap": _sitemap,
}  # fmt: skip


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_a_hostile_source_but_text_arrives(way: str, picture: str) -> None:
    items = WAYS[way](picture)
    assert items
    for item in items:
        _is_harmless(item)


@pytest.mark.parametrize("picture", PICTURES)
def test_nothing_of_a_hostile_file_but_text_arrives(tmp_path: Path, picture: str) -> None:
    path = tmp_path / "tin.md"
    path.write_text(_markdown(picture), encoding="utf-8")
    _is_harmless(read_file(path))


def _is_harmless(item: RawItem) -> None:
    for told in astuple(replace(item, url=None, image=None)):
        for text in told if isinstance(told, tuple) else (told,):
            assert not (isinstance(text, str) and FORBIDDEN.search(text)), text
    for address in (item.url, item.image):
        assert address is None or address.startswith(("http://", "https://")), address
