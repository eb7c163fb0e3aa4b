"""What went wrong during a run, read from the rows: each failing source, issue and letter in one line.

Stages write a fault down and go on, so a run ends well although a source is down; whoever started it must see that.
"""

from collections import Counter
from dataclasses import dataclass

from newsletter.app import App
from newsletter.model import IssueState, SourceState
from newsletter.store import issues, letters, sources


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Trouble:
    """`level`: error (a person must mend it) or warning (it is tried again). `times` tells a repeated one from an old."""

    level: str
    line: str
    times: int = 1


def troubles(app: App) -> Counter[Trouble]:
    """All that is wrong now. Subtract those from before a run to get what the run met."""
    with app.db.read() as conn:
        failing = [source for source in sources.listed(conn) if source.state is SourceState.FAILING or source.given_up]
        stuck = [issue for issue in issues.in_state(conn, IssueState.FAILED, IssueState.PAUSED) if issue.reason]
        unwritten = letters.failures(conn)
    return Counter(
        [
            *(Trouble(level="warning", line=f"source {s.slug}: {s.reason}", times=s.failures) for s in failing),
            *(Trouble(level="error", line=f"issue {issue.id} is {issue.state}: {issue.reason}") for issue in stuck),
            *(Trouble(level="error", line=f"letter {kind}: {reason}") for kind, reason in unwritten),
        ]
    )
