"""How a vendor of OpenAI's shape is asked for films: submitted as a form, looked at, fetched behind the credential.

https://platform.openai.com/docs/api-reference/videos, and vLLM-Omni's `entrypoints/openai/api_server.py`, 2026-11.
"""

from typing import Any, Final, Literal
from urllib.parse import quote

import msgspec
from msgspec import Struct

from tokengate.core.errors import UpstreamFailed
from tokengate.core.images import Size, read_size
from tokengate.core.jobs import JobError, JobRequest, JobState, Progress, Submitted, VendorFile
from tokengate.core.parts import Data, FileId, Source, Url
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.video import SIZES, Film, FilmKept, FilmTold, resolution_of
from tokengate.core.wire import Losses
from tokengate.formats.openai.form import FormFile, write_form
from tokengate.formats.openai.media import write_url
from tokengate.formats.openai.video_requests import NAME, NAMES
from tokengate.formats.openai.video_search import Asked, VideoSearch

_DEFAULT_SECONDS: Final = 4  # OpenAI's, and what vLLM-Omni says of films whose length was not asked for
_MOST_SECONDS: Final = 3_600  # more than this is no length
_PATH: Final = "/videos"

# The words that a form carries as they are.
_WORDS: Final = ("negative_prompt", "seed", "has_sound", "extends_prompt", "watermark")
# Without these the film is as good as what was asked for; so it is with a word that says no to what is not there.
_MINOR: Final = frozenset({"seed", "has_sound", "extends_prompt"})

_STATES: Final = {
    "queued": JobState.QUEUED,
    "in_progress": JobState.RUNNING,
    "completed": JobState.SUCCEEDED,
    "failed": JobState.FAILED,
}

_encode = msgspec.json.Encoder().encode


class OpenAIVideos(Struct, frozen=True, kw_only=True):
    """Implements `core.jobs.JobFormat` for `Film`. A vendor's file says which words of `Film` the vendor `lacks`, which
    parameters of its own it `takes` from callers, and what it can do with a film that it made."""

    lacks: frozenset[str] = frozenset()
    takes: frozenset[str] = frozenset()
    inlines: bool = False
    remixes: bool = False
    previews: bool = False  # has a thumbnail and a sprite sheet of each film
    tells_length: bool = True  # says how long the film is, not only how long it was to be
    deletes_running: bool = False

    @property
    def name(self) -> str:
        return NAME

    @property
    def storage(self) -> None:
        return None

    @property
    def resubmits(self) -> bool:
        return False

    def submit(self, task: Film, losses: Losses, *, key: str, callback: str) -> JobRequest:
        """Return the submission. Raises Unsupported for what would make it another film."""
        if task.remix_of is not None:
            return self._remix(task, losses)
        asked: dict[str, Any] = {"model": task.model, "prompt": task.prompt}
        if (seconds := self._seconds_asked(task)) is not None:
            asked["seconds"] = seconds
        if (size := _size_asked(task)) is not None:
            asked["size"] = size
        self._add_words(asked, task, losses)
        self._add_own(asked, task, losses)
        return JobRequest("POST", _PATH, write_form(asked, _add_first_frame(asked, task, losses)))

    def read_submitted(self, body: bytes, task: Film) -> Submitted:
        """Read the answer to a submission. Raises UpstreamFailed."""
        video = _read(body)
        return Submitted(video.id, self._progress(video, task))

    def search(self, task: Film) -> VideoSearch:
        """Return how a film is looked for in the vendor's list. A remix has the length and size of what it is of."""
        if task.origin is not None:
            return VideoSearch(Asked(None, None, task.origin.vendor_id))
        return VideoSearch(Asked(self._seconds_asked(task), _size_asked(task), None))

    def calls_back(self, task: Film) -> bool:
        return False

    def read_callback(self, body: bytes) -> str:
        return ""

    def look(self, vendor_id: str, task: Film) -> JobRequest:
        return JobRequest("GET", _path(vendor_id))

    def read_progress(self, body: bytes, task: Film) -> Progress:
        """Read how far a film is. Raises UpstreamFailed."""
        return self._progress(_read(body), task)

    def cancel(self, vendor_id: str) -> JobRequest | None:
        return JobRequest("DELETE", _path(vendor_id)) if self.deletes_running else None

    def _seconds_asked(self, task: Film) -> str | None:
        """Return how long the film is to be; None when frames are counted."""
        counts_frames = "num_frames" in task.extra and "num_frames" in self.takes and task.format == NAME
        return None if counts_frames else str(task.seconds or _DEFAULT_SECONDS)

    def _remix(self, task: Film, losses: Losses) -> JobRequest:
        if not self.remixes or task.origin is None:
            raise losses.refuse("remix_of", f"cannot be remixed: {losses.target} has no remixes")
        body = _encode({"prompt": task.prompt})
        return JobRequest("POST", f"{_path(task.origin.vendor_id)}/remix", body)

    def _add_words(self, asked: dict[str, Any], task: Film, losses: Losses) -> None:
        for word in _WORDS:
            if (value := getattr(task, word)) is None:
                continue
            if word not in self.lacks:
                asked[NAMES.get(word, word)] = value
            elif word in _MINOR or value is False:
                losses.drop(word)
            else:
                raise losses.refuse(word)
        if task.last_frame is not None:
            raise losses.refuse("last_frame")
        if task.audio is not None:
            asked["audio_reference"] = _audio(task.audio, losses, lacks="audio" in self.lacks)

    def _add_own(self, asked: dict[str, Any], task: Film, losses: Losses) -> None:
        """Add what the caller said in this format and the vendor takes; drop the rest by name. Raises Unsupported."""
        if task.format != NAME:
            losses.foreign(task)
            return
        for name, value in task.extra.items():
            if name in self.takes:
                asked[name] = value
            elif name in task.essential:
                raise losses.refuse(name)
            else:
                losses.drop(name)

    def _progress(self, video: "_Video", task: Film) -> Progress:
        state = _STATES[video.status]
        size = read_size(video.size) if video.size else None
        told = _encode(FilmTold(seconds=self._seconds(video, task), size=str(size or task.size or "")))
        if state is JobState.FAILED:
            return Progress(state, error=_error(video), told=told)
        percent = min(max(video.progress, 0), 100)
        if state is not JobState.SUCCEEDED:
            return Progress(state, percent, told=told)
        seconds = self._seconds(video, task)
        return Progress(
            state,
            100,
            files=tuple(self._files(video.id)),
            usage=_usage(seconds, size or task.size, task),
            told=told,
            kept=_encode(FilmKept(video.id)) if self.remixes else b"",
        )

    def _seconds(self, video: "_Video", task: Film) -> int:
        if self.tells_length and video.seconds.isascii() and video.seconds.isdigit():
            seconds = int(video.seconds[:6])
            if 1 <= seconds <= _MOST_SECONDS:
                return seconds
        return task.seconds or _DEFAULT_SECONDS

    def _files(self, vendor_id: str) -> list[VendorFile]:
        path = f"{_path(vendor_id)}/content"
        files = [VendorFile("video.mp4", path=path, media_type="video/mp4")]
        if self.previews:
            files += [
                VendorFile(f"{name}.{suffix}", path=f"{path}?variant={name}", media_type=f"image/{kind}", optional=True)
                for name, suffix, kind in (("thumbnail", "webp", "webp"), ("spritesheet", "jpg", "jpeg"))
            ]
        return files


def _size_asked(task: Film) -> str | None:
    size = task.size or (SIZES[task.resolution] if task.resolution else None)
    return None if size is None else str(size)


def _add_first_frame(asked: dict[str, Any], task: Film, losses: Losses) -> tuple[FormFile, ...]:
    """Return the picture as a file of the form, unless its address is a field."""
    match task.first_frame:
        case None:
            return ()
        case Data():
            return (FormFile("input_reference", "first-frame", task.first_frame),)
        case Url():
            asked["input_reference[image_url]"] = task.first_frame.url
            return ()
        case FileId():
            raise losses.refuse("first_frame", "cannot be an uploaded file there")


def _audio(source: Source, losses: Losses, *, lacks: bool) -> dict[str, str]:
    """Return sound as vLLM-Omni takes it, in a field."""
    if lacks or isinstance(source, FileId):
        raise losses.refuse("audio")
    return {"audio_url": write_url(source)}


class _Error(Struct):
    code: str | int | None = None
    message: str | None = None


class _Video(Struct):
    id: str
    status: Literal["queued", "in_progress", "completed", "failed"]
    progress: int = 0
    seconds: str = ""
    size: str | None = None
    error: _Error | None = None


_decode = msgspec.json.Decoder(_Video).decode


def _read(body: bytes) -> _Video:
    try:
        video = _decode(body)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream's video cannot be read.", kind="invalid") from error
    if not video.id:
        raise UpstreamFailed("The upstream's video has no id.", kind="invalid")
    return video


def _path(vendor_id: str) -> str:
    return f"{_PATH}/{quote(vendor_id, safe='')}"


def _error(video: _Video) -> JobError:
    error = video.error or _Error()
    code = "video_generation_failed" if error.code is None else str(error.code)
    return JobError(code, error.message or "The upstream did not say why.")


def _usage(seconds: int, size: Size | None, task: Film) -> ReportedUsage:
    """Return what was delivered, under the size and the class that prices ask about."""
    known = str(size) if size else None
    resolution = resolution_of(size) if size else task.resolution
    raw = _encode({"seconds": seconds, "size": known})
    return ReportedUsage(Usage(second=seconds, request=1), raw, size=known, resolution=resolution)
