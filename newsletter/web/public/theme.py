"""/theme/{slug}.css: the colours of a newsletter's design for its public pages. A style sheet, because the policy of our
pages allows no style in them. Knows colours only; the rest of the look is style.css.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from newsletter.compose.colour import HEX, contrast, readable
from newsletter.compose.design import find_design
from newsletter.errors import NewsletterError
from newsletter.model import Newsletter
from newsletter.store import Connection, newsletters
from newsletter.web.visit import Visit, problem

# The grounds of style.css that an accent must be told apart from, light and dark.
_LIGHT, _DARK = "#F4F4F2", "#242424"
_ON_BAND = "#FFFFFF"
_TEXT_RATIO = 4.5  # WCAG 2.2, 1.4.3
_DARK_RATIO = 7.0


def theme(visit: Visit) -> Response:
    with visit.app.db.read() as conn:
        newsletter = newsletters.by_slug(conn, visit.part("slug"))
    if newsletter is None:
        return problem(visit, 404)
    try:
        options = find_design(newsletter.design, visit.app.design_folders).resolve(newsletter.options)
    except NewsletterError:  # a broken design is told to staff elsewhere; readers get the plain colours
        options = {}
    return Response(sheet(options), media_type="text/css", headers={"Cache-Control": "public, max-age=300"})


def sheet(options: Mapping[str, Any]) -> str:
    """The variables of style.css in a design's accent and masthead, each readable where it stands (pure)."""
    accent, masthead = (_colour(options.get(name)) for name in ("accent", "masthead"))
    if accent is None:
        return ""
    light = readable(accent, _LIGHT, _TEXT_RATIO)
    dark = readable(_colour(options.get("accent_dark")) or accent, _DARK, _DARK_RATIO)
    band = readable(masthead or accent, _ON_BAND, _DARK_RATIO)
    on_dark = max("#0F1317", "#FFFFFF", key=lambda text: contrast(text, dark))
    return (
        f":root {{ --accent: {light}; --on-accent: #FFFFFF; --focus: {light}; --band: {band}; --on-band: {_ON_BAND}; }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ --accent: {dark}; --on-accent: {on_dark}; --focus: {dark}; }} }}\n"
    )


def of_list(conn: Connection, list_slug: str | None) -> Newsletter | None:
    """The newsletter whose colours a list's pages wear: the first active one by slug."""
    return next((one for one in newsletters.listed(conn, active_only=True) if one.list_slug == list_slug), None)


def worn(visit: Visit, list_slug: str | None) -> str:
    """The path of the style sheet for pages about a list; "" without a newsletter."""
    with visit.app.db.read() as conn:
        newsletter = of_list(conn, list_slug)
    return visit.site.pages.path(f"/theme/{newsletter.slug}.css") if newsletter else ""


def _colour(value: Any) -> str | None:
    return value if isinstance(value, str) and HEX.fullmatch(value) else None
