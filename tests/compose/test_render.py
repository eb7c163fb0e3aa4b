"""From context to mail: escaping, markers, errors with file and line, the byte budget."""

import re
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest

from newsletter.compose.context import ItemView
from newsletter.compose.design import Design
from newsletter.compose.render import HTML_BUDGET, fit_issue, render_issue, render_letter
from newsletter.errors import BadInput, ConfigError, TemplateError
from newsletter.mail.markers import FIELDS, marker
from newsletter.model import LetterKind

LETTERS = {
    LetterKind.CONFIRM: {"expires_days": 7},
    LetterKind.WELCOME: {"last_issue_url": "https://vien.example/46", "last_issue_title": "Số 46"},
    LetterKind.GOODBYE: {},
    LetterKind.MOVE: {"from_person": "0" * 16, "expires_hours": 24},
    LetterKind.MOVED: {"from_person": "0" * 16, "expires_days": 7},
    LetterKind.YOUR_DATA: {"expires_hours": 24},
    LetterKind.NOTICE: {"topic": "unknown_left", "name": "Số 47", "count": 3, "url": "https://vien.example/staff"},
}


@pytest.mark.parametrize("count", [1, 2, 5, 6, 7, 9, 14, 30])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_html_and_text_list_the_same_items_in_the_same_order(
    bulletin: Design, made: ModuleType, count: int, language: str
) -> None:
    context = made.made_context(count, language="vi")
    context = replace(
        context, items=tuple(replace(item, title=f"Bài {n:03} về biển") for n, item in enumerate(context.items))
    )
    rendering = render_issue(bulletin, context, nonce=made.NONCE, language=language)
    body = rendering.html.split("<body", 1)[1]
    in_html = list(dict.fromkeys(re.findall(r"Bài\s(\d{3})\svề\sbiển", re.sub(r'title="[^"]*"', "", body))))
    in_text = list(dict.fromkeys(re.findall(r"Bài\s(\d{3})\svề\sbiển", rendering.text)))
    assert in_html == in_text
    counted = re.search(r"và\s(\d+)\stin khác trên web|and\s(\d+)\smore stor", rendering.text)
    more = int(next(filter(None, counted.groups()))) if counted else 0
    assert len(in_text) + more == count


def test_an_issue_without_a_web_view_lists_every_item(bulletin: Design, made: ModuleType) -> None:
    rendering = render_issue(bulletin, made.made_context(30, web=False), nonce=made.NONCE, language="vi")
    assert "trên web" not in rendering.text
    assert rendering.text.count("https://vien.example/tin/") == 30


@pytest.mark.parametrize("language", ["vi", "en"])
def test_lines_stay_under_998_octets_and_the_mail_under_its_weight(
    bulletin: Design, made: ModuleType, language: str
) -> None:
    rendering = render_issue(bulletin, made.made_context(14), nonce=made.NONCE, language=language)
    assert max(len(line.encode()) for line in rendering.html.split("\n")) < 998
    assert len(rendering.html.encode()) < HTML_BUDGET


def test_plain_text_is_at_most_72_wide_except_addresses(bulletin: Design, made: ModuleType) -> None:
    text = render_issue(bulletin, made.made_context(14), nonce=made.NONCE, language="vi").text
    long = [line for line in text.splitlines() if len(line) > 72]
    assert all(line.strip().startswith("https://") or "QqX" in line for line in long), long


def test_footer_offers_unsubscribe_before_preferences_and_web_view_and_names_the_sender(
    bulletin: Design, made: ModuleType
) -> None:
    rendering = render_issue(bulletin, made.made_context(4), nonce=made.NONCE, language="vi")
    for part in (rendering.html, rendering.text):
        order = [marker(made.NONCE, "subscriber_email"), marker(made.NONCE, "unsubscribe_url")]
        order += [marker(made.NONCE, "preferences_url"), "https://vien.example/ban-tin/47", "3 phố Ví Dụ"]
        tail = " ".join(part.split())  # lines are broken at spaces
        places = [tail.rindex(what) for what in order]
        assert places == sorted(places)


def test_html_has_language_title_colour_scheme_and_inline_margins(bulletin: Design, made: ModuleType) -> None:
    html = " ".join(render_issue(bulletin, made.made_context(4), nonce=made.NONCE, language="vi").html.split())
    assert '<html lang="vi" dir="ltr"' in html
    assert "<title>Phao đo sóng tự chế giữa vịnh Ổ Lợn</title>" in html
    assert '<meta name="color-scheme" content="light dark"' in html
    assert "fonts.googleapis.com" not in html
    body = html.split("<body", 1)[1]
    paragraphs = re.findall(r"<(?:p|h1|h2|h3)\b[^>]*>", body)
    assert paragraphs
    bare = [tag for tag in paragraphs if "margin" not in tag]
    assert not bare, bare
    assert "@media (prefers-color-scheme: dark)" in html
    assert "[data-ogsc] .text" in html
    assert html.count("<!--[if mso") > 1


def test_only_one_button_leads_to_the_lead(bulletin: Design, made: ModuleType) -> None:
    html = render_issue(bulletin, made.made_context(9), nonce=made.NONCE, language="vi").html
    assert html.split("<body", 1)[1].count('class="btn"') == 1


HOSTILE = "{{ 7*7 }} {% for x in y %} <script>alert(1)</script> & <b>đậm</b> </mj-text> \x00\x08\u202e&#123;"


def test_template_syntax_and_markup_in_an_article_are_shown_as_text(bulletin: Design, made: ModuleType) -> None:
    context = made.made_context(2)
    hostile = ItemView(
        title=made.item_views([replace(made.made_items(1)[0], title=HOSTILE, summary=HOSTILE)], "UTC")[0].title,
        url="https://vien.example/x",
        summary=made.item_views([replace(made.made_items(1)[0], title=HOSTILE, summary=HOSTILE)], "UTC")[0].summary,
        source='"><img src=x onerror=alert(1)>',
    )
    rendering = render_issue(
        bulletin, replace(context, items=(hostile, *context.items)), nonce=made.NONCE, language="vi"
    )
    html = " ".join(rendering.html.split())
    assert "{{ 7*7 }}" in html
    assert "{{ 7*7 }}" in rendering.text
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<img src=x" not in html
    assert "\u202e" not in html + rendering.text
    assert "\x00" not in html + rendering.text


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://vien.example/a",
        "//vien.example",
        "https://",
        "https://a b/",
        "x",
    ],
)
def test_an_address_of_another_scheme_is_never_a_link(bulletin: Design, made: ModuleType, url: str) -> None:
    context = made.made_context(1, pictures=False)
    items = made.item_views([replace(made.made_items(1)[0], url=url, image=url)], "UTC")
    rendering = render_issue(bulletin, replace(context, items=items), nonce=made.NONCE, language="vi")
    links = re.findall(r'(?:href|src)="([^"]*)"', rendering.html)
    assert all(link.startswith(("https://vien.example/ban-tin", "QqX")) for link in links), links
    assert "Ổ Lợn" in rendering.html


def test_a_picture_is_used_only_over_https_and_never_without_alt_and_width(bulletin: Design, made: ModuleType) -> None:
    items = made.made_items(2)
    items = [
        replace(items[0], image="http://vien.example/a.jpg"),
        replace(items[1], image="https://vien.example/b.jpg"),
    ]
    context = replace(made.made_context(2), items=made.item_views(items, "UTC"))
    html = render_issue(bulletin, context, nonce=made.NONCE, language="vi").html
    pictures = re.findall(r"<img\b[^>]*>", html)
    assert len(pictures) == 1
    assert re.search(r'alt="[^"]*"', pictures[0])
    assert 'width="143"' in pictures[0]


def test_pictures_can_be_switched_off_by_option(bulletin: Design, made: ModuleType) -> None:
    context = made.made_context(9, options={"show_images": False})
    assert "<img" not in render_issue(bulletin, context, nonce=made.NONCE, language="vi").html


def test_a_brand_colour_too_pale_to_read_is_darkened(bulletin: Design, made: ModuleType) -> None:
    context = made.made_context(4, options={"accent": "#F2C14E"})
    html = render_issue(bulletin, context, nonce=made.NONCE, language="vi").html
    assert "#F2C14E" not in html.upper()


def test_an_item_in_another_language_says_so(bulletin: Design, made: ModuleType) -> None:
    html = render_issue(bulletin, made.made_context(2, language="en"), nonce=made.NONCE, language="vi").html
    assert re.search(r'<h2[^>]*lang="en"', html)
    assert "Tin chính" in html


# ---------------------------------------------------------------- the byte budget


def test_a_heavy_issue_loses_thumbnails_first_then_blurbs_then_items_and_says_so(
    bulletin: Design, made: ModuleType
) -> None:
    context = made.made_context(14)
    full = fit_issue(bulletin, context, nonce=made.NONCE, language="vi")
    assert full.findings == ()
    assert full.rendering.html.count("<img") == 4
    weight = len(full.rendering.html.encode()) + 3000
    bare = fit_issue(bulletin, context, nonce=made.NONCE, language="vi", budget=weight - 5000)
    assert bare.rendering.html.count("<img") == 1
    assert "thumbnails" in bare.findings[0].message
    short = fit_issue(bulletin, context, nonce=made.NONCE, language="vi", budget=32_000)
    assert "without blurb" in short.findings[0].message
    least = fit_issue(bulletin, context, nonce=made.NONCE, language="vi", budget=25_000)
    assert "only on the web" in least.findings[0].message
    assert re.search(r"và\s\d+(&nbsp;|\s)tin\skhác\strên\sweb", least.rendering.html)
    assert len(least.rendering.html.encode()) <= 25_000


def test_every_item_is_shown_or_counted_at_every_weight(bulletin: Design, made: ModuleType) -> None:
    context = made.made_context(20)
    for budget in range(25_000, 60_000, 6_000):
        text = fit_issue(bulletin, context, nonce=made.NONCE, language="vi", budget=budget).rendering.text
        more = re.search(r"và\s(\d+)\stin khác", text)
        assert text.count("https://vien.example/tin/") + (int(more[1]) if more else 0) == 20


def test_a_design_that_is_too_heavy_by_itself_is_refused(bulletin: Design, made: ModuleType) -> None:
    with pytest.raises(TemplateError, match=r"bulletin/digest\.mjml\.j2: the design alone weighs"):
        fit_issue(bulletin, made.made_context(3), nonce=made.NONCE, language="vi", budget=5_000)


def test_a_title_of_ten_megabytes_does_no_harm(bulletin: Design, made: ModuleType) -> None:
    items = made.item_views([replace(made.made_items(1)[0], title="Ẫ" * 10_000_000)], "UTC")
    rendering = render_issue(bulletin, replace(made.made_context(1), items=items), nonce=made.NONCE, language="vi")
    assert len(rendering.html.encode()) < 25_000


# ---------------------------------------------------------------- errors


def _fails(design: Design, made: ModuleType) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        render_issue(design, made.made_context(2), nonce=made.NONCE, language="vi")
    return caught.value


@pytest.mark.parametrize(
    ("inside", "what"),
    [
        ("{{ issue.titel }}", "titel"),
        ("{{ isue.number }}", "isue"),
        ("{% if %}", "Expected an expression"),
        ("{{ 1/0 }}", "ZeroDivisionError"),
        ("{% include 'parts/gone.mjml.j2' %}", "parts/gone.mjml.j2"),
        ("{% include '../../secret.txt' %}", "secret.txt"),
        ("{{ issue.__class__.__mro__ }}", "__class__"),
        ("{{ ''.__class__ }}", "__class__"),
        ("<mj-txt>x</mj-txt>", "<mj-txt> is not an MJML tag"),
        ("<p>x", "<p> is not closed"),
    ],
)
def test_a_faulty_template_is_refused_with_file_line_and_offender(
    mjml_of: Callable[..., Design], made: ModuleType, inside: str, what: str
) -> None:
    error = _fails(mjml_of(inside), made)
    assert what in error.what
    assert error.where == "own/digest.mjml.j2:5"


@pytest.mark.parametrize(
    ("around", "what", "line"),
    [
        ("<mj-column>\n<mj-text>x</mj-text>\n</mj-column>", "<mj-column> cannot stand inside <mj-body>", 3),
        ("<mj-section>\n<mj-text>x</mj-text>\n</mj-section>", "<mj-text> cannot stand inside <mj-section>", 4),
        ("<mj-section>\n<mj-column>\n<mj-text>x</mj-text>\n</mj-section>", "<mj-column> is not closed", 4),
        (
            '<mj-section>\n<mj-column>\n<mj-image src="https://a.example/b.jpg" alt="" />\n</mj-column>\n</mj-section>',
            "<mj-image> has no width",
            5,
        ),
        ("<mj-section>\n<p>lost</p>\n</mj-section>", "<p> would be lost inside <mj-section>", 4),
    ],
)
def test_what_mrml_would_lose_silently_is_refused(
    mjml_of: Callable[..., Design], made: ModuleType, around: str, what: str, line: int
) -> None:
    error = _fails(mjml_of(around=around), made)
    assert what in error.what
    assert error.where == f"own/digest.mjml.j2:{line}"


def test_a_fault_in_a_part_is_told_by_the_parts_own_file_and_line(
    design_of: Callable[[dict[str, str]], Design], made: ModuleType
) -> None:
    design = design_of(
        {
            "digest.mjml.j2": "<mjml>\n<mj-body>\n{% include 'parts/one.mjml.j2' %}\n</mj-body>\n</mjml>",
            "parts/one.mjml.j2": "<mj-section>\n<mj-column>\n<mj-image alt='' />\n</mj-column>\n</mj-section>\n",
        }
    )
    assert _fails(design, made).where == "own/parts/one.mjml.j2:3"


def test_a_fault_in_the_text_template_is_told_too(
    design_of: Callable[[dict[str, str]], Design], made: ModuleType
) -> None:
    design = design_of({"digest.mjml.j2": "<mjml><mj-body></mj-body></mjml>", "text.txt.j2": "a\nb\n{{ gone }}\n"})
    error = _fails(design, made)
    assert (error.where, "gone" in error.what) == ("own/text.txt.j2:3", True)


def test_an_edited_template_is_seen_at_once(mjml_of: Callable[..., Design], made: ModuleType) -> None:
    for word in ("trước", "sau đó"):
        html = render_issue(mjml_of(word), made.made_context(1), nonce=made.NONCE, language="vi").html
        assert word in html


def test_a_link_out_of_the_design_folder_is_not_followed(mjml_of: Callable[..., Design], made: ModuleType) -> None:
    design = mjml_of("{% include 'parts/link.txt' %}")
    (design.path.parent / "secret.txt").write_text("secret")
    (design.path / "parts" / "link.txt").symlink_to(design.path.parent / "secret.txt")
    assert "parts/link.txt" in _fails(design, made).what


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("a<br>b", "a<br>b"),
        ("a<BR >b", "a<br>b"),
        ("<img src=x.png width=10 alt=''>", '<img src="x.png" width="10" alt="">'),
        ("a&nbsp;b &amp; c", "a&nbsp;b &amp; c"),
        ("R & D", "R &amp; D"),
        ("&eacute;&zwnj;", "é\u200c"),
        ("<a href='https://vien.example/?a=1&b=2'>x</a>", 'href="https://vien.example/?a=1&amp;b=2"'),
    ],
)
def test_html_as_people_write_it_is_understood(
    mjml_of: Callable[..., Design], made: ModuleType, inside: str, expected: str
) -> None:
    html = render_issue(mjml_of(inside), made.made_context(1), nonce=made.NONCE, language="vi").html
    assert expected in " ".join(html.split())


def test_an_inline_style_reaches_the_elements_and_leaves_no_trace(
    design_of: Callable[[dict[str, str]], Design], made: ModuleType
) -> None:
    design = design_of(
        {
            "digest.mjml.j2": '<mjml>\n<mj-head>\n<mj-style inline="inline">\n.x { color: #123456; }\n</mj-style>\n'
            "<mj-style>\n@media (max-width: 9px) { .x { color: red !important; } }\n</mj-style>\n</mj-head>\n"
            "<mj-body>\n<mj-section>\n<mj-column>\n<mj-text><p class='x'>a</p></mj-text>\n</mj-column>\n</mj-section>\n"
            "</mj-body>\n</mjml>"
        }
    )
    html = " ".join(render_issue(design, made.made_context(1), nonce=made.NONCE, language="vi").html.split())
    assert re.search(r'<p class="x" style="color:\s?#123456', html)
    assert "@media (max-width: 9px)" in html
    assert html.count("#123456") == 1


def test_an_option_the_design_does_not_have_is_refused(bulletin: Design, made: ModuleType) -> None:
    with pytest.raises(ConfigError, match="options of design bulletin: there is no option 'colour'"):
        render_issue(bulletin, made.made_context(1, options={"colour": "red"}), nonce=made.NONCE, language="vi")


# ---------------------------------------------------------------- letters


@pytest.mark.parametrize("kind", list(LetterKind))
@pytest.mark.parametrize("language", ["vi", "en"])
def test_each_letter_is_light_and_reads_fully_as_text(
    letters: Design, made: ModuleType, kind: LetterKind, language: str
) -> None:
    rendering = render_letter(
        kind, LETTERS[kind], design=letters, newsletter=made.made_view(language), nonce=made.NONCE, language=language
    )
    assert len(rendering.html.encode()) <= 12_000
    assert max(len(line.encode()) for line in rendering.html.split("\n")) < 998
    assert rendering.subject
    assert "3 phố Ví Dụ" in rendering.text or "3 Example Street" in rendering.text
    assert rendering.html.split("<body", 1)[1].count('class="btn"') <= 1
    used = {field for field in FIELDS if marker(made.NONCE, field) in rendering.html}
    assert used == {field for field in FIELDS if marker(made.NONCE, field) in rendering.text}


def test_the_confirm_letter_names_nobody_and_offers_no_unsubscribe_and_no_picture(
    letters: Design, made: ModuleType
) -> None:
    rendering = render_letter(
        LetterKind.CONFIRM,
        {"expires_days": 7},
        design=letters,
        newsletter=made.made_view(),
        nonce=made.NONCE,
        language="vi",
    )
    assert marker(made.NONCE, "subscriber_name") not in rendering.html
    assert marker(made.NONCE, "unsubscribe_url") not in rendering.html
    assert "<img" not in rendering.html
    assert f">{marker(made.NONCE, 'confirm_url')}<" in "".join(rendering.html.split("\n"))
    assert "7\u00a0ngày" in rendering.text


@pytest.mark.parametrize(
    ("kind", "variables", "message"),
    [
        (LetterKind.CONFIRM, {}, "letter confirm: the variable 'expires_days' is missing"),
        (LetterKind.CONFIRM, {"expires_days": "7"}, "the variable 'expires_days' cannot be '7'"),
        (LetterKind.GOODBYE, {"reason": "x"}, "letter goodbye: there is no variable 'reason'"),
        (LetterKind.NOTICE, {"topic": "x", "name": "", "url": ""}, "unknown topic 'x'"),
    ],
)
def test_a_letter_with_wrong_variables_is_refused(
    letters: Design, made: ModuleType, kind: LetterKind, variables: dict[str, object], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        render_letter(kind, variables, design=letters, newsletter=made.made_view(), nonce=made.NONCE, language="vi")
