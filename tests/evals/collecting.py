"""How well pages, feeds and listings are read: the product's own readers against a folder of pages with their truth.

Reads and measures only; nothing is fetched and nothing is written.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from newsletter.collect.feeds.feed import read_feed
from newsletter.collect.lists.listing import Listing, read_listing
from newsletter.collect.pages.page import read_page
from newsletter.model import Feed, RawItem
from tests.evals import scoring
from tests.evals.data import content, records
from tests.evals.tables import Table, out_of, per_second, row, share
from tests.evals.timing import Outcome, timed

REAL_PAGES = ("articles.jsonl", "meta_postlight.jsonl")
LAYOUTS = ("synth_vi_articles.jsonl",)  # counted apart: they test one trap, not the average page
FEEDS = "feeds.jsonl"
LISTINGS = (("real", "listing.jsonl"), ("Vietnamese layouts", "synth_vi_listing.jsonl"))
LOST = 0.5  # F1 of links below which a listing counts as not read at all
POOR = 0.8  # body F1 below which a page counts as misread
MOST_NAMED = 10  # failures named below a table
_WARM = b"<html><body><h1>Heading</h1><p>The first page read pays for loading the extractor.</p></body></html>"


# ---------------------------------------------------------------- pages


@dataclass(frozen=True, slots=True, kw_only=True)
class PageScore:
    """None: the set does not say what is right. `failure`: what the reader raised; all its figures are then 0."""

    id: str
    source: str
    body: float | None = None  # F1 of words, 0 to 1
    found: float | None = None  # share of the snippets that must be there
    kept_out: float | None = None  # share of the snippets that must not
    title: bool | None = None
    day: bool | None = None
    near_day: bool | None = None  # at most a day off: a zone's doing
    image: bool | None = None
    authors: float | None = None  # F1 of the words of all names, 0 to 1
    seconds: float = 0.0  # CPU
    failure: str = ""


def score_page(record: dict[str, Any], item: RawItem, outcome: Outcome) -> PageScore:
    """`record`: id, src, and where known body, title, date, author, image (file names that are right), with_, without."""
    body = scoring.page_words(item.text)
    day, right = scoring.day_of(item.published), (record.get("date") or "")[:10]
    apart = scoring.days_apart(day, right) if right else None
    known = record.get("body") is not None
    return PageScore(
        id=record["id"],
        source=record.get("src") or "-",
        body=scoring.overlap(body, scoring.page_words(record["body"])) if known else None,
        found=_held(body, record.get("with_")) if known else None,
        kept_out=_kept_out(body, record.get("without")) if known else None,
        title=scoring.same_title(item.title, record["title"]) if record.get("title") else None,
        day=day == right if right else None,
        near_day=(apart is not None and apart <= 1) if right else None,
        image=scoring.same_picture(item.image, record["image"]) if record.get("image") else None,
        authors=scoring.same_names(item.authors, record["author"]) if record.get("author") else None,
        seconds=outcome.seconds,
        failure=outcome.failure,
    )


def _held(body: Sequence[str], snippets: Sequence[str] | None) -> float | None:
    told = [scoring.holds(body, scoring.page_words(snippet)) for snippet in snippets or ()]
    return sum(told) / len(told) if told else None


def _kept_out(body: Sequence[str], snippets: Sequence[str] | None) -> float | None:
    held = _held(body, snippets)
    return None if held is None else 1 - held


def read_pages(folder: Path, name: str, limit: int | None) -> Iterator[PageScore]:
    """Each page of the set `name`, read from `folder` and scored, in order."""
    for record in records(folder / name, limit):
        markup = content(folder / record["file"])
        read = partial(read_page, markup, url=record.get("url") or None)
        item, outcome = timed(read, RawItem(title=""))
        yield score_page(record, item, outcome)


PAGE_COLUMNS = (
    "pages (n in brackets)", "body F1", f"below {POOR}", "snippets found", "kept out", "title exact",
    "date right", "within a day", "author F1", "lead image", "failed", "pages per CPU s",
)  # fmt: skip
_PAGE_BARS = {
    "body F1": "≥ .950", "title exact": "≥ .78", "date right": "≥ .90", "author F1": "≥ .75", "lead image": "≥ .50",
    "failed": "0", "pages per CPU s": "≥ 10",
}  # fmt: skip


def page_row(name: str, scores: Sequence[PageScore]) -> list[str]:
    cells = {
        "body F1": share(score.body for score in scores),
        f"below {POOR}": out_of(None if score.body is None else score.body < POOR for score in scores),
        "snippets found": share(score.found for score in scores),
        "kept out": share(score.kept_out for score in scores),
        "title exact": share(score.title for score in scores),
        "date right": share(score.day for score in scores),
        "within a day": share(score.near_day for score in scores),
        "author F1": share(score.authors for score in scores),
        "lead image": share(score.image for score in scores),
        "failed": out_of(bool(score.failure) for score in scores),
        "pages per CPU s": per_second(len(scores), sum(score.seconds for score in scores)),
    }
    return row(name, cells, PAGE_COLUMNS)


def page_table(scores: Sequence[PageScore], layouts: Sequence[PageScore], *, worst: int = 0) -> Table:
    """By the set each page came from, all together, and the layouts apart; `worst` pages named below."""
    sources = sorted({score.source for score in scores})
    rows = [page_row(source, [score for score in scores if score.source == source]) for source in sources]
    if scores:
        rows += [page_row("all", scores), row("bar", _PAGE_BARS, PAGE_COLUMNS)]
    if layouts:
        bars = {"kept out": "all", "date right": "all"}
        rows += [page_row("Vietnamese layouts", layouts), row("bar", bars, PAGE_COLUMNS)]
    both = [*scores, *layouts]
    low = sorted((score.body, score.id) for score in both if score.body is not None)[:worst]
    below = [f"body F1 {body:.3f}: {name}" for body, name in low]
    return Table("Pages", PAGE_COLUMNS, rows, [*_failures((score.id, score.failure) for score in both), *below])


# ---------------------------------------------------------------- feeds


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedScore:
    """`titles`, `links`, `dates`: one verdict for each entry whose truth is known; all False when the count is wrong."""

    id: str
    real: bool  # collected from the web; else written for a parser's own tests
    count: bool
    whole: bool  # every entry and the feed's own title are right
    titles: tuple[bool, ...]
    links: tuple[bool, ...]
    dates: tuple[bool, ...]
    seconds: float = 0.0  # CPU
    failure: str = ""

    @property
    def facts(self) -> tuple[bool, ...]:
        return self.titles + self.links + self.dates


def score_feed(record: dict[str, Any], feed: Feed | None, outcome: Outcome) -> FeedScore:
    """`record`: id, real, title, entries of title, link, published (UTC). Entries are compared in order."""
    expected = record["entries"]
    count = feed is not None and len(feed.entries) == len(expected)
    found: Sequence[RawItem] = feed.entries if feed is not None and count else [RawItem(title="")] * len(expected)
    pairs = list(zip(found, expected, strict=True))
    titles = [scoring.same_text(item.title, told["title"]) for item, told in pairs if told.get("title")]
    links = [scoring.same_link(item.url, told["link"]) for item, told in pairs if told.get("link")]
    dates = [scoring.moment_of(item.published) == told["published"] for item, told in pairs if told.get("published")]
    named = record.get("title") is None or (feed is not None and scoring.same_text(feed.title, record["title"]))
    return FeedScore(
        id=record["id"],
        real=bool(record.get("real")),
        count=count,
        whole=count and named and all([*titles, *links, *dates]),
        titles=tuple(count and verdict for verdict in titles),
        links=tuple(count and verdict for verdict in links),
        dates=tuple(count and verdict for verdict in dates),
        seconds=outcome.seconds,
        failure=outcome.failure,
    )


def read_feeds(folder: Path, limit: int | None) -> Iterator[FeedScore]:
    for record in records(folder / FEEDS, limit):
        body = content(folder / record["file"])
        feed, outcome = timed(partial(read_feed, body), None)
        yield score_feed(record, feed, outcome)


FEED_COLUMNS = (
    "feeds", "n", "entry counts", "title", "link", "date", "title+link+date", "whole feeds", "failed", "feeds per CPU s",
)  # fmt: skip
_FEED_BARS = {"entry counts": "all", "title+link+date": "≥ .97"}


def feed_row(name: str, scores: Sequence[FeedScore]) -> list[str]:
    cells = {
        "n": str(len(scores)),
        "entry counts": out_of(score.count for score in scores),
        "title": share(verdict for score in scores for verdict in score.titles),
        "link": share(verdict for score in scores for verdict in score.links),
        "date": share(verdict for score in scores for verdict in score.dates),
        "title+link+date": share(verdict for score in scores for verdict in score.facts),
        "whole feeds": out_of(score.whole for score in scores),
        "failed": out_of(bool(score.failure) for score in scores),
        "feeds per CPU s": per_second(len(scores), sum(score.seconds for score in scores)),
    }
    return row(name, cells, FEED_COLUMNS)


def feed_table(scores: Sequence[FeedScore], *, worst: int = 0) -> Table:
    kinds = (("real", True), ("made for tests", False))
    rows = [
        feed_row(name, chosen) for name, real in kinds if (chosen := [score for score in scores if score.real == real])
    ]
    if scores:
        rows += [feed_row("all", scores), row("bar", _FEED_BARS, FEED_COLUMNS)]
    wrong = [f"not whole: {score.id}" for score in scores if not score.whole][:worst]
    return Table("Feeds", FEED_COLUMNS, rows, [*_failures((score.id, score.failure) for score in scores), *wrong])


# ---------------------------------------------------------------- listings


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingScore:
    """Of the links: articles that must be there, against those found that are neither these nor allowed."""

    id: str
    precision: float
    recall: float
    f1: float
    seconds: float = 0.0  # CPU
    failure: str = ""


def score_listing(record: dict[str, Any], found: Listing, outcome: Outcome) -> ListingScore:
    """`record`: id, url, must, allowed (articles elsewhere on the page, which count neither way)."""
    links = {scoring.plain_link(link.url) for link in found.links} - {scoring.plain_link(record["url"])}
    must = {scoring.plain_link(link) for link in record["must"]}
    wrong = links - must - {scoring.plain_link(link) for link in record["allowed"]}
    right = len(links & must)
    precision = right / (right + len(wrong)) if right else 0.0
    recall = right / len(must) if must else 0.0
    return ListingScore(
        id=record["id"],
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if right else 0.0,
        seconds=outcome.seconds,
        failure=outcome.failure,
    )


def read_listings(folder: Path, name: str, limit: int | None) -> Iterator[ListingScore]:
    for record in records(folder / name, limit):
        body = content(folder / record["file"])
        found, outcome = timed(partial(read_listing, body, url=record["url"]), Listing(links=(), signature=""))
        yield score_listing(record, found, outcome)


LISTING_COLUMNS = (
    "listings", "precision", "recall", "links F1", f"below {LOST}", f"below {POOR}", "failed", "pages per CPU s",
)  # fmt: skip
_LISTING_BARS = {"links F1": "≥ .96", f"below {LOST}": "0", "failed": "0"}


def listing_row(name: str, scores: Sequence[ListingScore]) -> list[str]:
    cells = {
        "precision": share(score.precision for score in scores),
        "recall": share(score.recall for score in scores),
        "links F1": share(score.f1 for score in scores),
        f"below {LOST}": out_of(score.f1 < LOST for score in scores),
        f"below {POOR}": out_of(score.f1 < POOR for score in scores),
        "failed": out_of(bool(score.failure) for score in scores),
        "pages per CPU s": per_second(len(scores), sum(score.seconds for score in scores)),
    }
    return row(name, cells, LISTING_COLUMNS)


def listing_table(sets: Sequence[tuple[str, Sequence[ListingScore]]], *, worst: int = 0) -> Table:
    """A line for each set of pages; the `worst` pages named below."""
    rows = [*(listing_row(name, scores) for name, scores in sets), row("bar", _LISTING_BARS, LISTING_COLUMNS)]
    every = [score for _, scores in sets for score in scores]
    low = sorted((score.f1, score.id) for score in every)[:worst]
    below = [f"links F1 {f1:.3f}: {name}" for f1, name in low]
    return Table("Listings", LISTING_COLUMNS, rows, [*_failures((s.id, s.failure) for s in every), *below])


# ---------------------------------------------------------------- measuring


def measure(folder: Path, *, limit: int | None, worst: int, tell: Callable[[str], object]) -> Iterator[Table]:
    """The tables of a folder; a set that is not there is told and skipped. `limit`: records of each set."""
    read_page(_WARM)
    pages = [score for name in _present(folder, REAL_PAGES, tell) for score in read_pages(folder, name, limit)]
    layouts = [score for name in _present(folder, LAYOUTS, tell) for score in read_pages(folder, name, limit)]
    if pages or layouts:
        yield page_table(pages, layouts, worst=worst)
    if _present(folder, (FEEDS,), tell):
        yield feed_table(list(read_feeds(folder, limit)), worst=worst)
    present = _present(folder, [name for _, name in LISTINGS], tell)
    sets = [(title, list(read_listings(folder, name, limit))) for title, name in LISTINGS if name in present]
    if sets:
        yield listing_table(sets, worst=worst)


def _present(folder: Path, names: Sequence[str], tell: Callable[[str], object]) -> list[str]:
    for name in names:
        if not (folder / name).is_file():
            tell(f"skipped: {folder / name} is not there")
    return [name for name in names if (folder / name).is_file()]


def _failures(outcomes: Iterator[tuple[str, str]]) -> list[str]:
    failed = [f"failed: {name}: {failure}" for name, failure in outcomes if failure]
    more = [f"and {len(failed) - MOST_NAMED} more"] if len(failed) > MOST_NAMED else []
    return failed[:MOST_NAMED] + more
