"""How much faster a spliced message is than one built with email.message, and what signing costs.

    python tests/benchmarks/bench_build.py

CPU seconds of one process, medians of fifteen rounds taken in turn; the ratios, taken within a round, are what counts.
Both sides make the same decoded message (checked first) and start from what the store gives (person, address, name,
day): two fresh tokens and the reader's values are made for each. A Vietnamese digest of 30 items, 72 kB of HTML, links
for leaving and preferences, the reader's name in both parts. Cut: items have topics, and readers chose some of them in
forty ways.
"""

import email
import email.policy
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import combinations
from statistics import median

from newsletter.compose.markup import wrapped
from newsletter.mail.compile import Frame, Reader, compile_message
from newsletter.mail.dkim import Signer, new_key
from newsletter.mail.encoding import Base64Part, QuotedPart, crlf
from newsletter.mail.frames import reader_of
from newsletter.mail.markers import FIELDS, Slot, fill, make_nonce, marker, segment_marks, split
from newsletter.mail.segments import joined
from newsletter.mail.tokens import Keyring
from newsletter.model import (
    Mailing,
    MailingId,
    MailingKind,
    MailingState,
    PersonId,
    Rendering,
    Segments,
    new_id,
)
from subscribers import Address

NONCE = make_nonce(b"benchmark", "m")
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
PEOPLE = [
    (PersonId(f"{number:016d}"), Address(f"{local}{number}", "doc.example"), name, date(2020 + number % 6, 3, 2))
    for number in range(100)
    for name, local in [
        (("Đỗ Thị Miên", "mien"), ("Trần Văn Khuê", "khue"), ("Anna Bell", "anna"), ("Lê Thuỷ Tú", "tu"))[number % 4]
    ]
]
TOPICS = ("biển", "lúa", "rừng", "nước", "đất", "gió")
CHOICES = [chosen for size in (1, 2, 3) for chosen in combinations(TOPICS, size)][:40]


HEAD = '<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>Bản tin Viện</title></head>'


def rendering() -> Rendering:
    name, leave, prefs = (marker(NONCE, f) for f in ("subscriber_name", "unsubscribe_url", "preferences_url"))
    # Blurbs of 400 and 1,500 octets stand for what MJML adds around shorter ones.
    cells = "".join(CELL.format(n=n, title=f"Giống lúa số {n}", blurb=BLURB * (22 if n % 2 else 6)) for n in range(30))
    lines = "".join(f"* Giống lúa số {n}\n  {BLURB}\n  https://vien.example/tin/{n}\n" for n in range(30))
    foot = f'<p><a href="{prefs}">Tùy chọn</a> <a href="{leave}">Hủy đăng ký</a></p></body></html>\n'
    return Rendering(
        language="vi",
        subject="Bản tin tuần số 7: ba mươi nhóm cùng thử giống lúa",
        preheader="",
        html=wrapped(f"{HEAD}<body><p>Xin chào {name},</p>\n{cells}{foot}"),
        text=f"Xin chào {name},\n\n{lines}\nTùy chọn: {prefs}\nHủy đăng ký: {leave}\n",
    )


def with_topics(plain: Rendering) -> Rendering:
    """The same with each item a segment of one topic."""
    html, text, start = plain.html, plain.text, 0
    for n in range(30):
        start = html.index("<table", start)
        end = html.index("</table>", start) + len("</table>")
        begin, stop = segment_marks(NONCE, [n], html=True)
        html = html[:start] + begin + html[start:end] + stop + html[end:]
        start = end + len(begin) + len(stop)
        line = f"* Giống lúa số {n}\n  {BLURB}\n  https://vien.example/tin/{n}\n"
        text = text.replace(line, line.join(segment_marks(NONCE, [n], html=False)))
    segments = Segments(topics=tuple((TOPICS[n % len(TOPICS)],) for n in range(30)))
    return replace(plain, html=html, text=text, segments=segments)


RENDERING = rendering()
FRAME = Frame(
    from_name="Bản tin Viện",
    from_address="bantin@vien.example",
    date=DATE,
    domain="vien.example",
    bounce_domain="tra.vien.example",
    one_click=True,
)


MAILING = Mailing(
    id=MailingId(new_id()),
    kind=MailingKind.ISSUE,
    state=MailingState.SENDING,
    issue_id=None,
    list_slug="tuan",
    sender_name="Bản tin Viện",
    unknown_policy="hold",
    content_hash="",
    nonce=NONCE,
)


WANTED = frozenset(("subscriber_name", "unsubscribe_url", "preferences_url"))


def reader(number: int, topics: tuple[str, ...] = ()) -> Reader:
    person, address, name, since = PEOPLE[number % len(PEOPLE)]
    return reader_of(
        MAILING,
        person,
        keyring=RING,
        base_url="https://vien.example",
        address=address,
        name=name,
        since=since,
        language="vi",
        topics=topics,
        wanted=WANTED,
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
        for _ in range(20):
            build(number)
            number += 1
    return number / spent


def main() -> None:
    spliced = compile_message(RENDERING, FRAME, nonce=NONCE)
    signed = compile_message(RENDERING, FRAME, nonce=NONCE, signer=Signer("vien.example", "s1", new_key()))
    cut = compile_message(with_topics(RENDERING), FRAME, nonce=NONCE)
    octets = spliced.splice(reader(0)).mime()
    eight_bit = spliced.splice(reader(0)).mime(eight_bit=True)
    for number in range(8):
        wanted = by_email_message(reader(number))
        assert_same(spliced.splice(reader(number)).mime(), wanted)
        assert_same(spliced.splice(reader(number)).mime(eight_bit=True), wanted)
        assert_same(cut.splice(reader(number)).mime(), wanted)
    ways: dict[str, Callable[[int], object]] = {
        "copy the finished octets": lambda _: bytearray(octets),
        "copy the finished 8bit octets": lambda _: bytearray(eight_bit),
        "splice, with both tokens": lambda n: spliced.splice(reader(n)).mime(),
        "splice, 8bit": lambda n: spliced.splice(reader(n)).mime(eight_bit=True),
        "splice, cut by topics": lambda n: cut.splice(reader(n, CHOICES[n % len(CHOICES)])).mime(),
        "splice, sign rsa-2048": lambda n: signed.splice(reader(n)).mime(),
        "tokens and reader alone": reader,
        "email.message": lambda n: by_email_message(reader(n)),
    }
    rounds = [{name: rate(build, 0.1) for name, build in ways.items()} for _ in range(15)]
    size, plain = len(octets) / 1000, len(eight_bit) / 1000
    print(f"html {len(RENDERING.html.encode()) / 1000:.0f} kB, message {size:.0f} kB, as 8bit {plain:.0f} kB")
    for name, content in (("text", RENDERING.text), ("html", RENDERING.html)):
        parts = split(content, NONCE)
        content_of = joined(part for part in parts if isinstance(part, str | Slot))
        sizes = [way(content_of, FIELDS).size / len(crlf(content)) for way in (QuotedPart, Base64Part)]
        print(f"{name}: quoted-printable x{sizes[0]:.2f}, base64 x{sizes[1]:.2f}")
    for name in ways:
        found = median(one[name] for one in rounds)
        ratio = median(one[name] / one["email.message"] for one in rounds)
        copy = "copy the finished 8bit octets" if "8bit" in name else "copy the finished octets"
        share = median(one[name] / one[copy] for one in rounds)
        print(f"{name:30} {found:9.0f}/s {1e6 / found:7.1f} us {ratio:7.1f} x email.message {share:6.2f} of its copy")


if __name__ == "__main__":
    main()
