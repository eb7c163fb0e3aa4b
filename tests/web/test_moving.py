"""A reader's address was changed: the old one is told once, and may undo it."""

import threading
from datetime import timedelta

import pytest

import subscribers
from newsletter.readers import moving
from newsletter.track import forgetting
from subscribers import PersonId, SubscriptionState, SuppressionReason, parse_address

OLD, NEW = "ngoc@doc-gia.example", "moi@noi-khac.example"


def _moved(world, *, to=NEW, language="vi"):
    """The reader's mail goes to another address; the path of the link that did it."""
    world.send()
    return _move(world, to, language)


def _move(world, to, language="vi"):
    own = world.link(world.mail_to("ngoc@"), "p")
    world.fetch(own, form={"language": language})
    world.fetch(f"{own}/address", form={"email": to})
    world.deliver()
    link = world.link(world.mail_to(to), "c")
    assert world.fetch(link, form={}).status == 200
    return link


def _text(mail):
    return mail.get_body(("plain",)).get_content()


def _notices(world):
    return [mail for mail in world.mails() if OLD in str(mail["To"]) and "/c/" in _text(mail)]


def _address(world):
    with world.app.db.read() as conn:
        address = subscribers.person(conn, PersonId(world.people[OLD])).address
    return subscribers.reveal(address)


@pytest.mark.parametrize(
    ("language", "subject", "said"),
    [
        ("vi", "Địa chỉ nhận Bản tin Khoa học Biển của quý vị đã được đổi", "Từ nay Bản tin Khoa học Biển được gửi"),
        ("en", "Your address for Bản tin Khoa học Biển was changed", "goes to another address"),
    ],
)
def test_the_old_address_is_told_once_and_not_where_the_mail_goes(both_worlds, language, subject, said):
    world = both_worlds
    link = _moved(world, language=language)
    assert world.woken.is_set()
    assert world.fetch(link, form={}).status == 410
    world.deliver()
    (mail,) = _notices(world)
    assert str(mail["Subject"]) == subject
    assert said in " ".join(_text(mail).split())
    assert "noi-khac" not in mail.as_string()
    assert "noi-khac" not in mail.get_body(("html",)).get_content()
    assert mail["List-Unsubscribe"] is None
    assert [OLD in str(one["To"]) for one in world.mails()].count(True) == 2  # the issue before, and this


def test_the_link_of_the_notice_brings_the_mail_back_once_and_tells_nobody(both_worlds):
    world = both_worlds
    _moved(world)
    world.deliver()
    (mail,) = _notices(world)
    back = world.link(mail, "c")
    before = world.dump()
    assert "Nhận lại ở địa chỉ này" in world.fetch(back).text
    assert world.dump() == before
    assert world.fetch(back, form={}).status == 200
    assert _address(world) == OLD
    assert world.fetch(back, form={}).status == 410
    sent = len(world.mails())
    world.deliver()
    assert len(world.mails()) == sent
    me = PersonId(world.people[OLD])
    with world.app.db.read() as conn:
        assert subscribers.find(conn, parse_address(NEW)) is None
        assert [row.form for row in subscribers.evidence(conn, me)][1:] == ["move/1", "move-back/1"]
        assert subscribers.verify_chain(conn, me)
        assert subscribers.subscription(conn, "ban-doc", me).state is SubscriptionState.ACTIVE


def test_an_old_address_that_must_not_be_mailed_is_not_told(world):
    world.send()
    own = world.link(world.mail_to("ngoc@"), "p")
    world.fetch(f"{own}/address", form={"email": NEW})
    world.deliver()
    with world.app.db.begin() as conn:
        me, key = PersonId(world.people[OLD]), world.app.suppression_key
        subscribers.suppress(conn, me, reason=SuppressionReason.BOUNCED, now=world.clock.now(), key=key)
    assert world.fetch(world.link(world.mail_to(NEW), "c"), form={}).status == 200
    world.deliver()
    assert _notices(world) == []
    with world.app.db.read() as conn:
        assert subscribers.find(conn, parse_address(OLD)) is None


def test_pressing_at_once_is_one_move_and_one_letter(both_worlds):
    world, ready, seen = both_worlds, threading.Barrier(8), []
    world.send()
    own = world.link(world.mail_to("ngoc@"), "p")
    world.fetch(f"{own}/address", form={"email": NEW})
    world.deliver()
    token = world.link(world.mail_to(NEW), "c").rsplit("/", 1)[1]

    def press():
        ready.wait()
        seen.append(moving.move(world.app, token, wording="Dùng địa chỉ này")[1])

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [subscribers.Moved.GONE] * 7 + [subscribers.Moved.MOVED]
    world.deliver()
    assert len(_notices(world)) == 1


def test_a_failing_letter_leaves_the_address_as_it_was(world, monkeypatch):
    world.send()
    own = world.link(world.mail_to("ngoc@"), "p")
    world.fetch(f"{own}/address", form={"email": NEW})
    world.deliver()
    token = world.link(world.mail_to(NEW), "c").rsplit("/", 1)[1]

    def died(*_args, **_named):
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("newsletter.store.letters.ask", died)
        with pytest.raises(OSError, match="full"):
            moving.move(world.app, token, wording="Dùng địa chỉ này")
    assert _address(world) == OLD
    assert moving.move(world.app, token, wording="Dùng địa chỉ này")[1] is subscribers.Moved.MOVED


def test_the_way_back_ends_after_seven_days_and_the_old_address_is_forgotten(world):
    _moved(world)
    world.deliver()
    (mail,) = _notices(world)
    back = world.link(mail, "c")
    world.clock.at += moving.UNDO_WITHIN + timedelta(seconds=1)
    for form in (None, {}):
        gone = world.fetch(back, form=form)
        assert (gone.status, "Liên kết đã được dùng" in gone.text) == (410, True)
    assert _address(world) == NEW
    world.clock.at += timedelta(days=31)
    forgetting.forget_people(world.app, world.clock.now())
    with world.app.db.read() as conn:
        assert subscribers.find(conn, parse_address(OLD)) is None
    assert world.fetch(back, form={}).status == 410


def test_somebody_new_at_the_old_address_keeps_it(world):
    _moved(world)
    world.deliver()
    (mail,) = _notices(world)
    with world.app.db.begin() as conn:
        given = subscribers.ConsentGiven(
            form="test/1", wording="Vâng", language="vi", source=subscribers.ConsentSource.FORM
        )
        key, now = world.app.suppression_key, world.clock.now()
        subscribers.subscribe(conn, "ban-doc", parse_address(OLD), now=now, key=key, consent=given, confirmed=True)
    assert "Không có gì thay đổi" in world.fetch(world.link(mail, "c"), form={}).text
    assert _address(world) == NEW


def test_a_link_from_before_the_move_brings_nobody_back_without_a_letter(both_worlds):
    world = both_worlds
    world.send()
    old = world.link(world.mail_to("ngoc@"), "u")
    world.clock.at += timedelta(minutes=1)
    _move(world, NEW)
    assert world.fetch(old, form={}).status == 200  # leaving is never in doubt
    world.woken.clear()
    assert world.fetch(f"{old}/back", form={}).status == 303
    me = PersonId(world.people[OLD])
    with world.app.db.read() as conn:
        assert subscribers.subscription(conn, "ban-doc", me).state is SubscriptionState.PENDING
    assert world.woken.is_set()
    assert "Một thư đang trên đường" in world.fetch(old).text
    before = len(world.mails())
    world.deliver()
    letter = world.mail_to(NEW, "Xác nhận đăng ký")
    assert not [mail for mail in world.mails()[before:] if OLD in str(mail["To"]) and "Xác nhận" in mail["Subject"]]
    assert world.fetch(world.link(letter, "c"), form={}).status == 200
    with world.app.db.read() as conn:
        assert subscribers.subscription(conn, "ban-doc", me).state is SubscriptionState.ACTIVE
        assert [row.form for row in subscribers.evidence(conn, me) if row.form][-2:] == ["move/1", "undo/1"]
        assert subscribers.verify_chain(conn, me)


def test_another_site_may_post_the_link_itself_and_nothing_below_it(world):
    world.send()
    path = world.link(world.mail_to("ngoc@"), "u")
    foreign = {"Origin": "https://khac.example", "Sec-Fetch-Site": "cross-site"}
    assert world.fetch(path, form={}, headers=foreign).status == 200
    before = world.dump()
    assert world.fetch(f"{path}/back", form={}, headers=foreign).status == 403
    assert world.dump() == before
    own = {"Origin": world.url, "Sec-Fetch-Site": "same-origin"}
    assert world.fetch(f"{path}/back", form={}, headers=own).status == 303
