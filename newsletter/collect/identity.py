"""When two items are the same article: keys that survive new schemes, tracking parameters and regenerated GUIDs.

Pure. A key is for comparing, never for fetching or showing. Must never fold two different pages into one.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from newsletter.model import RawItem

# Parameters that only say where a reader came from (newsletters, advertisers, Zalo's zarsrc and gidzl).
_TRACKING = re.compile(
    r"utm_.*|mtm_.*|pk_.*|piwik_.*|matomo_.*|at_(?:campaign|medium|custom\d)|fbclid|gclid|gclsrc|dclid|gbraid|wbraid"
    r"|msclkid|twclid|ttclid|li_fat_id|yclid|ysclid|igshid|igsh|mc_[ce]id|mkt_tok|_hs(?:enc|mi)|hsa_.*|vero_(?:id|conv)"
    r"|oly_(?:anon|enc)_id|rb_clickid|srsltid|zarsrc|gidzl|s_cid|ncid|cmpid|_openstat|__readwiselocation",
    re.I,
)
_INDEX = re.compile(r"/(?:index|default)\.(?:html?|php)$", re.I)
_WORDS_FOR_A_TITLE_KEY = 4  # "Thông báo" and "Tin buồn" come again; four words hardly ever do on one day


def canonical_url(url: str) -> str:
    """The identity of an http(s) URL: `host/path?query`, or the text itself if it is none.

    Folded: scheme, www, default ports, case of the host, fragment (except `#!` and `#/` routes), dot segments, percent
    spelling, index.html, trailing slash, order of parameters, tracking. Kept: case of the path, other parameters.
    """
    text = unicodedata.normalize("NFC", url.strip())
    try:
        parts = urlsplit(text)
        host, port = _host(parts), parts.port
    except ValueError:
        return text
    if not host or parts.scheme.lower() not in ("http", "https"):
        return text
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode(sorted(pair for pair in pairs if not _TRACKING.fullmatch(pair[0])))
    route = parts.fragment if parts.fragment.startswith(("!", "/")) else ""
    return (
        host
        + (f":{port}" if port not in (None, 80, 443) else "")
        + _path(parts.path)
        + (f"?{query}" if query else "")
        + (f"#{route}" if route else "")
    )


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    with suppress(UnicodeError):  # compared as it is written
        host = host.encode("idna").decode("ascii")
    return host.removeprefix("www.")


def _path(path: str) -> str:
    segments: list[str] = []
    for raw in re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", path).split("/"):
        # quoted again segment by segment: %2F stays inside its segment
        segment = quote(unicodedata.normalize("NFC", unquote(raw)), safe="~!$&'()*+,;=:@-._")
        if segment == "..":
            segments = segments[:-1] or [""]
        elif segment != ".":
            segments.append(segment)
    return _INDEX.sub("/", "/".join(segments)).rstrip("/") or "/"


def title_key(title: str) -> str:
    """Letters and figures of a title in lower case, single spaces: what stays when punctuation and case are edited."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFC", title).casefold()))


def identities(item: RawItem, source_id: str) -> tuple[str, ...]:
    """Keys of `item`, strongest first: `g:` GUID, `s:` GUID without its scheme, `u:` URL, `t:` title and day.

    Each is a prefix and 64 hex digits. All but `u:` are bound to the source: a GUID is unique only there.
    """
    keys: list[str] = []
    if item.guid:
        keys.append(_key("g", source_id, item.guid))
        bare = re.sub(r"^https?://", "", item.guid, flags=re.I)
        if bare != item.guid:
            keys.append(_key("s", source_id, bare))
    if item.url:
        keys.append(url_key(item.url))
    title = title_key(item.title)
    if title.count(" ") >= _WORDS_FOR_A_TITLE_KEY - 1 and item.published:
        keys.append(_key("t", source_id, title, item.published.isoformat()[:10]))
    elif not keys:
        keys.append(_key("t", source_id, title, item.text[:500]))
    return tuple(keys)


def url_key(url: str) -> str:
    return _key("u", canonical_url(url))


def feed_identities(items: Sequence[RawItem], source_id: str) -> list[tuple[str, ...]]:
    """`identities` of each entry of one poll, without keys that several entries share.

    Feeds exist where all items carry one link (rss2email issue 111) or one GUID (brief issue 428): such a key says
    nothing. An entry left without any key is known by its title and text.
    """
    all_keys = [identities(item, source_id) for item in items]
    seen = Counter(key for keys in all_keys for key in keys)
    result = []
    for item, keys in zip(items, all_keys, strict=True):
        own = tuple(key for key in keys if seen[key] == 1)
        result.append(own or (_key("t", source_id, title_key(item.title), item.url or "", item.text[:500]),))
    return result


def _key(kind: str, *parts: str) -> str:
    return f"{kind}:{hashlib.sha256(chr(0).join(parts).encode('utf-8', 'surrogatepass')).hexdigest()}"
