"""Three invented news of an invented institute: a meeting, a call with a list of dates, and a short notice."""

import unicodedata
from dataclasses import dataclass

OTHERS = (
    ("Hội thảo về bồi lắng luồng lạch cửa sông Diên", "01/12/2023"),
    ("Đoàn công tác của Viện thăm trạm quan trắc đảo Gió", "28/11/2023"),
    ("Tổng kết phong trào thi đua quý III năm 2023", "15/10/2023"),
    ("Tin buồn", "02/10/2023"),
    ("Nghiệm thu đề tài cấp cơ sở về cát san lấp vùng triều", "19/09/2023"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """`day` is D/M/Y as the pages show it, `iso` the same moment for machines; `others`: titles and days of older news."""

    name: str
    title: str
    paragraphs: tuple[str, ...]
    caption: str
    author: str
    weekday: str = "Thứ Ba"
    others: tuple[tuple[str, str], ...] = OTHERS

    day = "02/01/2024"
    hour = "15:30"
    iso = "2024-01-02T15:30:00+07:00"
    long_day = "02 Tháng 1 2024"
    spelt_day = "ngày 02 tháng 01 năm 2024"
    dotted_day = "2.1.2024"

    @property
    def text(self) -> str:
        return "\n\n".join(self.paragraphs)


MEETING = Story(
    name="meeting",
    title="Viện Địa chất biển Cồn Mây tổng kết ba năm khảo sát thềm lục địa",
    paragraphs=(
        "Sáng 02/01/2024, tại hội trường tầng hai, Viện Địa chất biển Cồn Mây tổ chức hội nghị tổng kết ba năm "
        "khảo sát trầm tích tầng "
        "mặt của thềm lục địa phía đông.",
        "Tham dự hội nghị có ông Lương Hải Triều, Viện trưởng; bà Kiều Ngọc Lam, Phó Viện trưởng phụ trách khoa "
        "học; trưởng các phòng, "
        "trạm và hơn sáu mươi cán bộ trực tiếp tham gia khảo sát.",
        "Báo cáo tại hội nghị, bà Kiều Ngọc Lam cho biết các tàu của Viện đã đi 14.200 hải lý, lấy 1.860 mẫu trầm "
        "tích và lập được 27 "
        "tờ bản đồ tỷ lệ 1:100.000, vượt kế hoạch ba tờ.",
        "Theo bà Lam, khó khăn lớn nhất là thời tiết: trong hai mùa gió, số ngày tàu phải nằm bờ chiếm gần một "
        "phần ba, khiến chi phí "
        "thuê phao và nhiên liệu tăng lên đáng kể.",
        "Phát biểu kết luận, ông Lương Hải Triều đề nghị các phòng hoàn thiện cơ sở dữ liệu mẫu trước ngày 30/6 và "
        "công bố bản đồ cho "
        "các tỉnh ven biển sử dụng miễn phí.",
        "Nhân dịp này, Viện trao giấy khen cho tám cá nhân và hai tập thể có thành tích xuất sắc trong đợt khảo sát.",
    ),
    caption="Quang cảnh hội nghị tổng kết ba năm khảo sát",
    author="Đ.L",
)
CALL = Story(
    name="call",
    title="Thông báo mời viết bài hội thảo “Bờ biển và con người” lần thứ tư",
    paragraphs=(
        "Viện Địa chất biển Cồn Mây phối hợp với Trường Đại học Diên Hải tổ chức hội thảo khoa học “Bờ biển và con "
        "người” lần thứ tư "
        "trong hai ngày 16 và 17 tháng 5 năm 2024.",
        "Hội thảo là diễn đàn để các nhà khoa học, cán bộ quản lý và người dân ven biển trao đổi về xói lở, bồi tụ "
        "và những cách sống "
        "chung với biển đang tiến vào đất liền.",
        "Ban tổ chức trân trọng mời các tác giả gửi bài theo ba chủ đề: động lực học ven bờ; quản lý tổng hợp đới "
        "bờ; tri thức bản địa "
        "của ngư dân.",
        "Bài viết dài không quá mười trang, bằng tiếng Việt hoặc tiếng Anh, gửi về hộp thư của ban tổ chức trước "
        "ngày 15/3/2024; kết quả "
        "phản biện được báo trước ngày 20/4/2024.",
        "Các bài được chọn sẽ in trong kỷ yếu có mã số chuẩn quốc tế; năm bài hay nhất được giới thiệu đăng trên "
        "tạp chí của Viện.",
    ),
    caption="Hội thảo lần thứ ba có hơn hai trăm đại biểu tham dự (ảnh tư liệu)",
    author="Ban Tổ chức",
)
NOTICE = Story(
    name="notice",
    title="Tạm dừng vận hành trạm quan trắc đảo Gió từ ngày 05/01",
    paragraphs=(
        "Viện Địa chất biển Cồn Mây thông báo tạm dừng vận hành trạm quan trắc đảo Gió trong mười ngày để thay cáp "
        "và kiểm định máy đo.",
        "Trong thời gian này, số liệu mực nước được lấy từ trạm dự phòng đặt ở cửa Lạch, sai khác không quá hai xăng-ti-mét.",
        "Đơn vị nào cần số liệu gốc xin liên hệ phòng Quan trắc trong giờ hành chính.",
    ),
    caption="Trạm quan trắc đảo Gió nhìn từ tàu khảo sát",
    author="Phòng Quan trắc",
)


def windows_1258(text: str) -> bytes:
    """Letters as that encoding has them: a vowel with its hat or horn, the tone behind it."""
    return "".join(map(_parted, unicodedata.normalize("NFC", text))).encode("cp1258")


def _parted(letter: str) -> str:
    try:
        letter.encode("cp1258")
    except UnicodeEncodeError:
        pieces = unicodedata.normalize("NFD", letter)
        tone = next(mark for mark in pieces if mark in "\u0300\u0301\u0303\u0309\u0323")
        return unicodedata.normalize("NFC", pieces.replace(tone, "")) + tone
    return letter


STORIES = (MEETING, CALL, NOTICE)
