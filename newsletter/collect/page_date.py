"""The date of an article page. Pure. The page's own machine-readable word first, what stands near the headline next.

htmldate's search through all text takes the oldest date on a page; it is asked only behind these rules, and on
Vietnamese pages without its guesses (a bare "năm 2023" became 1 January 2023).
"""

import copy
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, tzinfo

import lxml.html

from newsletter.collect.clean import plain
from newsletter.collect.dates import VIETNAM, date_in_lead, parse_date
from newsletter.collect.page_meta import Facts

Dated = tuple[datetime | date | None, str | None, str]

_META = (
    "article:published_time", "og:article:published_time", "datepublished", "parsely-pub-date", "sailthru.date",
    "dc.date.issued", "dcterms.created", "citation_publication_date", "publication_date", "publish-date", "pubdate",
    "date", "dc.date", "dc.date.created", "article.published", "cxenseparse:recs:publishtime",
)  # fmt: skip
_TIME = (
    "(//article//time|//main//time|//header//time|//*[@itemprop='datePublished'])[@datetime or @content]"
    "[not(ancestor::aside) and not(ancestor::footer) and not(ancestor::nav)]"
)
_DATE_CLASS = re.compile(r"date|time|ngay|publish|posted|created|meta|thoi-?gian|clock", re.I)
_LONGEST = 90  # characters: a date line, not a sentence that tells of a day
_OLDEST = 1995


def page_date(tree: lxml.html.HtmlElement, facts: Facts, *, text: str, language: str | None) -> Dated:
    """The date, its own words and the rule: JSON-LD, meta, time element, near the headline, htmldate, lead."""
    vietnamese = (language or "").startswith("vi")
    for raw, rule in _declared(tree, facts):
        moment = _machine(raw, VIETNAM if vietnamese else None)
        if moment:
            return moment, raw[:100], rule
    if vietnamese:
        seen = _near_headline(tree)
        if seen:
            return *seen, "near the headline"
    found = None if vietnamese else _htmldate(tree, facts, extensive=True)
    if found is None and vietnamese:
        found = _htmldate(tree, facts, extensive=False)
    if found:
        return found, found.isoformat(), "htmldate"
    lead = date_in_lead(text)
    return (lead[0], lead[1], "lead") if lead else (None, None, "")


def _declared(tree: lxml.html.HtmlElement, facts: Facts) -> Iterator[tuple[str, str]]:
    for name in ("datePublished", "dateCreated"):
        value = facts.article.get(name)
        if isinstance(value, str):
            yield plain(value).strip(), "JSON-LD"
    for name in _META:
        value = facts.meta.get(name)
        if value:
            yield value, "meta"
    for element in tree.xpath(_TIME):
        yield plain(element.get("datetime") or element.get("content") or "").strip(), "time element"


def _machine(raw: str, zone: tzinfo | None) -> datetime | date | None:
    """A machine-written date; without a zone of its own or of the page's country the hour is not believed."""
    moment = parse_date(raw, zone=zone)
    if moment is None:
        head = re.match(r"(\d{4}-\d\d-\d\d)\D", raw)
        moment = parse_date(head[1]) if head else None
    if moment is None or moment.year < _OLDEST:
        return None
    if isinstance(moment, datetime) and zone is None and moment.tzinfo is UTC and not _names_utc(raw):
        return moment.date()
    return moment


def _names_utc(raw: str) -> bool:
    return bool(re.search(r"(?:Z|UTC|GMT|[+-]00:?00)\b|[Zz]\s*$", raw))


def _near_headline(tree: lxml.html.HtmlElement) -> tuple[datetime | date, str] | None:
    """The date line closest to the headline: 12 elements before it to 40 behind, a telling class worth 40 steps."""
    headline = next(tree.iter("h1"), None)
    if headline is None:
        headline = next(tree.iter("h2"), None)
    elements = [element for element in tree.iter() if isinstance(element.tag, str)]
    if headline is None:
        return None
    position = elements.index(headline)
    best: tuple[float, datetime | date, str] | None = None
    for at in range(max(0, position - 12), min(len(elements), position + 40)):
        element = elements[at]
        own = _own_text(element)
        moment = parse_date(own) if own and len(own) <= _LONGEST else None
        if moment is None or moment.year < _OLDEST:
            continue
        telling = _DATE_CLASS.search(str(element.tag) + " " + (element.get("class") or "")) is not None
        score = (2.0 if telling else 0.0) - abs(at - position) / 20
        if best is None or score > best[0]:
            best = (score, moment, own)
    return (best[1], best[2]) if best else None


def _own_text(element: lxml.html.HtmlElement) -> str:
    pieces = [
        element.text,
        *(piece for c in element for piece in (c.text if c.tag in ("em", "span", "i") else "", c.tail)),
    ]
    return " ".join(plain(" ".join(piece for piece in pieces if piece)).split())


def _htmldate(tree: lxml.html.HtmlElement, facts: Facts, *, extensive: bool) -> date | None:
    from htmldate import find_date  # loaded only where a page is read

    try:
        found = find_date(copy.deepcopy(tree), url=facts.url, original_date=True, extensive_search=extensive)
        return date.fromisoformat(found) if found else None
    except Exception:  # its many rules meet odd HTML; a page without a date is no failure
        return None
