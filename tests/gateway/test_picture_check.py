"""What Pillow writes is a picture, whatever its format and mode; a piece of it, or what only looks like it, is none."""

import base64
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tokengate.core.errors import BadRequest
from tokengate.core.images import Size
from tokengate.core.media.pictures import MAX_PIXELS
from tokengate.core.parts import Data
from tokengate.gateway.picture_check import checked

FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
MODES = {"PNG": ("RGBA", "RGB", "L", "P", "1"), "JPEG": ("RGB", "L"), "WEBP": ("RGB", "RGBA"), "GIF": ("P", "L")}


def picture(kind: str, mode: str = "L", size: tuple[int, int] = (37, 23)) -> bytes:
    """Return a file with something in it, so that most of its bytes are pixels."""
    file = io.BytesIO()
    Image.effect_noise(size, 80).convert(mode).save(file, kind)
    return file.getvalue()


def source(data: bytes, media_type: str = "") -> Data:
    return Data(media_type, base64.b64encode(data).decode())


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in MODES.items() for mode in modes])
def test_a_whole_picture_is_known_by_its_bytes(kind: str, mode: str) -> None:
    kept, size = checked(source(picture(kind, mode), "application/octet-stream"), "image")

    assert (kept.media_type, size) == (FORMATS[kind], Size(37, 23))


@pytest.mark.parametrize("kind", FORMATS)
@settings(max_examples=40, deadline=None)
@given(share=st.floats(0, 0.97))
def test_a_piece_of_a_picture_is_refused(kind: str, share: float) -> None:
    data = picture(kind, MODES[kind][0])

    with pytest.raises(BadRequest):
        checked(source(data[: int(len(data) * share)]), "image")


def test_a_piece_of_a_gif_is_refused_whatever_its_last_byte() -> None:
    data = picture("GIF")

    for size in range(len(data) - 1):
        with pytest.raises(BadRequest):
            checked(source(data[:size]), "image")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_wrong_label_is_refused_and_an_odd_name_of_the_right_one_is_not(kind: str) -> None:
    data = picture(kind, MODES[kind][0])

    for other in set(FORMATS.values()) - {FORMATS[kind]}:
        with pytest.raises(BadRequest, match="as it says"):
            checked(source(data, other), "image")
    assert checked(source(picture("JPEG"), "image/jpg"), "image")[0].media_type == "image/jpeg"


def test_a_bomb_is_refused_before_anybody_opens_it() -> None:
    side = int(MAX_PIXELS**0.5) + 1
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, "PNG")
    assert len(file.getvalue()) < 100_000

    with pytest.raises(BadRequest) as refused:
        checked(source(file.getvalue()), "image")

    assert refused.value.code == "image_too_large"


@given(st.binary(max_size=300))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadRequest):
        checked(source(data), "image")
