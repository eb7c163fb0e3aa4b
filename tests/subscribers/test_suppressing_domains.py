"""A whole domain is suppressed: at the door, in a file, when an audience is frozen, and for the message in hand."""

from datetime import timedelta

import pytest

from subscribers import (
    InvalidAddress,
    NotMailable,
    Outcome,
    SuppressionReason,
    audience,
    create_list,
    domain_rules,
    envelopes,
    erase,
    export_list,
    export_person,
    import_people,
    is_suppressed,
    lift_domain,
    lift_staff,
    not_mailable,
    parse_address,
    subscribe,
    suppress,
    suppress_domain,
)


def frozen(conn, list_slug="news"):
    return {row[0] for row in conn.execute(audience(conn, list_slug))}


def test_a_domain_is_barred_everywhere_a_person_is(people_db, join, key, form, now, tmp_path):
    here, there = join("an@vien.example"), join("binh@khac.example")
    with people_db.begin() as conn:
        assert frozen(conn) == {here, there}
        assert suppress_domain(conn, "@Khac.example", now=now)
        assert not suppress_domain(conn, "khac.example", now=now), "twice is once"
        assert frozen(conn) == {here}
        assert set(not_mailable(conn, "news", [here, there], key=key)) == {there}
        assert [isinstance(one, NotMailable) for one in envelopes(conn, "news", [here, there], key=key)] == [
            False,
            True,
        ]
        asked = subscribe(conn, "news", parse_address("moi@khac.example"), now=now, key=key, consent=form)
        assert asked.outcome is Outcome.SUPPRESSED
        assert is_suppressed(conn, parse_address("ai@khac.example"), key=key)
        assert not is_suppressed(conn, parse_address("ai@con.khac.example"), key=key), "a subdomain is another"
    (tmp_path / "a.csv").write_text("email\nc@khac.example\nd@vien.example\n", encoding="utf-8")
    report = import_people(people_db, tmp_path / "a.csv", list_slug="news", key=key, now=now, consent="on paper")
    assert (report.added, report.refused_by_reason) == (1, {"suppressed": 1})
    with people_db.begin() as conn:
        assert [one.domain for one in domain_rules(conn)] == ["khac.example"]
        assert lift_domain(conn, "khac.example")
        assert not lift_domain(conn, "khac.example")
        assert there in frozen(conn)


def test_what_is_held_about_a_person_and_a_list_names_the_rule_of_their_domain(people_db, join, key, now):
    here, there, bounced = join("an@vien.example"), join("binh@khac.example"), join("chi@khac.example")
    with people_db.begin() as conn:
        assert [row["state"] for row in export_list(conn, "news")] == ["active"] * 3
        suppress_domain(conn, "khac.example", now=now, list_slug="news")
        suppress(conn, bounced, reason=SuppressionReason.BOUNCED, now=now, key=key)
        held = {one: export_person(conn, one)["suppressions"] for one in (here, there, bounced)}
        assert held[here] == []
        assert [(one["list"], one["reason"], one["by"]) for one in held[there]] == [("news", "staff", "domain")]
        assert sorted((one["reason"], one["by"]) for one in held[bounced]) == [
            ("bounced", "address"),
            ("staff", "domain"),
        ]
        told = {row["email"]: row["state"] for row in export_list(conn, "news")}
        assert told == {
            "an@vien.example": "active",
            "binh@khac.example": "suppressed",
            "chi@khac.example": "bounced",
        }
        erase(conn, there, now=now, key=key)
        assert export_person(conn, there)["suppressions"] == [], "nobody's domain is known any more"


def test_a_rule_of_one_list_leaves_the_others(people_db, join, key, form, now):
    who = join("an@vien.example")
    with people_db.begin() as conn:
        create_list(conn, "other", name="Khác", double_opt_in=False, now=now)
        subscribe(conn, "other", parse_address("an@vien.example"), now=now, key=key, consent=form)
        suppress_domain(conn, "vien.example", now=now, list_slug="other")
        assert frozen(conn) == {who}
        assert frozen(conn, "other") == set()


def test_what_somebody_said_themselves_outlives_the_rule(people_db, join, key, now):
    gone, loud = join("di@vien.example"), join("on@vien.example")
    with people_db.begin() as conn:
        erase(conn, gone, now=now, key=key)
        suppress(conn, loud, reason=SuppressionReason.COMPLAINED, now=now, key=key)
        suppress_domain(conn, "vien.example", now=now + timedelta(days=1))
        lift_domain(conn, "vien.example")
        for address in ("di@vien.example", "on@vien.example"):
            assert is_suppressed(conn, parse_address(address), key=key)
            assert not lift_staff(conn, parse_address(address), key=key)


def test_a_domain_in_vietnamese_letters_is_known_by_its_ascii_form_and_no_domain_is_refused(people_db, key, now):
    with people_db.begin() as conn:
        suppress_domain(conn, "thư.example", now=now)
        assert is_suppressed(conn, parse_address("a@xn--th-e0a.example"), key=key)
        for bad in ("", "@", "không phải", "a@b@c.example"):
            with pytest.raises(InvalidAddress):
                suppress_domain(conn, bad, now=now)


def test_staff_take_back_what_they_said(people_db, join, key, now):
    who = join("an@vien.example")
    with people_db.begin() as conn:
        suppress(conn, who, reason=SuppressionReason.STAFF, now=now, key=key)
        assert frozen(conn) == set()
        assert lift_staff(conn, parse_address("AN@vien.example"), key=key)
        assert frozen(conn) == {who}
