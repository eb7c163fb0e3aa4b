"""subscribers data, evidence: what one person may ask for, and what shows that they agreed. Nothing is changed."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

import subscribers
from newsletter.cli.failing import WRONG
from newsletter.cli.opening import opened
from newsletter.cli.output import emit, moment, note, say
from newsletter.cli.whom import person_of
from newsletter.store import receipts

Who = Annotated[str, typer.Argument(metavar="PERSON", help="An address, or a person's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def data(
    ctx: typer.Context,
    who: Who,
    out: Annotated[Path | None, typer.Option(help="A file, readable by you alone; else standard output.")] = None,
) -> None:
    """Everything that is held about a person, with the address, as JSON: for that person (GDPR articles 15 and 20)."""
    with opened(ctx) as app, app.db.read() as conn:
        person_id = person_of(conn, who)
        held = subscribers.export_person(conn, person_id) | receipts.held_about(conn, person_id)
    text = json.dumps(held, ensure_ascii=False, indent=2, default=str) + "\n"
    if out is None:
        sys.stdout.write(text)
        return
    handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    note(f"written to {out}")


def evidence(ctx: typer.Context, who: Who, as_json: AsJson = False) -> None:
    """What a person agreed to, when and to which words, and whether nobody changed it since. Code 1: somebody did."""
    with opened(ctx) as app, app.db.read() as conn:
        rows, zone = subscribers.evidence(conn, person_of(conn, who)), app.settings.timezone
    intact = all(row.intact for row in rows)
    if as_json:
        emit({"intact": intact, "consents": rows})
    else:
        for row in rows:
            changed = "" if row.intact else "  CHANGED AFTERWARDS"
            say(f"{moment(row.at, zone)}  {row.list_slug}: {row.action} ({row.source}){changed}")
            if row.wording:
                say(f"    {row.form}, {row.language or 'no language'}: {row.wording}")
        say("the chain is whole" if intact else "the chain is broken")
    if not intact:
        raise typer.Exit(WRONG)
