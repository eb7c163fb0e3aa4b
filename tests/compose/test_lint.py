"""The linter before mrml: what would be lost or spoiled silently is refused, every fault with its line and reason."""

import re
from collections.abc import Callable
from types import ModuleType

import pytest

from newsletter.compose import lint
from newsletter.compose.components import components, unfit
from newsletter.compose.design import Design
from newsletter.compose.lost import lost_words
from newsletter.compose.markup import MOST_INLINE, html_from
from newsletter.compose.mjmltext import source
from newsletter.compose.render import render_issue
from newsletter.errors import TemplateError

SECTION = "<mj-section>\n<mj-column>\n{}\n</mj-column>\n</mj-section>"  # its content begins in line 5 of the document


def document(body: str, head: str = "") -> str:
    """Head and body from line 2; with an empty head the body begins in line 3."""
    return f"<mjml>\n<mj-body>\n{body}\n</mj-body>{f'<mj-head>{head}</mj-head>' if head else ''}\n</mjml>"


def found(text: str) -> list[tuple[int, str]]:
    return [(fault.line, fault.reason) for fault in lint.faults(source(text, "digest.mjml.j2"))]


BROKEN = [
    ("unknown tag", SECTION.format("<mj-txt>Mưa</mj-txt>"), 5, "<mj-txt> is not an MJML tag"),
    ("tag in capitals", SECTION.format("<MJ-TEXT>Mưa</MJ-TEXT>"), 5, "<MJ-TEXT> is not an MJML tag"),
    ("column outside a section", "<mj-column><mj-text>Mưa</mj-text></mj-column>", 3, "<mj-column> cannot stand"),
    ("text outside a column", "<mj-section>\n<mj-text>Mưa</mj-text></mj-section>", 4, "<mj-text> cannot stand"),
    ("section in a section", "<mj-section>\n<mj-section></mj-section></mj-section>", 4, "<mj-section> cannot stand"),
    ("section in a column", SECTION.format("<mj-section></mj-section>"), 5, "<mj-section> cannot stand"),
    (
        "button in a text",
        SECTION.format('<mj-text>a\n<mj-button href="https://a.example/">b</mj-button></mj-text>'),
        6,
        "<mj-button> cannot stand inside <mj-text>",
    ),
    ("unknown tag in a text", SECTION.format("<mj-text>a <mj-bold>b</mj-bold></mj-text>"), 5, "<mj-bold> is not"),
    ("social element alone", SECTION.format('<mj-social-element href="#">x</mj-social-element>'), 5, "cannot stand"),
    ("HTML in a column", SECTION.format("<p>Mưa</p>"), 5, "<p> would be lost inside <mj-column>"),
    ("words in a column", SECTION.format("<mj-text>a</mj-text>\nMưa to"), 6, "'Mưa to' would be lost"),
    ("words in the body", "Mưa to", 3, "'Mưa to' would be lost inside <mj-body>"),
    ("words in a spacer", SECTION.format("<mj-spacer>Mưa</mj-spacer>"), 5, "'Mưa' would be lost inside <mj-spacer>"),
    ("picture with words", SECTION.format('<mj-image src="a" alt="" width="9px">Mưa</mj-image>'), 5, "would be lost"),
    (
        "unknown attribute",
        SECTION.format('<mj-text colour="#000000">a</mj-text>'),
        5,
        "<mj-text> has no attribute colour",
    ),
    ("aria on a component", SECTION.format('<mj-text aria-label="x">a</mj-text>'), 5, "has no attribute aria-label"),
    (
        "attribute that mrml drops",
        SECTION.format('<mj-button href="#" title="x">a</mj-button>'),
        5,
        "title of <mj-button>",
    ),
    ("bad colour", SECTION.format('<mj-text color="#12345">a</mj-text>'), 5, "color of <mj-text> cannot be '#12345'"),
    ("colour that is a word", SECTION.format('<mj-text color="blau">a</mj-text>'), 5, "cannot be 'blau'"),
    (
        "bad colour in a border",
        SECTION.format('<mj-button href="#" border="1px solid #12">a</mj-button>'),
        5,
        "border of",
    ),
    (
        "length without a unit",
        SECTION.format('<mj-text font-size="16">a</mj-text>'),
        5,
        "font-size of <mj-text> cannot",
    ),
    ("length in points", SECTION.format('<mj-text padding="12pt">a</mj-text>'), 5, "padding of <mj-text> cannot be"),
    ("five lengths", SECTION.format('<mj-text padding="1px 2px 3px 4px 5px">a</mj-text>'), 5, "padding of"),
    ("wrong choice", SECTION.format('<mj-text align="middle">a</mj-text>'), 5, "align of <mj-text> cannot be 'middle'"),
    (
        "boolean that is none",
        SECTION.format('<mj-image src="a" alt="" width="9px" fluid-on-mobile="yes" />'),
        5,
        "fluid",
    ),
    ("picture without width", SECTION.format('<mj-image src="a" alt="" />'), 5, "<mj-image> has no width"),
    ("picture without alt", SECTION.format('<mj-image src="a" width="9px" />'), 5, "<mj-image> has no alt"),
    ("picture without address", SECTION.format('<mj-image alt="" width="9px" />'), 5, "<mj-image> has no src"),
    ("button that leads nowhere", SECTION.format("<mj-button>Đọc</mj-button>"), 5, "<mj-button> has no href"),
    ("button with an empty link", SECTION.format('<mj-button href="">Đọc</mj-button>'), 5, "<mj-button> has no href"),
    (
        "navigation without link",
        SECTION.format("<mj-navbar><mj-navbar-link>a</mj-navbar-link></mj-navbar>"),
        5,
        "no href",
    ),
    (
        "unclosed component",
        "<mj-section>\n<mj-column>\n<mj-text>a</mj-text>\n</mj-section>",
        4,
        "<mj-column> is not closed",
    ),
    ("unclosed HTML", SECTION.format("<mj-text><p>a</mj-text>"), 5, "<p> is not closed before </mj-text>"),
    ("closed twice", SECTION.format("<mj-text>a</mj-text>\n</mj-text>"), 6, "</mj-text> closes nothing"),
    ("never closed", SECTION.format("<mj-text>a"), 5, "<mj-text> is not closed"),
    (
        "unquoted link",
        SECTION.format("<mj-text><a href=https://a.example/>a</a></mj-text>"),
        5,
        "stands without quotes",
    ),
    ("bare less-than", SECTION.format("<mj-text>\n3 < 4</mj-text>"), 6, "StartTag: invalid element name"),
    (
        "attribute twice",
        SECTION.format('<mj-text align="left" align="right">a</mj-text>'),
        5,
        "Attribute align redefined",
    ),
    ("CDATA", SECTION.format("<mj-text><![CDATA[Mưa]]></mj-text>"), 5, "<![CDATA[ cannot stand in MJML"),
    (
        "CDATA beside a comment for Outlook",
        "<mj-raw><!--[if mso]><p>x</p><![endif]--></mj-raw>\n" + SECTION.format("<mj-text><![cdata[Mưa]]></mj-text>"),
        6,
        "<![cdata[ cannot stand in MJML",
    ),
    ("server code", SECTION.format("<mj-text><?php mưa(); ?></mj-text>"), 5, "<?php cannot stand in MJML"),
    (
        "namespace of Word",
        "<mj-raw><!--[if mso]><?xml:namespace /><![endif]--></mj-raw>",
        3,
        "<?xml cannot stand in MJML",
    ),
    ("undefined class", SECTION.format('<mj-text mj-class="to">a</mj-text>'), 5, "there is no mj-class 'to'"),
    (
        "columns too wide",
        '<mj-section>\n<mj-column width="60%" />\n<mj-column width="50%" />\n</mj-section>',
        3,
        "110 % wide",
    ),
    ("html attributes", "<mj-html-attributes />", 3, "<mj-html-attributes> is not an MJML tag"),
    ("two bodies", "</mj-body>\n<mj-body>", 4, "a second <mj-body>"),
]


@pytest.mark.parametrize(("body", "line", "reason"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_what_would_be_lost_or_spoiled_is_refused_with_line_and_reason(body: str, line: int, reason: str) -> None:
    faults = found(document(body))
    assert any(at == line and reason in said for at, said in faults), faults


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("<mj-title>a</mj-title><mj-title>b</mj-title>", "a second <mj-title>"),
        ("<mj-preview>a</mj-preview><mj-preview>b</mj-preview>", "a second <mj-preview>"),
        ("<mj-text>a</mj-text>", "<mj-text> cannot stand inside <mj-head>"),
        ("<mj-attributes><mj-text colour='red' /></mj-attributes>", "<mj-text> has no attribute colour"),
        ("<mj-attributes><mj-all colour='red' /></mj-attributes>", "<mj-all> has no attribute colour"),
        ("<mj-attributes><mj-body width='500px' /></mj-attributes>", "defaults of <mj-body> are ignored"),
        (
            "<mj-attributes><mj-class name='a'><mj-text color='red' /></mj-class></mj-attributes>",
            "cannot hold defaults",
        ),
        ("<mj-attributes><mj-class color='red' /></mj-attributes>", "<mj-class> has no name"),
        ("<mj-style inline='yes'>p { margin: 0 }</mj-style>", "inline of <mj-style> cannot be 'yes'"),
        ("<mj-font name='A' />", "<mj-font> has no href"),
        ("<!--[if mso]><style>p { margin: 0 }</style><![endif]-->", "a comment for Outlook is lost"),
        ("<style>p { margin: 0 }</style>", "<style> would be lost inside <mj-head>"),
        ("<mj-breakpoint width='narrow' />", "width of <mj-breakpoint> cannot be 'narrow'"),
    ],
)
def test_the_head_is_looked_at_too(head: str, reason: str) -> None:
    faults = found(document("", head))
    assert any(reason in said for _, said in faults), faults


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<mjml></mjml>", "there is no <mj-body>"),
        ("<mj-body></mj-body>", "<mj-body> cannot be the outermost tag"),
        ('<?xml version="1.0"?>\n<mjml><mj-body></mj-body></mjml>', "<?xml cannot stand"),
        ("<!DOCTYPE mjml [<!ENTITY a 'b'>]>\n<mjml><mj-body></mj-body></mjml>", "<!DOCTYPE cannot stand"),
        ("", "empty"),
        ("only words", "Start tag expected"),
    ],
)
def test_a_text_that_is_no_mjml_is_refused(text: str, reason: str) -> None:
    faults = found(text)
    assert any(reason in said for _, said in faults), faults


def test_all_faults_are_told_at_once_each_with_its_place_and_at_most_twenty() -> None:
    body = SECTION.format("\n".join(f'<mj-text color="rot{n}">a</mj-text>' for n in range(30)))
    with pytest.raises(TemplateError) as caught:
        lint.check(source(document(body), "digest.mjml.j2"))
    told = re.findall(r"rot\d+", caught.value.what)
    assert told == [f"rot{n}" for n in range(20)]
    assert "and 10 more" in caught.value.what


def test_a_broken_document_still_tells_its_other_faults() -> None:
    faults = found(document(SECTION.format('<mj-text color="blau"><p>a</mj-text>\n<mj-button>b</mj-button>')))
    assert [line for line, _ in faults] == [5, 5, 6]
    assert {said.split()[0] for _, said in faults} == {"<p>", "color", "<mj-button>"}


def test_each_fault_names_the_template_line_and_the_likely_remedy(
    mjml_of: Callable[..., Design], made: ModuleType
) -> None:
    design = mjml_of(
        around=SECTION.format('{% for n in [1, 2] %}\n<mj-text colour="red">{{ n }}</mj-text>\n{% endfor %}')
    )
    with pytest.raises(TemplateError) as caught:
        render_issue(design, made.made_context(1), nonce=made.NONCE, language="vi")
    assert caught.value.where == "own/digest.mjml.j2:6"
    assert caught.value.what.count("digest.mjml.j2:6") == 1
    assert caught.value.hint == "did you mean color?"


# ---------------------------------------------------------------- what is right stays right

HEAD = """<mj-title>Tin tuần</mj-title><mj-preview>Mưa &amp; gió</mj-preview><mj-breakpoint width="480px" />
<mj-font name="Nhà" href="https://vien.example/nha.css" />
<mj-attributes><mj-all font-family="Nhà, Arial" /><mj-class name="to" font-size="20px" color="#123" />
<mj-class name="do" color="red" /><mj-text line-height="1.6" /></mj-attributes>
<mj-style>@media (max-width: 480px) { .a > p { color: red; content: "a & b" } }</mj-style>
<mj-style inline="inline">p { widows: 2 }</mj-style>
<mj-raw><meta name="color-scheme" content="light dark"><!--[if mso]><style>p { color: red }</style><![endif]--></mj-raw>"""
RIGHT = {
    "section": SECTION.format(
        "<mj-text>Một &nbsp; hai &eacute; R & D <b>đậm</b><br>ba<img src=x.png width=9 alt='bốn'></mj-text>"
    ),
    "class": SECTION.format('<mj-text mj-class="to do" css-class="a">Mưa</mj-text>'),
    "button": SECTION.format(
        '<mj-button href="https://vien.example/?a=1&b=2" inner-padding="0 8px">Đọc<br>tiếp</mj-button>'
    ),
    "image": SECTION.format(
        '<mj-image src="https://vien.example/a.png" alt="Biển > đất" width="300px" href="https://vien.example/x" />'
    ),
    "table": SECTION.format("<mj-table><tr><th>Năm</th><td>2026</td></tr></mj-table>"),
    "raw": "<mj-raw><div><p>Thô</p><hr></div></mj-raw>",
    "wrapper": '<mj-wrapper padding="8px" background-color="rgba(0, 0, 0, 0.5)">'
    f"{SECTION.format('<mj-text>Trong</mj-text>')}</mj-wrapper>",
    "group": '<mj-section><mj-group><mj-column width="33.34%"><mj-text>Trái</mj-text></mj-column>'
    '<mj-column width="66.67%"><mj-text>Phải</mj-text></mj-column></mj-group></mj-section>',
    "hero": '<mj-hero background-url="https://vien.example/a.jpg" background-height="200px"><mj-text>Hùng</mj-text></mj-hero>',
    "navbar": SECTION.format(
        '<mj-navbar><mj-navbar-link href="https://vien.example/">Nhà</mj-navbar-link></mj-navbar>'
    ),
    "social": SECTION.format(
        '<mj-social mode="vertical"><mj-social-element name="facebook-noshare" href="https://vien.example/">Trang</mj-social-element></mj-social>'
    ),
    "accordion": SECTION.format(
        "<mj-accordion><mj-accordion-element><mj-accordion-title>Hỏi</mj-accordion-title>"
        "<mj-accordion-text>Đáp</mj-accordion-text></mj-accordion-element></mj-accordion>"
    ),
    "carousel": SECTION.format(
        '<mj-carousel><mj-carousel-image src="https://vien.example/1.png" alt="Một" />'
        '<mj-carousel-image src="https://vien.example/2.png" alt="Hai" /></mj-carousel>'
    ),
    "spacer and divider": SECTION.format(
        '<mj-spacer height="8px" /><mj-divider border-color="#ccc" border-width="1px" />'
    ),
    "background": '<mj-section background-url="https://vien.example/b.png" background-size="cover" full-width="full-width">'
    "<mj-column><mj-text>Nền</mj-text></mj-column></mj-section>",
    "Outlook's own": "<mj-raw><!-- a <? b --><!--[if mso]><o:p>x</o:p><table><tr><td><![endif]--><p>Mưa</p>"
    "<!--[if mso]></td></tr></table><![endif]--></mj-raw>",
    "comment": f"<!-- <mj-txt> không tính -->{SECTION.format('<mj-text>a<!-- b -->c</mj-text>')}",
    "jinja in raw": "<mj-raw>{% for x in y %}</mj-raw>"
    + SECTION.format("<mj-text>{{ x }}</mj-text>")
    + "<mj-raw>{% endfor %}</mj-raw>",
}


@pytest.mark.parametrize("body", RIGHT.values(), ids=RIGHT)
def test_what_mjml_can_do_is_compiled_and_says_every_word(body: str) -> None:
    text = f'<mjml lang="vi" dir="ltr" owa="desktop"><mj-head>{HEAD}</mj-head>\n<mj-body width="600px">{body}</mj-body></mjml>'
    assert found(text) == []
    html = html_from(text, "digest.mjml.j2")
    # mrml leaves the preview out of a body that holds no section.
    assert lost_words(source(text, "digest.mjml.j2"), html) == []
    assert max(len(line.encode()) for line in html.split("\n")) < 998


@pytest.mark.parametrize("body", [case[1] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_no_broken_template_loses_words_silently(body: str) -> None:
    with pytest.raises(TemplateError, match=r"^digest\.mjml\.j2"):
        html_from(document(body), "digest.mjml.j2")


def test_the_witness_of_lost_words_sees_a_loss() -> None:
    text = document(SECTION.format("<mj-text>Mưa to gió lớn</mj-text>"))
    html = html_from(text, "digest.mjml.j2")
    assert lost_words(source(text, "x"), html) == []
    assert lost_words(source(text, "x"), html.replace("gió", "")) == ["gió"]


def test_a_style_is_inlined_on_what_mrml_makes_and_css_is_never_escaped() -> None:
    html = html_from(
        f"<mjml><mj-head>{HEAD}</mj-head><mj-body>{SECTION.format('<mj-divider />')}</mj-body></mjml>", "x"
    )
    assert 'content: "a & b"' in html
    assert re.search(r"<p\sstyle=[^>]*widows:\s?2", html)


@pytest.mark.parametrize("hidden", ["", "<!-- <mj-style inline='inline'>p { orphans: 3 }</mj-style> -->\n"])
def test_an_inline_style_beside_one_in_a_comment_still_reaches_its_elements(hidden: str) -> None:
    head = f"{hidden}<mj-style inline='inline'>p {{ orphans: 4 }}</mj-style>"
    html = html_from(
        f"<mjml><mj-head>{head}</mj-head><mj-body>{SECTION.format('<mj-text><p>Mưa</p></mj-text>')}</mj-body></mjml>",
        "x",
    )
    assert re.search(r"<p\sstyle=[^>]*orphans:\s?4", html)
    assert "orphans: 3" not in html


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("colour", "#0B4F8A", True), ("colour", "#0b48", True), ("colour", "RebeccaPurple", True), ("colour", "#0B4F8", False),
        ("colour", "rgb(1, 2, 3)", True), ("colour", "transparent", True), ("colour", "", False), ("px", "12px", True),
        ("px", "12.5px", True), ("px", "12%", False), ("px", "0", True), ("px", "12", False), ("px", "-1px", False),
        ("px % x4", "0 12px 3% 4px", True), ("px % x4", "", False), ("px em negative", "-0.02em", True),
        ("px % number", "1.6", True), ("px auto", "auto", True), ("px auto", "automatic", False), ("integer", "3", True),
        ("integer", "3px", False), ("left|right", "left", True), ("left|right", "links", False), ("full-width|false|", "", True),
    ],
)  # fmt: skip
def test_values_are_judged_by_their_kind(kind: str, value: str, fits: bool) -> None:
    assert (unfit(kind, value) is None) is fits


def test_the_table_of_components_is_whole() -> None:
    table = components()
    assert {"mjml", "mj-body", "mj-text", "mj-carousel-image"} <= set(table)
    for tag, component in table.items():
        assert all(parent in table for parent in component.inside), tag
        assert component.needs == () or set(component.needs) <= set(component.attributes), tag
        assert not component.dropped & set(component.attributes), tag


# ---------------------------------------------------------------- hostile documents

HOSTILE = {
    "many paragraphs": SECTION.format("<mj-text>" + "<p>a</p>" * 20_000 + "</mj-text>"),
    "many sections": SECTION.format("<mj-text>a</mj-text>") * 2_500,
    "many unknown tags": "".join(f"<mj-{n}/>" for n in range(15_000)),
    "many attributes": "<mj-section " + " ".join(f'a{n}="x"' for n in range(15_000)) + "/>",
    "never closed": "<p>" * 40_000,
    "closes nothing": "<p>" * 15_000 + "</q>" * 15_000,
    "comments in comments": "<!--" * 30_000,
    "styles in a comment": "<!-- " + "<style " * 15_000 + "-->",
    "inline styles in a comment": "<!-- " + "<mj-style inline= " * 8_000 + "-->",
    "server code": "<?" * 40_000,
    "open values": '<br "' * 20_000,
    "spaces": "<br " + " " * 100_000 + '"',
    "includes without end": "<mj-include " * 10_000,
    "nested deeply": SECTION.format("<mj-text>" + "<p>" * 20_000 + "</p>" * 20_000 + "</mj-text>"),
    "too much": SECTION.format("<mj-text>" + "a " * 200_000 + "</mj-text>"),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_document_is_refused_or_compiled_and_never_hangs(body: str) -> None:
    try:
        html = html_from(document(body), "digest.mjml.j2", lambda path, _at: path)
    except TemplateError as error:
        html = f"{error.where}</html>"
    assert html.endswith("</html>")
    assert html.startswith(("digest.mjml.j2", "<!doctype html>"))


@pytest.mark.parametrize(("rule", "count"), [("p { color: red } ", 2_000), ("* * * * p { color: red } ", 300)])
def test_many_inline_rules_are_bounded(rule: str, count: int) -> None:
    head = f'<mj-style inline="inline">{rule * count}</mj-style>'
    body = SECTION.format("<mj-text>" + "<p>a</p>" * 2_000 + "</mj-text>")
    if len(rule) * count > MOST_INLINE:
        with pytest.raises(TemplateError, match="characters of inline styles"):
            html_from(document(body, head), "x")
    else:
        assert html_from(document(body, head), "x").count("color: red") == 2_000


# ---------------------------------------------------------------- mj-include


def including(design_of: Callable[[dict[str, str]], Design], made: ModuleType, include: str, **files: str) -> str:
    """The HTML of a design whose body is `include`; files by name with _ for / and . (parts_a_mjml)."""
    named = {name.replace("__", "/").replace("_", "."): content for name, content in files.items()}
    design = design_of({"digest.mjml.j2": f"<mjml>\n<mj-body>\n{include}\n</mj-body>\n</mjml>\n", **named})
    return " ".join(render_issue(design, made.made_context(1), nonce=made.NONCE, language="vi").html.split())


def test_an_included_fragment_document_style_and_html_have_their_places(
    design_of: Callable[[dict[str, str]], Design], made: ModuleType
) -> None:
    html = including(
        design_of,
        made,
        '<mj-include path="./parts/a.mjml" />\n<mj-include path="parts/b.mjml.j2"></mj-include>\n'
        '<mj-include path="c.css" type="css" css-inline="inline" />\n<mj-include path="d.html" type="html" />\n'
        '<mj-include path="e.css" type="css" />',
        parts__a_mjml=SECTION.format('<mj-text><p class="x">Một {{ 7*7 }}</p></mj-text>'),
        parts__b_mjml_j2="<mjml><mj-head><mj-title>Đầu</mj-title></mj-head><mj-body>\n"
        "<mj-include path='../parts/f.mjml' />\n</mj-body></mjml>",
        parts__f_mjml=SECTION.format("<mj-text>Hai</mj-text>"),
        c_css=".x { color: #123456; }",
        d_html="<p>Ba & bốn<br></p>",
        e_css="@media print { .x > b { color: red } }",
    )
    assert re.search(r'<p class="x" style="color:\s?#123456;?">Một \{\{ 7\*7 \}\}</p>', html)
    assert "Hai" in html
    assert "<title>Đầu</title>" in html
    assert "<p>Ba &amp; bốn<br></p>" in html
    assert "@media print { .x > b { color: red } }" in html


@pytest.mark.parametrize(
    ("include", "what"),
    [
        ('<mj-include path="../../secret.mjml" />', "leads out of the design"),
        ('<mj-include path="/etc/passwd" />', "leads out of the design"),
        ('<mj-include path="parts/../../x" />', "leads out of the design"),
        ('<mj-include path="parts/link.mjml" />', "there is no file 'parts/link.mjml'"),
        ('<mj-include path="gone.mjml" />', "there is no file 'gone.mjml'"),
        ('<mj-include path="gone.mjml.j2" />', "there is no template 'gone.mjml.j2'"),
        ('<mj-include path="digest.mjml.j2" />', "within each other"),
        ('<mj-include path="a.mjml" type="text" />', "has no type 'text'"),
        ('<mj-include file="a.mjml" />', "has no attribute file"),
        ("<mj-include />", "has no path"),
    ],
)
def test_an_include_that_leads_out_of_the_folder_or_nowhere_is_refused(
    design_of: Callable[[dict[str, str]], Design], made: ModuleType, include: str, what: str
) -> None:
    design = design_of({"digest.mjml.j2": f"<mjml>\n<mj-body>\n{include}\n</mj-body>\n</mjml>\n"})
    (design.path.parent / "secret.mjml").write_text("<mj-raw>secret</mj-raw>")
    (design.path / "parts" / "link.mjml").symlink_to(design.path.parent / "secret.mjml")
    with pytest.raises(TemplateError) as caught:
        render_issue(design, made.made_context(1), nonce=made.NONCE, language="vi")
    assert what in caught.value.what
    assert caught.value.where.startswith("own/")


def test_a_fault_inside_and_behind_an_include_names_its_own_file(
    design_of: Callable[[dict[str, str]], Design], made: ModuleType
) -> None:
    design = design_of(
        {
            "digest.mjml.j2": '<mjml>\n<mj-body>\n<mj-include path="parts/a.mjml" />\nloose\n</mj-body>\n</mjml>\n',
            "parts/a.mjml": SECTION.format("<mj-button>Đọc</mj-button>"),
        }
    )
    with pytest.raises(TemplateError) as caught:
        render_issue(design, made.made_context(1), nonce=made.NONCE, language="vi")
    assert caught.value.where == "own/parts/a.mjml:3"
    assert "digest.mjml.j2:3: 'loose' would be lost" in caught.value.what
