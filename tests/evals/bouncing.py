"""How well returned messages are read: whom they are about, and what they mean.

DATA/delivery holds `labels.jsonl` (file, family, recipients: list of {address, alias, kind, reason}) and the files it names.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.mail.bounces import Returned, read_returned
from tests.evals.data import content, records
from tests.evals.tables import Table, share

COLUMNS = ("returned messages", "address", "in returned headers", "with rcpt", "kind", "false hard", "extra", "crashed")
BARS = ("bar", "0.850", "1.000", "1.000", "0.920", "0.010", "-", "0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One expected recipient: was it found, in each way it may be, and was its kind right."""

    family: str
    address: bool | None  # None: the label names nobody
    in_headers: bool | None  # None: our returned headers do not carry it
    with_rcpt: bool | None
    kind: bool
    wanted: str
    got: str

    @property
    def false_hard(self) -> bool:
        return self.got == "hard" and self.wanted != "hard"


def measure(folder: Path, *, limit: int | None, worst: int, tell: Callable[[str], None]) -> Iterator[Table]:
    labels = folder / "labels.jsonl"
    if not labels.is_file():
        tell(f"skipped: {labels} is not there")
        return
    scored: list[Scored] = []
    extra: list[bool] = []
    crashed = 0
    for record in records(labels, limit):
        try:
            found = score(record, content(folder / record["file"]))
        except Exception as error:  # what is measured here is that this never happens
            tell(f"{record['file']}: {type(error).__name__}: {error}")
            crashed += 1
            continue
        scored += found[0]
        extra.append(found[1])
        if worst and not all(one.kind and one.address is not False for one in found[0]):
            tell(f"{record['file']}: {[(one.wanted, one.got, one.address) for one in found[0]]}")
    yield Table("Bounces, complaints and replies", COLUMNS, [_row(scored, extra, crashed), BARS], _remarks(scored))


def score(record: Mapping[str, Any], raw: bytes) -> tuple[list[Scored], bool]:
    """Every labelled recipient of a message, and whether an address was named that is none."""
    wanted = record["recipients"]
    found = read_returned(raw)
    by_address = {(one.address or "").casefold(): one for one in found}
    named = {name.casefold() for one in wanted for name in _names(one)}
    extra = any(address and address not in named for address in by_address)
    return [_scored(record["family"], one, found, by_address, raw) for one in wanted], extra


def _scored(
    family: str, wanted: Mapping[str, Any], found: Sequence[Returned], by_address: Mapping[str, Returned], raw: bytes
) -> Scored:
    address = wanted["address"]
    names = [name.casefold() for name in _names(wanted)] or [""]
    one = next((by_address[name] for name in names if name in by_address), None)
    judged = one or (found[0] if len(found) == 1 else None)
    with_rcpt = [r.address for r in read_returned(raw, rcpt=address)] if address else []
    return Scored(
        family=family,
        address=one is not None if address else None,
        in_headers=one is not None if address and _returned_headers_carry(raw, address) else None,
        with_rcpt=any((a or "").casefold() == address.casefold() for a in with_rcpt) if address else None,
        kind=judged is not None and judged.kind == wanted["kind"],
        wanted=wanted["kind"],
        got=str(judged.kind) if judged else "nothing",
    )


def _names(wanted: Mapping[str, Any]) -> list[str]:
    return [name for name in (wanted["address"], wanted.get("alias")) if name]


def _returned_headers_carry(raw: bytes, address: str) -> bool:
    """Whether a To line behind the first blank line holds the address: the header of the message that came back."""
    _, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    lines = body.decode("utf-8", "replace").splitlines()
    return any(line.lower().startswith("to:") and address.lower() in line.lower() for line in lines)


def _row(scored: Sequence[Scored], extra: Sequence[bool], crashed: int) -> list[str]:
    return [
        "all",
        share(one.address for one in scored),
        share(one.in_headers for one in scored),
        share(one.with_rcpt for one in scored),
        share(one.kind for one in scored),
        share(one.false_hard for one in scored),
        share(extra),
        str(crashed),
    ]


def _remarks(scored: Sequence[Scored]) -> list[str]:
    mistaken = Counter((one.wanted, one.got) for one in scored if not one.kind)
    return [f"{wanted} read as {got}: {count}" for (wanted, got), count in mistaken.most_common(6)]
