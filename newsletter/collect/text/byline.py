"""Who wrote it, from the end of the text: Vietnamese institute pages sign "Đ.L" or "Tin, ảnh: Minh Anh". Pure.

"Theo VnExpress" names a source and "PV" an office: names of houses, which give way to any person's.
"""

import re

from newsletter.collect.text.names import credited, is_organisation, people

_LABEL = re.compile(
    r"(?:(?:tin|bài|ảnh|tin bài|tác giả|người viết|thực hiện|biên tập|by|author|text|words|photos?|story)"
    r"\s*(?:,|và|&|\+|and|-|–)?\s*){1,3}"
    r":\s*(.{2,80})",
    re.I,
)
_INITIALS = re.compile(r"(?:[A-ZĐ][\u0300-\u036f]?\.\s?){1,3}[A-ZĐ]\w{0,12}\.?")
_OFFICE = re.compile(r"PV|P\.V|BBT|CTV|Ban biên tập|Phóng viên|Nhóm PV|TTXVN", re.I)
_PARAGRAPHS_FROM_THE_END = 3
_BETWEEN_NAMES = re.compile(r"\s+[-–—]\s+")


def byline(text: str) -> tuple[str, ...]:
    """The names signed in the last three paragraphs, persons before a source or an office; () for none."""
    houses: tuple[str, ...] = ()
    for paragraph in reversed(text.rstrip().split("\n\n")[-_PARAGRAPHS_FROM_THE_END:]):
        line = paragraph.strip().strip("()*[]").strip()
        names = _signed(line)
        if names and not all(map(is_organisation, names)):
            return names
        source = credited(line) if len(line) <= 60 else None
        houses = houses or names or ((source,) if source and len(source.split()) <= 6 else ())
    return houses


def _signed(line: str) -> tuple[str, ...]:
    if (len(line) <= 25 and _INITIALS.fullmatch(line)) or _OFFICE.fullmatch(line):
        return (line,)
    labelled = _LABEL.fullmatch(line)
    if not labelled or "@" in labelled[1] or len(labelled[1].split()) > 12:
        return ()
    given = labelled[1].strip(" )")
    return people(_BETWEEN_NAMES.split(given)) or ((given.rstrip("."),) if _OFFICE.fullmatch(given) else ())
