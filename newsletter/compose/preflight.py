"""Preflight: builds the message a sample reader would get and reads it back with newsletter.mail.check. Errors block sending."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from newsletter.app import App
from newsletter.mail.check import check_message
from newsletter.mail.compile import compile_message
from newsletter.mail.dkim import dns_record
from newsletter.mail.frames import frame_of, reader_of
from newsletter.mail.inline import embedded_in
from newsletter.model import Finding, Mailing, PersonId, Rendering
from newsletter.store import images
from subscribers import parse_address

SAMPLE = PersonId("0" * 16)


def preflight(app: App, mailing: Mailing, rendering: Rendering, *, now: datetime) -> list[Finding]:
    """What is wrong with the finished message in one language, worst first; [] when all is well."""
    mime = sample_message(app, mailing, rendering, now=now)
    domain = app.settings.sender.domain
    public = _public_record(app)
    found = check_message(mime, from_domain=domain, subject=rendering.subject, dkim_public=public, now=now)
    if app.signer is None:
        # Without a key of ours the relay signs: say so, but do not block what only the relay can show.
        found = [replace(f, level="note") if "dkim" in f.check.lower() or "DKIM" in f.message else f for f in found]
    return [replace(finding, where=f"{rendering.language}: {finding.where}") for finding in found]


def _public_record(app: App) -> str | None:
    path = app.settings.dkim.key_file
    return dns_record(path.read_bytes()) if app.signer is not None and path is not None else None


def sample_message(app: App, mailing: Mailing, rendering: Rendering, *, now: datetime) -> bytes:
    """The message as a reader of the sender's own domain would get it."""
    sender = app.settings.sender
    reader = reader_of(
        mailing,
        SAMPLE,
        keyring=app.keyring,
        base_url=app.settings.base_url,
        address=parse_address(f"reader@{sender.domain}"),
        name="Nguyễn Thị Ánh Ngọc",
        since=now.astimezone(ZoneInfo(app.settings.timezone)).date(),
        language=rendering.language,
    )
    frame = frame_of(sender, mailing, list_name=None, date=now)
    embedded = embedded_in(rendering.html, mailing.images, frame.domain)
    with app.db.read() as conn:
        shown = images.read(conn, embedded)
    compiled = compile_message(rendering, frame, nonce=mailing.nonce, signer=app.signer, images=shown)
    return compiled.splice(reader).mime()
