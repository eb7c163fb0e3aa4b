"""The versions of an issue are kept in order, and only where something differs."""

from datetime import timedelta

from newsletter.model import ApprovalPolicy, Newsletter, NewsletterId, new_id
from newsletter.store import Database, issues, newsletters, versions
from tests.conftest import NOW


def test_versions_are_numbered_and_the_same_again_is_none(db: Database) -> None:
    letter = Newsletter(
        id=NewsletterId(new_id()),
        slug="ban-tin",
        name="Bản tin",
        language="vi",
        languages=("vi",),
        design="bulletin",
        options={},
        list_slug="ban-doc",
        cron="0 8 * * 1",
        timezone="Asia/Ho_Chi_Minh",
        approval=ApprovalPolicy.MANUAL,
        compose_lead=timedelta(0),
        latest_start=timedelta(hours=12),
        max_items=5,
        unknown_policy="hold",
        active=True,
    )
    with db.begin() as conn:
        newsletters.save(conn, letter, now=NOW)
        issue_id = issues.open_issue(conn, letter, "extra-1", send_at=NOW, now=NOW)
        assert issue_id is not None
        assert versions.of_issue(conn, issue_id) == []
        numbers = [
            versions.keep(conn, issue_id, {"số": number}, content_hash="0" * 64, now=NOW) for number in (1, 1, 2, 1)
        ]
    assert numbers == [1, 1, 2, 3]
    with db.read() as conn:
        kept = versions.of_issue(conn, issue_id)
    assert [(one.version, one.manifest["số"], one.composed_at) for one in kept] == [
        (3, 1, NOW),
        (2, 2, NOW),
        (1, 1, NOW),
    ]
