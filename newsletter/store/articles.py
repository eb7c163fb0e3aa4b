"""Articles, the identities they are known by, and their summaries."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import sqlalchemy as sa

from newsletter.model import (
    Article,
    ArticleId,
    ArticleState,
    NewsletterId,
    RawItem,
    Source,
    SourceId,
    Summary,
    SummaryAct,
    new_id,
)
from newsletter.store import summaries
from newsletter.store.engine import Connection, insert
from newsletter.store.schema.collecting import articles, identities, sources
from newsletter.store.schema.collecting import summaries as summary_rows
from newsletter.store.schema.publishing import newsletter_sources

_BIND_LIMIT = 500  # well under SQLite's smallest limit of bound parameters


def known(conn: Connection, source_id: SourceId, keys: Iterable[str]) -> dict[str, ArticleId]:
    """Which of these identity keys the source has shown before, and the article each names."""
    wanted, found = list(keys), {}
    for start in range(0, len(wanted), _BIND_LIMIT):
        query = sa.select(identities.c.key, identities.c.article_id).where(
            identities.c.source_id == source_id, identities.c.key.in_(wanted[start : start + _BIND_LIMIT])
        )
        found.update({row.key: row.article_id for row in conn.execute(query)})
    return found


def add(
    conn: Connection,
    source: Source,
    item: RawItem,
    *,
    keys: Sequence[str],
    now: datetime,
    language: str,
    state: ArticleState = ArticleState.NEW,
    reason: str | None = None,
    named: bool = False,
) -> ArticleId:
    """Write a new article with the identities it will be recognised by."""
    article_id = ArticleId(new_id())
    conn.execute(
        sa.insert(articles).values(
            id=article_id,
            source_id=source.id,
            url=item.url,
            state=state,
            reason=reason,
            named=named,
            first_seen_at=now,
            **_content(item, language),
        )
    )
    remember(conn, source.id, article_id, keys, now=now)
    return article_id


def remember(
    conn: Connection, source_id: SourceId, article_id: ArticleId, keys: Sequence[str], *, now: datetime
) -> None:
    """Add identities to an article; a key that is known already keeps its first owner."""
    fresh = [key for key in dict.fromkeys(keys) if key not in known(conn, source_id, keys)]
    if fresh:
        rows = [{"source_id": source_id, "key": key, "article_id": article_id, "seen_at": now} for key in fresh]
        conn.execute(insert(conn, identities).on_conflict_do_nothing(), rows)


def corrected(conn: Connection, article_id: ArticleId, item: RawItem, *, now: datetime, language: str) -> bool:
    """The source shows a known article with other words: take them, and mark it. Returns whether anything changed.

    An article that has not been summarised yet stays `new`; a `ready` one goes back to `new` so that its summary follows
    the corrected text. Whether it was already sent is decided by `issue_articles`: it never enters a second issue.
    """
    fresh = _content(item, language)
    row = conn.execute(
        sa.select(articles.c.content_hash, articles.c.state, articles.c.text).where(articles.c.id == article_id)
    ).one()
    if row.content_hash == fresh["content_hash"] or (row.text and not item.text):
        return False
    state = ArticleState.NEW if row.state in (ArticleState.READY, ArticleState.HELD) else row.state
    conn.execute(sa.update(articles).where(articles.c.id == article_id).values(changed_at=now, state=state, **fresh))
    return True


def new(conn: Connection, limit: int = 200) -> list[Article]:
    """Articles that wait for a summary, oldest first."""
    query = _select().where(articles.c.state == ArticleState.NEW).order_by(articles.c.first_seen_at, articles.c.id)
    return [_article(row) for row in conn.execute(query.limit(limit)).mappings()]


def get(conn: Connection, article_id: str) -> Article | None:
    row = conn.execute(_select().where(articles.c.id == article_id)).mappings().first()
    return _article(row) if row else None


def listed(conn: Connection, *, state: ArticleState | None = None, limit: int = 100) -> list[Article]:
    query = _select().order_by(articles.c.first_seen_at.desc(), articles.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(articles.c.state == state)
    return [_article(row) for row in conn.execute(query).mappings()]


def ready_for(conn: Connection, newsletter_id: NewsletterId) -> list[Article]:
    """Ready articles of the newsletter's sources, newest first."""
    query = (
        _select()
        .join(newsletter_sources, newsletter_sources.c.source_id == articles.c.source_id)
        .where(newsletter_sources.c.newsletter_id == newsletter_id, articles.c.state == ArticleState.READY)
        .order_by(sa.func.coalesce(articles.c.published_at, articles.c.first_seen_at).desc(), articles.c.id.desc())
        .limit(1000)
    )
    return [_article(row) for row in conn.execute(query).mappings()]


def summarised(
    conn: Connection,
    article_id: ArticleId,
    summary: Summary,
    *,
    now: datetime,
    topics: Sequence[str] = (),
    act: SummaryAct = SummaryAct.MADE,
    by: str | None = None,
) -> None:
    """Keep a summary and the article's topics; the article becomes ready."""
    summaries.write(conn, article_id, summary, now=now, act=act, by=by)
    ready(conn, article_id, topics)


def ready(conn: Connection, article_id: ArticleId, topics: Sequence[str]) -> None:
    """The article may enter an issue."""
    values = {"state": ArticleState.READY, "reason": None, "topics": list(topics)}
    conn.execute(sa.update(articles).where(articles.c.id == article_id).values(**values))


def set_state(conn: Connection, article_id: ArticleId, state: ArticleState, reason: str | None) -> None:
    conn.execute(sa.update(articles).where(articles.c.id == article_id).values(state=state, reason=reason))


def counts(conn: Connection) -> dict[str, int]:
    query = sa.select(articles.c.state, sa.func.count()).group_by(articles.c.state)
    return {state: number for state, number in conn.execute(query)}  # noqa: C416 (a result is no mapping)


def _content(item: RawItem, language: str) -> dict[str, Any]:
    digest = hashlib.sha256(f"{item.title}\n{' '.join(item.text.split())}".encode()).hexdigest()
    return {
        "title": item.title,
        "standfirst": item.standfirst,
        "text": item.text,
        "authors": list(item.authors),
        "language": language,
        "image": item.image,
        "published": item.published.isoformat() if item.published else None,
        "published_at": _moment(item.published),
        "published_raw": item.published_raw,
        "provenance": dict(item.provenance),
        "content_hash": digest,
    }


def _moment(published: datetime | date | None) -> datetime | None:
    if published is None or isinstance(published, datetime):
        return published
    return datetime.combine(published, time(12), tzinfo=UTC)


def _day_or_moment(text: str | None) -> datetime | date | None:
    if text is None:
        return None
    return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)


def _select() -> sa.Select[Any]:
    return (
        sa.select(
            articles,
            sources.c.name.label("source_name"),
            sources.c.section.label("section"),
            sources.c.topics.label("source_topics"),
            *summaries.JOINED,
        )
        .join(sources, sources.c.id == articles.c.source_id)
        .outerjoin(summary_rows, summary_rows.c.article_id == articles.c.id)
    )


def _article(row: Mapping[Any, Any]) -> Article:
    return Article(
        id=row["id"],
        source_id=row["source_id"],
        source_name=row["source_name"],
        section=row["section"],
        url=row["url"],
        title=row["title"],
        standfirst=row["standfirst"],
        text=row["text"],
        authors=tuple(row["authors"]),
        language=row["language"],
        image=row["image"],
        published=_day_or_moment(row["published"]),
        published_raw=row["published_raw"],
        provenance=row["provenance"],
        state=ArticleState(row["state"]),
        reason=row["reason"],
        first_seen_at=row["first_seen_at"],
        named=row["named"],
        summary=summaries.summary_of(row, summaries.PREFIX) if row["summary_text"] is not None else None,
        changed_at=row["changed_at"],
        topics=tuple(row["topics"] or ()),
        source_topics=tuple(row["source_topics"]),
    )
