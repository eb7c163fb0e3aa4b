"""Attributes are declared with a type, and every door checks it."""

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from newsletter.store import Database
from subscribers import (
    Attribute,
    AttributeType,
    ImportReport,
    InvalidValue,
    PersonId,
    SuppressionKey,
    UnknownPerson,
    check_value,
    create_segment,
    declare_attribute,
    erase,
    export_person,
    list_attributes,
    person,
    remove_attribute,
    set_attributes,
    set_time_zone,
    value_of,
)

Join = Callable[[str], PersonId]


def of(kind: str) -> Attribute:
    return Attribute(slug="x", type=AttributeType(kind), label_vi="X", label_en="X")


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("text", "  Hà\u00a0 Nội ", "Hà Nội"),
        ("text", "Hue\u0302\u0301", "Huế"),
        ("text", 70000, "70000"),
        ("text", "   ", None),
        ("number", "12", 12),
        ("number", " -11.40 ", -11.4),
        ("number", 3.0, 3),
        ("number", 10**15, 10**15),
        ("yes-no", "Có", True),
        ("yes-no", "KHÔNG", False),
        ("yes-no", 0, False),
        ("yes-no", True, True),
        ("date", "22/11/2026", "2026-11-22"),
        ("date", "2026-11-22", "2026-11-22"),
        ("date", date(2026, 2, 28), "2026-02-28"),
        ("texts", "biển; khí hậu;biển;", ["biển", "khí hậu"]),
        ("texts", ["đất", ""], ["đất"]),
        ("texts", [], None),
        ("number", None, None),
    ],
)
def test_a_value_is_kept_in_the_form_of_its_type(kind: str, given: Any, kept: Any) -> None:
    assert check_value(of(kind), given) == kept
    assert type(check_value(of(kind), given)) is type(kept)


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("text", "x" * 1200, "a text of 1,200 characters, more than 1,000"),
        ("texts", ["ngắn", "x" * 1001], "a text of 1,001 characters, more than 1,000"),
        ("texts", ["x"] * 101, "101 texts, more than 100"),
    ],
)
def test_what_is_too_much_is_refused_with_its_length(kind: str, given: Any, said: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        check_value(of(kind), given)
    assert caught.value.what == said


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("text", True),
        ("text", ["a"]),
        ("text", "x" * 1001),
        ("text", "a\x00b"),
        ("number", "11,4"),
        ("number", "1e9"),
        ("number", True),
        ("number", float("nan")),
        ("number", float("inf")),
        ("number", 10**15 + 1),
        ("number", [1]),
        ("yes-no", "maybe"),
        ("yes-no", 2),
        ("date", "2026-02-30"),
        ("date", "30/02/2026"),
        ("date", "2026-W01-1"),
        ("date", datetime(2026, 1, 1)),  # noqa: DTZ001 - a moment is no day
        ("date", 20261122),
        ("texts", [True]),
        ("texts", {"a": 1}),
        ("texts", ["x"] * 101),
    ],
)
def test_what_does_not_fit_the_type_is_refused_by_name(kind: str, given: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        check_value(of(kind), given)
    assert caught.value.where == "x"
    assert caught.value.hint


def test_values_are_read_as_their_type_and_what_does_not_fit_is_nothing() -> None:
    held = {"x": "2026-11-22"}
    assert value_of(of("date"), held) == date(2026, 11, 22)
    assert value_of(of("text"), held) == "2026-11-22"
    for kind in ("number", "yes-no", "texts"):
        assert value_of(of(kind), held) is None
    assert value_of(of("date"), {"x": "tomorrow"}) is None
    assert value_of(of("texts"), {"x": ["a", 1]}) == ("a",)
    assert value_of(of("number"), {"x": True}) is None
    assert value_of(of("number"), {}) is None


@pytest.mark.parametrize("slug", ["City", "2nd", "a-b", "a__b", "_a", "thành", "x" * 41, "", "tag", "opened", "and"])
def test_a_name_must_be_plain_and_free(people_db: Database, now: datetime, slug: str) -> None:
    with people_db.begin() as conn, pytest.raises(InvalidValue):
        declare_attribute(conn, slug, type="text", now=now)


def test_declaring_again_changes_labels_and_never_the_type(people_db: Database, now: datetime) -> None:
    with people_db.begin() as conn:
        declare_attribute(conn, "city", type="text", label_vi="Nơi ở", now=now)
        changed = declare_attribute(conn, "city", type="text", label_vi="Thành phố", label_en="City", now=now)
        assert list_attributes(conn) == [changed]
        assert (changed.label("vi-VN"), changed.label("en"), changed.label("fr")) == ("Thành phố", "City", "City")
        with pytest.raises(InvalidValue, match="declared as text"):
            declare_attribute(conn, "city", type="number", now=now)
        with pytest.raises(InvalidValue, match="no type"):
            declare_attribute(conn, "town", type="colour", now=now)


def test_setting_checks_all_before_it_writes_any(people_db: Database, join: Join, now: datetime) -> None:
    who = join("an@vien.example")
    with people_db.begin() as conn:
        declare_attribute(conn, "city", type="text", now=now)
        declare_attribute(conn, "year", type="number", now=now)
        assert set_attributes(conn, who, {"city": "Huế", "year": "2019"}) == {"city": "Huế", "year": 2019}
        with pytest.raises(InvalidValue, match="no number"):
            set_attributes(conn, who, {"city": "Vinh", "year": "soon"})
        with pytest.raises(InvalidValue, match="no such attribute") as caught:
            set_attributes(conn, who, {"town": "Vinh"})
        assert "city, year" in caught.value.hint
        assert set_attributes(conn, who, {"year": ""}) == {"city": "Huế"}
        assert person(conn, who).attributes == {"city": "Huế"}
        with pytest.raises(UnknownPerson):
            set_attributes(conn, PersonId("nobody"), {"city": "Huế"})


def test_an_attribute_that_a_segment_names_is_not_removed(people_db: Database, join: Join, now: datetime) -> None:
    who = join("an@vien.example")
    with people_db.begin() as conn:
        declare_attribute(conn, "city", type="text", now=now)
        declare_attribute(conn, "year", type="number", now=now)
        set_attributes(conn, who, {"year": 2019})
        create_segment(conn, "hue", name="Huế", query='not (city = "Huế")', now=now)
        with pytest.raises(InvalidValue, match="the segment hue names city"):
            remove_attribute(conn, "city")
        remove_attribute(conn, "year")
        assert [one.slug for one in list_attributes(conn)] == ["city"]
        assert person(conn, who).attributes == {"year": 2019}, "values stay"
        with pytest.raises(InvalidValue, match="there is no attribute"):
            remove_attribute(conn, "year")


def test_an_import_checks_what_is_declared_and_keeps_what_is_not(
    people_db: Database, load: Callable[..., ImportReport], now: datetime
) -> None:
    with people_db.begin() as conn:
        declare_attribute(conn, "born", type="date", now=now)
        declare_attribute(conn, "reads", type="texts", now=now)
    rows = (
        '"an@vien.example","{""born"": ""22/11/1990"", ""reads"": ""biển;đất"", ""Ghi chú"": [1, ""x""]}"',
        '"binh@vien.example","{""born"": ""soon""}"',
        '"chi@vien.example","{""born"": """"}"',
    )
    report = load("email,attributes\n" + "\n".join(rows))
    assert (report.added, report.rejected) == (2, 1)
    assert report.file is not None
    assert (
        report.file.read_text(encoding="utf-8")
        .splitlines()[1]
        .startswith('3,attributes,"born: no day, like 2026-11-22 or 22/11/2026"')
    )
    with people_db.read() as conn:
        held = conn.exec_driver_sql("SELECT id FROM people ORDER BY address_key").scalars().all()
        first, second = (person(conn, PersonId(one)).attributes for one in held)
    assert first == {"born": "1990-11-22", "reads": ["biển", "đất"], "Ghi chú": [1, "x"]}
    assert second == {}


def test_declaring_brings_what_was_imported_before_into_form(
    people_db: Database, load: Callable[..., ImportReport], now: datetime
) -> None:
    given = ("22/11/1990", "1990-11-22", "soon", "", 7, None)
    rows = (f'p{n}@vien.example,"{{""born"": {json_cell(value)}, ""other"": 1}}"' for n, value in enumerate(given))
    load("email,attributes\n" + "\n".join([*rows, "q@vien.example,"]))
    told = []
    with people_db.begin() as conn:
        declare_attribute(conn, "born", type="date", now=now, on_adopted=lambda *counts: told.append(counts))
        declare_attribute(conn, "born", type="date", now=now, on_adopted=lambda *counts: told.append(counts))
        held = conn.exec_driver_sql("SELECT id FROM people ORDER BY address_key").scalars().all()
        kept = [person(conn, PersonId(one)).attributes for one in held]
    assert told == [(3, 2)], "only once"
    assert [one.get("born", "nothing") for one in kept] == [
        "1990-11-22", "1990-11-22", "soon", "nothing", 7, "nothing", "nothing"
    ]  # fmt: skip
    assert all(one["other"] == 1 for one in kept[:6])


def json_cell(value: Any) -> str:
    """JSON as it stands in a quoted cell of a CSV."""
    return json.dumps(value).replace('"', '""')


def test_erasing_takes_attributes_and_time_zone_along(
    people_db: Database, join: Join, key: SuppressionKey, now: datetime
) -> None:
    who = join("an@vien.example")
    with people_db.begin() as conn:
        declare_attribute(conn, "city", type="text", now=now)
        set_attributes(conn, who, {"city": "Huế"})
        set_time_zone(conn, who, "Asia/Ho_Chi_Minh")
        assert export_person(conn, who)["attributes"] == {"city": "Huế"}
        erase(conn, who, now=now, key=key)
        held = export_person(conn, who)
        assert (held["attributes"], held["time_zone"]) == ({}, None)
        with pytest.raises(UnknownPerson):
            set_attributes(conn, who, {"city": "Vinh"})
