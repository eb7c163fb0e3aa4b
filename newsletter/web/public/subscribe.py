"""/subscribe/{list}: ask to join a list. The answer is the same whether or not the address is known.

A form on another site posts here without a ticket and gets this page with the address filled in: what people agree to, and
what is kept of it, is always the wording of our own page.
"""

from starlette.responses import Response

import subscribers
from newsletter.readers import signup
from newsletter.store import newsletters
from newsletter.web.public import proof, theme
from newsletter.web.public.proof import Sent, Told
from newsletter.web.visit import Visit, problem
from subscribers import ConsentGiven, ConsentSource

FORM_VERSION = "subscribe/1"  # raise it when the wording below changes its meaning


def ask(visit: Visit) -> Response:
    the_list = _open_list(visit)
    return problem(visit, 404) if the_list is None else _form(visit, the_list, Told())


def snippet(visit: Visit) -> Response:
    """A form to paste into another site: no script, no style, nothing fetched from here."""
    the_list = _open_list(visit)
    if the_list is None:
        return problem(visit, 404)
    return visit.page(
        "public/snippet.html",
        the_list=the_list,
        action=visit.app.url(f"/subscribe/{the_list.slug}?lang={visit.language}"),
        theme=theme.worn(visit, the_list.slug),
        form_path=visit.site.pages.path(f"/subscribe/{the_list.slug}"),
    )


def join(visit: Visit) -> Response:
    the_list = _open_list(visit)
    if the_list is None:
        return problem(visit, 404)
    if proof.is_trap(visit):
        return _sent(visit, the_list)
    read = proof.read(visit, _name(the_list))
    told = read if isinstance(read, Told) else _sign_up(visit, the_list, read)
    return _sent(visit, the_list) if told is None else _form(visit, the_list, told)


def _sign_up(visit: Visit, the_list: subscribers.List, sent: Sent) -> Told | None:
    """None when it is done; else what stands against it."""
    if sent.again:
        return None
    with proof.given_back_on_failure(visit):
        answer = signup.sign_up(
            visit.app,
            the_list.slug,
            sent.address,
            consent=_consent(visit, the_list),
            client=visit.client,
            proven=sent.proven,
            language=visit.language,
        )
    if answer is signup.Answer.LATER:
        return proof.later(visit)
    if answer is signup.Answer.REFUSED:
        return proof.refused(visit)
    visit.site.wake()
    return None


def wording(visit: Visit, list_name: str) -> str:
    """What the form asks people to agree to; kept with each consent."""
    organisation = visit.app.settings.sender.organisation or visit.app.settings.sender.name
    return visit.words.gettext(
        "I want to get {newsletter} from {organisation} by mail. I can stop it at any time with the link in every issue.",
        newsletter=list_name,
        organisation=organisation,
    )


def _open_list(visit: Visit) -> subscribers.List | None:
    """A list that an active public newsletter is sent to; all others are nobody's business."""
    slug = visit.part("list")
    with visit.app.db.read() as conn:
        public = any(one.public for one in newsletters.listed(conn, active_only=True) if one.list_slug == slug)
        return subscribers.get_list(conn, slug) if public else None


def _consent(visit: Visit, the_list: subscribers.List) -> ConsentGiven:
    return ConsentGiven(
        form=FORM_VERSION,
        wording=wording(visit, the_list.name),
        language=visit.language,
        source=ConsentSource.FORM,
        ip=visit.client if visit.app.settings.web.keep_ip else None,
    )


def _name(the_list: subscribers.List) -> str:
    return f"subscribe/{the_list.slug}"


def _form(visit: Visit, the_list: subscribers.List, told: Told) -> Response:
    return visit.page(
        "public/subscribe.html",
        status=told.status,
        the_list=the_list,
        wording=wording(visit, the_list.name),
        theme=theme.worn(visit, the_list.slug),
        **proof.fields(visit, _name(the_list), told),
    )


def _sent(visit: Visit, the_list: subscribers.List) -> Response:
    return visit.page("public/sent.html", the_list=the_list, theme=theme.worn(visit, the_list.slug))
