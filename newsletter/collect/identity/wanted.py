"""Which articles of a source are wanted, by the words its operator named. Pure.

Whole words and phrases count, whatever their case and Unicode form; marks count too ("đo" is not "do"). Must never judge
by an excerpt what the article's own page may still say: `partial` articles are only refused for what they do have.
"""

import re
import unicodedata
from collections.abc import Sequence

from newsletter.model import RawItem, Source

# Two ways of writing the same open Vietnamese syllables, both in daily use: "hoà" and "hòa", "thuỷ" and "thủy".
_SECOND = "oà oá oả oã oạ oè oé oẻ oẽ oẹ uỳ uý uỷ uỹ uỵ"
_FIRST = "òa óa ỏa õa ọa òe óe ỏe õe ọe ùy úy ủy ũy ụy"
_SAME = dict(zip(_SECOND.split(), _FIRST.split(), strict=True))
_OPEN = re.compile(rf"(?<!q)(?:{'|'.join(_SAME)})(?!\w)")  # "hoàn" and "quý" are written one way only
# Letters and figures with the vowel signs that Indian scripts write as marks; or what ends a sentence or a line.
_WORD_OR_END = re.compile(r"(?:[^\W_]|[\u0300-\u036f\u0900-\u0963\u0970-\u0dff])+|[.!?;:…\n]+")
# Scripts that put no space between words: there a phrase is found wherever it stands.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def unwanted(source: Source, item: RawItem, *, partial: bool = False) -> str | None:
    """Why `item` is not wanted of `source`, in words for a person; None when it is.

    `partial`: its page is still to be read, so that a wanted word it lacks may yet come.
    """
    if not source.include and not source.exclude:
        return None
    text = _folded("\n".join((item.title, item.standfirst or "", item.text)))
    found = _first_of(source.exclude, text)
    if found is not None:
        return f"has the excluded word {_quoted(found)}"
    if not source.include or partial or _first_of(source.include, text) is not None:
        return None
    return f"has none of the wanted words {', '.join(map(_quoted, source.include))}"


def _first_of(phrases: Sequence[str], folded: str) -> str | None:
    """The first of the phrases that stands in a text made by `_folded`."""
    for phrase in phrases:
        wanted = _folded(phrase).strip(" |")
        if wanted and (f" {wanted} " in folded or (_UNSPACED.search(wanted) and wanted in folded)):
            return phrase
    return None


def _folded(text: str) -> str:
    """Words in lower case with one blank around each; the end of a sentence or line stands between them as a sign."""
    plain = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    plain = _OPEN.sub(lambda found: _SAME[found[0]], plain)
    signs = ("|" if token[0] in ".!?;:…\n" else token for token in _WORD_OR_END.findall(plain))
    return f" {' '.join(signs)} "


def _quoted(phrase: str) -> str:
    return f"'{phrase}'"
