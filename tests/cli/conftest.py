"""A folder with settings and a database, and the program run in it: in this process, or as the real console script."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from newsletter.cli import app

SETTINGS = """
base_url = "https://news.vien.example"
[sender]
address = "tin@vien.example"
name = "Viện Ví Dụ"
postal_address = "3 phố Ví Dụ, Hà Nội"
[preflight]
links = false
"""

SITE = """
[[lists]]
slug = "ban-doc"
name = "Bạn đọc"

[[sources]]
slug = "tin"
kind = "folder"
url = "tin"
name = "Phòng Tin"

[[newsletters]]
slug = "ban-tin"
name = "Bản tin"
languages = ["vi", "en"]
list = "ban-doc"
sources = ["tin"]
cron = "0 8 1 1 *"
timezone = "Asia/Ho_Chi_Minh"
compose_lead_hours = 0
"""

ARTICLE = """Trạm đo mới ở cửa sông

Ngày 20/11/2026, Trạm Ngữ Phong khai trương trạm đo mực nước mới ở cửa sông. Số liệu được gửi mười phút một lần cho \
người dân hai huyện ven biển. Buổi khai trương có 40 người dự.
"""


@dataclass(frozen=True)
class Said:
    """What a call said: its code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The one error line; log lines beside it do not count, a second error does."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0].removeprefix("error: ")


@dataclass(frozen=True)
class Home:
    """A folder in which the program is called."""

    folder: Path

    def __call__(self, *words: object, stdin: str | None = None, env: Mapping[str, str] | None = None) -> Said:
        """Call it within this process."""
        arguments = ["--config", str(self.config), *(str(word) for word in words)]
        result = CliRunner().invoke(app, arguments, input=stdin, env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(code=result.exit_code, out=result.stdout, err=result.stderr)

    def script(self, *words: object, stdin: str = "", **env: str) -> Said:
        """Call the real thing: a process of its own in this folder."""
        run = subprocess.run(
            [sys.executable, "-m", "newsletter", *(str(word) for word in words)],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **env},
            timeout=120,
            check=False,
        )
        return Said(code=run.returncode, out=run.stdout, err=run.stderr)

    @property
    def config(self) -> Path:
        return self.folder / "newsletter.toml"

    @property
    def issue(self) -> str:
        """The id of the only issue."""
        (issue,) = self("issues", "--json").json
        return str(issue["id"])

    @property
    def outbox(self) -> list[Path]:
        return sorted((self.folder / "data" / "outbox").glob("*.eml"))

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def settings(self, more: str) -> None:
        """Add tables to the settings file."""
        self.config.write_text(SETTINGS + more, encoding="utf-8")


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """The program configures the log for its own standard error, which ends with the call."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def home(tmp_path: Path, sqlite_template: Path) -> Home:
    """Settings, and a database that is migrated but empty."""
    folder = tmp_path / "home"
    (folder / "data").mkdir(mode=0o700, parents=True)
    shutil.copy(sqlite_template, folder / "data" / "newsletter.db")
    made = Home(folder=folder)
    made.settings("")
    return made


@pytest.fixture
def site(home: Home) -> Home:
    """The same with a list, a folder of one article, a newsletter and one reader."""
    home.write("site.toml", SITE)
    home.write("tin/a.txt", ARTICLE)
    assert home("apply", home.folder / "site.toml").code == 0
    joined = home(
        "subscribers", "add", "an@vien.example", "--list", "ban-doc", "--consent", "asked by phone", "--confirmed"
    )
    assert joined.code == 0
    return home


@pytest.fixture
def waiting(site: Home) -> Home:
    """The same with an extra issue that waits for approval."""
    assert site("issue", "new", "ban-tin").code == 0
    assert site("run", "--once").code == 0
    return site


@dataclass(frozen=True)
class Pages:
    """A web server on loopback: path -> (content type, body)."""

    at: dict[str, tuple[str, bytes]]
    port: int

    @property
    def resolve(self) -> str:
        """The settings that lead http://tin.example to it."""
        return f'[fetch]\npace_seconds = 0\n[fetch.resolve]\n"tin.example" = "127.0.0.1:{self.port}"\n'


@pytest.fixture
def pages() -> Iterator[Pages]:
    at: dict[str, tuple[str, bytes]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = at.get(self.path, ("", b""))
            self.send_response(200 if kind else 404)
            self.send_header("Content-Type", kind or "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Pages(at=at, port=server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
