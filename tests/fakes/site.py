"""A small web site on loopback: pages, feeds, validators, and a log of what was asked for."""

import hashlib
from http.server import BaseHTTPRequestHandler

from tests.fakes.loopback import Loopback


class Site(Loopback):
    """`with Site({"/feed": ("application/rss+xml", b"…")}) as site`: answers 304 to a known ETag, 404 elsewhere."""

    def __init__(self, pages: dict[str, tuple[str, bytes]]) -> None:
        self.pages = pages
        self.asked: list[str] = []
        super().__init__(_handler(self))


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append(self.path)
            if self.path not in site.pages:
                return self._answer(404, "text/plain", b"no such page", None)
            kind, body = site.pages[self.path]
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if self.headers.get("If-None-Match") == etag:
                return self._answer(304, kind, b"", etag)
            return self._answer(200, kind, body, etag)

        def _answer(self, status: int, kind: str, body: bytes, etag: str | None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if etag:
                self.send_header("ETag", etag)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet: the tests read `asked`."""

    return Handler
