"""When an issue is opened and when it is released. The scheduler only proposes; the unique key of the issue decides.

A newsletter's cron expression names the *send moment* in an IANA zone, with the standard crontab meaning (0 and 7 are Sunday).
APScheduler's own crontab reader counts weekdays from Monday, so numbers are turned into names before it sees them.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from newsletter.app import App
from newsletter.errors import BadInput, NotAllowed
from newsletter.log import get_logger
from newsletter.mail.replies import mask_addresses
from newsletter.model import Issue, IssueId, IssueState, Newsletter, new_id
from newsletter.store import Connection, deliveries, issues, letters, newsletters
from subscribers import SubscribersError, audience, record_sending, resume_due

log = get_logger("schedule")

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))  # minute hour day month weekday, POSIX crontab
_NAMES = ("minute", "hour", "day of month", "month", "day of week")
PAUSED = "the newsletter is paused"
UNCHOSEN = "nobody can be chosen"  # begins the reason of an issue whose list or segment cannot be used
MISSED_SHOWN = 20  # so many missed send moments are written down as skipped after a long silence


# ---------------------------------------------------------------- send moments (pure)


def trigger(cron: str, timezone: str) -> CronTrigger | OrTrigger:
    """The moments a crontab line names in a zone. Raises BadInput for a line that is not crontab.

    Five fields as in POSIX crontab; names (mon, jan), lists, ranges and steps. When both day fields are restricted, it
    fires on either, as POSIX says; APScheduler alone would mean both.
    """
    zone = _zone(timezone)
    fields = cron.split()
    if len(fields) != 5:
        raise BadInput("a schedule has five fields: minute hour day month weekday", where=cron, hint="e.g. 0 8 * * 1")
    minute, hour, day, month, weekday = (_field(text, at, cron) for at, text in enumerate(fields))

    def on(day: str, weekday: str) -> CronTrigger:
        return CronTrigger(minute=minute, hour=hour, day=day, month=month, day_of_week=weekday, timezone=zone)

    if "*" in (day, weekday):
        return on(day, weekday)
    return OrTrigger([on(day, "*"), on("*", weekday)])


def moments(cron: str, timezone: str, *, after: datetime) -> Iterator[tuple[str, datetime]]:
    """(occurrence, send moment in UTC) later than `after`, for ever. Raises BadInput when the line never fires.

    On the autumn DST day two instants carry one wall-clock text; only the first is given. A wall-clock time that the spring
    DST day leaves out is given at its shifted hour.
    """
    rule, zone = trigger(cron, timezone), _zone(timezone)
    previous: str | None = None
    at = after.astimezone(zone) + timedelta(microseconds=1)
    while True:
        fires = rule.get_next_fire_time(None, at)
        if fires is None:
            if previous is None:
                raise BadInput("this schedule never fires", where=cron, hint="there is no such date")
            return
        occurrence = fires.strftime("%Y-%m-%dT%H:%M")
        if occurrence != previous:
            yield occurrence, fires.astimezone(UTC)
        previous = occurrence
        at = (fires.astimezone(UTC) + timedelta(seconds=1)).astimezone(zone)


def next_moments(cron: str, timezone: str, *, after: datetime, count: int = 3) -> list[datetime]:
    """The next send moments in their own zone: shown whenever a schedule is saved."""
    zone = _zone(timezone)
    return [moment.astimezone(zone) for _, moment in islice(moments(cron, timezone, after=after), count)]


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(
            "there is no such time zone", where=timezone, hint="an IANA name, e.g. Asia/Ho_Chi_Minh"
        ) from None


def _field(text: str, at: int, cron: str) -> str:
    """One field with names instead of numbers for weekdays, every number within its range."""
    return ",".join(_part(part, at, cron) for part in text.lower().split(","))


def _part(text: str, at: int, cron: str) -> str:
    wrong = BadInput(f"cannot read the {_NAMES[at]} {text!r}", where=cron, hint="e.g. 0 8 * * 1 is Mondays at 8:00")
    matched = re.fullmatch(r"(\*|([a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?)(?:/(\d{1,2}))?", text)
    if matched is None:
        raise wrong
    whole, first, last, step = matched.groups()
    if step == "0":
        raise wrong
    if whole == "*":
        return f"*/{step}" if step else "*"
    low = _number(first, at, wrong)
    high = _number(last, at, wrong) if last else low
    if step and not last:
        high = _RANGES[at][1]  # `5/10` means from 5 on (Vixie cron)
    if low > high:
        raise wrong
    values = range(low, high + 1, int(step or 1))
    if at == 4:
        return ",".join(dict.fromkeys(_WEEKDAYS[value] for value in values))
    return ",".join(str(value) for value in values)


def _number(text: str, at: int, wrong: BadInput) -> int:
    names = {3: _MONTHS, 4: _WEEKDAYS}.get(at, ())
    if text in names:
        return names.index(text) + (1 if at == 3 else 0)
    if not text.isdigit() or not _RANGES[at][0] <= int(text) <= _RANGES[at][1]:
        raise wrong
    return int(text)


# ---------------------------------------------------------------- opening


def open_due(app: App, now: datetime) -> int:
    """Open an issue for every newsletter whose send moment is near. Safe to run anywhere, any number of times."""
    opened = 0
    with app.db.read() as conn:
        active = newsletters.listed(conn, active_only=True)
    for newsletter in active:
        try:
            opened += _open(app, newsletter, now)
        except BadInput as error:  # an impossible schedule: said once per run, the other newsletters go on
            log.error("schedule_unusable", newsletter=newsletter.slug, reason=str(error))
            app.watch("open", f"{newsletter.slug}: {error}")
    return opened


def _open(app: App, newsletter: Newsletter, now: datetime) -> int:
    with app.db.read() as conn:
        since = newsletters.scheduled_from(conn, newsletter.id)
        since = max(since, issues.last_occurrence(conn, newsletter.id, since=since) or since)
    horizon = now + newsletter.compose_lead
    near = []
    for occurrence, send_at in moments(newsletter.cron, newsletter.timezone, after=since):
        if send_at > horizon:
            break
        near.append((occurrence, send_at))
    past = [send_at for _, send_at in near if send_at <= now]
    opened = 0
    for occurrence, send_at in near[-MISSED_SHOWN:]:
        with app.db.begin() as conn:
            issue_id = issues.open_issue(conn, newsletter, occurrence, send_at=send_at, now=now)
            if issue_id is None:
                continue  # somebody else was first
            opened += 1
            if now > send_at + newsletter.latest_start:
                _missed(conn, issue_id, "nothing ran at the send moment or until the latest start")
            elif past and send_at < past[-1]:
                _missed(conn, issue_id, "its articles go into the next issue")
        log.info("issue_opened", newsletter=newsletter.slug, occurrence=occurrence)
        app.watch("open", f"{newsletter.name}: {occurrence}")
    return opened


def _missed(conn: Connection, issue_id: IssueId, why: str) -> None:
    issues.skip(conn, issue_id, f"missed: {why}", seen=IssueState.DRAFT)


def open_extra(conn: Connection, newsletter: Newsletter, *, now: datetime) -> IssueId:
    """An issue made by hand, to be sent as soon as it is approved."""
    issue_id = issues.open_issue(conn, newsletter, f"extra-{new_id()}", send_at=now, now=now)
    assert issue_id is not None, "an id made now cannot exist"
    return issue_id


# ---------------------------------------------------------------- releasing


def release_due(app: App, now: datetime) -> int:
    """Freeze the audience of approved issues whose send moment has come; close those that came too late, visibly."""
    released = 0
    with app.db.read() as conn:
        waiting = issues.in_state(conn, IssueState.SCHEDULED, IssueState.PENDING_APPROVAL, IssueState.DRAFT)
    for issue in waiting:
        if issue.send_at > now:
            continue
        try:
            released += _release_or_close(app, issue, now)
        except NotAllowed:  # another process was first
            log.info("released_elsewhere", issue=issue.id)
        except SubscribersError as error:  # a list or segment that is gone: nobody was frozen, the other issues go on
            _unchosen(app, issue, mask_addresses(str(error)), now)
    return released


def _release_or_close(app: App, issue: Issue, now: datetime) -> int:
    with app.db.begin() as conn:
        newsletter = newsletters.get(conn, issue.newsletter_id)
        if now > issue.send_at + newsletter.latest_start and not issue.occurrence.startswith("extra-"):
            reason = _too_late(issue)
            issues.skip(conn, issue.id, reason, seen=issue.state)
            log.warning("issue_skipped", issue=issue.id, reason=reason)
        elif not newsletter.active:
            issues.waits(conn, issue.id, reason=PAUSED)
        elif issue.state is IssueState.SCHEDULED:
            return _release(app, conn, newsletter, issue.id, now)
    return 0


def _too_late(issue: Issue) -> str:
    if issue.state is not IssueState.SCHEDULED:
        return "not approved before the latest start"
    return f"too late: {issue.reason}" if (issue.reason or "").startswith(UNCHOSEN) else "too late"


def _unchosen(app: App, issue: Issue, why: str, now: datetime) -> None:
    """It waits, with the reason in its row; staff get one letter for each reason. Mended, it goes out by itself."""
    log.error("audience_unusable", issue=issue.id, reason=why)
    app.watch("release", why)
    reason = f"{UNCHOSEN}: {why}"
    if issue.reason == reason:
        return
    variables = {
        "topic": "audience_unusable",
        "name": issue.subject or issue.occurrence,
        "lines": [why],
        "url": app.url(f"/staff/issues/{issue.id}"),
    }
    with app.db.begin() as conn:
        issues.waits(conn, issue.id, reason=reason)
        letters.tell_staff(conn, f"audience:{issue.id}:{why}"[:180], variables, now=now)


def _release(app: App, conn: Connection, newsletter: Newsletter, issue_id: IssueId, now: datetime) -> int:
    issue = issues.get(conn, issue_id)
    if issue.state is not IssueState.SCHEDULED or issue.mailing_id is None:
        return 0  # another process released it between our look and our lock
    issues.sending(conn, issue_id)
    resume_due(conn, now=now)
    people = audience(conn, newsletter.list_slug, newsletter.segment, now=now, time_zone=app.settings.timezone)
    frozen = deliveries.freeze(conn, issue.mailing_id, people, now=now)
    record_sending(conn, newsletter.list_slug, at=now)
    log.info("issue_released", issue=issue_id, recipients=frozen)
    app.watch("release", f"{newsletter.name} #{issue.number}", frozen, frozen)
    return 1
