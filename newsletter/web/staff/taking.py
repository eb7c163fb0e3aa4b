"""What staff take away of an issue: its receipt as a file, in pieces, however many readers it had."""

from collections.abc import Iterator

from starlette.responses import Response, StreamingResponse

from newsletter.errors import BadInput, NotAllowed
from newsletter.model import Issue
from newsletter.store import issues
from newsletter.track import receipt
from newsletter.web.reasons import reason_in
from newsletter.web.staff import review
from newsletter.web.visit import Visit

_WRITTEN = {"csv": (receipt.as_csv, "text/csv"), "json": (receipt.as_json, "application/json")}


def take_receipt(visit: Visit) -> Response:
    """`receipt.csv` or `receipt.json`; the page, saying why, when nobody was frozen for the issue."""
    kind = visit.part("kind")
    if kind not in _WRITTEN:
        raise BadInput("there is no such receipt", where=kind)
    try:
        with visit.app.db.read() as conn:
            issue = issues.get(conn, visit.part("id"))
            receipt.head(conn, issue)
    except NotAllowed as error:
        return review.page(visit, status=409, refused=reason_in(visit.words, error.what))
    name = f"{issue.id}.{kind}"
    return StreamingResponse(
        _pieces(visit, issue, kind),
        media_type=f"{_WRITTEN[kind][1]}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="receipt-{name}"', "Cache-Control": "no-store"},
    )


def _pieces(visit: Visit, issue: Issue, kind: str) -> Iterator[str]:
    with visit.app.db.read() as conn:
        yield from _WRITTEN[kind][0](conn, issue)
