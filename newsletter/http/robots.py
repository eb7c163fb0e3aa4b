"""What a site's robots.txt asks of programs that follow links (RFC 9309): which pages, and how slowly.

`read_robots` is pure; `Robots` remembers each site's answer for a day. Must never give a stranger's text to the parser
with other programs' groups in it: 17,000 names with 20,000 rules make 340 million rule objects.
"""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from protego import Protego

from newsletter.errors import FetchRefused, SourceError
from newsletter.http.guard import shown
from newsletter.http.pace import Stopped

MAX_BYTES = 500 << 10  # RFC 9309 2.5: at least 500 KiB are parsed; what stands behind is ignored
KEPT = 24 * 3600.0  # seconds; RFC 9309 2.4
REFUSAL_KEPT = 600.0  # seconds until a robots.txt that could not be read is asked for again
_MOST_SITES = 2000
_HTML = re.compile(r"\s*<(?:!doctype|html|head|body|\?xml|!--)", re.I)
_AGENT = re.compile(r"[\s\ufeff]*user[- ]?agent\s*[:\s]\s*([^\s#]*)", re.I)
_US = "us"  # our group's name in what the parser sees


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One site's answer. `refusal`: why nothing there may be read now. `delay`: seconds between questions, if wished."""

    parsed: Protego | None = None
    refusal: str | None = None
    retry_after: float | None = None
    delay: float = 0.0

    def allows(self, url: str) -> bool:
        return self.parsed is None or bool(self.parsed.can_fetch(url, _US))


def product_token(user_agent: str) -> str:
    """Our name in a robots.txt (RFC 9309 2.2.1: letters, `_`, `-`), in lower case; "compatible; X" names X."""
    found = re.search(r"compatible;\s*([A-Za-z_-]+)", user_agent) or re.search(r"([A-Za-z_-]+)", user_agent)
    return found[1].lower() if found else ""


def read_robots(body: bytes, token: str) -> Rules:
    """The rules for `token` in `body`. HTML, and anything else without a rule, allows everything."""
    text = body[:MAX_BYTES].decode("utf-8", "replace")
    if len(body) >= MAX_BYTES:
        text = text[: text.rfind("\n") + 1]  # half a line says something else than the whole
    if _HTML.match(text):
        return Rules()
    parsed = Protego.parse(_for_us(text, token))
    return Rules(parsed=parsed, delay=parsed.crawl_delay(_US) or 0.0)


def _for_us(text: str, token: str) -> str:
    """The text with three groups only: ours, everybody's and the others'. Names are compared whole (RFC 9309 2.2.1)."""
    lines: list[str] = []
    for line in text.splitlines():
        agent = _AGENT.match(line)
        if agent:
            name = agent[1].partition("/")[0].lower()
            line = f"User-agent: {'*' if name == '*' else _US if name == token else 'other'}"
            if lines and lines[-1] == line:
                continue
        lines.append(line)
    return "\n".join(lines)


@dataclass(slots=True)
class _Site:
    asking: threading.Lock = field(default_factory=threading.Lock)
    rules: Rules | None = None
    until: float = 0.0


class Robots:
    """`read` gives the body at a URL or raises SourceError; `wish(host, seconds)` is told of a crawl-delay."""

    def __init__(
        self,
        token: str,
        read: Callable[[str], bytes],
        wish: Callable[[str, float], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._token, self._read, self._wish, self._clock = token, read, wish, clock
        self._sites: dict[str, _Site] = {}
        self._lock = threading.Lock()

    def check(self, url: str) -> None:
        """Raises FetchRefused when the site does not want `url` read, SourceError while nobody knows."""
        rules = self._rules(url)
        if rules.refusal is not None:
            raise SourceError(
                f"its robots.txt could not be read, so it is left alone for now: {rules.refusal}",
                where=shown(url),
                retry_after=rules.retry_after,
            )
        if not rules.allows(url):
            raise FetchRefused(
                "the site's robots.txt asks programs not to read this page",
                where=shown(url),
                hint="its feed or sitemap may be read, or ask the site",
            )

    def _rules(self, url: str) -> Rules:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            if origin not in self._sites and len(self._sites) >= _MOST_SITES:
                self._sites.pop(next(iter(self._sites)))
            site = self._sites.setdefault(origin, _Site())
        with site.asking:
            if site.rules is None or self._clock() >= site.until:
                site.rules = self._asked(f"{origin}/robots.txt")
                site.until = self._clock() + (KEPT if site.rules.refusal is None else REFUSAL_KEPT)
                self._wish(parts.hostname or "", site.rules.delay)
            return site.rules

    def _asked(self, url: str) -> Rules:
        try:
            return read_robots(self._read(url), self._token)
        except Stopped:
            raise
        except (
            FetchRefused
        ):  # a circle, too many redirects: "unavailable" (RFC 9309 2.3.1.2); the page is judged by itself
            return Rules()
        except SourceError as error:
            if error.status is not None and error.status < 500:
                return Rules()  # RFC 9309 2.3.1.3
            return Rules(refusal=error.what, retry_after=error.retry_after)  # RFC 9309 2.3.1.4
