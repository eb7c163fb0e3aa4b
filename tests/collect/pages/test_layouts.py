"""Article pages of fifteen systems that institutes use, half of them decomposed or in Windows-1258: the story comes out
whole, with its own title and day, and nothing of what the system writes around it."""

import re
from datetime import date, datetime

import pytest

from newsletter.collect.pages.page import read_page
from newsletter.collect.pages.vote import agreement, words
from newsletter.model import RawItem
from tests.collect.layout_stories import STORIES, Story
from tests.collect.layouts import ADDRESS, HOST, LAYOUTS, Layout, asp_tables, hand_made, portal, sharepoint

FURNITURE = re.compile(
    r"(?i:lượt xem|số lần xem|in bài viết|gửi email|đính kèm|lên đầu trang|chia sẻ)|Thời tiết|Thăm dò|Lịch công tác|Trang chủ"
)


def read(layout: Layout, story: Story) -> RawItem:
    charset = "windows-1258" if layout.charset == "windows-1258" else None
    return read_page(layout.page(story), url=f"{HOST}/tin-tuc/bai-viet", charset=charset)


def unsigned(text: str, story: Story) -> str:
    """The text without its last line where that is the signature, which belongs to some layouts and not to others."""
    body, _, last = text.rpartition("\n\n")
    return body if last.removeprefix("Tác giả: ") == story.author else text


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_each_layout_gives_the_story_and_nothing_of_its_own(layout: Layout, story: Story) -> None:
    found = read(layout, story)
    assert found.title == story.title
    assert found.published is not None
    day = found.published.date() if isinstance(found.published, datetime) else found.published
    assert day == date(2024, 1, 2)
    assert agreement(words(unsigned(found.text, story)), words(story.text)) >= 0.97
    assert all(title not in found.text for title, _ in story.others)
    assert story.caption not in found.text
    assert FURNITURE.search(found.text) is None
    assert ADDRESS[:20] not in found.text


@pytest.mark.parametrize("build", [sharepoint, asp_tables, hand_made, portal])
def test_a_heading_over_a_date_line_is_the_title_where_the_document_names_only_the_site(build: object) -> None:
    layout = next(one for one in LAYOUTS if one.build is build)
    assert read(layout, STORIES[0]).provenance["title"] == "heading"


def _page(body: str) -> RawItem:
    story = STORIES[0]
    head = f"<html lang='vi'><head><title>{story.title}</title></head><body><h1>{story.title}</h1><p>Ngày đăng: 02/01/2024</p>"
    return read_page(f"{head}{body}</body></html>".encode(), url=HOST + "/tin")


def test_sentences_that_speak_of_counters_files_and_addresses_stay() -> None:
    said = (
        *STORIES[0].paragraphs,
        "Trang tin của Viện đạt 512 lượt xem trong ngày đầu, và hồ sơ mời họp có tệp đính kèm dài ba trang.",
        "Địa chỉ: phòng Quan trắc, số 18 đường Bến Lạch; mọi người gửi email trước ngày 30/6 để được xếp chỗ.",
        "Cuối giờ, ông Triều trả lời phỏng vấn về thời tiết và lịch công tác của tàu trong mùa gió sắp tới.",
    )
    assert _page("".join(f"<p>{one}</p>" for one in said)).text == "\n\n".join(said)


def test_a_short_paragraph_behind_a_picture_stays_if_it_ends_a_sentence_or_heads_the_next() -> None:
    first, *rest = STORIES[0].paragraphs
    body = f"<p>{first}</p><p><img src='/a.jpg'></p><p>Hội nghị khai mạc lúc tám giờ.</p>" + "".join(
        f"<p>{p}</p>" for p in rest
    )
    assert "Hội nghị khai mạc lúc tám giờ." in _page(body).text
    body = f"<p>{first}</p><p><img src='/a.jpg'></p><p><b>Kết quả ba năm</b></p>" + "".join(f"<p>{p}</p>" for p in rest)
    assert "Kết quả ba năm" in _page(body).text
    body = f"<p>{first}</p><p><img src='/a.jpg'></p><p>Ông Triều tại hội nghị</p>" + "".join(
        f"<p>{p}</p>" for p in rest
    )
    assert "Ông Triều tại hội nghị" not in _page(body).text


def test_a_lead_in_a_block_of_its_own_is_part_of_the_text_once() -> None:
    lead, *rest = STORIES[0].paragraphs
    body = "".join(f"<p>{p}</p>" for p in rest)
    found = _page(f"<div class='x1'><b>{lead}</b></div><div class='x2'><div>{body}</div></div>").text
    assert found.count(lead) == 1
    assert found.startswith(lead)
