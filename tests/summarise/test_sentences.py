"""Where sentences end: each case is written as the list of its sentences, joined by spaces before it is split."""

import pytest

from newsletter.summarise.sentences import is_balanced, quoted, split
from tests.summarise.hard_sentences import OTHERS, VIETNAMESE

CASES = [
    # Vietnamese
    ("vi", ["Sáng 5/3, Sở KH&CN TP.HCM trao giải.", "Giải nhất thuộc về nhóm của Viện Thủy sinh."]),
    ("vi", ["Cuộc họp diễn ra tại TP.HCM.", "Theo kế hoạch, kết quả được công bố trong tháng 5."]),
    ("vi", ["PGS.TS. Lò Văn Thán chủ trì đề tài.", "ThS. Mạc Thị Cúc làm thư ký."]),
    ("vi", ["GS.TSKH. Bế Văn Lâm trình bày trước.", "Sau đó, TS Phan Đình Ngọc phản biện."]),
    ("vi", ["Mực nước đạt 12,75 m, cao hơn 0,5 m so với năm 2024.", "Năm 2025 là năm nước lớn."]),
    ("vi", ["Kinh phí là 1.250.000.000 đồng.", "Trong đó, 60% do tỉnh cấp."]),
    ("vi", ["“Nước lên rất nhanh. Chúng tôi chỉ kịp chạy”, ông Quàng kể.", "Đêm đó không ai ngủ."]),
    ("vi", ['"Ai giữ chìa khóa? Chìa ở đâu?", bà Lương hỏi.', "Không ai trả lời."]),
    ("vi", ["“Vì sao trạm ngừng phát?” ông Tình hỏi.", "Câu trả lời đến sau hai ngày."]),
    ("vi", ["Trạm đặt tại P. Bến Sỏi, Q. Đông Hà, TP. Lạc An.", "Người dân có thể vào xem."]),
    ("vi", ["Nạn nhân là anh T.V.K.", "Theo người nhà, anh đi làm từ sáng."]),
    ("vi", ["Cháu N.H. (7 tuổi) được đưa về nhà.", "Sức khỏe của cháu ổn định."]),
    ("vi", ["Đời sống cán bộ được chăm lo…", "Về kế hoạch, Viện sẽ mở thêm ba trạm."]),
    ("vi", ["Anh ngập ngừng… rồi ký tên.", "Mọi người vỗ tay."]),
    ("vi", ["Xưởng làm lưới, phao, neo, v.v. cho ngư dân.", "Hàng bán quanh năm."]),
    ("vi", ["Xưởng làm lưới, phao, neo, v.v.", "Hàng bán quanh năm."]),
    ("vi", ["Quyết định số 15/QĐ-VTS có hiệu lực từ 1.4.2026.", "Các phòng cần lưu ý."]),
    ("vi", ["Lễ khai mạc lúc 8h30 ngày 2.4.", "Vào cửa tự do."]),
    ("vi", ["Thật bất ngờ!", "Con cá vẫn sống.", "Nó được thả về hồ."]),
    ("vi", ["Hội thảo (lần thứ 4. Lần trước họp ở Lạc An) kéo dài hai ngày.", "Có 60 báo cáo."]),
    ("vi", ["Ông nói: “Chúng tôi làm được.”", "Cả phòng đứng dậy."]),
    ("vi", ["Website thuysinh.example.org đăng toàn văn.", "Bản in ra sau một tuần."]),
    # English
    ("en", ["The probe left the U.S. on Monday.", "It landed in Peru a week later."]),
    ("en", ["She moved to the U.S.", "The lab followed."]),
    ("en", ["Dr. A. B. Fenn and Prof. Lowe met at 9 a.m. on Friday.", "They agreed."]),
    ("en", ["The gate closes at 6 p.m.", "Visitors must leave by then."]),
    ("en", ["The talk starts at 3 p.m. GMT on Zoom.", "Slides follow."]),
    ("en", ["Tidewater Inc. sold 4.5 million shares.", "The rest stays with Fenn Ltd."]),
    ("en", ['"We dug. We found clay," said Sgt. Oake.', "The dig went on."]),
    ("en", ["“Is it safe?” Marsh asked.", "Nobody knew."]),
    ("en", ["See Fig. 2 and No. 14 of the survey.", "Was it there?", "No.", "It was gone."]),
    ("en", ["The bridge on Main St. was closed from Jan. 3 to Feb. 9.", "It has reopened."]),
    ("en", ["Pressure fell to 980.5 hPa.", "2025 was a stormy year."]),
    ("en", ["The paper (in Tides, vol. 12, pp. 3-9) is free.", "Its data are not."]),
    ("en", ["They waited... and nothing came.", "Then the tide turned."]),
    ("en", ["Samples came from Hull, Goole, etc. and were frozen.", "None thawed."]),
    ("en", ["The firm Hop! Ltd. built the mast.", "It stands 40 m tall."]),
    ("en", ["The U.N. Ocean Panel meets in May.", "Ms. Reed will speak."]),
    # others
    ("fr", ["M. Aubin a vu Mme Roy à 9 h.", "« C'est fini. Rentrons », dit-il."]),
    ("de", ["Am 7. Mai kam Dr. Hahn an.", "Es waren ca. 40 Gäste da."]),
    ("id", ["Dr. H. Rahmat membeli 10.000 bibit.", "Warga senang."]),
    ("es", ["La Sra. Vega llegó a las 8.", "¿Qué trajo?", "Nada."]),
]


@pytest.mark.parametrize(
    ("language", "sentences"), CASES, ids=lambda value: value if isinstance(value, str) else value[0]
)
def test_sentences_end_where_a_reader_would_end_them(language: str, sentences: list[str]) -> None:
    text = " ".join(sentences)
    assert [span.of(text) for span in split(text, language)] == sentences


HARD = [("vi", sentences) for sentences in VIETNAMESE] + [
    (lang, case) for lang, cases in OTHERS.items() for case in cases
]


@pytest.mark.parametrize(
    ("language", "sentences"), HARD, ids=lambda value: value if isinstance(value, str) else value[0]
)
def test_hard_boundaries_are_found(language: str, sentences: list[str]) -> None:
    text = ("" if language in ("ja", "zh") else " ").join(sentences)
    assert [span.of(text) for span in split(text, language)] == sentences


def test_the_hard_cases_are_sixty_and_half_of_them_vietnamese() -> None:
    assert (len(HARD), len(VIETNAMESE)) == (60, 30)


def test_chinese_and_japanese_need_no_spaces_between_sentences() -> None:
    chinese, japanese = "水位上升了。他说：“快走。”大家离开了！", "「船が来た。」と彼は言った。港は静かだ。"
    assert [span.of(chinese) for span in split(chinese, "zh")] == ["水位上升了。", "他说：“快走。”", "大家离开了！"]
    assert [span.of(japanese) for span in split(japanese, "ja")] == ["「船が来た。」と彼は言った。", "港は静かだ。"]


def test_spans_count_code_points_of_the_text_that_was_given() -> None:
    text = "\n\n  Trạm 🌊 đã mở.   Ai cũng vui!\n\nHết."
    assert [text[span.start : span.end] for span in split(text, "vi")] == ["Trạm 🌊 đã mở.", "Ai cũng vui!", "Hết."]


def test_a_line_wrapped_by_hand_goes_on_but_a_new_line_with_a_capital_is_a_new_sentence() -> None:
    wrapped = "The mast was raised in the\nmorning. It holds."
    assert [span.of(wrapped) for span in split(wrapped, "en")] == ["The mast was raised in the\nmorning.", "It holds."]
    listed = "The mast\nThe mast was raised."
    assert [span.of(listed) for span in split(listed, "en")] == ["The mast", "The mast was raised."]


def test_a_full_stop_that_lost_its_space_still_ends_a_sentence() -> None:
    text = "Đợt khảo sát đã xong.Nhóm trở về hôm qua."
    assert [span.of(text) for span in split(text, "vi")] == ["Đợt khảo sát đã xong.", "Nhóm trở về hôm qua."]


def test_a_quotation_mark_that_is_never_closed_does_not_swallow_the_page() -> None:
    text = '"Nước lên. Chúng tôi chạy. Đến sáng thì nước rút.'
    assert len(split(text, "vi")) == 3


def test_a_quotation_after_its_speaker_stays_with_the_speaker() -> None:
    text = "“It is done,” she said. “We go home.” The lamps went out."
    assert split(text, "en")[0].of(text) == "“It is done,” she said. “We go home.”"


def test_no_character_of_the_text_is_lost_between_sentences() -> None:
    for language, sentences in CASES:
        text = " ".join(sentences)
        spans = split(text, language)
        assert "".join(span.of(text) for span in spans).replace(" ", "") == text.replace(" ", "")


def test_quotations_are_found_by_their_marks_whatever_stands_inside() -> None:
    assert quoted('Ông gọi đó là "ao", rồi nói: “Ao mà có sóng.”') == ["ao", "Ao mà có sóng."]
    assert is_balanced("“Ao mà có sóng.”")
    assert not is_balanced("Ao mà có sóng”, ông nói.")


@pytest.mark.parametrize("text", ["", " \n\n ", "…", "...", "”"])
def test_texts_without_words_do_not_break_it(text: str) -> None:
    assert all(span.of(text).strip() for span in split(text, "vi"))
