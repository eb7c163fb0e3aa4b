"""The rendering with a reader's values, for the isolated frame of the review page, or as a mail program would show it.

The frame's document is the mail itself. Laid over it, here only: links open a tab of their own, the dark palette can be
forced (a page cannot tell a frame which colour scheme to prefer), and what a finding speaks of is outlined. Links always
lead to a page that explains why they do nothing: no token of anybody is made here.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, Response

import subscribers
from newsletter.app import App
from newsletter.compose.personas import Persona, Reader, invented, reader_like
from newsletter.locale import format_date
from newsletter.mail.clients import CLIENTS, ClientName, Simulated, simulate
from newsletter.mail.clients.changed import in_dark
from newsletter.mail.findings import N_
from newsletter.mail.frames import attribute_values, first_name
from newsletter.mail.markers import fill
from newsletter.model import Finding, Mailing, PersonId, Rendering
from newsletter.store import issues, mailings
from newsletter.web.language import asked_for
from newsletter.web.public.issues import rendering_in
from newsletter.web.public.pictures import from_here
from newsletter.web.shield import rendering_policy
from newsletter.web.staff.marking import marked, needles_of
from newsletter.web.visit import Visit, problem

_LIGHT_QUERY = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)")
_CLIENTS = {str(name): client for name, client in CLIENTS.items() if name is not ClientName.TEXT}
READERS = (
    (Persona.USUAL, N_("a usual reader")),
    (Persona.NAMELESS, N_("a reader without a name")),
    (Persona.LONG_NAME, N_("a reader with a long name")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What of the preview is looked at; all of it stands in the URL."""

    language: str  # of the rendering
    languages: tuple[str, ...]
    shape: str  # "600", "360" or "text"
    scheme: str  # "light" or "dark"
    pictures: bool
    client: str = ""  # a ClientName; "": the mail as it is
    reader: str = Persona.USUAL.value  # a Persona, or a person's id
    finding: str = ""  # the number of the finding that is outlined

    def query(self, **changes: str) -> str:
        """The query of the same view with something changed."""
        values = {
            "in": self.language,
            "width": self.shape,
            "scheme": self.scheme,
            "pictures": "on" if self.pictures else "off",
            "client": self.client,
            "as": "" if self.reader == Persona.USUAL else self.reader,
            "finding": self.finding,
        }
        return urlencode({name: value for name, value in (values | changes).items() if value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the page shows beside the frame. `text`: what is read instead of a frame; "" where there is one."""

    text: str
    simulated: Simulated | None
    reader: Reader | None
    clients: tuple[tuple[str, str], ...] = tuple((name, client.title) for name, client in _CLIENTS.items())
    readers: tuple[tuple[str, str], ...] = tuple((name.value, label) for name, label in READERS)


def view_of(visit: Visit, mailing: Mailing | None) -> View:
    languages = tuple(rendering.language for rendering in mailing.renderings) if mailing else ()
    wanted = visit.asked("in") or visit.asked("lang")
    return View(
        language=wanted if wanted in languages else languages[0] if languages else visit.language,
        languages=languages,
        shape=visit.asked("width") if visit.asked("width") in ("360", "text") else "600",
        scheme="dark" if visit.asked("scheme") == "dark" else "light",
        pictures=visit.asked("pictures") != "off",
        client=visit.asked("client") if visit.asked("client") in _CLIENTS else "",
        reader=visit.asked("as") or Persona.USUAL.value,
        finding=visit.asked("finding") if visit.asked("finding").isdigit() else "",
    )


def look(visit: Visit, mailing: Mailing | None, view: View) -> Look:
    """What stands beside or instead of the frame. An unknown reader is the usual one."""
    if mailing is None:
        return Look(text="", simulated=None, reader=None)
    reader, person = _reader(visit, mailing, view)
    html, text = _filled(visit, mailing, rendering_in(mailing, view.language, reader.topics), reader)
    simulated = _simulated(visit, view, html, text)
    shown = simulated.text if simulated is not None else text if view.shape == "text" else None
    return Look(text=shown or "", simulated=simulated, reader=person)


def frame(visit: Visit) -> Response:
    with visit.app.db.read() as conn:
        issue = issues.get(conn, visit.part("id"))
        if issue.mailing_id is None:
            return problem(visit, 404)
        mailing = mailings.get(conn, issue.mailing_id)
    view = view_of(visit, mailing)
    reader, _ = _reader(visit, mailing, view)
    html, text = _filled(visit, mailing, rendering_in(mailing, view.language, reader.topics), reader)
    simulated = _simulated(visit, view, html, text)
    html = dressed(html, scheme=view.scheme) if simulated is None else _tabbed(simulated.html or "")
    html = _outlined(from_here(html, visit, mailing), issue.preflight, view)
    policy = rendering_policy(framed_by="'self'", pictures=view.pictures)
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})


def _outlined(html: str, findings: tuple[Finding, ...], view: View) -> str:
    number = int(view.finding) if view.finding else -1
    return marked(html, needles_of(findings[number])) if 0 <= number < len(findings) else html


def _reader(visit: Visit, mailing: Mailing, view: View) -> tuple[Reader, Reader | None]:
    """Whom the mail names, and the same again when it is a person."""
    if view.reader in set(Persona):
        return invented(Persona(view.reader), view.language), None
    try:
        with visit.app.db.read() as conn:
            person = reader_like(visit.app, conn, mailing, PersonId(view.reader))
    except subscribers.UnknownPerson:
        return invented(Persona.USUAL, view.language), None
    return person, person


def _filled(visit: Visit, mailing: Mailing, rendering: Rendering, reader: Reader) -> tuple[str, str]:
    values = sample_values(visit.app, rendering.language, now=visit.now, reader=reader)
    return (
        fill(rendering.html, mailing.nonce, values, html=True),
        fill(rendering.text, mailing.nonce, values, html=False),
    )


def _simulated(visit: Visit, view: View, html: str, text: str) -> Simulated | None:
    if not view.client:
        return None
    width = 360 if view.shape == "360" else 600
    return simulate(ClientName(view.client), html, text, width=width, words=visit.words)


def dressed(html: str, *, scheme: str) -> str:
    """The document with links that open a tab, in the light or the dark palette of its design (pure)."""
    return _tabbed(in_dark(html) if scheme == "dark" else _LIGHT_QUERY.sub("@media not all", html))


def _tabbed(html: str) -> str:
    return re.sub(r"<head([^>]*)>", r'<head\1><base target="_blank">', html, count=1)


def sample_values(app: App, language: str, *, now: datetime, reader: Reader | None = None) -> dict[str, str]:
    """What stands where a mail names its reader. The links lead to the page that explains why they do nothing."""
    explained = app.url(f"/only-in-your-mail?lang={asked_for(language) or 'en'}")
    reader = reader or invented(Persona.USUAL, language)
    called = first_name(reader.name, language)
    return {
        "subscriber_name": reader.name,
        "subscriber_first_name": called,
        "subscriber_email": reader.shown or f"{'ngoc' if asked_for(language) == 'vi' else 'ada'}@example.org",
        "subscribed_since": format_date(reader.since or now, language, "date"),
        "subscriber_timezone": reader.time_zone or "",
        **attribute_values(reader.declared, reader.attributes, language=language),
        "unsubscribe_url": explained,
        "preferences_url": explained,
        "confirm_url": explained,
    }
