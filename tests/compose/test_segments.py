"""An issue whose items have topics, as the bulletin renders it and as readers of some topics get it."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from itertools import combinations
from pathlib import Path
from types import ModuleType

import pytest

from newsletter.compose.design import Design, find_design
from newsletter.compose.render import fit_issue, render_issue
from newsletter.locale import labels
from newsletter.mail.markers import End, Slot, make_nonce, split
from newsletter.mail.segments import cut_rendering, kept_items

NONCE = make_nonce(b"not a real secret", "an issue")
TEMPLATES = Path(__file__).parents[2] / "templates"
DESIGNS = sorted(path.parent.name for path in TEMPLATES.glob("*/digest.mjml.j2"))
TOPICS = ("biển", "lúa", "trường học")


def topical(made: ModuleType, count: int, *, language: str = "vi", **more: object):
    """Item n has the topic n modulo 4; every fourth has none."""
    context = made.made_context(count, language=language, **more)
    items = tuple(replace(item, topics=TOPICS[at % 4 : at % 4 + 1]) for at, item in enumerate(context.items))
    return replace(context, items=items)


def cuts(rendering):
    for size in range(len(TOPICS) + 1):
        for chosen in combinations(TOPICS, size):
            yield chosen, cut_rendering(rendering, NONCE, chosen)


def balanced(html: str) -> bool:
    """Every opened table, row and cell is closed, inside Outlook's conditional comments too."""
    visible = re.sub(r"<!--\[if.*?<!\[endif\]-->", "", html, flags=re.DOTALL)
    return all(
        len(re.findall(rf"<{tag}[\s>]", part)) == len(re.findall(rf"</{tag}\s*>", part))
        for part in (html, visible)
        for tag in ("table", "tbody", "tr", "td", "div", "p", "h2", "h3", "a")
    )


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("count", [1, 2, 5, 9, 14, 23])
def test_a_reader_gets_exactly_the_items_of_their_topics(
    made: ModuleType, name: str, language: str, count: int
) -> None:
    context = topical(made, count, language=language)
    rendering = render_issue(find_design(name, [TEMPLATES]), context, nonce=NONCE, language=language)
    full = cut_rendering(rendering, NONCE)
    listed = [at for at, item in enumerate(context.items) if item.url and item.url in full.text]
    words = labels(language)
    for chosen, cut in cuts(rendering):
        assert not [piece for piece in split(cut.html + cut.text, NONCE) if not isinstance(piece, str | Slot)]
        wanted = [at for at, i in enumerate(context.items) if not chosen or not i.topics or i.topics[0] in chosen]
        shown = words.ngettext("{n} story", "{n} stories", len(wanted))
        if not wanted:
            assert kept_items(rendering.segments, chosen) == frozenset()
            continue
        assert f"· {shown}" in unescape(cut.html)
        assert shown in cut.text
        for at in listed:
            assert (context.items[at].url in cut.text) == (at in wanted)
            assert (context.items[at].url.replace("&", "&amp;") in cut.html) == (at in wanted)
        more = len([at for at in wanted if at not in listed])
        rest = words.ngettext("and {n} more story on the web", "and {n} more stories on the web", more)
        for text in (unescape(cut.html), cut.text):
            assert (rest in text) == (more > 0)
        assert balanced(cut.html)


def test_a_heading_goes_with_its_items_and_the_line_between_two_items_with_either(made: ModuleType) -> None:
    context = made.made_context(8)
    items = tuple(
        replace(item, section=section, kicker=section, topics=(section,))
        for item, section in zip(
            context.items, ["Biển", "Biển", "Biển", "Lúa", "Lúa", "Lúa", "Sách", "Sách"], strict=True
        )
    )
    rendering = render_issue(
        find_design("bulletin", [TEMPLATES]), replace(context, items=items), nonce=NONCE, language="vi"
    )
    sea = cut_rendering(rendering, NONCE, ["biển "])
    rice = cut_rendering(rendering, NONCE, ["LÚA"])
    assert "Biển\n====" in sea.text
    assert "Lúa\n===" not in sea.text
    assert "Lúa\n===" in rice.text
    assert "Biển\n====" not in rice.text
    assert ">Lúa</h2>" in rice.html
    assert ">Lúa</h2>" not in sea.html
    rules = [cut.html.count("border-top:solid 1px") + cut.html.count("border-top: solid 1px") for cut in (sea, rice)]
    assert rules[0] < rules[1]  # one line between two items and the footer's; the three of rice have two between them
    assert balanced(sea.html)
    assert balanced(rice.html)


def test_what_the_intro_counts_is_left_out_for_a_part_and_staffs_own_words_are_not(made: ModuleType) -> None:
    context = topical(made, 6)
    intro = context.issue.intro
    for by_staff in (False, True):
        issue = replace(context.issue, intro_made=not by_staff)
        rendering = render_issue(
            find_design("bulletin", [TEMPLATES]), replace(context, issue=issue), nonce=NONCE, language="vi"
        )
        part, whole = cut_rendering(rendering, NONCE, TOPICS[:1]), cut_rendering(rendering, NONCE)
        first = intro.split(";")[0]
        assert first in unescape(whole.html)
        assert (first in unescape(part.html)) == by_staff
        assert (first[:40] in part.text) == by_staff


@pytest.mark.parametrize("name", DESIGNS)
def test_an_issue_without_topics_has_no_marks_and_is_what_it_was(made: ModuleType, name: str) -> None:
    context = made.made_context(9)
    plain = render_issue(find_design(name, [TEMPLATES]), context, nonce=NONCE, language="vi")
    assert plain.segments is None
    assert all(isinstance(piece, str | Slot) for piece in split(plain.html + plain.text, NONCE))
    whole = cut_rendering(
        render_issue(find_design(name, [TEMPLATES]), topical(made, 9), nonce=NONCE, language="vi"), NONCE
    )
    for one, other in ((whole.html, plain.html), (whole.text, plain.text)):
        assert "".join(one.split()) == "".join(other.split())  # lines are broken where the marks left room


def test_the_budget_is_that_of_the_mail_without_marks(made: ModuleType) -> None:
    context = topical(made, 40)
    design = find_design("bulletin", [TEMPLATES])
    marked = fit_issue(design, context, nonce=NONCE, language="vi").rendering
    plain = fit_issue(design, made.made_context(40), nonce=NONCE, language="vi").rendering
    assert "".join(cut_rendering(marked, NONCE).html.split()) == "".join(plain.html.split())
    assert sum(isinstance(piece, End) for piece in split(marked.html, NONCE)) > 10


def design_with(tmp_path: Path, change: Callable[[str], str], files: str) -> Design:
    """The bulletin with a change in all its files of a kind, those it shares included."""
    shutil.copytree(TEMPLATES, tmp_path / "designs")
    for path in (tmp_path / "designs").rglob(files):
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    return find_design("bulletin", [tmp_path / "designs"])


def test_a_design_that_marks_no_items_shows_everybody_everything_and_says_so(made: ModuleType, tmp_path: Path) -> None:
    def unmarked(text: str) -> str:
        return re.sub(r"\{% call (?:segment|in_full)\([^%]*\) %\}|\{% endcall %\}", "", text)

    fitted = fit_issue(design_with(tmp_path, unmarked, "*.j2"), topical(made, 9), nonce=NONCE, language="vi")
    assert fitted.rendering.segments is None
    assert all(isinstance(piece, str | Slot) for piece in split(fitted.rendering.html, NONCE))
    assert labels("vi").ngettext("{n} story", "{n} stories", 9) in unescape(fitted.rendering.html)
    [finding] = fitted.findings
    assert (finding.check, finding.level, finding.where) == ("topics", "warning", "bulletin")


def test_a_count_prints_as_a_number_that_is_true_for_each_reader(made: ModuleType, tmp_path: Path) -> None:
    def numbered(text: str) -> str:
        return text.replace("heading(item.title,", 'heading(item.position ~ "/" ~ item_count ~ " " ~ item.title,')

    design = design_with(tmp_path, numbered, "*.txt.j2")
    rendering = render_issue(design, topical(made, 6), nonce=NONCE, language="vi")
    numbers = re.findall(r"^(\d+)/(\d+) ", cut_rendering(rendering, NONCE).text, re.MULTILINE)
    assert numbers == [(str(n), "6") for n in range(2, 7)]
    numbers = re.findall(r"^(\d+)/(\d+) ", cut_rendering(rendering, NONCE, ["biển"]).text, re.MULTILINE)
    assert numbers == [(str(n), "3") for n in range(2, 4)]  # the lead, number 4 without a topic, and number 5
