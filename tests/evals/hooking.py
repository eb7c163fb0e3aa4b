"""How exactly the webhooks of the providers are read, and that what must be refused is.

DATA/delivery/webhooks/requests.jsonl: esp, test, content_type, headers, body_b64, secrets, expect (events, ok_no_event,
reject), events. A request is left out as undecidable when the same test was both accepted and refused with the same
recorded secrets: what told them apart was not recorded.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from newsletter.mail.webhooks import PROVIDERS
from newsletter.mail.webhooks.recorded import answer
from tests.evals.data import records
from tests.evals.tables import Table, out_of, share

COLUMNS = ("webhooks", "events equal", "must-reject refused", "undecidable")


def measure(folder: Path, *, limit: int | None, worst: int, tell: Callable[[str], None]) -> Iterator[Table]:
    requests = folder / "webhooks" / "requests.jsonl"
    if not requests.is_file():
        tell(f"skipped: {requests} is not there")
        return
    names = {provider.name for provider in PROVIDERS}
    known = [record for record in records(requests, None) if record["esp"] in names]
    torn = undecidable(known)
    scored: dict[str, list[tuple[bool | None, bool | None, bool]]] = defaultdict(list)
    for record in known[:limit]:
        one = (None, None, True) if _group(record) in torn else (*score(record), False)
        scored[record["esp"]].append(one)
        if worst and False in one[:2]:
            tell(f"{record['esp']} {record['test']}: {answer(record)}")
    rows = [_row(name, scored[name]) for name in sorted(scored)]
    every = [one for some in scored.values() for one in some]
    yield Table("Webhooks", COLUMNS, [*rows, _row("all", every), ("bar", "0.980", "all", "-")])


def undecidable(requests: Sequence[Mapping[str, Any]]) -> set[str]:
    seen: dict[str, set[bool]] = defaultdict(set)
    for record in requests:
        seen[_group(record)].add(record["expect"] == "reject")
    return {group for group, verdicts in seen.items() if len(verdicts) == 2}


def _group(record: Mapping[str, Any]) -> str:
    return json.dumps([record["esp"], record["test"], record["secrets"]], sort_keys=True)


def score(record: Mapping[str, Any]) -> tuple[bool | None, bool | None]:
    """(are the events equal, was it refused): None where the other is asked."""
    told = answer(record)
    if record["expect"] == "reject":
        return None, "refused" in told
    names = record["events"][0].keys() if record["events"] else ()
    got = [{name: event.get(name) for name in names} for event in told.get("events", [])]
    return "refused" not in told and got == record["events"], None


def _row(name: str, scored: Sequence[tuple[bool | None, bool | None, bool]]) -> list[str]:
    return [name, share(one[0] for one in scored), out_of(one[1] for one in scored), str(sum(one[2] for one in scored))]
