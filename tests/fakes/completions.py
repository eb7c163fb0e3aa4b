"""A loopback server that answers as OpenAI's chat completions do, and can be told to answer badly.

https://platform.openai.com/docs/api-reference/chat: a small honest model that reads what it was asked: it answers with
sentences of the article between the marks, unless `answers` holds something else for it to say.
"""

import json
import re
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.fakes.loopback import Loopback

KEY = "model-key"

Answer = str | dict[str, Any] | Callable[["CompletionServer", dict[str, Any]], "str | dict[str, Any]"]


class CompletionServer(Loopback):
    """`answers` are given one after another, the last one for good. A text is the model's content; a dict is raw:
    {"status", "headers", "body"} or {"drop": True}."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answers: list[Answer] = list(answers) or [honest]
        self.knows_not: set[str] = set()  # parameters that are refused, as older and newer endpoints do
        self.before_refusing: Callable[[], object] = lambda: None
        self.released = threading.Event()  # ends every slow answer
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()
        super().__init__(_handler(self))

    def __exit__(self, *how: Any) -> None:
        self.released.set()
        super().__exit__(*how)

    @property
    def settings(self) -> dict[str, Any]:
        """What leads the program here."""
        return {
            "model": {"url": "http://model.local/v1", "name": "small-model", "api_key": KEY, "timeout": 5},
            "fetch": {"resolve": {"model.local": self.at}},
        }

    def next(self, request: dict[str, Any]) -> str | dict[str, Any]:
        with self._lock:
            self.requests.append(request)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        try:
            return answer(self, request) if callable(answer) else answer
        finally:
            with self._lock:
                self._now -= 1


def honest(server: CompletionServer, request: dict[str, Any]) -> str:
    """The first sentence of the article that is long enough, and the next one."""
    sentences = re.split(r"(?<=[.!?])\s+", article_in(request))
    first = next(at for at, sentence in enumerate(sentences) if len(sentence) >= 40)
    return said(" ".join(sentences[first : first + 2]))


def slow(server: CompletionServer, request: dict[str, Any]) -> str:
    """Nothing, until the server is closed."""
    server.released.wait(10)
    return honest(server, request)


def article_in(request: dict[str, Any]) -> str:
    """The body of the article in the first question, without its title."""
    asked = request["messages"][1]["content"]
    matched = re.fullmatch(r"\[article (\w+)\]\n\nTitle: [^\n]*\n\n(.*)\n\n\[end of article \1\]", asked, re.S)
    assert matched, asked
    return matched[2]


def said(summary: str) -> str:
    return json.dumps({"summary": summary}, ensure_ascii=False)


def _handler(server: CompletionServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = _refused(server, self.path, self.headers.get("Authorization"), request) or server.next(request)
            if isinstance(answer, str):
                self._reply(200, completion(answer))
            elif answer.get("drop"):
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                self._reply(answer.get("status", 200), answer.get("body", {}), answer.get("headers"))

        def _reply(self, status: int, payload: Any, headers: dict[str, str] | None = None) -> None:
            body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):  # the client did not wait
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler


def _refused(server: CompletionServer, path: str, key: str | None, request: dict[str, Any]) -> dict[str, Any] | None:
    unknown = sorted(server.knows_not & set(request))
    if path != "/v1/chat/completions":
        return {"status": 404, "body": {"error": {"message": "no such path"}}}
    if key != f"Bearer {KEY}":
        return {"status": 401, "body": {"error": {"message": "Incorrect API key provided."}}}
    if unknown:
        server.before_refusing()
        server.requests.append(request)
        return {"status": 400, "body": {"error": {"message": f"Unsupported parameter: '{unknown[0]}'"}}}
    return None


def completion(content: Any, *, tokens: tuple[int, int] | None = (700, 60)) -> dict[str, Any]:
    body: dict[str, Any] = {
        "object": "chat.completion",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}],
    }
    if tokens:
        body["usage"] = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    return body
