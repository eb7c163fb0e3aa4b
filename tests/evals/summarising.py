"""How good summaries are: the product's own summariser against human references, beside the plainest rival.

The rival is the whole-sentence lead: of the first three sentences those that fit. Reads and measures only.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from newsletter.model import Summary
from newsletter.summarise.choice import summarise
from newsletter.summarise.sentences import split
from tests.evals import scoring
from tests.evals.data import records
from tests.evals.scoring import NOTHING, Rouge
from tests.evals.tables import Table, per_second, row
from tests.evals.timing import Outcome, timed

MAX_CHARS = 300  # the budget all published figures are given for
LEAD_SENTENCES = 3
MOST_NAMED = 10
STORY_SETS = frozenset({"dup_vi_clusters", "mds_multi"})  # several articles of one story: another question


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryScore:
    """One article. A failure (nothing said, or an error raised) scores nothing and is counted."""

    id: str
    language: str
    rouge: Rouge
    lead: Rouge
    chars: int = 0
    ungrounded: bool = False  # says a figure that neither title nor text holds
    broken: bool = False  # a sentence of it does not end where one of the text ends
    over: bool = False  # longer than the budget
    refused: bool = False  # the guard would hold it
    sentences: int = 0
    spans: int = 0  # sentences that stand at their offsets in the text
    seconds: float = 0.0  # CPU
    failure: str = ""


def score_summary(record: dict[str, Any], summary: Summary | None, outcome: Outcome) -> SummaryScore:
    """`record`: id, lang, title, text, reference or references. Over-long answers are clipped before they are scored."""
    title, text, language = record.get("title") or "", record["text"], record.get("lang") or ""
    references = record.get("references") or [record["reference"]]
    lead = scoring.rouge(whole_sentence_lead(text, language), references)
    if summary is None or not summary.text.strip():
        return SummaryScore(
            id=record["id"],
            language=language,
            rouge=NOTHING,
            lead=lead,
            seconds=outcome.seconds,
            failure=outcome.failure or "no summary",
        )
    shown = scoring.clipped(summary.text.strip(), MAX_CHARS)
    source = f"{title}\n{text}"
    return SummaryScore(
        id=record["id"],
        language=language,
        rouge=scoring.rouge(shown, references),
        lead=lead,
        chars=len(shown),
        ungrounded=bool(scoring.figures(summary.text) - scoring.figures(source)),
        broken=not all(
            sentence.text == title if sentence.origin == "title" else scoring.ends_whole(sentence.text, text)
            for sentence in summary.sentences
        ),
        over=len(summary.text.strip()) > MAX_CHARS,
        refused=not summary.guard.ok,
        sentences=sum(sentence.origin == "text" for sentence in summary.sentences),
        spans=sum(text[s.start : s.end] == s.text for s in summary.sentences if s.start is not None),
        seconds=outcome.seconds,
    )


def whole_sentence_lead(text: str, language: str) -> str:
    """Those of the first three sentences that fit the budget together; the first, clipped, when none does."""
    first = [" ".join(span.of(text).split()) for span in split(text, language)[:LEAD_SENTENCES]]
    taken: list[str] = []
    for sentence in first:
        if len(" ".join([*taken, sentence])) <= MAX_CHARS:
            taken.append(sentence)
    return " ".join(taken) if taken or not first else scoring.clipped(first[0], MAX_CHARS)


def read_set(path: Path, limit: int | None) -> Iterator[SummaryScore]:
    """Each article of the set summarised and scored, in order. The reference is never shown to the summariser."""
    for record in records(path, limit):
        said = partial(
            summarise,
            title=record.get("title") or "",
            text=record["text"],
            language=record.get("lang"),
            max_chars=MAX_CHARS,
        )
        summary, outcome = timed(said, None)
        yield score_summary(record, summary, outcome)


COLUMNS = (
    f"summaries at {MAX_CHARS} characters", "n", "R1", "R2", "RL", "mean", "lead R1", "lead R2", "lead RL", "lead mean",
    "against lead", "chars", "ungrounded", "broken", "over", "spans found", "refused", "failed", "per CPU s",
)  # fmt: skip


_BARS = {
    "mean": "≥ 28.6, vi 23.0", "against lead": "≥ -0.3 each", "ungrounded": "0", "broken": "0", "spans found": "all",
    "failed": "0", "per CPU s": "≥ 150",
}  # fmt: skip


def set_row(name: str, scores: Sequence[SummaryScore]) -> list[str]:
    ours, lead = _mean(score.rouge for score in scores), _mean(score.lead for score in scores)
    return row(name, _quality(ours, lead) | _counts(scores), COLUMNS)


def set_table(sets: Sequence[tuple[str, Sequence[SummaryScore]]]) -> Table:
    """A row a set; the means weigh sets equally, because they differ in size by chance."""
    every = [score for _, scores in sets for score in scores]
    vietnamese = [scores for _, scores in sets if scores[0].language == "vi"]
    rows = [set_row(name, scores) for name, scores in sets]
    rows.append(_mean_row(f"mean of {len(sets)} sets", [scores for _, scores in sets]))
    if vietnamese:
        rows.append(_mean_row(f"mean of {len(vietnamese)} Vietnamese sets", vietnamese))
    rows += [row("all articles", _counts(every), COLUMNS), row("bar", _BARS, COLUMNS)]
    failed = [f"failed: {score.id}: {score.failure}" for score in every if score.failure]
    broken = [f"broken: {score.id}" for score in every if score.broken]
    return Table("Summaries", COLUMNS, rows, [*failed[:MOST_NAMED], *broken[:MOST_NAMED]])


def _counts(scores: Sequence[SummaryScore]) -> dict[str, str]:
    said = [score for score in scores if not score.failure]
    return {
        "n": str(len(scores)),
        "chars": f"{sum(score.chars for score in said) / max(len(said), 1):.0f}",
        "ungrounded": str(sum(score.ungrounded for score in scores)),
        "broken": str(sum(score.broken for score in scores)),
        "over": str(sum(score.over for score in scores)),
        "spans found": f"{sum(score.spans for score in scores)} of {sum(score.sentences for score in scores)}",
        "refused": str(sum(score.refused for score in scores)),
        "failed": str(len(scores) - len(said)),
        "per CPU s": per_second(len(scores), sum(score.seconds for score in scores)),
    }


def _mean_row(name: str, sets: Sequence[Sequence[SummaryScore]]) -> list[str]:
    ours = _mean(_mean(score.rouge for score in scores) for scores in sets)
    lead = _mean(_mean(score.lead for score in scores) for scores in sets)
    return row(name, _quality(ours, lead), COLUMNS)


def _quality(ours: Rouge, lead: Rouge) -> dict[str, str]:
    cells = {f"{prefix}{name}": value for prefix, of in (("", ours), ("lead ", lead)) for name, value in _named(of)}
    shown = {name: f"{100 * value:.2f}" for name, value in cells.items()}
    return shown | {"against lead": f"{100 * (ours.mean - lead.mean):+.2f}"}


def _named(of: Rouge) -> list[tuple[str, float]]:
    return [("R1", of.words), ("R2", of.pairs), ("RL", of.sequence), ("mean", of.mean)]


def _mean(rouges: Iterable[Rouge]) -> Rouge:
    columns = list(zip(*rouges, strict=True))
    return Rouge(*(sum(column) / len(column) for column in columns)) if columns else NOTHING


def measure(folder: Path, *, limit: int | None, tell: Callable[[str], object]) -> Iterator[Table]:
    """One table of the sets in `folder` whose records hold a text and a reference; the others are told and skipped."""
    sets: list[tuple[str, Sequence[SummaryScore]]] = []
    for path in sorted(folder.glob("*.jsonl")):
        first = next(records(path, 1), {})
        if path.stem in STORY_SETS or "text" not in first or not {"reference", "references"} & first.keys():
            tell(f"skipped: {path} is no set of articles with a reference each")
            continue
        sets.append((path.stem, list(read_set(path, limit))))
    if sets:
        yield set_table(sets)
