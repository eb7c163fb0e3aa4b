"""Paragraphs are told apart by their shape."""

from collections.abc import Callable

import pytest

from newsletter.summarise.clean import ParagraphKind, body, is_boilerplate, kind_of, paragraphs, without_dateline


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("Toàn cảnh hội nghị", ParagraphKind.CAPTION),
        ("Ông Lê Văn Tuyến, Trưởng phòng, phát biểu tại hội nghị", ParagraphKind.CAPTION),
        ("Người dân thả cá xuống hồ. Ảnh: Thu Trà", ParagraphKind.CAPTION),
        ("Ảnh: Viện Thủy sinh cung cấp.", ParagraphKind.CAPTION),
        ("The mast before sunrise. Photo: T. Oake", ParagraphKind.CAPTION),
        ("Đ.L", ParagraphKind.BYLINE),
        ("N. T. H.", ParagraphKind.BYLINE),
        ("Thu Trà - Minh Ánh", ParagraphKind.BYLINE),
        ("Theo TTXVN", ParagraphKind.BYLINE),
        ("By Ada Quill", ParagraphKind.BYLINE),
        ("Các mục khác", ParagraphKind.RELATED),
        ("Tin liên quan:", ParagraphKind.RELATED),
        ("Bài viết cùng chuyên mục", ParagraphKind.RELATED),
        ("Related articles", ParagraphKind.RELATED),
        ("More from Harrow Fen", ParagraphKind.RELATED),
        ("Xem thêm: Cá suối và mùa nước cạn", ParagraphKind.BOILERPLATE),
        ("Share this", ParagraphKind.BOILERPLATE),
        ("15/12/2025 08:30", ParagraphKind.BOILERPLATE),
        ("1.204 lượt xem", ParagraphKind.BOILERPLATE),
        ("Kế hoạch năm 2026", ParagraphKind.HEADING),
        ("How it works", ParagraphKind.HEADING),
        ("Chia sẻ tại hội nghị, ông Tuyến cho biết trạm sẽ mở cửa trong tháng 5.", ParagraphKind.BODY),
        ("Nguồn vốn của dự án đạt 12 tỷ đồng.", ParagraphKind.BODY),
        ("Theo kế hoạch, trạm mở cửa trong tháng 5.", ParagraphKind.BODY),
        ("The station holds 14 tanks.", ParagraphKind.BODY),
    ],
)
def test_a_paragraph_is_known_by_its_shape(line: str, kind: ParagraphKind) -> None:
    assert kind_of(line) is kind


def test_everything_after_the_heading_of_a_related_list_is_left_out(article: Callable[[str], tuple[str, str]]) -> None:
    _, text = article("vi_hoi_nghi")
    kept = "\n".join(text[part.start : part.end] for part in body(text))
    assert "17 đề tài" in kept
    for left_out in ("Toàn cảnh", "phát biểu kết luận", "L.H", "Các mục khác", "tuyển 3 nghiên cứu viên"):
        assert left_out in text
        assert left_out not in kept


def test_a_menu_entry_above_the_text_does_not_hide_the_article() -> None:
    text = "Tin mới\n\nTrạm quan trắc đã mở cửa sáng nay.\n\nTin mới\n\nMột trạm khác đóng cửa hôm qua."
    kinds = [part.kind for part in paragraphs(text)]
    assert kinds == [ParagraphKind.RELATED, ParagraphKind.BODY, ParagraphKind.RELATED, ParagraphKind.RELATED]


def test_agency_datelines_and_bullets_stay_outside_the_paragraph() -> None:
    text = "(TTXVN) - Trạm đã mở.\n\nCORWEN (Reuters) - The cell works.\n\n• Một ý nữa được nêu."
    assert [text[part.start : part.end] for part in paragraphs(text)] == [
        "Trạm đã mở.",
        "The cell works.",
        "Một ý nữa được nêu.",
    ]
    assert without_dateline("(CNN) -- The cell works.") == "The cell works."
    assert without_dateline("Trạm đã mở - sau ba năm.") == "Trạm đã mở - sau ba năm."


def test_furniture_of_feeds_is_boilerplate() -> None:
    assert is_boilerplate("The post Clay battery appeared first on Corwen Lab.")
    assert is_boilerplate("Read more")
    assert not is_boilerplate("The post was built of clay.")
