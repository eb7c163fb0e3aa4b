"""What requests and answers look like. Names are the field's own (email, list, state, bounces …); moments are ISO 8601."""

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

import subscribers
from newsletter.model import ID_LENGTH
from subscribers import Held, Person

T = TypeVar("T")

Cursor = Annotated[
    str | None,
    Query(pattern=rf"^[0-9a-z]{{{ID_LENGTH}}}$", description="next_cursor of the page before; none: the first page"),
]
Limit = Annotated[int, Query(ge=1, le=500, description="how many at most")]


class Shape(BaseModel):
    """An answer."""

    model_config = ConfigDict(frozen=True)


class Body(BaseModel):
    """A request: a field nobody knows is refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Page(Shape, Generic[T]):
    data: list[T]
    next_cursor: str | None = Field(description="ask for the next page with it; null: this was the last")


def paged(found: list[T], limit: int, id_of: Any) -> Page[T]:
    """`found` was asked for with one more than `limit`."""
    shown = found[:limit]
    return Page(data=shown, next_cursor=id_of(shown[-1]) if len(found) > limit else None)


class SubscriptionShape(Shape):
    list: str
    state: str = Field(description="pending, active, paused or unsubscribed")
    topics: tuple[str, ...] = Field(description="those chosen; none: everything")
    since: datetime | None
    left_at: datetime | None
    left_reason: str | None
    paused_until: datetime | None


class SubscriberShape(Shape):
    id: str
    email: str | None = Field(description="null without the scope addresses:read, and once erased")
    email_masked: str | None
    name: str
    language: str | None
    time_zone: str | None
    attributes: dict[str, Any]
    tags: tuple[str, ...]
    state: str = Field(description="active, bounced, complained or erased")
    created_at: datetime
    subscriptions: tuple[SubscriptionShape, ...]


def subscription_shape(held: Held) -> SubscriptionShape:
    return SubscriptionShape(
        list=held.list_slug,
        state=held.state,
        topics=held.topics,
        since=held.since,
        left_at=held.left_at,
        left_reason=held.left_reason,
        paused_until=held.paused_until,
    )


def subscriber_shape(person: Person, held: list[Held], *, clear: bool) -> SubscriberShape:
    """`clear`: with the address. Only for answers that are kept nowhere."""
    address = person.address
    return SubscriberShape(
        id=person.id,
        email=subscribers.reveal(address) if clear and address is not None else None,
        email_masked=None if address is None else str(address),
        name=person.name,
        language=person.language,
        time_zone=person.time_zone,
        attributes=dict(person.attributes),
        tags=person.tags,
        state=person.state,
        created_at=person.created_at,
        subscriptions=tuple(subscription_shape(one) for one in held),
    )
