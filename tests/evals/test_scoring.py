"""The scorers give the figures that a person counts by hand."""

import gzip
import json
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from newsletter.collect.lists.listing import Listing, ListingLink
from newsletter.model import Feed, RawItem, Summary, SummaryOrigin, SummarySentence, Verdict
from tests.evals import collecting, scoring, summarising, tables
from tests.evals.__main__ import main
from tests.evals.data import content, records
from tests.evals.timing import Outcome, timed

DONE = Outcome(0.5, "")


# ---------------------------------------------------------------- words


def test_words_of_a_page_are_lower_case_nfc_and_east_asian_ones_single_characters() -> None:
    found = scoring.page_words("Vie\u0302\u0323n TỐT, a_b 12,5 漢字 カナ")
    assert found == ["viện", "tốt", "a", "b", "12", "5", "漢", "字", "カ", "ナ"]
    assert scoring.page_words(None) == []


def test_words_of_a_summary_keep_figures_whole() -> None:
    assert scoring.summary_words("Đạt 1.234,5 tấn, tăng 12% so với 26/6.") == [
        "đạt", "1.234,5", "tấn", "tăng", "12%", "so", "với", "26/6",
    ]  # fmt: skip


# ---------------------------------------------------------------- pages


@pytest.mark.parametrize(
    ("found", "expected", "f1"),
    [
        ("a b c d", "a b c d", 1.0),
        ("a b", "a b c d", 2 * 2 / (2 + 4)),
        ("a a a b", "a b c", 2 * 2 / (4 + 3)),  # a counts once
        ("x y", "a b", 0.0),
        ("", "a", 0.0),
        ("a", "", 0.0),
        ("", "", 1.0),
    ],
)
def test_overlap_is_the_f1_of_two_bags(found: str, expected: str, f1: float) -> None:
    assert scoring.overlap(found.split(), expected.split()) == pytest.approx(f1)


def test_a_snippet_is_held_when_its_words_follow_each_other() -> None:
    text = ["the", "lamp", "on", "the", "eastern", "jetty"]
    assert scoring.holds(text, ["eastern", "jetty"])
    assert not scoring.holds(text, ["lamp", "jetty"])


@pytest.mark.parametrize(
    ("found", "expected", "same"),
    [
        ("Tidal lamp: a first!", "tidal LAMP – a first", True),
        ("Salt &amp; stone", "Salt & stone", True),
        ("Tidal lamp | Ledger", "Tidal lamp", False),
        ("lamp tidal", "tidal lamp", False),
        ("潮の 灯", "潮の灯", True),
        (None, "Tidal lamp", False),
    ],
)
def test_titles_are_the_same_in_words_and_order(found: str | None, expected: str, same: bool) -> None:
    assert scoring.same_title(found, expected) is same


def test_the_day_is_the_sources_own() -> None:
    assert scoring.day_of(datetime(2025, 3, 4, 23, 30, tzinfo=timezone(timedelta(hours=-5)))) == "2025-03-04"
    assert scoring.day_of(date(2025, 3, 4)) == "2025-03-04"
    assert scoring.day_of(None) is None


def test_days_apart_need_two_days() -> None:
    assert scoring.days_apart("2025-03-01", "2025-02-28") == 1
    assert scoring.days_apart("2025-03-01", "2025-03-01") == 0
    assert scoring.days_apart(None, "2025-03-01") is None
    assert scoring.days_apart("2003-11-05", "2003-11") is None


@pytest.mark.parametrize(
    ("found", "same"),
    [
        ("https://other.example/thumbs/Lamp-640x360.JPG?w=5", True),
        ("https://x.example/lamp.jpg", True),
        ("https://x.example/logo.jpg", False),
        ("", False),
        (None, False),
    ],
)
def test_a_picture_is_the_same_by_its_file_name_without_sizes(found: str | None, same: bool) -> None:
    assert scoring.same_picture(found, ["https://x.example/a/lamp-1200x630.jpg"]) is same


def scored(**record: object) -> collecting.PageScore:
    item = RawItem(
        title="Tidal lamp", text="One two three four.", published=date(2025, 3, 4), image="https://x.example/lamp.jpg"
    )
    return collecting.score_page({"id": "p", "src": "s", **record}, item, DONE)


def test_a_page_is_scored_on_what_its_set_knows() -> None:
    score = scored(
        body="one two three five",
        title="Tidal lamp",
        date="2025-03-05T01:00:00",
        image=["https://y.example/lamp.jpg"],
        with_=["two three", "five"],
        without=["four", "menu"],
    )
    assert (score.body, score.found, score.kept_out) == (0.75, 0.5, 0.5)
    assert (score.title, score.day, score.near_day, score.image) == (True, False, True, True)
    assert (score.seconds, score.failure) == (0.5, "")


def test_what_a_set_does_not_know_is_not_scored() -> None:
    score = scored(body=None, title=None, date=None, image=None, with_=["x"], without=None)
    assert [score.body, score.found, score.kept_out, score.title, score.day, score.near_day, score.image] == [None] * 7


def test_pages_are_counted_by_set_and_together() -> None:
    right, poor = scored(body="one two three four"), scored(body="one nine nine nine", src="t")
    table = collecting.page_table([right, poor], [], worst=1)
    shown = {line[0]: dict(zip(table.columns, line, strict=True)) for line in table.rows}
    assert [line[0] for line in table.rows] == ["s", "t", "all", "bar"]
    assert shown["all"]["body F1"] == "0.625 (2)"  # (1 + 1/4) / 2
    assert shown["all"]["below 0.8"] == "1 of 2"
    assert shown["all"]["title exact"] == "-"
    assert shown["all"]["pages per CPU s"] == "2.0"  # two pages of half a second
    assert table.below == ["body F1 0.250: p"]


# ---------------------------------------------------------------- feeds


def test_feed_texts_links_and_moments_compare_in_one_form() -> None:
    assert scoring.same_text("<b>Salt</b> &amp;amp;  stone\n", "Salt & stone")
    assert not scoring.same_text(None, "Salt")
    assert scoring.same_link(" https://x.example/a/ ", "https://x.example/a")
    assert not scoring.same_link(None, "https://x.example/a")
    assert scoring.moment_of(datetime(2025, 3, 4, 7, 0, 0, 9, tzinfo=timezone(timedelta(hours=7)))) == (
        "2025-03-04T00:00:00"
    )
    assert scoring.moment_of(date(2025, 3, 4)) == "2025-03-04T00:00:00"
    assert scoring.moment_of(None) is None


TRUTH = {
    "id": "f",
    "real": True,
    "title": "News",
    "entries": [
        {"title": "One", "link": "https://x.example/1", "published": "2025-03-04T00:00:00"},
        {"title": "Two", "link": None, "published": "2025-03-05T00:00:00"},
    ],
}
ENTRIES = (
    RawItem(title="One", url="https://x.example/1/", published=datetime(2025, 3, 4, tzinfo=UTC)),
    RawItem(title="Two", url=None, published=datetime(2025, 3, 5, 0, 0, 1, tzinfo=UTC)),
)


def test_a_feeds_entries_are_scored_fact_by_fact() -> None:
    score = collecting.score_feed(TRUTH, Feed(title="News", entries=ENTRIES), DONE)
    assert (score.titles, score.links, score.dates) == ((True, True), (True,), (True, False))
    assert (score.count, score.whole) == (True, False)
    row = dict(zip(collecting.FEED_COLUMNS, collecting.feed_row("x", [score]), strict=True))
    assert (row["title+link+date"], row["date"], row["entry counts"]) == ("0.800 (5)", "0.500 (2)", "1 of 1")


def test_a_feed_with_a_wrong_count_has_nothing_right() -> None:
    for feed in (Feed(title="News", entries=ENTRIES[:1]), None):
        score = collecting.score_feed(TRUTH, feed, DONE)
        assert not score.count
        assert score.facts == (False,) * 5


def test_a_feed_without_entries_is_whole_when_none_are_expected() -> None:
    empty: dict[str, object] = {"id": "f", "title": None, "entries": []}
    assert collecting.score_feed(empty, Feed(title="Any", entries=()), DONE).whole
    assert not collecting.score_feed(empty, None, Outcome(0.0, "Unreadable: no")).whole


# ---------------------------------------------------------------- summaries


@pytest.mark.parametrize(
    ("left", "right", "length"),
    [
        ("a b c d e", "a c e", 3),
        ("a b c", "c b a", 1),
        ("a b a b", "b a b a", 3),
        ("x", "a b", 0),
        ("", "a", 0),
        ("a", "", 0),
    ],
)
def test_longest_common_subsequence(left: str, right: str, length: int) -> None:
    assert scoring.longest_common(left.split(), right.split()) == length


def test_rouge_of_two_short_sentences() -> None:
    # words: 3 shared of 4 and 4; pairs: "the lamp" of 3 and 3; in order: the, lamp, now
    found = scoring.rouge("The lamp burns now.", ["The lamp now sleeps"])
    assert found == pytest.approx((6 / 8, 2 / 6, 6 / 8))
    assert found.mean == pytest.approx((0.75 + 1 / 3 + 0.75) / 3)


def test_rouge_takes_the_reference_that_suits_best() -> None:
    assert scoring.rouge("a b c", ["x y z", "a b c", "a c"]) == (1.0, 1.0, 1.0)
    assert scoring.rouge("a", ["b"]) == (0.0, 0.0, 0.0)
    assert scoring.rouge("", ["b"]) == (0.0, 0.0, 0.0)


def test_a_long_answer_is_clipped_at_a_word() -> None:
    assert scoring.clipped("seven words of it", 20) == "seven words of it"
    assert scoring.clipped("alpha beta, gamma delta", 13) == "alpha beta…"
    assert scoring.clipped("alphabetagammadelta", 10) == "alphabeta…"


def test_figures_compare_in_one_form() -> None:
    assert scoring.figures("1.200.000 đồng, 1,5 tấn, 07 xã, NĐ7, 12:30") == {"1200000", "1.5", "7", "12:30"}
    assert scoring.figures("1,200,000") == {"1200000"}


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        ("The lamp cost 2.5 million.", True),
        ("It burned for 90 nights…", True),
        ("“It works,” she said.", True),
        ("The lamp cost 2.", False),
        ("The lamp cost", False),
        ("It burned for…", False),
        ("Nobody had seen this before.", False),
        ("It was built by the U.S.", False),
    ],
)
def test_a_sentence_is_whole_when_it_ends_where_its_source_does(said: str, whole: bool) -> None:
    source = "The lamp cost 2.5 million. It burned for 90 nights…\n“It works,” she\nsaid. It was built by the U.S. navy yard."
    assert scoring.ends_whole(said, source) is whole


RECORD = {
    "id": "a",
    "lang": "en",
    "title": "Tidal lamp",
    "text": "The lamp burns now. It cost 90 pounds. Nobody minds. The end is near.",
    "reference": "The lamp burns now.",
}


def said(*sentences: SummarySentence, ok: bool = True) -> Summary:
    return Summary(
        text=" ".join(sentence.text for sentence in sentences),
        origin=SummaryOrigin.EXTRACT,
        sentences=sentences,
        guard=Verdict(ok=ok),
    )


def sentence(text: str, start: int) -> SummarySentence:
    return SummarySentence(text=text, origin="text", start=start, end=start + len(text))


def test_a_summary_is_scored_beside_the_lead() -> None:
    score = summarising.score_summary(RECORD, said(sentence("The lamp burns now.", 0)), DONE)
    assert score.rouge == (1.0, 1.0, 1.0)
    # "the lamp burns now it cost 90 pounds nobody minds" has 10 words, of which the reference's 4 in order
    assert score.lead == pytest.approx((8 / 14, 6 / 12, 8 / 14))
    assert (score.sentences, score.spans, score.ungrounded, score.broken) == (1, 1, False, False)


def test_a_summary_with_strange_figures_wrong_places_or_half_sentences_is_counted() -> None:
    score = summarising.score_summary(RECORD, said(sentence("It cost 91 pounds.", 20), ok=False), DONE)
    assert (score.ungrounded, score.spans, score.sentences, score.refused) == (True, 0, 1, True)
    half = summarising.score_summary(RECORD, said(sentence("It cost 90", 20)), DONE)
    assert (half.broken, half.spans, half.ungrounded) == (True, 1, False)


def test_no_summary_scores_nothing_and_is_a_failure() -> None:
    score = summarising.score_summary(RECORD, None, Outcome(0.1, "ValueError: odd"))
    assert (score.rouge, score.failure) == ((0.0, 0.0, 0.0), "ValueError: odd")
    assert summarising.score_summary(RECORD, None, DONE).failure == "no summary"


def test_the_lead_takes_of_three_sentences_those_that_fit() -> None:
    long = "Word " * 70 + "end."
    assert summarising.whole_sentence_lead(f"First one here. {long} Third one here. Fourth.", "en") == (
        "First one here. Third one here."
    )
    assert summarising.whole_sentence_lead(long, "en").endswith("…")
    assert summarising.whole_sentence_lead("", "en") == ""


def test_the_mean_weighs_sets_equally() -> None:
    good = summarising.score_summary(RECORD, said(sentence("The lamp burns now.", 0)), DONE)
    none = summarising.score_summary(RECORD, None, DONE)
    table = summarising.set_table([("one", [good]), ("two", [none, none, none])])
    means = {line[0]: line[table.columns.index("mean")] for line in table.rows}
    assert (means["one"], means["two"], means["mean of 2 sets"]) == ("100.00", "0.00", "50.00")


# ---------------------------------------------------------------- reading and printing


def test_records_are_limited_and_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join([json.dumps({"id": 1}), "", json.dumps({"id": 2}), "{"]), encoding="utf-8")
    assert [record["id"] for record in records(path, 2)] == [1, 2]
    with pytest.raises(ValueError, match="record 3 is not JSON"):
        list(records(path, None))


def test_packed_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "page.html.gz").write_bytes(gzip.compress(b"page"))
    assert content(tmp_path / "page.html.gz") == b"page"


def test_an_error_is_an_outcome() -> None:
    value, outcome = timed(lambda: int("x"), -1)
    assert value == -1
    assert outcome.failure.startswith("ValueError: ")
    assert timed(lambda: 3, -1)[1].failure == ""


def test_a_table_is_markdown() -> None:
    table = tables.Table("Lamps", ("lamp", "F1"), [["east", "0.5"]], ["one burned out"])
    assert tables.markdown(table) == ("## Lamps\n\n| lamp |  F1 |\n|------|----:|\n| east | 0.5 |\n\n- one burned out")


def test_figures_in_cells_say_how_many_they_are() -> None:
    assert tables.share([1.0, None, 0.5]) == "0.750 (2)"
    assert tables.out_of([True, False, None]) == "1 of 2"
    assert (tables.share([]), tables.out_of([None]), tables.per_second(3, 0.0)) == ("-", "-", "-")


def test_the_sets_of_a_folder_are_measured_and_missing_ones_told(tmp_path: Path) -> None:
    told: list[str] = []
    (tmp_path / "page.html").write_text("<h1>Tidal lamp</h1><p>The lamp on the jetty burns at last.</p>", "utf-8")
    truth = {"id": "p", "src": "s", "file": "page.html", "title": "Tidal lamp", "body": None}
    bad = {"id": "q", "src": "s", "file": "empty.html", "title": "Tidal lamp", "body": "x"}
    (tmp_path / "empty.html").write_text("", "utf-8")
    (tmp_path / "articles.jsonl").write_text(f"{json.dumps(truth)}\n{json.dumps(bad)}\n", "utf-8")
    (table,) = collecting.measure(tmp_path, limit=None, worst=0, tell=told.append)
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert (row["title exact"], row["failed"], row["body F1"]) == ("0.500 (2)", "1 of 2", "0.000 (1)")
    assert [line.rsplit("/", 1)[-1] for line in told] == [
        f"{name} is not there"
        for name in (
            "meta_postlight.jsonl",
            "synth_vi_articles.jsonl",
            "feeds.jsonl",
            "listing.jsonl",
            "synth_vi_listing.jsonl",
        )
    ]
    assert len(table.below) == 1
    assert table.below[0].startswith("failed: q: Unreadable")


def test_the_command_prints_tables_and_skips_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "summarise"
    folder.mkdir()
    (folder / "own.jsonl").write_text(json.dumps(RECORD) + "\n", "utf-8")
    (folder / "other.jsonl").write_text('{"id": "x"}\n', "utf-8")
    assert main([str(tmp_path), "--limit", "1"]) == 0
    printed = capsys.readouterr()
    assert "| own " in printed.out
    assert "mean of 1 sets" in printed.out
    missing = [tmp_path / "collect", tmp_path / "delivery", folder / "dup_vi_clusters.jsonl"]
    assert {f"skipped: {path} is not there" for path in missing} < set(printed.err.splitlines())
    assert len(printed.err.splitlines()) == 4


def test_the_command_says_when_there_is_no_such_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none")]) == 2
    assert "there is no such folder" in capsys.readouterr().err


# ---------------------------------------------------------------- listings


def test_a_listing_is_scored_by_the_links_that_must_be_there_and_allowed_ones_count_neither_way() -> None:
    record = {
        "id": "a",
        "url": "https://www.vien.example/tin/",
        "must": [f"https://vien.example/bai/{n}" for n in range(4)],
        "allowed": ["https://vien.example/cot-ben"],
    }
    found = ["http://vien.example/bai/0/", "https://www.vien.example/BAI/1#a", "https://vien.example/cot-ben"]
    found += ["https://vien.example/lien-he", "https://vien.example/tin"]
    links = tuple(ListingLink(url=url, title="x") for url in found)
    score = collecting.score_listing(record, Listing(links=links, signature="s"), DONE)
    assert (score.precision, score.recall) == (pytest.approx(2 / 3), 0.5)
    assert score.f1 == pytest.approx(4 / 7)
    nothing = collecting.score_listing(record, Listing(links=(), signature=""), DONE)
    assert (nothing.precision, nothing.recall, nothing.f1) == (0, 0, 0)
    table = tables.markdown(collecting.listing_table([("real", [score, nothing])], worst=1))
    assert "| 0.286 (2) |" in table
    assert "links F1 0.000: a" in table


def test_names_are_compared_by_their_words_in_any_order() -> None:
    assert scoring.same_names(("Oda Brann", "Pim Holt"), "PIM HOLT, Oda Brann") == 1.0
    assert scoring.same_names(("Oda Brann",), "Oda Brann and Pim Holt") == pytest.approx(2 * 2 / (2 + 5))
    assert scoring.same_names((), "Oda Brann") == 0.0
