"""An SPF record with all that it includes, counted as receivers count (RFC 7208). Pure but for the questions it asks.

It follows every include and redirect, whichever a message would need: the limits must hold for the worst of them. What
depends on the sender's address (macros) is counted and not asked. Must never follow more than the limits of section 4.6.4
allow by far: a chain of strangers ends after MOST_TERMS.
"""

import ipaddress
import re
from dataclasses import dataclass, field

from newsletter.names import Answer, Ask

MOST_LOOKUPS = 10  # section 4.6.4: more is a permanent error, and counts as no SPF at all
MOST_VOID = 2  # section 4.6.4: lookups that find nothing
MOST_MX = 10  # section 4.6.4
MOST_TERMS = 40  # where we stop to follow; the verdict stands long before
LONG = 450  # octets; section 3.4: an answer should fit 512

_TERM = re.compile(r"([-+~?]?)([a-z0-9]+)(?:([:/])(.*))?", re.I).fullmatch
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.I).fullmatch
_ENDS = {"-": "-all", "~": "~all", "?": "?all", "+": "+all"}


@dataclass(slots=True, kw_only=True)
class Spf:
    """`end`: what happens to everybody else: "-all", "~all", "?all", "+all", "" (nothing said). `broken`: why receivers
    treat it as a permanent error; "" when they do not. `unknown`: a question that nobody answered in time.
    """

    domain: str
    records: tuple[str, ...] = ()
    lookups: int = 0
    void: int = 0
    end: str = ""
    broken: str = ""
    unknown: str = ""
    failing: str = ""  # a name server that fails: a temporary error for receivers
    uses_ptr: bool = False
    passes: list[str] = field(default_factory=list)  # networks and names that may send, as written
    chain: list[str] = field(default_factory=list)  # domains whose records were read, in order

    @property
    def record(self) -> str:
        return self.records[0] if self.records else ""


def read_spf(domain: str, ask: Ask) -> Spf:
    """The record of `domain` and its chain; `records` is empty when it has none."""
    found = Spf(domain=domain)
    walk = _Walk(found, ask)
    answer = ask(domain, "TXT")
    if walk.useless(answer):
        return found
    found.records = spf_records(answer)
    if len(found.records) > 1:
        found.broken = f"{len(found.records)} SPF records: receivers take none of them (RFC 7208 section 4.5)"
    elif found.records:
        found.end = walk.follow(domain, found.records[0], ())
    if not found.broken and found.lookups > MOST_LOOKUPS:
        found.broken = f"{found.lookups} DNS lookups, {MOST_LOOKUPS} are allowed (RFC 7208 section 4.6.4)"
    if not found.broken and found.void > MOST_VOID:
        found.broken = f"{found.void} lookups that find nothing, {MOST_VOID} are allowed (RFC 7208 section 4.6.4)"
    return found


def spf_records(answer: Answer) -> tuple[str, ...]:
    """Section 4.5: exactly the version, then a space or the end."""
    return tuple(one for one in answer.records if one.lower() == "v=spf1" or one.lower().startswith("v=spf1 "))


class _Walk:
    def __init__(self, found: Spf, ask: Ask) -> None:
        self._found, self._ask = found, ask

    def follow(self, domain: str, record: str, above: tuple[str, ...]) -> str:
        """The end of this record. `above`: domains that led here."""
        self._found.chain.append(domain)
        end, redirect = "", ""
        for term in record.split()[1:]:
            if self._found.broken or self._found.lookups > MOST_TERMS:
                return end
            modifier = _MODIFIER(term)
            if modifier is not None:
                if modifier[1].lower() == "redirect":
                    redirect = modifier[2]
                continue
            found = _TERM(term)
            if found is None or not self._mechanism(found, domain, (*above, domain)):
                self._break(f"{term!r} cannot be read", domain)
            elif found[2].lower() == "all":
                end = _ENDS[found[1] or "+"]
                break  # what stands behind it never counts (section 5.1)
        if redirect and not end:
            return self._included(redirect, (*above, domain), "redirect=")
        return end

    def _mechanism(self, term: re.Match[str], domain: str, above: tuple[str, ...]) -> bool:
        """False when it is none."""
        name, separator, rest = term[2].lower(), term[3] or "", term[4] or ""
        if name == "all":
            return not separator
        if name in ("ip4", "ip6"):
            self._found.passes.append(f"{name}:{rest}")
            return separator == ":" and _is_network(rest, 4 if name == "ip4" else 6)
        if name == "include":
            if separator != ":":
                return False
            self._included(rest, above, "include:")
            return True
        if name in ("a", "mx", "ptr", "exists"):
            return self._asked_mechanism(name, separator, rest, domain)
        return False

    def _asked_mechanism(self, name: str, separator: str, rest: str, domain: str) -> bool:
        self._found.lookups += 1
        target = re.sub(r"(?:/[0-9]{1,3})?(?://[0-9]{1,3})?$", "", rest) if separator == ":" else domain
        if name == "ptr":
            self._found.uses_ptr = True
            self._found.passes.append(name)
            return True
        if name == "exists" and separator != ":":
            return False
        self._found.passes.append(name if target == domain else f"{name}:{target}")
        if "%" not in target:  # a macro is only known when a message comes
            self._addresses(name, target)
        return bool(target)

    def _addresses(self, name: str, target: str) -> None:
        if name != "mx":
            self._void(any(self._there(target, kind) for kind in ("A", "AAAA")), target)
            return
        answer = self._ask(target, "MX")
        if not self.useless(answer):
            self._void(bool(answer.records), target)
            if len(answer.records) > MOST_MX:
                self._break(
                    f"mx names {len(answer.records)} hosts, {MOST_MX} are allowed (RFC 7208 section 4.6.4)", target
                )

    def _there(self, target: str, kind: str) -> bool:
        answer = self._ask(target, kind)
        return self.useless(answer) or bool(answer.records)

    def _included(self, target: str, above: tuple[str, ...], how: str) -> str:
        self._found.lookups += 1
        if how == "include:":
            self._found.passes.append(f"include:{target}")
        if "%" in target:
            return ""
        name = target.rstrip(".").lower()
        if name in above:
            self._break(f"{how}{target} leads back to itself", above[-1])
            return ""
        if self._found.lookups > MOST_TERMS:
            return ""
        answer = self._ask(name, "TXT")
        if self.useless(answer):
            return ""
        records = spf_records(answer)
        if not records:
            self._break(f"{how}{target} has no SPF record (RFC 7208 section 5.2)", above[-1])
            return ""
        if len(records) > 1:
            self._break(f"{how}{target} has {len(records)} SPF records", above[-1])
            return ""
        return self.follow(name, records[0], above)

    def useless(self, answer: Answer) -> bool:
        """Whether there is nothing to judge; says why."""
        if answer.unknown:
            self._found.unknown = self._found.unknown or f"{answer.name} {answer.kind}: {answer.status.value}"
        elif answer.status.name != "FOUND" and not answer.absent:
            self._found.failing = self._found.failing or f"{answer.name} {answer.kind}: {answer.status.value}"
        else:
            return False
        return True

    def _void(self, found: bool, name: str) -> None:
        self._found.void += not found

    def _break(self, why: str, domain: str) -> None:
        place = "" if domain == self._found.domain else f"{domain}: "
        self._found.broken = self._found.broken or place + why


def _is_network(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_network(text, strict=False).version == version
    except ValueError:
        return False
