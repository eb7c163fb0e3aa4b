"""What an article is about: few labels, and right ones."""

import unicodedata

import pytest

from newsletter.summarise.topics import MOST, topics

BIEN = (
    "Viện Khoa học Biển Vĩnh Sa vừa thả sáu phao đo sóng ở cửa sông Hậu Giang. Phao đo sóng do ông Phan Đình Sương vẽ.\n\n"
    "Theo Viện Khoa học Biển Vĩnh Sa, mỗi phao đo sóng nặng chín cân. Người dân cửa sông Hậu Giang nhận tin ngay.\n\n"
    "Sáng nay, Viện Khoa học Biển Vĩnh Sa cho biết sông Hậu Giang sẽ có thêm bốn phao. Tàu của Viện Khoa học Biển Vĩnh Sa "
    "chở phao đi. Ảnh: TTXVN. TTXVN đưa tin. TTXVN viết. TTXVN."
)
COAST = (
    "The Coastal Survey opened its wave models on Monday. Anyone may run the wave models at home, said Ada Marsh.\n\n"
    "Ada Marsh leads the Coastal Survey. Reuters reported it on Monday. The wave models of the Coastal Survey are free. "
    "Reuters saw them. Monday was dry. On Monday Reuters left. On Monday Ada Marsh said no more. "
    "The Coastal Survey agreed with Ada Marsh."
)


def test_vietnamese_names_are_found_whole_with_their_marks_and_small_syllables() -> None:
    found = topics(title="Phao đo sóng mới ở cửa sông Hậu Giang", text=BIEN, language="vi")
    assert found == ("Hậu Giang", "Viện Khoa học Biển Vĩnh Sa", "phao đo sóng")


def test_who_tells_the_news_weekdays_and_forms_of_address_are_no_topics() -> None:
    found = topics(title="Wave models are free", text=COAST, language="en")
    assert found == ("Coastal Survey", "Ada Marsh", "wave models")


def test_the_sources_own_labels_come_first_and_are_not_repeated() -> None:
    own = ("Biển đảo", "hậu giang")
    found = topics(title="Phao đo sóng mới ở cửa sông Hậu Giang", text=BIEN, language="vi", own=own)
    assert found[:2] == own
    assert "Hậu Giang" not in found


@pytest.mark.parametrize(
    ("title", "text", "language"),
    [
        ("", "", "vi"),
        ("Tin ngắn", "Trạm chạy thử từ sáng nay.", "vi"),
        ("Nam về nhà", "Nam về. Nam ngủ. Nam dậy. Nam đi. Nam cười với Nam vì Nam vui.", "vi"),  # a lone given name
        ("The end", "The end came. The end was near. The end is the end.", "en"),
        ("Louis XIV", "XIV came. XIV saw. Then XIV won, and XIV left, as XIV would.", "en"),
    ],
)
def test_rather_no_label_than_a_wrong_one(title: str, text: str, language: str) -> None:
    assert topics(title=title, text=text, language=language) == ()


def test_a_sentences_first_word_is_no_name_because_of_its_capital() -> None:
    text = "Gió thổi mạnh. Gió giật cấp tám. Gió yếu dần. Gió lặng. Gió lại thổi."
    assert topics(title="Gió lớn", text=text, language="vi") == ()


def test_a_long_text_gives_no_more_labels_than_asked_for() -> None:
    people = [f"Ada M{a}{b}rsh" for a in "aeiou" for b in "aeiou"]
    text = " ".join(f"We met {name}, then {name}, and {name} with {name}." for name in people)
    assert len(topics(title="People", text=text, language="en")) == MOST
    assert len(topics(title="People", text=text, language="en", most=2)) == 2


def test_decomposed_letters_give_the_same_labels() -> None:
    title = "Phao đo sóng mới ở cửa sông Hậu Giang"
    decomposed = topics(
        title=unicodedata.normalize("NFD", title), text=unicodedata.normalize("NFD", BIEN), language="vi"
    )
    assert decomposed == topics(title=title, text=BIEN, language="vi")
