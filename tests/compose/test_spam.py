"""SpamAssassin as an adviser: its two programs' reports, and what is said when neither is there. The programs here are
small scripts that print such reports; what they are asked with is checked too."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.compose.spam import read_report, spam_faults

SPAMC = "6.3/5.0\nSpam detection software has identified this mail.\n\n pts rule name              description\n" \
    "---- ---------------------- --------\n 1.7 HTML_IMAGE_ONLY_04     BODY: HTML: images with little text\n" \
    " 0.0 HTML_MESSAGE           BODY: HTML included\n"  # fmt: skip
TAGGED = (
    "Return-Path: <a@b.example>\r\nX-Spam-Status: No, score=1.2 required=5.0 tests=HTML_MESSAGE,\r\n"
    "\tMIME_HTML_ONLY autolearn=no autolearn_force=no version=4.0.1\r\n\r\nbody\r\n"
)


@pytest.fixture
def programs(tmp_path: Path) -> Callable[..., Callable[[str], str | None]]:
    """`programs(spamc=(code, text))`: a `which` that knows just these."""

    def make(**known: tuple[int, str]) -> Callable[[str], str | None]:
        for name, (code, text) in known.items():
            (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8", newline="")
            script = tmp_path / name
            script.write_text(
                f'#!/bin/sh\ncat > "{tmp_path}/{name}.asked"\necho "$@" > "{tmp_path}/{name}.options"\n'
                f'cat "{tmp_path}/{name}.txt"\nexit {code}\n',
                encoding="utf-8",
            )
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return lambda name: str(tmp_path / name) if name in known else None

    return make


def test_without_it_there_is_one_note(programs) -> None:
    [fault] = spam_faults(b"mail", which=programs())
    assert (fault.level, "not installed" in fault.template) == ("note", True)


def test_a_high_score_is_a_warning_with_its_rules(programs, tmp_path) -> None:
    [fault] = spam_faults(b"the mail", which=programs(spamc=(1, SPAMC)))
    assert fault.level == "warning"
    assert dict(fault.values) == {"score": 6.3, "limit": 5.0, "rules": "HTML_IMAGE_ONLY_04, HTML_MESSAGE"}
    assert (tmp_path / "spamc.asked").read_bytes() == b"the mail"


def test_a_low_score_is_a_note(programs, tmp_path) -> None:
    [fault] = spam_faults(b"mail", which=programs(spamassassin=(0, TAGGED)))
    assert fault.level == "note"
    assert dict(fault.values) == {"score": 1.2, "limit": 5.0, "rules": "HTML_MESSAGE, MIME_HTML_ONLY"}
    assert "-L" in (tmp_path / "spamassassin.options").read_text(encoding="utf-8")


def test_a_daemon_that_is_not_running_leaves_the_work_to_the_slow_program(programs) -> None:
    which = programs(spamc=(69, "0/0\n"), spamassassin=(0, TAGGED))
    assert dict(spam_faults(b"mail", which=which)[0].values)["score"] == 1.2
    [fault] = spam_faults(b"mail", which=programs(spamc=(69, "")))
    assert "did not answer" in fault.template


@pytest.mark.parametrize("text", ["", "0/0\n", "hello\n", "X-Spam-Status: No\n", "1.2.3/x\n"])
def test_another_text_is_no_report(text) -> None:
    assert read_report(text) is None
