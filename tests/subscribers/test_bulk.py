"""Thousands of values at once say the same as one by one, and a database's refusal quotes nobody."""

import random
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from newsletter.store import Database
from subscribers import SuppressionKey, metadata
from subscribers.bulk import RowsRefused, insert_rows, one_of
from subscribers.consent import entry, first_entries, new_salts
from subscribers.ids import new_ids
from subscribers.keyed import suppression_hash, suppression_hashes

people, lists = metadata.tables["people"], metadata.tables["lists"]
COLUMNS = ("id", "slug", "name", "description", "double_opt_in", "created_at")
AT = "2026-11-22T08:00:00.000000Z"


def listed(number: int, slug: str, name: str) -> tuple[Any, ...]:
    return f"{number:016}", slug, name, "", True, AT


def test_rows_arrive_as_they_are(people_db: Database, now: datetime) -> None:
    names = ["Người đọc", "tab\tnew\nline", "back\\slash \\N \\.", 'quote "', "😀", "", "NULL"]
    with people_db.begin() as conn:
        insert_rows(conn, lists, COLUMNS, (listed(n, f"l{n}", name) for n, name in enumerate(names)))
    with people_db.read() as conn:
        query = select(lists).where(lists.c.slug != "news").order_by(lists.c.id)
        found = conn.execute(query).all()
    assert [row.name for row in found] == names
    assert {row.created_at for row in found} == {now}


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_what_rows_share_is_given_once_whatever_their_number(people_db: Database, now: datetime, count: int) -> None:
    rows = [(f"{n:016}", f"l{n}", f"Danh sách {n}") for n in range(count)]
    shared = {"description": "Của viện", "double_opt_in": True, "created_at": AT}
    with people_db.begin() as conn:
        insert_rows(conn, lists, COLUMNS[:3], iter(rows), shared=shared)
    with people_db.read() as conn:
        found = conn.execute(select(lists).where(lists.c.slug != "news").order_by(lists.c.id)).all()
    assert [tuple(row) for row in found] == [(*row, "Của viện", True, now) for row in rows]


@pytest.mark.parametrize("count", [3, 100])
def test_a_row_that_lacks_a_value_never_takes_one_of_the_next(people_db: Database, count: int) -> None:
    rows = [listed(n, f"l{n}", "") for n in range(count)]
    rows[1] = rows[1][:-1]
    with pytest.raises(RowsRefused), people_db.begin() as conn:
        insert_rows(conn, lists, COLUMNS, rows)
    with people_db.read() as conn:
        assert conn.execute(select(lists.c.slug)).scalars().all() == ["news"]


def test_many_are_asked_for_at_once(people_db: Database) -> None:
    wanted = [f"l{n}" for n in range(0, 40_000, 2)] + ["l1", "l1", 'o"dd', "ễ\\", "😀"]
    with people_db.begin() as conn:
        insert_rows(
            conn, lists, COLUMNS, (listed(n, slug, "") for n, slug in enumerate(["l2", "l3", 'o"dd', "ễ\\", "😀"]))
        )
        found = conn.execute(select(lists.c.slug).where(one_of(conn, lists.c.slug, wanted))).scalars().all()
        assert sorted(found) == sorted(["l2", 'o"dd', "ễ\\", "😀"])
        assert conn.execute(select(lists.c.slug).where(one_of(conn, lists.c.slug, []))).all() == []


def test_a_refused_row_is_not_quoted(people_db: Database) -> None:
    person = ("p1", "quynh.hoa", "vien.example", "quynh.hoa@vien.example", "", "{}", "active", AT)
    columns = ("id", "address_local", "address_domain", "address_key", "name", "attributes", "state", "created_at")
    with pytest.raises(RowsRefused) as caught, people_db.begin() as conn:
        insert_rows(conn, people, columns, [person, ("p2", *person[1:])])
    assert caught.value.raced
    assert "quynh" not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"
    with pytest.raises(RowsRefused) as caught, people_db.begin() as conn:
        insert_rows(conn, people, columns, [(*person[:4], None, *person[5:])])
    assert "quynh" not in str(caught.value)


def test_first_entries_are_the_entries_of_a_chain_made_one_by_one(now: datetime) -> None:
    keys = ["an@example.org", "bình@example.org", "x" * 200]
    salts = list(new_salts(3))
    act: dict[str, Any] = {"list_id": "l", "at": now, "action": "import", "source": "import"}
    for form in ("f" * 32, None):
        many = list(first_entries(keys, salts, form=form, **act))
        for key, salt, found in zip(keys, salts, many, strict=True):
            one = entry(previous="", address_key=key, salt=salt, person_id="p", seq=1, form=form, ip=None, **act)
            assert found == (one["who_digest"], one["link"])


def test_many_hashes_are_those_of_one_by_one(key: SuppressionKey) -> None:
    keys = ["an@example.org", "bình@example.org", ""]
    assert list(suppression_hashes(keys, key)) == [suppression_hash(one, key) for one in keys]


def test_ids_made_together_are_in_order_and_never_twice() -> None:
    rng = random.Random(1)
    made = [one for _ in range(20) for one in new_ids(rng.choice((1, 2, 1_023, 1_024, 1_025, 3_000)))]
    assert made == sorted(set(made))
    assert {len(one) for one in made} == {16}
