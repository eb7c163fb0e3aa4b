"""A loopback server of a mail provider, without what is one provider's own: faults, keys, and what its readers get.

`received` holds messages as they arrive, after the provider's own template language ran over them.
"""

import email
import email.policy
import html
import json
import re
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.fakes.loopback import Loopback

Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message as its reader gets it. `headers`: names in lower case. `delivery`: what the events will give back."""

    to: str
    subject: str
    html: str
    text: str
    headers: Mapping[str, str]
    delivery: str | None = None
    pictures: frozenset[str] = frozenset()

    @property
    def seen(self) -> str:
        """The words a browser shows."""
        return html.unescape(re.sub(r"(?s)<style.*?</style>|<[^>]+>", " ", self.html))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int
    json: Json = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


class Refused(Exception):
    """The provider finds a fault with one message."""


class Provider(Loopback, ABC):
    """`faults`: what goes wrong with the next requests, one each: "429", "429 long", "503", "500", "drop" (after the mail

    was taken), "cut" (before), "nonsense". `wrong`: addresses it refuses; `wrong_sender`: it refuses every message.
    `heavy`: octets of a request above which it answers 413.
    """

    most = 1
    idempotent = False
    unauthorised = 401

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.forget()
        super().__init__(_handler(self), tls=tls)

    def forget(self) -> None:
        self.requests: list[tuple[str, Mapping[str, str], bytes]] = []
        self.received: list[Received] = []
        self.faults: list[str] = []
        self.wrong: set[str] = set()
        self.wrong_sender = False
        self.heavy = 10**9
        self.answered: dict[str, Reply] = {}

    def answer(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        """None: the line breaks."""
        self.requests.append((path, headers, body))
        if not self.is_allowed(headers, body, path):
            return Reply(status=self.unauthorised, json=self.fault("the key is wrong"))
        fault = self.faults.pop(0) if self.faults else ""
        if fault.startswith("429"):
            return Reply(
                status=429, json=self.fault("too many"), headers={"Retry-After": "7200" if "long" in fault else "2"}
            )
        if fault in ("503", "500"):
            return Reply(status=int(fault), json=self.fault("inner trouble"))
        if fault == "cut":
            return None
        if fault == "nonsense":
            return Reply(status=200, body=b"<h1>Welcome to this network</h1>")
        if len(body) > self.heavy:
            return Reply(status=413, json=self.fault("too large"))
        reply = self.once(headers, body, path)
        return None if fault == "drop" else reply

    def once(self, headers: Mapping[str, str], body: bytes, path: str) -> Reply:
        key = self.key_of(headers, body) if self.idempotent else ""
        if key not in self.answered or not key:
            self.answered[key] = self.take(path, headers, body)
        return self.answered[key]

    def check(self, message: Received) -> None:
        if message.to in self.wrong:
            raise Refused(f"{message.to} is no address of ours")
        if self.wrong_sender:
            raise Refused("the sender is not verified")

    def fault(self, words: str) -> Json:
        return {"message": words}

    def is_allowed(self, headers: Mapping[str, str], body: bytes, path: str) -> bool:
        return headers.get("authorization") == "Bearer right"

    def key_of(self, headers: Mapping[str, str], body: bytes) -> str:
        return headers.get("idempotency-key", "")

    @abstractmethod
    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """What the provider does with a request that nothing is wrong with: each has its own."""

    def all_or_none(self, messages: Sequence[Received], status: int, refused: int) -> Reply | None:
        """A request that one wrong message spoils."""
        try:
            for message in messages:
                self.check(message)
        except Refused as error:
            return Reply(status=refused, json=self.fault(str(error)))
        self.received += messages
        return None


def templated(words: str, variables: Mapping[str, str], *, simple: bool = False) -> str:
    """One pass of a template language as Brevo's: values are not looked at again. `simple`: MailerSend's {$x} too."""
    words = re.sub(r"(?s)\{#.*?#\}|\{%.*?%\}", "", words)
    variable = r"\{\{\s*([\w.]+)\s*\}\}" + (r"|\{\$(\w+)\}" if simple else "")
    return re.sub(variable, lambda found: variables.get(found[1] or found[found.re.groups], ""), words)


def parsed(raw: bytes, *, to: str, delivery: str) -> Received:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    pages, words = message.get_body(("html",)), message.get_body(("plain",))
    assert pages is not None
    assert words is not None
    assert address_of(str(message["To"])) == to
    pictures = frozenset(str(p["Content-ID"]).strip("<>") for p in message.walk() if p["Content-ID"])
    return Received(
        to=to,
        subject=str(message["Subject"]),
        html=pages.get_content(),
        text=words.get_content(),
        headers={name.lower(): str(value) for name, value in message.items()},
        delivery=delivery,
        pictures=pictures,
    )


def address_of(mailbox: str) -> str:
    return mailbox.rpartition("<")[2].rstrip(">")


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = provider.answer(self.path, headers, body)
            if reply is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            written = reply.body if reply.body is not None else json.dumps(reply.json).encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(written)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler
