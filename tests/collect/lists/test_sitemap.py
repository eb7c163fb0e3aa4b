"""Sitemaps of every form, and those made to hurt."""

import gzip
from datetime import UTC, date, datetime

import pytest

from newsletter.collect.lists.serial import MAX_ITEMS, mapped
from newsletter.collect.lists.sitemap import SitemapEntry, looks_like_sitemap, read_sitemap
from newsletter.errors import Unreadable
from newsletter.http import Fetched

URL = "https://vien.example.vn/sitemap.xml"
SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def urlset(*entries: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {SPACE}>{"".join(entries)}</urlset>'.encode()


def one(path: str, lastmod: str = "") -> str:
    changed = f"<lastmod>{lastmod}</lastmod>" if lastmod else ""
    return f"<url><loc>https://vien.example.vn{path}</loc>{changed}</url>"


def paths(body: bytes) -> list[str]:
    return [entry.url.removeprefix("https://vien.example.vn") for entry in read_sitemap(body, url=URL).entries]


def test_the_newest_come_first_and_undated_ones_last_in_their_order() -> None:
    body = urlset(one("/a"), one("/b", "2026-03-01"), one("/c"), one("/d", "2026-03-05T08:00:00+07:00"))
    assert paths(body) == ["/d", "/b", "/a", "/c"]
    assert read_sitemap(body, url=URL).entries[1].changed == date(2026, 3, 1)


def test_a_news_sitemap_gives_titles_and_days_of_publication() -> None:
    body = (
        f'<urlset {SPACE} xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" '
        'xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><url><loc>https://vien.example.vn/tin/1</loc>'
        "<image:image><image:loc>https://vien.example.vn/1.jpg</image:loc><image:title>Ảnh</image:title></image:image>"
        "<lastmod>2026-03-09</lastmod><news:news><news:publication_date>2026-03-02T01:00:00Z</news:publication_date>"
        "<news:title>Trạm đo mới &amp; tàu mới</news:title></news:news></url></urlset>"
    )
    (entry,) = read_sitemap(body.encode(), url=URL).entries
    assert (entry.url, entry.title) == ("https://vien.example.vn/tin/1", "Trạm đo mới & tàu mới")
    assert (entry.published, entry.changed) == (datetime(2026, 3, 2, 1, tzinfo=UTC), date(2026, 3, 9))


def test_an_index_names_further_sitemaps() -> None:
    body = f"<sitemapindex {SPACE}><sitemap><loc>https://vien.example.vn/s1.xml.gz</loc></sitemap></sitemapindex>"
    found = read_sitemap(body.encode(), url=URL)
    assert found.is_index
    assert [entry.url for entry in found.entries] == ["https://vien.example.vn/s1.xml.gz"]


@pytest.mark.parametrize(
    "path", ["/", "/category/tin-tuc/", "/tag/bien/", "/anh/tau.jpg", "/lien-he", "/page/2"], ids=lambda path: path
)
def test_addresses_that_are_no_articles_are_left_out(path: str) -> None:
    assert paths(urlset(one(path), one("/bai-viet"))) == ["/bai-viet"]


def test_other_sites_odd_schemes_and_repetitions_are_left_out() -> None:
    odd = [
        f"<url><loc>{link}</loc></url>"
        for link in ("https://khac.example.net/a", "javascript:x", "http://[", "", "ftp://a/b")
    ]
    assert paths(urlset(*odd, one("/a"), one("/a#b"), one("/a"))) == ["/a"]
    below = "<url><loc>https://tin.vien.example.vn/a</loc></url>"
    assert paths(urlset(below)) == ["https://tin.vien.example.vn/a"]


def test_packed_prefixed_broken_and_plain_ones_are_read() -> None:
    plain = urlset(one("/a"), one("/b"))
    assert paths(gzip.compress(plain)) == ["/a", "/b"]
    assert paths(plain.decode().encode("utf-16")) == ["/a", "/b"]
    assert paths(b"\xef\xbb\xbf\n" + plain.replace(b"<url>", b"<url>\n\n").replace(b"</urlset>", b"")) == ["/a", "/b"]
    prefixed = '<s:urlset xmlns:s="x"><s:url><s:loc>https://vien.example.vn/a</s:loc></s:url></s:urlset>'
    assert paths(prefixed.encode()) == ["/a"]
    assert paths(b"https://vien.example.vn/a\r\nhttps://vien.example.vn/b\r\n") == ["/a", "/b"]


BOMB = b'<?xml version="1.0"?><!DOCTYPE urlset [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (BOMB, "document type"),
        (BOMB.replace(b'"ha"', b'SYSTEM "file:///etc/passwd"'), "document type"),
        (gzip.compress(b" " * (51 << 20)), "larger than 50 MB when unpacked"),
        (b"\x1f\x8b broken", "packing of the sitemap is broken"),
        (b" \n", "empty"),
        (b"<html><body>404</body></html>", "not a sitemap"),
        (b"words\nhttps://vien.example.vn/a", "not a sitemap"),
        (bytes(range(256)) * 20, "not a sitemap"),
    ],
)
def test_what_is_no_sitemap_or_made_to_hurt_is_refused(body: bytes, expected: str) -> None:
    with pytest.raises(Unreadable, match=expected):
        read_sitemap(body, url=URL)


def test_more_than_the_bound_is_cut_and_said_so() -> None:
    found = read_sitemap(urlset(*(one(f"/bai-{n}") for n in range(50_010))), url=URL)
    assert (len(found.entries), found.truncated) == (50_000, True)


def test_strange_elements_do_not_stop_it() -> None:
    attributes = " ".join(f'a{n}="x"' for n in range(20_000))
    children = "<x/>" * 50_000
    body = urlset(f"<url {attributes}><loc>https://vien.example.vn/a</loc></url>", f"<url>{children}</url>", one("/b"))
    assert paths(body)[-1] == "/b"
    deep = urlset(one("/a"), "<url>" * 60_000, "</url>" * 60_000)
    assert paths(deep)[0] == "/a"


def test_what_a_sitemap_looks_like() -> None:
    assert looks_like_sitemap(urlset())
    assert not looks_like_sitemap(b"<rss><channel></channel></rss>")


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("/2025/12/30/tin-99.html", "/2026/01/02/tin-5.html"),
        ("/2025/12/tin-99.html", "/2026/01/tin-5.html"),
        ("/bai-20251230.html", "/bai-20260102.html"),
        ("/tin-tuc/ket-qua-999.html", "/tin-tuc/khai-mac-4711.html"),
        ("/vi/gioi-thieu", "/vi/tin?id=12"),
        ("/tin/2026-02-31-hop", "/tin/2026-03-01-hop"),
    ],
)
def test_an_address_tells_the_age_of_an_undated_entry(older: str, newer: str) -> None:
    first, second = (SitemapEntry(url=f"http://vien.example{path}") for path in (older, newer))
    assert second.told_by_url < first.told_by_url


def test_a_date_of_the_sitemap_counts_before_what_the_address_says() -> None:
    dated = SitemapEntry(url="http://vien.example/2019/01/01/a.html", changed=date(2026, 11, 1))
    assert dated.told_by_url < SitemapEntry(url="http://vien.example/2026/10/01/a.html").told_by_url


def test_of_too_many_undated_addresses_the_newest_are_taken() -> None:
    count = MAX_ITEMS + 500
    body = urlset(
        *(f"<url><loc>{URL.rsplit('/', 1)[0]}/tin-tuc/bai-{n}.html</loc></url>" for n in range(1000, 1000 + count))
    )
    fetched = Fetched(
        status=200, url=URL, body=body, content_type="text/xml", charset=None, etag=None, last_modified=None,
        not_modified=False, moved=None,
    )  # fmt: skip
    links = mapped(fetched, lambda url: fetched)
    assert links.truncated
    assert len(links.items) == MAX_ITEMS
    assert (links.items[0].url or "").endswith(f"/bai-{999 + count}.html")
