"""Lists, and how many people each has."""

from typing import Annotated

from fastapi import Path
from pydantic import Field

import subscribers
from newsletter.model import Scope
from newsletter.store import Connection
from newsletter.web.api.door import By, Room
from newsletter.web.api.shapes import Body, Page, Shape
from subscribers import List, SubscriptionState

room = Room("lists")

Slug = Annotated[str, Path(description="a list's slug")]


class ListShape(Shape):
    slug: str
    name: str
    description: str
    double_opt_in: bool = Field(description="a sign-up waits for the answer to a letter")
    counts: dict[SubscriptionState, int] = Field(description="subscriptions in each state")


def _shown(conn: Connection, one: List) -> ListShape:
    return ListShape(
        slug=one.slug,
        name=one.name,
        description=one.description,
        double_opt_in=one.double_opt_in,
        counts=dict(subscribers.counts(conn, one.slug)),
    )


@room.does("GET", "/lists", Scope.LISTS_READ, summary="All lists")
def list_lists(by: By) -> Page[ListShape]:
    with by.app.db.read() as conn:
        return Page(data=[_shown(conn, one) for one in subscribers.list_lists(conn)], next_cursor=None)


@room.does("GET", "/lists/{slug}", Scope.LISTS_READ, summary="Get one list", problems=(404,))
def get_list(by: By, slug: Slug) -> ListShape:
    with by.app.db.read() as conn:
        return _shown(conn, subscribers.get_list(conn, slug))


class NewList(Body):
    slug: str = Field(max_length=60, examples=["institute-news"])
    name: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=2000)
    double_opt_in: bool = True


@room.does("POST", "/lists", Scope.LISTS_WRITE, summary="Create a list", status=201)
def create_list(by: By, body: NewList) -> ListShape:
    with by.app.db.begin() as conn:
        made = subscribers.create_list(
            conn,
            body.slug,
            name=body.name,
            description=body.description,
            double_opt_in=body.double_opt_in,
            now=by.app.clock.now(),
        )
        return _shown(conn, made)


class ListChanges(Body):
    """What is left out stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=200)
    description: str | None = Field(None, max_length=2000)
    double_opt_in: bool | None = None


@room.does("PATCH", "/lists/{slug}", Scope.LISTS_WRITE, summary="Change a list", problems=(404,))
def change_list(by: By, slug: Slug, body: ListChanges) -> ListShape:
    with by.app.db.begin() as conn:
        known = subscribers.get_list(conn, slug)
        changed = subscribers.update_list(
            conn,
            slug,
            name=known.name if body.name is None else body.name,
            description=known.description if body.description is None else body.description,
            double_opt_in=known.double_opt_in if body.double_opt_in is None else body.double_opt_in,
        )
        return _shown(conn, changed)
