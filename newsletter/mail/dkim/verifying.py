"""Whether a message's DKIM signatures hold: for our own checks before anything leaves. It knows only what we sign with."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable

from newsletter.errors import BadInput
from newsletter.mail.dkim.canonical import (
    Header,
    parse_tags,
    relaxed_body,
    relaxed_header,
    signed_headers,
    split_headers,
)
from newsletter.mail.dkim.keys import Algorithm, published, record_name

LookUp = Callable[[str], str | None]  # DNS name -> TXT record
_B = re.compile(rb"((?:^|;)[ \t\r\n]*b=)[^;]*")
_KNOWN = {algorithm.a: algorithm for algorithm in Algorithm}


def verify(raw: bytes, look_up: LookUp) -> str | None:
    """Why a signature of `raw` does not hold, or None when each does. `look_up` answers for the key records."""
    block, _, body = raw.partition(b"\r\n\r\n")
    headers = split_headers(block + b"\r\n")
    found = [value for name, value in headers if name == b"dkim-signature"]
    if not found:
        return "the message is not signed"
    bare = [header for header in headers if header[0] != b"dkim-signature"]
    body_hash = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
    faults = (_fault(one, bare, body_hash, look_up) for one in found)
    return next((fault for fault in faults if fault is not None), None)


def _fault(signature: bytes, headers: list[Header], body_hash: str, look_up: LookUp) -> str | None:
    tags = parse_tags(signature)
    record = look_up(record_name(tags.get("s", ""), tags.get("d", "")))
    if record is None:
        return "the signing domain publishes no key for this selector"
    algorithm = _KNOWN.get(tags.get("a", ""))
    if algorithm is None or tags.get("c") != "relaxed/relaxed":
        return f"a={tags.get('a')} c={tags.get('c')} is not what we sign with"
    if body_hash != tags.get("bh"):
        return "the body was changed after signing"
    names = [name.encode() for name in tags.get("h", "").lower().split(":")]
    data = signed_headers(headers, names) + relaxed_header(b"dkim-signature", _B.sub(rb"\1", signature))
    return _fault_of_signature(record, algorithm, tags.get("b", ""), data)


def _fault_of_signature(record: str, algorithm: Algorithm, signature: str, data: bytes) -> str | None:
    try:
        key = published(record)
        octets = base64.b64decode(signature)
    except (BadInput, binascii.Error) as error:
        return f"the published key or the signature cannot be read: {error}"
    if key.algorithm is not algorithm:
        return f"the published key is of the kind {key.algorithm}, the signature {algorithm.a}"
    return None if key.holds(octets, data) else "a signed header was changed, or the published key is another one"
