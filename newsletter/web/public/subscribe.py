"""/subscribe/{list}: ask to join a list. The answer is the same whether or not the address is known.

A form on another site posts here without a ticket and gets this page with the address filled in: what people agree to, and
what is kept of it, is always the wording of our own page.
"""

from dataclasses import dataclass
from datetime import UTC

from starlette.responses import Response

import subscribers
from newsletter.readers import signup
from newsletter.web.public import challenge, theme
from newsletter.web.public.challenge import Verdict
from newsletter.web.visit import Visit, problem
from subscribers import Address, ConsentGiven, ConsentSource

FORM_VERSION = "subscribe/1"  # raise it when the wording below changes its meaning
LONGEST_ADDRESS = 320


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the form says beside its fields: `fault` of the address, a `note` above, the address `meant`."""

    fault: str = ""
    note: str = ""
    meant: str = ""
    status: int = 200
    fresh: bool = False  # the ticket that was sent is used up


def ask(visit: Visit) -> Response:
    the_list = _open_list(visit)
    return problem(visit, 404) if the_list is None else _form(visit, the_list, "", Told())


def snippet(visit: Visit) -> Response:
    """A form to paste into another site: no script, no style, nothing fetched from here."""
    the_list = _open_list(visit)
    if the_list is None:
        return problem(visit, 404)
    return visit.page(
        "public/snippet.html",
        the_list=the_list,
        action=visit.app.url(f"/subscribe/{the_list.slug}?lang={visit.language}"),
        theme=theme.worn(visit, the_list.slug),
        form_path=visit.site.pages.path(f"/subscribe/{the_list.slug}"),
    )


def join(visit: Visit) -> Response:
    the_list = _open_list(visit)
    if the_list is None:
        return problem(visit, 404)
    if visit.form.get("website"):  # a field nobody sees: what fills it reads the markup, not the page
        return _sent(visit, the_list)
    typed = (visit.form.get("instead") or visit.form.get("email", "")).strip()[:LONGEST_ADDRESS]
    try:
        address = subscribers.parse_address(typed)
    except subscribers.InvalidAddress:
        return _form(visit, the_list, typed, Told(fault=_invalid(visit, typed), status=422))
    told = _objection(visit, address, typed) or _proof(visit, the_list, address)
    if told is not None:
        return _form(visit, the_list, typed, told)
    return _sign_up(visit, the_list, address, typed)


def _sign_up(visit: Visit, the_list: subscribers.List, address: Address, typed: str) -> Response:
    spent = _spend(visit, address)
    if spent is not None and not spent:
        return _form(visit, the_list, typed, _again(visit, fresh=True))
    if spent is None:  # else the same form sent twice: once is enough, and the answer is the same
        answer = signup.sign_up(
            visit.app,
            the_list.slug,
            address,
            consent=_consent(visit, the_list),
            client=visit.client,
            proven=_verdict(visit, the_list) is Verdict.PROVEN,
            language=visit.language,
        )
        if answer is not signup.Answer.TAKEN:
            return _form(visit, the_list, typed, _later(visit))
        visit.site.wake()
    return _sent(visit, the_list)


def wording(visit: Visit, list_name: str) -> str:
    """What the form asks people to agree to; kept with each consent."""
    organisation = visit.app.settings.sender.organisation or visit.app.settings.sender.name
    return visit.words.gettext(
        "I want to get {newsletter} from {organisation} by mail. I can stop it at any time with the link in every issue.",
        newsletter=list_name,
        organisation=organisation,
    )


def _open_list(visit: Visit) -> subscribers.List | None:
    """A list that an active newsletter is sent to; all others are nobody's business."""
    slug = visit.part("list")
    with visit.app.db.read() as conn:
        return subscribers.get_list(conn, slug) if theme.of_list(conn, slug) is not None else None


def _objection(visit: Visit, address: Address, typed: str) -> Told | None:
    """What the address itself says: a mailbox to throw away, or a slip of the hand, asked about once."""
    if subscribers.is_disposable(address):
        return Told(
            fault=visit.words.gettext("Mail to this address is thrown away. Please use one that lasts."), status=422
        )
    meant = subscribers.suggestion(address)
    if meant is None or visit.form.get("keep") == typed:
        return None
    return Told(meant=subscribers.reveal(meant))


def _proof(visit: Visit, the_list: subscribers.List, address: Address) -> Told | None:
    verdict = _verdict(visit, the_list)
    if verdict in (Verdict.PROVEN, Verdict.WAITED):
        return None
    words = visit.words
    if verdict is Verdict.WAIT:
        seconds = int(challenge.SLOW_WAIT.total_seconds())
        return Told(note=words.gettext(
            "One moment: your browser did not do the check for us, so please wait {n} seconds, then press the button again.",
            n=seconds,
        ))  # fmt: skip
    if verdict is Verdict.STALE and not visit.form.get("ticket"):
        return Told(note=words.gettext("One step left: read what you agree to, then press the button."))
    return _again(visit)


def _again(visit: Visit, *, fresh: bool = False) -> Told:
    return Told(note=visit.words.gettext("Please check the address and press the button once more."), fresh=fresh)


def _later(visit: Visit) -> Told:
    note = visit.words.gettext(
        "Too many people signed up from here just now. Please try again in an hour, or from another network."
    )
    return Told(note=note, status=429, fresh=True)


def _verdict(visit: Visit, the_list: subscribers.List) -> Verdict:
    return challenge.judge(
        visit.app.session_key,
        _name(the_list),
        ticket=visit.form.get("ticket", ""),
        solution=visit.form.get("solution", ""),
        now=visit.now,
    )


def _spend(visit: Visit, address: Address) -> str | None:
    """None: first use of this ticket. Else whether it was used for this very address ("yes") or another ("")."""
    ticket = visit.form["ticket"]
    mine = subscribers.address_hash(address, key=visit.app.suppression_key)
    before = visit.app.limits.spend(ticket, mine, until=challenge.good_until(ticket), now=visit.now)
    return None if before is None else "yes" if before == mine else ""


def _consent(visit: Visit, the_list: subscribers.List) -> ConsentGiven:
    return ConsentGiven(
        form=FORM_VERSION,
        wording=wording(visit, the_list.name),
        language=visit.language,
        source=ConsentSource.FORM,
        ip=visit.client if visit.app.settings.web.keep_ip else None,
    )


def _invalid(visit: Visit, typed: str) -> str:
    words = visit.words
    if not typed:
        return words.gettext("Please type your mail address.")
    return words.gettext("This is no mail address. One looks like name@example.org.")


def _name(the_list: subscribers.List) -> str:
    return f"subscribe/{the_list.slug}"


def _ticket(visit: Visit, the_list: subscribers.List, *, fresh: bool) -> str:
    """The one that was sent while it is good, so that its age goes on counting; else, or if `fresh`, a new one."""
    sent = "" if fresh else visit.form.get("ticket", "")
    key, name = visit.app.session_key, _name(the_list)
    shown = challenge.issued_at(key, name, sent)
    good = shown is not None and visit.now - shown < challenge.GOOD_FOR / 2
    return sent if good else challenge.issue(key, name, now=visit.now.astimezone(UTC)).ticket


def _form(visit: Visit, the_list: subscribers.List, typed: str, told: Told) -> Response:
    return visit.page(
        "public/subscribe.html",
        status=told.status,
        the_list=the_list,
        wording=wording(visit, the_list.name),
        typed=typed,
        told=told,
        ticket=_ticket(visit, the_list, fresh=told.fresh),
        difficulty=challenge.DIFFICULTY,
        theme=theme.worn(visit, the_list.slug),
    )


def _sent(visit: Visit, the_list: subscribers.List) -> Response:
    return visit.page("public/sent.html", the_list=the_list, theme=theme.worn(visit, the_list.slug))
