"""An article page's date is that of its publication, whichever other dates stand on the page."""

import sys
from datetime import date

import pytest

from newsletter.collect.page import read_page

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
