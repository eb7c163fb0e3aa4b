"""Which pictures an issue wants, and what its items show then. No I/O."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.compose import pictures
from newsletter.compose.design import find_design
from newsletter.compose.pictures import Place, Shown, Slots, Wish, mode_of, to_fetch, wishes, with_pictures
from newsletter.compose.render import render_issue
from newsletter.errors import ConfigError
from newsletter.model import Image, PictureMode
from newsletter.store.images import Fetch

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
NONCE = "0123456789abcdef"
PICTURE = Image.of(b"x", "jpg", width=1104, height=620)


def test_the_lead_gets_the_large_slot_and_the_others_the_small_one(made):
    wanted, _ = wishes(made.made_items(6), Slots(), lead=True, shown=7)
    assert [(one.position, one.slot) for one in wanted] == [
        (1, (552, 310)),
        (2, (143, 95)),
        (3, (143, 95)),
        (5, (143, 95)),
    ]


def test_briefs_want_no_picture_and_a_design_without_slots_none_at_all(made):
    assert len(wishes(made.made_items(6), Slots(), lead=True, shown=2)[0]) == 2
    assert wishes(made.made_items(6), Slots(lead=None, item=None), lead=True, shown=7)[0] == ()
    assert [w.slot for w in wishes(made.made_items(3), Slots(), lead=False, shown=7)[0]] == [(143, 95)] * 3


@pytest.mark.parametrize(
    "address", ["data:image/png;base64,iVBORw0KGgo=", "javascript:1", "file:///etc/passwd", "/a.jpg"]
)
def test_an_address_that_is_none_of_the_web_is_told_and_not_asked(made, address):
    [item] = made.made_items(1)
    wanted, told = wishes([replace(item, image=address)], Slots(), lead=True, shown=7)
    assert wanted == ()
    assert [(one.level, one.where) for one in told] == [("warning", item.title)]


def test_an_issue_wants_a_bounded_number_of_pictures(made):
    many = [replace(item, image="https://vien.example/a.jpg") for item in made.made_items(80)]
    wanted, _ = wishes(many, Slots(), lead=True, shown=500)
    assert len(wanted) == pictures.MOST


def test_a_picture_is_asked_for_once_and_again_after_its_time():
    wish = Wish(position=1, title="A", url="https://vien.example/a.jpg", slot=(143, 95))
    again = replace(wish, position=2)
    assert [one.key for one in to_fetch([wish, again], {}, now=NOW)] == [wish.key]
    for image, age, asked in (
        (PICTURE, timedelta(days=6), False),
        (PICTURE, timedelta(days=8), True),
        (None, timedelta(minutes=9), False),
        (None, timedelta(minutes=11), True),
    ):
        known = {wish.key: Fetch(url=wish.url, at=NOW - age, image=image)}
        assert bool(to_fetch([wish], known, now=NOW)) is asked, (image, age)


def test_hosting_needs_https():
    assert mode_of(PictureMode.HOSTED, "http://localhost:8000") is PictureMode.LINKED
    assert mode_of(PictureMode.EMBEDDED, "http://localhost:8000") is PictureMode.EMBEDDED
    assert mode_of(PictureMode.HOSTED, "https://vien.example") is PictureMode.HOSTED
    assert pictures.insecure(PictureMode.HOSTED, "http://localhost:8000")
    assert not pictures.insecure(PictureMode.LINKED, "http://localhost:8000")


def test_an_item_whose_picture_cannot_be_had_shows_none_and_the_others_theirs(made):
    views = made.made_context(5).items
    shown = Shown(linked=False, places={1: Place(src="https://a.example/images/x.jpg", width=552, height=310)})
    made_views = with_pictures(views, shown)
    assert [view.image for view in made_views] == ["https://a.example/images/x.jpg", None, None, None, None]
    assert with_pictures(views, Shown()) == views  # linked: as the publisher has them


def test_width_height_and_alt_are_always_set_and_the_height_never_stretches(made, bulletin):
    context = made.made_context(5)
    places = {at: Place(src=f"cid:{at}.jpg@vien.example", width=552, height=311) for at in (1, 2, 3)}
    context = replace(context, items=with_pictures(context.items, Shown(linked=False, places=places)))
    html = render_issue(bulletin, context, nonce=NONCE, language="vi").html
    tags = [tag for tag in html.replace("\n", " ").split("<") if tag.startswith("img ")]
    assert len(tags) == 3
    assert 'width="552"' in tags[0]
    assert 'height="311"' in tags[0]
    assert 'width="143"' in tags[1]
    assert 'height="81"' in tags[1]
    for tag in tags:
        assert 'alt=""' in tag
        assert "height: auto !important" in tag
    assert 'src="cid:1.jpg@vien.example"' in tags[0]


def test_an_issue_without_its_pictures_renders_as_one_that_has_none(made, bulletin):
    context = made.made_context(9)
    bare = replace(context, items=with_pictures(context.items, Shown(linked=False)))
    without = made.made_context(9, pictures=False)
    assert (
        render_issue(bulletin, bare, nonce=NONCE, language="vi").html
        == render_issue(bulletin, without, nonce=NONCE, language="vi").html
    )


# ---------------------------------------------------------------- design.toml


def test_a_design_says_how_large_its_pictures_are(design_of, bulletin):
    assert design_of({"design.toml": "[pictures]\nlead = []\nitem = [312, 208]\n"}).pictures == Slots(
        lead=None, item=(312, 208)
    )
    assert bulletin.pictures == Slots()


@pytest.mark.parametrize(
    "line", ["lead = [552]", "lead = [0, 5]", "lead = 552", 'item = ["a", 2]', "item = [9999, 3]", "big = []"]
)
def test_a_wrong_size_is_told_with_its_key(design_of, tmp_path, line):
    with pytest.raises(ConfigError, match=r"pictures\.(lead|item|big)"):
        design_of({"design.toml": f"[pictures]\n{line}\n"})
    with pytest.raises(ConfigError):
        find_design("own", [tmp_path])
