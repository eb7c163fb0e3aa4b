"""A picture of a mail, taken by a Chromium that is installed here. Nothing is fetched by it: what it shows is in the page.

The mail stands in a frame without scripts, in a page of ours that measures how tall it is; then the picture is taken at
that height.
"""

import html as html_module
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from newsletter.errors import BadInput

BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge")
TALLEST = 16_000  # CSS pixels; Chromium draws no surface taller than 16,384
SECONDS = 60
_OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--run-all-compositor-stages-before-draw",  # else a loaded machine gives white sheets
    "--host-resolver-rules=MAP * ~NOTFOUND",  # the mail's pictures were put into it; nothing else may leave
)
_PAGE = """<!doctype html><html data-height="0"><meta charset="utf-8"><style>html, body {{ margin: 0; background: #fff }}
iframe {{ display: block; border: 0; width: {width}px; height: {height}px }}</style>
<iframe sandbox="allow-same-origin" srcdoc="{mail}"></iframe>
<script>addEventListener("load", () => {{ const inside = document.querySelector("iframe").contentDocument;
document.documentElement.dataset.height = inside.documentElement.scrollHeight; }})</script></html>"""


def browser() -> str:
    """The path of a browser. Raises BadInput when there is none."""
    found = next((path for name in BROWSERS if (path := shutil.which(name)) is not None), None)
    if found is None:
        raise BadInput(
            "pictures need Chromium, which is not installed",
            hint="install Chromium (`apt install chromium`), or open the HTML in a browser",
        )
    return found


def take(mail: str, path: Path, *, width: int) -> None:
    """Write `path` (PNG): the whole mail, `width` CSS pixels wide. Raises BadInput when the browser does not do it."""
    program = browser()
    with tempfile.TemporaryDirectory(prefix="newsletter-shot-") as folder:
        page, home = Path(folder) / "page.html", f"--user-data-dir={folder}/home"
        page.write_text(_page(mail, width=width, height=100), encoding="utf-8")
        measured = re.search(r'data-height="(\d+)"', _run(program, home, "--dump-dom", page.as_uri()))
        height = min(TALLEST, max(100, int(measured[1]) if measured else 0))
        page.write_text(_page(mail, width=width, height=height), encoding="utf-8")
        taken = Path(folder) / "taken.png"
        # A window is at least 500 px wide; what is beside a narrower mail is cut off below.
        _run(program, home, f"--window-size={max(500, width)},{height}", f"--screenshot={taken}", page.as_uri())
        if not taken.exists():
            raise BadInput("the browser wrote no picture", where=program)
        _cut(taken, path, width=width)


def _page(mail: str, *, width: int, height: int) -> str:
    return _PAGE.format(mail=html_module.escape(mail), width=width, height=height)


def _run(program: str, *options: str) -> str:
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    try:
        ran = subprocess.run(  # noqa: S603
            [program, *_OPTIONS, *as_root, *options], capture_output=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadInput(f"the browser took no picture: {error.__class__.__name__}", where=program) from error
    return ran.stdout.decode("utf-8", "replace")


def _cut(taken: Path, path: Path, *, width: int) -> None:
    from PIL import Image

    with Image.open(taken) as picture:
        picture.crop((0, 0, min(width, picture.width), picture.height)).save(path, format="PNG")
