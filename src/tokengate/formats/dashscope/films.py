"""Films in DashScope's own format: video synthesis from words (t2v), a picture (i2v), or a first and a last one (kf2v).

https://help.aliyun.com/zh/model-studio/text-to-video-api-reference, image-to-video-api-reference and
image-to-video-by-first-and-last-frame-api-reference, 2026-11. Models up to wan2.6 take `size` with words and
`resolution` with pictures; from wan2.7 on it is `resolution` and `ratio`, and pictures are a list, `media`.
"""

import re
from math import gcd
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from tokengate.core.images import Size, read_size
from tokengate.core.jobs import JobRequest, JobState, Progress, Submitted, VendorFile
from tokengate.core.parts import NO_EXTRA, Extra, Source
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.video import SIZES, Film, FilmTold, Resolution, resolution_of
from tokengate.core.wire import Losses
from tokengate.formats.dashscope.content import NAME, read_source, write_source
from tokengate.formats.dashscope.embeddings import write_body
from tokengate.formats.dashscope.parameters import MAX_FILM_S, MAX_TASK_SEED, Body
from tokengate.formats.dashscope.refusal import missing, must_be, require_within
from tokengate.formats.dashscope.requests import read_object, read_others
from tokengate.formats.dashscope.shapes import NULL, encode, is_null, is_object
from tokengate.formats.dashscope.task_search import TaskSearch
from tokengate.formats.dashscope.tasks import (
    Outcome,
    Tasks,
    nothing_made,
    read_state,
    read_submitted,
    seconds_of,
    text_of,
)

FILM_PATH: Final = "/services/aigc/video-generation/video-synthesis"
FRAMES_PATH: Final = "/services/aigc/image2video/video-synthesis"

# The format's own names of the vocabulary's words.
FILM_NAMES: Final = {
    "audio": "input.audio_url",
    "extends_prompt": "parameters.prompt_extend",
    "first_frame": "input.img_url",
    "has_sound": "parameters.audio",
    "last_frame": "input.last_frame_url",
    "negative_prompt": "input.negative_prompt",
    "seed": "parameters.seed",
    "size": "parameters.size",
    "watermark": "parameters.watermark",
}

_DEFAULT_S: Final = 5  # of every model, to a request that does not say
_REFERENCE_S: Final = 5  # of films that are referred to, which are paid for as well
_EMPTY: Final = Raw(b"{}")
_FUNCTION: Final = "input.function"
_ONLY_FUNCTION: Final = Raw(b'"video-synthesis"')
_FRAMES: Final = "first_frame", "last_frame"
_SOUND: Final = "driving_audio"
_RATIOS: Final = ("16:9", "9:16", "1:1", "4:3", "3:4")

_is_frames = re.compile(r"kf2v").search
_is_of_words = re.compile(r"(?<!i)t2v").search
_has_pictures = re.compile(r"i2v|kf2v").search
_takes_media = re.compile(r"wan(?:2\.(?:[7-9]|\d\d)|[3-9])").match


def read_film(body: bytes) -> Film:
    """Read a client's request. Raises BadRequest."""
    wire, members = read_object(body, _decode_body)
    asked, input_members = read_object(wire.input, _decode_input, "input")
    given, parameters = read_object(
        _EMPTY if is_null(wire.parameters) else wire.parameters, _decode_parameters, "parameters"
    )
    require_within("parameters.seed", given.seed, 0, MAX_TASK_SEED)
    size = None if given.size is None else read_size(given.size)
    if given.size is not None and size is None:
        raise must_be("parameters.size", "such as 1280*720")
    extra = {
        **read_others(members, _BODY),
        **read_others(input_members, _INPUT, "input."),
        **read_others(parameters, _PARAMETERS, "parameters."),
    }
    if extra.get(_FUNCTION) == _ONLY_FUNCTION:
        del extra[_FUNCTION]
    media = {one.type: read_source(one.url) for one in asked.media or ()}
    if media.keys() - {*_FRAMES, _SOUND} or len(media) != len(asked.media or ()):
        media, extra["input.media"] = {}, Raw(bytes(input_members["media"]))
    first = _source(asked.first_frame_url or asked.img_url) or media.get("first_frame")
    essential = frozenset(name for name in extra if name.startswith("input."))
    if not asked.prompt and first is None and not essential:
        raise missing("input.prompt")
    return Film(
        format=NAME,
        model=wire.model,
        prompt=asked.prompt or "",
        negative_prompt=asked.negative_prompt,
        first_frame=first,
        last_frame=_source(asked.last_frame_url) or media.get("last_frame"),
        audio=_source(asked.audio_url) or media.get(_SOUND),
        seconds=given.duration,
        size=size,
        resolution=given.resolution,
        has_sound=given.audio,
        seed=given.seed,
        extends_prompt=given.prompt_extend,
        watermark=given.watermark,
        most_seconds=_DEFAULT_S + _REFERENCE_S,
        extra=extra,
        essential=essential,
    )


class DashScopeFilms(Tasks, frozen=True, kw_only=True):
    """Implements `core.jobs.JobFormat` for films."""

    def submit(self, task: Film, losses: Losses, *, key: str, callback: str) -> JobRequest:
        """Return the submission. Raises Unsupported."""
        model = _plain(task.model)
        if task.remix_of is not None:
            raise losses.refuse("remix_of")
        if task.format != NAME:
            losses.foreign(task)
        if task.last_frame is not None and not (_is_frames(model) or _takes_media(model)):
            raise losses.refuse("last_frame")
        if task.first_frame is not None and _is_of_words(model):
            raise losses.refuse("first_frame")
        extra = task.extra if task.format == NAME else NO_EXTRA
        asked = {
            "prompt": task.prompt or None,
            "negative_prompt": task.negative_prompt,
            **_sources(task, model, extra, losses),
        }
        parameters = {
            **_looks(task, model, extra, losses),
            "duration": task.seconds,
            "prompt_extend": task.extends_prompt,
            "watermark": task.watermark,
            "seed": task.seed,
            "audio": task.has_sound,
        }
        asked = {name: value for name, value in asked.items() if value is not None}
        path = FRAMES_PATH if _is_frames(model) else FILM_PATH
        return self.submission(path, write_body(task.model, asked, parameters, extra))

    def search(self, task: Film) -> TaskSearch | None:
        """Return how a film is looked for; None for one without a prompt, which nothing would tell from others."""
        return TaskSearch(self.base, (task.prompt,)) if task.prompt else None

    def read_submitted(self, body: bytes, task: Film) -> Submitted:
        """Read the answer to a submission. Raises UpstreamFailed."""
        return read_submitted(body)

    def read_progress(self, body: bytes, task: Film) -> Progress:
        """Read how far a film is. Raises UpstreamFailed."""
        said = read_state(body)
        if isinstance(said, Progress):
            return said
        results = said.output.get("results")
        url = text_of(said.output, "video_url") or (text_of(results, "video_url") if is_object(results) else "")
        if not url:
            return nothing_made(said)
        told = FilmTold(text_of(said.output, "actual_prompt"))
        return Progress(
            JobState.SUCCEEDED,
            percent=100,
            files=(VendorFile("video.mp4", url=url, media_type="video/mp4"),),
            usage=_usage(said, task),
            told=encode(told),
        )


def _usage(said: Outcome, task: Film) -> ReportedUsage:
    """Return the seconds that are paid for, and the class of the film's size. What is referred to is in `duration`."""
    seconds = seconds_of(said.usage, "duration", "output_video_duration", "video_duration")
    said_size = read_size(text_of(said.usage, "size")) or read_size(text_of(said.usage, "video_ratio"))
    size = said_size or task.size
    resolution = _CLASSES.get(str(said.usage.get("SR")).rstrip("pP"))
    if resolution is None:
        resolution = resolution_of(said_size) if said_size else task.most.resolution
    usage = Usage(second=seconds or task.seconds or _DEFAULT_S, request=1)
    return ReportedUsage(usage, said.raw_usage, size=str(size) if size else None, resolution=resolution)


def _sources(task: Film, model: str, extra: Extra, losses: Losses) -> dict[str, Any]:
    """Return the pictures and the sound as the model takes them."""
    frames = {name: _written(source, name, losses) for name in _FRAMES if (source := getattr(task, name)) is not None}
    sound = None if task.audio is None else _written(task.audio, "audio", losses)
    if _takes_media(model) and (frames or _has_pictures(model)):
        named = {**frames, **({_SOUND: sound} if sound else {})}
        media = [{"type": kind, "url": url} for kind, url in named.items()]
        return {"media": media or None} if "input.media" not in extra else {}
    if _is_frames(model):
        return {f"{name}_url": url for name, url in frames.items()}
    return {"img_url": frames.get("first_frame"), "audio_url": sound}


def _looks(task: Film, model: str, extra: Extra, losses: Losses) -> dict[str, str | None]:
    """Return the film's size as the model takes it."""
    if _has_pictures(model) or _takes_media(model):
        resolution = task.resolution
        if resolution is None and task.size is not None:
            resolution = resolution_of(task.size)
        ratio = _ratio(task.size) if task.size is not None and not _has_pictures(model) else None
        if task.size is not None and ratio is None:
            losses.drop("size")  # the pictures' own shape counts
        return {"resolution": resolution, "ratio": None if "parameters.ratio" in extra else ratio}
    size = task.size or (SIZES[task.resolution] if task.resolution else None)
    return {"size": f"{size.width}*{size.height}" if size else None}


def _ratio(size: Size) -> str | None:
    of = gcd(size.width, size.height)
    ratio = f"{size.width // of}:{size.height // of}"
    return ratio if ratio in _RATIOS else None


def _written(source: Source, word: str, losses: Losses) -> str:
    url = write_source(source)
    if url is None:
        raise losses.refuse(word, "must be an address or the bytes themselves, not a file's id")
    return url


def _source(url: str | None) -> Source | None:
    return read_source(url) if url else None


def _plain(model: str) -> str:
    return model.rpartition("/")[2].lower()


class _Medium(Struct):
    type: str
    url: str


class _Input(Struct):
    prompt: str | None = None
    negative_prompt: str | None = None
    img_url: str | None = None
    audio_url: str | None = None
    first_frame_url: str | None = None
    last_frame_url: str | None = None
    media: list[_Medium] | None = None
    extend_prompt: Raw = NULL  # which SDKs always send, and nobody reads any more; likewise `function`


class _Parameters(Struct):
    size: str | None = None
    resolution: Literal["480P", "720P", "1080P"] | None = None
    duration: Annotated[int, Meta(ge=1, le=MAX_FILM_S)] | None = None
    prompt_extend: bool | None = None
    watermark: bool | None = None
    seed: int | None = None
    audio: bool | None = None


_BODY: Final = frozenset(Body.__struct_fields__)
_INPUT: Final = frozenset(_Input.__struct_fields__)
_PARAMETERS: Final = frozenset(_Parameters.__struct_fields__)
_CLASSES: Final[dict[str, Resolution]] = {"480": "480P", "720": "720P", "1080": "1080P"}

_decode_body = msgspec.json.Decoder(Body).decode
_decode_input = msgspec.json.Decoder(_Input).decode
_decode_parameters = msgspec.json.Decoder(_Parameters).decode
