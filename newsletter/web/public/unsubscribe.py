"""/u/{token}: leave a list. The GET shows a button; only the POST leaves, by the button or by a mail program (RFC 8058)."""

from starlette.responses import Response

from newsletter import readers
from newsletter.web.public.tokens import gone, masked_address
from newsletter.web.visit import Visit


def ask(visit: Visit) -> Response:
    leaving = readers.look_at_leaving(visit.app, visit.part("token"))
    if leaving is None:
        return gone(visit)
    return visit.speaking(leaving.language).page(
        "public/unsubscribe.html",
        leaving=leaving,
        address=masked_address(visit, leaving.person_id),
        preferences=visit.site.pages.path(f"/p/{visit.part('token')}"),
        back=_back(visit),
    )


def come_back(visit: Visit) -> Response:
    """Undo, by a button of ours only; what the button says is kept as the wording of the consent."""
    leaving = readers.look_at_leaving(visit.app, visit.part("token"))
    if leaving is None:
        return gone(visit)
    seen = visit.speaking(leaving.language)
    wording = seen.words.gettext("Subscribe again")
    readers.come_back(visit.app, visit.part("token"), wording=wording, language=seen.language)
    visit.site.wake()  # a letter may be due
    return visit.go(_kept(visit, f"/u/{visit.part('token')}"))


def leave(visit: Visit) -> Response:
    """200 and the page that says so, without redirect: RFC 8058 section 3.1 forbids one for a one-click POST."""
    how = "one-click" if visit.form.get("List-Unsubscribe") == "One-Click" else "page"
    leaving = readers.leave(visit.app, visit.part("token"), how=how)
    if leaving is None:
        return gone(visit)
    visit.site.wake()
    return visit.speaking(leaving.language).page("public/left.html", leaving=leaving, back=_back(visit))


def _back(visit: Visit) -> str:
    """Where the button posts: in the language of its page, so that its words are kept as they were seen."""
    return visit.site.pages.path(_kept(visit, f"/u/{visit.part('token')}/back"))


def _kept(visit: Visit, path: str) -> str:
    return f"{path}?lang={visit.language}" if visit.language_chosen else path
