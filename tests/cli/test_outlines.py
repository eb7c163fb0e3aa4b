"""Sources in and out as OPML."""

from pathlib import Path

import pytest

from tests.cli.conftest import Home, Pages

READERS = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="1.0"><head><title>Của tôi</title></head><body>
<outline text="Khoa học">
  <outline text="Biển" title="Tin Biển"><outline type="rss" text="Sóng" xmlUrl="https://song.example/rss?a=1&b=2" htmlUrl="https://song.example/"/>
  </outline>
  <outline type="rss" text="Gió" XMLURL="https://gio.example/atom.xml" language="vi"/>
</outline>
<outline type="rss" text="Gió lần nữa" xmlUrl="http://www.gio.example/atom.xml?utm_source=x"/>
<outline text="Không có gì"/>
<outline type="rss" text="Xấu" xmlUrl="javascript:alert(1)"/>
<outline type="rss" text="Gió" xmlUrl="https://gio.example/khac.xml"/>
</body></opml>"""


def imported(home: Home, file: Path, *options: object) -> dict[str, str]:
    lines = home("source", "import", file, *options, "--json").json["lines"]
    return {line["name"]: f"{line['action']} {line['slug']}".strip() for line in lines}


def test_groups_become_sections_and_what_cannot_be_used_is_told_with_its_line(home: Home) -> None:
    file = home.write("feeds.opml", READERS)
    said = home("source", "import", file)
    assert said.code == 0
    assert said.out.splitlines() == [
        "added     song: https://song.example/rss?a=1&b=2",
        "added     gio: https://gio.example/atom.xml",
        "known     gio: http://www.gio.example/atom.xml?utm_source=x (it is there already)",
        "added     gio-2: https://gio.example/khac.xml",
        "3 added, 1 known, 2 left out",
    ]
    assert f"{file}:9: " in said.err
    assert "Không có gì names no address" in said.err
    assert "Xấu: javascript:alert(1) (feeds.opml:10: url must begin with https:// or http://)" in said.err
    found = {source["slug"]: source for source in home("source", "list", "--json").json}
    assert [(s["name"], s["section"], s["language"]) for s in found.values()] == [
        ("Gió", "Khoa học", "vi"),
        ("Gió", None, None),
        ("Sóng", "Tin Biển", None),
    ]
    assert set(imported(home, file).values()) == {"known gio", "known gio-2", "known song", "left out"}


def test_a_dry_run_writes_nothing_and_a_newsletter_takes_them_all(site: Home) -> None:
    file = site.write("feeds.opml", READERS)
    assert "dry run: nothing was written" in site("source", "import", file, "--dry-run").out
    assert len(site("source", "list", "--json").json) == 1
    assert "no such newsletter" in site("source", "import", file, "--newsletter", "none").error
    assert site("source", "import", file, "--newsletter", "ban-tin").code == 0
    assert 'sources = ["tin", "song", "gio", "gio-2"]' in site("dump").out


EVERYTHING = """
[[sources]]
slug = "f"
kind = "feed"
url = "https://song.example/rss?a=1&b=2"
name = 'Sóng "lớn" & <nhỏ>'
language = "vi"
section = "Khoa học"
newest = 9
max_age_days = 2.5
include = ["san hô", "biển, đảo"]
exclude = ['"tuyển" dụng']
topics = ["biển"]
full_text = false
[[sources]]
slug = "l"
kind = "listing"
url = "https://song.example/tin"
[[sources]]
slug = "s"
kind = "sitemap"
url = "https://song.example/sitemap.xml"
section = "Khoa học"
[[sources]]
slug = "w"
kind = "wordpress"
url = "https://gio.example/wp-json/wp/v2/posts?categories=5"
[[sources]]
slug = "p"
kind = "page"
url = "https://gio.example/bai"
[[sources]]
slug = "d"
kind = "folder"
url = "bai"
[[sources]]
slug = "m"
kind = "manual"
name = "Gửi tay"
[[sources]]
slug = "x"
kind = "feed"
url = "https://gio.example/rss"
"""


def test_what_is_exported_is_imported_the_same(home: Home, tmp_path: Path) -> None:
    assert home("apply", home.write("site.toml", EVERYTHING)).code == 0
    before = home("dump").out
    exported = home("source", "export").out
    assert '<opml xmlns:newsletter="urn:newsletter:source" version="2.0">' in exported
    file = home.write("out.opml", exported)
    assert set(imported(home, file).values()) == {f"known {slug}" for slug in "flswpdmx"}
    assert home("apply", home.write("none.toml", ""), "--prune").code == 0
    assert home("dump").out == ""
    assert sorted(imported(home, file).values()) == sorted(f"added {slug}" for slug in "flswpdmx")
    assert home("dump").out == before
    assert {source["state"] for source in home("source", "list", "--json").json} == {"active"}


def test_what_is_exported_fills_an_empty_database_the_same(home: Home, tmp_path: Path, sqlite_template: Path) -> None:
    home("apply", home.write("site.toml", EVERYTHING))
    exported, before = home("source", "export").out, home("dump").out
    (home.folder / "data" / "newsletter.db").write_bytes(sqlite_template.read_bytes())
    for leftover in (home.folder / "data").glob("newsletter.db-*"):
        leftover.unlink()
    assert home("dump").out == ""
    assert home("source", "import", home.write("out.opml", exported)).code == 0
    assert home("dump").out == before


def test_a_line_that_names_only_a_site_is_looked_at(home: Home, pages: Pages) -> None:
    home.settings(pages.resolve)
    feed = (
        "<rss version='2.0'><channel><title>T</title><item><title>Một bài</title><guid>1</guid></item></channel></rss>"
    )
    pages.at["/"] = ("text/html", b"<html><head><link rel=alternate type=application/rss+xml href=/kenh></head></html>")
    pages.at["/kenh"] = ("text/xml", feed.encode())
    text = (
        "<opml version='2.0'><body><outline text='Trạm' htmlUrl='http://tin.example/'/>"
        "<outline text='Mất' htmlUrl='http://tin.example/none'/></body></opml>"
    )
    said = home("source", "import", home.write("a.opml", text))
    assert said.out.splitlines() == ["added     tram: http://tin.example/kenh", "1 added, 0 known, 1 left out"]
    assert "Mất: http://tin.example/none (a.opml:1: answered 404 Not Found)" in said.err


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<!DOCTYPE opml [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><opml><body/></opml>', "declares entities"),
        ("<html><body/></html>", "no OPML"),
        ("", "no OPML"),
        ("<opml><head/></opml>", "no OPML"),
        ("<opml>" + " " * (5 << 20), "larger than 5 MB"),
    ],
    ids=range(5),
)
def test_what_is_no_list_of_sources_is_one_line(home: Home, text: str, reason: str) -> None:
    file = home.write("a.opml", text)
    said = home("source", "import", file)
    assert (said.code, reason in said.error, str(file) in said.error) == (1, True, True)


def test_broken_xml_and_odd_attributes_cost_only_their_line(home: Home) -> None:
    text = (
        "<opml xmlns:n='urn:newsletter:source'><body>"
        "<outline text='A' xmlUrl='https://a.example/rss' n:include='x['/>"
        "<outline text='B' xmlUrl='https://b.example/rss' n:newest='many'/>"
        "<outline text='C' xmlUrl='https://c.example/rss' n:unknown='1'></outlin>"
        "<outline text='D' xmlUrl='https://d.example/rss'/>"
    )
    assert imported(home, home.write("a.opml", text)) == {
        "A": "left out",
        "B": "left out",
        "C": "added c",
        "D": "added d",
    }
    assert home("source", "import", home.folder / "none.opml").error.endswith("No such file or directory")
