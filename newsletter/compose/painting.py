"""A publisher's picture to the one a digest shows: decoded, turned upright, cut to its slot, made small, without metadata.

Run only in a bounded child process (newsletter/bounded.py); imports nothing of ours, and is the only file that imports
Pillow. Asked with one line of JSON ({"width", "height"} of the slot in CSS pixels), then the octets as they came. Must
never enlarge a picture, let a byte of the publisher's file through, or show half of a file that breaks off.
"""

import base64
import importlib
import io
import json
import re
from contextlib import suppress
from typing import Any

SCALE = 2  # file pixels for each CSS pixel: sharp on a telephone
MOST_PIXELS = 50_000_000  # a camera's 50 megapixels; 200 MB when decoded
LEAST = 48  # pixels of a side: below it is a counting pixel, a smiley or an icon
LONGEST = 4.0  # to one: a banner or a strip says nothing in a slot of 16:9 or 3:2
SHARP = 0.6  # of the shown width: a smaller picture would be blurred
EMPTY = 0.1  # of the pixels see-through: more than rounded corners
MOST_SCANS = 100  # of a progressive JPEG; encoders write 10, an attack 60,000 that take minutes to decode
LIGHTEST, HEAVIEST = 20_000, 150_000  # octets: bounds of what a slot's file may weigh …
PER_PIXEL = 0.22  # … and octets a pixel between them: 150 kB for a lead of 1104 x 620
QUALITIES = (84, 76, 68, 58, 46)
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
_PLUGINS = {"WEBP": "WebP"}
_MARKUP = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<")
_PAPER = (255, 255, 255)


class Unusable(Exception):
    """Its one argument says why, for a person."""


def read(body: bytes) -> dict[str, str]:
    """{type, width, height, content (base64)}, or {error}."""
    asked, _, octets = body.partition(b"\n")
    slot = json.loads(asked)
    try:
        content, kind, (width, height) = painted(octets, (int(slot["width"]), int(slot["height"])))
    except Unusable as error:
        return {"error": str(error)}
    return {
        "type": kind,
        "width": str(width),
        "height": str(height),
        "content": base64.b64encode(content).decode(),
    }


def painted(octets: bytes, slot: tuple[int, int]) -> tuple[bytes, str, tuple[int, int]]:
    """(file, "jpg" or "png", its size in pixels): of the slot's ratio, SCALE times as large as it is shown or smaller.

    Raises Unusable.
    """
    opened = _opened(octets)
    file_format = str(opened.format)
    box = (slot[0] * SCALE, slot[1] * SCALE)
    _refuse_size(opened.size, slot)
    upright = _decoded(opened, box)
    _refuse_size(upright.size, slot)
    fitted = _on_paper(upright, box) if _see_through(upright) else _cut(_flat(upright), box)
    if fitted.size[0] < SHARP * slot[0]:
        raise Unusable(f"it is too small for its place: {upright.size[0]} x {upright.size[1]} pixels")
    if all(low == high for low, high in fitted.getextrema()):
        raise Unusable("it is one colour all over")
    return _encoded(fitted, drawn=file_format in ("PNG", "GIF"))


# ---------------------------------------------------------------- reading


def _opened(octets: bytes) -> Any:
    """The header read, nothing decoded yet."""
    if not octets.strip(b"\0 \r\n\t"):
        raise Unusable("it is empty")
    if _MARKUP.match(octets[:200]):
        svg = b"<svg" in octets[:2000].lower()
        raise Unusable("it is a drawing in SVG, which mail programs do not show" if svg else "it is a page, no picture")
    if octets[:2] == b"\xff\xd8" and octets.count(b"\xff\xda") > MOST_SCANS:
        raise Unusable("it was made to take minutes to decode")
    from PIL import Image, UnidentifiedImageError

    for name in FORMATS:
        with suppress(ImportError):  # a Pillow built without WebP or AVIF
            importlib.import_module(f"PIL.{_PLUGINS.get(name, name.title())}ImagePlugin")
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        opened = Image.open(io.BytesIO(octets), formats=[name for name in FORMATS if name in Image.OPEN])
    except UnidentifiedImageError:
        raise Unusable("it is no picture of a kind that is known (JPEG, PNG, GIF, WebP, AVIF)") from None
    except Exception as error:  # decoders meet broken files with every kind of exception there is
        raise Unusable(_broken(error)) from None
    if opened.size[0] * opened.size[1] > MOST_PIXELS:
        raise Unusable(f"it has more than {MOST_PIXELS // 1_000_000} million pixels")
    return opened


def _refuse_size(size: tuple[int, int], slot: tuple[int, int]) -> None:
    narrow, wide = min(size), max(size)
    if narrow < LEAST:
        raise Unusable(f"it is a counting pixel or an icon: {size[0]} x {size[1]} pixels")
    if wide > LONGEST * narrow:
        raise Unusable(f"it is a strip, {size[0]} x {size[1]} pixels, and nothing of it would be seen")


def _decoded(opened: Any, box: tuple[int, int]) -> Any:
    """The first frame, upright, in sRGB or its like. A JPEG is decoded at the scale that is needed and no larger."""
    from PIL import ImageOps

    try:
        if opened.format in ("JPEG", "MPO"):
            longest = 2 * max(box)
            opened.draft(None, (longest, longest))
        opened.load()
        picture = _reduced(opened, box)
    except MemoryError:
        raise
    except Exception as error:  # as above
        raise Unusable(_broken(error)) from None
    coloured = _in_srgb(picture)
    try:
        return ImageOps.exif_transpose(coloured)
    except Exception:  # EXIF is often broken; then nobody knows better than the pixels
        return coloured


def _reduced(picture: Any, box: tuple[int, int]) -> Any:
    """A picture far larger than needed, averaged down: each copy of 50 megapixels would take 200 MB."""
    factor = min(picture.size) // (2 * max(box))
    return picture.reduce(factor) if factor > 1 and picture.mode not in ("P", "PA", "1") else picture


def _broken(error: Exception) -> str:
    words = str(error).lower()
    if "truncated" in words or "unexpected end" in words:
        return "it breaks off"
    return "it has too many pixels" if type(error).__name__.startswith("DecompressionBomb") else "it is broken"


def _in_srgb(picture: Any) -> Any:
    """Colours by the profile it brings (print's CMYK, a camera's wide gamut); without a usable one as they stand."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "CMYK"):
        return picture
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except Exception:  # a broken profile, or one of another colour space than the picture
        return picture
    assert turned is not None, "not in place"
    turned.info = {name: picture.info[name] for name in ("exif",) if name in picture.info}
    return turned


# ---------------------------------------------------------------- fitting


def _see_through(picture: Any) -> bool:
    """Whether a good part of it is see-through: then it is a drawing or a logo, made to be seen whole."""
    if not picture.has_transparency_data:
        return False
    shades = picture.convert("RGBA").getchannel("A").histogram()
    return bool(sum(shades[:128]) > EMPTY * sum(shades))


def _flat(picture: Any) -> Any:
    if picture.mode.startswith("I") or picture.mode == "F":  # 16 bits a pixel: Pillow would cut, not scale, them
        low, high = picture.getextrema()
        scale = 255 / max(high - low, 1)
        picture = picture.convert("I").point(lambda value: value * scale - low * scale).convert("L")
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    from PIL import Image

    whole = picture.convert("RGBA")
    paper = Image.new("RGB", whole.size, _PAPER)
    paper.paste(whole, None, whole)  # rounded corners, a soft edge
    return paper


def _on_paper(picture: Any, box: tuple[int, int]) -> Any:
    """The whole of it on white, the slot's ratio: dark letters of a see-through logo are lost on a dark page otherwise."""
    from PIL import Image

    whole = picture.convert("RGBA")
    whole.thumbnail((round(box[0] * 0.9), round(box[1] * 0.9)), Image.Resampling.LANCZOS)
    shrink = min(1.0, max(whole.size[0] / (box[0] * 0.9), whole.size[1] / (box[1] * 0.9)))
    paper = Image.new("RGB", (max(1, round(box[0] * shrink)), max(1, round(box[1] * shrink))), _PAPER)
    at = ((paper.size[0] - whole.size[0]) // 2, (paper.size[1] - whole.size[1]) // 2)
    paper.paste(whole, at, whole)
    return paper


def _cut(picture: Any, box: tuple[int, int]) -> Any:
    """Of the slot's ratio, nothing stretched. Of a tall picture more is taken from above: there the faces are."""
    from PIL import Image, ImageOps

    (width, height), (wide, high) = picture.size, box
    scale = min(1.0, width / wide, height / high)
    size = (max(1, round(wide * scale)), max(1, round(high * scale)))
    fitted = ImageOps.fit(picture, size, Image.Resampling.LANCZOS, centering=(0.5, 0.3))
    bare = Image.new("RGB", size)  # a new picture: nothing of the old one's metadata is in it
    bare.paste(fitted)
    return bare


# ---------------------------------------------------------------- writing


def _encoded(picture: Any, *, drawn: bool) -> tuple[bytes, str, tuple[int, int]]:
    """JPEG, progressive, of the best quality within the weight of its size; PNG for what was drawn, where it is lighter.

    What is too heavy at the lowest quality (leaves, gravel) gets fewer pixels: that shows less than squares do.
    """
    most = min(HEAVIEST, max(LIGHTEST, int(picture.size[0] * picture.size[1] * PER_PIXEL)))
    jpeg = b""
    for quality in QUALITIES:
        jpeg = _jpeg(picture, quality)
        if len(jpeg) <= most:
            break
    if drawn:
        png = _saved(picture, "PNG", optimize=True)
        if len(png) <= max(LIGHTEST, len(jpeg)):
            return png, "png", picture.size
    while len(jpeg) > most:
        picture = picture.resize((picture.size[0] * 4 // 5, picture.size[1] * 4 // 5))
        jpeg = _jpeg(picture, QUALITIES[-2])
    return jpeg, "jpg", picture.size


def _jpeg(picture: Any, quality: int) -> bytes:
    return _saved(picture, "JPEG", quality=quality, progressive=True, optimize=True, subsampling="4:2:0")


def _saved(picture: Any, name: str, **how: Any) -> bytes:
    made = io.BytesIO()
    picture.save(made, name, **how)
    return made.getvalue()
