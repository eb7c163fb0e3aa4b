"""An invented issue to try designs on: long and short titles, capitals with two marks, items without summary, source or picture.

Nothing here is news of anybody. Pictures are addresses that lead nowhere; `with_sample_pictures` draws them. Pure.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

from newsletter.compose.context import IssueContext, IssueView, NewsletterView, item_views
from newsletter.compose.intro import intro
from newsletter.compose.letters import NoticeTopic
from newsletter.mail.markers import FIELDS
from newsletter.model import ArticleId, Item, LetterKind, Report

NONCE = "5a4d504c45000000"
DAY = date(2026, 11, 23)  # a Monday
_ZONE = "Asia/Ho_Chi_Minh"
_PICTURES = "https://pictures.example.org/sample/"
_PICTURE = re.compile(re.escape(_PICTURES) + r"(\d+)\.png")

# What each kind of letter needs to know.
SAMPLE_LETTERS: Mapping[LetterKind, Mapping[str, Any]] = {
    LetterKind.CONFIRM: {"expires_days": 7},
    LetterKind.WELCOME: {"last_issue_url": "https://example.org/46", "last_issue_title": "Số 46"},
    LetterKind.GOODBYE: {"resubscribe_url": "https://example.org/again"},
    LetterKind.MOVE: {"from_person": "0" * 16, "expires_hours": 24},
    LetterKind.MOVED: {"from_person": "0" * 16, "expires_days": 7},
    LetterKind.YOUR_DATA: {"expires_hours": 24},
    LetterKind.NOTICE: {
        "topic": NoticeTopic.PREFLIGHT_ERRORS.value, "name": "47", "count": 2, "lines": ["Một", "Hai"],
        "url": "https://example.org/staff",
    },
}  # fmt: skip
# Topic, title, summary of each.
_STORIES: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "vi": (
        ("Biển", "Ổn định bờ vịnh Ỗi: kè mềm giữ được bãi cát qua mùa bão đầu tiên",
         "Đoạn kè dài 1,2\u00a0km làm bằng bao sợi dừa đã qua ba cơn bão. "
         "Bãi cát chỉ lùi 4\u00a0m, so với 19\u00a0m ở đoạn bên cạnh."),
        ("Đất", "Ẩm kế tự ghi cho ruộng bậc thang chạy trọn một năm bằng hai viên pin",
         "Máy ghi mỗi giờ một lần và gửi số liệu khi có người đi qua. Sáu mươi hộ ở ba xã đang dùng thử."),
        ("Nước", "Bản đồ nước ngầm vùng Ngữ Sơn mở cho mọi người",
         "Bản đồ gồm 412 giếng, có độ sâu và độ mặn theo từng tháng. Ai cũng tải về và sửa lại được."),
        ("Đất", "Giống đậu ngắn ngày cho thu hoạch sau 68 ngày",
         "Vụ thử trên 15 héc-ta đạt 2,1 tấn một héc-ta, cao hơn giống cũ 11,4\u00a0%."),
        ("Đào tạo", "Lớp đọc ảnh vệ tinh cho cán bộ xã khai giảng ở chín huyện ven biển, học vào buổi tối trong tám tuần liền",
         "Bài giảng được ghi hình và để mở. Học viên cần một máy tính và không phải đóng học phí."),
        ("Nước", "Trạm mưa tự động thứ mười hai bắt đầu đo", ""),
        ("Hợp tác", "Hai viện dùng chung phòng thí nghiệm vật liệu",
         "Thỏa thuận có hiệu lực ba năm và dành cho sáu nghiên cứu sinh mỗi năm."),
        ("Thư viện", "Kho bản đồ giấy mở cửa chiều thứ Tư", "Bạn đọc hẹn trước một ngày."),
        ("Biển", "Đàn cá cơm trở lại cửa sông Ẵng sau bốn năm", "Máy dò ghi được đàn cá lớn nhất kể từ khi có số liệu."),
        ("Đào tạo", "Hội thảo thường niên nhận bài đến hết ngày\u00a005/12",
         "Bài dài không quá sáu trang, viết bằng tiếng Việt hoặc tiếng Anh."),
    ),
    "en": (
        ("Sea", "Soft sea walls held the beach of Otter Bay through their first storm season",
         "The 1.2\u00a0km of coconut-fibre bags stood three storms. The beach lost 4\u00a0m, against 19\u00a0m next to it."),
        ("Soil", "A moisture logger for terraced fields runs a year on two batteries",
         "It writes once an hour and hands its figures to whoever walks past. Sixty households are trying it."),
        ("Water", "The groundwater map of the eastern hills is open to everyone",
         "It shows 412 wells with depth and salt for each month. Anybody may download and correct it."),
        ("Soil", "A quick bean is ripe after 68 days",
         "Fifteen hectares gave 2.1 tonnes each, 11.4\u00a0% more than before."),
        ("Training",
         "Evening classes in reading satellite images begin in nine coastal districts and will go on for eight weeks",
         "Lectures are recorded and free to watch. Students need a computer and pay no fee."),
        ("Water", "The twelfth automatic rain gauge has begun to measure", ""),
        ("Partners", "Two institutes share a materials laboratory",
         "The agreement runs for three years, for six students a year."),
        ("Library", "Paper maps can be seen on Wednesday afternoons", "Please ask a day before."),
        ("Sea", "Anchovies are back in the estuary after four years", "The sounder saw the largest shoal on record."),
        ("Training", "The annual meeting takes papers until 5\u00a0December", "At most six pages, in Vietnamese or English."),
    ),
}  # fmt: skip
_SOURCES = {
    "vi": ("Phòng Biển", "Trung tâm Đất và Nước", "Văn phòng Viện"),
    "en": ("Oceans", "Soil and Water", "Office"),
}


def sample_items(count: int, *, language: str, pictures: bool = True) -> tuple[Item, ...]:
    """`count` different items, most important first. `language`: vi; the words of all others are English."""
    own = "vi" if language.split("-")[0] == "vi" else "en"
    return tuple(_item(at, own, pictures=pictures) for at in range(count))


def _item(at: int, language: str, *, pictures: bool) -> Item:
    stories, sources = _STORIES[language], _SOURCES[language]
    topic, title, summary = stories[at % len(stories)]
    again = at // len(stories)
    return Item(
        article_id=ArticleId(f"{at:016}"),
        position=at + 1,
        section=topic,
        title=f"{title} ({again + 1})" if again else title,
        url=f"https://example.org/{language}/{at}?a=1&b=2",
        summary=summary,
        source=sources[at % len(sources)],
        author=None,
        image=f"{_PICTURES}{at}.png" if pictures and at % 5 in (0, 1, 2) else None,
        language=language,
        published=DAY - timedelta(days=3 + at % 5),
        also=(Report(source=sources[2], url="https://example.org/also"),) if at == 1 else (),
    )


def sample_context(
    count: int,
    *,
    language: str,
    pictures: bool = True,
    options: Mapping[str, Any] | None = None,
    newsletter: NewsletterView | None = None,
) -> IssueContext:
    """An issue of `count` items, in its newsletter's own name if one is given."""
    items = sample_items(count, language=language, pictures=pictures)
    first = items[0]
    return IssueContext(
        issue=IssueView(
            number=47,
            subject=first.title[:50],
            preheader=first.summary[:90],
            date=DAY,
            intro=intro(items, language, _ZONE, today=DAY),
            web_url="https://example.org/issues/47"
            if count < 10
            else None,  # without it, all items must be in the mail
        ),
        newsletter=newsletter or sample_newsletter(language),
        items=item_views(items, _ZONE),
        options=options or {},
    )


def sample_newsletter(language: str) -> NewsletterView:
    vietnamese = language.split("-")[0] == "vi"
    return NewsletterView(
        name="Bản tin Khoa học" if vietnamese else "Science Bulletin",
        organisation="Viện Nghiên cứu Biển và Đất" if vietnamese else "Institute of Sea and Soil",
        postal_address="3 phố Ví Dụ, Hà Nội" if vietnamese else "3 Example Street, Hanoi",
        url="https://example.org/",
        language=language,
    )


def sample_reader(language: str) -> dict[str, str]:
    """Values for the markers of a rendering, by field."""
    vietnamese = language.split("-")[0] == "vi"
    links = {field: f"https://example.org/{field.removesuffix('_url')}/7f3k9q2m" for field in FIELDS}
    return links | {
        "subscriber_name": "Nguyễn Thị Ánh Ngọc" if vietnamese else "Ada Example",
        "subscriber_first_name": "Ngọc" if vietnamese else "Ada",
        "subscriber_email": "ngoc@example.org" if vietnamese else "ada@example.org",
        "subscribed_since": "03/05/2026" if vietnamese else "3 May 2026",
        "subscriber_timezone": _ZONE,
    }


def sample_picture(number: int) -> str:
    """The address of a picture that `with_sample_pictures` draws."""
    return f"{_PICTURES}{number}.png"


def with_sample_pictures(html: str) -> str:
    """The sample's pictures as drawings inside the document, so that it is whole without a network."""
    return _PICTURE.sub(lambda found: "data:image/svg+xml," + quote(_drawing(int(found[1]))), html)


def _drawing(at: int) -> str:
    hue = (200 + 67 * at) % 360
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="1104" height="736" viewBox="0 0 1104 736">'
        f'<rect width="1104" height="736" fill="hsl({hue},45%,68%)"/><circle cx="820" cy="200" r="90" fill="#fff6d8"/>'
        f'<path d="M0 560 260 330 470 520 700 300 1104 600V736H0Z" fill="hsl({hue},35%,26%)"/></svg>'
    )
