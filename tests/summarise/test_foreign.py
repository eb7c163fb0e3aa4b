"""What an article says in another language, welcomes and datelines stay out of its summary; marks without end cost little."""

import pytest

from newsletter.summarise.choice import summarise
from newsletter.summarise.clean import is_boilerplate, without_dateline
from newsletter.summarise.sentences import quoted, split

VIETNAMESE = (
    "Viện tổ chức hội thảo về nước ngầm ngày 3/11 tại Vĩnh Sa. Các đại biểu thảo luận cách đo mới cho bảy tỉnh ven biển."
    " Báo cáo chung sẽ ra mắt vào tháng Ba năm sau."
)
ENGLISH = (
    "The institute held a workshop on ground water in Vinh Sa. Participants agreed to publish a joint report next year."
)


def test_an_article_said_in_two_languages_is_summarised_in_its_own() -> None:
    text = f"{VIETNAMESE}\n\n{ENGLISH}\n\n{VIETNAMESE.replace('hội thảo', 'tọa đàm')}"
    found = summarise(title="Hội thảo nước ngầm", text=text, language="vi")
    assert found is not None
    assert found.guard.ok
    assert "Participants" not in found.text
    assert "institute" not in found.text


@pytest.mark.parametrize(
    "welcome",
    [
        "Chào mừng bạn đến với trang thông tin điện tử của Viện Sông Biển.",
        "Kính chào mừng quý khách đã đến với cổng thông tin của Viện",
        "Đọc tin tức mới nhất tại đây.",
        "Trang thông tin điện tử chính thức của Viện Sông Biển.",
        "Welcome to the website of the River Institute.",
    ],
)
def test_a_welcome_is_no_standfirst(welcome: str) -> None:
    assert is_boilerplate(welcome)
    found = summarise(title="Hội thảo", text=VIETNAMESE, standfirst=welcome, language="vi")
    assert found is not None
    assert found.sentences[0].origin == "text"


@pytest.mark.parametrize(
    "sentence",
    [
        "Trang trại nuôi nghêu của ông Bảy được chào mừng bằng một buổi lễ.",
        "Viện chào mừng 40 năm thành lập bằng hội thảo khoa học.",
        "Bạn đọc theo dõi tin tức mùa lũ qua đài truyền thanh xã.",
    ],
)
def test_news_that_uses_such_words_is_none(sentence: str) -> None:
    assert not is_boilerplate(sentence)


@pytest.mark.parametrize(
    "opening", ["TP.HCM, ngày 12/11/2026 (TTXVN) – ", "HÀ NỘI (TTXVN) - ", "Vĩnh Sa - An Linh (AFP) -- "]
)
def test_an_agencys_dateline_is_left_outside(opening: str) -> None:
    assert without_dateline(opening + VIETNAMESE) == VIETNAMESE
    found = summarise(title="Hội thảo", text=opening + VIETNAMESE, language="vi")
    assert found is not None
    assert found.text.startswith("Viện tổ chức")
    assert found.sentences[0].start == len(opening)


def test_marks_that_never_close_hold_no_sentence_together() -> None:
    assert len(split("(“" * 500 + "Một câu. Hai câu. Ba câu.", "vi")) == 3
    assert quoted("Bà nói: “Nước lên (rất nhanh) đêm qua”, rồi về.") == ["Nước lên (rất nhanh) đêm qua"]
    nested = "Ông kể: “Họ hỏi: «Đi đâu? Về đâu?» rồi cười. Ai cũng cười.” Sau đó mưa."
    assert [span.of(nested) for span in split(nested, "vi")] == [nested.removesuffix(" Sau đó mưa."), "Sau đó mưa."]
