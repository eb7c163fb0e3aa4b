"""Which DMARC policy counts, where an organisation ends, and what is aligned."""

import pytest

from newsletter.mail.domains.dmarc import aligned, organisation, read_dmarc
from newsletter.names import Status
from tests.mail.domains.conftest import answering

V = "v=DMARC1;"


def at(**records):
    return answering({(f"_dmarc.{name.replace('_', '.')}", "TXT"): record for name, record in records.items()})


def test_the_nearest_record_counts_with_the_policy_for_what_lies_below():
    ask = at(vien_example=f"{V} p=reject; sp=quarantine; adkim=s; rua=mailto:a@vien.example!10m,mailto:b@khac.example")
    own, below = read_dmarc("vien.example", ask), read_dmarc("tin.vien.example", ask)
    assert (own.policy, own.dkim, own.spf, own.reports) == ("reject", "s", "r", ("vien.example", "khac.example"))
    assert (below.at, below.policy) == ("vien.example", "quarantine")
    assert read_dmarc("khac.example", ask).at == ""


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ([f"{V} p=none", f"{V} p=reject"], "2 DMARC records"),
        (f"{V} p=nothing", "p='nothing'"),
        (f"{V} rua=mailto:a@b.example", "p=''"),
    ],
)
def test_a_record_that_counts_as_none_says_why(record, words):
    assert words in read_dmarc("vien.example", at(vien_example=record)).broken


def test_what_does_not_begin_with_the_version_is_no_record():
    for record in ("p=none; v=DMARC1", "v=DMARC2; p=none", "v=dmarc1; p=none", "v=DMARC10; p=none"):
        assert read_dmarc("vien.example", at(vien_example=record)).at == ""
    assert read_dmarc("vien.example", at(vien_example="v = DMARC1 ;p = none")).policy == "none"


def test_addresses_of_reports_that_are_none_are_named():
    found = read_dmarc("vien.example", at(vien_example=f"{V} p=none; rua=a@vien.example,mailto:c@vien.example; pct=5"))
    assert (found.bad_reports, found.reports, found.testing) == (("a@vien.example",), ("vien.example",), True)


def test_a_name_server_that_fails_is_not_taken_for_no_record():
    found = read_dmarc("vien.example", at(vien_example=Status.FAILED))
    assert found.trouble is not None
    assert found.trouble.status is Status.FAILED


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("tin.khoa.vien.example", "vien.example"),
        ("vien.example", "vien.example"),
        ("a.truong.gov.example", "truong.gov.example"),  # psd=y: one below it
        ("a.rieng.vien.example", "rieng.vien.example"),  # psd=n: it ends there
        ("khac.example", "khac.example"),
    ],
)
def test_where_an_organisation_ends(domain, expected):
    ask = at(vien_example=f"{V} p=none", gov_example=f"{V} p=none; psd=y", rieng_vien_example=f"{V} p=none; psd=n")
    assert organisation(domain, ask) == expected


@pytest.mark.parametrize(
    ("one", "other", "relaxed"),
    [
        ("vien.example", "VIEN.example", True),
        ("tin.vien.example", "vien.example", True),
        ("tin.vien.example", "tra.vien.example", True),
        ("vien.example", "xvien.example", False),
        ("vien.example", "example", False),
        ("vien.example", "khac.example", False),
    ],
)
def test_alignment_strict_and_relaxed(one, other, relaxed):
    ask = at(vien_example=f"{V} p=none")
    assert aligned(one, other, "r", ask) is relaxed
    assert aligned(other, one, "r", ask) is relaxed
    assert aligned(one, other, "s", ask) is (one.lower() == other.lower())


def test_a_very_long_name_costs_eight_questions():
    asked = []
    ask = at()
    read_dmarc(".".join(["a"] * 60) + ".vien.example", lambda name, kind: asked.append(name) or ask(name, kind))
    assert len(asked) == 8
