"""The page on which staff change how a newsletter looks: over HTTP, and in a real Chromium with and without JavaScript."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe

from newsletter import readers
from newsletter.model import IssueState, Newsletter, NewsletterId, new_id
from newsletter.store import newsletters
from subscribers import ConsentGiven, ConsentSource, parse_address
from tests.web.conftest import World
from tests.web.test_browser import opened

PAGE = "/staff/designs/ban-tin"


def _newsletter(world: World) -> Newsletter:
    with world.app.db.read() as conn:
        found = newsletters.by_slug(conn, "ban-tin")
    assert found is not None
    return found


def _post(world: World, **options: str):
    design = options.pop("design", "bulletin")
    form = {"design": design} | {f"o.{name}": value for name, value in options.items()}
    return world.fetch(PAGE, form=form, cookie=world.log_in("en"))


def test_what_is_saved_is_what_differs_and_the_next_issue_looks_like_it(both_worlds: World) -> None:
    world = both_worlds
    answer = _post(world, accent="#7A1F5C", masthead="#0B3C66", logo="https://vien.example/logo.png", show_intro="no")
    assert (answer.status, answer.headers["location"].split("?")[0]) == (303, PAGE)
    assert _newsletter(world).options == {
        "accent": "#7A1F5C",
        "logo": "https://vien.example/logo.png",
        "show_intro": False,
    }
    world.compose()
    frame = world.fetch(f"/staff/issues/{world.issue().id}/frame", cookie=world.log_in("vi"))
    assert "#7A1F5C" in frame.text
    assert 'src="https://vien.example/logo.png"' in frame.text


def test_letters_of_the_list_take_the_accent_and_the_last_line_and_survive_a_design_that_is_gone(world: World) -> None:
    _post(world, accent="#7A1F5C", footer_text="Thư trả lời đều có người đọc.")
    assert "#7A1F5C" in _confirmation(world, "mai@doc-gia.example")
    assert "Thư trả lời đều có người đọc." in _confirmation(world, "hoa@doc-gia.example")
    with world.app.db.begin() as conn:
        newsletters.save(conn, replace(_newsletter(world), design="gone"), now=world.clock.now())
    assert "#0B4F8A" in _confirmation(world, "sen@doc-gia.example")


def _confirmation(world: World, address: str) -> str:
    """The HTML of the letter somebody gets who asks for the newsletter."""
    consent = ConsentGiven(form="test/1", wording="Yes", language="vi", source=ConsentSource.FORM)
    readers.join(world.app, "ban-doc", parse_address(address), consent=consent, language="vi")
    world.deliver()
    part = world.mail_to(address).get_body(("html",))
    assert part is not None
    return part.get_content()


def test_saving_changes_nothing_else_of_the_newsletter(world: World) -> None:
    before = _newsletter(world)
    _post(world, design="cards", accent="#7A1F5C")
    assert _newsletter(world) == replace(before, design="cards", options={"accent": "#7A1F5C"})


def test_a_value_that_does_not_fit_comes_back_beside_its_field_and_nothing_is_saved(world: World) -> None:
    answer = _post(world, accent="rot", logo="http://vien.example/a.png", logo_width="9", footer_text="Ơ" * 301)
    assert answer.status == 422
    for said in (
        "This is not a colour. Write # and six digits, like #0B4F8A.",
        "This is not an https address.",
        "Write a number from 24 to 552.",
        "Write at most 300 characters.",
    ):
        assert answer.text.count(said) == 1
    assert 'value="rot"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 4
    assert _newsletter(world).options == {}


def test_a_pale_colour_is_shown_with_the_shade_that_is_used(world: World) -> None:
    _post(world, accent="#F2C14E")
    page = world.fetch(f"{PAGE}?lang=vi", cookie=world.log_in("vi"))
    assert "#F2C14E khó đọc: độ tương phản 1,6:1 trên #FFFFFF." in page.text
    assert "Dùng #926A0B thay thế: 4,8:1." in page.text
    assert 'value="#F2C14E"' in page.text
    assert "#926A0B" in world.fetch(f"{PAGE}/frame", cookie=world.log_in("vi")).text


def test_an_issue_that_waits_for_approval_is_composed_again(world: World) -> None:
    before = world.compose()
    assert before.state is IssueState.PENDING_APPROVAL
    _post(world, accent="#7A1F5C")
    after = world.issue()
    assert after.state is IssueState.PENDING_APPROVAL
    assert after.content_hash != before.content_hash
    again = _post(world, accent="#7A1F5C")
    assert again.status == 303
    assert world.issue().content_hash == after.content_hash  # nothing changed: nobody's look at it is undone


def test_an_approved_issue_keeps_its_content(world: World) -> None:
    world.compose()
    approved = world.approve()
    _post(world, accent="#7A1F5C")
    assert world.issue() == approved


def test_looking_changes_nothing_and_shows_what_is_typed(world: World) -> None:
    before = world.dump()
    typed = urlencode({"design": "compact", "o.accent": "#7A1F5C", "o.fonts": "serif", "scheme": "dark", "in": "en"})
    cookie = world.log_in("en")
    page = world.fetch(f"{PAGE}?{typed}", cookie=cookie)
    assert '<option value="compact" selected>Compact list</option>' in page.text
    assert '<option value="serif" selected>With serifs</option>' in page.text
    frame = world.fetch(f"{PAGE}/frame?{typed}", cookie=cookie)
    assert "#7A1F5C" in frame.text
    assert "Noto Serif" in frame.text
    assert '<html lang="en"' in frame.text
    assert "@media all" in frame.text
    assert "sandbox" in frame.headers["content-security-policy"]
    assert world.dump() == before


def test_the_preview_shows_the_articles_of_the_latest_issue_once_there_is_one(world: World) -> None:
    cookie = world.log_in("vi")
    assert "vịnh Ỗi" in world.fetch(f"{PAGE}/frame", cookie=cookie).text
    world.compose()
    shown = world.fetch(f"{PAGE}/frame", cookie=cookie).text
    assert "vịnh Ổ Lợn" in shown
    assert "vịnh Ỗi" not in shown


def test_options_that_another_design_has_not_are_left_out(world: World) -> None:
    with world.app.db.begin() as conn:
        options = {"masthead": "#123456", "accent": 7}
        newsletters.save(conn, replace(_newsletter(world), options=options), now=world.clock.now())
    cookie = world.log_in("en")
    page = world.fetch(f"{PAGE}?design=compact", cookie=cookie)
    assert (page.status, "o.masthead" in page.text) == (200, False)
    assert 'value="#1A56B0"' in page.text
    assert world.fetch(f"{PAGE}/frame?design=compact", cookie=cookie).status == 200


def test_a_broken_design_of_ones_own_leaves_the_form_usable(world: World, tmp_path: Path) -> None:
    for name, facts in (("unreadable", "name = "), ("faulty", 'name = "Faulty"')):
        (tmp_path / "designs" / name).mkdir(parents=True)
        (tmp_path / "designs" / name / "design.toml").write_text(facts)
    (tmp_path / "designs" / "faulty" / "digest.mjml.j2").write_text("<mjml>\n{{ nobody }}\n</mjml>")
    with world.app.db.begin() as conn:
        newsletters.save(conn, replace(_newsletter(world), design="unreadable"), now=world.clock.now())
    cookie = world.log_in("en")
    page = world.fetch(PAGE, cookie=cookie)
    assert page.status == 200
    assert '<option value="bulletin" selected>' in page.text
    assert "unreadable" not in page.text
    frame = world.fetch(f"{PAGE}/frame?design=faulty", cookie=cookie)
    assert (frame.status, frame.text[:26]) == (422, "faulty/digest.mjml.j2:2: n")


@pytest.mark.parametrize("path", ["/staff/designs/nobody", f"{PAGE}?design=nobody", f"{PAGE}/frame?design=../letters"])
def test_what_is_not_there_is_a_page_that_says_so(world: World, path: str) -> None:
    assert world.fetch(path, cookie=world.log_in("en")).status == 404


def test_strangers_are_sent_to_the_login(world: World) -> None:
    for path in ("/staff/designs", PAGE, f"{PAGE}/frame"):
        assert "/staff/login" in world.fetch(path).headers["location"]
    world.fetch(PAGE, form={"design": "cards"})
    assert _newsletter(world).design == "bulletin"


def test_one_newsletter_is_opened_at_once_and_several_are_listed(world: World) -> None:
    cookie = world.log_in("vi")
    assert world.fetch("/staff/designs", cookie=cookie).headers["location"] == PAGE
    other = replace(
        _newsletter(world), id=NewsletterId(new_id()), slug="the-hai", name="Bản tin thứ hai", design="cards"
    )
    with world.app.db.begin() as conn:
        newsletters.save(conn, other, now=world.clock.now())
    page = world.fetch("/staff/designs", cookie=cookie)
    assert f'href="{PAGE}"' in page.text
    assert "Thẻ tạp chí" in page.text


# ---------------------------------------------------------------- in a browser


def test_switches_keep_what_is_typed_and_saving_works_without_javascript(browser, world):
    with opened(browser, world, PAGE, language="vi", java_script_enabled=False) as page:
        page.get_by_label("Màu nhấn", exact=True).fill("#7A1F5C")
        page.get_by_label("Lời mở đầu", exact=True).uncheck()
        page.get_by_role("button", name="Điện thoại").click()
        page.get_by_role("button", name="Tối").click()
        assert page.locator("iframe.w360").count() == 1
        assert page.get_by_label("Màu nhấn", exact=True).input_value() == "#7A1F5C"
        assert not page.get_by_label("Lời mở đầu", exact=True).is_checked()
        assert _newsletter(world).options == {}
        page.get_by_role("button", name="Lưu giao diện").click()
        assert page.get_by_role("status").count() == 1
        assert page.locator("iframe.w360").count() == 1
    assert _newsletter(world).options == {"accent": "#7A1F5C", "show_intro": False}


def test_the_preview_follows_what_is_typed_and_picked(browser, world):
    with opened(browser, world, PAGE, language="en") as page:
        with page.expect_request(lambda request: "o.accent=%237A1F5C" in request.url):
            page.get_by_label("Accent", exact=True).fill("#7A1F5C")
        assert page.get_by_label("Choose: Accent", exact=True).input_value() == "#7a1f5c"
        with page.expect_request(lambda request: "o.masthead=%23004020" in request.url):
            page.get_by_label("Choose: Masthead").fill("#004020")
        assert page.get_by_label("Masthead", exact=True).input_value() == "#004020"
        with page.expect_navigation():
            page.get_by_label("Kind of layout").select_option("compact")
        assert page.get_by_label("Masthead", exact=True).count() == 0
        assert page.get_by_label("Accent", exact=True).input_value() == "#7A1F5C"


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_page(browser, world, language, scheme):
    query = urlencode({"o.accent": "#F2C14E", "o.logo_width": "9"})
    for width in (320, 1200):
        with opened(browser, world, f"{PAGE}?{query}", width=width, language=language, color_scheme=scheme) as page:
            page.frame_locator("iframe").locator("h1").wait_for()
            found = Axe().run(page, context={"exclude": [["iframe"]]})  # the mail has its own test, in tests/compose
            assert found.response["violations"] == [], json.dumps(found.response["violations"])[:2000]
            assert page.evaluate("document.documentElement.scrollWidth") <= width
