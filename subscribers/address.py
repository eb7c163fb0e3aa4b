"""What counts as an address, and the one type that carries it.

An `Address` masks itself wherever it is printed; `reveal` is the way to the text. The mask holds no "@", so that a scan
of logs for that sign finds leaks only. Verdicts are those of email-validator (no DNS), then three rules of our own.
This module never stores and never logs.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from email_validator import EmailNotValidError, __version__, validate_email

from subscribers.errors import InvalidAddress

VERDICTS = __version__  # which rows of a file are usable may change with it

# Spreadsheets and web pages leave these around addresses: no-break spaces, byte order mark, zero-width signs.
_BLANKS = " \t\r\n\f\v\u00a0\u1680\u2007\u202f\u3000\ufeff\u200b\u200c\u200d\u2060"

# A local part as nearly everybody's and a domain judged once for all its addresses; everything else takes the full path.
# Runs exclude the dot, so matching is linear.
_ORDINARY_LOCAL = re.compile(r"[a-zA-Z0-9_+'-]+(?:\.[a-zA-Z0-9_+'-]+)*").fullmatch
_DOMAIN = re.compile(r"[a-zA-Z0-9.\u0080-\U0010ffff-]+").fullmatch

_MAX_LOCAL_OCTETS = 64  # RFC 5321 section 4.5.3.1.1
_MAX_OCTETS = 254  # RFC 5321 section 4.5.3.1.3 with erratum 1690 of RFC 3696

# RFC 2142 mailbox names mean the same in any case; email-validator writes them in lower case and so do we.
_ROLE_NAMES = {
    *("info", "marketing", "sales", "support", "abuse", "noc", "security"),  # sections 3 and 4
    *("postmaster", "hostmaster", "usenet", "news", "webmaster", "www", "uucp", "ftp"),  # section 5
}

# Scripts that are written together in one word (UTS 39 section 5.2, "highly restrictive"), beside any single script.
_WRITTEN_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
)
# Cyrillic and Greek letters drawn like Latin ones: a label of nothing else under a Latin top-level domain disguises.
_DRAWN_LIKE_LATIN = frozenset("асԁеһіјӏоорԛѕԝхуѵѡьгпҽΑαΒΕΖΗΙιΚκΜΝνΟοΡρΤτΥυΧχ")


@dataclass(frozen=True, slots=True)
class Address:
    """`local` as the person writes it (NFC); `domain` as the DNS knows it: ASCII A-labels in lower case."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local[:1]}… at {self.domain[:1]}….{self.domain.rpartition('.')[2]}"

    def __repr__(self) -> str:
        return f"<Address {self}>"


def reveal(address: Address) -> str:
    """The address as text, for an envelope or a To header. The only function that turns an `Address` back into text."""
    return f"{address.local}@{address.domain}"


def parse_address(text: str) -> Address:
    """Judge one address. Blanks around it (also no-break and zero-width ones) do not count.

    Raises InvalidAddress with the reason.
    """
    return Address(*split_address(text))


def key_of(local: str, domain: str) -> str:
    """What makes two spellings one person: `local` in lower case (no large receiver tells cases apart) and `domain`."""
    return f"{local.lower()}@{domain}"


def split_address(text: str) -> tuple[str, str]:
    """`(local, domain)` of one address, as `parse_address`, without the wrapping: the import calls it per row."""
    local, domain = library_form(text)
    if local[0] == "-":
        # Mail programs called with the address as an argument read it as an option.
        raise InvalidAddress("The part before the at sign begins with a hyphen.")
    if len(local) > 16 and len(local.encode()) > _MAX_LOCAL_OCTETS:  # 16 characters never exceed 64 octets
        raise InvalidAddress("The part before the at sign is longer than 64 octets.")
    if "xn--" in domain and _in_disguise(domain):
        raise InvalidAddress("The domain mixes scripts to look like another one.")
    return local, domain


def library_form(text: str) -> tuple[str, str]:
    """What email-validator says, before our own rules: the local part in its normal form, the domain in A-labels.

    Blanks around the text do not count. Raises InvalidAddress where the library refuses.
    """
    local, _, written = text.rpartition("@")
    verdict = _verdict(written) if _ORDINARY_LOCAL(local) else None
    if verdict is None:
        bare = text.strip(_BLANKS)
        return _judge_whole(bare) if bare == text else library_form(bare)
    domain, octets, fault = verdict
    if fault is not None:
        raise InvalidAddress(fault)
    if len(local) + 1 + octets > _MAX_OCTETS:
        raise InvalidAddress(f"The address is longer than {_MAX_OCTETS} octets.")
    if local.lower() in _ROLE_NAMES:
        return local.lower(), domain
    return local, domain


def _judge_whole(text: str) -> tuple[str, str]:
    if "@" not in text:
        raise InvalidAddress("An email address must have an at sign.")
    try:
        found = validate_email(text, check_deliverability=False)
    except EmailNotValidError as error:
        raise InvalidAddress(_plain(str(error))) from None
    return found.local_part, found.ascii_domain


@lru_cache(maxsize=16_384)  # about 4 MB when full; real lists have few domains, so email-validator runs once each
def _verdict(written: str) -> tuple[str, int, str | None] | None:
    """`(A-label domain, octets of its longest form, fault or None)` behind an ordinary local part.

    None where that cannot be said of the domain alone: signs that no domain has, blanks at its end.
    """
    if not _DOMAIN(written) or written.strip(_BLANKS) != written:
        return None
    try:
        found = validate_email(f"a@{written}", check_deliverability=False)
    except EmailNotValidError as error:
        return written, 0, _plain(str(error))
    return found.ascii_domain, max(len(form.encode()) for form in (written, found.domain, found.ascii_domain)), None


@lru_cache(maxsize=4_096)
def _in_disguise(domain: str) -> bool:
    """`domain`: A-labels of which email-validator approves."""
    *labels, top = validate_email(f"a@{domain}", check_deliverability=False).domain.split(".")
    return any(_mixes_scripts(label) for label in (*labels, top)) or (
        top.isascii() and any(not label.isascii() and _all_drawn_like_latin(label) for label in labels)
    )


def _mixes_scripts(label: str) -> bool:
    if label.isascii():
        return False
    scripts = {unicodedata.name(sign, "UNKNOWN").split()[0] for sign in label if sign.isalpha()}
    return len(scripts) > 1 and not any(scripts <= group for group in _WRITTEN_TOGETHER)


def _all_drawn_like_latin(label: str) -> bool:
    return all(sign in _DRAWN_LIKE_LATIN for sign in label if sign.isalpha())


def _plain(message: str) -> str:
    """email-validator's sentence without details in brackets (they may quote the address) and without the sign."""
    return re.sub(r" \((?!\d).*\)", "", message).replace("@-sign", "at sign").replace("'@'", "at sign")
