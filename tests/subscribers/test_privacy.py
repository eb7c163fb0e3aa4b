import csv
import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from newsletter.store import Database
from subscribers import (
    ConsentGiven,
    KeyMismatch,
    Outcome,
    PersonId,
    SubscriptionState,
    SuppressionKey,
    UnknownPerson,
    confirm,
    counts,
    create_list,
    ensure_person,
    envelopes,
    erase,
    evidence,
    export_person,
    find,
    import_people,
    is_suppressed,
    metadata,
    parse_address,
    person,
    rename,
    subscribe,
    unsubscribe,
    verify_chain,
)

Join = Callable[[str], PersonId]
consents, people = metadata.tables["consents"], metadata.tables["people"]


def everything(db: Database) -> str:
    """All that the tables of people hold, as one text."""
    with db.read() as conn:
        return repr([list(conn.execute(table.select())) for table in metadata.sorted_tables])


def test_erasing_leaves_no_trace_of_the_address_but_its_keyed_hash(
    people_db: Database, key: SuppressionKey, form: ConsentGiven, now: datetime
) -> None:
    address = parse_address("quynh.hoa@vien.example")
    with people_db.begin() as conn:
        asked = subscribe(conn, "news", address, name="Quỳnh Hoa", language="vi", now=now, key=key, consent=form)
        assert asked.person_id is not None
        who = asked.person_id
        confirm(conn, "news", who, now=now)
    for trace in ("quynh", "vien", "Quỳnh", "192.0.2.7"):
        assert trace in everything(people_db)
    with people_db.begin() as conn:
        assert erase(conn, who, now=now, key=key) is True
        assert erase(conn, who, now=now, key=key) is False
    for trace in ("quynh", "vien", "Quỳnh", "192.0.2.7"):
        assert trace not in everything(people_db)
    with people_db.begin() as conn:
        assert find(conn, address) is None
        assert person(conn, who).address is None
        assert is_suppressed(conn, address, key=key)
        assert counts(conn, "news")[SubscriptionState.ACTIVE] == 0
        assert [row.action for row in evidence(conn, who)] == ["subscribe", "confirm", "unsubscribe"]
        assert verify_chain(conn, who)
        with pytest.raises(UnknownPerson):
            rename(conn, who, "Quỳnh Hoa")


def test_somebody_erased_stays_out_of_every_import(
    people_db: Database, join: Join, key: SuppressionKey, now: datetime, tmp_path: Path
) -> None:
    gone = join("gone@example.org")
    with people_db.begin() as conn:
        erase(conn, gone, now=now, key=key)
        create_list(conn, "other", name="Khác", now=now)
    (tmp_path / "list.csv").write_text("email\nGONE@example.org\nhere@example.org\n", encoding="utf-8")
    for list_slug in ("news", "other"):
        report = import_people(
            people_db, tmp_path / "list.csv", list_slug=list_slug, key=key, now=now, consent="old list"
        )
        assert (report.added, report.refused_by_reason) == (1, {"erased": 1})
    assert "gone" not in everything(people_db).lower()


def test_erasing_under_another_key_changes_nothing(people_db: Database, join: Join, now: datetime) -> None:
    who = join("an@example.org")
    before = everything(people_db)
    with people_db.begin() as conn, pytest.raises(KeyMismatch):
        erase(conn, who, now=now, key=SuppressionKey(b"another key of the same length.."))
    assert everything(people_db) == before


@pytest.mark.parametrize(
    "change",
    [
        {"at": datetime.fromisoformat("2020-01-01T00:00:00Z")},
        {"action": "import"},
        {"source": "staff"},
        {"ip": "198.51.100.1"},
        {"form": None},
        {"who_digest": "0" * 32},
        {"link": "0" * 32},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_consent_breaks_the_chain(people_db: Database, join: Join, change: dict[str, object]) -> None:
    who, other = join("an@example.org"), join("binh@example.org")
    with people_db.begin() as conn:
        assert verify_chain(conn, who)
        conn.execute(update(consents).where(consents.c.person_id == who, consents.c.seq == 1).values(change))
        assert not verify_chain(conn, who)
        assert verify_chain(conn, other)


def test_a_changed_wording_a_missing_row_or_another_address_break_the_chain(
    people_db: Database, join: Join, now: datetime
) -> None:
    worded, shortened, renamed = join("an@example.org"), join("binh@example.org"), join("chi@example.org")
    with people_db.begin() as conn:
        conn.execute(delete(consents).where(consents.c.person_id == shortened, consents.c.seq == 1))
        conn.execute(update(people).where(people.c.id == renamed).values(address_key="other@example.org"))
        assert not verify_chain(conn, shortened)
        assert not verify_chain(conn, renamed)
        assert verify_chain(conn, worded)
        conn.execute(update(metadata.tables["consent_forms"]).values(wording="something else"))
        assert not verify_chain(conn, worded)


def test_a_person_gets_everything_that_is_held_about_them(
    people_db: Database, join: Join, key: SuppressionKey, now: datetime
) -> None:
    who = join("an@example.org")
    with people_db.begin() as conn:
        rename(conn, who, "Trần An")
        unsubscribe(conn, "news", who, now=now + timedelta(days=1), reason="one-click")
        held = json.loads(json.dumps(export_person(conn, who)))
        assert held["address"] == "an@example.org"
        assert held["name"] == "Trần An"
        assert held["subscriptions"][0]["list"] == "news"
        assert held["subscriptions"][0]["left_at"] == "2026-11-23T08:00:00.000000Z"
        assert [row["action"] for row in held["consents"]] == ["subscribe", "confirm", "unsubscribe"]
        assert held["consents"][0]["ip"] == "192.0.2.7"
        with pytest.raises(UnknownPerson):
            export_person(conn, PersonId("nobody"))


def test_no_text_of_any_answer_and_no_log_line_carries_an_address(
    people_db: Database,
    key: SuppressionKey,
    form: ConsentGiven,
    now: datetime,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    address = parse_address("quynh.hoa@vien.example")
    (tmp_path / "list.csv").write_text("email\nquynh.hoa@vien.example\nquynh hoa@vien.example\n", encoding="utf-8")
    with people_db.begin() as conn:
        asked = subscribe(conn, "news", address, now=now, key=key, consent=form, name="Quỳnh Hoa")
        assert asked.outcome == Outcome.PENDING
        assert asked.person_id is not None
        who = asked.person_id
        said = [
            asked,
            confirm(conn, "news", who, now=now),
            person(conn, who),
            list(envelopes(conn, "news", [who], key=key)),
        ]
        said += [evidence(conn, who), find(conn, address), ensure_person(conn, address, now=now, key=key), address]
    said.append(
        import_people(
            people_db,
            tmp_path / "list.csv",
            list_slug="news",
            key=key,
            now=now,
            consent="desk",
            rejected_path=tmp_path / "rejected.csv",
        )
    )
    printed = capsys.readouterr()
    with (tmp_path / "rejected.csv").open(encoding="utf-8", newline="") as file:
        reasons = [row[:3] for row in csv.reader(file)]  # the row itself follows: that file is one of the doors
    assert len(reasons) == 2
    shown = f"{said!r} {[str(one) for one in said]} {printed} {reasons}"
    assert "rejected=1" in shown
    for trace in ("quynh", "vien.example", "Quỳnh", "@"):
        assert trace not in shown
        assert trace not in caplog.text
