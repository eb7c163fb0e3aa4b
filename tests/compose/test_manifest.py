"""An issue as data: what was composed can be made again from it, byte for byte, and compared."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from newsletter.compose.differences import differences
from newsletter.compose.manifest import Manifest, design_hash, manifest_of, render_manifest
from newsletter.compose.render import render_issue
from newsletter.errors import NotAllowed
from newsletter.mail.compile import Frame, Reader, compile_message
from newsletter.mail.markers import FIELDS
from newsletter.model import Item
from subscribers import parse_address
from tests.conftest import NOW

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / "templates"]
READER = Reader(
    to=parse_address("an@doc.example"),
    message_id_token="t1",
    values=dict.fromkeys(FIELDS, "x") | {"subscriber_name": "An"},
)


def manifest_for(made: ModuleType, items: list[Item], **changes: object) -> Manifest:
    newsletter = made.made_newsletter()
    views = made.item_views(items, newsletter.timezone, offered=("biển",))
    contexts = {}
    for language in ("vi", "en"):
        context = made.made_context(len(items), language=language)
        contexts[language] = replace(context, items=views, **changes)
    design = made.find_design("bulletin", FOLDERS)
    return manifest_of(contexts, items, nonce=made.NONCE, design=design, settings={"list": "ban-doc"})


def test_a_stored_manifest_makes_the_same_bytes(made: ModuleType) -> None:
    items = [replace(item, topics=("biển",)) for item in made.made_items(9)]
    manifest = manifest_for(made, items)
    stored = json.loads(json.dumps(manifest))
    assert stored == manifest
    first, again = render_manifest(manifest, FOLDERS), render_manifest(stored, FOLDERS)
    assert first == again
    assert first["vi"].rendering.segments is not None
    context = replace(made.made_context(9), items=made.item_views(items, "Asia/Ho_Chi_Minh", offered=("biển",)))
    design = made.find_design("bulletin", FOLDERS)
    assert first["vi"].rendering == render_issue(design, context, nonce=made.NONCE, language="vi")


def test_another_process_makes_the_same_message(made: ModuleType, tmp_path: Path) -> None:
    """Neither the order of sets, nor a clock, nor chance goes into it."""
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest_for(made, made.made_items(5))), encoding="utf-8")
    program = (
        "import json, sys, hashlib; from pathlib import Path; from newsletter.compose.manifest import render_manifest\n"
        "made = render_manifest(json.loads(Path(sys.argv[1]).read_text('utf-8')), [Path(sys.argv[2])])\n"
        "print(hashlib.sha256(repr(made).encode()).hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program, str(path), str(FOLDERS[0])],
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "Asia/Ho_Chi_Minh"), ("2", "America/Lima"))
    }
    assert len(said) == 1


def test_a_changed_design_is_refused(made: ModuleType, tmp_path: Path) -> None:
    shutil.copytree(FOLDERS[0], tmp_path, dirs_exist_ok=True)
    manifest = manifest_for(made, made.made_items(2))
    assert design_hash(tmp_path / "bulletin") == manifest["design"]["hash"]
    render_manifest(manifest, [tmp_path])
    with (tmp_path / "bulletin" / "text.txt.j2").open("a", encoding="utf-8") as file:
        file.write("\nMột dòng nữa\n")
    with pytest.raises(NotAllowed, match="changed since"):
        render_manifest(manifest, [tmp_path])
    shutil.copytree(FOLDERS[0], tmp_path, dirs_exist_ok=True)
    render_manifest(manifest, [tmp_path])
    (tmp_path / "shared").mkdir(exist_ok=True)
    (tmp_path / "shared" / "more.mjml.j2").write_text("x", encoding="utf-8")
    with pytest.raises(NotAllowed, match="changed since"):
        render_manifest(manifest, [tmp_path])


def test_differences_name_articles_in_out_moved_and_their_words(made: ModuleType) -> None:
    old = made.made_items(5)
    kept = [old[4], old[0], old[1], replace(old[2], summary="Số liệu mới.")]
    added = replace(made.made_items(7)[6], position=9)
    new = [replace(item, position=at) for at, item in enumerate([*kept, added], 1)]
    before = manifest_for(made, old)
    after = manifest_for(made, new, options={"accent": "#AA0000"})
    found = differences(before, after)
    assert [(one.article, one.before, one.after) for one in found.taken_in] == [(added.article_id, None, 5)]
    assert [(one.article, one.before, one.after) for one in found.left_out] == [(old[3].article_id, 4, None)]
    assert [(one.article, one.before, one.after) for one in found.moved] == [(old[4].article_id, 5, 1)]
    words = {(one.article, one.field): (one.before, one.after) for one in found.changed if one.article}
    assert words == {(old[2].article_id, "summary"): (old[2].summary, "Số liệu mới.")}
    options = [(one.language, one.before, one.after) for one in found.changed if one.what == "options"]
    assert options == [("vi", None, "#AA0000"), ("en", None, "#AA0000")]
    back = differences(after, before)
    assert [one.article for one in back.left_out] == [added.article_id]
    assert not differences(before, before)


def test_differences_name_subject_design_settings_and_languages(made: ModuleType) -> None:
    items = made.made_items(2)
    before = manifest_for(made, items)
    after = json.loads(json.dumps(before))
    after["renderings"]["vi"]["issue"]["subject"] = "Khác"
    after["design"]["hash"] = "0" * 64
    after["settings"]["list"] = "ban-doc-2"
    del after["renderings"]["en"]
    found = [(one.what, one.field, one.language) for one in differences(before, after).changed]
    assert found == [
        ("issue", "subject", "vi"),
        ("languages", "language", "en"),
        ("design", "hash", None),
        ("settings", "list", None),
    ]


def test_the_same_manifest_makes_the_same_message(made: ModuleType) -> None:
    frame = Frame(from_name="Viện", from_address="bantin@vien.example", date=NOW, domain="vien.example")
    manifest = manifest_for(made, made.made_items(4))
    raws = set()
    for _ in range(2):
        [*fitted] = render_manifest(manifest, FOLDERS).values()
        compiled = compile_message(fitted[0].rendering, frame, nonce=made.NONCE)
        raws.add(compiled.splice(READER).mime())
    assert len(raws) == 1
