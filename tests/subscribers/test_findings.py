"""A look before the import: who would be mailed and perhaps should not, who is held back, by reason and masked."""

from collections.abc import Callable
from datetime import datetime

import pytest

from newsletter.store import Database
from subscribers import (
    Concern,
    Findings,
    ImportReport,
    PersonId,
    SuppressionKey,
    SuppressionReason,
    erase,
    suppress,
    unsubscribe,
)

Join = Callable[[str], PersonId]
Load = Callable[..., ImportReport]

FILE = """email,name,status,subscribed at
an@example.org,An,subscribed,2024-01-02
info@example.org,,subscribed,2024-01-02
Văn.Phòng@example.org,,subscribed,2024-01-02
vanphong@example.org,,subscribed,2024-01-02
x@mailinator.com,,subscribed,2024-01-02
binh@gmial.com,,subscribed,2024-01-02
cuc@example.org,,,2024-01-02
dung@example.org,,subscribed,
em@example.org,,subscribed,02/01/2024
gi@example.org,,unsubscribed,2024-01-02
hanh@example.org,,bounced,2024-01-02
barred@example.org,,subscribed,2024-01-02
gone@example.org,,subscribed,2024-01-02
member@example.org,,unsubscribed,2024-01-02
noreply@gmial.com,,,
"""


def looked(load: Load, text: str = FILE, batch: int = 2_000) -> Findings:
    report = load(text, dry_run=True, batch=batch)
    assert report.findings is not None
    return report.findings


@pytest.fixture
def known(people_db: Database, join: Join, key: SuppressionKey, now: datetime) -> None:
    barred, gone, _ = (join(f"{name}@example.org") for name in ("barred", "gone", "member"))
    with people_db.begin() as conn:
        suppress(conn, barred, reason=SuppressionReason.STAFF, now=now, key=key)
        erase(conn, gone, now=now, key=key)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("batch", [3, 2_000])
def test_a_rehearsal_counts_who_should_perhaps_not_be_mailed_and_why(load: Load, batch: int) -> None:
    found = looked(load, batch=batch)
    assert {one.reason: one.count for one in found.concerns} == {
        Concern.FILE_SAYS_NO: 1,
        Concern.ROLE: 3,
        Concern.DISPOSABLE: 1,
        Concern.TYPO: 2,
        Concern.STATE_UNKNOWN: 2,
        Concern.NO_CONSENT_DATE: 3,
    }
    assert {one.reason: one.count for one in found.held_back} == {
        "left": 1,
        "bounced": 1,
        "suppressed": 1,
        "erased": 1,
    }
    assert (found.mailed, found.questionable) == (11, 9)


@pytest.mark.usefixtures("known")
def test_samples_name_the_line_and_mask_the_address(load: Load) -> None:
    found = {one.reason: one.samples for one in looked(load).concerns}
    (typo, other) = found[Concern.TYPO]
    assert (typo.line, typo.address, typo.hint) == (7, "b… at g….com", "gmail.com")
    assert other.line == 16
    assert "@" not in repr(found)


def test_only_the_first_few_are_shown(load: Load) -> None:
    text = "email\n" + "".join(f"p{n}@example.org\n" for n in range(30))
    (unknown, undated) = looked(load, text).concerns
    assert (unknown.count, [sample.line for sample in unknown.samples]) == (30, [2, 3, 4, 5, 6])
    assert undated.reason == Concern.NO_CONSENT_DATE


def test_a_run_that_is_no_rehearsal_looks_for_nothing(load: Load) -> None:
    assert load("email\nan@example.org\n").findings is None


def test_who_left_here_is_held_back_whatever_the_file_says(
    load: Load, people_db: Database, join: Join, now: datetime
) -> None:
    who = join("left@example.org")
    with people_db.begin() as conn:
        unsubscribe(conn, "news", who, now=now, reason="page")
    found = looked(load, "email,state\nleft@example.org,active\n")
    assert (found.mailed, [one.reason for one in found.held_back]) == (0, ["left"])


def test_contacts_of_mailchimp_without_any_time_of_joining_are_asked_about(load: Load) -> None:
    header = "Email Address,OPTIN_TIME,CONFIRM_TIME,LEID,EUID"
    found = looked(load, f"{header}\nan@example.org,2021-01-01 00:00:00,,1,a\nbo@example.org,,,2,b\n")
    assert {one.reason: [sample.line for sample in one.samples] for one in found.concerns} == {
        Concern.STATE_UNKNOWN: [3],
        Concern.NO_CONSENT_DATE: [3],
    }
