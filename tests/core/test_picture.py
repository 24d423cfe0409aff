"""The size of a picture from its first bytes."""

from base64 import b64encode
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.core.picture import size_of, size_of_base64

PNG = b"\x89PNG\r\n\x1a\n" + pack(">I", 13) + b"IHDR" + pack(">II", 640, 480) + b"\x08\x02\x00\x00\x00"
GIF = b"GIF89a" + pack("<HH", 640, 480) + b"\x00\x00\x00"
EXIF = b"\xff\xe1" + pack(">H", 2 + 70_00) + bytes(70_00)
FRAME = b"\xff\xc2" + pack(">HBHHB", 17, 8, 480, 640, 3)
JPEG = b"\xff\xd8" + b"\xff\xe0" + pack(">H", 16) + b"JFIF\x00" + bytes(9) + EXIF + b"\xff" + FRAME + bytes(9)
VP8 = b"VP8 " + bytes(4) + bytes(3) + b"\x9d\x01\x2a" + pack("<HH", 640, 480)
VP8L = b"VP8L" + bytes(4) + b"\x2f" + pack("<I", 639 | 479 << 14) + bytes(5)
VP8X = b"VP8X" + bytes(8) + pack("<I", 639)[:3] + pack("<I", 479)[:3]


def webp(chunk: bytes) -> bytes:
    return b"RIFF" + bytes(4) + b"WEBP" + chunk


PICTURES = [PNG, GIF, JPEG, webp(VP8), webp(VP8L), webp(VP8X)]


@pytest.mark.parametrize("head", PICTURES)
def test_each_format_tells_its_size(head: bytes) -> None:
    assert size_of(head) == (640, 480)
    assert size_of_base64(b64encode(head).decode()) == (640, 480)


@pytest.mark.parametrize(
    "head", [b"", b"%PDF-1.7", PNG[:16], JPEG[:40], webp(VP8)[:20], PNG.replace(pack(">I", 640), bytes(4))]
)
def test_what_does_not_tell_has_no_size(head: bytes) -> None:
    assert size_of(head) is None


@given(st.sampled_from(PICTURES), st.data())
def test_no_damaged_picture_is_more_than_unknown(head: bytes, data: st.DataObject) -> None:
    damaged = bytearray(head[: data.draw(st.integers(0, len(head)))])
    for at in data.draw(st.lists(st.integers(0, len(head) - 1), max_size=5)):
        damaged[at : at + 1] = bytes([data.draw(st.integers(0, 255))])

    size = size_of(bytes(damaged))

    assert size is None or min(size) > 0


@given(st.text())
def test_text_that_is_no_base64_has_no_size(text: str) -> None:
    assert size_of_base64(text) is None
