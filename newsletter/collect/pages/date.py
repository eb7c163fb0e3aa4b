"""The date of an article page. Pure. The page's own machine-readable word first, what stands near the headline next.

htmldate's search through all text takes the oldest date on a page; it is asked only behind these rules, and without
its guesses (a bare "năm 2023" became 1 January 2023).
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from urllib.parse import urlsplit

import lxml.html

from newsletter.collect.identity.keys import title_key
from newsletter.collect.pages.facts import Facts
from newsletter.collect.text.clean import plain, short_text
from newsletter.collect.text.dates import VIETNAM, date_in_lead, parse_date

Dated = tuple[datetime | date | None, str | None, str]

_META = (
    "article:published_time", "og:article:published_time", "datepublished", "parsely-pub-date", "sailthru.date",
    "dc.date.issued", "dcterms.created", "citation_publication_date", "publication_date", "publish-date", "pubdate", "published",
    "date", "dc.date", "dc.date.created", "article.published", "cxenseparse:recs:publishtime",
)  # fmt: skip
_TIME = (
    "(//article//time|//main//time|//header//time|//*[@itemprop='datePublished'])[@datetime or @content]"
    "[not(ancestor::aside) and not(ancestor::footer) and not(ancestor::nav)]"
)
_DATE_CLASS = re.compile(r"date|time|ngay|publish|posted|created|meta|thoi-?gian|clock", re.I)
_ADDRESS = re.compile(r"/((?:19|20)\d\d)[/-]?(0[1-9]|1[0-2])[/-]?(0[1-9]|[12]\d|3[01])(?=[/_-]|$)")
_UPDATED = re.compile(
    r"\b(?:last edited|updated|modified|reviewed|cập nhật|aktualisiert|mis à jour|actualizado)\b|更新", re.I
)
_NAMED = re.compile(
    r"(?:(?:last|first)\s+)?(?:updated|published|posted|modified)\b|(?:ngày\s+)?(?:đăng|cập nhật)\b|ngày đăng", re.I
)
_POSTED = re.compile(
    r"(?:ngày|giờ|đã)?\s*(?:đăng|xuất bản|phát hành|tạo)\b"
    r"|\b(?:published|posted|first published|veröffentlicht|publié)\b|公開|掲載",
    re.I,
)
_EVENT = re.compile(
    r"\b(?:thời gian|địa điểm|diễn ra|khai mạc|bế mạc|hạn (?:nộp|chót|đăng ký)|từ ngày|đến ngày|lịch|deadline"
    r"|when|where|venue|event|expires|starts|ends|ban hành|hiệu lực|số\s*:|quyết định|văn bản)\b",
    re.I,
)
_CLOCK = re.compile(
    r"(?:^|[\s_-])(?:clock|dong-?ho|today|hom-?nay|top-?bar|topbar|header-?top|weather|thoi-?tiet)", re.I
)
_RELATIVE = re.compile(
    r"(?:[\w ]{0,20}[:|·-]\s*)?(?:(?:\d{1,2}\s*(?:giờ|hours?)\s+)?\d{1,4}\s*\w{2,8}\s+(?:trước|ago)|vừa xong|just now"
    r"|(?:hôm nay|hôm qua|today|yesterday)(?:[,\s]*(?:lúc|at)?\s*\d{1,2}[:h]\d\d)?)\s*",
    re.I,
)
# Which line near the headline is the date: round figures with their reasons, not fitted.
_TELLING = 2.0  # called date, ngay, time, meta
_SAID = 1.0  # says that it is the day of publication
_STEP = 1 / 20  # for each element between the line and the headline
_HIGHER = -0.5  # above the headline: there stand the site's clock and its latest news
_LATER = -3.0  # an update: counts only where no other line does
_OF_AN_EVENT = -3.0  # when something takes place, or the day of a document
_OF_TODAY = -4.0  # the site's clock
_STAMPED = timedelta(days=1)  # a declared day this much later than the visible one is the day of a save; less is a zone
_AMBIGUOUS = re.compile(r"\d[/-]\d{1,2}[/-]\d")  # dots are written day first everywhere
_HEADING_TAGS = ("h2", "h3", "h4", "h5", "h6", "div", "td", "span", "p", "strong", "b", "font", "center")
_BELOW = 20  # elements behind the headline
_LONGEST = 90  # characters: a date line, not a sentence that tells of a day
_OLDEST = 1995


def page_date(
    tree: lxml.html.HtmlElement,
    facts: Facts,
    *,
    text: str,
    language: str | None,
    heading: str = "",
    now: datetime | None = None,
) -> Dated:
    """The date, its own words and the rule.

    In this order: JSON-LD, meta, time element, address, near the headline, htmldate, a named line, modified, lead. A
    declared day that is later than the one readers see near the headline gives way to it: sites that were moved, and some
    that save, stamp all their articles anew. `now` is when the page was fetched: "3 giờ trước" needs it.
    """
    language = language or ""
    seen = _near_headline(tree, heading, language, now)
    for raw, rule in _declared(tree, facts):
        moment = _machine(raw, VIETNAM if language.startswith("vi") else None)
        if moment:
            if seen and seen.first and rule != "time element" and _day_of(moment) - _day_of(seen.moment) > _STAMPED:
                return seen.moment, seen.line, "near the headline"
            return moment, raw[:100], rule
    in_address = _ADDRESS.search(urlsplit(facts.url or "").path)
    moment = parse_date("-".join(in_address.groups())) if in_address else None
    if in_address and moment:
        return moment, in_address[0].strip("/"), "address"
    if seen:
        return seen.moment, seen.line, "near the headline"
    return _last_resorts(tree, facts, text=text, language=language)


def _last_resorts(tree: lxml.html.HtmlElement, facts: Facts, *, text: str, language: str) -> Dated:
    changed = (
        facts.told("dateModified") or facts.said("article:modified_time", "og:updated_time", "last-modified") or ""
    )
    modified = _machine(changed, VIETNAM if language.startswith("vi") else None)
    found = _htmldate(tree, facts)
    if found and not (modified and _day_of(modified) == found):
        return found, found.isoformat(), "htmldate"
    named = _named_line(tree, language)
    if named:
        return *named, "date line"
    if modified:
        return modified, changed[:100], "modified"
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
    for raw in _times(tree):
        yield raw, "time element"


def _times(tree: lxml.html.HtmlElement) -> list[str]:
    """Machine times, those just below the headline first and of them the earliest: "updated" often stands before
    "published", and a box of other articles often before the headline.
    """
    elements = {element: at for at, element in enumerate(tree.iter())}
    headline = next((elements[heading] for heading in tree.iter("h1")), len(elements))
    near: list[str] = []
    rest: list[str] = []
    for element in tree.xpath(_TIME):
        raw = plain(element.get("datetime") or element.get("content") or "").strip()
        (near if 0 <= elements[element] - headline <= _BELOW else rest).append(raw)
    days = {raw: _day_of(moment) for raw in near if (moment := _machine(raw, None))}
    return sorted(days, key=lambda raw: days[raw]) + rest


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    moment: datetime | date
    line: str
    first: bool  # may be the first publication: no update, no event, no site's clock


def _near_headline(tree: lxml.html.HtmlElement, heading: str, language: str, now: datetime | None) -> _Line | None:
    """The date line that stands best, from 12 elements before the headline to 40 behind it."""
    headline = next(tree.iter("h1"), None)
    if headline is None:
        headline = _named_so(tree, heading)
    if headline is None:
        headline = next(tree.iter("h2"), None)
    elements = [element for element in tree.iter() if isinstance(element.tag, str)]
    if headline is None:
        return None
    position = elements.index(headline)
    best: _Line | None = None
    most = -9.0
    for at in range(max(0, position - 12), min(len(elements), position + 40)):
        own = _words(elements[at])
        moment = _line_date(own, language, now) if own and len(own) <= _LONGEST else None
        if moment is None or moment.year < _OLDEST:
            continue
        score = _standing(elements[at], own, at - position)
        if score > most:
            most, best = score, _Line(moment=moment, line=own, first=not (_UPDATED.search(own) or _EVENT.search(own)))
    return best


def _named_so(tree: lxml.html.HtmlElement, heading: str) -> lxml.html.HtmlElement | None:
    """The element that holds the title and nothing else."""
    key = title_key(heading)
    body = tree.find("body")
    for element in (tree if body is None else body).iter(*_HEADING_TAGS) if key else ():
        text = short_text(element, 2 * len(heading))
        if text and title_key(text) == key:
            return element
    return None


def _standing(element: lxml.html.HtmlElement, line: str, distance: int) -> float:
    named = f"{element.tag!s} {element.get('class') or ''}"
    around = " ".join(filter(None, (e.get("class") for e in (element, *list(element.iterancestors())[:3]))))
    return (
        (_TELLING if _DATE_CLASS.search(named) else 0.0)
        - abs(distance) * _STEP
        + (_HIGHER if distance < 0 else 0.0)
        + (_SAID if _POSTED.search(line) else 0.0)
        + (_LATER if _UPDATED.search(line) and not _POSTED.search(line) else 0.0)
        + (_OF_AN_EVENT if _EVENT.search(line) else 0.0)
        + (_OF_TODAY if _CLOCK.search(around) else 0.0)
    )


def _words(element: lxml.html.HtmlElement) -> str:
    """An element's own text; all of it where it is called a date ("04" and "03/2025" in boxes); a picture's label."""
    if element.tag == "img":
        label = plain(element.get("alt") or element.get("title") or "")
        return " ".join(label.split()) if _POSTED.search(label) or _UPDATED.search(label) else ""
    own = _own_text(element)
    if not own or not re.search(r"\d", own):
        return own
    if len(element) and len(element) <= 4 and _DATE_CLASS.search(element.get("class") or ""):
        whole = short_text(element, 40)
        return whole if whole and parse_date(own) is None else own
    return own


def _named_line(tree: lxml.html.HtmlElement, language: str) -> tuple[datetime | date, str] | None:
    """The first line anywhere that says it is the article's date: "Last updated: 4 March 2025" at the end of a text."""
    for element in tree.iter("p", "div", "span", "small", "em", "li", "td"):
        opening = _NAMED.match((element.text or "").strip()[:_LONGEST])
        own = _own_text(element) if opening else ""
        moment = _line_date(own, language) if own and len(own) <= _LONGEST else None
        if moment and moment.year >= _OLDEST:
            return moment, own
    return None


def _line_date(line: str, language: str, now: datetime | None = None) -> datetime | date | None:
    """The day of a date line; its hour only on Vietnamese pages, whose zone is known.

    Day first, but in English "02/03/2025" has two meanings and is left alone.
    """
    moment = parse_date(line, now=now if _RELATIVE.fullmatch(line) else None)
    if moment is None or language.startswith("vi"):
        return moment
    if (language.startswith("en") or not language) and _AMBIGUOUS.search(line):
        other = parse_date(line, day_first=False)
        if other is None or _day_of(other) != _day_of(moment):
            return None
    return _day_of(moment)


def _day_of(moment: datetime | date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _own_text(element: lxml.html.HtmlElement) -> str:
    pieces = [
        element.text,
        *(piece for c in element for piece in (c.text if c.tag in ("em", "span", "i") else "", c.tail)),
    ]
    return " ".join(plain(" ".join(piece for piece in pieces if piece)).split())


def _htmldate(tree: lxml.html.HtmlElement, facts: Facts) -> date | None:
    from htmldate import find_date  # loaded only where a page is read

    try:
        # the extensive search loads every locale of dateparser (seconds), and invents 1 January from a bare year
        found = find_date(copy.deepcopy(tree), url=facts.url, original_date=True, extensive_search=False)
        return date.fromisoformat(found) if found else None
    except Exception:  # its many rules meet odd HTML; a page without a date is no failure
        return None
