"""design import: a MJML template of another program becomes a design folder; what could not be translated is told by line."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli.opening import settings_of
from newsletter.cli.output import emit, note, say, table
from newsletter.compose.design import find_design, own_folder
from newsletter.compose.foreign import Translation, translate
from newsletter.compose.trial import try_design
from newsletter.errors import BadInput, ConfigError

MOST_OCTETS = 64_000  # of one file, as compose reads them
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_TEMPLATES = (".mjml", ".html")
_TOML = """name = "{title}"
description = "Imported from {file}."

[layout]
lead = false         # the imported template shows all articles alike
cards = 60
briefs = 0
sections_from = 1000 # no headings: all articles in one section
"""
_CONTENT = {
    "text.txt.j2": """{{ newsletter.name | wrap }}
{{ (_("Issue {number}", number=issue.number) ~ " · " ~ format_date(issue.date)) | wrap }}
{% for section in sections %}
{% for item in section.items %}

{{ item.title | wrap }}
{{ item.summary | wrap }}
{{ item.url or "" }}
{% endfor %}
{% endfor %}
{% if more %}

{{ ngettext("and {n} more story on the web", "and {n} more stories on the web", more) }}
{{ more_url or "" }}
{% endif %}

--
{{ _("Unsubscribe") }}:
{{ unsubscribe_url }}
{{ _("Change your preferences") }}:
{{ preferences_url }}
{{ newsletter.organisation | wrap }}
{{ newsletter.postal_address | wrap }}
""",
    "parts/content.html.j2": """{% for section in sections %}{% for item in section.items %}
<h3 style="margin:24px 0 4px 0">
{% if item.url %}<a href="{{ item.url }}">{{ item.title }}</a>{% else %}{{ item.title }}{% endif %}
</h3>
<p style="margin:0">{{ item.summary }}</p>
{% endfor %}{% endfor %}
{% if more %}<p>{{ ngettext("and {n} more story on the web", "and {n} more stories on the web", more) }}</p>{% endif %}
""",
    "parts/content.mjml.j2": """<mj-section>
  <mj-column>
    <mj-text line-height="1.6">{% include "parts/content.html.j2" %}</mj-text>
  </mj-column>
</mj-section>
""",
}


def import_design(
    ctx: typer.Context,
    path: Annotated[
        Path, typer.Argument(metavar="FILE|FOLDER", help="A MJML file, or a folder with one and its parts.")
    ],
    *,
    name: Annotated[str | None, typer.Option(help="The design's name; else the file's.")] = None,
    into: Annotated[Path | None, typer.Option(help="A folder of designs; else your own, as the settings say.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make a design of a Mailchimp, listmonk or plain MJML template; say what could not be translated."""
    files = read(path)
    main = main_of(files, path)
    made = {file: translate(text) if file.endswith(_TEMPLATES) else None for file, text in files.items()}
    chosen = name or _slug(path.stem)
    if not _NAME.fullmatch(chosen):
        raise BadInput(f"not a design name: {chosen!r}", hint="give one with --name, like weekly")
    folder = into or own_folder(settings_of(ctx).designs)
    target = folder / chosen
    if target.exists():
        raise BadInput("exists already", where=str(target), hint="choose another --name")
    _write(target, files, made, main, title=chosen)
    fault = trial(chosen, folder)
    left = [(file, one) for file, done in made.items() if done for one in done.left]
    if as_json:
        told = [{"file": file, **asdict(one)} for file, one in left]
        emit(
            {"design": chosen, "folder": str(target), "translated": _count(made), "untranslated": told, "fault": fault}
        )
        return
    say(f"{target}: {_count(made)} tags translated, {len(left)} not")
    if left:
        table(("Where", "Tag", "Why not"), [(f"{file}:{one.line}", one.tag, one.why) for file, one in left])
    note(f"it does not render yet: {fault}" if fault else f"next: `newsletter design check {chosen}`")
    if not any(done and "unsubscribe_url" in done.text for done in made.values()):
        note("it has no link to unsubscribe: put {{ unsubscribe_url }} into one, or no issue will pass its preflight")


def read(path: Path) -> dict[str, str]:
    """The template files at `path` by their path inside it. Raises BadInput for what cannot become a design."""
    if not path.exists():
        raise BadInput("is not there", where=str(path))
    found = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    base = path.parent if path.is_file() else path
    files = {}
    for file in found:
        if file.suffix.lower() not in (*_TEMPLATES, ".css") or not file.resolve().is_relative_to(base.resolve()):
            note(f"left out: {file.relative_to(base)}") if path.is_dir() else None
            continue
        if file.stat().st_size > MOST_OCTETS:
            raise BadInput(f"is larger than {MOST_OCTETS:,} octets", where=str(file))
        try:
            files[file.relative_to(base).as_posix()] = file.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            raise BadInput("is not UTF-8", where=str(file)) from error
    return files


def main_of(files: Mapping[str, str], path: Path) -> str:
    """The file that is a whole MJML document. Raises BadInput when there is none, or more than one to choose from."""
    whole = [file for file, text in files.items() if "<mjml" in text and "<mj-body" in text]
    beside = [file for file in whole if "/" not in file] or whole
    named = [file for file in beside if Path(file).stem in ("index", "main", "template", "digest")]
    chosen = named if len(named) == 1 else beside
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        raise BadInput("holds several whole templates: " + ", ".join(chosen), where=str(path), hint="name one file")
    html = any("<html" in text.lower() or "<table" in text.lower() for text in files.values())
    raise BadInput(
        "is HTML, not MJML: a design's widths, dark colours and checks come from MJML" if html else "holds no MJML",
        where=str(path),
        hint="copy a shipped design and take its colours and words over",
    )


def trial(name: str, folder: Path) -> str:
    """What stands in the way of rendering sample issues with the design, in one line; "" when nothing does. `design check`
    tells what else it lacks."""
    try:
        found = try_design(find_design(name, [folder]), {})
    except ConfigError as error:
        return str(error)
    return next((f"{one.where}: {one.message}" for one in found if one.check == "template"), "")


def _write(
    target: Path, files: Mapping[str, str], made: Mapping[str, Translation | None], main: str, *, title: str
) -> None:
    toml = _TOML.format(title=title, file=re.sub(r'["\\\x00-\x1f]', "", Path(main).name))
    contents = {**_CONTENT, "design.toml": toml}
    for file, done in made.items():
        name = "digest.mjml.j2" if file == main else file + (".j2" if done else "")
        contents[name] = done.text if done else files[file]
    for name, content in contents.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(content, encoding="utf-8")


def _count(made: Mapping[str, Translation | None]) -> int:
    return sum(done.translated for done in made.values() if done)


def _slug(stem: str) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-")
