"""Our way from MJML to mail (lint, mrml, css-inline, wrapping) against npm's mjml, on every shipped design with ten articles.

    python tests/benchmarks/bench_mjml.py [--write]

npm's package is installed into a temporary folder. CPU milliseconds of warm processes (node: garbage collector's threads
included), medians of rounds taken in turn. Then both results are shown in Chromium at 600 px: the same visible text, and
how far each run of text stands from its twin. `--write` puts the table into docs/performance.md.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from mjml import mjml2html

from newsletter.compose import markup, render
from newsletter.compose.design import default_folders, design_names, find_design
from newsletter.compose.mjmltext import source
from tests.compose import conftest as made

VERSION = "5.4.1"
ROUNDS, WARM, TIMES = 5, 30, 20
PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"
MARKS = ("<!-- bench_mjml begins -->", "<!-- bench_mjml ends -->")
NODE = """
const found = require('mjml'), mjml = found.default || found, fs = require('fs');
(async () => {
  const texts = JSON.parse(fs.readFileSync(process.argv[2])), answer = {};
  for (const [name, text] of Object.entries(texts)) {
    for (let n = 0; n < WARM; n++) await mjml(text, {});
    const start = process.cpuUsage();
    let made;
    for (let n = 0; n < TIMES; n++) made = await mjml(text, {});
    const used = process.cpuUsage(start);
    answer[name] = {ms: (used.user + used.system) / 1000 / TIMES, html: made.html, errors: made.errors.map(e => e.message)};
  }
  fs.writeFileSync(process.argv[3], JSON.stringify(answer));
})();
""".replace("WARM", str(WARM)).replace("TIMES", str(TIMES))
RUNS = """() => {
  const seen = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, text = node.textContent.replace(/\\s+/g, ' ').trim();
    if (!text || ['STYLE', 'SCRIPT', 'TITLE'].includes(node.parentElement.tagName)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (!box.width || !box.height || node.parentElement.closest('[style*="display:none"],[style*="display: none"]')) continue;
    seen.push([text, box.left, box.top + scrollY, box.right, box.bottom + scrollY]);
  }
  return seen;
}"""


def rendered() -> dict[str, tuple[str, str]]:
    """Each shipped design's MJML with its line marks, and the HTML we make of it."""
    kept: dict[str, tuple[str, str]] = {}
    whole: Callable[..., str] = render.html_from

    def keeping(marked: str, template: str, load: Any = None) -> str:
        html = whole(marked, template, load)
        kept[""] = (marked, html)
        return html

    render.html_from = keeping
    for name in design_names(default_folders(None)):
        design = find_design(name, default_folders(None))
        render.render_issue(design, made.made_context(10), nonce=made.NONCE, language="vi")
        kept[name] = kept.pop("")
    render.html_from = whole
    return kept


def cpu(call: Callable[[], object]) -> float:
    for _ in range(WARM):
        call()
    start = time.process_time()
    for _ in range(TIMES):
        call()
    return (time.process_time() - start) * 1000 / TIMES


def node(folder: Path, texts: dict[str, str]) -> dict[str, dict[str, Any]]:
    (folder / "in.json").write_text(json.dumps(texts), encoding="utf-8")
    subprocess.run(["node", "run.js", "in.json", "out.json"], cwd=folder, check=True)
    answer: dict[str, dict[str, Any]] = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    return answer


def installed(folder: Path) -> None:
    (folder / "package.json").write_text("{}")
    (folder / "run.js").write_text(NODE, encoding="utf-8")
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", f"mjml@{VERSION}"], cwd=folder, check=True)


def boxes(pairs: dict[str, tuple[str, str]]) -> dict[str, tuple[bool, float, str]]:
    """For each pair of documents: whether they show the same text, the farthest edge apart in px, and of which words."""
    from playwright.sync_api import sync_playwright

    answer = {}
    with sync_playwright() as running:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = running.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 600, "height": 900})
        page.route("**/*", lambda route: route.abort() if route.request.url.startswith("http") else route.continue_())
        for name, pair in pairs.items():
            runs = []
            for html in pair:
                page.set_content(html, wait_until="load")
                runs.append(page.evaluate(RUNS))
            same = [run[0] for run in runs[0]] == [run[0] for run in runs[1]]
            apart = [
                (max(abs(a - b) for a, b in zip(left[1:], right[1:], strict=True)), left[0])
                for left, right in zip(*runs, strict=False)
            ]
            answer[name] = (same, *max(apart, default=(0.0, "")))
        browser.close()
    return answer


def table() -> str:
    designs = rendered()
    texts = {name: source(marked, name).text for name, (marked, _) in designs.items()}
    ours: dict[str, list[float]] = {name: [] for name in texts}
    bare: dict[str, list[float]] = {name: [] for name in texts}
    theirs: dict[str, list[float]] = {name: [] for name in texts}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        installed(folder)
        for _ in range(ROUNDS):
            answer = node(folder, texts)
            for name, (marked, _) in designs.items():
                theirs[name].append(answer[name]["ms"])
                ours[name].append(cpu(lambda marked=marked: markup.html_from(marked, "x")))  # type: ignore[misc]
                bare[name].append(cpu(lambda text=texts[name]: mjml2html(text, fonts={})))  # type: ignore[misc]
    for name in texts:
        for error in answer[name]["errors"]:
            print(f"npm says of {name}: {error}", file=sys.stderr)
    seen = boxes({name: (html, answer[name]["html"]) for name, (_, html) in designs.items()})
    lines = [
        f"| design, 10 articles | npm mjml {VERSION}, ms | mrml alone, ms | all of ours, ms | mrml : npm | ours : npm "
        "| same text | farthest text edge, px |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in texts:
        npm, whole, mrml = (median(kept[name]) for kept in (theirs, ours, bare))
        same, apart, words = seen[name]
        print(f"{name}: farthest is {words[:60]!r}", file=sys.stderr)
        lines.append(
            f"| {name} | {npm:.1f} | {mrml:.2f} | {whole:.2f} | {npm / mrml:.0f}× | {npm / whole:.1f}× "
            f"| {'yes' if same else 'NO'} | {apart:.1f} |"
        )
    return "\n".join(lines)


def write(made_table: str) -> None:
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Performance\n"
    if MARKS[0] not in text:
        text = f"{text.rstrip()}\n\n## MJML to mail\n\n{MARKS[0]}\n{MARKS[1]}\n"
    before, _, rest = text.partition(MARKS[0])
    PAGE.write_text(f"{before}{MARKS[0]}\n{made_table}\n{MARKS[1]}{rest.partition(MARKS[1])[2]}", encoding="utf-8")


def main() -> None:
    if shutil.which("npm") is None:
        print("npm is missing: nothing was compared")
        return
    try:
        result = table()
    except subprocess.CalledProcessError as error:
        print(f"nothing was compared: {error}")
        return
    print(result)
    if "--write" in sys.argv[1:]:
        write(result)


if __name__ == "__main__":
    main()
