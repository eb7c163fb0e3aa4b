"""What an SMTP reply means: permanent or not, and whose matter it is (RFC 5321 section 4.2, RFC 3463, RFC 5248).

Codes first; where a code says little (5.1.0, 5.7.1, a bare 550) the words decide. Only `hard` may ever count against a
subscriber at once; `block` and `auth` are matters between us and a server. Texts are masked before anyone stores them.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from newsletter.errors import BadInput
from newsletter.mail.bounces.reasons import reason_of_words
from newsletter.mail.bounces.returned import kind_of
from subscribers import Address, reveal


class ReplyKind(StrEnum):
    HARD = "hard"  # no such user or host, moved: mail will never arrive there
    SOFT = "soft"  # full, suspended, greylisted, network: may be different tomorrow
    BLOCK = "block"  # reputation, policy, content, rate: about us, never about the subscriber
    AUTH = "auth"  # our login or TLS at our own relay: no recipient's matter, stop this transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """`code`: three digits. `enhanced`: "5.1.1" or None. `text`: all lines joined by a blank, no codes, unmasked."""

    code: int
    enhanced: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyClass:
    permanent: bool  # 5yz: never tried again as it is
    kind: ReplyKind
    closing: bool = False  # 421: the server closes this connection; the rows stay due

    @property
    def transport(self) -> bool:
        """True if the reply concerns the transport and not this recipient: pause, change no delivery."""
        return self.kind is ReplyKind.AUTH


_LINE = re.compile(r"(\d{3})([ -]?)(.*)", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?=\s|$)[ \t]*")


def parse_reply(raw: bytes | str) -> Reply:
    """A whole reply as it came over the line, one or more lines. Raises BadInput when it is none."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    found = [_LINE.fullmatch(line) for line in text.strip("\r\n").splitlines()]
    if not found or any(line is None for line in found):
        raise BadInput("this is no SMTP reply", hint="each line begins with three digits")
    lines = [line for line in found if line is not None]
    return reply_of(int(lines[0][1]), "\n".join(line[3] for line in lines))


def reply_of(code: int, text: bytes | str) -> Reply:
    """A reply whose code was already taken off, as `smtplib` gives it. Raises BadInput for an impossible code."""
    if not 200 <= code <= 599:
        raise BadInput(f"{code} is no SMTP reply code")
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    enhanced: str | None = None
    said = []
    for line in decoded.splitlines():
        found = _ENHANCED.match(line)
        # The first line's enhanced code counts, and only in the class of the reply (RFC 2034 section 4).
        if found and found[1][0] == str(code)[0]:
            enhanced = enhanced or found[1]
            line = line[found.end() :]
        said.append(line.strip())
    return Reply(code=code, enhanced=enhanced, text=" ".join(filter(None, said)))


# RFC 3463 and the IANA registry, without the class digit. What is absent here or in _VAGUE goes by words first.
_BY_DETAIL = {
    **dict.fromkeys(("1.1", "1.2", "1.3", "1.6", "1.10", "7.17", "7.18", "4.310"), ReplyKind.HARD),
    **dict.fromkeys(("2.1", "2.2", "2.4", "4.1", "4.7", "7.13", "3.1", "3.2"), ReplyKind.SOFT),
    **dict.fromkeys(("1.7", "1.8", "2.3", "3.4", "5.3", "7.0", "7.1"), ReplyKind.BLOCK),
    **dict.fromkeys(("7.8", "7.9", "7.11", "7.30"), ReplyKind.AUTH),
}
_VAGUE = frozenset(("0.0", "1.0", "2.0", "2.1", "3.0", "4.0", "4.1", "4.4", "5.0", "5.1", "5.2", "5.4", "7.0", "7.1"))
_BY_SUBJECT = {
    "1": ReplyKind.HARD,
    "2": ReplyKind.SOFT,
    "3": ReplyKind.SOFT,
    "4": ReplyKind.SOFT,
    "5": ReplyKind.BLOCK,
    "6": ReplyKind.BLOCK,
    "7": ReplyKind.BLOCK,
}
# RFC 4954 section 6 and RFC 3207 section 4, for servers without enhanced codes.
_AUTH_CODES = frozenset((432, 454, 530, 534, 535, 538))
_BY_CODE = {
    **dict.fromkeys((521, 550, 551, 553, 556), ReplyKind.HARD),  # 521, 556: the host takes no mail (RFC 7504)
    **dict.fromkeys((450, 451, 452, 552, 421, 442), ReplyKind.SOFT),
}


def classify(reply: Reply) -> ReplyClass:
    """Judge a refusal. Raises ValueError for a 2yz or 3yz reply, which refuses nothing."""
    if reply.code < 400:
        raise ValueError(f"{reply.code} is no refusal")
    permanent = reply.code >= 500
    kind = _kind(reply)
    if kind is ReplyKind.HARD and not permanent:
        kind = ReplyKind.SOFT  # "no such user" with 4yz is a server that could not look the user up
    return ReplyClass(permanent=permanent, kind=kind, closing=reply.code == 421)


def _kind(reply: Reply) -> ReplyKind:
    detail = reply.enhanced.split(".", 1)[1] if reply.enhanced else None
    if _is_about_login(reply.code, detail):
        return ReplyKind.AUTH
    if detail is not None and detail not in _VAGUE and detail in _BY_DETAIL:
        return _BY_DETAIL[detail]
    reason = reason_of_words(reply.text)
    if reason is not None:
        return ReplyKind(kind_of(reason).value)
    if detail is not None and detail != "0.0":
        return _BY_DETAIL.get(detail) or _BY_SUBJECT.get(detail[0], ReplyKind.SOFT)
    return _BY_CODE.get(reply.code, ReplyKind.BLOCK if reply.code == 554 else ReplyKind.SOFT)


def _is_about_login(code: int, detail: str | None) -> bool:
    if code not in _AUTH_CODES:
        return detail in ("7.8", "7.9", "7.11")
    # Some receivers answer 530 or 534 with a recipient's or a policy's enhanced code: that code knows better.
    return detail is None or detail.startswith(("7.", "5.", "0."))


_ADDRESS = re.compile(
    r"""(?:"[^"\r\n]{1,64}"|[^\s<>()\[\]{},;:"'`|@＠]{1,128}) ?(?:@|＠|%40|&#64;) ?"""
    r"""(?:\[[^\]\s]*\]|[^\s<>()\[\]{},;:"'`|@＠]+)""",
    re.IGNORECASE,
)
_SIGNS = ("@", "＠", "%40", "&#64;")
MASK = "[address]"


def mask_addresses(text: str, *, rcpt: Address | None = None) -> str:
    """`text` with every address replaced by "[address]"; with `rcpt` also its local part where it stands alone.

    Servers quote recipients in many shapes ("user.name unknown", "<a@b>", "a%40b"); the mask holds no at sign, so a
    scan for one finds leaks only.
    """
    # Most replies name nobody; looking first spares each accepted message two patterns of its own (0.11 ms).
    masked = _ADDRESS.sub(MASK, text) if any(sign in text for sign in _SIGNS) else text
    if rcpt is None or rcpt.local.casefold() not in masked.casefold():
        return masked
    masked = re.sub(re.escape(reveal(rcpt)), MASK, masked, flags=re.IGNORECASE)
    if len(rcpt.local) > 2:
        masked = re.sub(rf"(?<!\w){re.escape(rcpt.local)}(?!\w)", MASK, masked, flags=re.IGNORECASE)
    return masked
