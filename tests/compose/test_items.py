"""Issues with staff's words, composed for real: what survives, what collides, what is checked again."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from newsletter import compose, schedule, summarise
from newsletter.app import App
from newsletter.compose import items as doing
from newsletter.errors import BadInput, NotAllowed
from newsletter.model import (
    ApprovalPolicy,
    ArticleId,
    Issue,
    IssueId,
    IssueState,
    ItemField,
    Newsletter,
    NewsletterId,
    Pin,
    Presence,
    RawItem,
    SourceKind,
    new_id,
)
from newsletter.store import articles, edits, issues, newsletters, sources
from tests.conftest import NOW

STORIES = (
    ("Phao đo sóng giữa vịnh", "Sáu phao gửi độ cao của nước về bờ mười phút một lần. Mỗi phao nặng chín cân."),
    ("Lúa chịu mặn vụ đầu", "Ba hợp tác xã gieo giống mới trên 48 héc-ta. Chi phí phân bón giảm 11,4 %."),
    ("Thư viện số mở cửa", "Báo cáo của hai mươi năm đã được quét. Bạn đọc tìm được theo tên người và địa danh."),
)


@pytest.fixture
def app(make_app: Callable[..., App]) -> App:
    """Three ready articles and a newsletter that takes two."""
    app = make_app()
    with app.db.begin() as conn:
        source = sources.new("van-phong", SourceKind.MANUAL, "", name="Văn phòng", language="vi")
        sources.add(conn, source, now=NOW)
        for n, (title, text) in enumerate(STORIES):
            item = RawItem(title=title, text=text, url=f"https://vien.example/{n}", published=NOW - timedelta(days=n))
            articles.add(conn, source, item, keys=[f"t:{n}"], now=NOW, language="vi")
        newsletters.save(conn, _letter(source.id), now=NOW)
    summarise.run(app, NOW)
    return app


def _letter(source_id: object) -> Newsletter:
    return Newsletter(
        id=NewsletterId(new_id()), slug="ban-tin", name="Bản tin", language="vi", languages=("vi",), design="bulletin",
        options={}, list_slug="ban-doc", cron="0 8 * * 1", timezone="Asia/Ho_Chi_Minh", approval=ApprovalPolicy.MANUAL,
        compose_lead=timedelta(hours=24), latest_start=timedelta(hours=12), max_items=2, unknown_policy="hold",
        active=True, source_ids=(source_id,),  # type: ignore[arg-type]
    )  # fmt: skip


def extra(app: App, *, minutes: int = 60) -> IssueId:
    """A draft that is sent some time from now."""
    with app.db.begin() as conn:
        letter = newsletters.by_slug(conn, "ban-tin")
        assert letter is not None
        return schedule.open_extra(conn, letter, now=NOW + timedelta(minutes=minutes))


def composed(app: App) -> IssueId:
    issue = extra(app)
    assert compose.compose_issues(app, NOW) == 1
    return issue


def titles(app: App, issue: IssueId) -> list[str]:
    with app.db.read() as conn:
        return [decision.item.title for decision in issues.decisions(conn, issue) if decision.item]


def the(app: App, number: int) -> ArticleId:
    with app.db.read() as conn:
        return next(one.id for one in articles.listed(conn) if one.title == STORIES[number][0])


def say(app: App, issue: IssueId, number: int, **said: str | None) -> bool:
    wanted = {ItemField(name): value for name, value in said.items()}
    with app.db.begin() as conn:
        return doing.change(conn, issue, the(app, number), wanted, by="Lan", now=NOW)


def state(app: App, issue: IssueId) -> Issue:
    with app.db.read() as conn:
        return issues.get(conn, issue)


def test_an_edit_takes_the_issue_back_and_survives_every_composing(app: App) -> None:
    issue = composed(app)
    assert say(app, issue, 1, title="Tên khác", pin=Pin.LEAD)
    assert state(app, issue).state is IssueState.DRAFT
    for _ in range(2):
        compose.compose_issues(app, NOW)
        assert titles(app, issue) == ["Tên khác", STORIES[0][0]]
        assert "Tên khác" in (state(app, issue).subject or "")
        with app.db.begin() as conn:
            issues.back_to_draft(conn, issue, reason="x")
    assert not say(app, issue, 1, title="Tên khác")


def test_words_equal_to_the_article_s_are_nothing_said(app: App) -> None:
    issue = composed(app)
    assert not say(app, issue, 0, title=STORIES[0][0])
    assert say(app, issue, 0, title="Tên khác")
    assert say(app, issue, 0, title=STORIES[0][0])
    with app.db.read() as conn:
        assert edits.overrides(conn, issue) == {}


def test_there_is_one_lead_and_a_place_takes_back_a_pin(app: App) -> None:
    issue = composed(app)
    say(app, issue, 1, pin=Pin.LEAD)
    say(app, issue, 0, pin=Pin.LEAD)
    with app.db.read() as conn:
        assert [said.pin for said in edits.overrides(conn, issue).values()] == [Pin.LEAD]
    say(app, issue, 0, place="2")
    with app.db.read() as conn:
        (said,) = edits.overrides(conn, issue).values()
    assert (said.pin, said.place) == (None, 2)


def test_an_edit_while_it_is_rendered_is_not_lost(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was rendered from older words is thrown away; the next run composes it."""
    issue = extra(app)
    rendered = compose.render_mailing

    def slow(*args: object, **more: object) -> object:
        monkeypatch.setattr(compose, "render_mailing", rendered)
        say(app, issue, 0, title="Tên mới")
        return rendered(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(compose, "render_mailing", slow)
    assert compose.compose_issues(app, NOW) == 0
    assert state(app, issue).state is IssueState.DRAFT
    assert compose.compose_issues(app, NOW) == 1
    assert titles(app, issue)[0] == "Tên mới"


def test_two_drafts_never_take_one_article(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is composed whole while the first is being rendered."""
    first, second = extra(app), extra(app, minutes=120)
    rendered = compose.render_mailing

    def slow(*args: object, **more: object) -> object:
        monkeypatch.setattr(compose, "render_mailing", rendered)
        assert compose.compose_issue(app, state(app, second), NOW) == 1
        return rendered(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(compose, "render_mailing", slow)
    assert compose.compose_issue(app, state(app, first), NOW) == 0
    assert compose.compose_issues(app, NOW) == 1
    assert not set(titles(app, first)) & set(titles(app, second))
    assert len(titles(app, first)) + len(titles(app, second)) == 3


def test_an_article_of_another_issue_and_a_held_one_cannot_be_taken_in(app: App) -> None:
    composed(app)
    other = composed(app)
    with pytest.raises(NotAllowed, match="already in issue 1"):
        say(app, other, 0, presence=Presence.IN)
    with app.db.begin() as conn:
        conn.exec_driver_sql(f"UPDATE articles SET state = 'held', reason = 'doubt' WHERE id = '{the(app, 2)}'")
    with pytest.raises(NotAllowed, match="held: doubt"):
        say(app, other, 2, presence=Presence.IN)


def test_a_held_article_has_its_decision_too(app: App) -> None:
    with app.db.begin() as conn:
        conn.exec_driver_sql(f"UPDATE articles SET state = 'held', reason = 'doubt' WHERE id = '{the(app, 2)}'")
    issue = composed(app)
    with app.db.read() as conn:
        reasons = {decision.article_id: decision.reason for decision in issues.decisions(conn, issue)}
    assert reasons[the(app, 2)] == "held: doubt"


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"place": "0"}, "a place is a number from 1"),
        ({"place": "x"}, "a place is a number from 1"),
        ({"image": "http://vien.example/a.jpg"}, "https"),
        ({"pin": "middle"}, "pin is lead or first"),
        ({"presence": "maybe"}, "presence is in or out"),
    ],
)
def test_what_cannot_be_is_refused(app: App, said: dict[str, str], fault: str) -> None:
    issue = composed(app)
    with pytest.raises(BadInput, match=fault):
        say(app, issue, 0, **said)
    assert state(app, issue).state is IssueState.PENDING_APPROVAL


def test_a_correction_under_a_person_s_words_is_flagged(app: App) -> None:
    issue = composed(app)
    say(app, issue, 0, summary="Sáu phao gửi tin về bờ.")
    with app.db.begin() as conn:
        conn.exec_driver_sql(
            f"UPDATE articles SET changed_at = '2026-11-23T02:00:00.000000Z' WHERE id = '{the(app, 0)}'"
        )
    compose.compose_issues(app, NOW)
    messages = [finding.message for finding in state(app, issue).preflight if finding.check == "edit"]
    assert messages == ["the article changed after its summary was edited"]


def test_a_draft_without_an_article_says_what_was_decided_about_each(app: App) -> None:
    issue = composed(app)
    for number in range(3):
        say(app, issue, number, presence=Presence.OUT)
    assert compose.compose_issues(app, NOW) == 0
    assert state(app, issue).reason == "nothing new yet"
    with app.db.read() as conn:
        assert {decision.reason for decision in issues.decisions(conn, issue)} == {"left out by Lan"}
    say(app, issue, 0, presence=None)
    assert compose.compose_issues(app, NOW) == 1
    assert titles(app, issue) == [STORIES[0][0]]
