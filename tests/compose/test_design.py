"""Design folders: where they are found, what design.toml may say, and what staff may set."""

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.compose import colour
from newsletter.compose.arrange import Layout
from newsletter.compose.design import Design, default_folders, design_names, find_design, find_letters
from newsletter.errors import ConfigError
from newsletter.model import LetterKind


def test_the_configured_folder_comes_before_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "bulletin").mkdir()
    (tmp_path / "bulletin" / "design.toml").write_text('name = "Ours"')
    assert find_design("bulletin", default_folders(tmp_path)).title == "Ours"
    assert find_design("bulletin", default_folders(None)).title == "Bulletin"
    assert "bulletin" in design_names(default_folders(None))


def test_all_four_letters_are_shipped(letters: Design) -> None:
    for kind in LetterKind:
        assert letters.letter(kind) == (f"{kind}.mjml.j2", f"{kind}.txt.j2")
    assert find_letters(default_folders(None)) == letters


def test_a_missing_letter_is_told_by_its_path(bulletin: Design) -> None:
    with pytest.raises(ConfigError, match=r"bulletin/confirm\.mjml\.j2: the letter confirm has no template"):
        bulletin.letter(LetterKind.CONFIRM)


@pytest.mark.parametrize("name", ["", "../bulletin", ".hidden", "a/b", "nowhere"])
def test_an_unknown_or_odd_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="design"):
        find_design(name, default_folders(None))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("colour = 1", "unknown key colour"),
        ("name = ", "cannot be read"),
        ("options = 3", "options must be a table"),
        ('[options.a]\ntype = "color"\ndefault = ""', r"options\.a needs a type and a default"),
        ('[options.a]\ntype = "text"', r"options\.a needs a type and a default"),
        ('[options.a]\ntype = "colour"\ndefault = "red"', r"options\.a\.default: a is not a colour"),
        ('[options.a]\ntype = "boolean"\ndefault = "yes"', r"a must be a boolean, not 'yes'"),
        ('[options.a]\ntype = "integer"\ndefault = true', "a must be an integer, not True"),
        ('[options.a]\ntype = "choice"\ndefault = "x"\nchoices = ["y"]', "a cannot be 'x'"),
        ('[options.a]\ntype = "text"\ndefault = ""\nwidth = 1', r"unknown key options\.a\.width"),
        ("[layout]\ncards = -1", r"layout\.cards must be a number from 0"),
        ("[layout]\nlead = 1", r"layout\.lead must be true or false"),
        ("[layout]\nrows = 1", r"unknown key layout\.rows"),
    ],
)
def test_a_faulty_design_toml_is_told_by_file_and_key(
    design_of: Callable[[dict[str, str]], Design], content: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        design_of({"design.toml": content})
    assert "own/design.toml" in str(caught.value)


def test_layout_and_options_are_read(design_of: Callable[[dict[str, str]], Design]) -> None:
    design = design_of({"design.toml": '[layout]\ncards = 3\n[options.size]\ntype = "integer"\ndefault = 4'})
    assert design.layout == Layout(cards=3)
    assert design.resolve({}) == {"size": 4}
    assert design.resolve({"size": 5}) == {"size": 5}


def test_a_colour_is_changed_only_as_far_as_reading_needs() -> None:
    assert colour.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert colour.readable("#0B4F8A", "#FFFFFF") == "#0B4F8A"
    for pale in ("#F2C14E", "#FFFFFF", "#7FB8EC", "#888888"):
        assert colour.contrast(colour.readable(pale, "#FFFFFF"), "#FFFFFF") >= 4.5
    for deep in ("#0B4F8A", "#000000", "#8A0B0B"):
        assert colour.contrast(colour.readable(deep, "#171C22", 7), "#171C22") >= 7


def test_what_is_not_a_colour_is_refused() -> None:
    with pytest.raises(ValueError, match="not a colour"):
        colour.luminance("red")
