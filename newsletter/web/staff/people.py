"""The people of a list and one person of them: how they stand, what they agreed to, what they were sent.

Addresses are masked unless this member of staff may see them; who is sought is typed and posted, so that no log has it.
"""

import json
from typing import Any

from starlette.responses import Response

import subscribers
from newsletter.log import get_logger
from newsletter.mail.replies import mask_addresses
from newsletter.model import PersonId
from newsletter.store import Connection, receipts, staff
from newsletter.web.visit import Visit, problem
from subscribers import Address, SubscriptionState, SuppressionReason

log = get_logger("web")

PAGE = 50
LAST = 30  # mails and events of a person that are shown


def people(visit: Visit, *, fault: str = "", typed: str = "") -> Response:
    """The lists with their counts, and a page of the people of one."""
    wanted = visit.asked("state")
    state = SubscriptionState(wanted) if wanted in set(SubscriptionState) else None
    with visit.app.db.read() as conn:
        lists = subscribers.list_lists(conn)
        chosen = next((one for one in lists if one.slug == visit.asked("list")), lists[0] if lists else None)
        counts = subscribers.counts(conn, chosen.slug) if chosen else {}
        mailable = subscribers.count_mailable(conn, chosen.slug) if chosen else 0
        before = PersonId(visit.asked("before")) if visit.asked("before") else None
        found = (
            subscribers.members(conn, chosen.slug, state=state, before=before, limit=PAGE + 1)
            if chosen is not None
            else []
        )
    return visit.page(
        "staff/people.html",
        status=422 if fault else 200,
        lists=lists,
        chosen=chosen,
        counts=counts,
        mailable=mailable,
        state=state,
        states=list(SubscriptionState),
        members=found[:PAGE],
        older=found[PAGE - 1].person.id if len(found) > PAGE else None,
        shown=lambda address: shown(visit, address),
        fault=fault,
        typed=typed,
    )


def shown(visit: Visit, address: Address | None) -> str:
    """An address as this member of staff may see it; "" of somebody erased."""
    if address is None:
        return ""
    return subscribers.reveal(address) if visit.member is not None and visit.member.sees_addresses else str(address)


def seek(visit: Visit) -> Response:
    """To the person of an address or id."""
    typed = visit.form.get("who", "").strip()[:320]
    with visit.app.db.read() as conn:
        found = _sought(conn, typed)
    if found is None:
        return people(visit, fault=visit.words.gettext("Nobody here has this address."), typed=typed)
    return visit.go(f"/staff/people/{found}")


def _sought(conn: Connection, typed: str) -> PersonId | None:
    try:
        if "@" in typed:
            return subscribers.find(conn, subscribers.parse_address(typed))
        return subscribers.person(conn, PersonId(typed)).id
    except subscribers.SubscribersError:
        return None


def person(visit: Visit, *, unsure: bool = False, refused: str = "") -> Response:
    """`unsure`: erasing was pressed without its tick."""
    person_id = PersonId(visit.part("id"))
    try:
        with visit.app.db.read() as conn:
            found = subscribers.person(conn, person_id)
            held = subscribers.export_person(conn, person_id)
            evidence = subscribers.evidence(conn, person_id)
            told = receipts.held_about(conn, person_id)
            lists = {one.slug: one.name for one in subscribers.list_lists(conn)}
            is_staff = staff.of_person(conn, person_id) is not None
    except subscribers.UnknownPerson:
        return problem(visit, 404)
    return visit.page(
        "staff/person.html",
        status=422 if unsure else 409 if refused else 200,
        person=found,
        address=shown(visit, found.address),
        lists=lists,
        subscriptions=held["subscriptions"],
        suppressions=held["suppressions"],
        attributes=held["attributes"],
        evidence=evidence,
        mail=list(reversed(told["mail"]))[:LAST],
        events=list(reversed(told["events"]))[:LAST],
        is_staff=is_staff,
        unsure=unsure,
        refused=refused,
    )


def unsubscribe(visit: Visit) -> Response:
    """The person asked staff to end a subscription."""
    return _act(
        visit,
        lambda conn, who: subscribers.unsubscribe(conn, visit.form.get("list", ""), who, now=visit.now, reason="staff"),
    )


def stop(visit: Visit) -> Response:
    """Nothing more is sent to the address, by any list."""
    key = visit.app.suppression_key
    return _act(
        visit, lambda conn, who: subscribers.suppress(conn, who, reason=SuppressionReason.STAFF, now=visit.now, key=key)
    )


def erase(visit: Visit) -> Response:
    """Forget the person for good; staff are taken off the staff first."""
    if visit.form.get("sure") != "1":
        return person(visit, unsure=True)
    with visit.app.db.read() as conn:
        if staff.of_person(conn, PersonId(visit.part("id"))) is not None:
            return person(visit, refused=visit.words.gettext("This address belongs to somebody of our staff."))
    return _act(visit, lambda conn, who: subscribers.erase(conn, who, now=visit.now, key=visit.app.suppression_key))


def take(visit: Visit) -> Response:
    """All that is held, as a file for the person who asked for it. Only for staff who may see addresses."""
    if visit.member is None or not visit.member.sees_addresses:
        return problem(visit, 404)
    try:
        with visit.app.db.read() as conn:
            held = subscribers.export_person(conn, PersonId(visit.part("id")))
            told = receipts.held_about(conn, PersonId(visit.part("id")))
    except subscribers.UnknownPerson:
        return problem(visit, 404)
    log.info("staff_act", act="take_data", person=visit.part("id"), staff=visit.member.id)
    name = f'attachment; filename="person-{visit.part("id")}.json"'
    body = json.dumps(held | told, ensure_ascii=False, indent=2, default=str)
    return Response(body, media_type="application/json", headers={"Content-Disposition": name})


def _act(visit: Visit, change: Any) -> Response:
    assert visit.member is not None
    try:
        with visit.app.db.begin() as conn:
            change(conn, PersonId(visit.part("id")))
    except (subscribers.UnknownPerson, subscribers.UnknownList):
        return problem(visit, 404)
    except subscribers.SubscribersError as error:  # another suppression key: nothing was changed
        return person(visit, refused=mask_addresses(str(error)))
    act = visit.request.url.path.rsplit("/", 1)[1]
    log.info("staff_act", act=act, person=visit.part("id"), staff=visit.member.id)
    return visit.go(f"/staff/people/{visit.part('id')}")
