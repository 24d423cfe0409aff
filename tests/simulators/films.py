"""Real films for tests: small MP4s (H.264) of any size and length, and what one shows once opened."""

import io
from functools import lru_cache
from typing import Any, NamedTuple

import av
from PIL import Image

RATE = 4  # frames a second, so that they are made fast

_av: Any = av  # its types are incomplete


class Seen(NamedTuple):
    """What a film's bytes hold."""

    seconds: float
    width: int
    height: int


@lru_cache(maxsize=64)
def film_of(seconds: int, width: int, height: int) -> bytes:
    """Return a film whose colour changes with each frame."""
    file = io.BytesIO()
    with _av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(seconds * RATE):
            picture = Image.new("RGB", (width, height), (number * 8 % 256, 90, 160))
            container.mux(stream.encode(_av.VideoFrame.from_image(picture)))
        container.mux(stream.encode(None))
    return file.getvalue()


def seen(film: bytes) -> Seen:
    """Open a film and decode every frame of it."""
    with _av.open(io.BytesIO(film)) as container:
        (stream,) = container.streams.video
        frames = sum(1 for _ in container.decode(stream))
        return Seen(float(frames / stream.average_rate), stream.width, stream.height)


def still(width: int, height: int, kind: str) -> bytes:
    """Return a picture of one colour, such as a thumbnail."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), (200, 90, 160)).save(file, kind)
    return file.getvalue()
