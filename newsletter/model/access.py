"""What a token of the API may do. Data only; stored by their values, which must never change."""

from collections.abc import Mapping
from enum import StrEnum


class Scope(StrEnum):
    SUBSCRIBE = "subscribe"
    SUBSCRIBERS_READ = "subscribers:read"
    SUBSCRIBERS_WRITE = "subscribers:write"
    SUBSCRIBERS_ERASE = "subscribers:erase"
    ADDRESSES_READ = "addresses:read"
    LISTS_READ = "lists:read"
    LISTS_WRITE = "lists:write"
    SEGMENTS_READ = "segments:read"
    SEGMENTS_WRITE = "segments:write"
    IMPORT = "import"
    EVENTS_READ = "events:read"
    ISSUES_READ = "issues:read"
    ISSUES_WRITE = "issues:write"
    ISSUES_APPROVE = "issues:approve"
    ARTICLES_READ = "articles:read"


MEANS: Mapping[Scope, str] = {
    Scope.SUBSCRIBE: "ask for one address at a time to join a list; learns nothing about anybody",
    Scope.SUBSCRIBERS_READ: "see people and their subscriptions, addresses masked",
    Scope.SUBSCRIBERS_WRITE: "subscribe, change, unsubscribe and suppress people",
    Scope.SUBSCRIBERS_ERASE: "erase people",
    Scope.ADDRESSES_READ: "with subscribers:read, see addresses in the clear and export a person",
    Scope.LISTS_READ: "see lists and how many people they have",
    Scope.LISTS_WRITE: "create and change lists",
    Scope.SEGMENTS_READ: "see segments, declared attributes and tags",
    Scope.SEGMENTS_WRITE: "keep and change segments, declare attributes",
    Scope.IMPORT: "import files of people",
    Scope.EVENTS_READ: "see bounces, complaints and other events",
    Scope.ISSUES_READ: "see newsletters, issues, their content and their numbers",
    Scope.ISSUES_WRITE: "make extra issues, send tests, pause, resume, cancel, put back to draft",
    Scope.ISSUES_APPROVE: "approve an issue for exactly one content",
    Scope.ARTICLES_READ: "see sources and articles",
}
