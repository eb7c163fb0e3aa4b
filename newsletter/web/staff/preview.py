"""The rendering with a sample reader's values, for the isolated frame of the review page.

The frame's document is the mail itself. Two things are laid over it, here only: links open a tab of their own, and the
dark palette can be forced, because a page cannot tell a frame which colour scheme to prefer.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from starlette.responses import HTMLResponse, Response

from newsletter.app import App
from newsletter.locale import format_date
from newsletter.mail.markers import fill
from newsletter.model import Mailing
from newsletter.store import issues, mailings
from newsletter.web.language import asked_for
from newsletter.web.public.issues import rendering_in
from newsletter.web.public.pictures import from_here
from newsletter.web.shield import rendering_policy
from newsletter.web.visit import Visit, problem

_DARK_QUERY = re.compile(r"@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What of the preview is looked at; all of it stands in the URL."""

    language: str  # of the rendering
    languages: tuple[str, ...]
    shape: str  # "600", "360" or "text"
    scheme: str  # "light" or "dark"
    pictures: bool

    def query(self, **changes: str) -> str:
        """The query of the same view with something changed."""
        values = {
            "in": self.language,
            "width": self.shape,
            "scheme": self.scheme,
            "pictures": "on" if self.pictures else "off",
        }
        return "&".join(f"{name}={value}" for name, value in (values | changes).items())


def view_of(visit: Visit, mailing: Mailing | None) -> View:
    languages = tuple(rendering.language for rendering in mailing.renderings) if mailing else ()
    wanted = visit.asked("in") or visit.asked("lang")
    shape: Literal["600", "360", "text"] = "600"
    if visit.asked("width") == "360":
        shape = "360"
    elif visit.asked("width") == "text":
        shape = "text"
    return View(
        language=wanted if wanted in languages else languages[0] if languages else visit.language,
        languages=languages,
        shape=shape,
        scheme="dark" if visit.asked("scheme") == "dark" else "light",
        pictures=visit.asked("pictures") != "off",
    )


def frame(visit: Visit) -> Response:
    with visit.app.db.read() as conn:
        issue = issues.get(conn, visit.part("id"))
        if issue.mailing_id is None:
            return problem(visit, 404)
        mailing = mailings.get(conn, issue.mailing_id)
    view = view_of(visit, mailing)
    rendering = rendering_in(mailing, view.language)
    values = sample_values(visit.app, rendering.language, now=visit.now)
    html = from_here(fill(rendering.html, mailing.nonce, values, html=True), visit, mailing)
    html = dressed(html, scheme=view.scheme)
    policy = rendering_policy(framed_by="'self'", pictures=view.pictures)
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})


def dressed(html: str, *, scheme: str) -> str:
    """The document with links that open a tab, in the light or the dark palette of its design (pure)."""
    html = _DARK_QUERY.sub("@media all" if scheme == "dark" else "@media not all", html)
    return re.sub(r"<head([^>]*)>", r'<head\1><base target="_blank">', html, count=1)


def sample_values(app: App, language: str, *, now: datetime) -> dict[str, str]:
    """An invented reader. Their links lead to the page that explains why they do nothing."""
    explained = app.url(f"/only-in-your-mail?lang={asked_for(language) or 'en'}")
    vietnamese = asked_for(language) == "vi"
    return {
        "subscriber_name": "Nguyễn Thị Ánh Ngọc" if vietnamese else "Ada Example",
        "subscriber_first_name": "Ngọc" if vietnamese else "Ada",
        "subscriber_email": "ngoc@example.org" if vietnamese else "ada@example.org",
        "subscribed_since": format_date(now, language, "date"),
        "unsubscribe_url": explained,
        "preferences_url": explained,
        "confirm_url": explained,
    }
