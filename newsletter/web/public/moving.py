"""/c/{token} of a letter to a new address, or to the one that was left: only the button moves the reader's mail there."""

from starlette.responses import Response

from newsletter.readers import moving
from newsletter.readers.moving import Move
from newsletter.web.public import theme
from newsletter.web.public.tokens import gone, masked_address
from newsletter.web.visit import Visit
from subscribers import Moved


def ask(visit: Visit, move: Move) -> Response:
    return _page(visit, move, "ask" if move.in_time else "gone")


def move(visit: Visit) -> Response:
    found = moving.look(visit.app, visit.part("token"))
    if found is None:
        return gone(visit)
    words = visit.speaking(found.language).words
    wording = words.gettext("Bring it back here") if found.undoes else words.gettext("Use this address")
    moved = moving.move(visit.app, visit.part("token"), wording=wording)
    if moved is None:
        return gone(visit)
    if moved[1] is Moved.MOVED:
        visit.site.wake()  # the letter to the old address
    return _page(visit, found, moved[1].value)


def _page(visit: Visit, found: Move, state: str) -> Response:
    return visit.speaking(found.language).page(
        "public/move.html",
        status=410 if state == Moved.GONE else 200,
        move=found,
        state=state,
        address=masked_address(visit, found.to),
        theme=theme.worn(visit, found.list_slug),
    )
