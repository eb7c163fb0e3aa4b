"""The preview of the review page: as any reader, as any mail program, in both languages, and readable by everybody."""

import re
from dataclasses import replace

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe

import subscribers
from newsletter.mail.clients import CLIENTS, ClientName
from newsletter.mail.findings import finding_of
from newsletter.mail.inspected import fault
from newsletter.model import PersonId
from newsletter.store import issues, sources
from newsletter.store.schema.collecting import articles as article_rows
from tests.web.test_browser import CONTRAST, opened

FRAMED = [name for name in ClientName if name not in (ClientName.TEXT, ClientName.SCREEN_READER)]
LONG_TITLE = "Phao đo sóng tự chế giữa vịnh Ổ Lợn báo bão sớm hơn 40 phút"


@pytest.fixture
def staff(world):
    """`staff(path)`: the page as a member sees it, in Vietnamese unless asked for."""
    return lambda path, language="vi", **sent: world.fetch(path, cookie=world.log_in(language), **sent)


@pytest.mark.parametrize("client", FRAMED)
def test_each_program_has_its_frame_and_is_called_simulated(world, staff, client):
    issue = world.compose()
    page = staff(f"/staff/issues/{issue.id}?client={client}")
    assert page.status == 200
    assert "Mô phỏng" in page.text
    assert f"client={client}" in re.search(r'<iframe[^>]*src="([^"]*)"', page.text)[1]
    shown = staff(f"/staff/issues/{issue.id}/frame?client={client}")
    assert shown.status == 200
    assert "Phao đo sóng" in shown.text
    assert "sandbox" in shown.headers["content-security-policy"]


def test_a_screen_reader_reads_the_mail_in_its_order(world, staff):
    issue = world.compose()
    page = staff(f"/staff/issues/{issue.id}?client=screen-reader")
    assert "<iframe" not in page.text
    assert re.search(r"đề mục cấp 1: .*Bản tin", page.text)
    assert page.text.index("Phao đo sóng") < page.text.index("[liên kết: Hủy đăng ký")


def test_a_program_nobody_knows_is_the_mail_itself(world, staff):
    issue = world.compose()
    assert "Mô phỏng" not in staff(f"/staff/issues/{issue.id}?client=pigeon").text


@pytest.mark.parametrize("reader", ["usual", "nameless", "long-name", "0" * 16])
def test_an_invented_or_unknown_reader_is_shown(world, staff, reader):
    issue = world.compose()
    assert staff(f"/staff/issues/{issue.id}?as={reader}").status == 200
    assert staff(f"/staff/issues/{issue.id}/frame?as={reader}").status == 200


def test_a_person_is_found_by_address_shown_masked_and_their_links_are_nobodys(world, staff):
    issue = world.compose()
    answer = staff(f"/staff/issues/{issue.id}/as", form={"reader": "NGOC@doc-gia.example", "in": "vi"})
    assert answer.status == 303
    assert "ngoc" not in answer.headers["location"].lower()
    person = world.people["ngoc@doc-gia.example"]
    assert person in answer.headers["location"]
    page, shown = (staff(f"/staff/issues/{issue.id}{path}?as={person}") for path in ("", "/frame"))
    with world.app.db.read() as conn:
        masked = str(subscribers.person(conn, PersonId(person)).address)
    assert masked in page.text
    assert masked in shown.text
    for text in (page.text, shown.text):
        assert "ngoc@doc-gia.example" not in text
        assert not re.search(r"/(?:u|p|c)/\w{20,}", text)
    assert "only-in-your-mail" in shown.text


@pytest.mark.parametrize("address", ["khong@ai.example", "không phải địa chỉ"])
def test_somebody_who_is_not_here_is_said_so(world, staff, address):
    issue = world.compose()
    answer = staff(f"/staff/issues/{issue.id}/as", form={"reader": address, "in": "vi"})
    assert answer.status == 422
    assert "Không ai ở đây có địa chỉ đó." in answer.text


def _with(world, issue, *faults):
    found = tuple(replace(finding_of("X", one), where=f"vi: {one.where}") for one in faults)
    with world.app.db.begin() as conn:
        table = issues.issues
        conn.execute(table.update().where(table.c.id == issue.id).values(preflight=[_plain(one) for one in found]))


def _plain(finding):
    return {name: getattr(finding, name) for name in ("check", "level", "where", "message", "template", "values")}


def test_findings_are_grouped_said_in_the_members_language_and_shown_in_the_mail(world, staff):
    issue = world.compose()
    _with(
        world,
        issue,
        fault("error", "html", "“{text}” has contrast {ratio}, text needs {least}; change a colour ({n} places in all)",
              text=LONG_TITLE[:30], ratio=1.5, least=4.5, n=2),
        fault("warning", "text", "tells the articles in another order than the HTML; mend the design"),
        fault("note", "message", "SpamAssassin is not installed, so there is no spam score"),
    )  # fmt: skip
    page = staff(f"/staff/issues/{issue.id}").text
    assert page.index("Phải sửa trước khi gửi") < page.index("Nên xem lại") < page.index("Để biết")
    assert "có độ tương phản 1,5, chữ cần 4,5" in page
    assert "phần HTML" in page
    english = staff(f"/staff/issues/{issue.id}", "en").text
    assert "has contrast 1.5, text needs 4.5" in english
    shown = staff(f"/staff/issues/{issue.id}/frame?finding=0").text
    assert re.search(r'<[^>]*id="found"[^>]*>[^<]*Phao đo sóng', shown)
    assert 'id="found"' not in staff(f"/staff/issues/{issue.id}/frame?finding=7").text
    assert "width=text" in re.search(r"khác thứ tự phần HTML.*?href=\"([^\"]*)\"", page, re.DOTALL)[1]


@pytest.mark.parametrize("label", [client.title for client in CLIENTS.values()])
def test_every_program_has_a_name_in_vietnamese(world, label):
    from newsletter.locale import labels

    assert label in labels("vi").messages


VIEWS = (
    "",
    "?client=gmail",
    "?client=outlook-windows-dark&as=long-name",
    "?client=screen-reader",
    "?width=text",
    "?finding=0",
)


@pytest.mark.parametrize(
    ("language", "scheme"), [("vi", "light"), ("en", "dark")]
)  # each language and each scheme once
def test_axe_finds_nothing_on_the_review_page_in_any_view(browser, world, language, scheme):
    """WCAG 2.2 A and AA and axe's best practices, with everything opened; the mail inside the frame is not this page."""
    issue = world.compose()
    _with(
        world,
        issue,
        fault("error", "links", "“{title}” leads where nobody should go: {url}; correct the link", title=LONG_TITLE, url="https://vien.example/tin/1"),
        fault("warning", "text", "tells the articles in another order than the HTML; mend the design"),
        fault("note", "message", "SpamAssassin is not installed, so there is no spam score"),
    )  # fmt: skip
    with opened(browser, world, "/", language=language, color_scheme=scheme) as page:
        for view in VIEWS:
            page.goto(f"{world.url}/staff/issues/{issue.id}{view}")
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            found = Axe().run(page, options={"iframes": False})
            assert found.violations_count == 0, (view, found.generate_report())
            assert page.evaluate(CONTRAST) == [], view


@pytest.mark.parametrize("width", [320, 360])
def test_no_view_scrolls_sideways_on_a_phone(browser, world, width):
    issue = world.compose()
    with opened(browser, world, "/", width=width, language="vi") as page:
        for view in VIEWS:
            page.goto(f"{world.url}/staff/issues/{issue.id}{view}")
            page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert over <= 0, view


def test_a_person_is_shown_only_what_their_topics_leave_in(world):
    with world.app.db.begin() as conn:
        [source] = [one for one in sources.listed(conn) if one.slug == "van-phong"]
        sources.add(conn, replace(source, topics=("biển", "lúa")), now=world.clock.now())
        conn.execute(sa.update(article_rows).values(topics=["biển"]))
        conn.execute(sa.update(article_rows).where(article_rows.c.title.contains("lúa")).values(topics=["lúa"]))
        person = world.people["ngoc@doc-gia.example"]
        assert subscribers.choose_topics(conn, "ban-doc", PersonId(person), ["lúa"])
    issue, cookie = world.compose(), world.log_in()
    frame = f"/staff/issues/{issue.id}/frame?in=vi"
    everybody, one = (world.fetch(path, cookie=cookie).text for path in (frame, f"{frame}&as={person}"))
    linked = [re.findall(r"<a [^>]*>([^<]*(?:Phao|lúa chịu mặn)[^<]*)</a>", html) for html in (everybody, one)]
    assert len(linked[0]) == 2
    assert len(linked[1]) == 1
    assert "lúa chịu mặn" in linked[1][0]
