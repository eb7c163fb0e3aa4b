"""/issues/{id}: an issue in the browser, once it is approved. Its reader's links lead to an explanation, not to anybody's
subscription.

The rendering itself is the document, under a policy without scripts and in an origin of its own: it is what readers know
from their mail, and fits every screen.
"""

from starlette.responses import HTMLResponse, Response

from newsletter.mail.markers import fill
from newsletter.mail.segments import cut_rendering
from newsletter.model import IssueState, Mailing, Rendering
from newsletter.store import issues, mailings
from newsletter.web.shield import rendering_policy
from newsletter.web.visit import Visit, problem

VISIBLE = (IssueState.SCHEDULED, IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)


def front(visit: Visit) -> Response:
    """The way in: nothing here but what this place is."""
    return visit.page("public/front.html")


def only_in_mail(visit: Visit) -> Response:
    return visit.page("public/only_in_mail.html")


def issue(visit: Visit) -> Response:
    with visit.app.db.read() as conn:
        found = issues.get(conn, visit.part("id"))
        if found.state not in VISIBLE or found.mailing_id is None:
            return problem(visit, 404)
        mailing = mailings.get(conn, found.mailing_id)
    rendering = rendering_in(mailing, visit.language)
    explained = visit.app.url(f"/only-in-your-mail?lang={rendering.language}")
    html = fill(rendering.html, mailing.nonce, neutral_values(explained), html=True)
    headers = {"Content-Security-Policy": rendering_policy(framed_by="'none'"), "Cache-Control": "no-cache"}
    return HTMLResponse(html, headers=headers)


def rendering_in(mailing: Mailing, language: str) -> Rendering:
    """The rendering of a language, else the default one, as readers get it who chose no topics."""
    found = next((one for one in mailing.renderings if one.language == language), mailing.renderings[0])
    return cut_rendering(found, mailing.nonce)


def neutral_values(explained: str) -> dict[str, str]:
    """What stands where a mail names its reader. `explained`: a page that says why these links do nothing here."""
    return {
        "subscriber_name": "…",
        "subscriber_first_name": "…",
        "subscriber_email": "…",
        "subscribed_since": "…",
        "unsubscribe_url": explained,
        "preferences_url": explained,
        "confirm_url": explained,
    }
