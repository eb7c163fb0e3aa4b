"""What every answer carries, and what no other site can make a browser do here."""

import pytest

from newsletter.web.shield import is_own, referrer_policy

STRICT = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: https:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def test_every_page_carries_the_strict_policy(world):
    for path in ("/", "/u/wrong", "/staff/login", "/staff/link/wrong", "/nowhere", "/health", "/only-in-your-mail"):
        headers = world.fetch(path).headers
        assert headers["content-security-policy"] == STRICT, path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_the_review_page_may_frame_only_us_and_the_frame_runs_nothing(world):
    issue = world.compose()
    cookie = world.log_in()
    assert (
        world.fetch(f"/staff/issues/{issue.id}", cookie=cookie).headers["content-security-policy"]
        == f"{STRICT}; frame-src 'self'; connect-src 'self'"
    )
    policy = world.fetch(f"/staff/issues/{issue.id}/frame", cookie=cookie).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "script-src" not in policy


def test_no_page_has_a_script_or_style_in_line(world):
    issue = world.compose()
    cookie = world.log_in()
    for path in ("/", "/staff/login", "/staff/", f"/staff/issues/{issue.id}", "/staff/sources", "/staff/articles"):
        text = world.fetch(path, cookie=cookie).text
        assert "<style" not in text
        assert " style=" not in text
        assert "<script>" not in text
        assert " onclick" not in text


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),  # a program: no browser, no other site
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "SELF"}, True),
    ],
)
def test_a_post_from_another_site_is_refused(world, headers, allowed):
    issue = world.compose()
    cookie = world.log_in()
    sent = {name: world.url if value == "SELF" else value for name, value in headers.items()}
    before = world.dump()
    answer = world.fetch(f"/staff/issues/{issue.id}/cancel", form={}, headers=sent, cookie=cookie)
    assert (answer.status == 303) is allowed
    assert (world.dump() != before) is allowed
    assert allowed or answer.status == 403


def test_origin_is_compared_with_the_base_url_and_with_the_host_asked_for():
    assert is_own([], ["https://news.example"], "127.0.0.1:8000", "https://news.example")
    assert is_own([], ["http://127.0.0.1:8000"], "127.0.0.1:8000", "https://news.example")
    assert not is_own([], ["https://news.example.evil.example"], "127.0.0.1:8000", "https://news.example")


def test_over_plain_http_the_origin_of_our_forms_is_still_told():
    assert referrer_policy("https://news.example") == "no-referrer"
    assert referrer_policy("http://news.lan") == "same-origin"


def test_a_form_larger_than_any_of_ours_is_refused(world):
    answer = world.fetch("/staff/login", form={"address": "x" * 70_000, "password": "y"})
    assert answer.status == 413


def test_static_files_are_kept_for_ever_by_their_content(world):
    page = world.fetch("/staff/login").text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = world.fetch(address)
    assert answer.status == 200
    assert "immutable" in answer.headers["cache-control"]
    assert "immutable" not in world.fetch("/static/style.css").headers["cache-control"]
    assert world.fetch("/static/../__init__.py").status == 404
    assert world.fetch("/static/%2e%2e%2f__init__.py").status == 404


def test_a_damaged_form_is_a_form_without_fields(world):
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert world.fetch("/staff/login", method="POST", body=b"--c\r\nnothing", headers=headers).status == 401
    assert (
        world.fetch("/staff/login", method="POST", body=b"{}", headers={"Content-Type": "application/json"}).status
        == 401
    )
