"""preview and clients on the command line: any reader, any form, any mail program; nobody's links."""

import re
import sys
from pathlib import Path

import pytest
from PIL import Image

from newsletter.cli import shot
from newsletter.mail.clients import ClientName
from tests.cli.conftest import Home


def test_every_program_is_listed_with_the_day_of_its_tests(home: Home) -> None:
    said = home("clients", "--json").json
    assert {row["name"] for row in said["clients"]} == set(ClientName)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", said["data"]["updated"])
    assert "Outlook on Windows" in home("clients").out


def test_a_program_shows_the_mail_and_says_what_is_lost_apart_from_it(waiting: Home) -> None:
    said = waiting("preview", "latest", "--client", "outlook-windows")
    assert said.code == 0
    assert said.out.startswith("<!DOCTYPE html>")
    assert "simulated after tests of" in said.err
    assert "border-radius is not shown" in said.err
    losses = waiting("preview", "latest", "--client", "outlook-windows", "--json").json
    assert [entry["language"] for entry in losses] == ["vi"]
    assert losses[0]["simulated"] is True
    assert any("border-radius" in loss["message"] for loss in losses[0]["losses"])


@pytest.mark.parametrize("client", list(ClientName))
def test_every_program_writes_its_files(waiting: Home, tmp_path: Path, client: ClientName) -> None:
    assert waiting("preview", "latest", "--client", client, "--out", tmp_path / "x").code == 0
    kinds = {".txt"} if client in (ClientName.TEXT, ClientName.SCREEN_READER) else {".html"}
    files = list((tmp_path / "x").iterdir())
    assert {file.suffix for file in files} == kinds
    assert len(files) == 2


def test_a_person_is_shown_masked_unless_revealed_and_never_with_their_links(waiting: Home) -> None:
    masked = waiting("preview", "latest", "--person", "an@vien.example", "--as", "html").out
    revealed = waiting("preview", "latest", "--person", "an@vien.example", "--as", "html", "--reveal").out
    assert "an@vien.example" not in masked
    assert "an@vien.example" in revealed
    person = waiting("subscribers", "show", "an@vien.example", "--json").json["id"]
    for mail in (masked, revealed):
        assert person not in mail
        assert re.search(r"/u/[0-9a-z]{17}0{16}", mail), "the links of nobody"
    assert "nobody here has this address" in waiting("preview", "latest", "--person", "ai@vien.example").error


def test_the_whole_message_of_a_person_goes_to_nobody(waiting: Home) -> None:
    mail = waiting("preview", "latest", "--person", "an@vien.example", "--as", "eml").out
    assert "an@vien.example" not in mail
    assert re.search(r"^To: .*reader@vien\.example", mail, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("persona", ["usual", "nameless", "long-name"])
def test_invented_readers(waiting: Home, persona: str) -> None:
    assert "Hủy đăng ký" in waiting("preview", "latest", "--persona", persona).out


def test_the_dark_palette_holds_whatever_the_browser_prefers(waiting: Home) -> None:
    html = waiting("preview", "latest", "--as", "html", "--dark").out
    assert "prefers-color-scheme" not in html
    assert "@media all" in html


def test_what_cannot_be_done_is_one_line(waiting: Home) -> None:
    assert "add --out FOLDER" in waiting("preview", "latest", "--as", "png").error
    assert "add --client NAME" in waiting("preview", "latest", "--json").error


@pytest.mark.parametrize("width", [360, 600])
def test_a_picture_shows_the_whole_mail(waiting: Home, tmp_path: Path, chromium: str, width: int) -> None:
    said = waiting("preview", "latest", "--as", "png", "--width", width, "--lang", "vi", "--out", tmp_path)
    assert said.code == 0, said.err
    [file] = tmp_path.glob("*.png")
    with Image.open(file) as picture:
        assert picture.width == width
        assert picture.height > 600
        colours = {picture.convert("RGB").getpixel((width // 2, y)) for y in range(0, picture.height, 7)}
    assert len(colours) > 5, "an empty page"


def test_a_picture_runs_no_script_and_is_as_tall_as_its_page(tmp_path: Path, chromium: str) -> None:
    mail = (
        '<html><body style="margin:0;background:#00f"><div style="height:2345px"></div>'
        "<script>document.body.style.background = '#f00'</script></body></html>"
    )
    shot.take(mail, tmp_path / "a.png", width=300)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (300, 2345)
        assert picture.convert("RGB").getpixel((150, 2000)) == (0, 0, 255)


def test_without_a_browser_there_is_one_line(waiting: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent / "nowhere"))
    said = waiting("preview", "latest", "--as", "png", "--out", tmp_path)
    assert said.code == 1
    assert "need Chromium, which is not installed" in said.error
    assert list(tmp_path.glob("*.png")) == []
