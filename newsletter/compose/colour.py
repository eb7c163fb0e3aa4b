"""Colours that can be read: WCAG 2 contrast, and the smallest change that reaches a wanted ratio. Pure.

Formula: WCAG 2.2, "relative luminance" and "contrast ratio" (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).
"""

import colorsys
import re

HEX = re.compile(r"#[0-9a-fA-F]{6}")
_STEP = 0.02  # of lightness: a change the eye hardly sees


def channels(colour: str) -> tuple[int, int, int]:
    """`#0B4F8A` → (11, 79, 138). Raises ValueError for anything but # and six hexadecimal digits."""
    if not HEX.fullmatch(colour):
        raise ValueError(f"not a colour: {colour!r}")
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def luminance(colour: str) -> float:
    red, green, blue = (_linear(value / 255) for value in channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def contrast(one: str, other: str) -> float:
    """From 1 (no difference) to 21 (black on white). Text needs 4.5."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mixed(colour: str, towards: str, share: float) -> str:
    """`share` of the way from `colour` to `towards`, 0 to 1."""
    pairs = zip(channels(colour), channels(towards), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)


def readable(colour: str, background: str, ratio: float = 4.5) -> str:
    """`colour` itself where it reaches `ratio` on `background`, else the nearest shade of its hue that does.

    Darkens on light backgrounds and lightens on dark ones: on the other side no shade would ever reach it.
    """
    goal = 0.0 if contrast("#000000", background) > contrast("#FFFFFF", background) else 1.0
    hue, lightness, saturation = colorsys.rgb_to_hls(*(value / 255 for value in channels(colour)))
    found = colour.upper()
    while contrast(found, background) < ratio and lightness != goal:
        lightness = max(goal, lightness - _STEP) if goal == 0 else min(goal, lightness + _STEP)
        found = "#" + "".join(f"{round(part * 255):02X}" for part in colorsys.hls_to_rgb(hue, lightness, saturation))
    return found
