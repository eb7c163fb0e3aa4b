"""SQL says of everybody what the plain Python evaluation says, on both databases."""

import random
from collections import Counter

import pytest

from newsletter.store import Database
from subscribers import SuppressionKey
from subscribers.audiences import mailable
from subscribers.segments.fields import vocabulary
from subscribers.segments.reading import read
from subscribers.segments.tree import conditions, written
from tests.subscribers.segments.judge import holds
from tests.subscribers.segments.making import NOW, ZONE, make_people, make_query, make_world

PEOPLE, QUERIES = 200, 200


@pytest.mark.parametrize("seed", [1, 2])
def test_random_queries_name_in_sql_whom_they_name_in_python(
    people_db: Database, key: SuppressionKey, seed: int
) -> None:
    chance = random.Random(seed)
    seen: Counter[str] = Counter()
    with people_db.begin() as conn:
        world = make_world(conn)
        known = make_people(conn, PEOPLE, world, key, chance)
        words = vocabulary(conn)
        for _ in range(QUERIES):
            node = make_query(words.fields, chance)
            text = written(node)
            assert read(text, words) == node, text
            rows = conn.execute(mailable(conn, "news", text, now=NOW, time_zone=ZONE)).scalars().all()
            expected = {person_id for person_id, who in known.items() if holds(node, who, world)}
            assert len(rows) == len(set(rows))
            assert set(rows) == expected, (text, [known[one] for one in set(rows) ^ expected][:2])
            some = "some" if 0 < len(expected) < PEOPLE else "none or all"
            seen.update({some: 1, **{one.field: 1 for one in conditions(node)}})
    assert set(words.fields) <= set(seen), "every field was asked for"
    assert seen["some"] > QUERIES / 3, "most queries tell people apart"
