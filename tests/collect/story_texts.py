"""Invented news for telling stories apart: the same event in several hands, events of a series, forms filled in
anew."""

STORM = (
    "Phao đo sóng tự chế báo bão sớm hơn 40 phút ở vịnh Ổ Lợn",
    """Sáu phao đo sóng do nhóm kỹ sư trẻ của Trung tâm Quan trắc Hải Vân lắp ráp đã gửi độ cao sóng về bờ 10
phút một lần.

Trong trận bão số 9, cảnh báo đến tay ngư dân vịnh Ổ Lợn sớm hơn 40 phút so với năm ngoái, theo bà Lê Thị Mỏ
Neo, trưởng nhóm.

Mỗi phao có giá 11 triệu đồng, bằng một phần mười hàng nhập. Vỏ phao làm từ can nhựa cũ, pin mặt trời đủ dùng
trong 14 ngày không nắng.

Trung tâm dự định thả thêm mười hai phao dọc bờ biển trước mùa mưa, và dạy thanh niên các xã đảo cách sửa chữa
tại chỗ.

Chi cục Thủy sản cho biết 230 tàu cá đã nhận tin nhắn cảnh báo trong đêm bão và về bến an toàn.""",
)
STORM_PAPER = (
    "Nhờ phao tự chế, 230 tàu cá vịnh Ổ Lợn kịp tránh bão số 9",
    """Đêm bão số 9, tin nhắn từ những chiếc phao ghép bằng can nhựa đã giúp 230 tàu cá kịp quay về bến.

Theo Chi cục Thủy sản, ngư dân vịnh Ổ Lợn nhận cảnh báo sớm hơn 40 phút so với các năm trước.

Chủ nhân của sáng kiến là nhóm kỹ sư Trung tâm Quan trắc Hải Vân do bà Lê Thị Mỏ Neo phụ trách. "Chúng tôi chỉ
tốn 11 triệu đồng cho mỗi phao đo sóng", bà Mỏ Neo nói.

Ông Trần Văn Chài, chủ một tàu câu mực, kể rằng ông vừa thả lưới thì điện thoại rung liên hồi. Trung tâm Hải Vân
sẽ lắp thêm mười hai phao.""",
)
STORM_RADIO = (
    "Hải Vân: can nhựa cũ thành phao đo sóng",
    """Trung tâm Quan trắc Hải Vân vừa thử thành công loại phao đo sóng ghép từ can nhựa cũ ở vịnh Ổ Lợn.

Bà Lê Thị Mỏ Neo cho hay sáu chiếc phao gửi số liệu về bờ 10 phút một lần. Trong bão số 9 vừa qua, nhờ phao mà
ngư dân được báo trước thêm 40 phút.

Giá mỗi phao là 11 triệu đồng. Năm tới sẽ có thêm mười hai phao dọc bờ biển.""",
)
STORM_EN = (
    "Home-made wave buoys warned fishers of the storm forty minutes earlier",
    """Six buoys built from old canisters by young engineers of the Hai Van Observation Centre report the waves
every ten minutes.

In storm number 9 the warning reached the fishers of O Lon Bay forty minutes earlier than last year, said Le Thi
Mo Neo, who leads the group.

A buoy costs 11 million dong, a tenth of an imported one. Its solar cells last 14 days without sun. Twelve more
will follow.""",
)
STORM_EN_PAPER = (
    "Old canisters save 230 boats in O Lon Bay",
    """Fishers in O Lon Bay had forty minutes more than usual to flee storm number 9, thanks to buoys made of
old canisters.

The Hai Van Observation Centre lets six of them report the height of waves every ten minutes. "We paid 11
million dong for each buoy", Le Thi Mo Neo of the centre told this paper.

All 230 boats came home. The centre wants twelve more buoys along the coast before the rains.""",
)

# Different news of neighbouring institutes: the same names, the same sort of event, the same phrases of officialdom.
NEIGHBOURS = (
    (
        "Trung tâm Quan trắc Hải Vân khai trương phòng thí nghiệm trầm tích",
        """Sáng nay, Trung tâm Quan trắc Hải Vân khai trương phòng thí nghiệm trầm tích đáy biển tại cơ sở 2.

Phát biểu tại buổi lễ, giám đốc Trung tâm Phạm Văn Cột Mốc cho biết phòng thí nghiệm có ba máy phân tích hạt do
tỉnh cấp kinh phí.

Sinh viên Trường Cao đẳng Biển Xanh sẽ thực tập ở đây từ tháng sau. Dự lễ có đại diện Sở Khoa học và các xã ven
vịnh.""",
    ),
    (
        "Trung tâm Quan trắc Hải Vân và Trường Biển Xanh ký thỏa thuận đào tạo",
        """Trung tâm Quan trắc Hải Vân và Trường Cao đẳng Biển Xanh vừa ký thỏa thuận đào tạo kỹ thuật viên thủy
văn trong năm năm.

Theo thỏa thuận, mỗi năm bốn mươi sinh viên được hướng dẫn đo mực nước trên tàu khảo sát. Hiệu trưởng Đỗ Thị Hải
Đăng nói nhà trường sẽ mở thêm một mã ngành.

Học phí năm đầu do hội cựu sinh viên tài trợ.""",
    ),
    (
        "Viện Đo đạc Cửa Tùng trao giải cuộc thi ảnh biển đảo",
        """Viện Đo đạc Cửa Tùng hôm qua trao giải cuộc thi ảnh biển đảo cho chín tác giả.

Giải nhất thuộc về bộ ảnh ruộng muối lúc bình minh của cô giáo Ngô Thị Lúa. Giám đốc Trung tâm Quan trắc Hải Vân
Phạm Văn Cột Mốc là trưởng ban giám khảo.

Ảnh được treo tại sảnh của Viện đến hết tháng.""",
    ),
    (
        "Hội nghị công đoàn Trung tâm Quan trắc Hải Vân bầu ban chấp hành mới",
        """Hội nghị công đoàn Trung tâm Quan trắc Hải Vân đã bầu ban chấp hành gồm bảy người.

Chủ tịch công đoàn khóa mới là ông Vũ Văn Phao. Hội nghị thông qua quy chế nghỉ mát và quỹ thăm hỏi đoàn viên.

Giám đốc Trung tâm Phạm Văn Cột Mốc dự và phát biểu chỉ đạo.""",
    ),
)


def workshop(edition: str, guest: str, topic: str, people: int) -> tuple[str, str]:
    """The announcement of one workshop of a series: another edition, another day, else the same form."""
    return (
        f"Hội thảo Quan trắc biển lần thứ {edition} tại Trung tâm Hải Vân",
        f"""Trung tâm Quan trắc Hải Vân tổ chức Hội thảo Quan trắc biển lần thứ {edition} tại hội trường lớn.

Hội thảo có {people} đại biểu từ các viện, trường và các xã đảo. Khách mời chính là {guest}, trình bày về {topic}.

Sau phần khai mạc, đại biểu chia thành ba nhóm thảo luận và đi thăm trạm đo ở vịnh Ổ Lợn. Ban tổ chức in kỷ yếu
sau hội thảo.""",
    )


def timetable(week: int, first: int, last: int) -> tuple[str, str]:
    """A weekly form letter: only the numbers change."""
    return (
        f"Lịch công tác tuần {week} của Ban Giám đốc",
        f"""Lịch công tác tuần {week} (từ ngày {first}/3 đến ngày {last}/3) của Ban Giám đốc Trung tâm Quan trắc
Hải Vân.

Thứ Hai ngày {first}/3: giao ban đầu tuần tại phòng họp 1, toàn thể cán bộ chủ chốt dự, phòng Hành chính chuẩn
bị tài liệu.

Thứ Tư: làm việc với các tổ kỹ thuật về tiến độ bảo dưỡng thiết bị, tổ trưởng báo cáo bằng văn bản.

Thứ Sáu ngày {last}/3: tiếp công dân theo lịch thường kỳ, sau đó tổng vệ sinh cơ quan.""",
    )


def menu(monday: int) -> tuple[str, str]:
    """A weekly form letter whose title never changes."""
    return (
        "Thực đơn bếp ăn tập thể trong tuần",
        f"""Bếp ăn tập thể xin thông báo thực đơn từ {monday}/5 đến {monday + 4}/5, mỗi suất 35.000 đồng.

Thứ Hai có cá nục kho và canh rau ngót, thứ Ba có thịt rang và canh bí, thứ Tư có đậu sốt cà chua và trứng chiên.

Thứ Năm có gà luộc và canh cải, thứ Sáu có bún cá. Cán bộ đăng ký suất ăn trước 9 giờ hằng ngày tại phòng Hành
chính.""",
    )
