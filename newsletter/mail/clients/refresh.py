"""Makes `support.json` anew from caniemail's own file: `python -m newsletter.mail.clients.refresh caniemail.json VERSION`.

`npm pack caniemail` fetches the archive that holds it (package/data/caniemail.json; MIT). Kept are HTML, CSS and picture
features, the clients that are simulated, and their newest result with its notes. `make clients` does all of it.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent / "support.json"
SOURCE = "https://www.caniemail.com, npm package caniemail"
CLIENTS = (
    ("gmail", "desktop-webmail"),
    ("gmail", "android"),
    ("gmail", "ios"),
    ("outlook", "windows"),
    ("apple-mail", "ios"),
)
CATEGORIES = ("html", "css", "image")


def reduced(data: Mapping[str, Any], version: str) -> dict[str, Any]:
    """What is shipped of caniemail's data. Raises KeyError when it has another shape."""
    features = {
        feature["slug"]: _feature(feature)
        for feature in sorted(data["data"], key=lambda feature: str(feature["slug"]))
        if feature["category"] in CATEGORIES
    }
    return {
        "source": SOURCE,
        "version": version,
        "updated": data["last_update_date"][:10],
        "licence": "MIT, see support.LICENSE",
        "features": features,
    }


def _feature(feature: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for family, platform in CLIENTS:
        tested = feature["stats"].get(family, {}).get(platform, {})
        if tested:
            found[f"{family}/{platform}"] = str(list(tested.values())[-1])  # in the order of their versions
    named = {word[1:] for answer in found.values() for word in answer.split() if word.startswith("#")}
    notes = {number: note for number, note in (feature["notes_by_num"] or {}).items() if number in named}
    return {"title": feature["title"], "clients": found, **({"notes": notes} if notes else {})}


def main(file: str, version: str) -> None:
    made = reduced(json.loads(Path(file).read_text(encoding="utf-8")), version)
    TARGET.write_text(json.dumps(made, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"{TARGET}: {len(made['features'])} features as of {made['updated']}\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
