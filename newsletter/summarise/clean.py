"""Which paragraphs of an article are its body, told by their shape alone. Must never change the text.

A caption that ends with a full stop looks like body text (79 % of 908 real captions), so figures must already be left
out when HTML is read; this filter catches what a plain page or a text file still carries.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from newsletter.summarise.sentences import lines


class ParagraphKind(StrEnum):
    BODY = "body"
    CAPTION = "caption"  # words under a picture
    BYLINE = "byline"  # who wrote it: initials, a name, an agency
    HEADING = "heading"  # a cross-head: short, without a closing mark
    RELATED = "related"  # the heading of a list of other articles, and everything after it
    BOILERPLATE = "boilerplate"  # share buttons, dates, counters, tags


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`text[start:end]` is the paragraph, trimmed; a bullet or an agency's dateline before it is left outside."""

    start: int
    end: int
    kind: ParagraphKind


SHORT = 60  # a byline or the heading of a list is not longer (characters)
CAPTION_LONGEST = 250
UNFINISHED_LONGEST = 200  # a line without a closing mark up to this length is a caption, heading or menu entry

_RELATED = re.compile(
    r"(?:các|những)? ?(?:mục|tin|bài|tin tức|tin bài|bài viết|bài báo|thông tin)(?: tức| bài| viết| đăng)*"
    r" (?:khác|liên quan|cùng chuyên mục|cùng chủ đề|mới(?: nhất| hơn)?|cũ hơn|nổi bật|đọc nhiều|xem nhiều)"
    r"|(?:có thể )?bạn (?:có thể )?quan tâm|đọc nhiều(?: nhất)?|xem nhiều(?: nhất)?|cùng chuyên mục"
    r"|(?:related|other|recent|latest|more|popular|recommended)"
    r" (?:articles?|stories|story|posts?|news|links?|topics|items|reading|coverage)"
    r"|more (?:from|on) .{2,40}|you (?:may|might) also like|read next|most (?:read|popular)|recommended(?: for you)?"
    r"|sur le même sujet|à lire aussi|articles? liés|artikel terkait|berita terkait|baca juga|mehr zum thema"
    r"|das könnte sie auch interessieren|noticias relacionadas|ilgili haberler|関連記事|相关新闻|相关阅读",
    re.I,
)
_BOILERPLATE = re.compile(
    r"(?:xem thêm|đọc thêm|xem tiếp|đọc tiếp|từ khóa|từ khoá|tags?|chủ đề|nguồn|thẻ|read (?:more|also)|see also|also read"
    r"|lire aussi|voir aussi|lihat juga|simak juga|baca juga|lesen sie auch|lea también|source|filed under|topics)\s*[:»>].*"
    r"|(?:share(?: this| on)?|chia sẻ|bình luận|gửi bình luận|in bài|print|email|facebook|twitter|zalo|linkedin|comments?"
    r"|advertisement|quảng cáo|scroll to continue.*|continue reading.*|read more|xem thêm|đọc tiếp)[\s\d():]*"
    r"|(?:follow|like|theo dõi|thích) .{0,60}(?:facebook|twitter|zalo|youtube|tiktok|telegram|instagram|google news).{0,40}"
    r"|(?:sign up|subscribe|đăng ký|mời (?:bạn|quý)).{0,80}(?:newsletter|bản tin|email|nhận tin|kênh|đón đọc|theo dõi).{0,60}"
    r"|(?:kính |nhiệt liệt )?(?:chào mừng|welcome)(?: (?:bạn|quý vị|các bạn|bạn đọc|quý khách))?(?: đã)?(?: đến| to)\b.{0,120}"
    r"|(?:đọc|cập nhật|xem|theo dõi)(?: nhanh)? (?:các )?(?:tin tức|thông tin|tin|bài viết)(?: tức)?"
    r"(?: mới nhất| mới| nhanh).{0,60}"
    r"|(?:đây là )?(?:trang|cổng) (?:thông tin|tin) điện tử (?:chính thức )?(?:của )?.{0,80}"
    r"|.{0,40}(?:copyright|all rights reserved|bản quyền thuộc về|©\s*(?:19|20)\d\d).{0,80}"
    r"|the post .{3,200} (?:appeared first|first appeared) on .{2,80}"
    r"|[\d\s.,/:|–—-]+(?:lượt xem|views?|phút đọc|min read|comments?|bình luận|gmt.*|am|pm)?",
    re.I,
)
_CREDIT = re.compile(
    r"(?:^|[\s(\[.])(?:ảnh|hình|hình ảnh|nguồn ảnh|photos?|images?|pictures?|foto|photographie|crédit|credit|bild"
    r"|fotoğraf)(?: minh (?:họa|hoạ)| tư liệu| by| courtesy(?: of)?| credit)?\s*[:/©]\s*(?:[^.!?]|(?<=\b[A-ZĐ])\.){0,60}[.)\]]*$"
    r"|©|\((?:ảnh|hình|photo|file|image)[^)]{0,60}\)\s*\.?$|getty images|/(?:reuters|afp|ttxvn)\b"
    r"|\bpictured (?:above|left|right)\b|^(?:ảnh|hình|photo|figure|fig\.) ?\d*\s*[:.]",
    re.I,
)
_CREDIT_INSIDE = re.compile(
    r"(?:^|[\s(])(?:Ảnh|Photo|Foto|Bild)(?: minh (?:họa|hoạ))?\s*: ?[A-ZĐÀ-Ỹ]"
    # A caption without a full stop that runs into the next one: "… phát biểu tại buổi lễ Bà Mây …"
    r"|(?:phát biểu|giao lưu|chụp ảnh|trao quà) tại (?:buổi lễ|lễ|hội nghị|hội thảo|sự kiện|chương trình)"
    r" (?:Ông|Bà|Các|Đại biểu)\b"
)
_CAPTION_OPENING = re.compile(
    r"(?:toàn cảnh|quang cảnh|một góc|các (?:đại biểu|đồng chí)|đại biểu|chụp ảnh|hình|ảnh|photo|figure)\b"
    r"|.*\b(?:phát biểu|chụp ảnh lưu niệm|trao (?:quà|giấy khen|bằng)|tại (?:hội nghị|buổi lễ|hội thảo|sự kiện)"
    r"|speaks?|poses?|pictured|shakes? hands)\b",
    re.I,
)
_BYLINE = re.compile(
    r"(?:[Bb]y|BY|Theo|Tác giả|Bài|Tin|Bài,? ảnh|Tin,? (?:bài|ảnh)|Thực hiện|Reporting by|Written by|Par|Von|Oleh)"
    r"\s*[:,]?(?: và ảnh:?)?\s+[A-ZĐÀ-Ỹ][^.!?]{0,45}\.?"
    r"|(?:[A-ZĐÀ-Ỹ]\.? ?[-–]? ?){1,4}"  # Đ.L, N. T. H.
    r"|(?:[A-ZĐÀ-Ỹ][\w’'À-ỹ]*\.?(?: |[-–/]| [-–/] )?){1,5}"  # Minh An, MINH AN - THU HÀ
    r"(?: ?\((?:t/?h|tổng hợp|theo [^)]*|dịch|ttxvn)\))?",
)
_DATELINE = re.compile(
    r"\(?(?:CNN|AP|Reuters|AFP|TTXVN|VOV|VTV|TTO|TNO|PLO|NLĐO?|VNE|Dân trí|Dân Việt|Vietnam\+)[^)\n]{0,25}\)?\s*"
    r"(?:--|[-–—:])\s*|\(CNN\)\s*"
    r"|[A-ZĐÀ-Ỹ][\w.,/À-ỹ -]{1,60}\((?:AP|Reuters|AFP|CNN|ANTARA|TTXVN|Xinhua)\)\s*(?:--|[-–—])\s*"
)
_BULLET = re.compile(r"(?:[•▪►*+·]|[-–—](?=\s))\s*")
_CLOSED = re.compile(r"(?:[.!?…:;]|\.\.\.)[\"”“’»')\]]*$|[。！？][”」』）]*$")


def paragraphs(text: str) -> list[Paragraph]:
    """Every paragraph of `text` with its kind, in order; after the heading of a related list all are RELATED."""
    found: list[Paragraph] = []
    body_seen = related = False
    for start, end in lines(text):
        start, end = _core(text, start, end)
        line = text[start:end]
        if not line:
            continue
        # Such a heading above all body text is a menu entry, and the article is still to come.
        related = related or (body_seen and _is_related_heading(line))
        kind = ParagraphKind.RELATED if related else kind_of(line)
        body_seen = body_seen or kind is ParagraphKind.BODY
        found.append(Paragraph(start, end, kind))
    return found


def body(text: str) -> Sequence[Paragraph]:
    return [paragraph for paragraph in paragraphs(text) if paragraph.kind is ParagraphKind.BODY]


def kind_of(line: str) -> ParagraphKind:
    """The kind of one trimmed paragraph seen alone."""
    if _is_related_heading(line):
        return ParagraphKind.RELATED
    if _BOILERPLATE.fullmatch(line):
        return ParagraphKind.BOILERPLATE
    if len(line) <= SHORT and _BYLINE.fullmatch(line):
        return ParagraphKind.BYLINE
    if len(line) <= CAPTION_LONGEST and _CREDIT.search(line):
        return ParagraphKind.CAPTION
    if len(line) <= UNFINISHED_LONGEST and not _CLOSED.search(line):
        long_or_scene = len(line) > 2 * SHORT or _CAPTION_OPENING.match(line)
        return ParagraphKind.CAPTION if long_or_scene else ParagraphKind.HEADING
    return ParagraphKind.BODY


def without_dateline(line: str) -> str:
    """`line` without the agency and place that open it: "HÀ NỘI (TTXVN) - …", "(CNN) -- …"."""
    found = _DATELINE.match(line)
    return line[found.end() :] if found else line


def holds_credit(sentence: str) -> bool:
    """Does a photographer's credit, or a second caption, stand in the sentence: a caption that ran into the text?"""
    return bool(_CREDIT_INSIDE.search(sentence))


def is_boilerplate(sentence: str) -> bool:
    """Is this one sentence of a feed's description furniture: "The post … appeared first on …", "Read more"?"""
    return bool(_BOILERPLATE.fullmatch(sentence.strip(" .")))


def _is_related_heading(line: str) -> bool:
    return len(line) <= SHORT and bool(_RELATED.fullmatch(line.strip(" .:»>…")))


def _core(text: str, start: int, end: int) -> tuple[int, int]:
    line = text[start:end].rstrip()
    end = start + len(line)
    start += len(line) - len(line.lstrip())
    for pattern in (_BULLET, _DATELINE):
        found = pattern.match(text, start, end)
        start = found.end() if found else start
    return start, end
