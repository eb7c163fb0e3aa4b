"""The only outbound HTTP client: guarded, bounded, synchronous and safe to share between threads.

Only this package imports httpx. `guard` decides what may be dialled, `unpack` how large a body may grow. Must never
read proxies, cookies or credentials from the environment, follow a redirect unseen, or retry by itself.
"""

import json
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpcore
import httpx

from newsletter.errors import ConfigError, FetchRefused, NewsletterError, SourceError, TransportDown, Unreadable
from newsletter.http.guard import PORTS, Guard, Lookup, Turn, check_form, current_turn, is_public, shown, system_lookup
from newsletter.http.unpack import read_body

__all__ = ["PORTS", "Fetched", "Fetcher", "Limits", "Posted", "Uncertain", "is_public", "retry_after", "shown"]

MAX_BODY = 10 << 20
MAX_FEED = 12 << 20
ANY_PAGE = "text/html, application/xhtml+xml, */*;q=0.5"
ANY_FEED = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"


class Uncertain(NewsletterError):
    """The request may have left and no whole answer came: the caller cannot know whether it was carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds and bytes. `total` covers one `get` with all its hops; reads alone never end a slow drip."""

    connect: float = 5
    read: float = 10
    total: float = 30
    wire: int = 5 << 20
    hops: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """`url` is the final one, `etag` and `last_modified` belong to it. `moved`: it too, if all hops were permanent."""

    status: int
    url: str
    body: bytes
    content_type: str
    charset: str | None
    etag: str | None
    last_modified: str | None
    not_modified: bool
    moved: str | None


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
        # httpx has no public way to hand in a network backend; httpcore's pool has. Tested in test_http.py.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=20,
            max_keepalive_connections=5,
            keepalive_expiry=15,
            network_backend=guard,
        )


class Fetcher:
    """`resolve` maps a host name to ADDRESS:PORT and is the only way past the guard; TLS name and Host stay the URL's.

    `ca_file` (PEM) adds a trust root to the system's. `lookup` answers names (tests give their own).
    """

    def __init__(
        self,
        *,
        user_agent: str,
        resolve: Mapping[str, str] | None = None,
        ca_file: Path | None = None,
        limits: Limits | None = None,
        lookup: Lookup = system_lookup,
    ) -> None:
        self._limits = limits or Limits()
        self._guard = Guard(resolve or {}, lookup)
        self._client = httpx.Client(
            transport=_Transport(self._guard, _trust(ca_file)),
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(self._limits.read, connect=self._limits.connect, pool=self._limits.total),
            headers={"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate"},
        )

    def close(self) -> None:
        self._client.close()
        self._guard.close()

    def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        validators_url: str | None = None,
        max_body: int = MAX_BODY,
        accept: str = ANY_PAGE,
    ) -> Fetched:
        """The body behind `url`, redirects followed. Validators go only to the hop they belong to (`validators_url`,
        else `url`), RFC 9110 13.1. Raises FetchRefused (our rules), Unreadable (broken answer), SourceError (the rest).
        """
        owner, seen, permanent, current = validators_url or url, set[str](), True, url
        conditions = _conditions(etag, last_modified)
        with _errors(url, Turn(time.monotonic() + self._limits.total)):
            for _ in range(self._limits.hops + 1):
                check_form(current)
                if current in seen:
                    raise FetchRefused("the redirects go round in a circle", where=shown(url))
                seen.add(current)
                headers = [(b"Accept", accept.encode()), *(conditions if current == owner else ())]
                with self._client.stream("GET", current, headers=headers) as response:
                    target = _redirect(response)
                    if target is None:
                        moved = current if permanent and current != url else None
                        asked = bool(conditions) and current == owner
                        return self._fetched(response, url=current, moved=moved, asked=asked, max_body=max_body)
                    permanent = permanent and response.status_code in (301, 308)
                    current = _join(current, target)
            raise FetchRefused(f"more than {self._limits.hops} redirects", where=shown(url))

    def _fetched(self, response: httpx.Response, *, url: str, moved: str | None, asked: bool, max_body: int) -> Fetched:
        status, headers = response.status_code, response.headers
        if status == 304 and not asked:
            raise Unreadable("answered 304 Not Modified to a question without conditions", where=shown(url), status=304)
        if status != 304 and (not 200 <= status < 300 or status == 206):
            raise SourceError(
                f"answered {status} {response.reason_phrase}".strip(),
                where=shown(url),
                status=status,
                retry_after=retry_after(headers.get("retry-after")),
            )
        return Fetched(
            status=status,
            url=url,
            body=b"" if status == 304 else read_body(response, max_wire=self._limits.wire, max_body=max_body),
            content_type=headers.get("content-type", "").split(";")[0].strip().lower(),
            charset=_charset(headers.get("content-type", "")),
            etag=_verbatim(response, b"etag"),
            last_modified=_verbatim(response, b"last-modified"),
            not_modified=status == 304,
            moved=moved,
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
        turn = Turn(time.monotonic() + timeout)
        extra = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            with _errors(url, turn):
                check_form(url)
                sent = {"Content-Type": "application/json", "Accept": "application/json", **headers, **extra}
                allowed = httpx.Timeout(timeout, connect=min(timeout, self._limits.connect))
                with self._client.stream("POST", url, content=body, headers=sent, timeout=allowed) as response:
                    answer = read_body(response, max_wire=self._limits.wire, max_body=MAX_BODY)
                    return _posted(response, answer)
        except SourceError as error:
            if turn.sent:
                raise Uncertain(error.what, where=error.where, hint="it may have been carried out") from error
            raise TransportDown(error.what, where=error.where, hint=error.hint or "nothing was sent") from error


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    context = httpx.create_ssl_context(trust_env=False)  # certifi's roots; a bare container may have no others
    context.load_default_certs()
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"no certificate can be read: {error}", where=str(ca_file)) from error
    return context


def _conditions(etag: str | None, last_modified: str | None) -> list[tuple[bytes, bytes]]:
    pairs = ((b"If-None-Match", etag), (b"If-Modified-Since", last_modified))
    return [(name, value.encode("latin-1", "ignore")) for name, value in pairs if value]


def _verbatim(response: httpx.Response, name: bytes) -> str | None:
    """A header byte for byte: latin-1 maps every byte to one character and back."""
    return next((value.decode("latin-1") for key, value in response.headers.raw if key.lower() == name), None)


def _join(base: str, target: str) -> str:
    try:
        return urljoin(base, target)
    except ValueError as error:
        raise FetchRefused(f"redirected to something that is not a URL: {error}", where=shown(base)) from error


def _redirect(response: httpx.Response) -> str | None:
    if response.status_code not in (301, 302, 303, 307, 308):
        return None
    return response.headers.get("location", "").strip() or None


def _charset(content_type: str) -> str | None:
    found = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", content_type, re.I)
    return found[1] if found else None


def retry_after(value: str | None) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110 10.2.3: seconds or a date), never negative, or None."""
    text = (value or "").strip()
    if re.fullmatch(r"\d{1,12}", text):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


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


@contextmanager
def _errors(url: str, turn: Turn) -> Iterator[None]:
    """Runs one turn and turns everything the wire can do into one of our errors, with the URL in it."""
    token = current_turn.set(turn)
    try:
        yield
    except SourceError as error:
        error.where = error.where or shown(url)
        raise
    except (httpx.TimeoutException, TimeoutError) as error:
        what = "it took too long in all" if turn.over else "no answer in time"
        raise SourceError(what, where=shown(url), hint="tried again later") from error
    except httpx.ConnectError as error:
        raise SourceError(f"cannot connect: {error}", where=shown(url)) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
        raise FetchRefused(f"not a usable URL: {error}", where=shown(url)) from error
    except httpx.HTTPError as error:
        raise Unreadable(f"the answer is broken: {error}", where=shown(url)) from error
    finally:
        current_turn.reset(token)
