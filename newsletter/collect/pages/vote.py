"""Which of several readings of one page is its article's text. Pure: compares and decides, runs no extractor.

No extractor is right alone: each fails on pages the others read well, and seldom on the same ones. So the reading most
like all the others is taken. Must never mend a text: the answer is one of the readings as it is.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping

AGREED = 0.9  # two readings this alike tell the same article; below it (every fourth page) the vote is worth its cost
SHORT = 60  # words: two extractors may agree on a teaser or a cookie notice

_TIE = 0.02  # mean agreement; a heading more or less does not outvote the better kept paragraphs of an earlier reading

_EAST_ASIAN = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # written without spaces: one character is one word
_WORD = re.compile(rf"[{_EAST_ASIAN}]|[^\W_{_EAST_ASIAN}]+")

Words = Counter[str]


def words(text: str) -> Words:
    """The bag of lower-case NFC words; Chinese, Japanese and Korean by character."""
    return Counter(_WORD.findall(unicodedata.normalize("NFC", text).lower()))


def agreement(left: Words, right: Words) -> float:
    """F1 of two bags of words, 0 to 1; 0 when one is empty."""
    shared = (left & right).total()
    return 2 * shared / (left.total() + right.total()) if shared else 0.0


def is_settled(first: str, witness: str) -> bool:
    """Whether the first reading may stand without a vote: long enough, and a reader of another kind agrees."""
    told = words(first)
    return told.total() >= SHORT and agreement(told, words(witness)) >= AGREED


def elect(readings: Mapping[str, str]) -> str:
    """The name of the reading with the largest mean agreement with the others; the earlier one where two are about equal.

    Empty readings neither stand nor count, nor do short ones where there is a long one: two extractors that found only
    the heading would outvote the one that found the article.
    """
    bags = {name: bag for name, text in readings.items() if (bag := words(text))}
    if not bags:
        return next(iter(readings), "")
    bags = {name: bag for name, bag in bags.items() if bag.total() >= SHORT} or bags
    if len(bags) == 2:  # they agree equally with each other
        return next(iter(bags))
    means = {
        name: sum(agreement(bag, other) for rival, other in bags.items() if rival != name) / max(1, len(bags) - 1)
        for name, bag in bags.items()
    }
    return next(name for name, mean in means.items() if mean >= max(means.values()) - _TIE)
