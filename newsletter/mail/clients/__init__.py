"""Simulated mail programs: what each makes of a finished message, and what is lost there. Pure.

A simulation is a transformation after published tests (caniemail, see support.py), not the program itself: it shows what
is taken out or recoloured, never how exactly the rest is drawn. Every one says so, and from which data it comes.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from newsletter.locale import Labels, labels
from newsletter.mail.cascade import Screen, sheets, tree_of
from newsletter.mail.check_look import runs
from newsletter.mail.clients import changed, dark, word
from newsletter.mail.clients.features import used_in
from newsletter.mail.clients.listen import spoken
from newsletter.mail.clients.strip import stripped
from newsletter.mail.clients.support import NO, PARTLY, Basis, basis, support_of
from newsletter.mail.findings import N_, finding_of
from newsletter.mail.inspected import NOTE, WARNING, Fault, cut, fault
from newsletter.model import Finding

__all__ = ["CLIENTS", "Client", "ClientName", "Simulated", "basis", "simulate"]

NARROW = 320
_LISTED = 12  # features told one by one; the others are counted
_UNSEEN = ("html-target", "html-doctype", "html-lang", "html-role", "css-comments", "html-comments")


class ClientName(StrEnum):
    GMAIL = "gmail"
    GMAIL_OTHER = "gmail-other-account"
    GMAIL_ANDROID_DARK = "gmail-android-dark"
    GMAIL_IPHONE_DARK = "gmail-iphone-dark"
    OUTLOOK = "outlook-windows"
    OUTLOOK_DARK = "outlook-windows-dark"
    APPLE_DARK = "apple-mail-dark"
    IMAGES_OFF = "images-off"
    TEXT = "text-only"
    NARROW = "narrow"
    SCREEN_READER = "screen-reader"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """`title`: a label. `tested`: its name in the data; "" where no data is needed. `width`: CSS pixels, 0 as asked."""

    name: ClientName
    title: str
    tested: str = ""
    width: int = 0


CLIENTS = {
    client.name: client
    for client in (
        Client(name=ClientName.GMAIL, title=N_("Gmail on the web"), tested="gmail/desktop-webmail"),
        Client(name=ClientName.GMAIL_OTHER, title=N_("Gmail app, another account"), tested="gmail/android"),
        Client(name=ClientName.GMAIL_ANDROID_DARK, title=N_("Gmail on Android, dark"), tested="gmail/android"),
        Client(name=ClientName.GMAIL_IPHONE_DARK, title=N_("Gmail on iPhone, dark"), tested="gmail/ios"),
        Client(name=ClientName.OUTLOOK, title=N_("Outlook on Windows"), tested="outlook/windows"),
        Client(name=ClientName.OUTLOOK_DARK, title=N_("Outlook on Windows, dark"), tested="outlook/windows"),
        Client(name=ClientName.APPLE_DARK, title=N_("Apple Mail, dark"), tested="apple-mail/ios"),
        Client(name=ClientName.IMAGES_OFF, title=N_("Pictures blocked")),
        Client(name=ClientName.NARROW, title=N_("Narrow phone, 320 px"), width=NARROW),
        Client(name=ClientName.TEXT, title=N_("Plain text")),
        Client(name=ClientName.SCREEN_READER, title=N_("Screen reader")),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What a program shows: `html`, or `text` where it shows only words. `losses`: the worst first; `data` None: needs none."""

    client: Client
    html: str | None
    text: str | None
    width: int
    losses: tuple[Finding, ...]
    data: Basis | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mail:
    html: str
    text: str
    screen: Screen
    words: Labels


_Made = tuple[str, list[Fault]]


def simulate(name: ClientName, html: str, text: str, *, width: int = 600, words: Labels | None = None) -> Simulated:
    """The message as one program would show it. `words`: the language in which a screen reader's remarks are made."""
    client = CLIENTS[name]
    width = client.width or width
    mail = _Mail(html=html, text=text, screen=Screen(width=width), words=words or labels("en"))
    made, losses = _MAKERS[name](mail)
    losses = [*losses, *(_by_tests(client, mail) if client.tested else [])]
    wordy = name in (ClientName.TEXT, ClientName.SCREEN_READER)
    found = [finding_of(name, loss) for loss in dict.fromkeys(losses)]
    return Simulated(
        client=client,
        html=None if wordy else made,
        text=made if wordy else None,
        width=width,
        losses=tuple(sorted(found, key=lambda loss: loss.level != WARNING)),
        data=basis() if client.tested else None,
    )


def _by_tests(client: Client, mail: _Mail) -> list[Fault]:
    """The features the message uses that the program's tests call missing or partial."""
    html = word.opened(mail.html) if client.tested.startswith("outlook") else mail.html
    page = tree_of(html)
    if page is None:
        return []
    support = support_of(client.tested)
    used: Counter[str] = used_in(html, page)
    asked = [(slug, count, support.of(slug)) for slug, count in used.most_common() if slug not in _UNSEEN]
    missing = [(answer, count) for _, count, answer in asked if answer is not None and answer.level == NO]
    partial = [(answer, count) for _, count, answer in asked if answer is not None and answer.level == PARTLY]
    told = [
        fault(NOTE, "html", "{feature} is not shown ({n} places)", feature=a.title, n=n) for a, n in missing[:_LISTED]
    ]
    told += [
        fault(NOTE, "html", "{feature} is shown in part ({n} places): {why}", feature=a.title, n=n, why=a.why or "–")
        for a, n in partial[:_LISTED]
    ]
    rest = max(0, len(missing) - _LISTED) + max(0, len(partial) - _LISTED)
    return [*told, *([fault(NOTE, "html", "{n} more features are not shown or in part", n=rest)] if rest else [])]


# ---------------------------------------------------------------- one program each


def _gmail(mail: _Mail) -> _Made:
    clipped, losses = changed.clipped(mail.html)
    losses += changed.style_limits(sheets(mail.html))
    return stripped(changed.within_style_limit(clipped), support_of("gmail/desktop-webmail")), losses


def _gmail_other(mail: _Mail) -> _Made:
    """Mail of another provider read in Gmail's app: no `<style>` at all (caniemail, html-style, note 2)."""
    clipped, losses = changed.clipped(mail.html)
    count = len(sheets(mail.html))
    if count:
        losses.append(fault(WARNING, "html", "all {n} <style> blocks are dropped; only inline styles hold", n=count))
    return stripped(clipped, support_of("gmail/android"), styles=False), losses


def _gmail_dark(tested: str, turn: Callable[[str, Screen], str]) -> Callable[[_Mail], _Made]:
    def make(mail: _Mail) -> _Made:
        clipped, losses = changed.clipped(mail.html)
        made = turn(stripped(changed.within_style_limit(clipped), support_of(tested)), mail.screen)
        if "prefers-color-scheme" in mail.html:
            losses.append(
                fault(NOTE, "html", "the design’s own dark colours are not used; the program recolours by itself")
            )
        return made, [*losses, *_faded(made)]

    return make


def _outlook(mail: _Mail) -> _Made:
    made = stripped(word.padded(word.opened(mail.html)), support_of("outlook/windows"), keep=word.keeps)
    losses = []
    if count := word.shapes(mail.html):
        losses.append(fault(NOTE, "html", "{n} VML shapes are drawn there, which cannot be shown here", n=count))
    losses += changed.without_width(mail.html)
    return made, losses


def _outlook_dark(mail: _Mail) -> _Made:
    made, losses = _outlook(mail)
    turned = dark.full(made, mail.screen)
    return turned, [*losses, *_faded(turned)]


def _apple_dark(mail: _Mail) -> _Made:
    if not changed.has_dark_colours(mail.html):
        return mail.html, [fault(WARNING, "html", "the design has no dark colours; it is shown in its light ones")]
    made = changed.in_dark(mail.html)
    return made, _faded(made)


def _images_off(mail: _Mail) -> _Made:
    return changed.without_pictures(mail.html)


def _text(mail: _Mail) -> _Made:
    losses = [] if mail.text.strip() else [fault(WARNING, "text", "there is no text part; nothing is shown")]
    return mail.text, [*losses, *changed.only_in_html(mail.html, mail.text)]


def _narrow(mail: _Mail) -> _Made:
    return mail.html, changed.too_wide(mail.html, mail.screen)


def _screen_reader(mail: _Mail) -> _Made:
    return "\n".join(spoken(mail.html, mail.words)) + "\n", changed.unspoken(mail.html)


def _faded(html: str) -> list[Fault]:
    """Words that can hardly be read after the colours were changed; the worst one is named."""
    low = [
        (ratio, run)
        for run in runs(html, Screen())
        if (ratio := run.ratio) is not None and ratio < 3 and run.ink.size > 1
    ]
    if not low:
        return []
    ratio, worst = min(low, key=lambda pair: pair[0])
    told: dict[str, str | int | float] = {"n": len(low), "text": cut(worst.text, 40), "ratio": round(ratio, 1)}
    return [fault(WARNING, "html", "{n} lines are hard to read, such as “{text}” (contrast {ratio})", **told)]


_MAKERS: dict[ClientName, Callable[[_Mail], _Made]] = {
    ClientName.GMAIL: _gmail,
    ClientName.GMAIL_OTHER: _gmail_other,
    ClientName.GMAIL_ANDROID_DARK: _gmail_dark("gmail/android", dark.partial),
    ClientName.GMAIL_IPHONE_DARK: _gmail_dark("gmail/ios", dark.full),
    ClientName.OUTLOOK: _outlook,
    ClientName.OUTLOOK_DARK: _outlook_dark,
    ClientName.APPLE_DARK: _apple_dark,
    ClientName.IMAGES_OFF: _images_off,
    ClientName.TEXT: _text,
    ClientName.NARROW: _narrow,
    ClientName.SCREEN_READER: _screen_reader,
}
