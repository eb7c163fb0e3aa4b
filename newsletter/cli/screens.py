"""Pictures of a mail as Chromium shows it, when Chromium is there. Nothing is fetched: only what is in the document shows."""

import html as markup
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops

from newsletter.errors import BadInput

TALLEST = 9000  # px; 60 items in one column
_SECONDS = 60
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    "--headless",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def browser() -> str:
    """The path of Chromium; raises BadInput when there is none."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise BadInput(
            "pictures need Chromium, which is not installed", hint="`apt install chromium`, or leave --png out"
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A document, the width it is shown at in CSS pixels, and the PNG to write."""

    html: str
    width: int
    path: Path


def take(shots: Sequence[Shot], *, chromium: str) -> None:
    """Writes each shot, as tall as its document. Raises BadInput when Chromium gives none.

    All in one start of the browser, side by side in frames without scripts: a start costs more than a picture, and a
    window of its own is never narrower than about 500 px.
    """
    whole = sum(shot.width for shot in shots)
    with tempfile.TemporaryDirectory(prefix="newsletter-") as folder:
        page, taken = Path(folder) / "page.html", Path(folder) / "taken.png"
        page.write_text(_side_by_side(shots, whole), encoding="utf-8")
        arguments = [chromium, *_ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else []),
                     f"--user-data-dir={folder}/profile", f"--window-size={max(whole, 600)},{TALLEST}",
                     f"--screenshot={taken}", page.as_uri()]  # fmt: skip
        try:
            subprocess.run(arguments, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603
        except subprocess.TimeoutExpired:
            raise BadInput(f"Chromium gave no picture in {_SECONDS} seconds", where=chromium) from None
        if not taken.is_file():
            raise BadInput("Chromium gave no picture", where=chromium)
        with Image.open(taken) as all_of_them:
            left = 0
            for shot in shots:
                own = all_of_them.crop((left, 0, left + shot.width, all_of_them.height))
                trimmed(own.convert("RGB")).save(shot.path)
                left += shot.width


def _side_by_side(shots: Sequence[Shot], width: int) -> str:
    frames = "".join(
        f'<iframe sandbox style="flex:none;border:0;width:{shot.width}px;height:{TALLEST}px" '
        f'srcdoc="{markup.escape(shot.html)}"></iframe>'
        for shot in shots
    )
    return f'<!doctype html><meta charset="utf-8"><body style="margin:0;display:flex;width:{width}px">{frames}'


def trimmed(picture: Image.Image) -> Image.Image:
    """Without the even ground below the last thing that is drawn (pure)."""
    ground = Image.new("RGB", picture.size, picture.getpixel((0, picture.height - 1)))
    drawn = ImageChops.difference(picture, ground).getbbox()
    return picture.crop((0, 0, picture.width, drawn[3])) if drawn else picture
