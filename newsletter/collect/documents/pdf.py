"""The words of a PDF. Run only in a bounded child process (bounded.py); imports nothing of ours.

A PDF knows glyphs and places, no paragraphs: lines are joined again by their lengths and ends, what stands on every page
is taken for a header, and the title is the biggest text at the top. Must never answer an empty text for a scanned page.
"""

import io
import re
import unicodedata
from collections import Counter
from typing import Any

MAX_PAGES = 60
MAX_TEXT = 400_000  # characters
_FEW = 30  # letters in all: less is no text, only a stamp on scanned pages
_NUMBER = re.compile(r"[-–—\s]*(?:trang|page|p\.)?\s*\d{1,4}(?:\s*(?:/|of|trên)\s*\d{1,4})?[-–—\s]*", re.I)
_ITEM = re.compile(r"(?:[-–•●▪*+]|\d{1,2}[.)]|[a-zđ]\))\s+\S")
_END = re.compile(r"[.!?:;…”\"»)]$")
_SOFT_INSIDE = re.compile(
    "\u00ad[^\\W\\d_]"
)  # within lines it breaks nothing: in the font encoding TCVN3 it is a letter
_A_LETTER = 5
_MOTTO = re.compile(r"cộng\s+h(?:òa|oà)\s+xã\s+hội\s+chủ\s+nghĩa|độc\s+lập\s*[-–]\s*tự\s+do", re.I)
_NO_TITLE = re.compile(r"microsoft word|untitled|document\d*|\.(?:docx?|pdf|indd|odt|pptx?|cdr|qxd)\s*$|^[\w-]+$", re.I)
_MARKS = re.compile(
    "[\u0309\u031b\u0323\u0110\u0111]"
)  # after NFD: the marks that only Vietnamese puts on Latin letters


def read(body: bytes) -> dict[str, str]:
    """{title, title_rule, text, author, created}, or {error, hint}."""
    if b"%PDF-" not in body[:1024]:
        return {"error": "this is no PDF, whatever its name says"}
    import logging

    import pypdf

    logging.disable(logging.CRITICAL)  # it tells every oddity of a file
    try:
        reader = pypdf.PdfReader(io.BytesIO(body), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            return {"error": "the PDF is protected by a password", "hint": "give one without"}
        return _words(reader)
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # its parser meets broken files with every kind of exception there is
        broken = b"%%EOF" not in body[-2048:]
        hint = "it breaks off: is it still being written?" if broken else f"{type(error).__name__}: {error}"[:200]
        return {"error": "the PDF cannot be read", "hint": hint}


def _words(reader: Any) -> dict[str, str]:
    count = len(reader.pages)
    pages, big, left = [], "", MAX_TEXT
    for number in range(min(count, MAX_PAGES)):
        sizes: list[tuple[float, str]] = []
        text = reader.pages[number].extract_text(visitor_text=lambda *a, s=sizes: s.append((_size(a), a[0])))
        text = unicodedata.normalize("NFC", text[:left])
        left -= len(text)
        pages.append([line.strip() for line in text.split("\n")])
        big = big or (_biggest(sizes) if number == 0 else "")
        if left <= 0:
            break
    if sum(sign.isalpha() for page in pages for line in page for sign in line) < _FEW:
        return {
            "error": "the PDF holds pictures of pages and no text",
            "hint": "let a text recognition (OCR) run over it",
        }
    lines = _without_margins(pages)
    facts = reader.metadata or {}
    title, rule = _title(str(facts.get("/Title") or ""), big, " ".join(pages[0]))
    if not title and (title := _first(lines)):
        rule = "first line"
    joined = paragraphs(_without_title(lines, title))
    return {
        "title": title,
        "title_rule": rule,
        "text": "\n\n".join(joined),
        "author": str(facts.get("/Author") or ""),
        "created": _day(str(facts.get("/CreationDate") or "")),
        "left_out": f"left out: {count - len(pages)} of {count}" if len(pages) < count else "",
    }


# ---------------------------------------------------------------- title


def _size(told: tuple[Any, ...]) -> float:
    """The height of a piece of text on the page; `told`: text, user matrix, text matrix, font, font size."""
    _, user, matrix, _, size = told
    return round(abs(float(size or 0) * (matrix[3] or matrix[1] or 1) * (user[3] or user[1] or 1)), 1)


def _biggest(sizes: list[tuple[float, str]]) -> str:
    """The first run of text on a page that is clearly bigger than most of it and reads like a title; or ""."""
    letters: Counter[float] = Counter()
    for size, text in sizes:
        letters[size] += sum(sign.isalpha() for sign in text)
    if not letters:
        return ""
    usual = letters.most_common(1)[0][0]
    runs: list[tuple[float, str]] = []
    for size, text in sizes:
        if not text.strip():
            if runs:
                runs[-1] = (runs[-1][0], runs[-1][1] + " ")
        elif runs and runs[-1][0] == size:
            runs[-1] = (size, runs[-1][1] + text)
        else:
            runs.append((size, text))
    large = [(size, _folded(text)) for size, text in runs if size >= usual * 1.15]
    fit = [(size, text) for size, text in large if 10 <= len(text) <= 250 and " " in text and not _MOTTO.search(text)]
    return max(fit, key=lambda one: one[0])[1] if fit else ""


def _title(given: str, big: str, page: str) -> tuple[str, str]:
    """What the metadata say counts if the page says it too: most programs write a file name there."""
    given = _folded(given)
    fits = 8 <= len(given) <= 250 and not _NO_TITLE.search(given)
    if fits and _key(given) in _key(page):
        return given, "metadata"
    return (big, "biggest text") if big else ("", "")


def _first(lines: list[str]) -> str:
    """The first line if it stands for itself: it ends no sentence, and the next one does not go on with it; or ""."""
    filled = [line for line in lines if line][:2]
    if len(filled) < 2 or _END.search(filled[0]) or not 8 <= len(filled[0]) <= 250:
        return ""
    return filled[0] if not filled[1][0].islower() or lines[lines.index(filled[0]) + 1] == "" else ""


def _key(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFC", text).casefold() if sign.isalnum())


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _without_title(lines: list[str], title: str) -> list[str]:
    """The lines behind those that are the title, if it stands within the first twenty."""
    wanted = _key(title)
    for start in range(min(20, len(lines))) if wanted else ():
        grown = ""
        for end in range(start, min(start + 6, len(lines))):
            grown += _key(lines[end])
            if grown == wanted:
                return lines[:start] + lines[end + 1 :]
    return lines


def _day(written: str) -> str:
    found = re.match(r"D:(\d{4})(\d\d)(\d\d)", written)
    return f"{found[1]}-{found[2]}-{found[3]}" if found else ""


# ---------------------------------------------------------------- lines


def _without_margins(pages: list[list[str]]) -> list[str]:
    """All lines in order without page numbers and what stands at the same edge of most pages; "" between pages."""
    filled = [[line for line in page if line] for page in pages]
    edges = Counter(_edge(line) for page in filled for line in {*page[:2], *page[-2:]})
    often = max(3, len(filled) * 0.5)
    lines: list[str] = []
    for page in pages:
        kept = [
            line
            for line in page
            if not _NUMBER.fullmatch(line or "x")
            and not (line and edges[_edge(line)] >= often)
            and not _MOTTO.search(line)
        ]
        lines += kept
    return lines


def _edge(line: str) -> str:
    return re.sub(r"\d+", "#", line)


def paragraphs(lines: list[str]) -> list[str]:
    """Lines joined to paragraphs: one ends at an empty line, a list item begins one, and so does what follows a short line
    that ends a sentence. A word broken at a line's end is whole again."""
    lengths = sorted(len(line) for line in lines if line)
    full = lengths[int(len(lengths) * 0.8)] if lengths else 0
    hyphens = "-\u2010" if len(_SOFT_INSIDE.findall("\n".join(lines))) >= _A_LETTER else "-\u00ad\u2010"
    compounds = set(re.findall(r"\w+-\w+", " ".join(lines)))
    done: list[str] = []
    last = ""
    for line in lines:
        if not line:
            last = ""
            continue
        short = len(last) < full * 0.85
        begins = not last or _ITEM.match(line) or (short and (_END.search(last) or not line[0].islower()))
        if begins:
            done.append(line)
        else:
            done[-1] = _joined(done[-1], line, compounds, hyphens)
        last = line
    return done


def _joined(before: str, after: str, compounds: set[str], hyphens: str) -> str:
    broken = re.search(rf"(\w+)[{re.escape(hyphens)}]$", before)
    first = re.match(r"\w+", after)
    if not broken or first is None or not after[0].islower():
        return f"{before} {after}"
    kept = f"{broken[1]}-{first[0]}"
    # Vietnamese breaks no syllable: there a hyphen at a line's end belongs to the word ("ki-lô-mét")
    is_compound = kept in compounds or _MARKS.search(unicodedata.normalize("NFD", broken[1] + first[0]))
    return f"{before[:-1]}-{after}" if is_compound else before[:-1] + after
