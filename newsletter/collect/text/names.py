"""Authors' names as pages write them: what belongs to a name, and which names are no person's. Pure.

Must never invent a name: what is left of "Admin" or "Updated March" is nothing.
"""

import html
import re
from collections.abc import Iterable

from newsletter.collect.text.clean import one_line

_BY = re.compile(
    r"(?:this (?:post|article|page) (?:was|is) )?(?:(?:words|text|story|article|posted|written|published|reported|reviewed"
    r"|medically reviewed|edited)\s+by|by|von|par|por|bởi|tác giả|người viết|người đăng|đăng bởi|written|author|từ|autor|auteur)"
    r"\s*(?::\s*|\s)",
    re.I,
)
_SOURCE = re.compile(r"(?:theo|nguồn(?: tin)?|source)\s*(?::\s*|\s)", re.I)
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_ONLY_A_MONTH = (
    r"(?:january|february|feb|september|sept|october|oct|november|nov|december|dec)"  # May and Jan are names
)
# Behind one of these the name has ended: a date, an office, a link of the author's box.
_END = re.compile(
    r"\s*(?:[|•·●⋅∙©]|\s[-–—/]\s|\s\(|(?<=\w)\s+\d|\bcập nhật\b|(?-i:\s(?:on|in|at|am|vào|lúc)$)"
    r"|\b(?:last\s+)?(?:updated|published|posted|modified|reviewed|edited)\b"
    rf"|(?:^|\s|,){_MONTH}\.?[\s,]+\d|(?:^|\s|,){_ONLY_A_MONTH}\.?$"
    rf"|\son\s+(?:{_MONTH}|(?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
    r"|\b(?:view (?:all|author|more|profile|bio)|read (?:more|next|full|time)|see (?:all|more|full)|get (?:author|the)"
    r"|share (?:article|this|on)|follow|more about|publié|lesezeit|lesedauer|min read)\b).*",
    re.I | re.S,
)
_LEADING = re.compile(r"(?:read more about|more about|about|meet)\s+", re.I)
_OFFICE = re.compile(
    r"[\s,]+(?:(?:contributing|senior|staff|chief|lead|former|managing|deputy|associate|assistant|executive|freelance|guest|head"
    r"|news|founding)\s+.*|(?:co-?)?(?:founder|writer|editor|reporter|correspondent|contributor|journalist|author|director|fellow"
    r"|photographer|columnist)\b.*|phóng viên.*|biên tập viên.*|기자.*|記者.*)",
    re.I | re.S,
)
_AND = re.compile(r"\s*;\s*|\s+(?:and|und|og|och|và|et|y|&|with)\s+|\s*/\s+|\s+/\s*|,\s+(?:and|và|und)\s+", re.I)
_DEGREE = re.compile(
    r"(?:[A-Z][a-z]?\.?){1,4}[A-Z]\.?|[A-Z]{2,6}(?:-[A-Z]{2,4})?|[A-Z]-[A-Z]{2,4}.*|Jr\.?|Sr\.?|II|III|Ph\.?D\.?|Esq\.?"
)
# Names of an account or a field, not of anybody.
_NOBODY = re.compile(
    r"(?:(?:super|web)[-_ ]?(?:user|master)|admin(?:istrator)?s?|superuser account|quản trị(?: viên| hệ thống)?|user|root|test"
    r"|(?:(?:the|about the) )?author|anonymous|unknown|null|none|undefined|editor|guest|twitter|facebook|by|home"
    r"|written by|posted by|privacy.*|conditions.*|nguồn|tác giả|lượt xem|in trang|share|xxx+)",
    re.I,
)
_OFFICE_ALONE = re.compile(
    r"pv|bbt|ctv|p\.v|ban biên tập|phóng viên|newsroom|redaktion|rédaction|redazione|redacción"
    r"|(?:the\s+)?(?:editorial|news|marketing|content|web)?\s*(?:team|desk|staff|redaktion|redaction)",
    re.I,
)
_ORGANISATION = re.compile(
    r"\b(?:team|staff|news|press|agency|institute|university|center|centre|foundation|association|society|magazine|times|daily"
    r"|post|media|group|inc|ltd|llc|gmbh|company|corporation|clinic|hospital|department|office|ministry|council|desk|network"
    r"|editorial|redaktion|rédaction|redaction|ttxvn|vov|vtv)\b|\.(?:com|vn|de|org|net|fr)\b|通信|新聞|編集部|日報|일보"
    # a Vietnamese house begins with what it is; inside a person's name the same words are names
    r"|^(?:viện|trung tâm|trường|đại học|học viện|bộ|sở|phòng|ban|cục|vụ|tổng cục|hội|báo|tạp chí|công ty|tập đoàn|ủy ban|uỷ ban"
    r"|tổ|nhóm|thông tấn xã|cổng thông tin|đài)\b|^(?:vn|viet)\w+$",
    re.I,
)
_LONGEST = 60  # characters
_MOST_WORDS = 8
_MOST = 20


def people(raw: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in order, without "by", office, date and degree marks; several in one string are parted."""
    found: list[str] = []
    for text in raw:
        line = one_line(html.unescape(text or ""), 300)
        for part in _parted(line):
            name = _bare(part)
            if name and name not in found:
                found.append(name)
    return tuple(found[:_MOST])


def is_organisation(name: str) -> bool:
    """Whether a name is that of a house or an office ("Ban biên tập", "PV", "VnExpress") and not a person's."""
    return bool(_OFFICE_ALONE.fullmatch(name) or _ORGANISATION.search(name))


def credited(text: str) -> str | None:
    """The source a text credits ("Theo Báo Đồng Bằng", "Nguồn: …"), or None: it did not write the article for the page."""
    found = _SOURCE.match(text)
    return text[found.end() :].strip(" .)") or None if found else None


def _parted(line: str) -> list[str]:
    """The names in a line. Only what looks like several full names is parted: "Sen and Minh" may be one firm."""
    line = _LEADING.sub("", _BY.sub("", line, count=1) if _BY.match(line) else line, count=1)
    pieces = _AND.split(line)
    if len(pieces) > 1 and (is_organisation(line) or any(len(piece.split()) < 2 for piece in pieces)):
        return [line]
    return [name for piece in pieces for name in _by_comma(piece)]


def _by_comma(piece: str) -> list[str]:
    """ "Lê Sen, Tạ Minh" are two; "Lê Sen, MD" and "Le, Sen" are one."""
    first, *rest = (part.strip() for part in piece.split(","))
    full = [part for part in rest if len(part.split()) >= 2 and not _is_addition(part)]
    if not rest or len(first.split()) < 2:
        return [piece]
    if full:
        return [first, *full]
    return [piece] if _DEGREE.fullmatch(rest[0]) else [first] if _is_addition(rest[0]) else [piece]


def _is_addition(text: str) -> bool:
    return (
        bool(_DEGREE.fullmatch(text))
        or bool(re.match(r"[a-z]", text))
        or bool(_OFFICE.fullmatch(" " + text))
        or bool(re.match(r"(?:Sr|Jr)\b", text))
    )


def _bare(text: str) -> str:
    name = text.strip()
    while _BY.match(name):
        name = _BY.sub("", name, count=1)
    name = _END.sub("", name)
    without = _OFFICE.sub("", name)
    name = (without if len(without.split()) >= 2 else name).strip(' \t,;:.-–—|•·*"“”') + (
        "." if re.search(r"\b[A-ZĐ]\.$", name) else ""
    )
    if not 2 <= len(name) <= _LONGEST or len(name.split()) > _MOST_WORDS or _NOBODY.fullmatch(name):
        return ""
    if (
        "@" in name
        or "://" in name
        or name.startswith(("http", "www."))
        or not re.search(r"[^\W\d_]{2}|[^\W\d_]\.[^\W\d_]|^(?!\d)\w{2}", name)
    ):
        return ""
    return name
