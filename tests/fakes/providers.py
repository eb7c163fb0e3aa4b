"""Loopback servers that behave as the providers document: endpoints, keys, limits, templates, and answers to faults.

One class each; `received` holds what their readers would get, after the provider's own template language ran over it.
"""

import base64
import email
import email.policy
import hashlib
import hmac
import html
import json
import re
import socket
import ssl
import uuid
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


class Provider(Loopback):
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

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        raise NotImplementedError

    def all_or_none(self, messages: Sequence[Received], status: int, refused: int) -> Reply | None:
        """A request that one wrong message spoils."""
        try:
            for message in messages:
                self.check(message)
        except Refused as error:
            return Reply(status=refused, json=self.fault(str(error)))
        self.received += messages
        return None


class Postmark(Provider):
    """`answers`: what it says of a message to this address, instead of taking it."""

    most = 500

    def forget(self) -> None:
        super().forget()
        self.answers: dict[str, Json] = {}

    def is_allowed(self, headers: Mapping[str, str], body: bytes, path: str) -> bool:
        return headers.get("x-postmark-server-token") == "right"

    def fault(self, words: str) -> Json:
        return {"ErrorCode": 10 if "key" in words else 402, "Message": words}

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert path == "/email/batch"
        answers = []
        for one in json.loads(body):
            message = Received(
                to=_address(one["To"]),
                subject=one["Subject"],
                html=one["HtmlBody"],
                text=one["TextBody"],
                headers={h["Name"].lower(): h["Value"] for h in one["Headers"]},
                delivery=one["Metadata"]["delivery"],
                pictures=frozenset(a["ContentID"].removeprefix("cid:") for a in one.get("Attachments", ())),
            )
            try:
                self.check(message)
            except Refused as error:
                answers.append({"ErrorCode": 300, "Message": str(error)})
                continue
            if message.to in self.answers:
                answers.append(self.answers[message.to])
            else:
                self.received.append(message)
                answers.append({"ErrorCode": 0, "Message": "OK", "MessageID": str(uuid.uuid4())})
        assert len(answers) <= self.most
        return Reply(status=200, json=answers)


class Mailgun(Provider):
    def is_allowed(self, headers: Mapping[str, str], body: bytes, path: str) -> bool:
        return headers.get("authorization") == "Basic " + base64.b64encode(b"api:right").decode()

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert path == "/v3/vien.example/messages.mime"
        head = f"Content-Type: {headers['content-type']}\r\n\r\n".encode()
        form = {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
            for part in email.message_from_bytes(head + body, policy=email.policy.HTTP).iter_parts()
            if part.get_content_type() != "message/rfc822"
        }
        raw = body.split(b"message/rfc822\r\n\r\n", 1)[1].rpartition(b"\r\n--")[0]
        message = _parsed(raw, to=form["to"].decode(), delivery=form["v:delivery"].decode())
        assert form["o:tracking"] == b"no", "else %unsubscribe_url% is looked for"
        refused = self.all_or_none([message], 200, 400)
        return refused or Reply(status=200, json={"id": message.headers["message-id"], "message": "Queued. Thank you."})


class Brevo(Provider):
    most = 2000
    idempotent = True

    def is_allowed(self, headers: Mapping[str, str], body: bytes, path: str) -> bool:
        return headers.get("api-key") == "right"

    def key_of(self, headers: Mapping[str, str], body: bytes) -> str:
        return str(uuid.UUID(json.loads(body)["headers"]["idempotencyKey"]))

    def fault(self, words: str) -> Json:
        return {"code": "unauthorized" if "key" in words else "invalid_parameter", "message": words}

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert path == "/v3/smtp/email"
        asked = json.loads(body)
        assert asked["sender"]["email"] == "bantin@vien.example"
        messages = []
        for version in asked["messageVersions"]:
            [to] = version["to"]
            params = {f"params.{name}": value for name, value in version.get("params", {}).items()}
            assert all(value.isascii() for value in version["headers"].values()), "they leave as raw octets"
            messages.append(
                Received(
                    to=to["email"],
                    subject=templated(version["subject"], params),
                    html=templated(version["htmlContent"], params),
                    text=templated(version["textContent"], params),
                    headers={name.lower(): value for name, value in version["headers"].items()},
                    delivery=version["headers"]["X-Mailin-Custom"].removeprefix("delivery:"),
                )
            )
        ids = [f"<{uuid.uuid4().hex}@smtp-relay.example>" for _ in messages]
        return self.all_or_none(messages, 201, 400) or Reply(status=201, json={"messageIds": ids})


class Resend(Provider):
    most = 100
    idempotent = True

    def fault(self, words: str) -> Json:
        return {"name": "validation_error", "message": words}

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        found = json.loads(body)
        if path == "/emails":
            refused = self.all_or_none([self._one(found)], 200, 422)
            return refused or Reply(status=200, json={"id": str(uuid.uuid4())})
        assert path == "/emails/batch"
        assert len(found) <= self.most
        assert headers["x-batch-validation"] == "permissive"
        data, errors = [], []
        for index, one in enumerate(found):
            assert "attachments" not in one, "a batch takes none"
            try:
                message = self._one(one)
                self.check(message)
            except Refused as error:
                errors.append({"index": index, "message": str(error)})
            else:
                self.received.append(message)
                data.append({"id": str(uuid.uuid4())})
        return Reply(status=200, json={"data": data, **({"errors": errors} if errors else {})})

    def _one(self, one: Json) -> Received:
        [to] = one["to"]
        assert '"' not in one["from"] + to, "a quoted name is refused"
        return Received(
            to=_address(to),
            subject=one["subject"],
            html=one["html"],
            text=one["text"],
            headers={name.lower(): value for name, value in one["headers"].items()},
            delivery={tag["name"]: tag["value"] for tag in one["tags"]}["delivery"],
            pictures=frozenset(a["content_id"] for a in one.get("attachments", ())),
        )


class SendGrid(Provider):
    def fault(self, words: str) -> Json:
        return {"errors": [{"message": words, "field": "personalizations.0.to.0.email", "help": None}]}

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert path == "/v3/mail/send"
        asked = json.loads(body)
        [personal] = asked["personalizations"]
        assert "substitutions" not in personal
        kinds = {one["type"]: one["value"] for one in asked["content"]}
        assert list(kinds) == ["text/plain", "text/html"], "in this order, or it is refused"
        message = Received(
            to=personal["to"][0]["email"],
            subject=asked["subject"],
            html=kinds["text/html"],
            text=kinds["text/plain"],
            headers={name.lower(): value for name, value in asked["headers"].items()},
            delivery=personal["custom_args"]["delivery"],
            pictures=frozenset(a["content_id"] for a in asked.get("attachments", ()) if a["disposition"] == "inline"),
        )
        refused = self.all_or_none([message], 202, 400)
        return refused or Reply(status=202, body=b"", headers={"X-Message-Id": uuid.uuid4().hex})


class Mailjet(Provider):
    most = 50

    def is_allowed(self, headers: Mapping[str, str], body: bytes, path: str) -> bool:
        return headers.get("authorization") == "Basic " + base64.b64encode(b"right:secret").decode()

    def fault(self, words: str) -> Json:
        return {"ErrorCode": "mj-0002", "ErrorMessage": words, "StatusCode": 400}

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert path == "/v3.1/send"
        answers: list[Json] = []
        for one in json.loads(body)["Messages"]:
            assert one["TemplateLanguage"] is False
            assert len(one["CustomID"]) <= 64
            message = Received(
                to=one["To"][0]["Email"],
                subject=one["Subject"],
                html=one["HTMLPart"],
                text=one["TextPart"],
                headers={name.lower(): value for name, value in one["Headers"].items()},
                delivery=one["CustomID"],
                pictures=frozenset(a["ContentID"] for a in one.get("InlinedAttachments", ())),
            )
            try:
                self.check(message)
            except Refused as error:
                wrong = {"ErrorCode": "mj-0013", "StatusCode": 400, "ErrorMessage": str(error)}
                answers.append({"Status": "error", "Errors": [wrong]})
            else:
                self.received.append(message)
                answers.append({"Status": "success", "To": [{"Email": message.to, "MessageID": 5_000 + len(answers)}]})
        assert len(answers) <= self.most
        status = 400 if any(one["Status"] == "error" for one in answers) else 200
        return Reply(status=status, json={"Messages": answers})


class MailerSend(Provider):
    most = 500

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        found = json.loads(body)
        if path == "/v1/bulk-email":  # looks at them later
            messages = [self._one(one) for one in found]
            self.received += messages
            return Reply(
                status=202, json={"message": "The bulk email is being processed.", "bulk_email_id": "614470d1"}
            )
        assert path == "/v1/email"
        refused = self.all_or_none([self._one(found)], 202, 422)
        return refused or Reply(status=202, body=b"", headers={"X-Message-Id": uuid.uuid4().hex[:24]})

    def _one(self, one: Json) -> Received:
        [to] = one["to"]
        data = next(p["data"] for p in one["personalization"] if p["email"] == to["email"])
        headers = {h["name"].lower(): h["value"] for h in one.get("headers", ())}
        headers["list-unsubscribe"] = f"<{one['list_unsubscribe']}>"
        headers["list-unsubscribe-post"] = "List-Unsubscribe=One-Click"
        return Received(
            to=to["email"],
            subject=templated(one["subject"], data, simple=True),
            html=templated(one["html"], data, simple=True),
            text=templated(one["text"], data, simple=True),
            headers=headers,
            pictures=frozenset(a["id"] for a in one.get("attachments", ()) if a["disposition"] == "inline"),
        )


class Ses(Provider):
    unauthorised = 403

    def is_allowed(self, headers: Mapping[str, str], body: bytes, path: str) -> bool:
        """Signs the request once more, as AWS does, with the headers it names."""
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/(\d{8})/([\w-]+)/ses/aws4_request, SignedHeaders=([\w;-]+),"
            r" Signature=([0-9a-f]{64})",
            headers.get("authorization", ""),
        )
        if not found:
            return False
        day, region, names, signature = found.groups()
        lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names.split(";"))
        canonical = f"POST\n{path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{day}/{region}/ses/aws4_request"
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        told = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{scope}\n{hashed}"
        key = b"AWS4right"
        for word in (day, region, "ses", "aws4_request", told):
            key = hmac.new(key, word.encode(), "sha256").digest()
        return key.hex() == signature and {"host", "x-amz-date"} <= set(names.split(";"))

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert path == "/v2/email/outbound-emails"
        asked = json.loads(body)
        raw = base64.b64decode(asked["Content"]["Raw"]["Data"], validate=True)
        [to] = asked["Destination"]["ToAddresses"]
        tags = {tag["Name"]: tag["Value"] for tag in asked["EmailTags"]}
        assert asked["ConfigurationSetName"] == "newsletter"
        refused = self.all_or_none([_parsed(raw, to=to, delivery=tags["delivery"])], 200, 400)
        if refused:
            return Reply(status=400, json=refused.json, headers={"x-amzn-ErrorType": "MessageRejected:http://x/"})
        return Reply(status=200, json={"MessageId": f"0100{uuid.uuid4().hex}"})


class Relay(Provider):
    """A provider nobody has heard of: what `[transport.generic]` describes."""

    most = 20
    idempotent = True

    def is_allowed(self, headers: Mapping[str, str], body: bytes, path: str) -> bool:
        return headers.get("x-key") == "key right"

    def key_of(self, headers: Mapping[str, str], body: bytes) -> str:
        return headers["x-once"]

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert path == "/send"
        answers: list[Json] = []
        for one in json.loads(body)["mails"]:
            message = Received(
                to=one["to"]["address"],
                subject=one["subject"],
                html=templated(one["body"]["html"], {}),
                text=one["body"]["text"],
                headers={name.lower(): value for name, value in one["headers"].items()},
                delivery=one["tag"],
                pictures=frozenset(a["cid"] for a in one.get("inline", ())),
            )
            try:
                self.check(message)
            except Refused as error:
                answers.append({"error": {"reason": str(error)}})
            else:
                self.received.append(message)
                answers.append({"ref": {"id": uuid.uuid4().hex}})
        assert len(answers) <= self.most
        return Reply(status=200, json={"results": answers})


def templated(words: str, variables: Mapping[str, str], *, simple: bool = False) -> str:
    """One pass of a template language as Brevo's: values are not looked at again. `simple`: MailerSend's {$x} too."""
    words = re.sub(r"(?s)\{#.*?#\}|\{%.*?%\}", "", words)
    variable = r"\{\{\s*([\w.]+)\s*\}\}" + (r"|\{\$(\w+)\}" if simple else "")
    return re.sub(variable, lambda found: variables.get(found[1] or found[found.re.groups], ""), words)


def _parsed(raw: bytes, *, to: str, delivery: str) -> Received:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    pages, words = message.get_body(("html",)), message.get_body(("plain",))
    assert pages is not None
    assert words is not None
    assert _address(str(message["To"])) == to
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


def _address(mailbox: str) -> str:
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
