"""Quality pinned on texts of our own: what is read out of three pages and a feed, and what four articles become.

A change that alters one of these answers is either a regression or is stated here, where a reviewer sees it.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from newsletter.collect.feeds.feed import read_feed
from newsletter.collect.pages.page import read_page
from newsletter.model import RawItem, SummaryOrigin
from newsletter.summarise.choice import summarise
from tests.evals import scoring

OWN = Path(__file__).parent / "own"
HANOI = timezone(timedelta(hours=7))
SUMMER = timezone(timedelta(hours=1))


def page(name: str) -> RawItem:
    return read_page((OWN / f"{name}.html").read_bytes(), url=f"https://page.example/tin/{name}")


@pytest.mark.parametrize(
    ("name", "title", "published", "authors", "image", "language"),
    [
        (
            "vi_institute",
            "Viện Thổ nhưỡng Sông Lam bàn giao bản đồ đất cho ba huyện miền núi",
            date(2025, 5, 12),
            ("T.H",),
            "https://page.example/portals/0/anh/le-ban-giao.jpg",
            "vi",
        ),
        (
            "en_news",
            "Harbour town switches on its first tidal lamp",
            datetime(2025, 9, 18, 6, 45, tzinfo=SUMMER),
            ("Isla Penrose",),
            "https://ledger.example/media/tidal-lamp-1200x630.jpg",
            "en",
        ),
        (
            "vi_jsonld",
            "Giống ngô chịu hạn cho năng suất gấp rưỡi trên nương đá",
            datetime(2025, 10, 3, 16, 20, tzinfo=HANOI),
            ("Lò Văn Páo",),
            "https://bao.example/anh/ngo-chiu-han.jpg",
            "vi",
        ),
    ],
)
def test_what_a_page_says_of_itself_is_read(
    name: str, title: str, published: date, authors: tuple[str, ...], image: str, language: str
) -> None:
    found = page(name)
    assert (found.title, found.published, found.authors, found.image, found.language) == (
        title,
        published,
        authors,
        image,
        language,
    )


@pytest.mark.parametrize(
    ("name", "first", "last", "paragraphs"),
    [
        ("vi_institute", "Sáng ngày 12/05/2025, Viện Thổ nhưỡng", "tại ủy ban nhân dân xã.", 4),
        ("en_news", "Fernmouth switched on a street lamp", "on a board in the harbour office.", 5),
        ("vi_jsonld", "Trung tâm Giống Cao nguyên vừa công bố", "mở sáu lớp tập huấn tại bản.", 4),
    ],
)
def test_the_text_of_a_page_is_whole(name: str, first: str, last: str, paragraphs: int) -> None:
    found = page(name)
    own = [paragraph for paragraph in found.text.split("\n\n") if paragraph not in found.authors]
    assert len(own) == paragraphs
    assert own[0].startswith(first)
    assert own[-1].endswith(last)


@pytest.mark.parametrize(
    ("name", "strangers"),
    [
        (
            "vi_institute",
            ["Các mục khác", "trồng cây đầu xuân", "Nghiệm thu đề tài", "Toàn cảnh lễ bàn giao", "giới thiệu một phẫu diện",
             "Trang chủ", "Lượt xem", "In trang", "Bản quyền", "truy cập"],
        ),
        (
            "en_news",
            ["Related stories", "Ferry timetable", "Most read", "Lost parrot", "cookies", "Sign up", "Share on",
             "Photograph", "jetty at dusk", "All rights reserved", "Weather"],
        ),
        (
            "vi_jsonld",
            ["Tin liên quan", "mận đầu tiên", "Xem thêm", "Mùa mưa đến muộn", "Bình luận", "Đọc nhiều", "Cầu treo",
             "Giấy phép", "Thời sự", "Đăng nhập"],
        ),
    ],
)  # fmt: skip
def test_nothing_around_an_article_gets_into_its_text(name: str, strangers: list[str]) -> None:
    markup = scoring.page_words((OWN / f"{name}.html").read_text(encoding="utf-8"))
    body = scoring.page_words(page(name).text)
    for stranger in strangers:
        assert scoring.holds(markup, scoring.page_words(stranger)), f"{stranger!r} is not on the page"
        assert not scoring.holds(body, scoring.page_words(stranger)), stranger


def test_a_standfirst_set_apart_is_the_publishers_own() -> None:
    assert page("vi_jsonld").standfirst == (
        "Sau ba vụ trồng thử ở bốn xã vùng cao, giống ngô NĐ-7 cho năng suất gấp rưỡi giống cũ mà không cần thêm nước tưới."
    )
    assert (
        page("en_news").standfirst == "Fernmouth council says the lamp paid for itself in its first winter of trials."
    )
    assert page("vi_institute").standfirst is None


def test_the_entries_of_a_feed_are_read_in_order() -> None:
    found = read_feed((OWN / "feed.xml").read_bytes(), url="https://vien.example/feed")
    assert found.title == "Tin Viện Thổ nhưỡng & Nước"
    assert [(entry.title, entry.url, entry.published) for entry in found.entries] == [
        (
            "Bàn giao bản đồ đất cho ba huyện miền núi",
            "https://vien.example/tin/ban-do-dat?utm_source=rss",
            datetime(2025, 5, 12, 16, 5, tzinfo=HANOI),
        ),
        (
            "Hồ chứa Khe Lạnh & mười năm quan trắc",
            "https://vien.example/tin/khe-lanh",
            datetime(2025, 5, 2, 8, 0, tzinfo=UTC),
        ),
        (
            "Thông báo lớp tập huấn lấy mẫu đất",
            "https://vien.example/tin/tap-huan",
            datetime(2025, 4, 28, 9, 30, tzinfo=HANOI),
        ),
        (
            "New water atlas is open to everyone",
            "https://vien.example/en/atlas/",
            datetime(2025, 4, 24, 4, 59, 59, tzinfo=UTC),
        ),
    ]
    assert [entry.image for entry in found.entries] == [
        "https://vien.example/anh/ban-do.jpg",
        None,
        "https://vien.example/anh/tap-huan.jpg",
        None,
    ]
    assert found.entries[0].text == "Sáng nay, Viện bàn giao bộ bản đồ đất cho ba huyện.\n\nBản in được phát miễn phí."
    assert found.entries[0].standfirst == "Bộ bản đồ tỷ lệ 1/10.000 giúp bà con chọn cây trồng hợp với từng chân ruộng."


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "vi_event",
            [
                "Sáng ngày 12/05/2025, Viện Thổ nhưỡng Sông Lam tổ chức lễ bàn giao bộ bản đồ đất tỷ lệ 1/10.000 cho ba huyện "
                "miền núi, kết thúc bốn năm điều tra thực địa.",
                "Kết quả cho thấy gần một phần ba diện tích nương rẫy có độ chua cao, cần được bón vôi trước khi trồng cây ăn "
                "quả.",
            ],
        ),
        (
            "vi_research",
            [
                "Trung tâm Giống Cao nguyên vừa công bố kết quả trồng thử giống ngô chịu hạn NĐ-7 trên 46 héc-ta nương đá của "
                "bốn xã vùng cao.",
                "Theo báo cáo của TS. Vừ Thị Chứ, năng suất trung bình đạt 5,1 tấn một héc-ta, trong khi giống địa phương "
                "trồng bên cạnh chỉ đạt 3,4 tấn.",
            ],
        ),
        (
            "en_news",
            [
                "Fernmouth switched on a street lamp powered only by the tide on Wednesday evening, the first of forty that the "
                "council wants to place along its harbour wall before next summer.",
                "The lamp draws its current from a float the size of a bathtub, which rises and falls beneath the eastern jetty "
                "and charges a battery buried in the stone.",
            ],
        ),
        (
            "en_report",
            [
                "Classrooms under roofs planted with moss stayed cooler than their neighbours through five summers, according to "
                "a report published on Tuesday by the Corran Institute of Building Physics.",
                "Dr. Agnes Thorley and her colleagues measured 38 schools in the north and the south of the country.",
                "The institute will lend tools to 12 more schools next year.",
            ],
        ),
    ],
)
def test_an_article_becomes_these_sentences(name: str, expected: list[str]) -> None:
    title, text = (OWN / f"{name}.txt").read_text(encoding="utf-8").split("\n", 1)
    summary = summarise(title=title, text=text.strip(), language=name[:2])
    assert summary is not None
    assert summary.origin is SummaryOrigin.EXTRACT
    assert summary.guard.reasons == ()
    assert [sentence.text for sentence in summary.sentences] == expected
    assert all(text.strip()[s.start : s.end] == s.text for s in summary.sentences)
    assert summary.text == " ".join(expected)
    assert len(summary.text) <= 350
    assert not scoring.figures(summary.text) - scoring.figures(title + text)
    assert all(scoring.ends_whole(sentence, text) for sentence in expected)


def test_a_page_with_a_standfirst_is_summarised_in_the_publishers_words() -> None:
    found = page("vi_jsonld")
    summary = summarise(title=found.title, text=found.text, standfirst=found.standfirst, language=found.language)
    assert summary is not None
    assert (summary.text, summary.origin, summary.guard.ok) == (found.standfirst, SummaryOrigin.STANDFIRST, True)
