"""A design tried out: sample issues rendered in every shape, its files read for what mail clients or Vietnamese type forbid.

Gives findings, each with file and line where there is one; renders nothing for anybody and writes nothing. Reads the
design's files only.
"""

import html
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from newsletter.compose.context import IssueContext
from newsletter.compose.design import Design
from newsletter.compose.render import Fitted, fit_issue, render_letter
from newsletter.compose.sample import NONCE, SAMPLE_LETTERS, sample_context, sample_newsletter
from newsletter.compose.templating import SHARED, TEXT_WIDTH
from newsletter.errors import TemplateError
from newsletter.mail.markers import marker
from newsletter.model import Finding, LetterKind, Rendering

COUNTS = (1, 7, 30)
LANGUAGES = ("vi", "en")
# What a line of a template must not hold: pattern, level, why. Sources: look of mail measured on clients, WCAG 2.2.
_RULES = (
    (r"text-transform\s*:\s*(?:uppercase|capitalize)", "warning", "capitals by style: stacked Vietnamese marks need the height, "
     "and readers hear them spelt"),
    (r"letter-spacing\s*[:=]\s*[\"']?\s*-?(?!0[;\"'\s]|normal)[\d.]", "warning",
     "letter spacing pulls Vietnamese marks off their letters"),
    (r"word-break\s*:\s*break-all", "warning", "break-all cuts syllables in two"),
    (r"text-align\s*:\s*justify|align=[\"']justify", "warning", "justified lines have holes on a phone"),
    (r"@font-face|@import|fonts\.googleapis|<mj-font", "warning", "web fonts: Gmail and Outlook load none"),
    (r"src=[\"']http:", "error", "a picture over http: is blocked by receivers or betrays the reader"),
    (r"<script|javascript:", "error", "scripts never run in mail, and filters refuse it"),
    (r"mso-line-height-rule\s*:\s*exactly", "warning", "an exact line height cuts stacked marks in Word"),
)  # fmt: skip


def try_design(design: Design, options: Mapping[str, Any] | None = None) -> tuple[Finding, ...]:
    """All faults, errors first, each once. `options` as a newsletter sets them; raises ConfigError when they do not fit."""
    given = options or {}
    found = [
        Finding(check="contrast", level="note", where=f"{design.name}/design.toml", message=str(mended))
        for mended in design.mended(given)
    ]
    found += _in_files(design.path)
    found += _letters(design) if _has_letters(design.path) else _issues(design, given)
    order = ("error", "warning", "note")
    return tuple(sorted(dict.fromkeys(found), key=lambda one: order.index(one.level)))


def _has_letters(folder: Path) -> bool:
    return not (folder / "digest.mjml.j2").is_file() and any(
        (folder / f"{kind}.mjml.j2").is_file() for kind in LetterKind
    )


# ---------------------------------------------------------------- files


def _in_files(folder: Path) -> Iterator[Finding]:
    """The design's own files, and the shared ones beside it unless it brings its own."""
    for root in (folder,) if (folder / SHARED).is_dir() else (folder, folder.parent / SHARED):
        for path in sorted(root.rglob("*.j2")):
            yield from _in_file(path, f"{root.name}/{path.relative_to(root)}")


def _in_file(path: Path, name: str) -> Iterator[Finding]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return  # rendering tells it, with its reason
    for number, line in enumerate(lines, 1):
        for pattern, level, why in _RULES:
            if re.search(pattern, line, re.IGNORECASE):
                yield Finding(check="style", level=level, where=f"{name}:{number}", message=why)


# ---------------------------------------------------------------- issues


def _issues(design: Design, options: Mapping[str, Any]) -> Iterator[Finding]:
    for language in LANGUAGES:
        for count in COUNTS:
            for pictures in (True, False):
                context = sample_context(count, language=language, pictures=pictures, options=options)
                yield from _issue(design, context, language)


def _issue(design: Design, context: IssueContext, language: str) -> Iterator[Finding]:
    try:
        fitted = fit_issue(design, context, nonce=NONCE, language=language)
    except TemplateError as error:
        yield _fault(design, error)
        return
    shape = f"{design.name}: {len(context.items)} items in {language}"
    yield from _complete(fitted, context, shape)
    yield from _usable(fitted.rendering, design.name)


def _fault(design: Design, error: TemplateError) -> Finding:
    message = error.what + (f" ({error.hint})" if error.hint else "")
    borrowed = error.where.startswith(f"{design.name}/{SHARED}/") and not (design.path / SHARED).is_dir()
    where = error.where.removeprefix(f"{design.name}/") if borrowed else error.where
    return Finding(check="template", level="error", where=where, message=message)


def _complete(fitted: Fitted, context: IssueContext, shape: str) -> Iterator[Finding]:
    """Every item is in both parts, in the same order; what the byte budget took away is told by `fit_issue` itself."""
    for finding in fitted.findings:
        yield Finding(check=finding.check, level="note", where=shape, message=finding.message)
    rendering = fitted.rendering
    shown, plain = _spaced(html.unescape(rendering.html)), _spaced(rendering.text)
    for item in context.items:
        in_html, in_text = _spaced(item.title) in shown, _spaced(item.title) in plain
        if in_html != in_text:
            part = "plain text" if in_html else "HTML"
            yield Finding(check="parity", level="error", where=shape, message=f"the {part} lacks “{item.title}”")
        elif not in_html and not fitted.findings and context.issue.web_url is None:
            yield Finding(check="lost", level="error", where=shape, message=f"“{item.title}” is in neither part")


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _usable(rendering: Rendering, name: str) -> Iterator[Finding]:
    """What receivers, screen readers and the law ask of every issue."""
    for link, level in (("unsubscribe_url", "error"), ("preferences_url", "warning")):
        for part, text in (("HTML", rendering.html), ("plain text", rendering.text)):
            if marker(NONCE, link) not in text:
                yield Finding(check="links", level=level, where=f"{name}: {part}", message=f"has no {{{{ {link} }}}}")
    if f'<html lang="{rendering.language}"' not in rendering.html:
        yield _about(name, "error", "language", 'does not say its language: write <mjml lang="{{ language }}">')
    if "prefers-color-scheme" not in rendering.html:
        yield _about(name, "warning", "dark", "has no dark palette: Apple Mail will show it as a white sheet at night")
    if rendering.html.count("<h1") != 1:
        yield _about(name, "warning", "headings", f"has {rendering.html.count('<h1')} main headings (h1); one is right")
    if re.search(r"<img(?![^>]*\balt=)", rendering.html):
        yield _about(name, "error", "alt", 'has a picture without alt; write alt="" if it only decorates')
    for line in rendering.text.splitlines():
        if len(line) > TEXT_WIDTH and "://" not in line and marker(NONCE, "subscriber_email") not in line:
            message = (
                f"a line has {len(line)} characters, more than {TEXT_WIDTH}; use the filter `wrap`: “{line[:40]}…”"
            )
            yield Finding(check="width", level="warning", where=f"{name}/text.txt.j2", message=message)
            break


def _about(name: str, level: str, check: str, message: str) -> Finding:
    return Finding(check=check, level=level, where=f"{name}: HTML", message=message)


# ---------------------------------------------------------------- letters


def _letters(design: Design) -> Iterator[Finding]:
    for language in LANGUAGES:
        for kind in LetterKind:
            view = sample_newsletter(language)
            try:
                render_letter(
                    kind, SAMPLE_LETTERS[kind], design=design, newsletter=view, nonce=NONCE, language=language
                )
            except TemplateError as error:
                yield _fault(design, error)
