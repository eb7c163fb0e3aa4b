"""Every page for readers in a real Chromium: axe-core, keyboard, 320 px, without JavaScript, and that looking changes nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe

import subscribers
from newsletter import readers
from newsletter.readers import moving, privacy
from newsletter.store import newsletters, sources
from subscribers import ConsentGiven, ConsentSource, SubscriptionState, counts, parse_address
from tests.web.conftest import World
from tests.web.test_browser import opened

STANDARDS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
SMALL = """[...document.querySelectorAll('main a.button, main button, main input:not([type=hidden]), main select')]
  .filter(e => !e.closest('.away') && e.getClientRects().length && e.getBoundingClientRect().height < 20)
  .map(e => e.outerHTML)"""
DONE = "[name=solution]:not([value=''])"  # a hidden field's value is its attribute
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def every_page(world: World) -> list[str]:
    """The path of each page a reader can be shown by a GET, after an issue, three letters and a newcomer's sign-up."""
    with world.app.db.begin() as conn:
        newsletter = newsletters.listed(conn)[0]
        source = sources.of_newsletter(conn, newsletter.id)[0]
        sources.add(conn, replace(source, topics=("biển", "nông nghiệp")), now=world.clock.now())
    issue = world.send()
    read = world.mail_to("ngoc@")
    token = world.link(read, "p").removeprefix("/p/")
    moving.ask(world.app, token, parse_address("khac-han@doc-gia.example"), client="192.0.2.1")
    privacy.ask_by_link(world.app, world.link(world.mail_to("minh@"), "p").removeprefix("/p/"))
    consent = ConsentGiven(form="subscribe/1", wording="Vâng", language="vi", source=ConsentSource.FORM)
    readers.join(world.app, "ban-doc", parse_address("moi@doc-gia.example"), consent=consent, language="vi")
    world.deliver()
    data = next(mail for mail in world.mails() if "minh@" in str(mail["To"]) and "Dữ liệu" in str(mail["Subject"]))
    return [
        *(
            "/",
            "/subscribe/ban-doc",
            "/subscribe/ban-doc/snippet",
            "/archive/ban-tin",
            "/your-data",
            "/only-in-your-mail",
        ),
        *(f"/issues/{issue.id}/all", f"/articles/{world.article('Phao')}", "/nowhere"),
        *(f"/{kind}/{token}" for kind in ("u", "p")),
        world.link(world.mail_to("moi@doc-gia"), "c"),
        world.link(world.mail_to("khac-han@"), "c"),
        world.link(data, "c"),
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_small_phone(browser, world, language, scheme):
    pages = every_page(world)
    with opened(browser, world, "/", width=320, color_scheme=scheme) as page:
        for path in pages:
            page.goto(f"{world.url}{path}?lang={language}")
            assert page.locator("html").get_attribute("lang") == language
            found = Axe().run(page, options=STANDARDS).response["violations"]
            assert found == [], (path, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found])
            assert page.evaluate(WIDER) <= 0, path
            assert page.evaluate(SMALL) == [], path


def test_a_browser_that_opens_every_page_and_runs_its_scripts_changes_nothing(browser, world):
    """As link scanners do: GET, HEAD, and a browser that renders, waits for the work to be done and goes on."""
    pages = [*every_page(world), "/archive/ban-tin/rss.xml", "/archive/ban-tin/feed.json", "/theme/ban-tin.css"]
    before = world.dump()
    with opened(browser, world, "/") as page:
        for path in pages:
            for method in ("GET", "HEAD"):
                assert world.fetch(path, method=method).status in (200, 404)
            page.goto(world.url + path)
            page.wait_for_load_state("networkidle")
            if page.locator("form[data-ticket]").count():
                page.wait_for_selector(DONE, state="attached")
    assert world.dump() == before


def test_subscribing_by_keyboard_shows_work_and_confirms_by_keyboard(browser, world):
    with opened(browser, world, "/subscribe/ban-doc?lang=en", width=320) as page:
        page.wait_for_selector(DONE, state="attached")
        world.clock.at += timedelta(seconds=5)
        for _ in range(10):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == "email":
                break
        page.keyboard.type("hoa@doc-gia.example")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.type") == "submit"  # the trap is not in the way
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=status]")
        world.deliver()
        page.goto(world.url + world.link(world.mail_to("hoa@"), "c"))
        page.get_by_role("button").focus()
        page.keyboard.press("Space")
        page.wait_for_selector("[role=status]")
    with world.app.db.read() as conn:
        assert counts(conn, "ban-doc")[SubscriptionState.ACTIVE] == 4


def test_pressing_before_the_work_is_done_sends_the_form_when_it_is(browser, world):
    with opened(browser, world, "/", width=320) as page:
        page.add_init_script("window.hold = setTimeout; window.setTimeout = (f, n) => window.hold(f, n || 5);")
        page.goto(world.url + "/subscribe/ban-doc?lang=vi", wait_until="commit")
        world.clock.at += timedelta(seconds=5)
        page.locator("#email").fill("som@doc-gia.example")
        page.locator("main .button").click()
        page.wait_for_selector("[role=status]")
    with world.app.db.read() as conn:
        assert subscribers.find(conn, parse_address("som@doc-gia.example"))


def test_subscribing_without_javascript_takes_a_wait(browser, world):
    with opened(browser, world, "/subscribe/ban-doc?lang=vi", width=320, java_script_enabled=False) as page:
        world.clock.at += timedelta(seconds=5)
        page.locator("#email").fill("cham@gmial.com")
        page.locator("main .button").click()
        page.get_by_role("button", name="Dùng cham@gmail.com").click()
        assert "15 giây" in page.get_by_role("alert").first.inner_text()
        world.clock.at += timedelta(seconds=20)
        page.locator("main .button").first.click()
        page.wait_for_selector("[role=status]")
    with world.app.db.read() as conn:
        assert counts(conn, "ban-doc")[SubscriptionState.PENDING] == 1


def test_the_preference_centre_works_without_javascript_and_by_keyboard(browser, world):
    path = next(path for path in every_page(world) if path.startswith("/p/"))
    with opened(browser, world, f"{path}?lang=en", width=320, java_script_enabled=False) as page:
        page.get_by_label("nông nghiệp").focus()
        page.keyboard.press("Space")
        page.get_by_role("button", name="Save").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector(".told.good")
        assert page.get_by_label("nông nghiệp").is_checked()
        page.get_by_role("button", name="Hoàn tác").or_(page.get_by_role("button", name="Undo")).click()
        assert not page.get_by_label("nông nghiệp").is_checked()
        page.locator("#until").fill("2026-12-24")
        page.locator("form[action$=pause] button").click()
        assert "24/12/2026" in page.locator(".told.good").inner_text()
        page.locator("form[action$=resume] button").click()
        page.locator("#email").fill("khac@doc-gia.example")
        page.locator("form[action$=address] button").click()
        page.wait_for_selector(".told.good")
