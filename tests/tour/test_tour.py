"""The main job, end to end: a real site, a real SMTP server, both databases."""

import email
import email.policy
from dataclasses import replace
from datetime import timedelta
from email.header import decode_header, make_header

import dkim
import pytest

import subscribers
from newsletter import approve, pipeline, readers, schedule, track
from newsletter.errors import NotAllowed
from newsletter.mail.check import check_message
from newsletter.mail.dkim import dns_record
from newsletter.model import ApprovalPolicy, ArticleState, IssueState
from newsletter.store import articles, issues, letters, newsletters, receipts
from tests.conftest import NOW, subscribe
from tests.deliver.conftest import smtp
from tests.fakes.site import Site
from tests.fakes.smtpd import Sink
from tests.tour.conftest import STORIES, feed

READERS = ["minh.chau@doc.example", "bao.ngoc@doc.example", "anh.tuan@khac.example"]


def run(app):
    reports = pipeline.run_once(app)
    assert [report.error for report in reports] == [None] * len(reports), reports
    with app.db.read() as conn:
        for issue in issues.listed(conn):
            print(issue.state, issue.reason, issue.preflight)
    return {report.stage: report.changed for report in reports}


def the_issue(app):
    with app.db.read() as conn:
        [issue] = issues.listed(conn)
    return issue


@pytest.fixture
def site():
    with Site({"/feed": ("application/rss+xml", feed())}) as running:
        yield running


@pytest.fixture
def sink():
    with Sink() as running:
        yield running


@pytest.fixture
def app(make_app, site, sink):
    return make_app(transport=smtp(sink.port), fetch={"resolve": {"tin.vien.example": site.at}})


def test_from_a_feed_to_every_reader_and_a_second_run_sends_nothing(app, site, sink, publish, dkim_key):
    publish(app, readers=READERS)
    assert run(app) == {
        "collect": 3, "summarise": 3, "open": 1, "compose": 1, "approve": 1, "release": 1, "deliver": 3, "track": 0,
        "notify": 0,
    }  # fmt: skip
    assert sink.counts() == dict.fromkeys(READERS, 1)
    issue = the_issue(app)
    assert issue.state is IssueState.SENT
    assert issue.approved_hash == issue.content_hash
    with app.db.read() as conn:
        counts = receipts.count(conn, issue.mailing_id)
    assert (counts.frozen, counts.sent, counts.open, counts.balanced) == (3, 3, 0, True)

    again = run(app)
    assert {stage: again[stage] for stage in ("summarise", "open", "compose", "release", "deliver")} == dict.fromkeys(
        ("summarise", "open", "compose", "release", "deliver"), 0
    )
    assert len(sink.received) == 3
    assert site.asked == ["/feed"]  # not due again within the hour

    record = dns_record(dkim_key.read_bytes())
    for one in sink.received:
        assert dkim.verify(one.content, dnsfunc=lambda *a, **k: record.encode())
        found = check_message(
            one.content, from_domain="vien.example", rcpt=one.rcpt, subject=issue.subject, dkim_public=record
        )
        assert [finding for finding in found if finding.level == "error"] == []
        strict = email.message_from_bytes(one.content, policy=email.policy.default)
        assert strict["Subject"] == issue.subject
        assert str(make_header(decode_header(email.message_from_bytes(one.content)["Subject"]))) == issue.subject
        text, html = (strict.get_body((kind,)).get_content() for kind in ("plain", "html"))
        for title, _ in STORIES:
            assert " ".join(title.split()) in " ".join(text.split())
            assert title in html


FOURTH = (
    "Thư viện của Viện mở cửa thêm buổi tối thứ Năm hằng tuần, từ 18 giờ đến 21 giờ. Bạn đọc có thể mượn máy tính xách tay và "
    "dùng phòng học nhóm nếu đăng ký trước một ngày. Ban quản lý cho biết nhu cầu tăng mạnh vào mùa bảo vệ luận văn."
)


def test_each_article_is_sent_once_over_the_issues(app, site, sink, publish, clock):
    publish(app, readers=READERS[:1])
    run(app)
    clock.at = NOW + timedelta(days=7)
    site.pages["/feed"] = (
        "application/rss+xml",
        feed((("Tin thứ tư của tuần sau", STORIES[0][1]), *STORIES), newest=clock.at),
    )
    # the new entry takes the first place and its guid; the others move on, as feeds without stable ids do
    site.pages["/feed"] = (
        "application/rss+xml",
        feed(newest=NOW).replace(
            b"<channel><title>Tin Vi\xe1\xbb\x87n</title>",
            "<channel><title>Tin Viện</title><item><title>Tin thứ tư của tuần sau</title>"
            "<link>http://tin.vien.example/4</link><guid>tin-4</guid>"
            "<pubDate>Sun, 29 Nov 2026 02:00:00 +0700</pubDate>"
            f"<description><![CDATA[<p>{FOURTH}</p>]]></description></item>".encode(),
        ),
    )
    run(app)
    assert len(sink.received) == 2
    second = email.message_from_bytes(sink.received[1].content, policy=email.policy.default)
    body = second.get_body(("plain",)).get_content()
    assert "Tin thứ tư của tuần sau" in body
    assert STORIES[0][0] not in " ".join(body.split())


def test_nothing_new_skips_the_issue_visibly(app, site, sink, publish, clock):
    publish(app, readers=READERS)
    run(app)
    clock.at = NOW + timedelta(days=7)
    run(app)
    with app.db.read() as conn:
        latest = issues.listed(conn)[0]
    assert (latest.state, latest.reason) == (IssueState.SKIPPED, "nothing new")
    assert len(sink.received) == 3


def test_a_manual_issue_waits_for_a_person_and_for_exactly_what_they_saw(app, site, sink, publish):
    publish(app, readers=READERS, approval=ApprovalPolicy.MANUAL)
    run(app)
    issue = the_issue(app)
    assert issue.state is IssueState.PENDING_APPROVAL
    assert sink.received == []
    with pytest.raises(NotAllowed, match="content changed"), app.db.begin() as conn:
        approve.by_person(conn, issue.id, "0" * 64, by="lan", now=NOW)
    with app.db.begin() as conn:
        approve.by_person(conn, issue.id, issue.content_hash, by="lan", now=NOW)
    run(app)
    assert len(sink.received) == 3
    assert the_issue(app).approved_by == "lan"


def test_an_issue_with_preflight_errors_waits_even_under_policy_auto(make_app, site, sink, publish):
    app = make_app(
        transport=smtp(sink.port),
        fetch={"resolve": {"tin.vien.example": site.at}},
        base_url="http://news.vien.example",  # one-click unsubscribing needs https
    )
    publish(app, readers=READERS)
    run(app)
    issue = the_issue(app)
    assert issue.state is IssueState.PENDING_APPROVAL
    assert "preflight" in issue.reason
    assert sink.received == []


def test_a_late_issue_is_not_sent(app, site, sink, publish, clock):
    publish(app, readers=READERS)
    clock.at = NOW + timedelta(hours=13)
    run(app)
    issue = the_issue(app)
    assert (issue.state, issue.reason.split(":")[0]) == (IssueState.SKIPPED, "missed")
    assert sink.received == []


def test_an_issue_approved_too_late_is_skipped(app, site, sink, publish, clock):
    publish(app, readers=READERS, approval=ApprovalPolicy.MANUAL)
    run(app)
    clock.at = NOW + timedelta(hours=12, minutes=1)
    run(app)
    assert the_issue(app).reason == "not approved before the latest start"
    assert sink.received == []


def test_a_failing_source_does_not_stop_the_others(app, site, sink, publish):
    from newsletter.model import SourceKind
    from newsletter.store import newsletters, sources

    made = publish(app, readers=READERS[:1])
    bad = sources.new("hong", SourceKind.FEED, "http://tin.vien.example/khong-co", name="Hỏng")
    html = sources.new("trang", SourceKind.FEED, "http://tin.vien.example/login", name="Trang đăng nhập")
    site.pages["/login"] = ("text/html", b"<!doctype html><html><body><form>Log in</form></body></html>")
    with app.db.begin() as conn:
        for source in (bad, html):
            sources.add(conn, source, now=NOW)
        saved = newsletters.get(conn, made.id)
        import dataclasses

        newsletters.save(conn, dataclasses.replace(saved, source_ids=(*saved.source_ids, bad.id, html.id)), now=NOW)
    run(app)
    assert len(sink.received) == 1
    with app.db.read() as conn:
        found = {source.slug: (source.state, source.reason) for source in sources.listed(conn)}
    assert found["vien"] == ("active", None)
    assert found["hong"][0] == "failing"
    assert "404" in found["hong"][1]
    assert found["trang"][0] == "failing"
    assert "\n" not in found["trang"][1]


def test_join_confirm_and_leave_with_their_letters(app, site, sink):
    with app.db.begin() as conn:
        subscribers.create_list(conn, "tin", name="Bản tin Thử nghiệm", now=NOW)
    consent = subscribers.ConsentGiven(
        source=subscribers.ConsentSource.FORM, form="test/1", wording="Tôi muốn nhận bản tin.", language="vi"
    )
    address = subscribers.parse_address("minh.chau@doc.example")
    for _ in range(2):  # asking twice sends one letter
        readers.join(app, "tin", address, consent=consent, language="vi")
    run(app)
    [confirmation] = sink.received
    assert _lines(confirmation, "List-Unsubscribe") == []
    link = _link(confirmation, "/c/")
    assert readers.look_at_confirmation(app, link) is not None  # looking changes nothing
    with app.db.read() as conn:
        assert subscribers.counts(conn, "tin")[subscribers.SubscriptionState.ACTIVE] == 0
    assert readers.confirm(app, link)[1] is subscribers.ConfirmOutcome.CONFIRMED
    assert readers.confirm(app, link)[1] is subscribers.ConfirmOutcome.ALREADY
    run(app)
    assert len(sink.received) == 2  # the welcome, once
    welcome = sink.received[1]
    leave = _link(welcome, "/u/")
    assert readers.look_at_leaving(app, leave).subscribed
    assert readers.leave(app, leave, how="page") is not None
    assert not readers.look_at_leaving(app, leave).subscribed
    readers.leave(app, leave, how="page")
    run(app)
    assert len(sink.received) == 3  # the goodbye, once
    assert f"https://news.vien.example/u/{leave}" in _text(sink.received[2])  # one link back
    assert readers.come_back(app, leave, wording="Đăng ký lại", language="vi").subscribed
    assert readers.come_back(app, leave, wording="Đăng ký lại", language="vi").subscribed
    with app.db.read() as conn:
        person = subscribers.find(conn, address)
        assert subscribers.verify_chain(conn, person)
        mailing_id = app.keyring.read("reader", leave)[0]
        assert letters.failures(conn) == []
        assert person is not None
    assert track.numbers(app, mailing_id).unsubscribes == 1


def test_forged_and_foreign_tokens_do_nothing(app, site, sink, publish):
    publish(app, readers=READERS[:1])
    run(app)
    token = _link(sink.received[0], "/u/")
    other = token[:-1] + ("0" if token[-1] != "0" else "1")
    for wrong in (other, token[:-1], "", "x" * 49, "../" + token):
        assert readers.leave(app, wrong, how="page") is None
        assert readers.confirm(app, wrong) is None
    assert readers.confirm(app, token) is None  # a reader's token confirms nothing
    assert readers.look_at_leaving(app, token).subscribed


def test_an_article_without_own_url_links_to_its_page(app, sink, publish, tmp_path):
    from newsletter import collect
    from newsletter.collect.documents.files import read_file
    from newsletter.model import SourceKind
    from newsletter.store import newsletters, sources

    made = publish(app, readers=READERS[:1])
    path = tmp_path / "bai.txt"
    path.write_text(
        f"{STORIES[0][0]}\n\nNgày 02/01/2020, hội nghị diễn ra tại Hà Nội. {STORIES[0][1]}\n\n{STORIES[1][1]}\n"
    )
    source = sources.new("tay", SourceKind.MANUAL, "", name="Bài gửi tay", language="vi")
    with app.db.begin() as conn:
        sources.add(conn, source, now=NOW)
        saved = newsletters.get(conn, made.id)
        import dataclasses

        newsletters.save(conn, dataclasses.replace(saved, source_ids=(*saved.source_ids, source.id)), now=NOW)
    assert collect.take(app, source, [read_file(path)], NOW) == 1
    run(app)
    with app.db.read() as conn:
        [article] = [a for a in articles.listed(conn) if a.source_id == source.id]
    assert article.state is ArticleState.READY
    assert article.provenance["published"] == "lead"
    html = email.message_from_bytes(sink.received[0].content, policy=email.policy.default).get_body(("html",))
    assert f"https://news.vien.example/articles/{article.id}" in html.get_content()


def _lines(received, name):
    return email.message_from_bytes(received.content).get_all(name) or []


def _text(received):
    return email.message_from_bytes(received.content, policy=email.policy.default).get_body(("plain",)).get_content()


def _link(received, path):
    return _text(received).split(f"https://news.vien.example{path}")[1].split()[0].rstrip(".")


def test_people_who_join_after_the_freeze_wait_for_the_next_issue(app, site, sink, publish):
    publish(app, readers=READERS[:2])
    run(app)
    subscribe(app, "tin", [READERS[2]])
    run(app)
    assert set(sink.counts()) == set(READERS[:2])


def test_an_issue_that_is_sent_back_keeps_its_number(app, site, sink, publish):
    publish(app, readers=READERS[:1], approval=ApprovalPolicy.MANUAL)
    numbers = []
    for _ in range(3):
        run(app)
        issue = the_issue(app)
        numbers.append(issue.number)
        with app.db.begin() as conn:
            issues.back_to_draft(conn, issue.id, reason="once more")
    assert numbers == [1, 1, 1]


def test_an_issue_that_is_composed_again_keeps_its_number_when_a_later_one_has_come(app, site, sink, publish):
    letter = publish(app, readers=READERS[:1], approval=ApprovalPolicy.MANUAL)
    with app.db.begin() as conn:
        newsletters.save(conn, replace(letter, max_items=1), now=NOW)
    run(app)
    first = the_issue(app)
    with app.db.begin() as conn:
        extra = schedule.open_extra(conn, letter, now=NOW)
    run(app)
    with app.db.begin() as conn:
        issues.back_to_draft(conn, first.id, reason="once more")
    run(app)
    with app.db.read() as conn:
        assert [issues.get(conn, one).number for one in (first.id, extra)] == [1, 2]


def test_a_welcome_links_to_the_last_issue(app, site, sink, publish):
    publish(app, readers=READERS[:1])
    run(app)
    consent = subscribers.ConsentGiven(
        source=subscribers.ConsentSource.FORM, form="test/1", wording="Tôi muốn nhận bản tin.", language="vi"
    )
    readers.join(app, "tin", subscribers.parse_address(READERS[1]), consent=consent, language="vi")
    run(app)
    readers.confirm(app, _link(sink.received[1], "/c/"))
    run(app)
    body = email.message_from_bytes(sink.received[2].content, policy=email.policy.default).get_body(("plain",))
    assert f"https://news.vien.example/issues/{the_issue(app).id}?lang=vi" in body.get_content()


def test_the_day_somebody_joined_is_the_day_it_was_here(app, site, sink, publish, clock):
    from datetime import UTC, datetime

    clock.at = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)  # half past midnight on Monday in Hanoi
    publish(app, readers=READERS[:1])
    clock.at = NOW
    run(app)
    assert "23/11/2026" in _text(sink.received[0]).split("Hủy đăng ký")[0].rsplit("--", 1)[1]
