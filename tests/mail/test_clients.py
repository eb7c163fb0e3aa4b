"""Simulated mail programs: what each takes out of a message, and that it says so."""

import json
import random
from datetime import date

import pytest

from newsletter.locale import labels
from newsletter.mail.cascade import Screen, tree_of
from newsletter.mail.check_look import runs
from newsletter.mail.clients import CLIENTS, ClientName, basis, changed, dark, simulate, word
from newsletter.mail.clients.features import of_declaration, of_media, of_selector
from newsletter.mail.clients.listen import spoken
from newsletter.mail.clients.refresh import reduced
from newsletter.mail.clients.support import support_of

PAGE = """<!doctype html><html lang="vi"><head><title>Bản tin</title>
<style>.card > p {{ color: #123456 }} @media (max-width: 480px) {{ h1 {{ font-size: 20px }} }}
@media (prefers-color-scheme: dark) {{ body {{ background: #000 }} h1, p {{ color: #fff !important }} }}</style>{head}</head>
<body style="background:#ffffff"><table role="presentation"><tr><td style="padding:8px"><h1 style="color:#222">Tin tuần</h1>
<div class="card"><p style="{style}">Sáu phao đo sóng</p></div>{more}</td></tr></table></body></html>"""


def page(*, head="", style="", more=""):
    return PAGE.format(head=head, style=style, more=more)


def shown(client, html, text="Sáu phao đo sóng", **how):
    return simulate(client, html, text, **how)


def said(made):
    return " | ".join(loss.message for loss in made.losses)


@pytest.mark.parametrize("client", list(ClientName))
def test_no_program_loses_the_words_of_a_plain_message(client):
    made = shown(client, page())
    assert "Sáu phao đo sóng" in (made.html or made.text)
    assert (made.html is None) is (client in (ClientName.TEXT, ClientName.SCREEN_READER))
    assert (made.data is None) is (not CLIENTS[client].tested)


def test_the_data_is_caniemails_with_its_day():
    assert basis().source.startswith("https://www.caniemail.com")
    assert date(2024, 1, 1) < basis().updated
    for client in CLIENTS.values():
        if client.tested:
            assert len(support_of(client.tested).answers) > 200
    with pytest.raises(KeyError):
        support_of("pigeon/post")


@pytest.mark.parametrize(
    ("client", "style", "kept"),
    [
        (ClientName.OUTLOOK, "border-radius:6px", False),
        (ClientName.OUTLOOK, "max-width:600px", False),
        (ClientName.OUTLOOK, "padding:9px", False),  # on a p; on a td it stays
        (ClientName.OUTLOOK, "background-image:url(x.png)", False),
        (ClientName.OUTLOOK, "background:#eee url(x.png)", False),
        (ClientName.OUTLOOK, "background:#eee", True),
        (ClientName.OUTLOOK, "background-color:#eee", True),
        (ClientName.OUTLOOK, "margin:0 auto", False),
        (ClientName.OUTLOOK, "margin:0 4px", True),
        (ClientName.OUTLOOK, "font-size:2rem", False),
        (ClientName.OUTLOOK, "color:#123456", True),
        (ClientName.GMAIL, "border-radius:6px", True),
        (ClientName.GMAIL, "max-width:600px", True),
        (ClientName.GMAIL, "position:absolute", False),
        (ClientName.GMAIL, "animation:x 1s", False),
        (ClientName.APPLE_DARK, "border-radius:6px", True),
    ],
)
def test_a_declaration_stays_or_goes_after_the_tests(client, style, kept):
    made = shown(client, page(style=style)).html
    value = style.split(":", 1)[1]
    assert (value.replace(" ", "") in made.replace(" ", "")) is kept


def test_padding_of_cells_stays_in_outlook():
    assert "padding: 8px" in shown(ClientName.OUTLOOK, page()).html


def test_outlook_opens_what_is_meant_for_it_and_drops_what_is_not():
    more = (
        "<!--[if mso]><b>nút cho Word</b><![endif]--><!--[if mso | IE]><i>cả hai</i><![endif]-->"
        "<!--[if !mso]><!--><u>cho người khác</u><!--<![endif]--><!--[if lte mso 11]><s>cũ</s><![endif]-->"
        "<!--[if mso]><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml><v:rect>hình</v:rect><![endif]-->"
    )
    made = shown(ClientName.OUTLOOK, page(more=more))
    assert "nút cho Word" in made.html
    assert "cả hai" in made.html
    assert "cho người khác" not in made.html
    assert "cũ" not in made.html
    assert "96" not in made.html
    assert "VML" in said(made)
    others = shown(ClientName.GMAIL, page(more=more)).html
    assert "cho người khác" in others
    assert word.opened(page()) == page()


@pytest.mark.parametrize(
    ("condition", "meant"),
    [("mso", True), ("gte mso 9", True), ("lt mso 16", False), ("(gte mso 9)|(IE)", True), ("!mso", False),
     ("IE", False), ("mso 16", True), ("(mso)&(gt mso 15)", True), ("mso 12", False)],
)  # fmt: skip
def test_conditions_are_answered_as_word_does(condition, meant):
    assert word.means_word(condition) is meant


def test_outlook_and_gmail_know_no_dark_rules_and_outlook_no_media_at_all():
    outlook, gmail = (shown(client, page()) for client in (ClientName.OUTLOOK, ClientName.GMAIL))
    assert "@media" not in outlook.html
    assert "prefers-color-scheme" not in gmail.html
    assert "max-width: 480px" in gmail.html
    assert ".card > p" in gmail.html
    assert ".card > p" not in outlook.html
    assert "prefers-color-scheme" in said(gmail)


def test_gmail_cuts_off_and_says_what_is_behind():
    more = "".join(f'<p>Tin số {n} <a href="https://vien.example/{n}">đọc</a></p>' for n in range(2_000))
    made = shown(ClientName.GMAIL, page(more=more))
    assert "[Message clipped]" in made.html
    assert len(made.html.encode()) < 110_000
    assert "is cut off at 102 of" in said(made)
    assert tree_of(made.html) is not None
    assert "clipped" not in shown(ClientName.GMAIL, page()).html


def test_gmail_drops_styles_over_16_kb_broken_ones_and_those_in_the_body():
    big = f"<style>{'h1 { margin: 0 } ' * 1_000}</style>"
    made = shown(
        ClientName.GMAIL, page(head=f"{big}<style>h1 {{ padding: 1px</style>", more="<style>i { color: red }</style>")
    )
    assert "margin: 0" not in made.html
    assert "padding: 1px" not in made.html
    assert "color: red" not in made.html
    assert "16 are read" in said(made)
    assert "have a fault" in said(made)


def test_another_account_in_gmails_app_loses_every_sheet():
    made = shown(ClientName.GMAIL_OTHER, page())
    assert "<style" not in made.html
    assert "all 1 <style> blocks are dropped" in said(made)


@pytest.mark.parametrize(
    "client", [ClientName.GMAIL_ANDROID_DARK, ClientName.GMAIL_IPHONE_DARK, ClientName.OUTLOOK_DARK]
)
def test_dark_modes_that_recolour_leave_light_words_on_dark_ground(client):
    made = shown(client, page())
    title = next(run for run in runs(made.html, Screen()) if run.text == "Tin tuần")
    assert sum(title.ink.ground) < 150
    assert sum(title.ink.colour) > 450


def test_the_two_ways_of_recolouring_differ_on_what_is_dark_already():
    html = page(more='<p style="background:#0b3c66;color:#ffffff">đầu trang</p>')

    def band(made):
        return next(run for run in runs(made, Screen()) if run.text == "đầu trang").ink

    assert band(dark.partial(html, Screen())).ground == (0x0B, 0x3C, 0x66)
    assert sum(band(dark.full(html, Screen())).ground) > 300


def test_words_that_fade_when_recoloured_are_named():
    html = page(more='<p style="background:#777777;color:#555555">khó đọc</p>')
    assert "khó đọc" in said(shown(ClientName.GMAIL_ANDROID_DARK, html))


def test_apple_mail_uses_the_designs_own_dark_colours():
    made = shown(ClientName.APPLE_DARK, page())
    assert next(run for run in runs(made.html, Screen()) if run.text == "Sáu phao đo sóng").ink.colour == (
        255,
        255,
        255,
    )
    plain = page().replace("prefers-color-scheme", "prefers-nothing")
    assert "no dark colours" in said(shown(ClientName.APPLE_DARK, plain))


@pytest.mark.parametrize(
    ("query", "dark_query"),
    [
        ("@media (prefers-color-scheme: dark) {", "@media all {"),
        ("@media screen and (prefers-color-scheme:dark) {", "@media screen {"),
        ("@media (prefers-color-scheme: dark) and (max-width: 480px) {", "@media (max-width: 480px) {"),
        ("@media (prefers-color-scheme: light) {", "@media not all {"),
        ("@media (max-width: 480px) {", "@media (max-width: 480px) {"),
    ],
)
def test_dark_rules_are_put_in_force_with_their_other_conditions(query, dark_query):
    assert " ".join(changed.in_dark(query).split()) == dark_query


def test_blocked_pictures_leave_their_words_in_a_box_of_their_size():
    html = page(
        more='<img src="https://vien.example/a.jpg" alt="Phao trên vịnh" width="200" height="90"><td background="b.png">'
    )
    made = shown(ClientName.IMAGES_OFF, html)
    assert "Phao trên vịnh" in made.html
    assert "width:200px" in made.html
    assert ".jpg" not in made.html
    assert "b.png" not in made.html
    assert "1 pictures are replaced" in said(made)
    silent = shown(ClientName.IMAGES_OFF, page(more='<img src="https://vien.example/c.jpg" alt="" width="9">'))
    assert "empty box without words" in said(silent)


def test_text_only_is_the_text_part_and_tells_what_it_lacks():
    html = page(more='<a href="https://vien.example/rieng">riêng</a>')
    assert "https://vien.example/rieng" in said(shown(ClientName.TEXT, html))
    assert shown(ClientName.TEXT, html, "chỉ chữ https://vien.example/rieng").losses == ()
    assert "no text part" in said(shown(ClientName.TEXT, html, ""))


@pytest.mark.parametrize(
    ("more", "wide"),
    [
        ('<table width="600"><tr><td>rộng</td></tr></table>', True),
        ('<img src="a.png" alt="" width="552">', True),
        ('<img src="a.png" alt="" width="552" style="width:100%">', False),
        ('<div style="max-width:600px">co được</div>', False),
        ('<div style="min-width:400px">không co</div>', True),
    ],
)
def test_what_cannot_shrink_to_a_narrow_phone_is_told(more, wide):
    made = shown(ClientName.NARROW, page(more=more), width=600)
    assert made.width == 320
    assert ("scrolls sideways" in said(made)) is wide


def test_a_screen_reader_says_what_is_there_in_its_order():
    more = (
        '<p>Đọc <a href="https://vien.example/1">toàn bài</a></p><img src="a.png" alt="Phao trên vịnh"><img src="b.png" alt="">'
        '<img src="c.png"><ul><li>một</li></ul><p lang="en">Open models</p><p style="display:none">ẩn</p>'
        '<p aria-hidden="true">trang trí</p><table><tr><th>Cột</th></tr></table>'
    )
    lines = spoken(page(more=more), labels("vi"))
    assert lines == [
        "thư “Bản tin”, ngôn ngữ vi",
        "đề mục cấp 1: Tin tuần",
        "Sáu phao đo sóng",
        "Đọc [liên kết: toàn bài]",
        "[ảnh: Phao trên vịnh] [ảnh không có mô tả]",
        "• một",
        "[en] Open models",
        "Cột",
    ]
    made = shown(ClientName.SCREEN_READER, page(more=more), words=labels("en"))
    assert "heading 1: Tin tuần" in made.text
    assert "their file names are read out" in said(made)


def test_losses_are_said_in_vietnamese_too():
    from newsletter.mail.findings import told

    made = shown(ClientName.OUTLOOK, page(style="border-radius:6px"))
    assert any(told(labels("vi"), loss).startswith("không hiện border-radius") for loss in made.losses)


@pytest.mark.parametrize(
    ("name", "value", "features"),
    [
        ("border-top-left-radius", "4px", {"css-border-radius"}),
        ("margin-left", "1rem", {"css-margin", "css-unit-rem"}),
        ("display", "inline-flex", {"css-display", "css-display-flex"}),
        ("background", "linear-gradient(#fff, #000)", {"css-background", "css-linear-gradient"}),
        ("width", "calc(100% - 1px) !important", {"css-width", "css-unit-calc", "css-important"}),
        ("top", "0", {"css-left-right-top-bottom"}),
        ("mso-hide", "all", set()),
    ],
)
def test_declarations_are_known_by_their_features(name, value, features):
    assert of_declaration(name, value) == features


def test_selectors_and_media_are_known_by_their_features():
    assert of_selector("a.b > p:hover") == {"css-selector-child", "css-pseudo-class-hover"}
    assert of_selector("[data-x='a > b']") == {"css-selector-attribute"}
    assert of_selector("p::before") == {"css-pseudo-element-before"}
    assert of_media("screen and (prefers-color-scheme: dark)") == {"css-at-media", "css-at-media-prefers-color-scheme"}


def test_fresh_data_is_reduced_to_what_is_simulated():
    fresh = {
        "last_update_date": "2026-05-13 14:45:41 +0000",
        "data": [
            {"slug": "css-gap", "title": "gap", "category": "css", "notes_by_num": {"1": "Partial.", "2": "Other."},
             "stats": {"gmail": {"ios": {"2020-01": "n", "2026-01": "a #1"}}, "orange": {"ios": {"1": "y"}}}},
            {"slug": "amp", "title": "AMP", "category": "others", "notes_by_num": None, "stats": {}},
        ],
    }  # fmt: skip
    made = reduced(fresh, "9.9.9")
    assert made["features"] == {
        "css-gap": {"title": "gap", "clients": {"gmail/ios": "a #1"}, "notes": {"1": "Partial."}}
    }
    assert (made["version"], made["updated"]) == ("9.9.9", "2026-05-13")
    json.dumps(made)


@pytest.mark.parametrize("client", list(ClientName))
def test_any_html_can_be_simulated(client):
    dice = random.Random(client)
    whole = page(more='<img src="a.png"><a href="https://vien.example/1">x</a>')
    for _ in range(15):
        letters = list(whole[: dice.randint(0, len(whole))])
        for _ in range(20 if letters else 0):
            letters[dice.randrange(len(letters))] = dice.choice("<>\"'{};:()/*!-[]@#% \x00\ud7ffẩ")
        made = shown(client, "".join(letters))
        assert made.html is not None or made.text is not None


@pytest.mark.parametrize("depth", [5_000])
def test_a_deep_or_hostile_document_is_simulated_in_its_bounds(depth):
    html = f"<html><head><style>{'a{' * depth}</style></head><body>{'<div>' * depth}đáy{'</div>' * depth}</body></html>"
    for client in ClientName:
        shown(client, html)
