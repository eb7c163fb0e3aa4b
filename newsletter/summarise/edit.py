"""What a person does to a summary: edit it, have it made anew, give it back to the machine. Each act is kept in its history.

A person's word wins over the guard, whose findings are shown as warnings; markup and orders to a machine are refused all the
same. Must never change what somebody approved: an issue that waits is composed again, an approved one stays as it was.
"""

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime

from newsletter import summarise
from newsletter.app import App
from newsletter.errors import BadInput, NotAllowed
from newsletter.log import get_logger
from newsletter.model import (
    Article,
    ArticleId,
    ArticleState,
    Issue,
    IssueState,
    Summary,
    SummaryAct,
    SummaryOrigin,
    Verdict,
)
from newsletter.store import Connection, articles, issues, summaries
from newsletter.summarise.choice import judge_edit
from newsletter.summarise.patterns import has_injection, has_markup
from newsletter.summarise.prompt import sentences_of

log = get_logger("summarise")

LONGEST = 600  # characters; a design shows no more
SENT_BACK = "a summary was changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """`composed_again`: issues that waited for approval. `bound`: approved ones, which keep the former words; `sent`:
    those readers have, or are getting."""

    summary: Summary
    composed_again: tuple[Issue, ...] = ()
    bound: tuple[Issue, ...] = ()
    sent: tuple[Issue, ...] = ()


def plain_words(text: str, *, longest: int = LONGEST) -> str:
    """What a person wrote, NFC on one line. Raises BadInput when it cannot be printed: empty, too long, markup, an order."""
    words = unicodedata.normalize("NFC", " ".join(text.split()))
    if not words:
        raise BadInput("there is no text")
    if len(words) > longest:
        raise BadInput(f"it has {len(words)} characters, more than {longest}")
    if not words.isprintable():
        raise BadInput("it holds characters that cannot be printed")
    if has_markup(words):
        raise BadInput("it holds markup, a link or a mail address; write plain words")
    if has_injection(words):
        raise BadInput("it holds an order to a machine")
    return words


def judged(article: Article, text: str, *, by: str) -> Summary:
    """A person's words about an article with the guard's verdict. Raises BadInput for words that cannot be printed."""
    words = plain_words(text)
    draft = Summary(
        text=words,
        origin=SummaryOrigin.HUMAN,
        sentences=sentences_of(words, article, SummaryOrigin.HUMAN),
        guard=Verdict(ok=True),
        by=by,
    )
    return judge_edit(
        draft, title=article.title, standfirst=article.standfirst, text=article.text, language=article.language
    )


def edit(conn: Connection, article_id: str, text: str, *, by: str, now: datetime) -> Changed:
    """A person's words become the summary. Raises BadInput for words that cannot be printed, NotAllowed for a skipped one."""
    article = _editable(conn, article_id)
    return _keep(conn, article, judged(article, text, by=by), act=SummaryAct.EDITED, by=by, now=now)


def regenerate(app: App, article_id: str, *, by: str, now: datetime) -> Changed:
    """The machine makes it anew, with the model if one is set, and whatever was there gives way.

    Raises NotAllowed when nothing can be made of the article; then all stays as it was.
    """
    with app.db.read() as conn:
        article = _editable(conn, article_id)
    fresh = _made(app, article)
    with app.db.begin() as conn:
        _unchanged(conn, article)
        return _keep(conn, article, fresh, act=SummaryAct.REGENERATED, by=by, now=now)


def revert(app: App, article_id: str, *, by: str, now: datetime) -> Changed:
    """The machine's last summary again, or, when the article changed since, one made anew.

    Raises NotAllowed when the summary is the machine's already, or nothing can be made.
    """
    with app.db.read() as conn:
        article = _editable(conn, article_id)
        if article.summary is None or article.summary.origin is not SummaryOrigin.HUMAN:
            raise NotAllowed("the summary is the machine's already", where=article.id)
        former = _former(conn, article)
    machine = former or _made(app, article)
    with app.db.begin() as conn:
        _unchanged(conn, article)
        return _keep(conn, article, machine, act=SummaryAct.REVERTED, by=by, now=now)


def _former(conn: Connection, article: Article) -> Summary | None:
    """What the machine said last, unless the article changed after it: its places would point at other words."""
    for version in summaries.history(conn, article.id):
        if version.summary.origin is not SummaryOrigin.HUMAN:
            stale = article.changed_at is not None and article.changed_at > version.at
            return None if stale else replace(version.summary, use=None)
    return None


def _made(app: App, article: Article) -> Summary:
    found = summarise.made(article, summarise.writer_of(app))
    if isinstance(found, str):
        raise NotAllowed(found, where=article.id)
    return found


def _editable(conn: Connection, article_id: str) -> Article:
    article = articles.get(conn, article_id)
    if article is None:
        raise BadInput("no such article", where=article_id, hint="`newsletter why ISSUE` and the staff pages show ids")
    if article.state is ArticleState.SKIPPED:
        raise NotAllowed(f"the article is skipped: {article.reason}", where=article.id)
    return article


def _unchanged(conn: Connection, article: Article) -> None:
    """Making one may take seconds: what somebody else did meanwhile is not overwritten."""
    current = articles.get(conn, article.id)
    if current is None or current.text != article.text or current.summary != article.summary:
        raise NotAllowed("the article or its summary changed meanwhile", where=article.id, hint="look again")


def _keep(conn: Connection, article: Article, summary: Summary, *, act: SummaryAct, by: str, now: datetime) -> Changed:
    topics = summarise.topics_of(article)
    articles.summarised(conn, article.id, summary, now=now, topics=topics, act=act, by=by)
    log.info("summary_changed", article=article.id, act=str(act), by=by, agrees=summary.guard.ok)
    if article.summary is not None and article.summary.text == summary.text:
        return Changed(summary=summary)
    return Changed(
        summary=summary,
        composed_again=_send_back(conn, article.id),
        bound=tuple(issues.holding(conn, article.id, IssueState.SCHEDULED)),
        sent=tuple(issues.holding(conn, article.id, IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)),
    )


def _send_back(conn: Connection, article_id: ArticleId) -> tuple[Issue, ...]:
    """Issues that wait for approval become drafts: whoever looked at the former words cannot approve them any more."""
    waiting = issues.holding(conn, article_id, IssueState.PENDING_APPROVAL)
    for issue in waiting:
        issues.back_to_draft(conn, issue.id, reason=SENT_BACK)
    return tuple(waiting)
