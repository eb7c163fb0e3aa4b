"""What a token stands for, as far as a page may show it. Forged, damaged and unknown tokens get one and the same answer."""

from starlette.responses import Response

import subscribers
from newsletter.model import PersonId
from newsletter.web.visit import Visit, problem


def gone(visit: Visit) -> Response:
    return problem(visit, 404)


def masked_address(visit: Visit, person_id: PersonId) -> str:
    """The reader's address as its own mask shows it; empty when it is erased."""
    with visit.app.db.read() as conn:
        address = subscribers.person(conn, person_id).address
    return "" if address is None else str(address)
