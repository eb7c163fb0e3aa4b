"""The staff pages of segments: over HTTP on both databases, and in a real Chromium with and without JavaScript."""

from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import subscribers
from newsletter.model import IssueState
from newsletter.store import newsletters, receipts
from newsletter.web.staff.segments import free_slug
from tests.web.conftest import World
from tests.web.test_browser import opened

LIST, NEW = "/staff/segments", "/staff/new-segment"


@pytest.fixture
def known(both_worlds: World) -> World:
    """Ngọc lives in Huế and has a tag."""
    _know(both_worlds)
    return both_worlds


def _know(world: World) -> None:
    ngoc = subscribers.PersonId(world.people["ngoc@doc-gia.example"])
    with world.app.db.begin() as conn:
        subscribers.declare_attribute(
            conn, "city", type="text", label_vi="Thành phố", label_en="City", now=world.clock.now()
        )
        subscribers.set_attributes(conn, ngoc, {"city": "Huế"})
        subscribers.tag(conn, ngoc, ["giảng viên"])


def post(world: World, path: str, language: str = "en", **form: str):
    return world.fetch(path, form={"name": "Ở Huế", "query": 'city = "huế"', **form}, cookie=world.log_in(language))


def _go_by(world: World, segment: str) -> None:
    with world.app.db.begin() as conn:
        found = newsletters.by_slug(conn, "ban-tin")
        assert found is not None
        newsletters.save(conn, replace(found, segment=segment), now=world.clock.now())


def test_trying_counts_and_shows_masked_readers_and_changes_nothing(known: World) -> None:
    before = known.dump()
    answer = post(known, f"{NEW}/try")
    assert answer.status == 200
    assert "1 person now" in answer.text
    assert "n… at d….example" in answer.text
    assert "doc-gia" not in answer.text
    assert "giảng viên" in answer.text
    assert "2 people now" in post(known, f"{NEW}/try", query='city != "Huế"', list="ban-doc").text
    assert "Nobody now" in post(known, f"{NEW}/try", query="ever opened").text
    assert known.dump() == before


def test_a_fault_is_told_in_the_readers_language_with_its_place(known: World) -> None:
    for language, said in (
        ("en", "Character 8: Huế stands where a text in quotes could stand."),
        ("vi", "Ký tự thứ 8: gặp Huế, trong khi chỗ này có thể là chữ trong ngoặc kép."),
    ):
        for path in (f"{NEW}/try", NEW):
            answer = post(known, path, language, query="city = Huế <b>")
            assert answer.status == 422
            assert said in answer.text
            assert "city = <mark>Huế</mark> &lt;b&gt;" in answer.text
    answer = post(known, NEW, query="cty is set")
    assert "there is no field cty. Is city meant?" in answer.text
    assert "Character 7: opened stands" not in answer.text
    assert "the end stands where" in post(known, NEW, query="city =").text
    with known.app.db.read() as conn:
        assert subscribers.list_segments(conn) == []


def test_a_segment_is_saved_changed_used_and_removed(known: World) -> None:
    answer = post(known, NEW, query='city = "Huế"\r\nor tag = "VIP"')
    assert answer.headers["location"] == f"{LIST}/o-hue?saved=1"
    assert "Saved." in known.fetch(f"{LIST}/o-hue?saved=1", cookie=known.log_in("en")).text
    assert post(known, f"{LIST}/o-hue", name="Huế", query='city = "Huế"').status == 303
    assert post(known, NEW, name="ở  huế!").headers["location"] == f"{LIST}/o-hue-2?saved=1"
    assert post(known, NEW, name=" ").status == 422
    _go_by(known, "o-hue")
    page = known.fetch(LIST, cookie=known.log_in("en")).text
    assert "city = &#34;Huế&#34;" in page
    assert "ban-tin" in page
    assert post(known, f"{LIST}/o-hue/remove").headers["location"] == f"{LIST}/o-hue"
    assert post(known, f"{LIST}/o-hue-2/remove").headers["location"] == LIST
    with known.app.db.read() as conn:
        assert [(one.slug, one.name) for one in subscribers.list_segments(conn)] == [("o-hue", "Huế")]
    for path in (f"{LIST}/none", f"{LIST}/o-hue-2"):
        assert known.fetch(path, cookie=known.log_in("en")).status == 404
        assert post(known, path).status == 404


def test_an_issue_counts_and_reaches_whom_its_segment_names(known: World) -> None:
    post(known, NEW)
    _go_by(known, "o-hue")
    issue = known.compose()
    page = known.fetch(f"/staff/issues/{issue.id}", cookie=known.log_in("en")).text
    assert "Approve for 1 person" in page
    assert "/staff/segments/o-hue" in page
    known.approve()
    assert known.release().state is IssueState.SENDING
    assert issue.mailing_id is not None
    with known.app.db.read() as conn:
        assert receipts.count(conn, issue.mailing_id).frozen == 1
        now = known.clock.now()
        last = subscribers.count_segment(conn, "ban-doc", "opened in last 1 issues", now=now, time_zone="UTC")
    assert last == 0
    known.deliver()
    assert [str(mail["To"]) for mail in known.mails()] == ["Ngoc <ngoc@doc-gia.example>"]


def test_who_is_not_logged_in_learns_nothing(known: World) -> None:
    for path in (LIST, NEW):
        assert known.fetch(path).status == 303
    answer = known.fetch(f"{NEW}/try", form={"query": 'city = "Huế"'})
    assert "person now" not in answer.text
    with known.app.db.read() as conn:
        assert subscribers.list_segments(conn) == []


@pytest.mark.parametrize(
    ("name", "taken", "slug"),
    [
        ("Giảng viên Đà Nẵng", set(), "giang-vien-da-nang"),
        ("Ở Huế", {"o-hue", "o-hue-2"}, "o-hue-3"),
        ("☂", set(), "segment"),
        ("x" * 80, set(), "x" * 50),
    ],
)
def test_a_name_gives_a_plain_slug_of_its_own(name: str, taken: set[str], slug: str) -> None:
    assert free_slug(name, taken) == slug


# ---------------------------------------------------------------- in a browser


def test_without_javascript_a_query_is_counted_then_saved(browser, world) -> None:
    _know(world)
    with opened(browser, world, NEW, language="en", java_script_enabled=False) as page:
        page.get_by_label("Name", exact=True).fill("Huế")
        page.get_by_label("Whom it names", exact=True).fill('city = "huế"')
        page.get_by_role("button", name="Count").click()
        expect(page.locator("#found h2")).to_have_text("1 person now")
        assert page.get_by_label("Whom it names", exact=True).input_value() == 'city = "huế"'
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".told.good")).to_contain_text("Saved.")
        assert page.url.startswith(f"{world.url}{LIST}/hue")


def test_with_javascript_the_count_follows_what_is_typed(browser, world) -> None:
    _know(world)
    before = world.dump()
    with opened(browser, world, NEW, language="en") as page:
        query = page.get_by_label("Whom it names", exact=True)
        query.fill('city = "Huế"')
        expect(page.locator("#found h2")).to_have_text("1 person now")
        query.fill("city = Huế")
        expect(page.locator("#found mark")).to_have_text("Huế")
        expect(query).to_have_attribute("aria-invalid", "true")
        query.fill("language is set")
        expect(page.locator("#found h2")).to_have_text("3 people now")
    assert world.dump() == before


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible_and_fit_a_narrow_phone(browser, world, language, scheme) -> None:
    _know(world)
    post(world, NEW)
    with opened(browser, world, LIST, width=320, language=language, color_scheme=scheme) as page:
        for path in (LIST, NEW, f"{LIST}/o-hue"):
            page.goto(f"{world.url}{path}")
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert over <= 0, path
            found = Axe().run(page).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], path
        page.locator("#query").fill("city = ")
        expect(page.locator("#found mark")).to_be_visible()
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
