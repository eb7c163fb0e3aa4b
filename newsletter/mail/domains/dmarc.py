"""A domain's DMARC policy, its organisational domain, and alignment (RFC 7489; the tree walk of its successor, DMARCbis 4.10).

The walk asks the DNS itself where an organisation ends, so no list of public suffixes is needed. Pure but for its questions.
"""

import re
from dataclasses import dataclass
from typing import Literal

from newsletter.names import Answer, Ask

_MOST_STEPS = 8  # DMARCbis section 4.10
_MAILTO = re.compile(r"mailto:([^@\s,!]+)@([a-z0-9.-]+)(?:![0-9]+[kmgt]?)?", re.I).fullmatch
Mode = Literal["r", "s"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dmarc:
    """The policy that counts for `domain`. `at`: the domain whose record it is; "" when there is none."""

    domain: str
    at: str = ""
    policy: str = ""  # none, quarantine, reject
    dkim: Mode = "r"
    spf: Mode = "r"
    reports: tuple[str, ...] = ()  # domains that the rua addresses belong to
    bad_reports: tuple[str, ...] = ()
    broken: str = ""
    trouble: Answer | None = None  # a question that brought no answer
    testing: bool = False  # t=y, or pct below 100: receivers apply less than it says


def read_dmarc(domain: str, ask: Ask) -> Dmarc:
    """The record of the domain itself, else of the nearest one above it that has one."""
    for at in _upwards(domain):
        answer = ask(f"_dmarc.{at}", "TXT")
        if answer.status.name != "FOUND" and not answer.absent:
            return Dmarc(domain=domain, trouble=answer)
        records = dmarc_records(answer)
        if len(records) > 1:
            return Dmarc(
                domain=domain,
                at=at,
                broken=f"{len(records)} DMARC records: receivers take none (RFC 7489 section 6.6.3)",
            )
        if records:
            return _read(domain, at, records[0])
    return Dmarc(domain=domain)


def organisation(domain: str, ask: Ask) -> str:
    """The organisational domain (DMARCbis 4.10.2): of the records on the way up the one nearest the top, but for psd=."""
    found = domain
    for at in _upwards(domain):
        records = dmarc_records(ask(f"_dmarc.{at}", "TXT"))
        if len(records) != 1:
            continue
        psd = _tags(records[0]).get("psd", "")
        if psd == "y":
            return ".".join(domain.split(".")[-at.count(".") - 2 :])
        found = at
        if psd == "n":
            return at
    return found


def aligned(domain: str, other: str, mode: Mode, ask: Ask) -> bool:
    """Strict: the same. Relaxed: one below the other, or of the same organisation (RFC 7489 section 3.1)."""
    domain, other = domain.lower(), other.lower()
    if domain == other or mode == "s":
        return domain == other
    short, long = sorted((domain, other), key=len)
    return ("." in short and long.endswith(f".{short}")) or organisation(domain, ask) == organisation(other, ask)


def dmarc_records(answer: Answer) -> tuple[str, ...]:
    """RFC 7489 section 6.6.3: what does not begin with the version is no record."""
    return tuple(one for one in answer.records if re.match(r"v\s*=\s*DMARC1\s*(?:;|$)", one))


def _upwards(domain: str) -> list[str]:
    """The domain, then those above it, without the top level; of very long names the middle is left out (DMARCbis 4.10)."""
    labels = domain.lower().rstrip(".").split(".")
    names = [".".join(labels[at:]) for at in range(max(1, len(labels) - 1))]
    return names if len(names) <= _MOST_STEPS else [names[0], *names[-_MOST_STEPS + 1 :]]


def _read(domain: str, at: str, record: str) -> Dmarc:
    tags = _tags(record)
    own = tags.get("p", "").lower()
    policy = own if at == domain else tags.get("sp", own).lower()
    targets = [one for one in tags.get("rua", "").split(",") if one]
    read = [_MAILTO(one) for one in targets]
    return Dmarc(
        domain=domain,
        at=at,
        policy=policy,
        dkim="s" if tags.get("adkim", "r").lower() == "s" else "r",
        spf="s" if tags.get("aspf", "r").lower() == "s" else "r",
        reports=tuple(dict.fromkeys(one[2].lower() for one in read if one)),
        bad_reports=tuple(text for text, one in zip(targets, read, strict=True) if one is None),
        broken="" if policy in ("none", "quarantine", "reject") else f"p={policy!r} is no policy",
        testing=tags.get("t", "n").lower() == "y" or tags.get("pct", "100") != "100",
    )


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in re.sub(r"\s+", "", record).split(";"))
    return {name.lower(): value for name, equals, value in pairs if equals}
