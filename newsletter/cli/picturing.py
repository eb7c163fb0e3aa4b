"""A rendering as a file: its pictures are laid beside it or put into it, so that it looks right without a mail program and a
server."""

import base64
from pathlib import Path

from newsletter.app import App
from newsletter.mail.inline import Written, placed_at
from newsletter.model import Mailing
from newsletter.store import images

FOLDER = "images"
MARK = "data:own,"  # stands before a picture's name until its content is put there


def laid_beside(app: App, mailing: Mailing, html: bytes, folder: Path) -> bytes:
    """The HTML with its own pictures as `images/NAME`; they are written there."""
    if not mailing.images:
        return html
    with app.db.read() as conn:
        shown = images.read(conn, mailing.images)
    (folder / FOLDER).mkdir(exist_ok=True)
    for image in shown:
        (folder / FOLDER / image.name).write_bytes(image.content)
    return placed_at(html.decode(), mailing.images, _written(app), f"{FOLDER}/").encode()


def put_inside(app: App, mailing: Mailing, html: str) -> str:
    """The HTML with its own pictures as data URLs, for a browser that may fetch nothing."""
    if not mailing.images:
        return html
    with app.db.read() as conn:
        shown = images.read(conn, mailing.images)
    html = placed_at(html, mailing.images, _written(app), MARK)
    for image in shown:
        inside = f"data:{image.media_type};base64,{base64.b64encode(image.content).decode()}"
        html = html.replace(MARK + image.name, inside)
    return html


def _written(app: App) -> Written:
    return Written(hosted=f"{app.settings.base_url}/images/", domain=app.settings.sender.domain)
