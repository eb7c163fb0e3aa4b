"""diff: what differs between two issues, or two versions of one. Nothing is changed."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from newsletter.cli.opening import opened
from newsletter.cli.output import emit, say
from newsletter.compose.differences import Changed, Differences, differences
from newsletter.errors import BadInput
from newsletter.store import Connection, issues, versions
from newsletter.store.versions import Version

Which = Annotated[
    str, typer.Argument(metavar="ISSUE", help="Its id, how it begins, or `latest`; with @2 its second version.")
]
Other = Annotated[
    str | None, typer.Argument(metavar="[ISSUE]", help="The other; left out: the version before, of the same issue.")
]


def register(app: typer.Typer) -> None:
    app.command("diff")(diff)


def diff(
    ctx: typer.Context,
    which: Which,
    other: Other = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what differs: articles in, out and moved, changed words, subject, design and settings."""
    with opened(ctx) as app, app.db.read() as conn:
        before, after = _pair(conn, which, other)
    found = differences(before.manifest, after.manifest)
    if as_json:
        emit({"before": _named(before), "after": _named(after)} | asdict(found))
        return
    say(f"{_name(before)} → {_name(after)}")
    if before.content_hash == after.content_hash:
        say("the same content")
    for line in _lines(found):
        say(line)
    if not found and before.content_hash != after.content_hash:
        say("the manifests are equal, the content is not: the program that made it has changed")


def _pair(conn: Connection, which: str, other: str | None) -> tuple[Version, Version]:
    if other is not None:
        return _version(conn, which), _version(conn, other)
    after = _version(conn, which)
    before = next((one for one in versions.of_issue(conn, after.issue_id) if one.version < after.version), None)
    if before is None:
        raise BadInput(
            "the issue has no version before this one", where=which, hint="name the issue to compare it with"
        )
    return before, after


def _version(conn: Connection, text: str) -> Version:
    """`ISSUE` or `ISSUE@2`. Raises BadInput when there is none."""
    name, at, number = text.partition("@")
    issue = issues.find(conn, name)
    known = versions.of_issue(conn, issue.id)
    if not known:
        raise BadInput(f"the issue is {issue.state} and has no content", where=issue.id, hint="`newsletter compose`")
    found = known[0] if not at else next((one for one in known if str(one.version) == number), None)
    if found is None:
        there = ", ".join(str(one.version) for one in reversed(known))
        raise BadInput("the issue has no such version", where=text, hint=f"there are: {there}")
    return found


def _name(version: Version) -> str:
    return f"{version.issue_id}@{version.version}"


def _named(version: Version) -> dict[str, Any]:
    return {
        "issue": version.issue_id,
        "version": version.version,
        "composed_at": version.composed_at,
        "content_hash": version.content_hash,
    }


def _lines(found: Differences) -> list[str]:
    lines = [f"out    {_place(one.before)} {one.title}" for one in found.left_out]
    lines += [f"in     {_place(one.after)} {one.title}" for one in found.taken_in]
    lines += [f"moved  {_place(one.before)} → {_place(one.after)} {one.title}" for one in found.moved]
    for one in found.changed:
        lines += _change(one)
    return lines


def _place(place: int | None) -> str:
    return f"{place}." if place is not None else ""


def _change(one: Changed) -> list[str]:
    of = f"{one.what}" + (f" ({one.language})" if one.language else "")
    return [f"{one.field} of {of}", f"  - {_shown(one.before)}", f"  + {_shown(one.after)}"]


def _shown(value: Any) -> str:
    return "–" if value in (None, "", [], {}) else str(value).replace("\n", " ")
