"""Slips of the typing hand are asked about; domains that exist are left alone; throw-away mailboxes are known."""

import pytest

from subscribers import is_disposable, parse_address, suggestion


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmai.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.cm", "gmail.com"),
        ("yaho.com", "yahoo.com"),
        ("yahoo.com.vm", "yahoo.com.vn"),
        ("hotmial.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("iclod.com", "icloud.com"),
    ],
)
def test_a_domain_one_slip_away_from_a_common_one_is_asked_about(typed, meant):
    found = suggestion(parse_address(f"Lan.Anh@{typed}"))
    assert found == parse_address(f"Lan.Anh@{meant}")


@pytest.mark.parametrize(
    "domain",
    ["gmail.com", "ymail.com", "mail.com", "email.com", "gmx.net", "gmx.ch", "vien.example", "vnu.edu.vn", "fpt.com.vn",
     "live.vn", "hcmut.edu.vn", "yahoo.fr", "proton.me", "mailo.com", "msn.org", "aon.com"],
)  # fmt: skip
def test_domains_of_their_own_are_left_alone(domain):
    assert suggestion(parse_address(f"lan@{domain}")) is None


def test_mailboxes_that_are_thrown_away_are_known_below_any_name_of_theirs():
    assert is_disposable(parse_address("a@mailinator.com"))
    assert is_disposable(parse_address("a@deep.down.YOPMAIL.com"))
    assert not is_disposable(parse_address("a@notmailinator.com"))
    assert not is_disposable(parse_address("a@vien.example"))
