"""Wrapping changes white space only where it means nothing."""

from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from newsletter.compose.markup import inlined
from newsletter.compose.wrapping import wrapped

_WORDS = st.text(alphabet="abcđẫ ỗ&;", max_size=40).map(lambda text: text.replace("&", "&amp;"))
_PARTS = st.one_of(
    _WORDS,
    _WORDS.map(lambda text: f'<p class="a b" title="{text}">{text}</p>'),
    _WORDS.map(lambda text: f'<a href="https://vien.example/?q=1&amp;r=2" style="color: red">{text}</a>'),
    st.just("<br>"),
    st.just("<!--[if mso | IE]><table><tr><td><![endif]-->"),
    st.just("<style>p > a { color: red }\n</style>"),
    st.just("<STYLE>p > b { color: blue }\n</Style>"),
)


def _reading(document: str) -> list[object]:
    """Tags, attributes and text with white space folded: what a client makes of it."""
    tree = lxml_html.fragment_fromstring(document, create_parent="div")
    return [
        # A comment is compared without any white space: it holds tags for Outlook, broken like all tags.
        "".join((e.text or "").split()) if not isinstance(e.tag, str) else _element(e)
        for e in tree.iter()
    ] + [(e.tail or "").split() for e in tree.iter()]


def _element(element: lxml_html.HtmlElement) -> tuple[object, ...]:
    return element.tag, sorted(element.attrib.items()), (element.text or "").split()


@given(st.lists(_PARTS, max_size=60), st.integers(20, 200))
def test_a_wrapped_document_reads_the_same(parts: list[str], limit: int) -> None:
    document = "".join(parts)
    assert _reading(wrapped(document, limit)) == _reading(document)


@given(st.lists(_PARTS, min_size=30, max_size=60))
def test_lines_are_short_where_words_are(parts: list[str]) -> None:
    lines = wrapped("".join(parts), 200).split("\n")
    # A tag name, the words glued to a tag, and one attribute are never parted.
    assert max(len(line.encode()) for line in lines) <= 200 + 130


def test_words_are_never_joined_or_parted_at_inline_tags() -> None:
    document = "<p>" + "<b>a</b>b " * 200 + "</p>"
    assert wrapped(document, 40).replace("\n", " ").replace(" >", ">") == document


def test_inlining_keeps_style_elements_and_writes_style_attributes() -> None:
    html = "<html><head><style>@media (max-width:9px){p{color:red}}</style></head><body><p>x</p></body></html>"
    made = inlined(html, "p { margin: 0 }")
    assert "@media (max-width:9px)" in made
    assert '<p style="margin: 0' in made
