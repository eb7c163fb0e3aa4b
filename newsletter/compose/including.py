"""`mj-include`: other files of the design put in place before anything is checked. Pure; `load` reads, and guards the folder.

Three types as in MJML: mjml (a fragment, or a whole document whose head and body go where ours are), css, html. Never leaves
an include in the text, and never says the wrong file for what came out of one.
"""

import re
from collections.abc import Callable
from pathlib import PurePosixPath

from newsletter.compose.templating import MARK, placed
from newsletter.errors import TemplateError

Load = Callable[[str, str], str]  # (path inside the design, where it is asked for) -> marked text; raises TemplateError

MOST_INCLUDES = 100
DEEPEST = 10
_PLACES = re.compile(
    r"<!--.*?(?:-->|\Z)|<mj-include\b(?P<attributes>(?:\"[^\"]*\"|'[^']*'|[^<>\"'])*?)(?:/>|>\s*</mj-include\s*>)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_KNOWN = {"path", "type", "css-inline"}
_MJML_OPENS = re.compile(r"<mjml\b[^>]*>")


def included(marked: str, template: str, load: Load | None) -> str:
    """`marked` with every mj-include replaced. Raises TemplateError for a file that is not there or not of the design."""
    if "<mj-include" not in marked:
        return marked
    if load is None:
        raise TemplateError("<mj-include> can only stand in a design", where=template)
    work = _Including(load)
    body = work.expand(marked, template, depth=1)
    return _with_head(body, "".join(work.head)) if work.head else body


def _with_head(text: str, more: str) -> str:
    if "</mj-head>" in text:
        return text.replace("</mj-head>", more + "</mj-head>", 1)
    return _MJML_OPENS.sub(lambda opening: f"{opening[0]}<mj-head>{more}</mj-head>", text, count=1)


class _Including:
    """One document's includes; `head` gathers what belongs into mj-head."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.head: list[str] = []
        self.count = 0

    def expand(self, marked: str, template: str, *, depth: int) -> str:
        made, done = [], 0
        for match in _PLACES.finditer(marked):
            if match["attributes"] is None:  # a comment
                continue
            place = _place(marked, match.start(), template)
            made += [marked[done : match.start()], self._one(match["attributes"], place, depth), "\n", _mark(place)]
            done = match.end()
        return "".join([*made, marked[done:]])

    def _one(self, attributes: str, place: str, depth: int) -> str:
        given = {name: double or single for name, double, single in _ATTRIBUTE.findall(attributes)}
        self.count += 1
        self._check(given, place, depth)
        path, kind = given["path"], given.get("type", "mjml")
        name = _joined(place.rpartition(":")[0], path)
        if name is None:
            raise TemplateError(f"<mj-include> of {path!r} leads out of the design", where=place)
        text = self.load(name, place)
        if kind == "css":
            inline = ' inline="inline"' if given.get("css-inline") == "inline" else ""
            self.head.append(f"\n{_mark(place)}<mj-style{inline}>\n{text}\n</mj-style>\n")
            return ""
        if kind == "html":
            return f"<mj-raw>\n{text}\n</mj-raw>"
        return self._fragment(self.expand(text, name, depth=depth + 1))

    def _check(self, given: dict[str, str], place: str, depth: int) -> None:
        unknown = sorted(set(given) - _KNOWN)
        if unknown:
            raise TemplateError(f"<mj-include> has no attribute {unknown[0]}", where=place)
        if not given.get("path"):
            raise TemplateError("<mj-include> has no path", where=place)
        if given.get("type", "mjml") not in ("mjml", "css", "html"):
            raise TemplateError(f"<mj-include> has no type {given['type']!r}", where=place, hint="mjml, css or html")
        if depth > DEEPEST or self.count > MOST_INCLUDES:
            raise TemplateError(f"more than {MOST_INCLUDES} includes, or {DEEPEST} within each other", where=place)

    def _fragment(self, text: str) -> str:
        """What an included document puts in place; its head joins ours."""
        if "<mjml" not in text:
            return text
        head = _inner(text, "mj-head")
        if head:
            self.head.append("\n" + head)
        return _inner(text, "mj-body")


def _inner(text: str, tag: str) -> str:
    """What stands between a tag's first opening and its last closing; "" without them."""
    start, end = text.find(f"<{tag}"), text.rfind(f"</{tag}")
    opened = text.find(">", start) + 1
    return text[opened:end] if 0 <= start < opened <= end else ""


def _joined(template: str, path: str) -> str | None:
    """`path` as the including file means it, inside the design; None for one that leads out of it."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or "\\" in path or "\0" in path:
        return None
    parts: list[str] = []
    for part in (*PurePosixPath(template).parent.parts, *pure.parts):
        if part != "..":
            parts.append(part)
        elif parts:
            parts.pop()
        else:
            return None
    return "/".join(parts)


def _place(marked: str, at: int, template: str) -> str:
    before = MARK.findall(marked, 0, at)
    return before[-1] if before else f"{template}:1"


def _mark(place: str) -> str:
    return placed("", place)
