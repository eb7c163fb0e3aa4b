"""Training learns what can be learnt, never sees the fold it is judged on, and gives the same weights twice."""

import json
from pathlib import Path

from newsletter.summarise.arrays import np
from newsletter.summarise.salience import PAIR_SIGNS, WORD_SIGNS
from newsletter.summarise.sets import SET_SIGNS
from tests.evals import fitting, training

PLACES = ["Bến Sỏi", "Lạc An", "Khe Lạnh", "Đồi Ngựa", "Hòn Mây", "Suối Vàng", "Đông Hà", "Bãi Dâu"]


def article(number: int) -> dict[str, str]:
    place = PLACES[number % len(PLACES)]
    news = f"Trạm đo gió số {number} ở {place} mở cửa sáng nay sau hai năm xây dựng, phục vụ bà con trong vùng."
    rest = "Buổi sáng hôm đó trời nhiều mây và đường vào rất trơn nên ai cũng đi chậm hơn mọi ngày một chút."
    more = f"Người dân {place} được vào xem số liệu gió của trạm vào cuối tuần và trong các ngày nghỉ lễ."
    return {
        "id": str(number),
        "lang": "vi",
        "title": f"Trạm đo gió ở {place}",
        "text": f"{rest} {news} {more}",
        "reference": news,
        "cluster": str(number // 2),
    }


def data(folder: Path, articles: int) -> Path:
    (folder / "summarise").mkdir()
    lines = [json.dumps(article(number), ensure_ascii=False) for number in range(articles)]
    (folder / "summarise" / "vi_own.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_a_cluster_is_never_divided_between_folds(tmp_path: Path) -> None:
    examples = list(training.read(data(tmp_path, 30) / "summarise"))
    by_group: dict[str, set[int]] = {}
    for example, fold in zip(examples, training.folds(examples), strict=True):
        by_group.setdefault(example.group, set()).add(fold)
    assert len(by_group) == 15
    assert all(len(found) == 1 for found in by_group.values())


def test_training_finds_the_sentence_that_the_references_say(tmp_path: Path) -> None:
    examples = list(training.read(data(tmp_path, 12) / "summarise"))
    weights = training.train(examples, training.Qualities())
    assert all(example.references[0] in training.chosen(example, weights) for example in examples)


def test_the_same_articles_give_the_same_files(tmp_path: Path) -> None:
    examples = list(training.read(data(tmp_path, 24) / "summarise"))
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        training.write(training.train(examples, training.Qualities()), tmp_path / name)
        written.append([(tmp_path / name / file).read_text("utf-8") for file in ("weights.json", "frequencies.json")])
    assert written[0] == written[1]
    weights, counted = (json.loads(text) for text in written[0])
    assert [list(weights[kind]) for kind in ("words", "pairs", "sets")] == [
        list(WORD_SIGNS),
        list(PAIR_SIGNS),
        list(SET_SIGNS),
    ]
    assert counted["vi"]["words"]["gió"] == 24
    assert "sỏi" not in counted["vi"]["words"]  # a name in few articles is nobody's vocabulary


def test_a_logistic_regression_finds_the_chances_it_was_shown() -> None:
    signs = np.array([[1.0, 0.0], [1.0, 1.0]])
    weights = fitting.logistic(signs, np.array([0.2, 0.9]), np.array([1e6, 1e6]))
    chances = 1 / (1 + np.exp(-signs @ weights))
    assert np.allclose(chances, [0.2, 0.9], atol=1e-3)


def test_choosing_weighs_what_makes_the_best_row_and_ignores_what_never_differs() -> None:
    rows = np.array([[0.0, 1.0, 5.0], [1.0, 1.0, 4.0], [2.0, 1.0, 6.0]])
    weights = fitting.choosing([(rows, np.array([0.1, 0.3, 0.9])), (rows[::-1], np.array([0.8, 0.2, 0.1]))], np.ones(2))
    assert weights[0] > 0
    assert weights[1] == 0
