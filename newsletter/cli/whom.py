"""Whom a verb means: an address or an id, given by staff."""

from collections.abc import Mapping
from typing import Any

import subscribers
from newsletter.errors import BadInput
from newsletter.model import PersonId
from newsletter.store import Connection


def person_of(conn: Connection, who: str) -> PersonId:
    """The person of an address or id. Raises BadInput when there is none."""
    if "@" in who:
        found = subscribers.find(conn, subscribers.parse_address(who))
        if found is None:
            raise BadInput("nobody here has this address")
        return PersonId(found)
    try:
        return PersonId(subscribers.person(conn, PersonId(who)).id)
    except subscribers.UnknownPerson:
        raise BadInput("there is no such person", where=who, hint="give an address or a person's id") from None


def of_domain(suppression: Mapping[str, Any]) -> str:
    """What follows the reason of a suppression that is not the address's own."""
    return " (its whole domain)" if suppression["by"] == "domain" else ""
