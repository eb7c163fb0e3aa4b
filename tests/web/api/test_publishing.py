"""Newsletters, issues, their content and numbers, sources and articles, and what came back, over the API."""

import pytest

from newsletter.model import EventType, IssueState, Scope
from newsletter.store import events, issues


@pytest.fixture
def waiting(both, both_worlds):
    """An issue that waits for approval."""
    return both_worlds.compose()


def yes(content_hash):
    """Preflight finds the test server's plain http to be an error."""
    return {"content_hash": content_hash, "despite_errors": True}


def test_an_issue_is_looked_at_approved_by_its_hash_and_sent(both, both_worlds, waiting):
    path = f"/issues/{waiting.id}"
    seen = both("GET", path).json
    assert (seen["state"], seen["newsletter"], seen["content_hash"]) == (
        "pending_approval",
        "ban-tin",
        waiting.content_hash,
    )
    assert sum(item["included"] for item in seen["items"]) == 3
    assert all(item["reason"] for item in seen["items"])
    assert both("GET", f"{path}/content").json["content_hash"] == waiting.content_hash

    other = both("POST", f"{path}/approve", yes("0" * 64))
    assert (other.status, both_worlds.issue().state) == (409, IssueState.PENDING_APPROVAL)
    assert "content changed" in other.problem
    said = both("POST", f"{path}/approve", yes(waiting.content_hash))
    assert (said.status, said.json["state"], said.json["approved_by"]) == (200, "scheduled", "api: all")
    assert both("POST", f"{path}/approve", yes(waiting.content_hash)).status == 409, "not waiting any more"

    both_worlds.release()
    both_worlds.deliver()
    assert both("GET", path).json["state"] == "sent"
    numbers = both("GET", f"{path}/stats").json
    assert (numbers["recipients"], numbers["sent"], numbers["bounces"]) == (3, 3, 0)
    assert both("GET", "/stats").json["data"] == [numbers]


def test_approving_needs_its_own_scope(world, client_of):
    issue = world.compose()
    for scope in (Scope.ISSUES_READ, Scope.ISSUES_WRITE):
        said = client_of(world, scope)("POST", f"/issues/{issue.id}/approve", {"content_hash": issue.content_hash})
        assert said.status == 403
    assert world.issue().state is IssueState.PENDING_APPROVAL


def test_an_error_that_preflight_found_is_not_waved_through_unasked(both, both_worlds, waiting):
    from sqlalchemy import update

    from newsletter.store.schema.publishing import issues as table

    finding = {
        "check": "size",
        "level": "error",
        "where": "vi: html",
        "message": "too large",
        "template": "",
        "values": [],
    }
    with both_worlds.app.db.begin() as conn:
        conn.execute(update(table).where(table.c.id == waiting.id).values(preflight=[finding]))
    path, body = f"/issues/{waiting.id}/approve", {"content_hash": waiting.content_hash}
    assert "too large" in both("POST", path, body).problem
    assert both("POST", path, body | {"despite_errors": True}).json["state"] == "scheduled"


def test_the_content_is_that_of_a_mail_with_neutral_words_for_its_reader(both, both_worlds, waiting):
    vi = both("GET", f"/issues/{waiting.id}/content").json
    en = both("GET", f"/issues/{waiting.id}/content?language=en").json
    assert (vi["language"], en["language"]) == ("vi", "en")
    for content in (vi, en):
        assert content["html"].lower().startswith("<!doctype html>")
        assert "only-in-your-mail" in content["html"]
        assert "only-in-your-mail" in content["text"]
        assert "doc-gia" not in content["html"] + content["text"]
        assert waiting.content_hash == content["content_hash"]
    made = both("POST", "/newsletters/ban-tin/issues").json
    assert "not composed" in both("GET", f"/issues/{made['id']}/content").problem


def test_issues_are_listed_by_the_page_newsletter_and_state(both, both_worlds, waiting):
    for _ in range(3):
        assert both("POST", "/newsletters/ban-tin/issues").status == 201
    first = both("GET", "/issues?limit=3").json
    second = both("GET", f"/issues?limit=3&cursor={first['next_cursor']}").json
    seen = [one["id"] for one in first["data"] + second["data"]]
    assert len(set(seen)) == len(seen) == 4
    assert (seen[-1], second["next_cursor"]) == (waiting.id, None)
    assert [one["id"] for one in both("GET", "/issues?state=pending_approval").json["data"]] == [waiting.id]
    assert len(both("GET", "/issues?newsletter=ban-tin").json["data"]) == 4
    assert both("GET", "/issues?newsletter=khong").status == 404
    assert both("GET", f"/issues/{'0' * 16}").status == 404
    assert both("GET", "/newsletters/khong").status == 404
    assert both("GET", "/newsletters/ban-tin").json["next_send"].startswith("2026-11-23T08:00")


def test_a_sending_is_paused_resumed_and_cancelled(both, both_worlds, waiting):
    path = f"/issues/{waiting.id}"
    assert both("POST", f"{path}/pause").status == 409
    both("POST", f"{path}/approve", yes(waiting.content_hash))
    both_worlds.release()
    told = [both("POST", f"{path}/{act}").json["state"] for act in ("pause", "resume", "pause", "cancel")]
    assert told == ["paused", "sending", "paused", "cancelled"]
    assert both("POST", f"{path}/resume").status == 409
    assert both("GET", f"{path}/stats").json["skipped"] == 3


def test_an_approval_is_taken_back(both, both_worlds, waiting):
    both("POST", f"/issues/{waiting.id}/approve", yes(waiting.content_hash))
    assert both("POST", f"/issues/{waiting.id}/draft").json["state"] == "draft"
    with both_worlds.app.db.read() as conn:
        assert issues.get(conn, waiting.id).approved_hash is None
    assert both("POST", f"/issues/{waiting.id}/cancel").json["state"] == "cancelled"


def test_a_test_goes_to_one_address_and_not_without_end(both, both_worlds, waiting):
    told = [
        both("POST", f"/issues/{waiting.id}/test", {"email": "thu@vien.example", "language": "en"}).status
        for _ in range(6)
    ]
    assert told == [202] * 4 + [429] * 2
    both_worlds.deliver()
    assert len([mail for mail in both_worlds.mails() if "thu@vien.example" in str(mail["To"])]) == 4
    assert both("POST", f"/issues/{waiting.id}/test", {"email": "thu"}).json["errors"][0]["field"] == "email"


def test_sources_and_articles_are_looked_at(both):
    assert [one["slug"] for one in both("GET", "/sources").json["data"]] == ["van-phong"]
    assert both("GET", "/sources/van-phong").json["name"] == "Văn phòng Viện"
    assert both("GET", "/sources/khong").status == 404
    first = both("GET", "/articles?limit=3").json
    rest = both("GET", f"/articles?limit=3&cursor={first['next_cursor']}").json
    assert len({one["id"] for one in first["data"] + rest["data"]}) == 4
    one = first["data"][0]
    assert one["summary"]["ok"] is True
    assert one["published"] == "2026-11-18"
    whole = both("GET", f"/articles/{one['id']}").json
    assert whole["text"].startswith(one["summary"]["text"][:20])
    assert both("GET", "/articles?state=held").json["data"] == []
    assert len(both("GET", "/articles?source=van-phong").json["data"]) == 4
    assert both("GET", "/articles?source=khong").status == 404
    assert both("GET", f"/articles/{'0' * 16}").status == 404


def test_what_came_back_is_listed_without_an_address(both, both_worlds):
    issue = both_worlds.send()
    ngoc, ada = (both_worlds.people[name] for name in ("ngoc@doc-gia.example", "ada@reader.example"))
    with both_worlds.app.db.begin() as conn:
        for number, (kind, person_id) in enumerate(
            [(EventType.BOUNCED, ngoc), (EventType.OPENED, ada), (EventType.COMPLAINED, ada)]
        ):
            detail = {"kind": "hard", "reply": "550 no such user"} if kind is EventType.BOUNCED else {}
            events.record(
                conn,
                kind,
                issue.mailing_id,
                person_id,
                at=both_worlds.clock.now(),
                dedupe_key=f"k{number}",
                detail=detail,
            )
    told = both("GET", "/events").json["data"]
    assert [one["type"] for one in told] == ["complained", "opened", "bounced"]
    assert {one["issue"] for one in told} == {issue.id}
    [bounce] = both("GET", f"/bounces?subscriber={ngoc}").json["data"]
    assert (bounce["kind"], bounce["reply"], bounce["subscriber"]) == ("hard", "550 no such user", ngoc)
    assert len(both("GET", f"/bounces?issue={issue.id}").json["data"]) == 2
    assert [one["type"] for one in both("GET", "/events?type=opened").json["data"]] == ["opened"]
    page = both("GET", "/events?limit=1").json
    assert both("GET", f"/events?limit=1&cursor={page['next_cursor']}").json["data"][0]["type"] == "opened"
    numbers = both("GET", f"/issues/{issue.id}/stats").json
    assert (numbers["bounces"], numbers["opens"], numbers["complaints"]) == (1, 1, 1)
