"""Dark modes that recolour a message by themselves. Pure: settled HTML in, recoloured HTML out.

No program publishes its rule. These are the two kinds that developers report (caniemail's and Litmus' articles): `partial`
darkens light grounds and lightens dark letters and leaves the rest; `full` turns every colour's lightness round.
"""

import re
from collections.abc import Callable

import lxml.html

from newsletter.mail.cascade import Screen, declarations, plain_value, settled, tree_of
from newsletter.mail.clients.strip import serialised
from newsletter.mail.paint import read_colour, relit, written

Turn = Callable[[float], float]
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|rgba?\([^)]*\)|(?<![\w-])[a-zA-Z]+(?![\w(-])")
_DARKEST, _LIGHTEST = 0.12, 0.92  # of lightness: dark modes use neither pure black nor pure white


def full(html: str, screen: Screen) -> str:
    """Every colour with its lightness turned round, as Gmail on iPhone and Outlook on Windows do."""
    return _recoloured(html, screen, ground=_round, letters=_round)


def partial(html: str, screen: Screen) -> str:
    """Light grounds dark and dark letters light, dark grounds as they are, as Gmail on Android does."""
    return _recoloured(html, screen, ground=lambda light: _round(light) if light > 0.5 else light, letters=_lightened)


def _round(light: float) -> float:
    return _DARKEST + (1 - light) * (_LIGHTEST - _DARKEST)


def _lightened(light: float) -> float:
    return _round(light) if light < 0.5 else light


def _recoloured(html: str, screen: Screen, *, ground: Turn, letters: Turn) -> str:
    page = tree_of(settled(html, screen))
    body = page.find(".//body") if page is not None else None
    if page is None or body is None:
        return html
    for element in body.iter():
        if not isinstance(element, lxml.html.HtmlElement) or not isinstance(element.tag, str):
            continue
        for name, turn in (("bgcolor", ground), ("color", letters), ("text", letters)):
            if element.get(name):
                element.set(name, _turned(element.get(name, ""), turn))
        if element.get("style"):
            element.set(
                "style", "; ".join(_declared(*pair, ground, letters) for pair in declarations(element.get("style", "")))
            )
    _outermost(body, ground=ground, letters=letters)
    return serialised(page)


def _declared(name: str, value: str, ground: Turn, letters: Turn) -> str:
    if name.startswith(("background", "border")):
        return f"{name}: {_turned(value, ground)}"
    return f"{name}: {_turned(value, letters)}" if name == "color" else f"{name}: {value}"


def _turned(value: str, turn: Turn) -> str:
    def one(found: re.Match[str]) -> str:
        shade = read_colour(found[0])
        if shade is None or shade[3] == 0:
            return found[0]
        return written(relit(shade[:3], turn))

    return "url(".join(
        _COLOUR.sub(one, part) if not at else part for at, part in enumerate(plain_value(value).split("url("))
    )


def _outermost(body: lxml.html.HtmlElement, *, ground: Turn, letters: Turn) -> None:
    """The colours that nobody wrote down: white paper and black ink turn too."""
    own = dict(declarations(body.get("style", "")))
    missing = [] if "background-color" in own or "background" in own or body.get("bgcolor") else ["background-color"]
    style = [f"{name}: {value}" for name, value in own.items()]
    style += [f"{name}: {_turned('#FFFFFF', ground)}" for name in missing]
    style += [] if "color" in own else [f"color: {_turned('#000000', letters)}"]
    body.set("style", "; ".join(style))
