"""Addresses in prose and report fields: finding them, reading them, and knowing which are nobody's mailbox. Pure."""

import re
from collections.abc import Iterable

_DOMAIN = r"[\w-]{1,63}(?:\.[\w-]{1,63}){0,10}"
ADDRESS = re.compile(
    rf"(?<![\w@.+-])((?:\"[^\"\n@]{{1,64}}\"|=\?[^\s@?]{{1,40}}\?[bBqQ]\?[^\s@?]{{1,64}}\?=|[^\s<>()\[\]{{}},;:\"'|@\\]{{1,128}})@{_DOMAIN})"
)
_UTF8_XTEXT = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_VERP = re.compile(
    r"^[^@=]{0,80}?[+.-](?P<local>[^@+=]{1,64})=(?P<domain>[\w-]{1,63}(?:\.[\w-]{1,63})+)@", re.IGNORECASE
)
_NOBODY = re.compile(
    r"^(?:mailer-?daemon|post_?-?master|mail-?delivery|noreply|no-reply|donotreply|double-bounce|abuse|hostmaster|bounces?|"
    r"mail-?daemon|microsoftexchange[0-9a-f]{10,}|admin|administrator|sysadmin|support|helpdesk)@",
    re.IGNORECASE,
)


def tidy(address: str) -> str:
    """One spelling: no brackets, no closing dot, lower-case domain."""
    local, _, domain = address.strip().strip("<>").rpartition("@")
    return f"{local.strip()}@{domain.strip().rstrip('.').lower()}"


def found_in(text: str) -> list[str]:
    """Every address of a text, tidied, in order and once."""
    return list(dict.fromkeys(tidy(found) for found in ADDRESS.findall(text)))


def of_field(value: str) -> str | None:
    """The address of a report's field, like `rfc822; <a@b>` (RFC 3464 2.3) or `utf-8; a\\x{e9}@b` (RFC 6533)."""
    kind, mark, rest = value.partition(";")
    bare = rest if mark and "@" not in kind else value
    if kind.strip().lower() == "utf-8":
        bare = _UTF8_XTEXT.sub(lambda code: chr(int(code[1], 16)) if int(code[1], 16) < 0x110000 else "", bare)
    found = found_in(bare)
    return found[0] if found else None


def of_return_path(address: str) -> str | None:
    """The subscriber that a classic VERP return path spells: `bounce+an=vien.example@example.org`."""
    found = _VERP.match(address.strip().strip("<>"))
    return tidy(f"{found['local']}@{found['domain']}") if found else None


def is_nobody(address: str) -> bool:
    """True for the daemons and role addresses that write notices and are mentioned in them."""
    return bool(_NOBODY.match(address))


def same(left: str, right: str) -> bool:
    return left.casefold() == right.casefold()


def without(addresses: Iterable[str], excluded: Iterable[str]) -> list[str]:
    barred = {address.casefold() for address in excluded}
    return [address for address in addresses if address.casefold() not in barred and not is_nobody(address)]
