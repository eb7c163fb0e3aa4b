"""Which parts of a rendering a reader gets who chose topics. Pure.

A segment is a stretch between two marks for readers who get at least one of its items: an item's block, a section's
heading with all its items, the line between two items. Segments may stand inside each other. Items without a topic are
for everybody, and so is everything for a reader who chose nothing. Counts ("12 stories") are said for what the reader
gets; subject and preheader are the issue's own and the same for all.
"""

import html
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from newsletter.errors import BadInput
from newsletter.locale import labels
from newsletter.mail.markers import Begin, Count, End, Piece, Slot, marker, split
from newsletter.model import Rendering, Segments

Kept = frozenset[int] | None  # the items a reader gets; None: all


def kept_items(segments: Segments | None, topics: Iterable[str]) -> Kept:
    """The items for a reader of these topics. An empty set: there is nothing in it for them."""
    chosen = frozenset(map(folded, topics))
    if segments is None or not chosen:
        return None
    kept = {at for at, own in enumerate(segments.topics) if not own or not chosen.isdisjoint(map(folded, own))}
    return None if len(kept) == len(segments.topics) else frozenset(kept)


def folded(topic: str) -> str:
    """How topics are compared: composed, without regard to capitals and outer blanks."""
    return unicodedata.normalize("NFC", topic).strip().casefold()


def cut(pieces: Sequence[Piece], kept: Kept, say: Callable[[Count], str]) -> list[str | Slot]:
    """What is left for a reader who gets the items `kept`; the literals between marks stay apart."""
    left: list[str | Slot] = []
    shown = [True]
    for piece in pieces:
        if isinstance(piece, Begin):
            shown.append(shown[-1] and (kept is None or not kept.isdisjoint(piece.items)))
        elif isinstance(piece, End):
            shown.pop()
        elif shown[-1]:
            left.append(say(piece) if isinstance(piece, Count) else piece)
    return left


def joined(content: Iterable[str | Slot]) -> list[str | Slot]:
    """The same with neighbouring literals made one."""
    made: list[str | Slot] = []
    for piece in content:
        if made and isinstance(piece, str) and isinstance(made[-1], str):
            made[-1] += piece
        else:
            made.append(piece)
    return made


def counting(rendering: Rendering, kept: Kept, *, markup: bool) -> Callable[[Count], str]:
    """How the counts of a rendering are said to a reader who gets the items `kept`."""
    phrases = rendering.segments.phrases if rendering.segments is not None else ()

    def say(count: Count) -> str:
        words = labels(rendering.language)  # read only where something is counted: a catalogue takes 50 ms
        number = sum(kept is None or at in kept for at in range(count.first, count.last))
        said = words.format_number(number) if count.phrase is None else words.ngettext(*phrases[count.phrase], number)
        return html.escape(said).replace("\xa0", "&nbsp;") if markup else said

    return say


def checked(pieces: Sequence[Piece], segments: Segments | None, where: str) -> None:
    """Raises BadInput unless every segment that begins ends, and marks name items and phrases that are there."""
    depth, items = 0, len(segments.topics) if segments is not None else 0
    phrases = len(segments.phrases) if segments is not None else 0
    for piece in pieces:
        if isinstance(piece, Begin):
            depth += 1
            _within(max(piece.items, default=-1) < items, where)
        elif isinstance(piece, End):
            depth -= 1
            _within(depth >= 0, where)
        elif isinstance(piece, Count):
            _within(piece.last <= items and (piece.phrase is None or piece.phrase < phrases), where)
    _within(depth == 0, where)


def _within(fine: bool, where: str) -> None:
    if not fine:
        raise BadInput("the marks of its segments do not fit together", where=where, hint="compose it again")


def cut_rendering(rendering: Rendering, nonce: str, topics: Collection[str] = ()) -> Rendering:
    """The rendering as a reader of these topics gets it, without marks; markers of values stay."""
    if rendering.segments is None:
        return rendering
    kept = kept_items(rendering.segments, topics)
    return replace(
        rendering,
        html=_cut_text(rendering, rendering.html, nonce, kept),
        text=_cut_text(rendering, rendering.text, nonce, kept),
        segments=None,
    )


def _cut_text(rendering: Rendering, text: str, nonce: str, kept: Kept) -> str:
    say = counting(rendering, kept, markup=text is rendering.html)
    left = cut(split(text, nonce), kept, say)
    return "".join(marker(nonce, piece.field) if isinstance(piece, Slot) else piece for piece in left)
