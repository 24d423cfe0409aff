"""Adds pictures, films, sound and files to a prompt that is counted: by the vendor's rule where the size is known, else
as something typical, and then the whole is an estimate."""

import binascii
from base64 import b64decode

from msgspec import structs

from tokengate.catalog.model import Model
from tokengate.catalog.tokens.images import Crops, Grid, Levels, image_tokens
from tokengate.catalog.tokens.pdf import pages_of_base64
from tokengate.catalog.tokens.prompt import Prompt
from tokengate.catalog.tokens.video import FPS, sampled_frames, video_tokens
from tokengate.catalog.tokens.vision import rule_of
from tokengate.core.parts import Audio, Data, File, Image, Source, Video
from tokengate.core.picture import size_of_base64

TYPICAL_PICTURE = (1024, 1024)  # of a picture whose bytes are elsewhere
TYPICAL_FILM = (1280, 720)
TYPICAL_FILM_MS = 10_000
TYPICAL_AUDIO_TOKENS = 960  # half a minute at Gemini's 32 a second
TYPICAL_PAGES = 4  # of a PDF whose bytes are elsewhere

_TOKENS_PER_PAGE = 2_250  # Anthropic names 1,500 to 3,000, pictures of pages included

_TOKENS_WITHOUT_RULE = 1_000  # of a picture, for vendors who publish no rule
_TOKENS_PER_FRAME = 258  # Gemini looks at one frame a second
_VIDEO_MARKS = 2
_STAMP_TOKENS = 8  # Qwen3-VL writes the time before each pair of frames
_STAMPED_FACTOR = 32


def add_image(prompt: Prompt, image: Image, model: Model, *, high_resolution: bool) -> None:
    """Add a picture."""
    found = rule_of(model, high_resolution=high_resolution)
    if found is None:
        prompt.guess(_TOKENS_WITHOUT_RULE)
        return
    rule, exact = found
    if isinstance(rule, Grid):
        rule = _bounded(rule, image.min_pixels, image.max_pixels)
    size = _size(image.source)
    try:
        tokens = image_tokens(rule, *(size or TYPICAL_PICTURE), image.detail)
    except ValueError:  # the vendor will refuse it
        prompt.guess(_TOKENS_WITHOUT_RULE)
        return
    prompt.mark(tokens)
    if size is None or not exact:
        prompt.guess()


def add_video(prompt: Prompt, video: Video, model: Model) -> None:
    """Add a film, or its frames."""
    found = rule_of(model)
    rule, exact = found or (None, False)
    if not isinstance(rule, Grid):
        frames = len(video.frames) if not video.whole else sampled_frames(TYPICAL_FILM_MS, 1)
        prompt.guess(frames * _TOKENS_PER_FRAME)
        return
    frames = _frames(video)
    size = None if video.whole else _common_size(video.frames)
    try:
        tokens = video_tokens(rule.factor, *(size or TYPICAL_FILM), frames, total_pixels=video.total_pixels)
    except ValueError:
        prompt.guess(_TOKENS_WITHOUT_RULE)
        return
    prompt.mark(tokens + _VIDEO_MARKS)
    if size is None or not exact or video.max_pixels is not None or video.min_pixels is not None:
        prompt.guess()
    if rule.factor == _STAMPED_FACTOR:
        prompt.guess((frames + 1) // 2 * _STAMP_TOKENS)


def add_audio(prompt: Prompt, audio: Audio) -> None:
    """Add a sound; a spoken text counts as what was said."""
    if audio.transcript:
        prompt.separate(audio.transcript)
    prompt.guess(0 if audio.transcript else TYPICAL_AUDIO_TOKENS)


def add_file(prompt: Prompt, file: File, model: Model) -> None:
    """Add a document: plain text inside the request counts as text, a PDF by its pages."""
    text = _plain_text(file.source)
    if text is None:
        pages = pages_of_base64(file.source.base64) if isinstance(file.source, Data) else None
        prompt.guess((pages or TYPICAL_PAGES) * _page_tokens(model))
    else:
        prompt.separate(text)
        prompt.guess()


def _page_tokens(model: Model) -> int:
    """Gemini reads a page as a picture."""
    found = rule_of(model)
    match found and found[0]:
        case Crops():
            return _TOKENS_PER_FRAME
        case Levels() as levels:
            return levels.medium
        case _:
            return _TOKENS_PER_PAGE


def _size(source: Source) -> tuple[int, int] | None:
    return size_of_base64(source.base64) if isinstance(source, Data) else None


def _common_size(frames: tuple[Source, ...]) -> tuple[int, int] | None:
    sizes = {_size(frame) for frame in frames}
    return sizes.pop() if len(sizes) == 1 else None


def _frames(video: Video) -> int:
    if not video.whole:
        return max(1, len(video.frames))
    duration_ms = TYPICAL_FILM_MS
    if video.start_s is not None and video.end_s is not None:
        duration_ms = max(0, int((video.end_s - video.start_s) * 1000))
    frames = sampled_frames(duration_ms, video.fps or FPS)
    return frames if video.max_frames is None else max(2, min(frames, video.max_frames))


def _bounded(rule: Grid, min_pixels: int | None, max_pixels: int | None) -> Grid:
    """Return the rule with the caller's own bounds."""
    square = rule.factor * rule.factor
    least = rule.min_tokens if min_pixels is None else max(1, min_pixels // square)
    most = rule.max_tokens if max_pixels is None else max(least, max_pixels // square)
    return structs.replace(rule, min_tokens=least, max_tokens=most)


def _plain_text(source: Source) -> str | None:
    if not isinstance(source, Data) or not source.media_type.startswith("text/"):
        return None
    try:
        return b64decode(source.base64).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None
