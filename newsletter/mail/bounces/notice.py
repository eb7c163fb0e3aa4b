"""What a returned message holds besides its report: the notice for people, and the headers of our own message.

The two are cut apart here, because an address in the notice is a recipient and one in the original may be anybody.
"""

import re
from dataclasses import dataclass
from textwrap import dedent

from newsletter.mail.bounces.parts import Fields, Opened, Part, fields_of, open_text

MOST_NOTICE = 40_000  # characters of a notice that are read

_RETURNED_TYPES = frozenset(
    ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/partial", "message/global",
     "message/global-headers", "text/rfc822", "text/rfc822-header", "message/global-header")
)  # fmt: skip
_REPORT_TYPES = frozenset(("message/delivery-status", "message/global-delivery-status", "text/delivery-status"))
_FEEDBACK_TYPE = "message/feedback-report"

# Fields that open a copied message, unlike the "To:" and "Subject:" that a notice lists for people.
_SURE = r"(?:Return-Path|Received|Message-ID|DKIM-Signature|X-Received|Delivered-To|DomainKey-Signature):"
_OPENING = re.compile(rf"^{_SURE}", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(r"[!-9;-~]{1,60}:|[ \t]+\S")
_INDENTED = re.compile(rf"^[ \t]+{_SURE}[ \t]", re.MULTILINE | re.IGNORECASE)
_HIDING = re.compile(r"<(style|script|head)\b", re.IGNORECASE)
_QUOTED = re.compile(r"^>[ \t]?", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """`notice`: prose for people. `reports`: delivery-status texts. `feedback`: ARF texts. `returned`: our headers.

    `nested`: whole messages inside, our own or a notice somebody passed on. `whole`: all prose, nothing cut off.
    """

    fields: Fields
    media_type: str
    notice: str
    reports: tuple[str, ...]
    feedback: tuple[str, ...]
    returned: tuple[Fields, ...]
    nested: tuple[Opened, ...]
    whole: str


def contents_of(opened: Opened) -> Contents:
    """Sort the parts of a message by what they tell."""
    notices: list[str] = []
    reports: list[str] = []
    feedback: list[str] = []
    returned: list[Fields] = []
    nested: list[Opened] = []
    whole: list[str] = []
    for part in opened.parts:
        if part.media_type in _REPORT_TYPES:
            reports.append(part.text)
        elif part.media_type == _FEEDBACK_TYPE:
            feedback.append(part.text)
        elif part.media_type in _RETURNED_TYPES:
            returned.append(fields_of(part.text))
            if part.media_type == "message/rfc822":
                nested.append(open_text(part.text))
        else:
            prose = _prose(part)
            notice, copy = _cut(prose)
            whole.append(prose)
            notices.append(notice)
            if copy:
                returned.append(fields_of(copy))
                nested.extend([open_text(copy)] if "multipart/report" in copy[:20_000] else ())
    return Contents(
        fields=opened.fields,
        media_type=opened.media_type,
        notice="\n".join(filter(None, notices))[:MOST_NOTICE],
        reports=tuple(reports),
        feedback=tuple(feedback),
        returned=tuple(some for some in returned if some),
        nested=tuple(nested),
        whole="\n".join(whole)[: MOST_NOTICE * 2],
    )


def _prose(part: Part) -> str:
    if part.media_type == "text/html":
        text = _without_hidden(part.text[: MOST_NOTICE * 5])
        text = re.sub(r"(?i)<(?:br|/p|/div|/tr|/li|/h\d)\b[^>]{0,200}>", "\n", text)
        text = re.sub(r"<(?!\s?[^<>\s]{1,100}@)[^<>]{0,2000}>", "", text)
        for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&#64;", "@"), ("&nbsp;", " "), ("&amp;", "&")):
            text = text.replace(entity, letter)
        return text
    if part.media_type.startswith(("text/", "message/", "multipart/")) or part.media_type == "application/octet-stream":
        return part.text
    return ""


def _without_hidden(html: str) -> str:
    """Without style, script and head. Whatever is not closed stays: it is read as text, once."""
    kept: list[str] = []
    at, lowered = 0, html.lower()
    for opening in _HIDING.finditer(html):
        if opening.start() < at:
            continue
        closing = lowered.find(f"</{opening[1].lower()}", opening.end())
        if closing < 0 or len(kept) > 50:
            break
        kept.append(html[at : opening.start()])
        at = closing
    kept.append(html[at:])
    return " ".join(kept)


def _cut(text: str) -> tuple[str, str]:
    """The notice before the copy of our message, and that copy."""
    text = text[: MOST_NOTICE * 4]
    found = _OPENING.search(text)
    if found:
        start = _run_start(text, found.start())
        return text[:start], text[start:]
    indented = _INDENTED.search(text)
    return (text[: indented.start()], dedent(text[indented.start() :])) if indented else (text, "")


def _run_start(text: str, at: int) -> int:
    """Where the header lines begin of which one begins at `at`: a From or To may stand before the first sure one."""
    for _ in range(40):
        before = text.rfind("\n", 0, max(at - 1, 0)) + 1
        if at == 0 or not _FIELD.match(text[before:at]):
            return at
        at = before
    return at


def unquoted(text: str) -> str:
    """A forwarded notice without its "> " marks."""
    return _QUOTED.sub("", text)
