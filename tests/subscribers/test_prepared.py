"""Statements handed to the driver as they are, on both databases."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from subscribers import Prepared, listed, one_of
from subscribers.tables import lists
from tests.conftest import NOW

BY_SLUG = Prepared(
    lambda dialect: (
        sa.select(lists.c.slug).where(one_of(dialect, lists.c.slug, "slugs")).order_by(lists.c.slug).limit(2)
    )
)
RENAME = Prepared(
    lambda dialect: (
        sa.update(lists)
        .where(lists.c.slug == sa.bindparam("slug_is"))
        .values(name=sa.bindparam("name"), description=sa.bindparam("description"))
    )
)


@pytest.fixture
def three(db):
    with db.begin() as conn:
        for slug in ("a", "b", "c"):
            row = {"id": slug, "slug": slug, "name": "", "description": "", "double_opt_in": True, "created_at": NOW}
            conn.execute(sa.insert(lists), row)
    return db


@pytest.mark.parametrize("wanted", [[], ["b"], ["c", "a"], ["x", "c", "b", "a"]])
def test_one_text_serves_any_number_of_values_and_keeps_its_own(three, wanted):
    with three.read() as conn:
        assert BY_SLUG.run(conn, slugs=listed(conn, wanted)) == [(s,) for s in sorted(set(wanted) - {"x"})[:2]]


def test_many_rows_go_in_one_call_with_what_they_share(three):
    with three.begin() as conn:
        RENAME.run_many(conn, ("name", "slug_is"), [("Biển", "a"), ("Lúa", "b")], description="Bản tin")
        names = conn.execute(sa.select(lists.c.name, lists.c.description).order_by(lists.c.slug)).fetchall()
    assert [tuple(row) for row in names] == [("Biển", "Bản tin"), ("Lúa", "Bản tin"), ("", "")]


def test_a_fault_is_the_one_that_sqlalchemy_raises_without_values(three):
    with pytest.raises(DBAPIError) as caught, three.begin() as conn:
        RENAME.run(conn, name=None, slug_is="a", description="bí mật")
    assert "UPDATE lists" in str(caught.value.statement)
    assert caught.value.params is None
