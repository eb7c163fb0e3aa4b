"""A site on loopback whose pages a test can change, and an App that reaches it under an https-looking name."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest

from newsletter.app import App
from newsletter.clock import FixedClock
from newsletter.http import Fetcher, Limits
from newsletter.mail.dkim import Signers
from newsletter.settings import Settings
from newsletter.store import Database


@dataclass
class Reply:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    before: Callable[[], object] = lambda: None  # runs in the server's thread before it answers


@dataclass
class Site:
    """`pages`: path -> answer. `asked`: (path, headers) in the order of arrival. Conditional requests are honoured."""

    address: str
    pages: dict[str, Reply] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def put(self, path: str, body: str | bytes, **headers: str) -> None:
        raw = body if isinstance(body, bytes) else body.encode()
        self.pages[path] = Reply(body=raw, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append((self.path, dict(self.headers)))
            reply = found.pages.get(self.path, Reply(status=404))
            reply.before()
            tag = reply.headers.get("ETag")
            unchanged = tag is not None and self.headers.get("If-None-Match") == tag
            self.send_response(304 if unchanged else reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0" if unchanged else str(len(reply.body)))
            self.end_headers()
            if not unchanged:
                self.wfile.write(reply.body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Site(address=f"127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def app(db: Database, clock: FixedClock, site: Site, tmp_path: Path) -> Iterator[App]:
    fetcher = Fetcher(
        user_agent="test/1", resolve={"vien.example": site.address}, limits=Limits(total=20, read=15, connect=15)
    )
    unused = cast(Any, None)  # collecting sends nothing and signs nothing
    yield App(
        settings=Settings(data_dir=tmp_path),
        db=db,
        clock=clock,
        fetcher=fetcher,
        transport=unused,
        keyring=unused,
        suppression_key=unused,
        nonce_secret=b"",
        session_key=b"",
        signers=Signers(),
        design_folders=(),
    )
    fetcher.close()
