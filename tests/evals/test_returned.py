"""The measuring of bounces and webhooks, on messages and requests of our own."""

import base64
import json
from pathlib import Path
from typing import Any

from tests.evals import bouncing, hooking
from tests.mail.bounces.samples import COPY, away, notice, report

AN = {"address": "an@docgia.example", "alias": None, "kind": "hard"}


def folder_of(tmp_path: Path, *labelled: tuple[bytes, list[dict[str, Any]]]) -> Path:
    for number, (raw, _) in enumerate(labelled):
        (tmp_path / f"{number}.eml").write_bytes(raw)
    rows = [
        {"file": f"{number}.eml", "family": "x", "recipients": wanted} for number, (_, wanted) in enumerate(labelled)
    ]
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return tmp_path


def test_bounces_are_counted_as_right_and_wrong(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        (report(), [AN]),
        (report(), [AN | {"kind": "soft"}]),  # a false hard
        (notice("Undeliverable: mailbox is full", copy=COPY), [AN | {"kind": "soft"}]),  # another address
        (away(), [{"address": None, "kind": "autoreply"}]),
    )
    [table] = bouncing.measure(folder, limit=None, worst=0, tell=lambda line: None)
    assert table.rows[0] == ["all", "0.667 (3)", "1.000 (2)", "1.000 (3)", "0.750 (4)", "0.250 (4)", "0.250 (4)", "0"]
    assert table.below == ["soft read as hard: 1"]


def test_a_missing_set_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    assert list(bouncing.measure(tmp_path, limit=None, worst=0, tell=told.append)) == []
    assert list(hooking.measure(tmp_path, limit=None, worst=0, tell=told.append)) == []
    assert [line.rsplit("/", 1)[-1] for line in told] == ["labels.jsonl is not there", "requests.jsonl is not there"]


def hook(
    test: str, password: str, expect: str, events: list[dict[str, Any]], secrets: dict[str, str]
) -> dict[str, Any]:
    body = base64.b64encode(b'{"event": "spam", "email": "an@docgia.example"}').decode()
    authorization = "Basic " + base64.b64encode(f"vien:{password}".encode()).decode()
    return {
        "esp": "Brevo", "test": test, "content_type": "application/json", "headers": {"Authorization": authorization},
        "body_b64": body, "secrets": secrets, "expect": expect, "events": events,
    }  # fmt: skip


def test_webhooks_are_equal_refused_or_undecidable(tmp_path: Path) -> None:
    right = [{"event_type": "complained", "recipient": "an@docgia.example"}]
    secrets = {"WEBHOOK_SECRET": "vien:mat-khau"}
    requests = [
        hook("a", "mat-khau", "events", right, secrets),
        hook("b", "mat-khau", "events", [{"event_type": "bounced", "recipient": "x"}], secrets),
        hook("c", "sai", "reject", [], secrets),
        hook("d", "mat-khau", "reject", [], secrets | {"x": "y"}),
        hook("e", "mat-khau", "events", right, {}),
        hook("e", "sai", "reject", [], {}),
        {"esp": "nobody"},
    ]
    (tmp_path / "webhooks").mkdir()
    (tmp_path / "webhooks" / "requests.jsonl").write_text("".join(json.dumps(r) + "\n" for r in requests), "utf-8")
    [table] = hooking.measure(tmp_path, limit=None, worst=0, tell=lambda line: None)
    assert table.rows[0] == ["Brevo", "0.500 (2)", "1 of 2", "2"]
