"""Loopback servers that behave as the providers document: endpoints, keys, limits, templates and refusals. One class each."""

import base64
import email
import email.policy
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Mapping

from tests.fakes.provider import Json, Provider, Received, Refused, Reply, address_of, parsed, templated


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
                to=address_of(one["To"]),
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
        message = parsed(raw, to=form["to"].decode(), delivery=form["v:delivery"].decode())
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
                    delivery=json.loads(version["headers"]["X-Mailin-Custom"])["delivery"],
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
            to=address_of(to),
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
                delivery=json.loads(one["EventPayload"])["delivery"],
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
        refused = self.all_or_none([parsed(raw, to=to, delivery=tags["delivery"])], 200, 400)
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
