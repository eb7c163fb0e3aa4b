"""Settings of mail providers: one section each under `[transport]`, for the account that hands the mail over.

Only shapes and checks that need nobody else; how a provider is spoken to stands in deliver/providers/.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class Provider(BaseModel):
    """What all have: where, how long one request may take (seconds), and how many go at the same time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = ""
    timeout: float = Field(30, gt=0)
    connections: int = Field(2, ge=1, le=32)

    @field_validator("url")
    @classmethod
    def _is_a_base(cls, value: str) -> str:
        if value and (not value.startswith(("https://", "http://")) or "?" in value or "#" in value):
            raise ValueError("must be an http(s) URL without query")
        return value.rstrip("/")

    def missing(self) -> Iterator[str]:
        """The keys without which this provider cannot be used."""
        for name in sorted(type(self).model_fields, key=lambda name: name == "url"):  # made of the others, at times
            value = getattr(self, name)
            if name in _NEEDED and (not value or (isinstance(value, SecretStr) and not value.get_secret_value())):
                yield name


_NEEDED = {"url", "token", "api_key", "secret_key", "domain", "region", "access_key_id", "secret_access_key", "message"}


class Postmark(Provider):
    token: SecretStr | None = None
    url: str = "https://api.postmarkapp.com"
    stream: str = "broadcast"


class Mailgun(Provider):
    api_key: SecretStr | None = None
    domain: str = ""  # the sending domain as Mailgun knows it
    url: str = "https://api.mailgun.net"  # in the EU: https://api.eu.mailgun.net
    connections: int = Field(8, ge=1, le=32)  # one message a request


class Brevo(Provider):
    api_key: SecretStr | None = None
    url: str = "https://api.brevo.com/v3"


class Resend(Provider):
    api_key: SecretStr | None = None
    url: str = "https://api.resend.com"


class SendGrid(Provider):
    api_key: SecretStr | None = None
    url: str = "https://api.sendgrid.com/v3"  # in the EU: https://api.eu.sendgrid.com/v3
    connections: int = Field(8, ge=1, le=32)  # one message a request


class Mailjet(Provider):
    api_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    url: str = "https://api.mailjet.com/v3.1"


class MailerSend(Provider):
    token: SecretStr | None = None
    url: str = "https://api.mailersend.com/v1"
    bulk: bool = False  # True: 100 a request, but what it refuses is only seen in its events
    custom_headers: bool = True  # False: a plan without them; List-Unsubscribe still goes


class Ses(Provider):
    """`url`: None means the region's own endpoint."""

    region: str = ""
    access_key_id: str = ""
    secret_access_key: SecretStr | None = None
    session_token: SecretStr | None = None
    configuration_set: str = ""  # where its events are published
    connections: int = Field(8, ge=1, le=32)  # one message a request

    @model_validator(mode="before")
    @classmethod
    def _at_home(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("region") and not values.get("url"):
            return {**values, "url": f"https://email.{values['region']}.amazonaws.com"}
        return values

    @field_validator("region")
    @classmethod
    def _is_a_region(cls, value: str) -> str:
        if value and not re.fullmatch(r"[a-z0-9-]{2,40}", value):
            raise ValueError("is not a region such as ap-southeast-1")
        return value


PLACEHOLDERS = frozenset(
    {"from", "from_name", "from_address", "to", "to_name", "to_address", "reply_to", "subject", "html", "text"}
    | {"message_id", "delivery", "headers", "header_list", "attachments", "mime"}
)
OF_ATTACHMENTS = frozenset({"name", "media_type", "content", "content_id"})
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class Generic(Provider):
    """Any provider that takes JSON: `message` and `attachment` say how, with placeholders such as "{to_address}"."""

    key: SecretStr | None = None  # "{key}" in `headers`
    headers: dict[str, SecretStr] = {}  # of the request
    message: dict[str, Any] = {}  # one message; "{html}" alone is the value, inside other words it is text
    attachment: dict[str, Any] = {}  # one embedded picture, of which "{attachments}" makes a list
    batch: int = Field(1, ge=1, le=100)  # messages a request
    list_at: str = ""  # the key under which the list stands; "" with batch > 1: the body is the list
    results_at: str = ""  # path to the answers of a batch, such as "data.results"; "": the body is the list
    id_at: str = "id"  # path to the provider's id in an answer
    error_at: str = "error"  # path to what says that one message of a batch was refused
    idempotency_header: str = ""  # such as Idempotency-Key, when the provider keeps to one
    literal: list[str] = []  # openings of its template language, such as "{{": in HTML they arrive as written

    @model_validator(mode="after")
    def _knows_its_placeholders(self) -> "Generic":
        for what, template, known in (
            ("message", self.message, PLACEHOLDERS),
            ("attachment", self.attachment, OF_ATTACHMENTS),
        ):
            unknown = sorted(set(placeholders(template)) - known)
            if unknown:
                raise ValueError(f"{what}: there is no placeholder {{{unknown[0]}}}; {', '.join(sorted(known))}")
        return self

    @property
    def embeds(self) -> bool:
        return not {"mime", "attachments"}.isdisjoint(placeholders(self.message))


def placeholders(template: Any) -> Iterator[str]:
    """Every placeholder in a nested mapping."""
    if isinstance(template, str):
        yield from PLACEHOLDER.findall(template)
    elif isinstance(template, Mapping | list):
        for value in template.values() if isinstance(template, Mapping) else template:
            yield from placeholders(value)


TEMPLATE = """# [transport.postmark]
# token = ""                            # better: NEWSLETTER_TRANSPORT__POSTMARK__TOKEN_FILE
# stream = "broadcast"

# Every key of every provider: docs/providers.md. Keys that are secret can stand in files, as above.
# [transport.mailgun]
# api_key = ""
# domain = "mg.example.org"
# url = "https://api.eu.mailgun.net"    # in the EU
# [transport.brevo]
# api_key = ""
# [transport.resend]
# api_key = ""
# [transport.sendgrid]
# api_key = ""
# [transport.mailjet]
# api_key = ""
# secret_key = ""
# [transport.mailersend]
# token = ""
# [transport.ses]
# region = "ap-southeast-1"
# access_key_id = ""
# secret_access_key = ""
# configuration_set = "newsletter"      # publishes bounces and complaints
# [transport.generic]
# url = "https://mail.example.org/send"
# headers = { Authorization = "Bearer {key}" }
# message = { from = "{from}", to = ["{to_address}"], subject = "{subject}", html = "{html}", text = "{text}" }
"""
