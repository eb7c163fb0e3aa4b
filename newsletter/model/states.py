"""States and kinds, each with what it means. They are stored by their values, which must never change."""

from enum import StrEnum


class SourceKind(StrEnum):
    FEED = "feed"  # RSS, Atom or JSON Feed by URL
    LISTING = "listing"  # a page of links to articles, for sites without a feed
    SITEMAP = "sitemap"  # a sitemap, news sitemap or sitemap index by URL
    WORDPRESS = "wordpress"  # the posts of a WordPress site, by the address of its REST API
    PAGE = "page"  # one article page by URL
    FOLDER = "folder"  # files on this machine: txt, md, html, docx, pdf
    MANUAL = "manual"  # articles given by name or pasted; never polled


# Kinds that show many articles again and again: a first run has a backlog, an entry may be only an excerpt or a link.
SERIAL = (SourceKind.FEED, SourceKind.LISTING, SourceKind.SITEMAP, SourceKind.WORDPRESS)


class SourceState(StrEnum):
    ACTIVE = "active"
    FAILING = "failing"  # the last attempt failed; tried again with growing pauses
    PAUSED = (
        "paused"  # not tried until a person resumes it; paused by a person, or given up (gone, two weeks unreadable)
    )


class ArticleState(StrEnum):
    NEW = "new"  # collected, not yet summarised
    READY = "ready"  # has a summary that passed the guard; may enter an issue
    HELD = "held"  # waits for a person, with a reason
    SKIPPED = "skipped"  # will not enter an issue, with a reason (backlog, too old, dropped)


class PictureMode(StrEnum):
    """Where the pictures of a newsletter's mail come from."""

    HOSTED = "hosted"  # made fit and served by us under the name of their content
    EMBEDDED = "embedded"  # made fit and part of every message
    LINKED = "linked"  # as they are, from their publishers


class StoryRule(StrEnum):
    FIRST = "first"  # nothing like it was there before
    COPY = "copy"  # most 4-word runs of the shorter text stand in the other
    TITLE = "title"  # the same title on the same day
    SIMILAR = "similar"  # the words that say most are the same
    STAFF = "staff"  # a person said that it is another story


class SummaryOrigin(StrEnum):
    STANDFIRST = "standfirst"  # the publisher's own words
    EXTRACT = "extract"  # whole sentences of the article
    MODEL = "model"  # written by a language model, behind the guard
    HUMAN = "human"  # edited by staff


class SummaryAct(StrEnum):
    MADE = "made"  # by the stage
    EDITED = "edited"  # by a person
    REGENERATED = "regenerated"  # made anew because a person asked
    REVERTED = "reverted"  # a person's words gave way to the machine's again


class ApprovalPolicy(StrEnum):
    MANUAL = "manual"  # a person approves every issue
    AUTO = "auto"  # an issue without preflight errors approves itself


class IssueState(StrEnum):
    DRAFT = "draft"  # opened; items may still change
    PENDING_APPROVAL = "pending_approval"  # composed; waits for a person
    SCHEDULED = "scheduled"  # approved for exactly one content hash; waits for its send moment
    SENDING = "sending"  # audience frozen, deliveries under way
    PAUSED = "paused"  # a person stopped the sending; nothing is claimed
    SENT = "sent"  # nothing pending, claimed, intent or deferred is left
    CANCELLED = "cancelled"
    SKIPPED = "skipped"  # nothing to send, or too late to send it; the reason says which
    FAILED = "failed"  # could not be composed


class MailingKind(StrEnum):
    ISSUE = "issue"
    LETTER = "letter"
    TEST = "test"


class MailingState(StrEnum):
    COMPOSED = "composed"  # rendered, nobody frozen
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    CANCELLED = "cancelled"


class DeliveryState(StrEnum):
    PENDING = "pending"  # frozen, not yet touched
    CLAIMED = "claimed"  # a sender holds it: worker, epoch, lease
    INTENT = "intent"  # durable just before the final dot or the HTTP request
    SENT = "sent"  # the reply is durable
    DEFERRED = "deferred"  # transient refusal; due again at next_at
    FAILED = "failed"  # permanent refusal, expired or unrenderable, with reason
    SKIPPED = "skipped"  # not mailable, left, suppressed or cancelled, with reason
    UNKNOWN = "unknown"  # the sender died or the line broke after intent


OPEN_DELIVERIES = (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.INTENT, DeliveryState.DEFERRED)
CLOSED_DELIVERIES = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.SKIPPED, DeliveryState.UNKNOWN)


class LetterKind(StrEnum):
    CONFIRM = "confirm"
    WELCOME = "welcome"
    GOODBYE = "goodbye"
    MOVE = "move"  # to a new address: does its owner want the mail there?
    MOVED = "moved"  # to the address a reader has left: it was changed, and how to undo that
    YOUR_DATA = "your_data"  # the fresh link that export and erase need
    NOTICE = "notice"  # to staff


class EventType(StrEnum):
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
