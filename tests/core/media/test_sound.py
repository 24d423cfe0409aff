"""Sound in every container is measured as FFmpeg and libsndfile measure it, and what is damaged, cut or made to take
long ends soon and in an answer or a refusal, the same one however the file came."""

# PyAV leaves many of its types open.
# pyright: reportUnknownMemberType=false

import io
import struct
import time
import tracemalloc
from pathlib import Path

import av
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.media_files import PICTURES, RECIPES, media_file
from tokengate.core.media.look import Look, look_at
from tokengate.core.media.steps import BadMedia, Media, sound

SOUNDS = Path(__file__).parents[2] / "fixtures" / "sound"
FILES = {path.name: path.read_bytes() for path in sorted(SOUNDS.iterdir())}
ALL = {name: data for name, data in FILES.items() if name != "tone.aac"} | {
    name: media_file(name, 1) for name in [*PICTURES, *RECIPES]
}
FEW_S = 10  # what takes more does not end soon; the hardest files below take about one


def seen(data: bytes) -> Media:
    return look_at(io.BytesIO(data), len(data))


def passed(data: bytes, piece_bytes: int = 1000) -> Media:
    look = Look()
    for at in range(0, len(data), piece_bytes):
        look.feed(data[at : at + piece_bytes])
    return look.end()


def said(data: bytes) -> tuple[Media | str, Media | str]:
    """Return what both ways of looking say: what the file says of itself, or why it is refused."""
    answers: list[Media | str] = []
    for way in (seen, passed):
        try:
            answers.append(way(data))
        except BadMedia as bad:
            answers.append(bad.why)
    return answers[0], answers[1]


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("tone.wav", "audio/wav"),
        ("tone.mp3", "audio/mpeg"),
        ("tone-tagless.mp3", "audio/mpeg"),
        ("tone.flac", "audio/flac"),
        ("tone.opus", "audio/ogg"),
        ("tone.webm", "video/webm"),
        ("tone-live.webm", "video/webm"),
        ("tone.mka", "video/x-matroska"),
        ("tone.m4a", "audio/mp4"),
        ("tone-fragmented.mp4", "video/mp4"),
    ],
)
def test_a_second_and_a_half_is_measured_in_every_container(name: str, media_type: str) -> None:
    media = seen(FILES[name])

    assert (media.media_type, media.has_sound) == (media_type, True)
    assert media.sound_ms is not None and media.duration_ms is not None
    assert 1_500 <= media.sound_ms <= 1_600  # encoders fill their last frame
    assert 1_500 <= media.duration_ms <= 1_600


@pytest.mark.parametrize("name", ["tone.wav", "tone.flac", "tone.opus", "tone-tagless.mp3"])
def test_its_length_is_what_libsndfile_says(name: str) -> None:
    info = soundfile.info(io.BytesIO(FILES[name]))

    assert seen(FILES[name]).sound_ms == pytest.approx(info.duration * 1000, abs=60)


@pytest.mark.parametrize(("codec", "container"), [("mp2", "mp2"), ("vorbis", "ogg"), ("opus", "webm")])
def test_other_codecs_are_measured_as_ffmpeg_measures_them(codec: str, container: str) -> None:
    data = tone(codec, container)

    with av.open(io.BytesIO(data), "r") as opened:
        assert opened.duration is not None
        assert seen(data).sound_ms == pytest.approx(opened.duration / 1000, abs=60)


def tone(codec: str, container: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream({"opus": "libopus", "vorbis": "vorbis"}.get(codec, codec), rate=48_000)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "stereo"
        if codec == "vorbis":
            stream.codec_context.options = {"strict": "experimental"}
        for start in range(0, 96_000, 960):
            frame = av.AudioFrame(format="fltp", layout="stereo", samples=960)
            for plane in frame.planes:
                plane.update(struct.pack("<960f", *((start + n) % 100 / 200 for n in range(960))))
            frame.rate, frame.pts = 48_000, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return file.getvalue()


def test_of_a_film_the_length_of_its_sound_is_told_apart() -> None:
    film = bytearray(FILES["tone.m4a"])
    at = film.index(b"mvhd") + 16  # how many ticks a second has, and how many there are
    ticks_per_s = int.from_bytes(film[at : at + 4], "big")
    film[at + 4 : at + 8] = (60 * ticks_per_s).to_bytes(4, "big")

    media = seen(bytes(film))

    assert media.duration_ms == 60_000
    assert media.sound_ms == seen(FILES["tone.m4a"]).sound_ms


@pytest.mark.parametrize("data", [b"", b"RIFF", b"%PDF-1.7", b"Hello", bytes(4096), b"\xff" * 4096, FILES["tone.aac"]])
def test_other_files_are_no_sound(data: bytes) -> None:
    with pytest.raises(BadMedia) as caught:
        seen(data)

    assert caught.value.code == "invalid_media_format"


@pytest.mark.parametrize("name", ["tone-tagless.mp3", "tone.flac"])
def test_tags_before_the_sound_are_passed_over(name: str) -> None:
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 7, 104]) + bytes(1000)

    assert said(tag + tag + FILES[name]) == said(FILES[name])


def test_a_tag_before_a_picture_makes_it_no_sound() -> None:
    tag = b"ID3\x04\x00\x00" + bytes([0, 0, 0, 4]) + bytes(4)

    with pytest.raises(BadMedia) as caught:
        seen(tag + media_file("png"))

    assert caught.value.code == "invalid_media_format"


def test_frames_after_what_is_none_are_found() -> None:
    mp3 = FILES["tone-tagless.mp3"]

    assert said(bytes(5000) + mp3) == said(mp3)
    assert said(mp3[10:])[0] == said(mp3[10:])[1]
    assert seen(mp3[10:]).sound_ms == pytest.approx(seen(mp3).sound_ms, abs=60)


def test_wav_written_to_a_pipe_is_as_long_as_the_file() -> None:
    wav = FILES["tone.wav"]

    for size in (0, 0x7FFFFFFF, 0xFFFFFFFF):
        assert seen(wav[:40] + struct.pack("<I", size) + wav[44:]) == sound("audio/wav", 1_500)


def test_a_long_wav_with_sizes_of_64_bits_is_as_long_as_the_file() -> None:
    wav = FILES["tone.wav"]
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, len(wav), len(wav) - 44, 0, 0)
    long = b"RF64\xff\xff\xff\xffWAVE" + sizes + wav[12:40] + b"\xff" * 4 + wav[44:]

    assert seen(long) == sound("audio/wav", 1_500)


def test_flac_that_does_not_know_its_length_is_not_measured() -> None:
    flac = bytearray(FILES["tone.flac"])
    flac[21] &= 0xF0
    flac[22:26] = bytes(4)

    assert seen(bytes(flac)) == sound("audio/flac", None)


def test_sounds_behind_each_other_in_ogg_are_added_up() -> None:
    opus = FILES["tone.opus"]
    once = seen(opus).sound_ms

    assert once is not None
    assert seen(opus + opus + opus).sound_ms == 3 * once


@pytest.mark.parametrize("name", ["tone.wav", "tone.opus", "tone.m4a", "tone.webm", "tone-fragmented.mp4", "tone.mp3"])
@pytest.mark.parametrize("cut_bytes", [1, 100, 700])
def test_files_that_are_cut_off_are_refused(name: str, cut_bytes: int) -> None:
    with pytest.raises(BadMedia, match="is cut off"):
        seen(FILES[name][:-cut_bytes])


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(ALL)), st.data())
def test_damage_anywhere_is_an_answer_or_a_refusal_and_the_same_both_ways(name: str, data: st.DataObject) -> None:
    whole = bytearray(ALL[name])
    for _ in range(data.draw(st.integers(0, 8))):
        at = data.draw(st.integers(0, min(len(whole) - 1, data.draw(st.sampled_from([80, 600, 1 << 20])))))
        whole[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    whole = whole[: data.draw(st.sampled_from([len(whole), data.draw(st.integers(0, len(whole)))]))]

    lying, passing = said(bytes(whole))

    assert lying == passing
    assert not isinstance(lying, Media) or min(lying.duration_ms or 0, lying.sound_ms or 0) >= 0


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([b"RIFF\0\0\0\0WAVE", b"OggS", b"\0\0\0\x20ftypM4A ", b"fLaC", b"\x1a\x45\xdf\xa3", b"ID3", b""]),
    st.binary(),
    st.integers(1, 70),
)
def test_anything_behind_the_first_bytes_is_the_same_both_ways(head: bytes, rest: bytes, piece_bytes: int) -> None:
    try:
        media = passed(head + rest, piece_bytes)
    except BadMedia as bad:
        assert said(head + rest) == (bad.why, bad.why)
    else:
        assert said(head + rest) == (media, media)


_FILM = b"\0\0\0\x10ftypisom\0\0\0\0"
_MPEG = bytes.fromhex("ffe314c4") + bytes(20)  # the smallest frame there is
_HOSTILE = {
    "empty boxes": _FILM + b"\0\0\0\x08free" * 600_000,
    "many tracks": _FILM + b"\x7f\xff\xff\xffmoov" + b"\0\0\0\x08trak" * 600_000,
    "many defaults": _FILM
    + b"".join(b"\0\0\0\x18trex" + bytes(4) + n.to_bytes(4, "big") + bytes(8) for n in range(100_000)),
    "a run of many samples": _FILM + b"\0\x3f\xff\xfftrun\0\0\1\0\0\x0c\0\0" + bytes(4_000_000),
    "empty elements": media_file("webm-live", 1)[:40] + b"\x83\x80" * 600_000,
    "blocks": b"\x1aE\xdf\xa3\x80\x18\x53\x80\x67\xff\x1f\x43\xb6\x75\xff" + b"\xa3\x83\x81\0\0" * 600_000,
    "empty pages": FILES["tone.opus"][:47] + (b"OggS\0\0" + b"\xff" * 20 + b"\0") * 300_000,
    "small frames": _MPEG * 200_000,
    "gaps": (_MPEG * 2 + b"\xff\xfb\x90\0" * 10_000) * 150,
    "no frame": b"\0" + b"\xff\xfb\x90\0" * 1_000_000,
    "small chunks": FILES["tone.wav"][:12] + b"junk\0\0\0\0" * 600_000,
    "blocks of metadata": FILES["tone.flac"][:42].replace(b"\x80", b"\0", 1) + b"\1\0\0\0" * 600_000,
    "tags": (b"ID3\4" + bytes(6)) * 600_000,
    "chunks of a picture": media_file("png")[:33] + b"\0\0\0\0tEXt\0\0\0\0" * 200_000,
}


@pytest.mark.parametrize("name", _HOSTILE)
@pytest.mark.parametrize("way", [seen, passed], ids=["lying", "passing"])
def test_what_is_made_to_take_long_ends_soon_and_in_little_memory(name: str, way: type) -> None:
    data = _HOSTILE[name]
    started_s = time.process_time()
    try:
        way(data)
    except BadMedia as bad:
        assert bad.why
    took_s = time.process_time() - started_s

    tracemalloc.start()
    try:
        way(data[: 1 << 16])
    except BadMedia:
        pass
    finally:
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert took_s < FEW_S
    assert peak_bytes < 2_000_000
