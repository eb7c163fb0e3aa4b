"""What readers' links open, as a browser, a mail program and a link scanner would use them."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.model import ArticleState
from newsletter.readers import mailbox
from newsletter.store import articles
from subscribers import SubscriptionState, counts, evidence


def _state(world, address):
    from subscribers import not_mailable

    with world.app.db.read() as conn:
        return not_mailable(conn, "ban-doc", [world.people[address]], key=world.app.suppression_key)


def _links(mail):
    html = mail.get_body(("html",)).get_content()
    text = mail.get_body(("plain",)).get_content()
    found = re.findall(r'(?:href|src)="(http[^"]+)"', html) + re.findall(r"https?://[^\s<>]+", text)
    header = re.findall(r"<(https?:[^>]+)>", mail["List-Unsubscribe"] or "")
    return sorted({link.replace("&amp;", "&").rstrip(".)") for link in (*found, *header)})


def test_following_every_link_of_a_mail_changes_nothing(both_worlds):
    world = both_worlds
    world.send()
    before, seen = world.dump(), 0
    for mail in world.mails():
        for link in _links(mail):
            if link.startswith(world.url):
                for method in ("GET", "HEAD"):
                    answer = world.fetch(link.removeprefix(world.url), method=method)
                    assert answer.status == 200, link
                    seen += 1
    assert seen >= 3 * 2 * 4  # three mails, two methods; leave, preferences, web view, our own article
    assert world.dump() == before


def test_reading_any_public_or_staff_page_changes_nothing(world, invited):
    issue = world.send()
    token = world.link(world.mail_to("ngoc@"), "u")
    cookie = world.log_in()
    before = world.dump()
    ours, review = world.article("Phao"), f"/staff/issues/{issue.id}"
    public = ["/", token, token.replace("/u/", "/p/"), invited, f"/articles/{ours}", f"/issues/{issue.id}"]
    staff = ["/staff/", review, f"{review}/frame", "/staff/sources", "/staff/articles", f"/staff/articles/{ours}"]
    paths = [*public, *staff, "/only-in-your-mail", "/health", "/staff/login", "/nowhere"]
    for path in paths:
        for method in ("GET", "HEAD"):
            assert world.fetch(path, method=method, cookie=cookie).status in (200, 303, 404), path
    for path in ("approve", "draft", "cancel", "pause", "resume", "reopen", "test"):
        assert world.fetch(f"/staff/issues/{issue.id}/{path}", cookie=cookie).status == 405
    assert world.dump() == before


def test_unsubscribing_by_the_button_takes_effect_and_sends_one_goodbye(world):
    world.send()
    path = world.link(world.mail_to("ngoc@"), "u")
    page = world.fetch(path)
    assert "<form" in page.text
    assert "Hủy đăng ký" in page.text
    assert world.fetch(path, form={}).status == 200
    assert _state(world, "ngoc@doc-gia.example")
    assert world.woken.is_set()
    world.fetch(path, form={})
    world.deliver()
    assert len([mail for mail in world.mails() if "ngoc@" in mail["To"]]) == 2  # the issue, and one goodbye
    assert "Hủy đăng ký" not in world.fetch(path).text.split("</h1>")[1]


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart"])
def test_one_click_by_a_mail_program_answers_200_without_redirect(world, encoding):
    world.send()
    path = world.link(world.mail_to("minh@"), "u")
    if encoding == "urlencoded":
        body, kind = b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"
    else:
        body = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
        kind = "multipart/form-data; boundary=b"
    headers = {"Content-Type": kind, "Origin": "https://mail.provider.example", "Sec-Fetch-Site": "cross-site"}
    answer = world.fetch(path, method="POST", body=body, headers=headers)
    assert answer.status == 200
    assert _state(world, "minh@doc-gia.example")
    with world.app.db.read() as conn:
        assert (
            conn.exec_driver_sql("SELECT left_reason FROM subscriptions WHERE left_reason IS NOT NULL").scalar()
            == "one-click"
        )


def test_forged_damaged_and_foreign_tokens_get_one_and_the_same_page(world, invited):
    world.send()
    good = world.link(world.mail_to("ngoc@"), "u").removeprefix("/u/")
    trace = world.mail_to("ngoc@")["Message-ID"].strip("<>").split("@")[0]
    wrong = [good[:-1] + ("a" if good[-1] != "a" else "b"), good[:-1], "x", trace, "0" * 49, "%2e%2e%2f"]
    before = world.dump()
    seen = set()
    for token in wrong:
        for kind in ("u", "p", "c"):
            for form in (None, {}):
                answer = world.fetch(f"/{kind}/{token}", form=form)
                assert answer.status == 404, (kind, token)
                seen.add(answer.text)
    assert world.fetch(f"/c/{good}").status == 404  # a reader's token confirms nothing
    assert world.fetch(f"/u/{invited.removeprefix('/c/')}").status == 404
    assert len(seen) == 1
    assert world.dump() == before


def test_the_language_of_the_mail_can_be_changed(world):
    world.send()
    path = world.link(world.mail_to("ngoc@"), "p")
    assert re.search(r'value="vi"[^>]*checked', world.fetch(path).text)
    saved = world.fetch(path, form={"language": "en"})
    assert saved.status == 200
    assert 'lang="en"' in saved.text
    assert "Saved" in saved.text
    assert re.search(r'value="en"[^>]*checked', world.fetch(path).text)
    assert re.search(r'value="en"[^>]*checked', world.fetch(path, form={"language": "tlh"}).text)


def test_only_the_button_confirms_and_twice_is_once(world, invited):
    with world.app.db.read() as conn:
        assert counts(conn, "ban-doc")[SubscriptionState.PENDING] == 1
    assert "<form" in world.fetch(invited).text
    assert "Quý vị đã đăng ký" in world.fetch(invited, form={}).text
    with world.app.db.read() as conn:
        assert counts(conn, "ban-doc")[SubscriptionState.PENDING] == 0
    assert "trước đó" in world.fetch(invited, form={}).text
    world.deliver()
    assert len([mail for mail in world.mails() if "moi@" in mail["To"]]) == 2  # confirm, and one welcome


def test_a_confirmation_that_comes_too_late_says_so(world, invited):
    world.clock.at += timedelta(days=8)
    answer = world.fetch(invited, form={})
    assert answer.status == 410
    assert "quá hạn" in answer.text


def test_a_confirmation_after_leaving_says_so(world, invited):
    world.fetch(invited, form={})
    world.deliver()
    world.fetch(world.link(world.mail_to("moi@", "đã đăng ký"), "u"), form={})
    answer = world.fetch(invited, form={})
    assert answer.status == 410
    assert "không còn" in answer.text


def test_no_page_shows_a_whole_address(world, invited):
    world.send()
    issue = world.issue()
    token = world.link(world.mail_to("ngoc@"), "u")
    for path in (token, token.replace("/u/", "/p/"), invited, f"/issues/{issue.id}"):
        text = world.fetch(path).text
        assert "@doc-gia" not in text
        assert "@reader" not in text
    assert "n… at d….example" in world.fetch(token).text


def test_an_article_without_url_has_a_page_of_plain_text(world):
    page = world.fetch(f"/articles/{world.article('Phao')}")
    assert page.status == 200
    assert "Sáu phao do nhóm kỹ sư trẻ" in page.text
    assert "Lê Văn Sóng" in page.text
    assert world.fetch(f"/articles/{world.article('Giống')}").status == 404  # has an address of its own
    assert world.fetch("/articles/0000000000000000").status == 404


def test_a_held_article_has_no_page_until_it_is_ready(world):
    article_id = world.article("Phao")
    with world.app.db.begin() as conn:
        articles.set_state(conn, article_id, ArticleState.HELD, "a figure is not in the text")
    assert world.fetch(f"/articles/{article_id}").status == 404


def test_markup_in_an_article_stays_text(world):
    evil = "<script>alert(1)</script>"
    with world.app.db.begin() as conn:
        conn.exec_driver_sql("UPDATE articles SET text = 'Một câu. <script>alert(1)</script>', title = '<b>Tin</b>'")
    article_id = world.article("<b>")
    page = world.fetch(f"/articles/{article_id}")
    if page.status == 404:
        article_id = next(one for one in _all_articles(world) if world.fetch(f"/articles/{one}").status == 200)
        page = world.fetch(f"/articles/{article_id}")
    assert evil not in page.text
    assert "&lt;script&gt;" in page.text
    assert "<b>Tin" not in page.text


def _all_articles(world):
    with world.app.db.read() as conn:
        return [one.id for one in articles.listed(conn)]


def test_an_issue_is_public_only_once_it_is_approved(world):
    issue = world.compose()
    assert world.fetch(f"/issues/{issue.id}").status == 404
    world.approve()
    page = world.fetch(f"/issues/{issue.id}")
    assert page.status == 200
    assert "Phao đo sóng" in page.text
    assert "QqX" not in page.text  # no marker is left
    assert "/u/" not in page.text
    assert 'lang="en"' in world.fetch(f"/issues/{issue.id}?lang=en").text
    assert "script-src" not in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]


ACCEPTED = [("en-GB,en;q=0.8,vi;q=0.5", "en"), ("fr", "vi"), ("vi-VN", "vi"), ("en;q=0", "vi")]


@pytest.mark.parametrize(("accept", "expected"), ACCEPTED)
def test_pages_follow_the_browsers_language(world, accept, expected):
    assert f'<html lang="{expected}"' in world.fetch("/only-in-your-mail", headers={"Accept-Language": accept}).text


def test_a_language_asked_for_wins(world):
    world.send()
    path = world.link(world.mail_to("ngoc@"), "u")
    assert '<html lang="en"' in world.fetch(f"{path}?lang=en").text


def test_health_answers_and_tells_nothing_else(world):
    answer = world.fetch("/health")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert '"status":"ok"' in answer.text
    with world.app.db.begin() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = 'of-tomorrow'")
    assert world.fetch("/health").status == 503


def test_health_is_503_when_the_database_does_not_answer(world, sqlite_url):
    world.app.db.close()
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    for file in path.parent.glob(f"{path.name}*"):
        file.write_bytes(b"this is not a database " * 400)
    answer = world.fetch("/health")
    assert answer.status == 503
    assert '"database":"unreachable"' in answer.text


def test_a_fault_of_ours_is_one_friendly_page_without_detail(world):
    world.send()
    token = world.link(world.mail_to("ngoc@"), "u")
    with world.app.db.begin() as conn:
        conn.exec_driver_sql("ALTER TABLE mailings RENAME TO lost")
    answer = world.fetch(token)
    assert answer.status == 500
    assert "gặp sự cố" in answer.text
    assert "mailings" not in answer.text
    assert "no-store" in answer.headers["cache-control"]


def test_under_a_path_and_https_links_keep_the_path_and_the_cookie_is_locked_to_it(behind_proxy):
    world = behind_proxy
    page = world.fetch("/ban-tin/staff/login")
    assert page.status == world.fetch("/staff/login").status == 200
    assert 'href="/ban-tin/static/style.css' in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    form = {"address": world.staff["vi"], "password": "bốn mùa hoa nở ven sông"}
    answer = world.fetch("/ban-tin/staff/login", form=form)
    assert answer.headers["location"] == "/ban-tin/staff/"
    assert answer.headers["set-cookie"].startswith("__Host-newsletter=")
    assert "secure" in answer.headers["set-cookie"].lower()
    cookie = answer.headers["set-cookie"].split(";")[0]
    issue = world.compose()
    assert not [finding for finding in issue.preflight if finding.level == "error"]
    listed = world.fetch("/ban-tin/staff/", cookie=cookie)
    assert f'href="/ban-tin/staff/issues/{issue.id}"' in listed.text
    assert 'href="/staff' not in listed.text
    approve = world.fetch(
        f"/ban-tin/staff/issues/{issue.id}/approve", form={"content_hash": issue.content_hash}, cookie=cookie
    )
    assert approve.headers["location"] == f"/ban-tin/staff/issues/{issue.id}"
    assert world.issue().state == "scheduled"


@pytest.mark.parametrize(
    ("reader", "chosen", "kept"),
    [
        ("ada@reader.example", "", ("en", "Subscribe again")),
        ("ngoc@doc-gia.example", "", ("vi", "Đăng ký lại")),
        ("ngoc@doc-gia.example", "?lang=en", ("en", "Subscribe again")),
    ],
)
def test_the_words_kept_of_who_comes_back_are_those_of_the_button_they_pressed(world, reader, chosen, kept):
    world.send()
    path = world.link(world.mail_to(reader), "u")
    world.fetch(path, form={})
    page = world.fetch(f"{path}{chosen}").text
    assert kept[1] in page
    button = re.search(r'action="(/u/[^"]+/back[^"]*)"', page)[1]
    foreign = "en" if kept[0] == "vi" else "vi"
    assert world.fetch(button, form={}, headers={"Accept-Language": foreign}).status == 303
    with world.app.db.read() as conn:
        last = evidence(conn, world.people[reader])[-1]
    assert (last.form, last.language, last.wording) == ("undo/1", *kept)


def test_leaving_has_no_limit_and_its_letters_have(world):
    world.send()
    path = world.link(world.mail_to("ngoc@"), "u")
    for _ in range(mailbox.MAILBOX.most + 2):
        world.clock.at += timedelta(seconds=1)
        assert world.fetch(path, form={}).status == 200
        assert _state(world, "ngoc@doc-gia.example")
        assert world.fetch(f"{path}/back", form={}).status == 303
        assert not _state(world, "ngoc@doc-gia.example")
    world.deliver()
    goodbyes = [mail for mail in world.mails() if "ngoc@" in mail["To"] and "đã hủy đăng ký" in mail["Subject"]]
    assert len(goodbyes) == mailbox.MAILBOX.most


def test_leaving_can_be_undone_by_the_button_and_not_by_opening_a_link(world):
    world.send()
    path = world.link(world.mail_to("ngoc@"), "u")
    left = world.fetch(path, form={})
    assert f"{path}/back" in left.text
    assert world.fetch(f"{path}/back").status == 405
    assert "Đăng ký lại" in world.fetch(path).text
    assert world.fetch(f"{path}/back", form={}).status == 303
    assert "Hủy đăng ký" in world.fetch(path).text
    assert world.fetch(f"{path[:-1]}{'0' if path[-1] != '0' else '1'}/back", form={}).status == 404
