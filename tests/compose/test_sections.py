"""Sections of a newsletter: by source, topic or word; the first that takes an article counts."""

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType

import pytest

from newsletter.compose.arrange import Layout, arrange, squeezes
from newsletter.compose.context import ItemView, item_views
from newsletter.compose.design import default_folders, find_design
from newsletter.compose.render import render_issue
from newsletter.compose.sample import NONCE, sample_context
from newsletter.compose.sections import assigned, rest_title
from newsletter.compose.select import choose
from newsletter.mail.segments import cut_rendering
from newsletter.model import Newsletter, SectionRule, SourceId

SEA = SectionRule(
    title="Biển", titles={"en": "The sea"}, source_ids=(SourceId("source7"),), topics=("Hải dương",), words=("cơn bão",)
)
FIELD = SectionRule(title="Đồng ruộng", topics=("lúa",), limit=2)
REST = SectionRule(title="Tin khác", titles={"en": "Also"})


def of(made: ModuleType, *rules: SectionRule, **changes: object) -> Newsletter:
    return replace(made.made_newsletter(), sections=rules, **changes)


@pytest.mark.parametrize(
    ("changes", "title", "rule"),
    [
        ({"source_id": SourceId("source7"), "source_name": "Báo Biển"}, "Biển", "source Báo Biển"),
        ({"topics": ("hải dương",)}, "Biển", "topic Hải dương"),
        ({"source_topics": ("HẢI DƯƠNG",)}, "Biển", "topic Hải dương"),
        ({"text": "Sau CƠN BÃO, trạm đo chạy lại."}, "Biển", "word cơn bão"),
        ({"text": "Cơn. Bão"}, None, "no other section takes it"),
        ({"topics": ("lúa", "Hải dương")}, "Biển", "topic Hải dương"),
        ({"topics": ("lúa",)}, "Đồng ruộng", "topic lúa"),
        ({}, None, "no other section takes it"),
    ],
)
def test_the_first_section_that_takes_an_article_counts(
    made: ModuleType, changes: dict[str, object], title: str | None, rule: str
) -> None:
    found = assigned(made.made_article(1, **changes), of(made, SEA, FIELD, REST))
    assert (found.title, found.rule) == (title, rule)


def test_without_declared_sections_the_source_names_its_own(made: ModuleType) -> None:
    found = assigned(made.made_article(1, section="Tin Viện"), of(made))
    assert (found.title, found.at, found.rule) == ("Tin Viện", 0, "the section of the source Văn phòng Viện")


@pytest.mark.parametrize(
    ("said", "title", "at"),
    [("the SEA", "Biển", 1), ("Chuyên đề", "Chuyên đề", 4), ("", None, 3), ("tin khác", None, 3)],
)
def test_staff_name_a_section_in_any_language_or_one_of_their_own(
    made: ModuleType, said: str, title: str | None, at: int
) -> None:
    found = assigned(made.made_article(1, topics=("lúa",)), of(made, SEA, FIELD, REST), said)
    assert (found.title, found.at, found.rule) == (title, at, "staff")


def shown(newsletter: Newsletter, made: ModuleType, topics: Sequence[str], language: str = "vi"):  # type: ignore[no-untyped-def]
    """What a full mail shows of articles with these topics, best ranked first."""
    articles = [made.made_article(n, topics=(topic,), weight=3 - n // 3) for n, topic in enumerate(topics)]
    items = [d.item for d in choose(articles, newsletter, now=made.NOW, used=set()) if d.item]
    views: tuple[ItemView, ...] = item_views(items, newsletter.timezone, language)
    layout = Layout(cards=20)
    title = rest_title(newsletter, language)
    return arrange(views, layout, squeezes(views, layout, web_view=True)[0], rest_title=title)


def test_sections_stand_in_the_order_declared_and_in_the_readers_language(made: ModuleType) -> None:
    topics = ["lúa", "lúa", "khác", "Hải dương", "lúa", "khác", "Hải dương"]
    newsletter = of(made, SEA, FIELD, REST)
    for language, titles in (("vi", ["Biển", "Đồng ruộng", "Tin khác"]), ("en-GB", ["The sea", "Đồng ruộng", "Also"])):
        made_ = shown(newsletter, made, topics, language)
        assert [section.title for section in made_.sections] == titles
        assert [len(section.items) for section in made_.sections] == [2, 2, 1]
    assert made_.sections[1].more == 1
    assert made_.more == 1


def test_over_the_limit_of_its_section_an_article_is_in_the_issue_but_only_on_the_web(made: ModuleType) -> None:
    articles = [made.made_article(n, topics=("lúa",)) for n in range(5)]
    decisions = choose(articles, of(made, FIELD), now=made.NOW, used=set())
    assert [d.item.only_web for d in decisions if d.item] == [False, False, True, True, True]
    assert [d.item.position for d in decisions if d.item] == [1, 2, 3, 4, 5]
    assert {d.reason for d in decisions[2:]} == {"in, only on the web: over the limit of 2 in “Đồng ruộng”"}


def test_at_most_so_many_of_one_source(made: ModuleType) -> None:
    articles = [
        made.made_article(n, source_id=SourceId(f"source{n % 2}"), source_name=f"Báo {n % 2}") for n in range(7)
    ]
    decisions = choose(articles, of(made, max_per_source=3), now=made.NOW, used=set())
    assert sum(d.included for d in decisions) == 6
    assert [d.reason for d in decisions if not d.included] == ["over the limit of 3 of Báo 0"]


@pytest.mark.parametrize("name", ["bulletin", "cards", "compact"])
@pytest.mark.parametrize("topics", [False, True])
def test_a_section_says_how_many_more_of_it_stand_on_the_web_and_the_end_counts_the_others(
    name: str, topics: bool
) -> None:
    design = find_design(name, default_folders(None))
    design = replace(design, layout=replace(design.layout, sections_from=6))
    context = sample_context(9, language="vi")
    kept = [replace(item, topics=(item.section or "Đất",) if topics else ()) for item in context.items]
    web = [replace(kept[3], only_web=True, section=title) for title in ("Đất", "Đất", "Không đâu", None)]
    web = [replace(item, topics=(item.section,) if topics and item.section else ()) for item in web]
    items = tuple(replace(item, position=at) for at, item in enumerate([*kept, *web], 1))
    rendering = render_issue(design, replace(context, items=items), nonce=NONCE, language="vi")

    def counts(*chosen: str) -> list[list[int]]:
        seen = cut_rendering(rendering, NONCE, chosen)
        parts = (html.unescape(seen.html).replace("\xa0", " "), seen.text.replace("\xa0", " "))
        return [[int(n) for n in re.findall(r"và (\d+) tin khác trên web", part)] for part in parts]

    assert counts() == [[2, 2], [2, 2]]
    if topics:
        assert counts("Đất") == [[2, 1], [2, 1]]
        assert counts("Không đâu") == [[2], [2]]  # what has no topic is for everybody
        assert counts("Biển") == [[1], [1]]
        assert "Tin ngắn" not in cut_rendering(rendering, NONCE, ("Không đâu",)).html
