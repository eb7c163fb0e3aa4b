"""Somebody who was imported signs up at the public form: a stranger sees no difference, and only the letter's button agrees."""

import threading
from datetime import timedelta

import pytest

import subscribers
from newsletter import readers
from subscribers import ConsentAction, ConsentGiven, ConsentSource, SubscriptionState, counts, parse_address
from tests.web.signing import fill_in

LAN = parse_address("lan@danh-sach.example")


def _import(world, tmp_path):
    """One person whom a paper list brought."""
    path = tmp_path / "giay.csv"
    path.write_text("email,name,language\nlan@danh-sach.example,Lan,vi\n", encoding="utf-8")
    app, now = world.app, world.clock.now()
    subscribers.import_people(
        app.db, path, list_slug="ban-doc", key=app.suppression_key, now=now, consent="Danh sách ký tên, 2026"
    )
    with app.db.read() as conn:
        return subscribers.find(conn, LAN)


def _letters_to(world, address):
    return [mail for mail in world.mails() if address in str(mail["To"])]


def _evidence(world, person_id):
    with world.app.db.read() as conn:
        return subscribers.evidence(conn, person_id)


@pytest.mark.parametrize(("language", "said"), [("vi", "Quý vị đã có trong danh sách"), ("en", "on the list already")])
def test_who_was_imported_and_signs_up_agrees_by_the_letter_and_gets_no_second_welcome(
    both_worlds, tmp_path, language, said
):
    world = both_worlds
    who, path = _import(world, tmp_path), f"/subscribe/ban-doc?lang={language}"
    shown = world.fetch(path).text
    fill_in(world, "Lan@Danh-Sach.example", path=path)
    world.deliver()
    assert [row.action for row in _evidence(world, who)] == [ConsentAction.IMPORT]  # anybody may have typed it
    link = world.link(world.mail_to("lan@danh-sach.example"), "c")
    world.fetch(link)
    assert len(_evidence(world, who)) == 1
    world.clock.at += timedelta(minutes=3)
    assert said in world.fetch(f"{link}?lang={language}", form={}).text
    assert world.fetch(link, form={}).status == 200
    _, own = _evidence(world, who)
    assert (own.action, own.source, own.form, own.language) == ("confirm", "form", "subscribe/1", language)
    assert own.wording in shown.replace("&#39;", "'")
    assert (own.at, own.ip, own.intact) == (world.clock.now(), None, True)
    world.clock.at += timedelta(days=1)
    fill_in(world, "lan@danh-sach.example", path=path)
    world.deliver()
    assert len(_letters_to(world, "lan@danh-sach.example")) == 1  # no welcome, and nothing more to ask


def test_known_and_unknown_addresses_get_the_same_answer_and_as_many_letters(world, tmp_path):
    _import(world, tmp_path)
    addresses = ("lan@danh-sach.example", "la@ban-moi.example")
    answers = []
    for hours in (0, 0, 1, 1, 1):  # four tries a day count for a mailbox, and the second is within the first's hour
        world.clock.at += timedelta(hours=hours)
        answers += [fill_in(world, address) for address in addresses]
        world.deliver()
    assert {answer.status for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    known, unknown = (_letters_to(world, address) for address in addresses)
    assert len(known) == len(unknown) == 3
    assert {str(mail["Subject"]) for mail in known} == {str(mail["Subject"]) for mail in unknown}


def test_fifty_sign_ups_and_clicks_of_one_imported_address_are_one_letter_and_one_consent(both_worlds, tmp_path):
    world, failed, ready = both_worlds, [], threading.Barrier(50)
    who = _import(world, tmp_path)
    world.clock.at += timedelta(minutes=1)
    consent = ConsentGiven(form="subscribe/1", wording="Vâng", language="vi", source=ConsentSource.FORM)

    def at_once(act):
        def run():
            ready.wait()
            try:
                act()
            except Exception as error:  # shown by the assertion below
                failed.append(error)

        threads = [threading.Thread(target=run) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    at_once(lambda: readers.join(world.app, "ban-doc", LAN, consent=consent, language="vi"))
    world.clock.at += timedelta(minutes=1)
    world.deliver()
    (mail,) = _letters_to(world, "lan@danh-sach.example")
    token = world.link(mail, "c").rsplit("/", 1)[1]
    at_once(lambda: readers.confirm(world.app, token))
    assert failed == []
    assert [row.action for row in _evidence(world, who)] == ["import", "confirm"]
    with world.app.db.read() as conn:
        assert counts(conn, "ban-doc")[SubscriptionState.ACTIVE] == 4
        assert subscribers.verify_chain(conn, who)


def test_a_letter_that_was_answered_too_late_or_after_leaving_records_nothing(world, tmp_path):
    who = _import(world, tmp_path)
    fill_in(world, "lan@danh-sach.example")
    world.deliver()
    link = world.link(world.mail_to("lan@danh-sach.example"), "c")
    world.clock.at += timedelta(days=7, minutes=1)
    assert world.fetch(link, form={}).status == 200  # they are subscribed: that is what the page says
    with world.app.db.begin() as conn:
        subscribers.unsubscribe(conn, "ban-doc", who, now=world.clock.now(), reason="page")
    assert world.fetch(link, form={}).status == 410
    assert [row.action for row in _evidence(world, who)] == ["import", "unsubscribe"]
