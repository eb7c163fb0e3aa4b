"""design list, new, check, preview: the folders that turn an issue into MJML and text. Nothing of the database is read."""

import re
import shutil
from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import typer

from newsletter.cli import shot
from newsletter.cli.failing import WRONG
from newsletter.cli.importing_design import import_design
from newsletter.cli.opening import settings_of
from newsletter.cli.output import emit, note, say, table
from newsletter.compose.design import LETTERS, Design, default_folders, design_names, find_design, own_folder
from newsletter.compose.options import Option
from newsletter.compose.render import fit_issue
from newsletter.compose.sample import NONCE, sample_context, sample_reader, with_sample_pictures
from newsletter.compose.templating import SHARED
from newsletter.compose.trial import try_design
from newsletter.errors import BadInput
from newsletter.mail.markers import fill
from newsletter.model import Rendering
from newsletter.web.staff.preview import dressed

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The design's folder; `newsletter design list` names them.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="OPTION=VALUE", help="An option as a newsletter sets it; may be given several times."
    ),
]
WIDTHS, SCHEMES = (600, 360), ("light", "dark")


class Form(StrEnum):
    HTML = "html"
    TEXT = "text"


def register(app: typer.Typer) -> None:
    designs = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    designs.command("list")(list_designs)
    designs.command("new")(new)
    designs.command("check")(check)
    designs.command("preview")(preview)
    designs.command("import")(import_design)
    app.add_typer(designs, name="design", help="List, copy, check, preview and import designs.")


def list_designs(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the designs, where each one is, and with --json all their options."""
    folders = default_folders(settings_of(ctx).designs)
    designs = [find_design(name, folders) for name in (*design_names(folders), LETTERS)]
    if as_json:
        emit([_told(design) for design in designs])
        return
    table(("NAME", "FOLDER", "FOR"), [(design.name, design.path, design.description()) for design in designs])


def _told(design: Design) -> dict[str, Any]:
    options = {name: _option(option) for name, option in design.options.items()}
    return {"name": design.name, "folder": design.path, "title": design.names, "description": design.descriptions,
            "layout": design.layout, "options": options}  # fmt: skip


def _option(option: Option) -> dict[str, Any]:
    told = {"type": option.type, "default": option.default, "about": option.about}
    return told | ({"choices": list(option.choices)} if option.choices else {})


def new(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new folder: a-z, 0-9, hyphens.")],
    *,
    source: Annotated[str, typer.Option("--from", metavar="DESIGN", help="The design to begin with.")] = "bulletin",
) -> None:
    """Copy a design into the folder of your own designs (`designs` in the settings), whole: it depends on nothing else.

    A folder with a shipped design's name takes its place; so does `letters`, copied from letters.
    """
    folder = own_folder(settings_of(ctx).designs)
    design = find_design(source, default_folders(folder))
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) or name == SHARED or (name == LETTERS) != (source == LETTERS):
        raise BadInput(
            f"{name!r} cannot be the name of a copy of {source}", hint="use a-z, 0-9 and hyphens, like our-news"
        )
    if (folder / name).exists():
        raise BadInput("there is such a folder already", where=str(folder / name))
    copied(design, folder / name)
    say(str(folder / name))
    note(f'next: change it, then `newsletter design check {name}`; a newsletter uses it with design = "{name}"')


def copied(design: Design, target: Path) -> None:
    """The folder with the shared parts it names inside it; its design.toml bears the folder's name. All or nothing."""
    unfinished = target.with_name(f".{target.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(design.path, unfinished)
    beside = design.path.parent / SHARED
    names_shared = any(f'"{SHARED}/' in path.read_text(encoding="utf-8") for path in unfinished.rglob("*.j2"))
    if names_shared and beside.is_dir() and not (unfinished / SHARED).exists():
        shutil.copytree(beside, unfinished / SHARED)
    facts = unfinished / "design.toml"
    renamed = re.sub(r"^name = .*$", f'name = "{target.name}"', facts.read_text(encoding="utf-8"), count=1, flags=re.M)
    facts.write_text(renamed, encoding="utf-8")
    unfinished.rename(target)


def check(ctx: typer.Context, name: Name, *, given: Settings = None, as_json: AsJson = False) -> None:
    """Render sample issues of 1, 7 and 30 items, Vietnamese and English, with and without pictures, and say what is wrong.

    Each fault has its file and line. A colour that would be hard to read is shown with the shade used instead. Code 1: there
    are errors.
    """
    design = find_design(name, default_folders(settings_of(ctx).designs))
    findings = try_design(design, options_of(design, given or []))
    if as_json:
        emit(findings)
    else:
        for finding in findings:
            say(f"{finding.level}: {finding.where}: {finding.message} [{finding.check}]")
        if not any(finding.level == "error" for finding in findings):
            say(f"{design.name} renders in all its shapes")
    raise typer.Exit(WRONG if any(finding.level == "error" for finding in findings) else 0)


def options_of(design: Design, given: list[str]) -> Mapping[str, Any]:
    """`["accent=#0B4F8A", "show_intro=no"]` as the design's types; raises BadInput, ConfigError."""
    found: dict[str, Any] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise BadInput(f"{text!r} sets nothing", where="--set", hint="write --set accent=#0B4F8A")
        option = design.options.get(name.strip())
        found[name.strip()] = option.parsed(value) if option else value
    design.checked(found)
    return found


def preview(
    ctx: typer.Context,
    name: Name,
    *,
    out: Annotated[Path | None, typer.Option(help="A folder for the files; else standard output.")] = None,
    lang: Annotated[str, typer.Option(help="vi or en.")] = "vi",
    items: Annotated[int, typer.Option(min=1, max=60, help="How many items the sample issue has.")] = 9,
    form: Annotated[Form, typer.Option("--as", help="What to print without --out.")] = Form.TEXT,
    png: Annotated[
        bool, typer.Option("--png", help="Also pictures: 600 and 360 px wide, light and dark (needs Chromium).")
    ] = False,
    given: Settings = None,
) -> None:
    """Show a design with an invented issue, as HTML and text. Pictures of the web, a logo too, are not fetched for --png."""
    if png and out is None:
        raise BadInput("pictures need a folder", where="--png", hint="add --out FOLDER")
    if png:
        shot.browser()  # before anything is written
    design = find_design(name, default_folders(settings_of(ctx).designs))
    options = options_of(design, given or [])
    if design.name == LETTERS:
        raise BadInput(
            "letters have no sample issue", where=name, hint="`newsletter design check letters` renders them"
        )
    for mended in design.mended(options):
        note(str(mended))
    rendering = fit_issue(
        design, sample_context(items, language=lang, options=options), nonce=NONCE, language=lang
    ).rendering
    html, text = _filled(rendering)
    if out is None:
        typer.echo(html if form is Form.HTML else text, nl=False)
        return
    out.mkdir(parents=True, exist_ok=True)
    stem = f"{design.name}-{lang}"
    for path, content in ((out / f"{stem}.html", html), (out / f"{stem}.txt", text)):
        path.write_text(content, encoding="utf-8")
        say(str(path))
    if png:
        for width, scheme in product(WIDTHS, SCHEMES):
            path = out / f"{stem}-{width}-{scheme}.png"
            shot.take(dressed(html, scheme=scheme), path, width=width)
            say(str(path))


def _filled(rendering: Rendering) -> tuple[str, str]:
    """HTML with the sample's pictures inside, and text, as the sample's reader gets them."""
    values = sample_reader(rendering.language)
    html = with_sample_pictures(fill(rendering.html, NONCE, values, html=True))
    return html, fill(rendering.text, NONCE, values, html=False)
