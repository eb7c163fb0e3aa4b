"""Settings of what comes back: mailbox, listener, webhooks. Reads no file and opens nothing."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Webhook(_Section):
    """What proves the webhook of one mail provider. Without any of these its requests are refused."""

    password: SecretStr | None = None  # "user:password", as it stands in the URL at the provider
    former_password: SecretStr | None = None  # still taken while it is being changed
    signing: SecretStr | None = None  # the provider's signing secret, or SendGrid's verification key
    topic: tuple[str, ...] = ()  # ARN of the SNS topic that SES tells through; a list where there are several

    @field_validator("topic", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class Webhooks(_Section):
    ses: Webhook = Webhook()
    mailgun: Webhook = Webhook()
    postmark: Webhook = Webhook()
    brevo: Webhook = Webhook()
    resend: Webhook = Webhook()
    sendgrid: Webhook = Webhook()
    mailjet: Webhook = Webhook()
    mailersend: Webhook = Webhook()


class Imap(_Section):
    """A mailbox where bounces arrive. Off without `host`; what is read is marked as seen and stays there."""

    host: str | None = None
    port: int = Field(993, ge=1, le=65535)
    security: Literal["tls", "starttls", "none"] = "tls"
    username: str = ""
    password: SecretStr | None = None
    folder: str = "INBOX"
    every_seconds: int = Field(120, ge=0, le=86_400)  # between two polls
    most: int = Field(200, ge=1, le=5000)  # messages of one poll
    timeout: float = Field(30, gt=0, le=300)  # for each answer
    ca_file: Path | None = None


class Listen(_Section):
    """A mail server of our own for returned mail, within `serve`. Off without `port`. Relays nothing, takes only our domains."""

    port: int | None = Field(None, ge=0, le=65535)  # 0 takes a free one
    host: str = "127.0.0.1"
    protocol: Literal["smtp", "lmtp"] = (
        "lmtp"  # LMTP behind a mail server of one's own; SMTP where the MX record points here
    )
    connections: int = Field(20, ge=1, le=1000)  # at the same time; further ones are told to come again
    timeout: float = Field(120, gt=0, le=600)  # seconds of silence


class Bounces(_Section):
    hard_after: int = Field(1, ge=1, le=5)  # mailings that bounced hard until nothing is sent there any more
    keep_days: int = Field(400, ge=30, le=3650)  # what came back is listed so long; its events stay with the mailing
    imap: Imap = Imap()
    listen: Listen = Listen()
