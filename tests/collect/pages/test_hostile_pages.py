"""Pages and listings made to break a reader, and the ways an address can be written short: what is there is still read.

A page that hangs its reader is seen by the suite's own time limit."""

import pytest

from newsletter.collect.lists.listing import read_listing
from newsletter.collect.pages.page import read_page
from newsletter.model import RawItem

URL = "https://vien.example/tin/2026/bai.html"
TITLE = "Trạm quan trắc đảo Gió chạy lại sau mười ngày"
TEXT = (
    "Trạm quan trắc đảo Gió chạy lại từ sáng nay, sau mười ngày thay cáp và kiểm định máy đo mực nước theo kế hoạch.",
    "Trong mười ngày ấy số liệu được lấy từ trạm dự phòng ở cửa Lạch, sai khác so với trạm chính không quá hai xăng-ti-mét.",
    "Phòng Quan trắc sẽ gửi lại toàn bộ chuỗi số liệu đã hiệu chỉnh cho các đơn vị trong tuần này.",
)
BODY = "".join(f"<p>{paragraph}</p>" for paragraph in TEXT)


def page(body: str = BODY, head: str = "") -> str:
    return f"<html lang='vi'><head><title>{TITLE}</title>{head}</head><body><h1>{TITLE}</h1>{body}</body></html>"


def read(markup: str) -> RawItem:
    return read_page(markup.encode(), url=URL)


HOSTILE = {
    "60,000 open elements behind the text": page(BODY + "<div>" * 60_000),
    "60,000 nested elements behind the text": page(BODY + "<b>" * 60_000 + "x" + "</b>" * 60_000),
    "60,000 closing tags before it": page("</div>" * 60_000 + BODY),
    "100,000 attributes on one paragraph": page(BODY + "<p " + " ".join(f"a{n}=1" for n in range(100_000)) + "></p>"),
    "a tag name of 3 MB": page(BODY + f"<{'x' * 3_000_000}>"),
    "an attribute of 3 MB": page(BODY + f"<img src='{'x' * 3_000_000}'>"),
    "a comment that never ends": page(BODY) + "<!-- " + "x" * 100_000,
    "NUL between all letters of a tag": page(BODY.replace("<p>", "<\0p\0>")),
    "control characters": page(BODY.replace("<p>", "<p>\x01\x0b\x1f")),
    "cut off in the last tag": page()[: -len("dy></html>")],
    "cut off behind the text": page().split("</body>")[0] + "<p",
    "two roots": page() + page("<p>Trang thứ hai.</p>"),
    "a warning before the page": "Warning: mysql_connect() in /var/www/db.php on line 3\n" + page(),
}


@pytest.mark.parametrize("markup", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_page_still_gives_its_title_and_text(markup: str) -> None:
    found = read(markup)
    assert found.title == TITLE
    assert all(paragraph in found.text for paragraph in TEXT)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_page_cut_anywhere_gives_what_came(share: float) -> None:
    markup = page().encode()
    found = read_page(markup[: int(len(markup) * share)], url=URL)
    assert found.title == TITLE
    assert "\ufffd" not in found.title


ROWS = "".join(f"<li><h3><a href='bai-{n}.html'>{TITLE} lần thứ {n}</a></h3>(0{n}/03/2026)</li>" for n in range(1, 8))
HOSTILE_LISTS = {
    "60,000 open elements": f"<ul>{ROWS}</ul>" + "<div>" * 60_000,
    "100,000 attributes": f"<ul>{ROWS}</ul><p " + " ".join(f"a{n}=1" for n in range(100_000)) + "></p>",
    "a tag name of 3 MB": f"<ul>{ROWS}</ul><{'x' * 3_000_000}>",
    "NUL": f"<ul>{ROWS}</ul>".replace("<li>", "<\0li>"),
    "cut off": f"<ul>{ROWS}</ul>"[:-8],
}


@pytest.mark.parametrize("markup", HOSTILE_LISTS.values(), ids=HOSTILE_LISTS.keys())
def test_a_hostile_listing_still_gives_its_links(markup: str) -> None:
    found = read_listing(f"<html><body>{markup}".encode(), url="https://vien.example/tin/")
    assert [link.url for link in found.links] == [f"https://vien.example/tin/bai-{n}.html" for n in range(1, 8)]


@pytest.mark.parametrize(
    ("head", "address", "expected"),
    [
        ("", "anh/a.jpg", "https://vien.example/tin/2026/anh/a.jpg"),
        ("", "/anh/a.jpg", "https://vien.example/anh/a.jpg"),
        ("", "//kho.vien.example/a.jpg", "https://kho.vien.example/a.jpg"),
        ("", "../../a.jpg", "https://vien.example/a.jpg"),
        ("<base href='/kho/'>", "a.jpg", "https://vien.example/kho/a.jpg"),
        ("<base href='//kho.vien.example/x/'>", "a.jpg", "https://kho.vien.example/x/a.jpg"),
        ("<base target='_blank'><base href='https://kho.vien.example/'>", "a.jpg", "https://kho.vien.example/a.jpg"),
        ("<base href='javascript:alert(1)'>", "a.jpg", "https://vien.example/tin/2026/a.jpg"),
        ("<base href='http://[x'>", "a.jpg", "https://vien.example/tin/2026/a.jpg"),
    ],
)
def test_short_addresses_count_from_the_page_or_its_base(head: str, address: str, expected: str) -> None:
    link = f"<link rel='canonical' href='{address.replace('.jpg', '.html')}'>"
    found = read(page(f"<p><img src='{address}' width='600'></p>{BODY}", head=head + link))
    assert found.image == expected
    assert found.canonical == expected.replace(".jpg", ".html")
    rows = ROWS.replace("href='bai-", f"href='{address.removesuffix('a.jpg')}bai-")
    links = read_listing(f"<html><head>{head}</head><body><ul>{rows}</ul></body></html>".encode(), url=URL).links
    assert links[0].url == expected.replace("a.jpg", "bai-1.html")
