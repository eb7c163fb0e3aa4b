"""Entries that are as they were at the last reading are not read again, unless one of the new may be a known one."""

from datetime import UTC, datetime

from newsletter.collect.feeds.feed import read_feed
from newsletter.collect.identity.match import entries
from newsletter.collect.identity.reading import is_plain_news, last_reading, must_be_unknown, this_reading
from newsletter.model import Feed

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


def feed(*items: str, base: str = "http://vien.example/") -> bytes:
    return f"<rss><channel><link>{base}</link>{''.join(items)}<ttl>60</ttl></channel></rss>".encode()


def entry(number: int, *, title: str = "", link: str = "", after: str = "") -> str:
    return (
        f"<item><title>{title or f'Chuyến khảo sát thứ {number} của đoàn'}</title>"
        f"<link>{link or f'/bai/{number}'}</link><guid isPermaLink='false'>{number}</guid></item>{after}"
    )


def timed(number: int, *, hour: int) -> str:
    return entry(number).replace("</item>", f"<pubDate>Sun, 22 Nov 2026 {hour:02}:20:00 GMT</pubDate></item>")


def read(body: bytes, before: str | None = None) -> tuple[Feed, str | None, bool]:
    """The feed read after `before`, what is kept of it, and whether what is new may be decided alone."""
    known = last_reading(before)
    found = read_feed(body, url="http://vien.example/feed", seen=known)
    fresh = entries(found.entries, "s1")
    return found, this_reading(known, found.prints, fresh), is_plain_news(known, found.prints, fresh)


def test_only_what_is_new_or_changed_is_read() -> None:
    _, kept, _ = read(feed(entry(1), entry(2), entry(3)))
    found, _, plain = read(feed(entry(4), entry(1), entry(2, title="Tên đã sửa"), entry(3)), kept)
    assert [item.guid for item in found.entries] == ["4", "2"]
    assert (len(found.prints), plain) == (4, True)


def test_white_space_and_order_around_entries_do_not_matter() -> None:
    _, kept, _ = read(feed(entry(1, after="\n\n"), entry(2)))
    found, again, _ = read(feed(entry(2, after=" "), entry(1)), kept)
    assert found.entries == ()
    assert sorted((again or "").split("\n")) == sorted((kept or "").split("\n"))


def test_what_an_entry_inherits_belongs_to_it() -> None:
    _, kept, _ = read(feed(entry(1)))
    found, _, _ = read(feed(entry(1), base="http://moi.example/"), kept)
    assert [item.url for item in found.entries] == ["http://moi.example/bai/1"]


def test_a_name_that_two_entries_bear_asks_for_the_whole_feed() -> None:
    _, kept, _ = read(feed(*map(entry, range(1, 6))))
    others = [entry(n) for n in (1, 3, 4, 5)]
    assert not read(feed(entry(6, link="/bai/2"), entry(2), *others), kept)[2]
    assert not read(feed(entry(6, title="Chuyến khảo sát thứ 2 của đoàn"), entry(2), *others), kept)[2]
    assert read(feed(entry(6, link="/bai/2"), *others), kept)[2]  # the other one has left the feed


def test_the_moment_of_another_entry_asks_for_the_whole_feed() -> None:
    """It raises doubt only where that other entry is gone."""
    first = [timed(n, hour=n) for n in range(1, 6)]
    _, kept, _ = read(feed(*first))
    assert not read(feed(timed(6, hour=2), *first), kept)[2]
    assert read(feed(timed(6, hour=6), *first), kept)[2]


def test_an_entry_shown_twice_is_never_taken_for_read() -> None:
    _, kept, _ = read(feed(entry(1), entry(1), entry(2)))
    assert kept is None


def test_many_new_entries_ask_for_the_whole_feed() -> None:
    _, kept, _ = read(feed(*map(entry, range(1, 5))))
    assert not read(feed(*map(entry, range(4, 10))), kept)[2]


def test_what_must_be_unknown_holds_every_name_and_every_mark_of_distrust() -> None:
    (one,) = entries(read_feed(feed(entry(1)), url="http://vien.example/feed").entries, "s1")
    asked = must_be_unknown([one], NOW)
    assert {*one.asked(), *(f"x:{key}" for key in one.asked())} <= set(asked)
    assert any("turned:2026-11-20" in key for key in asked)


def test_a_json_feed_is_read_whole() -> None:
    body = b'{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "content_text": "Tin"}]}'
    found, kept, plain = read(body)
    assert (len(found.entries), found.prints, kept, plain) == (1, (), None, False)
