"""A publisher's picture becomes the one a digest shows, or a reason; whatever the file tries."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from newsletter.bounded import run_bounded
from newsletter.compose import painting
from newsletter.compose.painting import Unusable, painted
from tests.fakes.pictures import HOSTILE, drawn, octets, photo, see_through

LEAD, THUMB = (552, 310), (143, 95)


def seen(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def test_a_photograph_has_its_slots_ratio_and_twice_its_pixels():
    content, kind, size = painted(photo(3000, 2000), LEAD)
    assert (kind, size) == ("jpg", (1104, 620))
    assert seen(content).size == size
    assert painted(photo(3000, 2000), THUMB)[2] == (286, 190)


def test_a_small_photograph_is_never_enlarged():
    assert painted(photo(700, 500), LEAD)[2] == (700, 393)


def test_the_files_are_light_and_progressive():
    noisy = octets(Image.effect_noise((2200, 1400), 90).convert("RGB"), quality=95)
    content, _, _ = painted(noisy, LEAD)
    assert len(content) <= painting.HEAVIEST
    assert Image.open(io.BytesIO(content)).info["progressive"]
    assert len(painted(noisy, THUMB)[0]) <= painting.LIGHTEST


def test_nothing_of_the_files_metadata_is_left():
    exif = Image.Exif()
    exif[0x010E] = "GPS 21.0278 N, 105.8342 E"
    exif[0x0131] = "SecretCamera 9"
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    whole = octets(drawn(), exif=exif, icc_profile=srgb, comment=b"taken by Nobody")
    assert b"SecretCamera" in whole
    content, _, _ = painted(whole, LEAD)
    info = Image.open(io.BytesIO(content))
    assert not info.getexif()
    assert set(info.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
    assert b"SecretCamera" not in content
    assert b"Nobody" not in content


def test_a_picture_taken_sideways_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: to be shown a quarter clockwise
    stored = drawn(1240, 2208).transpose(Image.Transpose.ROTATE_90)  # 2208 x 1240 on disk
    content, _, (width, height) = painted(octets(stored, exif=exif, quality=95), (310, 552))
    assert width < height
    left, right = seen(content).getpixel((10, height // 2)), seen(content).getpixel((width - 10, height // 2))
    assert left[0] > 150 > left[2], left  # red is on the left again
    assert right[2] > 150 > right[0], right


@pytest.mark.parametrize("mode", ["CMYK", "L", "1"])
def test_print_colours_and_greys_become_rgb(mode):
    content, _, _ = painted(octets(drawn(mode=mode)), LEAD)
    assert Image.open(io.BytesIO(content)).mode == "RGB"


def test_sixteen_bits_of_grey_keep_their_shades():
    deep = Image.linear_gradient("L").resize((1200, 800)).convert("I").point(lambda value: value * 257).convert("I;16")
    shades = seen(painted(octets(deep, "PNG"), LEAD)[0]).convert("L")
    assert shades.getextrema()[1] - shades.getextrema()[0] > 100


def test_of_a_moving_picture_the_first_frame_is_taken():
    frames = [drawn(), Image.new("RGB", (1200, 800))]
    whole = octets(frames[0], "GIF", save_all=True, append_images=frames[1:])
    content, _, _ = painted(whole, LEAD)
    shown = Image.open(io.BytesIO(content))
    assert getattr(shown, "n_frames", 1) == 1
    assert seen(content).getpixel((10, 200))[0] > 120


def test_a_see_through_logo_stands_whole_on_white():
    content, _, (width, height) = painted(see_through(), LEAD)
    shown = seen(content)
    assert min(shown.getpixel((3, 3))) > 245
    assert max(shown.getpixel((width * 2 // 5, height * 2 // 5))) < 90
    assert abs(width / height - 552 / 310) < 0.01


def test_a_photograph_with_rounded_corners_fills_its_place_all_the_same():
    rounded = drawn(mode="RGBA")
    rounded.paste((90, 0, 90, 0), (0, 0, 60, 60))
    shown = seen(painted(octets(rounded, "PNG"), (600, 400))[0])
    assert min(shown.getpixel((20, 20))) > 230  # the corner is white, not the purple hidden under it
    assert shown.getpixel((40, 400))[0] > 150  # the red left edge is at the edge


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "AVIF"])
def test_the_kinds_that_sites_use_are_read(kind):
    assert painted(octets(drawn(), kind), LEAD)[2] == (1104, 620)


def test_a_drawing_stays_sharp_when_that_is_lighter():
    flat = Image.new("RGB", (1104, 620), (240, 240, 250))
    flat.paste((20, 60, 120), (100, 100, 500, 400))
    content, kind, _ = painted(octets(flat, "PNG"), LEAD)
    assert kind == "png"
    assert len(content) < 20_000


def test_the_same_file_gives_the_same_octets():
    assert painted(photo(), LEAD) == painted(photo(), LEAD)


REASONS = {
    "counting pixel": "a counting pixel or an icon: 1 x 1",
    "icon": "a counting pixel or an icon: 32 x 32",
    "banner": "it is a strip, 1600 x 120",
    "too small": "too small for its place: 120 x 80",
    "one colour": "one colour",
    "svg": "SVG",
    "page": "it is a page",
    "empty": "it is empty",
    "nul": "it is empty",
    "text": "it is broken|no picture of a kind|counting pixel|strip",
    "truncated": "it breaks off",
    "truncated png": "it breaks off|it is broken",
    "bomb": "pixels",
    "forty thousand wide": "pixels",
    "scans": "minutes to decode",
    "tiff": "no picture of a kind",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_no_usable_picture_is_told_apart(name):
    with pytest.raises(Unusable, match=REASONS[name]):
        painted(HOSTILE[name], LEAD)


@pytest.mark.parametrize("name", ["bomb", "scans", "nul", "truncated"])
def test_the_child_process_answers_for_a_hostile_file_too(name):
    found = run_bounded(Path(painting.__file__), b'{"width": 552, "height": 310}\n' + HOSTILE[name])
    assert set(found) == {"error"}


def test_decoding_is_not_loaded_into_the_service():
    loaded = "import sys, newsletter.compose.obtaining; print('PIL' in sys.modules)"
    root = Path(painting.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", loaded], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
