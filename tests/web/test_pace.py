"""How far a sending has come, live and by reload; who is slowed or stopped, and letting them go on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.model import Counts
from newsletter.settings.pace import Pace, Warmup
from newsletter.store import pace, sendings
from newsletter.store.pace import Group
from tests.web.test_browser import opened


def under_way(world, *, done):
    """A released issue of 12,000 of which so many were sent, at 20 a second."""
    world.compose()
    world.approve()
    issue = world.release()
    counts = Counts(frozen=12_000, pending=12_000 - done, sent=done)
    with world.app.db.begin() as conn:
        before = sendings.followed(None, counts, now=world.clock.now() - timedelta(seconds=1))
        sendings.save(conn, issue.mailing_id, before)
        later = Counts(frozen=12_000, pending=12_000 - done - 20, sent=done + 20)
        sendings.save(conn, issue.mailing_id, sendings.followed(before, later, now=world.clock.now()))
    return issue


def test_a_rate_is_that_of_late_and_needs_two_looks():
    from tests.conftest import NOW

    first = sendings.followed(None, Counts(frozen=100, pending=90, sent=10), now=NOW)
    assert (first.rate, first.left) == (0.0, None)
    second = sendings.followed(first, Counts(frozen=100, pending=70, sent=30), now=NOW + timedelta(seconds=2))
    assert (second.rate, second.left) == (10.0, timedelta(seconds=7))
    third = sendings.followed(second, Counts(frozen=100, pending=50, sent=50), now=NOW + timedelta(seconds=3))
    assert third.rate == 15.0
    paused = sendings.followed(third, Counts(frozen=100, pending=50, sent=50), now=NOW + timedelta(hours=1))
    assert paused.rate == 0.0


@pytest.mark.parametrize(
    ("language", "words"),
    [("vi", ("20 thư mỗi giây", "còn khoảng 8 phút")), ("en", ("20 a second", "about 8 minutes left"))],
)
def test_the_page_of_a_running_issue_tells_rate_and_time_left_without_a_script(browser, world, language, words):
    issue = under_way(world, done=2_000)
    cookie = world.log_in(language)
    piece = world.fetch(f"/staff/issues/{issue.id}/sending", cookie=cookie).text
    assert all(part in piece for part in words)
    assert "<html" not in piece
    with opened(browser, world, f"/staff/issues/{issue.id}", language=language, java_script_enabled=False) as page:
        assert all(part not in page.content() or part in page.locator("#sending").inner_text() for part in words)
        assert page.locator("#sending progress").count() == 1


def test_the_running_page_follows_the_sending_and_shows_its_end(browser, world):
    issue = under_way(world, done=2_000)
    with opened(browser, world, f"/staff/issues/{issue.id}", language="vi") as page:
        page.wait_for_selector("#sending >> text=2.020", timeout=30_000)
        world.deliver()
        page.wait_for_selector("#sending:not([data-progress])", timeout=30_000)
        page.wait_for_selector(".badge >> text=đã gửi", timeout=30_000)


def test_strangers_see_no_progress(world):
    issue = under_way(world, done=5)
    assert world.fetch(f"/staff/issues/{issue.id}/sending").status == 303


def test_the_plan_of_each_sending_domain_is_told_and_an_issue_waits_for_its_own(world):
    issue, settings = under_way(world, done=5), world.app.settings
    sender = settings.sender.model_copy(update={"lists": {"khoa": "tin@khoa.example"}})
    warmup = Pace(warmup=Warmup(on=True, plan=(40, 80)))
    object.__setattr__(world.app, "settings", settings.model_copy(update={"pace": warmup, "sender": sender}))
    cookie, now = world.log_in("en"), world.clock.now()
    with world.app.db.begin() as conn:
        pace.count(conn, "plan/khoa.example", now, 40)
    page = world.fetch("/staff/pace", cookie=cookie).text
    assert "Day 1 of the plan for vien.example: 0 of 40 sent today." in page
    assert "Day 1 of the plan for khoa.example: 40 of 40 sent today." in page
    assert page.count("is used up") == 1
    used_up = "plan of 40 messages is used up"
    assert used_up not in world.fetch(f"/staff/issues/{issue.id}/sending", cookie=cookie).text
    with world.app.db.begin() as conn:
        pace.count(conn, "plan/vien.example", now, 40)
    assert used_up in world.fetch(f"/staff/issues/{issue.id}/sending", cookie=cookie).text


def test_a_stopped_receiver_waits_on_the_first_page_and_a_person_lets_it_go_on(world):
    now = world.clock.now()
    with world.app.db.begin() as conn:
        for name, stopped in (("yahoo", now + timedelta(hours=6)), ("gmail", None)):
            rate = None if stopped else 4.0
            group = Group(mail_group=name, rate=rate, ceiling=rate and 8.0, slowed_at=now, reply="421 <b>slow</b>")
            pace.save_group(conn, replace(group, stopped_at=stopped and now, stopped_until=stopped))
    cookie = world.log_in()
    assert "Đã ngừng gửi đến yahoo vì bị chặn thư" in world.fetch("/staff/", cookie=cookie).text
    page = world.fetch("/staff/pace", cookie=cookie).text
    assert "4 thư mỗi giây" in page
    assert "421 &lt;b&gt;slow&lt;/b&gt;" in page
    assert page.count("Gửi lại đến đó") == 1
    assert world.fetch("/staff/pace/resume", form={"group": "yahoo"}).headers["location"].startswith("/staff/login")
    answer = world.fetch("/staff/pace/resume", form={"group": "yahoo"}, cookie=cookie, headers={"Origin": world.url})
    assert answer.status == 303
    with world.app.db.read() as conn:
        assert pace.groups(conn)["yahoo"].stopped_until is None
    assert "yahoo" not in world.fetch("/staff/", cookie=cookie).text
