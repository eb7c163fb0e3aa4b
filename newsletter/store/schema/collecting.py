"""Sources, the articles found there, the identities that are never forgotten, and the summaries."""

from typing import Any

import sqlalchemy as sa

from newsletter.store.engine import UtcDateTime
from newsletter.store.schema import Id, metadata

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("slug", sa.String(80), nullable=False, unique=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("url", sa.Text, nullable=False),  # URL, folder path, or "" for manual
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("language", sa.String(16)),
    sa.Column("section", sa.Text),
    sa.Column("newest", sa.Integer, nullable=False),  # of a first run's backlog, how many are offered
    sa.Column("max_age_seconds", sa.Integer, nullable=False),
    sa.Column("include", sa.JSON, nullable=False),  # words and phrases: an article without any of them is skipped
    sa.Column("exclude", sa.JSON, nullable=False),  # words and phrases: an article with one of them is skipped
    sa.Column("topics", sa.JSON, nullable=False),  # labels its articles carry
    sa.Column("full_text", sa.Boolean, nullable=False),  # False: the teaser is enough, no article page is read
    # health: what the last attempt gave, and when the next one is due
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("failing_since", UtcDateTime),  # the first failure of the present row
    sa.Column("gone", sa.Integer, nullable=False, default=0),  # answers 410 in a row
    sa.Column("moved_to", sa.Text),  # where permanent redirects lead; taken over after several equal sightings
    sa.Column("moved_seen", sa.Integer, nullable=False, default=0),
    sa.Column("first_run_done", sa.Boolean, nullable=False, default=False),
    sa.Column("next_check_at", UtcDateTime),  # NULL: never polled (manual)
    sa.Column("last_ok_at", UtcDateTime),
    # HTTP validators, kept byte for byte, and the URL they belong to
    sa.Column("etag", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("validators_url", sa.Text),
    sa.Column("body_hash", sa.String(64)),
    sa.Column("signature", sa.Text),  # of a listing: the structure its links stood in; NULL until the first reading
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Index("ix_sources_due", "next_check_at"),  # the collect stage: which sources are due
)

articles = sa.Table(
    "articles",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("source_id", Id, sa.ForeignKey("sources.id"), nullable=False),
    sa.Column("url", sa.Text),  # NULL: shown on its own page under the base URL
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("standfirst", sa.Text),
    sa.Column("text", sa.Text, nullable=False),  # NFC plain text, paragraphs joined by a blank line
    sa.Column("authors", sa.JSON, nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("image", sa.Text),
    sa.Column("published", sa.String(40)),  # ISO 8601 as the source gave it: a day, or a moment with its own offset
    sa.Column("published_at", UtcDateTime),  # the same for sorting; a bare day counts as its noon in UTC
    sa.Column("published_raw", sa.Text),
    sa.Column("provenance", sa.JSON, nullable=False),  # field -> the rule that gave it
    sa.Column("topics", sa.JSON(none_as_null=True)),  # list of labels, the source's own first; NULL until summarised
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("named", sa.Boolean, nullable=False),  # given by name: a candidate whatever its date
    sa.Column("content_hash", sa.String(64), nullable=False),  # of title and text: tells a corrected article
    sa.Column("changed_at", UtcDateTime),  # corrected at the source after first sight; never re-sent
    sa.Column("first_seen_at", UtcDateTime, nullable=False),
    sa.Index("ix_articles_state", "state", "first_seen_at"),  # the summarise stage: what is new
    sa.Index("ix_articles_source_id_state", "source_id", "state", "published_at"),  # compose: what is ready
)

# One row per name an article is known by. Never deleted while the source exists.
identities = sa.Table(
    "identities",
    metadata,
    sa.Column("source_id", Id, sa.ForeignKey("sources.id"), primary_key=True),
    sa.Column("key", sa.String(80), primary_key=True),  # collect.identity: kind prefix and hash
    sa.Column("article_id", Id, sa.ForeignKey("articles.id"), nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
)


def _wording() -> list[sa.Column[Any]]:
    """What a summary says, why it may, and what it cost: the present one and each of its history alike."""
    return [
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("sentences", sa.JSON, nullable=False),  # list of {text, from, start, end}
        sa.Column("guard_ok", sa.Boolean, nullable=False),
        sa.Column("guard_reasons", sa.JSON, nullable=False),
        sa.Column("note", sa.Text),  # why another way was taken
        sa.Column("made_by", sa.Text),  # a staff id, or a name of the command line; NULL: the machine
        # a model that was asked, whether its words were taken or not; tokens as the endpoint reported them
        sa.Column("model", sa.Text),
        sa.Column("model_tries", sa.Integer),
        sa.Column("model_seconds", sa.Float),
        sa.Column("tokens_in", sa.Integer),
        sa.Column("tokens_out", sa.Integer),
    ]


summaries = sa.Table(
    "summaries",
    metadata,
    sa.Column("article_id", Id, sa.ForeignKey("articles.id"), primary_key=True),
    *_wording(),
    sa.Column("made_at", UtcDateTime, nullable=False),
)

# One row for every change of a summary, the present one included. Never changed.
summary_versions = sa.Table(
    "summary_versions",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("article_id", Id, sa.ForeignKey("articles.id"), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("act", sa.String(16), nullable=False),  # made, edited, regenerated, reverted
    sa.Column("by", sa.Text),  # who did it; NULL: the machine
    *_wording(),
    sa.Index("ix_summary_versions_article_id", "article_id", "id"),  # the history of one article, in its order
)
