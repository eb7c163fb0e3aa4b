"""/your-data: ask for the letter whose link opens what is held about somebody; and, behind that link, take away or erase it.

The address is typed here by a stranger, so all that guards a sign-up guards this, and the answer is always the same.
"""

import json

from starlette.responses import Response

from newsletter.readers import privacy
from newsletter.readers.privacy import Access
from newsletter.readers.signup import Answer
from newsletter.web.public import proof, theme
from newsletter.web.public.proof import Sent, Told
from newsletter.web.public.tokens import gone, masked_address
from newsletter.web.visit import Visit

FORM = "your-data"


def ask(visit: Visit) -> Response:
    return _form(visit, Told())


def send(visit: Visit) -> Response:
    if proof.is_trap(visit):
        return _sent(visit)
    read = proof.read(visit, FORM)
    told = read if isinstance(read, Told) else _send(visit, read)
    return _sent(visit) if told is None else _form(visit, told)


def _send(visit: Visit, sent: Sent) -> Told | None:
    if sent.again:
        return None
    with proof.given_back_on_failure(visit):
        answer = privacy.ask_for_address(
            visit.app, sent.address, client=visit.client, proven=sent.proven, language=visit.language
        )
    if answer is Answer.LATER:
        return proof.later(visit)
    visit.site.wake()
    return None


def open_letter(visit: Visit, access: Access, *, unsure: bool = False) -> Response:
    """The page behind the letter's button; it changes nothing. `unsure`: erase was pressed without its tick."""
    return visit.speaking(access.language).page(
        "public/your_data.html",
        status=200 if access.in_time else 410,
        access=access,
        unsure=unsure,
        address=masked_address(visit, access.person_id),
        export=visit.site.pages.path(f"/c/{visit.part('token')}/export"),
        erase=visit.site.pages.path(f"/c/{visit.part('token')}/erase"),
        theme=theme.worn(visit, access.list_slug),
    )


def export(visit: Visit) -> Response:
    """A file to keep. By POST: a link scanner must not be handed somebody's data."""
    held = privacy.export(visit.app, visit.part("token"))
    if held is None:
        return gone(visit)
    headers = {"Content-Disposition": 'attachment; filename="your-data.json"'}
    return Response(json.dumps(held, ensure_ascii=False, indent=2), media_type="application/json", headers=headers)


def erase(visit: Visit) -> Response:
    access = privacy.look(visit.app, visit.part("token"))
    if access is None:
        return gone(visit)
    if not visit.form.get("sure"):
        return open_letter(visit, access, unsure=True)
    if not privacy.erase(visit.app, visit.part("token")):
        return open_letter(visit, access)
    return visit.speaking(access.language).page("public/erased.html", theme=theme.worn(visit, access.list_slug))


def _form(visit: Visit, told: Told) -> Response:
    return visit.page("public/ask_data.html", status=told.status, theme="", **proof.fields(visit, FORM, told))


def _sent(visit: Visit) -> Response:
    return visit.page("public/data_sent.html")
