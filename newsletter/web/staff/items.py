"""What staff do to the articles of an issue. Each is a POST; a refusal comes back as the page, saying why.

An act takes the issue back to draft and composes it again at once, so that the next look is at what would be sent.
"""

from collections.abc import Callable, Mapping

from starlette.responses import Response

from newsletter.compose import items as doing
from newsletter.compose.context import LABEL_LIMIT, TITLE_LIMIT
from newsletter.errors import BadInput, NotAllowed
from newsletter.log import get_logger
from newsletter.model import ArticleId, Issue, Item, ItemField, Pin, Presence
from newsletter.store import Connection, articles, issues, newsletters
from newsletter.summarise.edit import judged, plain_words
from newsletter.web.reasons import reason_in
from newsletter.web.staff import review
from newsletter.web.staff.acts import recompose
from newsletter.web.staff.itemdesk import Typed, leads
from newsletter.web.visit import Visit

log = get_logger("web")

WORDED = (ItemField.TITLE, ItemField.SUMMARY, ItemField.IMAGE, ItemField.SECTION)
SAID: Mapping[str, doing.Said] = {
    "lead": {ItemField.PIN: Pin.LEAD},
    "first": {ItemField.PIN: Pin.FIRST},
    "unpin": {ItemField.PIN: None, ItemField.PLACE: None},
    "out": {ItemField.PRESENCE: Presence.OUT},
    "in": {ItemField.PRESENCE: Presence.IN},
    "undo": {ItemField.PRESENCE: None},
    "reset": dict.fromkeys(ItemField),
}
STEPS = {"up": -1, "down": 1}


def act(visit: Visit) -> Response:
    """The button that was pressed says what is done: one of SAID, STEPS, or `edit` with the fields of its form."""
    do = visit.form.get("do", "")
    if do == "edit":
        return _done(visit, do, lambda conn, issue: _edit(visit, conn, issue))
    if do in STEPS:
        return _done(visit, do, lambda conn, issue: _step(visit, conn, issue, STEPS[do]))
    if do in SAID:
        return _done(visit, do, lambda conn, issue: _say(visit, conn, issue, SAID[do]))
    return visit.go(f"/staff/issues/{visit.part('id')}")


def _done(visit: Visit, do: str, change: Callable[[Connection, Issue], object]) -> Response:
    assert visit.member is not None
    issue_id, article_id = visit.part("id"), visit.part("article")
    with visit.app.db.read() as conn:
        issues.get(conn, issue_id)  # an id that names nothing is a page that is not there
        if articles.get(conn, article_id) is None:
            raise BadInput("no such article", where=article_id)
    try:
        with visit.app.db.begin() as conn:
            change(conn, issues.get(conn, issue_id))
    except NotAllowed as error:
        return review.page(visit, status=409, refused=reason_in(visit.words, error.what))
    except BadInput as error:
        fields = {str(name): visit.form.get(name, "") for name in WORDED}
        typed = Typed(article_id=article_id, fields=fields, fault=reason_in(visit.words, error.what))
        return review.page(visit, status=422, typed_item=typed)
    log.info("staff_act", act=f"item {do}", issue=issue_id, article=article_id, staff=visit.member.id)
    recompose(visit, issue_id)
    focus = "items" if do in ("out", "undo") else f"{do}-{article_id}" if do in STEPS else f"item-{article_id}"
    return visit.go(f"/staff/issues/{issue_id}#{focus}")


def _say(visit: Visit, conn: Connection, issue: Issue, said: doing.Said, doubts: tuple[str, ...] = ()) -> bool:
    assert visit.member is not None
    article_id, by = visit.part("article"), visit.member.name
    return doing.change(conn, issue.id, article_id, said, by=by, now=visit.now, doubts=doubts)


def _step(visit: Visit, conn: Connection, issue: Issue, step: int) -> bool:
    assert visit.member is not None
    lead = leads(visit.app, newsletters.get(conn, issue.newsletter_id))
    return doing.move(conn, issue.id, visit.part("article"), step=step, lead=lead, by=visit.member.name, now=visit.now)


def _edit(visit: Visit, conn: Connection, issue: Issue) -> bool:
    """Only what differs from what the form showed is said. Raises BadInput for words that cannot be printed."""
    assert visit.member is not None
    article = articles.get(conn, visit.part("article"))
    assert article is not None, "_done has looked"
    shown = _shown(conn, issue, article.id)
    typed = {name: " ".join(visit.form.get(name, shown[name]).split()) for name in WORDED}
    differs = [name for name in WORDED if typed[name] != " ".join(shown[name].split())]
    said: dict[ItemField, str | None] = {name: typed[name] for name in differs}
    doubts: tuple[str, ...] = ()
    if ItemField.TITLE in differs:
        title = typed[ItemField.TITLE]
        said[ItemField.TITLE] = plain_words(title, longest=TITLE_LIMIT) if title else None
    if typed[ItemField.SECTION] and ItemField.SECTION in differs:
        said[ItemField.SECTION] = plain_words(typed[ItemField.SECTION], longest=LABEL_LIMIT)
    if ItemField.SUMMARY in differs:
        said[ItemField.SUMMARY] = None
        if typed[ItemField.SUMMARY]:
            verdict = judged(article, typed[ItemField.SUMMARY], by=visit.member.id)
            said[ItemField.SUMMARY], doubts = verdict.text, verdict.guard.reasons
    return _say(visit, conn, issue, said, doubts)


def _shown(conn: Connection, issue: Issue, article_id: ArticleId) -> dict[ItemField, str]:
    """What the item's form shows before anybody types. Raises NotAllowed when the article is not in the issue."""
    found = (decision.item for decision in issues.decisions(conn, issue.id) if decision.article_id == article_id)
    item = next((item for item in found if item is not None), None)
    if item is None:
        raise NotAllowed("the article is not in the issue", where=article_id)
    return form_of(item)


def form_of(item: Item) -> dict[ItemField, str]:
    return {
        ItemField.TITLE: item.title,
        ItemField.SUMMARY: item.summary,
        ItemField.IMAGE: item.image or "",
        ItemField.SECTION: item.section or "",
    }
