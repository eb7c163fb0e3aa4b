"""Articles from files: the first line is the title, and nothing outside the folder is touched."""

import gzip
import os
import unicodedata
from datetime import date
from pathlib import Path

import pytest

from newsletter.collect.documents.files import read_file, read_folder
from newsletter.errors import FetchRefused, SourceError, Unreadable
from newsletter.model import RawItem

TEXT = """Trung tâm Hải văn khai giảng lớp đo sâu

Chiều ngày 04/03/2025, Trung tâm Hải văn khai giảng lớp đo sâu đáy biển.

Học viên trên tàu

Lớp học kéo dài năm ngày.

H.M

Các mục khác"""


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_text_file_gives_its_first_line_as_title_and_its_paragraphs_as_they_stand(tmp_path: Path, form: str) -> None:
    found = read_file(write(tmp_path / "bai.txt", unicodedata.normalize(form, TEXT)))  # type: ignore[arg-type]
    assert found.title == "Trung tâm Hải văn khai giảng lớp đo sâu"
    assert found.text == TEXT.split("\n\n", 1)[1]
    assert (found.published, found.published_raw) == (date(2025, 3, 4), "Chiều ngày 04/03/2025")
    assert (found.authors, found.language, found.url) == (("H.M",), "vi", None)
    assert found.provenance == {
        "title": "first line",
        "text": "plain",
        "published": "lead",
        "authors": "byline",
        "language": "text",
    }


@pytest.mark.parametrize(
    "body", [TEXT.encode("utf-16"), b"\xef\xbb\xbf" + TEXT.encode(), TEXT.replace("\n", "\r\n").encode()]
)
def test_what_other_editors_write_is_read_the_same(tmp_path: Path, body: bytes) -> None:
    assert read_file(write(tmp_path / "a.txt", body)).text == TEXT.split("\n\n", 1)[1]


def test_lines_broken_at_a_margin_are_joined_and_short_lines_stay_apart(tmp_path: Path) -> None:
    lines = [
        "This line was broken by an editor at a margin of about",
        "seventy characters, and so was this one, before its",
        "end.",
    ]
    found = read_file(write(tmp_path / "a.txt", "Title\n\n" + "\n".join(lines) + "\n\nTwo\nlines"))
    assert found.text == " ".join(lines) + "\n\nTwo\n\nlines"


def test_a_first_line_as_long_as_a_paragraph_stays_in_the_text(tmp_path: Path) -> None:
    long = "Trung tâm họp tổng kết. " + "Nội dung còn dài. " * 20
    found = read_file(write(tmp_path / "a.txt", long))
    assert (found.title, found.provenance["title"]) == ("Trung tâm họp tổng kết.", "first sentence")
    assert found.text.startswith("Trung tâm họp tổng kết.")


@pytest.mark.parametrize(
    "heading",
    [
        "# Lớp **đo sâu** khai giảng",
        "Lớp đo sâu khai giảng\n=====",
        "Lớp đo sâu khai giảng",
        "\n\n## Lớp đo sâu khai giảng ##",
    ],
)
def test_markdown_becomes_plain_text_under_its_first_heading(tmp_path: Path, heading: str) -> None:
    body = "\n\nMột *nhấn* và [liên kết](https://vien.example).\n\n- một\n- hai\n\n<script>x()</script>\n\n> trích"
    found = read_file(write(tmp_path / "a.md", heading + body))
    assert found.title == "Lớp đo sâu khai giảng"
    assert found.text == "Một nhấn và liên kết.\n\nmột\n\nhai\n\ntrích"


def test_front_matter_speaks_for_the_file(tmp_path: Path) -> None:
    front = (
        "---\ntitle: 'Lớp đo sâu'\ndate: 2025-03-04\nauthors: [Thu Hà, Minh]\nlink: https://vien.example/lop\nlang: vi\n"
        "summary: Ba mươi cán bộ dự lớp.\nimage: javascript:x\n---\n"
    )
    found = read_file(write(tmp_path / "a.md", front + "# Lớp đo sâu\n\nNgày 01/01/2024, đoàn đến.\n"))
    assert (found.title, found.text) == ("Lớp đo sâu", "Ngày 01/01/2024, đoàn đến.")
    assert (found.published, found.authors, found.url) == (
        date(2025, 3, 4),
        ("Thu Hà", "Minh"),
        "https://vien.example/lop",
    )
    assert (found.standfirst, found.image) == ("Ba mươi cán bộ dự lớp.", None)
    assert found.provenance["published"] == "front matter"


def test_html_and_packed_files_are_read(tmp_path: Path) -> None:
    html = (
        "<html><body><h1>Lớp đo sâu khai giảng</h1><p>"
        + "Học viên đến từ các tỉnh ven biển. " * 8
        + "</p></body></html>"
    )
    assert read_file(write(tmp_path / "a.html", html)).title == "Lớp đo sâu khai giảng"
    packed = read_file(write(tmp_path / "b.html.gz", gzip.compress(html.encode())))
    assert packed.text.startswith("Học viên đến")
    assert read_file(write(tmp_path / "c.TXT.gz", gzip.compress(TEXT.encode()))).published == date(2025, 3, 4)


def test_identity_survives_an_edit_and_differs_between_names_and_folders(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    first = read_file(write(tmp_path / "a.txt", "Một\n\nhai"))
    edited = read_file(write(tmp_path / "a.txt", "Khác\n\nhẳn"))
    others = [read_file(write(path, "Một\n\nhai")) for path in (tmp_path / "b.txt", tmp_path / "x" / "a.txt")]
    assert first.guid == edited.guid
    assert len({first.guid, *(other.guid for other in others)}) == 3


@pytest.mark.parametrize(
    ("name", "body", "error", "reason"),
    [
        ("a.txt", b"", Unreadable, "empty"),
        ("a.md", b" \n ", Unreadable, "empty"),
        ("a.html", b"", Unreadable, "empty"),
        ("a.html", b"PK\x03\x04 a document of another kind", Unreadable, "binary"),
        ("a.txt", b"PK\x03\x04", Unreadable, "binary"),
        ("a.txt", bytes(range(1, 32)), Unreadable, "binary"),
        ("a.txt", b"x" * ((5 << 20) + 1), FetchRefused, "larger than 5 MB"),
        ("a.txt.gz", gzip.compress(bytes(6 << 20), mtime=0), FetchRefused, "when unpacked"),
        ("a.txt.gz", gzip.compress(b"abc" * 100, mtime=0)[:-12], Unreadable, "breaks off"),
        ("a.txt.gz", b"abc", Unreadable, "gzip packing is broken"),
        ("a.odt", b"abc", FetchRefused, "kind of file"),
    ],
    ids=range(11),
)
def test_files_that_are_no_articles_say_why(
    tmp_path: Path, name: str, body: bytes, error: type[SourceError], reason: str
) -> None:
    path = write(tmp_path / name, body)
    with pytest.raises(error, match=reason) as caught:
        read_file(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_a_folder_and_a_fifo_are_refused_without_waiting(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        read_file(tmp_path / "none.txt")
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(SourceError):
        read_file(tmp_path / "folder.txt")
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(FetchRefused, match="not a regular file"):
        read_file(tmp_path / "pipe.txt")


def test_a_folder_gives_its_files_by_name_and_an_error_for_each_bad_one(tmp_path: Path) -> None:
    inside, outside = tmp_path / "bai", write(tmp_path / "secret.txt", "Bí mật\n\nkhông được đọc")
    inside.mkdir()
    write(inside / "b.txt", TEXT)
    write(inside / "a.md", "# Một\n\nhai")
    write(inside / "c.txt", b"")
    write(inside / ".hidden.txt", TEXT)
    write(inside / "picture.jpg", b"\xff\xd8\xff")
    (inside / "link.txt").symlink_to(outside)
    (inside / "near.txt").symlink_to(inside / "b.txt")
    (inside / "loop.txt").symlink_to(inside / "loop.txt")
    found = {path.name: item for path, item in read_folder(inside)}
    assert list(found) == ["a.md", "b.txt", "c.txt", "link.txt", "loop.txt", "near.txt"]
    assert [name for name, item in found.items() if isinstance(item, RawItem)] == ["a.md", "b.txt", "near.txt"]
    assert "out of the folder" in str(found["link.txt"])


def test_a_missing_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="folder cannot be read"):
        list(read_folder(tmp_path / "none"))
