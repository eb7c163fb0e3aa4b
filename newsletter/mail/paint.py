"""Colours as mail writes them, and how well they can be told apart (WCAG 2.2, "relative luminance", "contrast ratio")."""

import colorsys
import re
from collections.abc import Callable
from functools import cache

Rgb = tuple[int, int, int]
Shade = tuple[int, int, int, float]  # red, green, blue 0 to 255; alpha 0 to 1

_HEX = re.compile(r"#([0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})")
_FUNCTION = re.compile(r"rgba?\(\s*([\d.]+)[\s,]+([\d.]+)[\s,]+([\d.]+)(?:[\s,/]+([\d.]+)(%?))?\s*\)")
_TOKEN = re.compile(r"#[0-9a-fA-F]{3,8}\b|rgba?\([^)]*\)|\b[a-zA-Z]+\b")


def read_colour(text: str) -> Shade | None:
    """`#fff`, `#0B4F8A`, `rgb(1, 2, 3)`, `rgba(1, 2, 3, .5)`, `white`, `transparent`; None for anything else."""
    value = text.strip().lower().removesuffix("!important").strip()
    if value == "transparent":
        return (0, 0, 0, 0.0)
    if found := _HEX.fullmatch(value):
        digits = found[1] if len(found[1]) > 4 else "".join(digit * 2 for digit in found[1])
        red, green, blue, *alpha = (int(digits[at : at + 2], 16) for at in range(0, len(digits), 2))
        return red, green, blue, alpha[0] / 255 if alpha else 1.0
    if found := _FUNCTION.fullmatch(value):
        red, green, blue = (min(255, round(float(part))) for part in found.groups()[:3])
        alpha_value = 1.0 if found[4] is None else float(found[4]) / (100 if found[5] else 1)
        return red, green, blue, min(1.0, alpha_value)
    name = _names().get(value)
    return read_colour(name) if name else None


def colour_in(shorthand: str) -> Shade | None:
    """The colour among the words of a `background`; None when there is none."""
    plain = re.sub(r"url\([^)]*\)|[\w-]*gradient\(.*\)", " ", shorthand)
    return next((shade for word in _TOKEN.findall(plain) if (shade := read_colour(word)) is not None), None)


@cache
def _names() -> dict[str, str]:
    from PIL import ImageColor  # CSS's 148 names are there already

    return {name: value for name, value in ImageColor.colormap.items() if isinstance(value, str)}


def laid_over(shade: Shade, ground: Rgb) -> Rgb:
    """What the eye sees of a shade on an opaque ground."""
    red, green, blue, alpha = shade
    over = ((part * alpha + below * (1 - alpha)) for part, below in zip((red, green, blue), ground, strict=True))
    first, second, third = (round(value) for value in over)
    return first, second, third


def written(colour: Rgb) -> str:
    return "#{:02X}{:02X}{:02X}".format(*colour)


def luminance(colour: Rgb) -> float:
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Rgb, other: Rgb) -> float:
    """From 1 (no difference) to 21 (black on white). Text needs 4.5, large text 3."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def relit(colour: Rgb, lightness: Callable[[float], float]) -> Rgb:
    """The same hue with another lightness (HLS, 0 to 1)."""
    hue, light, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    red, green, blue = colorsys.hls_to_rgb(hue, lightness(light), saturation)
    return round(red * 255), round(green * 255), round(blue * 255)
