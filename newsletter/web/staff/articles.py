"""Articles with the reason for the state each is in; and one article with its provenance, summary and decisions."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from starlette.responses import Response

from newsletter.errors import BadInput, NotAllowed
from newsletter.log import get_logger
from newsletter.model import Article, ArticleId, ArticleState, Summary
from newsletter.store import articles as rows
from newsletter.store import issues, stories
from newsletter.web.reasons import reason_in
from newsletter.web.visit import Visit, problem

log = get_logger("web")

SHOWN = 100


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
        return article(visit, status=409, refused=reason_in(visit.words, error.what))
    log.info("staff_act", act=act.__name__, article=article_id, staff=visit.member.id)
    return visit.go(f"/staff/articles/{article_id}")


def article(visit: Visit, *, status: int = 200, refused: str = "") -> Response:
    with visit.app.db.read() as conn:
        found = rows.get(conn, visit.part("id"))
        if found is None:
            return problem(visit, 404)
        decisions = issues.decisions_about(conn, found.id)
        sent = issues.sent_with(conn, found.id, before=found.changed_at) if found.changed_at else []
        story = stories.of_article(conn, found.id)
    return visit.page(
        "staff/article.html",
        status=status,
        refused=refused,
        corrected_after=", ".join(sent),
        article=found,
        paragraphs=marked(found.text, found.summary),
        public=visit.site.pages.path(f"/articles/{found.id}") if _has_page(found) else "",
        decisions=decisions,
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
