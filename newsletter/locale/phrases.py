"""Whether a word or phrase that a person named stands in a text. Pure.

Whole words and phrases count, whatever their case and Unicode form; marks count too ("đo" is not "do"). Must never find a
phrase across the end of a sentence or line.
"""

import re
import unicodedata
from collections.abc import Sequence

# Two ways of writing the same open Vietnamese syllables, both in daily use: "hoà" and "hòa", "thuỷ" and "thủy".
_SECOND = "oà oá oả oã oạ oè oé oẻ oẽ oẹ uỳ uý uỷ uỹ uỵ"
_FIRST = "òa óa ỏa õa ọa òe óe ỏe õe ọe ùy úy ủy ũy ụy"
_SAME = dict(zip(_SECOND.split(), _FIRST.split(), strict=True))
_OPEN = re.compile(rf"(?<!q)(?:{'|'.join(_SAME)})(?!\w)")  # "hoàn" and "quý" are written one way only
# Letters and figures with the vowel signs that Indian scripts write as marks; or what ends a sentence or a line.
_WORD_OR_END = re.compile(r"(?:[^\W_]|[\u0300-\u036f\u0900-\u0963\u0970-\u0dff])+|[.!?;:…\n]+")
# Scripts that put no space between words: there a phrase is found wherever it stands.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def first_of(phrases: Sequence[str], text: str) -> str | None:
    """The first of the phrases that stands in a text that `folded` has made."""
    for phrase in phrases:
        wanted = folded(phrase).strip(" |")
        if wanted and (f" {wanted} " in text or (_UNSPACED.search(wanted) and wanted in text)):
            return phrase
    return None


def folded(text: str) -> str:
    """Words in lower case with one blank around each; the end of a sentence or line stands between them as a sign."""
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    plain = _OPEN.sub(lambda found: _SAME[found[0]], plain)
    signs = ("|" if token[0] in ".!?;:…\n" else token for token in _WORD_OR_END.findall(plain))
    return f" {' '.join(signs)} "
