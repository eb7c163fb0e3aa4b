"""Every design and the letters measured in a real Chromium: what a reader's eye would complain of.

Sideways scroll at 320 and 360 px, text under 14 px, contrast under 4.5 in light, dark or darkened by force, tap targets,
left edges, line height under 1.35 (below it Vietnamese lines lose their marks), more than five type sizes; and axe-core.
"""

import html as html_module
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Playwright, sync_playwright

from newsletter.compose.design import Design, default_folders, find_design
from newsletter.compose.render import render_issue, render_letter
from newsletter.compose.safe import bound
from newsletter.mail.markers import FIELDS, fill
from newsletter.model import LetterKind, Rendering

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESIGNS = ("bulletin", "compact", "cards")
LEFTS = {"cards": {24, 312}}  # px; one edge, but for the second of two columns
BRAND = {"accent": "#F2C14E", "masthead": "#7CC576"}  # far too pale, both of them
LOGO = {"logo": "https://vien.example/anh/logo.png", "fonts": "serif"}
FORCED = ("--enable-features=WebContentsForceDark", "--force-dark-mode")
AXE = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
VALUES = {field: f"https://vien.example/{field}/7f3k9q2m7f3k9q2m7f3k9q2m7f3k9q2m" for field in FIELDS} | {
    "subscriber_email": "ban.doc.tu.phong.thi.nghiem@example.org",
    "subscriber_name": "Đỗ Quỹ Nghiễm",
    "subscriber_first_name": "Nghiễm",
    "subscribed_since": "03/05/2026",
}
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="1104" height="621"><circle r="300" fill="#6B8FB0"/></svg>'

# Each visible text run with its size, line height, colour and the first opaque ground behind it.
RUNS = """() => {
  const seen = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, text = node.textContent.trim(), element = node.parentElement;
    if (!text || ['STYLE', 'SCRIPT', 'TITLE'].includes(element.tagName)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (!box.width || !box.height || element.closest('[style*="display:none"]')) continue;
    const style = getComputedStyle(element);
    let ground = element, fill = 'rgba(0, 0, 0, 0)';
    while (ground && fill === 'rgba(0, 0, 0, 0)') {
      fill = getComputedStyle(ground).backgroundColor;
      ground = ground.parentElement;
    }
    seen.push({text: text.slice(0, 40), size: parseFloat(style.fontSize), height: parseFloat(style.lineHeight),
               colour: style.color, ground: fill, left: box.left, transform: style.textTransform});
  }
  return seen;
}"""
TARGETS = """() => [...document.querySelectorAll('.btn a, .foot a, .row, .line')].map(e =>
  ({text: e.textContent.trim().slice(0, 40), height: e.getBoundingClientRect().height}))"""


BOXES = """() => [...document.querySelectorAll('p, h1, h2, h3')].filter(e => e.textContent.trim()).map(e => {
  const b = e.getBoundingClientRect();
  return {text: e.textContent.trim().slice(0, 40), x: Math.floor(b.x), y: Math.floor(b.y + scrollY),
          width: Math.ceil(b.width), height: Math.ceil(b.height)};
})"""


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def page(driver: Playwright, chromium: str) -> Iterator[Any]:
    """One page, reused: opening one costs more than all that is measured in it."""
    yield from _opened(driver, chromium)


@pytest.fixture(scope="module")
def darkened(driver: Playwright, chromium: str) -> Iterator[Any]:
    """A page whose browser darkens what has no dark palette, as Gmail on Android does."""
    yield from _opened(driver, chromium, *FORCED)


def _opened(driver: Playwright, chromium: str, *more: str) -> Iterator[Any]:
    browser = driver.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *more])
    opened = browser.new_page()
    # Nothing leaves this machine: every request is answered here.
    opened.route("**/*", lambda route: route.fulfill(body=PICTURE, content_type="image/svg+xml"))
    yield opened
    browser.close()


def _show(page: Any, html: str, *, nonce: str, width: int, scheme: str = "light") -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.set_content(fill(html, nonce, VALUES, html=True), wait_until="load")


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.fixture(scope="module")
def digests(made: ModuleType) -> dict[str, Rendering]:
    """Every design: one story, many, English, and in a house's own pale colours with its logo."""

    def render(name: str, count: int, language: str, **options: object) -> Rendering:
        if name != "bulletin":
            options.pop("masthead", None)
        context = made.made_context(count, language=language, options=options)
        return render_issue(find_design(name, default_folders(None)), context, nonce=made.NONCE, language=language)

    return {
        f"{name}-{kind}": rendering
        for name in DESIGNS
        for kind, rendering in {
            "vi-1": render(name, 1, "vi"),
            "vi-14": render(name, 14, "vi"),
            "en-4": render(name, 4, "en"),
            "brand": render(name, 9, "vi", **BRAND, **LOGO),
        }.items()
    }


@pytest.fixture(scope="module")
def renderings(digests: dict[str, Rendering], letters: Design, made: ModuleType) -> dict[str, Rendering]:
    view, nonce = made.made_view(), made.NONCE
    return digests | {
        "confirm": render_letter(
            LetterKind.CONFIRM, {"expires_days": 7}, design=letters, newsletter=view, nonce=nonce, language="vi"
        ),
        "welcome": render_letter(
            LetterKind.WELCOME,
            {"last_issue_url": "https://vien.example/46", "last_issue_title": "Số 46"},
            design=letters,
            newsletter=view,
            nonce=nonce,
            language="vi",
        ),
        "goodbye": render_letter(LetterKind.GOODBYE, {}, design=letters, newsletter=view, nonce=nonce, language="en"),
        "notice": render_letter(
            LetterKind.NOTICE,
            {
                "topic": "preflight_errors",
                "name": "Số 47",
                "count": 2,
                "lines": ["Một"],
                "url": "https://vien.example/s",
            },
            design=letters,
            newsletter=view,
            nonce=nonce,
            language="vi",
        ),
    }


def test_nothing_scrolls_sideways_at_320_and_360_pixels(
    page: Any, renderings: dict[str, Rendering], made: ModuleType
) -> None:
    for name, rendering in renderings.items():
        for width in (320, 360, 600):
            _show(page, rendering.html, nonce=made.NONCE, width=width)
            scrolled = page.evaluate("document.documentElement.scrollWidth")
            assert scrolled <= width, f"{name} is {scrolled} px wide at {width}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read_in_light_and_dark(
    page: Any, renderings: dict[str, Rendering], made: ModuleType, scheme: str
) -> None:
    for name, rendering in renderings.items():
        _show(page, rendering.html, nonce=made.NONCE, width=360, scheme=scheme)
        runs = page.evaluate(RUNS)
        assert len(runs) > 2, name
        for run in runs:
            ratio = _contrast(run["colour"], run["ground"])
            assert ratio >= 4.5, f"{name} {scheme}: {ratio:.2f} for {run}"
            assert run["size"] >= 14, f"{name}: {run}"
            assert run["height"] >= 1.35 * run["size"], f"{name}: {run}"
            assert run["transform"] == "none", f"{name}: {run}"
        assert len({run["size"] for run in runs}) <= 5, name


@pytest.mark.parametrize("name", DESIGNS)
def test_dark_mode_changes_every_ground(page: Any, digests: dict[str, Rendering], made: ModuleType, name: str) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        _show(page, digests[f"{name}-vi-14"].html, nonce=made.NONCE, width=600, scheme=scheme)
        grounds[scheme] = page.evaluate(
            "['.page', '.card', '.card > table', '.mast > table', '.btn a'].map(s => document.querySelector(s))"
            ".filter(e => e).map(e => getComputedStyle(e).backgroundColor).filter(c => c != 'rgba(0, 0, 0, 0)')"
        )
    assert len(grounds["light"]) >= 3
    assert all(light != dark for light, dark in zip(grounds["light"], grounds["dark"], strict=True)), grounds


@pytest.mark.parametrize("name", DESIGNS)
def test_text_darkened_by_force_can_be_read(
    darkened: Any, digests: dict[str, Rendering], made: ModuleType, name: str
) -> None:
    # Chromium darkens when it paints, so the pixels of each text's box are what can be measured.
    for kind in ("vi-14", "brand"):
        html = digests[f"{name}-{kind}"].html.replace("prefers-color-scheme: dark", "prefers-color-scheme: none")
        _show(darkened, html, nonce=made.NONCE, width=360)
        shot = Image.open(io.BytesIO(darkened.screenshot(full_page=True))).convert("L")
        assert shot.getpixel((2, shot.height - 2)) < 60, "the page was not darkened"
        for box in darkened.evaluate(BOXES):
            inside = shot.crop((box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]))
            low, high = inside.getextrema()
            assert high - low >= 85, f"{name} {kind}: {low}–{high} of 255 for {box['text']}"


def test_text_stands_on_one_left_edge_and_targets_are_tall_enough(
    page: Any, renderings: dict[str, Rendering], made: ModuleType
) -> None:
    for name, rendering in renderings.items():
        _show(page, rendering.html, nonce=made.NONCE, width=600)
        blocks = page.evaluate(
            "[...document.querySelectorAll('p, h1, h2, h3')].map(e => e.getBoundingClientRect().left)"
        )
        targets = page.evaluate(TARGETS)
        # The divider of MJML is a <p> too; it fills the same width.
        allowed = LEFTS.get(name.split("-")[0], {24})
        assert set(map(round, blocks)) <= allowed, f"{name}: {sorted(set(blocks))}"
        assert all(target["height"] >= 44 for target in targets), f"{name}: {targets}"


def test_without_style_elements_order_and_margins_stay(
    page: Any, renderings: dict[str, Rendering], made: ModuleType
) -> None:
    for name, rendering in renderings.items():
        # Columns stand side by side by <style> alone: what a client without it shows of cards is the phone's single row.
        width, room = (360, 0.1) if name.startswith("cards") else (600, 0.03)
        _show(page, rendering.html, nonce=made.NONCE, width=width)
        styled = page.evaluate("document.body.scrollHeight"), page.evaluate(f"({RUNS})().map(r => r.text)")
        bare = re.sub(r"<style.*?</style>", "", rendering.html, flags=re.DOTALL)
        _show(page, bare, nonce=made.NONCE, width=width + 16)  # 16 px: the body's own margin
        unstyled = page.evaluate("document.body.scrollHeight"), page.evaluate(f"({RUNS})().map(r => r.text)")
        assert unstyled[1] == styled[1], name
        assert abs(unstyled[0] - styled[0]) <= room * styled[0] + 16, f"{name}: {styled[0]} px became {unstyled[0]} px"


@pytest.mark.parametrize("name", DESIGNS)
def test_with_pictures_blocked_all_text_is_still_there_and_none_is_empty_of_alt(
    page: Any, digests: dict[str, Rendering], made: ModuleType, name: str
) -> None:
    rendering = digests[f"{name}-brand"]
    blocked = re.sub(r'src="https:[^"]*"', 'src="data:image/png;base64,AAAA"', rendering.html)
    _show(page, blocked, nonce=made.NONCE, width=360)
    text = html_module.unescape(page.evaluate("document.body.innerText"))
    assert page.evaluate("document.images.length") == {"bulletin": 5, "cards": 5, "compact": 1}[name]
    assert page.evaluate("[...document.images].filter(i => i.naturalWidth).length") == 0
    assert page.evaluate("[...document.images].filter(i => i.getAttribute('alt') === null).length") == 0
    assert page.evaluate("document.querySelector('.logo img').alt") == made.made_view().organisation
    for item in made.made_items(9):
        assert bound(item.title) in text


def test_headings_never_skip_a_level_and_layout_tables_say_so(
    page: Any, digests: dict[str, Rendering], made: ModuleType
) -> None:
    for name, rendering in digests.items():
        _show(page, rendering.html, nonce=made.NONCE, width=600)
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(e => +e.tagName[1])")
        plain = page.evaluate("[...document.querySelectorAll('table:not([role=presentation])')].length")
        assert levels[0] == 1, name
        assert levels.count(1) == 1, name
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), f"{name}: {levels}"
        assert plain == 0, name


@pytest.mark.parametrize("name", DESIGNS)
def test_masthead_and_first_title_are_on_a_phones_first_screen(
    page: Any, digests: dict[str, Rendering], made: ModuleType, name: str
) -> None:
    _show(page, digests[f"{name}-vi-14"].html, nonce=made.NONCE, width=360)
    masthead = page.evaluate("document.querySelector('.mast').getBoundingClientRect().bottom")
    title = page.evaluate("document.querySelector('.lead h2, .name').getBoundingClientRect().bottom")
    assert masthead <= 120
    assert title <= 800


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", DESIGNS)
def test_axe_finds_nothing(page: Any, digests: dict[str, Rendering], made: ModuleType, name: str, scheme: str) -> None:
    for kind in ("vi-14", "en-4", "brand"):
        _show(page, digests[f"{name}-{kind}"].html, nonce=made.NONCE, width=600, scheme=scheme)
        found = Axe().run(page, options=AXE)
        assert found.response["violations"] == [], f"{name} {kind} {scheme}: {found.generate_report()}"
        assert found.response["passes"], "axe looked at nothing"


@pytest.mark.parametrize("name", DESIGNS)
def test_lines_of_stacked_vietnamese_marks_do_not_touch_each_other(page: Any, made: ModuleType, name: str) -> None:
    title, words = "Ẫm Ỗi Ẳng gỵ " * 8, "Ẫ Ỗ Ẳ gỵ ậ ộ ỵ " * 14
    items = tuple(replace(item, title=title, summary=words, kicker=words[:30]) for item in made.made_context(9).items)
    context = replace(made.made_context(9), items=items)
    rendering = render_issue(find_design(name, default_folders(None)), context, nonce=made.NONCE, language="vi")
    for fonts in ("sans", "serif"):
        _show(page, rendering.html, nonce=made.NONCE, width=360)
        page.add_style_tag(content="a { text-decoration: none !important; }")  # a line under the text is ink, too
        if fonts == "serif":
            page.add_style_tag(content="* { font-family: 'Noto Serif', serif !important; }")
        for selector in (".name", ".after", ".lead h2"):
            found = page.locator(selector)
            if found.count():
                height = found.first.evaluate("e => parseFloat(getComputedStyle(e).lineHeight)")
                lines = round(found.first.evaluate("e => e.getClientRects()[0].height") / height)
                assert lines >= 2
                assert _bands(found.first.screenshot()) >= lines, f"{name} {selector} {fonts}"


def _bands(png: bytes) -> int:
    """How many rows of ink a picture of text has, parted by rows of pixels without any. A mark may be one of its own."""
    picture = Image.open(io.BytesIO(png)).convert("L")
    ink = [picture.crop((0, y, picture.width, y + 1)).getextrema()[0] < 200 for y in range(picture.height)]
    return sum(inked and not before for before, inked in itertools.pairwise([False, *ink]))
