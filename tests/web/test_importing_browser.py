"""Importing in a real Chromium: without JavaScript, by keyboard, narrow, in both languages; and by the running service."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from newsletter.web import imports
from subscribers import SubscriptionState, counts
from tests.web.test_browser import CONTRAST, opened
from tests.web.test_importing import PEOPLE, look, send, work
from tests.web.test_people import permit
from tests.web.test_serve import eventually, serving

__all__ = ["serving"]  # a fixture

FILE = {"name": "Bạn đọc 2026.csv", "mimeType": "text/csv", "buffer": PEOPLE}


@pytest.fixture
def permitted(world):
    for language in ("vi", "en"):
        permit(world, language)
    return world


def test_a_file_is_imported_without_javascript(browser, permitted):
    world = permitted
    with opened(browser, world, "/staff/people", language="vi", width=360, java_script_enabled=False) as page:
        page.get_by_role("link", name="Nhập bạn đọc từ tệp").click()
        page.get_by_label("Tệp", exact=True).set_input_files(FILE)
        page.get_by_label("Sự đồng ý của họ được lưu ở đâu").fill("Phiếu giấy, cặp 12")
        page.get_by_role("button", name="Xem thử tệp").click()
        assert page.locator("progress").count() == 1
        assert page.locator("h1").inner_text() == "Bạn đọc 2026.csv"
        work(world)
        page.get_by_role("link", name="Xem đã đến đâu").click()
        assert page.get_by_role("heading", name="3 người sẽ nhận số tới").is_visible()
        page.locator("#start").click()
        work(world)
        page.reload()
        assert "Đã nhập xong: 2 người" in page.get_by_role("status").inner_text()
    with world.app.db.read() as conn:
        assert counts(conn, "ban-doc")[SubscriptionState.ACTIVE] == 5


def test_the_keyboard_alone_starts_the_import_and_its_page_follows_by_itself(browser, permitted, serving):
    world = permitted
    path = look(world, world.log_in("en"))
    with opened(browser, world, path, language="en") as page:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "start":
                break
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        expect(page.locator("[data-progress]")).to_have_count(1)
        serving()  # what waited while nothing ran is taken up at once
        expect(page.get_by_role("status")).to_contain_text("Imported: 2 people joined", timeout=20_000)


def test_the_service_takes_up_at_its_start_what_was_sent_before(permitted, serving):
    path = send(permitted, permitted.log_in(), PEOPLE).headers["location"]
    serving()
    eventually(lambda: imports.find(permitted.app, path.rsplit("/", 1)[1]).stage is imports.Stage.LOOKED)


def _pages(world):
    """One page of each kind; their paths."""
    cookie = world.log_in()
    looked = look(world, cookie)
    done = look(world, cookie)
    world.fetch(f"{done}/start", form={}, cookie=cookie)
    failed = send(world, cookie, b"a,b\n1,2\n", name="một tên rất dài " * 6 + ".csv").headers["location"]
    work(world)
    waiting = send(world, cookie, PEOPLE).headers["location"]
    return ["/staff/import", looked, done, failed, waiting]


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_an_import_is_readable_and_accessible(browser, permitted, language, scheme):
    with opened(browser, permitted, "/staff/", language=language, color_scheme=scheme, width=1200) as page:
        for path in _pages(permitted):
            page.goto(f"{permitted.url}{path}?lang={language}")
            assert page.evaluate(CONTRAST) == [], path
            found = Axe().run(page)
            assert found.violations_count == 0, (path, found.generate_report())
            assert page.locator("h1").count() == 1


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_page_of_an_import_scrolls_sideways_and_every_button_is_large_enough(browser, permitted, language):
    with opened(browser, permitted, "/staff/", language=language, width=320) as page:
        for path in _pages(permitted):
            page.goto(f"{permitted.url}{path}?lang={language}")
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert over <= 0, (path, over)
            small = page.evaluate(
                "[...document.querySelectorAll('main button, main summary, main input, main select, main a.button')]"
                ".filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"
            )
            assert small == [], path


def test_what_was_typed_comes_back_beside_the_fault(browser, permitted):
    with opened(browser, permitted, "/staff/import", language="en", java_script_enabled=False) as page:
        page.get_by_text("If the file is not understood").click()
        page.get_by_label("Encoding").fill("windows-1258")
        page.get_by_label("File", exact=True).set_input_files({**FILE, "buffer": b""})
        page.get_by_label("Where their consent can be found").fill("Paper")
        page.get_by_role("button", name="Look at the file").click()
        assert page.locator("#file").get_attribute("aria-invalid") == "true"
        assert page.locator("#fault-file").is_visible()
        assert page.get_by_label("Encoding").input_value() == "windows-1258"
        assert page.get_by_label("Where their consent can be found").input_value() == "Paper"
