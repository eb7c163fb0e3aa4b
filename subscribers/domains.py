"""What a domain gives away: a slip of the typing hand, or a mailbox that lasts ten minutes. Pure; asks nobody.

A hint is only ever a question to the person who typed; it must never change an address by itself.
"""

from functools import lru_cache

from subscribers.address import Address

# Receivers so common that a domain one slip away from them is more likely the slip than a domain of its own.
_COMMON = (
    *("gmail.com", "googlemail.com", "yahoo.com", "yahoo.com.vn", "hotmail.com", "outlook.com", "live.com"),
    *("msn.com", "icloud.com", "aol.com", "proton.me", "protonmail.com", "gmx.de", "gmx.net", "web.de", "mail.com"),
    *("zoho.com", "fpt.vn", "vnn.vn", "hcm.vnn.vn", "hn.vnn.vn"),
)
_REAL = frozenset({"ymail.com", "email.com", "mail.com", "gmx.com", "gmx.at", "gmx.ch", "gmx.net", "gmx.de", "aol.de"})
_TOP_LEVEL_SLIPS = {"con": "com", "cm": "com", "cmo": "com", "comm": "com", "ocm": "com", "vom": "com", "xom": "com"}
_SHORTEST = 9  # characters: shorter names are one slip away from too many real ones

# Providers of throw-away mailboxes, as their own pages present themselves. Small on purpose: what is not here signs up,
# gets one letter and is never mailed unless somebody answers it.
_THROWN_AWAY = """
    10minutemail.com 10minutemail.net 20minutemail.com 33mail.com anonbox.net burnermail.io byom.de crazymailing.com
    deadaddress.com discard.email discardmail.com dispostable.com dropmail.me emailondeck.com emailtemporanea.com
    fakeinbox.com fakemail.net filzmail.com getairmail.com getnada.com grr.la guerrillamail.biz guerrillamail.com
    guerrillamail.de guerrillamail.info guerrillamail.net guerrillamail.org guerrillamailblock.com harakirimail.com
    incognitomail.org inboxkitten.com jetable.org mailcatch.com maildrop.cc mailinator.com mailinator.net mailnesia.com
    mailnull.com mailsac.com mail-temp.com mailtemp.net meltmail.com minuteinbox.com mintemail.com moakt.com mohmal.com
    mytemp.email mytrashmail.com nada.email sharklasers.com spam4.me spamgourmet.com spambox.us temp-mail.io
    temp-mail.org tempail.com tempinbox.com tempmail.net tempmailaddress.com tempr.email throwawaymail.com
    trash-mail.com trashmail.com trashmail.de trashmail.net wegwerfmail.de yopmail.com yopmail.fr yopmail.net
"""
_DISPOSABLE = frozenset(_THROWN_AWAY.split())


def suggestion(address: Address) -> Address | None:
    """The address that was probably meant, when its domain is one slip away from a very common one; else None."""
    meant = _meant(address.domain)
    return Address(address.local, meant) if meant else None


def is_disposable(address: Address) -> bool:
    """Whether the domain, or one it belongs to, hands out mailboxes that are thrown away."""
    labels = address.domain.split(".")
    return any(".".join(labels[start:]) in _DISPOSABLE for start in range(len(labels) - 1))


@lru_cache(maxsize=4_096)
def _meant(domain: str) -> str | None:
    if domain in _COMMON or domain in _REAL:
        return None
    name, _, top = domain.rpartition(".")
    mended = f"{name}.{_TOP_LEVEL_SLIPS.get(top, top)}"
    if mended in _COMMON:
        return mended
    return next((known for known in _COMMON if len(known) >= _SHORTEST and _one_slip(mended, known)), None)


def _one_slip(typed: str, meant: str) -> bool:
    """One letter too many, too few, wrong, or two neighbours changed (Damerau 1964: four of five typing errors)."""
    if abs(len(typed) - len(meant)) > 1 or typed == meant:
        return False
    at = next((i for i, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b), min(len(typed), len(meant)))
    rest, other = typed[at:], meant[at:]
    swapped = len(rest) > 1 and len(other) > 1 and rest[0] == other[1] and rest[1] == other[0] and rest[2:] == other[2:]
    return swapped or rest[1:] == other[1:] or rest[1:] == other or rest == other[1:]
