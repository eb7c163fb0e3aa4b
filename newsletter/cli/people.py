"""list, subscribers, staff: people and what they may get. Addresses are masked, but in an export that is asked for."""

import json
from typing import Annotated, Any

import typer

import subscribers
from newsletter import readers
from newsletter.app import App
from newsletter.cli import attributes, peoplefiles, rights
from newsletter.cli.opening import opened
from newsletter.cli.output import confirm, emit, note, say, table
from newsletter.cli.whom import of_domain, person_of
from newsletter.errors import BadInput
from newsletter.mail.replies import mask_addresses
from newsletter.model import PersonId
from newsletter.store import Connection, staff
from subscribers import ConsentGiven, ConsentSource, Outcome, SubscriptionState

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
ListSlug = Annotated[str, typer.Option("--list", metavar="SLUG", help="See `newsletter subscribers lists`.")]
MAILABLE = "mailable"  # beside the states: to how many a mailing to the whole list would go now
Who = Annotated[str, typer.Argument(metavar="PERSON", help="An address, or a person's id.")]


def register(app: typer.Typer) -> None:
    lists = _group("Create a list that people can join.")
    lists.callback()(lambda: None)  # keeps `create` a verb of its own
    lists.command("create")(create)
    people = _group("Import, export, add, show and erase the people of a list.")
    people.command("lists")(lists_of_all)
    people.command("counts")(counts)
    people.command("add")(add)
    people.command("import")(peoplefiles.import_file)
    people.command("export")(peoplefiles.export)
    people.command("unsubscribe")(unsubscribe)
    people.command("topics")(topics)
    people.command("tag")(attributes.tag)
    people.command("set")(attributes.set_values)
    people.command("erase")(erase)
    people.command("show")(show)
    people.command("data")(rights.data)
    people.command("evidence")(rights.evidence)
    team = _group("Let somebody log in to the staff pages.")
    team.command("add")(staff_add)
    team.command("list")(staff_list)
    team.command("remove")(staff_remove)
    app.add_typer(lists, name="list")
    app.add_typer(people, name="subscribers")
    app.add_typer(team, name="staff")


def _group(about: str) -> typer.Typer:
    return typer.Typer(help=about, no_args_is_help=True, rich_markup_mode=None)


# ---------------------------------------------------------------- lists


def create(
    ctx: typer.Context,
    slug: Annotated[str, typer.Argument(help="Lower-case letters, digits, hyphens.")],
    *,
    name: Annotated[str, typer.Option(help="What readers see.")],
    description: Annotated[str, typer.Option(help="What they get, and how often.")] = "",
    single_opt_in: Annotated[bool, typer.Option("--single-opt-in", help="Without a confirmation letter.")] = False,
) -> None:
    """Create a list."""
    with opened(ctx) as app, app.db.begin() as conn:
        subscribers.create_list(
            conn, slug, name=name, description=description, double_opt_in=not single_opt_in, now=app.clock.now()
        )
    say(f"created {slug}")


def lists_of_all(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show the lists."""
    with opened(ctx) as app, app.db.read() as conn:
        known = [(one, _counted(conn, one.slug)) for one in subscribers.list_lists(conn)]
    if as_json:
        emit([{"slug": one.slug, "name": one.name, "double_opt_in": one.double_opt_in, **n} for one, n in known])
        return
    rows = [
        (one.slug, one.name, n[SubscriptionState.ACTIVE], n[MAILABLE], "yes" if one.double_opt_in else "no")
        for one, n in known
    ]
    table(("slug", "name", "active", "mailable", "confirmation"), rows)


def counts(ctx: typer.Context, list_slug: ListSlug, as_json: AsJson = False) -> None:
    """How many people of a list are in which state, and to how many of the active a mailing would go now."""
    with opened(ctx) as app, app.db.read() as conn:
        found = _counted(conn, list_slug)
    if as_json:
        emit(found)
        return
    for state, number in found.items():
        say(f"{state:<13}{number:>9,}")


def _counted(conn: Connection, list_slug: str) -> dict[str, int]:
    """An active subscription is not mailable where its person bounced, complained or is suppressed."""
    return dict(subscribers.counts(conn, list_slug)) | {MAILABLE: subscribers.count_mailable(conn, list_slug)}


# ---------------------------------------------------------------- joining


def add(
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(help="Who joins.")],
    *,
    list_slug: ListSlug,
    consent: Annotated[str, typer.Option(help="Where their consent can be found; kept as evidence.")],
    name: Annotated[str, typer.Option(help="Their name.")] = "",
    language: Annotated[str | None, typer.Option(help="Like vi or en.")] = None,
    confirmed: Annotated[bool, typer.Option("--confirmed", help="The address is proven: no letter.")] = False,
) -> None:
    """Add one person to a list. On a list with confirmation a letter asks them first, unless --confirmed."""
    given = ConsentGiven(form="staff", wording=consent, language=language or "", source=ConsentSource.STAFF)
    who = subscribers.parse_address(address)
    with opened(ctx) as app:
        if confirmed:
            with app.db.begin() as conn:
                joined = subscribers.subscribe(
                    conn,
                    list_slug,
                    who,
                    now=app.clock.now(),
                    key=app.suppression_key,
                    consent=given,
                    name=name,
                    language=language,
                    confirmed=True,
                )
        else:
            joined = readers.join(app, list_slug, who, consent=given, name=name, language=language)
    say(_JOINED[joined.outcome])
    raise typer.Exit(1 if joined.outcome in (Outcome.SUPPRESSED, Outcome.LEFT) else 0)


_JOINED = {
    Outcome.PENDING: "pending: a confirmation letter goes out with the next run",
    Outcome.ALREADY_PENDING: "pending: a confirmation letter went out within the hour",
    Outcome.ACTIVE: "active",
    Outcome.ALREADY_ACTIVE: "active already",
    Outcome.VOUCHED: "active already, on others' word: a confirmation letter asks for theirs",
    Outcome.SUPPRESSED: "not added: this address must not be written to",
    Outcome.LEFT: "not added: they left, and only they can come back",
}


# ---------------------------------------------------------------- one person


def unsubscribe(
    ctx: typer.Context,
    who: Who,
    list_slug: ListSlug,
    reason: Annotated[str, typer.Option(help="How they asked; kept.")] = "staff",
) -> None:
    """End a subscription, because the person asked for it."""
    with opened(ctx) as app, app.db.begin() as conn:
        left = subscribers.unsubscribe(conn, list_slug, person_of(conn, who), now=app.clock.now(), reason=reason)
    say("unsubscribed" if left else "was not subscribed")


def topics(
    ctx: typer.Context,
    who: Who,
    list_slug: ListSlug,
    topic: Annotated[list[str] | None, typer.Option(help="One they choose; repeat for more. None: everything.")] = None,
) -> None:
    """Set what a person gets of a list's issues: only items of these topics, or everything again."""
    with opened(ctx) as app, app.db.begin() as conn:
        chosen = subscribers.choose_topics(conn, list_slug, person_of(conn, who), topic or ())
    if not chosen:
        raise BadInput("this person is not on the list", where=list_slug)
    say(f"only {', '.join(topic)}" if topic else "everything")


def erase(ctx: typer.Context, who: Who, yes: Yes = False) -> None:
    """Forget a person: address, name, attributes go; only a keyed hash stays, so that no import brings them back."""
    with opened(ctx) as app:
        with app.db.read() as conn:
            person_id = person_of(conn, who)
            _refuse_staff(conn, person_id)
        confirm(f"Erase person {person_id} for good?", yes=yes)
        with app.db.begin() as conn:
            _refuse_staff(conn, person_id)  # made staff while the question stood
            done = subscribers.erase(conn, person_id, now=app.clock.now(), key=app.suppression_key)
    say(f"erased {person_id}" if done else "was erased before")


def _refuse_staff(conn: Connection, person_id: PersonId) -> None:
    """Raises BadInput."""
    if staff.of_person(conn, person_id) is not None:
        raise BadInput(
            "they are staff: their login hangs on the address",
            where=person_id,
            hint=f"take them off first: newsletter staff remove {person_id}",
        )


def show(ctx: typer.Context, who: Who, as_json: AsJson = False) -> None:
    """What is held about a person, the address masked: subscriptions, consents, suppressions."""
    with opened(ctx) as app, app.db.read() as conn:
        held = _masked(app, conn, person_of(conn, who))
    if as_json:
        emit(held)
        return
    for name in ("id", "address", "name", "language", "time_zone", "state", "created_at", "erased_at"):
        if held[name]:
            say(f"{name:<12}{held[name]}")
    if held["tags"]:
        say(f"tags        {', '.join(held['tags'])}")
    for name, value in held["attributes"].items():
        say(f"attribute   {name} = {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")
    for entry in held["subscriptions"]:
        only = f", only {', '.join(entry['topics'])}" if entry["topics"] else ""
        say(f"list        {entry['list']}: {entry['state']}{only}")
    for entry in held["consents"]:
        say(f"consent     {entry['at'][:16]} {entry['list']}: {entry['action']} ({entry['source']}) {entry['wording']}")
    for entry in held["engagement"]:
        last = " and ".join(
            f"{what} {entry[key][:10]}"
            for what, key in (("opened", "last_opened_at"), ("clicked", "last_clicked_at"))
            if entry[key]
        )
        say(f"reads       {entry['list']}: last {last}")
    for entry in held["suppressions"]:
        say(f"suppressed  {entry['at'][:16]} {entry['list'] or 'everywhere'}: {entry['reason']}{of_domain(entry)}")


def _masked(app: App, conn: Connection, person_id: PersonId) -> dict[str, Any]:
    held = subscribers.export_person(conn, person_id)
    address = subscribers.person(conn, person_id).address
    returned = [{**one, "message": mask_addresses(one["message"])} for one in held["returned"]]
    return {**held, "address": str(address) if address is not None else None, "returned": returned}


# ---------------------------------------------------------------- staff


_NAMELESS = {"vi": "Biên tập viên"}  # never their address: that stays in `subscribers`


def staff_add(
    ctx: typer.Context,
    address: Annotated[str, typer.Argument(help="Who may log in; notices go there too.")],
    name: Annotated[str, typer.Option(help="Shown beside what they do.")] = "",
    language: Annotated[str | None, typer.Option(help="vi or en; else the settings' language.")] = None,
    *,
    sees_addresses: Annotated[
        bool | None, typer.Option("--addresses/--no-addresses", help="May see readers' addresses whole; else masked.")
    ] = None,
) -> None:
    """Let somebody log in: prints a link that sets their password, once, within 48 hours. Again gives a fresh link."""
    who = subscribers.parse_address(address)
    with opened(ctx) as app, app.db.begin() as conn:
        now = app.clock.now()
        person_id = PersonId(subscribers.ensure_person(conn, who, now=now, key=app.suppression_key, name=name))
        known = staff.of_person(conn, person_id)
        staff_id = staff.add(
            conn,
            person_id,
            name=name or (known.name if known else _NAMELESS.get(language or app.settings.language, "Editor")),
            language=language or (known.language if known else app.settings.language),
            now=now,
            sees_addresses=known is not None and known.sees_addresses if sees_addresses is None else sees_addresses,
        )
        link = app.url(f"/staff/link/{staff.make_link(conn, staff_id, now=now)}")
    note("give this link to them; it works once, within 48 hours:")
    say(link)


def staff_list(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show who may log in."""
    with opened(ctx) as app, app.db.read() as conn:
        team = [(member, subscribers.person(conn, member.person_id).address) for member in staff.listed(conn)]
    rows = [
        (
            member.name,
            member.person_id,
            str(address or ""),
            member.language,
            bool(member.password_hash),
            member.sees_addresses,
        )
        for member, address in team
    ]
    if as_json:
        names = ("name", "person", "address", "language", "has_password", "sees_addresses")
        emit([dict(zip(names, row, strict=True)) for row in rows])
        return
    shown = [(*row[:4], "set" if row[4] else "not yet", "whole" if row[5] else "masked") for row in rows]
    table(("name", "person", "address", "language", "password", "addresses"), shown)


def staff_remove(ctx: typer.Context, who: Who, yes: Yes = False) -> None:
    """Let somebody log in no longer: ends their sessions and voids their links. What they approved keeps their name.

    As a reader they stay: `subscribers erase` forgets them.
    """
    with opened(ctx) as app:
        with app.db.read() as conn:
            member = _member(conn, who)
        confirm(f"Take {member.name} off the staff?", yes=yes)
        with app.db.begin() as conn:
            staff.remove(conn, member.id)
    say(f"removed {member.name}")


def _member(conn: Connection, who: str) -> staff.Staff:
    """Raises BadInput."""
    member = staff.of_person(conn, person_of(conn, who))
    if member is None:
        raise BadInput("this person is not staff", hint="see `newsletter staff list`")
    return member
