"""Gets the pictures of an issue: asks the publishers, has them made fit, keeps them. `pictures` decides what is wanted.

Bounded in number (pictures.MOST), octets (5 MB each), time (BUDGET for all, EACH for one) and threads; decoding happens in
a child process with bounds of its own. What cannot be had costs an item its picture and staff a line, never the issue.
"""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from newsletter.app import App
from newsletter.bounded import TooMuch, run_bounded
from newsletter.compose.design import Design
from newsletter.compose.pictures import (
    Place,
    Shown,
    Size,
    Wish,
    insecure,
    mode_of,
    place_of,
    src_of,
    to_fetch,
    wishes,
    without,
)
from newsletter.errors import FetchRefused, SourceError, Unreadable
from newsletter.log import get_logger
from newsletter.model import Finding, Image, Item, Newsletter, PictureMode
from newsletter.store import images
from newsletter.store.images import Fetch, Key

log = get_logger("compose")

MAX_PICTURE = 5 << 20  # octets as they come
BUDGET = 40.0  # seconds for all pictures of an issue; those not reached are asked for at the next composition
EACH = 12.0  # seconds for one
HOSTS_AT_ONCE = 4
CPU = 5  # seconds for decoding one; 50 megapixels take about two
MEMORY = 768 << 20  # bytes for decoding one: 50 megapixels take 200 MB, turned and resized twice that
ACCEPT = "image/avif, image/webp, image/png, image/jpeg, image/gif;q=0.8, image/*;q=0.5"
PAINTER = Path(__file__).with_name("painting.py")
LATE = "no time was left to fetch it"  # it is asked for when the issue is composed again

_painting = threading.Lock()  # one is decoded at a time, however many are asked for: a hostile one may take MEMORY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """`lasting`: worth remembering, because the next question would be answered alike."""

    wish: Wish
    image: Image | None = None
    reason: str = ""
    lasting: bool = True


def obtain(app: App, newsletter: Newsletter, items: Sequence[Item], design: Design, *, now: datetime) -> Shown:
    """The pictures of these items in this design. Never raises for a picture that cannot be had."""
    mode = mode_of(newsletter.images, app.settings.base_url)
    told = insecure(newsletter.images, app.settings.base_url)
    if mode is PictureMode.LINKED:
        return Shown(findings=told)
    if not design.resolve(newsletter.options).get("show_images", True):
        return Shown(linked=False)
    wanted, faults = _wanted(items, design)
    known = _known(app, wanted)
    late = _ask(app, to_fetch(wanted, known, now=now), now=now)
    return _shown(app, mode, wanted, late=late, now=now, findings=(*told, *faults))


def kept(
    app: App,
    newsletter: Newsletter,
    items: Sequence[Item],
    design: Design,
    *,
    sizes: Sequence[Size] = (),
    src: Callable[[Image], str],
    drawn: Callable[[int], str],
) -> Shown:
    """The pictures of these items as far as they are here: to look at a design. Asks nobody and writes nothing.

    `sizes`: of other designs; a picture made for one of them stands in. `src`: where a picture of ours is found. `drawn`:
    what stands, by the item's position, for one that was never fetched.
    """
    if mode_of(newsletter.images, app.settings.base_url) is PictureMode.LINKED:
        return Shown()
    if not design.resolve(newsletter.options).get("show_images", True):
        return Shown(linked=False)
    wanted, _ = _wanted(items, design)
    made = {wish.position: [replace(wish, slot=size) for size in (wish.slot, *sizes)] for wish in wanted}
    known = _known(app, [wish for group in made.values() for wish in group])
    places = {}
    for wish in wanted:
        fetches = (known.get(one.key) for one in made[wish.position])
        image = next((fetch.image for fetch in fetches if fetch is not None and fetch.image is not None), None)
        if image is not None:
            places[wish.position] = place_of(image, wish.slot, src(image))
        else:
            places[wish.position] = Place(src=drawn(wish.position), width=wish.slot[0], height=wish.slot[1])
    return Shown(linked=False, places=places)


def _wanted(items: Sequence[Item], design: Design) -> tuple[tuple[Wish, ...], tuple[Finding, ...]]:
    most = design.layout.lead + design.layout.cards + 1  # a single item behind the cards becomes one
    return wishes(items, design.pictures, lead=design.layout.lead, shown=most)


def _known(app: App, wanted: Sequence[Wish]) -> dict[Key, Fetch]:
    with app.db.read() as conn:
        return dict(images.fetched(conn, [wish.key for wish in wanted]))


def _ask(app: App, asked: Sequence[Wish], *, now: datetime) -> dict[Key, str]:
    """Ask for these, keep what comes; the reasons of those that were not settled, by key."""
    late: dict[Key, str] = {}
    by_host: dict[str, list[Wish]] = {}
    for wish in asked:
        by_host.setdefault(wish.host, []).append(wish)
    if not by_host:
        return late
    deadline = time.monotonic() + BUDGET
    with ThreadPoolExecutor(HOSTS_AT_ONCE, thread_name_prefix="pictures") as pool:
        for answers in pool.map(lambda group: list(_from_host(app, group, deadline)), by_host.values()):
            late |= _kept(app, answers, now=now)
    return late


def _kept(app: App, answers: Sequence[_Answer], *, now: datetime) -> dict[Key, str]:
    with app.db.begin() as conn:
        for answer in answers:
            if answer.image is not None:
                images.keep(conn, answer.wish.key, answer.image, now=now)
            elif answer.lasting:
                images.refuse(conn, answer.wish.key, answer.reason, now=now)
    return {answer.wish.key: answer.reason for answer in answers if answer.image is None and not answer.lasting}


def _from_host(app: App, group: Sequence[Wish], deadline: float) -> Iterator[_Answer]:
    """One after the other. A host that does not answer is asked once: the others would wait as long for nothing."""
    silent = ""
    for wish in group:
        if app.stopping.is_set() or time.monotonic() >= deadline:
            yield _Answer(wish=wish, reason=LATE, lasting=False)
        elif silent:
            yield _Answer(wish=wish, reason=silent)
        else:
            answer, broken = _one(app, wish)
            silent = answer.reason if broken else ""
            yield answer


def _one(app: App, wish: Wish) -> tuple[_Answer, bool]:
    """The answer, and whether its host did not answer at all."""
    try:
        fetched = app.fetcher.get(wish.url, max_body=MAX_PICTURE, accept=ACCEPT, within=EACH)
    except SourceError as error:
        log.info("picture_not_fetched", reason=str(error))
        broken = error.status is None and not isinstance(error, FetchRefused | Unreadable)
        return _Answer(wish=wish, reason=error.what, lasting=not app.stopping.is_set()), broken
    try:
        with _painting:
            return _Answer(wish=wish, image=painted(fetched.body, wish)), False
    except (TooMuch, Unreadable) as error:
        return _Answer(wish=wish, reason=str(error)), False


def painted(body: bytes, wish: Wish) -> Image:
    """Made fit for its slot, in a child process. Raises TooMuch, Unreadable."""
    slot = json.dumps({"width": wish.slot[0], "height": wish.slot[1]}).encode()
    found = run_bounded(PAINTER, slot + b"\n" + body, cpu=CPU, memory=MEMORY)
    if "content" not in found:
        raise Unreadable(found.get("error", "it cannot be read"))
    content = base64.b64decode(found["content"])
    return Image.of(content, found["type"], width=int(found["width"]), height=int(found["height"]))


def _shown(
    app: App,
    mode: PictureMode,
    wanted: Sequence[Wish],
    *,
    late: dict[Key, str],
    now: datetime,
    findings: tuple[Finding, ...],
) -> Shown:
    """Where each wish stands after asking."""
    base_url, domain = app.settings.base_url, app.settings.sender.domain
    known = _known(app, wanted)
    places, names, told = {}, [], list(findings)
    for wish in wanted:
        fetch = known.get(wish.key)
        if fetch is None or fetch.image is None:
            told.append(without(wish.title, late.get(wish.key) or (fetch.reason if fetch else LATE)))
            continue
        src = src_of(fetch.image, mode, base_url=base_url, domain=domain)
        places[wish.position] = place_of(fetch.image, wish.slot, src)
        names.append(fetch.image.name)
    with app.db.begin() as conn:
        images.used(conn, names, now=now)
    return Shown(linked=False, places=places, images=tuple(dict.fromkeys(names)), findings=tuple(told))
