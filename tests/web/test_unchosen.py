"""An approved issue whose segment cannot be used any more: it waits, staff are told once, and mended it goes out by itself."""

import dataclasses
from datetime import timedelta

import pytest

import subscribers
from newsletter import schedule
from newsletter.model import IssueState
from newsletter.store import newsletters
from tests.web.conftest import NOW


@pytest.fixture
def waiting(both_worlds):
    """An approved issue, at its send moment, for a segment whose attribute is not declared any more."""
    world = both_worlds
    with world.app.db.begin() as conn:
        subscribers.declare_attribute(conn, "city", type="text", now=world.clock.now())
        subscribers.create_segment(conn, "hue", name="Ở Huế", query='city = "Huế"', now=world.clock.now())
        for who in world.people.values():
            subscribers.set_attributes(conn, who, {"city": "Huế"})
        newsletter = dataclasses.replace(newsletters.listed(conn)[0], segment="hue")
        newsletters.save(conn, newsletter, now=world.clock.now())
    world.compose()
    world.approve()
    world.clock.at = NOW
    with world.app.db.begin() as conn:
        conn.exec_driver_sql("DELETE FROM attributes")
    return world


def _tick(world):
    schedule.release_due(world.app, world.clock.now())
    world.deliver()


def _letters(world):
    return [mail for mail in world.mails() if "vien.example" in str(mail["To"])]


def test_staff_are_told_once_and_see_it_on_their_pages(waiting):
    world = waiting
    for _ in range(3):
        _tick(world)
        world.clock.at += timedelta(minutes=1)
    assert world.issue().state is IssueState.SCHEDULED
    told = {str(mail["To"]).split("<")[-1].strip(">"): mail for mail in _letters(world)}
    assert len(_letters(world)) == 2
    vi, en = told["bien-tap@vien.example"], told["editor@vien.example"]
    assert str(vi["Subject"]).endswith("đang chờ: không xác định được gửi cho ai")
    assert "there is no field city" in " ".join(en.get_body(("plain",)).get_content().split())
    assert f"/staff/issues/{world.issue().id}" in en.get_body(("plain",)).get_content()
    cookie = world.log_in()
    first, own = (
        world.fetch("/staff/", cookie=cookie).text,
        world.fetch(f"/staff/issues/{world.issue().id}", cookie=cookie).text,
    )
    assert "đang chờ: không xác định được gửi cho ai" in first
    assert "không xác định được gửi cho ai: at character 1: there is no field city" in own


def test_mended_it_goes_out_by_itself_and_no_old_reason_stays(waiting):
    world = waiting
    _tick(world)
    with world.app.db.begin() as conn:
        subscribers.declare_attribute(conn, "city", type="text", now=world.clock.now())
    _tick(world)
    assert (world.issue().state, world.issue().reason) == (IssueState.SENT, None)
    assert len(world.mails()) == 2 + 3  # staff, readers


def test_another_reason_is_another_letter_and_too_late_says_why(waiting):
    world = waiting
    _tick(world)
    with world.app.db.begin() as conn:
        conn.exec_driver_sql("DELETE FROM segments")
    for _ in range(2):
        _tick(world)
    assert len(_letters(world)) == 4
    world.clock.at += timedelta(hours=13)
    _tick(world)
    assert world.issue().state is IssueState.SKIPPED
    said = world.fetch(f"/staff/issues/{world.issue().id}", cookie=world.log_in()).text
    assert "quá muộn để gửi: không xác định được gửi cho ai" in said


def test_a_reason_never_shows_an_address_that_a_segment_names(waiting):
    world = waiting
    with world.app.db.begin() as conn:
        conn.exec_driver_sql("UPDATE segments SET query = 'tag = \"a\" an.nguyen@noi-nao.example'")
    _tick(world)
    assert "an.nguyen@" not in (world.issue().reason or "")
    assert all("an.nguyen@" not in mail.as_string() for mail in world.mails())
    assert world.issue().state is IssueState.SCHEDULED
