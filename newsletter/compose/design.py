"""Designs: folders that turn an issue or a letter into MJML and text, and the options staff may set on them.

A design folder holds design.toml, digest.mjml.j2 and text.txt.j2, with parts/ beside them. The folder `letters` holds
KIND.mjml.j2 and KIND.txt.j2 instead. Templates reach nothing outside their own folder but what they name as `shared/…`:
that is taken from their own folder `shared`, or else from the folder of that name beside theirs.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from newsletter.compose.arrange import Layout
from newsletter.compose.options import Mended, Option, Words, known_keys, read_option, read_words, said
from newsletter.compose.pictures import WIDEST, Slots
from newsletter.errors import ConfigError
from newsletter.model import LetterKind

LETTERS = "letters"
_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    name: str  # the folder's name, by which a newsletter asks for it
    names: Words
    descriptions: Words
    path: Path
    options: Mapping[str, Option] = field(default_factory=dict)
    layout: Layout = field(default_factory=Layout)
    pictures: Slots = field(default_factory=Slots)

    def title(self, language: str = "en") -> str:
        return said(self.names, language, self.name)

    def description(self, language: str = "en") -> str:
        return said(self.descriptions, language)

    def resolve(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """All options with the values templates get: those given, checked and mended, and the defaults of the others.

        Raises ConfigError for an option this design does not have or a value of the wrong type.
        """
        return {name: self.options[name].used(value) for name, value in self.checked(given).items()}

    def checked(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same before mending: the values as staff set them."""
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

    def mended(self, given: Mapping[str, Any]) -> tuple[Mended, ...]:
        """The colours that are not used as they were set; raises ConfigError as `resolve`."""
        found = (self.options[name].mended(value) for name, value in self.checked(given).items())
        return tuple(one for one in found if one is not None)

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


def own_folder(configured: Path | None) -> Path:
    """Where a site's own designs go; raises ConfigError where the settings name no such folder."""
    if configured is None:
        raise ConfigError(
            "there is no folder for your own designs",
            where="designs",
            hint='add designs = "designs" to the settings file',
        )
    return configured


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
    known_keys(content, ("name", "description", "options", "layout", "pictures"), str(file), "")
    options = {name: read_option(name, table, str(file)) for name, table in _table(content, "options", file).items()}
    return Design(
        name=path.name,
        names=read_words(content.get("name", path.name), "name", str(file)),
        descriptions=read_words(content.get("description", ""), "description", str(file)),
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


def _layout(table: Mapping[str, Any], file: str) -> Layout:
    kinds = {entry.name: bool if entry.name == "lead" else int for entry in fields(Layout)}
    known_keys(table, tuple(kinds), file, "layout.")
    for key, value in table.items():
        if type(value) is not kinds[key] or value < 0:
            wanted = "true or false" if kinds[key] is bool else "a number from 0"
            raise ConfigError(f"layout.{key} must be {wanted}, not {value!r}", where=file)
    return Layout(**table)


def _slots(table: Mapping[str, Any], file: str) -> Slots:
    """[pictures]: how large pictures are shown at most, in CSS pixels; [] where a design shows none."""
    known_keys(table, tuple(entry.name for entry in fields(Slots)), file, "pictures.")
    for key, value in table.items():
        sides = value if isinstance(value, list) else [None]
        if len(sides) not in (0, 2) or not all(type(side) is int and 1 <= side <= WIDEST for side in sides):
            hint = f"write {key} = [552, 310], each side from 1 to {WIDEST}, or [] for none"
            raise ConfigError(f"pictures.{key} must be a width and a height, not {value!r}", where=file, hint=hint)
    return Slots(**{key: (value[0], value[1]) if value else None for key, value in table.items()})
