"""How well articles of one story are found: pairs of articles, in the order they appeared, as an installation meets them.

It begins with nothing counted, as a new installation does. `cluster` equal = same story. Reads and measures only.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from newsletter.collect.stories.story import Told, Window, compare, pack
from newsletter.collect.stories.words import Frequencies, read, weighed
from newsletter.model import ArticleId, SourceId, StoryId
from tests.evals.data import records
from tests.evals.tables import Table, per_second, row

SET = "dup_vi_clusters"
_NO_DAY = datetime(2026, 1, 1, tzinfo=UTC)

COLUMNS = ("same story", "articles", "pairs", "precision", "recall", "F1", "per CPU s")
BARS = {"F1": "≥ .87, aim .92"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    found: int
    right: int
    wanted: int

    @property
    def cells(self) -> dict[str, str]:
        return {
            "pairs": str(self.wanted),
            "precision": f"{self.right / max(self.found, 1):.3f}",
            "recall": f"{self.right / max(self.wanted, 1):.3f}",
            "F1": f"{2 * self.right / max(self.found + self.wanted, 1):.3f}",
        }


def appeared(record: dict[str, Any]) -> datetime:
    """ "22/10/2013 20:30"; one common moment where there is none."""
    try:
        return datetime.strptime(record.get("time", "").strip(), "%d/%m/%Y %H:%M").replace(tzinfo=UTC)
    except ValueError:
        return _NO_DAY


def decide(rows: Sequence[dict[str, Any]], *, dated: bool) -> list[Told]:
    """Each article compared with those before it, every one from a source of its own."""
    window, seen = Window(), dict[int, int]()
    decided = []
    for number, record in enumerate(rows, 1):
        words = read(record["title"], record["text"])
        for term in words.terms:
            seen[term] = seen.get(term, 0) + 1
        frequencies = Frequencies(documents=number, of={term: seen[term] for term in words.terms})
        vector, runs, figures = pack(words, weighed(words.terms, frequencies, record["lang"]))
        moment = appeared(record) if dated else _NO_DAY
        new = Told(
            article_id=ArticleId(record["id"]),
            story_id=StoryId(record["id"]),
            source_id=SourceId(str(number)),
            named=False,
            moment=moment,
            day=moment.date().isoformat() if dated else None,
            title=record["title"],
            vector=vector,
            runs=runs,
            figures=figures,
        )
        match = window.match(new)
        new = replace(new, story_id=match.other.story_id) if match else new
        window.add(new)
        decided.append(new)
    return decided


def score(rows: Sequence[dict[str, Any]], same: Callable[[int, int], bool]) -> Pairs:
    found = right = wanted = 0
    for one, other in itertools.combinations(range(len(rows)), 2):
        is_same, said = rows[one]["cluster"] == rows[other]["cluster"], same(one, other)
        found, right, wanted = found + said, right + (said and is_same), wanted + is_same
    return Pairs(found=found, right=right, wanted=wanted)


def table(rows: Sequence[dict[str, Any]]) -> Table:
    """Two views, each with and without times: what becomes one story, and each pair judged for itself."""
    ordered = sorted(rows, key=lambda record: (appeared(record), record["id"]))
    lines = []
    for dated in (True, False):
        started = time.process_time()
        told = decide(ordered, dated=dated)
        speed = per_second(len(rows), time.process_time() - started)
        joined = score(ordered, lambda a, b, told=told: told[a].story_id == told[b].story_id)  # type: ignore[misc]
        alone = score(ordered, lambda a, b, told=told: compare(told[a], told[b]) is not None)  # type: ignore[misc]
        when = "" if dated else ", without their times"
        size = {"articles": str(len(rows))}
        lines.append(row(f"joined into stories{when}", size | joined.cells | {"per CPU s": speed}, COLUMNS))
        lines.append(row(f"pairs{when}", size | alone.cells, COLUMNS))
    return Table("Same story", COLUMNS, [*lines, row("bar", BARS, COLUMNS)])


def measure(folder: Path, *, limit: int | None, tell: Callable[[str], object]) -> Iterator[Table]:
    path = folder / f"{SET}.jsonl"
    if not path.is_file():
        tell(f"skipped: {path} is not there")
        return
    yield table(list(records(path, limit)))
