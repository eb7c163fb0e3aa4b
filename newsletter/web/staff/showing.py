"""Choosing whose mail the preview shows. A POST, because an address must not stand in a URL; the URL then holds an id."""

from starlette.responses import Response

import subscribers
from newsletter.web.staff import review
from newsletter.web.visit import Visit


def show_as(visit: Visit) -> Response:
    """Go back to the preview as the person of an address; the page says so when nobody here has it."""
    with visit.app.db.read() as conn:
        try:
            found = subscribers.find(conn, subscribers.parse_address(visit.form.get("reader", "").strip()))
        except subscribers.InvalidAddress:
            found = None
    if found is None:
        return review.page(visit, status=422, nobody=True)
    language = visit.form.get("in", "")
    return visit.go(f"/staff/issues/{visit.part('id')}?in={language if language.isalpha() else ''}&as={found}#preview")
