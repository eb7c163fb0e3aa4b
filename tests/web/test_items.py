"""What staff do to the articles of an issue on its review page, as posted forms on a real server and in a real browser."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from newsletter.compose.safe import bound
from newsletter.locale import labels
from newsletter.model import IssueState, SectionRule
from newsletter.store import articles, edits, issues, newsletters
from newsletter.web.reasons import reason_in

SECTIONS = (
    SectionRule(title="Biển", titles={"en": "The sea"}, words=("sóng", "wave")),
    SectionRule(title="Tin khác", titles={"en": "Other news"}),
)


def sectioned(world, **changes):
    """The issue, composed with two sections."""
    with world.app.db.begin() as conn:
        letter = newsletters.by_slug(conn, "ban-tin")
        newsletters.save(conn, replace(letter, sections=SECTIONS, **changes), now=world.clock.now())
    return world.compose()


def decided(world):
    with world.app.db.read() as conn:
        return issues.decisions(conn, world.issue().id)


def items(world):
    return [decision.item for decision in decided(world) if decision.item]


def press(world, do, of, /, *, language="vi", **fields):
    path = f"/staff/issues/{world.issue().id}/items/{world.article(of)}"
    return world.fetch(path, form={"do": do, **fields}, cookie=world.log_in(language))


def words(item, **changes):
    """What the form of an item sends."""
    shown = {"title": item.title, "summary": item.summary, "image": item.image or "", "section": item.section or ""}
    return shown | changes


def test_staff_s_words_are_used_signed_and_survive_composing(both_worlds):
    world = both_worlds
    before = sectioned(world)
    item = items(world)[0]
    answer = press(world, "edit", item.title, **words(item, title="Phao mới giữa vịnh Ổ Lợn", section="Chuyên đề"))
    assert answer.status == 303
    assert urlsplit(answer.headers["location"]).fragment == f"item-{item.article_id}"
    issue = world.issue()
    assert (issue.state, issue.content_hash == before.content_hash) == (IssueState.PENDING_APPROVAL, False)
    page = world.fetch(f"/staff/issues/{issue.id}", cookie=world.log_in()).text
    assert re.search(r"Đã đổi cho số này:\s+tiêu đề, chuyên mục\s+· Trần Thị Biên Tập, Chủ nhật", page)
    with world.app.db.begin() as conn:
        issues.back_to_draft(conn, issue.id, reason="x")
    world.compose()
    kept = next(one for one in items(world) if one.article_id == item.article_id)
    assert (kept.title, kept.section) == ("Phao mới giữa vịnh Ổ Lợn", "Chuyên đề")
    with world.app.db.read() as conn:
        assert [(edit.field, edit.by) for edit in edits.history(conn, issue.id)] == [
            ("title", "Trần Thị Biên Tập"),
            ("section", "Trần Thị Biên Tập"),
        ]
        assert articles.get(conn, item.article_id).title == item.title


def test_a_form_sent_as_it_was_shown_changes_nothing(world):
    issue = sectioned(world)
    for item in items(world):
        assert press(world, "edit", item.title, **words(item)).status == 303
    with world.app.db.read() as conn:
        assert edits.history(conn, issue.id) == []
    assert world.issue() == issue


def test_what_the_guard_finds_in_a_summary_is_shown_beside_it_and_among_the_findings(world):
    sectioned(world)
    item = items(world)[0]
    press(world, "edit", item.title, **words(item, summary="Sáu phao gửi 777 tin về bờ."))
    page = world.fetch(f"/staff/issues/{world.issue().id}", cookie=world.log_in()).text
    assert page.count("con số không có trong bài: 777") == 2
    assert "bài viết không xác nhận" in page
    assert "Sáu phao gửi 777 tin về bờ." in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("summary", "<b>Sáu</b> phao.", "có mã định dạng"),
        ("title", "Xem https://xau.example", "có mã định dạng"),
        ("section", "<script>x</script>", "có mã định dạng"),
        ("image", "http://anh.example/a.jpg", "địa chỉ ảnh phải bắt đầu bằng https://"),
        ("summary", "x" * 601, "có 601 ký tự"),
    ],
)
def test_what_cannot_be_printed_comes_back_to_be_mended(world, field, value, said):
    issue = sectioned(world)
    item = items(world)[0]
    answer = press(world, "edit", item.title, **words(item, **{field: value}))
    assert answer.status == 422
    assert said in answer.text
    assert "<details open>" in answer.text
    assert value.replace("<", "&lt;").replace(">", "&gt;") in answer.text
    assert world.issue() == issue


def test_an_article_is_left_out_and_taken_in_again(world):
    sectioned(world)
    first, fourth = items(world)[0], decided(world)[-1]
    assert not fourth.included
    press(world, "out", first.title)
    page = world.fetch(f"/staff/issues/{world.issue().id}", cookie=world.log_in("en")).text
    assert "left out by Trần Thị Biên Tập" in page
    assert "Do not leave it out" in page
    assert [decision.included for decision in decided(world)] == [True] * 3 + [False]
    press(world, "undo", first.title)
    assert items(world)[0].article_id == first.article_id
    with world.app.db.read() as conn:
        title = articles.get(conn, fourth.article_id).title
    press(world, "in", title)
    assert [decision.included for decision in decided(world)] == [True] * 4 or "over the limit" in decided(world)[
        -1
    ].reason
    assert any(decision.reason == "in: taken in by Trần Thị Biên Tập" for decision in decided(world))


def test_the_lead_is_chosen_and_given_back(world):
    sectioned(world)
    first, _, third = items(world)
    press(world, "lead", third.title)
    assert items(world)[0].article_id == third.article_id
    assert world.issue().subject.startswith(third.title[:20])
    press(world, "unpin", third.title)
    assert items(world)[0].article_id == first.article_id


def test_a_change_of_an_approved_issue_asks_for_another_approval(world):
    sectioned(world)
    approved = world.approve()
    page = world.fetch(f"/staff/issues/{approved.id}", cookie=world.log_in("en")).text
    assert "it must be approved again" in page
    press(world, "out", items(world)[1].title)
    issue = world.issue()
    assert (issue.state, issue.approved_hash, issue.approved_by) == (IssueState.PENDING_APPROVAL, None, None)


def test_an_issue_that_is_being_sent_cannot_be_changed(world):
    sectioned(world)
    world.approve()
    world.release()
    before = world.dump()
    answer = press(world, "out", items(world)[0].title)
    assert answer.status == 409
    assert "không làm được nữa: đang gửi" in answer.text
    assert 'name="do"' not in answer.text
    assert world.dump() == before


def test_nothing_is_changed_by_a_link_an_unknown_act_or_an_unknown_article(world):
    issue = sectioned(world)
    path = f"/staff/issues/{issue.id}/items/{items(world)[0].article_id}"
    before = world.dump()
    assert world.fetch(f"{path}?do=out", cookie=world.log_in()).status == 405
    assert world.fetch(path, form={"do": "burn"}, cookie=world.log_in()).status == 303
    assert world.fetch(path.rsplit("/", 1)[0] + "/nothing", form={"do": "out"}, cookie=world.log_in()).status == 404
    assert world.fetch(path, form={"do": "out"}).status in (303, 401, 403)
    assert world.dump() == before


def test_the_web_lists_what_the_mail_only_counts(world):
    limited = (replace(SECTIONS[0], limit=1), SECTIONS[1])
    with world.app.db.begin() as conn:
        letter = newsletters.by_slug(conn, "ban-tin")
        newsletters.save(conn, replace(letter, sections=limited, max_items=9), now=world.clock.now())
    world.compose()
    (hidden,) = [item for item in items(world) if item.only_web]
    issue = world.approve()
    mail = world.fetch(f"/issues/{issue.id}").text
    assert bound(hidden.title) not in mail
    assert f"/issues/{issue.id}/all?lang=" in mail
    for language, title in (("vi", "Biển"), ("en", "The sea")):
        everything = world.fetch(f"/issues/{issue.id}/all?lang={language}").text
        assert all(bound(item.title) in everything for item in items(world))
        assert f"<h2>{title}</h2>" in everything


def test_the_list_is_nobody_s_business_before_it_is_approved(world):
    issue = sectioned(world)
    assert world.fetch(f"/issues/{issue.id}/all").status == 404


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("over the limit of 3 of Báo Biển", "vượt giới hạn 3 bài của Báo Biển"),
        ("over the limit of 3", "vượt giới hạn 3 bài"),
        ("in, only on the web: over the limit of 2 in “Biển”", "chỉ có trên web: vượt giới hạn 2 bài của mục “Biển”"),
        ("in: taken in by Lan", "Lan đã đưa vào"),
        ("left out by Lan", "Lan đã bỏ ra"),
        ("word cơn bão", "theo từ “cơn bão”"),
        ("an item was changed", "một bài trong số đã thay đổi; số này được dựng lại"),
    ],
)
def test_reasons_are_told_in_vietnamese(stored, said):
    assert reason_in(labels("vi"), stored) == said


def test_a_weight_of_staff_puts_an_article_first(world):
    sectioned(world)
    last = items(world)[-1]
    path, cookie = f"/staff/articles/{last.article_id}", world.log_in()
    for value, kept in (("3", 3), ("9", 3), ("viel", 3)):
        assert world.fetch(f"{path}/weigh", form={"weight": value}, cookie=cookie).status == 303
        with world.app.db.read() as conn:
            assert articles.get(conn, last.article_id).weight == kept
    assert '<option value="3" selected>+3</option>' in world.fetch(path, cookie=cookie).text
    with world.app.db.begin() as conn:
        issues.back_to_draft(conn, world.issue().id, reason="x")
    world.compose()
    assert items(world)[0].article_id == last.article_id


# ---------------------------------------------------------------- in a browser


def opened(browser, world, *, width=1200, language="vi", **options):
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    name, value = world.log_in(language).split("=", 1)
    context.add_cookies([{"name": name, "value": value, "url": world.url}])
    page = context.new_page()
    page.goto(f"{world.url}/staff/issues/{world.issue().id}")
    return page


def test_the_keyboard_alone_moves_an_article_without_javascript(browser, world):
    sectioned(world, max_items=4)
    _, *rest = [item for item in items(world) if item.section is None]
    page = opened(browser, world, java_script_enabled=False, language="en")
    up = page.get_by_role("button", name=f"Up: {rest[0].title}")
    up.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/staff/issues/*#up-{rest[0].article_id}")
    after = [item.article_id for item in items(world) if item.section is None]
    assert after[0] == rest[0].article_id
    page.context.close()


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_page_has_no_accessibility_fault_and_no_sideways_scroll(browser, world, language):
    issue = sectioned(world)
    item = items(world)[0]
    press(world, "edit", item.title, **words(item, summary="Sáu phao gửi 777 tin về bờ."))
    press(world, "out", items(world)[2].title)
    world.approve()
    for width, scheme in ((1200, "light"), (360, "dark")):
        page = opened(browser, world, width=width, language=language, color_scheme=scheme)
        article = f"/staff/articles/{item.article_id}"
        for at in (f"/staff/issues/{issue.id}", f"/issues/{issue.id}/all?lang={language}", article):
            page.goto(world.url + at)
            page.evaluate("document.querySelectorAll('.under details').forEach(one => one.open = true)")
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
        page.context.close()
