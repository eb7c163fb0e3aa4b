"""Articles with the reason for the state each is in; and one article with its provenance, summary and decisions."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from starlette.responses import Response

from newsletter.errors import BadInput, NotAllowed
from newsletter.log import get_logger
from newsletter.mail.findings import N_
from newsletter.model import HEAVIEST, Article, ArticleId, ArticleState, Decision, Issue, IssueState, ItemField, Summary
from newsletter.store import articles as rows
from newsletter.store import issues, stories, summaries
from newsletter.summarise.edit import LONGEST
from newsletter.summarise.support import supports
from newsletter.web.reasons import reason_in
from newsletter.web.staff.review import name_of
from newsletter.web.visit import Visit

log = get_logger("web")

SHOWN = 100
PARTS = {  # of an article, whose provenance is told; what is not here is shown as it is called in the rows
    "title": N_("Title"), "text": N_("Text"), "standfirst": N_("Standfirst"), "published": N_("Published"),
    "authors": N_("Author"), "image": N_("Picture"), "language": N_("Language"), "url": N_("Address"),
}  # fmt: skip
_OUT = frozenset({IssueState.SENDING, IssueState.PAUSED, IssueState.SENT})
Decided = tuple[Issue, Decision, str]  # and the name of its newsletter


def articles(visit: Visit) -> Response:
    wanted = visit.asked("state")
    state = ArticleState(wanted) if wanted in set(ArticleState) else None
    with visit.app.db.read() as conn:
        listed = rows.listed(conn, state=state, limit=SHOWN)
        counts = rows.counts(conn)
    return visit.page("staff/articles.html", articles=listed, counts=counts, states=list(ArticleState), state=state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A piece of the article text; `sentence` is the number of the summary sentence taken from it, or 0."""

    text: str
    sentence: int


def release(visit: Visit) -> Response:
    """Let an article go on its way that was held because it may be known already."""
    return _decided(visit, rows.release)


def drop(visit: Visit) -> Response:
    return _decided(visit, rows.drop)


def _decided(visit: Visit, act: Callable[..., None]) -> Response:
    assert visit.member is not None
    article_id, why = visit.part("id"), visit.form.get("why", "").strip()[:500]
    try:
        with visit.app.db.begin() as conn:
            act(conn, article_id, by=visit.member.name, now=visit.now, why=why)
    except NotAllowed as error:
        return page(visit, status=409, refused=reason_in(visit.words, error.what))
    log.info("staff_act", act=act.__name__, article=article_id, staff=visit.member.id)
    return visit.go(f"/staff/articles/{article_id}")


def weigh(visit: Visit) -> Response:
    """Staff say how far the article stands ahead of others; a form that names no weight changes nothing."""
    assert visit.member is not None
    found = known(visit)
    with suppress(ValueError, BadInput), visit.app.db.begin() as conn:
        rows.weigh(conn, found.id, int(visit.form.get("weight", "")))
        log.info("staff_act", act="weigh", article=found.id, staff=visit.member.id)
    return visit.go(f"/staff/articles/{found.id}")


def article(visit: Visit) -> Response:
    return page(visit)


def known(visit: Visit) -> Article:
    """The article of the path. Raises BadInput when there is none."""
    with visit.app.db.read() as conn:
        found = rows.get(conn, visit.part("id"))
    if found is None:
        raise BadInput("no such article", where=visit.part("id"))
    return found


def page(visit: Visit, *, status: int = 200, refused: str = "", typed: str | None = None) -> Response:
    """The page, also after a refused act, which it then says. `typed`: the words that were refused, to be mended."""
    found = known(visit)
    with visit.app.db.read() as conn:
        decisions = issues.decisions_about(conn, found.id)
        versions = summaries.history(conn, found.id)
        acting = {version.by for version in versions if version.by}
        names = {by: name_of(conn, by) for by in (*acting, found.summary.by if found.summary else None) if by}
        sent = issues.sent_with(conn, found.id, before=found.changed_at) if found.changed_at else []
        story = stories.of_article(conn, found.id)
    said = found.summary.text if found.summary else ""
    return visit.page(
        "staff/article.html",
        status=status,
        corrected_after=", ".join(sent),
        article=found,
        supports=supports(found),
        paragraphs=marked(found.text, found.summary),
        public=visit.site.pages.path(f"/articles/{found.id}") if _has_page(found) else "",
        decisions=decisions,
        versions=versions,
        names=names,
        stale=_with_other_words(decisions, said, {IssueState.SCHEDULED}),
        gone=_with_other_words(decisions, said, _OUT),
        refused=refused,
        typed=said if typed is None else typed,
        mending=typed is not None,
        longest=LONGEST,
        heaviest=HEAVIEST,
        parts=PARTS,
        story=story,
        added=visit.asked("added"),
    )


def tell_apart(visit: Visit) -> Response:
    """Staff say that an article is another story. A second press finds it alone already, and changes nothing."""
    assert visit.member is not None
    article_id = ArticleId(visit.part("id"))
    with suppress(BadInput), visit.app.db.begin() as conn:
        stories.tell_apart(conn, article_id, by=visit.member.id, now=visit.now)
        log.info("staff_act", act="apart", article=article_id, staff=visit.member.id)
    return visit.go(f"/staff/articles/{article_id}")


def _with_other_words(
    decisions: Sequence[Decided], said: str, states: Collection[IssueState]
) -> list[tuple[Issue, str]]:
    """Issues in one of these states that have another summary than the article's present one, and none of their own."""
    return [
        (issue, name)
        for issue, decision, name in decisions
        if issue.state in states and (item := decision.item) is not None
        if ItemField.SUMMARY not in item.edited and item.summary != said
    ]


def _has_page(article: Article) -> bool:
    return article.url is None and article.state is ArticleState.READY


def marked(text: str, summary: Summary | None) -> list[list[Stretch]]:
    """The text in paragraphs, each cut where a summary sentence begins or ends (pure). Spans count code points of `text`."""
    spans = []
    for number, sentence in enumerate(summary.sentences if summary else (), start=1):
        if sentence.origin == "text" and sentence.start is not None and sentence.end is not None:
            spans.append((sentence.start, sentence.end, number))
    paragraphs, at = [], 0
    for paragraph in text.split("\n\n"):
        pieces = _pieces(paragraph, at, sorted(spans))
        if any(piece.text.strip() for piece in pieces):
            paragraphs.append(pieces)
        at += len(paragraph) + 2
    return paragraphs


def _pieces(paragraph: str, offset: int, spans: list[tuple[int, int, int]]) -> list[Stretch]:
    pieces, done = [], 0
    for start, end, number in spans:
        first, last = max(start - offset, done), min(end - offset, len(paragraph))
        if first >= last:
            continue
        pieces += [
            Stretch(text=paragraph[done:first], sentence=0),
            Stretch(text=paragraph[first:last], sentence=number),
        ]
        done = last
    return [piece for piece in (*pieces, Stretch(text=paragraph[done:], sentence=0)) if piece.text]
