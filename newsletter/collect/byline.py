"""Who wrote it, from the end of the text: Vietnamese institute pages sign "Đ.L" or "Tin, ảnh: Minh Anh". Pure."""

import re

_LABEL = re.compile(
    r"(?:(?:tin|bài|ảnh|tin bài|tác giả|người viết|thực hiện|by|author|text|words)\s*(?:,|và|&|\+|and|-)?\s*){1,3}:\s*(.{2,60})",
    re.I,
)
_INITIALS = re.compile(r"(?:[A-ZĐ]\p{m}?\.\s?){1,3}[A-ZĐ]\w{0,12}\.?".replace(r"\p{m}", r"[\u0300-\u036f]"))
_PARAGRAPHS_FROM_THE_END = 3


def byline(text: str) -> str | None:
    """The signature in the last three paragraphs, or None."""
    for paragraph in reversed(text.rstrip().split("\n\n")[-_PARAGRAPHS_FROM_THE_END:]):
        line = paragraph.strip().strip("()*")
        if len(line) <= 25 and _INITIALS.fullmatch(line):
            return line
        labelled = _LABEL.fullmatch(line)
        if labelled and len(labelled[1].split()) <= 8 and "@" not in labelled[1]:
            return labelled[1].strip(" .)")
    return None
