"""Rows: one engine, commented schema, one module of functions per noun. The only part of `newsletter` that speaks SQL."""

from newsletter.store import (
    articles,
    deliveries,
    events,
    images,
    issues,
    letters,
    mailings,
    newsletters,
    receipts,
    returns,
    sources,
    staff,
    stories,
    summaries,
    versions,
)
from newsletter.store.engine import Connection, Database, DatabaseUnavailable
from newsletter.store.migrate import migrate, schema_state

__all__ = [
    "Connection",
    "Database",
    "DatabaseUnavailable",
    "articles",
    "deliveries",
    "events",
    "images",
    "issues",
    "letters",
    "mailings",
    "migrate",
    "newsletters",
    "receipts",
    "returns",
    "schema_state",
    "sources",
    "staff",
    "stories",
    "summaries",
    "versions",
]
