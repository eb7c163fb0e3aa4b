"""A good feed among hostile ones: each bad one ends with entries or a recorded reason, and the good one is read."""

import gzip
from typing import Any

import pytest

from newsletter import collect
from newsletter.app import App
from newsletter.clock import FixedClock
from newsletter.collect.feeds.feed import MAX_ENTRIES, read_feed
from newsletter.collect.identity.match import entries
from newsletter.model import SourceKind, SourceState
from newsletter.store import articles, sources
from tests.fakes.hostile_feeds import BODIES, many, rss

Site = Any  # tests/collect/conftest.py

GOOD = "Đoàn đo sâu trở về cảng sau chuyến khảo sát dài ngày"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Once is enough: hostile is what is read, and what is written of it is plain rows."""
    return sqlite_url


def test_no_hostile_feed_stops_another_or_leaves_no_reason(app: App, site: Site, clock: FixedClock) -> None:
    text = f"<description>{'Đoàn đã đo hết các điểm. ' * 30}</description>"
    site.put("/good", rss(f"<item><title>{GOOD}</title><link>http://vien.example/good/1</link>{text}</item>"))
    with app.db.begin() as conn:
        sources.add(conn, sources.new("good", SourceKind.FEED, "http://vien.example/good"), now=clock.now())
        for number, (name, body) in enumerate(BODIES.items()):
            shown = many(100) if name == "50,000 entries" else body()  # a row each; how many are read is seen below
            site.put(f"/{number}", gzip.compress(shown, compresslevel=1), Content_Encoding="gzip")
            source = sources.new(f"bad-{number}", SourceKind.FEED, f"http://vien.example/{number}", name=name)
            sources.add(conn, source, now=clock.now())
    collect.run(app, clock.now())
    with app.db.read() as conn:
        known = {source.name: source for source in sources.listed(conn)}
        titles = {article.title for article in articles.listed(conn, limit=10_000)}
    assert known["good"].state is SourceState.ACTIVE
    assert GOOD in titles
    for name in BODIES:
        source = known[name]
        assert source.first_run_done or source.reason, name
        assert source.state is not SourceState.FAILING or "\n" not in (source.reason or ""), name
        assert "could not be read:" not in (source.reason or ""), f"{name}: {source.reason}"
    assert "larger than" in (known["50 MB entry"].reason or "")
    assert "an HTML page, not a feed" in (known["login page instead"].reason or "")


def test_of_fifty_thousand_entries_two_thousand_are_read_each_with_its_own_names() -> None:
    found = read_feed(BODIES["50,000 entries"](), url="http://vien.example/feed")
    candidates = entries(found.entries, "s")
    assert (len(found.entries), found.truncated, len(candidates)) == (MAX_ENTRIES, True, MAX_ENTRIES)
    assert len({key for candidate in candidates for key in candidate.keys}) >= 3 * MAX_ENTRIES
