"""Looks at a finished message as a strict receiver would, and says what to mend.

`check_message` takes the bytes that would be sent (or any .eml file) and returns findings; none means clean. One small
function per assertion, in the tables of `check_headers` (form, headers, signature) and `check_content` (what is read).
It never sends, fetches or asks the DNS: the caller brings the key record and the time.
"""

from datetime import datetime

from newsletter.mail import check_content, check_headers
from newsletter.mail.dkim import LookUp
from newsletter.mail.inspected import ERROR, NOTE, WARNING, Seen
from newsletter.model import Finding


def check_message(
    raw: bytes,
    *,
    from_domain: str | None = None,
    rcpt: str | None = None,
    subject: str | None = None,
    mail_from: str | None = None,
    dkim_public: str | LookUp | None = None,
    now: datetime | None = None,
) -> list[Finding]:
    """Everything wrong with `raw`, worst first; empty for a clean message.

    What is not given is not compared. dkim_public: the key's TXT record, or a function from DNS name to record; without
    it the signature's form is judged but not its truth. now: aware; without it the Date is not compared.
    """
    key: LookUp | None = (lambda _name: dkim_public) if isinstance(dkim_public, str) else dkim_public
    expected = {"from_domain": from_domain, "rcpt": rcpt, "subject": subject, "mail_from": mail_from}
    seen = Seen(raw=raw, key=key, now=now, **expected)
    found = [
        Finding(check=name, level=fault.level, where=fault.where, message=fault.message)
        for name, check in (*check_headers.CHECKS, *check_content.CHECKS)
        for fault in check(seen)
    ]
    return sorted(found, key=lambda finding: (ERROR, WARNING, NOTE).index(finding.level))
