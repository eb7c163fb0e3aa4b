"""/archive/{slug}: the issues of a public newsletter, as a page, as RSS and as JSON Feed. Only what went out.

RSS 2.0 (rssboard.org/rss-specification) with Atom's self link, JSON Feed 1.1 (jsonfeed.org/version/1.1). An issue's id never
changes, so a reader's program shows no issue twice.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from lxml import etree
from lxml.builder import E
from starlette.responses import Response

from newsletter.compose.context import ItemView, item_views
from newsletter.compose.safe import clean
from newsletter.model import Issue, Newsletter
from newsletter.store import Connection, issues, newsletters
from newsletter.web.visit import Visit, problem

PER_PAGE = 30
IN_FEED = 20
ATOM = "http://www.w3.org/2005/Atom"
KEEP = {"Cache-Control": "public, max-age=300", "X-Robots-Tag": "all"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One issue of a feed, absolute and clean."""

    id: str
    url: str
    title: str
    summary: str
    content: str  # HTML: its stories with their links
    at: datetime  # the send moment, in the newsletter's zone


def page(visit: Visit) -> Response:
    number = visit.asked("page", "1")
    at = int(number) if number.isdecimal() and len(number) < 6 else 0
    with visit.app.db.read() as conn:
        newsletter = _public(conn, visit)
        if newsletter is None or at < 1:
            return problem(visit, 404)
        found = issues.released(conn, newsletter.id, limit=PER_PAGE + 1, offset=(at - 1) * PER_PAGE)
    own = visit.site.pages.path(f"/archive/{newsletter.slug}")
    return visit.page(
        "public/archive.html",
        newsletter=newsletter,
        issues=found[:PER_PAGE],
        at=at,
        more=len(found) > PER_PAGE,
        own=own,
        theme=visit.site.pages.path(f"/theme/{newsletter.slug}.css"),
        headers=KEEP | {"Cache-Control": "no-cache"},
    )


def rss(visit: Visit) -> Response:
    with visit.app.db.read() as conn:
        newsletter = _public(conn, visit)
        entries = _entries(conn, visit, newsletter) if newsletter else []
    if newsletter is None:
        return problem(visit, 404)
    own = visit.app.url(f"/archive/{newsletter.slug}")
    return Response(_rss(visit, newsletter, entries, own), media_type="application/rss+xml", headers=KEEP)


def json_feed(visit: Visit) -> Response:
    with visit.app.db.read() as conn:
        newsletter = _public(conn, visit)
        entries = _entries(conn, visit, newsletter) if newsletter else []
    if newsletter is None:
        return problem(visit, 404)
    own = visit.app.url(f"/archive/{newsletter.slug}")
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": newsletter.name,
        "home_page_url": own,
        "feed_url": f"{own}/feed.json",
        "language": newsletter.language,
        "authors": [{"name": _organisation(visit)}],
        "items": [
            {
                "id": entry.id,
                "url": entry.url,
                "title": entry.title,
                "summary": entry.summary,
                "content_html": entry.content,
                "date_published": entry.at.isoformat(),
            }
            for entry in entries
        ],
    }
    return Response(json.dumps(feed, ensure_ascii=False), media_type="application/feed+json", headers=KEEP)


def _rss(visit: Visit, newsletter: Newsletter, entries: list[Entry], own: str) -> bytes:
    channel = E.channel(
        E.title(clean(newsletter.name)),
        E.link(own),
        E.description(clean(f"{newsletter.name} – {_organisation(visit)}")),
        E.language(newsletter.language),
        etree.Element(f"{{{ATOM}}}link", href=f"{own}/rss.xml", rel="self", type="application/rss+xml"),
        *(
            E.item(
                E.title(entry.title),
                E.link(entry.url),
                E.guid(entry.id, isPermaLink="false"),
                E.pubDate(format_datetime(entry.at)),
                E.description(entry.content),
            )
            for entry in entries
        ),
    )
    feed = etree.Element("rss", {"version": "2.0"}, nsmap={"atom": ATOM})
    feed.append(channel)
    return etree.tostring(feed, xml_declaration=True, encoding="utf-8")


def _entries(conn: Connection, visit: Visit, newsletter: Newsletter) -> list[Entry]:
    zone = ZoneInfo(newsletter.timezone)
    return [
        Entry(
            id=f"tag:{visit.app.settings.sender.domain},2026:issue:{issue.id}",
            url=visit.app.url(f"/issues/{issue.id}"),
            title=clean(issue.subject or newsletter.name),
            summary=clean(issue.preheader or ""),
            content=_stories(_items(conn, issue, newsletter)),
            at=issue.send_at.astimezone(zone),
        )
        for issue in issues.released(conn, newsletter.id, limit=IN_FEED)
    ]


def _items(conn: Connection, issue: Issue, newsletter: Newsletter) -> list[ItemView]:
    items = [decision.item for decision in issues.decisions(conn, issue.id) if decision.item]
    views = item_views(items, newsletter.timezone, newsletter.language)
    return sorted(views, key=lambda item: (item.section_at, item.section or "", item.position))


def _stories(items: list[ItemView]) -> str:
    """A list of the stories as HTML, everything escaped (pure)."""
    lines = [
        E.li(
            E.a(clean(item.title), href=item.url) if item.url else E.strong(clean(item.title)), E.p(clean(item.summary))
        )
        for item in items
    ]
    return str(etree.tostring(E.ul(*lines), encoding="unicode", method="html"))


def _public(conn: Connection, visit: Visit) -> Newsletter | None:
    found = newsletters.by_slug(conn, visit.part("slug"))
    return found if found is not None and found.public else None


def _organisation(visit: Visit) -> str:
    return visit.app.settings.sender.organisation or visit.app.settings.sender.name
