"""Word documents and PDFs made for tests: invented texts, small files, and bombs."""

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import docx

Line = tuple[float, str]  # font size in points, text


def docx_file(
    path: Path,
    parts: Sequence[tuple[str, str]],
    *,
    author: str = "",
    created: datetime | None = None,
    table: Sequence[Sequence[str]] = (),
) -> Path:
    """`parts`: (style name, text); a `table` stands before them."""
    document: Any = docx.Document()
    document.core_properties.author = author
    if created:
        document.core_properties.created = created
    if table:
        made = document.add_table(rows=len(table), cols=len(table[0]))
        for row, cells in zip(made.rows, table, strict=True):
            for cell, text in zip(row.cells, cells, strict=True):
                cell.text = text
    for style, text in parts:
        document.add_paragraph(text, style=style or None)
    document.save(str(path))
    return path


def pdf_bytes(pages: Sequence[Sequence[Line]], *, info: str = "", extra: str = "") -> bytes:
    """A PDF of one font whose codes a ToUnicode table (ISO 32000-1, 9.10.3) turns into the text given, lines downwards."""
    signs = sorted({sign for page in pages for _, text in page for sign in text})
    codes = {sign: f"{number:02x}" for number, sign in enumerate(signs, 1)}
    assert len(signs) < 255
    mapped = "".join(f"<{code}> <{sign.encode('utf-16-be').hex()}>\n" for sign, code in codes.items())
    table = (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /X def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<00> <ff>\nendcodespacerange\n{len(signs)} beginbfchar\n{mapped}endbfchar\nendcmap\nend\nend"
    )
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "",
        f"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /FirstChar 0 /LastChar 255 /Widths [{'500 ' * 256}]"
        " /ToUnicode 4 0 R >>",
        f"<< /Length {len(table)} >>\nstream\n{table}\nendstream",
        f"<< {info} >>",
    ]
    kids = []
    for page in pages:
        y, shown = 800.0, []
        for size, text in page:
            y -= size * 1.4
            shown.append(f"BT /F1 {size} Tf 1 0 0 1 50 {y:.1f} Tm <{''.join(codes[sign] for sign in text)}> Tj ET")
        stream = "\n".join(shown)
        kids.append(f"{len(objects) + 1} 0 R")
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {len(objects) + 2} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>",
            f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        ]
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>"
    return _assembled(objects, extra)


def _assembled(objects: Sequence[str], extra: str) -> bytes:
    body, places = b"%PDF-1.7\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n".encode("latin-1")
    rows = "".join(f"{place:010d} 00000 n \n" for place in places)
    trailer = f"<< /Size {len(objects) + 1} /Root 1 0 R /Info 5 0 R {extra} >>"
    start = len(body)
    return body + (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{rows}trailer\n{trailer}\nstartxref\n{start}\n%%EOF\n"
    ).encode("latin-1")


def packed(parts: dict[str, bytes]) -> bytes:
    """A zip of these parts, packed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return out.getvalue()
