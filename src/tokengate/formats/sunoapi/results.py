"""What sunoapi.org says of a task, read. Records differ by operation: music and lyrics have a `status`, the others a
`successFlag`; timed words and styles are answered at once.

https://docs.sunoapi.org, 2026-11. A record whose callback failed is music all the same when its music is there.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct, field

from tokengate.core.errors import UpstreamFailed
from tokengate.core.jobs import JobError, JobState, Progress, Submitted, VendorFile
from tokengate.core.music import DELIVERED, Clip, Compose, Lyrics, Made, files_of, names_of, write_made
from tokengate.formats.sunoapi.midi import Instrument, Note, write_midi

_OK: Final = 200
_PERCENT: Final = {"PENDING": None, "TEXT_SUCCESS": 40, "FIRST_SUCCESS": 75}
_MAX_REASON: Final = 1000

# How the parts of a song that was split are called there.
_STEMS: Final = {
    "vocalUrl": "Vocals",
    "backingVocalsUrl": "Backing Vocals",
    "instrumentalUrl": "Instrumental",
    "drumsUrl": "Drums",
    "bassUrl": "Bass",
    "guitarUrl": "Guitar",
    "keyboardUrl": "Keyboard",
    "percussionUrl": "Percussion",
    "stringsUrl": "Strings",
    "synthUrl": "Synth",
    "fxUrl": "FX",
    "brassUrl": "Brass",
    "woodwindsUrl": "Woodwinds",
}


class _Envelope(Struct, frozen=True):
    code: int
    data: Raw = Raw(b"null")


class _Taken(Struct, frozen=True, rename="camel"):
    task_id: str


class _Called(Struct, frozen=True):
    task_id: str


class _Record(Struct, frozen=True, rename="camel"):
    task_id: str
    status: str = ""
    success_flag: str | int = ""
    response: Raw = Raw(b"null")
    midi_data: Raw = Raw(b"null")
    error_code: str | int | None = None
    error_message: str | None = None


class _Song(Struct, frozen=True, rename="camel"):
    id: str
    title: str | None = None
    tags: str | None = None
    prompt: str | None = None
    model_name: str | None = None
    duration: Decimal | None = None
    audio_url: str | None = None
    image_url: str | None = None


class _Songs(Struct, frozen=True, rename="camel"):
    suno_data: tuple[_Song, ...] | None = None


class _Words(Struct, frozen=True):
    text: str | None = None
    title: str | None = None
    status: str | None = None


class _AllWords(Struct, frozen=True):
    data: tuple[_Words, ...] | None = None


class _Files(Struct, frozen=True, rename="camel"):
    video_url: str | None = None
    audio_wav_url: str | None = None


class _Note(Struct, frozen=True):
    pitch: int
    start: float | str
    end: float | str
    velocity: float | str = 1.0


class _Instrument(Struct, frozen=True):
    name: str = ""
    notes: tuple[_Note, ...] = ()


class _Midi(Struct, frozen=True):
    instruments: tuple[_Instrument, ...] = ()


class _Word(Struct, frozen=True):
    word: str
    success: bool = True
    start_s: float = field(name="startS", default=0.0)
    end_s: float = field(name="endS", default=0.0)
    p_align: float = field(name="palign", default=0.0)


class _Timing(Struct, frozen=True, rename="camel"):
    aligned_words: tuple[_Word, ...] = ()
    waveform_data: tuple[float, ...] = ()
    hoot_cer: float | None = None
    is_streamed: bool | None = None


class _Style(Struct, frozen=True, rename="camel"):
    task_id: str = ""
    result: str | None = None


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_taken = msgspec.json.Decoder(_Taken).decode
_decode_called = msgspec.json.Decoder(_Called).decode
_decode_record = msgspec.json.Decoder(_Record | None).decode
_decode_songs = msgspec.json.Decoder(_Songs | None).decode
_decode_words = msgspec.json.Decoder(_AllWords | None).decode
_decode_stems = msgspec.json.Decoder(dict[str, Any] | None).decode
_decode_files = msgspec.json.Decoder(_Files | None).decode
_decode_midi = msgspec.json.Decoder(_Midi | None).decode
_decode_timing = msgspec.json.Decoder(_Timing | None).decode
_decode_style = msgspec.json.Decoder(_Style).decode
_encode = msgspec.json.encode


def read_submitted(body: bytes, task: Compose) -> Submitted:
    """Read the answer to a submission, which for timed words and styles is the end. Raises UpstreamFailed."""
    try:
        data = _data(body)
        match task.action:
            case "timing":
                assert task.origin is not None
                return Submitted(task.origin.task, _timed(data, task.origin.task))
            case "tags":
                style = _decode_style(data)
                return Submitted(style.task_id or "style", _styled(style))
            case _:
                return Submitted(_decode_taken(data).task_id)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unreadable() from None


def read_progress(body: bytes, task: Compose) -> Progress:
    """Read what became of a task. Raises UpstreamFailed."""
    try:
        record = _decode_record(_data(body))
        return Progress(JobState.EXPIRED) if record is None else _progress(record, task)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _unreadable() from None


def read_callback(body: bytes) -> str:
    """Return the task that a callback is about, also when it failed; empty when it names none."""
    try:
        return _decode_called(_decode_envelope(body).data).task_id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _data(body: bytes) -> bytes:
    envelope = _decode_envelope(body)
    if envelope.code != _OK:
        raise _unreadable()
    return bytes(envelope.data)


def _progress(record: _Record, task: Compose) -> Progress:
    # A record of notes has 0, 1, 2 and 3 for its flag. https://docs.sunoapi.org/suno-api/get-midi-details, 2026-11
    said = record.status or {"0": "PENDING", "1": "SUCCESS"}.get(str(record.success_flag), str(record.success_flag))
    if said in _PERCENT:
        return Progress(JobState.RUNNING if said != "PENDING" else JobState.QUEUED, percent=_PERCENT[said])
    if said in ("SUCCESS", "CALLBACK_EXCEPTION"):
        made = _made(record, task)
        if made is not None:
            return made
    why = (record.error_message or "").strip()[:_MAX_REASON] or "The vendor could not make it, and did not say why."
    return Progress(JobState.FAILED, error=JobError(said or "generation_failed", why))


def _made(record: _Record, task: Compose) -> Progress | None:
    response = bytes(record.response)
    match task.action:
        case "lyrics":
            found = _decode_words(response) or _AllWords()
            lyrics = tuple(Lyrics(one.text, one.title or "") for one in found.data or () if one.text)
            return _succeeded(Made(record.task_id, lyrics=lyrics)) if lyrics else None
        case "stems":
            return _split(record.task_id, _decode_stems(response) or {})
        case "midi":
            return _noted(record.task_id, bytes(record.midi_data))
        case "mp4":
            return _filed(record.task_id, "film", {"video": (_decode_files(response) or _Files()).video_url})
        case "wav":
            return _filed(record.task_id, "sound", {"wav": (_decode_files(response) or _Files()).audio_wav_url})
        case _:
            return _sung(record.task_id, (_decode_songs(response) or _Songs()).suno_data or ())


def _sung(task_id: str, songs: tuple[_Song, ...]) -> Progress | None:
    clips: list[Clip] = []
    files: list[VendorFile] = []
    for song in songs:
        if not song.audio_url:
            continue
        stem, urls = f"clip-{len(clips) + 1}", {"audio": song.audio_url, "image": song.image_url}
        clips.append(
            Clip(
                song.id,
                title=song.title or "",
                tags=song.tags or "",
                prompt=song.prompt or "",
                kind="gen",
                model=song.model_name or "",
                duration_s=None if song.duration is None else f"{song.duration:f}",
                files=names_of(stem, urls),
            )
        )
        files += files_of(stem, urls)
    return _succeeded(Made(task_id, clips=tuple(clips)), files) if clips else None


def _split(task_id: str, parts: Mapping[str, Any]) -> Progress | None:
    """Parts have no ids there: a clip of them is known by its title."""
    clips: list[Clip] = []
    files: list[VendorFile] = []
    for name, title in _STEMS.items():
        url = parts.get(name)
        if isinstance(url, str) and url:
            stem, urls = f"clip-{len(clips) + 1}", {"audio": url}
            clips.append(Clip(title, title=title, kind="stem", files=names_of(stem, urls)))
            files += files_of(stem, urls)
    return _succeeded(Made(task_id, clips=tuple(clips)), files) if clips else None


def _noted(task_id: str, data: bytes) -> Progress | None:
    """Notes come as JSON; they are made a file, and told too."""
    found = _decode_midi(data)
    if found is None or not found.instruments:
        return None
    instruments = [Instrument(one.name, tuple(_note(note) for note in one.notes)) for one in found.instruments]
    file = VendorFile("notes.mid", data=write_midi(instruments), media_type="audio/midi")
    told = _encode({"instruments": [{"name": one.name, "notes": one.notes} for one in instruments]})
    return _succeeded(Made(task_id, details=Raw(told), files={"midi": file.name}), [file])


def _note(note: _Note) -> Note:
    """Numbers come as strings, too."""
    try:
        return Note(note.pitch, float(note.start), float(note.end), float(note.velocity))
    except ValueError:
        raise _unreadable() from None


def _filed(task_id: str, stem: str, urls: dict[str, str | None]) -> Progress | None:
    files = files_of(stem, urls, optional=())
    return _succeeded(Made(task_id, files=names_of(stem, urls)), files) if files else None


def _timed(data: bytes, task_id: str) -> Progress:
    timing = _decode_timing(data) or _Timing()
    told: dict[str, Any] = {
        "aligned_words": [
            {"word": w.word, "success": w.success, "start_s": w.start_s, "end_s": w.end_s, "p_align": w.p_align}
            for w in timing.aligned_words
        ],
        "waveform_data": timing.waveform_data,
        "hoot_cer": timing.hoot_cer,
        "is_streamed": timing.is_streamed,
    }
    return _succeeded(Made(task_id, details=Raw(_encode(told))))


def _styled(style: _Style) -> Progress:
    if not style.result:
        return Progress(JobState.FAILED, error=JobError("generation_failed", "The vendor named no tags."))
    return _succeeded(Made(style.task_id, tags=style.result))


def _succeeded(made: Made, files: list[VendorFile] | None = None) -> Progress:
    return Progress(JobState.SUCCEEDED, files=tuple(files or ()), usage=DELIVERED, kept=write_made(made))


def _unreadable() -> UpstreamFailed:
    return UpstreamFailed("The upstream answered with something else than was asked for.", kind="invalid")
