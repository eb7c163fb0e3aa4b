"""What a notice says of one address: its lines, the words without what every notice says, and the refused command."""

import re

MOST_LINES = 2000

_ONE_ADDRESS = re.compile(r"[\s<\"']*[^\s@]+@[^\s@]+[>\"':]*\s*")
_BOILERPLATE = re.compile(
    r"google tried to deliver[^\n]*?(?:returned was:|cause of this error\.)"
    r"|this (?:message|e-?mail) was (?:created|generated|sent) automatically[^\n]*"
    r"|this is a(?:n automatically)? [^\n]{0,60}(?:permanent error|notification|message)[^\n]*"
    r"|i'm (?:sorry|afraid)[^\n]*|for further assistance[^\n]*|if you do so[^\n]*|you can delete[^\n]*"
    r"|please[ ,](?:do not|don't) (?:reply|respond)[^\n]*|this is a permanent error[^\n]*"
    r"|a message that you (?:have )?sent could not[^\n]*|the following address(?:\(es\)|es)? failed:?"
    r"|this is a mime[^\n]*|this is a multi-?part[^\n]*|no further delivery attempts[^\n]*|the mail system"
    r"|undeliverable mail|-+ ?(?:transcript of session|the following addresses)[^\n]*"
    r"|could not be delivered to[^\n]*|the original message was received[^\n]*"
    r"|if your message was also sent[^\n]*|each of the following recipients was rejected[^\n]*"
    r"|your e-?mail software does not[^\n]*|(?:subject|date|from|to|sent|message-id|x-[\w-]+) ?:[^\n]*"
    r"|was this (?:e-?mail|message) (?:spam|unwanted)[^\n]*",
    re.IGNORECASE,
)
_REPLY_LINE = re.compile(r"^[ \t]*(?:<<<[ \t]*)?[45]\d\d[ -].*$", re.MULTILINE)
_COMMANDS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # Sendmail's transcript: the command, perhaps answers that went well, and the refusal.
        r">>>[ \t]*(?P<name>[A-Za-z]{4})\b[^\n]*\n(?:[ \t]*<<<[ \t]*[23]\d\d[^\n]*\n)*[ \t]*<<<[ \t]*[45]\d\d",
        r"in reply to (?:the )?(?:end of )?(?P<name>MAIL|RCPT|DATA|EHLO|HELO)\b",  # Postfix
        r"(?:SMTP error from remote (?:mail )?\w+|command)[ \t]+(?:after[ \t]+)?(?P<name>MAIL|RCPT|DATA|end of data)",  # Exim
        r"did not like our (?P<name>MAIL|RCPT|DATA|final DATA|EHLO)",  # DragonFly
        r"SMTP command\s+(?P<name>MAIL|RCPT|DATA)",
        r"(?P<name>after I sent the message)",  # qmail
        r"\[(?P<name>MAIL_FROM|RCPT_TO|DATA)\]",  # Yahoo
    )
)


def one_line(text: str) -> str:
    return " ".join(text.split())


def near(notice: str, address: str) -> str:
    """The lines about this address: from where it stands to the next blank line or the next other address."""
    lines = notice.split("\n")[:MOST_LINES]
    needle = address.casefold()
    kept: list[str] = []
    for at, line in enumerate(lines):
        if needle not in line.casefold():
            continue
        kept.append(line)
        for following in lines[at + 1 : at + 9]:
            another = _ONE_ADDRESS.fullmatch(following[:300]) and needle not in following.casefold()
            if not following.strip() or another:
                break
            kept.append(following)
        if len(kept) > 40:
            break
    return "\n".join(kept)[:6000]


def plain(notice: str) -> str:
    """Reply lines first, then the notice without the sentences all notices have: "rejected" there says nothing."""
    replies = "\n".join(_REPLY_LINE.findall(notice[:20_000]))
    return f"{replies}\n{_BOILERPLATE.sub(' ', notice[:8000])}"


def refused_command(text: str) -> str:
    """The SMTP command that was refused: MAIL, RCPT, DATA, or "" when nothing tells."""
    for pattern in _COMMANDS:
        found = pattern.search(text)
        if found:
            name = found["name"].upper()
            return "DATA" if "DATA" in name or "SENT" in name else name[:4]
    return ""
