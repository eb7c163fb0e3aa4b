"""Templates of other programs become designs: common tags are ours, the rest is told by line, and what comes out renders."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from newsletter.cli.importing_design import import_design
from newsletter.compose.foreign import translate
from newsletter.errors import BadInput

PAGE = """<mjml>
  <mj-head>
    <mj-title>{title}</mj-title>
  </mj-head>
  <mj-body>
    <mj-section>
      <mj-column>
        <mj-text>
          {text}
        </mj-text>
      </mj-column>
    </mj-section>
    {more}
  </mj-body>
</mjml>
"""
LEAVE = '<a href="*|UNSUB|*">Thôi nhận</a>'


def run(*arguments: object) -> tuple[str, str]:
    app = typer.Typer()
    app.command()(import_design)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Chào *|FNAME|*", "Chào {{ subscriber.first_name }}"),
        ('<a href="*|UNSUB|*">', '<a href="{{ unsubscribe_url }}">'),
        ("*|UPDATE_PROFILE|* *|ARCHIVE|*", "{{ preferences_url }} {{ web_url or '' }}"),
        ("*|LIST:COMPANY|*, *|LIST:ADDRESS|*", "{{ newsletter.organisation }}, {{ newsletter.postal_address }}"),
        ("*|MC:SUBJECT|* *|CURRENT_YEAR|*", "{{ issue.subject }} {{ issue.date.year }}"),
        (
            "*|RSSITEMS:|*<b>*|RSSITEM:TITLE|*</b>*|END:RSSITEMS|*",
            "{% for section in sections %}{% for item in section.items %}<b>{{ item.title }}</b>{% endfor %}{% endfor %}",
        ),
        ('<div mc:edit="body" class="a" mc:repeatable>', '<div class="a">'),
        ("{{ .Subscriber.Name }} {{.Subscriber.Email}}", "{{ subscriber.name }} {{ subscriber.email }}"),
        ("{{- UnsubscribeURL -}}", "{{ unsubscribe_url }}"),
        ("{{ MessageURL }}{{ TrackView }}", "{{ web_url or '' }}"),
        ('href="{{ TrackLink "https://vien.example/a" . }}"', 'href="https://vien.example/a"'),
        ('href="https://vien.example/a@TrackLink"', 'href="https://vien.example/a"'),
        ('{{ .Campaign.Subject }} {{ Date "2006" }}', "{{ issue.subject }} {{ format_date(issue.date) }}"),
        ("<mj-text>{{ template \"content\" . }}", "<mj-text>{% include 'parts/content.html.j2' %}"),
        ("<mj-text>a</mj-text>{{ template \"content\" . }}", "<mj-text>a</mj-text>{% include 'parts/content.mjml.j2' %}"),
        ("{{ contact.first_name }} {{ unsubscribe_link }}", "{{ subscriber.first_name }} {{ unsubscribe_url }}"),
        ("[FIRST_NAME] [LINK_UNSUBSCRIBE] [ABC] [1]", "{{ subscriber.first_name }} {{ unsubscribe_url }} [ABC] [1]"),
        ("{{ issue.subject }}{% if lead %}", "{{ issue.subject }}{% if lead %}"),
        ('<mj-include path="./parts/a.mjml" />', '<mj-include path="./parts/a.mjml.j2" />'),
        ('<mj-include path="a.css" type="css" />', '<mj-include path="a.css" type="css" />'),
        ("{{ .Subscriber.Attribs.job_title }}", "{{ subscriber.attribs.job_title }}"),
        ("{{ contact.data.city }}", "{{ subscriber.attribs.city }}"),
        ("{{ subscriber.attribs.city }} {{ subscriber.timezone }}", "{{ subscriber.attribs.city }} {{ subscriber.timezone }}"),
    ],
)  # fmt: skip
def test_common_tags_are_translated(text: str, expected: str) -> None:
    made = translate(text)
    assert (made.text, made.left) == (expected, ())


@pytest.mark.parametrize(
    ("text", "tag", "why"),
    [
        ("a\n*|LNAME|*", "*|LNAME|*", "nothing here has that meaning"),
        ("a\n*|IF:FNAME|*x*|END:IF|*", "*|IF:FNAME|*", "shown to everybody"),
        ("a\n*|FEEDBLOCK:https://vien.example/feed|*", "*|FEEDBLOCK:https://vien.example/feed|*", "own sources"),
        ("a\n{{ .Subscriber.Attribs.City }}", "{{ .Subscriber.Attribs.City }}", "newsletter attribute add"),
        ("a\n{{ if .Subscriber.Name }}x{{ end }}", "{{ if .Subscriber.Name }}", "shown to everybody"),
        ('a\n{{ L.T "email.unsub" }}', '{{ L.T "email.unsub" }}', "nothing here"),
        ("a\n{{ 7*7 }}", "{{ 7*7 }}", "nothing here"),
        (
            "a\n<mj-html-attributes><mj-selector path='.a'><mj-html-attribute name='role'>x</mj-html-attribute></mj-selector>"
            "</mj-html-attributes>",
            "mj-html-attributes",
            "mrml cannot do it",
        ),
    ],
)
def test_what_has_no_counterpart_is_told_by_line_and_never_reaches_a_reader(text: str, tag: str, why: str) -> None:
    made = translate(text)
    assert (made.left[0].line, made.left[0].tag) == (2, tag)
    assert why in made.left[0].why
    assert "*|" not in made.text
    assert "{{" not in made.text
    assert made.text.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("name", "text", "more"),
    [
        ("mailchimp", f'<h1 mc:edit="a">Chào *|FNAME|*</h1>{LEAVE}', "*|RSSITEMS:|*<mj-section><mj-column><mj-text>"
         '<a href="*|RSSITEM:URL|*">*|RSSITEM:TITLE|*</a> *|RSSITEM:CONTENT|* *|RSSITEM:DATE|*</mj-text></mj-column></mj-section>'
         "*|END:RSSITEMS|*"),
        ("listmonk", 'Chào {{ .Subscriber.FirstName }} <a href="{{ UnsubscribeURL }}">Thôi</a>', '{{ template "content" . }}'),
        ("plain", '{{ template "content" . }} <a href="{{ unsubscribe_url }}">Thôi</a>', ""),
    ],
)  # fmt: skip
def test_an_imported_template_renders_at_once(tmp_path: Path, name: str, text: str, more: str) -> None:
    file = tmp_path / f"{name}.mjml"
    file.write_text(PAGE.format(title="Tin", text=text, more=more), encoding="utf-8")
    out, err = run(file, "--into", tmp_path / "designs", "--json")
    told = json.loads(out)
    assert told["untranslated"] == []
    assert told["fault"] == ""
    assert told["design"] == name
    assert err == ""
    written = (tmp_path / "designs" / name / "digest.mjml.j2").read_text(encoding="utf-8")
    assert "*|" not in written
    assert "unsubscribe_url" in written


def test_a_folder_keeps_its_parts_and_styles_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    folder = tmp_path / "Tin Tuần"
    (folder / "parts").mkdir(parents=True)
    more = '<mj-include path="./parts/foot.mjml" />\n<mj-include path="a.css" type="css" css-inline="inline" />'
    (folder / "index.mjml").write_text(
        PAGE.format(title="*|MC:SUBJECT|*", text="*|SÓ|* *|LNAME|*", more=more), encoding="utf-8"
    )
    (folder / "parts" / "foot.mjml").write_text(
        f"<mj-section><mj-column><mj-text>{LEAVE}</mj-text></mj-column></mj-section>", encoding="utf-8"
    )
    (folder / "a.css").write_text("p { margin: 0 }", encoding="utf-8")
    (folder / "logo.png").write_bytes(b"\x89PNG")
    out, err = run(folder, "--into", tmp_path / "designs", "--name", "tuan")
    assert "3 tags translated, 1 not" in out or "2 tags translated, 1 not" in out
    assert "index.mjml:9" in out
    assert "left out: logo.png" in err
    assert "does not render" not in err
    assert "no link to unsubscribe" not in err
    assert (tmp_path / "designs" / "tuan" / "parts" / "foot.mjml.j2").is_file()


def test_what_the_linter_finds_is_told_with_the_import(tmp_path: Path) -> None:
    file = tmp_path / "a.mjml"
    file.write_text(PAGE.format(title="a", text="b", more='<mj-hero><mj-image src="x" /></mj-hero>'), encoding="utf-8")
    _, err = run(file, "--into", tmp_path / "designs")
    assert "does not render yet: a/digest.mjml.j2:13: <mj-image> has no width" in err
    assert "no link to unsubscribe" in err


@pytest.mark.parametrize(
    ("content", "arguments", "what"),
    [
        ("<html><body><table></table></body></html>", (), "is HTML, not MJML"),
        ("only words", (), "holds no MJML"),
        (PAGE, ("--name", "../out"), "not a design name"),
        ("x" * 70_000, (), "is larger than"),
        (None, (), "is not there"),
    ],
)
def test_what_cannot_become_a_design_is_refused_with_a_reason(
    tmp_path: Path, content: str | None, arguments: tuple[str, ...], what: str
) -> None:
    file = tmp_path / "a.html"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match=what):
        run(file, "--into", tmp_path / "designs", *arguments)
    assert not (tmp_path / "designs").exists()


def test_an_existing_design_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "a.mjml"
    file.write_text(PAGE.format(title="a", text="b", more=""), encoding="utf-8")
    run(file, "--into", tmp_path)
    with pytest.raises(BadInput, match="exists already"):
        run(file, "--into", tmp_path)
