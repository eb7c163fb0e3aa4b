"""preview, clients: an issue as a reader would get it, in any language, as any mail program would show it. Changes nothing."""

import email
import email.policy
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from newsletter.app import App
from newsletter.cli import shot
from newsletter.cli.looking import composed
from newsletter.cli.opening import opened
from newsletter.cli.output import emit, note, say, table
from newsletter.cli.picturing import laid_beside, put_inside
from newsletter.cli.whom import person_of
from newsletter.compose.online import with_pictures_inside
from newsletter.compose.personas import Persona, Reader, invented, reader_like
from newsletter.compose.preflight import sample_message
from newsletter.errors import BadInput
from newsletter.locale import labels
from newsletter.mail.clients import CLIENTS, ClientName, Simulated, basis, simulate
from newsletter.mail.clients.changed import in_dark
from newsletter.model import Issue, Mailing, Rendering

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WIDTHS = (200, 2000)


class Form(StrEnum):
    HTML = "html"
    TEXT = "text"
    EML = "eml"
    PNG = "png"


USUAL_FORMS = (Form.HTML, Form.TEXT, Form.EML)  # into a folder, unless one is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How it is looked at."""

    client: ClientName | None
    width: int
    dark: bool


def register(app: typer.Typer) -> None:
    app.command("preview")(preview)
    app.command("clients")(clients)


def preview(
    ctx: typer.Context,
    which: Annotated[str, typer.Argument(metavar="ISSUE", help="Its id, how the id begins, or `latest`.")],
    *,
    out: Annotated[Path | None, typer.Option(help="A folder for the files; else standard output.")] = None,
    lang: Annotated[str | None, typer.Option(help="One language; else all into a folder, the first to output.")] = None,
    form: Annotated[
        Form | None, typer.Option("--as", help="Else text to output; html, text, eml into a folder.")
    ] = None,
    client: Annotated[ClientName | None, typer.Option(help="As this mail program would show it (simulated).")] = None,
    person: Annotated[str | None, typer.Option(help="As this person would get it: an address or an id.")] = None,
    persona: Annotated[Persona, typer.Option(help="An invented reader.")] = Persona.USUAL,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the person's address whole.")] = False,
    width: Annotated[int, typer.Option(min=WIDTHS[0], max=WIDTHS[1], help="Of the screen, in pixels.")] = 600,
    dark: Annotated[bool, typer.Option("--dark", help="In the design's dark colours.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --client: print what is lost there, as JSON.")] = False,
) -> None:
    """Show an issue as a reader would get it: HTML, plain text, the whole message or a picture. Its links are nobody's."""
    look = Look(client=client, width=width, dark=dark)
    with opened(ctx) as app:
        issue, mailing = composed(app, which)
        reader = _reader(app, mailing, person, revealed=reveal)
        now = app.clock.now()
        chosen = _renderings(mailing, lang or (reader.language if reader else None), strict=lang is not None)
        made = {
            r.language: sample_message(app, mailing, r, now=now, to=reader or invented(persona, r.language))
            for r in (chosen if out or lang else chosen[:1])
        }
        if as_json:
            emit([_told(language, _simulated(mime, look)) for language, mime in made.items()])
        elif out is None:
            _print(next(iter(made.values())), form or Form.TEXT, look)
        else:
            _write(app, (issue, mailing), made, out=out, form=form, look=look)


def _reader(app: App, mailing: Mailing, who: str | None, *, revealed: bool) -> Reader | None:
    if who is None:
        return None
    with app.db.read() as conn:
        return reader_like(app, conn, mailing, person_of(conn, who), revealed=revealed)


def _renderings(mailing: Mailing, lang: str | None, *, strict: bool) -> Sequence[Rendering]:
    """All, or the one of a language. A person's language that was not rendered gives the first, as sending does."""
    if lang is None:
        return mailing.renderings
    chosen = [rendering for rendering in mailing.renderings if rendering.language == lang]
    if not chosen and strict:
        there = ", ".join(rendering.language for rendering in mailing.renderings)
        raise BadInput("the issue has no such language", where=lang, hint=f"there are: {there}")
    return chosen or mailing.renderings[:1]


def _print(mime: bytes, form: Form, look: Look) -> None:
    if form is Form.PNG:
        raise BadInput("a picture needs a folder to go to", hint="add --out FOLDER")
    if look.client is None:
        typer.echo(_content(mime, form, look), nl=False)
        return
    made = _simulated(mime, look)
    typer.echo(made.html or made.text or "", nl=False)
    _tell(made)


def _write(
    app: App, shown: tuple[Issue, Mailing], made: dict[str, bytes], *, out: Path, form: Form | None, look: Look
) -> None:
    issue, mailing = shown
    out.mkdir(parents=True, exist_ok=True)
    for language, mime in made.items():
        name = f"{issue.id}-{language}"
        if look.client is not None:
            simulated = _simulated(mime, look)
            stem = out / f"{name}-{look.client}"
            if form is Form.PNG and simulated.html is not None:
                _shoot(app, put_inside(app, mailing, simulated.html), stem.with_suffix(".png"), width=simulated.width)
            elif simulated.html is not None:
                _save(stem.with_suffix(".html"), laid_beside(app, mailing, simulated.html.encode(), out))
            else:
                _save(stem.with_suffix(".txt"), (simulated.text or "").encode())
            _tell(simulated)
            continue
        for each in (form,) if form else USUAL_FORMS:
            path = out / f"{name}.{'txt' if each is Form.TEXT else each}"
            if each is Form.PNG:
                html = put_inside(app, mailing, _content(mime, Form.HTML, look).decode())
                _shoot(app, html, path, width=look.width)
            else:
                content = _content(mime, each, look)
                _save(path, laid_beside(app, mailing, content, out) if each is Form.HTML else content)


def _save(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    say(str(path))


def _shoot(app: App, html: str, path: Path, *, width: int) -> None:
    shot.browser()  # before anything is fetched for it
    shot.take(with_pictures_inside(app, html), path, width=width)
    say(str(path))


def _content(mime: bytes, form: Form, look: Look) -> bytes:
    content = part_of(mime, form)
    return in_dark(content.decode()).encode() if look.dark and form is Form.HTML else content


def _simulated(mime: bytes, look: Look) -> Simulated:
    if look.client is None:
        raise BadInput("what is lost depends on the mail program", hint="add --client NAME; see `newsletter clients`")
    html, text = part_of(mime, Form.HTML).decode(), part_of(mime, Form.TEXT).decode()
    return simulate(look.client, html, text, width=look.width)


def part_of(mime: bytes, form: Form) -> bytes:
    """The message itself, or its HTML or text part decoded to UTF-8."""
    if form is Form.EML:
        return mime
    message = email.message_from_bytes(mime, policy=email.policy.default)
    part = message.get_body(("html" if form is Form.HTML else "plain",))
    assert part is not None, "every message of ours has both parts"
    text: str = part.get_content()
    return text.replace("\r\n", "\n").encode()


def _told(language: str, made: Simulated) -> dict[str, Any]:
    return {
        "language": language,
        "client": made.client.name,
        "simulated": True,
        "data": asdict(made.data) if made.data else None,
        "losses": [{"level": one.level, "where": one.where, "message": one.message} for one in made.losses],
    }


def _tell(made: Simulated) -> None:
    source = f" after tests of {made.data.updated} from {made.data.source} {made.data.version}" if made.data else ""
    note(f"{labels('en').gettext(made.client.title)}: simulated{source}; the program itself may show more or less")
    for one in made.losses:
        note(f"{one.level}: {one.where}: {one.message}")
    if not made.losses:
        note("nothing that we know of is lost there")


def clients(as_json: AsJson = False) -> None:
    """List the mail programs that `preview --client` simulates, and from which data."""
    words, data = labels("en"), basis()
    if as_json:
        rows = [{"name": c.name, "title": words.gettext(c.title), "tested": c.tested or None} for c in CLIENTS.values()]
        emit({"data": asdict(data), "clients": rows})
        return
    table(("name", "program", "after tests of"), [(c.name, words.gettext(c.title), c.tested) for c in CLIENTS.values()])
    note(f"tests: {data.source} {data.version}, {data.updated}; the programs themselves may show more or less")
