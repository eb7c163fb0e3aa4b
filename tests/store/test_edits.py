"""What staff said of an issue's articles, and what was decided about them, as rows on both databases."""

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from newsletter.errors import BadInput, NotAllowed
from newsletter.model import (
    ApprovalPolicy,
    ArticleId,
    Basis,
    Decision,
    Edit,
    IssueId,
    IssueState,
    Item,
    ItemField,
    Newsletter,
    NewsletterId,
    Pin,
    Presence,
    RawItem,
    Report,
    SectionRule,
    SourceKind,
    new_id,
)
from newsletter.store import Database, articles, edits, issues, newsletters, sources
from newsletter.store import decisions as rows
from tests.conftest import NOW

SECTIONS = (
    SectionRule(title="Biển", titles={"en": "The sea"}, topics=("hải dương",), words=("sóng",), limit=3),
    SectionRule(title="Tin khác"),
)


@pytest.fixture
def opened(db: Database) -> tuple[IssueId, list[ArticleId]]:
    """A draft and three articles it may take."""
    with db.begin() as conn:
        source = sources.new("van-phong", SourceKind.MANUAL, "", name="Văn phòng", weight=2)
        sources.add(conn, source, now=NOW)
        letter = Newsletter(
            id=NewsletterId(new_id()), slug="ban-tin", name="Bản tin", language="vi", languages=("vi",), design="bulletin",
            options={}, list_slug="ban-doc", cron="0 8 * * 1", timezone="Asia/Ho_Chi_Minh", approval=ApprovalPolicy.MANUAL,
            compose_lead=timedelta(hours=24), latest_start=timedelta(hours=12), max_items=5, unknown_policy="hold",
            active=True, source_ids=(source.id,), sections=SECTIONS, max_per_source=4,
        )  # fmt: skip
        newsletters.save(conn, letter, now=NOW)
        found = [
            articles.add(conn, source, RawItem(title=f"Tin {n}", text="Bài."), keys=[f"t:{n}"], now=NOW, language="vi")
            for n in range(3)
        ]
        issue = issues.open_issue(conn, letter, "2026-11-23T08:00", send_at=NOW, now=NOW)
    assert issue is not None
    return issue, found


def says(article: ArticleId, field: ItemField, value: str | None, *, hour: int = 0, by: str = "Lan") -> Edit:
    return Edit(at=NOW + timedelta(hours=hour), by=by, article_id=article, field=field, value=value)


def test_sections_limits_and_weights_are_read_as_they_were_written(
    db: Database, opened: tuple[IssueId, list[ArticleId]]
) -> None:
    with db.begin() as conn:
        letter = newsletters.by_slug(conn, "ban-tin")
        assert letter is not None
        assert (letter.sections, letter.max_per_source) == (SECTIONS, 4)
        newsletters.save(conn, replace(letter, sections=(), max_per_source=None), now=NOW)
        changed = newsletters.by_slug(conn, "ban-tin")
        assert changed is not None
        assert (changed.sections, changed.max_per_source) == ((), None)
        articles.weigh(conn, opened[1][0], -3)
        weighed = articles.get(conn, opened[1][0])
        assert weighed is not None
        assert (weighed.weight, weighed.source_weight) == (-3, 2)
        for wrong in (("nothing", 1), (opened[1][0], 4)):
            with pytest.raises(BadInput):
                articles.weigh(conn, *wrong)


def test_the_latest_of_each_field_counts_and_nothing_is_lost(
    db: Database, opened: tuple[IssueId, list[ArticleId]]
) -> None:
    issue, (one, other, third) = opened
    said = [
        says(one, ItemField.TITLE, "Tên một"),
        says(one, ItemField.PLACE, "3", hour=1, by="Minh"),
        says(one, ItemField.TITLE, "Tên hai", hour=2),
        says(other, ItemField.PRESENCE, Presence.OUT),
        says(third, ItemField.PIN, Pin.LEAD),
        says(third, ItemField.PIN, None, hour=3),
    ]
    with db.begin() as conn:
        for edit in said:
            edits.record(conn, issue, [edit])
    with db.read() as conn:
        assert edits.history(conn, issue) == said
        counting = edits.overrides(conn, issue)
    assert set(counting) == {one, other}
    assert (counting[one].title, counting[one].place, counting[one].by) == ("Tên hai", 3, "Lan")
    assert counting[one].worded_at == NOW + timedelta(hours=2)
    assert counting[one].placed_at == NOW + timedelta(hours=1)
    assert (counting[other].left_out, counting[other].presence_by) == (True, "Lan")


def test_what_the_guard_found_counts_as_long_as_the_words_do(
    db: Database, opened: tuple[IssueId, list[ArticleId]]
) -> None:
    issue, (one, *_) = opened
    doubted = replace(says(one, ItemField.SUMMARY, "Có 777 phao."), doubts=("figure: 777",))
    with db.begin() as conn:
        edits.record(conn, issue, [doubted])
        assert edits.overrides(conn, issue)[one].doubts == ("figure: 777",)
        edits.record(conn, issue, [says(one, ItemField.SUMMARY, None, hour=1), says(one, ItemField.PLACE, "1", hour=1)])
        assert edits.overrides(conn, issue)[one].doubts == ()


def decided(article: ArticleId, position: int | None, score: float = 0.5, **more: object) -> Decision:
    item = None
    if position is not None:
        item = Item(
            article_id=article, position=position, section="Biển", title="Tin", url="https://vien.example/1", summary="Bài.",
            source="Văn phòng", author=None, image=None, language="vi", published=date(2026, 11, 20),
            also=(Report(source="Báo", url="https://bao.example/1"),), section_titles={"en": "The sea"}, section_at=1,
            only_web=True, edited=(ItemField.TITLE, ItemField.PIN),
        )  # fmt: skip
    basis = Basis(fresh=score, story=0.5, source=1.0, article=-0.5, section="Biển", rule="word sóng")
    return Decision(
        article_id=article, included=item is not None, reason="in" if item else "no", item=item, basis=basis
    )


def test_decisions_come_back_whole_those_in_first_then_the_best_ranked(
    db: Database, opened: tuple[IssueId, list[ArticleId]]
) -> None:
    issue, (one, other, third) = opened
    wanted = [decided(third, 1), decided(other, None, 0.9), decided(one, None, 0.1)]
    with db.begin() as conn:
        rows.write(conn, issue, wanted[::-1])
        assert issues.decisions(conn, issue) == wanted
        ((about, decision, name),) = issues.decisions_about(conn, third)
        assert (about.id, decision, name) == (issue, wanted[0], "Bản tin")


def test_an_issue_composed_by_an_earlier_version_is_read(db: Database, opened: tuple[IssueId, list[ArticleId]]) -> None:
    issue, (one, *_) = opened
    item = decided(one, 1).item
    assert item is not None
    with db.begin() as conn:
        rows.write(conn, issue, [decided(one, 1)])
        old = {
            "article_id": one, "position": 1, "section": None, "title": "Tin", "url": "https://vien.example/1",
            "summary": "Bài.", "source": "Văn phòng", "author": None, "image": None, "language": "vi", "published": None,
        }  # fmt: skip
        conn.exec_driver_sql(f"UPDATE issue_articles SET item = '{json.dumps(old)}', basis = NULL")
        (decision,) = issues.decisions(conn, issue)
    assert decision.basis is None
    assert decision.item is not None
    assert (decision.item.edited, decision.item.only_web, decision.item.section_titles) == ((), False, {})


@pytest.mark.parametrize("state", [IssueState.SENDING, IssueState.SENT, IssueState.CANCELLED, IssueState.SKIPPED])
def test_nothing_is_said_of_an_issue_that_is_sent_or_closed(
    db: Database, opened: tuple[IssueId, list[ArticleId]], state: IssueState
) -> None:
    issue, (one, *_) = opened
    with db.begin() as conn:
        conn.exec_driver_sql(f"UPDATE issues SET state = '{state}'")
    with pytest.raises(NotAllowed), db.begin() as conn:
        edits.record(conn, issue, [says(one, ItemField.TITLE, "Tên")])
    with db.read() as conn:
        assert edits.history(conn, issue) == []


@pytest.mark.parametrize("state", [IssueState.DRAFT, IssueState.PENDING_APPROVAL, IssueState.SCHEDULED])
def test_what_is_said_takes_an_approval_back(
    db: Database, opened: tuple[IssueId, list[ArticleId]], state: IssueState
) -> None:
    issue, (one, *_) = opened
    with db.begin() as conn:
        conn.exec_driver_sql(f"UPDATE issues SET state = '{state}', approved_hash = 'x', approved_by = 'y'")
        edits.record(conn, issue, [says(one, ItemField.TITLE, "Tên")])
        found = issues.get(conn, issue)
    assert (found.state, found.approved_hash, found.approved_by) == (IssueState.DRAFT, None, None)
    assert found.reason == edits.SENT_BACK
