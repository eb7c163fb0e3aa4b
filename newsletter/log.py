"""Events of the program: logfmt on a terminal, JSON in a service. No line ever carries an address."""

import contextlib
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

# Last line of defence; the Address type masks itself before it comes to this.
_ADDRESS = re.compile(r"[^\s@<>\"'(),;:\[\]]+@[^\s@<>\"'(),;:\[\]]+\.[^\s@<>\"'(),;:\[\]]+")


class _StandardError:
    """Whatever standard error is by then. A full disk or a closed pipe costs the line, never the work it tells of."""

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


_STDERR: Any = _StandardError()


def get_logger(stage: str) -> Any:
    return structlog.get_logger(stage=stage)  # bound at first use: `bind` here would freeze the default configuration


def one_line(error: BaseException) -> str:
    """An error as one line. A database error is told by its driver's own words, without the statement it failed at."""
    cause = getattr(error, "orig", None) or error
    words = str(cause).strip().splitlines()
    return f"{type(cause).__name__}: {words[0] if words else ''}"[:300]


def configure(level: str = "info", style: str = "auto") -> None:
    """`style`: text, json, or auto (text on a terminal)."""
    as_json = style == "json" or (style == "auto" and not sys.stderr.isatty())
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if not as_json:
        renderer = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "stage", "event"])
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=lambda *_: structlog.PrintLogger(_STDERR),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)


def mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Blot out anything that looks like an address, in every value of the event."""
    return {key: _ADDRESS.sub("…", value) if isinstance(value, str) else value for key, value in event.items()}
