"""A feed cut at its entries gives what the whole feed gives, or is not cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.collect.feeds.cut import cut
from newsletter.collect.feeds.feed import read_feed
from newsletter.model import Feed

URL = "http://vien.example/feed"
TEXTS = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="&<>\x00", exclude_categories=["Cc", "Cs"]), max_size=40
)


def rss(*items: str, head: str = "", tail: str = "") -> bytes:
    return f"<rss version='2.0'><channel><title>Viện</title>{head}{''.join(items)}{tail}</channel></rss>".encode()


def item(number: int, title: str = "", after: str = "\n") -> str:
    return f"<item><title>{title or f'Bản tin số {number}'}</title><guid>tin-{number}</guid></item>{after}"


def guids(feed: Feed) -> list[str | None]:
    return [entry.guid for entry in feed.entries]


def test_the_pieces_are_the_feed() -> None:
    body = rss(item(1), item(2, after=""), tail="<ttl>5</ttl>")
    pieces = cut(body)
    assert pieces is not None
    assert len(pieces.entries) == 2
    assert pieces.without((), pieces.prints(b"")).replace(b"\n", b"") == body.replace(b"\n", b"")
    assert pieces.frame == rss(tail="<ttl>5</ttl>")


@given(old=st.lists(TEXTS, min_size=1, max_size=6), new=st.lists(TEXTS, max_size=4), at=st.integers(0, 6))
def test_entries_read_alone_are_those_of_the_whole_feed(old: list[str], new: list[str], at: int) -> None:
    known = [item(n, title) for n, title in enumerate(old)]
    fresh = [item(100 + n, title) for n, title in enumerate(new)]
    seen = set(read_feed(rss(*known), url=URL).prints)
    body = rss(*known[:at], *fresh, *known[at:])
    whole, part = read_feed(body, url=URL), read_feed(body, url=URL, seen=seen)
    assert part.prints == whole.prints
    assert part.entries == tuple(one for one in whole.entries if int((one.guid or "-0").partition("-")[2]) >= 100)


@pytest.mark.parametrize(
    "body",
    [
        rss(item(1), "<!-- ", item(2), " -->"),
        rss(item(1), "<item><description><![CDATA[<item>x</item>]]></description></item>"),
        rss("<item><guid>a</guid><item><guid>b</guid></item></item>"),
        rss(item(1), "<item rdf:about='x'><guid>d</guid></item>"),
        rss(item(1), "chữ ở giữa", item(2)),
        rss(item(1), item(2))[:-40],
        b"<rss><channel><title>rss</title></channel></rss>",
        b"<html><body><article>no feed</article></body></html>",
    ],
    ids=["comment", "cdata", "nested", "attributes", "text", "cut off", "empty", "page"],
)
def test_what_is_not_plainly_laid_out_is_not_cut(body: bytes) -> None:
    assert cut(body) is None


def test_an_entry_in_another_spelling_leaves_no_prints() -> None:
    body = rss(item(1), "<ITEM><guid>c</guid></ITEM>")
    assert read_feed(body, url=URL).prints == ()
    assert guids(read_feed(body, url=URL, seen=read_feed(rss(item(1)), url=URL).prints)) == ["tin-1", "c"]


def test_entries_inside_a_comment_that_holds_them_all_have_no_prints() -> None:
    body = rss(item(1), item(2), head="<!--", tail="-->")
    assert cut(body) is not None
    feed = read_feed(body, url=URL)
    assert (feed.entries, feed.prints) == ((), ())


def test_a_new_root_tag_or_language_asks_for_the_whole_feed() -> None:
    before = set(read_feed(rss(item(1), item(2)), url=URL).prints)
    other = rss(item(1), item(2)).replace(b"version='2.0'", b"version='2.0' xmlns:dc='urn:x'")
    assert guids(read_feed(other, url=URL, seen=before)) == ["tin-1", "tin-2"]
    english = rss(item(1), item(2), head="<language>en</language>")
    assert guids(read_feed(english, url=URL, seen=before)) == ["tin-1", "tin-2"]
    assert guids(read_feed(rss(item(2), item(1), head="<ttl>9</ttl>"), url=URL, seen=before)) == []


def test_a_feed_whose_encoding_is_guessed_or_undone_has_no_prints() -> None:
    western = rss(item(1, "Café à côté, déjà vu, où est-il?")).replace("Viện".encode(), b"").decode().encode("cp1252")
    assert read_feed(western, url=URL).prints == ()
    assert guids(read_feed(western, url=URL)) == ["tin-1"]


def test_a_broken_new_entry_is_repaired_as_in_the_whole_feed() -> None:
    seen = set(read_feed(rss(item(1), item(2)), url=URL).prints)
    body = rss(item(3, "Lúa & gạo &nbsp; <b>mới</b>"), item(1), item(2))
    whole, part = read_feed(body, url=URL), read_feed(body, url=URL, seen=seen)
    assert (part.entries, part.prints) == (whole.entries[:1], whole.prints)


def test_atom_entries_are_cut_too() -> None:
    def atom(*entries: str) -> bytes:
        return f"<feed xmlns='http://www.w3.org/2005/Atom'>{''.join(entries)}</feed>".encode()

    def entry(number: int) -> str:
        return f"<entry><id>urn:{number}</id><title>Số {number}</title></entry>"

    seen = set(read_feed(atom(entry(1)), url=URL).prints)
    assert guids(read_feed(atom(entry(2), entry(1)), url=URL, seen=seen)) == ["urn:2"]
