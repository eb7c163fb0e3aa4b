"""Staff add an article by hand: what is typed becomes an article, or comes back with what is wrong."""

import pytest

from newsletter.model import SourceKind
from newsletter.store import articles, sources

NEW = "/staff/articles/new"
TEXT = (
    "Trạm đo mới ở cửa sông\r\n\r\nNgày 20/11/2026, Viện khai trương trạm đo mực nước ở cửa sông.\r\n"
    "Số liệu gửi mười phút một lần."
)


def post(world, cookie, **fields):
    return world.fetch(
        NEW, form={"text": TEXT, "title": "", "date": "", "url": "", "author": "", **fields}, cookie=cookie
    )


def test_a_pasted_text_becomes_an_article_and_the_same_one_does_not_twice(both_worlds):
    world, cookie = both_worlds, both_worlds.log_in()
    answer = post(world, cookie, author="Lê Sóng")
    assert answer.status == 303
    path = answer.headers["location"]
    page = world.fetch(path, cookie=cookie).text
    assert "Đã thêm bài viết" in page
    assert '<h1 lang="vi">Trạm đo mới ở cửa sông</h1>' in page
    assert "Số liệu gửi mười phút một lần." in page
    again = post(world, cookie)
    assert again.headers["location"] == path.replace("added=new", "added=known")
    with world.app.db.read() as conn:
        found = articles.get(conn, path.split("/")[-1].partition("?")[0])
    assert found is not None
    assert (found.authors, str(found.published), found.source_name, found.named) == (
        ("Lê Sóng",),
        "2026-11-20",
        "Văn phòng Viện",
        True,
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": " \r\n "}, "Please paste the text."),
        ({"url": "javascript:alert(1)"}, "This is not a web address"),
        ({"date": "<b>x"}, "This date cannot be read."),
        ({"text": "chữ " * 60_000}, "The text is too long."),
        ({"source": "none"}, "There is no such source any more"),
    ],
)
def test_what_cannot_be_taken_comes_back_as_it_was_typed(world, fields, said):
    before = world.dump()
    answer = post(world, world.log_in("en"), title="<i>Tên & bài", **fields)
    assert answer.status == 422
    assert said in answer.text
    assert 'value="&lt;i&gt;Tên &amp; bài"' in answer.text
    assert "<i>Tên" not in answer.text
    assert world.dump() == before


def test_a_text_larger_than_any_article_is_refused_whole(world):
    assert post(world, world.log_in(), text="x" * (3 << 20)).status == 413


def test_only_staff_reach_the_form_and_no_other_site_posts_it(world):
    before = world.dump()
    assert world.fetch(NEW).headers["location"].startswith("/staff/login?next=")
    assert post(world, "").status == 303
    foreign = world.fetch(
        NEW, form={"text": TEXT}, cookie=world.log_in(), headers={"Origin": "https://elsewhere.example"}
    )
    assert foreign.status == 403
    assert world.dump() == before


def test_the_source_is_asked_for_only_where_there_are_several(world):
    cookie = world.log_in("en")
    assert "<select" not in world.fetch(NEW, cookie=cookie).text
    with world.app.db.begin() as conn:
        sources.add(conn, sources.new("b", SourceKind.MANUAL, "", name="Ban B"), now=world.clock.now())
    assert '<option value="b">Ban B</option>' in world.fetch(NEW, cookie=cookie).text
    assert post(world, cookie).status == 422
    answer = post(world, cookie, source="b")
    assert "Ban B" in world.fetch(answer.headers["location"], cookie=cookie).text
