"""What an article is about, in a few labels: the source's own, then names it repeats, then phrases of its title. Pure.

Precision before recall: a label that is wrong is worse than none, because readers will choose by it. Vietnamese writes only
the first syllable of a name's words with a capital ("Viện Khoa học Biển"), so a name is not a run of capitals there: it is
what is repeated in the same words, with a capital at its beginning, as long as it goes on the same way each time.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from newsletter.summarise.words import function_words, primary

MOST = 4
MOST_PHRASES = 1
TIMES = 3  # how often title and text together must say it
ELSEWHERE = 4  # a name that the title does not hold
NEARLY = 0.7  # a longer run said so often, of the times of the shorter one, is the whole name
LONGEST_NAME = 7  # words
LONGEST_PHRASE = 4
TEXT_READ = 20_000  # characters

_BREAK = re.compile(r"(?<=[.!?…:;])[\"”’»)]*\s+|\n+|[\"“”«»(),;|/]|\s[–—-]\s")
_GOES_ON = ",;()/|–—-"  # after these the sentence goes on; after all others a capital says nothing
_WORD = re.compile(r"[^\W_]+(?:['’&.-][^\W_]+)*")

# Who tells the news is not what it is about; forms of address open a name, and are not it; an empty word neither begins
# nor ends a phrase, beyond those of grammar.
_LISTS = {
    "tellers": "afp ap reuters ttxvn tto vtv vov vnexpress pv dpa ansa antara bbc cnn xinhua aa tass efe",
    "titles": "ông bà anh chị em cô chú bác cụ gs pgs ts ths bs ks mr mrs ms dr prof sir m mme monsieur madame bapak ibu",
    "calendar": """monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
        september october november december thứ tháng ngày năm quý""",
    "vi": """cũng đang sẽ rất hơn nhiều ít mọi mỗi đó ấy nay nên nếu thì mà vì do bởi đến ra vào lên xuống lại nói cho biết
        phải cần theo tại trên dưới sau trước giữa cùng về đây kia gì nào ai sao như cả còn chỉ hay hoặc nhưng bị bằng qua
        hai ba bốn nhất mới chiếc cái con vụ việc cuộc bỏ lớn nhỏ triệu tỷ nghìn đồng tìm thấy mất""",
    "en": "would could should can may might will must say says said more most not no new but or so if how why",
}
_WORDS = {name: frozenset(words.split()) for name, words in _LISTS.items()}
_TELLERS, _TITLES, _CALENDAR, _EMPTY_VI, _EMPTY_EN = _WORDS.values()
_NUMERAL = frozenset("IVXLC")


@dataclass(frozen=True, slots=True)
class _Piece:
    """Words between two marks. `opens`: the first one begins a sentence, so that its capital says nothing."""

    words: tuple[str, ...]
    opens: bool


def topics(
    *, title: str, text: str, language: str | None, own: Sequence[str] = (), most: int = MOST
) -> tuple[str, ...]:
    """At most `most` labels beyond the source's `own`, which come first. Each as the article writes it; none twice."""
    tongue = primary(language, text or title)
    titled = _pieces(title)
    pieces = [*titled, *_pieces(text[:TEXT_READ])]
    found = [*_names(titled, pieces, tongue), *_phrases(titled, pieces, tongue)]
    kept: list[str] = [" ".join(unicodedata.normalize("NFC", label).split()) for label in own if label.strip()]
    room = len(kept) + most
    for label in found:
        if len(kept) < room and not any(_inside(label, other) or _inside(other, label) for other in kept):
            kept.append(label)
    return tuple(dict.fromkeys(kept))


def _pieces(text: str) -> list[_Piece]:
    found, at, opens = [], 0, True
    text = unicodedata.normalize("NFC", text)
    for gap in [*_BREAK.finditer(text), None]:
        end = gap.start() if gap else len(text)
        words = tuple(match[0] for match in _WORD.finditer(text, at, end))
        if words:
            found.append(_Piece(words=words, opens=opens))
        if gap:
            at, mark = gap.end(), gap[0].strip()
            opens = (opens and not words) or not mark or mark[0] not in _GOES_ON
    return found


def _names(titled: Sequence[_Piece], pieces: Sequence[_Piece], language: str) -> list[str]:
    """Names said often enough, those of the title first, then the most frequent, then the earlier."""
    counts, inner = Counter[tuple[str, ...]](), set[tuple[str, ...]]()
    told = {run for piece in titled for _, run in _candidates(piece.words)}
    for piece in pieces:
        for at, run in _candidates(piece.words):
            counts[run] += 1
            if at or not piece.opens or (len(run) > 1 and run[1][:1].isupper()):
                inner.add(run)
    lower = {word for piece in pieces for word in piece.words if word[:1].islower()}
    often = [run for run, times in counts.items() if times >= (TIMES if run in told else ELSEWHERE)]
    good = [run for run in often if run in inner and _is_name(run, language, lower) and _closed(run, counts)]
    order = {run: at for at, run in enumerate(counts)}
    good.sort(key=lambda run: (run not in told, -counts[run] * (1 + (len(run) > 1)), order[run]))
    return [" ".join(run) for run in good]


def _candidates(words: Sequence[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every run that begins with a capital and ends with one, or with the word that completes a capital one."""
    for start, first in enumerate(words):
        if not first[:1].isupper() or first.lower() in _TITLES:
            continue
        for end in range(start + 1, min(start + LONGEST_NAME, len(words)) + 1):
            run = tuple(words[start:end])
            if run[-1][:1].isupper() or (end - start > 1 and run[-2][:1].isupper()):
                yield start, run
            elif end - start > 2 and not any(word[:1].isupper() for word in run[-3:]):
                break


def _is_name(run: Sequence[str], language: str, lower: set[str]) -> bool:
    low = [word.lower() for word in run]
    if low[0] in _CALENDAR or low[-1] in _EMPTY_VI or _is_grammar(low[-1], language) or run[-1].isdigit():
        return False
    if _is_grammar(low[0], language) or any(word in _TELLERS or word.split(".")[0] in _TITLES for word in low):
        return False
    if len(run) == 1:
        if run[0].isupper() and len(run[0]) >= 2:
            return not _NUMERAL.issuperset(run[0])  # an acronym, not a numeral
        # one Vietnamese syllable is a family name or half a word; elsewhere a word that is also written small is none
        return language != "vi" and len(run[0]) >= 4 and low[0] not in lower
    if language == "vi":
        return len(run) > 2 or run[1][:1].isupper()  # "Khoa học" alone is half of a name
    return all(word[:1].isupper() for word in (run[0], run[-1]))


def _closed(run: tuple[str, ...], counts: Mapping[tuple[str, ...], int]) -> bool:
    """Nothing longer is said (nearly) as often: "Viện Khoa" gives way to "Viện Khoa học Biển"."""
    longer = (
        other
        for other, often in counts.items()
        if len(other) > len(run) and often >= max(TIMES, counts[run] * NEARLY) and _within(run, other)
    )
    return next(longer, None) is None


def _phrases(titled: Sequence[_Piece], pieces: Sequence[_Piece], language: str) -> list[str]:
    """Two to four neighbouring words of the title that the text repeats, the longest first."""
    counts, shown = Counter[tuple[str, ...]](), dict[tuple[str, ...], Counter[str]]()
    for piece in pieces:
        for size in range(2, LONGEST_PHRASE + 1):
            for at in range(len(piece.words) - size + 1):
                words = piece.words[at : at + size]
                low = tuple(word.lower() for word in words)
                counts[low] += 1
                if at or not piece.opens:
                    shown.setdefault(low, Counter())[" ".join(words)] += 1
    wanted = {run for piece in titled for run in _runs([word.lower() for word in piece.words])}
    good = [run for run in wanted if counts[run] >= TIMES and run in shown and _is_phrase(run, language)]
    good.sort(key=lambda run: (-len(run), -counts[run], run))
    kept: list[tuple[str, ...]] = []
    for run in good:
        if not any(set(run) & set(other) for other in kept):
            kept.append(run)
    labels = [shown[run].most_common(1)[0][0] for run in kept]
    return [label for label in labels if label.islower()][:MOST_PHRASES]  # with a capital inside it is part of a name


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(2, LONGEST_PHRASE + 1):
        yield from (tuple(words[at : at + size]) for at in range(len(words) - size + 1))


def _is_phrase(run: Sequence[str], language: str) -> bool:
    """Opens and ends with words that carry something, and holds no figure."""
    ends = (run[0], run[-1])
    plain = _EMPTY_VI if language == "vi" else _EMPTY_EN
    empty = any(_is_grammar(word, language) or word in plain or word in _CALENDAR or len(word) < 2 for word in ends)
    return not empty and not any(any(sign.isdigit() for sign in word) for word in run)


def _is_grammar(word: str, language: str) -> bool:
    return language in function_words(word)


def _inside(label: str, other: str) -> bool:
    return f" {label.lower()} " in f" {other.lower()} "


def _within(run: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return any(other[at : at + len(run)] == run for at in range(len(other) - len(run) + 1))
