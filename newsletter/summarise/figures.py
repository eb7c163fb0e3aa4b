"""Figures and names of a text in a comparable form, for the guard. Pure; must never judge.

1.200.000, 1,200,000 and 1200000 are one figure; so are 02/01/2024 and 2/1/2024, and "14" and "mười bốn".
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

_FIGURE = re.compile(r"(?<![\w])\d+(?:[.,:/-]\d+)*")
_THOUSANDS = re.compile(r"[.,](?=\d{3}(?:\D|$))")
_DATE = re.compile(r"(\d{1,2})[./-](\d{1,2})(?:[./-](\d{2,4}))?")
_ANY_WORD = re.compile(r"[^\W_]+|[.,;:!?]")
_WORD = re.compile(r"[^\W\d_]+|%|[$€£¥₫]")
_AFTER = re.compile(rf"[ \u202f-]{{0,2}}({_WORD.pattern})(?:[ -]({_WORD.pattern}))?")

STEM = 4  # letters by which neighbours are compared: "months" is "month"

_SCALES = {
    "nghìn": 10**3, "ngàn": 10**3, "triệu": 10**6, "tỷ": 10**9, "tỉ": 10**9,
    "thousand": 10**3, "million": 10**6, "billion": 10**9, "m": 10**6, "bn": 10**9,
    "mille": 10**3, "millions": 10**6, "milliards": 10**9, "milliard": 10**9,
    "ribu": 10**3, "juta": 10**6, "miliar": 10**9, "bin": 10**3, "milyon": 10**6, "milyar": 10**9,
    "mio": 10**6, "mrd": 10**9, "millionen": 10**6, "milliarden": 10**9, "millones": 10**6,
}  # fmt: skip

_ONES = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty",
    "vi": "không một hai ba bốn năm sáu bảy tám chín mười",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
    "id": "nol satu dua tiga empat lima enam tujuh delapan sembilan sepuluh sebelas",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce",
    "tr": "sıfır bir iki üç dört beş altı yedi sekiz dokuz on",
}
_ALSO = {
    "en": {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "half": 2, "dozen": 12, "thirty": 30,
           "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100},
    "vi": {"nhất": 1, "nhì": 2, "tư": 4, "bẩy": 7, "dăm": 5, "trăm": 100, "chục": 10},
    "fr": {"premier": 1, "première": 1, "second": 2, "seconde": 2, "une": 1, "vingt": 20, "cent": 100},
}  # fmt: skip
_MONTHS = """
january february march april may june july august september october november december
jan feb mar apr may jun jul aug sep oct nov dec
janvier février mars avril mai juin juillet août septembre octobre novembre décembre
januari februari maret april mei juni juli agustus september oktober november desember
januar februar märz april mai juni juli august september oktober november dezember
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
"""
_MONTH = {name: str(at) for line in _MONTHS.split("\n") for at, name in enumerate(line.split(), 1)}
_SPOKEN_DATE = re.compile(
    r"\b(?P<day>\d{1,2})(?:st|nd|rd|th|er)?,? (?:tháng (?P<number>\d{1,2})|(?:de |of )?(?P<name>[^\W\d_]{3,10})\.?)"
    r"(?:,? (?:năm |de )?(?P<year>\d{4}))?"
    r"|\b(?P<name2>[^\W\d_]{3,10})\.? (?P<day2>\d{1,2})(?:st|nd|rd|th)?\b(?:,? (?P<year2>\d{4}))?",
    re.I,
)
_VI_DIGIT = {"một": 1, "mốt": 1, "hai": 2, "ba": 3, "bốn": 4, "tư": 4, "năm": 5, "lăm": 5, "sáu": 6, "bảy": 7,
             "tám": 8, "chín": 9}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as written, its key, and the words beside it (lower case, "" at a sentence's edge)."""

    raw: str
    key: str
    parts: tuple[str, ...]  # day, month, year of a date; hours and minutes; a range's ends; else empty
    before: str
    after: str
    around: frozenset[str] = frozenset()  # marks of up to two words on either side, see `marks`

    @property
    def scaled(self) -> str | None:
        """The plain key of "1,2 triệu" is "1200000"; None without a word of scale."""
        scale = _SCALES.get(self.after)
        if scale is None:
            return None
        try:
            value = float(self.key) * scale
        except ValueError:
            return None
        return str(int(value)) if value == int(value) else None


def marks(before: Iterable[str], after: Iterable[str]) -> frozenset[str]:
    """The neighbours of a figure in comparable form: "<" before it, ">" after it, then the first STEM letters.

    A month counts on both sides: "4 March" is "March 4".
    """
    before, after = [word for word in before if word], [word for word in after if word]
    months = [word for word in (*before, *after) if word in _MONTH]
    return frozenset(
        [f"<{word[:STEM]}" for word in (*before, *months)] + [f">{word[:STEM]}" for word in (*after, *months)]
    )


def fold(text: str) -> str:
    """NFC with straight apostrophes, so that sources and summaries compare."""
    return unicodedata.normalize("NFC", text).replace("’", "'").replace("‘", "'").replace("\u00a0", " ")


def figures(text: str) -> Iterator[Figure]:
    """Every figure of `text` (folded) in order."""
    for found in _FIGURE.finditer(text):
        left = _WORD.findall(text[max(0, found.start() - 30) : found.start()].lower())
        right = _AFTER.match(text, found.end())
        after = [word.lower() for word in right.groups() if word] if right else []
        yield Figure(
            raw=found.group(),
            key=key(found.group()),
            parts=_parts(found.group()),
            before=left[-1] if left else "",
            after=after[0] if after else "",
            around=marks(left[-2:], after),
        )


def key(raw: str) -> str:
    """1.200.000 → 1200000; 1,5 → 1.5; 02/01/2024 → 2/1/2024; 4.0 → 4."""
    date = _DATE.fullmatch(raw)
    if date and (date[3] or "/" in raw) and int(date[1]) <= 31:
        return "/".join(part.lstrip("0") or "0" for part in date.groups() if part)
    plain = _THOUSANDS.sub("", raw).replace(",", ".")
    if re.fullmatch(r"\d+\.0+", plain):
        plain = plain.split(".")[0]
    return plain.lstrip("0") or "0"


def spoken_dates(text: str) -> set[str]:
    """Keys of the dates that `text` (folded) writes with words: "2 tháng 1 năm 2024", "2 January", "Jan. 2, 2024"."""
    keys: set[str] = set()
    for found in _SPOKEN_DATE.finditer(text):
        month = found["number"] or _MONTH.get((found["name"] or found["name2"] or "").lower())
        if month:
            keys |= date_keys((key(found["day"] or found["day2"]), key(month), found["year"] or found["year2"] or ""))
    return keys


def date_keys(parts: tuple[str, ...]) -> set[str]:
    """The shorter dates a date supports: 2/1/2024 also says 2/1 and 1/2024."""
    told = [part for part in parts if part]
    return {"/".join(told[start:end]) for start in range(len(told)) for end in range(start + 2, len(told) + 1)}


def _parts(raw: str) -> tuple[str, ...]:
    date = _DATE.fullmatch(raw)
    is_date = bool(date and (date[3] or "/" in raw))
    if is_date or re.search(r"[/:-]", raw):
        return tuple(key(part) for part in re.split(r"[./:-]" if is_date else r"[/:-]", raw))
    return ()


def spelled(text: str, language: str) -> Iterator[Figure]:
    """The numbers that `text` (folded) writes in words, one figure each; "năm 2024" gives a harmless five."""
    values = _word_values(language)
    words = [found.group() for found in _ANY_WORD.finditer(text.lower())]
    at = 0
    while at < len(words):
        value, taken = _vietnamese_tens(words, at) if language == "vi" else (None, 1)
        if value is None:
            value = values.get(words[at])
        if value is not None:
            before, after = words[at - 1] if at else "", words[at + taken] if at + taken < len(words) else ""
            near = marks(words[max(0, at - 2) : at], words[at + taken : at + taken + 2])
            said = " ".join(words[at : at + taken])
            yield Figure(raw=said, key=str(value), parts=(), before=before, after=after, around=near)
        at += taken


def plainly_spelled(text: str, language: str) -> Iterator[Figure]:
    """Only numbers in words of ten and more: smaller ones are also articles, pronouns and counts of the reader's own."""
    return (figure for figure in spelled(text, language) if int(figure.key) >= 10)


@cache
def _word_values(language: str) -> dict[str, int]:
    return {word: value for value, word in enumerate(_ONES.get(language, "").split())} | _ALSO.get(language, {})


def _vietnamese_tens(words: list[str], at: int) -> tuple[int | None, int]:
    """The number 10 to 99 that begins at `at` and how many syllables it takes: "mười bốn" is 14, "hai mươi" 20."""
    ones = _VI_DIGIT
    if words[at] == "mười":
        tens, taken = 10, 1
    elif words[at] in ones and at + 1 < len(words) and words[at + 1] == "mươi":
        tens, taken = ones[words[at]] * 10, 2
    else:
        return None, 1
    unit = ones.get(words[at + taken]) if at + taken < len(words) else None
    # "mười năm 2024" and "mười năm" (ten years) are not fifteen, which is written "mười lăm".
    if unit is None or words[at + taken] == "năm":
        return tens, taken
    return tens + unit, taken + 1


_NAME_BREAK = re.compile(r"(?<=[.!?…:;])\s+|\n+|[\"“”«»(),;|]|\s[–—-]\s")
_NAME_WORD = re.compile(r"[^\W_][\w'\-&.]*")


def names(text: str) -> list[str]:
    """Runs of capitalised words of `text` (folded), lower case.

    A lone word that opens a sentence is no name, unless it is an acronym.
    """
    return [
        " ".join(run).lower()
        for sentence in _NAME_BREAK.split(text)
        for at, run in _capitalised_runs(_NAME_WORD.findall(sentence))
        if len(run) >= 2 or at > 0 or (len(run[0]) > 1 and run[0].isupper())
    ]


def _capitalised_runs(words: list[str]) -> Iterator[tuple[int, list[str]]]:
    run: list[str] = []
    for at, word in enumerate([*words, ""]):
        if word[:1].isupper():
            run.append(word.rstrip(".").removesuffix("'s"))
        elif run:
            yield at - len(run), run
            run = []
