"""Articles, the identities they are known by, and their summaries."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from newsletter.errors import BadInput, NotAllowed
from newsletter.model import (
    HEAVIEST,
    Article,
    ArticleId,
    ArticleState,
    IssueState,
    NewsletterId,
    RawItem,
    Seen,
    Source,
    SourceId,
    Summary,
    SummaryAct,
    SummaryOrigin,
    new_id,
)
from newsletter.store import summaries
from newsletter.store.engine import Connection, insert_of
from newsletter.store.schema.collecting import articles, identities, sources
from newsletter.store.schema.collecting import summaries as summary_rows
from newsletter.store.schema.publishing import issue_articles, issues, newsletter_sources
from newsletter.store.wording import words_hash

_BIND_LIMIT = 500  # well under SQLite's smallest limit of bound parameters
_WHOLE = 400  # characters: a text of this length is no excerpt
MARK_EVERY = timedelta(hours=24)  # a corrected article is marked no oftener


def known(conn: Connection, source_id: SourceId, keys: Iterable[str]) -> dict[str, ArticleId]:
    """Which of these identity keys the source has shown before, and the article each names."""
    wanted, found = list(keys), {}
    for start in range(0, len(wanted), _BIND_LIMIT):
        asked = {"source": source_id, "some": wanted[start : start + _BIND_LIMIT]}
        found.update({row.key: row.article_id for row in conn.execute(_KNOWN, asked)})
    return found


# Statements of every new article are built once: composing one takes SQLAlchemy longer than finding it in its cache.
_OWNERS = sa.select(identities.c.key, identities.c.article_id).where(identities.c.source_id == sa.bindparam("source"))
_KNOWN = _OWNERS.where(identities.c.key.in_(sa.bindparam("some", expanding=True)))
_MARKS = _OWNERS.where(identities.c.key.like("x:%"))
_ADD = sa.insert(articles)
_NUMBER = sa.select(sa.func.count()).select_from(articles).where(articles.c.source_id == sa.bindparam("source"))


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
    words: str | None = None,
    doubt: bool = False,
) -> ArticleId:
    """Write a new article with the identities it will be recognised by.

    `words`: the hash of what the source itself said; `doubt`: only a person may release it.
    """
    article_id = ArticleId(new_id())
    row = {
        "id": article_id,
        "source_id": source.id,
        "url": item.url,
        "state": state,
        "reason": reason,
        "named": named,
        "first_seen_at": now,
        "entry_hash": words,
        "doubt": doubt,
    }
    conn.execute(_ADD, row | _content(item, language))
    remember(conn, source.id, article_id, keys, now=now)
    return article_id


def remember(
    conn: Connection, source_id: SourceId, article_id: ArticleId, keys: Sequence[str], *, now: datetime
) -> None:
    """Add identities to an article; a key that is known already keeps its first owner."""
    if keys:
        row = {"source_id": source_id, "article_id": article_id, "seen_at": now}
        conn.execute(_remembering(conn.dialect.name), [row | {"key": key} for key in dict.fromkeys(keys)])


@cache
def _remembering(dialect: str) -> Any:
    return insert_of(dialect, identities).on_conflict_do_nothing()


def recalled(conn: Connection, source_id: SourceId, keys: Iterable[str]) -> dict[str, Seen]:
    """What is remembered of the articles behind these keys, and behind every mark of mistrust of the source (`x:…`)."""
    owners = known(conn, source_id, keys)
    owners |= {row.key: row.article_id for row in conn.execute(_MARKS, {"source": source_id})}
    wanted, found = list(dict.fromkeys(owners.values())), dict[ArticleId, Seen]()
    for start in range(0, len(wanted), _BIND_LIMIT):
        rows = conn.execute(_REMEMBERED, {"some": wanted[start : start + _BIND_LIMIT]}).mappings()
        found |= {row["id"]: Seen(**row) for row in map(_seen, rows)}
    return {key: found[article_id] for key, article_id in owners.items()}


_SENT = sa.exists().where(
    issue_articles.c.article_id == articles.c.id,
    issue_articles.c.included,
    issues.c.id == issue_articles.c.issue_id,
    issues.c.state.in_((IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)),
)
_REMEMBERED = sa.select(
    articles.c.id,
    articles.c.url,
    articles.c.title,
    articles.c.published,
    articles.c.state,
    articles.c.first_seen_at,
    articles.c.entry_hash,
    articles.c.entry_before,
    articles.c.changed_at,
    sa.and_(articles.c.state == ArticleState.HELD, articles.c.text == "", ~articles.c.doubt).label("unread"),
    _SENT.label("sent"),
).where(articles.c.id.in_(sa.bindparam("some", expanding=True)))


def _seen(row: Mapping[Any, Any]) -> dict[str, Any]:
    kept = {"published": _day_or_moment(row["published"]), "state": ArticleState(row["state"])}
    return {**row, **kept, "unread": bool(row["unread"]), "sent": bool(row["sent"])}


def number_of(conn: Connection, source_id: SourceId) -> int:
    """How many articles the source has given so far."""
    return int(conn.execute(_NUMBER, {"source": source_id}).scalar_one())


def heard(conn: Connection, seen: Seen, *, words: str, url: str | None) -> None:
    """Keep what the source says of a known article now: its words, and where it stands after a move."""
    values: dict[str, Any] = {}
    if words != seen.entry_hash:
        values = {"entry_hash": words, "entry_before": seen.entry_hash}
    if url and url != seen.url and not seen.sent:
        values["url"] = url
    if values:
        conn.execute(sa.update(articles).where(articles.c.id == seen.id).values(**values))


def corrected(
    conn: Connection, article_id: ArticleId, item: RawItem, *, now: datetime, language: str, excerpt: bool = False
) -> bool:
    """The source says something else of a known article: take it over, and mark it. Returns whether anything changed.

    An `excerpt` brings title and standfirst and leaves the text that was read in full. A `ready` article goes back to
    `new` so that its summary follows (a person's words are kept, see `summarise.decide`); one held in doubt stays with the
    person who decides. It is marked at most once in 24 hours, but always when a person has worded its summary since: else
    nobody would learn that their words stand over another text. Whether it was already sent is decided by
    `issue_articles`: it never enters a second issue.
    """
    row = conn.execute(sa.select(articles).where(articles.c.id == article_id)).mappings().one()
    fresh = _content(_merged(item, row, excerpt=excerpt), language)
    if row["content_hash"] == fresh["content_hash"]:
        return False
    if row["state"] == ArticleState.READY or (row["state"] == ArticleState.HELD and not row["doubt"]):
        fresh |= {"state": ArticleState.NEW, "reason": None}
    before, edited = row["changed_at"], _edited_at(conn, article_id)
    said_nothing = not row["text"] and not row["standfirst"]
    due = not said_nothing and (before is None or not timedelta(0) <= now - before < MARK_EVERY)
    if due or (edited is not None and (before is None or edited >= before)):
        fresh["changed_at"] = now
    conn.execute(sa.update(articles).where(articles.c.id == article_id).values(**fresh))
    return True


def _edited_at(conn: Connection, article_id: ArticleId) -> datetime | None:
    """When a person wrote the present summary; None when the machine did."""
    summary = summaries.get(conn, article_id)
    return summary.made_at if summary and summary.origin is SummaryOrigin.HUMAN else None


def _merged(item: RawItem, row: Mapping[Any, Any], *, excerpt: bool) -> RawItem:
    """`item` with what it lacks taken from the row; an excerpt takes the text too, if that is more than an excerpt."""
    read = str(row["provenance"].get("text", "")).startswith("page:") or len(row["text"]) >= _WHOLE
    rules = {**row["provenance"], **item.provenance}
    changes: dict[str, Any] = {}
    if not item.text or (excerpt and read):
        changes["text"] = row["text"]
        rules["text"] = row["provenance"].get("text", rules.get("text", ""))
    for name in ("title", "standfirst", "image"):
        changes[name] = getattr(item, name) or row[name]
    changes["authors"] = item.authors or tuple(row["authors"])
    if item.published is None:
        changes |= {"published": _day_or_moment(row["published"]), "published_raw": row["published_raw"]}
        rules["published"] = row["provenance"].get("published", rules.get("published", ""))
    return replace(item, **changes, provenance={name: rule for name, rule in rules.items() if rule})


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


def page(
    conn: Connection,
    *,
    limit: int,
    before: str | None = None,
    state: ArticleState | None = None,
    source_id: SourceId | None = None,
) -> list[Article]:
    """The next `limit` articles older than the one with the id `before`, the latest collected first."""
    query = _select().order_by(articles.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(articles.c.id < before)
    if state is not None:
        query = query.where(articles.c.state == state)
    if source_id is not None:
        query = query.where(articles.c.source_id == source_id)
    return [_article(row) for row in conn.execute(query).mappings()]


def ready_for(conn: Connection, newsletter_id: NewsletterId) -> list[Article]:
    """Ready articles of the newsletter's sources, newest first, the latest 1,000."""
    return _of_newsletter(conn, newsletter_id, ArticleState.READY, 1000)


def held_for(conn: Connection, newsletter_id: NewsletterId) -> list[Article]:
    """Those that wait for a person, newest first, the latest 200."""
    return _of_newsletter(conn, newsletter_id, ArticleState.HELD, 200)


def _of_newsletter(conn: Connection, newsletter_id: NewsletterId, state: ArticleState, limit: int) -> list[Article]:
    query = (
        _select()
        .join(newsletter_sources, newsletter_sources.c.source_id == articles.c.source_id)
        .where(newsletter_sources.c.newsletter_id == newsletter_id, articles.c.state == state)
        .order_by(sa.func.coalesce(articles.c.published_at, articles.c.first_seen_at).desc(), articles.c.id.desc())
        .limit(limit)
    )
    return [_article(row) for row in conn.execute(query).mappings()]


def weigh(conn: Connection, article_id: str, weight: int) -> None:
    """Staff's weight of an article, -3 to 3. Raises BadInput for another number, or when there is no such article."""
    if abs(weight) > HEAVIEST:
        raise BadInput(f"a weight is a number from -{HEAVIEST} to {HEAVIEST}", where=str(weight))
    if not conn.execute(sa.update(articles).where(articles.c.id == article_id).values(weight=weight)).rowcount:
        raise BadInput("no such article", where=article_id)


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
    """Keep a summary and the article's topics; the article becomes ready, unless it is held in doubt."""
    summaries.write(conn, article_id, summary, now=now, act=act, by=by)
    ready(conn, article_id, topics)


def ready(conn: Connection, article_id: ArticleId, topics: Sequence[str]) -> None:
    """The article may enter an issue, once a person has released it if it is held in doubt."""
    this = articles.c.id == article_id
    conn.execute(sa.update(articles).where(this).values(topics=list(topics)))
    conn.execute(sa.update(articles).where(this, ~articles.c.doubt).values(state=ArticleState.READY, reason=None))


def release(conn: Connection, article_id: str, *, by: str, now: datetime, why: str = "") -> None:
    """A person lets an article held in doubt go on its way. Raises BadInput, or NotAllowed when none is in doubt."""
    _decide(conn, article_id, "released", articles.c.doubt, state=ArticleState.NEW, by=by, now=now, why=why)


def drop(conn: Connection, article_id: str, *, by: str, now: datetime, why: str = "") -> None:
    """A person takes a held article out for good. Raises BadInput, or NotAllowed when it is not held."""
    _decide(conn, article_id, "dropped", sa.true(), state=ArticleState.SKIPPED, by=by, now=now, why=why)


def _decide(
    conn: Connection,
    article_id: str,
    word: str,
    condition: sa.ColumnElement[bool],
    *,
    state: ArticleState,
    by: str,
    now: datetime,
    why: str,
) -> None:
    told = f"{word} by {by}" + (f": {why}" if why else "")
    row = conn.execute(sa.select(articles.c.reason).where(articles.c.id == article_id)).first()
    if row is None:
        raise BadInput("no such article", where=article_id)
    held = sa.update(articles).where(articles.c.id == article_id, articles.c.state == ArticleState.HELD, condition)
    values = {
        "state": state,
        "reason": told if state is ArticleState.SKIPPED else None,
        "doubt": False,
        "decided": f"{told} ({now:%Y-%m-%d %H:%M} UTC; it was held: {row.reason})",
    }
    if conn.execute(held.values(**values)).rowcount != 1:
        what = (
            "only an article held in doubt can be released"
            if word == "released"
            else "only a held article can be dropped"
        )
        raise NotAllowed(what, where=article_id)


def set_state(conn: Connection, article_id: ArticleId, state: ArticleState, reason: str | None) -> None:
    conn.execute(sa.update(articles).where(articles.c.id == article_id).values(state=state, reason=reason))


def in_doubt(conn: Connection) -> int:
    """How many articles wait for a person to release or drop them."""
    query = sa.select(sa.func.count()).where(articles.c.state == ArticleState.HELD, articles.c.doubt)
    return int(conn.execute(query).scalar_one())


def counts(conn: Connection) -> dict[str, int]:
    query = sa.select(articles.c.state, sa.func.count()).group_by(articles.c.state)
    return {state: number for state, number in conn.execute(query)}  # noqa: C416 (a result is no mapping)


def _content(item: RawItem, language: str) -> dict[str, Any]:
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
        "content_hash": words_hash(item.title, item.standfirst, item.text),
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
            sources.c.weight.label("source_weight"),
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
        doubt=row["doubt"],
        decided=row["decided"],
        topics=tuple(row["topics"] or ()),
        source_topics=tuple(row["source_topics"]),
        weight=row["weight"],
        source_weight=row["source_weight"],
    )
