"""A mailbox where bounces arrive, asked over IMAP (RFC 3501, RFC 9051). Reads, marks as seen, deletes nothing.

A message is marked only after what it tells is stored, and stored once however often it is read; so a poll that breaks off
loses and doubles nothing.
"""

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from newsletter import tls
from newsletter.app import App
from newsletter.errors import NewsletterError
from newsletter.log import get_logger, one_line
from newsletter.mail.bounces.parts import MAX_OCTETS
from newsletter.settings.incoming import Imap
from newsletter.store import letters, polls
from newsletter.track.intake import receive_message

log = get_logger("mailbox")

_FAULTS = (imaplib.IMAP4.error, OSError, ValueError)


class MailboxUnreachable(NewsletterError):
    """The mailbox could not be asked. What waits there is read the next time."""


def poll(app: App, now: datetime, *, at_once: bool = False) -> int:
    """Read what is new, when it is time. Returns how many messages were read. Raises MailboxUnreachable."""
    settings = app.settings.bounces.imap
    if settings.host is None:
        return 0
    with app.db.begin() as conn:
        due = polls.may_poll(conn, "imap", every=timedelta(seconds=settings.every_seconds), now=now)
    if not due and not at_once:
        return 0
    read = 0
    try:
        with _opened(settings) as line:
            for uid in _unseen(line, settings.most):
                if app.stopping.is_set():
                    break
                raw = _fetched(line, uid)
                if raw is not None:
                    receive_message(app, raw, source="imap")
                line.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")
                read += 1
    except _FAULTS as error:
        unreachable = _unreachable(error, settings)
        if (
            isinstance(error, ssl.SSLError) or type(error) is imaplib.IMAP4.error
        ):  # a certificate, a login: no bad moment
            _tell_staff(app, unreachable, now)
        raise unreachable from error
    return read


def _unreachable(error: Exception, settings: Imap) -> MailboxUnreachable:
    reason, hint = tls.told(error) if isinstance(error, ssl.SSLError) else (one_line(error), "")
    return MailboxUnreachable(
        f"the mailbox for bounces could not be read: {reason}",
        where=settings.host or "",
        hint=hint.replace("ca_file", "bounces.imap.ca_file"),
    )


def _tell_staff(app: App, unreachable: MailboxUnreachable, now: datetime) -> None:
    """Once a day: a person must mend it, and until then bounces wait there."""
    variables = {
        "topic": "mailbox_unreadable",
        "name": unreachable.where,
        "lines": [f"{now:%Y-%m-%d %H:%M} UTC: {unreachable}"],
        "url": app.url("/staff/"),
    }
    with app.db.begin() as conn:
        letters.tell_staff(conn, f"mailbox:{unreachable.where}:{now:%Y-%m-%d}", variables, now=now)


@contextmanager
def _opened(settings: Imap) -> Iterator[imaplib.IMAP4]:
    assert settings.host is not None
    context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.security == "tls":
        line: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            settings.host, settings.port, ssl_context=context, timeout=settings.timeout
        )
    else:
        line = imaplib.IMAP4(settings.host, settings.port, timeout=settings.timeout)
    try:
        if settings.security == "starttls":
            if "STARTTLS" not in line.capabilities:
                raise imaplib.IMAP4.error("it does not offer STARTTLS, and no password goes in the clear")
            line.starttls(context)
        line.login(settings.username, settings.password.get_secret_value() if settings.password else "")
        answer, told = line.select(_quoted(settings.folder))
        if answer != "OK":
            raise imaplib.IMAP4.error(f"no folder {settings.folder}: {told!r}")
        yield line
    finally:
        try:
            line.logout()
        except _FAULTS:
            with suppress(*_FAULTS):
                line.shutdown()  # a line that broke is not closed by logging out


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", r"\\").replace('"', r"\"") + '"'


def _unseen(line: imaplib.IMAP4, most: int) -> list[str]:
    answer, told = line.uid("SEARCH", "UNSEEN", "UNDELETED")
    if answer != "OK":
        raise imaplib.IMAP4.error(f"the folder cannot be searched: {told!r}")
    return [uid for uid in (told[0] or b"").decode("ascii", "replace").split() if re.fullmatch(r"\d{1,10}", uid)][:most]


def _fetched(line: imaplib.IMAP4, uid: str) -> bytes | None:
    """The first megabyte of a message, not marking it; None when it vanished meanwhile."""
    answer, told = line.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MAX_OCTETS}>)")
    if answer != "OK":
        raise imaplib.IMAP4.error(f"a message cannot be read: {told!r}")
    return next((part[1] for part in told if isinstance(part, tuple) and len(part) == 2), None)
