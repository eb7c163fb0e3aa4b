"""Invented readers, words and one realistic digest page for the tests of newsletter.mail."""

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from newsletter.mail import dkim
from newsletter.mail.compile import Frame, Message, Reader, compile_message
from newsletter.mail.markers import make_nonce, marker
from newsletter.model import Rendering
from subscribers import parse_address

SYLLABLES = re.findall(
    r"\S+",
    "viện nghiên cứu hội nghị cán bộ chủ chốt đánh giá kết quả hoạt động năm phương hướng nhiệm vụ người trẻ ở "
    "trường đại học khoa kỹ thuật điện tử thuỷ lợi nông nghiệp lúa giống mới chống mặn đồng bằng sông Cửu Long "
    "Đà Nẵng Huế Hà Nội Quảng Ngãi ký kết hợp tác quốc tế buổi lễ khởi công dự án giữa và với cho về từ thứ "
    "Nguyễn Trần Lê Phạm Hoàng Huỳnh Võ Đặng Bùi Đỗ ương ưỡng khuỷu nguệch ngoạc loằng ngoằng AI 2026 5G R&D CO₂ "
    "“trí tuệ” – (phần 2) 50 % «sáng tạo» a b c the of report: climate, water; results?",
)


@pytest.fixture
def phrase() -> Callable[[random.Random, int, int], str]:
    """`phrase(dice, least, most)`: that many invented words."""
    return lambda dice, least, most: " ".join(dice.choices(SYLLABLES, k=dice.randint(least, most)))


@pytest.fixture(scope="session")
def pem() -> bytes:
    return dkim.new_key()


@pytest.fixture(scope="session")
def nonce() -> str:
    return make_nonce(b"not a real secret", "mailing")


@pytest.fixture(scope="session")
def sent_at() -> datetime:
    return datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def frame(sent_at: datetime) -> Frame:
    return Frame(
        from_name="Bản tin Viện Ví Dụ",
        from_address="bantin@vien.example",
        date=sent_at,
        domain="vien.example",
        reply_to="toasoan@vien.example",
        bounce_domain="tra.vien.example",
        list_id=("Bản tin tuần", "tuan.vien.example"),
        list_unsubscribe_mailto="roi@vien.example",
        one_click=True,
        feedback_id="so7:tuan:issue:vien",
        auto_submitted=True,
        precedence_bulk=True,
        archived_at="https://vien.example/tuan/7",
    )


@pytest.fixture(scope="session")
def rendering(nonce: str) -> Rendering:
    """A digest of six items in Vietnamese, with markers as a design would leave them."""
    name, leave = marker(nonce, "subscriber_name"), marker(nonce, "unsubscribe_url")
    titles = [f"Nhóm {n} thử giống lúa chịu mặn ở xã Ví Dụ" for n in range(1, 7)]
    blurb = "Sau ba vụ, ruộng thử cho 5,2 tấn một héc-ta; bà con giữ lại giống cho vụ sau."
    row = '<tr><td><img src="https://vien.example/a{n}.jpg" alt="Ruộng thử" width="120" height="80"></td><td>'
    row += '<h2><a href="https://vien.example/tin/{n}">{title}</a></h2><p>{blurb}</p></td></tr>\n'
    rows = "".join(row.format(n=n, title=title, blurb=blurb) for n, title in enumerate(titles))
    html = (
        '<!doctype html>\n<html lang="vi"><head><meta charset="utf-8"><title>Bản tin tuần số 7</title></head>\n<body>'
        '<div style="display:none">Sáu nhóm cùng thử giống lúa chịu mặn qua ba vụ</div>\n<h1>Bản tin tuần</h1>'
        f'<p>Xin chào {name},</p>\n<table role="presentation">\n{rows}</table>\n'
        f'<p><a href="{leave}">Hủy đăng ký</a> · Viện Ví Dụ, 1 đường Ví Dụ</p>\n</body></html>\n'
    )
    items = "\n".join(f"* {title}\n  {blurb}\n  https://vien.example/tin/{n}\n" for n, title in enumerate(titles))
    return Rendering(
        language="vi",
        subject="Số 7: sáu nhóm cùng thử giống lúa chịu mặn",
        preheader="Sáu nhóm cùng thử giống lúa chịu mặn qua ba vụ",
        html=html,
        text=f"Xin chào {name},\n\n{items}\n-- \nHủy đăng ký: {leave}\n",
    )


@pytest.fixture(scope="session")
def reader() -> Reader:
    url = "https://vien.example/u/k7m2"
    return Reader(
        to=parse_address("ba.mien@doc.example"),
        name="Bà Miên Đỗ",
        message_id_token="1abc",
        unsubscribe_url=url,
        values={"subscriber_name": "Bà Miên Đỗ", "unsubscribe_url": url},
    )


@pytest.fixture(scope="session")
def message(rendering: Rendering, frame: Frame, reader: Reader, nonce: str, pem: bytes) -> Message:
    """One signed message of the digest."""
    signer = dkim.Signer("vien.example", "s1", pem)
    return compile_message(rendering, frame, nonce=nonce, signer=signer).splice(reader)
