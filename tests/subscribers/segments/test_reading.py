"""The grammar: what reads as what, and how faults name their place."""

import random
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from subscribers import Attribute, AttributeType, SegmentFault, check_query
from subscribers.folding import How
from subscribers.segments.fields import Vocabulary
from subscribers.segments.reading import MAX_CONDITIONS, MAX_DEPTH, MAX_VALUES, read
from subscribers.segments.tree import And, Compare, InLast, IsSet, Like, Node, Not, OneOf, Or, Order, Within, written
from tests.subscribers.segments.making import DECLARED, make_query

ATTRIBUTES = [
    Attribute(slug=slug, type=AttributeType(kind), label_vi=slug, label_en=slug) for slug, kind in DECLARED.items()
]
KNOWN = Vocabulary.of(ATTRIBUTES, frozenset(("news", "events")))


def equal(field: str, value: str | float | bool | date) -> Compare:
    return Compare(field=field, order=Order.EQUAL, value=value)


TREES: list[tuple[str, Node]] = [
    ('tag = "VIP"', equal("tag", "VIP")),
    ('TAG="VIP"', equal("tag", "VIP")),
    ("city = “Huế”", equal("city", "Huế")),
    ('city = "Hue\u0302\u0301"', equal("city", "Huế")),
    ('city != "Huế"', Not(part=equal("city", "Huế"))),
    ('city <> "Huế"', Not(part=equal("city", "Huế"))),
    ('city = "a \\"b\\" \\\\c"', equal("city", 'a "b" \\c')),
    ('city in ("Huế", "Hà Nội", "Huế")', OneOf(field="city", values=("Huế", "Hà Nội"))),
    ('tag not in ("a")', Not(part=OneOf(field="tag", values=("a",)))),
    ('name starts with "Ng"', Like(field="name", how=How.STARTS, text="Ng")),
    ('domain ends with ".edu.vn"', Like(field="domain", how=How.ENDS, text=".edu.vn")),
    ("city is set", IsSet(field="city")),
    ("city is not set", Not(part=IsSet(field="city"))),
    ("since_year >= -1.50", Compare(field="since_year", order=Order.AT_LEAST, value=-1.5)),
    ("since_year in (1, 2)", OneOf(field="since_year", values=(1, 2))),
    ("member = YES", equal("member", True)),
    ("member != true", Not(part=equal("member", True))),
    ("joined since 2026-01-01", Compare(field="joined", order=Order.AT_LEAST, value=date(2026, 1, 1))),
    ("born before 1990-01-01", Compare(field="born", order=Order.LESS, value=date(1990, 1, 1))),
    ("opened within 90 days", Within(field="opened", days=90)),
    ("clicked within 1 day", Within(field="clicked", days=1)),
    ("opened in last 5 issues", InLast(field="opened", issues=5)),
    ("never opened", Not(part=IsSet(field="opened"))),
    ("ever clicked", IsSet(field="clicked")),
    ("not not member = no", Not(part=Not(part=equal("member", False)))),
    (
        'tag = "a" or tag = "b" and not list = "news"',
        Or(parts=(equal("tag", "a"), And(parts=(equal("tag", "b"), Not(part=equal("list", "news")))))),
    ),
    (
        '(tag = "a" or tag = "b") and (opens > 3)',
        And(
            parts=(
                Or(parts=(equal("tag", "a"), equal("tag", "b"))),
                Compare(field="opens", order=Order.MORE, value=3),
            )
        ),
    ),
]


@pytest.mark.parametrize(("text", "tree"), TREES, ids=[text for text, _ in TREES])
def test_a_query_reads_as_its_tree_and_is_written_back(text: str, tree: Node) -> None:
    assert read(text, KNOWN) == tree
    assert read(written(tree), KNOWN) == tree


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("", 1, "there is no condition"),
        ("   ", 1, "there is no condition"),
        ("tag = giảng viên", 7, "expected a text in quotes, found giảng"),
        ('tag = "a" tag = "b"', 11, "expected and or or or the end, found tag"),
        ('tag = "a" and', 14, "expected the name of a field or not or (, found the end"),
        ('(tag = "a"', 11, "expected ), found the end"),
        ('tag = "a")', 10, "expected and or or or the end, found )"),
        ('cty = "Huế"', 1, "there is no field cty: expected city"),
        ("city > 3", 6, "expected = or != or contains"),
        ("tag contains", 5, "expected = or != or in (…) or is set, found contains"),
        ("city within 3 days", 6, "expected ="),
        ('since_year = "x"', 14, 'expected a number, found "x"'),
        ("since_year = 99999999999999999", 14, "expected a number"),
        ("member = maybe", 10, "expected yes or no, found maybe"),
        ("member in (yes)", 8, "expected = or != or is set, found in"),
        ("joined < 2026-02-30", 10, "expected a day like 2026-11-22, found 2026-02-30"),
        ("joined < 22/11/2026", 12, "'/' cannot stand here"),
        ("joined < 0001-01-01", 10, "expected a day"),
        ("joined in last 3 issues", 8, "expected = or !="),
        ("opened in last 0 issues", 16, "expected a number from 1 to 1,000, found 0"),
        ("opened within 1.5 days", 15, "expected a number from 1"),
        ("opened within 5 weeks", 17, "expected days, found weeks"),
        ("opened", 7, "expected = or != or < or <= or > or >= or since or before or within"),
        ("never joined", 7, "expected opened or clicked, found joined"),
        ('tag = "a', 7, "a text begins here and has no closing quote"),
        ('tag = "a\nb"', 7, "a text has at most 200 characters and stands on one line"),
        ('tag = "' + "x" * 201 + '"', 7, "a text has at most 200 characters"),
        ('tag = " "', 7, "an empty text"),
        ("tag = 'a'", 7, '"\'" cannot stand here'),
        ('list = "nws"', 8, "there is no list nws: expected events or news"),
        ("1 = 1", 1, "expected the name of a field"),
        ("tag = \"a\" -- x", 11, "'-' cannot stand here"),
        ("tag = \"a\"; drop table people", 10, "';' cannot stand here"),
        ("tag in ()", 9, "expected a text in quotes, found )"),
        ('tag in ("a" "b")', 13, 'expected , or ), found "b"'),
        ("x" * 4001, 4001, "a segment has at most 4,000 characters"),
        ("not " * (MAX_DEPTH + 1) + "never opened", 4 * (MAX_DEPTH + 1) + 1, "brackets and nots go deeper than 20"),
        (" and ".join(["ever opened"] * (MAX_CONDITIONS + 1)), 961, "a segment has at most 60 conditions"),
        (f"opens in ({', '.join(map(str, range(MAX_VALUES + 1)))})", 901, "at most 200 values stand in one list"),
    ],
)  # fmt: skip
def test_a_fault_names_its_place_and_what_could_stand_there(text: str, position: int, said: str) -> None:
    with pytest.raises(SegmentFault) as caught:
        read(text, KNOWN)
    assert caught.value.what.startswith(said), caught.value.what
    assert caught.value.position == position
    assert str(caught.value).startswith(f"at character {position}: ")


def test_the_bounds_themselves_are_allowed() -> None:
    read("not " * MAX_DEPTH + "never opened", KNOWN)
    read(" and ".join(["ever opened"] * MAX_CONDITIONS), KNOWN)
    read(f"opens in ({', '.join(map(str, range(MAX_VALUES)))})", KNOWN)


def test_attributes_and_lists_that_are_not_written_yet_can_be_named() -> None:
    check_query('city = "Huế" and list = "events"', ATTRIBUTES, {"events"})
    with pytest.raises(SegmentFault, match="no field city"):
        check_query('city = "Huế"', [], {"events"})


@given(st.integers(0, 2**32))
def test_every_tree_reads_back_from_its_text(seed: int) -> None:
    node = make_query(KNOWN.fields, random.Random(seed), depth=4)
    assert read(written(node), KNOWN) == node


_SAMPLES = """
    tag city opened never ever not and or ( ) , = != < in is set last 5 issues within days "Huế" 2026-01-01 yes “
"""
WORDS = st.sampled_from(_SAMPLES.split())


@given(st.lists(WORDS, max_size=12).map(" ".join) | st.text(max_size=60))
@example('tag = "\\')
@example("tag = \ud800")
def test_any_text_reads_or_has_a_fault_within_it(text: str) -> None:
    fault = None
    try:
        read(text, KNOWN)
    except SegmentFault as error:
        fault = error
    assert fault is None or 1 <= fault.position <= len(text) + 1
