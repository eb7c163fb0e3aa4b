"""What reaches a terminal: tables, progress, JSON; nothing collected can steer it, no address stands in it."""

import io
import json
import sys
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.app import nobody
from newsletter.cli.opening import progress
from newsletter.cli.output import emit, moment, printable, table
from newsletter.cli.troubles import Trouble
from subscribers import parse_address


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_title_cannot_steer_the_terminal() -> None:
    assert printable("Tin \x1b[2Jmới\x07\r") == "Tin �[2Jmới��"
    assert printable("Ẩm độ\n\ttăng") == "Ẩm độ\n\ttăng"


def test_a_table_off_the_terminal_has_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    table(("a", "b"), [("x" * 200, None), ("Ổ\nLợn", 3)])
    assert capsys.readouterr().out.splitlines() == [f"a{' ' * 199}  b", "x" * 200, f"Ổ Lợn{' ' * 195}  3"]


def test_a_table_on_the_terminal_takes_markup_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    table(("title",), [("[bold]Tin[/bold] mới",)])
    assert "[bold]Tin[/bold] mới" in screen.getvalue()


def test_progress_is_drawn_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress() as watch:
        assert watch is nobody
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with progress() as watch:
        watch("collect", "Phòng [red]Tin", 1, 3)
    assert "collect" in screen.getvalue()
    assert "1/3" in screen.getvalue()
    assert "Phòng [red]Tin" in screen.getvalue()


def test_json_masks_addresses_and_knows_moments(capsys: pytest.CaptureFixture[str]) -> None:
    emit(
        {
            "who": parse_address("an@vien.example"),
            "at": datetime(2026, 11, 23, 1, tzinfo=UTC),
            "lead": timedelta(hours=2),
            "met": (Trouble(level="error", line="x"),),
        }
    )
    out = capsys.readouterr().out
    assert "an@vien" not in out
    assert json.loads(out) == {
        "who": "a… at v….example",
        "at": "2026-11-23T01:00:00+00:00",
        "lead": 7200.0,
        "met": [{"level": "error", "line": "x", "times": 1}],
    }


def test_a_moment_is_the_wall_clock_of_its_zone() -> None:
    assert moment(datetime(2026, 11, 23, 1, tzinfo=UTC), "Asia/Ho_Chi_Minh") == "2026-11-23 08:00 +07"
    assert moment(None, "UTC") == ""
