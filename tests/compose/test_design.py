"""Design folders: where they are found, what design.toml may say, and what staff may set."""

from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.compose import colour
from newsletter.compose.arrange import Layout
from newsletter.compose.design import Design, default_folders, design_names, find_design, find_letters
from newsletter.compose.options import said
from newsletter.compose.safe import bound, whole_sentences
from newsletter.compose.templating import environment, render_template
from newsletter.errors import ConfigError, TemplateError
from newsletter.model import LetterKind


def test_the_configured_folder_comes_before_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "bulletin").mkdir()
    (tmp_path / "bulletin" / "design.toml").write_text('name = "Ours"')
    assert find_design("bulletin", default_folders(tmp_path)).title() == "Ours"
    assert find_design("bulletin", default_folders(None)).title() == "Bulletin"
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
        ('[options.a]\ntype = "text"\ndefault = ""\nlabel = 3', r"options\.a\.label must be a text or one for each"),
        ('[options.a]\ntype = "integer"\ndefault = 1\nmost = "3"', r"options\.a\.most must be a number, not '3'"),
        ('[options.a]\ntype = "integer"\ndefault = 9\nmost = 3', "a cannot be 9"),
        ('[options.a]\ntype = "colour"\ndefault = ""\nagainst = "white"', r"options\.a\.against is not a colour"),
        ('[options.a]\ntype = "choice"\ndefault = "x"\nchoices = 3', r"options\.a\.choices must be a list or a table"),
        ('[options.a]\ntype = "url"\ndefault = "http://vien.example/a.png"', "a is not an https address"),
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


def test_a_pale_brand_colour_is_mended_and_both_are_told(bulletin: Design) -> None:
    given = {"accent": "#F2C14E", "masthead": "#0b3c66", "accent_dark": "#101010"}
    mended = {one.option: one for one in bulletin.mended(given)}
    assert set(mended) == {"accent", "accent_dark"}
    accent = mended["accent"]
    assert (accent.given, accent.against) == ("#F2C14E", "#FFFFFF")
    assert accent.before < 4.5 <= accent.after
    assert bulletin.resolve(given)["accent"] == accent.used
    assert bulletin.checked(given)["accent"] == "#F2C14E"
    assert str(accent).startswith("accent #F2C14E has a contrast of 1.6:1 on #FFFFFF; ")
    assert bulletin.mended({}) == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"logo": "http://vien.example/logo.png"}, "logo is not an https address"),
        ({"logo": "https://"}, "logo is not an https address"),
        ({"logo_width": 10}, "logo_width cannot be 10"),
        ({"logo_width": 900}, r"logo_width cannot be 900 \(from 24 to 552\)"),
        ({"fonts": "comic"}, r"fonts cannot be 'comic' \(choose one of sans, serif, serif-titles\)"),
        ({"footer_text": "a" * 301}, "footer_text has 301 characters"),
        ({"accent": ""}, "accent is not a colour"),
    ],
)
def test_what_does_not_fit_an_option_is_refused(bulletin: Design, given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        bulletin.resolve(given)


def test_shipped_designs_say_the_same_of_the_same_option_in_both_languages() -> None:
    shipped = [find_design(name, default_folders(None)) for name in design_names(default_folders(None))]
    assert {design.name for design in shipped} >= {"bulletin", "compact", "cards"}
    told: dict[str, tuple[object, ...]] = {}
    for design in shipped:
        assert design.title("vi") != design.title("en")
        assert {"vi", "en"} <= set(design.descriptions)
        for option in design.options.values():
            words = (option.type, option.label, option.about, option.choices, option.least, option.most)
            if option.name != "accent_dark":  # its ground is the design's own
                assert told.setdefault(option.name, words) == words, f"{design.name}: {option.name}"
            for told_in in (option.label, option.about, *option.choices.values()):
                assert set(told_in) == {"vi", "en"}, option.name


def test_words_fall_back_to_english_and_to_what_there_is() -> None:
    assert said({"en": "Accent", "vi": "Màu nhấn"}, "vi-VN") == "Màu nhấn"
    assert said({"en": "Accent", "vi": "Màu nhấn"}, "ja") == "Accent"
    assert said({"": "Accent"}, "vi") == "Accent"
    assert said({}, "vi", "accent") == "accent"


def test_a_design_may_name_the_shared_parts_beside_it_and_nothing_else_outside(tmp_path: Path) -> None:
    for place, content in {
        "own/design.toml": "",
        "own/a.txt.j2": '{% include "shared/part.txt.j2" %}',
        "own/b.txt.j2": '{% include "shared/../other/secret.txt.j2" %}',
        "own/c.txt.j2": '{% include "shared/linked.txt.j2" %}',
        "own/d.txt.j2": '{% include "shared/faulty.txt.j2" %}',
        "other/secret.txt.j2": "secret",
        "shared/part.txt.j2": "shared",
        "shared/faulty.txt.j2": "\n\n{{ nobody }}",
    }.items():
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(content)
    (tmp_path / "shared" / "linked.txt.j2").symlink_to(tmp_path / "other" / "secret.txt.j2")
    own = tmp_path / "own"
    assert render_template(own, "a.txt.j2", {}) == "shared"
    for name in ("b.txt.j2", "c.txt.j2"):
        with pytest.raises(TemplateError, match="there is no template"):
            render_template(own, name, {})
    with pytest.raises(TemplateError, match=r"shared/faulty\.txt\.j2:3: nobody is not defined"):
        render_template(own, "d.txt.j2", {})
    (own / "shared").mkdir()
    (own / "shared" / "part.txt.j2").write_text("our own")
    environment.cache_clear()
    assert render_template(own, "a.txt.j2", {}) == "our own"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Ngắn.", "Ngắn."),
        ("Lớp do PGS. TS. Nguyễn Văn A. dạy. Học viên đến từ chín huyện.", "Lớp do PGS. TS. Nguyễn Văn A. dạy."),
        ("Chi phí giảm 11,4 %. Vụ sau gieo trên hai huyện.", "Chi phí giảm 11,4 %."),
        ("Xong năm 2027. Sau đó mở rộng ra năm tỉnh khác.", "Xong năm 2027."),
        ("Họ nói: “Sẽ làm.” Sau đó đoàn đi thăm trạm đo ở cửa sông.", "Họ nói: “Sẽ làm.”"),
        ("Một câu dài hơn chỗ dành cho nó mà không có chỗ nào để ngắt.", None),
        ("Trạm đo đặt tại TP. Hồ Chí Minh từ tháng này cho tới tháng sau.", None),
    ],
)  # fmt: skip
def test_a_card_gets_whole_sentences_only(text: str, kept: str | None) -> None:
    assert whole_sentences(text, 40) == (kept or text)


def test_no_line_ends_between_a_figure_and_its_unit() -> None:
    assert (
        bound("giảm 11,4 % trong 3 km, đến hết ngày 05/12")
        == "giảm 11,4\u00a0% trong 3\u00a0km, đến hết ngày\u00a005/12"
    )
    assert bound("có 3 mẫu, 5 người và 12 kgx") == "có 3 mẫu, 5 người và 12 kgx"
