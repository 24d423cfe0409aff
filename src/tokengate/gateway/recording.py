"""Whether a file that a caller sends is a recording that a backend may be sent: whole, of a known kind, named as what
it is, and not too long. Headers are read; nothing is decoded.
"""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from tokengate.core.errors import BadRequest
from tokengate.core.media.look import look_at
from tokengate.core.media.steps import BadMedia
from tokengate.core.transcription import Recording
from tokengate.core.upload import StoredFile

# A day. A few bytes can hold much silence, which a local model would decode whole.
MAX_DURATION_MS: Final = 24 * 3_600_000
_PARAM: Final = "file"

# What OpenAI takes, by the endings of names; the first is that of a file whose name says nothing.
ENDINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "wav": ("wav",),
    "mp3": ("mp3", "mpga", "mpeg"),
    "flac": ("flac",),
    "ogg": ("ogg", "oga"),
    "webm": ("webm",),
    "mp4": ("m4a", "mp4"),
}
TYPES: Final[Mapping[str, str]] = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "webm": "audio/webm",
    "mp4": "audio/mp4",
}
_CONTAINER_OF: Final[Mapping[str, str]] = {
    "audio/wav": "wav",
    "audio/mpeg": "mp3",
    "audio/flac": "flac",
    "audio/ogg": "ogg",
    "video/webm": "webm",
    "audio/mp4": "mp4",
    "video/mp4": "mp4",
    "video/quicktime": "mp4",
}
_NAMED: Final = {ending: kind for kind, endings in ENDINGS.items() for ending in endings} | {"opus": "ogg"}
_OTHERS: Final = frozenset({"aac", "aif", "aiff", "amr", "avi", "m4b", "mid", "mka", "mkv", "mov", "wma", "wmv"})
_KNOWN: Final = ", ".join(ending for endings in ENDINGS.values() for ending in endings)


def recording_of(file: StoredFile) -> Recording:
    """Return the recording in a file, under its true type and a name that says it. Raises BadRequest."""
    if not file.size_bytes:
        raise _refusal("is empty", "empty_file")
    try:
        sound = look_at(file.content, file.size_bytes)
    except BadMedia as bad:
        raise _refusal(bad.why, "invalid_file") if bad.code == "invalid_media" else _unknown() from None
    container = _CONTAINER_OF.get(sound.media_type)
    if container is None:
        raise _unknown()
    ending = file.name.rpartition(".")[2].lower() if "." in file.name else ""
    named = _NAMED.get(ending)
    if named != container and (named is not None or ending in _OTHERS):
        raise _refusal(f"is {container.upper()}, not {ending.upper()} as its name says", "invalid_file")
    if not sound.has_sound or sound.sound_ms == 0:
        raise _refusal("has no sound in it", "invalid_file")
    if sound.sound_ms is not None and sound.sound_ms > MAX_DURATION_MS:
        hours = MAX_DURATION_MS // 3_600_000
        raise _refusal(f"is longer than {hours} hours", "audio_too_long")
    endings = ENDINGS[container]
    name = file.name if ending in endings else f"recording.{endings[0]}"
    kept = replace(file, name=name, media_type=TYPES[container])
    return Recording(kept, container, sound.sound_ms)


def _unknown() -> BadRequest:
    return _refusal(f"is no sound of a known kind: {_KNOWN}", "unsupported_file")


def _refusal(why: str, code: str) -> BadRequest:
    return BadRequest(f"The file in '{_PARAM}' {why}.", param=_PARAM, code=code)
