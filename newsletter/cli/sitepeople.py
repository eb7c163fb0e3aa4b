"""What a site file says of people's attributes and of segments. Pure but for `write`, which is the site's own."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

import subscribers
from newsletter.errors import BadInput
from newsletter.store import Connection
from subscribers import Attribute, AttributeType, Segment, SubscribersError

Line = Annotated[str, AfterValidator(lambda text: " ".join(unicodedata.normalize("NFC", text).split()))]


class AttributeEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: Annotated[str, Field(max_length=40)]
    type: AttributeType
    label_vi: Line = ""
    label_en: Line = ""

    @model_validator(mode="after")
    def _labelled(self) -> Self:
        """As it is kept: a label that is not given is the other one, or the slug."""
        both = self.label_vi or self.label_en or self.slug, self.label_en or self.label_vi or self.slug
        if both == (self.label_vi, self.label_en):
            return self
        return self.model_copy(update=dict(zip(("label_vi", "label_en"), both, strict=True)))


class SegmentEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    name: Annotated[Line, Field(min_length=1, max_length=200)]
    query: Annotated[str, AfterValidator(str.strip)]


def entry_of_attribute(attribute: Attribute) -> AttributeEntry:
    return AttributeEntry(
        slug=attribute.slug, type=attribute.type, label_vi=attribute.label_vi, label_en=attribute.label_en
    )


def entry_of_segment(segment: Segment) -> SegmentEntry:
    return SegmentEntry(slug=segment.slug, name=segment.name, query=segment.query)


def check_people(
    wanted: tuple[Sequence[AttributeEntry], Sequence[SegmentEntry]],
    present: Iterable[AttributeEntry],
    *,
    lists: Iterable[str],
    path: Path,
) -> None:
    """Attributes can be declared, and queries read with them. `present`: what is declared already. Raises BadInput."""
    attributes, segments = wanted
    known = {entry.slug: entry for entry in present}
    for at, entry in enumerate(attributes):
        before = known.get(entry.slug)
        if before is not None and before.type is not entry.type:
            raise BadInput(f"attributes[{at}].type: {entry.slug} is declared as {before.type}", where=str(path))
        try:
            subscribers.check_declaration(entry.slug, entry.type)
        except SubscribersError as error:
            raise BadInput(f"attributes[{at}].{error.where}: {error.what}", where=str(path), hint=error.hint) from None
    declared = [Attribute(**entry.model_dump()) for entry in (known | {one.slug: one for one in attributes}).values()]
    slugs = frozenset(lists)
    for at, segment in enumerate(segments):
        try:
            subscribers.check_query(segment.query, declared, slugs)
        except SubscribersError as error:
            raise BadInput(f"segments[{at}].query: {error}", where=str(path)) from None


def write(
    conn: Connection,
    wanted: tuple[Sequence[AttributeEntry], Sequence[SegmentEntry]],
    to_do: dict[tuple[str, str], str],
    *,
    now: datetime,
) -> None:
    """Attributes before the segments that name them. `to_do`: (kind, slug) to created, changed or unchanged."""
    attributes, segments = wanted
    for entry in attributes:
        if to_do["attribute", entry.slug] != "unchanged":
            subscribers.declare_attribute(conn, **entry.model_dump(), now=now)
    for segment in segments:
        action = to_do["segment", segment.slug]
        if action == "created":
            subscribers.create_segment(conn, **segment.model_dump(), now=now)
        elif action == "changed":
            subscribers.update_segment(conn, **segment.model_dump(), now=now)
