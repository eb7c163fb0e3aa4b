"""/p/{token}: the language of the mail, and the way out."""

from starlette.responses import Response

import subscribers
from newsletter import readers
from newsletter.readers import Leaving
from newsletter.web.language import asked_for
from newsletter.web.public.tokens import gone, masked_address
from newsletter.web.visit import Visit


def ask(visit: Visit) -> Response:
    leaving = readers.look_at_leaving(visit.app, visit.part("token"))
    return gone(visit) if leaving is None else _page(visit, leaving, chosen=leaving.language, saved=False)


def save(visit: Visit) -> Response:
    token, language = visit.part("token"), asked_for(visit.form.get("language"))
    if language is None:
        return ask(visit)
    try:
        leaving = readers.choose_language(visit.app, token, language)
    except subscribers.UnknownPerson:  # erased between our look and our write
        return gone(visit)
    return gone(visit) if leaving is None else _page(visit, leaving, chosen=language, saved=True)


def _page(visit: Visit, leaving: Leaving, *, chosen: str, saved: bool) -> Response:
    return visit.speaking(chosen).page(
        "public/preferences.html",
        leaving=leaving,
        chosen=asked_for(chosen),
        saved=saved,
        address=masked_address(visit, leaving.person_id),
        unsubscribe=visit.site.pages.path(f"/u/{visit.part('token')}"),
    )
