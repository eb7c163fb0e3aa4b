"""When two items are the same article: keys that survive new schemes, tracking parameters and regenerated GUIDs.

Pure. A key is for comparing, never for fetching or showing. Must never fold two different pages into one.
"""

import hashlib
import re
import unicodedata
from contextlib import suppress
from datetime import UTC, datetime, time
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
    title = title_and_day(item, source_id)
    if title:
        keys.append(title)
    elif not keys:
        keys.append(_key("t", source_id, title_key(item.title), item.text[:500]))
    return tuple(keys)


def title_and_day(item: RawItem, source_id: str) -> str | None:
    """The key of a title of four words or more and its day, as the source writes it; None for less."""
    title = title_key(item.title)
    if title.count(" ") < _WORDS_FOR_A_TITLE_KEY - 1 or not item.published:
        return None
    return _key("t", source_id, title, item.published.isoformat()[:10])


def name_key(item: RawItem, source_id: str) -> str | None:
    """`n:` the title alone, of four words or more. It never makes two items one: titles come again. It raises doubt."""
    title = title_key(item.title)
    return _key("n", source_id, title) if title.count(" ") >= _WORDS_FOR_A_TITLE_KEY - 1 else None


def moment_key(item: RawItem, source_id: str) -> str | None:
    """`m:` the moment of publication. Two articles may share one, so it never makes two items one. It raises doubt."""
    moment = moment_told(item)
    return _key("m", source_id, moment.isoformat()) if moment else None


def moment_told(item: RawItem) -> datetime | None:
    """When it was published, in UTC, if the source gives a real time: midnight stands for a bare day."""
    told = item.published
    return told.astimezone(UTC) if isinstance(told, datetime) and told.time() != time() else None


def minute_told(item: RawItem) -> datetime | None:
    moment = moment_told(item)
    return moment and moment.replace(second=0, microsecond=0)


def exact_key(item: RawItem, source_id: str) -> str | None:
    """`p:` GUID or URL with title and date: it still names one entry where a feed gives all the same GUID or link."""
    place = item.guid or item.url
    if not place or not item.title:
        return None
    when = item.published.isoformat() if item.published else item.text[:500]
    return _key("p", source_id, place, title_key(item.title), when)


def last_resort(item: RawItem, source_id: str) -> str:
    """The key of an entry whose every name is shared with others."""
    return _key("t", source_id, title_key(item.title), item.url or "", item.text[:500])


def url_key(url: str) -> str:
    return _key("u", canonical_url(url))


def mistrusted(key: str) -> str:
    """The mark that `key` was seen on several articles of one source; kept among the identities, so for ever."""
    return f"x:{key}"


# The mark that the GUIDs of a feed as a whole name nothing.
NO_GUIDS = mistrusted("g")


def alike(one: str, other: str) -> bool:
    """Whether one title may be an edit of the other: half of all their words in common, and no figure replaced.

    "Bản tin tuần 12" and "Bản tin tuần 13" are two bulletins. A title that is cut short or empty is no evidence against.
    """
    for cut, whole in ((one, other), (other, one)):
        shorter = cut.removesuffix("...").removesuffix("…").rstrip()
        if not cut or (shorter != cut and title_key(whole).startswith(title_key(shorter))):
            return True
    a, b = set(title_key(one).split()), set(title_key(other).split())
    figures = [{word for word in words if any(map(str.isdigit, word))} for words in (a, b)]
    if figures[0] - figures[1] and figures[1] - figures[0]:
        return False
    return 2 * len(a & b) >= len(a | b)


def _key(kind: str, *parts: str) -> str:
    return f"{kind}:{hashlib.sha256(chr(0).join(parts).encode('utf-8', 'surrogatepass')).hexdigest()}"
