"""Dates as sources write them: RFC 822 and 850, ISO 8601, Vietnamese and English phrases. Pure: `now` is given.

Must never invent: a day without a time stays a `date`, a number that could be anything (an epoch) is no date, and a
day that does not exist is refused. Day first, because Vietnam writes 02/01/2024 for 2 January.
"""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

VIETNAM = timezone(timedelta(hours=7), "+07")
_YEARS = range(1970, 2101)
_MAX_LENGTH = 200

_ZONES = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2, "eet": 2,
    "eest": 3, "msk": 3, "ist": 5.5, "ict": 7, "wib": 7, "hkt": 8, "sgt": 8, "pht": 8, "awst": 8, "jst": 9, "kst": 9,
    "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "ast": -4, "adt": -3, "est": -5, "edt": -4, "cst": -6, "cdt": -5,
    "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "akst": -9, "akdt": -8, "hst": -10, "brt": -3, "art": -3,
}  # fmt: skip
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_VI_NUMBERS = {
    "một": 1, "giêng": 1, "hai": 2, "ba": 3, "tư": 4, "bốn": 4, "năm": 5, "sáu": 6, "bảy": 7, "bẩy": 7, "tám": 8, "chín": 9,
    "mười": 10, "mười một": 11, "mười hai": 12, "chạp": 12,
}  # fmt: skip

_VI_MONTH = "|".join(sorted(_VI_NUMBERS, key=len, reverse=True))
_EN_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?"
_ISO = re.compile(
    r"(\d{4})(?:-(\d\d)-(\d\d)|(\d\d)(\d\d))"
    r"(?:[Tt ]+(\d\d):?(\d\d)(?::?(\d\d)(?:[.,]\d{1,9})?)?\s*([Zz]|[+-]\d\d(?::?\d\d)?|[A-Za-z]{2,4})?)?\s*"
)
_RFC = re.compile(
    r"(?:[^\W\d]{2,12}\.?,?\s+)?(\d{1,2})[\s-]+" + _EN_MONTH + r"[\s-]+(\d{4}|\d\d)\b"
    r"(?:,?\s+(?:at\s+)?(\d{1,2}):(\d\d)(?::(\d\d))?\s*([ap]\.?m\.?)?)?\s*(.*)",
    re.I,
)
_ASCTIME = re.compile(
    r"[a-z]{3,9},?\s+" + _EN_MONTH + r"\s+(\d{1,2})\s+(\d\d):(\d\d)(?::(\d\d))?\s+([a-z]{2,4}\s+)?(\d{4})", re.I
)
_US = re.compile(_EN_MONTH + r"\s+(\d{1,2})(?:st|nd|rd|th)?\s*,?\s+((?:19|20)\d\d)(?!\d)", re.I)
_EN = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?\s+(?:of\s+)?" + _EN_MONTH + r"\s*,?\s+((?:19|20)\d\d)(?!\d)", re.I)
_YMD = re.compile(r"(?<!\d)((?:19|20)\d\d)[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_DMY = re.compile(r"(?<![\d/.-])(\d{1,2})\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*((?:19|20)\d\d)(?!\d)")
_DMY_SHORT = re.compile(r"(?<![\d/.-])(\d{1,2})[/.-](\d{1,2})[/.-](\d\d)(?![\d/.-])")
_VI = re.compile(
    rf"(?<!\d)(\d{{1,2}})\s*[/-]?\s*(?:tháng|thg|th)\.?\s*(\d{{1,2}}|{_VI_MONTH})\s*[,/-]?\s*(?:năm\s*)?((?:19|20)\d\d)(?!\d)",
    re.I,
)
_VI_US = re.compile(rf"(?:tháng|thg|th)\.?\s*(\d{{1,2}}|{_VI_MONTH})\s+(\d{{1,2}})\s*,\s*((?:19|20)\d\d)(?!\d)", re.I)
_EAST_ASIAN = re.compile(r"((?:19|20)\d\d)\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]")
_HALF = r"(SA|CH|AM|PM|(?:sáng|trưa|chiều|tối)(?=\s*(?:$|[^\w\s]|ngày|thứ|hôm|\d)))?(?!\w)"
_TIME = re.compile(
    r"(?<![\d/:+-])(\d{1,2})\s*(?::|h|g|giờ)\s*(\d\d)(?::\d\d)?(?!\d)\s*(?:phút\s*)?" + _HALF
    + r"|(?<![\d/:+-])(\d{1,2})\s?(?:h|giờ)(?!\w)\s*" + _HALF,
    re.I,
)  # fmt: skip
_OFFSET = re.compile(r"(?:GMT|UTC)\s*([+-]\d{1,2})(?::?(\d\d))?|(?<=\d)\s?([+-]\d\d):?(\d\d)\)?\s*$", re.I)
_AGO = re.compile(
    r"(?:(\d{1,2})\s*(?:giờ|hours?)\s+)?(\d{1,4})\s*(phút|giờ|tiếng|ngày|tuần|minutes?|hours?|days?|weeks?)\s*(?:trước|ago)",
    re.I,
)
_UNITS = {
    "phút": 60,
    "minute": 60,
    "giờ": 3600,
    "tiếng": 3600,
    "hour": 3600,
    "ngày": 86400,
    "day": 86400,
    "tuần": 604800,
    "week": 604800,
}
_JUST_NOW = re.compile(r"\s*(?:vừa xong|vừa mới|mới đây|just now)\s*", re.I)
# Days of the lunar calendar are named as such, or by the words only it has. They are no solar days, and turning them into
# some needs tables of the moon; "4 Tháng Giêng, 2025" alone is how WordPress writes January in Vietnamese.
_LUNAR = re.compile(
    r"(?:ngày\s+)?(?:rằm|(?:mùng|mồng)\s+\w+)\s+tháng\s+(?:mười\s+(?:một|hai)|\w+)(?:\s+(?:năm\s+)?\d{4})?"
    r"|(?:ngày\s+)?\d{1,2}(?:\s*[/.-]\s*|\s+tháng\s+)\w+(?:(?:\s*[/.-]\s*|\s*,?\s*(?:năm\s+)?)\d{4})?"
    r"\s*[(,]?\s*(?:âm lịch\b|ÂL\b)\)?"
    r"|(?:âm lịch|ÂL)\s*:?\s*(?:ngày\s+)?\d{1,2}\s*[/.-]\s*\d{1,2}(?:\s*[/.-]\s*\d{4})?",
    re.I,
)
_TODAY, _YESTERDAY = (
    re.compile(r"\b(?:hôm nay|(?:sáng|trưa|chiều|tối) nay|today)\b", re.I),
    re.compile(r"\b(?:hôm qua|yesterday)\b", re.I),
)


def parse_date(
    text: str | None, *, day_first: bool = True, zone: tzinfo | None = None, now: datetime | None = None
) -> datetime | date | None:
    """The moment (aware) or day `text` names, or None.

    `zone` holds for times written without one; by default UTC for machine formats (RFC 822, ISO 8601) and UTC+7 for
    phrases. Relative phrases ("3 giờ trước", "hôm qua") need `now`, an aware moment. Days of the lunar calendar ("rằm tháng
    Giêng", "15/01/2025 âm lịch") are passed over.
    """
    text = unicodedata.normalize("NFC", text or "").strip()
    if not text or len(text) > _MAX_LENGTH or (text.isdecimal() and len(text) != 8):
        return None
    text = _LUNAR.sub(" ", text).strip()
    try:
        for reader in (_iso, _rfc, _asctime):
            found = reader(text, zone or UTC)
            if found is not None:
                return found
        return _phrase(text, day_first=day_first, zone=zone or (UTC if _US.search(text) else VIETNAM), now=now)
    except (ValueError, OverflowError):
        return None  # 31 February, 25:61


def _iso(text: str, zone: tzinfo) -> datetime | date | None:
    found = _ISO.fullmatch(text) or _ISO.fullmatch(text.partition("[")[0])  # RFC 9557 appends [Asia/Ho_Chi_Minh]
    if not found:
        return None
    year, month, day = int(found[1]), int(found[2] or found[4]), int(found[3] or found[5])
    if found[6] is None:
        return _day(year, month, day)
    clock = (int(found[6]), int(found[7]), int(found[8] or 0))
    return _moment(_day(year, month, day), clock, _zone(found[9]) or zone)


def _rfc(text: str, zone: tzinfo) -> datetime | date | None:
    """RFC 822 3.3 and RFC 850 dates; the weekday is ignored because feeds get it wrong."""
    found = _RFC.fullmatch(text)
    if not found:
        return None
    rest = found[8].strip(" ()")
    if rest and _zone(rest) is None:
        return None
    day = _day(_year(found[3]), _MONTHS[found[2][:3].lower()], int(found[1]))
    if found[4] is None:
        return day
    hour = _half_day(int(found[4]), (found[7] or "").replace(".", ""))
    return _moment(day, (hour, int(found[5]), int(found[6] or 0)), _zone(rest) or zone)


def _asctime(text: str, zone: tzinfo) -> datetime | None:
    found = _ASCTIME.fullmatch(text)
    if not found:
        return None
    day = _day(int(found[7]), _MONTHS[found[1][:3].lower()], int(found[2]))
    return _moment(day, (int(found[3]), int(found[4]), int(found[5] or 0)), _zone(found[6]) or zone)


def _phrase(text: str, *, day_first: bool, zone: tzinfo, now: datetime | None) -> datetime | date | None:
    offset = _OFFSET.search(text)
    if offset:
        zone = _shift(offset[1] or offset[3], offset[2] or offset[4])
    ago = _AGO.search(text)
    if ago:
        return _before(ago, zone, now)
    found = _find_day(text, day_first=day_first, short=True)
    if found:
        day, rest = found[0], text[: found[1]] + " " + text[found[2] :]
    elif now and _JUST_NOW.fullmatch(text):
        return now.astimezone(zone)
    elif now and (_TODAY.search(text) or _YESTERDAY.search(text)):
        day = (now.astimezone(zone) - timedelta(days=1 if _YESTERDAY.search(text) else 0)).date()
        rest = text
    else:
        return None
    clock = _TIME.search(_OFFSET.sub(" ", rest))
    if not clock:
        return day
    hour = _half_day(int(clock[1] or clock[4]), clock[3] or clock[5] or "")
    return _moment(day, (hour, int(clock[2] or 0), 0), zone)


def _before(ago: re.Match[str], zone: tzinfo, now: datetime | None) -> datetime | date | None:
    if now is None:
        return None
    seconds = _UNITS[ago[3].lower().removesuffix("s")]
    moment = now.astimezone(zone) - timedelta(hours=int(ago[1] or 0), seconds=int(ago[2]) * seconds)
    return moment.date() if seconds >= 86400 else moment  # "2 days ago" names no hour


def _find_day(text: str, *, day_first: bool = True, short: bool = False) -> tuple[date, int, int] | None:
    """The first day written in `text` and where it stands. `short`: years of two digits count too."""
    found: list[tuple[int, int, date]] = []
    order = (3, 2, 1) if day_first else (3, 1, 2)
    forms: list[tuple[re.Pattern[str], tuple[int, int, int]]] = [
        (_YMD, (1, 2, 3)), (_DMY, order), (_VI, (3, 2, 1)), (_VI_US, (3, 1, 2)), (_EN, (3, 2, 1)), (_US, (3, 1, 2)),
        (_EAST_ASIAN, (1, 2, 3)),
    ]  # fmt: skip
    if short:
        forms.append((_DMY_SHORT, order))
    for pattern, (year, month, day) in forms:
        match = pattern.search(text)
        value = match and _written_day(match[year], match[month], match[day])
        if match and value:
            found.append((match.start(), match.end(), value))
    if not found:
        return None
    start, end, first = min(found, key=lambda one: (one[0], -one[1]))
    return first, start, end


def _written_day(year: str, month: str, day: str) -> date | None:
    m, d = _month(month), int(day)
    if m > 12 >= d:
        m, d = d, m  # 12/31/2024 can be read in one way only
    try:
        return _day(_year(year), m, d)
    except ValueError:
        return None


def _month(text: str) -> int:
    if text.isdigit():
        return int(text)
    return _VI_NUMBERS.get(text.lower()) or _MONTHS[text[:3].lower()]


def _year(text: str) -> int:
    if len(text) > 2:
        return int(text)
    return int(text) + (2000 if int(text) < 70 else 1900)  # POSIX %y without its 69


def _day(year: int, month: int, day: int) -> date:
    if year not in _YEARS:
        raise ValueError(f"year {year}")
    return date(year, month, day)


def _moment(day: date, clock: tuple[int, int, int], zone: tzinfo) -> datetime:
    hour, minute, second = clock
    if (hour, minute, second) == (24, 0, 0):  # ISO 8601: the end of the day
        return datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)
    return datetime(day.year, day.month, day.day, hour, minute, min(second, 59), tzinfo=zone)


def _half_day(hour: int, mark: str) -> int:
    if mark.upper() in ("CH", "PM", "CHIỀU", "TỐI") and hour < 12:
        return hour + 12
    return 0 if mark.upper() in ("SA", "AM") and hour == 12 else hour


def _zone(text: str | None) -> tzinfo | None:
    """A zone by offset (+0700, +07:00, GMT+7) or by a name of RFC 822 and common use; None when it is neither."""
    text = (text or "").strip(" ()")
    found = re.fullmatch(r"(?:GMT|UTC|UT)?\s*([+-]\d{1,2})(?::?(\d\d))?(?:\s*\([^)]*\)?)?", text, re.I)
    if found:
        return _shift(found[1], found[2])
    hours = _ZONES.get(text.lower())
    return None if hours is None else UTC if hours == 0 else timezone(timedelta(hours=hours))


def _shift(hours: str, minutes: str | None) -> tzinfo:
    sign = -1 if hours.startswith("-") else 1
    shift = timedelta(hours=int(hours), minutes=sign * int(minutes or 0))
    return UTC if not shift else timezone(shift)


# ---------------------------------------------------------------- the day an article tells of

_LEAD = 300  # characters of the first paragraph that are looked at
_BEFORE_DAY = re.compile(
    r"(?:(?:vào|trong)\s+)?(?:(?:hồi|lúc)\s+[\d:hgiờ ]{1,12},?\s*)?(?:(?:rạng\s+)?(?:sáng|trưa|chiều|tối|đêm)\s+)?"
    r"(?:hôm\s+)?(?:(?:thứ\s+\w+|chủ\s+nhật),?\s*)?(?:ngày\s+)?$"
    r"|\bon\s+(?:the\s+)?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s*)?(?:the\s+)?$",
    re.I,
)
# A date behind one of these belongs to a document, not to the event: "Quyết định số 12/QĐ-BCT ngày 05/12/2023".
_DOCUMENT = re.compile(
    r"(?:quyết định|nghị quyết|nghị định|thông tư|công văn|chỉ thị|kế hoạch|tờ trình|thông báo|hợp đồng|luật|văn bản"
    r"|decision|decree|resolution|circular|directive|order)\b[^.]{0,80}$|\bsố\s*:?\s*\d[^.]{0,40}$",
    re.I,
)


def date_in_lead(text: str) -> tuple[date, str] | None:
    """The day named in the first paragraph ("Chiều ngày 02/01/2024, …", "On 2 January 2024, …") and its words.

    It is the day of the event, used only where nothing else dates the article. None if the paragraph begins otherwise.
    """
    lead = unicodedata.normalize("NFC", text).strip().split("\n\n", 1)[0][:_LEAD]
    lead = _LUNAR.sub(lambda found: " " * len(found[0]), lead)
    at = 0
    while found := _find_day(lead[at:]):
        day, start, end = found[0], found[1] + at, found[2] + at
        before = lead[:start]
        opening = _BEFORE_DAY.search(before)
        words = opening[0] if opening else ""
        if not _DOCUMENT.search(before[at:]) and (words.strip() or start <= 60):
            return day, (words + lead[start:end]).strip()
        at = end
    return None
