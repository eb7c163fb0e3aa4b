"""Pictures inside a message: the HTML part becomes multipart/related (RFC 2387), its pictures are named by Content-ID.

Encoded once when a mailing is compiled; a reader's message only repeats the octets. Programs that show no HTML never see
them, because they stand inside the alternative, not beside it.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

from newsletter.model import Image

_LINE = 76  # characters of base64 (RFC 2045 section 6.8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """One picture as providers take it: `content_id` without angle brackets, `content` in base64 without line ends."""

    content_id: str
    name: str
    media_type: str
    content: str = field(repr=False)


def content_id(name: str, domain: str) -> str:
    """The Content-ID of a picture (RFC 2392): its name, which no other content has, at the sender's domain."""
    return f"{name}@{domain}"


def cid_url(name: str, domain: str) -> str:
    """What a rendering writes as the address of an embedded picture."""
    return f"cid:{content_id(name, domain)}"


def embedded_in(html: str, names: Sequence[str], domain: str) -> list[str]:
    """Those of these pictures that the HTML shows from inside the message."""
    return [name for name in names if cid_url(name, domain) in html]


def named_in(html: str, parts: Sequence[Inline]) -> tuple[Inline, ...]:
    """Those of these pictures that the HTML shows: a block left out for its topic takes its picture along."""
    return tuple(part for part in parts if f"cid:{part.content_id}" in html)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How a rendering writes the addresses of our pictures: what stands before the name, or the domain behind it."""

    hosted: str
    domain: str


def placed_at(html: str, names: Sequence[str], written: Written, place: str) -> str:
    """The rendering with its pictures at `place` + name: where a browser finds them that is shown no mail."""
    for name in names:
        html = html.replace(cid_url(name, written.domain), place + name).replace(written.hosted + name, place + name)
    return html


def inlines(images: Sequence[Image], domain: str) -> tuple[Inline, ...]:
    return tuple(
        Inline(
            content_id=content_id(image.name, domain),
            name=image.name,
            media_type=image.media_type,
            content=base64.b64encode(image.content).decode(),
        )
        for image in images
    )


def related(boundary: bytes, parts: Sequence[Inline]) -> tuple[bytes, bytes]:
    """What stands before and behind the HTML part, both empty without pictures. The boundary is told from the outer one."""
    if not parts:
        return b"", b""
    own = b"=_r" + boundary.removeprefix(b"=")
    head = b'Content-Type: multipart/related; type="text/html";\r\n boundary="' + own + b'"\r\n\r\n--' + own + b"\r\n"
    return head, b"".join([*(b"\r\n--" + own + b"\r\n" + _part(part) for part in parts), b"\r\n--" + own + b"--\r\n"])


def _part(part: Inline) -> bytes:
    head = (
        f"Content-Type: {part.media_type}\r\nContent-Transfer-Encoding: base64\r\nContent-ID: <{part.content_id}>\r\n"
        f'Content-Disposition: inline; filename="{part.name}"\r\n\r\n'
    )
    lines = [part.content[at : at + _LINE] for at in range(0, len(part.content), _LINE)]
    return (head + "\r\n".join(lines)).encode()
