"""The API and the webhooks of a real process, which is killed and started again."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from newsletter.main import build, close
from newsletter.model import Scope
from newsletter.notify import telling
from newsletter.settings import Settings
from newsletter.store import tokens
from tests.fakes.listener import Listener

ROOT = Path(__file__).parents[3]
PROGRAM = """
import json, sys
from newsletter.log import configure
from newsletter.main import build
from newsletter.serve import serve
from newsletter.settings import Settings
configure()
app = build(Settings.model_validate(json.loads(sys.argv[1])))
serve(app, host="127.0.0.1", port=0, on_ready=lambda url: print("READY", url, flush=True))
"""
LIST = {"slug": "tin", "name": "Tin"}
READER = {"email": "lan@doc-gia.example", "list": "tin", "consent": {"wording": "Có"}, "confirmed": True}


@contextmanager
def serving(values: dict[str, Any]) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, json.dumps(values)], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environ
    )
    try:
        assert process.stdout is not None
        yield next(line.split()[1] for line in process.stdout if line.startswith("READY ")), process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def post(url: str, path: str, token: str, body: Any, key: str) -> tuple[int, Any, bool]:
    """(status, answer, whether it was answered from memory)."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key}
    try:
        connection.request("POST", f"/api{path}", body=json.dumps(body), headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read()), answer.headers["Idempotency-Replayed"] == "true"
    finally:
        connection.close()


def test_a_killed_server_remembers_its_answers_and_tells_what_it_had_not_told(tmp_path: Path) -> None:
    with Listener() as listener:
        values = {"data_dir": str(tmp_path), "fetch": {"resolve": {"nghe.vien.example": listener.at}}}
        app = build(Settings.model_validate(values))
        with app.db.begin() as conn:
            token = tokens.add(conn, "t", list(Scope), key=app.suppression_key, now=app.clock.now())
        webhook = telling.add(app, "http://nghe.vien.example/", ["*"], addresses=False)
        close(app)
        with serving(values) as (url, process):
            made = post(url, "/lists", token, LIST, "mot")
            joined = post(url, "/subscribers", token, READER, "hai")
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert (made[0], joined[0]) == (201, 200)
        with serving(values) as (url, process):
            assert post(url, "/lists", token, LIST, "mot") == (201, made[1], True)
            assert post(url, "/subscribers", token, READER, "hai") == (200, joined[1], True)
            until = time.monotonic() + 30
            while not listener.heard and time.monotonic() < until:
                time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        assert listener.types == ["subscriber.subscribed"]
        assert listener.heard[0].is_signed_with(webhook.secret)
