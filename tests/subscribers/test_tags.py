"""Tags: put on, taken off, counted, exported and erased."""

from collections.abc import Callable
from datetime import datetime

import pytest

from newsletter.store import Database
from subscribers import (
    InvalidValue,
    PersonId,
    SuppressionKey,
    UnknownPerson,
    clean_tags,
    erase,
    export_person,
    list_tags,
    person,
    tag,
    untag,
)

Join = Callable[[str], PersonId]


def test_a_tag_is_put_once_however_its_letters_are_cased(people_db: Database, join: Join) -> None:
    who = join("an@vien.example")
    with people_db.begin() as conn:
        assert tag(conn, who, ["Giảng viên", " VIP "]) == ("Giảng viên", "VIP")
        assert tag(conn, who, ["GIA\u0309NG  VIÊN", "mới"]) == ("Giảng viên", "VIP", "mới")
        assert untag(conn, who, ["vip", "nobody has this"]) == ("Giảng viên", "mới")
        assert person(conn, who).tags == ("Giảng viên", "mới")
        assert untag(conn, who, ["giảng viên", "mới"]) == ()
        assert person(conn, who).tags == ()


def test_tags_are_counted_by_their_most_usual_spelling(people_db: Database, join: Join) -> None:
    people = [join(f"p{n}@vien.example") for n in range(4)]
    with people_db.begin() as conn:
        assert list_tags(conn) == []
        for who, tags in zip(people, (["Đọc"], ["đọc", "a"], ["đọc"], []), strict=True):
            tag(conn, who, tags)
        assert list_tags(conn) == [("a", 1), ("đọc", 3)]


@pytest.mark.parametrize("wrong", ["a;b", "x" * 81, "a\x00b", "a\u202eb"])
def test_what_is_no_tag_is_refused(wrong: str) -> None:
    with pytest.raises(InvalidValue):
        clean_tags([wrong])


def test_tags_are_few_and_never_empty() -> None:
    assert clean_tags(["", "  ", "a", "A"]) == ("a",)
    with pytest.raises(InvalidValue, match="more than 100"):
        clean_tags(map(str, range(101)))


def test_tags_go_with_the_person(people_db: Database, join: Join, key: SuppressionKey, now: datetime) -> None:
    who = join("an@vien.example")
    with people_db.begin() as conn:
        tag(conn, who, ["VIP"])
        assert export_person(conn, who)["tags"] == ["VIP"]
        erase(conn, who, now=now, key=key)
        assert export_person(conn, who)["tags"] == []
        with pytest.raises(UnknownPerson):
            tag(conn, who, ["VIP"])
        with pytest.raises(UnknownPerson):
            untag(conn, PersonId("nobody"), ["VIP"])
