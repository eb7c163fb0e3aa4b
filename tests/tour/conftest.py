"""A whole newsletter: sources on a loopback site, a list of readers, a weekly schedule."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from newsletter.app import App
from newsletter.model import ApprovalPolicy, Newsletter, NewsletterId, SourceKind, new_id
from newsletter.store import newsletters, sources
from tests.conftest import NOW, subscribe

STORIES = (
    (
        "Trạm đo khí mới tại mỏ Suối Cát phát cảnh báo sớm 12 phút",
        "Sáng 20/11/2026, Viện Thử nghiệm bàn giao trạm đo khí thứ 48 cho mỏ Suối Cát. "
        "Sau hai tháng chạy thử, thời gian từ lúc nồng độ khí vượt ngưỡng đến khi phát cảnh báo giảm từ 14 phút xuống 2 phút. "
        "Kỹ sư Trần Thị Hậu cho biết đơn vị sẽ lắp thêm 16 trạm trong quý I năm 2027.",
    ),
    (
        "Nghiệm thu đề tài điều khiển băng tải tiết kiệm điện",
        "Hội đồng do PGS.TS. Lê Quang Ánh làm chủ tịch đã nghiệm thu đề tài điều khiển băng tải. "
        "Biến tần và thuật toán dự báo tải giúp giảm 11,4 % điện năng trên tuyến băng dài 2.350 m. "
        "Kết quả được chuyển giao cho ba đơn vị ngay trong năm 2026.",
    ),
    (
        "Công bố bộ số liệu mở về ẩm độ bãi thải vùng Ngữ Sơn",
        "Ba năm quan trắc tại 17 điểm được công bố kèm mã nguồn xử lý. "
        "Bộ số liệu gồm 1.250 báo cáo và cho phép tái sử dụng tự do. "
        "Nhóm nghiên cứu mong nhận góp ý của các trường đại học trước ngày 31/12/2026.",
    ),
)


def feed(stories: tuple[tuple[str, str], ...] = STORIES, *, newest: datetime = NOW) -> bytes:
    """RSS 2.0 with the full text in each entry, one day apart."""
    items = "".join(
        f"<item><title>{title}</title><link>http://tin.vien.example/{n}</link><guid>tin-{n}</guid>"
        f"<pubDate>{format_datetime((newest - timedelta(days=n + 1)).astimezone(UTC))}</pubDate>"
        f"<description><![CDATA[<p>{text}</p><p>{text.replace('.', '!', 1)}</p>]]></description></item>"
        for n, (title, text) in enumerate(stories)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Tin Viện</title>{items}</channel></rss>'.encode()


@pytest.fixture
def publish() -> Callable[..., Newsletter]:
    """`publish(app, readers=[…])` writes the source, the list and the newsletter; by default Mondays at 8 in Hanoi."""

    def make(
        app: App,
        *,
        readers: list[str],
        approval: ApprovalPolicy = ApprovalPolicy.AUTO,
        cron: str = "0 8 * * 1",
        url: str = "http://tin.vien.example/feed",
        lead: timedelta = timedelta(),
    ) -> Newsletter:
        subscribe(app, "tin", readers)
        source = sources.new("vien", SourceKind.FEED, url, name="Tin Viện", language="vi")
        made = Newsletter(
            id=NewsletterId(new_id()),
            slug="ban-tin",
            name="Bản tin Thử nghiệm",
            language="vi",
            languages=("vi", "en"),
            design="bulletin",
            options={},
            list_slug="tin",
            cron=cron,
            timezone="Asia/Ho_Chi_Minh",
            approval=approval,
            compose_lead=lead,
            latest_start=timedelta(hours=12),
            max_items=12,
            unknown_policy="hold",
            active=True,
            source_ids=(source.id,),
        )
        with app.db.begin() as conn:
            sources.add(conn, source, now=NOW - timedelta(days=1))
            newsletters.save(conn, made, now=NOW - timedelta(days=1))
        return made

    return make
