"""Staff look at people: masked unless permitted, found by what is posted, and every act takes effect at once."""

import json
import re

import pytest

import subscribers
from newsletter.store import receipts, staff

NGOC = "ngoc@doc-gia.example"


def permit(world, language="vi", *, sees=True):
    """Let this member of staff see addresses."""
    with world.app.db.begin() as conn:
        person_id = subscribers.find(conn, subscribers.parse_address(world.staff[language]))
        known = staff.of_person(conn, person_id)
        now = world.clock.now()
        staff.add(conn, person_id, name=known.name, language=known.language, now=now, sees_addresses=sees)


def test_the_list_is_masked_and_whole_only_for_who_may_see_it(world):
    cookie = world.log_in()
    page = world.fetch("/staff/people", cookie=cookie).text
    assert "@" not in page
    assert "n… at d….example" in page
    assert "Ngọc" not in page
    permit(world)
    page = world.fetch("/staff/people", cookie=cookie).text
    assert NGOC in page
    assert f"/staff/people/{world.people[NGOC]}" in page
    assert "@" not in world.fetch("/staff/people", cookie=world.log_in("en")).text, "each for themselves"


def test_somebody_is_found_by_their_whole_address_and_nobody_by_a_part(world):
    cookie = world.log_in()
    found = world.fetch("/staff/people", form={"who": f"  {NGOC.upper()} "}, cookie=cookie)
    assert (found.status, found.headers["location"]) == (303, f"/staff/people/{world.people[NGOC]}")
    by_id = world.fetch("/staff/people", form={"who": world.people[NGOC]}, cookie=cookie)
    assert by_id.status == 303
    for typed in ("ngoc", "ai@khac.example", "", "@", "%", "'; DROP TABLE people"):
        page = world.fetch("/staff/people", form={"who": typed}, cookie=cookie)
        assert page.status == 422
        assert "Không có ai dùng địa chỉ này." in page.text


def test_states_filter_and_pages_turn(world):
    cookie = world.log_in()
    with world.app.db.begin() as conn:
        subscribers.unsubscribe(conn, "ban-doc", world.people[NGOC], now=world.clock.now(), reason="staff")
        for number in range(60):
            consent = subscribers.ConsentGiven(
                form="f", wording="Đồng ý", language="vi", source=subscribers.ConsentSource.STAFF
            )
            subscribers.subscribe(
                conn,
                "ban-doc",
                subscribers.parse_address(f"doc{number}@doc-gia.example"),
                now=world.clock.now(),
                key=world.app.suppression_key,
                consent=consent,
                confirmed=True,
            )
    left = world.fetch("/staff/people?list=ban-doc&state=unsubscribed", cookie=cookie).text
    assert left.count("/staff/people/") == 1
    first = world.fetch("/staff/people?list=ban-doc", cookie=cookie).text
    assert "Những người đến trước đó" in first
    onward = first.split("before=")[1].split('"')[0]
    second = world.fetch(f"/staff/people?list=ban-doc&before={onward}", cookie=cookie).text
    seen = lambda page: {part.split('"')[0] for part in page.split("/staff/people/")[1:]}  # noqa: E731
    assert not seen(first) & seen(second)
    assert len(seen(first) | seen(second)) == 63
    assert "before=" not in second


def test_one_person_with_consent_mail_and_what_came_back(world):
    world.send()
    page = world.fetch(f"/staff/people/{world.people[NGOC]}", cookie=world.log_in()).text
    assert "đăng ký (" in page
    assert "số báo · đã gửi" in page
    assert NGOC not in page
    assert "/take" not in page


@pytest.mark.parametrize("act", ["unsubscribe", "stop", "erase"])
def test_an_act_takes_effect_and_is_no_link(world, act):
    path, cookie = f"/staff/people/{world.people[NGOC]}", world.log_in()
    assert world.fetch(f"{path}/{act}", cookie=cookie).status in (404, 405)
    assert (
        world.fetch(f"{path}/{act}", form={"list": "ban-doc", "sure": "1"})
        .headers["location"]
        .startswith("/staff/login")
    )
    assert world.fetch(f"{path}/{act}", form={"list": "ban-doc", "sure": "1"}, cookie=cookie).status == 303
    with world.app.db.read() as conn:
        barred = subscribers.not_mailable(conn, "ban-doc", [world.people[NGOC]], key=world.app.suppression_key)
        erased = subscribers.person(conn, world.people[NGOC]).address is None
    assert world.people[NGOC] in barred
    assert erased == (act == "erase")
    assert world.fetch(path, cookie=cookie).status == 200
    assert world.fetch(f"{path}/{act}", form={"list": "ban-doc", "sure": "1"}, cookie=cookie).status == 303, (
        "twice is once"
    )


def test_erasing_wants_a_tick_and_spares_staff(world):
    cookie = world.log_in()
    unsure = world.fetch(f"/staff/people/{world.people[NGOC]}/erase", form={}, cookie=cookie)
    assert (unsure.status, 'aria-describedby="sure-fault"' in unsure.text) == (422, True)
    with world.app.db.read() as conn:
        editor = subscribers.find(conn, subscribers.parse_address(world.staff["en"]))
    refused = world.fetch(f"/staff/people/{editor}/erase", form={"sure": "1"}, cookie=cookie)
    assert refused.status == 409
    with world.app.db.read() as conn:
        assert subscribers.person(conn, editor).address is not None


def test_the_data_of_a_person_is_taken_only_by_who_may_see_it(world):
    world.send()
    path, cookie = f"/staff/people/{world.people[NGOC]}/take", world.log_in()
    assert world.fetch(path, form={}, cookie=cookie).status == 404
    permit(world)
    taken = world.fetch(path, form={}, cookie=cookie)
    held = json.loads(taken.text)
    assert (held["address"], len(held["mail"])) == (NGOC, 1)
    assert taken.headers["content-disposition"].startswith("attachment")


def test_whom_nobody_knows_is_not_found(world):
    cookie = world.log_in()
    assert world.fetch("/staff/people/khong-co", cookie=cookie).status == 404
    assert world.fetch("/staff/people/khong-co/stop", form={}, cookie=cookie).status == 404
    assert world.fetch("/staff/people?list=khong-co&before=x", cookie=cookie).status == 200


def test_staff_are_told_how_many_an_issue_would_go_to_and_so_many_are_frozen(world):
    with world.app.db.begin() as conn:
        key, now = world.app.suppression_key, world.clock.now()
        reason = subscribers.SuppressionReason.COMPLAINED
        subscribers.suppress(conn, world.people[NGOC], reason=reason, now=now, key=key)
        for who, rule in (("an@bi-chan.example", "bi-chan.example"), ("binh@khac.example", None)):
            given = subscribers.ConsentGiven(
                form="f", wording="Đồng ý", language="vi", source=subscribers.ConsentSource.STAFF
            )
            address = subscribers.parse_address(who)
            joined = subscribers.subscribe(
                conn, "ban-doc", address, now=now, key=key, consent=given, confirmed=True
            ).person_id
            if rule:
                subscribers.suppress_domain(conn, rule, now=now)
            else:
                staff_said = subscribers.SuppressionReason.STAFF
                subscribers.suppress(conn, joined, reason=staff_said, now=now, key=key, list_slug="ban-doc")
        assert subscribers.counts(conn, "ban-doc")[subscribers.SubscriptionState.ACTIVE] == 5
    issue, cookie = world.compose(), world.log_in()
    assert "sẽ được gửi đến 2 người" in world.fetch("/staff/people", cookie=cookie).text
    review = world.fetch(f"/staff/issues/{issue.id}", cookie=cookie).text
    assert re.search(r"<dt>Người nhận</dt>\s*<dd[^>]*>2</dd>", review)
    world.approve()
    world.release()
    with world.app.db.read() as conn:
        assert receipts.count(conn, world.issue().mailing_id).frozen == 2


def test_the_rule_of_a_whole_domain_stands_on_the_page_of_its_people(world):
    with world.app.db.begin() as conn:
        subscribers.suppress_domain(conn, "doc-gia.example", now=world.clock.now())
    page = world.fetch(f"/staff/people/{world.people[NGOC]}", cookie=world.log_in()).text
    assert "(cả tên miền của địa chỉ)" in page
