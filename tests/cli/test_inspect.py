"""inspect: the shapes that other programs rely on, line by line, without settings, database or network."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ARTICLE, Home
from tests.mail.bounces.samples import report

PAGE = f"""<html lang="vi"><head><title>Trạm đo mới</title></head><body><article><h1>Trạm đo mới</h1>
<p>{ARTICLE.partition(chr(10))[2].strip()}</p></article></body></html>"""
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Tin</title><link>https://vien.example/</link>
<item><guid>1</guid><title>Một</title><link>/1</link><pubDate>Fri, 20 Nov 2026 08:00:00 +0700</pubDate></item>
</channel></rss>"""


@pytest.fixture
def folder(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A folder without settings, as the working directory."""
    home.config.unlink()
    home.write("a.html", PAGE)
    home.write("a.txt", ARTICLE)
    home.write("feed.xml", FEED)
    (home.folder / "a.html.gz").write_bytes(gzip.compress(PAGE.encode()))
    (home.folder / "broken.html.gz").write_bytes(gzip.compress(PAGE.encode())[:-20])
    monkeypatch.chdir(home.folder)
    return home


def lines(home: Home, kind: str, *records: Any) -> tuple[int, list[dict[str, Any]]]:
    text = "".join((r if isinstance(r, str) else json.dumps(r, ensure_ascii=False)) + "\n" for r in records)
    said = home("inspect", kind, "--jsonl", stdin=text)
    return said.code, [json.loads(line) for line in said.out.splitlines()]


def test_articles_line_by_line_in_order_with_their_ids(folder: Home) -> None:
    code, answers = lines(
        folder,
        "article",
        {"id": 7, "file": "a.html", "url": "https://vien.example/tin/7"},
        {"id": "x", "file": "none.html"},
        {"id": "t", "file": "a.txt"},
        "not json",
        "[1]",
        {"id": "z", "file": "broken.html.gz"},
        {"id": "g", "file": "a.html.gz"},
        {"id": "n", "file": 3},
        {"id": "m"},
    )
    assert code == 1
    assert [answer["id"] for answer in answers] == [7, "x", "t", None, None, "z", "g", "n", "m"]
    assert [("error" in answer) for answer in answers] == [False, True, False, True, True, True, False, True, True]
    read = answers[0]
    assert {"id", "title", "published", "authors", "image", "text", "language", "provenance"} <= set(read)
    assert (read["title"], read["published"], read["authors"], read["image"]) == ("Trạm đo mới", "2026-11-20", [], None)
    assert read["language"] == "vi"
    assert {**answers[6], "id": 7} | {"url": 0} == {**read, "url": 0}, "packed or not, it is the same"


def test_feed_entries_have_absolute_links_and_their_own_offset(folder: Home) -> None:
    code, (answer,) = lines(folder, "feed", {"id": 1, "file": "feed.xml", "url": "https://vien.example/feed.xml"})
    assert code == 0
    assert (answer["id"], answer["title"]) == (1, "Tin")
    assert answer["entries"] == [
        {
            "id": "1",
            "title": "Một",
            "link": "https://vien.example/1",
            "published": "2026-11-20T08:00:00+07:00",
            "summary": None,
            "image": None,
        }
    ]


@pytest.mark.parametrize("limit", [0, -5, True, [], 1.5, ""])
def test_a_room_that_is_no_whole_number_is_told(folder: Home, limit: object) -> None:
    record = {"id": "s", "lang": "vi", "title": "Trạm", "text": "Trạm.", "max_chars": limit}
    _, (said,) = lines(folder, "summary", record)
    assert said == {"id": "s", "error": f"max_chars must be a whole number from 1, not {limit!r}"}


def test_a_summary_names_where_each_sentence_stands(folder: Home) -> None:
    text = ARTICLE.partition("\n")[2].strip()
    record = {"id": "s", "lang": "vi", "title": "Trạm đo mới", "text": text, "max_chars": 120}
    code, (answer, nothing, wrong) = lines(
        folder, "summary", record, {"id": "e", "text": ""}, {**record, "max_chars": "many"}
    )
    assert code == 1
    assert (answer["method"], answer["guard"]["ok"]) == ("extract", True)
    assert len(answer["summary"]) <= 120
    assert [text[s["start"] : s["end"]] for s in answer["sentences"]] == [s["text"] for s in answer["sentences"]]
    assert {s["from"] for s in answer["sentences"]} == {"text"}
    assert (nothing["summary"], nothing["sentences"], nothing["guard"]["ok"]) == ("", [], False)
    assert wrong == {"id": "s", "error": "max_chars must be a whole number from 1, not 'many'"}


def test_a_message_is_judged_and_an_error_ends_with_1(waiting: Home) -> None:
    waiting("preview", "latest", "--out", waiting.folder, "--as", "eml", "--lang", "vi")
    (file,) = waiting.folder.glob("*.eml")
    code, (clean,) = lines(waiting, "message", {"id": 1, "file": str(file)})
    assert (code, [f for f in clean["findings"] if f["level"] == "error"]) == (0, [])
    file.write_bytes(file.read_bytes().replace(b"\r\nSubject:", b"\r\nSubjekt:"))
    said = waiting("inspect", "message", file)
    assert said.code == 1
    assert "error: " in said.out


def test_the_console_script_speaks_utf_8_in_any_locale(folder: Home) -> None:
    said = folder.script("inspect", "article", "--jsonl", stdin='{"id": "ẩ", "file": "a.txt"}\n', LC_ALL="C")
    assert said.json["id"] == "ẩ"
    assert said.json["title"] == "Trạm đo mới ở cửa sông"


def test_a_file_is_shown_to_a_person(folder: Home) -> None:
    assert "Trạm đo mới ở cửa sông" in folder("inspect", "article", "a.txt").out
    assert "1 entries" in folder("inspect", "feed", "feed.xml").out
    assert "guard: ok" in folder("inspect", "summary", "a.txt").out


def test_one_bad_file_does_not_cost_the_others(folder: Home) -> None:
    said = folder("inspect", "article", "none.txt", "a.txt", "--json")
    assert said.code == 1
    assert said.json["title"] == "Trạm đo mới ở cửa sông"
    assert said.error.startswith("none.txt: ")


def test_without_a_file_it_is_a_wrong_command_line(folder: Home) -> None:
    assert folder("inspect", "article").code == 2


def test_a_gzip_bomb_is_refused(folder: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.cli.inspecting.MAX_FILE", 1000)
    (folder.folder / "bomb.xml.gz").write_bytes(gzip.compress(b" " * 100_000))
    from newsletter.cli.inspecting import Kind, _answer

    answer = _answer(Kind.FEED, json.dumps({"id": 1, "file": str(Path("bomb.xml.gz"))}).encode())
    assert "larger than" in answer["error"]


def test_bounces_line_by_line(folder: Home) -> None:
    (folder.folder / "b.eml").write_bytes(report())
    (folder.folder / "big.eml").write_bytes(b"\0" * 1_000_000)
    code, answers = lines(
        folder, "bounce", {"id": 1, "file": "b.eml"}, {"id": 2, "file": "none.eml"}, {"id": 3, "file": "big.eml"},
        {"id": 4, "file": "b.eml", "rcpt": "x+moi=doc.example@vien.example"}, {"id": 5, "file": "b.eml", "rcpt": 5},
    )  # fmt: skip
    assert code == 1
    assert ["error" in answer for answer in answers] == [False, True, False, False, True]
    assert answers[0]["recipients"] == [
        {"address": "an@docgia.example", "kind": "hard", "reason": "userunknown", "status": "5.1.1", "original": None,
         "token": None}
    ]  # fmt: skip
    assert answers[2]["recipients"] == []
    assert answers[3]["recipients"][0]["address"] == "moi@doc.example"
    assert "hard: userunknown 5.1.1  an@docgia.example" in folder("inspect", "bounce", "b.eml").out
    assert "no bounce" in folder("inspect", "bounce", "big.eml").out


def test_webhooks_line_by_line(folder: Home) -> None:
    record = {
        "id": 1, "esp": "Brevo", "path": "/", "content_type": "application/json",
        "headers": {"Authorization": "Basic dmllbjptYXQta2hhdQ=="},
        "body_b64": base64.b64encode(b'{"event": "spam", "email": "an@docgia.example", "ts_epoch": 1795334400000}').decode(),
        "secrets": {"WEBHOOK_SECRET": "vien:mat-khau"},
    }  # fmt: skip
    folder.write("w.json", json.dumps(record))
    code, answers = lines(
        folder, "webhook", record, record | {"id": 2, "secrets": {}}, record | {"id": 3, "esp": "x"},
        record | {"id": 4, "body_b64": "?"}, record | {"id": 5, "headers": 3}, {"id": 6, "file": "w.json"},
        record | {"id": 7, "secrets": {"WEBHOOK_SECRET": ["a:b", "vien:mat-khau"], "INBOUND_SECRET": "x"}},
    )  # fmt: skip
    assert code == 1
    assert ["refused" in answer for answer in answers] == [False, True, False, False, False, False, False]
    assert ["error" in answer for answer in answers] == [False, False, True, True, True, False, False]
    [event] = answers[0]["events"]
    assert (event["type"], event["recipient"], event["timestamp"]) == (
        "complained",
        "an@docgia.example",
        "2026-11-22T08:00:00+00:00",
    )
    assert answers[5]["events"] == answers[0]["events"] == answers[6]["events"]
    assert "complained" in folder("inspect", "webhook", "w.json").out


def test_the_providers_of_webhooks_are_listed(folder: Home) -> None:
    said = folder("inspect", "webhook", "--list")
    assert said.code == 0
    assert said.out.split("\n")[:3] == ["Amazon SES", "Mailgun", "Postmark"]
