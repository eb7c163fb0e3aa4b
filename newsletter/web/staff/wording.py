"""What staff do to a summary: edit, have it made anew, give it back to the machine. Each is a POST; a refusal says why."""

from collections.abc import Callable

from starlette.responses import Response

from newsletter.errors import BadInput, NotAllowed
from newsletter.log import get_logger
from newsletter.summarise import edit as wording
from newsletter.summarise.edit import Changed
from newsletter.web.reasons import reason_in
from newsletter.web.staff import articles
from newsletter.web.staff.acts import recompose
from newsletter.web.visit import Visit

log = get_logger("web")


def edit(visit: Visit) -> Response:
    """The words of the form become the summary; what cannot be printed comes back to be mended."""
    assert visit.member is not None
    by, typed = visit.member.id, visit.form.get("summary", "")

    def change() -> Changed:
        with visit.app.db.begin() as conn:
            return wording.edit(conn, visit.part("id"), typed, by=by, now=visit.now)

    return _done(visit, change, typed=typed)


def regenerate(visit: Visit) -> Response:
    assert visit.member is not None
    by = visit.member.id
    return _done(visit, lambda: wording.regenerate(visit.app, visit.part("id"), by=by, now=visit.now))


def revert(visit: Visit) -> Response:
    assert visit.member is not None
    by = visit.member.id
    return _done(visit, lambda: wording.revert(visit.app, visit.part("id"), by=by, now=visit.now))


def _done(visit: Visit, change: Callable[[], Changed], *, typed: str | None = None) -> Response:
    """The article's page after a change, or as it was, with the reason why nothing changed."""
    articles.known(visit)  # an id that names nothing is a page that is not there, not a refusal
    try:
        changed = change()
    except (BadInput, NotAllowed) as error:
        status = 422 if isinstance(error, BadInput) else 409
        return articles.page(visit, status=status, refused=reason_in(visit.words, error.what), typed=typed)
    for issue in changed.composed_again:
        recompose(visit, issue.id)
    visit.site.wake()
    return visit.go(f"/staff/articles/{visit.part('id')}")
