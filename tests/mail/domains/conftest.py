"""Zones as tables: what a domain publishes, and an Ask that answers from it."""

from collections.abc import Callable, Mapping

import pytest

from newsletter.names import Answer, Ask, Status

Table = Mapping[tuple[str, str], list[str] | str | Status]


def answering(table: Table) -> Ask:
    """A Status instead of records is what the DNS says there."""

    def ask(name: str, kind: str) -> Answer:
        name = name.lower()
        found = table.get((name, kind))
        if isinstance(found, Status):
            return Answer(name=name, kind=kind, status=found)
        if found is None:
            known = any(one == name for one, _ in table)
            return Answer(name=name, kind=kind, status=Status.NOTHING if known else Status.NO_NAME)
        records = (found,) if isinstance(found, str) else tuple(found)
        return Answer(name=name, kind=kind, status=Status.FOUND, records=records)

    return ask


@pytest.fixture
def zone() -> Callable[[Table], Ask]:
    return answering
