"""MJML's components as mjml.toml lists them: where each may stand, what it may hold, which attributes with which values.

Pure; the table is read once. It must never know of templates, files or lines: that is lint's part.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

# What any component of the body may carry beside its own.
EVERYWHERE = ("css-class", "mj-class")
_ANYTHING = "mj-all"  # stands for every component: any attribute that one of them has
_DEFAULTS = "mj-attributes"
_META = ("inside", "holds", "needs", "dropped")
_HEX = re.compile(r"#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)
_FUNCTION = re.compile(r"(?:rgba?|hsla?)\([\d.,%\s/]+\)", re.IGNORECASE)
_NUMBER = re.compile(r"(-?)(?:\d+\.?\d*|\.\d+)(px|%|em)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """`holds`: html, nothing, or components. `dropped`: attributes that mrml would leave out without a word."""

    inside: tuple[str, ...]
    holds: str
    needs: tuple[str, ...]
    dropped: frozenset[str]
    attributes: Mapping[str, str]  # name -> kind of value


@cache
def components() -> Mapping[str, Component]:
    """All of MJML's tags. `mj-all` has the attributes of all the others."""
    tables = _tables()
    known = {tag: _component(tag, table) for tag, table in tables.items() if tag != "colours"}
    every = {
        name: kind for one in known.values() for name, kind in one.attributes.items() if "mj-body" not in one.inside
    }
    return known | {_ANYTHING: _component(_ANYTHING, tables[_ANYTHING], every)}


@cache
def places() -> frozenset[tuple[str, str]]:
    """(component, what it may stand inside) for all of them but those that set defaults."""
    return frozenset((tag, above) for tag, one in components().items() for above in one.inside if above != _DEFAULTS)


@cache
def _tables() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(files(__package__).joinpath("mjml.toml").read_text(encoding="utf-8"))


def _component(tag: str, table: Mapping[str, str], more: Mapping[str, str] | None = None) -> Component:
    inside = tuple(table.get("inside", "").split())
    own = {name: kind for kind, names in table.items() if kind not in _META for name in names.split()}
    head = tag in ("mjml", "mj-head") or inside in (("mj-head",), ("mj-attributes",))
    return Component(
        inside=inside,
        holds=table.get("holds", "components"),
        needs=tuple(table.get("needs", "").split()),
        dropped=frozenset(table.get("dropped", "").split()),
        attributes=own | dict(more or {}) | ({} if head else dict.fromkeys(EVERYWHERE, "text")),
    )


@lru_cache(maxsize=4096)
def unfit(kind: str, value: str) -> str | None:
    """What `value` should be, in words, when it is not of that kind; None when it is."""
    checks = {"text": _unfit_text, "colour": _unfit_colour, "boolean": _unfit_boolean, "integer": _unfit_integer}
    if kind in checks:
        return checks[kind](value.strip())
    if "|" in kind or kind == "inline":
        return None if value.strip() in kind.split("|") else _one_of(kind)
    return _unfit_length(kind, value)


def _one_of(kind: str) -> str:
    return "one of " + ", ".join(choice for choice in kind.split("|") if choice)


def _unfit_text(value: str) -> str | None:
    broken = [word for word in value.split() if word.startswith("#") and _unfit_colour(word) and " " in value]
    return f"a value whose colour is one ({broken[0]} is none)" if broken else None


def _unfit_colour(value: str) -> str | None:
    known = _HEX.fullmatch(value) or _FUNCTION.fullmatch(value) or value.lower() in _colour_names()
    return None if known else "a colour, like #0B4F8A"


@cache
def _colour_names() -> frozenset[str]:
    return frozenset(_tables()["colours"]["names"].split()) | {"transparent", "none", "inherit"}


def _unfit_boolean(value: str) -> str | None:
    return None if value in ("true", "false") else "true or false"


def _unfit_integer(value: str) -> str | None:
    return None if value.isdecimal() else "a whole number"


def _unfit_length(kind: str, value: str) -> str | None:
    allowed = kind.split()
    parts = value.split()
    most = 4 if "x4" in allowed else 1
    if 1 <= len(parts) <= most and all(_is_length(part, allowed) for part in parts):
        return None
    units = [unit for unit in allowed if unit in ("px", "%", "em")]
    example = f"{'one to four numbers' if most == 4 else 'a number'} with {' or '.join(units)}"
    return example + "".join(f", or {extra}" for extra, name in _BESIDE.items() if name in allowed)


_BESIDE = {"auto": "auto", "a number alone": "number"}


def _is_length(part: str, allowed: list[str]) -> bool:
    found = _NUMBER.fullmatch(part)
    if found is None:
        return part == "auto" and "auto" in allowed
    if found[1] and "negative" not in allowed:
        return False
    # Zero needs no unit in CSS; everything else says which.
    return found[2] in allowed if found[2] else float(part) == 0 or "number" in allowed
