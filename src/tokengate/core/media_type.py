"""What a file is: picture, sound, film or document, by what is said of it and by its first bytes."""

from typing import Final

HEAD_BYTES: Final = 64  # enough to tell

_TYPES: Final = ("image/", "audio/", "video/", "application/pdf", "text/plain")
# First bytes of what servers like to call application/octet-stream.
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
)
# Brands of the ISO base media file format that are no films; pictures of the same format (HEIC, AVIF) are not known.
_BRANDS: Final = {b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4"}
_PICTURE_BRANDS: Final = frozenset({b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1"})


def media_type_of(declared: str, body: bytes) -> str | None:
    """Return the media type; `declared` is a Content-Type or empty. None for what no model reads."""
    kind = declared.partition(";")[0].strip().lower()
    return kind if kind.startswith(_TYPES) else seen_type(body)


def seen_type(head: bytes) -> str | None:
    """Return the media type that a file's first bytes show; None when they show none."""
    for magic, found in _MAGIC:
        if head.startswith(magic):
            return found
    match head[:4]:
        case b"RIFF" | b"RF64":
            return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12])
        case b"\x1aE\xdf\xa3":
            return "video/webm" if b"webm" in head[:HEAD_BYTES] else "video/x-matroska"
        case _:
            pass
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return None if brand in _PICTURE_BRANDS else _BRANDS.get(brand, "video/mp4")
    return "audio/mpeg" if is_mpeg_sound(head) else None


def is_mpeg_sound(head: bytes) -> bool:
    """Say whether a frame of MPEG audio, layer III, begins here: without a version, a bit rate or a sample rate it is
    none."""
    return (
        len(head) >= 4
        and head[0] == 0xFF
        and head[1] & 0xE6 == 0xE2
        and head[1] & 0x18 != 0x08
        and head[2] >> 4 not in (0, 15)
        and head[2] & 0x0C != 0x0C
    )
