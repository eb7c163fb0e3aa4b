"""Files of people that staff sent: looked at, then imported when somebody says so, in the background and after a restart.

    POST a file ─▶ looking ─▶ looked ──button──▶ importing ─▶ done
                      └─▶ failed                    └─▶ failed

Each lies in a folder of its own under the data folder, that only we can read: the file, how far it has come, what was found,
and its rejected rows. The file goes when it is through, everything after a week; the marks of `subscribers` make a second
run go on where the first one stopped. Nothing here decides who is subscribed, and no log holds a row.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Any

import subscribers
from newsletter.app import App
from newsletter.errors import BadInput, NotAllowed
from newsletter.log import get_logger
from newsletter.mail.replies import mask_addresses
from newsletter.store import DatabaseUnavailable, newsletters
from newsletter.web import uploads
from subscribers import ImportReport, Reading, SubscribersError

log = get_logger("web")

KEPT = timedelta(days=7)  # as long as the mark of an import that was stopped
BROKE = "it broke on our side; the log says where"
_STATE = "import.json"
_ID = re.compile(r"[0-9a-z]{16}")


class Stage(StrEnum):
    LOOKING = "looking"  # the dry run is due or under way
    LOOKED = "looked"  # a person decides
    IMPORTING = "importing"
    DONE = "done"
    FAILED = "failed"  # with a reason; nothing more happens


UNDER_WAY = (Stage.LOOKING, Stage.IMPORTING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """`report` is an ImportReport as JSON without its paths: that of the look, then of the import itself."""

    id: str
    stage: Stage
    list_slug: str
    consent: str
    name: str  # of the file, as its sender calls it
    size: int  # octets
    by: str  # staff id
    at: datetime
    format: str = ""
    encoding: str = ""
    delimiter: str = ""
    email: str = ""  # the column of addresses, where its name does not tell
    rows: int = 0
    octets: int = 0
    report: Mapping[str, Any] | None = None
    reason: str = ""

    @property
    def reading(self) -> Reading:
        columns = {"email": self.email} if self.email else {}
        return Reading(
            encoding=self.encoding or None,
            delimiter=self.delimiter or None,
            format=self.format or None,
            columns=columns,
        )


class Stopped(Exception):
    """The service ends; the import goes on when it starts again."""


# ---------------------------------------------------------------- what staff ask for


def begin(app: App, file: Path, wanted: Import) -> None:
    """Keep the file, which moves, and have it looked at."""
    place = _root(app) / wanted.id
    place.parent.mkdir(mode=0o700, exist_ok=True)
    place.mkdir(mode=0o700)
    file.replace(place / "file")
    _save(app, wanted)


def find(app: App, import_id: str) -> Import:
    """Raises BadInput when there is none (any more)."""
    try:
        if _ID.fullmatch(import_id):
            told = json.loads((_root(app) / import_id / _STATE).read_text(encoding="utf-8"))
            return Import(**{**told, "stage": Stage(told["stage"]), "at": datetime.fromisoformat(told["at"])})
    except (OSError, ValueError, TypeError, KeyError):
        pass
    raise BadInput("there is no such import", where="import", hint="it may have been let go after a week")


def listed(app: App) -> list[Import]:
    """The latest first."""
    found = []
    for place in _root(app).glob(f"*/{_STATE}"):
        try:
            found.append(find(app, place.parent.name))
        except BadInput:  # let go while we looked
            continue
    return sorted(found, key=lambda one: (one.at, one.id), reverse=True)


def go(app: App, import_id: str) -> None:
    """Somebody has seen what was found and wants it. Twice is once. Raises NotAllowed before that, BadInput."""
    one = find(app, import_id)
    if one.stage is Stage.LOOKED:
        _save(app, replace(one, stage=Stage.IMPORTING, rows=0, octets=0))
    elif one.stage not in (Stage.IMPORTING, Stage.DONE):
        raise NotAllowed("only what was looked at can be imported", where=import_id)


def discard(app: App, import_id: str) -> None:
    """The file and all that was found in it go. Raises NotAllowed while it is being read, BadInput."""
    if find(app, import_id).stage in UNDER_WAY:
        raise NotAllowed("it is being read", where=import_id)
    uploads.remove(_root(app) / import_id)


def rejected(app: App, import_id: str) -> list[Path]:
    """The files of rejected rows, one per table that has any."""
    return sorted((_root(app) / import_id).glob("rejected*.csv")) if _ID.fullmatch(import_id) else []


# ---------------------------------------------------------------- the work


def run_file(
    app: App,
    file: Path,
    *,
    list_slug: str,
    consent: str,
    reading: Reading,
    dry_run: bool,
    watch: Callable[[int, int], None],
) -> ImportReport:
    """Read a file that was sent to us; rejected rows go beside it. `watch` is told rows and octets after each batch."""
    with app.db.read() as conn:
        language = newsletters.language_of_list(conn, list_slug) or app.settings.language
    return subscribers.import_people(
        app.db,
        file,
        list_slug=list_slug,
        key=app.suppression_key,
        now=app.clock.now(),
        consent=consent,
        reading=replace(reading, language=language),
        on_progress=watch,
        dry_run=dry_run,
        rejected_path=file.with_name("rejected.csv"),
    )


def run_waiting(app: App, busy: Lock) -> int:
    """Look at and import what waits, the oldest first, one at a time (`busy`). Returns how many came to an end."""
    ended = 0
    for one in reversed(listed(app)):
        if one.stage in UNDER_WAY:
            with busy:
                ended += _run(app, one)
        elif app.clock.now() - one.at > KEPT:
            uploads.remove(_root(app) / one.id)
        if app.stopping.is_set():
            break
    return ended


def _run(app: App, one: Import) -> bool:
    def watch(rows: int, octets: int) -> None:
        if app.stopping.is_set():
            raise Stopped
        _save(app, replace(one, rows=rows, octets=min(octets, one.size)))

    looking = one.stage is Stage.LOOKING
    try:
        report = run_file(
            app,
            _root(app) / one.id / "file",
            list_slug=one.list_slug,
            consent=one.consent,
            reading=one.reading,
            dry_run=looking,
            watch=watch,
        )
    except Stopped:
        return False
    except DatabaseUnavailable as error:  # what is written is written; the next round goes on
        log.error("import_waits", id=one.id, error=type(error).__name__)
        return False
    except SubscribersError as error:  # its place is a path of ours
        _end(app, one, Stage.FAILED, reason=mask_addresses(error.what))
    except Exception as error:  # a fault of ours, whose words may hold a row
        log.error("import_broke", id=one.id, error=type(error).__name__)
        _end(app, one, Stage.FAILED, reason=BROKE)
    else:
        ended = replace(one, rows=report.rows, octets=one.size, report=_told(report))
        _end(app, ended, Stage.LOOKED if looking else Stage.DONE)
    return True


def _end(app: App, one: Import, stage: Stage, *, reason: str = "") -> None:
    _save(app, replace(one, stage=stage, reason=reason))
    if stage is not Stage.LOOKED:
        (_root(app) / one.id / "file").unlink(missing_ok=True)
    log.info("import_ended", id=one.id, stage=stage.value, rows=one.rows)


def _told(report: ImportReport) -> dict[str, Any]:
    told = asdict(report) | {"refused": report.refused}
    del told["files"]
    return told


def _root(app: App) -> Path:
    return app.settings.data_dir / "imports"


def _save(app: App, one: Import) -> None:
    """Whole or not at all: a page may read it at any time."""
    target = _root(app) / one.id / _STATE
    fresh = target.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(one) | {"at": one.at.isoformat()}, file, ensure_ascii=False)
    fresh.replace(target)
