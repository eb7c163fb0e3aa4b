"""The named points at which a sender kills itself, without a hook in the product: functions of this process are wrapped.

    ledger    claim, intent, result, finish, freeze, schedule: `before` is written and not committed, `after` is committed
    the line  `before dot`: the intent is durable and no octet of the content's end is written; `after dot`: all is written;
              `after reply`: the answer is heard and not recorded

Must be armed in a process of its own: nothing is ever put back.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from newsletter.deliver.smtp.dialogue import Dialogue
from newsletter.deliver.smtp.line import Line
from newsletter.model import DeliveryState
from newsletter.store import Connection, Database, deliveries, issues

SENDING = (
    "before claim",
    "after claim",
    "before intent",
    "after intent",
    "before dot",
    "after dot",
    "after reply",
    "before result",
    "after result",
)
FINISHING = ("before finish", "after finish")
PLANNING = ("before schedule", "after schedule", "before freeze", "after freeze")
EVERY = (*SENDING, *FINISHING, *PLANNING)


class Fuse:
    """Burns at the `nth` time this process comes to `point`, in whatever thread that is."""

    def __init__(self, point: str, nth: int, burn: Callable[[], object]) -> None:
        assert point in EVERY
        self.point, self._left, self._burn = point, nth, burn
        self._lock = threading.Lock()

    def at(self, point: str) -> None:
        if point != self.point:
            return
        with self._lock:
            self._left -= 1
            due = self._left == 0
        if due:
            self._burn()


def arm(point: str, nth: int = 1, burn: Callable[[], object] = lambda: os.kill(os.getpid(), signal.SIGKILL)) -> None:
    fuse = Fuse(point, nth, burn)
    _transactions(fuse)
    _smtp(fuse)
    _http(fuse)


# ---------------------------------------------------------------- the ledger


def _transactions(fuse: Fuse) -> None:
    """What a transaction has written is known at its end: only then is it before, or after, a commit."""
    here = threading.local()
    begin = Database.begin

    @contextmanager
    def marked(db: Database, on: Connection | None = None) -> Iterator[Connection]:
        here.written = set()
        with begin(db, on) as conn:
            yield conn
            written = here.written
            for place in written:
                fuse.at(f"before {place}")
        for place in written:
            fuse.at(f"after {place}")

    Database.begin = marked  # type: ignore[method-assign]

    def watch(module: Any, name: str, place: str, counts: Callable[[Any, Any], bool]) -> None:
        original = getattr(module, name)

        def watched(conn: Connection, *args: Any, **kwargs: Any) -> Any:
            found = original(conn, *args, **kwargs)
            if counts(args, found):
                here.written.add(place)
            return found

        setattr(module, name, watched)

    watch(deliveries, "claim", "claim", lambda _args, found: bool(found))
    watch(deliveries, "intend", "intent", lambda _args, found: bool(found))
    watch(deliveries, "settle", "result", lambda args, _found: any(r.state is DeliveryState.SENT for r in args[1]))
    watch(deliveries, "finish", "finish", lambda _args, found: found is not None)
    watch(deliveries, "freeze", "freeze", lambda _args, found: found > 0)
    watch(issues, "open_issue", "schedule", lambda _args, found: found is not None)


# ---------------------------------------------------------------- the line


def _smtp(fuse: Fuse) -> None:
    here = threading.local()
    content, write, hear = Dialogue.content, Line.write, Dialogue._hear_content

    def announced(self: Dialogue, *args: Any, **kwargs: Any) -> None:
        content(self, *args, **kwargs)
        here.ending = True
        fuse.at("before dot")

    def written(self: Line, *parts: bytes) -> None:
        write(self, *parts)
        if getattr(here, "ending", False):
            here.ending = False
            fuse.at("after dot")

    def heard(self: Dialogue, *args: Any) -> None:
        hear(self, *args)
        fuse.at("after reply")

    Dialogue.content = announced  # type: ignore[method-assign]
    Line.write = written  # type: ignore[method-assign]
    Dialogue._hear_content = heard  # type: ignore[method-assign]


_MOMENTS = {
    "http11.send_request_headers.started": "before dot",
    "http11.send_request_body.complete": "after dot",
    "http11.receive_response_body.complete": "after reply",
}


def _http(fuse: Fuse) -> None:
    """A request's body is what the dot is in SMTP. httpcore tells its moments to whoever asks by the extension `trace`."""
    stream = httpx.Client.stream

    def moment(name: str, _info: object) -> None:
        fuse.at(_MOMENTS.get(name, ""))

    def traced(self: httpx.Client, *args: Any, **kwargs: Any) -> Any:
        return stream(self, *args, **{**kwargs, "extensions": {"trace": moment}})

    httpx.Client.stream = traced  # type: ignore[method-assign]
