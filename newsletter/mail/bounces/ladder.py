"""Who a returned message is about: the rungs in order, the surest first. Pure.

Report fields (RFC 3464, RFC 5965), then `X-Failed-Recipients`, then the lines of the notice that stand for recipients, then
the headers of our own message, then any address near words of failure. Tokens are read apart (see reading.py): they
need no parsing of prose.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from newsletter.mail.bounces import addresses
from newsletter.mail.bounces.notice import Contents
from newsletter.mail.bounces.parts import Fields

MOST_RECIPIENTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One recipient that a rung found, with what the report says of it."""

    address: str = field(repr=False)
    original: str | None = field(default=None, repr=False)
    action: str = ""
    status: str = ""
    said: str = field(default="", repr=False)


_RECIPIENT_FIELDS = ("final-recipient", "x-actual-recipient", "original-recipient")


def from_reports(contents: Contents) -> list[Named]:
    """The per-recipient groups of delivery-status parts; where a broken message has none, the same fields in its text."""
    texts = contents.reports or ((contents.whole,) if "inal-recipient:" in contents.whole.lower() else ())
    named: list[Named] = []
    for text in texts:
        for group in _groups(text):
            one = _named(group)
            if one is not None and len(named) < MOST_RECIPIENTS:
                named.append(one)
    return named


def _groups(text: str) -> list[Fields]:
    """Fields by recipient. A blank line or a repeated Final-Recipient begins the next."""
    groups: list[list[tuple[str, str]]] = [[]]
    for line in text.split("\n"):
        if not line.strip():
            if any(name in _RECIPIENT_FIELDS for name, _ in groups[-1]):
                groups.append([])
            continue
        if line[0] in " \t" and groups[-1]:
            name, value = groups[-1][-1]
            groups[-1][-1] = (name, f"{value}\n{line.strip()}"[:8000])
            continue
        name, mark, value = line.partition(":")
        name = name.strip().lower()
        if not mark or not re.fullmatch(r"[\w-]{1,60}", name):
            continue
        if name == "final-recipient" and any(known == name for known, _ in groups[-1]):
            groups.append([])
        groups[-1].append((name, value.strip()))
    return [Fields(group) for group in groups]


def _named(group: Fields) -> Named | None:
    final, actual, original = (addresses.of_field(group.get(name)) for name in _RECIPIENT_FIELDS)
    address = final or actual or original
    if address is None:
        return None
    return Named(
        address=address,
        original=original if original and not addresses.same(original, address) else None,
        action=group.get("action").split(";")[0].split()[0].lower() if group.get("action").split() else "",
        status=group.get("status")[:80],
        said="\n".join(group.all("diagnostic-code"))[:8000],
    )


def from_feedback(contents: Contents) -> list[str]:
    """Whom a feedback report names (RFC 5965 section 3.2), else whom our returned message was for."""
    told = [Fields(_feedback_fields(text)) for text in contents.feedback]
    named = [value for group in told for value in group.all("original-rcpt-to", "removal-recipient")]
    found = [address for value in named for address in addresses.found_in(value)]
    if not found:
        found = from_returned(contents)
    return list(dict.fromkeys(found))[:MOST_RECIPIENTS]


def _feedback_fields(text: str) -> list[tuple[str, str]]:
    pairs = []
    for line in text.split("\n")[:2000]:
        name, mark, value = line.partition(":")
        if mark:
            pairs.append((name.strip().lower(), value.strip()))
    return pairs


def feedback_type(contents: Contents) -> str:
    for text in contents.feedback:
        for name, value in _feedback_fields(text):
            if name == "feedback-type":
                return value.lower()
    return ""


def from_headers(contents: Contents) -> list[str]:
    """`X-Failed-Recipients`, as Exim and Gmail write it."""
    return list(
        dict.fromkeys(a for value in contents.fields.all("x-failed-recipients") for a in addresses.found_in(value))
    )


# Lines of a notice that are nothing but a recipient, or say that they name one.
_LINE_OF_ONE = re.compile(
    r"^[ \t>*-]*(?:>>> )?[\"'<(]?(?P<one>[^\s<>\"'()]{1,128}@[\w.-]{1,255})(?![\w.-]*\w)[\"'>)]?(?:[ \t]*[:;,.\[(<].*|[ \t]*)$"
)
_LABELLED = re.compile(
    r"(?:rcpt to|(?:original |final |failed |intended )?recipients?(?:\(s\))?|undeliverable (?:to|address)|"
    r"(?:wasn't|not|n't|unable|unsuccessful|failed|error)[^\n]{0,60}\b(?:to|for)|message (?:sent )?to|delivered to|"
    r"following (?:address|recipient)\w*|permanent errors|"
    r"unknown user|unknown recipient|user unknown|address|user)\b\W{0,4}(?P<rest>.{0,300})",
    re.IGNORECASE,
)
_FAILURE = re.compile(
    r"(?<![\d.])[45]\d\d[ -]|[45]\.\d\.\d|fail|undeliver|unable|reject|unknown|not (?:exist|found)|error|full",
    re.IGNORECASE,
)


def from_notice(contents: Contents, *, own: Sequence[str]) -> list[str]:
    """Recipients that stand alone on a line of the notice, or behind a label. `own`: our addresses, never recipients."""
    lines = contents.notice.split("\n")[:2000]
    alone = [one for line in lines if (one := _alone(line[:600]))]
    named = addresses.without((tidied for one in alone for tidied in addresses.found_in(one)), own)
    if not named:
        labelled = [found["rest"] for line in lines for found in _LABELLED.finditer(line[:600])]
        named = addresses.without((address for rest in labelled for address in addresses.found_in(rest)[:3]), own)
    return list(dict.fromkeys(named))[:MOST_RECIPIENTS]


def _alone(line: str) -> str | None:
    found = _LINE_OF_ONE.match(line)
    if not found:
        return None
    bracketed = re.match(r"^[^<:]{1,200}<([^<>\s]{1,128}@[\w.-]{1,255})>", line)  # a name before the address
    return bracketed[1] if bracketed else found["one"]


def from_returned(contents: Contents) -> list[str]:
    """Whom our own returned message was addressed to."""
    for names in (
        ("x-apparently-to", "x-hmxmroriginalrecipient"),
        ("to",),
        ("x-original-to", "x-rcpt-to", "x-envelope-to", "envelope-to", "delivered-to"),
        ("cc", "bcc"),
    ):
        found = [
            address
            for fields in contents.returned
            for value in fields.all(*names)
            for address in addresses.found_in(value)
        ]
        if found:
            return list(dict.fromkeys(found))[:MOST_RECIPIENTS]
    verp = [addresses.of_return_path(fields.get("return-path")) for fields in contents.returned]
    return list(dict.fromkeys(address for address in verp if address))


def near_failure(contents: Contents, *, own: Sequence[str]) -> list[str]:
    """The last rung: addresses on lines that speak of failure, else any address of the notice."""
    lines = contents.notice.split("\n")[:2000]
    failing = [address for line in lines if _FAILURE.search(line[:600]) for address in addresses.found_in(line[:600])]
    found = addresses.without(failing, own) or addresses.without(addresses.found_in(contents.notice), own)
    return list(dict.fromkeys(found))[:1]
