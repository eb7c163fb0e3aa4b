"""Pictures fetched from a real server on loopback through the guarded client, made fit in a child process, kept in rows."""

import socket
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter.compose import obtaining, render_mailing
from newsletter.compose.obtaining import obtain
from newsletter.model import Issue, IssueId, IssueState, NewsletterId, PictureMode
from newsletter.store import images
from tests.conftest import NOW
from tests.fakes.pictures import photo, svg
from tests.fakes.site import Site

HOST = "anh.vien.example"


@pytest.fixture
def site():
    with Site({"/1.jpg": ("image/jpeg", photo()), "/2.png": ("image/png", photo(800, 800))}) as running:
        yield running


@pytest.fixture
def app(make_app, site):
    return make_app(fetch={"resolve": {HOST: site.at}})


@pytest.fixture
def of(made):
    """Items with these pictures, in order; None: none."""

    def items(*names):
        return [
            replace(item, image=f"http://{HOST}/{name}" if name and ":" not in name else name)
            for item, name in zip(made.made_items(len(names)), names, strict=True)
        ]

    return items


@pytest.fixture
def letter(made):
    return made.made_newsletter()


def test_pictures_are_made_fit_for_their_places_and_told_by_their_content(app, of, letter, bulletin):
    shown = obtain(app, letter, of("1.jpg", "2.png", "1.jpg"), bulletin, now=NOW)
    assert shown.findings == ()
    assert sorted(shown.places) == [1, 2, 3]
    lead, thumb = shown.places[1], shown.places[2]
    assert lead.src.startswith("https://news.vien.example/images/")
    assert (lead.width, lead.height) == (552, 310)
    assert (thumb.width, thumb.height) == (143, 95)
    assert len(shown.images) == len(set(shown.images)) == 3
    with app.db.read() as conn:
        kept = images.read(conn, shown.images)
    assert [image.name for image in kept] == list(shown.images)
    assert all(image.is_true for image in kept)
    assert (kept[0].width, kept[0].height) == (1104, 620)


def test_composing_again_asks_nobody_until_a_week_has_passed(app, site, of, letter, bulletin):
    first = obtain(app, letter, of("1.jpg", "1.jpg"), bulletin, now=NOW)
    assert site.asked == ["/1.jpg", "/1.jpg"]  # once for each size
    assert obtain(app, letter, of("1.jpg", "1.jpg"), bulletin, now=NOW + timedelta(days=6)) == first
    assert len(site.asked) == 2
    obtain(app, letter, of("1.jpg"), bulletin, now=NOW + timedelta(days=8))
    assert len(site.asked) == 3


def test_a_picture_that_cannot_be_had_costs_only_itself(app, site, of, letter, bulletin):
    site.pages |= {
        "/logo.svg": ("image/svg+xml", svg()),
        "/login.jpg": ("image/jpeg", "<html><body>Đăng nhập</body></html>".encode()),
        "/big.jpg": ("image/jpeg", b"\xff\xd8\xff" + b"x" * (6 << 20)),
    }
    asked = ("1.jpg", "404.jpg", "logo.svg", "login.jpg", "big.jpg", "data:image/gif;base64,R0lGOD")
    items = of(*asked)
    shown = obtain(app, letter, items, bulletin, now=NOW)
    assert list(shown.places) == [1]
    told = {finding.where: finding for finding in shown.findings}
    assert set(told) == {item.title for item in items[1:]}
    assert {finding.level for finding in told.values()} == {"warning"}
    words = [told[item.title].message for item in items[1:]]
    for expected, said in zip(("404", "SVG", "a page", "larger than 5 MB", "address"), words, strict=True):
        assert expected in said, said


def test_an_address_on_our_own_network_is_never_asked(app, site, of, letter, bulletin):
    at = site.at
    shown = obtain(app, letter, of(f"http://{at}/1.jpg", "http://169.254.169.254/latest"), bulletin, now=NOW)
    assert shown.places == {}
    assert len(shown.findings) == 2
    assert site.asked == []


def test_a_host_that_does_not_answer_is_asked_once(make_app, of, letter, bulletin):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound, not listening: every connection is refused
        app = make_app(fetch={"resolve": {HOST: f"127.0.0.1:{free.getsockname()[1]}"}})
        shown = obtain(app, letter, of("1.jpg", "2.jpg", "3.jpg"), bulletin, now=NOW)
    assert shown.places == {}
    assert len({finding.message for finding in shown.findings}) == 1
    assert len(shown.findings) == 3


def test_without_time_left_nothing_is_asked_and_the_next_composition_does(app, site, of, letter, bulletin, monkeypatch):
    monkeypatch.setattr(obtaining, "BUDGET", -1.0)
    late = obtain(app, letter, of("1.jpg", None), bulletin, now=NOW)
    assert late.places == {}
    assert [finding.message for finding in late.findings] == [f"goes without its picture: {obtaining.LATE}"]
    assert site.asked == []
    monkeypatch.undo()
    assert list(obtain(app, letter, of("1.jpg", None), bulletin, now=NOW).places) == [1]


def test_a_program_that_ends_remembers_nothing_about_pictures_it_did_not_reach(app, site, of, letter, bulletin):
    app.stopping.set()
    assert obtain(app, letter, of("1.jpg", "2.png"), bulletin, now=NOW).places == {}
    app.stopping.clear()
    assert sorted(obtain(app, letter, of("1.jpg", "2.png"), bulletin, now=NOW).places) == [1, 2]


def test_a_newsletter_that_shows_none_or_links_them_asks_nobody(app, site, of, letter, bulletin):
    linked = obtain(app, replace(letter, images=PictureMode.LINKED), of("1.jpg"), bulletin, now=NOW)
    assert linked.linked
    none = obtain(app, replace(letter, options={"show_images": False}), of("1.jpg"), bulletin, now=NOW)
    assert (none.linked, none.places) == (False, {})
    assert site.asked == []


def test_over_plain_http_pictures_stay_linked_and_staff_are_told(make_app, site, of, letter, bulletin):
    app = make_app(base_url="http://news.lan", fetch={"resolve": {HOST: site.at}})
    shown = obtain(app, letter, of("1.jpg"), bulletin, now=NOW)
    assert shown.linked
    assert ["https" in finding.message for finding in shown.findings] == [True]


# ---------------------------------------------------------------- the mailing


@pytest.fixture
def rendered(app, of, letter, bulletin):
    def make(mode, *names):
        newsletter, items = replace(letter, images=mode), of(*names)
        issue = Issue(
            id=IssueId("issue00000000001"), newsletter_id=NewsletterId(letter.id), occurrence="2026-11-23T08:00", number=7,
            state=IssueState.DRAFT, send_at=NOW, reason=None, mailing_id=None, subject=None, preheader=None,
            content_hash=None, approved_hash=None, approved_by=None, approved_at=None,
        )  # fmt: skip
        pictures = obtain(app, newsletter, items, bulletin, now=NOW)
        return render_mailing(app, newsletter, issue, items, now=NOW, pictures=pictures)

    return make


@pytest.mark.parametrize("mode", [PictureMode.HOSTED, PictureMode.EMBEDDED])
def test_preflight_finds_nothing_wrong_with_the_pictures(rendered, mode):
    mailing, findings = rendered(mode, "1.jpg", "2.png", None)
    assert [f for f in findings if f.level != "note"] == []
    assert len(mailing.images) == 2
    for name in mailing.images:
        expected = (
            f"cid:{name}@vien.example" if mode is PictureMode.EMBEDDED else f"https://news.vien.example/images/{name}"
        )
        assert all(expected in rendering.html for rendering in mailing.renderings)


def test_another_picture_is_another_content(rendered, site):
    before, _ = rendered(PictureMode.HOSTED, "1.jpg")
    assert rendered(PictureMode.HOSTED, "1.jpg")[0].content_hash == before.content_hash
    after, _ = rendered(PictureMode.HOSTED, "2.png")
    assert after.content_hash != before.content_hash


def test_what_no_mailing_shows_is_cleaned_after_a_month(app, of, letter, bulletin):
    obtain(app, letter, of("1.jpg", "2.png"), bulletin, now=NOW)
    with app.db.begin() as conn:
        assert images.clean(conn, now=NOW + timedelta(days=29)) == 0
        assert images.clean(conn, now=NOW + timedelta(days=31)) == 2
        assert conn.execute(sa.text("SELECT count(*) FROM image_fetches")).scalar() == 0
