"""The archive of a newsletter, as a page and as feeds that our own feed reader understands."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from lxml import etree

from newsletter.collect.feeds.feed import read_feed
from newsletter.store import newsletters
from newsletter.web.public import archive

PAGES = ("/archive/ban-tin", "/archive/ban-tin/rss.xml", "/archive/ban-tin/feed.json")


def test_only_what_went_out_is_in_the_archive(world):
    world.compose()
    world.approve()
    for path in PAGES:
        answer = world.fetch(path)
        assert answer.status == 200
        assert "/issues/" not in answer.text
    issue = world.release()
    for path in PAGES:
        assert f"/issues/{issue.id}" in world.fetch(path).text, path
    assert world.fetch(f"/issues/{issue.id}").status == 200


def test_the_feeds_are_read_by_our_own_reader_with_titles_links_and_moments(world):
    issue = world.send()
    for path in PAGES[1:]:
        answer = world.fetch(path)
        feed = read_feed(answer.text.encode(), url=world.url + path)
        (entry,) = feed.entries
        assert entry.title == issue.subject
        assert entry.url == f"{world.url}/issues/{issue.id}"
        assert "2026-11-23T08:00:00+07:00" in (entry.published.isoformat(), str(entry.published))
    root = etree.fromstring(world.fetch(PAGES[1]).text.encode())
    assert root.find("channel/item/guid").get("isPermaLink") == "false"
    assert root.find("channel/language").text == "vi"
    assert "<li>" in root.find("channel/item/description").text


def test_what_an_issue_says_is_escaped_in_page_and_feeds(world):
    world.send()
    hostile = "</title><script>alert(1)</script> & ]]> \x0b\u202e"
    with world.app.db.begin() as conn:
        conn.execute(sa.text("UPDATE issues SET subject = :s"), {"s": hostile})
    assert "<script>alert" not in world.fetch(PAGES[0]).text
    root = etree.fromstring(world.fetch(PAGES[1]).text.encode())
    assert root.find("channel/item/title").text == "</title><script>alert(1)</script> & ]]>"
    assert json.loads(world.fetch(PAGES[2]).text)["items"][0]["title"].startswith("</title>")


@pytest.mark.parametrize("page", ["0", "-1", "x", "1e3", "9" * 50, "%C2%B2"])
def test_pages_that_are_none_are_not_there(world, page):
    assert world.fetch(f"/archive/ban-tin?page={page}").status == 404
    assert world.fetch("/archive/none").status == 404


def test_a_newsletter_that_is_not_public_shows_and_offers_nothing(world):
    world.send()
    with world.app.db.begin() as conn:
        newsletters.save(conn, replace(newsletters.listed(conn)[0], public=False), now=world.clock.now())
    for path in (*PAGES, "/subscribe/ban-doc", "/subscribe/ban-doc/snippet"):
        assert world.fetch(path).status == 404, path
    assert "ban-tin" not in world.fetch("/").text


def test_the_archive_turns_its_pages(world, monkeypatch):
    monkeypatch.setattr(archive, "PER_PAGE", 0)
    world.send()
    assert 'rel="next"' in world.fetch(PAGES[0]).text
    world.clock.at += timedelta(days=1)
    assert 'rel="prev"' in world.fetch(f"{PAGES[0]}?page=2").text
