"""The pages in a real Chromium: without JavaScript, by keyboard, on a narrow phone, in both colour schemes."""

import re
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from newsletter.model import IssueState
from tests.web.conftest import NAMED

PASSWORD = "bốn mùa hoa nở ven sông"


@contextmanager
def opened(browser, world, path, *, width=1200, language=None, **options):
    """A page; with `language`, of the staff member who reads it."""
    context = browser.new_context(viewport={"width": width, "height": 800}, **options)
    if language:
        name, value = world.log_in(language).split("=", 1)
        context.add_cookies([{"name": name, "value": value, "url": world.url}])
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: said.append("dialog"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(world.url + path)
    try:
        yield page
        assert [line for line in said if "status of 4" not in line] == [], said
    finally:
        context.close()


def test_logging_in_and_approving_works_without_javascript(browser, world):
    issue = world.compose()
    with opened(browser, world, f"/staff/issues/{issue.id}", java_script_enabled=False) as page:
        page.locator("#address").fill(world.staff["vi"])
        page.locator("#password").fill(PASSWORD)
        page.locator("form[method=post] .button").click()
        assert page.url.endswith(f"/staff/issues/{issue.id}")
        page.get_by_role("link", name="Điện thoại").click()
        assert page.locator("iframe.w360").count() == 1
        page.get_by_role("checkbox").check()
        page.locator("#approve").click()
        assert page.locator("#approve").count() == 0
    assert world.issue().state is IssueState.SCHEDULED


def test_the_keyboard_alone_reaches_and_presses_approve(browser, world):
    issue = world.compose()
    with opened(browser, world, f"/staff/issues/{issue.id}", language="en") as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        for _ in range(60):
            page.keyboard.press("Tab")
            focused = page.evaluate("({id: document.activeElement.id, name: document.activeElement.name || ''})")
            if focused["name"] == "despite_errors":
                page.keyboard.press("Space")
            if focused["id"] == "approve":
                break
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        page.keyboard.press("Enter")
        page.wait_for_load_state()
        assert page.locator("#approve").count() == 0
    assert world.issue().state is IssueState.SCHEDULED


def test_unsubscribing_works_without_javascript_and_by_keyboard(browser, world):
    world.send()
    path = world.link(world.mail_to("ada@"), "u")
    with opened(browser, world, path, java_script_enabled=False) as page:
        assert page.locator("html").get_attribute("lang") == "en"
        page.get_by_role("button", name="Unsubscribe").focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=status]")
        assert "You have left" in page.locator("h1").inner_text()


def test_a_browser_that_only_opens_pages_and_runs_their_scripts_changes_nothing(browser, world):
    world.send()
    mail = world.mail_to("ngoc@")
    before = world.dump()
    for kind in ("u", "p"):
        with opened(browser, world, world.link(mail, kind)) as page:
            page.wait_for_load_state("networkidle")
    assert world.dump() == before


PUBLIC = ("/", "/u/wrong", "/only-in-your-mail", "/staff/login", "/api/docs")


@pytest.mark.parametrize("width", [320, 360])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_page_scrolls_sideways_on_a_narrow_phone(browser, world, width, language):
    issue = world.send()
    token = world.link(world.mail_to("ngoc@"), "u")
    ours = world.article("Phao")
    staff = ("/staff/", f"/staff/issues/{issue.id}", f"/staff/issues/{issue.id}?width=text", "/staff/sources", "/staff/articles",
             "/staff/articles/new", f"/staff/articles/{ours}", "/staff/people",
             f"/staff/people/{world.people['ngoc@doc-gia.example']}")  # fmt: skip
    public = (*PUBLIC, token, token.replace("/u/", "/p/"), f"/articles/{ours}", f"/issues/{issue.id}")
    with opened(browser, world, "/", width=width, language=language) as page:
        for path in (*staff, *public):
            page.goto(f"{world.url}{path}{'&' if '?' in path else '?'}lang={language}")
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert over <= 0, (path, over)


CONTRAST = """
() => {
  const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (!text.data.trim() || !node.getClientRects().length) continue;
    const a = light(parse(getComputedStyle(node).color)), b = light(ground(node));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(getComputedStyle(node).fontSize);
    const height = parseFloat(getComputedStyle(node).lineHeight);
    if (ratio < 4.5) low.push([text.data.trim().slice(0, 40), ratio]);
    if (node.tagName !== "SUP" && height / size < 1.35) low.push([text.data.trim().slice(0, 40), "line " + height / size]);
    if (getComputedStyle(node).textTransform !== "none") low.push([text.data.trim(), "capitals"]);
  }
  return low;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_colour_schemes(browser, world, scheme):
    """WCAG 1.4.3: 4.5 to 1 for every run of text; and room between the lines for Vietnamese marks."""
    issue = world.send()
    token = world.link(world.mail_to("ngoc@"), "u")
    staff = (
        "/staff/",
        f"/staff/issues/{issue.id}",
        "/staff/sources",
        "/staff/articles",
        "/staff/articles/new",
        "/staff/issues",
        "/staff/designs",
        "/staff/people",
        f"/staff/people/{world.people['ngoc@doc-gia.example']}",
        f"/staff/articles/{world.article('Phao')}",
    )
    paths = (*staff, token, token.replace("/u/", "/p/"), *PUBLIC)
    with opened(browser, world, "/", language="vi", color_scheme=scheme) as page:
        for path in paths:
            page.goto(world.url + path)
            assert page.evaluate(CONTRAST) == [], path
            found = Axe().run(page, context={"exclude": [["iframe"]]})  # mail has its own test, in tests/compose
            assert found.violations_count == 0, (path, found.generate_report())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_edit_is_made_without_javascript_and_its_page_is_readable_on_a_phone(browser, world, scheme):
    path = f"/staff/articles/{world.article('Giống lúa')}"
    world.compose()
    world.approve()
    with opened(browser, world, path, language="vi", width=360, java_script_enabled=False) as page:
        page.get_by_text("Sửa tóm tắt").click()
        page.get_by_label("Lời của bạn").fill("Giống lúa chịu mặn cho 7,2 tấn một héc-ta. Giá vé tàu hoả lại tăng.")
        page.get_by_role("button", name="Lưu lời này").click()
        expect(page.locator(".beside li")).to_have_count(2)  # waits for the page that answers
        assert page.url.endswith(path)
        assert page.locator("#revert").is_visible()
    with opened(browser, world, path, language="vi", width=360, color_scheme=scheme) as page:
        page.get_by_text("Sửa tóm tắt").click()
        page.get_by_text("Lịch sử").click()
        assert page.evaluate(CONTRAST) == []
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        small = page.evaluate(
            "[...document.querySelectorAll('main button, main summary, main textarea')]"
            ".filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 44).map(e => e.innerText)"
        )
        assert small == []


def test_every_input_has_its_label_above_and_every_page_its_heading(browser, world):
    issue = world.compose()
    with opened(browser, world, "/", language="en") as page:
        article = f"/staff/articles/{world.article('Phao')}"
        for path in (
            "/staff/",
            f"/staff/issues/{issue.id}",
            "/staff/sources",
            "/staff/articles",
            "/staff/articles/new",
            article,
            "/u/wrong",
        ):
            page.goto(world.url + path)
            assert page.locator("h1").count() == 1, path
            assert page.locator("main").count() == 1, path
            assert page.locator("html[lang]").count() == 1
            unnamed = page.evaluate(
                "[...document.querySelectorAll('input:not([type=hidden]), textarea, select')]"
                ".filter(i => !i.labels.length).map(i => i.name)"
            )
            assert unnamed == [], path


def test_the_frame_is_an_origin_of_its_own_and_runs_no_script(browser, world):
    issue = world.compose()
    with world.app.db.begin() as conn:
        conn.exec_driver_sql(
            "UPDATE renderings SET html = replace(html, '</body>', '<script>top.document.title = \"taken\"</script></body>')"
        )
    context = browser.new_context()
    name, value = world.log_in().split("=", 1)
    context.add_cookies([{"name": name, "value": value, "url": world.url}])
    page = context.new_page()
    page.goto(f"{world.url}/staff/issues/{issue.id}")
    page.wait_for_load_state("networkidle")
    assert page.title() != "taken"
    frame = page.frames[1]
    assert re.search(r"Phao đo sóng", frame.content())
    page.goto(f"{world.url}/staff/issues/{issue.id}/frame")
    assert page.title() != "taken"
    assert page.evaluate("self.origin") == "null"
    context.close()


def test_a_form_posted_by_another_site_does_nothing(browser, world):
    issue = world.compose()
    context = browser.new_context()
    name, value = world.log_in().split("=", 1)
    context.add_cookies([{"name": name, "value": value, "url": world.url}])
    page = context.new_page()
    target = f"{world.url}/staff/issues/{issue.id}/cancel"
    page.set_content(f'<form method="post" action="{target}"><button>win a prize</button></form>')
    with page.expect_response(target) as answer:
        page.get_by_role("button").click()
    assert answer.value.status in (303, 403)
    assert world.issue().state is IssueState.PENDING_APPROVAL
    context.close()


def test_our_own_forms_work_on_a_plain_http_name(browser, world):
    """There a browser sends no Sec-Fetch-Site, and under no-referrer `Origin: null`: our forms must still be ours."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(world.url.replace("127.0.0.1", NAMED) + "/staff/login")
    page.locator("#address").fill(world.staff["en"])
    page.locator("#password").fill(PASSWORD)
    with page.expect_request("**/staff/login") as sent:
        page.locator("form[method=post] .button").click()
    assert "sec-fetch-site" not in sent.value.headers
    page.wait_for_url("**/staff/")
    context.close()


@pytest.mark.parametrize(("language", "added"), [("vi", "Đã thêm bài viết"), ("en", "The article is added")])
def test_an_article_is_pasted_without_javascript_and_a_fault_is_told_beside_its_field(browser, world, language, added):
    with opened(browser, world, "/staff/articles", language=language, java_script_enabled=False) as page:
        page.locator("a.button").click()
        page.locator("#body").fill("Trạm đo mới\nSố liệu được gửi mười phút một lần cho người dân ven biển.")
        page.locator("#url").evaluate("field => field.type = 'text'")
        page.locator("#url").fill("vien.example")
        page.locator("main .button").click()
        assert page.locator("#url").get_attribute("aria-invalid") == "true"
        assert page.locator("#fault-url").is_visible()
        page.locator("#url").fill("")
        page.locator("main .button").click()
        assert added in page.get_by_role("status").inner_text()
        assert page.locator("h1").inner_text() == "Trạm đo mới"
