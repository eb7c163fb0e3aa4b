"""The digest and the letters measured in a real Chromium: what a reader's eye would complain of.

Sideways scroll at 320 and 360 px, text under 14 px, contrast under 4.5 in light or dark, tap targets, one left edge,
line height under 1.35 (below it Vietnamese lines lose their marks), more than five type sizes.
"""

import html as html_module
import itertools
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from newsletter.compose.design import Design
from newsletter.compose.render import render_issue, render_letter
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


@pytest.fixture(scope="module")
def page(chromium: str) -> Iterator[Any]:
    """One page, reused: opening one costs more than all that is measured in it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
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
def renderings(bulletin: Design, letters: Design, made: ModuleType) -> dict[str, Rendering]:
    view, nonce = made.made_view(), made.NONCE
    return {
        "vi-1": render_issue(bulletin, made.made_context(1), nonce=nonce, language="vi"),
        "vi-14": render_issue(bulletin, made.made_context(14), nonce=nonce, language="vi"),
        "en-4": render_issue(bulletin, made.made_context(4, language="en"), nonce=nonce, language="en"),
        "brand": render_issue(
            bulletin,
            made.made_context(9, options={"accent": "#F2C14E", "masthead": "#7CC576"}),
            nonce=nonce,
            language="vi",
        ),
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


def test_dark_mode_changes_the_card_and_the_page(page: Any, renderings: dict[str, Rendering], made: ModuleType) -> None:
    rendering = renderings["vi-14"]
    grounds = {}
    for scheme in ("light", "dark"):
        _show(page, rendering.html, nonce=made.NONCE, width=600, scheme=scheme)
        grounds[scheme] = page.evaluate(
            "['.page', '.card', '.card > table', '.mast > table', '.btn a']"
            ".map(s => getComputedStyle(document.querySelector(s)).backgroundColor)"
        )
    assert all(light != dark for light, dark in zip(grounds["light"], grounds["dark"], strict=True)), grounds


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
        assert set(map(round, blocks)) == {24}, f"{name}: {sorted(set(blocks))}"
        assert all(target["height"] >= 44 for target in targets), f"{name}: {targets}"


def test_without_style_elements_order_and_margins_stay(
    page: Any, renderings: dict[str, Rendering], made: ModuleType
) -> None:
    for name, rendering in renderings.items():
        _show(page, rendering.html, nonce=made.NONCE, width=600)
        styled = page.evaluate("document.body.scrollHeight"), page.evaluate(f"({RUNS})().map(r => r.text)")
        bare = re.sub(r"<style.*?</style>", "", rendering.html, flags=re.DOTALL)
        _show(page, bare, nonce=made.NONCE, width=616)  # 16 px: the body's own margin
        unstyled = page.evaluate("document.body.scrollHeight"), page.evaluate(f"({RUNS})().map(r => r.text)")
        assert unstyled[1] == styled[1], name
        assert abs(unstyled[0] - styled[0]) <= 0.03 * styled[0] + 16, f"{name}: {styled[0]} px became {unstyled[0]} px"


def test_with_pictures_blocked_all_text_is_still_there_and_none_is_empty_of_alt(
    page: Any, bulletin: Design, made: ModuleType
) -> None:
    rendering = render_issue(bulletin, made.made_context(9), nonce=made.NONCE, language="vi")
    blocked = re.sub(r'src="https:[^"]*"', 'src="data:image/png;base64,AAAA"', rendering.html)
    _show(page, blocked, nonce=made.NONCE, width=360)
    text = html_module.unescape(page.evaluate("document.body.innerText"))
    assert page.evaluate("document.images.length") == 4
    assert page.evaluate("[...document.images].filter(i => i.naturalWidth).length") == 0
    assert page.evaluate("[...document.images].filter(i => i.getAttribute('alt') === null).length") == 0
    for item in made.made_items(9):
        assert item.title in text


def test_headings_never_skip_a_level_and_layout_tables_say_so(page: Any, bulletin: Design, made: ModuleType) -> None:
    rendering = render_issue(bulletin, made.made_context(9), nonce=made.NONCE, language="vi")
    _show(page, rendering.html, nonce=made.NONCE, width=600)
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(e => +e.tagName[1])")
    plain = page.evaluate("[...document.querySelectorAll('table:not([role=presentation])')].length")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert plain == 0


def test_masthead_and_lead_title_are_on_a_phones_first_screen(page: Any, bulletin: Design, made: ModuleType) -> None:
    rendering = render_issue(bulletin, made.made_context(9), nonce=made.NONCE, language="vi")
    _show(page, rendering.html, nonce=made.NONCE, width=360)
    masthead = page.evaluate("document.querySelector('.mast').getBoundingClientRect().height")
    title = page.evaluate("document.querySelector('.lead h2').getBoundingClientRect().bottom")
    assert masthead <= 120
    assert title <= 800
