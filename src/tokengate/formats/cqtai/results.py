"""What CQTAI says of a task, read: its envelope, and results that are a list of clips, or an object of the task's own.

The published examples show clips and the timeline. Where no page shows a result (films, sound files, beats, tags,
lyrics) the usual names of its members are looked for. https://www.cqtai.com/docs/suno, 2026-11
"""

from decimal import Decimal
from typing import Any, Final, cast

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.jobs import JobError, JobState, Progress, Submitted, VendorFile
from tokengate.core.music import DELIVERED, Clip, Compose, Lyrics, Made, files_of, names_of, write_made

_OK: Final = 200
_GONE: Final = 404
_STATES: Final = {
    "succeeded": JobState.SUCCEEDED,
    "success": JobState.SUCCEEDED,
    "complete": JobState.SUCCEEDED,
    "completed": JobState.SUCCEEDED,
    "failed": JobState.FAILED,
    "error": JobState.FAILED,
    "queued": JobState.QUEUED,
    "pending": JobState.QUEUED,
    "submitted": JobState.QUEUED,
}
_MAX_REASON: Final = 1000

Json = dict[str, Any]


class _Taken(Struct, frozen=True):
    code: int
    data: str | None = None


class _Details(Struct, frozen=True):
    id: str
    status: str
    errorMsg: str | None = None
    result: Raw = Raw(b"null")


class _Answer(Struct, frozen=True):
    code: int
    data: _Details | None = None


class _Metadata(Struct, frozen=True):
    tags: str | None = None
    prompt: str | None = None
    type: str | None = None
    duration: Decimal | None = None
    error_message: str | None = None


class _Clip(Struct, frozen=True):
    id: str
    title: str | None = None
    status: str | None = None
    metadata: _Metadata = _Metadata()
    audio_url: str | None = None
    video_url: str | None = None
    image_url: str | None = None
    image_large_url: str | None = None
    midi_url: str | None = None  # a page promises MIDI of instruments, and shows none
    model_name: str | None = None
    major_model_version: str | None = None
    created_at: str | None = None


_decode_taken = msgspec.json.Decoder(_Taken).decode
_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_clips = msgspec.json.Decoder(list[_Clip]).decode
_decode_anything = msgspec.json.Decoder().decode


def read_submitted(body: bytes) -> Submitted:
    """Read the answer to a submission. Raises UpstreamFailed."""
    try:
        taken = _decode_taken(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unreadable() from None
    if taken.code != _OK or not taken.data:
        raise _unreadable()
    return Submitted(taken.data)


def read_progress(body: bytes, task: Compose) -> Progress:
    """Read what became of a task. Raises UpstreamFailed."""
    try:
        return _progress(_decode_answer(body), task)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unreadable() from None


def _progress(answer: _Answer, task: Compose) -> Progress:
    said = answer.data
    if answer.code == _GONE or (answer.code == _OK and said is None):
        return Progress(JobState.EXPIRED)
    if answer.code != _OK or said is None:
        raise _unreadable()
    state = _STATES.get(said.status.lower(), JobState.RUNNING)
    if state is JobState.FAILED:
        return _failed(said.errorMsg)
    return _made(said, task) if state is JobState.SUCCEEDED else Progress(state)


def _made(said: _Details, task: Compose) -> Progress:
    result = bytes(said.result)
    match task.action:
        case "lyrics":
            lyrics = tuple(_lyrics(result))
            return _succeeded(Made(said.id, lyrics=lyrics)) if lyrics else _failed("The vendor wrote no lyrics.")
        case "tags":
            tags = _text(_object(result), "upsampled_tags", "upsampled", "tags") or _plain(result)
            return _succeeded(Made(said.id, tags=tags)) if tags else _failed("The vendor named no tags.")
        case "timing":
            return _succeeded(Made(said.id, details=Raw(_details(result, "aligned_words"))))
        case "beats":
            return _succeeded(Made(said.id, details=Raw(_details(result, "downbeats"))))
        case "mp4":
            return _file(said, "film", "video", _address(result, "video_url", "mp4_url", "url", "mp4"))
        case "wav":
            return _file(said, "sound", "wav", _address(result, "wav_file_url", "wav_url", "audio_url", "url", "wav"))
        case _:
            return _music(said, result)


def _music(said: _Details, result: bytes) -> Progress:
    found = _decode_clips(result)
    made: list[Clip] = []
    files: list[VendorFile] = []
    for clip in found:
        if not clip.audio_url:
            continue
        stem, urls = f"clip-{len(made) + 1}", _urls(clip)
        made.append(_clip(clip, names_of(stem, urls)))
        files += files_of(stem, urls)
    if not made:
        return _failed(next((one.metadata.error_message for one in found if one.metadata.error_message), None))
    return _succeeded(Made(said.id, clips=tuple(made)), files)


def _urls(clip: _Clip) -> dict[str, str | None]:
    return {
        "audio": clip.audio_url,
        "video": clip.video_url,
        "image": clip.image_url,
        "image_large": clip.image_large_url,
        "midi": clip.midi_url,
    }


def _clip(clip: _Clip, files: dict[str, str]) -> Clip:
    about = clip.metadata
    return Clip(
        clip.id,
        title=(clip.title or "").strip(),
        tags=about.tags or "",
        prompt=about.prompt or "",
        kind=about.type or "",
        model=clip.model_name or "",
        version=clip.major_model_version or "",
        duration_s=None if about.duration is None else f"{about.duration:f}",
        created=clip.created_at or "",
        files=files,
    )


def _lyrics(result: bytes) -> list[Lyrics]:
    value = _decode_anything(result)
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    return [words for one in values if (words := _words(one)) is not None]


def _words(value: object) -> Lyrics | None:
    if isinstance(value, str):
        return Lyrics(value) if value else None
    if not isinstance(value, dict):
        return None
    fields = cast("Json", value)
    tags = fields.get("tags")
    named = cast("list[object]", tags) if isinstance(tags, list) else str(tags).split(",") if tags else []
    text = _text(fields, "text", "lyrics", "prompt")
    return Lyrics(text, _text(fields, "title"), tuple(str(one).strip() for one in named)) if text else None


def _file(said: _Details, stem: str, kind: str, url: str) -> Progress:
    if not url:
        return _failed("The vendor gave no file.")
    urls = {kind: url}
    return _succeeded(Made(said.id, files=names_of(stem, urls)), files_of(stem, urls, optional=()))


def _address(result: bytes, *names: str) -> str:
    found = _text(_object(result), *names) or _plain(result)
    return found if found.startswith(("https://", "http://")) else ""


def _details(result: bytes, name: str) -> bytes:
    """Return an object as it is; a list becomes its member `name`."""
    if result[:1] == b"{":
        return result
    return b'{"%s":%s}' % (name.encode(), result if result[:1] == b"[" else b"[]")


def _object(result: bytes) -> Json:
    value = _decode_anything(result)
    if isinstance(value, list) and value:
        value = cast("list[object]", value)[0]
    return cast("Json", value) if isinstance(value, dict) else {}


def _plain(result: bytes) -> str:
    value = _decode_anything(result)
    return value if isinstance(value, str) else ""


def _text(fields: Json, *names: str) -> str:
    return next((value for name in names if isinstance(value := fields.get(name), str) and value), "")


def _succeeded(made: Made, files: list[VendorFile] | None = None) -> Progress:
    return Progress(JobState.SUCCEEDED, files=tuple(files or ()), usage=DELIVERED, kept=write_made(made))


def _failed(why: str | None) -> Progress:
    message = (why or "").strip()[:_MAX_REASON] or "The vendor could not make it, and did not say why."
    return Progress(JobState.FAILED, error=JobError("generation_failed", message))


def _unreadable() -> UpstreamFailed:
    return UpstreamFailed("The upstream answered with something else than was asked for.", kind="invalid")
