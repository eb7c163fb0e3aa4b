"""Article pages: the article's own title, text and date come out, and not those of its neighbours."""

import unicodedata
from datetime import UTC, date, datetime

import pytest

from newsletter.collect.pages.page import read_page
from newsletter.errors import Unreadable
from newsletter.model import RawItem

URL = "https://vien.example/tin/lop-do-sau.html"
TITLE = "Trung tâm Hải văn khai giảng lớp đo sâu đáy biển"
LEAD = "Chiều ngày 04/03/2025, Trung tâm Hải văn khai giảng lớp đo sâu đáy biển cho ba mươi cán bộ các tỉnh ven biển."
BODY = [
    "Lớp học kéo dài năm ngày, gồm hai ngày lý thuyết trên giảng đường và ba ngày thực hành trên tàu khảo sát của Trung tâm.",
    "Bà Lê Thị Sen, Giám đốc Trung tâm, cho biết nhu cầu đo sâu luồng lạch đã tăng gấp đôi trong năm qua, trong khi số cán bộ "
    "được đào tạo bài bản vẫn còn rất ít so với yêu cầu công việc.",
    "Kết thúc khóa học, học viên sẽ tự lập một bình đồ đáy biển và bảo vệ kết quả trước hội đồng chuyên môn.",
]
OLDER = "".join(
    f'<li><a href="/tin/{n}">Hội thảo thường niên lần thứ {n} về khí tượng hải văn</a> (0{n}/12/2024)</li>'
    for n in range(1, 8)
)


def page(
    *,
    head: str = "",
    meta_line: str = "",
    body: str | None = None,
    after: str = "",
    lang: str = "vi",
    title: str = TITLE,
) -> str:
    text = body if body is not None else "".join(f"<p>{paragraph}</p>" for paragraph in [LEAD, *BODY])
    return (
        f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>{title} - Trung tâm Hải văn</title>{head}</head>'
        f'<body><nav><ul><li><a href="/">Trang chủ</a></li><li><a href="/tin">Tin tức</a></li></ul></nav>'
        f'<div id="content"><div class="detail"><h1>{title}</h1>{meta_line}<div class="bodytext">{text}</div></div>{after}</div>'
        f'<div class="footer"><p>Bản quyền 2025. Số lượt truy cập: 1.234.567</p></div></body></html>'
    )


def read(markup: str, **options: object) -> RawItem:
    return read_page(markup.encode(), url=URL, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_vietnamese_page_gives_title_text_and_date_of_its_own_article(form: str) -> None:
    after = f'<div class="other"><h3>Các mục khác</h3><ul>{OLDER}</ul></div>'
    found = read(
        unicodedata.normalize(form, page(meta_line="<span class='ngay'>Thứ Ba, 04/03/2025 15:30</span>", after=after))
    )  # type: ignore[arg-type]
    assert found.title == TITLE
    assert found.text == "\n\n".join([LEAD, *BODY])
    assert found.published == datetime(2025, 3, 4, 8, 30, tzinfo=UTC)
    assert found.published_raw == "Thứ Ba, 04/03/2025 15:30"
    assert (found.language, found.url) == ("vi", URL)
    assert found.provenance["title"] == "h1 confirmed"
    assert found.provenance["published"] == "near the headline"


@pytest.mark.parametrize(
    "heading",
    [
        "<h3>Các mục khác</h3>", "<p><b>Các tin khác:</b></p>", "<div class='t'>Tin liên quan</div>",
        "<h4>TIN CÙNG CHUYÊN MỤC</h4>",
        "<h2>Bài viết liên quan</h2>", "<p>Những tin mới hơn</p>", "<h3>Related articles</h3>", "<h3>Có thể bạn quan tâm</h3>",
    ],
)  # fmt: skip
def test_a_related_list_gives_neither_text_nor_date(heading: str) -> None:
    found = read(page(after=f"<div>{heading}<ul>{OLDER}</ul></div>"))
    assert "Hội thảo" not in found.text
    assert found.text.endswith(BODY[-1])
    assert (found.published, found.provenance["published"]) == (date(2025, 3, 4), "lead")


def test_a_related_box_inside_the_text_takes_no_paragraph_with_it() -> None:
    box = f'<div class="box"><h4>Tin liên quan</h4><ul>{OLDER}</ul></div>'
    more = "<p>Xem thêm: <a href='/x'>Tàu khảo sát mới của Trung tâm</a></p>"
    inside = f"<p>{LEAD}</p><p>{BODY[0]}</p>{box}<p>{BODY[1]}</p>{more}<p>{BODY[2]}</p>"
    assert read(page(body=inside)).text == "\n\n".join([LEAD, *BODY])


def test_a_sidebar_of_other_news_before_the_article_does_not_cut_the_article() -> None:
    markup = page().replace('<div id="content">', f'<div><h3>Tin khác</h3><ul>{OLDER}</ul></div><div id="content">')
    found = read(markup)
    assert found.text == "\n\n".join([LEAD, *BODY])
    assert found.published == date(2025, 3, 4)


def test_captions_are_left_out_and_the_picture_is_kept_as_the_image() -> None:
    body = (
        f"<p>{LEAD}</p><figure><img src='/anh/tau.jpg'><figcaption>Tàu khảo sát rời bến</figcaption></figure><p>{BODY[0]}</p>"
        f"<p><img src='/anh/2.jpg'><br><em>Toàn cảnh buổi khai giảng</em></p><p>{BODY[1]}</p>"
        f"<p class='wp-caption-text'>Học viên trên tàu</p><p>{BODY[2]}</p>"
    )
    found = read(page(body=body))
    assert found.text == "\n\n".join([LEAD, *BODY])
    assert found.image == "https://vien.example/anh/tau.jpg"


def test_a_table_inside_a_figure_stays() -> None:
    rows = "<tr><td>Độ sâu trung bình</td><td>12,5 m</td></tr><tr><td>Độ sâu lớn nhất</td><td>40 m</td></tr>"
    table = f"<figure><table>{rows}</table></figure>"
    assert "12,5 m" in read(page(body="".join(f"<p>{p}</p>" for p in [LEAD, *BODY]) + table)).text


ENGLISH = page(
    lang="en",
    title="Survey centre opens a course on depth soundings",
    head="""<meta property="og:site_name" content="Survey Centre"><meta property="og:image" content="/og.jpg">
    <meta property="og:description" content="Thirty officers from the coastal provinces learn to chart the sea floor.">
    <script type="application/ld+json">{"@graph": [{"@type": "WebSite", "name": "x"}, {"@type": ["NewsArticle"],
    "headline": "Survey centre opens a course on depth soundings", "datePublished": "2025-03-04T15:30:00+07:00",
    "author": [{"@type": "Person", "name": "By Minh Le"}, {"name": "desk@vien.example"}]}]}</script>""",
    body="".join(
        f"<p>{p}</p>"
        for p in (
            "The survey centre has opened a course on depth soundings for thirty officers from the coastal provinces.",
            "The course lasts five days, two of them in the lecture hall and three aboard the survey vessel of the centre.",
            "At the end of the course every officer draws a chart of the sea floor and defends it before a board of experts.",
        )
    ),
)


def test_json_ld_and_meta_are_read_and_addresses_are_not_names() -> None:
    found = read(ENGLISH)
    assert found.title == "Survey centre opens a course on depth soundings"
    assert isinstance(found.published, datetime)
    assert found.published.isoformat() == "2025-03-04T15:30:00+07:00"
    assert (found.authors, found.image, found.language) == (("Minh Le",), "https://vien.example/og.jpg", "en")
    assert found.standfirst == "Thirty officers from the coastal provinces learn to chart the sea floor."
    assert found.provenance == {
        "title": "h1 confirmed",
        "text": "trafilatura",
        "standfirst": "og:description",
        "published": "JSON-LD",
        "image": "og:image",
        "authors": "JSON-LD",
        "language": "declared",
    }


def test_an_hour_without_a_zone_is_believed_only_on_vietnamese_pages() -> None:
    head = '<meta property="article:published_time" content="2025-03-04T15:30:00">'
    assert read(page(head=head)).published == datetime(2025, 3, 4, 8, 30, tzinfo=UTC)
    assert read(ENGLISH.replace("+07:00", "")).published == date(2025, 3, 4)


def test_a_machine_made_excerpt_is_no_standfirst() -> None:
    assert read(page(head=f'<meta name="description" content="{LEAD[:90]}...">')).standfirst is None
    assert read(page(head=f'<meta name="description" content="{TITLE}">')).standfirst is None


def test_a_lead_set_apart_is_the_standfirst() -> None:
    sapo = "Ba mươi cán bộ các tỉnh ven biển sẽ học cách lập bình đồ đáy biển trong năm ngày."
    found = read(page(meta_line=f'<p class="sapo">{sapo}</p>'))
    assert (found.standfirst, found.provenance["standfirst"]) == (sapo, "lead paragraph")


def test_a_signature_at_the_end_is_the_author() -> None:
    body = "".join(f"<p>{p}</p>" for p in [LEAD, *BODY]) + '<p align="right"><strong>H.M</strong></p>'
    found = read(page(body=body))
    assert (found.authors, found.provenance["authors"]) == (("H.M",), "byline")


def test_a_page_without_any_date_has_none() -> None:
    found = read(page(body="".join(f"<p>{p}</p>" for p in BODY)))
    assert (found.published, found.published_raw) == (None, None)
    assert "published" not in found.provenance


def test_the_site_name_is_no_part_of_the_title() -> None:
    markup = page().replace(f"<h1>{TITLE}</h1>", "").replace(f"{TITLE} - Trung tâm", f"{TITLE} | Trung tâm")
    found = read(markup)
    assert (found.title, found.provenance["title"]) == (TITLE, "title")


def test_a_page_without_a_title_element_is_named_by_its_first_heading() -> None:
    found = read(f"<html><body><h1>{TITLE}</h1><p>{LEAD}</p><h1>Tin khác nữa ở đây</h1></body></html>")
    assert (found.title, found.provenance["title"]) == (TITLE, "h1")


def test_a_tag_of_a_hundred_thousand_attributes_costs_only_itself() -> None:
    giant = "<p " + " ".join(f'a{n}="1"' for n in range(100_000)) + ">" + BODY[0] + "</p>"
    picture = f'<p><img src="data:image/png;base64,{"A" * 90_000}"></p>'
    found = read(page(body=f"<p>{LEAD}</p>{giant}{picture}<p>{BODY[1]}</p>"))
    assert found.text == "\n\n".join([LEAD, BODY[0], BODY[1]])


def test_relative_pictures_without_a_url_are_left_out() -> None:
    assert read_page(page(body=f"<p>{LEAD}</p><p><img src='/a.jpg'></p>").encode()).image is None


def test_windows_1258_by_the_servers_word() -> None:
    markup = "<html><body><h1>Vi\u00ea\u0323n ho\u0323p</h1><p>" + "Ho\u0323p ba\u0300n. " * 30 + "</p></body></html>"
    found = read_page(markup.encode("cp1258"), url=URL, charset="windows-1258")
    assert found.title == "Viện họp"
    assert found.text.startswith("Họp bàn.")


ODD = {
    "fragment": "<p>Một</p>",
    "plain text": "Chỉ là chữ, không có thẻ nào.",
    "no body": "<html><head><title>Chỉ có tên</title></head></html>",
    "unclosed": "<html><body><div><p>Một<table><tr><td>hai<script>x(",
    "deep": "<html><body>" + "<div>" * 20000 + "x" + "</div>" * 20000,
    "XML declaration": '<?xml version="1.0" encoding="utf-16"?><html><body><h1>Một hai ba</h1></body></html>',
    "bad JSON-LD": '<script type="application/ld+json">'
    '{"@type":"Article","headline":[1],"datePublished":7,"author":{"name":{}}}</script>',
    "deep JSON-LD": '<script type="application/ld+json">' + '{"a":' * 50000 + "1" + "}" * 50000 + "</script>",
    "NUL": "<html><body><h1>Một\0 hai ba</h1></body></html>",
    "frameset": "<html><frameset><frame src='x'></frameset></html>",
    "processing instructions": "<?php echo 1 ?><html><!-- x --><body><?x y?><h1>Một hai</h1></body></html>",
}


@pytest.mark.parametrize("markup", ODD.values(), ids=ODD.keys())
def test_odd_html_is_read_without_an_error(markup: str) -> None:
    found = read(markup)
    assert isinstance(found.text, str)
    assert "\0" not in found.title


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"", None, "empty"),
        (b" \n\0", None, "empty"),
        (b"%PDF-1.7\n...", None, "binary"),
        (b"PK\x03\x04docx", "text/html", "binary"),
        (b"<html>", "image/png", "binary"),
        (bytes(range(1, 9)) * 100, None, "binary"),
        (b"<p>" + b"x" * (10 << 20), None, "larger than 10 MB"),
    ],
)
def test_what_is_no_page_is_refused_with_its_reason(body: bytes, content_type: str | None, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_page(body, url=URL, content_type=content_type)


def test_a_page_of_nothing_but_headlines_pictures_and_nested_titles_is_read() -> None:
    crowd = "".join(f"<h1>Tin số {n} của Trung tâm</h1><img src='/{n}.jpg'>" for n in range(3000))
    nested = "<div class='title author date'>" * 200 + "Một dòng chữ dài. " * 2000 + "</div>" * 200
    sets = f"<p><img srcset='{'x' * 9000} {'y' * 9000}'></p>"
    found = read(f"<html><head><title>{TITLE}</title></head><body><h1>{TITLE}</h1>{nested}{crowd}{sets}</body></html>")
    assert found.title == TITLE
