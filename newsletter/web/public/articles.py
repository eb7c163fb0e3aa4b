"""/articles/{id}: the page of an article that has no address of its own (a file, a pasted text). Plain text, escaped."""

from starlette.responses import Response

from newsletter.model import Article, ArticleState, IssueState
from newsletter.store import Connection, articles, issues
from newsletter.web.visit import Visit, problem

# What was sent, or will be, keeps its page: mail that links to it is out.
PUBLISHED = (IssueState.SCHEDULED, IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)


def article(visit: Visit) -> Response:
    with visit.app.db.read() as conn:
        found = articles.get(conn, visit.part("id"))
        if found is None or found.url is not None or not _may_be_seen(conn, found):
            return problem(visit, 404)
    paragraphs = [paragraph.strip() for paragraph in found.text.split("\n\n")]
    return visit.page(
        "public/article.html",
        article=found,
        paragraphs=[paragraph for paragraph in paragraphs if paragraph],
        headers={"Cache-Control": "no-cache"},
    )


def _may_be_seen(conn: Connection, article: Article) -> bool:
    """Ready, or already in an issue that went out; a held one is nobody's business yet."""
    if article.state is ArticleState.READY:
        return True
    told = issues.decisions_about(conn, article.id)
    return any(decision.included and issue.state in PUBLISHED for issue, decision, _ in told)
