"""Settings of who mail comes from and how it is signed. Reads no file and opens nothing."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def domain_of(address: str) -> str:
    return address.rsplit("@", 1)[1].lower()


class Sender(_Section):
    """Who the mail comes from. The address's domain is also that of Message-ID and of the DKIM signature."""

    address: str = "newsletter@example.org"
    name: str = "Newsletter"
    organisation: str = ""
    postal_address: str = ""
    reply_to: str | None = None
    bounce_domain: str | None = None  # VERP return paths go there; None: the sender address
    # List-Unsubscribe also names u.<token>@ this domain. Only where that mail is taken in: some programs prefer it.
    unsubscribe_domain: str | None = None
    lists: dict[
        str, str
    ] = {}  # list slug -> the address its mail comes from instead; its domain needs a key of its own

    @field_validator("address", "reply_to")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None and (value.count("@") != 1 or not all(value.split("@")) or " " in value):
            raise ValueError("is not a mail address")
        return value

    @field_validator("lists")
    @classmethod
    def _are_addresses(cls, value: dict[str, str]) -> dict[str, str]:
        return {slug: cls._is_an_address(address) or "" for slug, address in value.items()}

    @property
    def domain(self) -> str:
        return domain_of(self.address)

    @property
    def domains(self) -> tuple[str, ...]:
        """Of every address mail comes from, the usual one first."""
        return tuple(dict.fromkeys(map(domain_of, (self.address, *self.lists.values()))))

    def address_of(self, list_slug: str | None) -> str:
        """Where the mail of a list comes from; None: mail that belongs to no list."""
        return self.lists.get(list_slug or "", self.address)


class DkimKey(_Section):
    """One signing key; its kind (RSA or Ed25519) is read from the file."""

    domain: str = ""  # d=, the domain of the From address; "": the sender's
    selector: str
    key_file: Path


class Dkim(_Section):
    selector: str = "newsletter"
    key_file: Path | None = None  # PEM; None: mail leaves unsigned (the relay signs)
    keys: tuple[DkimKey, ...] = ()  # further ones: a second, Ed25519, for the sender's domain; those of other domains
