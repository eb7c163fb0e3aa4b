"""An article page is named by its own headline, not by its site, its section or its search words."""

import json

import pytest

from newsletter.collect.pages.page import read_page

TITLE = "Twelve salt meters now guard the lower river"
TEXT = (
    "<p>The institute has installed twelve salt meters on the lower river, and each sends a reading every hour.</p>" * 3
)
URL = "https://www.riverinstitute.example/news/salt-meters"


def titled(body: str, *, head: str = "", document: str = TITLE, url: str = URL) -> tuple[str, str]:
    markup = (
        f"<!DOCTYPE html><html lang='en'><head><title>{document}</title>{head}</head><body>{body}{TEXT}</body></html>"
    )
    found = read_page(markup.encode(), url=url)
    return found.title, found.provenance.get("title", "")


def og(title: str, site: str = "") -> str:
    return f'<meta property="og:title" content="{title}"><meta property="og:site_name" content="{site}">'


@pytest.mark.parametrize(
    ("logo", "head"),
    [
        ("<h1>River Institute</h1>", ""),  # the address says so
        ("<h1>Lower Waters</h1>", '<meta property="og:site_name" content="Lower Waters">'),
        ("<h1>Lower Waters</h1>", '<script type="application/ld+json">{"@type": "Article", "headline": "x", "publisher":'
         ' {"name": "Lower Waters"}}</script>'),
        ("<header><h1 class='logo'><a href='/'>Waters, Shores and People</a></h1></header>", ""),
    ],
)  # fmt: skip
def test_a_logo_set_as_h1_is_not_the_title(logo: str, head: str) -> None:
    assert titled(f"{logo}<article><h1>{TITLE}</h1>", head=head)[0] == TITLE
    assert titled(f"{logo}<article><h2>{TITLE}</h2>", head=head) == (TITLE, "heading confirmed")


def test_a_lone_h1_is_believed_against_search_words() -> None:
    head = og("Salt meters on the lower river: the complete 2025 guide")
    assert titled(f"<main><h1>{TITLE}</h1>", head=head, document="Salt meters | River Institute") == (TITLE, "h1")


@pytest.mark.parametrize("heading", ["Save this article", "Related content", "News"])
def test_an_h1_that_shares_no_word_with_any_claim_is_furniture(heading: str) -> None:
    assert titled(f"<main><h1>{heading}</h1>", head=og(TITLE)) == (TITLE, "og:title")


@pytest.mark.parametrize(
    "claim",
    [
        f"{TITLE} | River Institute", f"{TITLE} - River Institute", f"River Institute: {TITLE}",
        f"{TITLE} – riverinstitute.example", f"{TITLE} | News | River Institute", f"{TITLE} | Gauges, prices and more",
    ],
)  # fmt: skip
def test_the_site_and_its_sections_are_no_part_of_the_title(claim: str) -> None:
    assert titled("", head=og(claim), document="")[0] == TITLE
    assert titled(f"<h1>{claim}</h1>", head=og(claim), document=claim)[0] == TITLE


def test_a_title_that_begins_like_its_site_keeps_its_beginning() -> None:
    title = "River Institute opens its doors"
    assert titled(f"<h1>{title}</h1>", document=f"{title} | River Institute")[0] == title


def test_a_kicker_before_and_counters_behind_are_left_out() -> None:
    assert titled(f"<h1><span>Instruments</span> {TITLE}</h1>", head=og(TITLE))[0] == TITLE
    assert titled(f"<h1>{TITLE} (04/03/2025)</h1>", head=og(TITLE))[0] == TITLE
    assert titled(f"<h1>{TITLE} <small>17</small></h1>", head=og(TITLE))[0] == TITLE


def test_words_on_two_lines_and_capitals_set_for_their_look() -> None:
    assert titled("<h1>Twelve salt meters<br>now guard the lower river</h1>")[0] == TITLE
    assert titled(f"<h1>{TITLE.upper()}</h1>")[0] == TITLE
    assert titled("<h1><span>Twelve salt meters</span><span>Now on guard</span></h1>", document="")[0] == (
        "Twelve salt meters Now on guard"
    )


def test_of_claims_without_a_headline_the_one_without_a_section_counts() -> None:
    article = json.dumps({"@type": "NewsArticle", "headline": TITLE, "datePublished": "2025-03-04"})
    head = og(f"{TITLE}-Technology") + f'<script type="application/ld+json">{article}</script>'
    assert titled("", head=head, document="") == (TITLE, "JSON-LD")


def test_a_page_whose_title_element_names_only_the_site_is_named_by_its_first_heading() -> None:
    title = "Trạm Sông Hậu lắp xong mười hai máy đo độ mặn"
    markup = (
        f"<html><head><title>Viện Sông Hậu</title></head><body><div class='tieude'>{title}</div>{TEXT}</body></html>"
    )
    found = read_page(markup.encode(), url="https://viensonghau.example/tin/1")
    assert found.title in (title, "Viện Sông Hậu")
    site = '<meta property="og:site_name" content="Viện Sông Hậu">'
    found = read_page(markup.replace("<title>", f"{site}<title>").encode(), url="https://viensonghau.example/tin/1")
    assert (found.title, found.provenance["title"]) == (title, "heading")


@pytest.mark.parametrize("name", ["Phòng Tổ chức - Hành chính, Viện Sông Biển", "Viện Sông Biển", "Cổng thông tin"])
def test_a_lone_h1_names_the_page_where_its_title_element_is_the_same_on_every_page(name: str) -> None:
    heading = "Viện tổ chức Hội nghị sơ kết công tác quan trắc mùa lũ"
    assert titled(f"<div><h1>{heading}</h1>", document=name) == (heading, "h1")
