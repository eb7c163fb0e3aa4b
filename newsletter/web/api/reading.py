"""What can be looked at only: sources, articles, and what came back."""

from datetime import date, datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from newsletter.model import Article, ArticleState, EventType, Scope, Source
from newsletter.store import articles, events, sources
from newsletter.store.events import Event
from newsletter.web.api.door import By, Room
from newsletter.web.api.problems import Problem
from newsletter.web.api.shapes import Cursor, Limit, Page, Shape, paged

material = Room("sources and articles")
back = Room("events")


# ---------------------------------------------------------------- sources


class SourceShape(Shape):
    slug: str
    name: str
    kind: str
    url: str
    language: str | None
    section: str | None
    topics: tuple[str, ...]
    state: str
    reason: str | None
    failures: int = Field(description="in a row")
    last_ok_at: datetime | None
    next_check_at: datetime | None


@material.does("GET", "/sources", Scope.ARTICLES_READ, summary="All sources and how they fare")
def list_sources(by: By) -> Page[SourceShape]:
    with by.app.db.read() as conn:
        return Page(data=[_source(one) for one in sources.listed(conn)], next_cursor=None)


@material.does("GET", "/sources/{slug}", Scope.ARTICLES_READ, summary="Get one source", problems=(404,))
def get_source(by: By, slug: Annotated[str, Path(description="a source's slug")]) -> SourceShape:
    with by.app.db.read() as conn:
        found = sources.by_slug(conn, slug)
    if found is None:
        raise Problem(404, "there is no source of this name")
    return _source(found)


def _source(one: Source) -> SourceShape:
    return SourceShape(
        slug=one.slug,
        name=one.name,
        kind=one.kind,
        url=one.url,
        language=one.language,
        section=one.section,
        topics=one.topics,
        state=one.state,
        reason=one.reason,
        failures=one.failures,
        last_ok_at=one.last_ok_at,
        next_check_at=one.next_check_at,
    )


# ---------------------------------------------------------------- articles


class SummaryShape(Shape):
    text: str
    origin: str = Field(description="standfirst, extract, model or human")
    ok: bool = Field(description="the guard found nothing that the article does not say")


class ArticleShape(Shape):
    id: str
    source: str = Field(description="its name")
    title: str
    url: str | None
    authors: tuple[str, ...]
    language: str
    published: datetime | date | None = Field(description="a day when only that is known")
    topics: tuple[str, ...]
    state: ArticleState
    reason: str | None
    first_seen_at: datetime
    summary: SummaryShape | None


class WholeArticle(ArticleShape):
    text: str
    provenance: dict[str, str] = Field(description="the rule that gave each field")


@material.does(
    "GET", "/articles", Scope.ARTICLES_READ, summary="List articles, the latest collected first", problems=(404,)
)
def list_articles(
    by: By,
    cursor: Cursor = None,
    limit: Limit = 50,
    state: Annotated[ArticleState | None, Query(description="only in this state")] = None,
    source: Annotated[str | None, Query(description="only of this source (slug)")] = None,
) -> Page[ArticleShape]:
    with by.app.db.read() as conn:
        known = sources.by_slug(conn, source) if source is not None else None
        if source is not None and known is None:
            raise Problem(404, "there is no source of this name")
        found = articles.page(conn, limit=limit + 1, before=cursor, state=state, source_id=known.id if known else None)
    return paged([ArticleShape(**_article(one)) for one in found], limit, lambda one: one.id)


@material.does("GET", "/articles/{id}", Scope.ARTICLES_READ, summary="Get one article with its text", problems=(404,))
def get_article(by: By, id: Annotated[str, Path(description="an article's id")]) -> WholeArticle:
    with by.app.db.read() as conn:
        found = articles.get(conn, id)
    if found is None:
        raise Problem(404, "there is no such article")
    return WholeArticle(**_article(found), text=found.text, provenance=dict(found.provenance))


def _article(one: Article) -> dict[str, object]:
    made = one.summary
    return {
        "id": one.id,
        "source": one.source_name,
        "title": one.title,
        "url": one.url,
        "authors": one.authors,
        "language": one.language,
        "published": one.published,
        "topics": one.topics,
        "state": one.state,
        "reason": one.reason,
        "first_seen_at": one.first_seen_at,
        "summary": SummaryShape(text=made.text, origin=made.origin, ok=made.guard.ok) if made else None,
    }


# ---------------------------------------------------------------- what came back


class EventShape(Shape):
    id: str
    type: EventType
    subscriber: str = Field(description="their id")
    issue: str | None = Field(description="null: of a letter or a test")
    at: datetime
    kind: str | None = Field(description="of a bounce: hard, soft or block")
    reason: str | None
    reply: str | None = Field(description="the receiver's words, addresses masked")


BOUNCES = (EventType.BOUNCED, EventType.COMPLAINED)


@back.does("GET", "/events", Scope.EVENTS_READ, summary="List what came back, the latest first")
def list_events(
    by: By,
    cursor: Cursor = None,
    limit: Limit = 100,
    type: Annotated[EventType | None, Query(description="only of this type")] = None,
    issue: Annotated[str | None, Query(description="only of this issue (id)")] = None,
    subscriber: Annotated[str | None, Query(description="only of this subscriber (id)")] = None,
) -> Page[EventShape]:
    types = (type,) if type is not None else ()
    with by.app.db.read() as conn:
        found = events.page(conn, limit=limit + 1, before=cursor, types=types, issue_id=issue, person_id=subscriber)
    return paged([_event(one) for one in found], limit, lambda one: one.id)


@back.does("GET", "/bounces", Scope.EVENTS_READ, summary="List bounces and complaints, the latest first")
def list_bounces(
    by: By,
    cursor: Cursor = None,
    limit: Limit = 100,
    issue: Annotated[str | None, Query(description="only of this issue (id)")] = None,
    subscriber: Annotated[str | None, Query(description="only of this subscriber (id)")] = None,
) -> Page[EventShape]:
    with by.app.db.read() as conn:
        found = events.page(conn, limit=limit + 1, before=cursor, types=BOUNCES, issue_id=issue, person_id=subscriber)
    return paged([_event(one) for one in found], limit, lambda one: one.id)


def _event(one: Event) -> EventShape:
    def said(name: str) -> str | None:
        value = one.detail.get(name)
        return str(value) if value else None

    return EventShape(
        id=one.id,
        type=one.type,
        subscriber=one.person_id,
        issue=one.issue_id,
        at=one.at,
        kind=said("kind"),
        reason=said("reason"),
        reply=said("reply"),
    )
