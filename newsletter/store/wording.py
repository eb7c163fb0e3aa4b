"""When an article says the same as before: its words without what ticks by itself. Pure.

Must never take a counter for a correction: rss2email issue 11 shows hashes of raw content that never come to rest.
"""

import hashlib
import re
import unicodedata

_NUMBER = r"\d[\d.,]*\s?(?:k|nghìn|ngàn|triệu|tr)?\b"
_COUNTED = (
    r"lượt (?:xem|đọc|truy cập|tải|thích|chia sẻ|nghe)|(?:đã )?xem|bình luận|chia sẻ|lượt thích"
    r"|views?|reads?|hits?|comments?|likes?|shares?|downloads?"
)
_TICKING = re.compile(
    # counters behind their label, as in Lượt xem: 512 or Bình luận (3)
    rf"\b(?:số )?(?:{_COUNTED})\s*(?::\s*|\(\s*){_NUMBER}\s*\)?|\b(?:số )?lượt (?:xem|đọc|truy cập)\s+{_NUMBER}"
    # counters before their label: only where the line says nothing else, for a sentence may count visitors too
    rf"|^\W*{_NUMBER}\s*(?:{_COUNTED})\W*$"
    # relative times such as 3 phút trước, alone on a line or behind a label such as "Cập nhật"
    r"|^\W*(?:cập nhật|đăng|updated|posted)?[:\s]*\d{1,4}\s*(?:giây|phút|giờ|tiếng|ngày|tuần|tháng) trước\W*$"
    r"|^\W*(?:updated|posted)?[:\s]*\d{1,4}\s*(?:second|minute|hour|day|week|month)s? ago\W*$",
    re.I | re.M,
)
_DIGIT = re.compile(r"\d")


def words_hash(*parts: str | None) -> str:
    """64 hex digits over the parts in NFC, white space folded, without view counters and relative times."""
    folded = (" ".join(_without_ticking(unicodedata.normalize("NFC", part or "")).split()) for part in parts)
    return hashlib.sha256("\0".join(folded).encode("utf-8", "surrogatepass")).hexdigest()


def _without_ticking(text: str) -> str:
    """Whatever ticks has a figure."""
    return _TICKING.sub(" ", text) if _DIGIT.search(text) else text
