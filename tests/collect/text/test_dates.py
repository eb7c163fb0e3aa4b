"""Dates as sources write them. The day comes first, a day stays a day, and nothing is guessed."""

import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from newsletter.collect.text.dates import VIETNAM, date_in_lead, parse_date

NOW = datetime(2025, 3, 10, 12, 0, tzinfo=VIETNAM)
DAY = date(2025, 3, 4)


def at(hour: int, minute: int, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=VIETNAM)


PHRASES = [
    ("04/03/2025", DAY),
    ("4/3/2025 15:30", at(15, 30)),
    ("Thứ Ba, 04/03/2025 15:30 GMT+7", at(15, 30)),
    ("Thứ ba, 4/3/2025, 15:30 (GMT+7)", at(15, 30)),
    ("15:30 04/03/2025", at(15, 30)),
    ("04/03/2025 | 15:30", at(15, 30)),
    ("04-03-2025 15:30:00", at(15, 30)),
    ("04.03.2025", DAY),
    ("Ngày 04/03/2025", DAY),
    ("Ngày đăng: 04/03/2025", DAY),
    ("Chiều ngày 04/03/2025, Trung tâm khai giảng lớp học", DAY),
    ("Sáng 04/03/2025", DAY),
    ("ngày 4 tháng 3 năm 2025", DAY),
    ("Đà Nẵng, ngày 04 tháng 03 năm 2025", DAY),
    ("Thứ Ba, ngày 4 tháng 3 năm 2025", DAY),
    ("4 tháng Ba, 2025", DAY),
    ("4 Tháng Giêng, 2025", date(2025, 1, 4)),
    ("Tháng Ba 4, 2025", DAY),
    ("4 Thg 3, 2025", DAY),
    ("Thg 3 4, 2025", DAY),
    ("12 tháng mười hai 2024", date(2024, 12, 12)),
    ("25 Tháng Chạp, 2024", date(2024, 12, 25)),
    ("Cập nhật lúc 15h30 ngày 04/03/2025", at(15, 30)),
    ("15h30, 04/03/2025", at(15, 30)),
    ("15h ngày 04/03/2025", at(15, 0)),
    ("Thứ 3, 04/03/2025 - 15:30", at(15, 30)),
    ("T3, 04/03/2025", DAY),
    ("CN, 09/03/2025", date(2025, 3, 9)),
    ("Chủ nhật, 09/03/2025 08:05", at(8, 5, date(2025, 3, 9))),
    ("3 giờ trước", at(9, 0, date(2025, 3, 10))),
    ("5 phút trước", at(11, 55, date(2025, 3, 10))),
    ("2 ngày trước", date(2025, 3, 8)),
    ("1 tuần trước", date(2025, 3, 3)),
    ("Hôm qua, 15:30", at(15, 30, date(2025, 3, 9))),
    ("hôm nay", date(2025, 3, 10)),
    ("04/03/2025 03:30 CH", at(15, 30)),
    ("04/03/2025 3:30 SA", at(3, 30)),
    ("04/03/2025 12:10 SA", at(0, 10)),
    ("31/12/2024", date(2024, 12, 31)),
    ("12/31/2024", date(2024, 12, 31)),
    ("04/03/25", DAY),
    ("15g30, 04/03/2025", at(15, 30)),
    ("15 giờ 30 phút ngày 04/03/2025", at(15, 30)),
    ("15 giờ ngày 04/03/2025", at(15, 0)),
    ("Lúc 3 giờ 15 chiều 04/03/2025", at(15, 15)),
    ("8 giờ tối ngày 04/03/2025", at(20, 0)),
    ("04 Th3, 2025", DAY),
    ("Th3 4, 2025", DAY),
    ("04/Th3/2025", DAY),
    ("Đăng ngày: 04.03.2025 - Lượt xem: 1.234", DAY),
    ("15/1/2025 ÂL, tức 12/02/2025", date(2025, 2, 12)),
    ("ngày 15 tháng Giêng năm Ất Tỵ (12/02/2025)", date(2025, 2, 12)),
    ("1 giờ 20 phút trước", at(10, 40, date(2025, 3, 10))),
    ("vừa xong", at(12, 0, date(2025, 3, 10))),
    ("sáng nay", date(2025, 3, 10)),
]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(("text", "expected"), PHRASES, ids=[text for text, _ in PHRASES])
def test_vietnamese_phrases_are_read_in_both_forms_of_unicode(text: str, expected: date, form: str) -> None:
    found = parse_date(unicodedata.normalize(form, text), now=NOW)  # type: ignore[arg-type]
    assert (type(found), found) == (type(expected), expected)


MACHINE = [
    ("Tue, 04 Mar 2025 15:30:00 +0700", datetime(2025, 3, 4, 8, 30, tzinfo=UTC)),
    ("Tue, 4 Mar 2025 15:30 GMT+7", datetime(2025, 3, 4, 8, 30, tzinfo=UTC)),
    ("Tue, 04 Mar 2025 15:30:00 ICT", datetime(2025, 3, 4, 8, 30, tzinfo=UTC)),
    ("Tue, 04 Mar 2025 08:30:00 EST", datetime(2025, 3, 4, 13, 30, tzinfo=UTC)),
    ("Tue, 04 Mar 2025 08:30:00 -0500 (EST)", datetime(2025, 3, 4, 13, 30, tzinfo=UTC)),
    ("Monday, 04-Mar-25 08:30:00 GMT", datetime(2025, 3, 4, 8, 30, tzinfo=UTC)),
    ("Tue Mar  4 08:30:00 2025", datetime(2025, 3, 4, 8, 30, tzinfo=UTC)),
    ("04 Mar 2025", DAY),
    ("2025-03-04T15:30:00+07:00", datetime(2025, 3, 4, 8, 30, tzinfo=UTC)),
    ("2025-03-04T15:30:00.123456+0700", datetime(2025, 3, 4, 8, 30, tzinfo=UTC)),
    ("2025-03-04T08:30Z", datetime(2025, 3, 4, 8, 30, tzinfo=UTC)),
    ("2025-03-04T15:30:00+07:00[Asia/Ho_Chi_Minh]", datetime(2025, 3, 4, 8, 30, tzinfo=UTC)),
    ("2025-03-04 08:30:00", datetime(2025, 3, 4, 8, 30, tzinfo=UTC)),
    ("2025-03-04T24:00:00Z", datetime(2025, 3, 5, tzinfo=UTC)),
    ("2025-03-04", DAY),
    ("20250304", DAY),
    ("March 4, 2025", DAY),
    ("4 March 2025", DAY),
    ("4th of March 2025", DAY),
]


@pytest.mark.parametrize(("text", "expected"), MACHINE, ids=[text for text, _ in MACHINE])
def test_machine_and_english_dates_are_read(text: str, expected: date) -> None:
    found = parse_date(text)
    assert (type(found), found) == (type(expected), expected)


def test_the_sources_own_offset_is_kept() -> None:
    found = parse_date("Tue, 04 Mar 2025 15:30:00 +0530")
    assert isinstance(found, datetime)
    assert found.utcoffset() == timedelta(hours=5, minutes=30)


def test_a_given_zone_holds_only_where_none_is_written() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert parse_date("2025-03-04T09:00:00", zone=tokyo) == datetime(2025, 3, 4, tzinfo=UTC)
    assert parse_date("2025-03-04T09:00:00Z", zone=tokyo) == datetime(2025, 3, 4, 9, tzinfo=UTC)


def test_month_first_must_be_asked_for() -> None:
    assert parse_date("04/03/2025") == date(2025, 3, 4)
    assert parse_date("04/03/2025", day_first=False) == date(2025, 4, 3)


@pytest.mark.parametrize(
    "text",
    [
        None, "", "   ", "1741077000", "1741077000000", "Tue, 31 Feb 2025 08:00:00 GMT", "Tue, 04 Mar 2025 25:61:00 GMT",
        "0000-00-00", "2025", "2025-03", "9" * 400, "hôm qua", "3 giờ trước", "năm 2025", "32/13/2025", "1705-01-01",
        "29/02/2023", "vừa xong", "rằm tháng Giêng năm 2025", "mùng 3 tháng Chạp 2024", "15/01/2025 (âm lịch)",
        "ngày 15 tháng 8 năm 2025 âm lịch", "âm lịch: 15/01/2025", "15:30 | 04/03",
    ],
)  # fmt: skip
def test_what_is_no_date_is_no_date(text: str | None) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    ("lead", "day", "words"),
    [
        ("Chiều ngày 04/03/2025, Trung tâm Hải văn họp tổng kết.", DAY, "Chiều ngày 04/03/2025"),
        ("Sáng thứ Ba, ngày 4 tháng 3 năm 2025, tại Huế", DAY, "Sáng thứ Ba, ngày 4 tháng 3 năm 2025"),
        ("Trung tâm nhận tàu mới trong buổi lễ trọng thể tại bến cảng của tỉnh vào sáng ngày 04/03/2025.", DAY,
         "vào sáng ngày 04/03/2025"),
        ("On 4 March 2025, the institute opened its doors.", DAY, "On 4 March 2025"),
        ("HUẾ, March 4, 2025 – The institute opened.", DAY, "March 4, 2025"),
        ("Theo Quyết định số 15/QĐ-HV ngày 20/01/2025, ngày 04/03/2025 Trung tâm họp.", DAY, "ngày 04/03/2025"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_lead_names_the_day_of_the_event(lead: str, day: date, words: str, form: str) -> None:
    assert date_in_lead(unicodedata.normalize(form, lead)) == (day, words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Năm 2025, Trung tâm triển khai 12 đề tài.",
        "Thực hiện Quyết định số 15/QĐ-HV ngày 20/01/2025 của Giám đốc Trung tâm.",
        "Đoạn đầu không có ngày.\n\nChiều ngày 04/03/2025, đoàn làm việc.",
        "Chiều ngày 4/3, Trung tâm họp.",
        "Sáng ngày 15 tháng Giêng năm 2025 (âm lịch), nhân dân trong vùng về dự hội.",
    ],
)
def test_a_lead_without_the_events_day_gives_none(text: str) -> None:
    assert date_in_lead(text) is None
