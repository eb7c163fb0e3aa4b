"""A loopback server that answers Postmark's batch endpoint as documented, and can be told to fail.

https://postmarkapp.com/developer/api/email-api#send-batch-emails
"""

import json
import socket
import ssl
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.fakes.loopback import Loopback

TOKEN = "server-token"
OK = {"ErrorCode": 0, "Message": "OK"}


class PostmarkServer(Loopback):
    """`answer(to)` gives a message's answer; `trouble` makes whole requests fail: "429", "500", "drop", "422"."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.requests: list[list[dict[str, Any]]] = []
        self.answer: Callable[[str], dict[str, Any]] = lambda to: OK
        self.trouble: str | None = None
        super().__init__(_handler(self), tls=tls)

    def accepted(self) -> list[dict[str, Any]]:
        return [message for request in self.requests for message in request]


def _handler(server: PostmarkServer) -> type[BaseHTTPRequestHandler]:  # noqa: C901 (one branch per documented fault)
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path != "/email/batch":
                return self._reply(404, {"ErrorCode": 404, "Message": "no such endpoint"})
            if self.headers.get("X-Postmark-Server-Token") != TOKEN:
                return self._reply(401, {"ErrorCode": 10, "Message": "Bad or missing Server API token."})
            if server.trouble == "429":
                return self._reply(429, {}, {"Retry-After": "120"})
            if server.trouble == "422":
                return self._reply(422, {"ErrorCode": 402, "Message": "Invalid JSON"})
            server.requests.append(body)
            if server.trouble == "drop":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return None
            if server.trouble == "500":
                return self._reply(500, {"ErrorCode": 500, "Message": "inner trouble"})
            answers = [{"To": m["To"], "MessageID": str(uuid.uuid4()), **server.answer(m["To"])} for m in body]
            return self._reply(200, answers)

        def _reply(self, status: int, payload: Any, headers: dict[str, str] | None = None) -> None:
            body = json.dumps(payload).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler
