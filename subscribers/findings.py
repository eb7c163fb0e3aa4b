"""What a look at a file before it is imported finds: who would be mailed and perhaps should not, and who is held back.

Addresses are shown masked; the line says where to look. A concern is a question to a person: nothing is changed by it.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from subscribers.address import Address
from subscribers.columns import Candidate
from subscribers.domains import is_disposable, suggestion
from subscribers.states import SubscriptionState

_SAMPLES = 5

# Mailboxes of a task, not of a person: nobody can agree for all who read them. RFC 2142 and what institutes use.
_ROLES = frozenset(
    """
    abuse accounts accounting admin administrator all billing contact contactus customerservice editor enquiries enquiry
    everyone ftp help helpdesk hostmaster hr info inquiries it jobs legal list list-request mail mailer-daemon
    maildaemon marketing media news newsletter no-reply noc noreply office postmaster press privacy registrar root sales
    secretary security service spam staff subscribe support team undisclosed-recipients unsubscribe usenet uucp
    webmaster www bientap banbientap giaovu hanhchinh lienhe phonghanhchinh thuky toasoan tochuc truyenthong
    tuyensinh vanphong vanthu
    """.split()  # noqa: SIM905 - a list of words reads better so
)


class Concern(StrEnum):
    """Why somebody who would be mailed perhaps should not be."""

    FILE_SAYS_NO = "the file says otherwise, but they are subscribed here"
    ROLE = "role address"
    DISPOSABLE = "disposable domain"
    TYPO = "probable typing slip in the domain"
    STATE_UNKNOWN = "the file does not say whether they agreed or left"
    NO_CONSENT_DATE = "no date of their consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    table: str
    line: int
    address: str  # masked
    hint: str = ""  # the domain that was probably meant


@dataclass(slots=True, kw_only=True)
class Found:
    """How many rows a reason holds for, and the first few."""

    reason: str
    count: int = 0
    samples: list[Sample] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """`concerns`: rows that would be mailed, by reason; one row may have several. `held_back`: rows refused, by reason.

    `mailed` counts rows that would be mailed; `questionable` those among them with a concern.
    """

    mailed: int
    questionable: int
    concerns: tuple[Found, ...]
    held_back: tuple[Found, ...]


def concerns(row: Candidate) -> list[tuple[Concern, str]]:
    """What speaks against mailing this row, each with a hint or "" (pure)."""
    if row.state != SubscriptionState.ACTIVE and row.state != SubscriptionState.PAUSED:
        return [(Concern.FILE_SAYS_NO, str(row.state))]
    found = []
    address = Address(row.local, row.domain)
    if row.local.lower() in _ROLES:
        found.append((Concern.ROLE, ""))
    if is_disposable(address):
        found.append((Concern.DISPOSABLE, ""))
    if meant := suggestion(address):
        found.append((Concern.TYPO, meant.domain))
    if not row.sure:
        found.append((Concern.STATE_UNKNOWN, ""))
    if row.since is None:
        found.append((Concern.NO_CONSENT_DATE, ""))
    return found


class Reviewer:
    """Looks at each row of a rehearsal together with what would become of it."""

    def __init__(self) -> None:
        self._concerns: dict[str, Found] = {}
        self._held: dict[str, Found] = {}
        self._count: Counter[str] = Counter()

    def see(self, row: Candidate, refusal: str | None, *, table: str, line: int) -> None:
        if refusal is not None:
            self._note(self._held, refusal, row, "", table=table, line=line)
            return
        if row.state == SubscriptionState.PAUSED:
            return
        self._count["mailed"] += 1
        found = concerns(row)
        self._count["questionable"] += bool(found)
        for reason, hint in found:
            self._note(self._concerns, reason.value, row, hint, table=table, line=line)

    def _note(self, kept: dict[str, Found], reason: str, row: Candidate, hint: str, *, table: str, line: int) -> None:
        found = kept.setdefault(reason, Found(reason=reason))
        found.count += 1
        if len(found.samples) < _SAMPLES:
            masked = str(Address(row.local, row.domain))
            found.samples.append(Sample(table=table, line=line, address=masked, hint=hint))

    def findings(self) -> Findings:
        order = {concern.value: place for place, concern in enumerate(Concern)}
        return Findings(
            mailed=self._count["mailed"],
            questionable=self._count["questionable"],
            concerns=tuple(sorted(self._concerns.values(), key=lambda found: order[found.reason])),
            held_back=tuple(sorted(self._held.values(), key=lambda found: (-found.count, found.reason))),
        )
