"""What staff see and do, as posted forms on a real server."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter import collect, deliver, summarise
from newsletter.compose.testing import send_test
from newsletter.errors import NotAllowed, TransportDown
from newsletter.locale import labels
from newsletter.model import (
    ArticleState,
    DeliveryState,
    IssueState,
    RawItem,
    SourceKind,
    SourceState,
    Summary,
    SummaryOrigin,
    SummarySentence,
    Verdict,
)
from newsletter.store import articles, issues, mailings, newsletters, receipts, sources, webhooks
from newsletter.web.reasons import reason_in
from newsletter.web.staff.articles import marked
from subscribers import parse_address


def _approve(world, issue, cookie, **more):
    return world.fetch(
        f"/staff/issues/{issue.id}/approve", form={"content_hash": issue.content_hash, **more}, cookie=cookie
    )


def test_the_first_page_names_the_next_send_and_what_waits(world):
    with world.app.db.begin() as conn:
        feed = sources.new("khoa", SourceKind.FEED, "https://khoa.example/rss", name="Khoa Thủy văn")
        sources.add(conn, feed, now=world.clock.now())
        sources.failed(conn, feed, "HTTP 503", now=world.clock.now())
    world.compose()
    page = world.fetch("/staff/", cookie=world.log_in()).text
    assert "Thứ Hai, 23/11/2026, 08:00 (Asia/Ho_Chi_Minh)" in page
    assert "đang chờ duyệt" in page
    assert "Không đọc được nguồn Khoa Thủy văn" in page
    assert "HTTP 503" in page


def test_a_source_that_was_given_up_waits_on_the_first_page_until_somebody_deals_with_it(world):
    with world.app.db.begin() as conn:
        sources.add(conn, sources.new("khoa", SourceKind.FEED, "https://khoa.example/rss"), now=world.clock.now())
        for _ in range(2):
            sources.failed(conn, sources.by_slug(conn, "khoa"), "answered 410 Gone", now=world.clock.now(), status=410)
    cookie = world.log_in()
    assert "Không còn đọc nguồn khoa nữa" in world.fetch("/staff/", cookie=cookie).text
    listed = world.fetch("/staff/sources", cookie=cookie).text
    assert "đã tự tạm dừng, vì hai lần trả lời là không còn nữa: answered 410 Gone" in listed
    with world.app.db.begin() as conn:
        sources.set_state(conn, sources.by_slug(conn, "khoa").id, SourceState.PAUSED, now=world.clock.now())
    assert "nguồn khoa" not in world.fetch("/staff/", cookie=cookie).text


def test_pages_speak_the_language_of_the_staff_member(world):
    world.compose()
    assert "Monday, 23 November 2026, 08:00" in world.fetch("/staff/", cookie=world.log_in("en")).text
    assert (
        '<html lang="vi"' in world.fetch("/staff/", cookie=world.log_in("vi"), headers={"Accept-Language": "en"}).text
    )


def test_empty_pages_say_what_would_be_there(world):
    with world.app.db.begin() as conn:
        for table in (
            "issue_articles",
            "identities",
            "summary_versions",
            "summaries",
            "articles",
            "newsletter_sources",
            "newsletters",
            "sources",
        ):
            conn.exec_driver_sql(f"DELETE FROM {table}")
    cookie = world.log_in("en")
    for path, said in (
        ("/staff/", "no newsletter yet"),
        ("/staff/sources", "no source yet"),
        ("/staff/articles", "Articles stand here"),
    ):
        page = world.fetch(path, cookie=cookie).text
        assert said in page
        assert "<table" not in page


def test_the_review_page_shows_everything_a_decision_needs(world):
    issue = world.compose()
    page = world.fetch(f"/staff/issues/{issue.id}", cookie=world.log_in()).text
    assert f'<p class="subject">{issue.subject}' in page
    assert issue.preheader in page
    assert issue.content_hash in page
    assert "Thứ Hai, 23/11/2026, 08:00" in page
    assert "Duyệt gửi cho 3 người" in page
    assert "vượt giới hạn 3 bài" in page  # four articles, three places: the fourth says why
    assert "Sáu phao do nhóm kỹ sư trẻ" in page
    first_error, first_note = page.index('class="error"'), page.index('class="note"')
    assert first_error < first_note


def test_the_preview_shows_a_sample_reader_in_the_language_and_palette_asked_for(world):
    issue = world.compose()
    cookie = world.log_in()
    frame = world.fetch(f"/staff/issues/{issue.id}/frame", cookie=cookie).text
    assert "ngoc@example.org" in frame
    assert "QqX" not in frame
    assert "@media not all" in frame
    dark = world.fetch(f"/staff/issues/{issue.id}/frame?in=en&scheme=dark&pictures=off", cookie=cookie)
    assert "ada@example.org" in dark.text
    assert "@media not all" not in dark.text
    assert "img-src 'none'" in dark.headers["content-security-policy"]
    text = world.fetch(f"/staff/issues/{issue.id}?width=text&in=en", cookie=cookie).text
    assert '<pre class="text" lang="en"' in text
    assert "<iframe" not in text


def test_approving_binds_the_content_that_was_looked_at(world):
    issue = world.compose()
    cookie = world.log_in()
    refused = _approve(world, issue, cookie)
    assert refused.status == 409  # preflight errors: the base URL of a test is not https
    assert "kiểm tra thấy" in refused.text
    answer = _approve(world, issue, cookie, despite_errors="yes")
    assert answer.status == 303
    approved = world.issue()
    assert approved.state is IssueState.SCHEDULED
    assert approved.approved_hash == issue.content_hash
    assert "Trần Thị Biên Tập" in world.fetch(f"/staff/issues/{issue.id}", cookie=cookie).text


def test_content_that_changed_meanwhile_is_not_approved(world):
    issue = world.compose()
    cookie = world.log_in()
    with world.app.db.begin() as conn:
        conn.exec_driver_sql("UPDATE articles SET title = 'Một tiêu đề khác hẳn' WHERE title LIKE 'Phao%'")
    assert world.fetch(f"/staff/issues/{issue.id}/draft", form={}, cookie=cookie).status == 303
    assert world.issue().content_hash != issue.content_hash
    answer = _approve(world, issue, cookie, despite_errors="yes")
    assert answer.status == 409
    assert "nội dung đã thay đổi" in answer.text
    assert world.issue().state is IssueState.PENDING_APPROVAL


def test_back_to_draft_composes_again_at_once(world):
    issue = world.compose()
    cookie = world.log_in()
    _approve(world, issue, cookie, despite_errors="yes")
    assert world.fetch(f"/staff/issues/{issue.id}/draft", form={}, cookie=cookie).status == 303
    again = world.issue()
    assert again.state is IssueState.PENDING_APPROVAL
    assert again.approved_by is None
    assert again.mailing_id != issue.mailing_id


def test_cancelling_before_sending_closes_the_issue_and_it_can_not_be_approved(world):
    issue = world.compose()
    cookie = world.log_in()
    assert world.fetch(f"/staff/issues/{issue.id}/cancel", form={}, cookie=cookie).status == 303
    assert world.issue().state is IssueState.CANCELLED
    page = world.fetch(f"/staff/issues/{issue.id}", cookie=cookie).text
    assert "/approve" not in page
    assert "ban biên tập đã hủy" in page
    assert _approve(world, issue, cookie, despite_errors="yes").status == 409


def test_a_running_send_is_paused_resumed_and_cancelled(world):
    world.compose()
    world.approve()
    issue = world.release()
    cookie = world.log_in()

    def act(name):
        return world.fetch(f"/staff/issues/{issue.id}/{name}", form={}, cookie=cookie).status

    assert act("pause") == 303
    assert world.issue().state is IssueState.PAUSED
    assert act("pause") == 409
    assert "Gửi tiếp, còn 3 người" in world.fetch(f"/staff/issues/{issue.id}", cookie=cookie).text
    assert act("resume") == 303
    assert world.issue().state is IssueState.SENDING
    assert act("cancel") == 303
    page = world.fetch(f"/staff/issues/{issue.id}", cookie=cookie).text
    assert world.issue().state is IssueState.CANCELLED
    assert re.search(r"<dt>Bỏ qua</dt><dd>3</dd>", page)
    world.deliver()
    assert world.mails() == []


def test_a_skipped_issue_can_be_opened_again(world):
    issue = world.compose()
    with world.app.db.begin() as conn:
        issues.skip(conn, issue.id, "too late", seen=issue.state)
    cookie = world.log_in()
    assert "duyệt quá muộn" in world.fetch(f"/staff/issues/{issue.id}", cookie=cookie).text
    assert world.fetch(f"/staff/issues/{issue.id}/reopen", form={}, cookie=cookie).status == 303
    assert world.issue().state is IssueState.PENDING_APPROVAL


def test_the_numbers_of_a_sent_issue_are_those_of_the_ledger(world):
    issue = world.send()
    page = world.fetch(f"/staff/issues/{issue.id}", cookie=world.log_in("en")).text
    assert re.search(r"<dt>Sent</dt><dd>3</dd>", page)
    assert "Approve for" not in page


def test_a_test_goes_to_any_address_through_the_ledger_and_leaves_the_issue_alone(world):
    issue = world.compose()
    cookie = world.log_in()
    answer = world.fetch(
        f"/staff/issues/{issue.id}/test", form={"address": " Thu@nghiem.example ", "in": "en"}, cookie=cookie
    )
    assert answer.status == 303
    assert world.woken.is_set()
    assert "đang được gửi" in world.fetch(answer.headers["location"], cookie=cookie).text
    world.deliver()
    mail = world.mail_to("Thu@nghiem.example")
    assert mail["Subject"].startswith("[Test] ")
    assert 'lang="en"' in mail.get_body(("html",)).get_content()
    assert world.issue() == issue
    with world.app.db.read() as conn:
        [test] = [m for m in _mailings(conn) if m.kind == "test"]
        assert receipts.count(conn, test.id).sent == 1
    assert len(world.mails()) == 1


def _mailings(conn):
    return [mailings.get(conn, row[0]) for row in conn.exec_driver_sql("SELECT id FROM mailings").fetchall()]


def test_the_recipient_of_a_test_can_use_its_links(world):
    issue = world.compose()
    with world.app.db.begin() as conn:
        send_test(world.app, conn, issue, parse_address("ngoc@doc-gia.example"), language="vi", now=world.clock.now())
    world.deliver()
    assert world.fetch(world.link(world.mail_to("ngoc@"), "p")).status == 200


def test_an_address_that_cannot_be_one_is_explained_beside_its_field(world):
    issue = world.compose()
    answer = world.fetch(f"/staff/issues/{issue.id}/test", form={"address": "<b>@"}, cookie=world.log_in())
    assert answer.status == 422
    assert 'aria-describedby="test-fault"' in answer.text
    assert "<b>@" not in answer.text


def test_an_issue_without_content_cannot_be_tested(world):
    issue = world.compose()
    with world.app.db.begin() as conn:
        conn.exec_driver_sql("UPDATE issues SET mailing_id = NULL")
        bare = issues.get(conn, issue.id)
        with pytest.raises(NotAllowed, match="not composed"):
            send_test(world.app, conn, bare, parse_address("a@b.example"), language="vi", now=world.clock.now())
    cookie = world.log_in()
    assert world.fetch(f"/staff/issues/{issue.id}/test", form={"address": "a@b.example"}, cookie=cookie).status == 409
    assert world.fetch(f"/staff/issues/{issue.id}/frame", cookie=cookie).status == 404


def test_an_unknown_issue_or_article_is_not_found(world):
    cookie = world.log_in()
    for path in ("/staff/issues/nothing", "/staff/issues/nothing/frame", "/staff/articles/nothing"):
        assert world.fetch(path, cookie=cookie).status == 404
    assert world.fetch("/staff/issues/nothing/approve", form={}, cookie=cookie).status == 404


def test_the_article_page_marks_the_sentences_of_the_summary_and_tells_where_it_went(world):
    world.compose()
    page = world.fetch(f"/staff/articles/{world.article('Phao')}", cookie=world.log_in()).text
    assert "<mark>Sáu phao do nhóm kỹ sư trẻ" in page
    assert "first line" in page
    assert "có trong số này" in page


def _retold(world):
    """The first story printed by a paper that the newsletter reads too; returns its article."""
    now = world.clock.now()
    with world.app.db.begin() as conn:
        sources.add(conn, sources.new("bao", SourceKind.MANUAL, "", name="Báo Sóng"), now=now)
        paper = sources.by_slug(conn, "bao")
        known = newsletters.listed(conn)[0]
        newsletters.save(conn, replace(known, source_ids=(*known.source_ids, paper.id)), now=now)
        first = articles.get(conn, world.article("Phao"))
    title = "Nhờ phao mà ngư dân kịp về bến"
    item = RawItem(title=title, text=first.text, url="https://song.example/1", published=first.published)
    collect.take(world.app, paper, [item], now)
    summarise.run(world.app, now)
    return world.article(title)


def test_the_review_page_names_who_else_reported_and_the_article_page_the_same_story(world):
    second = _retold(world)
    issue = world.compose()
    cookie = world.log_in()
    page = world.fetch(f"/staff/issues/{issue.id}", cookie=cookie).text
    assert "Cũng đưa tin: " in page
    assert "cùng một tin với “" in page
    told = world.fetch(f"/staff/articles/{second}", cookie=cookie).text
    assert f'href="/staff/articles/{world.article("Phao")}"' in told
    assert "4-word runs" in told


def test_staff_tell_two_articles_apart_by_a_button_and_twice_does_no_harm(world):
    second = _retold(world)
    cookie = world.log_in()
    assert "Không phải cùng một tin" in world.fetch(f"/staff/articles/{second}", cookie=cookie).text
    for _ in range(2):
        answer = world.fetch(f"/staff/articles/{second}/apart", form={}, cookie=cookie)
        assert answer.headers["location"].endswith(f"/staff/articles/{second}")
    page = world.fetch(f"/staff/articles/{second}", cookie=cookie).text
    assert "Không có bài nào khác đưa tin này." in page
    assert "ban biên tập đã tách thành tin riêng" in page
    issue = world.compose()
    assert "Cũng đưa tin" not in world.fetch(f"/staff/issues/{issue.id}", cookie=cookie).text


def test_articles_can_be_filtered_by_state(world):
    cookie = world.log_in("en")
    assert "Wave models" in world.fetch("/staff/articles?state=ready", cookie=cookie).text
    held = world.fetch("/staff/articles?state=held", cookie=cookie).text
    assert "No article is in this state" in held
    assert world.fetch("/staff/articles?state=nonsense", cookie=cookie).status == 200


def test_an_issue_whose_mail_cannot_leave_waits_on_the_first_page_until_it_does(world, monkeypatch):
    def down() -> None:
        raise TransportDown("the relay does not answer", where="127.0.0.1:25")

    with monkeypatch.context() as patch:
        patch.setattr(world.app.transport, "open", down)
        with pytest.raises(TransportDown):
            world.send()
    page = world.fetch("/staff/", cookie=world.log_in()).text
    waiting = page[page.index('class="waiting"') : page.index("<table")]
    assert "việc gửi đang bị dừng" in waiting
    assert "hiện chưa gửi thư đi được" in waiting
    assert "the relay does not answer" in waiting
    deliver.run(world.app, world.clock.now())
    assert "việc gửi đang bị dừng" not in world.fetch("/staff/", cookie=world.log_in()).text


def test_unknown_fates_wait_on_the_first_page(world):
    issue = world.send()
    with world.app.db.begin() as conn:
        ada = world.people["ada@reader.example"]
        conn.exec_driver_sql(f"UPDATE deliveries SET state = '{DeliveryState.UNKNOWN}' WHERE person_id = '{ada}'")
    page = world.fetch("/staff/", cookie=world.log_in()).text
    waiting = page[page.index('class="waiting"') : page.index("<table")]
    assert f"/staff/issues/{issue.id}" in waiting


def test_a_webhook_that_is_not_called_any_more_waits_on_the_first_page(world):
    with world.app.db.begin() as conn:
        made = webhooks.add(
            conn, "https://crm.vien.example/hook?key=bí-mật", ["*"], addresses=False, now=world.clock.now()
        )
    assert "crm.vien.example" not in world.fetch("/staff/", cookie=world.log_in()).text, "all is well"
    with world.app.db.begin() as conn:
        webhooks.disable(conn, made.id, reason="it failed for 5 days", now=world.clock.now())
    page = world.fetch("/staff/", cookie=world.log_in()).text
    assert "Webhook https://crm.vien.example/hook" in page
    assert "it failed for 5 days" in page
    assert "mật" not in page


# ---------------------------------------------------------------- pure parts


def test_spans_are_marked_where_they_stand_also_across_paragraphs():
    text = "Một câu. Hai câu.\n\nBa câu."
    sentences = (
        SummarySentence(text="Hai câu.", origin="text", start=9, end=17),
        SummarySentence(text="Ba câu.", origin="text", start=19, end=26),
        SummarySentence(text="Lời dẫn.", origin="standfirst"),
    )
    summary = Summary(text="…", origin=SummaryOrigin.EXTRACT, sentences=sentences, guard=Verdict(ok=True))
    shown = [[(piece.text, piece.sentence) for piece in paragraph] for paragraph in marked(text, summary)]
    assert shown == [[("Một câu. ", 0), ("Hai câu.", 1)], [("Ba câu.", 2)]]


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("nothing new", "không có tin mới"),
        (
            "http://vien.example/tin: the site's robots.txt asks programs not to read this page (its feed may be read)",
            "http://vien.example/tin: tệp robots.txt của trang này yêu cầu chương trình không đọc trang",
        ),
        ("already in issue 47", "đã có trong số 47"),
        ("held: too old: more than 14 days", "chờ xem xét: cũ hơn 14 ngày"),
        ("something only a log would say", "something only a log would say"),
        (None, ""),
    ],
)
def test_reasons_are_said_in_the_readers_language(stored, said):
    assert reason_in(labels("vi"), stored) == said


def test_an_article_title_cannot_break_out_of_a_staff_page(world):
    with world.app.db.begin() as conn:
        conn.exec_driver_sql("UPDATE articles SET title = '\"><script>alert(1)</script>'")
        assert articles.listed(conn)
    world.compose()
    cookie = world.log_in()
    review = f"/staff/issues/{world.issue().id}"
    for path in ("/staff/", "/staff/articles", review, f"{review}?width=text"):
        assert "<script>alert" not in world.fetch(path, cookie=cookie).text


def _doubtful(world, title: str) -> str:
    with world.app.db.begin() as conn:
        source = sources.by_slug(conn, "van-phong")
        return articles.add(
            conn, source, RawItem(title=title, text="Một câu kể chuyện ở bến."), keys=[title], now=world.clock.now(),
            language="vi", state=ArticleState.HELD, doubt=True,
            reason="12 of 15 entries turned new at once: their names may have changed, not their news",
        )  # fmt: skip


def test_a_doubtful_article_waits_on_the_first_page_and_is_released_or_dropped_with_a_name(world):
    one, other = _doubtful(world, "Tàu mới về bến"), _doubtful(world, "Tàu cũ về bến")
    cookie = world.log_in("en")
    assert "2 articles may be known already" in world.fetch("/staff/", cookie=cookie).text
    page = world.fetch(f"/staff/articles/{one}", cookie=cookie).text
    assert "12 of 15 entries turned new at once: the source may have renamed its articles" in page
    assert world.fetch(f"/staff/articles/{one}/release", form={"why": "is news"}, cookie=cookie).status == 303
    assert world.fetch(f"/staff/articles/{other}/drop", form={}, cookie=cookie).status == 303
    with world.app.db.read() as conn:
        released, dropped = articles.get(conn, one), articles.get(conn, other)
    assert (released.state, released.reason, released.doubt) == (ArticleState.NEW, None, False)
    assert released.decided.startswith("released by Ed Itor: is news (2026-11-")
    assert (dropped.state, dropped.reason) == (ArticleState.SKIPPED, "dropped by Ed Itor")
    again = world.fetch(f"/staff/articles/{other}/release", form={}, cookie=cookie)
    assert (again.status, "only an article held in doubt" in again.text) == (409, True)
    assert world.fetch("/staff/articles/0000000000000000/drop", form={}, cookie=cookie).status == 404


def test_a_correction_is_dated_and_says_which_issue_was_sent_before_it(world):
    article_id = world.article("Giống")
    with world.app.db.begin() as conn:
        held = articles.get(conn, article_id)
        changed = RawItem(title=f"{held.title} (sửa)", text=held.text)
        assert articles.corrected(conn, article_id, changed, now=world.clock.now(), language="vi")
    page = world.fetch(f"/staff/articles/{article_id}", cookie=world.log_in("en")).text
    assert "Corrected at the source on" in page
    assert "after issue" not in page


def test_a_correction_after_an_issue_was_sent_names_the_issue(world):
    issue = world.send()
    article_id = world.article("Giống")
    world.clock.at += timedelta(hours=1)
    with world.app.db.begin() as conn:
        sent = articles.get(conn, article_id)
        changed = RawItem(title=f"{sent.title} (sửa)", text=sent.text)
        assert articles.corrected(conn, article_id, changed, now=world.clock.now(), language="vi")
    page = world.fetch(f"/staff/articles/{article_id}", cookie=world.log_in("en")).text
    assert f"after issue {issue.number} was sent." in page
