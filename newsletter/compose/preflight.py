"""Preflight: builds the message a sample reader would get and reads it back with newsletter.mail.check. Errors block sending.

What the message itself shows is judged there, without network. What needs others (links, pictures, SpamAssassin) is asked
here, once for the issue.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from newsletter.app import App
from newsletter.compose.online import findings_online
from newsletter.compose.personas import SAMPLE, Persona, Reader, invented
from newsletter.compose.safe import clean, http_url
from newsletter.compose.spam import spam_faults
from newsletter.mail.check import check_message, worst_first
from newsletter.mail.compile import compile_message
from newsletter.mail.findings import finding_of
from newsletter.mail.frames import attribute_values, frame_of, reader_of
from newsletter.mail.inline import embedded_in
from newsletter.mail.inspected import Said
from newsletter.model import Finding, Item, Mailing, Rendering
from newsletter.settings.sender import domain_of
from newsletter.store import images
from subscribers import parse_address


def preflight_issue(app: App, mailing: Mailing, items: Sequence[Item] = (), *, now: datetime) -> list[Finding]:
    """What is wrong with an issue in all its languages and with what it links to, worst first."""
    found = [finding for one in mailing.renderings for finding in preflight(app, mailing, one, items=items, now=now)]
    if app.settings.preflight.spamassassin and mailing.renderings:
        mime = sample_message(app, mailing, mailing.renderings[0], now=now)
        found += [finding_of("X12 spam score", fault) for fault in spam_faults(mime)]
    return worst_first([*found, *findings_online(app, mailing, items, now=now)])


def preflight(
    app: App, mailing: Mailing, rendering: Rendering, *, now: datetime, items: Sequence[Item] = ()
) -> list[Finding]:
    """What is wrong with the finished message in one language, worst first; [] when all is well."""
    mime = sample_message(app, mailing, rendering, now=now)
    sender = app.settings.sender
    address = sender.address_of(mailing.list_slug)
    signed = app.signers.of(address) is not None
    found = check_message(
        mime,
        from_domain=domain_of(address),
        subject=rendering.subject,
        dkim_public=app.signers.record if signed else None,
        now=now,
        language=rendering.language,
        postal=clean(sender.postal_address),
        items=[_said(item) for item in items if not item.only_web],  # a limit of staff put the others there
    )
    if not signed:
        # Without a key of ours the relay signs: say so, but do not block what only the relay can show.
        found = [replace(f, level="note") if "dkim" in f.check.lower() or "DKIM" in f.message else f for f in found]
    return [replace(finding, where=f"{rendering.language}: {finding.where}") for finding in found]


def _said(item: Item) -> Said:
    url = http_url(item.url) or item.url
    return Said(title=clean(item.title), url=url, words=clean(item.summary), language=item.language)


def sample_message(
    app: App, mailing: Mailing, rendering: Rendering, *, now: datetime, to: Reader | None = None
) -> bytes:
    """The message as an invented reader would get it, or as `to` would, with nobody's links in it."""
    sender = app.settings.sender
    to = to or invented(Persona.USUAL, rendering.language)
    reader = reader_of(
        mailing,
        SAMPLE,
        keyring=app.keyring,
        base_url=app.settings.base_url,
        address=parse_address(f"reader@{sender.domain}"),
        name=to.name,
        since=to.since or now.astimezone(ZoneInfo(app.settings.timezone)).date(),
        language=rendering.language,
        topics=to.topics,
        time_zone=to.time_zone,
        attribs=attribute_values(to.declared, to.attributes, language=rendering.language),
    )
    if to.shown:
        reader = reader._replace(values={**reader.values, "subscriber_email": to.shown})
    frame = frame_of(sender, mailing, list_name=None, date=now)
    embedded = embedded_in(rendering.html, mailing.images, frame.pictures or frame.domain)
    with app.db.read() as conn:
        shown = images.read(conn, embedded)
    compiled = compile_message(
        rendering, frame, nonce=mailing.nonce, signer=app.signers.of(frame.from_address), images=shown
    )
    return compiled.splice(reader).mime()
