"""The data files of the package fit the code, and another version's are refused in one line."""

import math

import pytest

from newsletter.errors import ConfigError
from newsletter.summarise.salience import PAIR_SIGNS, WORD_SIGNS
from newsletter.summarise.sets import SET_SIGNS
from newsletter.summarise.weights import LISTED_FROM, UNKNOWN, Frequencies, trained


def test_the_packaged_weights_name_every_sign_of_the_code() -> None:
    weights = trained(WORD_SIGNS, PAIR_SIGNS, SET_SIGNS)
    assert [len(weights.words), len(weights.pairs), len(weights.sets)] == [
        len(WORD_SIGNS),
        len(PAIR_SIGNS),
        len(SET_SIGNS),
    ]
    assert all(math.isfinite(value) for part in (weights.words, weights.pairs, weights.sets) for value in part)


def test_weights_of_another_version_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"for words do not fit the code .*'shoe size'.*train again"):
        trained((*WORD_SIGNS, "shoe size"), PAIR_SIGNS, SET_SIGNS)


def test_only_words_of_many_articles_are_listed() -> None:
    known = trained(WORD_SIGNS, PAIR_SIGNS, SET_SIGNS).frequencies
    assert {"vi", "en"} <= known.keys()
    for found in known.values():
        assert all(LISTED_FROM <= count <= found.articles for count in found.words.values())


def test_rarity_goes_from_everywhere_to_nowhere() -> None:
    rarity, listed = Frequencies(articles=100, words={"của": 100, "nước": 30}).rarity(["của", "nước", "phẫu"])
    assert rarity[0] == 0
    assert 0 < rarity[1] < rarity[2] < 1
    assert list(listed) == [1, 1, 0]


def test_a_language_nobody_counted_says_nothing_of_its_words() -> None:
    rarity, listed = Frequencies().rarity(["hund", "katze"])
    assert list(rarity) == [UNKNOWN, UNKNOWN]
    assert not listed.any()
