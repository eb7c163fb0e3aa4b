"""The scorer of "same story" gives the figures that a person counts by hand."""

import json
from pathlib import Path

from tests.collect import story_texts as texts
from tests.evals import stories
from tests.evals.__main__ import main


def record(number: int, cluster: int, article: tuple[str, str], time: str = "22/10/2026 20:30") -> dict[str, object]:
    return {"id": str(number), "cluster": cluster, "title": article[0], "text": article[1], "lang": "vi", "time": time}


ROWS = [
    record(1, 1, texts.STORM),
    record(2, 1, texts.STORM_PAPER),
    record(3, 1, texts.STORM_RADIO, time="29/10/2026 20:30"),  # too late for the window: missed
    record(4, 2, texts.NEIGHBOURS[0]),
    record(5, 3, texts.STORM),  # labelled as another story: wrongly joined
]


def test_pairs_are_counted_once_each() -> None:
    said = {(0, 1), (0, 4)}
    pairs = stories.score(ROWS, lambda one, other: (one, other) in said)
    assert (pairs.found, pairs.right, pairs.wanted) == (2, 1, 3)
    assert pairs.cells == {"pairs": "3", "precision": "0.500", "recall": "0.333", "F1": "0.400"}


def test_the_table_shows_stories_and_pairs_with_and_without_times() -> None:
    rows = {line[0]: dict(zip(stories.COLUMNS[1:], line[1:], strict=True)) for line in stories.table(ROWS).rows}
    joined, free = rows["joined into stories"], rows["joined into stories, without their times"]
    # of 10 pairs 3 are labelled one story; 1, 2 and 5 are joined: 3 pairs, one of them right
    assert (joined["pairs"], joined["precision"], joined["recall"]) == ("3", "0.333", "0.333")
    # 1, 2, 3 and 5 are joined: 6 pairs, three of them right
    assert (free["precision"], free["recall"]) == ("0.500", "1.000")


def test_the_set_is_found_in_its_folder_and_told_when_it_is_not(tmp_path: Path, capsys: object) -> None:
    folder = tmp_path / "summarise"
    folder.mkdir()
    told: list[str] = []
    assert list(stories.measure(folder, limit=None, tell=told.append)) == []
    assert "is not there" in told[0]
    (folder / "dup_vi_clusters.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS), encoding="utf-8")
    assert len(list(stories.measure(folder, limit=2, tell=told.append))) == 1
    assert main([str(tmp_path), "--limit", "3"]) == 0
