"""Summaries as rows: the present one of an article, and the history of every one it ever had. Nothing is overwritten unseen."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter.model import (
    ArticleId,
    ModelUse,
    Summary,
    SummaryAct,
    SummaryOrigin,
    SummarySentence,
    SummaryVersion,
    Verdict,
    new_id,
)
from newsletter.store.engine import Connection, insert
from newsletter.store.schema.collecting import summaries, summary_versions

PREFIX = "summary_"  # of the columns joined to an article's
JOINED = tuple(c.label(PREFIX + c.name) for c in summaries.c if c.name != "article_id")


def write(
    conn: Connection,
    article_id: ArticleId,
    summary: Summary,
    *,
    now: datetime,
    act: SummaryAct = SummaryAct.MADE,
    by: str | None = None,
) -> None:
    """Make this the article's summary, and note the change. The same words again, made by the machine, are no change."""
    present = get(conn, article_id)
    said = _said(summary)
    if present is not None and act is SummaryAct.MADE and _said(present) == said:
        return
    if present is not None and not _has_history(conn, article_id):  # one that is older than the history
        _note(conn, article_id, _said(present), at=present.made_at or now, act=SummaryAct.MADE, by=None)
    values = {**said, "made_at": now}
    conn.execute(
        insert(conn, summaries)
        .values(article_id=article_id, **values)
        .on_conflict_do_update(index_elements=["article_id"], set_=values)
    )
    _note(conn, article_id, said, at=now, act=act, by=by)


def judged(conn: Connection, article_id: ArticleId, verdict: Verdict) -> None:
    """The same words with a fresh verdict: the article under a person's words was corrected."""
    values = {"guard_ok": verdict.ok, "guard_reasons": list(verdict.reasons)}
    conn.execute(sa.update(summaries).where(summaries.c.article_id == article_id).values(**values))


def get(conn: Connection, article_id: ArticleId) -> Summary | None:
    row = conn.execute(sa.select(summaries).where(summaries.c.article_id == article_id)).mappings().first()
    return summary_of(row) if row else None


def texts(conn: Connection, article_ids: list[ArticleId]) -> dict[ArticleId, str]:
    """What the summaries of these articles say now."""
    query = sa.select(summaries.c.article_id, summaries.c.text).where(summaries.c.article_id.in_(article_ids))
    return {row.article_id: row.text for row in conn.execute(query)}


def history(conn: Connection, article_id: ArticleId) -> list[SummaryVersion]:
    """Every summary the article had, the latest first."""
    query = (
        sa.select(summary_versions)
        .where(summary_versions.c.article_id == article_id)
        .order_by(summary_versions.c.id.desc())
    )
    return [
        SummaryVersion(at=row["at"], act=SummaryAct(row["act"]), by=row["by"], summary=summary_of(row))
        for row in conn.execute(query).mappings()
    ]


def costs(conn: Connection, *, since: datetime | None = None) -> dict[str, ModelUse]:
    """What each model cost in all, by its name: tries, seconds and tokens added up."""
    c = summary_versions.c
    query = sa.select(
        c.model,
        sa.func.sum(c.model_tries),
        sa.func.sum(c.model_seconds),
        sa.func.sum(c.tokens_in),
        sa.func.sum(c.tokens_out),
    ).where(c.model.is_not(None))
    if since is not None:
        query = query.where(c.at >= since)
    rows = conn.execute(query.group_by(c.model)).all()
    return {
        model: ModelUse(model=model, tries=tries, seconds=seconds, tokens_in=read, tokens_out=written)
        for model, tries, seconds, read, written in rows
    }


def summary_of(row: Mapping[Any, Any], prefix: str = "") -> Summary:
    """The summary in a row whose columns have this prefix."""

    def value(name: str) -> Any:
        return row[prefix + name]

    use = None
    if value("model") is not None:
        use = ModelUse(
            model=value("model"),
            tries=value("model_tries"),
            seconds=value("model_seconds"),
            tokens_in=value("tokens_in"),
            tokens_out=value("tokens_out"),
        )
    return Summary(
        text=value("text"),
        origin=SummaryOrigin(value("origin")),
        sentences=tuple(
            SummarySentence(text=s["text"], origin=s["from"], start=s["start"], end=s["end"])
            for s in value("sentences")
        ),
        guard=Verdict(ok=value("guard_ok"), reasons=tuple(value("guard_reasons"))),
        note=value("note") or "",
        use=use,
        by=value("made_by"),
        made_at=row.get(prefix + "made_at", row.get("at")),
    )


def _said(summary: Summary) -> dict[str, Any]:
    use = summary.use
    return {
        "text": summary.text,
        "origin": summary.origin,
        "sentences": [{"text": s.text, "from": s.origin, "start": s.start, "end": s.end} for s in summary.sentences],
        "guard_ok": summary.guard.ok,
        "guard_reasons": list(summary.guard.reasons),
        "note": summary.note or None,
        "made_by": summary.by,
        "model": use and use.model,
        "model_tries": use and use.tries,
        "model_seconds": use and use.seconds,
        "tokens_in": use and use.tokens_in,
        "tokens_out": use and use.tokens_out,
    }


def _has_history(conn: Connection, article_id: ArticleId) -> bool:
    query = sa.select(summary_versions.c.id).where(summary_versions.c.article_id == article_id).limit(1)
    return conn.execute(query).first() is not None


def _note(
    conn: Connection,
    article_id: ArticleId,
    said: Mapping[str, Any],
    *,
    at: datetime,
    act: SummaryAct,
    by: str | None,
) -> None:
    conn.execute(sa.insert(summary_versions).values(id=new_id(), article_id=article_id, at=at, act=act, by=by, **said))
