"""Pictures as publishers have them, and files that only pretend to be one. Drawn here; nobody's."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageDraw


def drawn(width: int = 1200, height: int = 800, mode: str = "RGB") -> Image.Image:
    """Hills under a sun: red on the left edge, blue on the right, green below, so that turning and cutting show."""
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, width // 8, height), fill=(200, 20, 20))
    pen.rectangle((width - width // 8, 0, width, height), fill=(20, 20, 200))
    pen.rectangle((0, height - height // 8, width, height), fill=(20, 160, 20))
    pen.ellipse((width // 3, height // 3, width // 2, height // 2), fill=(250, 220, 90))
    return picture.convert(mode)


def octets(picture: Image.Image, kind: str = "JPEG", **how: Any) -> bytes:
    made = io.BytesIO()
    picture.save(made, kind, **how)
    return made.getvalue()


def photo(width: int = 1200, height: int = 800) -> bytes:
    return octets(drawn(width, height), quality=88)


def see_through(width: int = 900, height: int = 600) -> bytes:
    """A dark word on nothing."""
    picture = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    ImageDraw.Draw(picture).rectangle((width // 4, height // 4, width // 2, height // 2), fill=(10, 10, 60, 255))
    return octets(picture, "PNG")


def huge_png(width: int, height: int) -> bytes:
    """A PNG whose header claims `width` x `height`; its data are a few zeros."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    )


def many_scans(count: int = 3000) -> bytes:
    """A progressive JPEG whose last scan is repeated: cheap to send, dear to decode."""
    made = octets(drawn(1600, 1200), quality=50, progressive=True)
    last = made[made.rindex(b"\xff\xda") : -2]
    return made[:-2] + last[:40] * count + b"\xff\xd9"


def svg() -> bytes:
    return b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="900" height="600"><script>1</script></svg>'


def page() -> bytes:
    return "<!doctype html><html><body><p>Hãy đăng nhập để xem ảnh.</p></body></html>".encode()


HOSTILE = {
    "counting pixel": octets(Image.new("RGB", (1, 1)), "GIF"),
    "icon": octets(drawn(32, 32), "PNG"),
    "banner": photo(1600, 120),
    "too small": photo(120, 80),
    "one colour": octets(Image.new("RGB", (1200, 800), (250, 250, 250)), "PNG"),
    "svg": svg(),
    "page": page(),
    "empty": b"",
    "nul": b"\0" * 5000,
    "text": b"GIF89a but no more" * 10,
    "truncated": photo()[: len(photo()) // 2],
    "truncated png": octets(drawn(), "PNG")[:4000],
    "bomb": huge_png(60_000, 60_000),
    "forty thousand wide": huge_png(40_000, 12_000),
    "scans": many_scans(),
    "tiff": octets(drawn(), "TIFF"),
}
