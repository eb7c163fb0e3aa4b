"""Text whose bytes were decoded but whose letters are still not what was written. Pure: str to str, for every reader.

Three kinds: the Vietnamese font encodings TCVN3 (ABC, ".VnTime") and VNI, which write Vietnamese in the places of Latin
letters and signs, so that no detector of encodings knows them; and UTF-8 that was decoded as Windows-1252 and encoded
again ("Viá»‡n"). Must never change ordinary text: what is not clearly one of the three stays as it is, so a whole text is
judged at once, by whether its words become Vietnamese syllables.
"""

import html
import re
import unicodedata
from collections.abc import Callable

_SAMPLE = 60_000  # characters that are judged
_DISTINCT = 12  # different syllables that must have come out: fewer is a sentence of another language with accents
_VALID = 0.85  # of the words with marks must be syllables; French and Portuguese give less than half
_CHANGED = 0.6  # of the words with marks must come from the encoding: Unicode Vietnamese has hardly any
_FEWEST_HIGH = 15  # characters U+0080 to U+00FF; fewer tell nothing

# TCVN 5712:1993 VN3 as Windows-1252 shows it, each followed by its letter; the 74 pairs are those of glibc's charmap
_TCVN3_PAIRS = (
    "µà¸á¶ả·ã¹ạ¨ă»ằ¾ắ¼ẳ½ẵÆặ©âÇầÊấÈẩÉẫËậ®đÌèÐéÎẻÏẽÑẹªêÒềÕếÓểÔễÖệ×ìÝíØỉÜĩÞịßòãóáỏâõäọ«ôåồèốæổçỗéộ¬ơêờíớëởìỡîợ"
    "ïùóúñủòũôụ\xadưõừøứöử÷ữùựúỳýýûỷüỹþỵ¡Ă¢Â§Đ£Ê¤Ô¥Ơ¦Ư"
)
_TCVN3 = dict(zip(_TCVN3_PAIRS[::2], _TCVN3_PAIRS[1::2], strict=True))
_TCVN3_SIGNS = "".join(sign for sign in _TCVN3 if not sign.isalpha() or sign in "ªµ")

# VNI: a mark stands behind its vowel; â and ă carry their tone in one mark
_TONES = dict(zip("ùøûõï", "\u0301\u0300\u0309\u0303\u0323", strict=True))
_ON_HAT = dict(zip("áàåãä", "\u0301\u0300\u0309\u0303\u0323", strict=True))
_ON_BREVE = dict(zip("éèúüë", "\u0301\u0300\u0309\u0303\u0323", strict=True))


def _vni_pairs() -> dict[str, str]:
    pairs = {f"{vowel}{mark}": vowel + tone for vowel in "aeouy" for mark, tone in _TONES.items()}
    for vowel in "aeo":
        pairs[f"{vowel}â"] = f"{vowel}\u0302"
        pairs |= {f"{vowel}{mark}": f"{vowel}\u0302{tone}" for mark, tone in _ON_HAT.items()}
    pairs["aê"] = "a\u0306"
    pairs |= {f"a{mark}": f"a\u0306{tone}" for mark, tone in _ON_BREVE.items()}
    pairs |= {f"ô{mark}": f"ơ{tone}" for mark, tone in _TONES.items()}
    pairs |= {f"ö{mark}": f"ư{tone}" for mark, tone in _TONES.items()}
    pairs |= {"í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ", "ñ": "đ", "ô": "ơ", "ö": "ư"}
    upper = {name.upper(): letter.upper() for name, letter in pairs.items()}
    mixed = {name[0].upper() + name[1:]: letter[0].upper() + letter[1:] for name, letter in pairs.items()}
    return {name: unicodedata.normalize("NFC", letter) for name, letter in (pairs | upper | mixed).items()}


_VNI = _vni_pairs()
_VNI_FOUND = re.compile("|".join(sorted(_VNI, key=len, reverse=True)))

_SPACES = b" " * 128 + bytes(range(128, 256))
_NOT_FIRST = bytes(range(0xC0))  # bytes that begin no character beyond ASCII
_UNICODE_VIETNAMESE = re.compile("[\u1ea0-\u1ef9\u0103\u0111\u01a1\u01b0\u0300\u0301\u0309\u0323]")
_WORD = re.compile(r"[^\W\d_]+")
_TCVN3_WORD = re.compile(rf"[A-Za-z{''.join(re.escape(sign) for sign in _TCVN3)}]+")
_UNMARKED = str.maketrans("", "", "\u0301\u0300\u0309\u0303\u0323")
_SYLLABLE = re.compile(
    r"(?:b|ch?|d|đ|gh?|gi|h|kh?|l|m|ng?h?|ph?|q|r|s|th?|tr|v|x)?"
    r"(?:oa[iy]|oeo|u[âa]y|u[eê]o?|uy[aêu]?|uô[i]?|u[aăâơ]|uai|uao|iê[u]?|yê[u]?|ươ[iu]?|ưa|ưi|ưu|o[aăeo]|oao|ôi|ơi|oi|ui"
    r"|a[iouy]|â[uy]|eo|êu|i[au]|[aăâeêioôơuưy])"
    r"(?:ch|c|m|nh|ng|n|p|t)?",
    re.I,
)
_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]{0,2000}>", re.S | re.I)
_REFERENCE = re.compile(r"&(?:#(?:1[6-9]\d|2[0-4]\d|25[0-5])|#[xX][a-fA-F][0-9a-fA-F]|[A-Za-z]{2,6}\d?);")

_REFERENCES = ("&#1", "&#2", "&#x", "&micro;", "circ;")  # how the commonest letters of both encodings begin or end


def mended(text: str) -> str:
    """`text` in Unicode: TCVN3, VNI and twice encoded UTF-8 undone, in plain text as in markup; all else unchanged."""
    if text.isascii():
        return text
    whole = text.encode(errors="ignore")
    own = whole.count(b"\xe1\xba") + whole.count(b"\xe1\xbb")  # U+1E80 to U+1EFF: letters that Vietnamese alone uses
    # as many bytes more than characters, as a bound: each character beyond ASCII makes at least one
    if own >= _DISTINCT and (
        own > (1 - _MOST_OF_ALL) * (len(whole) - len(text))
        or own > (1 - _MOST_OF_ALL) * len(whole.translate(None, _NOT_FIRST))
    ):
        return text  # in Unicode as it stands: a quarter of the cost of finding that out below
    beyond = whole.translate(_SPACES)  # five times as fast as an expression
    runs = b" ".join(beyond.split()).decode().split(" ")
    if _is_twice_encoded(runs):
        return _TWICE.sub(_decoded_again, text)
    if not _may_be_font_encoded("".join(runs), text):
        return text
    sample = html.unescape(_MARKUP.sub(" ", text[: _SAMPLE * 4])[:_SAMPLE])
    for convert in (_from_tcvn3, _from_vni):
        if _becomes_vietnamese(sample, convert):
            return convert(_REFERENCE.sub(_letter, text))
    return text


def _may_be_font_encoded(beyond: str, text: str) -> bool:
    """Cheap: enough Latin-1 characters (or references to them) and hardly any letter only Unicode Vietnamese has."""
    high = len(beyond.encode("latin-1", "ignore")) - beyond.count("\xa0")
    if high < _FEWEST_HIGH and sum(text.count(some, 0, _SAMPLE * 4) for some in _REFERENCES) < _FEWEST_HIGH:
        return False
    return len(_UNICODE_VIETNAMESE.findall(beyond)) < _DISTINCT


def _letter(reference: re.Match[str]) -> str:
    letter = html.unescape(reference[0])
    return letter if len(letter) == 1 and "\xa1" <= letter <= "\xff" else reference[0]


def _becomes_vietnamese(sample: str, convert: Callable[[str], str]) -> bool:
    sample = unicodedata.normalize("NFC", sample)
    marked = changed = valid = 0
    distinct: set[str] = set()
    for word in re.findall(r"[^\s\d<>()\[\]{},;:!?/\"“”'’|+=*&%$#@_.–-]+", sample):
        if word.isascii():
            continue
        told = convert(word)
        marked += 1
        changed += told != word
        if _WORD.fullmatch(told) and _is_syllable(told):
            valid += 1
            if told != word:
                distinct.add(told.lower())
    return len(distinct) >= _DISTINCT and valid >= _VALID * marked and changed >= _CHANGED * marked


def _is_syllable(word: str) -> bool:
    bare = unicodedata.normalize("NFC", unicodedata.normalize("NFD", word.lower()).translate(_UNMARKED))
    return _SYLLABLE.fullmatch(bare) is not None


# ---------------------------------------------------------------- the font encodings


def _from_tcvn3(text: str) -> str:
    return _TCVN3_WORD.sub(_tcvn3_word, text)


def _tcvn3_word(found: re.Match[str]) -> str:
    """A sign between no letters is a sign: "© 2004", "3 × 4". The font for capitals shows the same codes as capitals."""
    word = found[0]
    if word.isascii() or (len(word) == 1 and word in _TCVN3_SIGNS):
        return word
    told = "".join(_TCVN3.get(letter, letter) for letter in word)
    plain = [letter for letter in word if letter.isascii()]
    return told.upper() if len(plain) > 1 and all(letter.isupper() for letter in plain) else told


def _from_vni(text: str) -> str:
    return _VNI_FOUND.sub(lambda found: _VNI[found[0]], text)


# ---------------------------------------------------------------- UTF-8, twice


_SHOWN = {bytes([byte]).decode("cp1252", "replace").replace("\ufffd", chr(byte)): byte for byte in range(0x80, 0x100)}
_SHOWN |= {chr(byte): byte for byte in range(0x80, 0xA0)}  # what Windows-1252 leaves undefined stays as it is
_TAIL = "".join(re.escape(shown) for shown, byte in _SHOWN.items() if byte < 0xC0)
_TWICE = re.compile(f"[Â-ß][{_TAIL}]|[à-ï][{_TAIL}]{{2}}|[ð-ô][{_TAIL}]{{3}}")
_FEWEST_TWICE = 3
_MOST_OF_ALL = 0.8  # of what is not ASCII; in German an "Ä“" may stand at the end of a quotation


def _is_twice_encoded(runs: list[str]) -> bool:
    """`runs`: the text's characters beyond ASCII, as they stand together."""
    joined = " ".join(run for run in runs if len(run) > 1)
    pieces = _TWICE.findall(joined)
    return len(pieces) >= _FEWEST_TWICE and sum(map(len, pieces)) >= _MOST_OF_ALL * sum(map(len, runs))


def _decoded_again(found: re.Match[str]) -> str:
    try:
        return bytes(_SHOWN[shown] for shown in found[0]).decode()
    except UnicodeDecodeError:
        return found[0]
