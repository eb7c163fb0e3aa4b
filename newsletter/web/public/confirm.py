"""/c/{token}: answer a letter: confirm a subscription, a new address, or open one's data. Mail scanners open links, so only
the button acts.
"""

from starlette.responses import Response

from newsletter import readers
from newsletter.readers import moving as reading_moves
from newsletter.readers import privacy
from newsletter.web.public import moving, theme, yourdata
from newsletter.web.public.tokens import gone
from newsletter.web.visit import Visit
from subscribers import ConfirmOutcome


def ask(visit: Visit) -> Response:
    token = visit.part("token")
    if (move := reading_moves.look(visit.app, token)) is not None:
        return moving.ask(visit, move)
    if (access := privacy.look(visit.app, token)) is not None:
        return yourdata.open_letter(visit, access)
    invitation = readers.look_at_confirmation(visit.app, token)
    if invitation is None:
        return gone(visit)
    worn = theme.worn(visit, invitation.list_slug)
    return visit.speaking(invitation.language).page("public/confirm.html", invitation=invitation, theme=worn)


def confirm(visit: Visit) -> Response:
    ip = visit.client if visit.app.settings.web.keep_ip else None
    answered = readers.confirm(visit.app, visit.part("token"), ip=ip)
    if answered is None:
        return moving.move(visit)
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
