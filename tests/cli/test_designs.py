"""design list, new, check, preview; and mended colours where a site file sets them."""

from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import SETTINGS, SITE, Home

SHIPPED = ("bulletin", "cards", "compact")


@pytest.fixture
def own(home: Home) -> Home:
    """A home with a folder for designs of its own."""
    home.config.write_text('designs = "designs"\n' + SETTINGS, encoding="utf-8")
    return home


def test_the_shipped_designs_are_listed_with_their_options(home: Home) -> None:
    said = home("design", "list")
    assert [line.split()[0] for line in said.out.splitlines()[1:]] == [*SHIPPED, "letters"]
    told = {design["name"]: design for design in home("design", "list", "--json").json}
    assert told["cards"]["title"] == {"en": "Magazine cards", "vi": "Thẻ tạp chí"}
    assert told["bulletin"]["options"]["fonts"]["choices"] == ["sans", "serif", "serif-titles"]


@pytest.mark.parametrize("name", [*SHIPPED, "letters"])
def test_every_shipped_design_is_without_fault(home: Home, name: str) -> None:
    said = home("design", "check", name)
    assert (said.code, said.out) == (0, f"{name} renders in all its shapes\n")


@pytest.mark.parametrize("source", SHIPPED)
def test_a_copy_depends_on_nothing_else_and_is_found(own: Home, source: str) -> None:
    said = own("design", "new", "our-news", "--from", source)
    folder = own.folder / "designs" / "our-news"
    assert said.out.strip() == str(folder)
    assert (folder / "shared" / "head.mjml.j2").is_file()
    assert 'name = "our-news"' in (folder / "design.toml").read_text(encoding="utf-8")
    assert own("design", "check", "our-news").code == 0
    copy, origin = (own("design", "preview", name, "--as", "html").out for name in ("our-news", source))
    assert copy == origin


def test_letters_are_copied_as_letters_only(own: Home) -> None:
    assert own("design", "new", "letters", "--from", "letters").code == 0
    assert own("design", "check", "letters").code == 0
    assert "cannot be the name" in own("design", "new", "mine", "--from", "letters").error


@pytest.mark.parametrize("name", ["../x", "Ours", "a b", "shared", "letters", ".x"])
def test_an_odd_name_is_refused_and_nothing_is_written(own: Home, name: str) -> None:
    assert "cannot be the name" in own("design", "new", name).error
    assert not (own.folder / "designs").exists()


def test_a_copy_never_overwrites_and_needs_a_folder(own: Home) -> None:
    own("design", "new", "ours")
    assert "there is such a folder already" in own("design", "new", "ours").error
    own.settings("")
    assert 'add designs = "designs"' in own("design", "new", "more").error


def test_faults_are_told_by_file_and_line_and_end_with_code_1(own: Home) -> None:
    own("design", "new", "ours")
    folder = own.folder / "designs" / "ours"
    _insert(folder / "shared" / "lead.mjml.j2", 3, "{{ nobody }}")
    _insert(folder / "parts" / "item.mjml.j2", 2, '{# <p style="text-transform: uppercase"> #}')
    said = own("design", "check", "ours")
    assert said.code == 1
    assert "error: ours/shared/lead.mjml.j2:3: nobody is not defined" in said.out
    assert "warning: ours/parts/item.mjml.j2:2: capitals by style" in said.out
    assert said.out.count("nobody") == 2  # once for all shapes: what, and Jinja's own words


def test_a_fault_in_a_shared_part_beside_the_design_is_told_there(own: Home) -> None:
    own("design", "new", "ours", "--from", "compact")
    folder = own.folder / "designs"
    (folder / "ours" / "shared").rename(folder / "shared")
    _insert(folder / "shared" / "footer.mjml.j2", 2, "<mj-nonsense />")
    said = own("design", "check", "ours")
    assert (said.code, said.out.split(": <")[0]) == (1, "error: shared/footer.mjml.j2:2")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("text.txt.j2", '{{ plain.footer() -}}', "", "error: ours: plain text: has no {{ unsubscribe_url }}"),
        ("shared/footer.mjml.j2", "{{ preferences_url }}", "#", "warning: ours: HTML: has no {{ preferences_url }}"),
        ("digest.mjml.j2", ' lang="{{ language }}"', "", "error: ours: HTML: does not say its language"),
        ("text.txt.j2", "{{ entry(item) -}}", "", "lacks “"),
        ("text.txt.j2", "item.summary | wrap", "item.summary", "characters, more than 72; use the filter `wrap`"),
        ("shared/footer.mjml.j2", "<mj-text", '<mj-text><img src="https://vien.example/a.png" /></mj-text><mj-text',
         "error: ours: HTML: has a picture without alt"),
    ],
)  # fmt: skip
def test_what_a_digest_must_have_is_missed(own: Home, file: str, old: str, new: str, message: str) -> None:
    own("design", "new", "ours", "--from", "compact")
    path = own.folder / "designs" / "ours" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    said = own("design", "check", "ours")
    assert message in said.out


def test_a_pale_colour_is_shown_with_what_is_used_instead(home: Home) -> None:
    said = home("design", "check", "bulletin", "--set", "accent=#F2C14E")
    assert said.code == 0
    assert "accent #F2C14E has a contrast of 1.6:1 on #FFFFFF; #926A0B is used, 4.8:1" in said.out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("accent", "'accent' sets nothing"),
        ("accent=red", "accent is not a colour: 'red'"),
        ("colour=#000000", "there is no option 'colour'"),
        ("show_intro=perhaps", "show_intro must be a boolean, not 'perhaps'"),
        ("logo_width=9", "logo_width cannot be 9"),
    ],
)
def test_an_option_that_does_not_fit_is_one_line(home: Home, given: str, message: str) -> None:
    assert message in home("design", "check", "bulletin", "--set", given).error


def test_options_come_as_their_types(home: Home) -> None:
    shown = home(
        "design", "preview", "bulletin", "--set", "show_intro=no", "--set", "footer_text=Thư đều có người đọc."
    )
    assert "nổi bật" not in shown.out
    assert "Thư đều có người đọc." in shown.out


def test_a_preview_is_whole_and_has_no_marker_left(home: Home) -> None:
    for lang, word in (("vi", "Hủy đăng ký"), ("en", "Unsubscribe")):
        said = home("design", "preview", "cards", "--out", home.folder / "seen", "--lang", lang)
        assert said.out.splitlines() == [str(home.folder / "seen" / f"cards-{lang}.{form}") for form in ("html", "txt")]
        html, text = (Path(line).read_text(encoding="utf-8") for line in said.out.splitlines())
        for part in (html, text):
            assert word in part
            assert "QqX" not in part
        assert "data:image/svg+xml," in html
        assert "pictures.example.org" not in html


def test_pictures_of_a_preview_are_as_wide_as_asked_and_light_and_dark(home: Home, chromium: str) -> None:
    said = home("design", "preview", "compact", "--items", "1", "--out", home.folder / "seen", "--png")
    shots = {Path(line).stem: _opened(line) for line in said.out.splitlines() if line.endswith(".png")}
    assert set(shots) == {f"compact-vi-{width}-{scheme}" for width in (600, 360) for scheme in ("light", "dark")}
    for name, shot in shots.items():
        assert shot.width == int(name.split("-")[2])
        assert 300 < shot.height < 900
        assert (sum(shot.resize((1, 1)).getextrema()) > 256) == name.endswith("light")
    assert "add --out FOLDER" in home("design", "preview", "compact", "--png").error


def test_without_chromium_pictures_are_refused_in_one_line(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    said = home("design", "preview", "compact", "--out", home.folder / "seen", "--png")
    assert "need Chromium, which is not installed" in said.error


def test_the_plan_of_a_site_shows_mended_colours(home: Home) -> None:
    file = home.write("site.toml", SITE + '[newsletters.options]\naccent = "#F2C14E"\n')
    said = home("apply", file, "--dry-run")
    assert "ban-tin: accent #F2C14E has a contrast of 1.6:1 on #FFFFFF; #926A0B is used, 4.8:1" in said.out
    assert home("apply", file, "--json").json["mended"]["ban-tin"][0]["used"] == "#926A0B"


def _opened(path: str) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("L")


def _insert(path: Path, number: int, line: str) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[: number - 1], line, *lines[number - 1 :]]) + "\n", encoding="utf-8")
