"""Sources, the articles found there, the identities that are never forgotten, the summaries, and who tells one story."""

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
    sa.Column("weight", sa.Integer, nullable=False, default=0),  # staff's, -3 to 3
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
    sa.Column("reading", sa.Text),  # of a feed: a line for each entry it showed, see collect.reading
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
    sa.Column("content_hash", sa.String(64), nullable=False),  # of title, standfirst, text: tells a corrected article
    sa.Column("entry_hash", sa.String(64)),  # of what the source itself said last, before its page was read
    sa.Column("entry_before", sa.String(64)),  # and of what it said before that: two versions in turn are no news
    sa.Column("changed_at", UtcDateTime),  # corrected at the source after first sight; never re-sent
    sa.Column("doubt", sa.Boolean, nullable=False, default=False),  # held until a person releases or drops it
    sa.Column("decided", sa.Text),  # who released or dropped it, when and why
    sa.Column("weight", sa.Integer, nullable=False, default=0),  # staff's, -3 to 3
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

# Which story each article tells. An article without a row, or with the hash of an earlier text, waits to be compared.
story_articles = sa.Table(
    "story_articles",
    metadata,
    sa.Column("article_id", Id, sa.ForeignKey("articles.id"), primary_key=True),
    sa.Column("story_id", Id, nullable=False),  # equal for articles of one story; no row of its own
    sa.Column("rule", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("like_id", Id),  # the article it was found to be like
    sa.Column("content_hash", sa.String(64), nullable=False),  # of the text that was compared
    sa.Column("decided_at", UtcDateTime, nullable=False),
    sa.Column("language", sa.String(16), nullable=False),
    sa.Column("moment", UtcDateTime, nullable=False),  # published, else first seen
    # what later articles are compared with (collect.story.pack); NULL once the window has passed
    sa.Column("vector", sa.LargeBinary),
    sa.Column("runs", sa.LargeBinary),
    sa.Column("figures", sa.LargeBinary),
    sa.Index("ix_story_articles_story_id", "story_id"),  # compose: who else tells it
    sa.Index("ix_story_articles_language_moment", "language", "moment"),  # collect: the recent ones; pruning
)

# What staff have told apart, both ways round. Never forgotten: a corrected article is compared again.
stories_apart = sa.Table(
    "stories_apart",
    metadata,
    sa.Column("article_id", Id, sa.ForeignKey("articles.id"), primary_key=True),
    sa.Column("other_id", Id, sa.ForeignKey("articles.id"), primary_key=True),
    sa.Column("told_by", sa.Text, nullable=False),  # a staff id, or who ran the command
    sa.Column("told_at", UtcDateTime, nullable=False),
)

# How common each term is: in how many articles of a language it was seen. Rare old ones are pruned.
story_terms = sa.Table(
    "story_terms",
    metadata,
    sa.Column("language", sa.String(16), primary_key=True),
    sa.Column("term", sa.Integer, primary_key=True, autoincrement=False),  # collect.stories.words.term_id
    sa.Column("documents", sa.Integer, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
)

story_languages = sa.Table(
    "story_languages",
    metadata,
    sa.Column("language", sa.String(16), primary_key=True),
    sa.Column("documents", sa.Integer, nullable=False),
    sa.Column("pruned_at", UtcDateTime, nullable=False),
)
