"""A list, a key and a consent that every test of people starts from."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.store import Database
from subscribers import (
    ConsentGiven,
    ConsentSource,
    ImportReport,
    PersonId,
    SuppressionKey,
    confirm,
    create_list,
    import_people,
    parse_address,
    subscribe,
)

THEN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return THEN


@pytest.fixture
def key() -> SuppressionKey:
    return SuppressionKey(b"a key that only these tests use")


@pytest.fixture
def form() -> ConsentGiven:
    return ConsentGiven(
        form="footer/3",
        wording="Tôi đồng ý nhận bản tin hằng tuần.",
        language="vi",
        source=ConsentSource.FORM,
        ip="192.0.2.7",
    )


@pytest.fixture
def people_db(db: Database) -> Database:
    """The database under test with one double opt-in list, `news`."""
    with db.begin() as conn:
        create_list(conn, "news", name="Bản tin", now=THEN)
    return db


@pytest.fixture
def join(people_db: Database, key: SuppressionKey, form: ConsentGiven) -> Callable[[str], PersonId]:
    """Sign up and confirm one address on `news`."""

    def joined(address: str) -> PersonId:
        with people_db.begin() as conn:
            asked = subscribe(conn, "news", parse_address(address), now=THEN, key=key, consent=form)
            assert asked.person_id is not None
            confirm(conn, "news", asked.person_id, now=THEN)
            return asked.person_id

    return joined


@pytest.fixture
def load(people_db: Database, tmp_path: Path, key: SuppressionKey, now: datetime) -> Callable[..., ImportReport]:
    """Import a file, or text that is written to one first, into `news`."""

    def loaded(content: Path | str | bytes, **options: Any) -> ImportReport:
        path = content if isinstance(content, Path) else tmp_path / "people.csv"
        if not isinstance(content, Path):
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        options = {"list_slug": "news", "rejected_path": tmp_path / "rejected.csv"} | options
        return import_people(people_db, path, key=key, now=now, consent="Paper forms, spring seminar", **options)

    return loaded
