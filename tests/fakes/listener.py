"""A program that listens to webhooks on loopback and checks every call by Standard Webhooks' own rules."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.fakes.loopback import Loopback


@dataclass(frozen=True, slots=True)
class Heard:
    id: str
    seconds: int
    signature: str
    body: bytes

    @property
    def told(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value

    def is_signed_with(self, secret: str) -> bool:
        key = base64.b64decode(secret.split("_", 1)[1])
        mac = hmac.new(key, b".".join([self.id.encode(), str(self.seconds).encode(), self.body]), hashlib.sha256)
        expected = base64.b64encode(mac.digest()).decode()
        return any(
            hmac.compare_digest(expected, one.removeprefix("v1,"))
            for one in self.signature.split(" ")
            if one[:3] == "v1,"
        )


class Listener(Loopback):
    """Answers `status` (with `headers`) to every call; `heard` is what came."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.status = 204
        self.headers: dict[str, str] = {}
        super().__init__(_handler(self))

    @property
    def types(self) -> list[str]:
        return [one.told["type"] for one in self.heard]


def _handler(listener: Listener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.heard.append(
                Heard(
                    self.headers["webhook-id"],
                    int(self.headers["webhook-timestamp"]),
                    self.headers["webhook-signature"],
                    body,
                )
            )
            self.send_response(listener.status)
            for name, value in listener.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler
