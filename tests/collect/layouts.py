"""Article pages as the systems of Vietnamese institutes write them, made from invented stories: what stands around the
text is theirs, what must come out is the story. Builders only; the asserts are in test_layouts.py.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from tests.collect.layout_stories import Story, windows_1258

SITE = "Viện Địa chất biển Cồn Mây"
HOST = "https://vien.example.vn"
MENU = (
    ("gioi-thieu", "Giới thiệu"), ("co-cau-to-chuc", "Cơ cấu tổ chức"), ("tin-tuc", "Tin tức - Sự kiện"),
    ("nghien-cuu", "Nghiên cứu khoa học"), ("dao-tao", "Đào tạo sau đại học"), ("van-ban", "Văn bản pháp quy"),
    ("lien-he", "Liên hệ"),
)  # fmt: skip
ADDRESS = "Địa chỉ: Số 18 đường Bến Lạch, phường Cửa Gió, thành phố Diên Hải. Điện thoại: (0299) 3.555.018"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """`build` makes the page of a story; `form` and `charset` are how it is written and sent, `declared` if the "
    "page says so."""

    name: str
    build: Callable[[Story], str]
    form: str = "NFC"
    charset: str = "utf-8"

    def page(self, story: Story) -> bytes:
        markup = unicodedata.normalize(self.form, self.build(story))
        return windows_1258(markup) if self.charset == "windows-1258" else markup.encode(self.charset)


def _menu(tag: str = "li") -> str:
    return "".join(f"<{tag}><a href='/{slug}'>{words}</a></{tag}>" for slug, words in MENU)


def _ps(story: Story, attributes: str = "", *, caption: str = "<p align='center'><i>{}</i></p>", first: int = 0) -> str:
    """The paragraphs from the `first` on, the photograph with its caption behind the second of all."""
    pieces = [f"<p{attributes}>{paragraph}</p>" for paragraph in story.paragraphs]
    picture = f"<p align='center'><img src='/anh/hoi-truong.jpg' width='600' alt=''></p>{caption.format(story.caption)}"
    return "".join([*pieces[first:2], picture, *pieces[2:]])


def _older(story: Story, shape: str = "<li><a href='/tin/{n}.html'>{title}</a> <span>({day})</span></li>") -> str:
    return "".join(shape.format(n=n, title=title, day=day) for n, (title, day) in enumerate(story.others))


def _head(story: Story, title: str, more: str = "", charset: str = "utf-8") -> str:
    del story
    return f"<head><meta http-equiv='Content-Type' content='text/html; charset={charset}'><title>{title}</title>{more}</head>"


# ---------------------------------------------------------------- the systems


def dnn(story: Story) -> str:
    return (
        f"<!DOCTYPE html><html lang='vi-VN'>{_head(story, f'{story.title} - {SITE}')}<body id='Body'><form "
        f"method='post' id='Form'>"
        f"<div class='aspNetHidden'><input type='hidden' name='__VIEWSTATE' value='{'A' * 900}'></div>"
        f"<div id='ControlPanelWrapper'></div><div class='Header'><ul id='dnnMenu'>{_menu()}</ul></div>"
        f"<div class='Breadcrumb'>Bạn đang ở: <a href='/'>Trang chủ</a> &gt; <a href='/tin-tuc'>Tin tức - Sự kiện</a></div>"
        f"<div id='dnn_ContentPane' class='contentPane'><div class='DnnModule DnnModule-EasyDNNnews'><div "
        f"class='edn_article'>"
        f"<h1 class='edn_articleTitle'>{story.title}</h1><div class='edn_metaDetails'><time>{story.day} "
        f"{story.hour}</time> | "
        f"Tác giả: Quản trị | Lượt xem: 512 | Bình luận: 0</div><div class='edn_articleContent'>{_ps(story)}"
        f"<p style='text-align: right'><strong>{story.author}</strong></p></div>"
        f"<div class='edn_socialPrintWrapper'><a href='#'>In bài viết</a> | <a href='#'>Gửi email</a></div>"
        f"<div class='edn_relatedArticles'><h3>Các mục khác</h3><ul>{_older(story)}</ul></div></div></div></div>"
        f"<div id='dnn_RightPane'><h4>Thời tiết</h4><p>Diên Hải 27 độ, mưa rào và dông vài nơi, gió đông nam cấp 4.</p></div>"
        f"<div class='Footer'><p>{ADDRESS}</p><p>Số lượt truy cập: 1.204.518. Đang trực tuyến: 17</p></div></form>"
        f"</body></html>"
    )


def dnn_table(story: Story) -> str:
    rows = _older(
        story,
        "<tr><td><img src='/i/bullet.gif'><a href='/t/{n}'>{title}</a> <span class='Ngay'>({day})</span></td></tr>",
    )
    return (
        f"<html>{_head(story, f'{SITE} > Tin tức')}<body><form id='Form'><table width='980' align='center'>"
        f"<tr><td colspan='3'><table><tr>{_menu('td')}</tr></table></td></tr><tr><td id='dnn_LeftPane'><table>"
        f"<tr><td>Liên kết website</td></tr><tr><td><select><option>Bộ Biển và Hải đảo</option></select></td></tr>"
        f"</table></td>"
        f"<td id='dnn_ContentPane'><table><tr><td class='TieuDeTin'>{story.title}</td></tr>"
        f"<tr><td class='NgayDang'>Cập nhật lúc: {story.hour}, {story.day}</td></tr>"
        f"<tr><td class='NoiDungTin'>{_ps(story, ' class=Normal')}<p align='right'><b>{story.author}</b></p></td></tr>"
        f"<tr><td align='right'><a href='javascript:print()'>In bài viết</a> | <a href='mailto:'>Gửi email</a> | "
        f"<a href='#top'>Về đầu trang</a></td></tr><tr><td class='CacTinKhac'>Các tin đã đưa</td></tr>{rows}</table></td>"
        f"<td id='dnn_RightPane'><table><tr><td>Hôm nay: Chủ nhật, 22/11/2026</td></tr><tr><td>Số lượt truy cập: "
        f"98.312</td></tr>"
        f"</table></td></tr><tr><td colspan='3' class='footer'>{ADDRESS}</td></tr></table></form></body></html>"
    )


def nukeviet(story: Story) -> str:
    newer = "<li><a href='/vi/news/tin/moi-1.html'>Viện mở cửa đón học sinh các trường ven biển</a> <em>(09/11/2026)</em></li>"
    return (
        f"<!DOCTYPE html><html lang='vi'>{_head(story, f'{story.title} - {SITE}')}<body><header><nav><ul "
        f"class='nav'>{_menu()}</ul></nav>"
        f"</header><div class='row'><div class='col-md-3'><div class='panel'><div class='panel-heading'>Thăm dò ý kiến</div>"
        f"<div class='panel-body'>Bạn thấy trang tin của Viện thế nào? Rất tốt, tốt, bình thường, chưa tốt</div></div></div>"
        f"<div class='col-md-15'><ul class='breadcrumbs'><li><a href='/vi/'>Trang nhất</a></li><li><a "
        f"href='/vi/news/'>Tin tức</a></li></ul>"
        f"<div class='news_column panel panel-default'><div class='panel-body'><h1 class='title margin-bottom-lg'>"
        f"{story.title}</h1>"
        f"<div class='row margin-bottom-lg'><div class='col-md-12'><span class='h5'>{story.weekday} - {story.day} "
        f"{story.hour}</span></div>"
        f"<div class='col-md-12'><ul class='list-inline text-right'><li><a href='#'>In ra</a></li><li><a href='#'>"
        f"Gửi bài viết qua email</a>"
        f"</li></ul></div></div><div class='clearfix'><div class='hometext m-bottom'>{story.paragraphs[0]}</div></div>"
        f"<div id='news-bodyhtml' class='bodytext margin-bottom-lg'>"
        f"{_ps(story, first=1)}</div>"
        f"<p class='text-right'><strong>Tác giả: </strong>{story.author}</p></div></div><div class='panel'><form>"
        f"Tổng số điểm của bài viết "
        f"là: 0 trong 0 đánh giá <span>Click để đánh giá bài viết</span></form></div><div class='panel'><p "
        f"class='h3'><strong>Những tin "
        f"mới hơn</strong></p><ul class='related'>{newer}</ul><p class='h3'><strong>Những tin cũ hơn</strong></p>"
        f"<ul class='related'>"
        f"{_older(story)}</ul></div></div></div><footer><p>{ADDRESS}</p></footer></body></html>"
    )


def joomla(story: Story) -> str:
    return (
        f"<!DOCTYPE html><html lang='vi-vn'>{_head(story, story.title)}<body class='site com_content view-article'>"
        f"<div class='body'>"
        f"<div class='container'><ul class='nav menu mod-list'>{_menu()}</ul><div id='aside' class='span3'><h3>Đăng "
        f"nhập</h3><form>Tên đăng "
        f"nhập Mật khẩu Ghi nhớ</form></div><main id='content'><div class='item-page'><div class='page-header'><h2>"
        f"{story.title}</h2></div>"
        f"<div class='icons'><ul class='dropdown-menu'><li><a href='#'>In</a></li><li><a href='#'>Email</a></li></ul></div>"
        f"<dl class='article-info muted'><dt class='article-info-term'>Chi tiết</dt><dd class='createdby'>Viết bởi "
        f"Super User</dd>"
        f"<dd class='category-name'>Chuyên mục: <a href='/tin-tuc'>Tin tức</a></dd><dd class='published'>Ngày đăng: "
        f"{story.long_day}</dd>"
        f"<dd class='hits'>Lượt xem: 512</dd></dl><div class='articleBody'>{_ps(story)}<p style='text-align: "
        f"right;'>{story.author}</p></div>"
        f"<ul class='pager pagenav'><li><a href='/a'>Trước</a></li><li><a href='/b'>Tiếp theo</a></li></ul>"
        f"<div class='relateditems'><h4>Tin cùng chuyên mục</h4><ul>"
        f"{_older(story, '<li><a href=/i/{n}>{title}</a> - {day}</li>')}</ul></div>"
        f"</div></main></div></div><footer class='footer'><p>{ADDRESS}</p><p>&copy; 2026 {SITE}</p></footer></body></html>"
    )


def sharepoint(story: Story) -> str:
    return (
        f"<html dir='ltr' lang='vi-VN'>{_head(story, 'Trang chi tiết')}<body><form id='aspnetForm'><div "
        f"id='s4-ribbonrow'>Thiết đặt Trang</div>"
        f"<div id='s4-workspace'><div class='ms-breadcrumb-top'>{SITE} &gt; Tin tức &gt; Chi tiết</div><div "
        f"class='ms-core-navigation'><ul>"
        f"{_menu()}</ul></div><div id='DeltaPlaceHolderMain'><div class='ms-rtestate-field'><div class='news-title'>"
        f"{story.title}</div>"
        f"<div class='news-date'>{story.weekday}, ngày {story.day} - {story.hour}</div><div "
        f"class='ms-rtestate-field bodynews'>"
        f"{_ps(story, ' class=ms-rteElement-P', caption='<p class=ms-rteElement-P style=text-align:center>{}</p>')}</div>"
        f"<div class='attach'>Tệp đính kèm: <a href='/Lists/1/ke-hoach.pdf'>ke-hoach.pdf</a></div><div>Số lượt xem: "
        f"1.245</div></div>"
        f"<div class='other-news'><span class='label'>Tin khác</span><div class='items'>"
        f"{_older(story, '<div><a href=?ItemID={n}>{title}</a><span>{day}</span></div>')}</div></div></div></div>"
        f"<div id='footer'><div>{ADDRESS}</div></div></form></body></html>"
    )


def liferay(story: Story) -> str:
    return (
        f"<!DOCTYPE html><html class='ltr' lang='vi'>"
        f"{_head(story, f'{story.title} - Tin tức - {SITE}', charset='windows-1258')}<body>"
        f"<div id='wrapper'><header id='banner'><nav id='navigation'><ul>{_menu()}</ul></nav></header><div "
        f"id='content'><div id='main-content'>"
        f"<div class='portlet-boundary portlet-asset-publisher'><div class='portlet-content'><h1 "
        f"class='header-title'><span>{story.title}</span>"
        f"</h1><div class='asset-full-content'><div class='asset-metadata'><span class='metadata-publish-date'>Ngày "
        f"xuất bản: "
        f"{story.day} {story.hour}</span></div><div class='journal-content-article'>"
        f"{_ps(story, ' style=text-align:justify', caption='<p style=text-align:center><em>{}</em></p>')}<p><b>"
        f"{story.author}</b></p></div>"
        f"<div class='asset-ratings'>Đánh giá trung bình (0 bình chọn)</div></div></div></div>"
        f"<div class='portlet-boundary'><h2 class='portlet-title'>Bài viết khác</h2><ul class='title-list'>"
        f"{_older(story)}</ul></div></div></div>"
        f"<footer id='footer'><p>{ADDRESS}</p></footer></div></body></html>"
    )


def wordpress_classic(story: Story) -> str:
    caption = "<div class='wp-caption aligncenter'><img src='/wp-content/uploads/hop.jpg'><p class='wp-caption-text'>{}</p></div>"
    return (
        f"<!DOCTYPE html><html lang='vi'>{_head(story, f'{story.title} | {SITE}')}<body class='single single-post'>"
        f"<div id='page'>"
        f"<header id='masthead'><ul class='menu'>{_menu()}</ul></header><div id='primary'><main id='main'><article "
        f"class='post-7 post tag-bien'>"
        f"<header class='entry-header'><h1 class='entry-title'>{story.title}</h1><div class='entry-meta'><span "
        f"class='posted-on'>Đăng ngày "
        f"<time class='entry-date published' datetime='{story.iso}'>{story.long_day}</time></span> bởi admin</div></header>"
        f"<div class='entry-content'>{_ps(story, caption=caption)}<p style='text-align:right'><em>{story.author}</em></p>"
        f"<div class='sharedaddy'><h3>Chia sẻ:</h3><ul><li><a href='#'>Facebook</a></li><li><a href='#'>Zalo</a>"
        f"</li></ul></div>"
        f"<div class='yarpp-related'><h3>Bài viết liên quan:</h3><ol>{_older(story)}</ol></div></div>"
        f"<footer class='entry-footer'>Chuyên mục: <a href='/category/tin'>Tin tức</a></footer></article><nav "
        f"class='post-navigation'>"
        f"<a href='/cu'>Bài trước: {story.others[0][0]}</a></nav><div id='comments'><h3>Để lại một bình luận</h3><p>"
        f"Email của bạn sẽ không "
        f"được hiển thị công khai. Các trường bắt buộc được đánh dấu *</p></div></main></div><aside id='secondary'>"
        f"<section class='widget'>"
        f"<h2>Bài viết mới</h2><ul>{_older(story)}</ul></section></aside><footer id='colophon'><p>{ADDRESS}</p>"
        f"</footer></div></body></html>"
    )


def wordpress_block(story: Story) -> str:
    tiles = (
        "<li class='wp-block-post'><h3 class='wp-block-post-title'><a href='/{n}'>{title}</a></h3>"
        "<div class='wp-block-post-date'>{day}</div></li>"
    )
    picture = "<figure class='wp-block-image'><img src='/a.jpg'><figcaption class='wp-element-caption'>{}</figcaption></figure>"
    return (
        f"<!DOCTYPE html><html lang='vi'>{_head(story, f'{story.title} &#8211; {SITE}')}<body class='wp-singular'>"
        f"<div class='wp-site-blocks'>"
        f"<header class='wp-block-template-part'><ul class='wp-block-navigation__container'>{_menu()}</ul></header>"
        f"<main class='wp-block-group'>"
        f"<h1 class='wp-block-post-title'>{story.title}</h1><div class='wp-block-group'><div "
        f"class='wp-block-post-date'>{story.long_day}</div>"
        f"<div class='wp-block-post-terms'>trong <a href='/tin'>Tin tức</a></div></div><div class='entry-content "
        f"wp-block-post-content'>"
        f"{_ps(story, caption=picture)}<div class='wp-block-file'><a href='/f.pdf'>Toàn văn kế hoạch</a><a "
        f"href='/f.pdf'>Tải xuống</a></div></div>"
        f"<h2 class='wp-block-heading'>Có thể bạn quan tâm</h2><div class='wp-block-query'><ul "
        f"class='wp-block-post-template'>{_older(story, tiles)}"
        f"</ul></div></main><footer class='wp-block-template-part'><p>{ADDRESS}</p></footer></div></body></html>"
    )


def drupal(story: Story) -> str:
    rows = (
        "<div class='views-row'><span class='views-field-title'><a href='/node/{n}'>{title}</a></span>"
        "<span class='views-field-created'>{day}</span></div>"
    )
    return (
        f"<!DOCTYPE html><html lang='vi'>{_head(story, f'{story.title} | {SITE}')}<body class='path-node'><div "
        f"class='layout-container'>"
        f"<header role='banner'><nav role='navigation'><ul class='menu'>{_menu()}</ul></nav></header><div "
        f"role='main'><div class='layout-content'>"
        f"<div class='block-page-title-block'><h1 class='page-title'><span class='field--name-title'>"
        f"{story.title}</span></h1></div>"
        f"<div class='node node--type-article'><div class='node__submitted'>Được gửi bởi <span>bientap</span> vào "
        f"{story.weekday}, "
        f"{story.day} - {story.hour}</div><div class='node__content'><div class='field--name-body field__item'>"
        f"{_ps(story)}</div>"
        f"<div class='field--name-field-tep'><div class='field__label'>Tài liệu đính kèm</div><div><a "
        f"href='/f/1.docx'>bao-cao-tom-tat.docx</a>"
        f" 214 KB</div></div><div class='field--name-field-tags'><a href='/tag/1'>trầm tích</a> <a href='/tag/2'>bờ "
        f"biển</a></div>"
        f"<ul class='links inline'><li>512 lượt xem</li></ul></div></div><div class='views-element-container block'>"
        f"<h2>Tin mới nhất</h2>"
        f"<div class='view-content'>{_older(story, rows)}</div></div></div></div><footer role='contentinfo'><p>"
        f"{ADDRESS}</p></footer></div></body></html>"
    )


def asp_tables(story: Story) -> str:
    text = "<br><br>".join([*story.paragraphs[:2], "", *story.paragraphs[2:]])
    caption = f"<center><img src='upload/hop.jpg' width=450 border=0><br><i>{story.caption}</i></center>"
    text = text.replace("<br><br><br><br>", f"<br><br>{caption}<br>")
    return (
        f"<html>{_head(story, SITE, charset='windows-1258')}<body topmargin=0><table width=780 cellpadding=0 "
        f"cellspacing=0 align=center><tr>"
        f"<td><img src='banner.gif' alt='{SITE}'></td></tr><tr bgcolor=#003399>{_menu('td')}</tr><tr><td><table "
        f"width='100%'><tr>"
        f"<td width=160 valign=top><table><tr><td class=tieude_trai>Lịch công tác</td></tr><tr><td>Tháng 11 năm "
        f"2026</td></tr><tr><td>T2 T3 T4 T5 "
        f"T6 T7 CN</td></tr></table></td><td valign=top><table><tr><td class=tieude>{story.title}</td></tr><tr><td "
        f"class=ngay>"
        f"Ngày đăng: {story.day}; {story.hour}</td></tr><tr><td class=noidung><div align=justify>{text}</div></td>"
        f"</tr><tr><td align=right>"
        f"<b>{story.author}</b></td></tr><tr><td class=solanxem>Số lần xem: 3021</td></tr><tr><td><a "
        f"href='javascript:history.go(-1)'>Quay lại"
        f"</a></td></tr></table><hr><b>Các tin khác:</b><br>"
        f"{_older(story, '<img src=dot.gif> <a href=tin.asp?id={n}>{title}</a> ({day})<br>')}</td>"
        f"</tr></table></td></tr><tr><td align=center><font size=1>{ADDRESS}</font></td></tr></table></body></html>"
    )


def hand_made(story: Story) -> str:
    text = "".join(
        f"<p align='justify'><font face='Times New Roman' size='3'>{p}</font></p>" for p in story.paragraphs[:2]
    )
    text += f"<center><img src='anh1.jpg'></center><center><font size='2'><i>{story.caption}</i></font></center>"
    text += "".join(
        f"<p align='justify'><font face='Times New Roman' size='3'>{p}</font></p>" for p in story.paragraphs[2:]
    )
    return (
        f"<html>{_head(story, f'Trang tin {SITE}')}<body bgcolor='#ffffff'><center><font size='6' color='navy'><b>"
        f"{SITE.upper()}</b></font></center>"
        f"<center>{' | '.join(f'<a href={slug}.htm>{words}</a>' for slug, words in MENU)}</center><hr><center><h2>"
        f"<font color='#cc0000'>"
        f"{story.title}</font></h2></center><p align='right'><i>Diên Hải, {story.spelt_day}</i></p>{text}<p "
        f"align='right'><b>{story.author}</b></p>"
        f"<hr><p><b><font color='blue'>Tin liên quan</font></b></p><ul>{_older(story)}</ul><hr><center><font "
        f"size='2'>{ADDRESS}</font></center>"
        f"</body></html>"
    )


def frameset_era(story: Story) -> str:
    text = "".join(f"<P ALIGN=JUSTIFY>{p}\n" for p in story.paragraphs)
    return (
        f"<HTML><HEAD><META HTTP-EQUIV='Content-Type' CONTENT='text/html; charset=windows-1258'><TITLE>{story.title}</TITLE>"
        f"<SCRIPT>if (top == self) location.href = '/index.htm?khung=1';</SCRIPT></HEAD><BODY BGCOLOR=#FFFFE0 LINK=#0000FF>"
        f"<A NAME=dau></A><H3 ALIGN=CENTER>{story.title}</H3><P ALIGN=CENTER><SMALL>(Cập nhật ngày "
        f"{story.dotted_day})</SMALL>\n{text}"
        f"<P ALIGN=RIGHT><B>{story.author}</B><HR><B>Những bài khác:</B><UL>"
        f"{_older(story, '<LI><A HREF=bai{n}.htm>{title}</A>, {day}')}</UL>"
        f"<HR><P ALIGN=CENTER><A HREF=#dau>Lên đầu trang</A> - <A HREF=index.htm TARGET=_top>Trang chủ</A><P ALIGN=CENTER>"
        f"<SMALL>{ADDRESS}</SMALL></BODY></HTML>"
    )


def umbraco(story: Story) -> str:
    cards = "<div class='card'><a href='/c/{n}'><h4>{title}</h4><span class='small'>{day}</span></a></div>"
    return (
        f"<!DOCTYPE html><html lang='vi'>{_head(story, f'{SITE} - {story.title}')}<body><div class='header'><div "
        f"class='navbar'><ul>{_menu()}</ul>"
        f"</div></div><div class='umb-grid'><div class='grid-section'><div class='container'><div class='row "
        f"clearfix'><div class='col-md-12 column'>"
        f"<div class='breadcrumb-area'>Trang chủ / Tin tức / {story.title}</div><div class='headline'><h1>"
        f"{story.title}</h1></div>"
        f"<div class='info'><span>{story.hour} | {story.day}</span> <span>512 lượt xem</span> <span>A- A A+</span></div>"
        f"<div class='rte'>{_ps(story, caption='<p class=caption>{}</p>')}<p><strong>{story.author}</strong></p></div>"
        f"<div class='tags'>Từ khóa: <a href='/t/1'>trầm tích</a>, <a href='/t/2'>khảo sát</a></div></div></div></div></div>"
        f"<div class='grid-section'><div class='container'><div class='headline'><h2>Tin tức liên quan</h2></div>"
        f"<div class='row'>"
        f"{_older(story, cards)}</div></div></div></div><div class='footer'><div>{ADDRESS}</div></div></body></html>"
    )


def sitefinity(story: Story) -> str:
    return (
        f"<!DOCTYPE html><html lang='vi'>{_head(story, story.title)}<body class='sfPageEditor'><div class='sf_cols'>"
        f"<div class='sf_colsOut'><ul "
        f"class='sfNavHorizontal'>{_menu()}</ul></div><div class='sf_colsIn sf_main'><div class='sfContentViews'>"
        f"<h1 class='sfnewsTitle'>"
        f"{story.title}</h1><div class='sfnewsMetaInfo'>{story.weekday}, {story.day}, {story.hour} <span>Tăng giảm "
        f"cỡ chữ</span></div>"
        f"<div class='sfnewsSummary'>{story.paragraphs[0]}</div><div class='sfnewsContent sfcontent'>"
        f"{_ps(story, first=1, caption='<div style=text-align:center><em>{}</em></div>')}</div>"
        f"<div class='sfnewsFiles'>File đính kèm: <a href='/docs/1.xlsx'>phu-luc.xlsx</a></div><div "
        f"class='sfnewsRelated'><strong>Các bài viết "
        f"khác</strong><ul class='sfnewsList'>{_older(story)}</ul></div></div></div></div><div class='sf_footer'>"
        f"{ADDRESS}</div></body></html>"
    )


def portal(story: Story) -> str:
    ticker = "".join(
        f"<div class='item'><a href='/m/{n}'>{title}</a><div>{day}</div></div>"
        for n, (title, day) in enumerate(story.others)
    )
    return (
        f"<!DOCTYPE html><html>{_head(story, f'CỔNG THÔNG TIN ĐIỆN TỬ {SITE.upper()}')}<body><div class='top'>Hôm "
        f"nay, Chủ nhật ngày 22/11/2026 "
        f"| English | Sơ đồ cổng</div><div class='wrap'><div class='cot-trai'><div class='box'><div "
        f"class='box-title'>Danh mục</div><ul>{_menu()}"
        f"</ul></div><div class='box'><div class='box-title'>Lịch</div><table class='calendar'><tr><td>1</td><td>"
        f"2</td><td>3</td></tr></table></div>"
        f"</div><div class='cot-giua'><div class='duong-dan'>Trang chủ » Tin hoạt động</div><div class='chi-tiet'>"
        f"<div class='tieu-de-bai'>"
        f"{story.title}</div><div class='thoi-gian'>({story.day} {story.hour})</div><div class='noi-dung'>"
        f"{_ps(story, caption='<p style=text-align:center;font-style:italic>{}</p>')}<p style='text-align:right'>"
        f"{story.author}</p></div>"
        f"<div class='cong-cu'>Lượt xem: 512 | In bài viết | Gửi email</div><div class='tin-khac'><div "
        f"class='box-title'>Tin mới hơn</div>"
        f"<ul><li><a href='/m/99'>Viện nhận bằng khen của thành phố</a> (09/11/2026)</li></ul><div "
        f"class='box-title'>Tin cũ hơn</div><ul>"
        f"{_older(story)}</ul></div></div></div><div class='cot-phai'><div class='box'><div class='box-title'>Tin "
        f"nổi bật</div>{ticker}</div>"
        f"<div class='box'><div class='box-title'>Thời tiết</div>Diên Hải: 27 độ C, có mưa rào vài nơi</div></div></div>"
        f"<div class='chan-trang'>{ADDRESS}<br>Chịu trách nhiệm: Viện trưởng. Ghi rõ nguồn khi phát hành lại thông "
        f"tin từ cổng này.</div></body></html>"
    )


LAYOUTS = (
    Layout(name="DNN article", build=dnn),
    Layout(name="DNN table", build=dnn_table, form="NFD"),
    Layout(name="NukeViet", build=nukeviet),
    Layout(name="Joomla", build=joomla, form="NFD"),
    Layout(name="SharePoint", build=sharepoint),
    Layout(name="Liferay", build=liferay, charset="windows-1258"),
    Layout(name="WordPress classic", build=wordpress_classic),
    Layout(name="WordPress block", build=wordpress_block, form="NFD"),
    Layout(name="Drupal", build=drupal),
    Layout(name="ASP tables", build=asp_tables, charset="windows-1258"),
    Layout(name="hand-made", build=hand_made, form="NFD"),
    Layout(name="frameset era", build=frameset_era, charset="windows-1258"),
    Layout(name="Umbraco", build=umbraco),
    Layout(name="Sitefinity", build=sitefinity, form="NFD"),
    Layout(name="portal of three columns", build=portal),
)
