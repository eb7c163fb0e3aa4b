"""Requests signed as the providers sign them, with keys of our own."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from newsletter.mail.webhooks import Credentials, Request

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
BASIC = Credentials(basic=("vien:mat-khau",))
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()


def basic(user: str = "vien:mat-khau") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()}


def request(body: Any, headers: dict[str, str] | None = None, *, content_type: str = "application/json") -> Request:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request(headers=basic() if headers is None else headers, content_type=content_type, body=raw)


def svix(body: Any, *, at: datetime = NOW, name: str = "msg_1") -> Request:
    raw = json.dumps(body).encode()
    stamp = str(int(at.timestamp()))
    mac = hmac.new(b"0123456789abcdef", f"{name}.{stamp}.".encode() + raw, hashlib.sha256).digest()
    signature = "v1,AAAA v1," + base64.b64encode(mac).decode()
    return request(raw, {"svix-id": name, "svix-timestamp": stamp, "svix-signature": signature})


def mailgun(data: Any, *, at: datetime = NOW, token: str = "t" * 50, key: str = "khoa") -> dict[str, Any]:
    stamp = str(int(at.timestamp()))
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {"event-data": data, "signature": {"token": token, "timestamp": stamp, "signature": signature}}


def mailersend(body: Any, key: str = "khoa") -> Request:
    raw = json.dumps(body).encode()
    return request(raw, {"Signature": hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()})


class SendGridKey:
    """A verification key of the signed event webhook."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        der = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.public = base64.b64encode(der).decode()

    def sign(self, body: Any, *, at: datetime = NOW) -> Request:
        raw, stamp = json.dumps(body).encode(), str(int(at.timestamp()))
        signature = self._key.sign(stamp.encode() + raw, ec.ECDSA(hashes.SHA256()))
        return request(
            raw,
            {
                "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
                "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            },
        )


class Topic:
    """An SNS topic that signs with `key` (one of its own by default, in a certificate that nobody vouches for)."""

    arn = "arn:aws:sns:eu-west-1:123456789012:tin"

    def __init__(self, key: rsa.RSAPrivateKey | None = None) -> None:
        self._key = key or rsa.generate_private_key(65537, 2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
        built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self._key.public_key())
        built = (
            built.serial_number(1).not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=9))
        )
        self.certificate = built.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def note(
        self, message: Any, *, at: datetime = NOW, name: str = "n-1", kind: str = "Notification"
    ) -> dict[str, Any]:
        told = message if isinstance(message, str) else json.dumps(message)
        note = {"Type": kind, "MessageId": name, "TopicArn": self.arn, "Message": told}
        if kind == "SubscriptionConfirmation":
            note |= {"Token": "tok", "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription"}
        note |= {"Timestamp": at.isoformat().replace("+00:00", "Z"), "SignatureVersion": "2"}
        note["SigningCertURL"] = "https://sns.eu-west-1.amazonaws.com/cert.pem"
        names = sorted(key for key in note if key not in ("SignatureVersion", "SigningCertURL"))
        signed = "".join(f"{key}\n{note[key]}\n" for key in names).encode()
        note["Signature"] = base64.b64encode(self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())).decode()
        return note


def sns(note: dict[str, Any], headers: dict[str, str] | None = None) -> Request:
    told = {"x-amz-sns-message-type": note["Type"], "x-amz-sns-message-id": note["MessageId"]}
    return request(note, told | (basic() if headers is None else headers), content_type="text/plain; charset=UTF-8")
