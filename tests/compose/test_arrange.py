"""Lead, sections, briefs: nothing lost, headings only where they help."""

from dataclasses import replace
from types import ModuleType

from hypothesis import given
from hypothesis import strategies as st

from newsletter.compose.arrange import Layout, arrange, squeezes
from newsletter.compose.context import ItemView

LAYOUT = Layout()


def _items(sections: list[str | None]) -> tuple[ItemView, ...]:
    return tuple(
        ItemView(title=str(n), url=None, summary="", section=name, kicker=name, image="https://a.example/b.jpg")
        for n, name in enumerate(sections)
    )


def _full(items: tuple[ItemView, ...], *, web_view: bool = True):  # type: ignore[no-untyped-def]
    return arrange(items, LAYOUT, squeezes(items, LAYOUT, web_view=web_view)[0], rest_title="Rest")


def test_with_fewer_than_six_items_there_are_no_headings(made: ModuleType) -> None:
    arrangement = _full(_items(["a", "a", "a", "b", "b"]))
    assert [section.title for section in arrangement.sections] == [None]


def test_sections_keep_their_order_and_single_items_end_under_the_rest() -> None:
    arrangement = _full(_items(["a", "b", "c", "b", "d", "d", "x", "y"]))
    assert [(s.title, [item.title for item in s.items]) for s in arrangement.sections] == [
        ("b", ["1", "3"]),
        ("d", ["4", "5"]),
        ("Rest", ["2"]),
    ]
    assert [item.kicker for s in arrangement.sections for item in s.items] == [None, None, None, None, "c"]


def test_when_no_section_has_two_items_no_heading_is_shown() -> None:
    assert [s.title for s in _full(_items(["a", "b", "c", "d", "e", "f", "g", "h"])).sections] == [None]


def test_a_single_brief_becomes_an_item() -> None:
    arrangement = _full(_items([None] * 7))
    assert (len(arrangement.sections[0].items), arrangement.briefs) == (6, ())


@given(st.lists(st.sampled_from(["a", "b", "c", None]), max_size=40), st.booleans())
def test_at_every_stage_each_item_is_shown_once_or_counted(sections: list[str | None], web_view: bool) -> None:
    items = _items(sections)
    for stage in squeezes(items, LAYOUT, web_view=web_view):
        made = arrange(items, LAYOUT, stage, rest_title="Rest")
        shown = [*([made.lead] if made.lead else []), *(i for s in made.sections for i in s.items), *made.briefs]
        assert len({item.title for item in shown}) == len(shown) == made.listed
        assert len(shown) + made.more == len(items)
        assert [item.position for item in shown] == list(range(1, len(shown) + 1))


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.booleans()), max_size=30), st.booleans())
def test_items_only_on_the_web_are_never_shown_and_always_counted(
    drawn: list[tuple[str | None, bool]], web_view: bool
) -> None:
    items = tuple(
        replace(item, only_web=only) for item, (_, only) in zip(_items([name for name, _ in drawn]), drawn, strict=True)
    )
    for stage in squeezes(items, LAYOUT, web_view=web_view):
        made = arrange(items, LAYOUT, stage, rest_title="Rest")
        shown = [*([made.lead] if made.lead else []), *(i for s in made.sections for i in s.items), *made.briefs]
        assert not any(item.only_web for item in shown)
        assert len(shown) + made.more == len(items)
        told = [item for section in made.sections for item in section.on_web]
        assert all(item.only_web for item in told)
        assert made.rest[made.besides :] == tuple(told)  # each is counted by one section, or by none
