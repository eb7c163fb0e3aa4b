"""Checks of a message's form, headers and signature (RFC 5322, 2047, 2045, 2369, 8058, 2919, 6376 and receivers' rules).

Every function looks at one thing, yields what is wrong with it and how to mend it. The numbers are our checklist's.
"""

import binascii
import re
import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from email.errors import MessageError
from email.header import decode_header
from email.utils import getaddresses, parsedate_to_datetime

from newsletter.errors import BadInput
from newsletter.mail.dkim import verify
from newsletter.mail.inspected import ERROR, WARNING, Check, Fault, Seen, fault

_ONCE = ("from", "to", "subject", "date", "message-id", "mime-version")
_SIGNED = ("from", "to", "subject", "date", "message-id", "mime-version", "content-type")
_MAX_MESSAGE = 10_000_000  # octets; common servers take 10 to 25 MB
_WORD = re.compile(rb"=\?([^?\s]+)\?([bBqQ])\?([^?\s]*)\?=")


def header_syntax(seen: Seen) -> Iterator[Fault]:
    bad = sum(1 for name, _ in seen.fields if not re.fullmatch(r"[!-9;-~]+", name))
    if bad:
        yield fault(ERROR, "headers", "{n} lines are no header fields; a line end inside a value does this", n=bad)


def line_ends(seen: Seen) -> Iterator[Fault]:
    bare = len(re.findall(rb"(?<!\r)\n|\r(?!\n)", seen.raw))
    if bare:
        yield fault(
            ERROR, "message", "{n} line ends are not CRLF; servers may split or refuse the message there", n=bare
        )
    if b"\0" in seen.raw:
        yield fault(ERROR, "message", "holds NUL octets; remove them")


def line_lengths(seen: Seen) -> Iterator[Fault]:
    longest = max(map(len, re.split(rb"\r?\n", seen.raw)))
    if longest > 998:
        yield fault(ERROR, "message", "a line of {n} octets; at most 998 are allowed, encode the part", n=longest)


def required_headers(seen: Seen) -> Iterator[Fault]:
    for name in _ONCE:
        count = len(seen.all(name))
        if count != 1:
            yield fault(ERROR, name, "occurs {n} times; write it exactly once", n=count)
    if seen.all("bcc"):
        yield fault(ERROR, "bcc", "tells everybody who else got the message; leave it out")


def date(seen: Seen) -> Iterator[Fault]:
    try:
        moment = parsedate_to_datetime(seen.get("date"))
    except ValueError:
        yield fault(ERROR, "date", "is no RFC 5322 date; write it as the standard asks")
        return
    if not re.search(r"[+-]\d{4}(?:\s*\(.*\))?$", seen.get("date")):
        yield fault(WARNING, "date", "uses an obsolete zone name; write +0000 or +0700")
    if seen.now is not None and moment.tzinfo is not None and abs(seen.now - moment) > timedelta(minutes=5):
        yield fault(WARNING, "date", "lies more than five minutes from the time of sending; check the clock")


def message_id(seen: Seen) -> Iterator[Fault]:
    if not re.fullmatch(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,200}@[A-Za-z0-9.-]+>", seen.get("message-id")):
        yield fault(ERROR, "message-id", "is not of the form <token@own-domain>")
    elif seen.from_domain and not _within(seen.get("message-id").strip("<>"), seen.from_domain):
        yield fault(
            WARNING,
            "message-id",
            "is not of our own domain {domain}; receivers compare the two",
            domain=seen.from_domain,
        )


def sender(seen: Seen) -> Iterator[Fault]:
    found = getaddresses([seen.get("from")])
    if len(found) != 1 or "@" not in found[0][1]:
        yield fault(ERROR, "from", "does not hold exactly one address")
    elif seen.from_domain and not _within(found[0][1], seen.from_domain):
        yield fault(ERROR, "from", "is not an address at {domain}", domain=seen.from_domain)


def recipient(seen: Seen) -> Iterator[Fault]:
    found = getaddresses([seen.get("to")])
    if len(found) != 1:
        yield fault(ERROR, "to", "names {n} people; every reader gets a message of their own", n=len(found))
    elif seen.rcpt is not None and found[0][1] != seen.rcpt:
        yield fault(ERROR, "to", "is not the envelope’s recipient; address each message to its own reader")


def subject(seen: Seen) -> Iterator[Fault]:
    first, second = seen.subject_read, _modern(seen, "subject")
    if second is None or first != second:
        yield fault(ERROR, "subject", "two decoders read it differently; encode it as RFC 2047 asks")
    elif first != unicodedata.normalize("NFC", first):
        yield fault(WARNING, "subject", "is not in Unicode’s composed form (NFC); compose the issue again")
    if seen.subject is not None and first != unicodedata.normalize("NFC", seen.subject):
        yield fault(ERROR, "subject", "is not the subject that was written; compose the issue again")


def encoded_words(seen: Seen) -> Iterator[Fault]:
    for found in _WORD.finditer(seen.head):
        if len(found[0]) > 75:
            yield fault(ERROR, "headers", "an encoded word is longer than 75 characters (RFC 2047)")
        if not _readable(found[0]):
            yield fault(ERROR, "headers", "an encoded word splits a character or is damaged")
    if re.search(rb"\?==\?", seen.head) or re.search(rb"[^\s(\"]=\?[A-Za-z0-9-]+\?[bBqQ]\?", seen.head):
        yield fault(ERROR, "headers", "an encoded word has no blank before it")


def ascii_headers(seen: Seen) -> Iterator[Fault]:
    if not seen.head.isascii():
        yield fault(ERROR, "headers", "hold raw 8-bit characters; encode them (RFC 2047)")


def structure(seen: Seen) -> Iterator[Fault]:
    kinds = [leaf.get_content_type() for leaf in seen.leaves]
    if "text/plain" not in kinds or "text/html" not in kinds:
        yield fault(ERROR, "body", "needs a text part and an HTML part")
    elif kinds.index("text/plain") > kinds.index("text/html"):
        yield fault(ERROR, "body", "the text part must come first; programs show the last part they understand")
    elif not any(part.get_content_type() == "multipart/alternative" for part in seen.tree.walk()):
        yield fault(ERROR, "body", "text and HTML must be inside one multipart/alternative")


def transfer_encoding(seen: Seen) -> Iterator[Fault]:
    for leaf in seen.leaves:
        name = str(leaf.get("content-transfer-encoding", "7bit")).strip().lower()
        where = leaf.get_content_type()
        if name not in ("7bit", "8bit", "quoted-printable", "base64"):
            yield fault(ERROR, where, "has an unknown Content-Transfer-Encoding")
        elif name == "8bit":
            yield fault(WARNING, where, "is 8bit; only servers that offer 8BITMIME take it")
        elif not _well_encoded(name, leaf.get_payload()):
            yield fault(ERROR, where, "is not valid {encoding}; encode the part again", encoding=name)


def boundary(seen: Seen) -> Iterator[Fault]:
    for part in seen.tree.walk():
        mark = part.get_boundary()
        if part.is_multipart() and mark and seen.body.count(b"--" + mark.encode("latin-1", "replace") + b"--") != 1:
            yield fault(ERROR, "body", "a boundary is not closed exactly once; it may occur in the content")


def whole_size(seen: Seen) -> Iterator[Fault]:
    if len(seen.raw) > _MAX_MESSAGE:
        yield fault(ERROR, "message", "has {n} octets; keep it under {most}", n=len(seen.raw), most=_MAX_MESSAGE)


def list_unsubscribe(seen: Seen) -> Iterator[Fault]:
    if not seen.bulk:
        return
    value = seen.get("list-unsubscribe")
    folded = next((value for name, value in seen.fields if name == "list-unsubscribe"), b"")
    if not value:
        yield fault(ERROR, "list-unsubscribe", "is missing; large receivers require it")
    elif not re.fullmatch(r"<[^<>\s]+>(?:\s*,\s*<[^<>\s]+>)*", value):
        yield fault(ERROR, "list-unsubscribe", "is not a list of <URL>, unbroken and never encoded")
    elif not value.startswith("<https://"):
        yield fault(ERROR, "list-unsubscribe", "does not begin with an https URL; set an https base URL")
    elif re.search(rb"[^,\s][ \t]*\r\n[ \t]+(?=\S)", folded.strip()):
        yield fault(ERROR, "list-unsubscribe", "is folded inside a URL; fold only after the comma")


def one_click(seen: Seen) -> Iterator[Fault]:
    if seen.bulk and seen.get("list-unsubscribe-post") != "List-Unsubscribe=One-Click":
        yield fault(ERROR, "list-unsubscribe-post", "must be List-Unsubscribe=One-Click (RFC 8058)")


def signed_unsubscribe(seen: Seen) -> Iterator[Fault]:
    names = seen.signature.get("h", "").lower().split(":")
    missing = [name for name in ("list-unsubscribe", "list-unsubscribe-post") if name not in names and seen.all(name)]
    if seen.signature and missing:
        yield fault(
            ERROR,
            "dkim-signature",
            "does not sign {names}; receivers of bulk mail require it (RFC 8058)",
            names=", ".join(missing),
        )


def opaque_unsubscribe(seen: Seen) -> Iterator[Fault]:
    urls = [url for url in re.findall(r"<([^<>]+)>", seen.get("list-unsubscribe")) if url.startswith("http")]
    if any("@" in url or "%40" in url for url in urls):
        yield fault(ERROR, "list-unsubscribe", "shows an address in the URL; use an opaque token")


def list_id(seen: Seen) -> Iterator[Fault]:
    value = seen.get("list-id")
    if seen.bulk and not value:
        yield fault(ERROR, "list-id", "is missing; filters and spam rules look for it")
    elif value and not re.search(r"<[A-Za-z0-9._-]+\.[A-Za-z0-9-]+>$", value):
        yield fault(ERROR, "list-id", "is not of the form Name <id.domain> (RFC 2919)")


def list_links(seen: Seen) -> Iterator[Fault]:
    for name in ("list-help", "list-owner", "list-archive", "archived-at"):
        value = seen.get(name)
        if value and not re.match(r"<(?:https://|mailto:)", value):
            yield fault(WARNING, name, "is not an <https:...> or <mailto:...> link")


def automatic(seen: Seen) -> Iterator[Fault]:
    value = seen.get("auto-submitted").split(";")[0].strip().lower()
    if value and value not in ("auto-generated", "auto-replied", "no"):
        yield fault(ERROR, "auto-submitted", "must be auto-generated, auto-replied or no (RFC 3834)")
    if seen.get("precedence").lower() not in ("", "bulk", "list"):
        yield fault(WARNING, "precedence", "only bulk and list are understood")


def feedback_id(seen: Seen) -> Iterator[Fault]:
    fields = seen.get("feedback-id").split(":")
    if len(fields) > 4 or (len(fields) > 1 and not fields[-1].strip()):
        yield fault(ERROR, "feedback-id", "has at most four fields, the sender last")


def private_headers(seen: Seen) -> Iterator[Fault]:
    for name, value in seen.fields:
        if re.fullmatch(r"x-.*(?:id|user|subscriber|member|campaign)", name) and re.fullmatch(rb"\s*\d+\s*", value):
            yield fault(WARNING, name, "shows an internal number; leave it out or use a token")


def reply_to(seen: Seen) -> Iterator[Fault]:
    found = getaddresses([seen.get("reply-to")]) if seen.all("reply-to") else []
    if any("@" not in address for _, address in found) or (seen.all("reply-to") and not found):
        yield fault(ERROR, "reply-to", "holds no usable address")


def receipts(seen: Seen) -> Iterator[Fault]:
    for name in ("disposition-notification-to", "return-receipt-to"):
        if seen.all(name):
            yield fault(ERROR, name, "asks readers for a receipt; leave it out")


def envelope_sender(seen: Seen) -> Iterator[Fault]:
    if seen.mail_from is None:
        return
    if not re.fullmatch(r"[^@\s<>]{1,64}@[a-z0-9.-]+", seen.mail_from):
        yield fault(ERROR, "envelope sender", "is not a usable address with a local part of 1 to 64 characters")
    elif seen.rcpt and seen.rcpt in seen.mail_from:
        yield fault(ERROR, "envelope sender", "shows the reader’s address; use a token")


def signature_holds(seen: Seen) -> Iterator[Fault]:
    if not seen.signature:
        yield fault(WARNING, "dkim-signature", "is missing; configure a DKIM key unless your relay signs")
        return
    if seen.key is not None:
        try:
            broken = verify(seen.raw, seen.key)
        except BadInput as error:
            broken = error.what
        if broken is not None:
            yield fault(ERROR, "dkim-signature", "does not hold: {fault}", fault=broken)


def signature_form(seen: Seen) -> Iterator[Fault]:
    tags = seen.signature
    names = tags.get("h", "").lower().split(":")
    if tags and (tags.get("c") != "relaxed/relaxed" or "l" in tags):
        yield fault(ERROR, "dkim-signature", "use c=relaxed/relaxed and no l=")
    if tags and (missing := [name for name in _SIGNED if name not in names and seen.all(name)]):
        yield fault(ERROR, "dkim-signature", "does not sign {names}", names=", ".join(missing))
    if tags and names.count("from") < 2:
        yield fault(WARNING, "dkim-signature", "name from twice in h=, so that nobody can add a second From")


def alignment(seen: Seen) -> Iterator[Fault]:
    found = getaddresses([seen.get("from")])
    if seen.signature and found and found[0][1].lower().rpartition("@")[2] != seen.signature.get("d", "").lower():
        yield fault(ERROR, "dkim-signature", "d= is not the domain of the From address; DMARC needs that")


def no_arc(seen: Seen) -> Iterator[Fault]:
    if seen.all("arc-seal"):
        yield fault(WARNING, "arc-seal", "only forwarders add ARC headers (RFC 8617)")


def _within(address: str, domain: str) -> bool:
    own = address.lower().rpartition("@")[2]
    return own == domain.lower() or own.endswith("." + domain.lower())


def _modern(seen: Seen, name: str) -> str | None:
    try:
        return str(seen.modern[name] or "") if seen.modern is not None else None
    except Exception:  # as in Seen.modern: header values are parsed on access
        return None


def _readable(word: bytes) -> bool:
    try:
        octets, charset = decode_header(word.decode("latin-1"))[0]
        octets.decode(charset or "ascii")
    except (ValueError, LookupError, AttributeError, MessageError):
        return False
    return True


def _well_encoded(name: str, payload: object) -> bool:
    if not isinstance(payload, str):
        return False
    if not payload.isascii():
        return False
    if name == "base64":
        try:
            binascii.a2b_base64("".join(payload.split()), strict_mode=True)
        except binascii.Error:
            return not payload.strip()
    return name != "quoted-printable" or not re.search(r"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|\Z)", payload)


CHECKS: tuple[tuple[str, Check], ...] = (
    ("A00 header syntax", header_syntax),
    ("A01 line ends", line_ends),
    ("A02 line lengths", line_lengths),
    ("A03 required headers", required_headers),
    ("A04 date", date),
    ("A05 message id", message_id),
    ("A06 sender", sender),
    ("A07 recipient", recipient),
    ("A08 subject", subject),
    ("A09 encoded words", encoded_words),
    ("A10 ascii headers", ascii_headers),
    ("A11 structure", structure),
    ("A13 transfer encoding", transfer_encoding),
    ("A15 boundary", boundary),
    ("A18 size", whole_size),
    ("A19 list-unsubscribe", list_unsubscribe),
    ("A20 one-click", one_click),
    ("A21 signed unsubscribe", signed_unsubscribe),
    ("A22 opaque unsubscribe", opaque_unsubscribe),
    ("A23 list-id", list_id),
    ("A24 list links", list_links),
    ("A25 automatic", automatic),
    ("A26 feedback-id", feedback_id),
    ("A27 private headers", private_headers),
    ("A28 reply-to", reply_to),
    ("A29 receipts", receipts),
    ("A31 envelope sender", envelope_sender),
    ("A41 signature", signature_holds),
    ("A42 signature form", signature_form),
    ("A44 alignment", alignment),
    ("A45 no ARC", no_arc),
)
