"""Articles from Word documents and PDFs: what they say, and that hostile ones cost no more than they may."""

import io
import re
import textwrap
import time
import unicodedata
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import docx
import pypdf
import pytest

from newsletter import bounded
from newsletter.collect import poll
from newsletter.collect.documents import files
from newsletter.collect.documents.files import read_file, read_folder
from newsletter.collect.documents.pdf import paragraphs
from newsletter.errors import SourceError, Unreadable
from newsletter.model import RawItem, SourceKind
from newsletter.store import sources
from tests.collect.text.test_mend import TCVN3, VI
from tests.fakes.documents import docx_file, packed, pdf_bytes

TITLE = "Trạm Thủy văn cửa sông khai trương"
FIRST = "Chiều ngày 04/03/2025, Trạm Thủy văn cửa sông khai trương phòng đo mực nước đầu tiên của vùng."
LAST = "Số liệu được gửi mười phút một lần cho người dân hai huyện ven biển."


# ---------------------------------------------------------------- Word


def test_a_word_document_gives_title_paragraphs_and_list_items(tmp_path: Path) -> None:
    parts = [
        ("Title", unicodedata.normalize("NFD", TITLE)),
        ("", FIRST),
        ("List Bullet", "một máy đo"),
        ("Heading 2", "Ngày mai"),
        ("List Number", "hai phao"),
        ("Caption", "Ảnh: phòng đo"),
        ("", LAST),
        ("", "H.M"),
    ]
    item = read_file(docx_file(tmp_path / "bai.docx", parts, author="Ai Đó", created=datetime(2020, 1, 2, tzinfo=UTC)))
    assert item.title == TITLE
    assert item.text.split("\n\n") == [FIRST, "một máy đo", "Ngày mai", "hai phao", LAST, "H.M"]
    assert (item.published, item.authors, item.language) == (date(2025, 3, 4), ("H.M",), "vi")
    assert item.provenance == {
        "title": "title style",
        "text": "document",
        "published": "lead",
        "authors": "byline",
        "language": "text",
    }


def test_the_files_properties_speak_only_where_the_text_does_not(tmp_path: Path) -> None:
    item = read_file(
        docx_file(
            tmp_path / "a.docx", [("", TITLE), ("", LAST)], author="Lê Sông", created=datetime(2026, 1, 2, tzinfo=UTC)
        )
    )
    assert (item.title, item.provenance["title"]) == (TITLE, "first line")
    assert (item.authors, item.published) == (("Lê Sông",), date(2026, 1, 2))
    assert (item.provenance["authors"], item.provenance["published"]) == ("file properties", "file properties")
    assert read_file(docx_file(tmp_path / "b.docx", [("", TITLE), ("", LAST)], author="Windows User")).authors == ()


def test_a_letterhead_is_left_out_and_other_tables_are_read(tmp_path: Path) -> None:
    head = [["VIỆN NƯỚC", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc"]]
    item = read_file(docx_file(tmp_path / "a.docx", [("Heading 1", TITLE), ("", LAST)], table=head))
    assert (item.title, item.text) == (TITLE, LAST)
    item = read_file(docx_file(tmp_path / "b.docx", [("", LAST)], table=[["Trạm", "Mực nước"], ["Một", "1,2 m"]]))
    assert item.text.split("\n\n")[-3:] == ["Một", "1,2 m", LAST]


def test_tracked_changes_are_read_as_accepted_and_frames_once(tmp_path: Path) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Trạm có ")
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    for xml in (
        f"<w:del {space}><w:r><w:delText>hai</w:delText></w:r></w:del>",
        f"<w:ins {space}><w:r><w:t>ba</w:t></w:r></w:ins>",
        f"<w:moveFrom {space}><w:r><w:t> cũ</w:t></w:r></w:moveFrom>",
        f"<w:r {space}><w:t> máy đo.</w:t></w:r>",
    ):
        paragraph._p.append(docx.oxml.parse_xml(xml))
    control = f"<w:sdt {space}><w:sdtContent><w:p><w:r><w:t>Trong khung.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    paragraph._p.addnext(docx.oxml.parse_xml(control))
    document.save(str(tmp_path / "a.docx"))
    item = read_file(tmp_path / "a.docx")
    assert (item.title, item.text) == ("Trạm có ba máy đo.", "Trong khung.")


def good_docx(tmp_path: Path) -> bytes:
    return docx_file(tmp_path / "good.docx", [("", TITLE), ("", LAST)]).read_bytes()


def lying(body: bytes) -> bytes:
    """The same archive whose directory claims one octet for each part."""
    out = bytearray(body)
    for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = out.find(mark)
        while at >= 0:
            out[at + offset : at + offset + 4] = (1).to_bytes(4, "little")
            at = out.find(mark, at + 4)
    return bytes(out)


def test_documents_that_are_none_say_why(tmp_path: Path) -> None:
    good = good_docx(tmp_path)
    bomb = {"[Content_Types].xml": b"<x/>", "word/document.xml": bytes(40 << 20)}
    for name, body, reason in (
        ("a.docx", b"", "empty"),
        ("a.docx", b"\xd0\xcf\x11\xe0 old", "old Word document"),
        ("a.docx", b"<html>", "no Word document, whatever its name says"),
        ("a.docx", good[: len(good) // 2], "breaks off"),
        ("a.docx", packed({"a.txt": b"x"}), "a packed file, but no Word document"),
        ("a.docx", packed(bomb), "text unpacks to more than 30 MB"),
        ("a.docx", packed({"word/media/a.png": bytes(120 << 20)}), "unpacks to 120 MB"),
        ("a.docx", lying(packed(bomb)), "packing is broken"),
        ("a.docx", packed({f"{n}.xml": b"" for n in range(5001)}), "more than 5000 parts"),
        ("a.pdf", b"PK\x03\x04", "no PDF, whatever its name says"),
        ("a.pdf", b"%PDF-1.7\n1 0 obj\n<<", "the PDF cannot be read"),
    ):
        (tmp_path / name).write_bytes(body)
        with pytest.raises(Unreadable, match=reason) as caught:
            read_file(tmp_path / name)
        assert caught.value.where == str(tmp_path / name)


def test_a_document_under_a_wrong_name_is_refused_with_its_right_one(tmp_path: Path) -> None:
    for name in ("a.html", "a.txt"):
        (tmp_path / name).write_bytes(good_docx(tmp_path))
        with pytest.raises(Unreadable, match="binary file") as caught:
            read_file(tmp_path / name)
        assert caught.value.hint == "it is a Word document: call it .docx"


# ---------------------------------------------------------------- PDF

LINES = [
    "Chiều ngày 04/03/2025, Trạm Thủy văn cửa sông khai trương phòng đo mực nước",
    "đầu tiên của vùng. Buổi khai trương có bốn mươi người dự, trong đó có nhiều",
    "ngư dân.",
    "Số liệu được gửi mười phút một lần cho người dân hai huyện ven biển qua tin",
    "nhắn, và được lưu lại tại trạm.",
    "- một máy đo",
    "- hai phao",
]


def pdf(path: Path, pages: list[list[tuple[float, str]]], **more: str) -> Path:
    path.write_bytes(pdf_bytes(pages, **more))
    return path


def page(*lines: str, size: float = 11) -> list[tuple[float, str]]:
    return [(size, line) for line in lines]


def test_a_pdf_gives_its_biggest_line_as_title_and_whole_paragraphs_in_nfc(tmp_path: Path) -> None:
    lines = [(18.0, unicodedata.normalize("NFD", "Trạm Thủy văn cửa sông")), (18.0, "khai trương"), *page(*LINES)]
    info = "/Title (Microsoft Word - bai 12.docx) /Author (Admin) /CreationDate (D:20200102030405Z)"
    item = read_file(pdf(tmp_path / "a.pdf", [lines], info=info))
    assert (item.title, item.provenance["title"]) == (TITLE, "biggest text")
    assert item.text.split("\n\n") == [" ".join(LINES[:3]), " ".join(LINES[3:5]), "- một máy đo", "- hai phao"]
    assert (item.published, item.authors, item.language) == (date(2025, 3, 4), (), "vi")
    assert unicodedata.is_normalized("NFC", item.title + item.text)


def test_a_title_in_the_metadata_counts_when_the_page_says_it_too(tmp_path: Path) -> None:
    lines = page("New gauge at the river mouth", "The gauge sends its data every ten minutes to two coastal districts.")
    item = read_file(
        pdf(tmp_path / "a.pdf", [lines], info="/Title (New gauge at the river mouth) /CreationDate (D:20260102)")
    )
    assert (item.title, item.provenance["title"]) == ("New gauge at the river mouth", "metadata")
    assert item.text == lines[1][1]
    assert (item.published, item.provenance["published"]) == (date(2026, 1, 2), "file properties")
    item = read_file(pdf(tmp_path / "b.pdf", [lines], info="/Title (Quite another thing)"))
    assert (item.title, item.provenance["title"]) == ("New gauge at the river mouth", "first line")


def test_headers_page_numbers_and_the_motto_are_left_out_and_paragraphs_go_on_across_pages(tmp_path: Path) -> None:
    words = ("sóng", "gió", "triều", "mưa")
    pages = [
        page("Viện Nước Ví Dụ - Bản tin", *(f"{n} dòng về {word} kể chuyện đo đạc khá dài" for n in "Abc"), f"- {at} -")
        for at, word in enumerate(words, 1)
    ]
    pages[0][1:1] = page("Độc lập - Tự do - Hạnh phúc", "Sổ tay đo đạc của Trạm")
    item = read_file(pdf(tmp_path / "a.pdf", pages))
    assert item.title == "Sổ tay đo đạc của Trạm"
    assert item.text == " ".join(f"{n} dòng về {word} kể chuyện đo đạc khá dài" for word in words for n in "Abc")


def test_a_broken_word_is_whole_again_and_a_compound_keeps_its_hyphen() -> None:
    full = "This line is made to be as long as lines of this page are, infor-"
    assert paragraphs([full, "mation included in the text of it."]) == [
        full[:-1] + "mation included in the text of it."
    ]
    full = "Many of the lines speak of long-term plans, and they say it is long-"
    assert paragraphs([full, "term indeed."])[0].endswith("long-term indeed.")
    assert paragraphs(["Quãng đường từ trạm ra cửa sông dài chừng ba mươi hai ki-lộ-", "mét đường bộ."])[0].endswith(
        "ki-lộ-mét đường bộ."
    )


def test_scanned_and_locked_pdfs_say_so(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="pictures of pages and no text"):
        read_file(pdf(tmp_path / "scan.pdf", [page("7"), page("8")]))
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf_bytes([page(*LINES)])))
    writer.encrypt("mật khẩu", algorithm="AES-256")
    writer.write(tmp_path / "locked.pdf")
    with pytest.raises(Unreadable, match="protected by a password"):
        read_file(tmp_path / "locked.pdf")
    open_to_all = pypdf.PdfWriter(clone_from=io.BytesIO(pdf_bytes([page(*LINES)])))
    open_to_all.encrypt("", owner_password="x", algorithm="AES-256")
    open_to_all.write(tmp_path / "open.pdf")
    assert "ngư dân" in read_file(tmp_path / "open.pdf").text


def test_a_long_pdf_is_read_to_its_bound_and_says_what_is_left_out(tmp_path: Path) -> None:
    item = read_file(pdf(tmp_path / "a.pdf", [page(LINES[0])] * 3 + [page(LINES[1])] * 60))
    assert item.provenance["pages"] == "left out: 3 of 63"


# ---------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def read(body):\n    while True: pass", "more than 1 seconds or"),
        ("def read(body):\n    return bytearray(1 << 40)", "more than 300 MB"),
        ("def read(body):\n    return read(body)", "too deeply"),
        ("def read(body):\n    raise OSError('x' * 9)", "its reader broke: OSError: xxxxxxxxx"),
        ("import os\ndef read(body):\n    os.kill(os.getpid(), 9)", "more than 1 seconds or"),
        ("def read(body):\n    open(__file__ + '.out', 'w').write('x' * 9999)", "reader broke|more than"),
    ],
)
def test_a_reader_that_goes_wild_ends_with_a_reason(tmp_path: Path, code: str, reason: str) -> None:
    (tmp_path / "reader.py").write_text(code)
    try:
        found = bounded.run_bounded(tmp_path / "reader.py", b"x", cpu=1, memory=300 << 20).get("error", "nothing")
    except bounded.TooMuch as error:
        found = str(error)
    assert re.search(reason, found), found


def test_a_pdf_that_inflates_without_end_costs_no_more_than_the_child_may_have(tmp_path: Path) -> None:
    packed_stream = zlib.compress(zlib.compress(bytes(200 << 20), 9), 9)
    text = pdf_bytes([page(*LINES)])
    start = text.index(b"BT /F1")
    opening = text.rindex(b"<< /Length", 0, start)
    head = f"<< /Length {len(packed_stream)} /Filter [/FlateDecode /FlateDecode] >>\nstream\n".encode()
    (tmp_path / "a.pdf").write_bytes(text[:opening] + head + packed_stream + text[text.index(b"\nendstream", start) :])
    with pytest.raises(SourceError):
        read_file(tmp_path / "a.pdf")


# ---------------------------------------------------------------- folders


def test_a_folder_of_documents_gives_each_one_and_a_reason_for_each_bad_one(tmp_path: Path) -> None:
    docx_file(tmp_path / "a.docx", [("", TITLE), ("", LAST)])
    pdf(tmp_path / "b.pdf", [page(*LINES)])
    (tmp_path / "c.pdf").write_bytes(b"x")
    (tmp_path / "~$a.docx").write_bytes(b"lock")
    found = {path.name: item for path, item in read_folder(tmp_path)}
    assert [name for name, item in found.items() if isinstance(item, RawItem)] == ["a.docx", "b.pdf"]
    assert "no PDF" in str(found["c.pdf"])
    assert "~$a.docx" not in found


def test_a_file_that_grows_is_left_for_the_next_run_and_a_finished_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing = tmp_path / "b.txt"
    (tmp_path / "a.txt").write_text("Xong\n\nĐã ghi xong.")
    growing.write_text("Dở")
    real = time.sleep

    def meanwhile(seconds: float) -> None:
        growing.write_text("Dở dang, còn tiếp")
        real(0)

    monkeypatch.setattr(files.time, "sleep", meanwhile)
    found = {path.name: item for path, item in read_folder(tmp_path)}
    assert isinstance(found["a.txt"], RawItem)
    assert "still being written" in str(found["b.txt"])


def test_a_folder_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "bai"
    folder.mkdir()
    (folder / "a.txt").write_text("Xong\n\nĐã ghi xong.")
    source = sources.new("tin", SourceKind.FOLDER, str(folder))
    first = poll.poll(None, source)  # type: ignore[arg-type]
    assert (len(first.found), first.unchanged) == (1, False)
    again = replace(source, body_hash=first.answer.body_hash)
    assert poll.poll(None, again).unchanged  # type: ignore[arg-type]
    (folder / "b.txt").write_text("Hai\n\nMới.")
    assert len(poll.poll(None, again).found) == 2  # type: ignore[arg-type]


def test_documents_set_in_an_old_font_for_vietnamese_are_read_in_unicode(tmp_path: Path) -> None:
    word = read_file(docx_file(tmp_path / "a.docx", [("Heading 1", "Líp ®o s©u ®¸y biÓn"), ("", TCVN3)]))
    assert (word.title, word.text) == ("Lớp đo sâu đáy biển", VI)
    lines = [(12.0, line) for line in textwrap.wrap(TCVN3, 70)]
    paper = read_file(pdf(tmp_path / "b.pdf", [[(20.0, "Líp ®o s©u ®¸y biÓn"), (12.0, " "), *lines]]))
    assert (paper.title, paper.text, paper.language) == ("Lớp đo sâu đáy biển", VI, "vi")
