"""/c/{token}: answer a confirmation letter. Mail scanners open links, so only the button confirms."""

from starlette.responses import Response

from newsletter import readers
from newsletter.web.public import theme
from newsletter.web.public.tokens import gone
from newsletter.web.visit import Visit
from subscribers import ConfirmOutcome


def ask(visit: Visit) -> Response:
    invitation = readers.look_at_confirmation(visit.app, visit.part("token"))
    if invitation is None:
        return gone(visit)
    worn = theme.worn(visit, invitation.list_slug)
    return visit.speaking(invitation.language).page("public/confirm.html", invitation=invitation, theme=worn)


def confirm(visit: Visit) -> Response:
    answered = readers.confirm(visit.app, visit.part("token"))
    if answered is None:
        return gone(visit)
    invitation, outcome = answered
    if outcome is ConfirmOutcome.CONFIRMED:
        visit.site.wake()
    status = 410 if outcome in (ConfirmOutcome.EXPIRED, ConfirmOutcome.GONE) else 200
    worn = theme.worn(visit, invitation.list_slug)
    return visit.speaking(invitation.language).page(
        "public/confirmed.html",
        status=status,
        invitation=invitation,
        outcome=outcome.value,
        theme=worn,
        sign_up=visit.site.pages.path(f"/subscribe/{invitation.list_slug}") if worn else "",
    )
