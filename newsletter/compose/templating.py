"""Jinja2 as designs may use it: sandboxed, strict about names, inside one folder, with errors that say file and line.

MJML templates are autoescaped; text templates are not. An article's text is a value, never a template: `{{ 7*7 }}`
in a title comes out as those seven characters.

Each template line that begins with a tag is marked with its place, so that a fault found after Jinja ran (a tag
never closed, a column outside a section) is still told by the template's file and line, not by the compiled text.
"""

import re
import textwrap
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError

from newsletter.compose import colour
from newsletter.compose.meter import MeteredEnvironment, TooCostly, charge, metered
from newsletter.errors import BadInput, TemplateError

TEXT_WIDTH = 72
SHARED = "shared"  # parts of several designs: templates/shared/ beside them, unless a design has a folder of that name
WIDEST = 500
MOST_OCTETS = 64_000  # of one template file; the largest shipped has 4,000, and compiling costs 10 ms a kilobyte
_MARK_START, _MARK_END = "\x01", "\x02"  # control characters: XML and cleaned article text cannot hold them
MARK = re.compile(_MARK_START + r"([^\x02]*)" + _MARK_END)
_TAG_LINE = re.compile(r"^([ \t]*)(?=</?[A-Za-z])", re.MULTILINE)
_OFFENDER = re.compile(r"'([^']+)'")


class FolderLoader(BaseLoader):
    """Loads templates from one folder and never from outside it, links included; see SHARED for the one exception."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        path = self._found(template)
        if path is None:
            raise TemplateNotFound(template)
        if path.stat().st_size > MOST_OCTETS:
            raise TemplateError(f"is larger than {MOST_OCTETS:,} octets", where=template)
        try:
            source = unicodedata.normalize("NFC", path.read_text(encoding="utf-8"))
        except UnicodeDecodeError as error:
            raise TemplateError("is not UTF-8", where=str(path)) from error
        changed = path.stat().st_mtime_ns  # a service that runs for weeks sees an edited design at once
        marked = _marked(source, template) if ".mjml" in template or ".html" in template else source
        return marked, str(path), lambda: path.is_file() and path.stat().st_mtime_ns == changed

    def _found(self, template: str) -> Path | None:
        for root, within in _roots(self.folder, template):
            path = (root / template).resolve()
            if path.is_relative_to(within) and path.is_file():
                return path
        return None


def _roots(folder: Path, template: str) -> tuple[tuple[Path, Path], ...]:
    """(where a template is sought, what it must not leave): its own folder, then for `shared/…` the one beside it."""
    own = (folder, folder)
    return (own, (folder.parent, folder.parent / SHARED)) if template.startswith(f"{SHARED}/") else (own,)


def _marked(source: str, template: str) -> str:
    return _TAG_LINE.sub(
        lambda match: placed(match[1], f"{template}:{source.count(chr(10), 0, match.start()) + 1}"), source
    )


def placed(text: str, place: str) -> str:
    """`text` with the mark that what follows it stands at `place` (file:line)."""
    return f"{text}{_MARK_START}{place}{_MARK_END}"


@lru_cache(maxsize=16)
def environment(folder: Path) -> Environment:
    """One environment per design folder; templates are compiled once per process and design."""
    made = MeteredEnvironment(
        loader=FolderLoader(folder),
        autoescape=lambda name: name is None or not name.endswith(".txt.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=True,
    )
    for name, function in (("readable_on", colour.readable), ("mixed", colour.mixed), ("wrap", wrapped)):
        made.add_filter(name, function)
    return made


def wrapped(text: str, indent: str = "", width: int = TEXT_WIDTH) -> str:
    """Lines of at most `width` characters, broken at spaces only: an address or a long word stays whole."""
    if len(indent) > WIDEST or not 1 <= width <= WIDEST:
        raise ValueError(f"a line can be 1 to {WIDEST} characters wide")
    charge(len(text) // 10)  # it takes ten times as long as reading
    return textwrap.fill(
        text,
        width=width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def render_template(folder: Path, name: str, variables: Mapping[str, Any]) -> str:
    """The template's text, NFC. Raises TemplateError with `file:line` and the name or call that was at fault."""
    try:
        with metered():
            return unicodedata.normalize("NFC", environment(folder).get_template(name).render(variables))
    except TemplateSyntaxError as error:
        raise TemplateError(
            _sentence(error.message), where=f"{_relative(error.filename, folder)}:{error.lineno}"
        ) from error
    except TemplateNotFound as error:
        raise TemplateError(
            f"there is no template {error.name!r} in this design", where=_where(error, folder, name)
        ) from error
    except UndefinedError as error:
        raise TemplateError(_undefined(error), where=_where(error, folder, name)) from error
    except SecurityError as error:
        raise TemplateError(f"not allowed in a template: {error.message}", where=_where(error, folder, name)) from error
    except (TooCostly, BadInput) as error:
        raise TemplateError(error.what, where=_where(error, folder, name), hint=error.hint) from error
    except RecursionError as error:
        raise TemplateError("calls or includes itself without end", where=_where(error, folder, name)) from error
    except TemplateError:
        raise
    except Exception as error:  # a template can raise anything: 1/0, "a" + 1, a value of the wrong type
        raise TemplateError(f"{type(error).__name__}: {error}", where=_where(error, folder, name)) from error


def included_file(folder: Path, name: str, variables: Mapping[str, Any], *, where: str) -> str:
    """A file that `mj-include` names: as it is, or rendered when it is a template (….j2). Raises TemplateError."""
    if name.endswith(".j2"):
        return render_template(folder, name, variables)
    try:
        return FolderLoader(folder).get_source(environment(folder), name)[0]
    except TemplateNotFound as error:
        raise TemplateError(f"there is no file {name!r} in this design", where=where) from error


def _undefined(error: UndefinedError) -> str:
    offender = _OFFENDER.findall(error.message or "")
    return f"{offender[-1]} is not defined ({error.message})" if offender else _sentence(error.message)


def _sentence(message: str | None) -> str:
    return (message or "cannot be read as a template").rstrip(".")


def _where(error: BaseException, folder: Path, name: str) -> str:
    """`file:line` of the innermost template line in the traceback."""
    place, frame = name, error.__traceback__
    while frame is not None:
        file = _inside(Path(frame.tb_frame.f_code.co_filename), folder)
        if file is not None:
            place = f"{file}:{frame.tb_lineno}"
        frame = frame.tb_next
    return place


def _inside(path: Path, folder: Path) -> str | None:
    """The template's name as another one would name it; None for a file that is no template of this design."""
    home = folder.resolve()
    if path.is_relative_to(home):
        return str(path.relative_to(home))
    return str(path.relative_to(home.parent)) if path.is_relative_to(home.parent / SHARED) else None


def _relative(filename: str | None, folder: Path) -> str:
    if filename is None:
        return "?"
    return _inside(Path(filename), folder) or Path(filename).name
