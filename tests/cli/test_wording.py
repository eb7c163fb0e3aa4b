"""summary edit, regenerate, revert, history and costs; issue intro; why; what doctor says of the model."""

import sqlite3

import pytest

from tests.cli.conftest import Home
from tests.fakes.completions import KEY, CompletionServer, said

WORDS = "Ở cửa sông nay có trạm đo mực nước do Trạm Ngữ Phong khai trương ngày 20/11/2026."
MODEL = "Trạm Ngữ Phong khai trương trạm đo mực nước mới ở cửa sông ngày 20/11/2026; buổi khai trương có 40 người dự."


@pytest.fixture
def key(waiting: Home) -> str:
    """The id of the article of the issue that waits."""
    return article_of(waiting)


def article_of(home: Home) -> str:
    with sqlite3.connect(home.folder / "data" / "newsletter.db") as conn:
        return str(conn.execute("SELECT id FROM articles").fetchone()[0])


def test_an_edit_reaches_the_issue_that_waits_and_revert_takes_it_back(waiting: Home, key: str) -> None:
    before = waiting("why", key, "--json").json["summary"]["text"]
    edited = waiting("summary", "edit", key, WORDS, "--by", "Lan", "--json")
    assert edited.code == 0
    assert edited.json["composed_again"] == [waiting.issue]
    assert waiting("run").code == 0
    assert WORDS in " ".join(waiting("preview", waiting.issue).out.split())
    assert waiting("summary", "revert", key, "--by", "Minh").code == 0
    waiting("run")
    assert WORDS not in " ".join(waiting("preview", waiting.issue).out.split())
    history = waiting("summary", "history", key, "--json").json
    assert [(one["act"], one["by"]) for one in history] == [("reverted", "Minh"), ("edited", "Lan"), ("made", None)]
    assert [one["text"] for one in history] == [before, WORDS, before]
    shown = waiting("summary", "history", key).out
    assert "edited by Lan (human)" in shown
    assert "made by the machine (extract)" in shown


def test_the_guards_findings_on_an_edit_are_warnings_and_markup_is_refused(waiting: Home, key: str) -> None:
    warned = waiting("summary", "edit", key, WORDS.replace("20/11", "21/11"))
    assert warned.code == 0
    assert "warning: the article does not bear it out: figure: 21/11/2026" in warned.err
    refused = waiting("summary", "edit", key, "Xem **trạm đo** ở cửa sông.")
    assert refused.code == 1
    assert refused.error == "it holds markup, a link or a mail address; write plain words"


def test_words_come_from_a_file_or_from_input(waiting: Home, key: str) -> None:
    file = waiting.write("words.txt", WORDS + "\n")
    assert waiting("summary", "edit", key, "--file", file).out.strip() == WORDS
    assert waiting("summary", "edit", key, stdin=WORDS + " Hết.\n").out.strip() == WORDS + " Hết."
    waiting.folder.joinpath("bad.txt").write_bytes(b"\xff\xfe\xff")
    assert "not UTF-8" in waiting("summary", "edit", key, "--file", waiting.folder / "bad.txt").error


def test_regenerate_asks_before_it_replaces_a_persons_words(waiting: Home, key: str) -> None:
    assert waiting("summary", "regenerate", key).code == 0
    waiting("summary", "edit", key, WORDS)
    asked = waiting("summary", "regenerate", key).error
    assert "this needs a confirmation: Replace the words of" in asked
    assert WORDS in asked
    assert waiting("summary", "regenerate", key, "--yes").code == 0
    assert waiting("why", key, "--json").json["summary"]["origin"] == "extract"


def test_an_approved_issue_keeps_its_words_and_that_is_said(waiting: Home, key: str) -> None:
    assert waiting("approve", waiting.issue, "--yes", "--despite-errors").code == 0
    said_so = waiting("summary", "edit", key, WORDS)
    assert f"issue {waiting.issue} is approved with the former words" in said_so.err
    assert waiting("issues", "--json").json[0]["state"] == "scheduled"


def test_an_unknown_article_is_one_line(waiting: Home) -> None:
    for verb in ("regenerate", "revert", "history"):
        assert waiting("summary", verb, "nobody").error.startswith("nobody: no such article")


def test_why_shows_the_source_sentence_beside_each_summary_sentence(waiting: Home, key: str) -> None:
    told = waiting("why", key).out
    assert "summary    extract, " in told
    assert "guard: figures, names and quotations stand in the article" in told
    assert "stands in: characters 0–" in told
    waiting("summary", "edit", key, WORDS + " Vé tàu tăng giá mạnh.", "--by", "Lan")
    told = waiting("why", key).out
    assert "summary    human, by Lan, " in told
    assert "nearest in characters 0–" in told
    assert ": Ngày 20/11/2026, Trạm Ngữ Phong khai trương" in told
    assert "nothing in the article comes near it" in told
    first, second = waiting("why", key, "--json").json["summary"]["sentences"]
    assert (first["match"], first["source"]["in"]) == ("nearest", "text")
    assert (second["match"], second["source"]) == ("none", None)


def test_the_model_writes_and_its_cost_is_shown(site: Home) -> None:
    with CompletionServer(said(MODEL)) as server:
        site.settings(
            f'[model]\nurl = "http://model.local/v1"\nname = "small-model"\napi_key = "{KEY}"\n'
            f'[fetch.resolve]\n"model.local" = "{server.at}"\n'
        )
        assert site("run").code == 0
        key = article_of(site)
        told = site("why", key).out
        assert "summary    model, " in told
        assert "cost: small-model, 1 request, " in told
        assert "700 tokens in, 60 tokens out" in told
        assert "nearest in" in told
        server.answers[:] = [{"status": 500}]
        again = site("summary", "regenerate", key)
    assert again.code == 0
    assert "note: the model was not used: it answered 500" in again.err
    (cost,) = site("summary", "costs", "--json").json
    assert (cost["model"], cost["tries"], cost["tokens_in"], cost["tokens_out"]) == ("small-model", 2, 700, 60)
    assert "small-model" in site("summary", "costs").out
    assert KEY not in site("doctor").out


def test_without_a_model_there_are_no_costs(site: Home) -> None:
    assert site("summary", "costs").out.strip() == "no model was asked yet"


@pytest.mark.parametrize(
    ("more", "level", "message"),
    [
        ("", "ok", "off: "),
        ('[model]\nurl = "http://127.0.0.1:11434/v1"\nname = "m"\n', "error", '"model.local" = "127.0.0.1:11434"'),
        ('[model]\nurl = "http://localhost:8080/v1"\nname = "m"\n', "error", "fetch.resolve"),
        ('[model]\nurl = "http://models.example.org/v1"\nname = "m"\napi_key = "k"\n', "warning", "not https"),
        ('[model]\nurl = "https://models.example.org/v1"\nname = "m"\napi_key = "k"\n', "ok", "it was not tried"),
        (
            '[model]\nurl = "http://model.local/v1"\nname = "m"\n[fetch.resolve]\n"model.local" = "127.0.0.1:9"\n',
            "ok",
            "articles are given to it",
        ),
    ],
)
def test_doctor_says_who_writes_and_how_to_reach_a_local_one(home: Home, more: str, level: str, message: str) -> None:
    home.settings(more)
    found = [check for check in home("doctor", "--json").json["checks"] if check["check"] == "model"]
    assert found[0]["level"] == level
    assert message in found[0]["message"]


def test_a_model_without_a_name_is_refused_with_its_key(home: Home) -> None:
    home.settings('[model]\nurl = "https://models.example.org/v1"\n')
    assert "model: name is missing" in home("doctor").error


def test_the_key_may_stand_in_a_file_of_its_own(home: Home) -> None:
    home.settings('[model]\nurl = "https://models.example.org/v1"\nname = "m"\n')
    secret = home.write("key", "sk-secret\n")
    shown = home("doctor", env={"NEWSLETTER_MODEL__API_KEY_FILE": str(secret)}).out
    assert "model.api_key = …" in shown
    assert "sk-secret" not in shown


def test_staff_write_an_intro_of_their_own(waiting: Home) -> None:
    own = "Số này dành cho bà con hai huyện ven biển."
    assert waiting("issue", "intro", waiting.issue, own).code == 0
    waiting("run")
    assert own in " ".join(waiting("preview", waiting.issue).out.split())
    assert "no such language" in waiting("issue", "intro", waiting.issue, own, "--lang", "fr").error
    assert "markup" in waiting("issue", "intro", waiting.issue, "<b>Số này</b>").error
    assert waiting("issue", "intro", waiting.issue, "").code == 0
    waiting("run")
    assert own not in " ".join(waiting("preview", waiting.issue).out.split())
