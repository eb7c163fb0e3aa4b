"""A rendering as a file: its pictures are laid beside it, so that it looks right without a mail program and a server."""

from pathlib import Path

from newsletter.app import App
from newsletter.mail.inline import Written, placed_at
from newsletter.model import Mailing
from newsletter.store import images

FOLDER = "images"


def laid_beside(app: App, mailing: Mailing, html: bytes, folder: Path) -> bytes:
    """The HTML with its own pictures as `images/NAME`; they are written there."""
    if not mailing.images:
        return html
    settings = app.settings
    with app.db.read() as conn:
        shown = images.read(conn, mailing.images)
    (folder / FOLDER).mkdir(exist_ok=True)
    for image in shown:
        (folder / FOLDER / image.name).write_bytes(image.content)
    written = Written(hosted=f"{settings.base_url}/images/", domain=settings.sender.domain)
    return placed_at(html.decode(), mailing.images, written, f"{FOLDER}/").encode()
