"""What callers of each format ask of models that make media: the rows of the matrix, in sections by format and kind."""

import base64
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import soundfile
from msgspec import Struct

from tests.simulators.image_upstream import png
from tests.simulators.openai_transcription import SPOKEN, TRANSLATED

if TYPE_CHECKING:
    from tests.compatibility.media.vendors import Vendor

Json = dict[str, Any]
Kind = Literal["image", "speech", "transcription", "video", "music"]
Job = Literal["", "video", "task", "suno", "submitted"]  # how what takes long is followed

PICTURE = png(400, 400)
PICTURE_URL = f"data:image/png;base64,{base64.b64encode(PICTURE).decode()}"
FRAME_URL = f"data:image/png;base64,{base64.b64encode(png(1280, 720)).decode()}"
_SPEECH = Path(__file__).parents[2] / "fixtures" / "local_speech" / "train.opus"


def _as_wav(path: Path) -> bytes:
    samples, rate = soundfile.read(path, dtype="int16")
    file = io.BytesIO()
    # A third of the samples is what speech needs, and small enough to stay in the simulated vendors' memory.
    soundfile.write(file, samples[::3], rate // 3, format="WAV", subtype="PCM_16")
    return file.getvalue()


SOUND = _as_wav(_SPEECH)  # somebody speaks in it, whom the local model hears
SOUND_URL = f"data:audio/wav;base64,{base64.b64encode(SOUND).decode()}"
# Stand for what the vendor made before: a song, a section of one made anew, an instrument of one, a film.
CLIP, PIECE, STEM, FILM = "$CLIP", "$PIECE", "$STEM", "$FILM"


class Request(Struct, frozen=True):
    """One request. `fields` make a form, whose lists have names with brackets, and `file` is in it."""

    path: str
    body: Json = {}
    fields: tuple[tuple[str, str], ...] = ()
    file: tuple[str, str, bytes] | None = None  # the field, the file's name, and what is in it
    headers: Mapping[str, str] = {}


class Row(Struct, frozen=True, kw_only=True):
    """One capability. One of the `marks` must be in what the vendor is sent; `returns` looks at the answer, which for a
    job is what is told of it at its end."""

    id: str
    title: tuple[str, str]  # in English and in Chinese
    ask: "Callable[[Vendor, str], Request]"  # by the vendor, and the gateway's name of its model
    model: str = ""  # what of the vendor's models is asked; empty for the section's
    marks: tuple[bytes, ...] = ()
    returns: Callable[[bytes], bool] = bool


class Section(Struct, frozen=True):
    """The rows of one format of callers."""

    id: str
    title: tuple[str, str]
    kind: Kind
    model: str
    rows: tuple[Row, ...]
    job: Job = ""


def _marks(*texts: str) -> tuple[bytes, ...]:
    return tuple(text.encode() for text in texts)


def _pair(name: str, value: Any) -> tuple[bytes, ...]:
    """Return how a member with a value may stand in JSON, or in a form."""
    written = json.dumps(value)
    return _marks(f'"{name}":{written}', f'"{name}": {written}', f'name="{name}"\r\n\r\n{value}\r\n')


# Pictures, in OpenAI's format


def _pictures(answer: bytes) -> list[Json]:
    return json.loads(answer)["data"]


def _is_stream(answer: bytes) -> bool:
    return b"event" in answer[:6] or answer.startswith(b"data:")


def _drawn(**more: Any) -> "Callable[[Vendor, str], Request]":
    return lambda vendor, model: Request("/v1/images/generations", {"model": model, "prompt": "a red boat", **more})


def _edited(**more: Any) -> "Callable[[Vendor, str], Request]":
    asked = {"prompt": "a red boat", "image": PICTURE_URL, **more}
    return lambda vendor, model: Request("/v1/images/edits", {"model": model, **asked})


def _form(path: str, *fields: tuple[str, str]) -> "Callable[[Vendor, str], Request]":
    file = ("image", "a.png", PICTURE)
    return lambda vendor, model: Request(path, fields=(("model", model), *fields), file=file)


_IN_PICTURE = (PICTURE, base64.b64encode(PICTURE)[:200])

PICTURES = Section(
    "openai_images",
    ("Pictures, OpenAI's format", "图片:OpenAI 格式"),
    "image",
    "draw",
    (
        Row(id="words", title=("A picture from words", "文生图"), ask=_drawn(), marks=_marks("a red boat")),
        Row(
            id="several",
            title=("Several pictures", "多张图片"),
            ask=_drawn(n=2),
            marks=_pair("n", 2),
            returns=lambda answer: len(_pictures(answer)) == 2,
        ),
        Row(
            id="size",
            title=("Size", "尺寸"),
            ask=_drawn(size="1024x1024"),
            marks=_marks("1024x1024", "1024*1024", '"aspectRatio":"1:1"'),
        ),
        Row(id="quality", title=("Quality", "质量"), ask=_drawn(quality="high"), marks=_pair("quality", "high")),
        Row(
            id="background",
            title=("Transparent background", "透明背景"),
            ask=_drawn(background="transparent"),
            marks=_marks("transparent"),
        ),
        Row(
            id="format",
            title=("WebP", "WebP"),
            ask=_drawn(output_format="webp"),
            marks=_pair("output_format", "webp"),
        ),
        Row(
            id="compression",
            title=("Compression", "压缩率"),
            ask=_drawn(output_compression=73),
            marks=_pair("output_compression", 73),
        ),
        Row(id="style", title=("Style", "风格"), ask=_drawn(style="vivid"), marks=_pair("style", "vivid")),
        Row(
            id="negative_prompt",
            title=("What shall not be seen", "反向提示词"),
            ask=_drawn(negative_prompt="no gulls"),
            marks=_marks("no gulls"),
        ),
        Row(id="seed", title=("Seed", "随机种子"), ask=_drawn(seed=4711), marks=_pair("seed", 4711)),
        Row(
            id="base64",
            title=("As base64", "以 base64 返回"),
            ask=_drawn(response_format="b64_json"),
            returns=lambda answer: bool(_pictures(answer)[0].get("b64_json")),
        ),
        Row(
            id="url",
            title=("At an address", "以地址返回"),
            ask=_drawn(response_format="url"),
            returns=lambda answer: bool(_pictures(answer)[0].get("url")),
        ),
        Row(
            id="stream",
            title=("Streamed", "流式"),
            ask=_drawn(stream=True),
            returns=lambda answer: b"image_generation.completed" in answer,
        ),
        Row(
            id="partial",
            title=("Streamed, with partial pictures", "流式,含中间图片"),
            ask=_drawn(stream=True, partial_images=2),
            marks=_pair("partial_images", 2),
            returns=lambda answer: b"image_generation.partial_image" in answer,
        ),
        Row(
            id="edit",
            title=("Edit of a picture", "编辑图片"),
            model="edit",
            ask=_edited(),
            marks=_IN_PICTURE,
        ),
        Row(
            id="edit_form",
            title=("Edit, as a form", "编辑:表单上传"),
            model="edit",
            ask=_form("/v1/images/edits", ("prompt", "a red boat")),
            marks=_IN_PICTURE,
        ),
        Row(
            id="edit_several",
            title=("Edit of several pictures", "编辑多张图片"),
            model="edit",
            ask=_edited(image=[PICTURE_URL, PICTURE_URL]),
            marks=_IN_PICTURE,
        ),
        Row(
            id="mask",
            title=("Edit with a mask", "带蒙版的编辑"),
            model="edit",
            ask=_edited(mask=PICTURE_URL),
            marks=_marks('name="mask"'),
        ),
        Row(
            id="fidelity",
            title=("Fidelity to the picture", "与原图的相似度"),
            model="edit",
            ask=_edited(input_fidelity="high"),
            marks=_pair("input_fidelity", "high"),
        ),
        Row(
            id="edit_stream",
            title=("Edit, streamed", "编辑:流式"),
            model="edit",
            ask=_edited(stream=True),
            returns=lambda answer: b"image_edit.completed" in answer,
        ),
        Row(
            id="variation",
            title=("Variation of a picture", "图片变体"),
            model="edit",
            ask=_form("/v1/images/variations"),
            marks=_IN_PICTURE,
        ),
    ),
)

# Pictures, in DashScope's format, while the caller waits

_MULTIMODAL = "/api/v1/services/aigc/multimodal-generation/generation"


def _painted(*content: Json, stream: bool = False, **parameters: Any) -> "Callable[[Vendor, str], Request]":
    messages = [{"role": "user", "content": [*content, {"text": "a red boat"}]}]
    headers = {"x-dashscope-sse": "enable"} if stream else {}
    return lambda vendor, model: Request(
        _MULTIMODAL, {"model": model, "input": {"messages": messages}, "parameters": parameters}, headers=headers
    )


def _dashscope_pictures(answer: bytes) -> int:
    return len(json.loads(answer)["output"]["choices"])


DASHSCOPE_PICTURES = Section(
    "dashscope_images",
    ("Pictures, DashScope's format", "图片:DashScope 格式"),
    "image",
    "draw",
    (
        Row(id="words", title=("A picture from words", "文生图"), ask=_painted(), marks=_marks("a red boat")),
        Row(
            id="several",
            title=("Several pictures", "多张图片"),
            ask=_painted(n=2),
            marks=_pair("n", 2),
            returns=lambda answer: _dashscope_pictures(answer) == 2,
        ),
        Row(
            id="size",
            title=("Size", "尺寸"),
            ask=_painted(size="1024*1024"),
            marks=_marks("1024x1024", "1024*1024", '"aspectRatio":"1:1"'),
        ),
        Row(
            id="negative_prompt",
            title=("What shall not be seen", "反向提示词"),
            ask=_painted(negative_prompt="no gulls"),
            marks=_marks("no gulls"),
        ),
        Row(id="seed", title=("Seed", "随机种子"), ask=_painted(seed=4711), marks=_pair("seed", 4711)),
        Row(
            id="prompt_extend",
            title=("Prompt left as it is", "不扩写提示词"),
            ask=_painted(prompt_extend=False),
            marks=_pair("prompt_extend", False),
        ),
        Row(id="watermark", title=("Watermark", "水印"), ask=_painted(watermark=True), marks=_pair("watermark", True)),
        Row(
            id="edit",
            title=("Edit of a picture", "编辑图片"),
            model="edit",
            ask=_painted({"image": PICTURE_URL}),
            marks=_IN_PICTURE,
        ),
        Row(id="stream", title=("Streamed", "流式"), ask=_painted(stream=True), returns=_is_stream),
    ),
)

# Pictures in chats

_SAID = "Here it is."  # beside the picture, by every simulated vendor
_PICTURE_PART: Json = {"type": "image_url", "image_url": {"url": PICTURE_URL}}
_DRAWN_BEFORE: Json = {"role": "assistant", "content": _SAID, "images": [_PICTURE_PART]}


def _chatted(*parts: Json, before: tuple[Json, ...] = (), **more: Any) -> "Callable[[Vendor, str], Request]":
    said = {"role": "user", "content": [{"type": "text", "text": "a red boat"}, *parts]}
    asked = {"modalities": ["text", "image"], "messages": [*before, said], **more}
    return lambda vendor, model: Request("/v1/chat/completions", {"model": model, **asked})


def _chat_message(answer: bytes) -> Json:
    return json.loads(answer)["choices"][0]["message"]


def _has_drawn(answer: bytes) -> bool:
    return all(one["image_url"]["url"].startswith("data:image/") for one in _chat_message(answer)["images"])


CHAT_PICTURES = Section(
    "openai_chat_images",
    ("Pictures in chats, OpenAI's format", "对话中的图片:OpenAI 格式"),
    "image",
    "draw",
    (
        Row(
            id="words",
            title=("A picture from words", "文生图"),
            ask=_chatted(),
            marks=_marks("a red boat"),
            returns=_has_drawn,
        ),
        Row(
            id="beside",
            title=("Words beside the picture", "图片旁的文字"),
            ask=_chatted(),
            returns=lambda answer: _chat_message(answer)["content"] == _SAID,
        ),
        Row(
            id="stream",
            title=("Streamed", "流式"),
            ask=_chatted(stream=True),
            returns=lambda answer: _is_stream(answer) and b'"images":[{' in answer,
        ),
        Row(
            id="edit",
            title=("Edit of a picture", "编辑图片"),
            model="edit",
            ask=_chatted(_PICTURE_PART),
            marks=_IN_PICTURE,
            returns=_has_drawn,
        ),
        Row(
            id="again",
            title=("Drawn on, in the next turn", "下一轮继续修改"),
            model="edit",
            ask=_chatted(before=({"role": "user", "content": "a boat"}, _DRAWN_BEFORE)),
            marks=_IN_PICTURE,
            returns=_has_drawn,
        ),
        Row(
            id="aspect",
            title=("Aspect ratio", "宽高比"),
            ask=_chatted(image_config={"aspect_ratio": "16:9"}),
            marks=_marks("16:9", '"width":1360,"height":768'),
            returns=_has_drawn,
        ),
        Row(
            id="size",
            title=("Size", "尺寸"),
            ask=_chatted(image_config={"image_size": "2K"}),
            marks=_marks('"2K"', '"width":2048,"height":2048'),
            returns=_has_drawn,
        ),
        Row(id="seed", title=("Seed", "随机种子"), ask=_chatted(seed=4711), marks=_pair("seed", 4711)),
    ),
)

_INLINE: Json = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(PICTURE).decode()}}


def _generated(
    *parts: Json, before: tuple[Json, ...] = (), stream: bool = False, **config: Any
) -> "Callable[[Vendor, str], Request]":
    contents = [*before, {"role": "user", "parts": [{"text": "a red boat"}, *parts]}]
    asked = {"contents": contents, "generationConfig": {"responseModalities": ["TEXT", "IMAGE"], **config}}
    call = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return lambda vendor, model: Request(f"/v1beta/models/{model}:{call}", asked)


def _gemini_parts(answer: bytes) -> list[Json]:
    return json.loads(answer)["candidates"][0]["content"]["parts"]


def _has_inline(answer: bytes) -> bool:
    return any("inlineData" in part for part in _gemini_parts(answer))


GEMINI_PICTURES = Section(
    "gemini_images",
    ("Pictures in chats, Gemini's format", "对话中的图片:Gemini 格式"),
    "image",
    "draw",
    (
        Row(
            id="words",
            title=("A picture from words", "文生图"),
            ask=_generated(),
            marks=_marks("a red boat"),
            returns=_has_inline,
        ),
        Row(
            id="beside",
            title=("Words beside the picture", "图片旁的文字"),
            ask=_generated(),
            returns=lambda answer: any(part.get("text") == _SAID for part in _gemini_parts(answer)),
        ),
        Row(
            id="stream",
            title=("Streamed", "流式"),
            ask=_generated(stream=True),
            returns=lambda answer: _is_stream(answer) and b'"inlineData":' in answer,
        ),
        Row(
            id="edit",
            title=("Edit of a picture", "编辑图片"),
            model="edit",
            ask=_generated(_INLINE),
            marks=_IN_PICTURE,
            returns=_has_inline,
        ),
        Row(
            id="again",
            title=("Drawn on, in the next turn", "下一轮继续修改"),
            model="edit",
            ask=_generated(
                before=(
                    {"role": "user", "parts": [{"text": "a boat"}]},
                    {"role": "model", "parts": [{"text": _SAID}, _INLINE]},
                )
            ),
            marks=_IN_PICTURE,
            returns=_has_inline,
        ),
        Row(
            id="aspect",
            title=("Aspect ratio", "宽高比"),
            ask=_generated(imageConfig={"aspectRatio": "16:9"}),
            marks=_marks("16:9", '"width":1360,"height":768'),
            returns=_has_inline,
        ),
        Row(
            id="size",
            title=("Size", "尺寸"),
            ask=_generated(imageConfig={"imageSize": "2K"}),
            marks=_marks('"2K"', '"width":2048,"height":2048'),
            returns=_has_inline,
        ),
        Row(id="seed", title=("Seed", "随机种子"), ask=_generated(seed=4711), marks=_pair("seed", 4711)),
    ),
)

# Speech


def _spoken(**more: Any) -> "Callable[[Vendor, str], Request]":
    def ask(vendor: "Vendor", model: str) -> Request:
        asked = {"model": model, "input": "Hello there", "voice": vendor.voice, "response_format": "wav", **more}
        return Request("/v1/audio/speech", asked)

    return ask


def _sound_row(format: str) -> Row:
    return Row(
        id=f"format_{format}",
        title=(format.upper(), format.upper()),
        ask=_spoken(response_format=format),
        marks=_marks("Hello there"),
    )


SPEECH = Section(
    "openai_speech",
    ("Speech, OpenAI's format", "语音合成:OpenAI 格式"),
    "speech",
    "speak",
    (
        *map(_sound_row, ("mp3", "opus", "aac", "flac", "wav", "pcm")),
        Row(id="speed", title=("Speed", "语速"), ask=_spoken(speed=1.5), marks=_pair("speed", 1.5)),
        Row(
            id="instructions",
            title=("Instructions", "语气指令"),
            model="instructed",
            ask=_spoken(instructions="Be glad."),
            marks=_marks("Be glad."),
        ),
        Row(
            id="language",
            title=("Language", "语言"),
            ask=_spoken(language="English"),
            marks=_marks('"English"'),
        ),
        Row(
            id="events",
            title=("In events", "以事件返回"),
            ask=_spoken(stream_format="sse"),
            marks=_marks("Hello there"),
            returns=lambda answer: b"speech.audio.done" in answer,
        ),
    ),
)


def _told(stream: bool = False, **more: Any) -> "Callable[[Vendor, str], Request]":
    headers = {"x-dashscope-sse": "enable"} if stream else {}
    return lambda vendor, model: Request(
        _MULTIMODAL,
        {"model": model, "input": {"text": "Hello there", "voice": vendor.voice, **more}},
        headers=headers,
    )


DASHSCOPE_SPEECH = Section(
    "dashscope_speech",
    ("Speech, DashScope's format", "语音合成:DashScope 格式"),
    "speech",
    "speak",
    (
        Row(id="whole", title=("A file", "返回文件"), ask=_told(), marks=_marks("Hello there")),
        Row(
            id="stream",
            title=("Streamed", "流式"),
            ask=_told(stream=True),
            marks=_marks("Hello there"),
            returns=lambda answer: b"id:" in answer[:4],
        ),
        Row(
            id="language",
            title=("Language", "语言"),
            ask=_told(language_type="English"),
            marks=_marks('"English"'),
        ),
    ),
)

# Transcription


def _heard(*fields: tuple[str, str], translated: bool = False) -> "Callable[[Vendor, str], Request]":
    path = "/v1/audio/translations" if translated else "/v1/audio/transcriptions"
    file = ("file", "speech.wav", SOUND)
    return lambda vendor, model: Request(path, fields=(("model", model), *fields), file=file)


def _has(*words: str) -> Callable[[bytes], bool]:
    return lambda answer: any(word.encode() in answer for word in words)


_HEARD = (SOUND, base64.b64encode(SOUND)[:200])
_first = (SPOKEN[0], "I heard", "train")  # as the simulated vendors write it down, and the local model


def _shape_row(shape: str, title: tuple[str, str], model: str = "") -> Row:
    ask = _heard(("response_format", shape))
    return Row(id=shape, title=title, model=model, ask=ask, marks=_HEARD, returns=_has(*_first))


TRANSCRIPTION = Section(
    "openai_transcription",
    ("Transcription, OpenAI's format", "语音识别:OpenAI 格式"),
    "transcription",
    "hear",
    (
        _shape_row("json", ("JSON", "JSON")),
        _shape_row("text", ("Text", "纯文本")),
        _shape_row("srt", ("Subtitles, SRT", "SRT 字幕"), "timed"),
        _shape_row("vtt", ("Subtitles, WebVTT", "WebVTT 字幕"), "timed"),
        _shape_row("verbose_json", ("Times of segments", "分段时间"), "timed"),
        Row(
            id="words",
            title=("Times of words", "逐词时间"),
            model="timed",
            ask=_heard(("response_format", "verbose_json"), ("timestamp_granularities[]", "word")),
            marks=_HEARD,
            returns=lambda answer: bool(json.loads(answer).get("words")),
        ),
        Row(
            id="speakers",
            title=("Who speaks", "说话人"),
            model="speakers",
            ask=_heard(("response_format", "diarized_json")),
            marks=_HEARD,
            returns=_has("speaker"),
        ),
        Row(
            id="language",
            title=("Language", "语言"),
            ask=_heard(("language", "en")),
            marks=_pair("language", "en"),
        ),
        Row(
            id="prompt",
            title=("Words to expect", "提示词"),
            ask=_heard(("prompt", "Names: Ada")),
            marks=_marks("Names: Ada"),
        ),
        Row(
            id="temperature",
            title=("Temperature", "温度"),
            ask=_heard(("temperature", "0.25")),
            marks=_marks("0.25"),
        ),
        Row(
            id="stream",
            title=("Streamed", "流式"),
            ask=_heard(("stream", "true")),
            marks=_HEARD,
            returns=_has("transcript.text.done"),
        ),
        Row(
            id="translation",
            title=("Translation into English", "翻译为英文"),
            model="timed",
            ask=_heard(translated=True),
            marks=_HEARD,
            returns=_has(TRANSLATED[0]),
        ),
    ),
)


def _listened(stream: bool = False, **parameters: Any) -> "Callable[[Vendor, str], Request]":
    messages = [{"role": "user", "content": [{"audio": SOUND_URL}]}]
    headers = {"x-dashscope-sse": "enable"} if stream else {}
    return lambda vendor, model: Request(
        _MULTIMODAL, {"model": model, "input": {"messages": messages}, "parameters": parameters}, headers=headers
    )


DASHSCOPE_TRANSCRIPTION = Section(
    "dashscope_transcription",
    ("Transcription, DashScope's format", "语音识别:DashScope 格式"),
    "transcription",
    "hear",
    (
        Row(id="whole", title=("Text", "文本"), ask=_listened(), marks=_HEARD, returns=_has(*_first)),
        Row(id="stream", title=("Streamed", "流式"), ask=_listened(stream=True), marks=_HEARD, returns=_has(*_first)),
        Row(
            id="language",
            title=("Language", "语言"),
            ask=_listened(asr_options={"language": "en"}),
            marks=_pair("language", "en"),
        ),
    ),
)

# Films


def _filmed(**more: Any) -> "Callable[[Vendor, str], Request]":
    def ask(vendor: "Vendor", model: str) -> Request:
        return Request("/v1/videos", {"model": model, "prompt": "a red boat", "size": vendor.film_size, **more})

    return ask


def _begins_with(vendor: "Vendor", model: str) -> Request:
    width, _, height = vendor.film_size.partition("x")
    still = base64.b64encode(png(int(width), int(height))).decode()
    asked = {"model": model, "prompt": "a red boat", "input_reference": f"data:image/png;base64,{still}"}
    return Request("/v1/videos", {**asked, "size": vendor.film_size})


def _is_done(answer: bytes) -> bool:
    return b"completed" in answer or b"succeeded" in answer


FILMS = Section(
    "openai_videos",
    ("Films, OpenAI's format", "视频:OpenAI 格式"),
    "video",
    "film",
    (
        Row(
            id="words",
            title=("A film from words", "文生视频"),
            ask=_filmed(),
            marks=_marks("a red boat"),
            returns=_is_done,
        ),
        Row(
            id="seconds",
            title=("Length", "时长"),
            ask=lambda vendor, model: _filmed(seconds=vendor.film_seconds)(vendor, model),
            marks=(*_pair("seconds", "8"), *_pair("duration", 10), *_pair("duration", 5)),
            returns=_is_done,
        ),
        Row(
            id="first_frame",
            title=("A film from a picture", "图生视频"),
            model="animate",
            ask=_begins_with,
            marks=_marks("input_reference", "img_url"),
            returns=_is_done,
        ),
        Row(
            id="negative_prompt",
            title=("What shall not be seen", "反向提示词"),
            ask=_filmed(negative_prompt="no gulls"),
            marks=_marks("no gulls"),
            returns=_is_done,
        ),
        Row(
            id="seed",
            title=("Seed", "随机种子"),
            ask=_filmed(seed=4711),
            marks=_pair("seed", 4711),
            returns=_is_done,
        ),
        Row(
            id="sound",
            title=("Without sound", "无声"),
            ask=_filmed(generate_sound=False),
            marks=(*_pair("generate_sound", "false"), *_pair("audio", False)),
            returns=_is_done,
        ),
        Row(
            id="prompt_extend",
            title=("Prompt left as it is", "不扩写提示词"),
            ask=_filmed(prompt_extend=False),
            marks=_pair("prompt_extend", False),
            returns=_is_done,
        ),
        Row(
            id="watermark",
            title=("Watermark", "水印"),
            ask=_filmed(watermark=True),
            marks=_pair("watermark", True),
            returns=_is_done,
        ),
        Row(
            id="remix",
            title=("Remix of a film", "再创作"),
            ask=lambda vendor, model: Request(f"/v1/videos/{FILM}/remix", {"prompt": "a blue boat"}),
            marks=_marks("a blue boat"),
            returns=_is_done,
        ),
    ),
    job="video",
)

# Tasks, in DashScope's format


def _task(service: str, given: Json, **parameters: Any) -> "Callable[[Vendor, str], Request]":
    return lambda vendor, model: Request(
        f"/api/v1/services/{service}",
        {"model": model, "input": given, "parameters": parameters},
        headers={"x-dashscope-async": "enable"},
    )


def _painted_task(*, negative: str = "", **parameters: Any) -> "Callable[[Vendor, str], Request]":
    more = {"negative_prompt": negative} if negative else {}
    return _task("aigc/text2image/image-synthesis", {"prompt": "a red boat", **more}, **parameters)


def _filmed_task(given: Json | None = None, **parameters: Any) -> "Callable[[Vendor, str], Request]":
    def ask(vendor: "Vendor", model: str) -> Request:
        shape = {"size": vendor.film_size.replace("x", "*")} if given is None or "img_url" not in given else {}
        asked = {"prompt": "a red boat", **(given or {})}
        return _task("aigc/video-generation/video-synthesis", asked, **shape, **parameters)(vendor, model)

    return ask


def _is_succeeded(answer: bytes) -> bool:
    return json.loads(answer)["output"]["task_status"] == "SUCCEEDED"


PAINTED_TASKS = Section(
    "dashscope_image_tasks",
    ("Pictures as tasks, DashScope's format", "图片任务:DashScope 格式"),
    "image",
    "paint",
    (
        Row(
            id="words",
            title=("A picture from words", "文生图"),
            ask=_painted_task(),
            marks=_marks("a red boat"),
            returns=_is_succeeded,
        ),
        Row(
            id="several",
            title=("Several pictures", "多张图片"),
            ask=_painted_task(n=2),
            marks=_pair("n", 2),
            returns=lambda answer: len(json.loads(answer)["output"]["results"]) == 2,
        ),
        Row(
            id="size",
            title=("Size", "尺寸"),
            ask=_painted_task(size="1024*1024"),
            marks=_marks("1024x1024", "1024*1024", '"aspectRatio":"1:1"'),
            returns=_is_succeeded,
        ),
        Row(
            id="negative_prompt",
            title=("What shall not be seen", "反向提示词"),
            ask=_painted_task(negative="no gulls"),
            marks=_marks("no gulls"),
            returns=_is_succeeded,
        ),
        Row(
            id="seed",
            title=("Seed", "随机种子"),
            ask=_painted_task(seed=4711),
            marks=_pair("seed", 4711),
            returns=_is_succeeded,
        ),
        Row(
            id="edit",
            title=("Edit of a picture", "编辑图片"),
            model="change",
            ask=_task("aigc/image2image/image-synthesis", {"prompt": "a red boat", "images": [PICTURE_URL]}),
            marks=_IN_PICTURE,
            returns=_is_succeeded,
        ),
    ),
    job="task",
)
HEARD_TASKS = Section(
    "dashscope_recordings",
    ("Recordings as tasks, DashScope's format", "录音识别任务:DashScope 格式"),
    "transcription",
    "recordings",
    (
        Row(
            id="address",
            title=("A recording at an address", "以地址给出的录音"),
            ask=_task("audio/asr/transcription", {"file_urls": ["https://sounds.example/hello.wav"]}),
            marks=_marks("https://sounds.example/hello.wav"),
            returns=_is_succeeded,
        ),
        Row(
            id="language",
            title=("Language", "语言"),
            ask=_task(
                "audio/asr/transcription",
                {"file_urls": ["https://sounds.example/hello.wav"]},
                language_hints=["en"],
            ),
            marks=_pair("language_hints", ["en"]),
            returns=_is_succeeded,
        ),
    ),
    job="task",
)
FILMED_TASKS = Section(
    "dashscope_video_tasks",
    ("Films as tasks, DashScope's format", "视频任务:DashScope 格式"),
    "video",
    "film",
    (
        Row(
            id="words",
            title=("A film from words", "文生视频"),
            ask=_filmed_task(),
            marks=_marks("a red boat"),
            returns=_is_succeeded,
        ),
        Row(
            id="seconds",
            title=("Length", "时长"),
            ask=lambda vendor, model: _filmed_task(duration=int(vendor.film_seconds))(vendor, model),
            marks=(*_pair("seconds", "8"), *_pair("duration", 10)),
            returns=_is_succeeded,
        ),
        Row(
            id="first_frame",
            title=("A film from a picture", "图生视频"),
            model="animate",
            ask=_filmed_task({"img_url": FRAME_URL}, resolution="720P"),
            marks=_marks("input_reference", "img_url"),
            returns=_is_succeeded,
        ),
        Row(
            id="negative_prompt",
            title=("What shall not be seen", "反向提示词"),
            ask=_filmed_task({"negative_prompt": "no gulls"}),
            marks=_marks("no gulls"),
            returns=_is_succeeded,
        ),
        Row(
            id="seed",
            title=("Seed", "随机种子"),
            ask=_filmed_task(seed=4711),
            marks=_pair("seed", 4711),
            returns=_is_succeeded,
        ),
        Row(
            id="prompt_extend",
            title=("Prompt left as it is", "不扩写提示词"),
            ask=_filmed_task(prompt_extend=False),
            marks=_pair("prompt_extend", False),
            returns=_is_succeeded,
        ),
        Row(
            id="watermark",
            title=("Watermark", "水印"),
            ask=_filmed_task(watermark=True),
            marks=_pair("watermark", True),
            returns=_is_succeeded,
        ),
    ),
    job="task",
)

# Music

_SONG: Json = {"prompt": "[Verse]\nla la", "title": "A song", "tags": "pop"}
_FILE = "https://files.example.com/mine.mp3"


def _music(name: str, title: tuple[str, str], /, **asked: Any) -> Row:
    def ask(vendor: "Vendor", model: str) -> Request:
        chosen = {} if "clip_id" in asked else {"mv": model}
        return Request(f"/suno/v2/{name}", {**chosen, **asked})

    return Row(id=name, title=title, ask=ask, returns=lambda answer: b'"SUCCESS"' in answer)


MUSIC = Section(
    "suno_v2",
    ("Music, Suno V2", "音乐:Suno V2"),
    "music",
    "music",
    (
        _music("create", ("A song", "生成歌曲"), **_SONG),
        _music("extend", ("Extension", "续写"), clip_id=CLIP, continue_at=90, prompt="[Chorus]"),
        _music("cover", ("Cover", "翻唱"), clip_id=CLIP, tags="jazz"),
        _music("upload-extend", ("Extension of an upload", "续写上传的音频"), audio_url=_FILE, continue_at=60, **_SONG),
        _music("upload-cover", ("Cover of an upload", "翻唱上传的音频"), audio_url=_FILE, **_SONG),
        _music(
            "replace-section",
            ("A section replaced", "替换片段"),
            clip_id=CLIP,
            prompt="x",
            infill_start_s=3,
            infill_end_s=4.5,
        ),
        _music("concat", ("Pieces joined", "拼接"), clip_id=PIECE, is_infill=True),
        _music("stems", ("Voice and instruments", "人声与伴奏"), clip_id=CLIP),
        _music("midi", ("MIDI", "MIDI"), clip_id=STEM),
        _music("lyrics", ("Lyrics", "歌词"), prompt="the moon"),
        _music("mp4", ("MP4", "MP4"), clip_id=CLIP),
        _music("wav", ("WAV", "WAV"), clip_id=CLIP),
        _music("timing", ("Times of words", "歌词时间轴"), clip_id=CLIP),
        _music("beats", ("Beats", "节拍"), clip_id=CLIP),
        _music("tags", ("Tags", "风格标签"), tags="pop"),
    ),
    job="suno",
)


def _submitted(action: str, title: tuple[str, str], /, **asked: Any) -> Row:
    return Row(
        id=action,
        title=title,
        ask=lambda vendor, model: Request(f"/suno/submit/{action}", {"mv": model, **asked}),
        returns=lambda answer: b'"SUCCESS"' in answer,
    )


SUBMITTED_MUSIC = Section(
    "suno_submit",
    ("Music, as Suno-API and new-api have it", "音乐:Suno-API、new-api 的形式"),
    "music",
    "music",
    (
        _submitted("music", ("A song", "生成歌曲"), **_SONG),
        _submitted("lyrics", ("Lyrics", "歌词"), prompt="the moon"),
        _submitted("upsample_tags", ("Tags", "风格标签"), tags="pop"),
    ),
    job="submitted",
)

SECTIONS = (
    PICTURES,
    DASHSCOPE_PICTURES,
    PAINTED_TASKS,
    CHAT_PICTURES,
    GEMINI_PICTURES,
    SPEECH,
    DASHSCOPE_SPEECH,
    TRANSCRIPTION,
    DASHSCOPE_TRANSCRIPTION,
    HEARD_TASKS,
    FILMS,
    FILMED_TASKS,
    MUSIC,
    SUBMITTED_MUSIC,
)
