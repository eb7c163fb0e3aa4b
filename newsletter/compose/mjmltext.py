"""A rendered template as text: which template line each of its lines came from, and HTML as people write it made XML.

Pure. Must never change what a reader sees: void elements are closed and their values quoted, line for line.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from newsletter.compose.templating import MARK

_VOID = "area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr"
_VOID_TAG = re.compile(
    rf"<({_VOID})(?=[\s/>])((?:\"[^\"]*\"|'[^']*'|[^<>\"'])*?)/?>(?:</(?:{_VOID})\s*>)?", re.IGNORECASE
)
_ATTRIBUTE = re.compile(r"(\s+[^\s=\"'>/]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s\"'>]+))?")


@dataclass(frozen=True, kw_only=True)
class Source:
    """MJML ready for mrml; `marked` is the same with the template's line marks."""

    marked: str
    template: str  # the file's name, for lines before the first mark

    @cached_property
    def text(self) -> str:
        return closed(MARK.sub("", self.marked))

    @property
    def xml(self) -> str:
        """The same lines for an XML parser, which would stumble over `&nbsp;` and a bare &: they stay as written."""
        return self.text.replace("&", "&amp;")

    def place(self, line: int) -> str:
        """`file:line` in the template for a line of the text, counted from 1."""
        place = self.template
        for text in self.marked.split("\n")[:line]:
            found = MARK.search(text)
            place = found[1] if found else place
        return place


def source(marked: str, template: str) -> Source:
    return Source(marked=marked, template=template)


def closed(text: str) -> str:
    """Void elements closed and their attributes quoted; all else as it was."""
    return _VOID_TAG.sub(lambda tag: f"<{tag[1].lower()}{_quoted(tag[2].rstrip())} />", text)


def _quoted(attributes: str) -> str:
    """Attributes with quotes around each value, an empty one where there is none (`<input disabled>`)."""
    return _ATTRIBUTE.sub(_quoted_one, attributes)


def _quoted_one(attribute: re.Match[str]) -> str:
    value = attribute[2] or '""'
    return f"{attribute[1]}={value}" if value[0] in "\"'" else f'{attribute[1]}="{value}"'
