"""Fields of a multipart/form-data body (RFC 7578), text only. Pure; files and damage are passed over."""

import re
from collections.abc import Iterator

from newsletter.mail.bounces.parts import parameter

MOST_FIELDS = 500


def pairs(body: bytes, content_type: str) -> Iterator[tuple[str, str]]:
    """(name, value) in order, names repeated as they come."""
    boundary = parameter(content_type, "boundary").encode("utf-8", "replace")
    if not boundary:
        return
    for piece in body.split(b"--" + boundary)[1 : MOST_FIELDS + 1]:
        if piece.startswith(b"--"):
            return
        head, found, value = piece.partition(b"\r\n\r\n")
        if not found:
            head, found, value = piece.partition(b"\n\n")
        name = re.search(rb';\s*name="([^"\r\n]*)"', head)
        if found and name and b"filename=" not in head:
            text = value.removesuffix(b"\n").removesuffix(b"\r")
            yield name[1].decode("utf-8", "replace"), text.decode("utf-8", "replace")
