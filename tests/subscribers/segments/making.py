"""Random people and random queries about them. Deterministic for a seed, with values chosen so that conditions often meet."""

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert

from subscribers import (
    Attribute,
    Engagement,
    PersonId,
    SuppressionKey,
    create_list,
    declare_attribute,
    ensure_person,
    get_list,
    parse_address,
    record_engagement,
    record_sending,
)
from subscribers.folding import How
from subscribers.segments.fields import Field
from subscribers.segments.tree import And, Compare, InLast, IsSet, Like, Node, Not, OneOf, Or, Order, Value, Within
from subscribers.tables import people, subscriptions
from tests.subscribers.segments.judge import Known, World

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ZONE = "Asia/Ho_Chi_Minh"
WORDS = (
    *("Huế", "HUẾ", "hue", "Hà Nội", "hà nội", "Đà Nẵng", "đà nẵng", "ß", "SS", "K2", "ΣΑΣ", "σας", "12"),
    *("a*b?[c]", "(x|y)+$", 'say "x"\\', "C:\\d"),
)
DOMAINS = ("gmail.com", "vien.example", "truong.vien.example", "thư.example.net")
LANGUAGES = (None, "vi", "vi-VN", "en", "en-GB", "vie")
DECLARED = {
    "city": "text",
    "since_year": "number",
    "member": "yes-no",
    "born": "date",
    "reads": "texts",
}
ODD: tuple[Any, ...] = (None, "", 12, True, "abc", [], ["Huế", 3, None], {"a": 1}, "12")  # of a type nobody declared


def make_world(conn: Connection) -> World:
    """A second list, declared attributes, and what was sent to `news`."""
    create_list(conn, "events", name="Sự kiện", now=NOW)
    declared = {slug: declare_attribute(conn, slug, type=kind, now=NOW) for slug, kind in DECLARED.items()}
    sent = tuple(NOW - timedelta(days=7 * n, hours=1) for n in range(6))
    for at in sent:
        record_sending(conn, "news", at=at)
    return World(declared=declared, now=NOW, zone=ZoneInfo(ZONE), sent=sent)


def make_people(
    conn: Connection, count: int, world: World, key: SuppressionKey, chance: random.Random
) -> Mapping[PersonId, Known]:
    made = {}
    for number in range(count):
        domain = chance.choice(DOMAINS)
        address = parse_address(f"p{number}@{domain}")
        person_id = PersonId(ensure_person(conn, address, now=NOW, key=key))
        made[person_id] = _person(conn, person_id, address.domain, world, chance)
    return made


def _person(conn: Connection, person_id: PersonId, domain: str, world: World, chance: random.Random) -> Known:
    row = {
        "name": chance.choice(("", *WORDS)),
        "language": chance.choice(LANGUAGES),
        "time_zone": chance.choice((None, "Asia/Ho_Chi_Minh", "Europe/Paris")),
        "attributes": _attributes(chance),
        "tags": chance.sample(WORDS, chance.randrange(3)) or None,
    }
    conn.execute(people.update().where(people.c.id == person_id).values(row))
    held = conn.execute(people.select().where(people.c.id == person_id)).one()
    moments: dict[str, datetime | None] = {
        "joined": _moment(chance),
        "confirmed": chance.choice((None, _moment(chance))),
        "opened": None,
        "clicked": None,
    }
    topics = chance.choice((None, tuple(chance.sample(WORDS, 2))))
    chosen = {
        "topics": list(topics) if topics else None,
        "since": moments["joined"],
        "confirmed_at": moments["confirmed"],
    }
    _subscribe(conn, "news", person_id, chosen)
    lists = {"news"}
    if chance.random() < 0.5:
        state = chance.choice(("active", "unsubscribed"))
        _subscribe(conn, "events", person_id, {"state": state})
        lists |= {"events"} if state == "active" else set()
    sendings, counts = _engage(conn, person_id, world, moments, chance)
    texts = {"language": row["language"], "timezone": row["time_zone"], "name": row["name"], "domain": domain}
    return Known(
        texts=texts | {"mail_group": held.mail_group},
        attributes=held.attributes,
        tags=tuple(held.tags or ()),
        topics=topics,
        lists=frozenset(lists),
        moments=moments,
        sendings=sendings,
        counts=counts,
    )


def _subscribe(conn: Connection, slug: str, person_id: PersonId, more: Mapping[str, Any]) -> None:
    own = {"list_id": get_list(conn, slug).id, "person_id": person_id, "state": "active", "requested_at": NOW}
    conn.execute(insert(subscriptions), own | dict(more))


def _engage(
    conn: Connection, person_id: PersonId, world: World, moments: dict[str, datetime | None], chance: random.Random
) -> tuple[dict[str, datetime | None], dict[str, int]]:
    sendings: dict[str, datetime | None] = {"opened": None, "clicked": None}
    counts = {"opens": 0, "clicks": 0}
    for _ in range(chance.choice((0, 0, 1, 3))):
        what, sent, at = chance.choice(list(Engagement)), chance.choice(world.sent), _moment(chance)
        record_engagement(conn, "news", person_id, what, at=at, sent_at=sent)
        counts["clicks" if what is Engagement.CLICKED else "opens"] += 1
        for name in ("opened", "clicked") if what is Engagement.CLICKED else ("opened",):
            moments[name] = max(filter(None, (moments[name], at)))
            sendings[name] = max(filter(None, (sendings[name], sent)))
    return sendings, counts


def _moment(chance: random.Random) -> datetime:
    """Often just before or behind midnight in Hanoi, which is 17:00 in UTC."""
    days = timedelta(days=chance.choice((0, 1, 2, 30, 89, 90, 91, 400)))
    return chance.choice((NOW, NOW.replace(hour=17), NOW.replace(hour=16, minute=59, second=59))) - days


def _attributes(chance: random.Random) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "city": chance.choice(WORDS),
        "since_year": chance.choice((0, -1, 2019, 11.4, 0.1, 10**15)),
        "member": chance.random() < 0.5,
        "born": _day(chance).isoformat(),
        "reads": chance.sample(WORDS, chance.randrange(4)),
    }
    kept = {slug: value for slug, value in usual.items() if chance.random() < 0.7}
    return kept | ({chance.choice(list(DECLARED)): chance.choice(ODD)} if chance.random() < 0.3 else {})


def _day(chance: random.Random) -> date:
    return NOW.date() - timedelta(days=chance.choice((-1, 0, 1, 2, 30, 90, 91, 400)))


# ---------------------------------------------------------------- queries


def make_query(fields: Mapping[str, Field], chance: random.Random, depth: int = 3) -> Node:
    """A tree as `read` makes them: no And directly within an And, no list of one part."""
    if depth == 0 or chance.random() < 0.3:
        return _condition(chance.choice(list(fields.values())), chance)
    if chance.random() < 0.3:
        return Not(part=make_query(fields, chance, depth - 1))
    kind = chance.choice((And, Or))
    parts = [make_query(fields, chance, depth - 1) for _ in range(chance.choice((2, 2, 3)))]
    return kind(parts=tuple(Not(part=part) if isinstance(part, kind) else part for part in parts))


def _condition(field: Field, chance: random.Random) -> Node:
    name, kind = field.name, str(field.type)
    choices: list[Node] = [
        IsSet(field=name),
        Compare(field=name, order=Order.EQUAL, value=_value(field, chance)),
    ]
    if kind in ("number", "date"):
        choices.append(Compare(field=name, order=chance.choice(list(Order)), value=_value(field, chance)))
    if kind == "date":
        choices.append(Within(field=name, days=chance.choice((1, 2, 30, 90, 91))))
    elif kind != "yes-no":
        values = [_value(field, chance) for _ in range(chance.choice((1, 2, 4)))]
        choices.append(OneOf(field=name, values=tuple(dict.fromkeys(values))))
    if kind == "text":
        part = str(_value(field, chance))
        begin = chance.randrange(len(part))
        part = part[begin : begin + 3].strip() or part
        choices.append(Like(field=name, how=chance.choice([How.CONTAINS, How.STARTS, How.ENDS]), text=part))
    if field.engaged:
        choices.append(InLast(field=name, issues=chance.choice((1, 2, 3, 6, 9))))
    return chance.choice(choices)


def _value(field: Field, chance: random.Random) -> Value:
    own: dict[str, tuple[str, ...]] = {
        "list": ("news", "events"),
        "language": ("vi", "VI", "en", "en-gb", "vi-vn"),
        "timezone": ("asia/ho_chi_minh", "Europe/Paris"),
        "domain": (*DOMAINS, "xn--th-e0a.example.net", "nobody.example"),
        "mail_group": ("gmail", "outlook"),
    }
    match str(field.type):
        case "number":
            return chance.choice((0, 1, 2, 2019, 11.4, 0.1, 10**15, -1))
        case "yes-no":
            return chance.random() < 0.5
        case "date":
            return _day(chance)
    return chance.choice(own.get(field.name, WORDS))


def attribute(slug: str, kind: str) -> Attribute:
    return Attribute(slug=slug, type=kind, label_vi=slug, label_en=slug)  # type: ignore[arg-type]
