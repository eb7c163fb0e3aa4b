"""What a template knows about readers who chose topics: its `segment` and `in_full` blocks, and counts that stay true.

An issue whose items have no topics is rendered without any mark. Otherwise items, sections and lists of them are handed
to `segment`, which puts marks around what it encloses (mail/segments.py cuts there), and the numbers of items a template
prints are marks as well, said for each reader. Pure.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from newsletter.compose.arrange import Arrangement
from newsletter.compose.context import ItemView, SectionView
from newsletter.locale import Labels
from newsletter.mail.markers import Count, count_mark, segment_marks
from newsletter.model import Segments


class Counted(int):
    """How many of the items `first` … `last` - 1 a reader gets: a number to compare with, printed as a mark."""

    count: Count
    nonce: str

    def __new__(cls, nonce: str, first: int, last: int) -> "Counted":
        made = super().__new__(cls, last - first)
        made.count, made.nonce = Count(first, last), nonce
        return made

    def __str__(self) -> str:
        return count_mark(self.nonce, self.count)

    def __format__(self, form: str) -> str:
        return str(self)

    def said(self, phrase: int) -> str:
        """The mark for this number in the words of a phrase."""
        return count_mark(self.nonce, self.count._replace(phrase=phrase))


class Marking:
    """The variables of a rendering that depend on topics, and afterwards what the rendering needs to be cut."""

    def __init__(self, made: Arrangement, words: Labels, *, nonce: str, acts: bool = True) -> None:
        """Not `acts`: nothing is marked."""
        listed = [*([made.lead] if made.lead else []), *(i for s in made.sections for i in s.items), *made.briefs]
        self._topics = tuple(item.topics for item in (*listed, *made.rest))
        self._acts = acts and any(self._topics)
        self._blocks: dict[bool, set[int]] = {True: set(), False: set()}  # items marked in HTML, in text
        self._made, self._words, self._nonce = made, words, nonce
        self._phrases: list[tuple[str, str]] = []

    @property
    def complete(self) -> bool:
        """Whether each listed item that has topics stands in a segment, in both parts: else nothing can be left out."""
        listed = len(self._topics) - self._made.more
        wanted = {at for at, topics in enumerate(self._topics[:listed]) if topics}
        return not self._acts or all(wanted <= blocks for blocks in self._blocks.values())

    def segments(self) -> Segments | None:
        return Segments(topics=self._topics, phrases=tuple(self._phrases)) if self._acts else None

    def variables(self, *, html: bool) -> dict[str, Any]:
        made, total = self._made, len(self._topics)
        listed = total - made.more
        return {
            "lead": self._numbered(made.lead) if made.lead else None,
            "sections": tuple(self._sections()),
            "briefs": tuple(map(self._numbered, made.briefs)),
            "more": self._counted(listed, total),
            "more_besides": self._counted(listed, listed + made.besides),
            "item_count": self._counted(0, total),
            "ngettext": self._ngettext,
            "segment": self._block(html, self._reached),
            "in_full": self._block(html, self._everything),
        }

    def _counted(self, first: int, last: int) -> int:
        """So many items; where topics act, a mark that counts those the reader gets."""
        return Counted(self._nonce, first, last) if self._acts and last > first else last - first

    def _sections(self) -> Iterator[SectionView]:
        """Each knows which of the last items it counts: the rest ends with them, in the order of the sections."""
        at = len(self._topics) - self._made.more + self._made.besides
        for section in self._made.sections:
            items = tuple(map(self._numbered, section.items))
            yield replace(section, items=items, more=self._counted(at, at + section.more))
            at += section.more

    def _numbered(self, item: ItemView) -> ItemView:
        """Its number among those the reader gets is the count of all up to it."""
        return replace(item, position=Counted(self._nonce, 0, item.position)) if self._acts else item

    def _ngettext(self, singular: str, plural: str, n: int, **values: object) -> str:
        if not isinstance(n, Counted):
            return self._words.ngettext(singular, plural, n, **values)
        if (singular, plural) not in self._phrases:
            self._phrases.append((singular, plural))
        return n.said(self._phrases.index((singular, plural)))

    def _block(self, html: bool, reached: Callable[..., tuple[int, ...] | None]) -> Callable[..., str]:
        """A function for `{% call %}`; `reached` gives the items, () for those who get all, or None for no mark."""

        def block(*things: object, caller: Callable[[], str]) -> str:
            inner = caller()
            items = reached(*things) if self._acts and inner.strip() else None
            if items is None:
                return inner
            self._blocks[html].update(items)
            begin, end = segment_marks(self._nonce, items, html=html)
            return Markup(begin) + inner + Markup(end) if html else begin + inner + end  # noqa: S704 (marks of ours)

        return block

    def _reached(self, *things: object) -> tuple[int, ...] | None:
        """The numbers of the items meant; None when one of them is for everybody, or none is meant."""
        items = tuple(_items(things))
        return items if items and all(self._topics[at] for at in items) else None

    def _everything(self, wanted: object = True) -> tuple[int, ...] | None:
        return () if wanted else None


def _items(things: object) -> Iterator[int]:
    if isinstance(things, ItemView):
        yield int(things.position) - 1
    elif isinstance(things, SectionView):
        yield from _items((things.items, things.more))
    elif isinstance(things, Counted):
        yield from range(things.count.first, things.count.last)
    elif isinstance(things, tuple | list):
        for thing in things:
            yield from _items(thing)
