"""Reading a returned message: octets in, what it says of each recipient out. Pure; never raises on any input."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from newsletter.mail.bounces import addresses, ladder, prose
from newsletter.mail.bounces.ladder import Named
from newsletter.mail.bounces.notice import Contents, contents_of, unquoted
from newsletter.mail.bounces.parts import Fields, open_message
from newsletter.mail.bounces.reasons import cause_of, statuses
from newsletter.mail.bounces.returned import BounceKind, Reason, Returned, kind_of
from newsletter.mail.tokens import TOKEN_LENGTH

_TOKEN = re.compile(rf"(?<![0-9a-z])(?:b[.+])?([0-9abcdefghjkmnpqrstvwxyz]{{{TOKEN_LENGTH}}})(?=[@.])", re.IGNORECASE)
_COMPLAINTS = frozenset(("abuse", "fraud", "virus", "other", "not-spam", "miscategorized", ""))
MOST_NESTED = 2


def read_returned(raw: bytes, *, rcpt: str | None = None) -> list[Returned]:
    """What the message says, one entry per recipient; empty when it is no bounce, report or automatic reply.

    `rcpt`: the envelope recipient it came to (a VERP return path), or the address it is known to be about.
    """
    return _read(contents_of(open_message(raw)), rcpt=rcpt, depth=0)


def _read(contents: Contents, *, rcpt: str | None, depth: int) -> list[Returned]:
    token = _token(contents, rcpt)
    found = (
        _notification(contents)
        or _passed_on(contents, depth)
        or _complaint(contents)
        or _automatic(contents)
        or _failure(contents)
    )
    return [replace(one, token=token) for one in _with_known(found, _known(contents, rcpt))]


def _passed_on(contents: Contents, depth: int) -> list[Returned]:
    """A notice inside a notice: a gateway or a colleague passed a report on; the inner one knows more."""
    if contents.reports or depth >= MOST_NESTED:
        return []
    for inner in contents.nested:
        if inner.media_type == "multipart/report":
            found = _read(contents_of(inner), rcpt=None, depth=depth + 1)
            if found:
                return found
    return []


def _with_known(found: Sequence[Returned], known: str | None) -> list[Returned]:
    """The address that the envelope spells comes before the one a server far away wrote: mail may be forwarded."""
    told = {(one.address or "").casefold() for one in found}
    if known is None or not found or found[0].kind is BounceKind.AUTOREPLY or known.casefold() in told:
        return list(found)
    return [replace(found[0], address=known, original=found[0].address), *found[1:]]


# ---------------------------------------------------------------- tokens and our own addresses


def _token(contents: Contents, rcpt: str | None) -> str | None:
    """A trace token: of the envelope recipient, else of our returned headers, else of what the message replies to."""
    places = [rcpt or "", *contents.fields.all("x-original-to", "delivered-to", "envelope-to", "to")]
    for fields in contents.returned:
        places += fields.all("message-id", "return-path", "x-delivery-id", "x-newsletter-delivery")
    places += contents.fields.all("in-reply-to", "references", "original-message-id")
    places.append(contents.notice[:20_000])
    for place in places:
        found = _TOKEN.search(place)
        if found:
            return found[1].lower()
    return None


def _known(contents: Contents, rcpt: str | None) -> str | None:
    """The recipient that `rcpt` spells: a classic VERP path, or an address that is not just our own mailbox."""
    if rcpt is None or _TOKEN.search(rcpt):
        return None
    spelt = addresses.of_return_path(rcpt)
    if spelt:
        return spelt
    given = addresses.found_in(rcpt)
    ours = {address.casefold() for address in _own(contents.fields)}
    return given[0] if given and given[0].casefold() not in ours and not addresses.is_nobody(given[0]) else None


def _own(fields: Fields) -> list[str]:
    """Where the message came to and who wrote it: a notice mentions both, and neither is its recipient."""
    names = ("to", "from", "cc", "delivered-to", "envelope-to", "return-path", "reply-to", "sender", "x-envelope-to")
    return [address for value in fields.all(*names) for address in addresses.found_in(value)]


# ---------------------------------------------------------------- the four things a message can be

_NOTIFICATIONS = ("Bounce", "Complaint", "Delivery")


def _notification(contents: Contents) -> list[Returned]:
    """Amazon SES's JSON notification, sent by mail: https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html"""
    start = contents.notice.find('{"notificationType"')
    if start < 0:
        return []
    try:
        told, _ = json.JSONDecoder().raw_decode(contents.notice[start:].replace("\n", ""))
    except (ValueError, RecursionError):
        return []
    kind = str(told.get("notificationType"))
    if kind not in _NOTIFICATIONS:
        return []
    part = told.get(kind.lower())
    return list(_notified(kind, part)) if isinstance(part, dict) else []


def _notified(kind: str, part: dict[str, Any]) -> Iterable[Returned]:
    listed = part.get("bouncedRecipients") or part.get("complainedRecipients") or part.get("recipients") or []
    for one in listed if isinstance(listed, list) else ():
        told = one if isinstance(one, dict) else {"emailAddress": one}
        found = addresses.found_in(str(told.get("emailAddress", "")))
        if not found:
            continue
        if kind == "Bounce":
            said = str(told.get("diagnosticCode") or part.get("bounceSubType") or "")
            yield _failed(Named(address=found[0], said=said, status=str(told.get("status") or "")), "")
        elif kind == "Complaint":
            yield _feedback(found[0], str(part.get("complaintFeedbackType") or ""))
        else:
            yield _delivered(found[0], str(part.get("smtpResponse") or ""))


def _feedback(address: str | None, told: str) -> Returned:
    kind = BounceKind.COMPLAINT if told in _COMPLAINTS else BounceKind.FEEDBACK_OTHER
    return Returned(address=address, kind=kind, reason=Reason.FEEDBACK, said=told)


def _delivered(address: str, said: str) -> Returned:
    return Returned(
        address=address,
        kind=BounceKind.DELIVERED,
        reason=Reason.DELIVERED,
        status=next(iter(statuses(said)), ""),
        said=prose.one_line(said),
    )


_JUNK_REPORT = ("x-hmxmroriginalrecipient",)


def _complaint(contents: Contents) -> list[Returned]:
    """An abuse report (RFC 5965), or Outlook's junk report, which is only our message with a header in front."""
    outlook = any(name in fields for fields in contents.returned for name in _JUNK_REPORT)
    if not contents.feedback and not outlook:
        return []
    told = ladder.feedback_type(contents)
    named: list[str | None] = [*ladder.from_feedback(contents)]
    return [_feedback(address, told) for address in named or [None]]


_AWAY = re.compile(
    r"out of (?:the )?office|auto(?:matic|mated)?[ -]?(?:reply|response|responder)|\bautorespon|vacation"
    r"|away from|on leave|absence|vắng mặt|trả lời tự động|nghỉ phép|abwesen|absent|fuera de la oficina"
    r"|自動応答|自动回复",
    re.IGNORECASE,
)
_AUTOMATIC_FIELDS = ("x-autoreply", "x-autorespond", "x-autoresponse", "x-auto-reply", "x-vacation", "x-mail-autoreply")
_REFUSED = re.compile(
    r"undeliver|delivery (?:status|fail|problem|error|notif)|failure notice|returned mail|mail delivery"
    r"|could not (?:be )?(?:deliver|send)|(?:not|n't|unable|fail\w*) (?:be |to )?deliver"
    r"|delivery .{0,30}fail|non-?delivery|loop alert|mail loop|rejected|did not reach|error sending"
    r"|<<< ?5\d\d|\n\s*5\d\d[ -]",
    re.IGNORECASE,
)
_DAEMON = re.compile(
    r"mailer-?daemon|postmaster|post_master|mail delivery|delivery (?:sub)?system|mail ?system|microsoftexchange",
    re.IGNORECASE,
)


def _automatic(contents: Contents) -> list[Returned]:
    """An automatic reply by a person's program (RFC 3834). It never counts, whatever it says about mailboxes."""
    fields = contents.fields
    if contents.reports or "multipart/report" in contents.media_type or "x-failed-recipients" in fields:
        return []
    subject = fields.text("subject")
    daemon = bool(_DAEMON.search(fields.text("from"))) or any(
        map(addresses.is_nobody, addresses.found_in(fields.get("from")))
    )
    if _REFUSED.search(subject) or (daemon and (_REFUSED.search(contents.notice[:4000]) or not _AWAY.search(subject))):
        return []  # a daemon's "auto-replied" is a bounce; a person's stays one whatever words it uses
    replied = fields.get("auto-submitted").lower().startswith("auto-replied")
    marked = any(name in fields for name in _AUTOMATIC_FIELDS)
    precedence = fields.get("precedence").lower() in ("auto_reply", "auto-reply")
    if not (replied or marked or precedence or _AWAY.search(subject)):
        return []
    return [Returned(address=None, kind=BounceKind.AUTOREPLY, reason=Reason.VACATION)]


def _failure(contents: Contents) -> list[Returned]:
    reported = ladder.from_reports(contents)
    if reported:
        return _once(_failed(one, contents.notice, alone=len(reported) == 1) for one in _merged(reported))
    if not _looks_returned(contents):
        return []
    own = _own(contents.fields)
    named = (
        _confirmed([*ladder.from_headers(contents), *ladder.from_notice(contents, own=own)], contents)
        or ladder.from_headers(contents)
        or ladder.from_notice(contents, own=own)
        or _from_quoted(contents, own)
        or ladder.from_returned(contents)
        or ladder.near_failure(contents, own=own)
        or _of_path(contents)
    )
    return _once(_failed(Named(address=address), contents.notice, alone=len(named) == 1) for address in named)


def _of_path(contents: Contents) -> list[str]:
    """The recipient that the path spells by which the message came back (classic VERP)."""
    paths = [
        a
        for v in contents.fields.all("x-original-to", "delivered-to", "envelope-to", "to")
        for a in addresses.found_in(v)
    ]
    return [spelt for path in paths if (spelt := addresses.of_return_path(path))][:1]


def _confirmed(named: Sequence[str], contents: Contents) -> list[str]:
    """Those whom our returned message was addressed to: two witnesses outweigh one."""
    sent_to = {address.casefold() for address in ladder.from_returned(contents)}
    return list(dict.fromkeys(address for address in named if address.casefold() in sent_to))


def _from_quoted(contents: Contents, own: Sequence[str]) -> list[str]:
    """A notice that somebody forwarded to us, "> " before each line."""
    if not re.search(r"^> ", contents.notice, re.MULTILINE):
        return []
    plain = Contents(
        fields=contents.fields,
        media_type="",
        notice=unquoted(contents.notice),
        whole=unquoted(contents.whole),
        reports=(),
        feedback=(),
        returned=(),
        nested=(),
    )
    return [one.address for one in ladder.from_reports(plain)] or ladder.from_notice(plain, own=own)


def _looks_returned(contents: Contents) -> bool:
    """A null return path, a daemon as its writer, a report, or words of refusal."""
    fields = contents.fields
    return (
        "report" in contents.media_type
        or "x-failed-recipients" in fields
        or fields.get("return-path").strip() == "<>"
        or bool(_DAEMON.search(f"{fields.text('from')} {fields.get('return-path')}"))
        or bool(_REFUSED.search(f"{fields.text('subject')}\n{contents.notice[:4000]}"))
    )


def _merged(named: Sequence[Named]) -> list[Named]:
    """One per address; a later group about the same address adds what the first did not say."""
    by_address: dict[str, Named] = {}
    for one in named:
        key = one.address.casefold()
        first = by_address.get(key)
        if first is None:
            by_address[key] = one
        elif one.said and one.said not in first.said:
            by_address[key] = Named(
                address=first.address,
                original=first.original or one.original,
                action=first.action or one.action,
                status=first.status or one.status,
                said=f"{first.said}\n{one.said}".strip(),
            )
    return list(by_address.values())


def _once(found: Iterable[Returned]) -> list[Returned]:
    return list({(one.address or "").casefold(): one for one in found}.values())


# ---------------------------------------------------------------- what is said of one recipient

_DELIVERED_ACTIONS = frozenset(("delivered", "relayed", "expanded", "deliverable"))


def _failed(named: Named, notice: str, *, alone: bool = True) -> Returned:
    if named.action in _DELIVERED_ACTIONS:
        return _delivered(named.address, named.said or named.status)
    near = prose.near(notice, named.address)
    said = [named.said, near, prose.plain(notice) if alone else ""]
    command = prose.refused_command("\n".join((named.said, near, notice if alone else "")))
    cause = cause_of(said, status=named.status, action=named.action, command=command)
    return Returned(
        address=named.address,
        original=named.original,
        kind=kind_of(cause.reason),
        reason=cause.reason,
        status=cause.status,
        said=prose.one_line(named.said or near or said[2])[:1000],
    )
