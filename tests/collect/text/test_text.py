"""Cleaning, decoding and language: what becomes of bytes before anything else looks at them."""

import unicodedata

import pytest

from newsletter.collect.text.byline import byline
from newsletter.collect.text.clean import html_to_text, one_line, paragraphs, plain, title_text
from newsletter.collect.text.decode import to_text
from newsletter.collect.text.language import language_of

VI = "Trung tâm Hải văn tổ chức lớp đo sâu đáy biển cho cán bộ các tỉnh ven biển miền Trung."
EN = "The marine survey centre held a course on depth soundings for the staff of the coastal provinces."


def test_text_is_composed_and_free_of_invisible_and_turning_characters() -> None:
    dirty = unicodedata.normalize("NFD", "Hải\u202e văn\u200b\x00\x07") + "\u2066x\u2069\xad\ufeff\x85y"
    assert plain(dirty) == "Hải vănx\ny"


def test_joiners_that_scripts_and_emoji_need_are_kept() -> None:
    assert plain("👩\u200d🔬 نمی\u200cخواهم") == "👩\u200d🔬 نمی\u200cخواهم"


def test_a_long_title_ends_at_a_word_with_an_ellipsis() -> None:
    assert one_line("một hai ba bốn", 11) == "một hai ba…"
    assert len(one_line("tin " * 200)) <= 300
    assert one_line(None) == ""


def test_paragraphs_are_joined_by_one_blank_line_and_bounded_in_bytes() -> None:
    assert paragraphs("  a  b \n\n\n\n c\nd \n \n e") == "a b\n\nc\nd\n\ne"
    assert paragraphs("đ" * 50 + "\n\n" + "đ" * 50, 150) == "đ" * 50
    assert len(paragraphs("đ " * 500, 100).encode()) <= 100


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Một</p><p>Hai <b>ba</b></p>", "Một\n\nHai ba"),
        ("Một<br>hai<script>x()</script><style>p{}</style>", "Một\nhai"),
        ("<ul><li>a</li><li>b</li></ul>", "a\n\nb"),
        ("A &amp; B &lt; C", "A & B < C"),
        ("no tags at all, 3 < 4", "no tags at all, 3 < 4"),
        ("<!-- x --><p onclick='x'>Một<!-- y --> hai</p>", "Một hai"),
        ("<b>" * 5000 + "x" + "</b>" * 5000, "x"),
        ("", ""),
    ],
)
def test_html_becomes_paragraphs(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


def test_titles_lose_tags_and_double_escapes_but_a_literal_title_is_kept() -> None:
    assert title_text("Kết quả <b>lớn</b> &amp; nhỏ") == "Kết quả lớn & nhỏ"
    assert title_text("Thẻ <b> trong HTML", literal=True) == "Thẻ <b> trong HTML"
    assert title_text("Thẻ <section> trong HTML") == "Thẻ <section> trong HTML"


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (VI.encode(), None),
        (VI.encode(), "iso-8859-1"),
        (b"\xef\xbb\xbf" + VI.encode(), "windows-1258"),
        (VI.encode("utf-16"), "utf-8"),
        (unicodedata.normalize("NFD", VI).encode(), None),
        (f'<meta charset="utf-16">{VI}'.encode(), None),
    ],
    ids=["utf-8", "server lies", "mark wins", "utf-16", "decomposed", "document lies"],
)
def test_vietnamese_bytes_are_read_right(body: bytes, charset: str | None) -> None:
    assert plain(to_text(body, charset)).endswith(VI)


def _cp1258(text: str) -> bytes:
    """windows-1258 wants base letters with their circumflex, horn or breve, and tone marks apart."""
    out = []
    for letter in text:
        parts = unicodedata.normalize("NFD", letter)
        tones = [mark for mark in parts[1:] if mark in "\u0300\u0301\u0303\u0309\u0323"]
        base = unicodedata.normalize("NFC", "".join(mark for mark in parts if mark not in tones))
        out.append(base + "".join(tones))
    return "".join(out).encode("cp1258")


@pytest.mark.parametrize("charset", ["windows-1258", None])
def test_windows_1258_is_read_declared_or_not(charset: str | None) -> None:
    assert plain(to_text(_cp1258(VI * 3), charset)) == VI * 3


def test_a_few_broken_bytes_do_not_change_the_encoding() -> None:
    body = (VI * 60).encode()
    assert to_text(body[:3000] + b"\xff" + body[3000:]).count("\ufffd") == 1
    assert to_text(body + b"\xe1\xbb").startswith(VI)


def test_short_western_text_without_a_word_about_its_encoding() -> None:
    assert to_text("Café déjà vu".encode("latin-1")) == "Café déjà vu"


def test_stateful_japanese_is_believed_when_declared() -> None:
    assert to_text("海の測量".encode("iso-2022-jp"), "iso-2022-jp") == "海の測量"


def test_utf16_without_a_mark_and_unknown_charsets_are_survived() -> None:
    assert to_text("<rss>một</rss>".encode("utf-16-le")) == "<rss>một</rss>"
    assert to_text(b"abc", "no-such-charset") == "abc"
    assert to_text(bytes(range(256))) != ""


@pytest.mark.parametrize(
    ("text", "declared", "expected"),
    [
        (VI, "en-US", ("vi", "text")),
        (unicodedata.normalize("NFD", VI), None, ("vi", "text")),
        (EN, "vi", ("en", "text")),
        (EN, "en-GB", ("en-GB", "declared")),
        (EN, None, ("en", "text")),
        ("La réunion des chercheurs est prévue dans les locaux du centre, avec une visite pour le public.", None, ("fr", "text")),
        ("海の深さを測る講習会が開かれました。参加者は三十人でした。", None, ("ja", "text")),
        ("12.5 %", "sv_SE", ("sv-SE", "declared")),
        ("12.5 %", "not a tag!", (None, "")),
    ],
)  # fmt: skip
def test_the_text_decides_its_language_before_the_page_does(
    text: str, declared: str | None, expected: tuple[str | None, str]
) -> None:
    assert language_of(text, declared) == expected


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Đoạn một.\n\nĐoạn hai.\n\nH.M", ("H.M",)),
        ("Đoạn một.\n\nĐ.Minh\n\nCác mục khác", ("Đ.Minh",)),
        ("Đoạn một.\n\nTin, ảnh: Nguyễn Thu Hà", ("Nguyễn Thu Hà",)),
        ("Đoạn một.\n\n(Bài và ảnh: Lê Văn Bình)", ("Lê Văn Bình",)),
        ("Đoạn một.\n\nTin, ảnh: Nguyễn Thu Hà - Lê Văn Bình", ("Nguyễn Thu Hà", "Lê Văn Bình")),
        ("Đoạn một.\n\nTác giả: someone@vien.example", ()),
        ("Đoạn một.\n\nTheo Báo Đồng Bằng", ("Báo Đồng Bằng",)),
        ("Đoạn một.\n\nH.M\n\nTheo Báo Đồng Bằng", ("H.M",)),
        ("Đoạn một.\n\nBBT\n\nTin: Lê Văn Bình", ("Lê Văn Bình",)),
        ("Đoạn một.\n\nPV", ("PV",)),
        ("Theo kế hoạch của Trung tâm, lớp học sẽ mở lại vào mùa thu năm sau cho cán bộ các tỉnh.", ()),
        ("H.M\n\nMột.\n\nHai.\n\nBa.", ()),
        ("", ()),
    ],
)
def test_the_signature_is_found_at_the_end_and_persons_come_before_houses(text: str, names: tuple[str, ...]) -> None:
    assert byline(text) == names
