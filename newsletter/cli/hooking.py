"""webhook and api-token: what other programs are told, and what they may ask."""

from datetime import timedelta
from typing import Annotated

import typer

from newsletter.cli.failing import WRONG
from newsletter.cli.opening import opened
from newsletter.cli.output import emit, moment, note, say, table
from newsletter.errors import BadInput
from newsletter.http import shown
from newsletter.model import Scope
from newsletter.model.access import MEANS
from newsletter.notify import calling, telling
from newsletter.store import tokens, webhooks

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Which = Annotated[str, typer.Argument(metavar="ID", help="See `newsletter webhook list`.")]
_SCOPES = "; ".join(f"{scope}: {means}" for scope, means in MEANS.items())


def register(app: typer.Typer) -> None:
    hooks = _group("Tell other programs what happens (docs/api.md).")
    for verb, does in (
        ("add", add),
        ("list", list_them),
        ("calls", calls),
        ("test", test),
        ("enable", enable),
        ("remove", remove),
    ):
        hooks.command(verb)(does)
    keys = _group("Let programs use the API (docs/api.md).")
    keys.command("add")(token_add)
    keys.command("list")(token_list)
    keys.command("revoke")(token_revoke)
    app.add_typer(hooks, name="webhook")
    app.add_typer(keys, name="api-token")


def _group(about: str) -> typer.Typer:
    return typer.Typer(help=about, no_args_is_help=True, rich_markup_mode=None)


# ---------------------------------------------------------------- webhooks


def add(
    ctx: typer.Context,
    url: Annotated[str, typer.Argument(help="Where it listens, https://….")],
    event: Annotated[
        list[str],
        typer.Option(help="What it is told: " + ", ".join(telling.TYPES) + ", or * for all. Repeat for more."),
    ],
    addresses: Annotated[bool, typer.Option("--addresses", help="Tell it people's addresses in the clear.")] = False,
) -> None:
    """Call a URL when something happens. Prints the secret its calls are signed with; it is shown this once."""
    with opened(ctx) as app:
        made = telling.add(app, url, event, addresses=addresses)
    note(f"webhook {made.id}; its calls are signed (Standard Webhooks) with this secret, shown once:")
    say(made.secret)


def list_them(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show the webhooks and how they fare."""
    with opened(ctx) as app, app.db.read() as conn:
        known = [(one, webhooks.counts(conn, one.id)) for one in webhooks.listed(conn)]
        zone = app.settings.timezone
    if as_json:
        hidden = ("secret",)
        emit(
            [
                {name: getattr(one, name) for name in one.__slots__ if name not in hidden} | {"calls": dict(numbers)}
                for one, numbers in known
            ]
        )
        return
    rows = [
        (one.id, shown(one.url), ", ".join(one.events), _health(one, zone), *numbers.values()) for one, numbers in known
    ]
    table(("id", "url", "events", "state", "waiting", "delivered", "failed"), rows)


def _health(one: webhooks.Webhook, zone: str) -> str:
    if one.disabled_at is not None:
        return f"disabled {moment(one.disabled_at, zone)}: {one.reason}"
    return f"failing since {moment(one.failing_since, zone)}" if one.failing_since is not None else "well"


def calls(
    ctx: typer.Context,
    which: Which,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show what a webhook was, or is to be, told; the latest first."""
    with opened(ctx) as app, app.db.read() as conn:
        webhooks.get(conn, which)
        made = webhooks.calls_of(conn, which, limit=limit)
        zone = app.settings.timezone
    if as_json:
        emit(made)
        return
    rows = [
        (
            one.event.id,
            moment(one.event.at, zone),
            one.event.type,
            one.state,
            one.tries,
            one.reason or one.status or "",
            moment(one.next_at, zone) if one.state == webhooks.WAITING else "",
        )
        for one in made
    ]
    table(("event", "at", "type", "state", "tries", "answer", "next try"), rows)


def test(ctx: typer.Context, which: Which) -> None:
    """Call a webhook now, with an event that means nothing."""
    with opened(ctx) as app:
        with app.db.read() as conn:
            known = webhooks.get(conn, which)
        status, reason = calling.test(app, known)
    if reason:
        note(f"not taken: {reason}")
        raise typer.Exit(WRONG)
    say(f"taken: {status}")


def enable(ctx: typer.Context, which: Which) -> None:
    """Call a webhook again that was disabled; what waited for it goes at once."""
    with opened(ctx) as app, app.db.begin() as conn:
        webhooks.enable(conn, which, now=app.clock.now())
    say(f"enabled {which}")


def remove(ctx: typer.Context, which: Which) -> None:
    """Call a webhook no more, and forget what it was told."""
    with opened(ctx) as app, app.db.begin() as conn:
        webhooks.remove(conn, which)
    say(f"removed {which}")


# ---------------------------------------------------------------- tokens


def token_add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for; shown in lists and logs.")],
    scope: Annotated[list[str], typer.Option(help=f"What it may do; repeat for more. {_SCOPES}.")],
    days: Annotated[int | None, typer.Option(min=1, help="It ends after so many days; else never.")] = None,
) -> None:
    """Make a token for the API. It is printed this once; only a keyed hash is kept."""
    wanted = [_scope(one) for one in scope]
    with opened(ctx) as app, app.db.begin() as conn:
        now = app.clock.now()
        ends = now + timedelta(days=days) if days is not None else None
        made = tokens.add(conn, name, wanted, key=app.suppression_key, now=now, expires_at=ends)
    note("give this token to the program; it is shown this once:")
    say(made)


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        raise BadInput("there is no such scope", where=text, hint="there are " + ", ".join(Scope)) from None


def token_list(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show the tokens: what each may do, and when it was last used."""
    with opened(ctx) as app, app.db.read() as conn:
        known = tokens.listed(conn)
        zone = app.settings.timezone
    if as_json:
        emit(known)
        return
    rows = [
        (
            one.name,
            " ".join(sorted(one.scopes)),
            moment(one.created_at, zone),
            moment(one.last_used_at, zone) or "never",
            "revoked " + moment(one.revoked_at, zone) if one.revoked_at else moment(one.expires_at, zone),
        )
        for one in known
    ]
    table(("name", "scopes", "made", "last used", "ends"), rows)


def token_revoke(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The token's name.")]) -> None:
    """End a token, at once and for good."""
    with opened(ctx) as app, app.db.begin() as conn:
        tokens.revoke(conn, name, now=app.clock.now())
    say(f"revoked {name}")
