"""What is measured of each sentence of an article: where it stands, how central it is, what it tells. Pure.

No rule here knows one word of news; `salience` gives how likely each word is to be said, `sets` weighs whole sets.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.summarise import salience
from newsletter.summarise.arrays import Floats, np
from newsletter.summarise.salience import Words
from newsletter.summarise.sentences import has_quotation_mark, is_balanced
from newsletter.summarise.weights import Weights
from newsletter.summarise.words import tokens

ECHO = 0.8  # share of the title's words
DAMPING, ROUNDS = 0.85, 15  # of PageRank (Brin and Page 1998); scores settle to three digits in 15 rounds

SENTENCE_SIGNS = (
    "early", "place", "first", "among first three", "length", "off usual length", "central", "linked", "titled",
    "like first", "repeated", "figures", "quoted", "question", "leans", "attendance", "result", "unbalanced",
    "words said", "pairs said", "opens paragraph", "of first five",
)  # fmt: skip

_LEANING = re.compile(
    r"(?:tuy nhiên|tuy vậy|tuy thế|nhưng|thế nhưng|song|do đó|do vậy|vì vậy|vì thế|bởi vậy|nhờ đó|nhờ vậy|bên cạnh đó"
    r"|ngoài ra|trong khi đó|trong đó|theo đó|đồng thời|sau đó|khi đó|cũng|còn|và|trước đó|cùng với đó|mặt khác|như vậy"
    r"|qua đó|từ đó|họ|nó|đây|điều này|việc này|kết quả là|cụ thể(?=[:,])|(?:\w+ ){1,6}(?:đó|này|ấy|trên)(?=,)"
    # "Ông nói" needs its man named before; "Ông Pao nói" and "bà con" do not.
    r"|(?:ông|bà|anh|chị|cô|cháu|em) (?:này|ấy|ta|là|cho|nói|cũng|đã|đang|sẽ|bị|được|có|còn|kể|khai|không|từng|luôn|khẳng định"
    r"|nhấn mạnh|chia sẻ|tiết lộ|thừa nhận|bày tỏ|giải thích)"
    r"|he|she|they|it|his|her|their|its|but|and|however|meanwhile|also|this|these|that|those|moreover|instead|therefore"
    r"|thus|so|furthermore|in addition|as a result|by contrast|in contrast|for (?:this|that) reason|then|yet|nevertheless"
    r"|il|elle|ils|elles|mais|et|cependant|toutefois|ce dernier|par conséquent|en revanche|er|aber|und|doch"
    r"|ia|dia|mereka|namun|tapi|selain itu|sementara itu|oleh karena itu|hal ini|hal itu|ancak|fakat|ama|bu)\b(?!-)",
    re.I,
)
# Who sat in the room is what institutes write second and readers want last: taken only when there is nothing else.
_ATTENDANCE = re.compile(
    r"(?:tham (?:dự|gia)|cùng dự|dự|có mặt)\b.{0,100}\b(?:có|gồm)\b|(?:among (?:those|the guests)|attending|present at)\b"
    r"|.{0,60}\bwas attended by\b",
    re.I,
)
_QUOTED = re.compile(r"[\"“«„][^\"”»“]*[\"”»“]")
# What somebody says begins behind a colon, a comma or at the start; other marks that never close were lost in print.
_SPEECH = re.compile(r"[\"”»]\s*[.!?…]*$|[:,]\s*[\"“«]|^[\"“«]")
_SPEECH_OPENS, _SPEECH_ENDS = re.compile(r"[:,]\s*[\"“«][^\"”»]*$"), re.compile(r"[\"”»]\s*[.!?…]*$")
LONGEST_SPEECH = 6  # sentences; a mark that closes later than that belongs to something else
_FIGURE = re.compile(r"\d+")
# Words of results, not of topics: something was finished, reached, decided, counted.
_RESULT = re.compile(
    r"\b(?:hoàn thành|đạt|tăng|giảm|vượt|ký kết|khánh thành|bàn giao|nghiệm thu|công bố|thông qua|phê duyệt|thành công"
    r"|won|reached|completed|finished|rose|fell|signed|approved|launched|opened|announced|agreed|awarded|increased"
    r"|atteint|achevé|signé|mencapai|menyelesaikan|tamamland\w*|erreicht\w*)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentences:
    """The sentences of one article, at least one, with all that is measured of them. Arrays go by sentence."""

    texts: Sequence[str]
    language: str
    words: Words
    said: Floats  # by word: how likely a summary says it
    pairs_said: Floats
    likeness: Floats  # sentences x sentences, cosines, nothing on the diagonal
    to_title: Floats
    to_centre: Floats
    lengths: Floats  # characters
    signs: Floats  # sentences x SENTENCE_SIGNS
    leaning: Floats  # 1 where the sentence needs the one before it
    marked: Floats  # 1 where it holds a quotation mark
    unbalanced: Floats  # 1 where it opens or closes a quotation that it does not hold whole
    halves: Floats  # 1 where it holds a part of what somebody says
    echoes: frozenset[int]  # sentences that say the title again
    results: frozenset[int]  # sentences that tell a result


def sign(name: str) -> int:
    """The column of `signs` that holds the sign of this name."""
    return SENTENCE_SIGNS.index(name)


def measure(
    texts: Sequence[str], openings: Sequence[bool], *, title: str, language: str, weights: Weights
) -> Sentences:
    """`texts`: at least one sentence. `openings`: which of them open a paragraph. `language`: primary subtag."""
    by_sentence = [tokens(text) or ["…"] for text in texts]
    title_words = tokens(title)
    words = salience.read(by_sentence, title_words, weights.known(language))
    single, pairs = salience.said(words, weights)
    vectors, idf = _vectors(words)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, 0)
    centre = _unit(vectors.sum(0))
    named = np.concatenate([words.title, words.title_pairs]) * idf
    shape = _Shape.of(texts)
    found = Sentences(
        texts=texts,
        language=language,
        words=words,
        said=single,
        pairs_said=pairs,
        likeness=likeness,
        to_title=vectors @ _unit(named),
        to_centre=vectors @ centre,
        lengths=np.array([len(text) for text in texts], float),
        signs=np.zeros((len(texts), len(SENTENCE_SIGNS))),
        leaning=shape.leaning,
        marked=shape.marked,
        unbalanced=shape.unbalanced,
        halves=_halves(texts, shape.unbalanced),
        echoes=_echoes(by_sentence, title_words),
        results=frozenset(index for index, text in enumerate(texts) if tells_result(text)),
    )
    found.signs[:] = _signs(found, shape, np.array(openings, float))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """What the letters of each sentence show without its neighbours."""

    leaning: Floats
    attendance: Floats
    question: Floats
    quoted: Floats
    figures: Floats
    marked: Floats
    unbalanced: Floats

    @classmethod
    def of(cls, texts: Sequence[str]) -> "_Shape":
        marked = [has_quotation_mark(text) for text in texts]
        broken = [mark and not is_balanced(text) for text, mark in zip(texts, marked, strict=True)]
        return cls(
            leaning=np.array([leans(text) for text in texts], float),
            attendance=np.array([bool(_ATTENDANCE.match(text)) for text in texts], float),
            question=np.array([text.rstrip('"”»’ ').endswith("?") for text in texts], float),
            quoted=np.array([_quoted_share(text) if mark else 0 for text, mark in zip(texts, marked, strict=True)]),
            figures=np.array([len(_FIGURE.findall(text)) for text in texts], float),
            marked=np.array(marked, float),
            unbalanced=np.array(broken, float),
        )


def leans(sentence: str) -> bool:
    """Does the sentence open with a connective or pronoun, so that it needs the one before it?"""
    return bool(_LEANING.match(sentence.lstrip("\"“«‘'( ")))


def tells_result(sentence: str) -> bool:
    return bool(_FIGURE.search(sentence)) and bool(_RESULT.search(sentence.lower()))


def _halves(texts: Sequence[str], unbalanced: Floats) -> Floats:
    """1 for sentences that hold a part of what somebody says, and for those between its two ends."""
    found = np.array([half and bool(_SPEECH.search(text)) for text, half in zip(texts, unbalanced, strict=True)], float)
    for start in np.flatnonzero(unbalanced).tolist():
        if not _SPEECH_OPENS.search(texts[start]):
            continue
        for end in range(start + 1, min(start + LONGEST_SPEECH + 1, len(texts))):
            if unbalanced[end] and _SPEECH_ENDS.search(texts[end]):
                found[start:end] = 1
                break
    return found


def _quoted_share(text: str) -> float:
    return sum(len(part) for part in _QUOTED.findall(text)) / len(text)


def _vectors(words: Words) -> tuple[Floats, Floats]:
    """Unit TF-IDF rows of words and pairs, and the idf of each column. Pairs beat word segmentation in Vietnamese."""
    table = np.concatenate([words.counts, words.pairs], 1)
    idf = np.log(1 + len(table) / np.maximum((table > 0).sum(0), 1))
    table *= idf
    norms = np.sqrt((table * table).sum(1, keepdims=True))
    return table / np.where(norms == 0, 1, norms), idf


def _unit(vector: Floats) -> Floats:
    norm = float(np.sqrt(vector @ vector))
    return vector / norm if norm else vector


def _linked(likeness: Floats) -> Floats:
    """PageRank over likeness, 1 on average: a sentence is central when central ones are like it (LexRank, 2004)."""
    count = len(likeness)
    total = likeness.sum(1, keepdims=True)
    steps = np.where(total > 0, likeness / np.where(total == 0, 1, total), 1 / count)
    rank = np.full(count, 1 / count)
    for _ in range(ROUNDS):
        rank = (1 - DAMPING) / count + DAMPING * (rank @ steps)
    return rank * count


def _echoes(by_sentence: Sequence[Sequence[str]], title: Sequence[str]) -> frozenset[int]:
    wanted = set(title)
    return frozenset(
        index
        for index, words in enumerate(by_sentence)
        if wanted and len(wanted.intersection(words)) >= ECHO * len(wanted)
    )


def _signs(found: Sentences, shape: _Shape, openings: Floats) -> Floats:
    count = len(found.texts)
    at = np.arange(count)
    used = found.words.counts.sum(1)
    like_first = found.likeness[:, 0].copy()
    like_first[0] = 1
    columns = [
        1 / (1 + at),
        at / max(count - 1, 1),
        at == 0,
        at < 3,
        np.minimum(found.lengths, 400) / 100,
        np.abs(found.lengths - 170) / 100,
        found.to_centre,
        _linked(found.likeness),
        found.to_title,
        like_first,
        found.likeness.max(1),
        shape.figures / 5,
        shape.quoted,
        shape.question,
        shape.leaning,
        shape.attendance,
        [index in found.results for index in range(count)],
        shape.unbalanced,
        (found.words.counts > 0) @ found.said / np.maximum(used, 1),
        found.words.pairs @ found.pairs_said / np.maximum(used - 1, 1),
        openings,
        np.minimum(at + 1, 5) / 5,
    ]
    return np.array(columns, float).T
