import dataclasses
import random
from datetime import timedelta

import pytest

from newsletter.mail import dkim
from newsletter.mail.check import check_message
from newsletter.mail.compile import compile_message


@pytest.fixture
def known(rendering, message, pem, sent_at):
    """What the sender of the digest knows about it."""
    return {
        "from_domain": "vien.example",
        "rcpt": "ba.mien@doc.example",
        "subject": rendering.subject,
        "mail_from": message.mail_from,
        "dkim_public": dkim.dns_record(pem),
        "now": sent_at,
    }


def checks(findings):
    return {finding.check.split()[0] for finding in findings}


def test_our_own_message_is_clean(message, known):
    assert check_message(message.mime(), **known) == []
    assert check_message(message.mime()) == []


def test_what_is_not_as_expected_is_found(message, known, sent_at):
    raw = message.mime()
    wrong = {
        "from_domain": ("khac.example", "A05 A06"),
        "rcpt": ("ai.do@doc.example", "A07"),
        "subject": ("Một tiêu đề khác", "A08"),
        "mail_from": ("x" * 65 + "@vien.example", "A31"),
        "dkim_public": (dkim.dns_record(dkim.new_key()), "A41"),
        "now": (sent_at + timedelta(hours=1), "A04"),
    }
    for name, (value, check) in wrong.items():
        assert checks(check_message(raw, **{**known, name: value})) == set(check.split())


@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        (b"From: ", b"nonsense\r\nFrom: ", "A00"),
        (b"MIME-Version: 1.0\r\n", b"MIME-Version: 1.0\n", "A01"),
        (b"Precedence: bulk", b"X-Long: " + b"y" * 1000, "A02"),
        (b"Precedence: bulk", b"Bcc: a@b.example", "A03"),
        (b"To: ", b"To: a@b.example\r\nTo: ", "A03"),
        (b"Date: Mon, 02 Mar 2026 01:00:00 +0000", b"Date: yesterday", "A04"),
        (b"Date: Mon, 02 Mar 2026 01:00:00 +0000", b"Date: Mon, 02 Mar 2026 01:00:00 EST", "A04"),
        (b"<1abc@vien.example>", b"1abc", "A05"),
        (b"<bantin@vien.example>", b"nobody", "A06"),
        (b"<ba.mien@doc.example>", b"<ba.mien@doc.example>, b@c.example", "A07"),
        (b"Subject: =?utf-8?b?", b"Subject: =?utf-8?b?4buX?=x=?utf-8?b?", "A09"),
        (b"Subject: =?utf-8?b?", b"Subject: =?utf-8?b?4bs=?= =?utf-8?b?", "A09"),
        (b"Precedence: bulk", "X-Tên: ễ".encode(), "A10"),
        (b"text/plain", b"text/x-plain", "A11"),
        (b"Transfer-Encoding: base64", b"Transfer-Encoding: uuencode", "A13"),
        (b"Transfer-Encoding: base64\r\n\r\n", b"Transfer-Encoding: base64\r\n\r\n%%%%\r\n", "A13"),
        (b"--\r\n", b"", "A15"),
        (b"<https://vien.example/u/k7m2>", b"<http://vien.example/u/k7m2>", "A19"),
        (b"<https://vien.example/u/k7m2>", b"<https://vien.example\r\n /u/k7m2>", "A19"),
        (b"<https://vien.example/u/k7m2>", b"=?utf-8?q?=3Chttps=3A?=", "A19"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b"", "A20"),
        (b":list-unsubscribe-post", b"", "A21"),
        (b"<https://vien.example/u/k7m2>", b"<https://vien.example/u/?a=b%40c.example>", "A22"),
        (b"<tuan.vien.example>", b"tuan", "A23"),
        (b"Archived-At: <https:", b"Archived-At: <http:", "A24"),
        (b"auto-generated", b"yes", "A25"),
        (b"Feedback-ID: ", b"Feedback-ID: a:b:", "A26"),
        (b"Precedence: bulk", b"X-Campaign-Id: 17", "A27"),
        (b"Reply-To: toasoan@vien.example", b"Reply-To: toasoan", "A28"),
        (b"Precedence: bulk", b"Disposition-Notification-To: a@b.example", "A29"),
        (b"c=relaxed/relaxed", b"c=simple/simple", "A42"),
        (b"h=from:from", b"h=from", "A42"),
        (b"d=vien.example", b"d=other.example", "A44"),
        (b"Precedence: bulk", b"ARC-Seal: i=1", "A45"),
    ],
)
def test_a_damaged_message_is_found_out(message, old, new, check):
    raw = message.mime().replace(old, new, 1)
    assert raw != message.mime()
    assert check in checks(check_message(raw))


@pytest.mark.parametrize(
    ("old", "new", "check"),
    [
        ("</table>", '</table><a href="https://vien.example/rieng">riêng</a>', "A12"),
        ('lang="vi"', "", "A14"),
        ("<title>Bản tin tuần số 7</title>", "", "A14"),
        ("</table>", "</table>\ufffd", "A16"),
        ("</table>", "</table>" + "<p>dài</p>" * 8_200, "A17"),
        ("</table>", "</table>" + "<p>dài</p>" * 9_200, "A17"),
        ("Hủy đăng ký", "xem", "A46"),
        ("https://vien.example/a1.jpg", "http://vien.example/a1.jpg", "A47"),
        ('<a href="https://vien.example/tin/1"', '<a href="http://vien.example/tin/1"', "A47"),
        ('alt="Ruộng thử"', "", "A48"),
        ('width="120"', "", "A48"),
        ("https://vien.example/a1.jpg", "data:image/png;base64,AAAA", "A48"),
        ("</table>", "</table><script>x</script>", "A49"),
        ("<p>", '<p onclick="x()">', "A49"),
        ("https://vien.example/tin/1", "javascript:alert(1)", "A49"),
        ("<head>", '<head><meta http-equiv="Refresh" content="0">', "A49"),
        ("<head>", '<head><style>@import "x";</style>', "A49"),
        ("https://vien.example/tin/1", "https://192.0.2.7/x", "A51"),
        ("https://vien.example/tin/1", "https://bit.ly/x", "A51"),
        ("</table>", '</table><a href="https://vien.example/tin/1">nganhang.example</a>', "A51"),
        ('<div style="display:none">', "<div>", "A52"),
        ('<div style="display:none">', f'<div style="display:none">{"dài " * 50}', "A52"),
        ("Xin chào", "Xin chào {{ ten }}", "X01"),
        ("Xin chào", "Xin chào *|FNAME|*", "X01"),
    ],
)
def test_poor_content_is_found_out(rendering, frame, reader, nonce, old, new, check):
    html = rendering.html.replace(old, new)
    assert html != rendering.html
    compiled = compile_message(dataclasses.replace(rendering, html=html), frame, nonce=nonce)
    assert checks(check_message(compiled.splice(reader).mime())) - {"A41", "A12"} == {check} - {"A12"}
    if check == "A12":
        assert "A12" in checks(check_message(compiled.splice(reader).mime()))


def test_html_near_the_limit_warns_and_over_it_blocks(rendering, frame, reader, nonce):
    levels = []
    for count in (8_200, 9_200):
        html = rendering.html.replace("</table>", "</table>" + "<p>dài</p>" * count)
        raw = compile_message(dataclasses.replace(rendering, html=html), frame, nonce=nonce).splice(reader).mime()
        levels += [finding.level for finding in check_message(raw) if finding.check.startswith("A17")]
    assert levels == ["warning", "error"]


def test_another_mailings_marker_is_found_out(rendering, frame, reader, nonce):
    raw = compile_message(rendering, frame, nonce="0" * 16).splice(reader).mime()
    assert "X01" in checks(check_message(raw))


def test_an_unsigned_message_is_a_warning_only(rendering, frame, reader, nonce):
    [finding] = check_message(compile_message(rendering, frame, nonce=nonce).splice(reader).mime())
    assert (finding.check, finding.level) == ("A41 signature", "warning")


def test_a_letter_needs_no_list_headers(rendering, frame, reader, nonce, pem):
    letter = dataclasses.replace(
        frame, list_id=None, list_unsubscribe_mailto=None, one_click=False, precedence_bulk=False, feedback_id=None
    )
    signer = dkim.Signer("vien.example", "s1", pem)
    plain = reader._replace(unsubscribe_url=None)
    raw = compile_message(rendering, letter, nonce=nonce, signer=signer).splice(plain).mime()
    assert check_message(raw) == []
    assert b"List-" not in raw


def test_worst_findings_come_first(message):
    raw = message.mime().replace(b"Precedence: bulk", b"X-Campaign-Id: 17\r\nBcc: a@b.example", 1)
    levels = [finding.level for finding in check_message(raw)]
    assert levels == sorted(levels)
    assert len(set(levels)) == 2


@pytest.mark.parametrize("count", [200, pytest.param(5_000, marks=pytest.mark.proof)])
def test_any_octets_can_be_checked(message, count):
    dice = random.Random(count)
    raw = message.mime()
    for _ in range(count):
        octets = bytearray(raw[: dice.randint(0, len(raw))])
        for _ in range(dice.randint(0, 30) if octets else 0):
            octets[dice.randrange(min(len(octets), 1500))] = dice.choice(b'\r\n\0 \t:=?<>"(),;@\xff\xc3a0')
        assert check_message(bytes(octets))
