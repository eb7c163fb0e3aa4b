"""What SpamAssassin says of a message, when it is installed. Asked offline: nothing of the message leaves this machine.

Its score is advice, not a verdict: no receiver uses its rules unchanged, and without training it knows no Vietnamese.
"""

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from newsletter.mail.inspected import NOTE, WARNING, Fault, Value, fault

SECONDS = 30
_COMMANDS = (("spamc", ("-x", "-R")), ("spamassassin", ("-L", "-t")))
_SCORE = re.compile(r"^(-?[\d.]+)/([\d.]+)\s*$", re.MULTILINE)
_STATUS = re.compile(
    r"^X-Spam-Status:.*?score=(-?[\d.]+)\s+required=([\d.]+)\s+tests=([^\n]*)", re.MULTILINE | re.DOTALL
)
_RULE = re.compile(r"^\s*-?[\d.]+\s+([A-Z][A-Z0-9_]{2,})\s", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    points: float
    limit: float
    rules: tuple[str, ...]


def spam_faults(mime: bytes, *, which: Callable[[str], str | None] = shutil.which) -> list[Fault]:
    """A note with the score, a warning when it reaches the limit; one note when nobody can be asked."""
    installed = [(path, options) for name, options in _COMMANDS if (path := which(name)) is not None]
    if not installed:
        return [fault(NOTE, "message", "SpamAssassin is not installed, so there is no spam score")]
    for path, options in installed:
        score = _asked(path, options, mime)
        if score is not None:
            return _about(score)
    return [fault(NOTE, "message", "SpamAssassin did not answer, so there is no spam score; see that it runs")]


def _about(score: Score) -> list[Fault]:
    told: dict[str, Value] = {"score": score.points, "limit": score.limit, "rules": ", ".join(score.rules[:8]) or "–"}
    if score.points >= score.limit:
        return [
            fault(
                WARNING, "message", "SpamAssassin gives {score} points, spam from {limit}: {rules}; mend these", **told
            )
        ]
    return [fault(NOTE, "message", "SpamAssassin gives {score} points, spam from {limit}: {rules}", **told)]


def _asked(path: str, options: tuple[str, ...], mime: bytes) -> Score | None:
    try:
        ran = subprocess.run([path, *options], input=mime, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return read_report(ran.stdout.decode("utf-8", "replace")) if ran.returncode in (0, 1) else None


def read_report(text: str) -> Score | None:
    """A report of `spamc -R` (its first line is points/limit) or the message `spamassassin -t` writes; None for others."""
    short = _SCORE.match(text)
    if short is not None:
        rules = tuple(dict.fromkeys(_RULE.findall(text)))
        return Score(points=float(short[1]), limit=float(short[2]), rules=rules) if float(short[2]) > 0 else None
    status = _STATUS.search(re.sub(r"\r?\n[ \t]+", " ", text))
    if status is None:
        return None
    named = tuple(re.findall(r"\b[A-Z][A-Z0-9_]{2,}", status[3].partition(" autolearn=")[0]))
    return Score(points=float(status[1]), limit=float(status[2]), rules=named)
