"""Help is cheap and complete."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from newsletter.cli import VERBS, app, commands_of

ROOT = Path(__file__).parents[2]
HEAVY = {"sqlalchemy", "pydantic", "httpx", "lxml", "jinja2", "structlog", "rich", "subscribers", "newsletter.settings"}


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from newsletter.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "approve" in run.stdout
    assert HEAVY & set(run.stderr.split()) == set()


def test_the_table_of_verbs_is_what_the_modules_register() -> None:
    for module, verbs in VERBS.items():
        assert set(commands_of(module)) == set(verbs), module


def test_no_line_of_the_help_is_cut_off() -> None:
    shown = CliRunner().invoke(app, ["--help"]).stdout
    commands = shown.partition("Commands:")[2].partition("Exit codes")[0]
    assert "..." not in commands


@pytest.mark.parametrize("verb", [verb for verbs in VERBS.values() for verb in verbs])
def test_every_verb_explains_itself(verb: str) -> None:
    shown = CliRunner().invoke(app, [verb, "--help"])
    assert shown.exit_code == 0
    assert "Usage: " in shown.stdout
    assert len(shown.stdout.splitlines()) > 5


def test_a_misspelt_verb_is_a_wrong_command_line() -> None:
    said = CliRunner().invoke(app, ["aprove"])
    assert said.exit_code == 2
    assert "approve" in said.stderr


def test_the_version_is_said_without_settings(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["--config", str(tmp_path / "none.toml"), "--version"])
    assert (said.exit_code, said.stdout.split()[0]) == (0, "newsletter")


def test_the_console_script_starts_the_same_program() -> None:
    run = subprocess.run([sys.executable, "-m", "newsletter", "--version"], capture_output=True, cwd=ROOT, check=True)
    assert run.stdout.startswith(b"newsletter ")
