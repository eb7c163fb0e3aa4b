"""/images/{name}: the pictures of our mail, and where a rendering shown in a browser finds them.

A name is the hash of its content, so an answer may be kept for ever, and nobody finds a picture whose mail they do not have.
"""

import re

from starlette.responses import Response

from newsletter.mail.inline import Written, placed_at
from newsletter.model import Mailing
from newsletter.store import images
from newsletter.web.assets import FOR_EVER
from newsletter.web.visit import Visit, problem

_NAME = re.compile(r"[0-9a-f]{32}\.(?:jpg|png)")


def picture(visit: Visit) -> Response:
    name = visit.part("name")
    if not _NAME.fullmatch(name):
        return problem(visit, 404)
    headers = {
        "Cache-Control": FOR_EVER,
        "ETag": f'"{name}"',
        "Content-Security-Policy": "default-src 'none'",
        "Cross-Origin-Resource-Policy": "cross-origin",  # webmail shows it, and our own renderings have no origin
    }
    if f'"{name}"' in visit.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    with visit.app.db.read() as conn:
        found = images.get(conn, name)
    if found is None:
        return problem(visit, 404)
    return Response(found.content, media_type=found.media_type, headers=headers)


def from_here(html: str, visit: Visit, mailing: Mailing) -> str:
    """The rendering with its pictures under the address it is looked at just now, embedded ones too."""
    settings = visit.app.settings
    written = Written(hosted=f"{settings.base_url}/images/", domain=settings.sender.domain)
    return placed_at(html, mailing.images, written, visit.site.pages.path("/images/"))
