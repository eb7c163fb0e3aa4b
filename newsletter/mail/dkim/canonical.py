"""What DKIM signs: header fields and bodies in relaxed form (RFC 6376 section 3.4). Pure."""

import re

from newsletter.errors import BadInput

Header = tuple[bytes, bytes]  # name in lower case, value as sent (folds kept)

_FIELD = re.compile(rb"\r\n(?![ \t])")
_BLANKS = re.compile(rb"[ \t]+")
_ENDS = re.compile(rb"[ \t]+(?=\r\n|\Z)")
_EMPTY_END = re.compile(rb"(?:\r\n)+\Z")


def split_headers(block: bytes) -> list[Header]:
    """The fields of a header block in order. Raises BadInput for a line that is none (RFC 5322 section 2.2)."""
    fields = []
    for field in _FIELD.split(block.removesuffix(b"\r\n")):
        name, colon, value = field.partition(b":")
        if not colon:
            raise BadInput("a line of the header block has no colon")
        fields.append((name.strip().lower(), value))
    return fields


def parse_tags(value: bytes) -> dict[str, str]:
    """The tag list of a signature or key record (RFC 6376 section 3.2), white space removed."""
    text = re.sub(r"\s+", "", value.decode("latin-1"))
    return {name: rest for name, equals, rest in (tag.partition("=") for tag in text.split(";")) if equals}


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 section 3.4.4: runs of blanks become one, blanks before CRLF and empty lines at the end go."""
    text = _EMPTY_END.sub(b"", _ENDS.sub(b"", _BLANKS.sub(b" ", body)))
    return text + b"\r\n" if text else b""


def relaxed_header(name: bytes, value: bytes) -> bytes:
    """RFC 6376 section 3.4.2, without the final CRLF."""
    return name + b":" + _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" \t")


def signed_headers(headers: list[Header], names: list[bytes]) -> bytes:
    """The named headers, each ending in CRLF, the last of a name first; names beyond those present count as empty."""
    left: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        left.setdefault(name, []).append(value)
    chosen = [relaxed_header(name, left[name].pop()) for name in names if left.get(name)]
    return b"".join(one + b"\r\n" for one in chosen)
