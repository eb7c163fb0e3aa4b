"""Subscribers: seen by the page, subscribed with a letter or with consent that somebody recorded, changed, let go, erased.

A token with nothing but `subscribe` gets one answer for every address. No POST answers with an address, a name or an
attribute, because answers may be kept for a repeated request.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import Field, IPvAnyAddress

import subscribers
from newsletter.model import PersonId, Scope
from newsletter.readers import signup
from newsletter.store import Connection, newsletters, receipts, staff
from newsletter.web.api.door import By, Room
from newsletter.web.api.problems import Problem, unprocessable
from newsletter.web.api.shapes import (
    Body,
    Cursor,
    Limit,
    Page,
    Shape,
    SubscriberShape,
    paged,
    subscriber_shape,
)
from subscribers import (
    Address,
    ConsentGiven,
    ConsentSource,
    Outcome,
    PersonState,
    SubscriptionState,
    SuppressionReason,
)

room = Room("subscribers")

Who = Annotated[str, Path(description="a subscriber's id")]
Slug = Annotated[str, Path(description="a list's slug")]


# ---------------------------------------------------------------- looking


@room.does("GET", "/subscribers", Scope.SUBSCRIBERS_READ, summary="List subscribers, a page at a time", problems=(404,))
def list_subscribers(
    by: By,
    cursor: Cursor = None,
    limit: Limit = 100,
    list: Annotated[str | None, Query(description="only those of this list, whatever their subscription")] = None,
    subscription: Annotated[SubscriptionState | None, Query(description="with `list`: only in this state")] = None,
    state: Annotated[PersonState | None, Query(description="only people in this state")] = None,
) -> Page[SubscriberShape]:
    if subscription is not None and list is None:
        raise unprocessable([{"field": "subscription", "reason": "say which list is meant, with list"}])
    with by.app.db.read() as conn:
        people = subscribers.people_page(
            conn, limit=limit + 1, after=cursor or "", list_slug=list, state=subscription, person_state=state
        )
        held = subscribers.held_by(conn, [one.id for one in people])
    clear = by.may(Scope.ADDRESSES_READ)
    shown = [subscriber_shape(one, held[one.id], clear=clear) for one in people]
    return paged(shown, limit, lambda one: one.id)


@room.does("GET", "/subscribers/{id}", Scope.SUBSCRIBERS_READ, summary="Get one subscriber", problems=(404,))
def get_subscriber(by: By, id: Who) -> SubscriberShape:
    with by.app.db.read() as conn:
        return _shown(conn, PersonId(id), clear=by.may(Scope.ADDRESSES_READ))


class Lookup(Body):
    email: str = Field(max_length=320, examples=["an@vien.example"])


@room.does(
    "POST",
    "/subscribers/lookup",
    Scope.SUBSCRIBERS_READ,
    summary="Find a subscriber by address",
    kept=False,
    problems=(404,),
)
def find_subscriber(by: By, body: Lookup) -> SubscriberShape:
    """A POST, so that the address stands in no log of URLs; it changes nothing."""
    address = subscribers.parse_address(body.email)
    with by.app.db.read() as conn:
        person_id = subscribers.find(conn, address)
        if person_id is None:
            raise Problem(404, "nobody here has this address")
        return _shown(conn, person_id, clear=by.may(Scope.ADDRESSES_READ))


@room.does(
    "GET",
    "/subscribers/{id}/export",
    (Scope.SUBSCRIBERS_READ, Scope.ADDRESSES_READ),
    summary="Everything held about a subscriber",
    problems=(404,),
)
def export_subscriber(by: By, id: Who) -> dict[str, Any]:
    """With the address, the consents and their wording, the mail they got and what came back: to be given to the person."""
    with by.app.db.read() as conn:
        held = subscribers.export_person(conn, PersonId(id))
        return held | receipts.held_about(conn, PersonId(id))


def _shown(conn: Connection, person_id: PersonId, *, clear: bool) -> SubscriberShape:
    known = subscribers.person(conn, person_id)
    return subscriber_shape(known, subscribers.held_by(conn, [person_id])[person_id], clear=clear)


# ---------------------------------------------------------------- joining


class Consent(Body):
    """What the person agreed to; kept as evidence."""

    wording: str = Field(min_length=1, max_length=2000, examples=["I want to get the newsletter by mail."])
    form: str = Field("api", min_length=1, max_length=80, description="where it was asked, and its version")
    ip: IPvAnyAddress | None = Field(
        None, description="the person's IP address: limits count by it, and it is kept where the settings allow"
    )


class Joining(Body):
    email: str = Field(max_length=320, examples=["an@vien.example"])
    list: str = Field(max_length=60, examples=["institute-news"])
    consent: Consent
    language: str | None = Field(None, max_length=35, description="BCP 47", examples=["vi"])
    name: str = Field("", max_length=200, description="needs subscribers:write")
    confirmed: bool = Field(
        False, description="no letter is sent: you have the proof that the address is theirs. Needs subscribers:write"
    )


class Joined(Shape):
    """With the scope subscribe alone there is only `status`, the same for every address."""

    status: str = Field(description="asked: a letter is sent if one is due. Else the subscription's state")
    id: str | None = Field(None, description="the subscriber")


@room.does(
    "POST",
    "/subscribers",
    Scope.SUBSCRIBE,
    Scope.SUBSCRIBERS_WRITE,
    summary="Subscribe an address to a list",
    status=202,
    problems=(404, 409),
)
def subscribe(by: By, body: Joining, response: Response) -> Joined:
    """Double opt-in, unless the list needs none or `confirmed` vouches for the address; then 200 and the outcome.

    `confirmed` never brings back who left, bounced, complained or was erased: without it a letter asks them.
    """
    address = subscribers.parse_address(body.email)
    trusted = by.may(Scope.SUBSCRIBERS_WRITE)
    if not trusted and (body.confirmed or body.name):
        raise Problem(403, "name and confirmed need the scope subscribers:write")
    if body.confirmed:
        response.status_code = 200
        return _vouched(by, body, address)
    _ask(by, body, address, trusted=trusted)
    by.site.wake()
    if not trusted:
        return Joined(status="asked")
    with by.app.db.read() as conn:
        person_id = subscribers.find(conn, address)
        held = subscribers.subscription(conn, body.list, person_id) if person_id else None
    return Joined(status=held.state if held else "asked", id=person_id)


def _ask(by: By, body: Joining, address: Address, *, trusted: bool) -> None:
    """As on the public page: limits per visitor, domain and mailbox. A trusted program may name its visitor or not."""
    if not trusted and not _is_public(by, body.list):
        raise Problem(404, "there is no list of this name that anybody may join")
    named = str(body.consent.ip) if body.consent.ip is not None else None
    answer = signup.sign_up(
        by.app,
        body.list,
        address,
        consent=_consent(by, body),
        client=named if trusted else by.client,
        proven=True,
        language=body.language,
        name=body.name,
    )
    if answer is signup.Answer.LATER:
        raise Problem(429, "too many sign-ups from here or for this domain", headers={"Retry-After": "3600"})
    if answer is signup.Answer.REFUSED:
        raise unprocessable([{"field": "email", "reason": "mailboxes of this kind are thrown away"}])


def _is_public(by: By, list_slug: str) -> bool:
    with by.app.db.read() as conn:
        return any(one.public for one in newsletters.listed(conn, active_only=True) if one.list_slug == list_slug)


def _vouched(by: By, body: Joining, address: Address) -> Joined:
    with by.app.db.begin() as conn:
        joined = subscribers.subscribe(
            conn,
            body.list,
            address,
            now=by.app.clock.now(),
            key=by.app.suppression_key,
            consent=_consent(by, body),
            name=body.name,
            language=body.language,
            confirmed=True,
        )
    if joined.outcome is Outcome.SUPPRESSED:
        raise Problem(409, "this address must not be written to")
    if joined.outcome is Outcome.LEFT:
        raise Problem(
            409, "they left, and only they can come back: subscribe without `confirmed`, and a letter asks them"
        )
    return Joined(status=joined.state or "active", id=joined.person_id)


def _consent(by: By, body: Joining) -> ConsentGiven:
    kept = body.consent.ip is not None and by.app.settings.web.keep_ip
    return ConsentGiven(
        form=body.consent.form,
        wording=body.consent.wording,
        language=body.language or "",
        source=ConsentSource.API,
        ip=str(body.consent.ip) if kept else None,
    )


# ---------------------------------------------------------------- changing


class Changes(Body):
    """What is left out stays as it is."""

    name: str | None = Field(None, max_length=200)
    language: str | None = Field(None, max_length=35, description='BCP 47; "" for the newsletter\'s own')
    time_zone: str | None = Field(None, max_length=64, description='IANA; "" for the newsletter\'s own')
    attributes: dict[str, Any] | None = Field(
        None, description="declared ones; those not named stay, a blank one is taken away", max_length=100
    )


@room.does("PATCH", "/subscribers/{id}", Scope.SUBSCRIBERS_WRITE, summary="Change a subscriber", problems=(404,))
def change_subscriber(by: By, id: Who, body: Changes) -> SubscriberShape:
    person_id = PersonId(id)
    with by.app.db.begin() as conn:
        if body.name is not None:
            subscribers.rename(conn, person_id, body.name)
        if body.language is not None:
            subscribers.set_language(conn, person_id, body.language)
        if body.time_zone is not None:
            subscribers.set_time_zone(conn, person_id, body.time_zone)
        if body.attributes is not None:
            subscribers.set_attributes(conn, person_id, body.attributes)
        return _shown(conn, person_id, clear=by.may(Scope.ADDRESSES_READ))


class Topics(Body):
    topics: tuple[Annotated[str, Field(min_length=1, max_length=80)], ...] = Field(
        max_length=100, description="none: everything"
    )


@room.does(
    "PATCH",
    "/subscribers/{id}/lists/{list}",
    Scope.SUBSCRIBERS_WRITE,
    summary="Choose what a subscriber gets of a list",
    problems=(404, 409),
)
def choose_topics(by: By, id: Who, list: Slug, body: Topics) -> SubscriberShape:
    with by.app.db.begin() as conn:
        if not subscribers.choose_topics(conn, list, PersonId(id), body.topics):
            raise Problem(409, "this subscriber is not on the list")
        return _shown(conn, PersonId(id), clear=by.may(Scope.ADDRESSES_READ))


# ---------------------------------------------------------------- letting go


class Done(Shape):
    changed: bool = Field(description="false: it was so before")
    at: datetime


@room.does(
    "DELETE",
    "/subscribers/{id}/lists/{list}",
    Scope.SUBSCRIBERS_WRITE,
    summary="Unsubscribe from a list",
    problems=(404,),
)
def unsubscribe(by: By, id: Who, list: Slug) -> Done:
    now = by.app.clock.now()
    with by.app.db.begin() as conn:
        subscribers.person(conn, PersonId(id))
        changed = subscribers.unsubscribe(conn, list, PersonId(id), now=now, reason="api")
    return Done(changed=changed, at=now)


class Suppressing(Body):
    list: str | None = Field(None, max_length=60, description="only this list; none: all")


@room.does(
    "POST",
    "/subscribers/{id}/suppress",
    Scope.SUBSCRIBERS_WRITE,
    summary="Never write to this address again",
    problems=(404,),
)
def suppress(by: By, id: Who, body: Suppressing) -> Done:
    """Outlives erasure and imports, as a keyed hash."""
    now = by.app.clock.now()
    with by.app.db.begin() as conn:
        slug = subscribers.get_list(conn, body.list).slug if body.list is not None else None
        changed = subscribers.suppress(
            conn,
            PersonId(id),
            reason=SuppressionReason.STAFF,
            now=now,
            key=by.app.suppression_key,
            list_slug=slug,
        )
    return Done(changed=changed, at=now)


@room.does(
    "DELETE",
    "/subscribers/{id}",
    Scope.SUBSCRIBERS_ERASE,
    summary="Erase a subscriber for good",
    problems=(404, 409),
)
def erase(by: By, id: Who) -> Done:
    """Address, name, attributes and IPs go; a keyed hash stays, so that no import brings them back."""
    now = by.app.clock.now()
    with by.app.db.begin() as conn:
        if staff.of_person(conn, PersonId(id)) is not None:
            raise Problem(409, "they are staff: their login hangs on the address")
        changed = subscribers.erase(conn, PersonId(id), now=now, key=by.app.suppression_key)
    return Done(changed=changed, at=now)
