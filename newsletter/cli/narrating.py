"""Tells the stages of the demo as they happen: coloured on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from newsletter.cli.output import emit, note, printable, say
from newsletter.pipeline import StageReport

_ENDED = {
    "collect": "{n} candidate(s) from feeds, pages and folders",
    "summarise": "{n} article(s) ready, or held with a reason",
    "open": "{n} more by the schedule",
    "compose": "{n} rendered and checked",
    "approve": "{n} approved by the newsletter's own policy",
    "release": "{n} released, its readers frozen into the ledger",
    "deliver": "{n} message(s)",
    "track": "{n} event(s) came back",
    "notify": "{n} call(s) of other programs' webhooks",
}


class Narrator:
    """A Watch that prints. `quiet`: to standard error, because standard output holds the result."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console: Any = None
        if (sys.stderr if quiet else sys.stdout).isatty():
            from rich.console import Console

            self._console = Console(stderr=quiet, highlight=False, soft_wrap=True)

    def __call__(self, stage: str, what: str, done: int = 0, total: int | None = None) -> None:
        self.says(stage, what if total is None else f"{what} ({done} of {total})")

    def says(self, label: str, text: str, style: str = "cyan") -> None:
        if self._console is None:
            (note if self._quiet else say)(f"{label:<11}{text}")
            return
        from rich.text import Text

        self._console.print(Text.assemble((f"{label:<11}", f"bold {style}"), printable(text)))

    def problem(self, stage: str, text: str) -> None:
        self.says(stage, f"left out: {text}", "yellow")

    def ended(self, report: StageReport) -> None:
        if report.error:
            self.says(report.stage, f"failed: {report.error}", "red")
        else:
            self.says(report.stage, _ENDED[report.stage].format(n=report.changed), "green")

    def end(self, result: Mapping[str, Any] | Iterable[tuple[str, str]], *, as_json: bool) -> None:
        if as_json:
            emit(result)
            return
        say()
        assert not isinstance(result, Mapping)
        for label, text in result:
            self.says(label, text, "green" if label != "problems" else "yellow")
