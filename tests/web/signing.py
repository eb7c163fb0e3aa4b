"""What a browser does with a sign-up form: read its ticket, do its work, send it."""

import hashlib
import re
from datetime import timedelta
from itertools import count

from tests.web.conftest import Answer, World


def field(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found is not None, f"no field {name}"
    return found[1]


def solution(ticket: str, bits: int = 16) -> str:
    for n in count():
        if int.from_bytes(hashlib.sha256(f"{ticket}:{n}".encode()).digest()[:8], "big") >> (64 - bits) == 0:
            return str(n)
    raise AssertionError


def fill_in(
    world: World,
    email: str,
    *,
    path: str = "/subscribe/ban-doc?lang=vi",
    work: bool = True,
    after: float = 5,
    **more: str,
) -> Answer:
    """Open the form, wait, send it. `work`: with the proof that a script adds."""
    ticket = field(world.fetch(path).text, "ticket")
    world.clock.at += timedelta(seconds=after)
    form = {"email": email, "ticket": ticket, "solution": solution(ticket) if work else "", "website": "", **more}
    return world.fetch(path, form=form)
