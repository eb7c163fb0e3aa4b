"""/p/{token}: language, topics, a pause, another address, one's data, and the way out. Each act can be undone here."""

from datetime import date

from starlette.responses import Response

import subscribers
from newsletter.readers import choices, moving, privacy
from newsletter.readers.choices import Preferences
from newsletter.readers.signup import Answer
from newsletter.web.language import asked_for
from newsletter.web.public import theme
from newsletter.web.public.proof import LONGEST_ADDRESS
from newsletter.web.public.tokens import gone, masked_address
from newsletter.web.visit import Visit

TOPIC = "topic:"  # a ticked box is named by its topic, so that a changed offer cannot shift the choice


def ask(visit: Visit) -> Response:
    found = choices.look(visit.app, visit.part("token"))
    return gone(visit) if found is None else _page(visit, found)


def save(visit: Visit) -> Response:
    """Language and topics. What they were goes back into the page, behind a button that undoes this."""
    language = asked_for(visit.form.get("language"))
    before = choices.look(visit.app, visit.part("token"))
    if before is None or language is None:
        return ask(visit)
    topics = [name.removeprefix(TOPIC) for name in visit.form if name.startswith(TOPIC)]
    try:
        found = choices.choose(visit.app, visit.part("token"), language=language, topics=topics)
    except subscribers.UnknownPerson:  # erased between our look and our write
        return gone(visit)
    if found is None:
        return gone(visit)
    changed = (before.leaving.language, before.chosen) != (found.leaving.language, found.chosen)
    return _page(visit, found, told="saved", undo=before if changed and not visit.form.get("undo") else None)


def pause(visit: Visit) -> Response:
    try:
        day = date.fromisoformat(visit.form.get("until", ""))
        found = choices.pause(visit.app, visit.part("token"), day)
    except (ValueError, subscribers.InvalidValue):
        found = choices.look(visit.app, visit.part("token"))
        return gone(visit) if found is None else _page(visit, found, fault="until", status=422)
    return gone(visit) if found is None else _page(visit, found, told="paused" if found.paused else "")


def resume(visit: Visit) -> Response:
    found = choices.resume(visit.app, visit.part("token"))
    return gone(visit) if found is None else _page(visit, found, told="resumed")


def change_address(visit: Visit) -> Response:
    found = choices.look(visit.app, visit.part("token"))
    if found is None:
        return gone(visit)
    typed = visit.form.get("email", "").strip()[:LONGEST_ADDRESS]
    try:
        address = subscribers.parse_address(typed)
    except subscribers.InvalidAddress:
        return _page(visit, found, fault="email", status=422)
    meant = subscribers.suggestion(address)
    if meant is not None and visit.form.get("keep") != typed:
        return _page(visit, found, fault="meant", typed=typed, meant=subscribers.reveal(meant))
    answer = moving.ask(visit.app, visit.part("token"), address, client=visit.client)
    if answer is Answer.REFUSED:
        return _page(visit, found, fault="email", status=422)
    if answer is Answer.LATER:
        return _page(visit, found, told="later", status=429)
    visit.site.wake()
    return _page(visit, found, told="move")


def send_data(visit: Visit) -> Response:
    found = choices.look(visit.app, visit.part("token"))
    if found is None or privacy.ask_by_link(visit.app, visit.part("token")) is None:
        return gone(visit)
    visit.site.wake()
    return _page(visit, found, told="data")


def _page(
    visit: Visit,
    found: Preferences,
    *,
    told: str = "",
    fault: str = "",
    typed: str = "",
    meant: str = "",
    undo: Preferences | None = None,
    status: int = 200,
) -> Response:
    leaving = found.leaving
    own = visit.site.pages.path(f"/p/{visit.part('token')}")
    return visit.speaking(leaving.language).page(
        "public/preferences.html",
        status=status,
        found=found,
        leaving=leaving,
        chosen=asked_for(leaving.language),
        told=told,
        fault=fault,
        typed=typed,
        meant=meant,
        undo=undo,
        topic=TOPIC,
        own=own,
        address=masked_address(visit, leaving.person_id),
        unsubscribe=visit.site.pages.path(f"/u/{visit.part('token')}"),
        theme=theme.worn(visit, leaving.mailing.list_slug),
    )
