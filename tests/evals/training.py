"""`python -m tests.evals.training DATA [--write]` trains the summariser and prints what it is worth on unseen articles.

DATA/summarise holds the sets that `tests.evals` measures. Cross-validation is by article, and by cluster where articles
tell one story: everything learnt, the frequencies of words too, comes from the other folds. With --write the weights of
all articles go to the package's data files. The same data give the same files.
"""

import argparse
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from newsletter.summarise import extract, rank, salience, sets
from newsletter.summarise.arrays import Floats, np
from newsletter.summarise.weights import LISTED_FROM, Frequencies, Weights
from newsletter.summarise.words import primary, tokens
from tests.evals import fitting, scoring
from tests.evals.data import records
from tests.evals.summarising import MAX_CHARS, STORY_SETS, whole_sentence_lead
from tests.evals.tables import Table, markdown

FOLDS = 5
PACKAGE = Path(extract.__file__).parent
EVEN_SET = 300  # articles; a smaller set counts more per article, by the square root


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One article with the human summaries of it. `group` is never divided between folds."""

    set: str
    group: str
    title: str
    language: str
    texts: Sequence[str]  # the sentences an extract may use
    openings: Sequence[bool]
    references: Sequence[str]
    lead: float  # what the whole-sentence lead scores


def read(folder: Path) -> Iterator[Example]:
    """The articles with a sentence that fits the budget; the others give the trainer nothing to choose from."""
    for path in sorted(folder.glob("*.jsonl")):
        first = next(records(path, 1), {})
        if path.stem in STORY_SETS or "text" not in first or not {"reference", "references"} & first.keys():
            continue
        for record in records(path, None):
            example = _example(path.stem, record)
            if any(len(text) <= MAX_CHARS for text in example.texts):
                yield example


def _example(name: str, record: dict[str, Any]) -> Example:
    text, language = record["text"], primary(record.get("lang"), record["text"])
    references = record.get("references") or [record["reference"]]
    found = extract.readable(text, language)
    return Example(
        set=name,
        group=f"{name}/{record.get('cluster', record['id'])}",
        title=record.get("title") or "",
        language=language,
        texts=[span.of(text) for span in found.spans],
        openings=found.openings,
        references=references,
        lead=scoring.rouge(whole_sentence_lead(text, record.get("lang") or ""), references).mean,
    )


def frequencies(examples: Sequence[Example]) -> dict[str, Frequencies]:
    """Per language in how many articles each word stands, if in LISTED_FROM or more."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    articles = Counter(example.language for example in examples)
    for example in examples:
        counted[example.language].update({word for text in example.texts for word in tokens(text)})
    return {
        language: Frequencies(
            articles=articles[language], words={word: n for word, n in sorted(counts.items()) if n >= LISTED_FROM}
        )
        for language, counts in sorted(counted.items())
    }


def train(examples: Sequence[Example], quality: Callable[[Example, sets.Sets], Floats]) -> Weights:
    """Words first, then pairs (their signs need the words' chances), then sets (theirs need both)."""
    counted = frequencies(examples)
    sizes = Counter(example.set for example in examples)
    importance = np.array([math.sqrt(EVEN_SET / sizes[example.set]) for example in examples])
    by_sentence = [[tokens(text) for text in example.texts] for example in examples]
    read_words = [
        salience.read(words, tokens(example.title), counted[example.language])
        for words, example in zip(by_sentence, examples, strict=True)
    ]
    told = [_told(words, example) for words, example in zip(by_sentence, examples, strict=True)]
    word_weights = _logistic([words.word_signs for words in read_words], [single for single, _ in told], importance)
    pair_signs = [salience.pair_signs(words, salience.likely(words.word_signs, word_weights)) for words in read_words]
    pair_weights = _logistic(pair_signs, [pairs for _, pairs in told], importance)
    partly = Weights(words=word_weights, pairs=pair_weights, sets=np.zeros(len(sets.SET_SIGNS)), frequencies=counted)
    groups = [_choices(example, partly, quality) for example in examples]
    return Weights(
        words=word_weights, pairs=pair_weights, sets=fitting.choosing(groups, importance), frequencies=counted
    )


def _told(by_sentence: Sequence[Sequence[str]], example: Example) -> tuple[Floats, Floats]:
    """The share of the references that hold each word, and each pair, in the order `salience.read` lists them."""
    numbers: dict[str, int] = {}
    for words in by_sentence:
        for word in words:
            numbers.setdefault(word, len(numbers))
    keyed = {(numbers[a], numbers[b]) for words in by_sentence for a, b in pairwise(words)}
    single, pairs = np.zeros(len(numbers)), np.zeros(len(keyed))
    for reference in example.references:
        said = tokens(reference)
        held = set(said)
        both = {(numbers.get(a, -1), numbers.get(b, -1)) for a, b in pairwise(said)}
        single += [word in held for word in numbers]
        pairs += [pair in both for pair in sorted(keyed)]
    return single / len(example.references), pairs / len(example.references)


def _logistic(signs: Sequence[Floats], share: Sequence[Floats], importance: Floats) -> Floats:
    weight = np.concatenate([np.full(len(s), 100 * i / max(len(s), 1)) for s, i in zip(signs, importance, strict=True)])
    return fitting.logistic(np.concatenate(signs), np.concatenate(share), weight)


def _choices(
    example: Example, weights: Weights, quality: Callable[[Example, sets.Sets], Floats]
) -> tuple[Floats, Floats]:
    sentences = _measured(example, weights)
    found = sets.fitting(sentences, least=extract.least(MAX_CHARS), most=MAX_CHARS)
    return sets.signs(sentences, found), quality(example, found)


def _measured(example: Example, weights: Weights) -> rank.Sentences:
    return rank.measure(
        example.texts, example.openings, title=example.title, language=example.language, weights=weights
    )


class Qualities:
    """What every set of an article scores; computed once, because it does not depend on what is trained."""

    def __init__(self) -> None:
        self._known: dict[int, dict[tuple[int, ...], float]] = {}

    def __call__(self, example: Example, found: sets.Sets) -> Floats:
        known = self._known.setdefault(id(example), {})
        for members in found.members:
            if members not in known:
                said = " ".join(example.texts[at] for at in members)
                known[members] = scoring.rouge(said, example.references).mean
        return np.array([known[members] for members in found.members])


def chosen(example: Example, weights: Weights) -> str:
    best = extract.best_set(_measured(example, weights), MAX_CHARS, weights)
    return " ".join(example.texts[at] for at in best)


def folds(examples: Sequence[Example]) -> list[int]:
    """A fold for each example: groups in the order of a fixed scramble of their names, dealt in turn."""
    names = sorted({example.group for example in examples})
    np.random.default_rng(0).shuffle(names)
    place = {name: at % FOLDS for at, name in enumerate(names)}
    return [place[example.group] for example in examples]


COLUMNS = ("set", "articles", "cross-validated", "in sample", "whole-sentence lead", "against lead", "characters")


def report(examples: Sequence[Example], unseen: Sequence[str], seen: Sequence[str]) -> Table:
    """Mean ROUGE-1/2/L F1 per set; the means weigh sets equally."""
    rows: dict[str, list[float]] = {}
    for name in sorted({example.set for example in examples}):
        at = [index for index, example in enumerate(examples) if example.set == name]
        scores = [
            [scoring.rouge(answers[index], examples[index].references).mean for index in at]
            for answers in (unseen, seen)
        ]
        values = [100 * float(np.mean(column)) for column in (*scores, [examples[index].lead for index in at])]
        rows[name] = [len(at), *values, values[0] - values[2], float(np.mean([len(unseen[index]) for index in at]))]
    names = list(rows)
    rows[f"mean of {len(names)} sets"] = _average([rows[name] for name in names])
    vietnamese = sorted(
        {example.set for example in examples if example.language == "vi" and example.set.startswith("vi")}
    )
    if vietnamese:
        rows[f"mean of {len(vietnamese)} Vietnamese sets"] = _average([rows[name] for name in vietnamese])
    cells = [
        [name, f"{row[0]:.0f}", *(f"{v:.2f}" for v in row[1:4]), f"{row[4]:+.2f}", f"{row[5]:.0f}"]
        for name, row in rows.items()
    ]
    return Table(f"Extraction at {MAX_CHARS} characters, {FOLDS} folds", COLUMNS, cells, [])


def _average(rows: Sequence[Sequence[float]]) -> list[float]:
    columns = list(zip(*rows, strict=True))
    return [sum(columns[0]), *(sum(column) / len(column) for column in columns[1:])]


def write(weights: Weights, folder: Path) -> None:
    """Six significant digits: more says nothing and makes every training a change of every line."""
    named = {
        kind: {name: float(f"{value:.6g}") for name, value in zip(names, values, strict=True)}
        for kind, names, values in (
            ("words", salience.WORD_SIGNS, weights.words),
            ("pairs", salience.PAIR_SIGNS, weights.pairs),
            ("sets", sets.SET_SIGNS, weights.sets),
        )
    }
    counted = {
        language: {"articles": found.articles, "words": dict(found.words)}
        for language, found in weights.frequencies.items()
        if found.words
    }
    (folder / "weights.json").write_text(json.dumps(named, indent=1) + "\n", encoding="utf-8")
    lines = ",\n".join(
        f"{json.dumps(language)}: {json.dumps(found, ensure_ascii=False)}" for language, found in counted.items()
    )
    (folder / "frequencies.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.evals.training", description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, metavar="DATA", help="the folder that holds summarise/")
    parser.add_argument("--write", action="store_true", help="write the weights of all articles into the package")
    given = parser.parse_args(arguments)
    examples = list(read(given.data / "summarise"))
    if not examples:
        print(f"{given.data}/summarise: no articles with a reference", file=sys.stderr)
        return 2
    quality, fold = Qualities(), folds(examples)
    unseen = [""] * len(examples)
    for held_out in range(FOLDS):
        print(f"fold {held_out + 1} of {FOLDS}", file=sys.stderr, flush=True)
        weights = train([e for e, at in zip(examples, fold, strict=True) if at != held_out], quality)
        for index, example in enumerate(examples):
            if fold[index] == held_out:
                unseen[index] = chosen(example, weights)
    weights = train(examples, quality)
    print(markdown(report(examples, unseen, [chosen(example, weights) for example in examples])))
    if given.write:
        write(weights, PACKAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
