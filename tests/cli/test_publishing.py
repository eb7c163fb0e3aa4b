"""From an article to a delivered digest by verbs alone, and what they say when something is wrong."""

import csv
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import SITE, Home, Pages
from tests.fakes.certificates import Authority
from tests.fakes.smtpd import Behaviour, Sink

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Tin</title></channel></rss>"""


def stages(shown: dict[str, list[dict[str, object]]]) -> dict[str, object]:
    return {str(report["stage"]): report["changed"] for report in shown["stages"]}


def smtp(port: int, more: str = 'host = "127.0.0.1"\nsecurity = "none"\n') -> str:
    return f'[transport]\nkind = "smtp"\n[transport.smtp]\nport = {port}\n{more}'


# ---------------------------------------------------------------- the whole way


def test_an_issue_goes_all_the_way_by_the_console_script(home: Home) -> None:
    home.write("site.toml", SITE)
    home.write("tin/a.txt", "Tin một\n\nTrạm đo mới khai trương ở cửa sông vào sáng thứ Hai, trước 40 người dự.\n")
    assert home("apply", home.folder / "site.toml").code == 0
    csv = home.write("people.csv", "email,name\nan@vien.example,An\nbad@@vien.example,Bad\nbinh@vien.example,Bình\n")
    imported = home("subscribers", "import", csv, "--list", "ban-doc", "--consent", "form of 2025", "--json")
    assert (imported.json["added"], imported.json["rejected"]) == (2, 1)
    issue = home("issue", "new", "ban-tin").out.strip()
    ran = home.script("run", "--once", "--json")
    assert ran.code == 0
    assert (stages(ran.json)["collect"], stages(ran.json)["compose"], stages(ran.json)["deliver"]) == (1, 1, 0)
    approved = home("approve", issue, "--yes", "--by", "Bình")
    assert "Tin một" in approved.out
    sent = home.script("send")
    assert (sent.code, len(home.outbox)) == (0, 2)
    assert home("send").code == 4, "nothing is left to send"
    assert len(home.outbox) == 2
    numbers = home("stats", issue, "--json").json
    assert (numbers["recipients"], numbers["sent"], numbers["approved_by"]) == (2, 2, "Bình")


def test_a_receipt_names_everybody_by_id_and_its_sum_closes(waiting: Home) -> None:
    assert waiting("receipt", waiting.issue).code == 1, "nobody is frozen yet"
    assert waiting("approve", waiting.issue, "--yes").code == 0
    assert waiting("send").code == 0
    told = waiting("receipt", waiting.issue, "--json").json
    assert (told["sum"]["frozen"], told["closes"]) == (told["sum"]["sent"], True)
    assert [one["state"] for one in told["deliveries"]] == ["sent"] * told["sum"]["frozen"]
    rows = list(csv.DictReader(waiting("receipt", waiting.issue, "--csv").out.splitlines()))
    assert sum(int(row["people"]) for row in rows if row["row"] == "delivery") == told["sum"]["frozen"]
    assert "the sum closes" in waiting("receipt", waiting.issue).out
    assert waiting("receipt", waiting.issue, "--json", "--csv").code == 1
    assert waiting("retry-failed", waiting.issue).code == 4


def test_the_same_on_postgres(home: Home, postgres_url: str, tmp_path: Path) -> None:
    env = {"NEWSLETTER_DATABASE_URL": postgres_url.replace("+psycopg", "")}
    home.write("site.toml", SITE + 'approval = "auto"\n')
    home.write("tin/a.txt", "Tin một\n\nTrạm đo mới khai trương ở cửa sông vào sáng thứ Hai, trước 40 người dự.\n")
    assert home("apply", home.folder / "site.toml", env=env).code == 0
    consent = ("--list", "ban-doc", "--consent", "asked", "--confirmed")
    assert home("subscribers", "add", "an@vien.example", *consent, env=env).code == 0
    assert home("issue", "new", "ban-tin", env=env).code == 0
    assert home("run", "--once", env=env).code == 0
    assert len(home.outbox) == 1
    dumped = home.write("dumped.toml", home("dump", env=env).out)
    assert {c["action"] for c in home("apply", dumped, "--json", env=env).json["plan"]} == {"unchanged"}


def test_a_run_prints_a_line_for_every_stage(site: Home) -> None:
    said = site("run", "--once")
    assert [line.split()[0] for line in said.out.splitlines()] == [
        *("collect", "summarise", "open", "compose", "approve", "release", "deliver", "track", "notify")
    ]


def test_a_dry_run_says_what_would_happen_and_changes_nothing(waiting: Home) -> None:
    assert waiting("approve", waiting.issue, "--yes").code == 0
    before = waiting("issues", "--json").json
    said = waiting("send", "--dry-run")
    assert "start sending" in said.out
    assert "at most 1 of ban-doc" in said.out
    assert (waiting("issues", "--json").json, waiting.outbox) == (before, [])


def test_a_dry_run_names_the_sources_it_would_fetch(site: Home) -> None:
    said = site("run", "--once", "--dry-run", "--json")
    assert said.json["stages"] == [{"stage": "collect", "would": f"fetch tin ({site.folder / 'tin'})"}]
    assert site("source", "list", "--json").json[0]["failures"] == 0


# ---------------------------------------------------------------- approving


def test_approving_shows_exactly_what_is_approved(waiting: Home) -> None:
    said = waiting("approve", waiting.issue, "--yes")
    shown = waiting("issues", "--json").json[0]
    assert said.code == 0
    assert all(text in said.out for text in (shown["subject"], shown["content_hash"], "Trạm đo mới ở cửa sông"))
    assert shown["state"] == "scheduled"


def test_without_a_terminal_an_approval_needs_a_yes(waiting: Home) -> None:
    said = waiting("approve", waiting.issue)
    assert said.code == 1
    assert "--yes" in said.error
    assert waiting("issues", "--json").json[0]["state"] == "pending_approval"


def test_approving_twice_is_refused(waiting: Home) -> None:
    assert waiting("approve", "latest", "--yes").code == 0
    assert "is scheduled, not waiting" in waiting("approve", "latest", "--yes").error


def test_an_approval_can_be_undone_and_the_issue_composed_again(waiting: Home) -> None:
    waiting("approve", "latest", "--yes")
    assert waiting("back-to-draft", "latest", "--reason", "a name is wrong").code == 0
    assert waiting("issues", "--json").json[0]["reason"] == "a name is wrong"
    assert waiting("compose", "latest").code == 0
    assert waiting("issues", "--json").json[0]["state"] == "pending_approval"


@pytest.mark.parametrize("verb", ["approve", "preview", "preflight", "pause", "resend-unknown", "stats", "compose"])
def test_an_issue_that_is_not_there_is_one_line(home: Home, verb: str) -> None:
    said = home(verb, "nothere")
    assert (said.code, said.error) == (1, "nothere: no such issue (`newsletter issues` lists them)")


def test_a_cancelled_issue_is_not_sent(waiting: Home) -> None:
    waiting("approve", "latest", "--yes")
    assert waiting("cancel", "latest", "--yes").code == 0
    assert waiting("send").code == 4
    assert waiting.outbox == []
    assert "cannot become" in waiting("cancel", "latest", "--yes").error


def test_an_issue_of_which_nothing_was_sent_cannot_be_paused(site: Home) -> None:
    site("issue", "new", "ban-tin")
    assert "is draft, nothing of it was sent" in site("pause", "latest").error


def test_nobody_of_unknown_fate_is_nothing_to_do(waiting: Home) -> None:
    waiting("approve", "latest", "--yes")
    waiting("send")
    assert waiting("resend-unknown", "latest", "--yes").code == 4


# ---------------------------------------------------------------- looking


def test_a_preview_is_the_message_of_a_sample_reader(waiting: Home) -> None:
    text = waiting("preview", "latest").out
    assert "Trạm đo mới ở cửa sông" in text
    assert "https://news.vien.example/u/" in text
    assert waiting("preview", "latest", "--as", "html", "--lang", "en").out.lower().startswith("<!doctype html>")
    assert waiting("preview", "latest", "--as", "eml").out.startswith("From: ")


def test_a_preview_into_a_folder_has_every_language_and_form(waiting: Home) -> None:
    said = waiting("preview", "latest", "--out", waiting.folder / "look")
    assert sorted(path.suffix for path in (waiting.folder / "look").iterdir()) == sorted([".html", ".txt", ".eml"] * 2)
    assert len(said.out.splitlines()) == 6


def test_a_language_that_was_not_rendered_is_one_line(waiting: Home) -> None:
    assert (
        waiting("preview", "latest", "--lang", "fr").error == "fr: the issue has no such language (there are: vi, en)"
    )


def test_a_draft_has_no_preview(site: Home) -> None:
    site("issue", "new", "ban-tin")
    assert "is draft and has no content" in site("preview", "latest").error


def test_preflight_ends_with_1_when_there_is_something_to_mend(waiting: Home) -> None:
    assert waiting("preflight", "latest").code == 0
    waiting.config.write_text(
        waiting.config.read_text(encoding="utf-8").replace("https://", "http://"), encoding="utf-8"
    )
    said = waiting("preflight", "latest", "--json")
    assert said.code == 1
    assert "error" in {finding["level"] for finding in said.json}


def test_why_an_article_is_in_an_issue_names_each_sentence_s_place(waiting: Home) -> None:
    article = waiting("stats", "--json").json and _article_of(waiting)
    told = waiting("why", article, "--json").json
    assert [(entry["issue"], entry["included"]) for entry in told["issues"]] == [(waiting.issue, True)]
    text = waiting("inspect", "article", waiting.folder / "tin" / "a.txt", "--json").json["text"]
    sentences = told["summary"]["sentences"]
    assert [text[s["start"] : s["end"]] for s in sentences] == [s["text"] for s in sentences]
    assert told["provenance"]["published"] == "lead"
    assert "in it" in waiting("why", article).out


def _article_of(home: Home) -> str:
    """The id in the link of the only article, which has its page under the base URL."""
    text = home("preview", "latest").out
    return text.partition("https://news.vien.example/articles/")[2].split()[0]


def test_why_a_person_got_it_shows_the_ledger_row_and_no_address(waiting: Home) -> None:
    before = waiting("why", "an@vien.example", waiting.issue, "--json").json["issues"][0]
    assert before["state"] is None
    waiting("approve", "latest", "--yes")
    waiting("send")
    said = waiting("why", "an@vien.example", waiting.issue)
    assert ": sent (" in said.out
    assert "an@vien" not in said.out
    assert "there is no such person" in waiting("why", "nobody").error
    assert waiting("why", "chi@vien.example").error == "nobody here has this address"


def test_why_a_person_did_not_get_it_names_what_stands_against_them(waiting: Home) -> None:
    waiting("subscribers", "add", "binh@khac.example", "--list", "ban-doc", "--consent", "asked", "--confirmed")
    waiting("subscribers", "add", "chi@noi.example", "--list", "ban-doc", "--consent", "asked", "--confirmed")
    assert waiting("suppression", "add", "@khac.example").code == 0
    assert waiting("suppression", "add", "chi@noi.example", "--list", "ban-doc").code == 0
    early = waiting("why", "binh@khac.example", waiting.issue, "--json").json["issues"][0]["reason"]
    assert early == "the recipients are not frozen yet; not mailable now: suppressed"
    waiting("approve", "latest", "--yes")
    waiting("send")
    told = waiting("why", "binh@khac.example", waiting.issue)
    late = "not sent: was not among the recipients when they were frozen; not mailable now: suppressed"
    assert late in told.out
    assert "suppressed on every list: staff (its whole domain)" in told.out.splitlines()
    assert "khac.example" not in told.out
    assert "everywhere: staff (its whole domain)" in waiting("subscribers", "show", "binh@khac.example").out
    told = waiting("why", "chi@noi.example", waiting.issue)
    assert late in told.out
    assert "suppressed on ban-doc: staff" in told.out.splitlines()


# ---------------------------------------------------------------- what can go wrong


def test_smtp_refused_is_one_line_with_code_3_and_nothing_is_lost(waiting: Home) -> None:
    waiting("approve", "latest", "--yes")
    waiting.settings(smtp(1))
    said = waiting("send")
    assert said.code == 3
    assert said.error.startswith("deliver: smtp 127.0.0.1:1: cannot connect")
    assert waiting("run", "--once", "--json").code == 3
    waiting.settings("")
    assert (waiting("send").code, len(waiting.outbox)) == (0, 1)


def test_a_wrong_password_is_one_line_with_code_3_and_never_shown(waiting: Home, authority: Authority) -> None:
    waiting("approve", "latest", "--yes")
    with Sink(Behaviour(users={"u": "right"}), tls=authority.server("localhost"), starttls=True) as sink:
        login = f'ca_file = "{authority.ca_file}"\nusername = "u"\npassword = '
        waiting.settings(smtp(sink.port, login + '"wr0ng-word"\n'))
        wrong = waiting("send")
        waiting.settings(smtp(sink.port, login + '"right"\n'))
        assert waiting("send").code == 0
        assert len(sink.received) == 1
    assert wrong.code == 3
    assert "refuses the user name or password" in wrong.error
    assert "wr0ng-word" not in wrong.out + wrong.err


def test_a_template_error_is_one_line_with_file_and_line_and_the_rest_goes_on(site: Home) -> None:
    site.write("designs/own/design.toml", "")
    site.write("designs/own/text.txt.j2", "{{ issue.subject }}\n")
    site.write("designs/own/digest.mjml.j2", "<mjml>\n<mj-body>\n{{ isue }}\n</mj-body>\n</mjml>\n")
    site.config.write_text(f'designs = "designs"\n{site.config.read_text(encoding="utf-8")}', encoding="utf-8")
    other = SITE[SITE.index("[[newsletters]]") :].replace('"ban-tin"', '"tin-khac"')
    broken = SITE.replace('list = "ban-doc"', 'design = "own"\nlist = "ban-doc"')
    assert site("apply", site.write("two.toml", broken + other)).code == 0
    site("issue", "new", "ban-tin")
    site("issue", "new", "tin-khac")
    said = site("run", "--once")
    assert said.code == 1
    assert "own/digest.mjml.j2:3" in said.error
    states = {issue["newsletter"]: issue["state"] for issue in site("issues", "--json").json}
    assert states == {"ban-tin": "failed", "tin-khac": "pending_approval"}
    assert site("run", "--once").code == 0, "an old fault is not reported again"


def test_html_instead_of_a_feed_is_one_line_and_the_other_sources_are_read(site: Home, pages: Pages) -> None:
    pages.at["/feed.xml"] = ("text/html", b"<!doctype html><html><body><p>Not a feed</p></body></html>")
    site.settings(pages.resolve)
    feed = '[[sources]]\nslug = "la"\nkind = "feed"\nurl = "http://tin.example/feed.xml"\n'
    assert site("apply", site.write("more.toml", feed)).code == 0
    said = site("collect")
    assert said.code == 0
    assert "collect         1" in said.out
    (line,) = [line for line in said.err.splitlines() if line.startswith("warning: ")]
    assert line.startswith("warning: source la: http://tin.example/feed.xml: the answer is an HTML page, not a feed")
    checked = site("source", "check", "la")
    assert (checked.code, checked.error.startswith("http://tin.example/feed.xml: the answer is an HTML page")) == (
        1,
        True,
    )


def test_run_is_one_round_with_or_without_saying_so(site: Home) -> None:
    assert site("run", "--json").json["exit"] == site("run", "--once", "--json").json["exit"] == 0


def test_sigterm_lets_a_send_finish_what_is_in_flight(waiting: Home) -> None:
    csv = "".join(f"p{n}@vien.example\n" for n in range(10))
    waiting("subscribers", "import", waiting.write("p.csv", f"email\n{csv}"), "--list", "ban-doc", "--consent", "asked")
    waiting("approve", "latest", "--yes")
    with Sink(Behaviour(delay=0.05)) as sink:
        waiting.settings(smtp(sink.port, 'host = "127.0.0.1"\nsecurity = "none"\nconnections = 1\n'))
        command = [sys.executable, "-m", "newsletter", "-c", str(waiting.config), "send"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=Path(__file__).parents[2]
        )
        while not sink.received and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 143
        assert "Traceback" not in err
        assert waiting("stats", "latest", "--json").json["unknown"] == 0
        assert waiting("send").code in (0, 4), "the rest, if the signal left any"
        assert sorted(sink.counts().values()) == [1] * 11


def test_who_is_of_unknown_fate_is_listed_person_by_person(waiting: Home) -> None:
    with sqlite3.connect(waiting.folder / "data" / "newsletter.db") as database:
        waiting("approve", "latest", "--yes")
        waiting("send")
        [(one,)] = database.execute("SELECT person_id FROM deliveries LIMIT 1").fetchall()
        database.execute("UPDATE deliveries SET state = 'unknown' WHERE person_id = ?", (one,))
    said = waiting("stats", "latest")
    assert f"unknown: {one} (" in said.out
    assert "@" not in said.out
    assert [person["person"] for person in waiting("stats", "latest", "--json").json["unknown_people"]] == [one]
