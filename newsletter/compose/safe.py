"""What an article may bring into a mail: clean one-line text and http(s) addresses, nothing else. Pure.

Escaping is Jinja's task; this is about characters that stay harmful when escaped: controls that XML forbids, bidi
overrides that make a line read as something else, and addresses of other schemes.
"""

import re
import unicodedata
from urllib.parse import quote, urlsplit

# C0 and C1 controls, bidi embeddings, overrides and isolates (UAX #9), lone surrogates, noncharacters.
_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_SPACES = re.compile(r"[ \t\r\n\f\v\u2028\u2029]+")  # not the no-break space: it is meant
LONGEST = 20_000  # characters of any text a template is given; an intro of that length fills ten pages
_URL_SAFE = "%/:=&?~#+!$,;'@()*[]"


def clean(text: str, *, limit: int = LONGEST) -> str:
    """NFC, one line, without controls or bidi overrides; longer than `limit` characters is cut at a word end with …"""
    # Cut before normalising: a title of ten megabytes must not cost ten megabytes of work.
    plain = _SPACES.sub(" ", unicodedata.normalize("NFC", _FORBIDDEN.sub("", text[: limit * 4]))).strip()
    return shortened(plain, limit)


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters, cut between words and marked with …; a single longer word is cut inside."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    kept = head[:-1].rsplit(" ", 1)[0] if " " in head[:-1] else head[:-1]
    return kept.rstrip(" ,;:–-.(") + "…"


_STOP = re.compile(r"(\S+)[.!?…]([”’)\"]?)\s+(?=[“‘\"(]?(\w))")
_PLAIN_WORD = re.compile(r"[^\W\d_]{3,}|[12]\d{3}|.*[%”’)\"]")


def whole_sentences(text: str, limit: int) -> str:
    """The first sentences of `text` that have at most `limit` characters together; the first one always, however long.

    A stop counts only where nobody could take it for that of an abbreviation ("TS.", "TP.", "No."): behind three or more
    small letters, a year or a closing sign, and before a capital. Rather too few ends than a wrong one.
    """
    if len(text) <= limit:
        return text
    kept = 0
    for stop in _STOP.finditer(text):
        word, closing, following = stop.groups()
        if following.islower() or word != word.lower() or not _PLAIN_WORD.fullmatch(word):
            continue
        end = stop.end(1) + 1 + len(closing)
        if kept and end > limit:
            break
        kept = end
    return text[:kept] or text


_UNITS = "%|‰|°C|km²?|km/h|m[²³]?|cm|mm|kg|g|ha|kW|MW|MB|GB|tấn|tạ|triệu|tỷ|tỉ|nghìn|đồng|million|billion"
_BOUND = re.compile(rf"(?<=\d) (?=(?:{_UNITS})(?!\w))|(?<=\bngày) (?=\d)")


def bound(text: str) -> str:
    """`text` with no-break spaces between a figure and its unit ("11,4 %") and in "ngày 05/12", where no line may end."""
    return _BOUND.sub("\u00a0", text)


def http_url(url: str | None) -> str | None:
    """`url` as ASCII when it is an absolute http or https address, else None: it is then shown as text."""
    if not url or _FORBIDDEN.search(url) or re.search(r"\s", url):
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:  # "Invalid IPv6 URL"
        return None
    return quote(url, safe=_URL_SAFE) if usable else None


def https_url(url: str | None) -> str | None:
    """The same for pictures, https only: a mail client blocks or warns about the others."""
    checked = http_url(url)
    return checked if checked and checked.lower().startswith("https:") else None
