"""What an examination of a domain says: one line with its place, what to do, and whose rule it is. Data only."""

from dataclasses import dataclass
from enum import StrEnum

from newsletter.names import Answer


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"  # nobody could say; ask again, or another resolver


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`where`: the DNS name or setting. `ground`: whose rule it is."""

    check: str
    level: Level
    where: str
    message: str
    hint: str = ""
    ground: str = ""


# What bulk senders (Gmail: 5,000 messages a day to personal accounts) must have, by the receivers' own pages.
GMAIL = "Gmail's sender guidelines (support.google.com/mail/answer/81126)"
YAHOO = "Yahoo's sender best practices (senders.yahooinc.com)"
MICROSOFT = "Microsoft's rules for high-volume senders (else 550 5.7.515)"
BULK = "bulk rules of Gmail, Yahoo and Microsoft"


def unasked(check: str, answer: Answer) -> Verdict | None:
    """The verdict on a question that brought nothing to judge; None for an answer, or for a certain "there is none"."""
    if answer.status.name == "FOUND" or answer.absent:
        return None
    where = f"{answer.name} {answer.kind}"
    if answer.unknown:
        hint = "ask again, or another resolver (--resolver)"
        return Verdict(check=check, level=Level.UNKNOWN, where=where, message=answer.status.value, hint=hint)
    hint = "receivers get the same: mend the zone or its DNSSEC, then ask again"
    return Verdict(check=check, level=Level.ERROR, where=where, message=answer.status.value, hint=hint)
