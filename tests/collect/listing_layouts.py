"""Listing pages of more systems that institutes use, of invented news: menus, boxes and "xem thêm" around one list."""

from collections.abc import Callable

TITLES = (
    "Trạm Ngữ Phong khai trương thước đo mực nước ở cửa sông",
    "Đoàn khảo sát vịnh Hạ Diên trở về sau ba tuần trên biển",
    "Hội thảo về bản đồ ngập lụt của năm huyện ven đầm phá",
    "Phòng Thí nghiệm Bùn cát nhận máy sàng rung thế hệ mới",
    "Lớp tập huấn đọc ảnh vệ tinh cho cán bộ thủy lợi xã",
    "Tin buồn",
    "Nghiệm thu đề tài dự báo xói lở bờ biển Cồn Mây",
    "Họp báo",
)
MENU = "".join(
    f'<li><a href="/{slug}">{words}</a></li>'
    for slug, words in (
        ("gioi-thieu-chung", "Giới thiệu"), ("co-cau", "Cơ cấu tổ chức"), ("van-ban", "Văn bản pháp quy"),
        ("dao-tao", "Đào tạo sau đại học"), ("hop-tac", "Hợp tác quốc tế"), ("lien-he", "Liên hệ"),
    )
)  # fmt: skip

Item = Callable[[int, str, str], str]  # number, title, day as D/M/YYYY


def items(one: Item) -> str:
    return "".join(one(number, title, f"{number + 1:02}/03/2026") for number, title in enumerate(TITLES))


def whole(body: str, *, menu: str = f"<ul class='nav'>{MENU}</ul>") -> str:
    foot = (
        "<div class='footer'><a href='/ban-quyen-va-trach-nhiem-cua-cong-thong-tin'>Bản quyền và trách nhiệm</a></div>"
    )
    return f"<html lang='vi'><head><title>Tin tức</title></head><body>{menu}{body}{foot}</body></html>"


def liferay() -> str:
    return whole(
        "<div id='wrapper'><div class='portlet-boundary'><div class='asset-publisher'>"
        + items(
            lambda n, title, day: (
                f"<div class='asset-abstract'><h3 class='asset-title'>"
                f"<a href='/web/guest/tin/-/asset_publisher/x/content/{n}-bai'>"
                f"{title}</a></h3><div class='asset-summary'>Vài lời về bài số {n}.</div><div class='asset-more'>"
                f"<a href='/web/guest/tin/-/asset_publisher/x/content/{n}-bai'>Đọc tiếp »</a></div>"
                f"<span class='metadata-publish-date'>{day}</span></div>"
            )
        )
        + "<div class='taglib-page-iterator'><a href='/tin?cur=2'>Tiếp theo</a>"
        "<a href='/tin?cur=9'>Trang cuối</a></div></div></div></div>"
    )


def wordpress_block() -> str:
    return whole(
        "<main><ul class='wp-block-post-template'>"
        + items(
            lambda n, title, day: (
                f"<li class='wp-block-post post-{n}'><h2 class='wp-block-post-title'><a href='/bai-{n}/'>{title}</a></h2>"
                f"<div class='wp-block-post-date'>{day}</div><div class='wp-block-post-excerpt'><p>Tóm tắt bài {n}. "
                f"<a class='wp-block-post-excerpt__more-link' href='/bai-{n}/'>Đọc thêm</a></p></div></li>"
            )
        )
        + "</ul><nav class='wp-block-query-pagination'><a href='/page/2/'>Trang sau</a></nav></main>"
    )


def drupal() -> str:
    return whole(
        "<div class='view-content'>"
        + items(
            lambda n, title, day: (
                f"<div class='views-row'><div class='views-field views-field-title'><span class='field-content'>"
                f"<a href='/node/{300 + n}' hreflang='vi'>{title}</a></span></div>"
                f"<div class='views-field views-field-created'>"
                f"<span>{day} - 08:0{n}</span></div></div>"
            )
        )
        + "</div><ul class='pager__items'><li><a href='?page=1'>Trang kế</a></li></ul>"
    )


def asp_tables() -> str:
    rows = items(
        lambda n, title, day: (
            f"<tr><td width=120><a href='tin.asp?id={n}'><img src='t{n}.jpg' width=100></a></td><td>"
            f"<a class=tieude href='tin.asp?id={n}'>"
            f"<b>{title}</b></a> <font size=1>({day})</font><br>Đôi dòng về bài viết số {n} của trang tin.<div align=right>"
            f"<a href='tin.asp?id={n}'>Xem tiếp...</a></div></td></tr>"
        )
    )
    left = "".join(f"<tr><td><a href='muc.asp?m={n}'>Chuyên mục số {n}</a></td></tr>" for n in range(6))
    return whole(f"<table><tr><td class=trai><table>{left}</table></td><td><table>{rows}</table></td></tr></table>")


def umbraco() -> str:
    return whole(
        "<div class='row news-list'>"
        + items(
            lambda n, title, day: (
                f"<div class='col-md-4'><div class='thumb'><a href='/tin-tuc/bai-{n}/'>"
                f"<img src='/m/{n}.jpg' alt='{title}'></a></div>"
                f"<div class='meta'>{day}</div><h4><a href='/tin-tuc/bai-{n}/'>{title}</a></h4></div>"
            )
        )
        + "</div><div class='partners'><a href='https://bo.example.net/'>Bộ Biển</a>"
        "<a href='https://vp.example.net/'>Văn phòng</a></div>"
    )


def sitefinity() -> str:
    return whole(
        "<ul class='sfnewsList sfnewsListTitleDate sflist'>"
        + items(
            lambda n, title, day: (
                f"<li class='sfnewsListItem sflistitem'><h2 class='sfnewsTitle sftitle'>"
                f"<a href='../tin-tuc/2026/03/bai-{n}'>{title}</a></h2>"
                f"<div class='sfnewsMetaInfo'>{day} 0{n}:15</div></li>"
            )
        )
        + "</ul>"
    )


def portal() -> str:
    rows = items(
        lambda n, title, day: (
            f"<div class='tin'><a class='anh' href='/tin/{n}-bai.html'><img src='/{n}.jpg'></a><div class='chu'>"
            f"<a class='ten' href='/tin/{n}-bai.html'>{title}</a><span class='ngay'>{day}</span></div></div>"
        )
    )
    left = f"<div class='cot-trai'><div class='box-title'>Danh mục</div><ul class='menu'>{MENU}</ul></div>"
    right = (
        "<div class='cot-phai sidebar'><div class='box-title'>Văn bản mới</div><ul>"
        + "".join(
            f"<li><a href='/van-ban/{n}.html'>Quyết định số {n}/QĐ-VCM về việc cử cán bộ</a></li>" for n in range(4)
        )
        + "</ul><div class='box-title'>Thời tiết</div>Diên Hải 27 độ</div>"
    )
    return whole(
        f"<div class='wrap'>{left}<div class='cot-giua'>{rows}<a href='/tin?trang=2'>Xem thêm</a></div>{right}</div>",
        menu="",
    )


def frameset_era() -> str:
    rows = items(lambda n, title, day: f"<DT><A HREF=bai{n}.htm TARGET=chinh>{title}</A><DD><SMALL>Ngày {day}</SMALL>")
    return whole(f"<H3 ALIGN=CENTER>TIN TỨC</H3><DL>{rows}</DL><A HREF=#dau>Lên đầu trang</A>", menu="")


MORE_LAYOUTS = (liferay, wordpress_block, drupal, asp_tables, umbraco, sitefinity, portal, frameset_era)
