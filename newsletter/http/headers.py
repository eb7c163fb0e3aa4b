"""What the headers of an answer say of time, text and identity. Pure."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime


def retry_after(value: str | None) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110 10.2.3: seconds or a date), never negative, or None."""
    text = (value or "").strip()
    if re.fullmatch(r"\d{1,12}", text):
        return float(text)
    moment = _moment(text)
    return None if moment is None else max(0.0, moment - time.time())


def fresh_for(headers: Mapping[str, str]) -> float:
    """Seconds an answer may be kept: max-age less its age, else Expires less Date (RFC 9111 4.2.1); 0 when it says none.

    Header names in lower case, or a mapping that does not care.
    """
    control = headers.get("cache-control", "").lower()
    if control and re.search(r"\bno-(?:store|cache)\b", control):
        return 0.0
    found = re.search(r'(?:^|[\s,])max-age\s*=\s*"?(\d{1,12})', control) if control else None
    if found:
        age = re.fullmatch(r"\s*(\d{1,12})\s*", headers.get("age", ""))
        return max(0.0, float(found[1]) - (float(age[1]) if age else 0.0))
    ends, began = _moment(headers.get("expires", "")), _moment(headers.get("date", ""))
    return max(0.0, ends - (began if began is not None else time.time())) if ends is not None else 0.0


def _moment(text: str) -> float | None:
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


def charset(content_type: str) -> str | None:
    found = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", content_type, re.I) if content_type else None
    return found[1] if found else None


def conditions(etag: str | None, last_modified: str | None) -> dict[str, str]:
    """What they were when they came, byte for byte: latin-1 maps every byte to one character and back."""
    pairs = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: re.sub(r"[^\t -~\x80-\xff]", "", value) for name, value in pairs.items() if value}


def redirect(status: int, headers: Mapping[str, str]) -> str | None:
    if status not in (301, 302, 303, 307, 308):
        return None
    return headers.get("location", "").strip() or None
