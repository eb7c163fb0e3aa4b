"""Segments: which there are, and a form that says whom a query names before anything is saved.

`attempt` is asked by POST because a query may name somebody, and addresses of pages are written into logs; it only reads.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

import subscribers
from newsletter.errors import BadInput
from newsletter.log import get_logger
from newsletter.mail.findings import N_
from newsletter.store import Connection, newsletters
from newsletter.web.shield import asking_policy
from newsletter.web.visit import Visit
from subscribers import Sampled, Segment, SegmentFault, SubscribersError

log = get_logger("web")

SAMPLE = 8
TAGS = 30  # shown beside the form
# What is wrong with a query, by SegmentFault.kind.
_FAULTS = {
    "empty": N_("There is no condition yet."),
    "expected": N_("Character {n}: {found} stands where {words} could stand."),
    "field": N_("Character {n}: there is no field {found}. Is {words} meant?"),
    "list": N_("Character {n}: there is no list {found}. There is {words}."),
    "quote": N_("Character {n}: a text begins here and has no closing quote."),
    "sign": N_("Character {n}: the sign {found} means nothing here."),
    "text": N_("Character {n}: a text stands on one line and has at most 200 characters."),
    "blank": N_("Character {n}: an empty text. Write: is not set"),
    "long": N_("A segment has at most 4,000 characters."),
    "deep": N_("Character {n}: too many brackets within each other."),
    "many": N_("Character {n}: too many conditions."),
    "values": N_("Character {n}: too many values in one list."),
}
# Words of an error that are not words of a query.
_WORDS = {
    "a text in quotes": N_("a text in quotes"),
    "a number": N_("a number"),
    "a day like 2026-11-22": N_("a day like 2026-11-22"),
    "the name of a field": N_("the name of a field"),
    "the end": N_("the end"),
}
EXAMPLES = (
    (N_("who has a tag"), 'tag = "giảng viên"'),
    (N_("who has none of two tags"), 'tag not in ("VIP", "sinh viên")'),
    (N_("who chose a topic, or everything"), 'topic = "Biển"'),
    (N_("who receives another list, too"), 'list = "…"'),
    (N_("language, time zone"), 'language = "vi" and timezone is not set'),
    (N_("name, domain of the address"), 'name contains "Nguyễn" or domain ends with ".edu.vn"'),
    (N_("who joined or confirmed when"), "joined before 2026-01-01 and confirmed within 90 days"),
    (N_("who opened or clicked lately"), "opened within 30 days or clicked in last 5 issues"),
    (N_("who never did"), "never opened and joined before 2026-01-01"),
    (N_("either, both, the opposite"), '(tag = "a" or tag = "b") and not opens < 3'),
)
_BY_TYPE = {
    "text": '{} = "…"',
    "number": "{} >= 10",
    "yes-no": "{} = yes",
    "date": "{} since 2026-01-01",
    "texts": '{} in ("…", "…")',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    name: str = ""
    query: str = ""
    list_slug: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Whom a query names now: how many of a list's people, and the first of them."""

    people: int
    sample: list[Sampled]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`before`, `at`, `behind`: the query around the place."""

    said: str
    before: str = ""
    at: str = ""
    behind: str = ""


# ---------------------------------------------------------------- pages


def segments(visit: Visit) -> Response:
    with visit.app.db.read() as conn:
        rows = [(one, newsletters.of_segment(conn, one.slug)) for one in subscribers.list_segments(conn)]
    return visit.page("staff/segments.html", rows=rows)


def ask(visit: Visit) -> Response:
    return _form(visit, None, Typed())


def form(visit: Visit) -> Response:
    with visit.app.db.read() as conn:
        segment = _segment(visit, conn)
    return _form(visit, segment, Typed(name=segment.name, query=segment.query))


def attempt(visit: Visit) -> Response:
    """What is typed, counted. Changes nothing."""
    with visit.app.db.read() as conn:
        segment = _segment(visit, conn) if "slug" in visit.request.path_params else None
    return _form(visit, segment, _typed(visit.form))


def create(visit: Visit) -> Response:
    typed = _typed(visit.form)
    try:
        with visit.app.db.begin() as conn:
            slug = free_slug(typed.name, {one.slug for one in subscribers.list_segments(conn)})
            subscribers.create_segment(conn, slug, name=typed.name, query=typed.query, now=visit.now)
    except SubscribersError as error:
        return _form(visit, None, typed, error=error)
    return _saved(visit, slug)


def save(visit: Visit) -> Response:
    typed = _typed(visit.form)
    with visit.app.db.read() as conn:
        segment = _segment(visit, conn)
    try:
        with visit.app.db.begin() as conn:
            subscribers.update_segment(conn, segment.slug, name=typed.name, query=typed.query, now=visit.now)
    except SubscribersError as error:
        return _form(visit, segment, typed, error=error)
    return _saved(visit, segment.slug)


def remove(visit: Visit) -> Response:
    """Unless a newsletter goes by it: then the page says which."""
    with visit.app.db.begin() as conn:
        segment = _segment(visit, conn)
        if newsletters.of_segment(conn, segment.slug):
            return visit.go(f"/staff/segments/{segment.slug}")
        subscribers.remove_segment(conn, segment.slug)
    assert visit.member is not None
    log.info("staff_segment_removed", segment=segment.slug, staff=visit.member.id)
    return visit.go("/staff/segments")


def _saved(visit: Visit, slug: str) -> Response:
    assert visit.member is not None
    log.info("staff_segment", segment=slug, staff=visit.member.id)
    return visit.go(f"/staff/segments/{slug}?saved=1")


def free_slug(name: str, taken: set[str]) -> str:
    """`Giảng viên Huế` → `giang-vien-hue`, with a number behind it when that is taken (pure)."""
    plain = unicodedata.normalize("NFD", name.casefold().replace("đ", "d")).encode("ascii", "ignore").decode()
    base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-") or "segment"
    return next(slug for n in range(len(taken) + 1) if (slug := f"{base}-{n + 1}" if n else base) not in taken)


# ---------------------------------------------------------------- the form


def _typed(form: Mapping[str, str]) -> Typed:
    query = form.get("query", "").replace("\r\n", "\n")  # as a browser posts lines
    return Typed(name=form.get("name", ""), query=query, list_slug=form.get("list", ""))


def _segment(visit: Visit, conn: Connection) -> Segment:
    try:
        return subscribers.get_segment(conn, visit.part("slug"))
    except subscribers.UnknownSegment:
        raise BadInput("there is no such segment") from None


def _form(visit: Visit, segment: Segment | None, typed: Typed, *, error: SubscribersError | None = None) -> Response:
    whom: Whom | None = None
    with visit.app.db.read() as conn:
        lists = subscribers.list_lists(conn)
        chosen = next((one.slug for one in lists if one.slug == typed.list_slug), lists[0].slug if lists else "")
        try:
            if typed.query.strip():
                whom = _whom(visit, conn, typed.query, chosen)
        except SegmentFault as fault:
            error = error or fault
        used = newsletters.of_segment(conn, segment.slug) if segment is not None else []
        declared, tags = subscribers.list_attributes(conn), subscribers.list_tags(conn)
    named = isinstance(error, SegmentFault) or error is None
    return visit.page(
        "staff/segment.html",
        status=200 if error is None else 422,
        headers={"Content-Security-Policy": asking_policy()},
        segment=segment,
        typed=typed,
        lists=lists,
        chosen=chosen,
        whom=whom,
        fault=_fault(visit, typed.query, error) if isinstance(error, SegmentFault) else None,
        name_fault="" if named else visit.words.gettext("A segment needs a name of at most 200 characters."),
        used=used,
        saved=visit.asked("saved") == "1" and not visit.form,
        examples=EXAMPLES,
        attributes=[(one, _BY_TYPE[one.type].format(one.slug)) for one in declared],
        tags=tags[:TAGS],
        base=f"/staff/segments/{segment.slug}" if segment is not None else "/staff/new-segment",
    )


def _whom(visit: Visit, conn: Connection, query: str, list_slug: str) -> Whom | None:
    """None where there is no list yet. Raises SegmentFault."""
    subscribers.read_segment(conn, query)
    if not list_slug:
        return None
    when: dict[str, Any] = {"now": visit.now, "time_zone": visit.app.settings.timezone}
    return Whom(
        people=subscribers.count_segment(conn, list_slug, query, **when),
        sample=subscribers.sample_segment(conn, list_slug, query, limit=SAMPLE, **when),
    )


def _fault(visit: Visit, query: str, fault: SegmentFault) -> Fault:
    words = visit.words
    known = [words.gettext(_WORDS[word]) if word in _WORDS else word for word in fault.expected]
    said = words.gettext(
        _FAULTS[fault.kind],
        n=fault.position,
        found=fault.found or words.gettext(_WORDS["the end"]),
        words=f" {words.gettext('or')} ".join(known),
    )
    at = fault.position - 1
    end = at + len(fault.found)
    return Fault(said=said, before=query[max(at - 40, 0) : at], at=query[at:end] or "▁", behind=query[end : end + 40])
