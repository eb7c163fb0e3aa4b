"""A form that a stranger sends with an address in it: what is wrong with it, whether it is proven, and that it counts once.

Shared by every such form; what an address may ask for after that is the readers' business.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import subscribers
from newsletter.web.public import challenge
from newsletter.web.public.challenge import Verdict
from newsletter.web.visit import Visit
from subscribers import Address

LONGEST_ADDRESS = 320


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the form says beside its fields: `fault` of the address, a `note` above, the address `meant`."""

    fault: str = ""
    note: str = ""
    meant: str = ""
    status: int = 200
    fresh: bool = False  # the ticket that was sent is used up


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    address: Address
    proven: bool  # by work; else by waiting
    again: bool  # this very form was sent before: answer as then, do nothing


def is_trap(visit: Visit) -> bool:
    """A field nobody sees was filled: by what reads the markup, not the page."""
    return bool(visit.form.get("website"))


def typed_in(visit: Visit) -> str:
    return (visit.form.get("instead") or visit.form.get("email", "")).strip()[:LONGEST_ADDRESS]


def read(visit: Visit, form: str) -> Sent | Told:
    """Judge what was posted to the form of this name. A ticket serves one address, once."""
    typed = typed_in(visit)
    try:
        address = subscribers.parse_address(typed)
    except subscribers.InvalidAddress:
        return Told(fault=_invalid(visit, typed), status=422)
    told = _objection(visit, address, typed) or _unproven(visit, form)
    if told is not None:
        return told
    ticket = visit.form["ticket"]
    mine = subscribers.address_hash(address, key=visit.app.suppression_key)
    before = visit.app.limits.spend(ticket, mine, until=challenge.good_until(ticket), now=visit.now)
    if before is not None and before != mine:
        return _again(visit, fresh=True)
    return Sent(address=address, proven=_verdict(visit, form) is Verdict.PROVEN, again=before is not None)


@contextmanager
def given_back_on_failure(visit: Visit) -> Iterator[None]:
    """A fault of ours must not make the next press of the button look like a second one."""
    try:
        yield
    except Exception:
        visit.app.limits.give_back(visit.form["ticket"])
        raise


def ticket(visit: Visit, form: str, *, fresh: bool) -> str:
    """The one that was sent while it is good, so that its age goes on counting; else, or if `fresh`, a new one."""
    sent = "" if fresh else visit.form.get("ticket", "")
    shown = challenge.issued_at(visit.app.session_key, form, sent)
    good = shown is not None and visit.now - shown < challenge.GOOD_FOR / 2
    return sent if good else challenge.issue(visit.app.session_key, form, now=visit.now.astimezone(UTC)).ticket


def fields(visit: Visit, form: str, told: Told) -> dict[str, Any]:
    """What public/guarded.html names."""
    return {
        "told": told,
        "typed": typed_in(visit),
        "ticket": ticket(visit, form, fresh=told.fresh),
        "difficulty": challenge.DIFFICULTY,
    }


def later(visit: Visit) -> Told:
    note = visit.words.gettext(
        "Too many people signed up from here just now. Please try again in an hour, or from another network."
    )
    return Told(note=note, status=429, fresh=True)


def refused(visit: Visit) -> Told:
    note = visit.words.gettext("Mail to this address is thrown away. Please use one that lasts.")
    return Told(fault=note, status=422)


def _again(visit: Visit, *, fresh: bool = False) -> Told:
    return Told(note=visit.words.gettext("Please check the address and press the button once more."), fresh=fresh)


def _objection(visit: Visit, address: Address, typed: str) -> Told | None:
    """What the address itself says: a mailbox to throw away, or a slip of the hand, asked about once."""
    if subscribers.is_disposable(address):
        return refused(visit)
    meant = subscribers.suggestion(address)
    if meant is None or visit.form.get("keep") == typed:
        return None
    return Told(meant=subscribers.reveal(meant))


def _unproven(visit: Visit, form: str) -> Told | None:
    verdict = _verdict(visit, form)
    words = visit.words
    if verdict in (Verdict.PROVEN, Verdict.WAITED):
        return None
    if verdict is Verdict.WAIT:
        note = words.gettext(
            "One moment: your browser did not do the check for us, so please wait {n} seconds, then press the button again.",
            n=int(challenge.SLOW_WAIT.total_seconds()),
        )
        return Told(note=note)
    if verdict is Verdict.STALE and not visit.form.get("ticket"):
        return Told(note=words.gettext("One step left: read what you agree to, then press the button."))
    return _again(visit)


def _verdict(visit: Visit, form: str) -> Verdict:
    return challenge.judge(
        visit.app.session_key,
        form,
        ticket=visit.form.get("ticket", ""),
        solution=visit.form.get("solution", ""),
        now=visit.now,
    )


def _invalid(visit: Visit, typed: str) -> str:
    words = visit.words
    if not typed:
        return words.gettext("Please type your mail address.")
    return words.gettext("This is no mail address. One looks like name@example.org.")
