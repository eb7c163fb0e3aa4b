"""Which articles tell the same story, what is kept of each for comparing, and how common each term is.

Each article is decided once per text, in one transaction with its term counts, so that a run killed anywhere goes on
without counting twice. Must never join again what staff have told apart.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from newsletter.errors import BadInput
from newsletter.model import ArticleId, ArticleState, SourceId, StoryId, StoryRule, Telling, new_id
from newsletter.store.engine import Connection, insert
from newsletter.store.schema.collecting import (
    articles,
    sources,
    stories_apart,
    story_articles,
    story_languages,
    story_terms,
)

_BIND_LIMIT = 500
MOST_TERMS = 200_000  # per language, 20 MB of SQLite: a year of ten sources keeps below it
PRUNE_EVERY = timedelta(days=1)
RARE_AFTER = timedelta(days=30)  # a term of one single article that did not come again is forgotten
_MOMENT = sa.func.coalesce(articles.c.published_at, articles.c.first_seen_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An article whose present text was not compared yet. `story_id`: what was decided on an earlier text."""

    article_id: ArticleId
    source_id: SourceId
    named: bool
    language: str
    title: str
    standfirst: str
    text: str
    day: str | None
    moment: datetime
    content_hash: str
    story_id: StoryId | None
    rule: StoryRule | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is kept of a recent article (collect.story.pack)."""

    article_id: ArticleId
    story_id: StoryId
    source_id: SourceId
    named: bool
    title: str
    day: str | None
    moment: datetime
    vector: bytes
    runs: bytes
    figures: bytes


# ---------------------------------------------------------------- comparing


def waiting_language(conn: Connection) -> str | None:
    """The language of the oldest article that waits to be compared."""
    query = _undecided(articles.c.language).order_by(articles.c.first_seen_at, articles.c.id).limit(1)
    return conn.execute(query).scalar()


def waiting(conn: Connection, language: str, limit: int) -> list[Waiting]:
    """Articles of the language to compare, oldest first: not skipped, and without a decision on their present text."""
    query = (
        _undecided(articles, _MOMENT.label("moment"), story_articles.c.story_id, story_articles.c.rule)
        .where(articles.c.language == language)
        .order_by(_MOMENT, articles.c.id)
        .limit(limit)
    )
    return [
        Waiting(
            article_id=row["id"],
            source_id=row["source_id"],
            named=row["named"],
            language=row["language"],
            title=row["title"],
            standfirst=row["standfirst"] or "",
            text=row["text"],
            day=(row["published"] or "")[:10] or None,
            moment=row["moment"],
            content_hash=row["content_hash"],
            story_id=row["story_id"],
            rule=StoryRule(row["rule"]) if row["rule"] else None,
        )
        for row in conn.execute(query).mappings()
    ]


def _undecided(*columns: Any) -> sa.Select[Any]:
    present = story_articles.c.content_hash == articles.c.content_hash
    return (
        sa.select(*columns)
        .select_from(articles)
        .outerjoin(story_articles, story_articles.c.article_id == articles.c.id)
        .where(articles.c.state != ArticleState.SKIPPED, sa.or_(story_articles.c.article_id.is_(None), ~present))
    )


def take_turn(conn: Connection, language: str, *, now: datetime) -> int:
    """Wait until nobody else compares articles of the language; returns in how many documents its terms were counted.

    The row stays locked until the transaction ends: two processes that compare at once would each see a first telling.
    """
    conn.execute(
        insert(conn, story_languages)
        .values(language=language, documents=0, pruned_at=now)
        .on_conflict_do_nothing(index_elements=["language"])
    )
    own = story_languages.c.language == language
    conn.execute(sa.update(story_languages).where(own).values(documents=story_languages.c.documents))
    documents: int = conn.execute(sa.select(story_languages.c.documents).where(own)).scalar_one()
    return documents


def recent(conn: Connection, language: str, *, first: datetime, last: datetime) -> Iterator[Kept]:
    """What is kept of the language's articles that appeared between these moments."""
    query = (
        sa.select(story_articles, articles.c.title, articles.c.source_id, articles.c.named, articles.c.published)
        .join(articles, articles.c.id == story_articles.c.article_id)
        .where(
            story_articles.c.language == language,
            story_articles.c.moment.between(first, last),
            story_articles.c.vector.is_not(None),
        )
        .order_by(story_articles.c.moment, story_articles.c.article_id)
    )
    for row in conn.execute(query).mappings():
        yield Kept(
            article_id=row["article_id"],
            story_id=row["story_id"],
            source_id=row["source_id"],
            named=row["named"],
            title=row["title"],
            day=(row["published"] or "")[:10] or None,
            moment=row["moment"],
            vector=row["vector"],
            runs=row["runs"],
            figures=row["figures"],
        )


def frequencies(conn: Connection, language: str, terms: Iterable[int]) -> dict[int, int]:
    """In how many articles each of these terms was seen; those of none are left out."""
    wanted, found = list(terms), {}
    for start in range(0, len(wanted), _BIND_LIMIT):
        query = sa.select(story_terms.c.term, story_terms.c.documents).where(
            story_terms.c.language == language, story_terms.c.term.in_(wanted[start : start + _BIND_LIMIT])
        )
        found.update({row.term: row.documents for row in conn.execute(query)})
    return found


def count(conn: Connection, language: str, terms: Collection[int], *, now: datetime) -> None:
    """One more article with these terms."""
    rows = [{"language": language, "term": term, "documents": 1, "seen_at": now} for term in sorted(terms)]
    if rows:
        statement = insert(conn, story_terms)
        conn.execute(
            statement.on_conflict_do_update(
                index_elements=["language", "term"],
                set_={"documents": story_terms.c.documents + 1, "seen_at": statement.excluded.seen_at},
            ),
            rows,
        )
    conn.execute(
        sa.update(story_languages)
        .where(story_languages.c.language == language)
        .values(documents=story_languages.c.documents + 1)
    )


def decided(
    conn: Connection,
    one: Waiting,
    *,
    story_id: StoryId,
    rule: StoryRule,
    reason: str,
    like: ArticleId | None,
    kept: tuple[bytes, bytes, bytes],
    now: datetime,
) -> None:
    """Write which story the article's present text tells. `kept`: vector, runs, figures."""
    vector, runs, figures = kept
    values = {
        "story_id": story_id,
        "rule": rule,
        "reason": reason,
        "like_id": like,
        "content_hash": one.content_hash,
        "decided_at": now,
        "language": one.language,
        "moment": one.moment,
        "vector": vector,
        "runs": runs,
        "figures": figures,
    }
    conn.execute(
        insert(conn, story_articles)
        .values(article_id=one.article_id, **values)
        .on_conflict_do_update(index_elements=["article_id"], set_=values)
    )


def prune(conn: Connection, language: str, *, now: datetime, window: timedelta) -> None:
    """Once a day: forget what is kept of articles older than `window`, and terms that one article alone had."""
    own = story_languages.c.language == language
    due = sa.update(story_languages).where(own, story_languages.c.pruned_at <= now - PRUNE_EVERY)
    if conn.execute(due.values(pruned_at=now)).rowcount != 1:
        return
    conn.execute(
        sa.update(story_articles)
        .where(
            story_articles.c.language == language,
            story_articles.c.moment < now - window,
            story_articles.c.vector.is_not(None),
        )
        .values(vector=None, runs=None, figures=None)
    )
    here = story_terms.c.language == language
    once = story_terms.c.documents == 1
    conn.execute(sa.delete(story_terms).where(here, once, story_terms.c.seen_at < now - RARE_AFTER))
    _keep_most(conn, language)


def _keep_most(conn: Connection, language: str) -> None:
    """At most MOST_TERMS terms: those of fewest articles go first, seen longest ago first among them."""
    here = story_terms.c.language == language
    surplus = (conn.execute(sa.select(sa.func.count()).where(here)).scalar() or 0) - MOST_TERMS
    if surplus <= 0:
        return
    rarest = (
        sa.select(story_terms.c.term)
        .where(here)
        .order_by(story_terms.c.documents, story_terms.c.seen_at, story_terms.c.term)
        .limit(surplus)
    )
    conn.execute(sa.delete(story_terms).where(here, story_terms.c.term.in_(rarest)))


# ---------------------------------------------------------------- asking


def tellings(conn: Connection, article_ids: Collection[ArticleId]) -> dict[StoryId, list[Telling]]:
    """The stories that these articles tell, each with all its articles, the earliest first."""
    found: dict[StoryId, dict[ArticleId, Telling]] = {}
    asked = list(article_ids)
    for start in range(0, len(asked), _BIND_LIMIT):
        wanted = asked[start : start + _BIND_LIMIT]
        theirs = sa.select(story_articles.c.story_id).where(story_articles.c.article_id.in_(wanted))
        for row in conn.execute(_telling().where(story_articles.c.story_id.in_(theirs))).mappings():
            found.setdefault(row["story_id"], {})[row["article_id"]] = _row(row)
    return {story_id: list(told.values()) for story_id, told in found.items()}


def of_article(conn: Connection, article_id: ArticleId) -> tuple[Telling, list[Telling]] | None:
    """(its own row, the other articles of its story), or None before it was compared."""
    rows = [one for told in tellings(conn, [article_id]).values() for one in told]
    own = next((one for one in rows if one.article_id == article_id), None)
    return None if own is None else (own, [one for one in rows if one is not own])


def _telling() -> sa.Select[Any]:
    columns = [story_articles.c[name] for name in ("article_id", "story_id", "rule", "reason", "like_id")]
    return (
        sa.select(*columns, articles.c.source_id, articles.c.title, articles.c.url, articles.c.state)
        .add_columns(sources.c.name.label("source_name"))
        .join(articles, articles.c.id == story_articles.c.article_id)
        .join(sources, sources.c.id == articles.c.source_id)
        .order_by(story_articles.c.moment, story_articles.c.article_id)
    )


def _row(row: Any) -> Telling:
    return Telling(
        article_id=row["article_id"],
        story_id=row["story_id"],
        source_id=row["source_id"],
        source_name=row["source_name"],
        title=row["title"],
        url=row["url"],
        state=ArticleState(row["state"]),
        rule=StoryRule(row["rule"]),
        reason=row["reason"],
        like=row["like_id"],
    )


# ---------------------------------------------------------------- what staff say


def told_apart(conn: Connection, article_id: ArticleId) -> frozenset[ArticleId]:
    """The articles that staff have told apart from this one."""
    query = sa.select(stories_apart.c.other_id).where(stories_apart.c.article_id == article_id)
    return frozenset(conn.execute(query).scalars())


def tell_apart(conn: Connection, article_id: ArticleId, *, by: str, now: datetime) -> Sequence[Telling]:
    """This article is another story than those it was joined with, from now on. Returns those others.

    Raises BadInput when it is not compared yet, or tells its story alone.
    """
    found = of_article(conn, article_id)
    if found is None or not found[1]:
        raise BadInput("no other article was found to tell the same story", where=article_id)
    own, others = found
    rows = [
        {"article_id": one, "other_id": other, "told_by": by, "told_at": now}
        for told in others
        for one, other in ((own.article_id, told.article_id), (told.article_id, own.article_id))
    ]
    conn.execute(insert(conn, stories_apart).on_conflict_do_nothing(), rows)
    conn.execute(
        sa.update(story_articles)
        .where(story_articles.c.article_id == article_id)
        .values(story_id=new_id(), rule=StoryRule.STAFF, reason="told apart by staff", like_id=None, decided_at=now)
    )
    return others
