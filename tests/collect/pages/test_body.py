"""The text of a page stays right where one extractor alone is wrong, and its provenance says who gave it."""

import json

import lxml.html
import pytest

from newsletter.collect.pages import body
from newsletter.collect.pages.density import dense_text
from newsletter.collect.pages.page import read_page
from newsletter.collect.pages.vote import agreement, elect, is_settled, words

URL = "https://vien.example/tin/phao-do-song.html"
TITLE = "Six wave buoys now report from the northern gulf"
STORY = [
    "The hydrography centre has moored six wave buoys in the northern gulf, and their first readings came on Monday.",
    "Each buoy measures the height, the period and the direction of the waves every half hour, and sends them by satellite, so "
    "that fishing boats without a radar learn of a swell two hours before it arrives.",
    "Until now the centre had to rely on a single mast near the lighthouse, which stood in the lee of the island and told little "
    "about the open water beyond the banks.",
    "Engineer Tran Thi Muoi, who led the work, said that two of the buoys carry an instrument for salinity as well, because "
    "the oyster farms in the river mouth asked for it last spring.",
    "The data is free for everyone, and a page with charts for every station opens at the end of the month, once the first "
    "calibration voyage has returned to port.",
]


def prose(paragraphs: list[str]) -> str:
    return "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def page(content: str, *, head: str = "") -> str:
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>{head}</head><body>'
        f'<nav><a href="/">Home</a> <a href="/news">News</a></nav>{content}'
        "<footer><p>Hydrography Centre, 12 Quay Street. All rights reserved.</p></footer></body></html>"
    )


def plain_page() -> str:
    return page(f"<main><article><h1>{TITLE}</h1>{prose(STORY)}</article></main>")


def share_of(text: str, expected: list[str]) -> float:
    return agreement(words(text), words(" ".join(expected)))


def test_a_page_both_readers_agree_on_keeps_trafilaturas_text() -> None:
    found = read_page(plain_page().encode(), url=URL)
    assert found.text == "\n\n".join(STORY)
    assert found.provenance["text"] == "trafilatura"


NOTES = [
    f"Note {n}: the readings are given as they came, and gaps of up to an hour were filled by a straight line."
    for n in range(30)
]
FAILING = {
    "trafilatura drops the end": (
        f"<h1>{TITLE}</h1><article>{prose(STORY[:3])}</article><div class='paywall'>{prose(STORY[3:])}</div>",
        "trafilatura",
        "resiliparse by vote",
    ),
    "trafilatura takes the article for comments": (
        f"<div id='comments'><h1>{TITLE}</h1>{prose(STORY)}</div>",
        "trafilatura",
        "resiliparse by vote",
    ),
    "resiliparse drops what a script will show": (
        f"<div style='display:none'><h1>{TITLE}</h1>{prose(STORY)}</div>",
        "resiliparse",
        "trafilatura",
    ),
    "resiliparse takes the article for a footer": (
        f"<div class='footer-wrap'><h1>{TITLE}</h1>{prose(STORY)}</div>",
        "resiliparse",
        "trafilatura",
    ),
    "density takes the readers' letters for the article": (
        f"<div class='article-body'><h1>{TITLE}</h1>{prose(STORY)}</div><div class='comment-list'>{prose(NOTES)}</div>",
        "density",
        "trafilatura",
    ),
}


def readings(markup: str) -> dict[str, str]:
    tree = lxml.html.document_fromstring(markup)
    return {
        "trafilatura": body._trafilatura(tree, URL),
        "resiliparse": body._resiliparse(markup),
        "density": dense_text(tree),
    }


@pytest.mark.parametrize(("content", "wrong", "chosen"), FAILING.values(), ids=FAILING.keys())
def test_where_one_extractor_fails_alone_the_others_carry_the_text(content: str, wrong: str, chosen: str) -> None:
    told = {name: share_of(text, STORY) for name, text in readings(page(content)).items()}
    assert min(told, key=lambda name: told[name]) == wrong
    assert told[wrong] < 0.9
    found = read_page(page(content).encode(), url=URL)
    assert found.text == "\n\n".join(STORY)
    assert found.provenance["text"] == chosen


def test_an_article_set_in_an_aside_is_not_lost_to_two_that_found_only_its_heading() -> None:
    found = read_page(page(f"<h1>{TITLE}</h1><aside>{prose(STORY)}</aside>").encode(), url=URL)
    assert found.text == "\n\n".join(STORY)
    assert found.provenance["text"] == "density by vote"


def test_the_text_of_json_ld_is_read_where_the_page_itself_shows_none() -> None:
    claim = json.dumps({"@type": "NewsArticle", "headline": TITLE, "articleBody": " ".join(STORY)})
    head = f'<script type="application/ld+json">{claim}</script>'
    markup = page(
        f"<h1>{TITLE}</h1><div id='app'><p>Please switch on JavaScript to read this page.</p></div>", head=head
    )
    assert read_page(markup.encode(), url=URL).text == " ".join(STORY)


@pytest.mark.parametrize("name", ["_trafilatura", "_resiliparse", "dense_text"])
def test_an_extractor_that_breaks_costs_its_voice_and_not_the_page(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str:
        raise RuntimeError("odd HTML")

    monkeypatch.setattr(body, name, broken)
    assert share_of(read_page(plain_page().encode(), url=URL).text, STORY) > 0.95


def test_paragraphs_divided_by_line_breaks_or_loose_text_stay_apart_and_in_order() -> None:
    loose = f"<h1>{TITLE}</h1>{STORY[0]}<br><br>{STORY[1]}<table><tr><td>{STORY[2]}</td></tr></table>{STORY[3]}"
    tree = lxml.html.document_fromstring(page(f"<form id='aspnetForm'><div class='has-side side'>{loose}</div></form>"))
    assert dense_text(tree) == "\n\n".join([TITLE, *STORY[:4]])


def test_lists_of_links_and_scripts_are_no_prose() -> None:
    links = "".join(
        f"<li><a href='/{n}'>Notice number {n} on the repair of the quay wall, in full</a></li>" for n in range(40)
    )
    script = f"<script>var text = '{STORY[0] * 20}';</script>"
    tree = lxml.html.document_fromstring(page(f"<div><h1>{TITLE}</h1>{prose(STORY)}<ul>{links}</ul></div>{script}"))
    assert share_of(dense_text(tree), STORY) > 0.95
    assert dense_text(lxml.html.document_fromstring(page(f"<ul>{links}</ul>{script}"))) == ""


def test_the_reading_most_like_the_others_is_elected() -> None:
    whole, cut = " ".join(STORY), " ".join(STORY[:2])
    assert elect({"a": whole + " " + " ".join(NOTES), "b": whole, "c": whole, "d": cut}) == "b"
    assert elect({"a": whole + " " + cut, "b": "", "c": whole}) == "a"
    assert elect({"a": "", "b": ""}) == "a"
    assert elect({"a": "Cookies", "b": "Cookies", "c": whole}) == "c"


def test_a_short_text_is_never_settled_and_a_long_one_only_with_a_witness() -> None:
    assert not is_settled("We use cookies.", "We use cookies.")
    assert not is_settled(" ".join(STORY), "")
    assert is_settled(" ".join(STORY), " ".join([TITLE, *STORY]))


def test_words_are_counted_in_composed_lower_case_and_by_character_in_east_asian_scripts() -> None:
    assert words("Vie\u0323\u0302n, VIỆN") == {"viện": 2}
    assert words("海の波 100m") == {"海": 1, "の": 1, "波": 1, "100m": 1}
    assert agreement(words("a b"), words("b c")) == 0.5
    assert agreement(words(""), words("a")) == 0
