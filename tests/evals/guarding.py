"""How well the guard tells true summaries from false ones: human references with one fact exchanged, and plain extracts.

In each reference that the guard accepts one figure's digits, or one name, is exchanged for a wrong one; a reference in
another language stands for a summary of another article. Extracts are the lead: they say only what the article says.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from newsletter.model import SummaryOrigin, Verdict
from newsletter.summarise import guard
from newsletter.summarise.words import primary
from tests.evals.data import records
from tests.evals.summarising import STORY_SETS, whole_sentence_lead
from tests.evals.tables import Table, row

FACTS = frozenset({"figure", "name", "quotation"})
FALSE = FACTS | {"overlap", "language", "script"}  # what an extract cannot be; a link in it may rightly be refused
_FIGURE = re.compile(r"(?<!\w)\d+(?:[.,:/]\d+)*")
_WORD = re.compile(r"[^\W_][\w'’\-&.]*")
_BREAK = re.compile(r"(?<=[.!?…:])\s+|\n+|[\"“”«»(),;]")


@dataclass(slots=True, kw_only=True)
class GuardScore:
    """Counts of one set: how many were tried, and how many of them the guard refused."""

    references: int = 0
    references_refused: int = 0
    figures: int = 0
    figures_caught: int = 0
    names: int = 0
    names_caught: int = 0
    strangers: int = 0  # references of articles in another language
    strangers_caught: int = 0
    extracts: int = 0
    extracts_refused: int = 0

    def __iadd__(self, other: "GuardScore") -> "GuardScore":
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        return self


def score_guard(record: dict[str, Any], *, stranger: str, elsewhere: str, chance: random.Random) -> GuardScore:
    """`stranger`: a summary in another language. `elsewhere`: another article, where wrong names come from."""
    reference, score = record["reference"], GuardScore(references=1)
    kinds = _kinds(_judged(record, reference))
    score.references_refused = int(bool(kinds & FACTS))
    changed = _with_other_figure(reference, chance) if "figure" not in kinds else None
    if changed:
        score.figures, score.figures_caught = 1, int("figure" in _kinds(_judged(record, changed)))
    renamed = _with_other_name(record, elsewhere, chance) if "name" not in kinds else None
    if renamed:
        score.names, score.names_caught = 1, int("name" in _kinds(_judged(record, renamed)))
    score.strangers, score.strangers_caught = 1, int(not _judged(record, stranger).ok)
    lead = whole_sentence_lead(record["text"], record.get("lang") or "")
    if lead and guard.is_whole(lead) and guard.SHORTEST <= len(lead) <= guard.LONGEST:
        score.extracts, score.extracts_refused = (
            1,
            int(bool(_kinds(_judged(record, lead, SummaryOrigin.EXTRACT)) & FALSE)),
        )
    return score


def _judged(record: dict[str, Any], summary: str, origin: SummaryOrigin = SummaryOrigin.MODEL) -> Verdict:
    title, text, language = record.get("title") or "", record["text"], record.get("lang")
    return guard.check(summary, title=title, standfirst=None, text=text, language=language, origin=origin)


def _kinds(verdict: Verdict) -> set[str]:
    return {reason.split(":")[0] for reason in verdict.reasons}


def _with_other_figure(reference: str, chance: random.Random) -> str | None:
    found = list(_FIGURE.finditer(reference))
    if not found:
        return None
    one = chance.choice(found)
    other = "".join(str((int(c) + chance.randint(1, 8)) % 10) if c.isdigit() else c for c in one.group())
    return reference[: one.start()] + other + reference[one.end() :]


def _with_other_name(record: dict[str, Any], elsewhere: str, chance: random.Random) -> str | None:
    source = f"{record.get('title') or ''} {record['text']}".lower()
    own = names(record["reference"])
    foreign = [name for name in names(elsewhere) if name.lower() not in source]
    if not own or not foreign:
        return None
    return str(record["reference"]).replace(chance.choice(own), chance.choice(foreign), 1)


def names(text: str) -> list[str]:
    """Runs of two and more capitalised words, as written."""
    found: list[str] = []
    for part in _BREAK.split(text):
        run: list[str] = []
        for word in [*_WORD.findall(part), ""]:
            if word[:1].isupper():
                run.append(word.rstrip("."))
            else:
                found += [" ".join(run)] if len(run) > 1 else []
                run = []
    return [name for name in found if name in text]


COLUMNS = (
    "guard", "references", "refused for a fact", "altered figure caught", "foreign name caught", "other language caught",
    "extracts", "extracts refused",
)  # fmt: skip
_BARS = {
    "altered figure caught": "≥ 90 %", "foreign name caught": "≥ 95 %", "other language caught": "100 %",
    "extracts refused": "0",
}  # fmt: skip


def guard_row(name: str, score: GuardScore) -> list[str]:
    return row(
        name,
        {
            "references": str(score.references),
            "refused for a fact": _share(score.references_refused, score.references),
            "altered figure caught": f"{_share(score.figures_caught, score.figures)} of {score.figures}",
            "foreign name caught": f"{_share(score.names_caught, score.names)} of {score.names}",
            "other language caught": _share(score.strangers_caught, score.strangers),
            "extracts": str(score.extracts),
            "extracts refused": str(score.extracts_refused),
        },
        COLUMNS,
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.1f} %"


def measure(folder: Path, *, limit: int | None) -> Iterator[Table]:
    """One table of the sets in `folder` with one human reference an article; the others are passed over."""
    sets: list[tuple[str, Sequence[dict[str, Any]]]] = []
    for path in sorted(folder.glob("*.jsonl")):
        found = [r for r in records(path, limit) if {"text", "reference", "lang"} <= r.keys()]
        if found and path.stem not in STORY_SETS:
            sets.append((path.stem, found))
    rows, every = [], GuardScore()
    for name, found in sets:
        score = _set_score(found, sets)
        every += score
        rows.append(guard_row(name, score))
    if rows:
        yield Table("Guard", COLUMNS, [*rows, guard_row("all", every), row("bar", _BARS, COLUMNS)], [])


def _set_score(found: Sequence[dict[str, Any]], sets: Sequence[tuple[str, Sequence[dict[str, Any]]]]) -> GuardScore:
    chance, total = random.Random(3), GuardScore()
    language = primary(found[0].get("lang"), found[0]["text"])
    strangers = [r["reference"] for _, others in sets for r in others if primary(r["lang"], r["text"]) != language]
    for at, record in enumerate(found):
        total += score_guard(
            record,
            stranger=chance.choice(strangers)
            if strangers
            else "Der Rat der Stadt hat gestern den Plan nicht beschlossen.",
            elsewhere=found[(at + 7) % len(found)]["text"][:1500],
            chance=chance,
        )
    return total
