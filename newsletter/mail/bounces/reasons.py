"""Why a message came back: the words of the reply where they are plain, else its codes. Pure; keeps no address.

Codes alone mislead: among 311 returned messages of 55 kinds of servers 5.1.1 also stood for a full mailbox and for a
blocked sender, 5.7.1 for an unknown user, and 5.0.0 for anything (codes alone judge 64 % rightly). So plain words
decide first, then the code, then vague words.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from newsletter.mail.bounces.phrases import PHRASES
from newsletter.mail.bounces.returned import Reason

MOST_TEXT = 6000  # characters of a reply that are looked at

_STATUS = re.compile(r"(?<![\d.\w])([245]\.\d\d?\.\d{1,3})(?![\d.]\d|\.\d)")
_CODE = re.compile(r"(?<![\d.\w/#-])([245]\d\d)(?=[ -]|$|[;:,)\]])")
_ADDRESS = re.compile(r"<?(?:\"[^\"\n]{1,64}\"|[^\s<>()\[\]{},;:\"'|@]{1,128})@[^\s<>()\[\]{},;:\"'|@]{1,255}>?")

_WORDS = tuple((reason, re.compile("|".join(f"(?:{some})" for some in phrases))) for reason, phrases in PHRASES)

# RFC 3463, the IANA registry and what Google and Microsoft add to it; without the class digit.
_BY_DETAIL: dict[str, Reason] = {
    **dict.fromkeys(("1.1", "1.3", "1.10", "4.310"), Reason.USER_UNKNOWN),
    **dict.fromkeys(("1.2", "4.4"), Reason.HOST_UNKNOWN),
    "1.6": Reason.HAS_MOVED,
    **dict.fromkeys(("3.2", "1.10"), Reason.NOT_ACCEPT),
    "2.2": Reason.MAILBOX_FULL,
    "2.1": Reason.SUSPENDED,
    "7.13": Reason.SUSPENDED,
    "2.3": Reason.TOO_BIG,
    "3.4": Reason.TOO_BIG,
    "2.0": Reason.FILTERED,
    **dict.fromkeys(("4.1", "4.7", "1.9"), Reason.EXPIRED),
    **dict.fromkeys(("4.0", "4.2", "4.3", "4.5", "4.6", "4.312", "4.316"), Reason.NETWORK),
    **dict.fromkeys(("3.0", "3.1", "3.3", "3.5", "4.14"), Reason.SYSTEM),
    **dict.fromkeys(("1.7", "1.8"), Reason.REJECTED),
    **dict.fromkeys(("7.20", "7.21", "7.22", "7.23", "7.24", "7.26", "7.27", "7.29", "7.30"), Reason.AUTHENTICATION),
    **dict.fromkeys(("7.515", "7.509"), Reason.AUTHENTICATION),
    "7.25": Reason.REVERSE_DNS,
    "7.28": Reason.SPEED,
    **dict.fromkeys(("7.606", "7.511", "7.1"), Reason.BLOCKED),
    **dict.fromkeys(("5.0", "5.1", "5.2", "5.4"), Reason.SYNTAX),
    "5.3": Reason.CONNECTIONS,
}
_BY_SUBJECT = {
    "1": Reason.FILTERED,  # 5.1.x also speaks of senders: no reader is given up on a code that is not listed
    "2": Reason.FILTERED,
    "3": Reason.SYSTEM,
    "4": Reason.NETWORK,
    "5": Reason.SYNTAX,
    "6": Reason.CONTENT,
    "7": Reason.POLICY,
}
_BY_CODE = {
    **dict.fromkeys(("550", "551", "553"), Reason.FILTERED),  # bare: too little to give anybody up for
    **dict.fromkeys(("521", "556"), Reason.NOT_ACCEPT),
    **dict.fromkeys(("421", "451", "432"), Reason.SYSTEM),
    **dict.fromkeys(("450", "452", "552"), Reason.MAILBOX_FULL),
    **dict.fromkeys(("426", "442"), Reason.NETWORK),
    **dict.fromkeys(("554", "571"), Reason.BLOCKED),
    **dict.fromkeys(("500", "501", "502", "503", "504"), Reason.SYNTAX),
    **dict.fromkeys(("530", "535", "538"), Reason.SECURITY),
}
# Codes that servers of many makes use for anything; RFC 3463 itself calls most of them "other or undefined".
_SAYS_LITTLE = frozenset(("0.0", "1.0", "2.0", "2.1", "3.0", "4.0", "5.0", "7.0", "7.1", "1.1", "4.7", "4.1"))
# Postfix and qmail say these in front of every refusal, whatever its ground.
_VAGUE = re.compile(
    r"(?:recipient|user|address|mailbox)(?: address)? (?:rejected|refused|denied)|mailbox unavailable|does not like recipient"
)
# After DATA a server has accepted the recipient: "unknown user" is then a filter's word (mobile carriers do it), and
# these spellings without a code or a command are such filters' too.
_CARRIER = re.compile(r"\b55\d ?:? : ?user unknown")
_FILTERS_SAY = re.compile(r"55\d[ -]+'?unknown user <>|no such user(?! here.*5\.1\.)")
_SURELY_GONE = re.compile(r"n't have an? .{1,40} account")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    reason: Reason
    status: str  # "5.1.1", or "" when no code was found


def statuses(text: str) -> list[str]:
    """The enhanced codes in a text, in order."""
    return _STATUS.findall(text[:MOST_TEXT])


def cause_of(said: Sequence[str], *, status: str = "", action: str = "", command: str = "") -> Cause:
    """The cause a report gives. `said`: texts about the recipient, the nearest first (diagnostic code, then prose).

    `status`: the report's own field. `command`: the SMTP command that was refused, when known ("DATA").
    """
    texts = [_readable(text) for text in said if text]
    code = _best_status(status, texts)
    telling = code[2:] if code[2:] not in _SAYS_LITTLE else ""
    reason = (
        _by_words(texts)
        or _BY_DETAIL.get(telling)
        or (Reason.USER_UNKNOWN if any(map(_VAGUE.search, texts)) else None)
        or _by_code(code, texts)
        or Reason.ON_HOLD
    )
    if action == "delayed" and reason in (Reason.ON_HOLD, Reason.SYSTEM):
        reason = Reason.EXPIRED
    return Cause(reason=_weighed(reason, code, command, texts), status=code)


def reason_of_words(text: str) -> Reason | None:
    """What the words of one reply say, the plain ones before the vague; None when they say nothing."""
    readable = _readable(text)
    return _by_words([readable]) or (Reason.USER_UNKNOWN if _VAGUE.search(readable) else None)


def _readable(text: str) -> str:
    """One line, lower-case, addresses taken out: "no-such-user@..." is no server's word."""
    return " ".join(_ADDRESS.sub("<>", text[:MOST_TEXT]).split()).lower()


def _by_words(texts: Iterable[str]) -> Reason | None:
    for text in texts:
        for reason, words in _WORDS:
            if words.search(text):
                return reason
    return None


def _best_status(status: str, texts: Sequence[str]) -> str:
    """The most telling code: the server's own before the report's summary of it."""
    found = [code for text in (*texts[:1], status) for code in statuses(text) if code[0] != "2"]
    if not found:
        found = [code for text in texts[1:] for code in statuses(text) if code[0] != "2"]
    telling = [code for code in found if code[2:] not in _SAYS_LITTLE]
    return (telling or found or [""])[0]


def _by_code(status: str, texts: Sequence[str]) -> Reason | None:
    if status and not status.endswith(".0.0"):
        detail = status[2:]
        return _BY_DETAIL.get(detail) or _BY_SUBJECT.get(detail[0])
    code = next((found[1] for text in texts for found in [_CODE.search(text)] if found), "")
    return _BY_CODE.get(code)


def _weighed(reason: Reason, status: str, command: str, texts: Sequence[str]) -> Reason:
    if reason is Reason.USER_UNKNOWN and any(map(_CARRIER.search, texts)):
        return Reason.FILTERED
    if reason is Reason.USER_UNKNOWN and not status.startswith("5.1."):
        if command == "DATA" and not any(map(_SURELY_GONE.search, texts)):
            return Reason.FILTERED
        if not command and (any(map(_FILTERS_SAY.search, texts)) or (status.endswith(".0.0") and "<>" not in texts[0])):
            return Reason.FILTERED
    if reason in (Reason.HOST_UNKNOWN, Reason.NOT_ACCEPT) and (
        status.startswith("4") or any("not found, try again" in text for text in texts)
    ):
        return Reason.NETWORK  # the name server may answer tomorrow
    return reason
