"""/issues/{id}: an issue in the browser, once it is approved. Its reader's links lead to an explanation, not to anybody's
subscription. /issues/{id}/all: every story of it.

The rendering itself is the document, under a policy without scripts and in an origin of its own: it is what readers know
from their mail, and fits every screen.
"""

from collections.abc import Collection
from itertools import groupby

from starlette.responses import HTMLResponse, Response

from newsletter.compose.context import item_views
from newsletter.compose.sections import rest_title
from newsletter.mail.markers import fill
from newsletter.mail.segments import cut_rendering
from newsletter.model import IssueState, Mailing, Rendering
from newsletter.store import issues, mailings, newsletters
from newsletter.web.public.pictures import from_here
from newsletter.web.shield import rendering_policy
from newsletter.web.visit import Visit, problem

VISIBLE = (IssueState.SCHEDULED, IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)


def front(visit: Visit) -> Response:
    """The way in: what is published here for everybody."""
    with visit.app.db.read() as conn:
        found = [one for one in newsletters.listed(conn, active_only=True) if one.public]
    return visit.page("public/front.html", newsletters=found)


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
    html = from_here(html, visit, mailing)
    headers = {"Content-Security-Policy": rendering_policy(framed_by="'none'"), "Cache-Control": "no-cache"}
    return HTMLResponse(html, headers=headers)


def every_item(visit: Visit) -> Response:
    """Where "and 3 more on the web" leads: all stories of the issue, those too that its mail had no room for."""
    with visit.app.db.read() as conn:
        found = issues.get(conn, visit.part("id"))
        if found.state not in VISIBLE:
            return problem(visit, 404)
        newsletter = newsletters.get(conn, found.newsletter_id)
        items = [decision.item for decision in issues.decisions(conn, found.id) if decision.item]
    views = item_views(items, newsletter.timezone, visit.language)
    ordered = sorted(views, key=lambda item: (item.section_at, item.section or "", item.position))
    rest = rest_title(newsletter, visit.language) or visit.words.gettext("More news")
    sections = [(title, list(group)) for title, group in groupby(ordered, key=lambda item: item.section)]
    whole = f"{visit.site.pages.path(f'/issues/{found.id}')}?lang={visit.language}"
    return visit.page(
        "public/all.html",
        issue=found,
        newsletter=newsletter,
        groups=[{"title": title or (rest if len(sections) > 1 else ""), "items": group} for title, group in sections],
        whole=whole,
        headers={"Cache-Control": "no-cache"},
    )


def rendering_in(mailing: Mailing, language: str, topics: Collection[str] = ()) -> Rendering:
    """The rendering of a language, else the default one, as readers of these topics get it; none: all of it."""
    found = next((one for one in mailing.renderings if one.language == language), mailing.renderings[0])
    return cut_rendering(found, mailing.nonce, topics)


def neutral_values(explained: str) -> dict[str, str]:
    """What stands where a mail names its reader. `explained`: a page that says why these links do nothing here."""
    return {
        "subscriber_name": "…",
        "subscriber_first_name": "…",
        "subscriber_email": "…",
        "subscribed_since": "…",
        "subscriber_timezone": "…",
        "unsubscribe_url": explained,
        "preferences_url": explained,
        "confirm_url": explained,
    }
