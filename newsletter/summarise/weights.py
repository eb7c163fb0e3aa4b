"""What training left: the weights of each sign, and in how many articles common words stand. Data files, read once.

`weights.json` and `frequencies.json` are written by `python -m tests.evals.training DATA --write`, never by hand.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from newsletter.errors import ConfigError
from newsletter.summarise.arrays import Floats, np

FEW_ARTICLES = 60  # a language counted in fewer articles has no frequencies: 20 of them would be most
RARE = 10  # an unlisted word counts as standing in this many articles; the list begins at LISTED_FROM
LISTED_FROM = 20
UNKNOWN = 0.5  # rarity of every word of a language without frequencies


@dataclass(frozen=True, slots=True, kw_only=True)
class Frequencies:
    """In how many of `articles` each word stood; only words of LISTED_FROM articles and more are listed."""

    articles: int = 0
    words: Mapping[str, int] = field(default_factory=dict)

    def rarity(self, vocabulary: Sequence[str]) -> tuple[Floats, Floats]:
        """For each word 0 (in every article) to 1 (in none), and 1 where it is listed."""
        if self.articles < FEW_ARTICLES:
            return np.full(len(vocabulary), UNKNOWN), np.zeros(len(vocabulary))
        counts = np.array([self.words.get(word, 0) for word in vocabulary], float)
        listed = (counts > 0).astype(float)
        counts[counts == 0] = RARE - 1
        return np.log((self.articles + 1) / (counts + 1)) / math.log(self.articles + 1), listed


NOT_COUNTED = Frequencies()


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One array each for the signs of words, of pairs, and of sets of sentences, in the order the code lists them."""

    words: Floats
    pairs: Floats
    sets: Floats
    frequencies: Mapping[str, Frequencies]  # by primary language subtag

    def known(self, language: str) -> Frequencies:
        return self.frequencies.get(language, NOT_COUNTED)


@cache
def trained(words: tuple[str, ...], pairs: tuple[str, ...], sets: tuple[str, ...]) -> Weights:
    """The packaged weights for signs of these names. Raises ConfigError when the file names others or is damaged."""
    held, counted = _read("weights.json"), _read("frequencies.json")
    return Weights(
        words=_ordered(held, "words", words),
        pairs=_ordered(held, "pairs", pairs),
        sets=_ordered(held, "sets", sets),
        frequencies={
            language: Frequencies(articles=found["articles"], words=found["words"])
            for language, found in counted.items()
        },
    )


def _ordered(held: Mapping[str, Any], kind: str, names: Sequence[str]) -> Floats:
    found = held.get(kind, {})
    if set(found) != set(names):
        odd = sorted(set(found) ^ set(names))[0]
        raise ConfigError(
            f"the trained weights for {kind} do not fit the code (first difference: {odd!r})",
            hint="reinstall the package, or train again: python -m tests.evals.training DATA --write",
        )
    return np.array([found[name] for name in names], float)


def _read(name: str) -> dict[str, Any]:
    try:
        held: dict[str, Any] = json.loads((files("newsletter.summarise") / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"newsletter/summarise/{name} cannot be read: {error}", hint="reinstall the package"
        ) from error
    return held
