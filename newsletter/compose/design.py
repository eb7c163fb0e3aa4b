"""Designs: folders that turn an issue or a letter into MJML and text, and the options staff may set on them.

A design folder holds design.toml, digest.mjml.j2 and text.txt.j2, with parts/ beside them. The folder `letters` holds
KIND.mjml.j2 and KIND.txt.j2 instead. Templates reach nothing outside their own folder.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from newsletter.compose.arrange import Layout
from newsletter.compose.colour import HEX
from newsletter.compose.pictures import WIDEST, Slots
from newsletter.errors import ConfigError
from newsletter.model import LetterKind

LETTERS = "letters"
_PACKAGE = Path(__file__).resolve().parents[1]
_TYPES = {"colour": str, "text": str, "boolean": bool, "integer": int, "choice": str}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Something staff may change without touching MJML. `type`: colour, text, boolean, integer or choice."""

    name: str
    type: str
    default: Any
    about: str = ""
    choices: tuple[str, ...] = ()

    def check(self, value: Any, where: str) -> Any:
        """`value` if it fits the option's type; raises ConfigError naming `where` otherwise."""
        expected = _TYPES[self.type]
        if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
            raise ConfigError(f"{self.name} must be {_article(self.type)}, not {value!r}", where=where)
        derived = value == "" == self.default  # an empty default means: the design works it out
        if self.type == "colour" and not derived and not HEX.fullmatch(str(value)):
            raise ConfigError(
                f"{self.name} is not a colour: {value!r}", where=where, hint="write # and six digits, like #0B4F8A"
            )
        if self.type == "choice" and value not in self.choices:
            raise ConfigError(
                f"{self.name} cannot be {value!r}", where=where, hint="choose one of " + ", ".join(self.choices)
            )
        return value


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    name: str  # the folder's name, by which a newsletter asks for it
    title: str
    description: str
    path: Path
    options: Mapping[str, Option] = field(default_factory=dict)
    layout: Layout = field(default_factory=Layout)
    pictures: Slots = field(default_factory=Slots)

    def resolve(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """All options with their values: those given, checked, and the defaults of the others.

        Raises ConfigError for an option this design does not have or a value of the wrong type.
        """
        where = f"options of design {self.name}"
        unknown = sorted(set(given) - set(self.options))
        if unknown:
            raise ConfigError(
                f"there is no option {unknown[0]!r}", where=where, hint="it has " + ", ".join(sorted(self.options))
            )
        return {
            name: option.check(given[name], where) if name in given else option.default
            for name, option in self.options.items()
        }

    def letter(self, kind: LetterKind | str) -> tuple[str, str]:
        """The template names (MJML, text) of a letter; raises ConfigError when this folder has none for `kind`."""
        names = f"{kind}.mjml.j2", f"{kind}.txt.j2"
        for name in names:
            if not (self.path / name).is_file():
                raise ConfigError(f"the letter {kind!s} has no template", where=str(self.path / name))
        return names


def default_folders(configured: Path | None) -> tuple[Path, ...]:
    """Where designs are sought, first to last: the configured folder, the packaged one, the checkout's."""
    packaged, checkout = _PACKAGE / "templates", _PACKAGE.parent / "templates"
    return tuple(folder for folder in (configured, packaged, checkout) if folder is not None)


def find_design(name: str, folders: Sequence[Path]) -> Design:
    """The first design called `name`; raises ConfigError listing what is there when no folder has it."""
    if not name or name.startswith(".") or "/" in name or "\\" in name:
        raise ConfigError(f"not a design name: {name!r}", hint="a design is named by its folder, like bulletin")
    for folder in folders:
        if (folder / name / "design.toml").is_file():
            return read_design(folder / name)
    raise ConfigError(
        f"there is no design {name!r}",
        where=", ".join(str(folder) for folder in folders),
        hint="there are " + (", ".join(design_names(folders)) or "none"),
    )


def find_letters(folders: Sequence[Path]) -> Design:
    """The folder of letters. A site that wants its own copies the whole folder."""
    return find_design(LETTERS, folders)


def design_names(folders: Sequence[Path]) -> tuple[str, ...]:
    found = {entry.parent.name for folder in folders for entry in folder.glob("*/design.toml")}
    return tuple(sorted(found - {LETTERS}))


def read_design(path: Path) -> Design:
    """Reads PATH/design.toml; raises ConfigError with file and key for anything it does not understand."""
    file = path / "design.toml"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(file)) from error
    _known(content, ("name", "description", "options", "layout", "pictures"), str(file), "")
    options = {name: _option(name, table, str(file)) for name, table in _table(content, "options", file).items()}
    return Design(
        name=path.name,
        title=str(content.get("name", path.name)),
        description=str(content.get("description", "")),
        path=path.resolve(),
        options=options,
        layout=_layout(_table(content, "layout", file), str(file)),
        pictures=_slots(_table(content, "pictures", file), str(file)),
    )


def _table(content: Mapping[str, Any], key: str, file: Path) -> Mapping[str, Any]:
    value = content.get(key, {})
    if not isinstance(value, dict):
        raise ConfigError(f"{key} must be a table", where=str(file), hint=f"write [{key}]")
    return value


def _known(table: Mapping[str, Any], keys: Sequence[str], file: str, prefix: str) -> None:
    for key in table:
        if key not in keys:
            raise ConfigError(f"unknown key {prefix}{key}", where=file, hint="known: " + ", ".join(keys))


def _option(name: str, table: Any, file: str) -> Option:
    if not isinstance(table, dict):
        raise ConfigError(f"options.{name} must be a table", where=file, hint=f"write [options.{name}]")
    _known(table, ("type", "default", "about", "choices"), file, f"options.{name}.")
    kind = table.get("type")
    if kind not in _TYPES or "default" not in table:
        raise ConfigError(
            f"options.{name} needs a type and a default", where=file, hint="types: " + ", ".join(sorted(_TYPES))
        )
    option = Option(
        name=name,
        type=kind,
        default=table["default"],
        about=str(table.get("about", "")),
        choices=tuple(str(choice) for choice in table.get("choices", ())),
    )
    option.check(option.default, f"{file}: options.{name}.default")
    return option


def _layout(table: Mapping[str, Any], file: str) -> Layout:
    kinds = {entry.name: bool if entry.name == "lead" else int for entry in fields(Layout)}
    _known(table, tuple(kinds), file, "layout.")
    for key, value in table.items():
        if type(value) is not kinds[key] or value < 0:
            wanted = "true or false" if kinds[key] is bool else "a number from 0"
            raise ConfigError(f"layout.{key} must be {wanted}, not {value!r}", where=file)
    return Layout(**table)


def _slots(table: Mapping[str, Any], file: str) -> Slots:
    """[pictures]: how large pictures are shown at most, in CSS pixels; [] where a design shows none."""
    _known(table, tuple(entry.name for entry in fields(Slots)), file, "pictures.")
    for key, value in table.items():
        sides = value if isinstance(value, list) else [None]
        if len(sides) not in (0, 2) or not all(type(side) is int and 1 <= side <= WIDEST for side in sides):
            hint = f"write {key} = [552, 310], each side from 1 to {WIDEST}, or [] for none"
            raise ConfigError(f"pictures.{key} must be a width and a height, not {value!r}", where=file, hint=hint)
    return Slots(**{key: (value[0], value[1]) if value else None for key, value in table.items()})
