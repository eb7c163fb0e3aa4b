"""The lead image is a picture of the article: no logo, no pixel, no portrait, in a version that mail can show."""

import pytest

from newsletter.collect.pages.page import read_page

TEXT = (
    "<p>The institute has installed twelve salt meters on the lower river, and each sends a reading every hour.</p>" * 3
)
HOST = "https://vien.example"
PICTURE = f"{HOST}/anh/may-do-man.jpg"


def pictured(body: str = "", head: str = "", before: str = "") -> tuple[str | None, str]:
    markup = (
        f"<html lang='en'><head><title>Salt meters on the lower river</title>{head}</head><body>{before}"
        f"<article><h1>Salt meters on the lower river</h1>{body}{TEXT}</article></body></html>"
    )
    found = read_page(markup.encode(), url=f"{HOST}/tin/1")
    return found.image, found.provenance.get("image", "")


def og(address: str, more: str = "") -> str:
    return f'<meta property="og:image" content="{address}">{more}'


@pytest.mark.parametrize(
    "address",
    ["/logo.png", "/images/logo-vien.png", "/assets/site-logo_2024.jpg", "/img/no-image.jpg", "/img/default-share.png",
     "/themes/x/placeholder.jpg", "/logo.svg", "data:image/png;base64,AAAA", "/favicon.ico"],
)  # fmt: skip
def test_a_logo_for_sharing_gives_way_to_the_articles_picture(address: str) -> None:
    assert pictured("<img src='/anh/may-do-man.jpg' width='640' height='400'>", og(address)) == (
        PICTURE,
        "first picture",
    )
    assert pictured("", og(address)) == (None, "")


@pytest.mark.parametrize(
    "other",
    [
        "<img src='/p.gif' width='1' height='1'>", "<img src='/share/facebook.png'>", "<img src='/a.svg'>",
        "<img src='data:image/gif;base64,R0lG'>", "<img class='avatar' src='/people/sen.jpg'>",
        "<div class='author-box'><img src='/people/sen.jpg'></div>", "<aside><img src='/book.jpg'></aside>",
        "<img src='/images/icon-print.png'>", "<div class='advert'><img src='/buy.jpg'></div>", "<img src='/count' width='0'>",
    ],
)  # fmt: skip
def test_what_is_no_picture_of_the_article_is_passed_over(other: str) -> None:
    assert pictured(f"{other}<p><img src='/anh/may-do-man.jpg'></p>") == (PICTURE, "first picture")
    assert pictured(other) == (None, "")


@pytest.mark.parametrize(
    "element",
    [
        "<img src='/blank.gif' data-src='/anh/may-do-man.jpg'>",
        "<img data-original='/anh/may-do-man.jpg' src='data:image/gif;base64,R0lG'>",
        "<img data-lazy-src='/anh/may-do-man.jpg'>",
        "<img srcset='/anh/may-do-man-300x200.jpg 300w, /anh/may-do-man.jpg 1200w'>",
        "<picture><source type='image/webp' srcset='/anh/may-do-man.webp 1200w'><img src='/anh/may-do-man.jpg'></picture>",
        "<picture><source data-srcset='/anh/may-do-man.jpg 900w'><img src='/anh/may-do-man-150x100.jpg'></picture>",
        "<img src='/anh/may-do-man.jpg 900w, /anh/may-do-man-1.jpg 300w'>",
    ],
)
def test_lazy_and_many_sized_pictures_are_given_in_a_version_mail_shows(element: str) -> None:
    assert pictured(element)[0] == PICTURE


def test_two_places_that_agree_outweigh_a_thumbnail_for_sharing() -> None:
    head = og("/anh/thumb/t-77.jpg", f'<meta name="twitter:image" content="{PICTURE}">')
    assert pictured("<img src='/anh/may-do-man.jpg'>", head)[0] == PICTURE


def test_a_picture_for_sharing_counts_before_the_first_of_the_text() -> None:
    assert pictured("<img src='/anh/khac.jpg'>", og(PICTURE)) == (PICTURE, "og:image")


def test_an_uncropped_version_of_the_same_picture_is_preferred() -> None:
    head = og(f"{HOST}/anh/may-do-man-1200x630.jpg?crop=1")
    head += (
        '<script type="application/ld+json">{"@type": "Article", "headline": "Salt meters on the lower river", "image":'
        f' {{"url": "{PICTURE}", "width": 1600, "height": "1200"}}}}</script>'
    )
    assert pictured("", head) == (PICTURE, "JSON-LD")


def test_an_image_named_only_by_its_id_is_looked_up() -> None:
    graph = (
        '{"@graph": [{"@type": "Article", "headline": "Salt meters on the lower river", "image": {"@id": "#lead"}},'
        f' {{"@id": "#lead", "@type": "ImageObject", "url": "{PICTURE}"}}]}}'
    )
    assert pictured("", f'<script type="application/ld+json">{graph}</script>') == (PICTURE, "JSON-LD")
    alone = '{"@type": "Article", "headline": "Salt meters", "image": {"@id": "https://vien.example/tin/1#lead"}}'
    assert pictured("", f'<script type="application/ld+json">{alone}</script>') == (None, "")


def test_a_link_to_the_image_serves_where_nothing_else_is() -> None:
    assert pictured("", f'<link rel="image_src" href="{PICTURE}">') == (PICTURE, "meta")


def test_a_name_with_a_blank_is_kept() -> None:
    assert pictured("<img src='/anh/máy đo.jpg'>")[0] == f"{HOST}/anh/máy%20đo.jpg"


def test_endless_source_sets_cost_little() -> None:
    assert pictured(f"<img src='/anh/may-do-man.jpg' srcset='{', , ' * 4_000}'>")[0] == PICTURE
