"""What staff may set on a design: the options of its design.toml, checked, and colours mended until they can be read. Pure.

Never changes a colour unsaid: whoever asks gets what was given, what is used, and both ratios (`Mended`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from newsletter.compose.colour import HEX, contrast, readable
from newsletter.compose.safe import https_url
from newsletter.errors import ConfigError

TYPES: Mapping[str, type] = {"colour": str, "text": str, "url": str, "boolean": bool, "integer": int, "choice": str}
KEYS = ("type", "default", "label", "about", "choices", "least", "most", "against", "contrast")
LONGEST = 300  # characters of a text option: it stands in a masthead or a footer
TEXT_RATIO = 4.5  # WCAG 2.2, 1.4.3

_YES_NO = {"yes": True, "true": True, "no": False, "false": False}

Words = Mapping[str, str]  # language → text; the key "" holds a text that is the same in all


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """A colour that could not be read where it stands, and the nearest shade of it that can."""

    option: str
    given: str
    used: str
    against: str  # the ground it stands on, or the text that stands on it
    before: float  # contrast of `given`, 1 to 21, cut after one decimal: 4.46 is not 4.5
    after: float  # contrast of `used`

    def __str__(self) -> str:
        return (
            f"{self.option} {self.given} has a contrast of {self.before:.1f}:1 on {self.against}; "
            f"{self.used} is used, {self.after:.1f}:1"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Something staff may change without touching MJML. `type`: colour, text, url, boolean, integer or choice."""

    name: str
    type: str
    default: Any
    label: Words = field(default_factory=dict)
    about: Words = field(default_factory=dict)
    choices: Mapping[str, Words] = field(default_factory=dict)  # value → what staff read
    least: int | None = None  # of an integer
    most: int | None = None
    against: str = ""  # of a colour: what it must be told apart from, "" for nothing
    contrast: float = TEXT_RATIO

    def check(self, value: Any, where: str) -> Any:
        """`value` if it fits the option's type; raises ConfigError naming `where` otherwise."""
        expected = TYPES[self.type]
        if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
            raise ConfigError(f"{self.name} must be {_article(self.type)}, not {value!r}", where=where)
        if value == "" == self.default:  # an empty default means: nothing, or the design works it out
            return value
        fault, hint = self._fault(value)
        if fault:
            raise ConfigError(f"{self.name} {fault}", where=where, hint=hint)
        return value

    def _fault(self, value: Any) -> tuple[str, str]:
        if self.type == "colour" and not HEX.fullmatch(value):
            return f"is not a colour: {value!r}", "write # and six digits, like #0B4F8A"
        if self.type == "url" and (https_url(value) is None or len(value) > 2000):
            return f"is not an https address: {value[:60]!r}", "mail clients do not show pictures without https"
        if self.type == "choice" and value not in self.choices:
            return f"cannot be {value!r}", "choose one of " + ", ".join(self.choices)
        if self.type == "text" and len(value) > LONGEST:
            return f"has {len(value)} characters", f"at most {LONGEST}"
        if self.type == "integer" and not (self.least or 0) <= value <= (value if self.most is None else self.most):
            return f"cannot be {value}", f"from {self.least or 0}" + (f" to {self.most}" if self.most else "")
        return "", ""

    def parsed(self, text: str) -> Any:
        """What somebody typed, as this option's type; what cannot be one stays text, and `check` says so."""
        typed = text.strip()
        if self.type == "boolean":
            return _YES_NO.get(typed.lower(), typed)
        if self.type == "integer" and re.fullmatch(r"-?\d{1,9}", typed):
            return int(typed)
        return typed.upper() if self.type == "colour" and HEX.fullmatch(typed) else typed

    def used(self, value: Any) -> Any:
        """What templates get for a checked `value`: colours mended, all else as it is."""
        derived = self.type != "colour" or not self.against or value == ""
        return value if derived else readable(value, self.against, self.contrast)

    def mended(self, value: Any) -> Mended | None:
        """None where a checked `value` is used as it is."""
        used = self.used(value)
        if used == value or (self.type == "colour" and used == value.upper()):
            return None
        return Mended(
            option=self.name,
            given=value,
            used=used,
            against=self.against,
            before=_cut(contrast(value, self.against)),
            after=_cut(contrast(used, self.against)),
        )


def _cut(ratio: float) -> float:
    return int(ratio * 10) / 10


def said(words: Words, language: str, otherwise: str = "") -> str:
    """The text in `language`, else in English, else the one there is."""
    for tag in (language, language.split("-")[0], "en", ""):
        if tag in words:
            return words[tag]
    return next(iter(words.values()), otherwise)


def read_option(name: str, table: Any, file: str) -> Option:
    """One [options.NAME] of `file`; raises ConfigError with file and key for anything it does not understand."""
    where = f"options.{name}"
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table", where=file, hint=f"write [{where}]")
    known_keys(table, KEYS, file, f"{where}.")
    kind = str(table.get("type"))
    if kind not in TYPES or "default" not in table:
        raise ConfigError(f"{where} needs a type and a default", where=file, hint="types: " + ", ".join(sorted(TYPES)))
    option = Option(
        name=name,
        type=kind,
        default=table["default"],
        label=read_words(table.get("label", {}), f"{where}.label", file),
        about=read_words(table.get("about", {}), f"{where}.about", file),
        choices=_choices(table.get("choices", {}), f"{where}.choices", file),
        least=_number(table, "least", int, (where, file)),
        most=_number(table, "most", int, (where, file)),
        against=_ground(table.get("against", ""), f"{where}.against", file),
        contrast=_number(table, "contrast", float, (where, file)) or TEXT_RATIO,
    )
    option.check(option.default, f"{file}: {where}.default")
    return option


def known_keys(table: Mapping[str, Any], keys: Sequence[str], file: str, prefix: str) -> None:
    """Raises ConfigError for the first key of `table` that is not among `keys`."""
    for key in table:
        if key not in keys:
            raise ConfigError(f"unknown key {prefix}{key}", where=file, hint="known: " + ", ".join(keys))


def read_words(value: Any, where: str, file: str) -> Words:
    """A text, or one for each language; raises ConfigError with file and key for anything else."""
    if isinstance(value, str):
        return {"": value}
    if isinstance(value, dict) and all(isinstance(text, str) for text in value.values()):
        return value
    raise ConfigError(f"{where} must be a text or one for each language", where=file, hint='{ en = "…", vi = "…" }')


def _choices(value: Any, where: str, file: str) -> Mapping[str, Words]:
    if isinstance(value, list):
        return {str(choice): {"": str(choice)} for choice in value}
    if isinstance(value, dict):
        return {name: read_words(words, f"{where}.{name}", file) for name, words in value.items()}
    raise ConfigError(f"{where} must be a list or a table", where=file)


def _number(table: Mapping[str, Any], key: str, kind: type, place: tuple[str, str]) -> Any:
    value = table.get(key)
    if value is None or (isinstance(value, int | kind) and not isinstance(value, bool)):
        return value
    raise ConfigError(f"{place[0]}.{key} must be a number, not {value!r}", where=place[1])


def _ground(value: Any, where: str, file: str) -> str:
    if isinstance(value, str) and (value == "" or HEX.fullmatch(value)):
        return value
    raise ConfigError(f"{where} is not a colour: {value!r}", where=file, hint="write # and six digits, like #FFFFFF")


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeio" else f"a {kind}"
