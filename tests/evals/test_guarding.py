"""The guard's scorer exchanges one fact at a time and counts what is refused."""

import random
from typing import Any

from tests.evals import guarding

RECORD: dict[str, Any] = {
    "id": "1",
    "lang": "en",
    "title": "Two stations open",
    "text": "Ada Marsh of the Fenn Institute opened 14 stations near Hull on Monday. They measure the tide every hour.",
    "reference": "The Fenn Institute opened 14 stations near Hull, said Ada Marsh.",
}
STRANGER = "Viện Thủy sinh hoàn thành mười bảy đề tài và mở ba trạm đo nước trong năm nay."


def test_one_article_gives_one_of_each_trial() -> None:
    score = guarding.score_guard(
        RECORD, stranger=STRANGER, elsewhere="Tom Reed met Joan Lowe.", chance=random.Random(1)
    )
    assert (score.references, score.references_refused) == (1, 0)
    assert (score.figures, score.figures_caught) == (1, 1)
    assert (score.names, score.names_caught) == (1, 1)
    assert (score.strangers, score.strangers_caught) == (1, 1)
    assert (score.extracts, score.extracts_refused) == (1, 0)


def test_a_reference_without_facts_is_not_tried() -> None:
    plain = RECORD | {"reference": "they measure the tide every hour."}
    score = guarding.score_guard(plain, stranger=STRANGER, elsewhere="Tom Reed met Joan Lowe.", chance=random.Random(1))
    assert (score.figures, score.names) == (0, 0)


def test_names_are_runs_of_two_and_more_capitals_within_a_clause() -> None:
    assert guarding.names("Ada Marsh met Tom Reed, Joan Lowe (Hull).") == ["Ada Marsh", "Tom Reed", "Joan Lowe"]


def test_counts_of_sets_add_up() -> None:
    total = guarding.GuardScore(figures=2, figures_caught=1)
    total += guarding.GuardScore(figures=1, figures_caught=1)
    assert guarding.guard_row("all", total)[3] == "66.7 % of 3"
