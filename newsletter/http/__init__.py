"""The only outbound HTTP client: guarded, bounded, synchronous and safe to share between threads.

Only this package imports httpx. `guard` decides what may be dialled, `exchange` puts one question, `unpack` says how
large a body may grow, `pace` when a host may be asked, `robots` which pages. Must never read proxies, cookies or
credentials from the environment, follow a redirect unseen, or repeat what may have been carried out.
"""

import json
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from newsletter import tls
from newsletter.errors import ConfigError, FetchRefused, NewsletterError, SourceError, TransportDown, Unreadable
from newsletter.http.exchange import Answer, Lines
from newsletter.http.guard import PORTS, Guard, Lookup, check_form, check_literal, is_public, shown, system_lookup
from newsletter.http.headers import charset, conditions, fresh_for, redirect, retry_after
from newsletter.http.pace import Pace
from newsletter.http.robots import MAX_BYTES as MAX_ROBOTS
from newsletter.http.robots import Robots, product_token
from newsletter.http.unpack import read_body
from newsletter.http.wire import Turn, current_turn

__all__ = [
    "PORTS",
    "Fetched",
    "Fetcher",
    "Limits",
    "Posted",
    "Uncertain",
    "check_form",
    "check_literal",
    "is_public",
    "retry_after",
    "shown",
]

MAX_BODY = 10 << 20
MAX_FEED = 12 << 20
ANY_PAGE = "text/html, application/xhtml+xml, */*;q=0.5"
TRIES = 3  # of one question whose answer was a closed door or a gateway's excuse
PASSING = (502, 503, 504)
ANY_FEED = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"


class Uncertain(NewsletterError):
    """The request may have left and no whole answer came: the caller cannot know whether it was carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds and bytes. `total` covers one `get` with all its hops and tries, without the waiting for a host's turn;
    reads alone never end a slow drip."""

    connect: float = 5
    read: float = 10
    total: float = 30
    wire: int = 5 << 20
    hops: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """`url` is the final one, `etag` and `last_modified` belong to it. `moved`: it too, if all hops were permanent.

    `fresh_for`: seconds for which the answer says it will not change; 0 when it does not say.
    """

    status: int
    url: str
    body: bytes
    content_type: str
    charset: str | None
    etag: str | None
    last_modified: str | None
    not_modified: bool
    moved: str | None
    fresh_for: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What `get` was asked for. `owner`: the URL the validators belong to. `cut`: a longer body is cut, not refused."""

    url: str
    owner: str
    conditions: Mapping[str, str]
    max_body: int
    accept: str
    robots: bool
    cut: bool
    within: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A whole answer, whatever its status. `retry_after`: seconds, or None. Header names are in lower case."""

    status: int
    json: Any | None
    text: str
    headers: Mapping[str, str]
    retry_after: float | None


class _Transport(httpx.HTTPTransport):
    def __init__(self, guard: Guard, context: ssl.SSLContext) -> None:
        # httpx has no public way to hand in a network backend; httpcore's pool has. Tested in tests/http.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=20,
            max_keepalive_connections=5,
            keepalive_expiry=15,
            network_backend=guard,
        )


class Fetcher:
    """`resolve` maps a host name to ADDRESS:PORT and is the only way past the guard; TLS name and Host stay the URL's.

    `ca_file` (PEM) adds a trust root to the system's. `lookup` answers names (tests give their own). `pace`: seconds
    between two questions to one host (see Pace; posts are not paced). `stopping` ends all waiting for a turn.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        resolve: Mapping[str, str] | None = None,
        ca_file: Path | None = None,
        limits: Limits | None = None,
        lookup: Lookup = system_lookup,
        pace: float = 0.0,
        stopping: threading.Event | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._pace = Pace(pace, stopping or threading.Event())
        self._robots = Robots(product_token(user_agent), self._robots_text, self._pace.wish)
        guard, trust = Guard(resolve or {}, lookup), _trust(ca_file)
        self._trusted, self._ca_file = trust, ca_file
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate"}
        self._lines = Lines(guard, trust, connect=self._limits.connect, read=self._limits.read, most=self._limits.wire)
        self._client = httpx.Client(  # for mail providers; reading goes over the lines
            transport=_Transport(guard, trust),
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(self._limits.read, connect=self._limits.connect, pool=self._limits.total),
            headers=self._headers,
        )

    def roots(self, organisation: str) -> list[bytes]:
        """DER of the trusted roots of this organisation, and of all in `ca_file`: for checking a chain without dialling."""
        added = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self._ca_file is not None:
            added.load_verify_locations(cafile=self._ca_file)
        told: Iterable[Any] = zip(
            self._trusted.get_ca_certs(), self._trusted.get_ca_certs(binary_form=True), strict=True
        )
        of_them = [der for named, der in told if _organisation(named) == organisation]
        return [*of_them, *added.get_ca_certs(binary_form=True)]

    def close(self) -> None:
        self._lines.close()
        self._client.close()

    def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        validators_url: str | None = None,
        max_body: int = MAX_BODY,
        accept: str = ANY_PAGE,
        robots: bool = False,
        within: float | None = None,
    ) -> Fetched:
        """The body behind `url`, redirects followed. Validators go only to the hop they belong to (`validators_url`,
        else `url`), RFC 9110 13.1. `robots`: a page found by following links, so the site's robots.txt decides, at each
        hop. `within`: seconds in all, where less than the usual total is meant. Raises FetchRefused (our rules, the
        site's wish), Unreadable (broken answer), SourceError (the rest).
        """
        return self._answered(
            _Question(
                url=url,
                owner=validators_url or url,
                conditions=conditions(etag, last_modified),
                max_body=max_body,
                accept=accept,
                robots=robots,
                cut=False,
                within=within,
            )
        )

    def look(self, url: str, *, max_body: int, within: float, accept: str = ANY_PAGE) -> Fetched:
        """Whether something is there, and how it begins: of a longer body the first `max_body` bytes. `within`: seconds
        in all. Raises as `get`."""
        return self._answered(
            _Question(
                url=url,
                owner=url,
                conditions={},
                max_body=max_body,
                accept=accept,
                robots=False,
                cut=True,
                within=within,
            )
        )

    def ask_robots(self, url: str) -> None:
        """Raises SourceError when the site's robots.txt keeps programs from `url`, or cannot be had now."""
        self._robots.check(url)

    def _robots_text(self, url: str) -> bytes:
        question = _Question(
            url=url, owner=url, conditions={}, max_body=MAX_ROBOTS, accept="text/plain", robots=False, cut=True
        )
        return self._answered(question).body

    def _answered(self, question: _Question) -> Fetched:
        """Tries again, within the total time, when no connection could be made or a gateway made its excuses."""
        turn = Turn(time.monotonic() + min(self._limits.total, question.within or self._limits.total))
        for number in range(1, TRIES + 1):
            try:
                with _errors(question.url, turn):
                    return self._walked(question, turn)
            except SourceError as error:
                pause = self._pace.before_try(number)
                if number == TRIES or not _passing(error) or time.monotonic() + pause >= turn.deadline:
                    raise
            self._pace.rest(pause)
        raise AssertionError("unreachable")

    def _walked(self, question: _Question, turn: Turn) -> Fetched:
        url, permanent, seen = question.url, True, set[str]()
        for _ in range(self._limits.hops + 1):
            check_form(url)
            if url in seen:
                raise FetchRefused("the redirects go round in a circle", where=shown(question.url))
            seen.add(url)
            own = question.conditions if url == question.owner else {}
            headers = {**self._headers, "Accept": question.accept, **own}
            with self._admitted(url, turn, robots=question.robots), self._lines.get(url, headers) as answer:
                target = redirect(answer.status, answer.headers)
                if target is None:
                    moved = url if permanent and url != question.url else None
                    return self._fetched(answer, question, url=url, moved=moved, asked=bool(own))
                permanent = permanent and answer.status in (301, 308)
                url = _join(url, target)
        raise FetchRefused(f"more than {self._limits.hops} redirects", where=shown(question.url))

    @contextmanager
    def _admitted(self, url: str, turn: Turn, *, robots: bool) -> Iterator[None]:
        """The host's turn; waiting for it, and asking whether one may, is not counted against the answer's time."""
        began = time.monotonic()
        if robots:
            self._robots.check(url)
        with self._pace.turn(urlsplit(url).hostname or ""):
            turn.deadline += time.monotonic() - began
            yield

    def _fetched(self, answer: Answer, question: _Question, *, url: str, moved: str | None, asked: bool) -> Fetched:
        status, headers = answer.status, answer.headers
        if status == 304 and not asked:
            raise Unreadable("answered 304 Not Modified to a question without conditions", where=shown(url), status=304)
        if status != 304 and (not 200 <= status < 300 or status == 206):
            raise SourceError(
                f"answered {status} {answer.reason[:60]}".strip(),
                where=shown(url),
                status=status,
                retry_after=retry_after(headers.get("retry-after")),
            )
        body = b""
        if status != 304:
            encoding = headers.get("content-encoding", "")
            body = read_body(answer.chunks, encoding=encoding, max_body=question.max_body, cut=question.cut)
        return Fetched(
            status=status,
            url=url,
            body=body,
            content_type=headers.get("content-type", "").split(";")[0].strip().lower(),
            charset=charset(headers.get("content-type", "")),
            etag=headers.get("etag"),
            last_modified=headers.get("last-modified"),
            not_modified=status == 304,
            moved=moved,
            fresh_for=fresh_for(headers),
        )

    def post_json(
        self,
        url: str,
        payload: object,
        *,
        headers: Mapping[str, str],
        timeout: float,
        idempotency_key: str | None = None,
    ) -> Posted:
        """The whole answer, whatever its status; redirects are answers too. `timeout`: seconds in all.

        Raises TransportDown when certainly nothing was sent, Uncertain when the request may have arrived.
        """
        extra = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        return self.post(url, body, headers={"Content-Type": "application/json", **headers, **extra}, timeout=timeout)

    def post(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout: float) -> Posted:
        """As `post_json`, for a body that is written already; `headers` name its Content-Type."""
        turn = Turn(time.monotonic() + timeout)
        try:
            with _errors(url, turn):
                check_form(url)
                sent = {"Accept": "application/json", **headers}
                allowed = httpx.Timeout(timeout, connect=min(timeout, self._limits.connect))
                with self._client.stream("POST", url, content=body, headers=sent, timeout=allowed) as response:
                    encoding = response.headers.get("content-encoding", "")
                    return _posted(response, read_body(response.iter_raw(), encoding=encoding, max_body=MAX_BODY))
        except SourceError as error:
            if turn.sent:
                raise Uncertain(error.what, where=error.where, hint="it may have been carried out") from error
            raise TransportDown(error.what, where=error.where, hint=error.hint or "nothing was sent") from error


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is None:
        return _usual_trust()
    context = _usual_trust.__wrapped__()  # one of its own: another fetcher does not trust this file
    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"no certificate can be read: {error}", where=str(ca_file)) from error
    return context


@lru_cache(maxsize=1)  # reading 150 roots twice takes 40 ms of CPU
def _usual_trust() -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)  # certifi's roots; a bare container may have no others
    context.load_default_certs()
    return context


def _organisation(root: Mapping[str, Any]) -> str | None:
    """O= of a root's subject, as the standard library tells it."""
    return next((value for part in root["subject"] for name, value in part if name == "organizationName"), None)


def _join(base: str, target: str) -> str:
    try:
        return urljoin(base, target)
    except ValueError as error:
        raise FetchRefused(f"redirected to something that is not a URL: {error}", where=shown(base)) from error


def _posted(response: httpx.Response, body: bytes) -> Posted:
    text = body.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Posted(
        status=response.status_code,
        json=value,
        text=text,
        headers=headers,
        retry_after=retry_after(headers.get("retry-after")),
    )


def _passing(error: SourceError) -> bool:
    """Whether the next try may find it over. A refusal of ours never is, nor a bad certificate or an unknown name; a
    time-out has had its time; who names a time (Retry-After) means it."""
    if isinstance(error, FetchRefused) or error.retry_after is not None:
        return False
    if error.status in PASSING:
        return True
    cause: BaseException | None = error.__cause__
    if not isinstance(cause, httpcore.ConnectError):
        return False
    while cause is not None:
        if isinstance(cause, ssl.SSLError) or (isinstance(cause, socket.gaierror) and cause.errno != socket.EAI_AGAIN):
            return False
        cause = cause.__cause__ or cause.__context__
    return True


@contextmanager
def _errors(url: str, turn: Turn) -> Iterator[None]:
    """Runs one turn and turns everything the wire can do into one of our errors, with the URL in it."""
    token = current_turn.set(turn)
    try:
        yield
    except SourceError as error:
        error.where = error.where or shown(url)
        raise
    except (httpx.TimeoutException, httpcore.TimeoutException, TimeoutError) as error:
        what = "it took too long in all" if turn.over else "no answer in time"
        raise SourceError(what, where=shown(url), hint="tried again later") from error
    except (httpx.ConnectError, httpcore.ConnectError) as error:
        failed = tls.cause_of(error)
        hint = tls.told(failed)[1] if failed is not None else ""
        raise SourceError(f"cannot connect: {error}", where=shown(url), hint=hint) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
        raise FetchRefused(f"not a usable URL: {error}", where=shown(url)) from error
    except (httpx.HTTPError, httpcore.NetworkError) as error:
        raise Unreadable(f"the answer is broken: {error}", where=shown(url)) from error
    finally:
        current_turn.reset(token)
