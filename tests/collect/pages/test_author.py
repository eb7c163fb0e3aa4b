"""Authors are persons as the page names them; a house only where it names nobody else."""

import json
import unicodedata

import pytest

from newsletter.collect.pages.page import read_page
from newsletter.collect.text.names import is_organisation, people

TEXT = (
    "<p>The institute has installed twelve salt meters on the lower river, and each sends a reading every hour.</p>" * 3
)


def written(below: str = "", head: str = "", after: str = "", author: object = None) -> tuple[tuple[str, ...], str]:
    data = {"@type": "NewsArticle", "headline": "Salt meters on the lower river", "author": author}
    if author is not None:
        head += f'<script type="application/ld+json">{json.dumps(data)}</script>'
    markup = (
        f"<html lang='en'><head><title>Salt meters on the lower river</title>{head}</head><body>"
        f"<article><h1>Salt meters on the lower river</h1>{below}{TEXT}{after}</article></body></html>"
    )
    found = read_page(markup.encode(), url="https://riverinstitute.example/news/1")
    return found.authors, found.provenance.get("authors", "")


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        ("By Minh Le", ["Minh Le"]),
        ("Trudi Halden", ["Trudi Halden"]),  # "di" inside a name is not Italian for "by"
        ("Written by: Oda Brann", ["Oda Brann"]),
        ("Oda Brann and Pim Holt", ["Oda Brann", "Pim Holt"]),
        ("Lê Sen, Tạ Minh và Hà Thu", ["Lê Sen", "Tạ Minh", "Hà Thu"]),
        ("Oda Brann, MD", ["Oda Brann, MD"]),
        ("Oda Brann, senior reporter", ["Oda Brann"]),
        ("Oda Brann (obr)", ["Oda Brann"]),
        ("Oda Brann | Updated March 4, 2025", ["Oda Brann"]),
        ("Oda Brann March 4, 2025", ["Oda Brann"]),
        ("Theresa May", ["Theresa May"]),
        ("Herbert Read", ["Herbert Read"]),
        ("Nguyễn Thị Le", ["Nguyễn Thị Le"]),
        ("Read more about Oda Brann", ["Oda Brann"]),
        ("Center for River Research and Gauging", ["Center for River Research and Gauging"]),
        ("Đ.L", ["Đ.L"]),
        ("Tác giả: Vừ A Páo", ["Vừ A Páo"]),
        ("Người đăng: Quản trị viên", []),
        ("Superuser Account", []),
        ("admin", []),
        ("desk@vien.example", []),
        ("https://social.example/oda", []),
        ("March 2025", []),
        ("©", []),
        ("", []),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_are_freed_of_what_is_no_name(raw: str, names: list[str], form: str) -> None:
    assert people([unicodedata.normalize(form, raw)]) == tuple(names)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", ["PV", "BBT", "Ban biên tập", "Viện Hải văn", "Báo Đồng Bằng", "VnExpress", "River Times", "Web Team"]
)
def test_houses_and_offices_are_known(name: str) -> None:
    assert is_organisation(name)


@pytest.mark.parametrize("name", ["Nguyễn Văn Báo", "Đ.L", "Lê Thị Hội", "Oda Brann", "Minh"])
def test_persons_are_no_houses(name: str) -> None:
    assert not is_organisation(name)


def test_a_person_anywhere_comes_before_the_house_of_the_metadata() -> None:
    house = {"@type": "Organization", "name": "River Institute"}
    assert written("<p class='byline'>By Oda Brann</p>", author=house) == (("Oda Brann",), "near the headline")
    assert written(after="<p>Words: Oda Brann</p>", author=house) == (("Oda Brann",), "byline")
    assert written(author=house) == (("River Institute",), "JSON-LD")
    assert written("<p class='author'>Instruments</p>", author=house) == (("River Institute",), "JSON-LD")


def test_meta_elements_name_authors_and_addresses_do_not() -> None:
    assert written(head='<meta name="author" content="Oda Brann">') == (("Oda Brann",), "meta")
    both = '<meta property="article:author" content="https://social.example/oda"><meta name="parsely-author" content="Pim Holt">'
    assert written(head=both) == (("Pim Holt",), "meta")
    label = '<meta name="twitter:label1" content="Written by"><meta name="twitter:data1" content="Oda Brann">'
    assert written(head=label) == (("Oda Brann",), "meta")
    assert written(head=label.replace("Written by", "Reading time")) == ((), "")


@pytest.mark.parametrize(
    "line",
    [
        "<a rel='author' href='/oda'>Oda Brann</a>", "<span itemprop='author'><b itemprop='name'>Oda Brann</b></span>",
        "<div class='post-author'>By <a>Oda Brann</a> <span>March 4, 2025</span></div>", "<p>By Oda Brann</p>",
        "<div>Tác giả: Oda Brann</div>", "<div class='byline'><span>Oda Brann</span><span>Senior Editor</span></div>",
    ],
)  # fmt: skip
def test_the_line_near_the_headline_names_the_author(line: str) -> None:
    assert written(line) == (("Oda Brann",), "near the headline")


def test_commenters_and_authors_of_other_articles_are_nobody_here() -> None:
    assert written("<div class='comment'><span class='comment-author'>Pim Holt</span></div>")[0] == ()
    assert written("<aside><a rel='author'>Pim Holt</a></aside>")[0] == ()


def test_an_author_named_only_by_id_is_looked_up() -> None:
    graph = {
        "@graph": [
            {"@type": "Article", "headline": "Salt meters on the lower river", "author": {"@id": "#oda"}},
            {"@type": "Person", "@id": "#oda", "name": "Oda Brann"},
        ]
    }
    head = f'<script type="application/ld+json">{json.dumps(graph)}</script>'
    assert written(head=head) == (("Oda Brann",), "JSON-LD")
