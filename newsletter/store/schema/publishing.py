"""Newsletters, their issues, and for every article considered the decision that put it in or left it out."""

import sqlalchemy as sa

from newsletter.store.engine import UtcDateTime
from newsletter.store.schema import Id, metadata

newsletters = sa.Table(
    "newsletters",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("slug", sa.String(80), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("languages", sa.JSON, nullable=False),  # list of BCP 47 tags, default first
    sa.Column("design", sa.String(80), nullable=False),
    sa.Column("options", sa.JSON, nullable=False),  # of the design
    sa.Column("list_slug", sa.String(80), nullable=False),  # a list in `subscribers`; no key crosses over
    sa.Column("segment", sa.String(80)),  # a segment there; NULL: the whole list
    sa.Column("cron", sa.String(120), nullable=False),  # standard crontab meaning: names the send moment
    sa.Column("timezone", sa.String(64), nullable=False),  # IANA
    sa.Column("approval", sa.String(16), nullable=False),
    sa.Column("compose_lead_seconds", sa.Integer, nullable=False),
    sa.Column("latest_start_seconds", sa.Integer, nullable=False),
    sa.Column("max_items", sa.Integer, nullable=False),
    sa.Column("max_per_source", sa.Integer),
    sa.Column("sections", sa.JSON(none_as_null=True)),  # list of model.SectionRule
    sa.Column("unknown_policy", sa.String(8), nullable=False),  # hold or resend
    sa.Column("images", sa.String(8)),  # hosted, embedded, linked; NULL in rows older than this column: hosted
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("public", sa.Boolean),  # page to join, archive, feeds; NULL in rows older than this column: yes
    sa.Column("scheduled_from", UtcDateTime, nullable=False),  # send moments before this one are not looked for
    sa.Column("created_at", UtcDateTime, nullable=False),
)

newsletter_sources = sa.Table(
    "newsletter_sources",
    metadata,
    sa.Column("newsletter_id", Id, sa.ForeignKey("newsletters.id"), primary_key=True),
    sa.Column("source_id", Id, sa.ForeignKey("sources.id"), primary_key=True),
    sa.Column("position", sa.Integer, nullable=False),
)

issues = sa.Table(
    "issues",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("newsletter_id", Id, sa.ForeignKey("newsletters.id"), nullable=False),
    # the local wall-clock text of the send moment (2026-11-22T08:00), or extra-… for one made by hand
    sa.Column("occurrence", sa.String(40), nullable=False),
    sa.Column("number", sa.Integer),  # given at composing; a skipped issue takes none
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("send_at", UtcDateTime, nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    # what was composed, and what was approved: delivery refuses any other content
    sa.Column("mailing_id", Id),
    sa.Column("subject", sa.Text),
    sa.Column("preheader", sa.Text),
    sa.Column("content_hash", sa.String(64)),
    sa.Column("preflight", sa.JSON),  # list of findings
    sa.Column("intros", sa.JSON(none_as_null=True)),  # language -> what staff wrote in place of the made intro
    sa.Column("approved_hash", sa.String(64)),
    sa.Column("approved_by", sa.Text),  # a staff id, or the policy's name
    sa.Column("approved_at", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
    # the database decides that one occurrence makes one issue, whoever proposes it
    sa.UniqueConstraint("newsletter_id", "occurrence"),
    sa.Index("ix_issues_state", "state", "send_at"),  # each stage: which issues wait for me
)

# Each composition of an issue that differs from the one before: its manifest makes the same content again.
issue_versions = sa.Table(
    "issue_versions",
    metadata,
    sa.Column("issue_id", Id, sa.ForeignKey("issues.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 …
    sa.Column("composed_at", UtcDateTime, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("manifest", sa.JSON, nullable=False),
)

issue_articles = sa.Table(
    "issue_articles",
    metadata,
    sa.Column("issue_id", Id, sa.ForeignKey("issues.id"), primary_key=True),
    sa.Column("article_id", Id, sa.ForeignKey("articles.id"), primary_key=True),
    sa.Column("included", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("position", sa.Integer),
    sa.Column("item", sa.JSON),  # what the reader sees of it, when included
    sa.Column("basis", sa.JSON(none_as_null=True)),  # what its rank rests on, and the rule of its section
    sa.Index("ix_issue_articles_article_id", "article_id", "included"),  # never an article twice; why ARTICLE
)

# What staff said about an article in one issue, one row for each thing. Never changed: the latest of a field counts.
issue_edits = sa.Table(
    "issue_edits",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("issue_id", Id, sa.ForeignKey("issues.id"), nullable=False),
    sa.Column("article_id", Id, sa.ForeignKey("articles.id"), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by", sa.Text, nullable=False),  # a name
    sa.Column("field", sa.String(16), nullable=False),  # model.ItemField
    sa.Column("value", sa.Text),  # NULL: taken back
    sa.Column("doubts", sa.JSON(none_as_null=True)),  # list of what the guard found in a person's words
    sa.Index("ix_issue_edits_issue_id", "issue_id", "id"),  # compose: what counts; the history in its order
)
