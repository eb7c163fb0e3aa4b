"""Pictures made for mail: kept by the name of their content, for as long as a mailing shows them.

Who opens a mail years later still sees its pictures. What no mailing shows is cleaned once nobody has used it for a month.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from newsletter.model import Image
from newsletter.store.engine import Connection, insert
from newsletter.store.schema.picturing import image_fetches, images, mailing_images

Key = tuple[str, int, int]  # address, width and height of the slot in CSS pixels

KEPT_UNUSED = timedelta(days=30)
CLEANED_AT_ONCE = 500  # rows: a bound for one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """What an address gave when it was last asked: a picture, or the reason why none."""

    url: str
    at: datetime
    image: Image | None  # without its content
    reason: str = ""


def get(conn: Connection, name: str) -> Image | None:
    row = conn.execute(sa.select(images).where(images.c.name == name)).mappings().first()
    return _image(row, row["content"]) if row else None


def read(conn: Connection, names: Sequence[str]) -> list[Image]:
    """Those of these names that are there, with their content, in the order asked for."""
    if not names:
        return []
    rows = conn.execute(sa.select(images).where(images.c.name.in_(names))).mappings()
    found = {row["name"]: _image(row, row["content"]) for row in rows}
    return [found[name] for name in names if name in found]


def keep(conn: Connection, key: Key, image: Image, *, now: datetime) -> None:
    """A picture and where it came from. The same picture twice is one row, used once more."""
    values = {"name": image.name, "width": image.width, "height": image.height, "content": image.content}
    statement = insert(conn, images).values(**values, used_at=now)
    conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"used_at": now}))
    _remember(conn, key, name=image.name, reason=None, now=now)


def refuse(conn: Connection, key: Key, reason: str, *, now: datetime) -> None:
    """There is no picture to be had there."""
    _remember(conn, key, name=None, reason=reason, now=now)


def fetched(conn: Connection, keys: Sequence[Key]) -> Mapping[Key, Fetch]:
    """What is remembered of these addresses."""
    by_digest = {_digest(key): key for key in keys}
    size = (images.c.name, images.c.width, images.c.height)
    query = (
        sa.select(image_fetches.c.key, image_fetches.c.reason, image_fetches.c.fetched_at, *size)
        .join_from(image_fetches, images, images.c.name == image_fetches.c.name, isouter=True)
        .where(image_fetches.c.key.in_(by_digest))
    )
    return {
        by_digest[row["key"]]: Fetch(
            url=by_digest[row["key"]][0],
            at=row["fetched_at"],
            image=_image(row, b"") if row["name"] else None,
            reason=row["reason"] or "",
        )
        for row in conn.execute(query).mappings()
    }


def used(conn: Connection, names: Sequence[str], *, now: datetime) -> None:
    """An issue is composed with them: they are not cleaned meanwhile."""
    if names:
        conn.execute(sa.update(images).where(images.c.name.in_(names)).values(used_at=now))


def clean(conn: Connection, *, now: datetime) -> int:
    """Forget pictures that no mailing shows and nobody used for a month, and addresses not asked since; how many."""
    before = now - KEPT_UNUSED
    shown = sa.select(mailing_images.c.name).where(mailing_images.c.name == images.c.name).exists()
    query = sa.select(images.c.name).where(images.c.used_at < before, ~shown).limit(CLEANED_AT_ONCE)
    names = list(conn.execute(query).scalars())
    old = sa.select(image_fetches.c.key).where(image_fetches.c.fetched_at < before).limit(CLEANED_AT_ONCE)
    conn.execute(sa.delete(image_fetches).where(image_fetches.c.key.in_(list(conn.execute(old).scalars()))))
    conn.execute(sa.delete(image_fetches).where(image_fetches.c.name.in_(names)))
    return conn.execute(sa.delete(images).where(images.c.name.in_(names))).rowcount


def _remember(conn: Connection, key: Key, *, name: str | None, reason: str | None, now: datetime) -> None:
    values = {"url": key[0], "name": name, "reason": reason, "fetched_at": now}
    statement = insert(conn, image_fetches).values(key=_digest(key), **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))


def _digest(key: Key) -> str:
    return hashlib.sha256(repr(key).encode("utf-8", "surrogatepass")).hexdigest()


def _image(row: sa.RowMapping, content: bytes) -> Image:
    return Image(name=row["name"], width=row["width"], height=row["height"], content=content)
