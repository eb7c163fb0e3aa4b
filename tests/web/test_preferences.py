"""The preference centre, a change of address, and one's own data: by links that need no login and show no address."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

import subscribers
from newsletter import compose
from newsletter.readers import choices, moving
from newsletter.store import newsletters, sources
from subscribers import PersonId, SubscriptionState, counts, parse_address
from tests.web.conftest import NOW
from tests.web.signing import fill_in


@pytest.fixture
def own(world):
    """The preference page of a reader, with two topics to choose from."""
    with world.app.db.begin() as conn:
        newsletter = newsletters.listed(conn)[0]
        source = replace(sources.of_newsletter(conn, newsletter.id)[0], topics=("biển", "lúa & đất"))
        sources.add(conn, source, now=world.clock.now())
    world.send()
    return world.link(world.mail_to("ngoc@"), "p")


def _mine(world, address="ngoc@doc-gia.example"):
    with world.app.db.read() as conn:
        return subscribers.subscription(conn, "ban-doc", PersonId(world.people[address]))


def _letters_to(world, address):
    return [mail for mail in world.mails() if address in str(mail["To"])]


def test_topics_and_language_are_saved_and_undone(world, own):
    assert 'name="topic:lúa &amp; đất"' in world.fetch(own).text
    saved = world.fetch(own, form={"language": "en", "topic:lúa & đất": "1", "topic:invented": "1"})
    assert _mine(world).topics == ("lúa & đất",)
    assert 'lang="en"' in saved.text
    undo = {"undo": "1", "language": "vi"}
    assert 'name="undo"' in saved.text
    assert 'name="language" value="vi"' in saved.text
    undone = world.fetch(own, form=undo)
    assert _mine(world).topics == ()
    assert 'name="undo"' not in undone.text


def test_ticking_every_topic_means_everything(world, own):
    world.fetch(own, form={"language": "vi", "topic:biển": "1", "topic:lúa & đất": "1"})
    assert _mine(world).topics == ()


def test_a_pause_ends_by_itself_before_the_audience_is_frozen(both_worlds):
    world = both_worlds
    back, away = (PersonId(world.people[f"{name}@doc-gia.example"]) for name in ("ngoc", "minh"))
    with world.app.db.begin() as conn:
        now = world.clock.now()
        for who, until in ((back, NOW), (away, NOW + timedelta(seconds=1))):
            assert subscribers.pause(conn, "ban-doc", who, until=until, now=now)
        assert subscribers.resume_due(conn, now=now) == 0
        assert set(subscribers.not_mailable(conn, "ban-doc", [back, away], key=world.app.suppression_key)) == {
            back,
            away,
        }
    world.send()
    assert (_mine(world).state, _mine(world).paused_until) == (SubscriptionState.ACTIVE, None)
    assert len(_letters_to(world, "ngoc@")) == 1
    assert _letters_to(world, "minh@") == []


def test_the_page_of_a_pause_tells_its_day(world, own):
    paused = world.fetch(f"{own}/pause", form={"until": "2026-12-01"})
    assert "01/12/2026" in paused.text
    assert _mine(world).state is SubscriptionState.PAUSED
    assert f"{own}/resume" in paused.text
    world.clock.at += timedelta(days=9)
    assert f"{own}/resume" not in world.fetch(own).text


def test_a_pause_can_be_ended_and_left_from(world, own):
    world.fetch(f"{own}/pause", form={"until": "2026-12-01"})
    assert "<form" in world.fetch(own.replace("/p/", "/u/")).text
    world.fetch(f"{own}/resume", form={})
    assert _mine(world).state is SubscriptionState.ACTIVE
    world.fetch(f"{own}/pause", form={"until": "2026-12-01"})
    world.fetch(own.replace("/p/", "/u/"), form={})
    assert _mine(world).state is SubscriptionState.UNSUBSCRIBED
    assert _mine(world).paused_until is None
    world.fetch(f"{own}/pause", form={"until": "2026-12-01"})
    assert _mine(world).state is SubscriptionState.UNSUBSCRIBED


@pytest.mark.parametrize("until", ["", "tomorrow", "2026-11-23", "2020-01-01", "2029-01-01", "9999-99-99"])
def test_a_pause_that_cannot_be_is_told_beside_its_field(world, own, until):
    before = world.dump()
    answer = world.fetch(f"{own}/pause", form={"until": until})
    assert answer.status == 422
    assert 'id="until-fault"' in answer.text
    assert world.dump() == before


# ---------------------------------------------------------------- another address


def test_a_change_of_address_keeps_the_person_their_choices_and_their_consent(both_worlds):
    world = both_worlds
    world.send()
    own = world.link(world.mail_to("ngoc@"), "p")
    asked = world.fetch(f"{own}/address", form={"email": "Ngoc.Moi@noi-khac.example"})
    world.deliver()
    link = world.link(world.mail_to("Ngoc.Moi@noi-khac.example"), "c")
    assert "ngoc@doc-gia" not in world.fetch(link).text
    before = world.dump()
    world.fetch(link)
    assert world.dump() == before
    assert world.fetch(link, form={}).status == 200
    me = PersonId(world.people["ngoc@doc-gia.example"])
    with world.app.db.read() as conn:
        assert subscribers.find(conn, parse_address("ngoc.moi@noi-khac.example")) == me
        held = subscribers.find(conn, parse_address("ngoc@doc-gia.example"))  # until its letter is forgotten
        assert held != me
        assert subscribers.subscription(conn, "ban-doc", held) is None
        assert subscribers.verify_chain(conn, me)
        assert [row.action.value for row in subscribers.evidence(conn, me)] == ["subscribe", "move"]
        assert subscribers.evidence(conn, me)[-1].wording == "Dùng địa chỉ này"
        assert counts(conn, "ban-doc")[SubscriptionState.ACTIVE] == 3
    assert world.fetch(link, form={}).status == 410  # once is enough
    assert asked.status == world.fetch(own).status == 200


def test_asking_for_an_address_says_nothing_about_it(world, own):
    answers = [
        world.fetch(f"{own}/address", form={"email": email}).text
        for email in ("ngoc@doc-gia.example", "minh@doc-gia.example", "chua-ai@noi-khac.example")
    ]
    assert len(set(answers)) == 1


def test_an_address_in_use_is_not_taken_and_its_owner_is_told(world, own):
    world.fetch(f"{own}/address", form={"email": "minh@doc-gia.example"})
    world.fetch(f"{own}/address", form={"email": world.staff["en"]})
    world.deliver()
    for address in ("minh@doc-gia.example", world.staff["en"]):
        link = world.link(_letters_to(world, address)[-1], "c")
        before = world.dump()
        assert "Không có gì thay đổi" in world.fetch(link, form={}).text
        assert world.dump() == before


def test_the_letter_to_a_new_address_expires_and_never_reaches_who_must_not_be_mailed(world, own):
    with world.app.db.begin() as conn:
        barred = parse_address("hong@noi-khac.example")
        subscribers.ensure_person(conn, barred, now=world.clock.now(), key=world.app.suppression_key)
        reason = subscribers.SuppressionReason.BOUNCED
        subscribers.suppress(conn, barred, reason=reason, now=world.clock.now(), key=world.app.suppression_key)
    world.fetch(f"{own}/address", form={"email": "hong@noi-khac.example"})
    world.fetch(f"{own}/address", form={"email": "cham@noi-khac.example"})
    world.deliver()
    assert _letters_to(world, "hong@noi-khac.example") == []
    link = world.link(world.mail_to("cham@noi-khac.example"), "c")
    world.clock.at += moving.ANSWER_WITHIN + timedelta(seconds=1)
    before = world.dump()
    for form in (None, {}):
        assert world.fetch(link, form=form).status == 410
    assert world.dump() == before


@pytest.mark.parametrize(("email", "status"), [("x", 422), ("a@mailinator.com", 422), ("ngoc@gmial.com", 200)])
def test_a_new_address_is_judged_like_any_other(world, own, email, status):
    before = world.dump()
    answer = world.fetch(f"{own}/address", form={"email": email})
    assert answer.status == status
    assert 'id="email-fault"' in answer.text
    assert world.dump() == before


# ---------------------------------------------------------------- one's own data


def test_ones_data_is_taken_away_and_erased_by_a_fresh_letter(both_worlds):
    world = both_worlds
    world.send()
    own = world.link(world.mail_to("ngoc@"), "p")
    world.fetch(f"{own}/data", form={})
    world.deliver()
    link = world.link(_letters_to(world, "ngoc@")[-1], "c")
    before = world.dump()
    assert world.fetch(link).status == 200
    assert world.fetch(f"{link}/export").status == world.fetch(f"{link}/erase").status == 405
    answer = world.fetch(f"{link}/export", form={})
    held = json.loads(answer.text)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert (held["address"], held["subscriptions"][0]["state"]) == ("ngoc@doc-gia.example", "active")
    assert [row["kind"] for row in held["mail"]] == ["issue", "letter"]
    assert world.fetch(f"{link}/erase", form={}).text.count('id="sure-fault"') == 1
    assert world.dump() == before
    assert world.fetch(f"{link}/erase", form={"sure": "1"}).status == 200
    with world.app.db.read() as conn:
        assert subscribers.find(conn, parse_address("ngoc@doc-gia.example")) is None
    for path in (link, f"{link}/export", f"{link}/erase"):
        assert world.fetch(path, form={}).status == 404
    assert world.fetch(own).status == 200  # an old mail's link shows no address and offers nothing of theirs
    assert "doc-gia" not in world.fetch(own).text


def test_the_link_to_ones_data_is_good_for_a_day_and_is_no_other_link(world, own):
    world.fetch(f"{own}/data", form={})
    world.deliver()
    link = world.link(_letters_to(world, "ngoc@")[-1], "c")
    assert world.fetch(link.replace("/c/", "/u/")).status == 404
    assert world.fetch(f"{own.replace('/p/', '/c/')}/export", form={}).status == 404
    world.clock.at += timedelta(days=1, seconds=1)
    assert world.fetch(link).status == 410
    assert world.fetch(f"{link}/export", form={}).status == 404
    before = world.dump()
    world.fetch(f"{link}/erase", form={"sure": "1"})
    assert world.dump() == before


def test_asking_for_ones_data_by_address_answers_the_same_for_everybody(world):
    answers = [
        fill_in(world, email, path="/your-data?lang=vi") for email in ("ngoc@doc-gia.example", "chua-ai@nha.example")
    ]
    assert answers[0].text == answers[1].text
    world.deliver()
    assert [str(mail["To"]) for mail in world.mails()] == ["Ngoc <ngoc@doc-gia.example>"]


def test_staff_cannot_erase_themselves_by_a_letter(world):
    fill_in(world, world.staff["vi"], path="/your-data?lang=vi")
    world.deliver()
    link = world.link(world.mail_to(world.staff["vi"]), "c")
    before = world.dump()
    assert "đồng nghiệp" in world.fetch(f"{link}/erase", form={"sure": "1"}).text
    assert world.dump() == before


def test_every_act_of_the_preference_centre_refuses_a_forged_link(world, own):
    forged = own[:-1] + ("a" if own[-1] != "a" else "b")
    before = world.dump()
    forms = {"": {"language": "en"}, "/pause": {"until": "2026-12-01"}, "/resume": {}, "/data": {}}
    for act, form in {**forms, "/address": {"email": "a@noi-khac.example"}}.items():
        assert world.fetch(forged + act, form=form).status == 404, act
        if act:
            assert world.fetch(own + act).status == 405, act
    assert world.dump() == before


def test_every_topic_compose_would_segment_by_is_offered(world, own):
    with world.app.db.read() as conn:
        newsletter = newsletters.listed(conn)[0]
    found = choices.look(world.app, own.removeprefix("/p/"))
    assert set(found.offered) == compose._offered(world.app, newsletter)


def test_ending_pauses_needs_no_scan(world):
    with world.app.db.read() as conn:
        query = "EXPLAIN QUERY PLAN UPDATE subscriptions SET state = 'active' WHERE paused_until <= '2026' AND state = 'paused'"
        plan = str(conn.execute(sa.text(query)).all())
    assert "ix_subscriptions_paused_until" in plan
