"""How a message reads and looks: each check with a message that trips it, and the clean one that does not."""

from dataclasses import replace

import pytest

from newsletter.locale import labels
from newsletter.mail.cascade import Screen, holds, settled
from newsletter.mail.check import check_message
from newsletter.mail.check_look import runs
from newsletter.mail.compile import compile_message
from newsletter.mail.findings import finding_of, place_told, told
from newsletter.mail.inspected import Said, fault
from newsletter.mail.paint import contrast, read_colour

ADDRESS = "Viện Ví Dụ, 1 đường Ví Dụ"
ITEMS = [
    Said(title=f"Nhóm {n + 1} thử giống lúa chịu mặn ở xã Ví Dụ", url=f"https://vien.example/tin/{n}", language="vi")
    for n in range(6)
]


@pytest.fixture
def judged(rendering, frame, reader, nonce):
    """`judged(changes of the rendering, **what is expected)`: the findings, but that about the missing signature."""

    def judge(changed=(), **expected):
        made = replace(rendering, **dict(changed))
        raw = compile_message(made, frame, nonce=nonce).splice(reader).mime()
        return [one for one in check_message(raw, **expected) if not one.check.startswith("A41")]

    return judge


def codes(findings):
    return {finding.check.split()[0] for finding in findings}


def test_the_clean_digest_has_nothing_to_mend_when_everything_is_known(judged):
    assert judged(language="vi", items=ITEMS) == []


SUBJECTS = [
    ("", "error", "is empty"),
    ("Số 7: sáu nhóm cùng thử giống lúa chịu mặn ở đồng bằng sông Ví Dụ", "note", "Gmail on a phone"),
    ("Re: số 7 của bản tin", "warning", "begins with “Re:”"),
    ("Trả lời: số 7 của bản tin", "warning", "as if it answered"),
    ("SỐ BẢY CỦA BẢN TIN TUẦN", "warning", "capitals"),
    ("Tin vui!! Số 7", "warning", "shouts"),
]


@pytest.mark.parametrize(("subject", "level", "words"), SUBJECTS)
def test_a_poor_subject_is_found_out(message, subject, level, words):
    head, _, body = message.mime().partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    at = next(n for n, line in enumerate(lines) if line.startswith(b"Subject:"))
    after = next(n for n in range(at + 1, len(lines)) if not lines[n].startswith(b" "))
    from newsletter.mail.headers import text_header

    given = text_header("Subject", subject) if subject else b"Subject: \r\n"
    raw = b"\r\n".join([*lines[:at], given.rstrip(b"\r\n"), *lines[after:]]) + b"\r\n\r\n" + body
    found = [one for one in check_message(raw) if one.check.startswith("X05")]
    assert [(one.level, words in one.message) for one in found] == [(level, True)]


@pytest.mark.parametrize("subject", ["Số 7: sáu nhóm thử giống lúa chịu mặn", "VX-7", "Lúa chịu mặn: có nên trồng?"])
def test_an_ordinary_subject_is_left_alone(judged, subject):
    assert "X05" not in codes(judged([("subject", subject)]))


HTML = [
    ("<h1>Bản tin tuần</h1>", "", "X02"),  # the first heading is then h2
    ("<h1>Bản tin tuần</h1>", "<h1>Bản tin</h1><h1>tuần</h1>", "X02"),
    ("<h2>", "<h4>", "X02"),
    ("<h1>Bản tin tuần</h1>", "<h1>Bản tin tuần</h1><h2></h2>", "X02"),
    ("</table>", '</table><a href="https://vien.example/tin/1">Xem thêm</a>', "X04"),
    ("</table>", '</table><a href="https://vien.example/tin/1">read more »</a>', "X04"),
    ("</table>", '</table><a href="https://vien.example/2"><img src="https://a.example/a" alt="" width=9 height=9></a>', "X04"),
    ("Xin chào", "Xin chào %recipient%", "X01"),
    ("Xin chào", "Xin chào [FIRST_NAME]", "X01"),
    ("Xin chào", "Lorem ipsum dolor", "X01"),
    ("Xin chào", "TODO: Xin chào", "X01"),
    ("https://vien.example/tin/1", "https://vien.example/{{ tin }}", "X01"),
    ('<p>Sau ba vụ', '<p style="color:#bbb">Sau ba vụ', "A54"),
    ("<p>Sau ba vụ", '<p style="color:#fdfdfd">Sau ba vụ', "A54"),
    ('<table role="presentation">', '<table role="presentation" bgcolor="#222222">', "A54"),
    ("</head>", "<style>h2 a { color: #aaa }</style></head>", "A54"),
    ("</head>", "<style>@media (prefers-color-scheme: dark) { body { background: #111; color: #333 } }</style></head>", "A54"),
    ("<p>Sau ba vụ", '<p style="font-size:9px">Sau ba vụ', "X09"),
    ("</table>", '</table><img src="https://vien.example/o.gif" alt="" width="1" height="1">', "A48"),
    ('height="80"', "", "A48"),
    ('alt="Ruộng thử"', 'alt="IMG_2041.jpg"', "A48"),
    ("</table>", "</table><style>p { margin: 0 }</style>", "X08"),
    ("</head>", "<style>p { margin: 0 </style></head>", "X08"),
    ("</head>", "<style>p { position: fixed }</style></head>", "X08"),
    ("</head>", f"<style>{'p { margin: 0 } ' * 1100}</style></head>", "X08"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code"), HTML)
def test_poor_reading_or_looks_are_found_out(rendering, judged, old, new, code):
    html = rendering.html.replace(old, new)
    assert html != rendering.html
    assert codes(judged([("html", html)])) - {"A12"} == {code}


def test_a_digest_without_headings_is_told_of(rendering, judged):
    html = rendering.html.replace("h1>", "p>").replace("h2>", "p>")
    assert codes(judged([("html", html)])) == {"X02"}


@pytest.mark.parametrize(
    ("preheader", "words"),
    [
        ("Ngắn", "only"),
        ("Sáu nhóm cùng thử giống lúa chịu mặn qua ba vụ liền ở các xã ven cửa sông, và 12 tin khác nữa", "keep it under 90"),
        ("Số 7: sáu nhóm cùng thử giống lúa chịu mặn", "says the subject again"),
    ],
)  # fmt: skip
def test_a_preheader_of_the_wrong_length_is_told_with_what_is_shown(rendering, judged, preheader, words):
    html = rendering.html.replace(rendering.preheader, preheader)
    [found] = judged([("html", html)])
    assert found.check == "A52 preheader"
    assert words in found.message


def test_the_language_must_be_that_of_the_rendering_and_its_direction(rendering, judged):
    assert codes(judged(language="en")) == {"X03"}
    arabic = rendering.html.replace('lang="vi"', 'lang="ar"')
    assert codes(judged([("html", arabic)], language="ar")) == {"X03"}
    turned = arabic.replace('lang="ar"', 'lang="ar" dir="rtl"')
    assert judged([("html", turned)], language="ar") == []


def test_an_item_in_another_language_must_be_marked_so(rendering, judged):
    foreign = [ITEMS[0]._replace(language="en"), *ITEMS[1:]]
    assert codes(judged(items=foreign)) == {"X03"}
    html = rendering.html.replace(
        '<a href="https://vien.example/tin/0"', '<a lang="en" href="https://vien.example/tin/0"'
    )
    assert judged([("html", html)], items=foreign) == []


def test_an_item_that_one_part_leaves_out_blocks(rendering, judged):
    text = rendering.text.replace(f"* {ITEMS[2].title}\n", "* \n").replace(ITEMS[2].url, "")
    found = judged([("text", text)], items=ITEMS)
    assert {(one.check.split()[0], one.level) for one in found} == {("A12", "warning"), ("X07", "error")}
    assert any(ITEMS[2].title in one.message for one in found)


def test_another_order_in_the_text_is_told(rendering, judged):
    first, second = (f"{ITEMS[n].url}\n" for n in (0, 1))
    swapped = rendering.text.replace(first, "@\n").replace(second, first).replace("@\n", second)
    assert codes(judged([("text", swapped)], items=ITEMS)) == {"X07"}


def test_an_item_that_is_only_on_the_web_is_a_note(judged):
    [found] = judged(items=[*ITEMS, Said(title="Một bài khác", url="https://vien.example/tin/99")])
    assert (found.check, found.level) == ("X07 both parts alike", "note")


def test_what_an_article_itself_says_is_no_left_over(rendering, judged):
    html = rendering.html.replace("Sau ba vụ", "Dùng {{ ten }} sau ba vụ", 1)
    said = [ITEMS[0]._replace(words="Dùng {{ ten }} sau ba vụ"), *ITEMS[1:]]
    assert [one.level for one in judged([("html", html)])] == ["error"]
    assert [one.level for one in judged([("html", html)], items=said)] == ["note"]


def test_the_postal_address_must_stand_in_both_parts(rendering, judged):
    assert {one.where for one in judged(postal=ADDRESS)} == {"text"}
    assert judged([("text", f"{rendering.text}\nViện Ví Dụ,\n1 đường Ví Dụ\n")], postal=ADDRESS) == []
    [unset] = judged(postal="")
    assert (unset.check, unset.level) == ("A46 postal address", "warning")


def test_pictures_inside_the_message_are_weighed(message):
    picture = b"QUFB" * 18 + b"\r\n"
    part = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + picture * 4_200
    raw = message.mime()
    edge = next(line for line in raw.split(b"\r\n") if line.startswith(b"--=_") and line.endswith(b"--"))
    heavy = raw.replace(edge, edge[:-2] + b"\r\n" + part + edge)
    [found] = [one for one in check_message(heavy) if one.check.startswith("X10")]
    assert "227 kB" in found.message


# ---------------------------------------------------------------- how it is said


def test_a_finding_is_said_in_both_languages_with_numbers_as_they_are_written_there():
    found = finding_of(
        "A54 contrast", fault("error", "html", "has {n} octets; keep it under {most}", n=12345678, most=10_000_000)
    )
    assert found.message == "has 12,345,678 octets; keep it under 10,000,000"
    assert told(labels("vi"), found) == "nặng 12.345.678 byte; hãy giữ dưới 10.000.000"
    assert told(labels("vi"), replace(found, template="")) == found.message
    assert place_told(labels("vi"), "vi: html") == "vi: phần HTML"
    assert place_told(labels("vi"), "list-unsubscribe") == "list-unsubscribe"


def test_a_value_is_never_read_as_a_pattern():
    found = finding_of(
        "X", fault("note", "html", "“{what}” is left in the text; finish it or take it out", what="{n}{what}")
    )
    assert "“{n}{what}”" in found.message


# ---------------------------------------------------------------- colours and styles


@pytest.mark.parametrize(
    ("text", "shade"),
    [
        ("#0b4f8a", (11, 79, 138, 1.0)),
        ("#FFF", (255, 255, 255, 1.0)),
        ("rgb(1, 2, 3)", (1, 2, 3, 1.0)),
        ("rgba(1,2,3,.5)", (1, 2, 3, 0.5)),
        ("rgb(1 2 3 / 50%)", (1, 2, 3, 0.5)),
        ("White !important", (255, 255, 255, 1.0)),
        ("transparent", (0, 0, 0, 0.0)),
        ("inherit", None),
        ("url(x)", None),
        ("#12345", None),
        ("", None),
    ],
)
def test_colours_are_read_as_mail_writes_them(text, shade):
    assert read_colour(text) == shade


def test_contrast_is_wcags():
    assert contrast((0, 0, 0), (255, 255, 255)) == 21
    assert round(contrast((0x55, 0x60, 0x6E), (255, 255, 255)), 1) == 6.4


@pytest.mark.parametrize(
    ("query", "width", "dark", "true"),
    [
        ("(min-width: 480px)", 600, False, True),
        ("only screen and (min-width:480px)", 320, False, False),
        ("(max-width: 30em)", 480, False, True),
        ("(prefers-color-scheme: dark)", 600, True, True),
        ("(prefers-color-scheme: dark)", 600, False, False),
        ("print", 600, False, False),
        ("not screen", 600, False, False),
        ("print, (min-width: 1px)", 600, False, True),
        ("(min-resolution: 2dppx)", 600, False, False),
    ],
)
def test_media_queries_are_answered(query, width, dark, true):
    assert holds(query, Screen(width=width, dark=dark)) is true


def test_rules_are_put_in_place_by_screen_and_scheme():
    html = (
        "<html><head><style>p { color: red } @media (max-width: 400px) { p { color: green } }"
        "@media (prefers-color-scheme: dark) { p { color: blue !important } }</style></head>"
        '<body><p style="margin:0">chữ</p></body></html>'
    )
    for screen, colour in ((Screen(), (255, 0, 0)), (Screen(width=320), (0, 128, 0)), (Screen(dark=True), (0, 0, 255))):
        [run] = runs(html, screen)
        assert run.ink.colour == colour
    assert "<style" not in settled(html, Screen())


@pytest.mark.parametrize(
    "css", ["p { color: red", "}}}", "@media {{{", "p { } /* never closed", "@media (x) { p { color: red } ", "\x00"]
)
def test_a_broken_sheet_breaks_nothing(css):
    html = f"<html><head><style>{css}</style></head><body><p>chữ</p></body></html>"
    assert [run.text for run in runs(html, Screen())] == ["chữ"]


def test_hidden_words_and_words_over_pictures_are_not_judged():
    body = (
        '<div style="display:none;color:#fff">a1</div><div style="opacity:0">b1</div><p style="max-height:0px">c1</p>'
        '<td background="x.png"><span style="color:#fff">d1</span></td><p style="background:url(x.png)">e1</p><p>f1</p>'
    )
    found = runs(f"<html><body><table>{body}</table></body></html>", Screen())
    assert {run.text: run.ratio is None for run in found} == {"d1": True, "e1": True, "f1": False}


@pytest.mark.parametrize(
    "body",
    [
        "<style>" * 20_000,
        "<!-- " * 20_000,
        f"<style>{'a{' * 20_000}</style>",
        "<div>" * 30_000,
        "<div></zz>" * 30_000,
        f'<p style="{"a:b;" * 50_000}">x</p>',
        f'<p style="a:{"(" * 50_000}">x</p>',
        f"<style>{'@media x{' * 20_000}</style>",
    ],
    ids=["styles", "comments", "braces", "depth", "stray closings", "declarations", "brackets", "media"],
)
def test_a_message_made_to_hang_or_crash_a_checker_is_judged(body):
    """Deep nesting once ended the process inside the inliner, and semicolons were counted in quadratic time."""
    raw = f"From: a@b.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>{body}"
    assert check_message(raw.encode())


def test_semicolons_in_brackets_part_nothing():
    from newsletter.mail.cascade import declarations

    assert declarations("background: url(data:a;b) red; ;color : blue !important;x") == [
        ("background", "url(data:a;b) red"),
        ("color", "blue !important"),
    ]
