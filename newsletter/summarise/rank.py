"""How much each sentence of an article says of its news. Language-free features, weights set by hand; no numpy.

A later, trained scorer replaces `scores` and keeps `Sentences`: the features are what both read.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from newsletter.summarise.sentences import is_balanced
from newsletter.summarise.words import tokens

Vector = Mapping[str, float]

ECHO = 0.8  # share of the title's words

_LEANING = re.compile(
    r"(?:tuy nhiên|tuy vậy|nhưng|song|do đó|vì vậy|vì thế|bên cạnh đó|ngoài ra|trong khi đó|theo đó|đồng thời|sau đó"
    r"|cũng|còn|và|trước đó|cùng với đó|mặt khác|như vậy|qua đó|từ đó|ông (?:này|cho|nói|cũng)|bà (?:này|cho|nói|cũng)"
    r"|anh (?:này|cho|nói|cũng)|chị (?:này|cho|nói|cũng)|họ|nó|đây|điều này|việc này"
    r"|he|she|they|it|his|her|their|its|but|and|however|meanwhile|also|this|these|that|those|moreover|instead"
    r"|il|elle|ils|elles|mais|et|cependant|toutefois|ce dernier|er|aber|und|doch"
    r"|ia|dia|mereka|namun|tapi|selain itu|sementara itu|hal ini|hal itu|ancak|fakat|ama|bu)\b(?!-)",
    re.I,
)
# Who sat in the room is what institutes write second and readers want last.
_ATTENDANCE = re.compile(
    r"(?:tham (?:dự|gia)|cùng dự|dự|có mặt)\b.{0,60}\b(?:có|gồm)\b|(?:among (?:those|the guests)|attending|present at)\b"
    r"|.{0,60}\bwas attended by\b",
    re.I,
)
_QUOTED = re.compile(r"[\"“«„][^\"”»“]*[\"”»“]")
_FIGURE = re.compile(r"\d")
# Words of results, not of topics: something was finished, reached, decided, counted.
_RESULT = re.compile(
    r"\b(?:hoàn thành|đạt|tăng|giảm|vượt|ký kết|khánh thành|bàn giao|nghiệm thu|công bố|thông qua|phê duyệt|thành công"
    r"|won|reached|completed|finished|rose|fell|signed|approved|launched|opened|announced|agreed|awarded|increased"
    r"|atteint|achevé|signé|mencapai|menyelesaikan|tamamland\w*|erreicht\w*)\b",
    re.I,
)


@dataclass(frozen=True)
class Sentences:
    """The body's sentences with what is measured of them, computed once per article."""

    texts: Sequence[str]
    title: str

    @cached_property
    def terms(self) -> list[list[str]]:
        return [_terms(text) for text in self.texts]

    @cached_property
    def idf(self) -> dict[str, float]:
        seen = Counter(term for terms in self.terms for term in set(terms))
        return {term: math.log(1 + len(self.texts) / count) for term, count in seen.items()}

    @cached_property
    def vectors(self) -> list[Vector]:
        """Unit TF-IDF vectors of words and pairs of neighbouring words."""
        return [_unit({t: n * self.idf[t] for t, n in Counter(terms).items()}) for terms in self.terms]

    @cached_property
    def unbalanced(self) -> set[int]:
        """Sentences that open or close a quotation they do not hold whole."""
        return {index for index, text in enumerate(self.texts) if not is_balanced(text)}

    @cached_property
    def echoes(self) -> set[int]:
        """Sentences that say the title again: they hold at least ECHO of its words."""
        wanted = set(tokens(self.title))
        return {
            index
            for index, text in enumerate(self.texts)
            if wanted and len(wanted & set(tokens(text))) >= ECHO * len(wanted)
        }

    @cached_property
    def centre(self) -> Vector:
        total: dict[str, float] = {}
        for vector in self.vectors:
            for term, weight in vector.items():
                total[term] = total.get(term, 0.0) + weight
        return _unit(total)

    @cached_property
    def title_vector(self) -> Vector:
        return _unit({term: self.idf[term] for term in set(_terms(self.title)) if term in self.idf})

    @cached_property
    def to_centre(self) -> list[float]:
        return [dot(vector, self.centre) for vector in self.vectors]

    @cached_property
    def to_title(self) -> list[float]:
        return [dot(vector, self.title_vector) for vector in self.vectors]

    @cached_property
    def _likenesses(self) -> dict[tuple[int, int], float]:
        return {}

    def likeness(self, one: int, other: int) -> float:
        found = self._likenesses.get((one, other))
        if found is None:
            found = self._likenesses[one, other] = dot(self.vectors[one], self.vectors[other])
        return found


def leans(sentence: str) -> bool:
    """Does the sentence open with a connective or pronoun, so that it needs the one before it?"""
    return bool(_LEANING.match(sentence.lstrip("\"“«‘'( ")))


def tells_result(sentence: str) -> bool:
    return bool(_FIGURE.search(sentence)) and bool(_RESULT.search(sentence))


# Set by hand, then moved in coarse steps on the development sets (mean of eight: 28.9 to 29.7); only ratios matter.
WEIGHTS = {
    "early": 0.8,
    "title": 0.9,
    "centre": 2.0,
    "result": 0.1,
    "leans": -0.15,
    "attendance": -0.4,
    "question": -0.4,
    "quoted": -0.1,
    "unbalanced": -0.15,
    "length": -0.25,
}


def features(sentences: Sentences, index: int) -> dict[str, float]:
    text = sentences.texts[index]
    quoted = sum(len(part) for part in _QUOTED.findall(text)) / max(len(text), 1)
    return {
        "early": 1 / (1 + 0.6 * index),
        "title": sentences.to_title[index],
        "centre": sentences.to_centre[index],
        "result": float(tells_result(text)),
        "leans": float(leans(text)),
        "attendance": float(bool(_ATTENDANCE.match(text))),
        "question": float(text.rstrip('"”»’ ').endswith("?")),
        "quoted": quoted,
        "unbalanced": float(index in sentences.unbalanced),
        "length": min(abs(len(text) - 170), 300) / 170,
    }


def scores(sentences: Sentences) -> list[float]:
    """One figure per sentence; only their order and differences mean anything."""
    return [
        sum(WEIGHTS[name] * value for name, value in features(sentences, index).items())
        for index in range(len(sentences.texts))
    ]


def dot(one: Vector, other: Vector) -> float:
    if len(one) > len(other):
        one, other = other, one
    return sum(weight * other[term] for term, weight in one.items() if term in other)


def _terms(text: str) -> list[str]:
    words = tokens(text)
    return words + [f"{left} {right}" for left, right in pairwise(words)]


def _unit(vector: Vector) -> Vector:
    norm = math.sqrt(sum(weight * weight for weight in vector.values())) or 1.0
    return {term: weight / norm for term, weight in vector.items()}
