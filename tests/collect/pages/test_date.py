"""An article page's date is that of its publication, whichever other dates stand on the page."""

import sys
import unicodedata
from datetime import UTC, date, datetime

import pytest

from newsletter.collect.pages.page import read_page

TITLE = "Six wave buoys now report from the northern gulf"
TEXT = (
    "<p>The hydrography centre has moored six wave buoys in the northern gulf, and their first readings are in.</p>" * 3
)
URL = "https://vien.example/news/buoys"
FILL = "<p>Station</p>" * 60


def dated(
    before: str = "", below: str = "", after: str = "", *, head: str = "", url: str = URL, lang: str = "en"
) -> tuple[object, str]:
    markup = (
        f"<!DOCTYPE html><html lang='{lang}'><head><title>{TITLE}</title>{head}</head><body>{before}"
        f"<main><h1>{TITLE}</h1>{below}{TEXT}</main>{after}</body></html>"
    )
    found = read_page(markup.encode(), url=url)
    return found.published, found.provenance.get("published", "")


def test_a_time_of_another_article_above_the_headline_is_not_taken() -> None:
    box = "<main><time datetime='2025-06-01'>1 June</time></main>" + "<p>x</p>" * 30
    assert dated(box, "<time datetime='2024-03-05'>5 March</time>") == (date(2024, 3, 5), "time element")


def test_of_two_times_below_the_headline_the_first_publication_counts() -> None:
    below = "<time datetime='2025-06-01'>Updated 1 June</time><time datetime='2024-03-05'>5 March</time>"
    assert dated(below=below) == (date(2024, 3, 5), "time element")


@pytest.mark.parametrize(
    ("line", "lang", "day"),
    [
        ("March 5, 2024", "en", date(2024, 3, 5)),
        ("Published 5 March 2024 by Minh Le", "en", date(2024, 3, 5)),
        ("25/03/2024", "en", date(2024, 3, 25)),
        ("05.03.2024, Lesezeit 4 Min.", "de", date(2024, 3, 5)),
        ("2024年3月5日 公開", "ja", date(2024, 3, 5)),
        ("2024년 3월 5일", "ko", date(2024, 3, 5)),
    ],
)
def test_the_line_near_the_headline_dates_a_page_of_any_language(line: str, lang: str, day: date) -> None:
    assert dated(below=f"<div class='date'>{line}</div>", lang=lang) == (day, "near the headline")


def test_a_line_that_names_an_update_gives_way_to_one_that_does_not() -> None:
    below = "<p class='date'>Updated: 2 January 2026</p><p>3 May 2024</p>"
    assert dated(below=below) == (date(2024, 5, 3), "near the headline")
    assert dated(below="<p class='date'>Updated: 2 January 2026</p>") == (date(2026, 1, 2), "near the headline")


def test_the_day_in_the_address_counts_before_what_is_written_on_the_page() -> None:
    found = dated(below="<p>June 1, 2025</p>", url="https://vien.example/2024/03/05/buoys")
    assert found == (date(2024, 3, 5), "address")
    assert dated(url="https://vien.example/2024/13/05/buoys")[0] is None


def test_a_line_at_the_end_that_says_it_is_the_date_is_read_when_nothing_else_is() -> None:
    assert dated(after=FILL + "<p>Last updated: 4 March, in the year</p><p>Last updated: 4 March 2025</p>")[0] == date(
        2025, 3, 4
    )


def test_a_bare_year_is_no_date_and_the_many_locales_are_never_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "dateparser", raising=False)
    assert dated(after=FILL + "<p>© 2023 Hydrography Centre</p>") == (None, "")
    assert "dateparser" not in sys.modules


# ---------------------------------------------------------------- layouts of Vietnamese institutes

VI_TITLE = "Trạm Sông Hậu lắp xong mười hai máy đo độ mặn tự động"
VI_TEXT = (
    "<p>Trạm Sông Hậu vừa lắp xong mười hai máy đo độ mặn, mỗi giờ gửi một lần số liệu về phòng trực của Viện.</p>" * 3
)
OLDER = "".join(f"<li><a href='/tin/{n}'>Tin số {n} của Viện về nước mặn</a> (0{n}/12/2023)</li>" for n in range(1, 6))
DAY = date(2024, 1, 2)


def institute(body: str, *, now: datetime | None = None, head: str = "") -> tuple[object, str]:
    markup = f"<html lang='vi'><head><title>{VI_TITLE}</title>{head}</head><body>{body}</body></html>"
    found = read_page(markup.encode(), url="https://vien.example/tin/do-man", now=now)
    moment = found.published
    return (moment.date() if isinstance(moment, datetime) else moment), found.provenance.get("published", "")


LAYOUTS = {
    "below the heading": f"<h1>{VI_TITLE}</h1><span class='ngay'>Thứ Ba, 02/01/2024, 15:30 (GMT+7)</span>{VI_TEXT}",
    "breadcrumb line": f"<div>Trang chủ » Tin tức » 02/01/2024</div><h1>{VI_TITLE}</h1>{VI_TEXT}",
    "update only": f"<h1>{VI_TITLE}</h1><p>Cập nhật lúc 15h30 ngày 02/01/2024</p>{VI_TEXT}",
    "update before the publication": f"<h1>{VI_TITLE}</h1><p>Cập nhật: 05/02/2024</p><p>Ngày đăng: 02/01/2024</p>{VI_TEXT}",
    "picture's label": f"<h1>{VI_TITLE}</h1><img src='/d.png' alt='Ngày đăng: 02/01/2024'>{VI_TEXT}",
    "event first": f"<h1>{VI_TITLE}</h1><p>Thời gian: 8h00 ngày 28/12/2023</p><p>Địa điểm: Hội trường A</p>"
    f"<p>Ngày đăng: 02/01/2024</p>{VI_TEXT}",
    "document first": f"<h1>{VI_TITLE}</h1><p>Quyết định số 12/QĐ ngày 15/12/2023</p><p>02/01/2024 09:00</p>{VI_TEXT}",
    "boxes": f"<h1>{VI_TITLE}</h1><div class='date'><b>02</b><span>/01/2024</span></div>{VI_TEXT}",
    "table": f"<h2>{VI_TITLE}</h2><table><tr><td>Ngày đăng:</td><td>02/01/2024</td></tr></table>{VI_TEXT}",
    "site's clock above": f"<div class='top-bar'><span>Thứ Sáu, 10/05/2024</span></div><h1>{VI_TITLE}</h1>"
    f"<div><i>2-1-2024</i></div>{VI_TEXT}",
    "older news beside": f"<div><h3>Tin khác</h3><ul>{OLDER}</ul></div><h1>{VI_TITLE}</h1><p class='date'>02/01/24</p>{VI_TEXT}",
    "WordPress": f"<h1>{VI_TITLE}</h1><div class='entry-meta'>2 Tháng Giêng, 2024 bởi admin</div>{VI_TEXT}",
    "lunar day beside": f"<h1>{VI_TITLE}</h1><p class='date'>02/01/2024 (21/11/2023 âm lịch)</p>{VI_TEXT}",
}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_the_date_of_institute_layouts_is_the_day_of_publication(layout: str, form: str) -> None:
    related = f"<div><h3>Các mục khác</h3><ul>{OLDER}</ul></div>"
    found = institute(unicodedata.normalize(form, layout + related))  # type: ignore[arg-type]
    assert found == (DAY, "near the headline")


def test_dates_in_the_list_of_other_news_date_nothing() -> None:
    assert institute(f"<h1>{VI_TITLE}</h1>{VI_TEXT}<div><h3>Các tin khác</h3><ul>{OLDER}</ul></div>") == (None, "")


def test_the_day_in_the_lead_is_the_last_resort_and_says_so() -> None:
    lead = (
        "<p>Sáng ngày 30/12/2023, Viện họp bàn việc lắp các máy đo độ mặn trên sông Hậu và giao việc cho từng trạm.</p>"
    )
    assert institute(f"<h1>{VI_TITLE}</h1>{lead}{VI_TEXT}") == (date(2023, 12, 30), "lead")
    assert institute(f"<h1>{VI_TITLE}</h1><p>02/01/2024</p>{lead}{VI_TEXT}") == (DAY, "near the headline")


def test_relative_times_count_from_the_moment_of_fetching_and_only_where_they_are_the_whole_line() -> None:
    now = datetime(2024, 1, 2, 9, 0, tzinfo=UTC)
    assert institute(f"<h1>{VI_TITLE}</h1><p>3 giờ trước</p>{VI_TEXT}", now=now)[0] == DAY
    assert institute(f"<h1>{VI_TITLE}</h1><p>3 giờ trước</p>{VI_TEXT}")[0] is None
    assert institute(f"<h1>{VI_TITLE}</h1><p>Hôm nay Viện nghỉ tiếp khách</p>{VI_TEXT}", now=now)[0] is None


# ---------------------------------------------------------------- what the page declares against what it shows


def declared(published: str) -> str:
    return f'<script type="application/ld+json">{{"@type": "Article", "datePublished": "{published}"}}</script>'


def test_a_declared_day_long_after_the_visible_one_is_the_day_of_a_save() -> None:
    shown = "<p class='date'>March 5, 2024</p>"
    assert dated(below=shown, head=declared("2025-06-01")) == (date(2024, 3, 5), "near the headline")
    assert dated(below=shown, head=declared("2024-03-06")) == (date(2024, 3, 6), "JSON-LD")
    assert dated(below="<p class='date'>Updated: March 5, 2024</p>", head=declared("2025-06-01"))[1] == "JSON-LD"
    assert dated(below="<p>Event: March 5, 2024</p>", head=declared("2025-06-01"))[1] == "JSON-LD"


def test_a_page_that_knows_only_its_last_change_is_dated_by_it_and_says_so() -> None:
    head = '<meta property="article:modified_time" content="2025-03-04T10:00:00Z">'
    assert dated(head=head) == (datetime(2025, 3, 4, 10, 0, tzinfo=UTC), "modified")


def test_meta_elements_that_carry_their_word_in_value_are_read() -> None:
    assert dated(head='<meta name="article:published_time" value="2024-03-05">') == (date(2024, 3, 5), "meta")
