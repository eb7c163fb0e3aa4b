"""Where sentences begin and end. Rules only, no model; must never change, join or re-order the text it is given.

Vietnamese and English come first; French, German, Spanish, Indonesian, Turkish, Chinese and Japanese are served by the
same rules. A quotation or a parenthesis is kept whole, because half of one misleads.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from newsletter.summarise import abbreviations as words

_DEEPEST = 40  # marks open at once
LONGEST_QUOTE = 420  # a quotation that runs longer is split after all, else one lost mark swallows a page


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of code points: `text[start:end]`."""

    start: int
    end: int

    def of(self, text: str) -> str:
        return text[self.start : self.end]


_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_MARK = re.compile(
    rf"(?P<wide>[。！？]+[”」』）]*)(?![”」』）])"
    rf"|(?P<mark>[.!?…؟۔।]+)(?P<close>(?:[\"”’»')\]]|“(?=\s|$))*)(?=\s|$|[{_CJK}])"
    r"|(?P<tight>\.)(?<=[^\W\d_A-Z]{3}\.)(?=[^\W\d_a-zà-ỹ][a-zà-ỹ]+\s)"  # "xong.Sau đó": the space was lost
)
_CONTINUES_CJK = re.compile(
    r"[とっなのはがにをもで、，]|[^，。！？“「]{0,6}(?:说|說|问|問|喊|叫|答道|表示)[^了，]{0,2}[。，]"
)
_BRACKET = re.compile(r"[\"“”„«»()「」『』（）]")
_CLOSER = {"“": "”", "„": "“”", "«": "»", "(": ")", "「": "」", "『": "』", "（": "）", '"': '"'}
_OPENERS = "\"“„‘«'([「『（-–—•*"
_ACRONYM = re.compile(r"(?:[^\W\d_]{1,2}\.-?)+[^\W\d_]{1,2}$")
_LIST_NUMBER = re.compile(r"(?:\d{1,2}|[ivxlc]+|[a-zđ])$", re.I)
_LINE_BREAK = re.compile(r"[ \t]*(?:\r?\n|\r|\u2028|\u2029)[\s]*")
_QUOTED = re.compile(r"[\"“«][^\"“”«»]+[\"”»][.!?…]?$")
_ATTRIBUTED = re.compile(r"[\"“«][^\"“”«»]+[\"”»],?[^\"“”«».!?…]{0,40}[.!?…]$")


def split(text: str, language: str) -> list[Span]:
    """The sentences of `text` in order, trimmed. `language`: BCP 47; unknown ones are split by the common rules.

    A line break ends a sentence unless the line was plainly wrapped by hand (no closing mark, goes on in lower case).
    """
    return [span for start, end in lines(text) for span in split_line(text, start, end, language=language)]


def lines(text: str) -> Iterator[tuple[int, int]]:
    """Ranges of the lines of `text`; hand-wrapped lines (no blank line, goes on in lower case) count as one."""
    start = 0
    for found in _LINE_BREAK.finditer(text):
        wrapped = found.group().count("\n") == 1 and text[found.end() : found.end() + 1].islower()
        if wrapped and text[found.start() - 1 : found.start()] not in ".!?…;:":
            continue
        if text[start : found.start()].strip():
            yield start, found.start()
        start = found.end()
    if text[start:].strip():
        yield start, len(text)


def split_line(text: str, start: int, end: int, *, language: str) -> list[Span]:
    """The sentences of `text[start:end]`, which must be one line or paragraph; offsets are those of `text`."""
    line = text[start:end]
    cuts, enclosed = [0], _outermost(_enclosed(line))
    opened = [left for left, _ in enclosed]
    for found in _MARK.finditer(line):
        at = found.end()
        within = bisect_left(opened, found.start()) - 1
        if within >= 0 and enclosed[within][1] >= at:
            continue
        if not line[at:].strip() or _ends_sentence(line, cuts[-1], found, language):
            cuts.append(at)
    cuts.append(len(line))
    spans = [_trim(line, left, right) for left, right in pairwise(cuts) if line[left:right].strip()]
    return [Span(start + span.start, start + span.end) for span in _rejoin_quotes(line, spans)]


def _outermost(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Of ranges that lie apart or within each other those that no other holds, in order."""
    kept: list[tuple[int, int]] = []
    for left, right in sorted(pairs):
        if not kept or left > kept[-1][1]:
            kept.append((left, right))
    return kept


def quoted(line: str) -> list[str]:
    """What stands between matched quotation marks in `line`, without the marks."""
    return [line[left + 1 : right] for left, right in _enclosed(line) if line[left] in '"“„«「『']


def has_quotation_mark(line: str) -> bool:
    return any(mark in line for mark in '"“”„«»「」『』')


def is_balanced(line: str) -> bool:
    """Every quotation mark in `line` has its partner: the line neither opens nor ends in the middle of a quotation."""
    matched = {at for pair in _enclosed(line, longest=len(line)) for at in pair}
    return all(found.start() in matched for found in _BRACKET.finditer(line) if found.group() not in "()（）")


def _trim(line: str, left: int, right: int) -> Span:
    piece = line[left:right]
    return Span(left + len(piece) - len(piece.lstrip()), left + len(piece.rstrip()))


def _enclosed(line: str, longest: int = LONGEST_QUOTE) -> list[tuple[int, int]]:
    """Ranges from a quotation mark or parenthesis to its partner; those longer than `longest` are not trusted."""
    found: list[tuple[int, int]] = []
    open_: list[tuple[str, int]] = []
    for match in _BRACKET.finditer(line):
        char, at = match.group(), match.start()
        partner = next((k for k in range(len(open_) - 1, -1, -1) if char in _CLOSER[open_[k][0]]), None)
        if char == '"' and partner is not None and _opens_straight(line, at):
            partner = None  # the earlier mark never closed; this one opens a new quotation
        if partner is not None:
            found.append((open_[partner][1], at))
            del open_[partner:]
        elif char in _CLOSER and (char != '"' or _opens_straight(line, at)):
            open_.append((char, at))
            del open_[:-_DEEPEST]  # a page of marks that never close would be searched through for each of them
    return [(left, right) for left, right in found if right - left <= longest]


def _opens_straight(line: str, at: int) -> bool:
    return (at == 0 or line[at - 1] in " \t\u00a0([–—-/:") and at + 1 < len(line) and not line[at + 1].isspace()


def _ends_sentence(line: str, start: int, found: re.Match[str], language: str) -> bool:
    right = line[found.end() :].lstrip()
    if found["wide"]:
        closed = found["wide"][-1] in "”」』）"
        return not (closed and _CONTINUES_CJK.match(right)) and right[:1] not in "，、,"
    core = right.lstrip(_OPENERS).lstrip()
    if not core or core[0].islower():
        return False
    # An initial ("J. A. Fenn") opens no sentence, though "a" does.
    after = "" if core[0].isalpha() and core[1:2] == "." else re.split(r"[\s’'.,;:!?]", core, maxsplit=1)[0].lower()
    before = line[start : found.start()].rsplit(None, 1)
    if found["tight"]:
        return before[-1].islower() and before[-1] not in words.TITLES | words.NUMBERED | words.TRAILING
    if found["close"]:
        return not _speaker_follows(core)
    if found["mark"] in ("!", "?"):
        return after not in words.COMPANY
    if found["mark"] != "." or not before:
        return True
    opens = len(before) == 1 or before[0].strip().lower() in words.HEADINGS  # "3. …", "Điều 5. …"
    return _stop_closes(before[-1].lstrip(_OPENERS), after, opens=opens, language=language)


def _stop_closes(word: str, after: str, *, opens: bool, language: str) -> bool:
    """Does the full stop behind `word` close the sentence, when `after` (lower case) comes next?

    `opens`: nothing but a heading's name stands before `word`.
    """
    low, last = word.lower(), re.split(r"[.\-–/’']", word)[-1].lower()
    if opens and _LIST_NUMBER.match(word):
        return False
    if low.isdigit():
        return not (len(low) <= 2 and language.split("-")[0] in words.ORDINAL_LANGUAGES)
    if low == "v.v":
        return True
    if low in ("a.m", "p.m"):
        return after not in words.TIME_FOLLOWERS and not after[:1].isdigit()
    if low in words.LOWER_TITLES or (last in words.TITLES and word[:1].isupper()):
        return False
    if len(word) == 1 and word.isupper():  # an initial
        return after in words.STARTERS
    if word in words.NAME_BEGINNINGS:
        return False
    if last in words.NUMBERED and (len(last) > 1 or word == last):
        return not (after.lstrip("$€£¥~")[:1].isdigit() or re.fullmatch(r"[ivxlc]+", after))
    if last in words.TRAILING or _ACRONYM.match(word):
        return after in words.STARTERS
    return True


def _speaker_follows(core: str) -> bool:
    """“Why now?” Lan asked. — the speaker belongs to the quotation before."""
    head = re.split(r"[.!?…,]", core, maxsplit=1)[0].lower().split()
    return 2 <= len(head) <= 6 and bool(words.SPEECH & set(head[1:4]))


def _rejoin_quotes(line: str, spans: list[Span]) -> list[Span]:
    """“It is over,” she said. “We move on.” — the second quotation needs the speaker named before it."""
    joined: list[Span] = []
    for span in spans:
        if joined and span.end - joined[-1].start <= LONGEST_QUOTE:
            first = joined[-1]
            if _QUOTED.fullmatch(span.of(line)) and _ATTRIBUTED.fullmatch(first.of(line)):
                joined[-1] = Span(first.start, span.end)
                continue
        joined.append(span)
    return joined
