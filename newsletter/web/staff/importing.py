"""Files of people: sent by staff who may see addresses, looked at first, imported by a button, followed while they run.

A page shows addresses masked; only the rejected rows, as a file, hold what the sent file held.
"""

from typing import Any

from starlette.responses import FileResponse, Response

import subscribers
from newsletter.errors import NotAllowed
from newsletter.log import get_logger
from newsletter.mail.findings import N_
from newsletter.model import new_id
from newsletter.web import imports
from newsletter.web.imports import Import, Stage
from newsletter.web.shield import asking_policy
from newsletter.web.staff.session import for_staff, who
from newsletter.web.uploads import MOST
from newsletter.web.visit import Handler, Visit, problem

log = get_logger("web")

LONGEST_CONSENT = 500
LONGEST_WISH = 60
FORMATS = ("Mailchimp", "listmonk", "Ghost", "Substack", "Buttondown", "beehiiv", "Keila", "Mailtrain", "phpList")
DELIMITERS = (
    ("comma", N_("comma")),
    ("semicolon", N_("semicolon")),
    ("tab", N_("tab")),
    ("pipe", N_("vertical line")),
)
MEANINGS = {
    "email": N_("address"),
    "name": N_("name"),
    "first": N_("first name"),
    "last": N_("last name"),
    "language": N_("language"),
    "time_zone": N_("time zone"),
    "attributes": N_("attributes"),
    "tags": N_("tags"),
    "state": N_("state"),
    "since": N_("subscribed since"),
    "confirmed": N_("confirmed on"),
    "left": N_("left on"),
    "paused_until": N_("paused until"),
    "topics": N_("topics"),
}
# What a state is called; words of a report (subscribers.Concern, reasons of refusals); why a file cannot be imported.
_SAID = (
    N_("import: looking"),
    N_("import: looked"),
    N_("import: importing"),
    N_("import: done"),
    N_("import: failed"),
    N_("the file says otherwise, but they are subscribed here"),
    N_("role address"),
    N_("disposable domain"),
    N_("probable typing slip in the domain"),
    N_("the file does not say whether they agreed or left"),
    N_("no date of their consent"),
    N_("left"),
    N_("bounced"),
    N_("complained"),
    N_("erased"),
    N_("suppressed"),
    N_("pending"),
    N_("not subscribed"),
    N_("it broke on our side; the log says where"),
    N_("no column holds addresses"),
    N_("the file is empty"),
    N_("there is no such column"),
    N_("there is no such encoding"),
    N_("the Excel file is broken"),
    N_("the ZIP file is broken"),
    N_("the ZIP file holds no CSV"),
    N_("the ZIP file is protected by a password"),
)


# ---------------------------------------------------------------- who may


def may_not(visit: Visit) -> Response | None:
    """Asked before a file is read. Nobody's business but of staff who may see addresses."""
    member = who(visit)
    if member is None:
        return for_staff(ask)(visit)  # to the login
    return None if member.sees_addresses else problem(visit.by(member), 404)


def for_importers(handler: Handler) -> Handler:
    def guarded(visit: Visit) -> Response:
        assert visit.member is not None
        return handler(visit) if visit.member.sees_addresses else problem(visit, 404)

    return for_staff(guarded)


# ---------------------------------------------------------------- sending a file


def ask(visit: Visit) -> Response:
    return _form(visit, {}, {})


def take(visit: Visit) -> Response:
    """Keep the file and have it looked at. Nobody is subscribed by this."""
    sent, form, _ = visit.uploaded, visit.form, visit.words.gettext
    assert sent is not None
    assert visit.member is not None
    consent = form.get("consent", "").strip()[:LONGEST_CONSENT]
    faults = {} if consent or sent.too_large else {"consent": _("Please say where their consent can be found.")}
    if sent.too_large:
        faults["file"] = _("The file has more than {n} MB.", n=MOST >> 20)
    elif sent.path is None:
        faults["file"] = _("Please choose a file that is not empty.")
    with visit.app.db.read() as conn:
        known = {one.slug for one in subscribers.list_lists(conn)}
    if not sent.too_large and form.get("list", "") not in known:
        faults["list"] = _("Please choose a list.")
    if faults or sent.path is None:
        return _form(visit, form, faults)

    def wish(name: str) -> str:
        return form.get(name, "").strip()[:LONGEST_WISH]

    wanted = Import(
        id=new_id(),
        stage=Stage.LOOKING,
        list_slug=form["list"],
        consent=consent,
        name=sent.name,
        size=sent.size,
        by=visit.member.id,
        at=visit.now,
        format=wish("format"),
        encoding=wish("encoding"),
        delimiter=wish("delimiter"),
        email=wish("email"),
    )
    imports.begin(visit.app, sent.path, wanted)
    log.info("staff_act", act="import_look", id=wanted.id, list=wanted.list_slug, staff=visit.member.id)
    visit.site.wake_imports()
    return visit.go(f"/staff/import/{wanted.id}")


def _form(visit: Visit, typed: Any, faults: dict[str, str]) -> Response:
    with visit.app.db.read() as conn:
        lists = subscribers.list_lists(conn)
    return visit.page(
        "staff/import.html",
        status=422 if faults else 200,
        lists=lists,
        names={one.slug: one.name for one in lists},
        earlier=imports.listed(visit.app),
        typed=typed,
        chosen=typed.get("list") or visit.asked("list"),
        faults=faults,
        formats=FORMATS,
        delimiters=DELIMITERS,
        most=MOST >> 20,
        longest=LONGEST_CONSENT,
    )


# ---------------------------------------------------------------- one of them


def show(visit: Visit) -> Response:
    one = imports.find(visit.app, visit.part("id"))
    with visit.app.db.read() as conn:
        names = {known.slug: known.name for known in subscribers.list_lists(conn)}
    return visit.page(
        "staff/imported.html",
        one=one,
        under_way=one.stage in imports.UNDER_WAY,
        list_name=names.get(one.list_slug, one.list_slug),
        rejected=[path.name.removeprefix("rejected").removesuffix(".csv").strip(".") for path in _rejected(visit, one)],
        meanings=MEANINGS,
        delimiters=dict(DELIMITERS),
        headers={"Content-Security-Policy": asking_policy()},
    )


def progress(visit: Visit) -> Response:
    """Only how far it has come: what the page's script asks for every two seconds."""
    one = imports.find(visit.app, visit.part("id"))
    return visit.page("staff/importing.html", one=one, under_way=one.stage in imports.UNDER_WAY)


def start(visit: Visit) -> Response:
    return _act(visit, "import_start", imports.go)


def discard(visit: Visit) -> Response:
    return _act(visit, "import_discard", imports.discard, after="/staff/import")


def _act(visit: Visit, act: str, change: Any, *, after: str = "") -> Response:
    assert visit.member is not None
    here = f"/staff/import/{visit.part('id')}"
    try:
        change(visit.app, visit.part("id"))
    except NotAllowed:  # the page was old: the present one says what can be done
        return visit.go(here)
    log.info("staff_act", act=act, id=visit.part("id"), staff=visit.member.id)
    visit.site.wake_imports()
    return visit.go(after or here)


def rejected(visit: Visit) -> Response:
    """The rejected rows of one table as they came, with line, column and reason."""
    one, place = imports.find(visit.app, visit.part("id")), visit.part("number")
    files = _rejected(visit, one)
    if not place.isascii() or not place.isdigit() or not 1 <= int(place) <= len(files):
        return problem(visit, 404)
    assert visit.member is not None
    log.info("staff_act", act="import_rejected", id=one.id, staff=visit.member.id)
    name = f'attachment; filename="rejected-{int(place)}.csv"'
    return FileResponse(files[int(place) - 1], media_type="text/csv", headers={"Content-Disposition": name})


def _rejected(visit: Visit, one: Import) -> list[Any]:
    return imports.rejected(visit.app, one.id) if one.stage not in imports.UNDER_WAY else []
