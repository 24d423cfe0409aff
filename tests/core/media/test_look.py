"""What Pillow and FFmpeg write is known for what it is, however it arrives; a piece of it, or what only looks like it,
is refused, and nothing makes the look hang, fail otherwise or keep the file in memory."""

import io
import tracemalloc
from collections.abc import Iterator

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.media_files import HEIGHT, PICTURES, RECIPES, WIDTH, media_file
from tokengate.core.media.look import Look, look_at, require_declared
from tokengate.core.media.pictures import MAX_PIXELS
from tokengate.core.media.steps import BadMedia, Media
from tokengate.core.media_type import seen_type

NAMES = [*PICTURES, *RECIPES]
TYPES = PICTURES | {name: recipe.media_type for name, recipe in RECIPES.items()}
# Sound after which nothing tells that something should follow: a cut between two frames or pages is not seen.
OPEN_ENDED = ("flac", "mp3-bare", "ogg-opus", "ogg-flac", "webm-live")


def seen(file: bytes) -> Media:
    """Look at a file where it lies."""
    return look_at(io.BytesIO(file), len(file))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_known_by_its_bytes(name: str) -> None:
    media = seen(media_file(name))

    assert media.media_type == TYPES[name]
    if name in PICTURES or RECIPES[name].film:
        assert (media.width, media.height) == (WIDTH, HEIGHT)
    else:
        assert media.width is media.height is None


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("length_s", [1, 4])
def test_its_length_is_what_ffmpeg_says(name: str, length_s: int) -> None:
    data = media_file(name, length_s)

    media = seen(data)

    with av.open(io.BytesIO(data), "r") as container:
        expected_ms = length_s * 1000 if container.duration is None else container.duration // 1000
    assert media.duration_ms is not None
    assert abs(media.duration_ms - expected_ms) <= 120  # what an encoder adds before and behind, or a frame


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_however_it_is_cut_into_pieces_it_says_the_same(name: str, data: st.DataObject) -> None:
    file = media_file(name)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(file)), max_size=20)))

    look = Look()
    for start, end in zip([0, *cuts], [*cuts, len(file)], strict=True):
        look.feed(file[start:end])

    assert look.end() == seen(file)
    assert look.media_type == TYPES[name]


@pytest.mark.parametrize("name", ["png", "mp4", "webm", "mp3", "ogg-opus", "wav"])
def test_byte_by_byte_it_says_the_same(name: str) -> None:
    file = media_file(name, 1)
    look = Look()
    for at in range(len(file)):
        look.feed(file[at : at + 1])

    assert look.end() == seen(file)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OPEN_ENDED])
@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 0.97))
def test_a_piece_of_it_is_refused(name: str, share: float) -> None:
    file = media_file(name)

    with pytest.raises(BadMedia):
        seen(file[: int(len(file) * share)])


@pytest.mark.parametrize("name", OPEN_ENDED)
def test_what_has_no_end_of_its_own_is_refused_when_a_frame_is_cut(name: str) -> None:
    file = media_file(name)
    refused = 0
    for left in range(1, 40):
        try:
            seen(file[:-left])
        except BadMedia as bad:
            assert bad.why == "is cut off"
            refused += 1

    assert refused >= (0 if name == "flac" else 38)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None)
@given(at=st.floats(0, 1), bytes_=st.binary(min_size=1, max_size=8))
def test_a_damaged_file_says_something_or_is_refused(name: str, at: float, bytes_: bytes) -> None:
    file = bytearray(media_file(name))
    place = int(min(len(file), 4000) * at)
    file[place : place + len(bytes_)] = bytes_

    try:
        media = seen(bytes(file))
    except BadMedia as bad:
        assert bad.why and bad.code
    else:
        assert media.duration_ms is None or media.duration_ms >= 0


_HEADS = st.sampled_from(
    [media_file(name, 1)[:64] for name in NAMES] + [b"", b"RIFF", b"\x1aE\xdf\xa3", b"\0\0\0\0ftyp"]
)


@settings(max_examples=300, deadline=None)
@given(head=_HEADS, length=st.integers(0, 64), rest=st.binary(max_size=300))
def test_other_bytes_are_refused(head: bytes, length: int, rest: bytes) -> None:
    look = Look()
    try:
        look.feed(head[:length] + rest)
        media = look.end()
    except BadMedia:
        return
    assert media.media_type == seen_type(head[:length] + rest)


@pytest.mark.parametrize(
    "text", [b"", b"<!doctype html><title>403</title>", b'{"error": "expired"}', b"%PDF-1.7", b"MZ"]
)
def test_what_is_no_media_is_refused_by_its_first_bytes(text: bytes) -> None:
    with pytest.raises(BadMedia) as caught:
        seen(text + bytes(100))

    assert caught.value.code == "invalid_media_format"


@pytest.mark.parametrize("kind", ["png", "gif", "webp"])
def test_a_bomb_is_refused_before_anybody_opens_it(kind: str) -> None:
    look = Look()

    with pytest.raises(BadMedia) as caught:
        look.feed(_bomb(kind))
        look.end()

    assert caught.value.code == "media_too_large"


def _bomb(kind: str) -> bytes:
    side = int(MAX_PIXELS**0.5) + 1
    if kind == "webp":  # Pillow takes long to write one
        return b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + (side - 1).to_bytes(3, "little") * 2
    file = io.BytesIO()
    Image.new("1", (side, side)).save(file, kind)
    return file.getvalue()


def test_boxes_within_boxes_and_sizes_beyond_reason_end_in_a_refusal() -> None:
    film = b"\0\0\0\x10ftypisom\0\0\0\0"
    nested = film + (b"\0\0\xff\xff" + b"moov") * 5000
    beyond = film + b"\0\0\0\x01mdat" + b"\xff" * 8
    empty = film + b"\0\0\0\x00mdat"
    tiny = film + b"\0\0\0\x03free"
    for bad in (nested, beyond, empty, tiny):
        with pytest.raises(BadMedia):
            seen(bad)


def test_memory_does_not_grow_with_the_file() -> None:
    file = media_file("mp4")
    at = file.index(b"mdat") - 4
    size = int.from_bytes(file[at : at + 4], "big")
    more = 64 * 1024 * 1024

    def pieces() -> Iterator[bytes]:
        yield file[:at] + (size + more).to_bytes(4, "big") + file[at + 4 : at + size]
        for _ in range(more // 65_536):
            yield bytes(65_536)
        yield file[at + size :]

    look = Look()
    tracemalloc.start()
    try:
        for piece in pieces():
            look.feed(piece)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert look.end() == seen(file)
    assert peak_bytes < 2_000_000


@pytest.mark.parametrize(
    ("declared", "seen", "fits"),
    [
        ("video/mp4", "video/mp4", True),
        ("Video/MP4; codecs=avc1", "video/mp4", True),
        ("audio/x-wav", "audio/wav", True),
        ("image/jpg", "image/jpeg", True),
        ("application/octet-stream", "video/webm", True),
        ("", "video/webm", True),
        ("text/plain", "video/webm", True),
        ("image/*", "image/png", True),
        ("image/png", "image/jpeg", False),
        ("video/mp4", "audio/mpeg", False),
    ],
)
def test_a_label_that_says_something_else_is_refused(declared: str, seen: str, fits: bool) -> None:
    if fits:
        require_declared(declared, seen)
    else:
        with pytest.raises(BadMedia, match="as it says"):
            require_declared(declared, seen)


def test_a_wav_that_was_written_before_its_length_was_known_is_whole_wherever_it_ends() -> None:
    file = bytearray(media_file("wav"))
    at = file.index(b"data")
    file[4:8] = file[at + 4 : at + 8] = b"\xff" * 4

    assert seen(bytes(file)).duration_ms == 2000
    assert seen(bytes(file[: at + 8 + 88_200])).duration_ms == 1000


def test_padding_and_tags_around_the_frames_of_an_mp3_are_passed_over() -> None:
    file = media_file("mp3-bare")
    tag = b"ID3\x04\0\0\0\0\x02\0" + bytes(256)
    for odd in (tag + bytes(500) + file, tag + tag + file, file + b"TAG" + bytes(125), file + bytes(3)):
        assert seen(odd) == seen(file)
    half = len(file) // 2
    assert seen(file[:half] + bytes(1000) + file[half:]).duration_ms == pytest.approx(2000, abs=200)
