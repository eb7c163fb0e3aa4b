"""Looks at a finished message as a strict receiver would, and says what to mend.

`check_message` takes the bytes that would be sent (or any .eml file) and returns findings; none means clean. One small
function per assertion, in the tables of `check_headers` (form, headers, signature), `check_content` (what receivers
punish), `check_reading` (what is read) and `check_look` (how it looks). It never sends, fetches or asks the DNS: the
caller brings the key record and the time.
"""

from collections.abc import Sequence
from datetime import datetime

from newsletter.mail import check_content, check_headers, check_look, check_reading
from newsletter.mail.dkim import LookUp
from newsletter.mail.findings import finding_of
from newsletter.mail.inspected import ERROR, NOTE, WARNING, Said, Seen
from newsletter.model import Finding

_TABLES = (*check_headers.CHECKS, *check_content.CHECKS, *check_reading.CHECKS, *check_look.CHECKS)


def check_message(
    raw: bytes,
    *,
    from_domain: str | None = None,
    rcpt: str | None = None,
    subject: str | None = None,
    mail_from: str | None = None,
    dkim_public: str | LookUp | None = None,
    now: datetime | None = None,
    language: str | None = None,
    postal: str | None = None,
    items: Sequence[Said] = (),
) -> list[Finding]:
    """Everything wrong with `raw`, worst first; empty for a clean message.

    What is not given is not compared. dkim_public: the key's TXT record, or a function from DNS name to record; without
    it the signature's form is judged but not its truth. now: aware; without it the Date is not compared. language: BCP 47,
    what the message was written in. postal: the sender's address that every part must show. items: what it was to tell.
    """
    key: LookUp | None = (lambda _name: dkim_public) if isinstance(dkim_public, str) else dkim_public
    expected = {"from_domain": from_domain, "rcpt": rcpt, "subject": subject, "mail_from": mail_from}
    seen = Seen(raw=raw, key=key, now=now, language=language, postal=postal, items=tuple(items), **expected)
    found = [finding_of(name, fault) for name, check in _TABLES for fault in check(seen)]
    return worst_first(list(dict.fromkeys(found)))


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (ERROR, WARNING, NOTE).index(finding.level))
