"""How much faster a spliced message is than one built with email.message, and what signing costs.

    python tests/benchmarks/bench_build.py

CPU seconds of one process, medians of seven rounds taken in turn; the ratios, taken within a round, are what counts.
Both sides make the same decoded message (checked first), with two fresh tokens per reader: a Vietnamese digest of 30
items, 72 kB of HTML, links for leaving and preferences, the reader's name in both parts.
"""

import email
import email.policy
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from statistics import median

from newsletter.mail.compile import Frame, Reader, compile_message
from newsletter.mail.dkim import Signer, new_key
from newsletter.mail.encoding import Base64Part, QuotedPart, crlf
from newsletter.mail.markers import fill, make_nonce, marker, split
from newsletter.mail.tokens import Keyring, Purpose
from newsletter.model import MailingId, PersonId, Rendering, new_id
from subscribers import Address

NONCE = make_nonce(b"benchmark", "m")
MAILING = MailingId(new_id())
RING = Keyring({"1": b"k" * 32}, "1")
DATE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
BLURB = "Sau ba vụ, ruộng thử cho năm tấn một héc-ta; bà con giữ lại giống và đổi cho các xã bên cạnh trong vụ tới. "
CELL = (
    '<table role="presentation" style="background:#fff;width:100%;border-collapse:collapse"><tbody><tr>'
    '<td style="direction:ltr;font-size:0;padding:20px 0;text-align:center"><div style="font-size:0;text-align:left;'
    'display:inline-block;vertical-align:top;width:100%"><a href="https://vien.example/tin/{n}" style="color:#0b5">'
    '{title}</a><p style="margin:0;font-family:Arial,sans-serif;font-size:14px;line-height:1.5">{blurb}</p></div>'
    "</td></tr></tbody></table>\n"
)
PEOPLE = [("Đỗ Thị Miên", "mien"), ("Trần Văn Khuê", "khue"), ("Anna Bell", "anna"), ("Lê Thuỷ Tú", "tu")]


def rendering() -> Rendering:
    name, leave, prefs = (marker(NONCE, f) for f in ("subscriber_name", "unsubscribe_url", "preferences_url"))
    cells = "".join(CELL.format(n=n, title=f"Giống lúa số {n}", blurb=BLURB * (22 if n % 2 else 6)) for n in range(30))
    lines = "".join(f"* Giống lúa số {n}\n  {BLURB}\n  https://vien.example/tin/{n}\n" for n in range(30))
    foot = f'<p><a href="{prefs}">Tùy chọn</a> <a href="{leave}">Hủy đăng ký</a></p></body></html>\n'
    return Rendering(
        language="vi",
        subject="Bản tin tuần số 7: ba mươi nhóm cùng thử giống lúa",
        preheader="",
        html=f'<!doctype html><html lang="vi"><body><p>Xin chào {name},</p>\n{cells}{foot}',
        text=f"Xin chào {name},\n\n{lines}\nTùy chọn: {prefs}\nHủy đăng ký: {leave}\n",
    )


RENDERING = rendering()
FRAME = Frame(
    from_name="Bản tin Viện",
    from_address="bantin@vien.example",
    date=DATE,
    domain="vien.example",
    bounce_domain="tra.vien.example",
    one_click=True,
)


def reader(number: int) -> Reader:
    name, local = PEOPLE[number % len(PEOPLE)]
    person = PersonId(f"{number:016d}")
    token = RING.make(Purpose.READER, MAILING, person)
    leave = f"https://vien.example/u/{token}"
    return Reader(
        to=Address(f"{local}{number}", "doc.example"),
        name=name,
        message_id_token=RING.make(Purpose.TRACE, MAILING, person),
        unsubscribe_url=leave,
        values={
            "subscriber_name": name,
            "unsubscribe_url": leave,
            "preferences_url": f"https://vien.example/p/{token}",
        },
    )


def by_email_message(one: Reader) -> bytes:
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"] = "Bản tin Viện <bantin@vien.example>"
    message["To"] = f"{one.name} <{one.to.local}@{one.to.domain}>"
    message["Subject"] = RENDERING.subject
    message["Date"] = format_datetime(DATE)
    message["Message-ID"] = f"<{one.message_id_token}@vien.example>"
    message["List-Unsubscribe"] = f"<{one.unsubscribe_url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(fill(RENDERING.text, NONCE, one.values, html=False))
    message.add_alternative(fill(RENDERING.html, NONCE, one.values, html=True), subtype="html")
    return message.as_bytes()


def assert_same(first: bytes, second: bytes) -> None:
    for kind in ("plain", "html"):
        parts = [
            email.message_from_bytes(raw, policy=email.policy.default).get_body((kind,)) for raw in (first, second)
        ]
        texts = [part.get_payload(decode=True).replace(b"\r\n", b"\n") for part in parts if part is not None]
        assert len(texts) == 2
        assert texts[0] == texts[1]


def rate(build: Callable[[int], object], seconds: float) -> float:
    """Calls per CPU second."""
    start, number = time.process_time(), 0
    while (spent := time.process_time() - start) < seconds:
        for _ in range(5):
            build(number)
            number += 1
    return number / spent


def main() -> None:
    spliced = compile_message(RENDERING, FRAME, nonce=NONCE)
    signed = compile_message(RENDERING, FRAME, nonce=NONCE, signer=Signer("vien.example", "s1", new_key()))
    octets = spliced.splice(reader(0)).mime()
    assert_same(octets, by_email_message(reader(0)))
    ways: dict[str, Callable[[int], object]] = {
        "copy the finished octets": lambda _: bytearray(octets),
        "splice, with both tokens": lambda n: spliced.splice(reader(n)).mime(),
        "splice, sign rsa-2048": lambda n: signed.splice(reader(n)).mime(),
        "tokens and reader alone": reader,
        "email.message": lambda n: by_email_message(reader(n)),
    }
    rounds = [{name: rate(build, 0.4) for name, build in ways.items()} for _ in range(7)]
    print(f"html {len(RENDERING.html.encode()) / 1000:.0f} kB, message {len(octets) / 1000:.0f} kB")
    for name, content in (("text", RENDERING.text), ("html", RENDERING.html)):
        parts = split(content, NONCE)
        sizes = [way(parts, str).size / len(crlf(content)) for way in (QuotedPart, Base64Part)]
        print(f"{name}: quoted-printable x{sizes[0]:.2f}, base64 x{sizes[1]:.2f}")
    for name in ways:
        found = median(one[name] for one in rounds)
        ratio = median(one[name] / one["email.message"] for one in rounds)
        print(f"{name:28} {found:10.0f}/s {1e6 / found:8.1f} us {ratio:8.1f} x email.message")


if __name__ == "__main__":
    main()
