"""Links and pictures as texts name them, made absolute. Pure. Never returns anything but http(s)."""

import re
from urllib.parse import urljoin, urlsplit

from newsletter.collect.text.clean import plain

_IMG = re.compile(r"<img\b[^<>]{1,4000}>", re.I)
_ATTRIBUTE = re.compile(r"""\b(src|data-src|width|height)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)
_NO_PICTURE = re.compile(r"^data:|\.svg\b|/(?:pixel|spacer|blank|beacon|smilies|emoji)\b|feedburner\.com|/b\.gif", re.I)


def first_image(markup: str, base: str) -> str | None:
    """The first picture of an HTML text that is not a spacer, a smiley or a counting pixel; absolute."""
    for tag in _IMG.finditer(markup[:200_000]):
        values = {m[1].lower(): m[2] or m[3] or m[4] or "" for m in _ATTRIBUTE.finditer(tag[0])}
        address = values.get("src") or values.get("data-src") or ""
        tiny = any(re.fullmatch(r"[0-9]|[1-3]\d", values.get(side, "")) for side in ("width", "height"))
        found = absolute(base, address.replace("&amp;", "&"))
        if found and not tiny and not is_no_picture(address):
            return found
    return None


def absolute_base(base: str, link: str | None) -> str:
    try:
        return urljoin(base, link.strip()) if link else base
    except ValueError:
        return base


def absolute(base: str, link: str | None) -> str | None:
    """`link` as an absolute http(s) URL without blanks, or None."""
    if not link or not link.strip():
        return None
    try:
        found = urljoin(base, plain(link).strip().replace(" ", "%20").replace("\n", ""))
        parts = urlsplit(found)
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not parts.netloc:
        return None
    return parts._replace(netloc=parts.netloc.lower()).geturl() if "@" not in parts.netloc else found


def is_no_picture(address: str) -> bool:
    """Whether an address is that of a spacer, a smiley, a counting pixel or a drawing that no mail program shows."""
    return bool(_NO_PICTURE.search(address))
