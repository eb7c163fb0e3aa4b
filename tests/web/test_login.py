"""Getting in: passwords, one-time links, sessions and their end."""

from contextlib import ExitStack
from datetime import timedelta

import pytest

from newsletter.model import StaffId
from newsletter.store import staff
from newsletter.web.staff import passwords
from newsletter.web.staff.login import safe_next


def _link(world, language="vi"):
    with world.app.db.begin() as conn:
        member = next(one for one in staff.listed(conn) if one.language == language)
        return f"/staff/link/{staff.make_link(conn, member.id, now=world.clock.now())}"


def test_a_stranger_is_sent_to_the_login_and_back_to_where_they_were_going(world):
    issue = world.compose()
    answer = world.fetch(f"/staff/issues/{issue.id}")
    assert answer.status == 303
    assert answer.headers["location"] == f"/staff/login?next=/staff/issues/{issue.id}"
    form = {"address": world.staff["vi"], "password": "bốn mùa hoa nở ven sông"}
    entered = world.fetch(answer.headers["location"], form=form)
    assert entered.headers["location"] == f"/staff/issues/{issue.id}"


def test_every_staff_page_and_act_is_behind_the_login(world):
    issue = world.compose()
    before = world.dump()
    for path in (
        "/staff/",
        "/staff/sources",
        "/staff/articles",
        f"/staff/issues/{issue.id}",
        f"/staff/issues/{issue.id}/frame",
    ):
        assert world.fetch(path).headers["location"].startswith("/staff/login")
    for act in ("approve", "draft", "cancel", "pause", "resume", "reopen", "test"):
        answer = world.fetch(f"/staff/issues/{issue.id}/{act}", form={"content_hash": issue.content_hash or ""})
        assert answer.headers["location"].startswith("/staff/login")
    assert world.dump() == before


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(world):
    known = world.fetch("/staff/login", form={"address": world.staff["vi"], "password": "wrong password"})
    unknown = world.fetch("/staff/login", form={"address": "nobody@vien.example", "password": "wrong password"})
    reader = world.fetch("/staff/login", form={"address": "ngoc@doc-gia.example", "password": "wrong password"})
    assert known.status == unknown.status == reader.status == 401
    assert known.text == unknown.text == reader.text
    assert "set-cookie" not in known.headers


def test_guessing_is_slowed_down_and_the_right_password_waits_too(world):
    form = {"address": world.staff["vi"], "password": "wrong password"}
    assert [world.fetch("/staff/login", form=form).status for _ in range(6)] == [401] * 5 + [429]
    right = {"address": world.staff["vi"], "password": "bốn mùa hoa nở ven sông"}
    assert world.fetch("/staff/login", form=right).status == 429
    world.clock.at += timedelta(minutes=1)
    assert world.fetch("/staff/login", form=right).status == 303


def test_a_flood_of_logins_leaves_room_for_other_pages(world):
    right = {"address": world.staff["vi"], "password": "bốn mùa hoa nở ven sông"}
    with ExitStack() as held:
        assert all(held.enter_context(passwords.turn()) for _ in range(8))
        assert world.fetch("/staff/login", form=right).status == 429
        assert world.fetch("/staff/login").status == 200
    assert world.fetch("/staff/login", form=right).status == 303


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(world):
    answer = world.fetch("/staff/login", form={"address": world.staff["en"], "password": "bốn mùa hoa nở ven sông"})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert world.staff["en"] not in cookie


def test_a_session_ends_after_twelve_hours(world):
    cookie = world.log_in()
    assert world.fetch("/staff/", cookie=cookie).status == 200
    world.clock.at += timedelta(hours=12, seconds=2)
    assert world.fetch("/staff/", cookie=cookie).status == 303


def test_a_changed_cookie_opens_nothing(world):
    cookie = world.log_in()
    other = "a" if cookie[-5] != "a" else "b"  # not the last one: base64 leaves two of its bits unused
    assert world.fetch("/staff/", cookie=cookie[:-5] + other + cookie[-4:]).status == 303
    assert world.fetch("/staff/", cookie="newsletter=nonsense").status == 303


def test_logging_out_takes_a_post_and_removes_the_cookie(world):
    cookie = world.log_in()
    assert world.fetch("/staff/logout", cookie=cookie).status == 405
    answer = world.fetch("/staff/logout", form={}, cookie=cookie)
    assert answer.status == 303
    assert "max-age=0" in answer.headers["set-cookie"].lower()


def test_a_link_sets_a_password_once_and_ends_other_sessions(world):
    old, path = world.log_in(), _link(world)
    for _ in range(2):
        assert "<form" in world.fetch(path).text  # looking at it does not use it up
    good = {"password": "một mật khẩu mới", "repeated": "một mật khẩu mới"}
    answer = world.fetch(path, form=good)
    assert answer.status == 303
    assert world.fetch("/staff/", cookie=answer.headers["set-cookie"].split(";")[0]).status == 200
    assert world.fetch("/staff/", cookie=old).status == 303
    assert world.fetch(path).status == 404
    assert world.fetch(path, form=good).status == 404
    assert (
        world.fetch("/staff/login", form={"address": world.staff["vi"], "password": "một mật khẩu mới"}).status == 303
    )


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("ngắn quá", "ngắn quá", "quá ngắn"),
        ("một mật khẩu mới", "một mật khẩu khác", "không giống"),
        ("d" * 201, "d" * 201, "tối đa 200"),
    ],
)
def test_an_unusable_password_is_explained_and_the_link_stays_good(world, first, second, said):
    path = _link(world)
    answer = world.fetch(path, form={"password": first, "repeated": second})
    assert answer.status == 422
    assert said in answer.text
    assert world.fetch(path).status == 200


def test_a_link_is_good_for_two_days(world):
    path = _link(world)
    world.clock.at += timedelta(hours=49)
    assert world.fetch(path).status == 404


def test_somebody_without_a_password_cannot_log_in(world):
    with world.app.db.begin() as conn:
        conn.exec_driver_sql("UPDATE staff SET password_hash = NULL")
    for password in ("", "None", "a password that nobody has"):
        assert world.fetch("/staff/login", form={"address": world.staff["vi"], "password": password}).status == 401


def test_somebody_taken_off_the_staff_comes_back_only_by_a_new_link(world):
    cookie, old = world.log_in(), _link(world)
    with world.app.db.begin() as conn:
        member = next(one for one in staff.listed(conn) if one.language == "vi")
        staff.remove(conn, member.id)
        assert staff.of_person(conn, member.person_id) is None
        assert staff.name_of(conn, member.id) == member.name, "what they approved still says who"
    assert world.fetch("/staff/", cookie=cookie).status == 303
    assert world.fetch(old).status != 200
    with world.app.db.begin() as conn:
        again = staff.add(conn, member.person_id, name="Lan", language="vi", now=world.clock.now())
    assert again == member.id
    assert world.fetch("/staff/", cookie=cookie).status == 303, "the old session stays at its end"
    assert world.fetch(old).status != 200
    with world.app.db.read() as conn:
        assert staff.get(conn, again).password_hash is None


def test_somebody_who_is_no_longer_staff_is_out_at_once(world):
    cookie = world.log_in()
    with world.app.db.begin() as conn:
        conn.exec_driver_sql("UPDATE staff SET active = 0")
        assert staff.get(conn, StaffId("x")) is None
    assert world.fetch("/staff/", cookie=cookie).status == 303


@pytest.mark.parametrize(
    "path",
    ["https://evil.example/", "//evil.example", "/staff//evil.example", "/staff/\\evil", "/other", "", "/staff/?x=1"],
)
def test_the_login_leads_nowhere_but_to_staff_pages(path):
    assert safe_next(path) == "/staff/"
