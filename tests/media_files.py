"""Small pictures, sounds and films, made by Pillow and FFmpeg's libraries: what a vendor would give."""

# PyAV leaves many of its types open.
# pyright: reportUnknownMemberType=false

import io
import tempfile
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple

import av
import numpy
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image

WIDTH, HEIGHT = 160, 96
FRAMES_PER_S = 10


class Recipe(NamedTuple):
    """How to make a sound or a film, and the type that it has then."""

    container: str
    media_type: str
    film: str = ""  # codec
    sound: str = ""
    rate: int = 44_100
    options: tuple[tuple[str, str], ...] = ()


RECIPES = {
    "mp4": Recipe("mp4", "video/mp4", "mpeg4", "aac"),
    "mp4-index-first": Recipe("mp4", "video/mp4", "mpeg4", "aac", options=(("movflags", "faststart"),)),
    "mp4-fragments": Recipe("mp4", "video/mp4", "mpeg4", options=(("movflags", "frag_keyframe+empty_moov"),)),
    "mov": Recipe("mov", "video/quicktime", "mpeg4"),
    "m4a": Recipe("ipod", "audio/mp4", "", "aac"),
    "webm": Recipe("webm", "video/webm", "libvpx", "libopus", 48_000),
    "webm-live": Recipe("webm", "video/webm", "libvpx", options=(("live", "1"),)),
    "mkv": Recipe("matroska", "video/x-matroska", "mpeg4"),
    "wav": Recipe("wav", "audio/wav", "", "pcm_s16le"),
    "mp3": Recipe("mp3", "audio/mpeg", "", "libmp3lame"),
    "mp3-low": Recipe("mp3", "audio/mpeg", "", "libmp3lame", 16_000),
    "mp3-bare": Recipe("mp3", "audio/mpeg", "", "libmp3lame", options=(("write_xing", "0"), ("id3v2_version", "0"))),
    "flac": Recipe("flac", "audio/flac", "", "flac"),
    "ogg-opus": Recipe("ogg", "audio/ogg", "", "libopus", 48_000),
    "ogg-flac": Recipe("ogg", "audio/ogg", "", "flac"),
}
SPOKEN = {"aac": Recipe("adts", "audio/aac", "", "aac")}  # what speech may be, but no upload and no result
PICTURES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}


@cache
def media_file(name: str, length_s: int = 2) -> bytes:
    """Return a file of a recipe or a picture, with something in it, so that most of its bytes are content."""
    if name in PICTURES:
        return _picture(name)
    recipe = (RECIPES | SPOKEN)[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        with av.open(str(path), "w", format=recipe.container, options=dict(recipe.options)) as container:
            film = _add_film(container, recipe) if recipe.film else None
            sound = _add_sound(container, recipe) if recipe.sound else None
            if film is not None:
                _shoot(container, film, length_s)
            if sound is not None:
                _play(container, sound, recipe.rate, length_s)
        return path.read_bytes()


def _picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((WIDTH, HEIGHT), 80).convert("P" if kind == "gif" else "RGB").save(file, kind)
    return file.getvalue()


def _add_film(container: OutputContainer, recipe: Recipe) -> VideoStream:
    fast = {"deadline": "realtime", "cpu-used": "8"} if recipe.film == "libvpx" else {}
    stream = container.add_stream(recipe.film, rate=FRAMES_PER_S, options=fast)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    return stream


def _add_sound(container: OutputContainer, recipe: Recipe) -> AudioStream:
    stream = container.add_stream(recipe.sound, rate=recipe.rate)
    assert isinstance(stream, AudioStream)
    stream.layout = "mono"
    return stream


def _shoot(container: OutputContainer, stream: VideoStream, length_s: int) -> None:
    noise = numpy.random.default_rng(1)
    for number in range(length_s * FRAMES_PER_S):
        pixels = noise.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=numpy.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts = number
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def _play(container: OutputContainer, stream: AudioStream, rate: int, length_s: int) -> None:
    resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=rate)
    total = length_s * rate
    for start in range(0, total, 1024):
        wave = numpy.sin(numpy.arange(start, min(start + 1024, total)) / 20) * 20_000
        frame = av.AudioFrame.from_ndarray(wave.astype(numpy.int16).reshape(1, -1), format="s16", layout="mono")
        frame.rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        for resampled in resampler.resample(frame):
            container.mux(stream.encode(resampled))
    container.mux(stream.encode())
