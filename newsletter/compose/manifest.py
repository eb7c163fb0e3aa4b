"""An issue as data: everything its renderings are made of. The same manifest makes the same bytes, on any day.

It holds what each language's templates are given, the articles with a version of what is said of them, the design with a
hash of its files, and the versions of the programs that made HTML of it. It never holds a clock's time, an address of a
reader, or anything that chance decides: the nonce of the markers follows from the issue.
"""

import hashlib
import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from newsletter import __version__
from newsletter.compose.context import IssueContext
from newsletter.compose.design import Design, find_design
from newsletter.compose.render import Fitted, fit_issue
from newsletter.errors import NotAllowed
from newsletter.model import Item

FORMAT = 1
PROGRAMS = ("mjml-python", "css-inline", "jinja2")  # another version of one may write other bytes

Manifest = Mapping[str, Any]  # JSON: objects, lists, text, numbers
Made = TypeVar("Made")


def manifest_of(
    contexts: Mapping[str, IssueContext],
    items: Sequence[Item],
    *,
    nonce: str,
    design: Design,
    settings: Mapping[str, object],
) -> Manifest:
    """`contexts`: language to what its templates are given; `settings`: what else decides about the message."""
    ordered = sorted(items, key=lambda item: item.position)
    return {
        "format": FORMAT,
        "nonce": nonce,
        "design": {"name": design.name, "hash": design_hash(design.path)},
        "programs": {"newsletter": __version__, **{name: version(name) for name in PROGRAMS}},
        "settings": plain(settings),
        "articles": [{"id": item.article_id, "version": _version(item), "words": plain(item)} for item in ordered],
        "renderings": {language: plain(context) for language, context in contexts.items()},
    }


def render_manifest(manifest: Manifest, folders: Sequence[Path]) -> dict[str, Fitted]:
    """Language to rendering, byte for byte what was made of it before.

    Raises NotAllowed when the design's files are others by now; ConfigError, TemplateError as fit_issue.
    """
    named = manifest["design"]
    design = find_design(named["name"], folders)
    if design_hash(design.path) != named["hash"]:
        raise NotAllowed(
            "the files of the design were changed since", where=design.name, hint="compose the issue again"
        )
    return {
        language: fit_issue(design, built(IssueContext, given), nonce=manifest["nonce"], language=language)
        for language, given in manifest["renderings"].items()
    }


def design_hash(folder: Path) -> str:
    """SHA-256 over names and contents of all files of a design, and of the folder `shared` beside it if there is one."""
    hashed = hashlib.sha256()
    for part in (folder, folder.parent / "shared"):
        for path in sorted(path for path in part.rglob("*") if path.is_file()):
            content = path.read_bytes()
            name = f"{part is folder}/{path.relative_to(part).as_posix()}"
            hashed.update(f"{name}\0{len(content)}\0".encode() + content)
    return hashed.hexdigest()


def _version(item: Item) -> str:
    """Changes with anything that is said of the article, not with its place."""
    said = {name: value for name, value in plain(item).items() if name != "position"}
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def plain(value: Any) -> Any:
    """Frozen data as JSON knows it; days and moments as ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return {entry.name: plain(getattr(value, entry.name)) for entry in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, datetime | date) else value


def built(kind: type[Made], given: Mapping[str, Any]) -> Made:
    """The dataclass that `plain` wrote. A field that was not there yet when it was written keeps its default."""
    hints = get_type_hints(kind)
    return kind(**{name: _built(hints[name], value) for name, value in given.items() if name in hints})


def _built(hint: Any, value: Any) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if value is None:
        return None
    if origin in (Union, types.UnionType):
        return _built(next(one for one in inner if one is not type(None)), value)
    if origin is tuple:
        return tuple(_built(inner[0], one) for one in value)
    if hint is date or hint is datetime:
        return hint.fromisoformat(value)
    return built(hint, value) if is_dataclass(hint) and isinstance(hint, type) else value
