"""Which pictures an issue needs, in which size, and what is shown when one cannot be had. Pure; `obtaining` does it.

Every item comes out, with a picture of its slot's ratio or without one: a design has a shape for both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from newsletter.compose.context import ItemView
from newsletter.compose.safe import http_url
from newsletter.mail.inline import cid_url
from newsletter.model import Finding, Image, Item, PictureMode
from newsletter.store.images import Fetch, Key

WIDEST = 1200  # CSS pixels of a slot
MOST = 30  # pictures of an issue; with 7.4 kB of HTML for each, 100 kB hold 13
ASKED_AGAIN = timedelta(days=7)  # after which a publisher's picture is looked at anew
TRIED_AGAIN = timedelta(minutes=10)  # after which one that could not be had is tried again

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """How large pictures are shown at most, in CSS pixels; the files have twice as many. None: no picture there.

    The defaults are the bulletin's: 16:9 for the lead over the whole text width, 3:2 beside the title of an item.
    """

    lead: Size | None = (552, 310)
    item: Size | None = (143, 95)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A picture wanted for the item at `position`."""

    position: int
    title: str
    url: str
    slot: Size

    @property
    def key(self) -> Key:
        return (self.url, *self.slot)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What an item shows: the picture's address in the mail, and the size it is shown in."""

    src: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The pictures of an issue. `linked`: they stay as their publishers have them; `places` (by position) is then empty."""

    linked: bool = True
    places: Mapping[int, Place] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def mode_of(wanted: PictureMode, base_url: str) -> PictureMode:
    """Over plain http we host none: mail programs block such pictures, and preflight refuses them."""
    secure = base_url.startswith("https://")
    return PictureMode.LINKED if wanted is PictureMode.HOSTED and not secure else wanted


def insecure(wanted: PictureMode, base_url: str) -> tuple[Finding, ...]:
    """What staff are told when pictures could not be hosted."""
    if mode_of(wanted, base_url) is wanted:
        return ()
    message = "pictures stay with their publishers, because base_url is not https"
    return (Finding(check="pictures", level="warning", where="base_url", message=message),)


def wishes(
    items: Sequence[Item], slots: Slots, *, lead: bool, shown: int
) -> tuple[tuple[Wish, ...], tuple[Finding, ...]]:
    """The pictures wanted for the first `shown` items, the first of which is the `lead`; what has no web address is told."""
    found, findings = [], []
    for at, item in enumerate(sorted(items, key=lambda item: item.position)[: min(shown, MOST)]):
        slot = slots.lead if lead and at == 0 else slots.item
        if slot is None or not item.image:
            continue
        url = http_url(item.image)
        if url is None:
            findings.append(without(item.title, "its address is not one of the web"))
        else:
            found.append(Wish(position=item.position, title=item.title, url=url, slot=slot))
    return tuple(found), tuple(findings)


def to_fetch(wanted: Sequence[Wish], known: Mapping[Key, Fetch], *, now: datetime) -> list[Wish]:
    """Those that must be asked for; the same address in the same slot once."""
    first = {wish.key: wish for wish in wanted}.values()
    return [wish for wish in first if not _fresh(known.get(wish.key), now)]


def _fresh(fetch: Fetch | None, now: datetime) -> bool:
    return fetch is not None and now - fetch.at < (ASKED_AGAIN if fetch.image else TRIED_AGAIN)


def without(title: str, reason: str) -> Finding:
    return Finding(check="pictures", level="warning", where=title, message=f"goes without its picture: {reason}")


def place_of(image: Image, slot: Size, src: str) -> Place:
    """Shown over the whole width of its slot, in its own ratio."""
    return Place(src=src, width=slot[0], height=round(slot[0] * image.height / image.width))


def src_of(image: Image, mode: PictureMode, *, base_url: str, domain: str) -> str:
    """The address of a picture of ours in a rendering."""
    if mode is PictureMode.EMBEDDED:
        return cid_url(image.name, domain)
    return f"{base_url}/images/{image.name}"


def with_pictures(views: Sequence[ItemView], shown: Shown) -> tuple[ItemView, ...]:
    """The items as they are shown: each with the picture that was made for it, or with none."""
    if shown.linked:
        return tuple(views)
    return tuple(_with(view, shown.places.get(view.position)) for view in views)


def _with(view: ItemView, place: Place | None) -> ItemView:
    if place is None:
        return replace(view, image=None)
    return replace(view, image=place.src, image_width=place.width, image_height=place.height)
