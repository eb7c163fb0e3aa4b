"""What staff do to the items of an issue: words, picture, section, place, pin, leave out, take in, take back.

Each is kept (store.edits) and takes the issue back to draft, so that what is approved is what was looked at. Words come in
checked by whoever asks: the guard belongs to another stage. Must never bring an article into a second issue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.compose.context import LABEL_LIMIT
from newsletter.compose.safe import clean, https_url
from newsletter.errors import BadInput, NotAllowed
from newsletter.model import (
    Article,
    ArticleId,
    ArticleState,
    Edit,
    Finding,
    Issue,
    IssueId,
    Item,
    ItemField,
    Override,
    Pin,
    Presence,
)
from newsletter.store import Connection, articles, edits, issues

Said = Mapping[ItemField, str | None]  # None: as it is made


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Items that stand together: the lead, one section, or those only on the web. `title` None: the default section."""

    kind: str  # "lead", "section" or "web"
    title: str | None
    items: tuple[Item, ...]


def grouped(items: Sequence[Item], *, lead: bool) -> list[Group]:
    """The items of an issue as its mail shows them, in its order (pure). `lead`: the design sets the first one apart."""
    mail = [item for item in items if not item.only_web]
    web = tuple(item for item in items if item.only_web)
    head, rest = (mail[:1], mail[1:]) if lead else ([], mail)
    found = [Group(kind="lead", title=None, items=tuple(head))] if head else []
    sections: dict[tuple[int, str | None], list[Item]] = {}
    for item in sorted(rest, key=lambda item: (item.section_at, item.position)):
        sections.setdefault((item.section_at, item.section), []).append(item)
    found += [Group(kind="section", title=key[1], items=tuple(group)) for key, group in sections.items()]
    return found + ([Group(kind="web", title=None, items=web)] if web else [])


# ---------------------------------------------------------------- doing


def change(
    conn: Connection,
    issue_id: IssueId,
    article_id: str,
    said: Said,
    *,
    by: str,
    now: datetime,
    doubts: Sequence[str] = (),
) -> bool:
    """Keep what a person says of an article in an issue. False when that is what counted already.

    `doubts`: what the guard found in the summary. Raises BadInput for what cannot be, NotAllowed when the article may not
    enter this issue, or the issue is being sent or closed.
    """
    issue, article = issues.get(conn, issue_id), articles.get(conn, article_id)
    if article is None:
        raise BadInput("no such article", where=article_id, hint="`newsletter why ISSUE` shows those considered")
    wanted = {field: _checked(field, value) for field, value in said.items()}
    if wanted.get(ItemField.PRESENCE) == Presence.IN:
        _may_enter(conn, issue, article)
    counting = edits.overrides(conn, issue.id)
    before = counting.get(article.id)
    fresh = {field: value for field, value in _settled(wanted, article).items() if value != _counting(before, field)}
    if not fresh:
        return False
    made = [
        Edit(
            at=now,
            by=by,
            article_id=article.id,
            field=field,
            value=value,
            doubts=tuple(doubts) if field is ItemField.SUMMARY and value is not None else (),
        )
        for field, value in fresh.items()
    ]
    if fresh.get(ItemField.PIN) == Pin.LEAD:  # there is one lead
        leading = [other for other, theirs in counting.items() if theirs.pin is Pin.LEAD and other != article.id]
        made += [Edit(at=now, by=by, article_id=other, field=ItemField.PIN, value=None) for other in leading]
    edits.record(conn, issue.id, made)
    return True


def move(
    conn: Connection, issue_id: IssueId, article_id: str, *, step: int, lead: bool, by: str, now: datetime
) -> bool:
    """Change places with the neighbour in its section, -1 up, 1 down. False when there is none. Raises NotAllowed."""
    items = [decision.item for decision in issues.decisions(conn, issue_id) if decision.item]
    group = next(
        (g.items for g in grouped(items, lead=lead) for item in g.items if item.article_id == article_id), None
    )
    if group is None:
        raise NotAllowed("the article is not in the issue", where=article_id)
    at = [item.article_id for item in group].index(ArticleId(article_id))
    if not 0 <= at + step < len(group) or group[at].only_web:
        return False
    for one, other in ((group[at + step], group[at]), (group[at], group[at + step])):
        change(conn, issue_id, one.article_id, {ItemField.PLACE: str(other.position)}, by=by, now=now)
    return True


def _checked(field: ItemField, value: str | None) -> str | None:
    if value is None:
        return None
    if field is ItemField.PLACE:
        if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 1000:
            raise BadInput("a place is a number from 1", where=value[:40])
        return str(int(value))
    if field is ItemField.IMAGE and value:
        address = https_url(value.strip())
        if address is None:
            raise BadInput("a picture's address begins with https://", where=value[:80])
        return address
    if field is ItemField.SECTION:
        return clean(value, limit=LABEL_LIMIT)
    if field in (ItemField.PIN, ItemField.PRESENCE):
        known = list(Pin) if field is ItemField.PIN else list(Presence)
        if value not in known:
            raise BadInput(f"{field} is {' or '.join(known)}", where=value[:40])
    return value


def _settled(said: Said, article: Article) -> Said:
    """The words and the picture that the article has anyway are nothing said; a place and a pin take each other back."""
    made = {
        ItemField.TITLE: article.title,
        ItemField.SUMMARY: article.summary.text if article.summary else None,
        ItemField.IMAGE: article.image or "",
    }
    settled = {
        field: None if value is not None and value == made.get(field) else value for field, value in said.items()
    }
    if settled.get(ItemField.PLACE) is not None:
        settled[ItemField.PIN] = None
    elif settled.get(ItemField.PIN) is not None:
        settled[ItemField.PLACE] = None
    return settled


def _counting(before: Override | None, field: ItemField) -> str | None:
    value = getattr(before, field) if before is not None else None
    return None if value is None else str(value)


def _may_enter(conn: Connection, issue: Issue, article: Article) -> None:
    elsewhere = issues.used(conn, issue.newsletter_id, besides=issue.id).get(article.id)
    if elsewhere is not None:
        raise NotAllowed(f"already in issue {elsewhere}", where=article.id)
    if article.state is not ArticleState.READY:
        reason = f"{article.state}: {article.reason}" if article.reason else str(article.state)
        raise NotAllowed(reason, where=article.id)


# ---------------------------------------------------------------- what to look at again


def doubtful(conn: Connection, items: Sequence[Item], overrides: Mapping[ArticleId, Override]) -> list[Finding]:
    """Where the source corrected an article under a person's words, and what the guard found in them."""
    findings = []
    for item in items:
        article, said = articles.get(conn, item.article_id), overrides.get(item.article_id)
        messages = [f"the article does not bear it out: {doubt}" for doubt in (said.doubts if said else ())]
        if article is not None and _overtaken(article, said):
            messages.append("the article changed after its summary was edited")
        findings += [Finding(check="edit", level="warning", where=item.title, message=text) for text in messages]
    return findings


def _overtaken(article: Article, said: Override | None) -> bool:
    if said is None or said.worded_at is None:
        return article.changed_after_edit
    return article.changed_at is not None and article.changed_at > said.worded_at
