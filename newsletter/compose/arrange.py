"""From a row of items to lead, sections and briefs, and how that shrinks when the mail grows too heavy. Pure.

Every item given comes out: as lead, in a section, as a brief, or counted in `more`. Nothing is dropped unsaid. Items over the
limit of their section are only counted, in `more` and, where it is shown, in their section's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from newsletter.compose.context import ItemView, SectionView


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How many of each a design shows; `[layout]` of its design.toml."""

    lead: bool = True
    cards: int = 5  # items with a blurb after the lead
    briefs: int = 6  # title and date only; more of them go to the web view, if there is one
    sections_from: int = 6  # with fewer items, headings divide more than they help


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    lead: ItemView | None
    sections: tuple[SectionView, ...]
    briefs: tuple[ItemView, ...]
    rest: tuple[
        ItemView, ...
    ] = ()  # only counted, and shown on the web; those that a section counts last, in its order
    thumbnails: bool = True

    @property
    def more(self) -> int:
        return len(self.rest)

    @property
    def besides(self) -> int:
        """Those of `rest` that no section counts."""
        return self.more - sum(section.more for section in self.sections)

    @property
    def listed(self) -> int:
        return bool(self.lead) + sum(len(section.items) for section in self.sections) + len(self.briefs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Squeeze:
    """How far the mail was shrunk: the fields count what remains."""

    thumbnails: bool
    cards: int
    briefs: int


def squeezes(items: Sequence[ItemView], layout: Layout, *, web_view: bool) -> tuple[Squeeze, ...]:
    """All stages from full to smallest: thumbnails go first, then blurbs from the tail, then items from the tail.

    A picture item weighs 7.4 kB, a text item 4.2 kB, a brief 0.3 kB: the cheapest loss saves most.
    """
    items = _in_mail(items)
    cards, briefs = _full(len(items) - bool(layout.lead and items), layout, web_view=web_view)
    full = Squeeze(thumbnails=True, cards=cards, briefs=briefs)
    bare = [replace(full, thumbnails=False)] if any(item.image for item in items[1:]) else []
    fewer_cards = [Squeeze(thumbnails=False, cards=n, briefs=briefs + cards - n) for n in range(cards - 1, -1, -1)]
    fewer_briefs = [Squeeze(thumbnails=False, cards=0, briefs=n) for n in range(briefs + cards - 1, -1, -1)]
    return (full, *bare, *fewer_cards, *fewer_briefs)


def _full(rest: int, layout: Layout, *, web_view: bool) -> tuple[int, int]:
    """(cards, briefs) of an issue with `rest` items after the lead. A single brief would be a heading for one line."""
    cards = min(rest, layout.cards)
    cards += rest == layout.cards + 1
    briefs = rest - cards
    return cards, min(briefs, layout.briefs) if web_view else briefs


def arrange(items: Sequence[ItemView], layout: Layout, squeeze: Squeeze, *, rest_title: str) -> Arrangement:
    """Lead, sections, briefs in reading order, positions renumbered. `rest_title` heads items without a section."""
    shown = _in_mail(items)
    lead = shown[0] if layout.lead and shown else None
    rest = shown[1:] if lead else shown
    cards = rest[: squeeze.cards]
    briefs = rest[squeeze.cards : squeeze.cards + squeeze.briefs]
    titled = len(shown) >= layout.sections_from
    web = [item for item in items if item.only_web]
    sections = sectioned(cards, rest_title, web) if titled else _untitled(cards)
    told = [item for section in sections for item in section.on_web]
    besides = [*rest[len(cards) + len(briefs) :], *(item for item in web if item not in told)]
    return numbered(
        Arrangement(
            lead=lead,
            sections=sections,
            briefs=tuple(briefs),
            rest=(*besides, *told),
            thumbnails=squeeze.thumbnails,
        )
    )


def _untitled(items: Sequence[ItemView]) -> tuple[SectionView, ...]:
    return (SectionView(title=None, items=tuple(items)),) if items else ()


def _in_mail(items: Sequence[ItemView]) -> list[ItemView]:
    return [item for item in items if not item.only_web]


def sectioned(items: Sequence[ItemView], rest_title: str, web: Sequence[ItemView] = ()) -> tuple[SectionView, ...]:
    """Sections as they are declared, else in order of first appearance; those of one item, and items without one, end under
    `rest_title`. `web`: the items that are only on the web; each counts where its section is shown.
    """
    more: dict[str | None, tuple[ItemView, ...]] = {}
    for item in web:
        more[item.section] = (*more.get(item.section, ()), item)
    groups: dict[str | None, list[ItemView]] = {}
    for item in sorted(items, key=lambda item: item.section_at):
        groups.setdefault(item.section, []).append(item)
    kept = {title: group for title, group in groups.items() if title and len(group) + len(more.get(title, ())) > 1}
    rest = [item for item in items if item.section not in kept]
    if not kept:
        return _untitled(rest)
    named = [
        SectionView(
            title=title,
            items=tuple(replace(item, kicker=None) for item in group),
            more=len(more.get(title, ())),
            on_web=more.get(title, ()),
        )
        for title, group in kept.items()
    ]
    # The default section stands last: its others are counted right below it, with those that no section counts.
    return (*named, SectionView(title=rest_title, items=tuple(rest))) if rest else tuple(named)


def numbered(arrangement: Arrangement) -> Arrangement:
    """Positions 1, 2, 3 … in reading order: what click statistics by position mean."""
    start = 1 + bool(arrangement.lead)
    sections = []
    for section in arrangement.sections:
        sections.append(replace(section, items=_renumbered(section.items, start)))
        start += len(section.items)
    return replace(
        arrangement,
        lead=replace(arrangement.lead, position=1) if arrangement.lead else None,
        sections=tuple(sections),
        briefs=_renumbered(arrangement.briefs, start),
    )


def _renumbered(items: Iterable[ItemView], start: int) -> tuple[ItemView, ...]:
    return tuple(replace(item, position=position) for position, item in enumerate(items, start))
