"""Pace as staff see it: the limits, the plan, who is slowed or stopped; and letting a stopped receiver go on."""

from starlette.responses import Response

from newsletter.deliver import pace as pacing
from newsletter.deliver.pace.report import report
from newsletter.log import get_logger
from newsletter.store import mailings
from newsletter.web.visit import Visit

log = get_logger("web")


def pace(visit: Visit) -> Response:
    with visit.app.db.read() as conn:
        told = report(visit.app, conn, visit.now)
    return visit.page("staff/pace.html", told=told)


def resume(visit: Visit) -> Response:
    """A person takes it on themselves that the cause is mended."""
    assert visit.member is not None
    group = visit.form.get("group", "")
    with visit.app.db.begin() as conn:
        pacing.resume(visit.app, conn, group, mailings.sending(conn), visit.now)
    log.info("staff_act", act="pace_resume", group=group, staff=visit.member.id)
    visit.site.wake()
    return visit.go("/staff/pace")
