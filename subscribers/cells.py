"""What one cell of a file says (pure): an address, a state in many programs' words, a moment, tags, attributes.

Reasons never hold any part of an address, because they are shown and kept.
"""

import ast
import csv
import json
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NoReturn

from subscribers.address import split_address
from subscribers.errors import InvalidAddress
from subscribers.states import NotMailableReason, PersonState, SubscriptionState
from subscribers.tables import utc

# What a file can say of somebody: their subscription, or the address itself, or that nobody may write to them.
State = SubscriptionState | PersonState | NotMailableReason

_LONGEST_DICT = 10_000  # characters of a Python dictionary that are parsed

# Own words first, then those of other programs and of people, as `fold` leaves them.
_STATES: Mapping[State, str] = {
    SubscriptionState.ACTIVE: "active subscribed enabled confirmed regular optedin optin dangnhan dadangky hoatdong",
    SubscriptionState.PAUSED: "paused disabled snoozed tamdung tamngung",
    SubscriptionState.UNSUBSCRIBED: "unsubscribed left optedout optout inactive removed deleted dahuy huydangky"
    " dahuydangky ngunghoatdong ngungnhan",
    SubscriptionState.PENDING: "pending unconfirmed unactivated notconfirmed choxacnhan chuaxacnhan",
    PersonState.BOUNCED: "bounced cleaned undeliverable unreachable hardbounced hardbounce bounce invalid bitralai",
    PersonState.COMPLAINED: "complained complaint spam spamcomplaint abuse reported baospam baothurac",
    NotMailableReason.SUPPRESSED: "suppressed blocklisted blacklisted blocked banned donotemail bichan",
    NotMailableReason.NOT_SUBSCRIBED: "notsubscribed nonsubscribed neversubscribed transactional chuadangky",
}
_STATE_OF = {word: state for state, words in _STATES.items() for word in words.split()}
_OWN_WORDS = ("active", "paused", "unsubscribed", "bounced", "complained", "suppressed")


class RowFault(ValueError):
    """One row cannot be used: `column` as our export names it, `reason` without any part of an address."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.reason = column, reason


@lru_cache(maxsize=4_096)
def fold(cell: str) -> str:
    """`E-mail Address` → `emailaddress`, `Họ và tên` → `hovaten`: no case, blanks, signs, accents, invisible signs."""
    plain = unicodedata.normalize("NFKD", cell.casefold().replace("đ", "d"))
    return "".join([sign for sign in plain if sign.isalnum() and sign.isascii()])


def plain_text(text: str) -> str:
    """One line in NFC without blanks around it and without unprintable signs."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if not text.isprintable():
        text = "".join([sign if sign.isprintable() else " " if sign.isspace() else "" for sign in text])
    return text.strip()


def read_address(text: str) -> tuple[str, str]:
    """`(local, domain)`. Raises RowFault."""
    try:
        return split_address(text)
    except InvalidAddress as error:
        raise RowFault("email", "there is no address" if not text.strip() else error.reason) from None


def is_yes(text: str) -> bool:
    return fold(text) in ("1", "true", "t", "yes", "y", "on", "co")


def read_state(text: str) -> State | None:
    """None for a blank cell. Raises RowFault for a word nobody knows: guessing would mail somebody."""
    word = fold(text)
    if not word and not text.strip():
        return None
    try:
        return _STATE_OF[word]
    except KeyError:
        raise RowFault("state", "no known state: use " + ", ".join(_OWN_WORDS)) from None


def read_own_moment(text: str, column: str) -> datetime | None:
    """A time of our own export: ISO 8601 with a zone. None for a blank cell. Raises RowFault."""
    if not text.strip():
        return None
    try:
        return utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        raise RowFault(column, "no ISO 8601 time with a zone, like 2026-11-22T08:00:00Z") from None


def read_moment(text: str) -> datetime | None:
    """A time as other programs write it: ISO 8601, also with `UTC` behind it; without a zone it is UTC. None: not understood.

    `02/01/2024` is two days and stays not understood.
    """
    bare = text.strip().removesuffix(" UTC").removesuffix(" GMT").replace(" +", "+")
    try:
        moment = datetime.fromisoformat(bare)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_attributes(text: str) -> dict[str, Any]:
    """A JSON object, or a Python dictionary as Buttondown writes one. Raises RowFault."""
    if not text.strip():
        return {}
    try:
        value = _object(text)
        written = json.dumps(value, ensure_ascii=False, allow_nan=False)
        written.encode()  # half a surrogate pair is JSON, but no text
    except (ValueError, TypeError, RecursionError, MemoryError, SyntaxError):
        raise RowFault("attributes", "no JSON object") from None
    if not isinstance(value, dict):
        raise RowFault("attributes", "no JSON object")
    if "\\u0000" in written:
        raise RowFault("attributes", "holds a zero character, which databases refuse")
    return value if written.isascii() else json.loads(unicodedata.normalize("NFC", written))


def _object(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except ValueError:
        if text.lstrip().startswith("{'") and len(text) <= _LONGEST_DICT:
            return ast.literal_eval(text.strip())
        raise


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def read_tags(text: str) -> list[str]:
    """`"Editors","VIP"`, `a; b`, `a, b` or `["a", "b"]`: each once, in their order, in NFC."""
    tags = [plain_text(tag) for tag in _split(text.strip())]
    return list(dict.fromkeys(tag for tag in tags if tag))


def _split(text: str) -> Sequence[str]:
    if text.startswith("["):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, list):
            return [str(tag) for tag in found if isinstance(tag, str | int | float)]
    if '"' in text:
        try:
            return next(csv.reader([text], skipinitialspace=True), [])
        except csv.Error:
            return [text]
    return text.split(";" if ";" in text else ",")
