"""Log lines: one event each, on standard error, never with an address."""

import json
import logging

from newsletter import log


def test_a_logger_made_before_configuring_follows_the_configuration(capsys):
    early = log.get_logger("deliver")
    log.configure("info", "json")
    early.info("mailing_finished", sent=3)
    written = capsys.readouterr()
    assert written.out == ""
    line = json.loads(written.err)
    assert (line["event"], line["stage"], line["sent"], line["level"]) == ("mailing_finished", "deliver", 3, "info")


def test_addresses_are_blotted_out_in_every_value(capsys):
    log.configure("info", "json")
    log.get_logger("x").info("odd", reason="550 <an.nguyen@doc.example> không có", other=7)
    assert "@" not in capsys.readouterr().err


def test_text_style_is_one_line_of_logfmt(capsys):
    log.configure("info", "text")
    log.get_logger("collect").warning("source_failed", reason="hai dòng\nmột")
    assert capsys.readouterr().err.count("\n") == 1


def test_levels_below_the_chosen_one_are_quiet(capsys):
    log.configure("error", "text")
    log.get_logger("collect").info("source_read")
    assert capsys.readouterr().err == ""
    assert logging.getLogger("httpx").level == logging.WARNING
