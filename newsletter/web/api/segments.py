"""Segments, and what they go by: declared attributes and tags.

A query is read before it is kept (subscribers/segments); none of it reaches SQL as text.
"""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import Field

import subscribers
from newsletter.model import PersonId, Scope
from newsletter.store import newsletters
from newsletter.web.api.door import By, Room
from newsletter.web.api.problems import Problem
from newsletter.web.api.shapes import Body, Page, Shape
from subscribers import Attribute, AttributeType, Segment

room = Room("segments")

Slug = Annotated[str, Path(description="a segment's slug")]
Tag = Annotated[str, Field(min_length=1, max_length=80)]


class SegmentShape(Shape):
    slug: str
    name: str
    query: str
    created_at: datetime
    changed_at: datetime


def _shown(one: Segment) -> SegmentShape:
    return SegmentShape(
        slug=one.slug, name=one.name, query=one.query, created_at=one.created_at, changed_at=one.changed_at
    )


@room.does("GET", "/segments", Scope.SEGMENTS_READ, summary="All segments")
def list_segments(by: By) -> Page[SegmentShape]:
    with by.app.db.read() as conn:
        return Page(data=[_shown(one) for one in subscribers.list_segments(conn)], next_cursor=None)


@room.does("GET", "/segments/{slug}", Scope.SEGMENTS_READ, summary="Get one segment", problems=(404,))
def get_segment(by: By, slug: Slug) -> SegmentShape:
    with by.app.db.read() as conn:
        return _shown(subscribers.get_segment(conn, slug))


Query = Annotated[str, Field(min_length=1, max_length=8000, examples=['tag = "alumni" and opened in last 5 issues'])]


class NewSegment(Body):
    slug: str = Field(max_length=60, examples=["active-alumni"])
    name: str = Field(min_length=1, max_length=200)
    query: Query


@room.does("POST", "/segments", Scope.SEGMENTS_WRITE, summary="Keep a segment", status=201)
def create_segment(by: By, body: NewSegment) -> SegmentShape:
    with by.app.db.begin() as conn:
        made = subscribers.create_segment(conn, body.slug, name=body.name, query=body.query, now=by.app.clock.now())
    return _shown(made)


class SegmentChanges(Body):
    """What is left out stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=200)
    query: Query | None = None


@room.does("PATCH", "/segments/{slug}", Scope.SEGMENTS_WRITE, summary="Change a segment", problems=(404,))
def change_segment(by: By, slug: Slug, body: SegmentChanges) -> SegmentShape:
    with by.app.db.begin() as conn:
        known = subscribers.get_segment(conn, slug)
        changed = subscribers.update_segment(
            conn, slug, name=body.name or known.name, query=body.query or known.query, now=by.app.clock.now()
        )
    return _shown(changed)


class Removed(Shape):
    slug: str


@room.does(
    "DELETE",
    "/segments/{slug}",
    Scope.SEGMENTS_WRITE,
    summary="Remove a segment that no newsletter goes by",
    problems=(404, 409),
)
def remove_segment(by: By, slug: Slug) -> Removed:
    with by.app.db.begin() as conn:
        known = subscribers.get_segment(conn, slug)
        used = newsletters.of_segment(conn, slug)
        if used:
            raise Problem(409, f"newsletters go by this segment: {', '.join(used)}")
        subscribers.remove_segment(conn, slug)
    return Removed(slug=known.slug)


class Preview(Body):
    list: str = Field(max_length=60, examples=["institute-news"])
    query: Query


class SampleShape(Shape):
    id: str
    email_masked: str
    language: str | None
    tags: tuple[str, ...]


class Previewed(Shape):
    count: int = Field(description="mailable people of the list whom the query names now")
    sample: tuple[SampleShape, ...] = Field(description="the first ten of them")


@room.does(
    "POST",
    "/segments/preview",
    Scope.SUBSCRIBERS_READ,
    summary="Whom a query names, before it is kept",
    kept=False,
    problems=(404,),
)
def preview_segment(by: By, body: Preview) -> Previewed:
    """Changes nothing. A query that cannot be read is 422; the reason says where."""
    now, zone = by.app.clock.now(), by.app.settings.timezone
    with by.app.db.read() as conn:
        count = subscribers.count_segment(conn, body.list, body.query, now=now, time_zone=zone)
        found = subscribers.sample_segment(conn, body.list, body.query, now=now, time_zone=zone)
    shown = (
        SampleShape(id=one.person_id, email_masked=str(one.address), language=one.language, tags=one.tags)
        for one in found
    )
    return Previewed(count=count, sample=tuple(shown))


# ---------------------------------------------------------------- what they go by


class AttributeShape(Shape):
    slug: str
    type: AttributeType
    label_vi: str
    label_en: str


def _attribute(one: Attribute) -> AttributeShape:
    return AttributeShape(slug=one.slug, type=one.type, label_vi=one.label_vi, label_en=one.label_en)


@room.does("GET", "/attributes", Scope.SEGMENTS_READ, summary="All attributes that are declared")
def list_attributes(by: By) -> Page[AttributeShape]:
    with by.app.db.read() as conn:
        return Page(data=[_attribute(one) for one in subscribers.list_attributes(conn)], next_cursor=None)


class NewAttribute(Body):
    slug: str = Field(max_length=40, examples=["job_title"])
    type: AttributeType
    label_vi: str = Field("", max_length=80)
    label_en: str = Field("", max_length=80)


@room.does("POST", "/attributes", Scope.SEGMENTS_WRITE, summary="Declare an attribute, or label it anew", status=201)
def declare_attribute(by: By, body: NewAttribute) -> AttributeShape:
    with by.app.db.begin() as conn:
        made = subscribers.declare_attribute(
            conn,
            body.slug,
            type=body.type,
            now=by.app.clock.now(),
            label_vi=body.label_vi,
            label_en=body.label_en,
        )
    return _attribute(made)


class TagCount(Shape):
    tag: str
    people: int


@room.does("GET", "/tags", Scope.SEGMENTS_READ, summary="All tags and how many people have each")
def list_tags(by: By) -> Page[TagCount]:
    with by.app.db.read() as conn:
        return Page(data=[TagCount(tag=one, people=n) for one, n in subscribers.list_tags(conn)], next_cursor=None)


class Tagging(Body):
    add: tuple[Tag, ...] = Field((), max_length=100)
    remove: tuple[Tag, ...] = Field((), max_length=100)


class Tagged(Shape):
    tags: tuple[str, ...] = Field(description="all they have now")


@room.does(
    "POST",
    "/subscribers/{id}/tags",
    Scope.SUBSCRIBERS_WRITE,
    summary="Put tags on a subscriber, or take them off",
    kept=False,
    problems=(404,),
)
def tag_subscriber(by: By, id: Annotated[str, Path(description="a subscriber's id")], body: Tagging) -> Tagged:
    with by.app.db.begin() as conn:
        subscribers.tag(conn, PersonId(id), body.add)
        return Tagged(tags=subscribers.untag(conn, PersonId(id), body.remove))
