"""An invented institute, its news and its newsletter: enough to render every shape of a digest."""

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from newsletter.compose.context import IssueContext, IssueView, NewsletterView, item_views
from newsletter.compose.design import Design, default_folders, find_design, find_letters
from newsletter.compose.intro import intro
from newsletter.compose.select import preheader, subject
from newsletter.model import (
    ApprovalPolicy,
    Article,
    ArticleId,
    ArticleState,
    Item,
    Newsletter,
    NewsletterId,
    SourceId,
    Summary,
    SummaryOrigin,
    Verdict,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
NONCE = "0123456789abcdef"

# (section, title, summary, source, day)
STORIES_VI = [
    (
        "Hải dương",
        "Phao đo sóng tự chế giữa vịnh Ổ Lợn: báo bão sớm hơn 40 phút",
        "Sáu phao do nhóm kỹ sư trẻ lắp ráp gửi độ cao sóng về bờ 10 phút một lần. "
        "Trong trận bão số 9, cảnh báo đến tay ngư dân sớm hơn 40 phút so với năm ngoái.",
        "Phòng Hải dương học",
        20,
    ),
    (
        "Nông nghiệp",
        "Giống lúa chịu mặn VX-7 cho 6,2 tấn một héc-ta ở vụ đầu tiên",
        "Ba hợp tác xã ở vùng cửa sông gieo thử trên 48 héc-ta. Chi phí phân bón giảm 11,4 % so với giống đang trồng.",
        "Trung tâm Giống cây",
        19,
    ),
    (
        "Nông nghiệp",
        "Ẩm độ đất đo bằng điện thoại: sai số dưới 3 %",
        "Ứng dụng dùng máy ảnh và bộ lọc giá 90.000 đồng. Mã nguồn được mở cho mọi người dùng.",
        "Phòng Đo lường",
        19,
    ),
    (
        "Hợp tác",
        "Viện ký thỏa thuận trao đổi sáu nghiên cứu sinh với Đại học Bờ Biển",
        "Hai bên dùng chung phòng thí nghiệm vật liệu trong năm 2027 và đồng hướng dẫn luận án.",
        "Văn phòng Viện",
        18,
    ),
    (
        "Đào tạo",
        "Khai giảng lớp phân tích số liệu viễn thám cho cán bộ huyện",
        "Lớp học tám buổi tối, 35 học viên từ chín huyện ven biển. Bài giảng được ghi hình và đăng công khai.",
        "Phòng Đào tạo",
        18,
    ),
    (
        "Hợp tác",
        "Đoàn chuyên gia thủy văn thăm trạm Ngữ Phong",
        "Đoàn khảo sát ba tuyến đo và đề xuất đặt thêm hai trạm mưa tự động trước mùa lũ.",
        "Văn phòng Viện",
        17,
    ),
    (
        "Thư viện",
        "Thư viện số bổ sung 1.250 báo cáo giai đoạn 1998–2010",
        "Tất cả được quét và nhận dạng chữ.",
        "Thư viện",
        17,
    ),
    (
        "Đoàn thể",
        "Chi đoàn Viện trao 40 suất học bổng cho học sinh vùng biển",
        "Mỗi suất trị giá hai triệu đồng.",
        "Đoàn thanh niên",
        16,
    ),
    (
        "Thông báo",
        "Bảo dưỡng máy chủ thư điện tử từ 22 giờ thứ Bảy, 28/11",
        "Thư gửi trong lúc bảo dưỡng sẽ đến chậm.",
        "Phòng Mạng",
        16,
    ),
    (
        "Hải dương",
        "Bản đồ dòng chảy ven bờ được cập nhật đến tháng 10",
        "Số liệu của 17 điểm đo.",
        "Phòng Hải dương học",
        15,
    ),
    (
        "Đào tạo",
        "Hội thảo thường niên mở đăng ký đến hết ngày 05/12",
        "Hội trường A, trụ sở Viện.",
        "Phòng Đào tạo",
        15,
    ),
    (
        "Nông nghiệp",
        "Nghiệm thu đề tài sấy nông sản bằng bơm nhiệt",
        "Điện năng giảm một phần ba.",
        "Trung tâm Giống cây",
        14,
    ),
    ("Thư viện", "Mở kho bản đồ giấy cho bạn đọc vào chiều thứ Tư", "Cần hẹn trước một ngày.", "Thư viện", 13),
    ("Đoàn thể", "Giải chạy Ỗi Đồi gây quỹ trồng 3.000 cây chắn cát", "Đường chạy dài tám cây số.", "Công đoàn", 13),
]
STORIES_EN = [
    (
        "Oceans",
        "Home-built wave buoys in Otter Bay: storm warnings 40 minutes earlier",
        "Six buoys assembled by young engineers report wave height every ten minutes. "
        "In the last storm the warning reached fishing boats 40 minutes earlier than a year ago.",
        "Oceanography",
        20,
    ),
    (
        "Farming",
        "Salt-tolerant rice VX-7 yields 6.2 tonnes per hectare in its first season",
        "Three cooperatives sowed 48 hectares near the river mouth. Fertiliser costs fell by 11.4 %.",
        "Seed Centre",
        19,
    ),
    (
        "Farming",
        "Soil moisture by telephone camera, with an error under 3 %",
        "The application needs a cheap filter and no laboratory. Its source code is open.",
        "Metrology",
        19,
    ),
    (
        "Partners",
        "Six doctoral students to be exchanged with Coast University",
        "Both sides share a materials laboratory in 2027 and supervise theses together.",
        "Office",
        18,
    ),
]


def made_items(count: int, *, language: str = "vi", pictures: bool = True) -> list[Item]:
    stories = STORIES_VI if language == "vi" else STORIES_EN
    return [
        Item(
            article_id=ArticleId(f"article{index:09}"),
            position=index + 1,
            section=section,
            title=title,
            url=f"https://vien.example/tin/{index}?a=1&b=2",
            summary=summary,
            source=source,
            author=None,
            image=f"https://vien.example/anh/{index}.jpg" if pictures and index in (0, 1, 2, 4) else None,
            language=language,
            published=date(2026, 11, day),
        )
        for index in range(count)
        for section, title, summary, source, day in [stories[index % len(stories)]]
    ]


def made_newsletter(language: str = "vi", *, max_items: int = 14) -> Newsletter:
    return Newsletter(
        id=NewsletterId("newsletter000001"),
        slug="ban-tin",
        name="Bản tin Khoa học" if language == "vi" else "Science Bulletin",
        language=language,
        languages=("vi", "en"),
        design="bulletin",
        options={},
        list_slug="ban-doc",
        cron="0 8 * * 1",
        timezone="Asia/Ho_Chi_Minh",
        approval=ApprovalPolicy.MANUAL,
        compose_lead=timedelta(hours=24),
        latest_start=timedelta(hours=12),
        max_items=max_items,
        unknown_policy="hold",
        active=True,
    )


def made_view(language: str = "vi") -> NewsletterView:
    vi = language == "vi"
    return NewsletterView(
        name="Bản tin Khoa học" if vi else "Science Bulletin",
        organisation="Viện Nghiên cứu Biển và Đất" if vi else "Institute of Sea and Soil",
        postal_address="3 phố Ví Dụ, Hà Nội" if vi else "3 Example Street, Hanoi",
        url="https://vien.example/ban-tin",
        language=language,
    )


def made_context(
    count: int,
    *,
    language: str = "vi",
    pictures: bool = True,
    web: bool = True,
    options: dict[str, object] | None = None,
) -> IssueContext:
    items = made_items(count, language=language, pictures=pictures)
    newsletter = made_newsletter(language)
    return IssueContext(
        issue=IssueView(
            number=47,
            subject=subject(newsletter, items, language),
            preheader=preheader(newsletter, items, language),
            date=date(2026, 11, 23),
            intro=intro(items, language, newsletter.timezone, today=date(2026, 11, 23)),
            web_url="https://vien.example/ban-tin/47" if web else None,
        ),
        newsletter=made_view(language),
        items=item_views(items, newsletter.timezone),
        options=options or {},
    )


def made_article(
    number: int,
    *,
    published: datetime | date | None = None,
    state: ArticleState = ArticleState.READY,
    **changes: object,
) -> Article:
    values: dict[str, object] = {
        "id": ArticleId(f"article{number:09}"),
        "source_id": SourceId("source0000000001"),
        "source_name": "Văn phòng Viện",
        "section": None,
        "url": f"https://vien.example/tin/{number}",
        "title": f"Tin số {number}",
        "standfirst": None,
        "text": "Một câu đủ dài để đọc.",
        "authors": (),
        "language": "vi",
        "image": None,
        "published": published,
        "published_raw": None,
        "provenance": {},
        "state": state,
        "reason": None,
        "first_seen_at": NOW,
        "named": False,
        "summary": Summary(
            text="Một câu đủ dài để đọc.", origin=SummaryOrigin.EXTRACT, sentences=(), guard=Verdict(ok=True)
        ),
    }
    return Article(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def made() -> ModuleType:
    """The makers of this file: made.made_items(9), made.made_context(4, language="en") …"""
    return sys.modules[__name__]


@pytest.fixture(scope="session")
def bulletin() -> Design:
    return find_design("bulletin", default_folders(None))


@pytest.fixture(scope="session")
def letters() -> Design:
    return find_letters(default_folders(None))


@pytest.fixture
def design_of(tmp_path: Path) -> Callable[[dict[str, str]], Design]:
    """A design of one's own: {file name: content}, laid over a minimal one."""

    def make(files: dict[str, str]) -> Design:
        folder = tmp_path / "own"
        (folder / "parts").mkdir(parents=True, exist_ok=True)
        for name, content in {"design.toml": "", "text.txt.j2": "{{ issue.subject }}", **files}.items():
            (folder / name).write_text(content, encoding="utf-8")
        return find_design("own", [tmp_path])

    return make


@pytest.fixture
def mjml_of(design_of: Callable[[dict[str, str]], Design]) -> Callable[..., Design]:
    """A design whose mj-text holds `inside`; `around` replaces the whole section."""

    def make(inside: str = "", *, around: str | None = None) -> Design:
        section = around or f"<mj-section>\n<mj-column>\n<mj-text>{inside}</mj-text>\n</mj-column>\n</mj-section>"
        return design_of({"digest.mjml.j2": f"<mjml>\n<mj-body>\n{section}\n</mj-body>\n</mjml>\n"})

    return make
