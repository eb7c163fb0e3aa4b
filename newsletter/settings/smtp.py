"""Settings of SMTP relays, one or several: `[transport.smtp]` and `[[transport.smtp.relays]]`.

Reads no file and opens nothing; a value that cannot be meant is refused with words that name the key.
"""

from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Relay(_Section):
    """One SMTP server that takes our mail. `url` is the short form of host, port, security, username and password."""

    host: str = "localhost"
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    secret_file: Path | None = None  # instead: holds the password, or the token of xoauth2; read at each connection
    auth: Literal["auto", "plain", "login", "xoauth2"] = "auto"  # auto: PLAIN, else LOGIN
    weight: int = Field(1, ge=0)  # share of the connections; 0: only while no other relay answers
    url: SecretStr | None = None  # smtp://user:password@host:587 (STARTTLS) or smtps://host:465 (TLS from the start)

    @model_validator(mode="before")
    @classmethod
    def _from_url(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not isinstance(values.get("url"), str):
            return values
        found = _of_url(values["url"])
        twice = sorted(found.keys() & values.keys())
        if twice:
            raise ValueError(f"{twice[0]} stands in url already")
        return {**values, **found}

    @model_validator(mode="after")
    def _has_both(self) -> "Relay":
        secrets_given = (self.password is not None) + (self.secret_file is not None)
        if secrets_given > 1:
            raise ValueError("transport.smtp needs password or secret_file, not both")
        if (self.username is None) != (secrets_given == 0):
            raise ValueError("transport.smtp needs both username and password, or neither")
        return self


def _of_url(url: str) -> dict[str, Any]:
    """The keys that an smtp URL stands for. `?security=none` is for a relay on this machine."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("url is no URL") from error
    query = dict(parse_qsl(parts.query))
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("url must be like smtp://user:password@host:587 or smtps://host:465")
    if query.keys() - {"security"} or (query and parts.scheme == "smtps"):
        raise ValueError("url takes ?security=none with smtp://, and nothing else")
    security = "tls" if parts.scheme == "smtps" else query.get("security", "starttls")
    found: dict[str, Any] = {"host": parts.hostname, "port": port or (465 if security == "tls" else 587)}
    found["security"] = security
    if parts.username:
        found["username"] = unquote(parts.username)
    if parts.password:
        found["password"] = unquote(parts.password)
    return found


class Smtp(Relay):
    """One relay described here, or several in `relays`, and what counts for all of them."""

    relays: tuple[Relay, ...] = ()
    connections: int = Field(10, ge=1, le=50)
    messages_per_connection: int = Field(500, ge=1)
    timeout: float = Field(60, gt=0)  # seconds for each reply; the final dot waits ten minutes (RFC 5321 4.5.3.2.6)
    ca_file: Path | None = None  # a further root to trust, beside the system's
    ehlo_name: str | None = None
    pipelining: bool = True  # false: one command at a time, whatever is offered
    chunking: bool = True  # false: DATA, whatever is offered

    @model_validator(mode="after")
    def _one_way(self) -> "Smtp":
        both = self.model_fields_set & set(Relay.model_fields)
        if self.relays and both:
            raise ValueError(f"{min(both)} and relays: describe the relay in one place")
        return self

    @property
    def all_relays(self) -> tuple[Relay, ...]:
        """The relays as they are described; never empty."""
        return self.relays or (Relay.model_construct(**{name: getattr(self, name) for name in Relay.model_fields}),)
