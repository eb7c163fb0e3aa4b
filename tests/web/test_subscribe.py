"""Joining from the public page: double opt-in, and what keeps it from being turned against strangers."""

import re
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

import subscribers
from newsletter import readers
from newsletter.readers import mailbox, signup
from newsletter.store import newsletters
from newsletter.web.shield import Flood
from subscribers import ConsentAction, ConsentGiven, ConsentSource, SubscriptionState, counts, parse_address
from tests.web.signing import field, fill_in, solution

FORM = "/subscribe/ban-doc?lang=vi"


def _counts(world):
    with world.app.db.read() as conn:
        return counts(conn, "ban-doc")


def _letters_to(world, address):
    return [mail for mail in world.mails() if address in str(mail["To"])]


@pytest.mark.parametrize(
    ("language", "said"), [("vi", "Hãy xem hộp thư của quý vị"), ("en", "Please look into your mail")]
)
def test_joining_confirming_and_the_welcome_leave_the_words_that_were_agreed_to(both_worlds, language, said):
    world = both_worlds
    path = f"/subscribe/ban-doc?lang={language}"
    shown = world.fetch(path).text
    answer = fill_in(world, "lan@ban-moi.example", path=path)
    assert (answer.status, said in answer.text) == (200, True)
    assert world.woken.is_set()
    assert _counts(world)[SubscriptionState.PENDING] == 1
    world.deliver()
    link = world.link(world.mail_to("lan@ban-moi.example"), "c")
    world.fetch(link)
    assert _counts(world)[SubscriptionState.PENDING] == 1  # looking confirms nothing
    for _ in range(2):
        assert world.fetch(link, form={}).status == 200
    world.deliver()
    assert len(_letters_to(world, "lan@ban-moi.example")) == 2  # to confirm, and one welcome
    with world.app.db.read() as conn:
        person_id = subscribers.find(conn, parse_address("lan@ban-moi.example"))
        kept = subscribers.evidence(conn, person_id)
    assert [row.action for row in kept] == [ConsentAction.SUBSCRIBE, ConsentAction.CONFIRM]
    assert (kept[0].form, kept[0].language, kept[0].ip) == ("subscribe/1", language, None)
    assert kept[0].wording in shown.replace("&#39;", "'")
    assert all(row.intact for row in kept)


def test_the_answer_is_the_same_for_known_unknown_pending_left_and_suppressed(world):
    with world.app.db.begin() as conn:
        now, key = world.clock.now(), world.app.suppression_key
        subscribers.unsubscribe(conn, "ban-doc", world.people["minh@doc-gia.example"], now=now, reason="page")
        subscribers.suppress(
            conn, parse_address("chan@ban-moi.example"), reason=subscribers.SuppressionReason.STAFF, now=now, key=key
        )
    asked = ("ngoc@doc-gia.example", "minh@doc-gia.example", "chan@ban-moi.example", "la@ban-moi.example")
    answers = [fill_in(world, address) for address in (*asked, "la@ban-moi.example")]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    heads = [{k: v for k, v in answer.headers.items() if k != "date"} for answer in answers]
    assert all(head == heads[0] for head in heads)


def test_what_a_stranger_typed_is_not_in_the_letter(world):
    fill_in(world, "la@ban-moi.example", name="MUA NGAY https://spam.example", topics="x")
    world.deliver()
    (mail,) = _letters_to(world, "la@ban-moi.example")
    assert "spam.example" not in mail.as_string()
    assert "MUA" not in mail.get_body(("plain",)).get_content()


def test_a_letter_comes_once_an_hour_and_an_expired_one_may_be_asked_for_again(world):
    for after in (5, 60, 3600):
        fill_in(world, "la@ban-moi.example", after=after)
    world.deliver()
    assert len(_letters_to(world, "la@ban-moi.example")) == 2
    link = world.link(_letters_to(world, "la@ban-moi.example")[-1], "c")
    world.clock.at += timedelta(days=7, minutes=1)
    gone = world.fetch(link, form={})
    assert gone.status == 410
    assert "/subscribe/ban-doc" in gone.text
    fill_in(world, "la@ban-moi.example")
    world.deliver()
    newest = world.link(_letters_to(world, "la@ban-moi.example")[-1], "c")
    assert world.fetch(newest, form={}).status == 200
    assert _counts(world)[SubscriptionState.ACTIVE] == 4


def test_fifty_at_once_with_one_address_are_one_person_with_one_consent(both_worlds):
    world, ready, failed = both_worlds, threading.Barrier(50), []
    consent = ConsentGiven(form="subscribe/1", wording="Vâng", language="vi", source=ConsentSource.FORM)

    def join():
        ready.wait()
        try:
            readers.join(world.app, "ban-doc", parse_address("Mot@Ban-Moi.example"), consent=consent, language="vi")
        except Exception as error:  # shown by the assertion below
            failed.append(error)

    threads = [threading.Thread(target=join) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert _counts(world)[SubscriptionState.PENDING] == 1
    with world.app.db.read() as conn:
        person_id = subscribers.find(conn, parse_address("mot@ban-moi.example"))
        assert len(subscribers.evidence(conn, person_id)) == 1
        mine = "SELECT count(*) FROM letters WHERE kind = 'confirm'"
        assert conn.exec_driver_sql(mine).scalar() == 1


# ---------------------------------------------------------------- abuse


@pytest.mark.parametrize(
    "changes",
    [
        {"ticket": ""},
        {"ticket": "6a000000.0123456789abcdef.00000000000000000000000000000000"},
        {"ticket": "x" * 3000},
        {"ticket": "é.é.é"},
        {"solution": "-1"},
        {"solution": "1" * 5000},
        {"solution": "٣"},
    ],
)
def test_forged_tickets_and_false_work_get_the_form_again_and_store_nothing(world, changes):
    before = world.dump()
    answer = fill_in(world, "la@ban-moi.example", **changes)
    assert answer.status == 200
    assert "data-ticket" in answer.text
    assert world.dump() == before


def test_a_form_sent_faster_than_a_person_types_or_after_two_hours_is_shown_again(world):
    before = world.dump()
    for after in (0.5, 7201):
        assert 'role="alert"' in fill_in(world, "la@ban-moi.example", after=after).text
    assert world.dump() == before


def test_the_field_nobody_sees_swallows_the_sign_up_with_the_usual_answer(world):
    usual = fill_in(world, "that@ban-moi.example").text
    before = world.dump()
    assert fill_in(world, "la@ban-moi.example", website="https://spam.example").text == usual
    assert world.dump() == before


def test_a_ticket_serves_one_address_and_sending_it_twice_does_it_once(world):
    ticket = field(world.fetch(FORM).text, "ticket")
    world.clock.at += timedelta(seconds=5)
    form = {"email": "la@ban-moi.example", "ticket": ticket, "solution": solution(ticket)}
    first, again = world.fetch(FORM, form=form), world.fetch(FORM, form=form)
    assert first.text == again.text
    other = world.fetch(FORM, form={**form, "email": "hai@ban-moi.example"})
    assert field(other.text, "ticket") != ticket
    assert _counts(world)[SubscriptionState.PENDING] == 1


def test_a_fault_of_ours_does_not_use_up_the_ticket(world):
    ticket = field(world.fetch(FORM).text, "ticket")
    world.clock.at += timedelta(seconds=5)
    form = {"email": "la@ban-moi.example", "ticket": ticket, "solution": solution(ticket)}
    with world.app.db.begin() as conn:
        conn.exec_driver_sql("ALTER TABLE letters RENAME TO gone")
    assert world.fetch(FORM, form=form).status == 500
    with world.app.db.begin() as conn:
        conn.exec_driver_sql("ALTER TABLE gone RENAME TO letters")
    assert world.fetch(FORM, form=form).status == 200
    assert _counts(world)[SubscriptionState.PENDING] == 1


def test_a_ticket_of_one_list_opens_no_other(world):
    with world.app.db.begin() as conn:
        subscribers.create_list(conn, "khac", name="Khác", now=world.clock.now())
        other = newsletters.listed(conn)[0]
        newsletters.save(conn, replace(other, id="0" * 16, slug="khac", list_slug="khac"), now=world.clock.now())
    ticket = field(world.fetch(FORM).text, "ticket")
    world.clock.at += timedelta(seconds=5)
    form = {"email": "la@ban-moi.example", "ticket": ticket, "solution": solution(ticket)}
    assert "data-ticket" in world.fetch("/subscribe/khac?lang=vi", form=form).text


def test_without_a_script_waiting_stands_in_for_the_work_and_fewer_are_let_in(world):
    ticket = field(world.fetch(FORM).text, "ticket")
    form = {"email": "cham@ban-moi.example", "ticket": ticket, "solution": ""}
    world.clock.at += timedelta(seconds=5)
    told = world.fetch(FORM, form=form)
    assert field(told.text, "ticket") == ticket
    assert "15 giây" in told.text
    world.clock.at += timedelta(seconds=11)
    assert "hộp thư" in world.fetch(FORM, form=form).text
    statuses = [fill_in(world, f"cham{n}@gmail.com", work=False, after=16).status for n in range(6)]
    assert statuses == [200] * (signup.UNPROVEN.most - 1) + [429] * 2
    assert fill_in(world, "nhanh@gmail.com").status == 200  # who shows work is counted apart


def test_one_network_one_domain_and_one_mailbox_have_their_limits(world):
    for n in range(signup.PROVEN.most):
        signup.visitor_may(world.app, "127.0.0.1", proven=True)
        if n < mailbox.MAILBOX.most:
            mailbox.mailbox_may(world.app, parse_address("nan-nhan@ban-moi.example"))
    before = world.dump()
    assert fill_in(world, "la@ban-moi.example").status == 429
    assert world.dump() == before
    world.clock.at += timedelta(hours=1)
    assert "hộp thư" in fill_in(world, "Nan-Nhan@ban-moi.example").text  # the answer tells nothing
    assert world.dump() == before
    domain = [signup._domain_may(world.app, parse_address(f"a{n}@so.example")) for n in range(signup.DOMAIN.most + 1)]
    assert domain == [True] * signup.DOMAIN.most + [False]
    assert all(signup._domain_may(world.app, parse_address(f"a{n}@gmail.com")) for n in range(100))


def test_a_flood_is_turned_away_before_anything_is_read_and_others_come_in(world):
    for _ in range(299):
        world.app.limits.take(Flood.RULE, "127.0.0.1", now=world.clock.now())
    assert [world.fetch("/subscribe/ban-doc").status for _ in range(2)] == [200, 429]
    assert world.fetch("/subscribe/ban-doc", method="POST", body=b"email=a").status == 429
    assert world.fetch("/issues/none").status == 404  # other pages are open
    world.clock.at += timedelta(minutes=1)
    assert fill_in(world, "la@ban-moi.example").status == 200


def test_a_slip_of_the_hand_is_asked_about_once(world):
    asked = fill_in(world, "lan@gmial.com")
    assert "Có phải quý vị muốn ghi lan@gmail.com?" in asked.text
    ticket = field(asked.text, "ticket")
    form = {"email": "lan@gmial.com", "ticket": ticket, "solution": solution(ticket), "keep": "lan@gmial.com"}
    assert "hộp thư" in world.fetch(FORM, form={**form, "instead": "lan@gmail.com"}).text
    with world.app.db.read() as conn:
        assert subscribers.find(conn, parse_address("lan@gmail.com"))
        assert not subscribers.find(conn, parse_address("lan@gmial.com"))
    assert "hộp thư" in fill_in(world, "nga@gmial.com", keep="nga@gmial.com").text
    with world.app.db.read() as conn:
        assert subscribers.find(conn, parse_address("nga@gmial.com"))


@pytest.mark.parametrize("typed", ["", "không phải địa chỉ", "a@b", "la@yopmail.com", '"><script>@x.example'])
def test_what_cannot_be_mailed_is_told_beside_the_field(world, typed):
    before = world.dump()
    answer = fill_in(world, typed)
    assert answer.status == 422
    assert 'aria-invalid="true"' in answer.text
    assert "<script>@" not in answer.text
    assert world.dump() == before


def test_a_form_on_another_site_leads_to_our_own_with_the_address_filled_in(world):
    snippet = world.fetch("/subscribe/ban-doc/snippet?lang=vi").text
    assert "&lt;form action=" in snippet
    assert "script" not in re.search(r"<textarea.*?</textarea>", snippet, re.S)[0]
    before = world.dump()
    elsewhere = {"Origin": "https://vien.example", "Sec-Fetch-Site": "cross-site"}
    answer = world.fetch(FORM, form={"email": "la@ban-moi.example"}, headers=elsewhere)
    assert 'value="la@ban-moi.example"' in answer.text
    assert "Còn một bước" in answer.text
    assert world.dump() == before


@pytest.mark.parametrize("path", ["/subscribe/nobody", "/subscribe/kin", "/subscribe/kin/snippet", "/theme/nobody.css"])
def test_lists_that_no_newsletter_is_sent_to_are_not_there(world, path):
    with world.app.db.begin() as conn:
        subscribers.create_list(conn, "kin", name="Nội bộ", now=world.clock.now())
    assert world.fetch(path).status == 404
    if "theme" not in path and "snippet" not in path:
        assert world.fetch(path, form={"email": "la@ban-moi.example"}).status == 404
