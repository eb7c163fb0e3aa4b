"""THE TOUR. An article's way to a reader, stage by stage; read this first.

    collect ──▶ summarise ──▶ compose ──▶ approve ──▶ schedule ──▶ deliver ──▶ track
    sources     articles      issues      issues      issues       deliveries   events
    due         new           draft       pending     scheduled    pending      come back

At last, `notify` tells other programs what became of people and issues.

Stages never call each other: each takes rows in one state and leaves them in the next, so what happened and what waits can
always be read from the database. Every stage can be run twice without harm and killed anywhere without loss; a failing row
never holds up the others. `docs/tour.md` walks through it with one article.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from newsletter import approve, collect, compose, deliver, notify, schedule, summarise, track
from newsletter.app import App
from newsletter.errors import NewsletterError, TransportDown
from newsletter.log import get_logger, one_line

log = get_logger("pipeline")

Stage = Callable[[App, datetime], int]

STAGES: tuple[tuple[str, Stage], ...] = (
    ("collect", collect.run),  # sources due → articles, new
    ("summarise", summarise.run),  # articles, new → ready, or held with a reason
    ("open", schedule.open_due),  # newsletters whose send moment is near → an issue, draft
    ("compose", compose.run),  # issues, draft, and letters asked for → rendered; the issue waits for approval
    ("approve", approve.run),  # issues of policy `auto` without errors → scheduled for exactly that content
    ("release", schedule.release_due),  # issues, scheduled, at their send moment → deliveries, frozen
    ("deliver", deliver.run),  # deliveries due → one explicit state each
    ("track", track.run),  # what came back → events, suppressions
    ("notify", notify.run),  # changes of people and issues → calls of webhooks
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageReport:
    stage: str
    changed: int  # rows that moved on
    error: str | None = None  # one line; the other stages ran all the same
    transport_down: bool = False  # mail cannot leave now; nothing is lost


def run_once(app: App, only: frozenset[str] | None = None) -> list[StageReport]:
    """Run every stage once, in order. A stage that fails is reported; it never stops the next one."""
    reports = []
    for name, stage in STAGES:
        if only is not None and name not in only:
            continue
        try:
            reports.append(StageReport(stage=name, changed=stage(app, app.clock.now())))
        except NewsletterError as error:
            log.error("stage_failed", at=name, reason=str(error))
            down = isinstance(error, TransportDown)
            reports.append(StageReport(stage=name, changed=0, error=str(error), transport_down=down))
        except Exception as error:  # a fault of ours: the service must go on with the other stages, and say so
            log.exception("stage_broke", at=name)
            reports.append(StageReport(stage=name, changed=0, error=one_line(error)))
    return reports
