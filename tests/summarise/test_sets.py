"""Sets of sentences: which may be taken together, and what is measured of them."""

from newsletter.summarise import rank, sets
from newsletter.summarise.arrays import np
from newsletter.summarise.salience import PAIR_SIGNS, WORD_SIGNS
from newsletter.summarise.weights import trained

WEIGHTS = trained(WORD_SIGNS, PAIR_SIGNS, sets.SET_SIGNS)
TEXTS = [
    "Trạm đo gió trên đồi Ngựa mở cửa sáng 3/3 sau hai năm xây dựng.",
    "Trạm có 4 cột đo và được nối với 12 bản quanh đồi.",
    "Tuy nhiên, trạm chỉ đo được gió dưới 60 m vì cột bị cắt ngắn.",
    "Bà Lương nói: “Trạm này là của cả bản, ai cũng được vào xem.",
    "Bản gọi trạm là “mắt gió” và đã quen với tiếng quay của nó.",
]


def measured(texts: list[str], title: str = "Trạm đo gió trên đồi Ngựa") -> rank.Sentences:
    return rank.measure(texts, [True] * len(texts), title=title, language="vi", weights=WEIGHTS)


def test_every_set_fits_and_stands_without_what_it_leaves_out() -> None:
    found = sets.fitting(measured(TEXTS), least=60, most=200)
    assert found.members
    for members, length in zip(found.members, found.lengths, strict=True):
        assert len(" ".join(TEXTS[at] for at in members)) == length
        assert 60 <= length <= 200
        assert 2 not in members or 1 in members  # "Tuy nhiên" needs the sentence before it
        assert not {3, 4} <= set(members)  # an open quotation never meets another mark


def test_who_sat_in_the_room_is_told_only_when_there_is_nothing_else() -> None:
    guests = "Dự buổi lễ mở cửa trạm đo gió trên đồi Ngựa có lãnh đạo ba xã và đông đảo bà con."
    beside = sets.fitting(measured([TEXTS[0], guests]), least=1, most=350)
    alone = sets.fitting(measured([guests]), least=1, most=350)
    assert (beside.members, alone.members) == ([(0,)], [(0,)])


def test_what_somebody_says_in_many_sentences_is_not_told_as_a_fact() -> None:
    texts = [TEXTS[0], 'Bà Lương nói: "Trạm là của bản.', "Gió ở đây mạnh lắm.", 'Ai cũng được vào xem."', TEXTS[1]]
    assert list(measured(texts).halves) == [0, 1, 1, 1, 0]


def test_when_nothing_is_long_enough_the_short_ones_are_weighed() -> None:
    found = sets.fitting(measured(TEXTS[:1]), least=160, most=350)
    assert found.members == [(0,)]


def test_when_every_sentence_leans_the_longest_rule_that_leaves_one_is_kept() -> None:
    found = sets.fitting(measured(["x" * 400 + ".", "Tuy nhiên, trạm chỉ đo được gió dưới 60 m."]), least=160, most=350)
    assert found.members == [(1,)]


def test_signs_are_finite_whatever_the_sentences_hold() -> None:
    for texts in (["…"], ["?", "!"], ["Trạm.", "Trạm.", "Trạm."], ["水位上升了。"], TEXTS):
        for title in ("", "Trạm đo gió trên đồi Ngựa"):
            sentences = measured(list(texts), title)
            found = sets.fitting(sentences, least=1, most=350)
            signs = sets.signs(sentences, found)
            assert signs.shape == (len(found.members), len(sets.SET_SIGNS))
            assert np.isfinite(signs).all()
            assert ((sentences.said > 0) & (sentences.said < 1)).all()


def test_a_word_of_the_title_is_likelier_to_be_said_than_one_that_is_not() -> None:
    plain, named = measured(TEXTS, "Bản tin"), measured(TEXTS)
    words = dict.fromkeys(word for text in TEXTS for word in rank.tokens(text))
    at = list(words).index("gió")
    assert named.said[at] > plain.said[at]
