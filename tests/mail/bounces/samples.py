"""Invented returned messages of a small institute, in the shapes that mail servers write."""

HEAD = """Return-Path: <>
From: MAILER-DAEMON@mx.vien.example (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
"""


def report(
    *,
    address: str = "an@docgia.example",
    status: str = "5.1.1",
    said: str = "smtp; 550 5.1.1 <an@docgia.example>: User unknown",
    action: str = "failed",
    notice: str = "",
    to: str = "tin@vien.example",
    original: str = "",
    message_id: str = "<x@vien.example>",
) -> bytes:
    """A delivery status notification as RFC 3464 has it."""
    return (
        HEAD.format(to=to)
        + f"""Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=utf-8

{notice}
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.vien.example

{original}Final-Recipient: rfc822; {address}
Action: {action}
Status: {status}
Diagnostic-Code: {said}

--B
Content-Type: message/rfc822

From: tin@vien.example
To: {address}
Message-ID: {message_id}
Subject: Ban tin

Xin chao.
--B--
"""
    ).encode()


def notice(text: str, *, copy: str = "") -> bytes:
    """A notice in plain text, with or without a copy of our message behind it."""
    return (HEAD.format(to="tin@vien.example") + f"Content-Type: text/plain; charset=utf-8\n\n{text}\n{copy}").encode()


COPY = """
------ This is a copy of the message, including all the headers. ------

Return-Path: <tin@vien.example>
Received: from mx.vien.example by relay.example; Fri, 20 Nov 2026 08:00:00 +0700
From: tin@vien.example
To: binh@docgia.example
Cc: khac@docgia.example
Subject: Ban tin
"""

COMPLAINT = b"""From: fbl@hopthu.example
To: abuse@vien.example
Subject: complaint
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain

This is an email abuse report.
--B
Content-Type: message/feedback-report

Feedback-Type: %s
User-Agent: Hopthu/1
Version: 1
%s
--B
Content-Type: text/rfc822-headers

From: tin@vien.example
To: chi@hopthu.example
Message-ID: <b.1@vien.example>

--B--
"""


def away(
    *, subject: str = "Tự động: vắng mặt", headers: str = "Auto-Submitted: auto-replied\n", text: str = ""
) -> bytes:
    return (
        f"From: an@docgia.example\nTo: tin@vien.example\nSubject: {subject}\n{headers}"
        f"Content-Type: text/plain; charset=utf-8\n\n{text or 'Tôi đi công tác đến 30/11.'}\n"
    ).encode()
