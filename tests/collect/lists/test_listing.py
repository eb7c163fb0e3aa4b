"""Listing pages of the layouts institutes use, all invented: which links are articles, by what title and of which day."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

import pytest

from newsletter.collect.lists.listing import Listing, read_listing
from newsletter.errors import Unreadable
from tests.collect.listing_layouts import MENU, MORE_LAYOUTS, TITLES, items, whole

URL = "https://vien.example.vn/tin-tuc"


def dnn() -> str:
    rows = items(
        lambda n, title, day: (
            f"<tr><td class='anh'><a href='/tin-tuc/ArtMID/451/ArticleID/{n}/bai'><img src='/a{n}.jpg'></a></td><td>"
            f"<a class='TieuDe' href='/tin-tuc/ArtMID/451/ArticleID/{n}/bai'>{title}</a><br><span>({day})</span></td></tr>"
        )
    )
    body = f"<div id='dnn_ContentPane'><table class='DanhSach'>{rows}</table></div>"
    return whole(
        f"<form method='post' id='Form'><div class='Head'><ul id='menu'>{MENU}</ul></div>{body}</form>", menu=""
    )


def nukeviet() -> str:
    return whole(
        "<div class='news_column'>"
        + items(
            lambda n, title, day: (
                f"<div class='panel panel-default clearfix'><div class='panel-body'><h3><a href='/vi/news/tin/bai-{n}.html'"
                f" title='{title}'>{title}</a></h3><ul class='list-inline'><li>{day} 08:0{n}</li></ul>"
                f"<p>Tóm tắt của bài số {n}, hai câu ngắn nói việc gì đã xảy ra và ở đâu.</p></div></div>"
            )
        )
        + "</div><div class='col-sidebar'><h4>Xem nhiều</h4><ul><li><a href='/vi/news/cu/bai-cu-99.html'>Một bài đã cũ lắm rồi"
        " được đọc rất nhiều lần</a></li></ul></div>"
    )


def joomla() -> str:
    rows = items(
        lambda n, title, day: (
            f"<tr class='cat-list-row{n % 2}'><td class='list-title'><a href='/index.php/tin-tuc/{200 + n}-bai'>{title}</a></td>"
            f"<td class='list-date small'>Thứ Hai, {day}</td></tr>"
        )
    )
    return whole(f"<table class='category table'><tbody>{rows}</tbody></table>")


def wordpress() -> str:
    return whole(
        "<main id='main'>"
        + items(
            lambda n, title, day: (
                f"<article class='post-{n} post type-post tag-bien category-tin-tuc'><header class='entry-header'>"
                f"<h2 class='entry-title'><a href='/2026/03/bai-{n}/' rel='bookmark'>{title}</a></h2>"
                f"<time datetime='2026-03-{n + 1:02}T09:00:00+07:00'>{n + 1} Tháng 3, 2026</time></header>"
                f"<p>Đoạn mở đầu của bài.</p><a class='more-link' href='/2026/03/bai-{n}/'>Xem thêm</a></article>"
            )
        )
        + "</main><aside class='widget'><a href='/category/tin-tuc/'>Tin tức</a></aside>"
    )


def sharepoint() -> str:
    rows = items(
        lambda n, title, day: (
            f"<div class='ms-itmhover'><div><a href='/Pages/bai.aspx?ItemID={500 + n}'>{title}</a>"
            f"<div class='ms-vb'>Ngày {day}</div></div></div>"
        )
    )
    return whole(
        f"<form id='aspnetForm'><div id='s4-workspace'><div class='ms-core-navigation menu'><ul>{MENU}</ul></div>"
        f"<div id='contentBox'>{rows}</div></div></form>",
        menu="",
    )


def bare_list() -> str:
    rows = items(lambda n, title, day: f"<li><a href='bai-viet-so-{n}.htm'>{title}</a> <i>({day})</i></li>")
    return whole(f"<center><ul>{rows}</ul></center>")


def read_more() -> str:
    return whole(
        "<div class='list'>"
        + items(
            lambda n, title, day: (
                f"<div class='box'><h4>{title}</h4><span class='d'>{day}</span><p>Vài lời giới thiệu bài viết này.</p>"
                f"<a class='btn' href='/bai-viet/{1000 + n}'>Xem chi tiết</a></div>"
            )
        )
        + "</div>"
    )


def cards() -> str:
    return whole(
        "<section class='grid'>"
        + items(
            lambda n, title, day: (
                f"<a class='card' href='/chi-tiet/{1000 + n}-bai'><img src='/{n}.webp' alt=''><h3>{title}</h3>"
                f"<p>Tóm tắt ngắn gọn của bài viết số {n}.</p><span class='date'>{day}</span></a>"
            )
        )
        + "</section>"
    )


LAYOUTS = (dnn, nukeviet, joomla, wordpress, sharepoint, bare_list, read_more, cards, *MORE_LAYOUTS)


def read(page: str, url: str = URL, **more: datetime) -> Listing:
    return read_listing(page.encode(), url=url, **more)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_each_layout_gives_its_articles_and_nothing_else(layout: Callable[[], str]) -> None:
    found = read(layout())
    assert [link.title for link in found.links] == list(TITLES)
    assert len({link.url for link in found.links}) == len(TITLES)
    assert all(link.url.startswith("https://vien.example.vn/") for link in found.links)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_dates_beside_the_links_are_read_day_first(layout: Callable[[], str]) -> None:
    days = [str(link.published)[:10] for link in read(layout()).links]
    assert days == [f"2026-03-{number + 1:02}" for number in range(len(TITLES))]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_the_signature_stays_when_only_the_articles_change(layout: Callable[[], str]) -> None:
    before = layout()
    after = before.replace("Ngữ Phong", "Hải Vân").replace("bai-1", "bai-31").replace("/03/2026", "/04/2026")
    assert read(before).signature == read(after).signature != ""


def test_signatures_tell_layouts_apart() -> None:
    assert len({read(layout()).signature for layout in LAYOUTS}) == len(LAYOUTS)


def test_the_time_element_gives_the_moment_and_a_relative_date_needs_to_know_what_time_it_is() -> None:
    assert str(read(wordpress()).links[0].published) == "2026-03-01 09:00:00+07:00"
    page = bare_list().replace("(01/03/2026)", "3 giờ trước")
    now = datetime(2026, 3, 9, 5, 0, tzinfo=UTC)
    assert read(page).links[0].published is None
    assert read(page, now=now).links[0].published == datetime(2026, 3, 9, 2, 0, tzinfo=UTC)
    assert read(page, now=now).links[1].published == date(2026, 3, 2)


def test_decomposed_letters_come_out_composed_and_a_base_address_counts() -> None:
    import unicodedata

    page = bare_list().replace("<head>", "<head><base href='https://vien.example.vn/kho/'>")
    found = read(unicodedata.normalize("NFD", page))
    assert found.links[0].title == TITLES[0]
    assert found.links[0].url == "https://vien.example.vn/kho/bai-viet-so-0.htm"


def test_links_to_other_sites_are_left_out_where_there_are_own_ones() -> None:
    outside = "".join(
        f"<li><a href='https://bao.example.net/bai-viet-so-{n}.htm'>Báo bạn viết về chuyến khảo sát thứ {n} của viện</a></li>"
        for n in range(4)
    )
    found = read(bare_list().replace("<center><ul>", f"<center><ul>{outside}"))
    assert [link.title for link in found.links] == list(TITLES)


NOTHING: Sequence[tuple[str, str]] = (
    ("menu only", whole("")),
    ("menu with long words", whole("", menu=f"<div class='left-menu'><ul>{MENU}</ul></div>")),
    ("no link", whole("<p>Trang đang được bảo trì.</p>", menu="").replace("<a ", "<b ")),
    ("script links", bare_list().replace("href='bai", "href='javascript:bai")),
    ("links to itself", bare_list().replace("href='bai-viet", "href='#bai-viet")),
    ("mail links", bare_list().replace("href='bai", "href='mailto:bai")),
    ("broken addresses", bare_list().replace("href='bai", "href='http://[bai")),
)


@pytest.mark.parametrize("page", [page for _, page in NOTHING], ids=[name for name, _ in NOTHING])
def test_where_there_is_no_list_no_link_is_given(page: str) -> None:
    assert read(page) == Listing(links=(), signature="")


def test_many_links_to_one_address_are_one_article_at_most() -> None:
    rows = items(lambda n, title, day: f"<li><a href='/chuyen-trang-bien-dao'>{title}</a> ({day})</li>")
    assert len(read(whole(f"<ul>{rows}</ul>")).links) <= 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"", "the page is empty"), (b" " * (10 << 20) + b" <a>", "larger than 10 MB"), (b"<!-- -->", "no element")],
)
def test_what_is_no_page_is_refused(body: bytes, expected: str) -> None:
    with pytest.raises(Unreadable, match=expected):
        read_listing(body, url=URL)


def test_pages_made_to_hang_a_reader_are_read() -> None:
    """Each took half a minute or more before its bound; a page that hangs is seen by the suite's own time limit."""
    unlike = "".join(
        f"<a class='{chr(97 + n % 26) * (n // 26 + 1)}' href='/p/{n}'>một {n}</a><p>{'chữ ' * 300}</p>"
        for n in range(5000)
    )
    digits = "".join(f"<p><a href='/{n}'>một hai ba bốn năm {n}</a>{'1' * 1900}</p>" for n in range(4000))
    deep = "<div>" * 250 + "".join(f"<a href='/{n}'>một hai ba bốn năm {n}</a>" for n in range(20000))
    classes = "".join(f"<div class='{'top-' * 14}{n}'><a href='/{n}'>một hai ba {n}</a></div>" for n in range(5000))
    for page in (unlike, digits, deep, classes):
        assert len(read(f"<div>{page}</div>").links) <= 500


def told(*urls: str, kind: str = "ItemList") -> str:
    """JSON-LD that lists addresses, as its three usual writers do."""
    members: list[object] = [{"@type": "ListItem", "position": n, "url": url} for n, url in enumerate(urls, 1)]
    facts: dict[str, object] = {
        "@type": "CollectionPage",
        "mainEntity": {"@type": "ItemList", "itemListElement": members},
    }
    if kind == "Blog":
        facts = {"@graph": [{"@type": ["Blog"], "blogPost": [{"@type": "BlogPosting", "url": url} for url in urls]}]}
    if kind == "hasPart":
        facts = {"@type": "CollectionPage", "hasPart": [{"@type": "Article", "@id": url} for url in urls]}
    crumbs = [
        {"@type": "ListItem", "item": {"@id": f"https://vien.example.vn/{slug}"}} for slug in ("co-cau", "dao-tao")
    ]
    both = [facts, {"@type": "BreadcrumbList", "itemListElement": crumbs}]
    return f"<script type='application/ld+json'>{json.dumps(both)}</script>"


@pytest.mark.parametrize("kind", ["ItemList", "Blog", "hasPart"])
def test_what_json_ld_lists_is_found_where_the_structure_alone_passes_it_over(kind: str) -> None:
    apart = "<p class='le'><a href='/su-kien/mo-cua'>Mở cửa</a></p>"
    page = bare_list().replace("</center>", f"</center>{apart}")
    urls = [f"https://vien.example.vn/bai-viet-so-{n}.htm" for n in range(8)]
    assert [link.title for link in read(page).links] == list(TITLES)
    listed = page.replace("</head>", told(*urls, "/su-kien/mo-cua", "/khong-co-tren-trang", kind=kind) + "</head>")
    assert [link.title for link in read(listed).links] == [*TITLES, "Mở cửa"]
    assert read(listed).signature == read(page).signature


def test_json_ld_that_lists_other_things_than_the_page_changes_nothing() -> None:
    page = bare_list()
    menu = told(*(f"https://vien.example.vn/{slug}" for slug in ("co-cau", "van-ban", "dao-tao", "hop-tac")))
    for facts in (menu, told("/x", "/y", "/z"), told(), "<script type='application/ld+json'>{]</script>"):
        assert read(page.replace("</head>", facts + "</head>")) == read(page)
    assert read(whole(menu)).links == ()
