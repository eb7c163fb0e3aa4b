"""bounces: take in one message from a mail server's pipe, read the mailbox now, list what came back."""

import sys
from typing import Annotated

import typer

from newsletter import track
from newsletter.cli.failing import exit_code_of
from newsletter.cli.opening import opened, settings_of
from newsletter.cli.output import emit, note, say, table
from newsletter.errors import BadInput
from newsletter.store import returns
from newsletter.track import intake, mailbox, settling

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: the mail server keeps the message and comes again
LONGEST = 32 << 20  # octets that are taken from the pipe; the first megabyte is read

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Take in, read and list what comes back.")
    group.command("receive")(receive)
    group.command("poll")(poll)
    group.command("list")(list_them)
    app.add_typer(group, name="bounces")


def receive(
    ctx: typer.Context,
    *,
    rcpt: Annotated[str | None, typer.Option(help="The envelope recipient, ${original_recipient} in Postfix.")] = None,
) -> None:
    """Take in one message from standard input, for a mail server's pipe. Code 75 when it must be brought again."""
    try:
        raw = sys.stdin.buffer.read(LONGEST)
        with opened(ctx) as app:
            fresh = intake.receive_message(app, raw, source="pipe", rcpt=rcpt)
            settling.settle_returned(app, app.clock.now())
    except Exception as error:  # whatever it is, the message must not be lost: the server keeps it
        if exit_code_of(error) is None:
            note(f"error: {type(error).__name__}: {error}")
        raise typer.Exit(TRY_AGAIN) from error
    for one in fresh:
        say(f"{one.kind} {one.reason} {'matched' if one.person_id else 'of nobody we know'}".strip())


def poll(ctx: typer.Context) -> None:
    """Read the mailbox of [bounces.imap] now, and act on what came back."""
    if settings_of(ctx).bounces.imap.host is None:
        raise BadInput("there is no mailbox to read", hint="set [bounces.imap] host in the settings")
    with opened(ctx) as app:
        now = app.clock.now()
        read = mailbox.poll(app, now, at_once=True)
        settled = track.run(app, now)
    say(f"{read} messages read, {settled} returns settled")


def list_them(
    ctx: typer.Context, *, most: Annotated[int, typer.Option(min=1, max=10_000)] = 50, as_json: AsJson = False
) -> None:
    """What came back last: when, from where, of which kind, and whom it matched (an id, never an address)."""
    with opened(ctx) as app, app.db.read() as conn:
        rows = returns.latest(conn, most)
    names = ("received_at", "source", "kind", "reason", "status", "person_id", "said")
    if as_json:
        emit([{name: row[name] for name in names} for row in rows])
    else:
        table(names, [[str(row[name] or "–") for name in names] for row in rows])
