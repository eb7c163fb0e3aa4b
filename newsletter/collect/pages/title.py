"""The title of an article page: of its headings and its own claims the one most other places agree with. Pure.

Must never give the site's name where the page has a title of its own: on every fifth site the first h1 is the logo.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

import lxml.html

from newsletter.collect.identity.keys import title_key
from newsletter.collect.pages.facts import Facts
from newsletter.collect.text.clean import one_line, short_text, title_text
from newsletter.collect.text.dates import parse_date

# What speaks for a heading. Round figures, not fitted; the title is right in about the same share of pages on either
# half of the sites (docs/design-notes.md).
_EXACT = 3.0  # JSON-LD, og:title or <title> say the same
_PART = 2.0  # one of them begins with it, or holds it
_SHARED = 2.0  # times the share of its words that they hold
_ONLY = 1.5  # the page has no other h1: editors give a page one h1, and put search words into <title> and og:title
_UNCLAIMED = 0.5  # besides: nothing but <title> speaks, which many institutes leave the same on every page
_INSIDE = 0.5  # stands in article or main
_SITE = -6.0  # is the name of the site
_LOGO = -2.0  # links home, or is called logo
_ONE_WORD = -1.0  # "Tin", "News": a section
_ENOUGH = 2.0  # below it the page's own claim is better; 1.4 to 2.6 do about equally well

_WIDE = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"  # scripts without spaces: a character counts as a word
_WORD = re.compile(rf"[{_WIDE}]|[^\W{_WIDE}]+")
_BETWEEN = re.compile(r"\s+[|–—·•»«:/-]\s+|\s*[|｜ㅣ»]\s*|:\s+")
_BAR = re.compile(r"\s+[|｜]\s+|\s*[｜ㅣ]\s*")
_DASH = re.compile(r"\s+[|–—·»]\s+")
_COUNTED = re.compile(r"[\s\d]*\([^()]{1,60}\)[\s\d]*|\s+\d+")  # a date, the number of comments
_HOME_CLASS = re.compile(r"(?:^|[\s_-])(?:logo|brand|site-?(?:title|name)|masthead)(?:$|[\s_-])", re.I)
_TITLE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:(?:post|article|entry|news|detail|content|page|lbl|bai)?[_-]?(?:title|headline)"
    r"|tieu-?de(?:[_-]?(?:tin|bai|bai-?viet|chinh))?|ten-?bai"
    r"|articleheader|lbltitle|newstitle|detailtitle|titlenews|titledetail)(?:$|[\s_-])",
    re.I,
)
_FURNITURE = frozenset({"nav", "aside", "footer"})
_MOST = 40  # h1 elements that are looked at
_LONGEST = 30  # words: beyond it a paragraph set as heading
_WORDS_OF_A_NAME = 5
_LARGE = frozenset({"4", "5", "6", "7", "+1", "+2", "+3", "+4"})  # of <font size>
_NEXT = 4  # elements with words behind a heading, among which its date line stands
_DATE_LINE = 90  # characters
_WORDS_OF_A_TITLE = 4  # what stands before a bar is a title by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heading:
    text: str
    inside: bool
    logo: bool


def title(tree: lxml.html.HtmlElement, facts: Facts) -> tuple[str, str]:
    """The title and its rule: `h1 confirmed`, `h1`, `heading confirmed`, `heading`, `og:title`, `JSON-LD`, `title` or "".

    An h1 that stands alone is believed against JSON-LD and og:title: those are written for search engines and networks.
    """
    names = site_names(facts)
    claims = _claims(facts, names)
    headings = [heading for heading in islice(_headings(tree.iter("h1")), _MOST) if heading.text]
    alone = len({title_key(heading.text) for heading in headings if not is_site(heading.text, names)}) == 1
    best, score = "", 0.0
    for heading in headings:
        points = _points(heading, claims, names, alone=alone)
        if points > score:
            best, score = heading.text, points
    if score >= _ENOUGH:
        return _chosen(best, claims, names, "h1")
    found = _other_heading(tree, claims, names)
    if found:
        return found
    claim, rule = _claimed(claims)
    if claim:
        return claim, rule
    return (
        (one_line(headings[0].text), "h1")
        if headings
        else (facts.document_title, "title" if facts.document_title else "")
    )


def site_names(facts: Facts) -> frozenset[str]:
    """The site's names as `_squashed` writes them: what it calls itself, and its address."""
    publisher = facts.article.get("publisher")
    said = [
        facts.said("og:site_name"), facts.said("application-name"), facts.said("apple-mobile-web-app-title"),
        facts.said("twitter:site"), publisher.get("name") if isinstance(publisher, dict) else None,
    ]  # fmt: skip
    names = {_squashed(name) for name in said if isinstance(name, str)}
    host = (urlsplit(facts.url or "").hostname or "").removeprefix("www.")
    labels = host.split(".")
    if len(labels) > 1:
        names |= {
            _squashed(host),
            _squashed(".".join(labels[-2:])),
            *(_squashed(label) for label in labels[:-1] if len(label) > 3),
        }
    return frozenset(name for name in names if len(name) > 1)


def _claims(facts: Facts, names: frozenset[str]) -> list[tuple[str, str]]:
    """What the page says its title is, without the site's name, and where; the more often right first."""
    said = (
        (facts.said("og:title"), "og:title"),
        (facts.told("headline"), "JSON-LD"),
        (facts.said("twitter:title", "dc.title"), "og:title"),
        (facts.document_title, "title"),
    )
    found = []
    for text, rule in said:
        claim = _without_site(title_text(text), names) if text else ""
        if rule == "title":
            claim = _DASH.split(claim)[0]
        if claim and not is_site(claim, names):
            found.append((claim, rule))
    return found


def _headings(elements: Iterator[lxml.html.HtmlElement]) -> Iterator[_Heading]:
    for element in elements:
        around = [parent.tag for parent in element.iterancestors()]
        if _FURNITURE.intersection(around):
            continue
        links = [link.get("href") or "" for link in element.iter("a")]
        parent = element.getparent()
        if parent is not None and parent.tag == "a":
            links.append(parent.get("href") or "")
        named = " ".join(filter(None, (element.get("class"), element.get("id"))))
        yield _Heading(
            text=title_text(_spaced(element)),
            inside="article" in around or "main" in around,
            logo=bool(_HOME_CLASS.search(named))
            or any(urlsplit(link).path in ("", "/") and "#" not in link for link in links),
        )


def _spaced(element: lxml.html.HtmlElement) -> str:
    """The text with a space at each line break and block: "Weekend<br>plans" are two words."""
    pieces = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str) and child.tag not in ("script", "style", "svg", "button", "noscript"):
            text = _spaced(child)
            last = next((piece[-1] for piece in reversed(pieces) if piece), "")
            apart = child.tag in ("br", "div", "p", "small") or (last.islower() and text[:1].isupper())
            pieces += [" " if apart else "", text, " " if child.tag != "br" and apart else ""]
        pieces.append(child.tail or "")
    return "".join(pieces)


def _points(heading: _Heading, claims: list[tuple[str, str]], names: frozenset[str], *, alone: bool) -> float:
    key = title_key(heading.text)
    if len(heading.text) <= 4:
        return 0.0
    keys = [title_key(claim) for claim, _ in claims]
    words = _WORD.findall(key)
    told = {word for other in keys for word in _WORD.findall(other)}
    points = _INSIDE if heading.inside else 0.0
    shared = sum(word in told for word in words) / len(words) if words else 0.0
    if _squashed(heading.text) in {_squashed(claim) for claim, _ in claims}:
        points += _EXACT + _SHARED
    elif len(heading.text) >= 12 and any(key in other for other in keys):
        points += _PART + _SHARED
    else:
        points += _SHARED * shared
    if alone and len(words) <= _LONGEST:
        unclaimed = all(rule == "title" for _, rule in claims) and len(words) >= _WORDS_OF_A_TITLE
        points += (_ONLY if shared or unclaimed or not keys else 0.0) + (_UNCLAIMED if unclaimed else 0.0)
    points += _SITE if is_site(heading.text, names) else 0.0
    points += _LOGO if heading.logo else 0.0
    return points + (_ONE_WORD if len(words) < 2 else 0.0)


def _chosen(text: str, claims: list[tuple[str, str]], names: frozenset[str], kind: str) -> tuple[str, str]:
    clean = _without_site(text, names)
    same = [claim for claim, _ in claims if _squashed(claim) == _squashed(clean)]
    if clean.isupper() and (cased := next((claim for claim in same if not claim.isupper()), None)):
        clean = cased  # set in capitals for its look
    key = title_key(clean)
    before = [claim for claim, _ in claims if clean.startswith(claim) and _COUNTED.fullmatch(clean, len(claim))]
    if before:
        return one_line(before[0]), f"{kind} confirmed"
    behind = [
        claim
        for claim, _ in claims
        if key.endswith(" " + title_key(claim)) and len(_WORD.findall(claim)) >= _WORDS_OF_A_TITLE
    ]
    if behind and not same:
        return one_line(max(behind, key=len)), f"{kind} confirmed"  # a kicker stands before it
    confirmed = same or any(len(clean) >= 12 and key in title_key(claim) for claim, _ in claims)
    return one_line(clean), f"{kind} confirmed" if confirmed else kind


def _other_heading(
    tree: lxml.html.HtmlElement, claims: list[tuple[str, str]], names: frozenset[str]
) -> tuple[str, str] | None:
    """Sites without an h1 of the article set its title as h2, h3 or a block called title: believed where confirmed.

    Where the page claims nothing but its site's name, the first of them that is long enough; where only its <title> claims
    something that stands in no heading ("Trang chi tiết"), the first under which a date line stands.
    """
    keys = [title_key(claim) for claim, _ in claims]
    weak = all(rule == "title" for _, rule in claims)
    first = dated = ""
    for element in tree.iter("h2", "h3", "div", "span", "td", "p", "strong", "font"):
        if not _looks_like_heading(element):
            continue
        text = title_text(_spaced(element)) if len(element) <= 4 and short_text(element, 250) else ""
        if (
            not 12 <= len(text) <= 250
            or is_site(text, names)
            or _FURNITURE.intersection(a.tag for a in element.iterancestors())
        ):
            continue
        told = title_key(text) in keys or (len(text) >= 20 and any(title_key(text) in key for key in keys))
        if told and element.tag != "font":  # the site's name is written large too
            return _chosen(text, claims, names, "heading")
        if weak and not dated and len(_WORD.findall(text)) >= _WORDS_OF_A_TITLE and not element.xpath(".//a"):
            first = first or text
            dated = text if _is_dated(element) else ""
    chosen = dated or ("" if claims else first)
    return (one_line(chosen), "heading") if chosen else None


def _looks_like_heading(element: lxml.html.HtmlElement) -> bool:
    if element.tag == "font":
        return (element.get("size") or "").strip() in _LARGE
    named = f"{element.get('class') or ''} {element.get('id') or ''}"
    return element.tag in ("h2", "h3") or _TITLE_CLASS.search(named) is not None


def _is_dated(heading: lxml.html.HtmlElement) -> bool:
    """Whether a date line is among the first words behind a heading."""
    return any(parse_date(short_text(one, _DATE_LINE)) for one in islice(_following(heading), _NEXT))


def _following(element: lxml.html.HtmlElement) -> Iterator[lxml.html.HtmlElement]:
    """Elements with words behind the end of `element`, in the page's order."""
    node: lxml.html.HtmlElement | None = element
    while node is not None:
        for sibling in node.itersiblings():
            yield from (one for one in sibling.iter() if isinstance(one.tag, str) and (one.text or "").strip())
        node = node.getparent()


def _claimed(claims: list[tuple[str, str]]) -> tuple[str, str]:
    if not claims:
        return "", ""
    claim, rule = claims[0]
    for other, other_rule in claims[1:]:
        if len(other) >= 12 and len(other) < len(claim) and claim.startswith(other):
            return one_line(other), other_rule  # the longer one has a section or a name behind it
    return one_line(claim), rule


def _without_site(text: str, names: frozenset[str]) -> str:
    """`text` without the site's name at its ends, and cut at a bar behind which sections and advertisements stand."""
    while (cuts := list(_BETWEEN.finditer(text))) and _ends_with_site(text[cuts[-1].end() :], names):
        text = text[: cuts[-1].start()]
    while (cut := _BETWEEN.search(text)) and is_site(text[: cut.start()], names):
        text = text[cut.end() :]
    bar = _BAR.search(text)
    if bar and len(_WORD.findall(text[: bar.start()])) >= _WORDS_OF_A_TITLE:
        text = text[: bar.start()]
    return text.strip()


def is_site(text: str, names: frozenset[str]) -> bool:
    """Whether `text` is one of `site_names`."""
    return _squashed(text) in names


def _ends_with_site(text: str, names: frozenset[str]) -> bool:
    """Also "Survey Centre Online" behind a title where the site is survey-centre.example."""
    squashed = _squashed(text)
    longer = len(_WORD.findall(text)) <= _WORDS_OF_A_NAME and any(
        squashed.startswith(name) for name in names if len(name) >= 5
    )
    return squashed in names or longer


def _squashed(text: str) -> str:
    return title_key(text.removeprefix("@")).replace(" ", "").replace("_", "")
