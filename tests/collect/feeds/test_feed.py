"""Feeds of every kind, well made and broken: all entries come out, nothing is expanded, and a refusal says why."""

import json
from datetime import UTC, date, datetime

import pytest

from newsletter.collect.feeds.feed import looks_like_feed, read_feed
from newsletter.errors import Unreadable
from newsletter.model import Feed, RawItem

URL = "https://vien.example/tin/feed"


def rss(
    items: str, *, head: str = '<?xml version="1.0" encoding="utf-8"?>', channel: str = "<title>Hải văn</title>"
) -> str:
    space = 'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    return f'{head}<rss version="2.0" {space}><channel>{channel}{items}</channel></rss>'


def item(number: int, more: str = "") -> str:
    return (
        f"<item><title>Bài {number}</title><link>https://vien.example/{number}</link><guid>g{number}</guid>"
        f"<pubDate>Tue, 04 Mar 2025 10:00:0{number % 10} +0700</pubDate>{more}</item>"
    )


def read(text: str | bytes, **options: object) -> Feed:
    body = text if isinstance(text, bytes) else text.encode()
    return read_feed(body, url=URL, **options)  # type: ignore[arg-type]


def only(text: str | bytes) -> RawItem:
    (entry,) = read(text).entries
    return entry


def test_an_rss_item_is_read_whole() -> None:
    entry = only(
        rss(
            "<item><title>Khai giảng lớp &lt;b&gt;đo sâu&lt;/b&gt;</title><link>/lop?a=1</link><guid> G-7 </guid>"
            "<pubDate>Thứ Ba, 04/03/2025 15:30</pubDate><dc:creator>Thu Hà</dc:creator>"
            "<description>Ba mươi cán bộ dự lớp học kéo dài năm ngày.</description>"
            "<content:encoded><![CDATA[<p>Đoạn một.</p><p><img src='/anh/lop.jpg'> Đoạn hai & ba.</p>]]></content:encoded>"
            "</item>",
            channel="<title>Tin</title><link>https://vien.example/</link><language>vi</language>",
        )
    )
    assert entry == RawItem(
        title="Khai giảng lớp đo sâu",
        url="https://vien.example/lop?a=1",
        guid="G-7",
        text="Đoạn một.\n\nĐoạn hai & ba.",
        standfirst="Ba mươi cán bộ dự lớp học kéo dài năm ngày.",
        authors=("Thu Hà",),
        image="https://vien.example/anh/lop.jpg",
        language="vi",
        published=datetime(2025, 3, 4, 8, 30, tzinfo=UTC),
        published_raw="Thứ Ba, 04/03/2025 15:30",
        provenance={
            "title": "feed",
            "text": "feed:content",
            "standfirst": "feed:summary",
            "published": "feed:pubdate",
            "image": "feed:content",
            "authors": "feed",
            "language": "feed",
        },
    )


def test_an_atom_entry_is_read_whole() -> None:
    entry = only(
        """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en" xml:base="https://vien.example/en/"><title>News</title>
        <entry xml:base="2025/"><id>tag:vien.example,2025:9</id><title>The &lt;b&gt; element</title>
        <link rel="enclosure" type="image/png" href="boat.png"/><link rel="self" href="self"/><link href="boat"/>
        <published>2025-03-04T15:30:00+07:00</published><updated>2025-03-05T00:00:00Z</updated>
        <author><name>Minh Le</name><email>m@vien.example</email></author>
        <summary type="html">&lt;p&gt;A new boat.&lt;/p&gt;</summary>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>One.</p><p>Two.</p></div></content></entry></feed>"""
    )
    assert (entry.title, entry.url, entry.guid) == (
        "The <b> element",
        "https://vien.example/en/2025/boat",
        "tag:vien.example,2025:9",
    )
    assert (entry.text, entry.standfirst, entry.authors) == ("One.\n\nTwo.", "A new boat.", ("Minh Le",))
    assert (entry.image, entry.language) == ("https://vien.example/en/2025/boat.png", "en")
    assert isinstance(entry.published, datetime)
    assert entry.published.isoformat() == "2025-03-04T15:30:00+07:00"


def test_rss_1_and_its_table_of_contents() -> None:
    feed = read(
        """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
        xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>Tin</title><items><rdf:Seq>
        <rdf:li rdf:resource="https://vien.example/1"/></rdf:Seq></items></channel>
        <item rdf:about="https://vien.example/1"><title>Một</title><link>https://vien.example/1</link><dc:date>2025-03-04</dc:date></item>
        </rdf:RDF>"""
    )
    assert (feed.title, len(feed.entries)) == ("Tin", 1)
    assert (feed.entries[0].guid, feed.entries[0].published) == ("https://vien.example/1", date(2025, 3, 4))


def test_json_feed() -> None:
    value = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Tin",
        "language": "vi",
        "authors": [{"name": "Ban biên tập"}],
        "items": [
            {
                "id": 7,
                "url": "/bai",
                "title": "Lớp học",
                "content_html": "<p>Một</p><p>Hai</p>",
                "summary": "Tóm tắt",
                "image": "anh.jpg",
                "date_published": "2025-03-04T15:30:00+07:00",
            },
            {
                "id": "8",
                "external_url": "https://khac.example/x",
                "content_text": "3 < 4",
                "authors": [{"name": "a@b.example"}],
            },
            "not an object",
        ],
    }
    first, second = read(json.dumps(value)).entries
    assert (first.guid, first.url, first.image) == ("7", "https://vien.example/bai", "https://vien.example/anh.jpg")
    assert (first.text, first.standfirst, first.authors) == ("Một\n\nHai", "Tóm tắt", ("Ban biên tập",))
    assert (second.title, second.text, second.url, second.authors) == (
        "",
        "3 < 4",
        "https://khac.example/x",
        ("Ban biên tập",),
    )


def test_json_with_wrong_types_is_survived() -> None:
    (entry,) = read(
        '{"title": 5, "items": [null, {"id": null, "url": 7, "title": ["x"], "authors": {"a": 1}}]}'
    ).entries
    assert (entry.title, entry.guid, entry.authors) == ("", None, ())


def test_media_thumbnails_and_enclosures_are_the_image_before_pictures_in_the_text() -> None:
    media = '<media:thumbnail xmlns:media="http://search.yahoo.com/mrss/" url="/nho.jpg"/>'
    enclosure = '<enclosure url="/to.jpg" type="image/jpeg"/><enclosure url="/a.mp3" type="audio/mpeg"/>'
    text = "<description>&lt;img src='https://vien.example/pixel.gif' width='1'&gt;&lt;img src='/trong.jpg'&gt;</description>"
    assert only(rss(item(1, media + enclosure + text))).image == "https://vien.example/nho.jpg"
    assert only(rss(item(1, enclosure + text))).image == "https://vien.example/to.jpg"
    assert only(rss(item(1, text))).image == "https://vien.example/trong.jpg"


@pytest.mark.parametrize(
    ("author", "names"),
    [
        ("<author>ha@vien.example (Thu Hà)</author>", ("Thu Hà",)),
        ("<author>ha@vien.example</author>", ()),
        ("<author>Thu Hà &lt;ha@vien.example&gt;</author>", ("Thu Hà",)),
        ("<dc:creator>Thu Hà</dc:creator><dc:creator>Minh</dc:creator>", ("Thu Hà", "Minh")),
        ("<author>a@" + "a." * 16000 + "!</author>", ()),
    ],
    ids=["address and name", "address", "angle", "two", "long"],
)
def test_authors_are_names_never_addresses(author: str, names: tuple[str, ...]) -> None:
    assert only(rss(item(1, author))).authors == names


def test_a_permalink_guid_is_the_link_where_there_is_none_and_a_relative_one_is_not_guessed() -> None:
    feed = rss(
        "<item><guid>https://vien.example/p</guid></item><item><link>/a</link></item><item><link>javascript:x</link></item>"
    )
    assert [entry.url for entry in read_feed(feed.encode()).entries] == ["https://vien.example/p", None, None]


def test_what_blog_engines_append_to_an_excerpt_is_no_standfirst() -> None:
    text = "<![CDATA[<p>Lớp học bắt đầu. [&#8230;]</p><p>The post <a>Lớp</a> appeared first on <a>Viện</a>.</p>]]>"
    assert only(rss(item(1, f"<description>{text}</description>"))).text == "Lớp học bắt đầu."


THREE = "".join(item(n) for n in range(3))
LAUGHS = (
    "<!DOCTYPE l [<!ENTITY a 'ha'>"
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
REPAIRED: dict[str, tuple[str | bytes, int]] = {
    "billion laughs": (rss(item(1, "<description>&j;</description>"), head=LAUGHS), 1),
    "external entity": (
        rss(item(1, "<description>&x;</description>"), head='<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/hostname">]>'),
        1,
    ),
    "deep nesting": (rss(item(1, "<description>" + "<b>" * 60000 + "x" + "</b>" * 60000 + "</description>")), 1),
    "nested items": (rss("<item>" * 20000 + "</item>" * 20000), 1),
    "cut off": (rss(THREE)[:-60], 3),
    "bare ampersand": (rss(item(1).replace("/1<", "/?a=1&b=2<") + item(2)), 2),
    "NUL and control characters": (rss(THREE).replace("Bài 1", "Bài\0\x08 1"), 3),
    "blanks and mark first": (b"\xef\xbb\xbf\n \n" + rss(THREE).encode(), 3),
    "warning before the XML": ("<br />\n<b>Warning</b>: x() in /var/www on line 3<br />\n" + rss(THREE), 3),
    "UTF-16 declared UTF-8": (rss(THREE).encode("utf-16"), 3),
    "undeclared prefixes": (rss(item(1, '<media:thumbnail url="https://vien.example/x.jpg"/><slash:x/>')), 1),
    "unclosed CDATA": (rss(THREE)[:-16] + "<item><title><![CDATA[ abc </title></item>", 4),
    "HTML entities": (rss(item(1).replace("Bài", "Caf&eacute; &nbsp;&unknown;")), 1),
    "an inline picture in XHTML": (
        rss(item(1, f'<description><img src="data:image/png;base64,{"A" * 90000}"/></description>')),
        1,
    ),
    "an inline picture in CDATA": (
        rss(item(1, f'<description><![CDATA[<img src="data:x,{"A" * 90000}">]]></description>')),
        1,
    ),
    "many escaped brackets": (rss(item(1, "<description>" + "&lt;" * 200000 + "</description>")), 1),
    "no title, no link": (rss("<item><description>only text</description></item><item/>"), 2),
}


@pytest.mark.parametrize(("body", "count"), REPAIRED.values(), ids=REPAIRED.keys())
def test_broken_and_hostile_feeds_keep_their_entries(body: str | bytes, count: int) -> None:
    assert len(read(body).entries) == count


def test_no_entity_is_expanded_and_no_file_read() -> None:
    for name in ("billion laughs", "external entity"):
        assert len(only(REPAIRED[name][0]).text) < 20
    assert only(REPAIRED["HTML entities"][0]).title == "Café &unknown; 1"
    assert only(REPAIRED["NUL and control characters"][0].replace(item(0), "").replace(item(2), "")).title == "Bài 1"  # type: ignore[union-attr, arg-type]
    assert read(REPAIRED["bare ampersand"][0]).entries[0].url == "https://vien.example/?a=1&b=2"


def test_declared_windows_1258_and_decomposed_text_come_out_composed() -> None:
    head = '<?xml version="1.0" encoding="windows-1258"?>'
    body = rss("<item><title>Vi\u00ea\u0323n H\u0103i v\u0103n</title></item>", head=head, channel="").encode("cp1258")
    assert only(body).title == "Viện Hăi văn"
    assert only(rss("<item><title>Vie\u0323\u0302n</title></item>")).title == "Viện"


def test_more_entries_than_the_bound_are_said_to_be_left_out() -> None:
    feed = read(rss("".join(item(n) for n in range(7))), max_entries=5)
    assert (len(feed.entries), feed.truncated) == (5, True)
    assert not read(rss(THREE), max_entries=3).truncated


REFUSED = {
    "HTML": (b"<!doctype html><html><body><h1>404</h1></body></html>", "HTML page"),
    "XHTML": (b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'><body>x</body></html>", "HTML page"),
    "empty": (b" \r\n", "empty"),
    "gzip": (b"\x1f\x8b\x08\x00abc", "packed"),
    "PDF": (b"%PDF-1.7 ...", "packed"),
    "text": (b"just words", "not a feed"),
    "other XML": (b"<?xml version='1.0'?><urlset><url/></urlset>", "not a feed"),
    "broken JSON": (b'{"items": [', "JSON cannot be read"),
    "JSON of another kind": (b'{"posts": []}', "no list of items"),
    "deep JSON": (b'{"items":' + b"[" * 100000 + b"]" * 100000 + b"}", "JSON cannot be read"),
    "too big": (b"<rss>" + b" " * (12 << 20), "larger than 12 MB"),
    "100,000 attributes": (
        rss("<item " + " ".join(f'a{n}="1"' for n in range(100000)) + "/>").encode(),
        "tag is longer",
    ),
    "a giant tag name": (rss(f"<item><{'x' * 3000000}/></item>").encode(), "tag is longer"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_feed_is_refused_with_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason) as caught:
        read(body)
    assert str(caught.value).startswith(URL)
    assert "\n" not in str(caught.value)


def test_an_empty_feed_is_a_feed() -> None:
    assert read(rss("")).entries == ()
    assert read('{"version": "https://jsonfeed.org/version/1.1", "items": []}').entries == ()


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (rss(THREE).encode(), "text/html", True),
        (rss(THREE).encode("utf-16"), None, True),
        (b'<feed xmlns="http://www.w3.org/2005/Atom">', None, True),
        (b'{"version": "https://jsonfeed.org/version/1"}', None, True),
        (b'{"items": []}', "application/feed+json", True),
        (b'{"items": []}', "application/json", False),
        (b"<!-- x --><a/>", "application/rss+xml", True),
        (b"<!doctype html><html><head><link type='application/rss+xml'>", "text/html", False),
        (b"hello", "text/plain", False),
        (b"", None, False),
    ],
)
def test_a_feed_is_recognised_by_its_beginning(body: bytes, content_type: str | None, expected: bool) -> None:
    assert looks_like_feed(body, content_type) is expected


@pytest.mark.parametrize(
    "tail", ["<item><title>Ba</title>", "<item><title>Ba</title><link>https://vien.example/b", "<item>"]
)
def test_an_entry_cut_off_before_its_address_is_left_for_the_next_reading(tail: str) -> None:
    body = "<rss><channel><item><title>Một</title><link>https://vien.example/1</link></item>" + tail
    assert [entry.title for entry in read_feed(body.encode()).entries] == ["Một"]


@pytest.mark.parametrize(
    "tail", ["<item><link>https://vien.example/2</link><title>Hai</ti", "<item><guid>2</guid><title>Hai"]
)
def test_an_entry_cut_off_behind_its_address_or_id_is_taken(tail: str) -> None:
    body = "<rss><channel><item><title>Một</title><link>https://vien.example/1</link></item>" + tail
    assert len(read_feed(body.encode()).entries) == 2
