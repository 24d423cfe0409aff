"""What DashScope refuses of a task: a submission that breaks a rule of the vendor's raises `Refused`, in its words."""

import re
from collections.abc import Iterator
from typing import Any

from tests.simulators.dashscope_rules import Refused, bad
from tokengate.formats.dashscope.shapes import is_list, is_object

FILM = "/services/aigc/video-generation/video-synthesis"
FRAMES = "/services/aigc/image2video/video-synthesis"
TEXT_IMAGE = "/services/aigc/text2image/image-synthesis"
IMAGE_IMAGE = "/services/aigc/image2image/image-synthesis"
GENERATION = "/services/aigc/image-generation/generation"
HEARING = "/services/audio/asr/transcription"
TASK_SERVICES = (FILM, FRAMES, TEXT_IMAGE, IMAGE_IMAGE, GENERATION, HEARING)

# Which service takes a model.
TASK_MODELS = {
    **dict.fromkeys(("wan2.2-t2v-plus", "wan2.5-t2v-preview", "wan2.6-t2v", "wan2.7-t2v"), FILM),
    **dict.fromkeys(("wan2.2-i2v-flash", "wan2.5-i2v-preview", "wan2.6-i2v", "wan2.7-i2v"), FILM),
    **dict.fromkeys(("wan2.2-kf2v-flash", "wanx2.1-kf2v-plus"), FRAMES),
    **dict.fromkeys(("wan2.2-t2i-flash", "wan2.5-t2i-preview", "qwen-image", "qwen-image-plus"), TEXT_IMAGE),
    **dict.fromkeys(("wan2.5-i2i-preview", "wanx2.1-imageedit"), IMAGE_IMAGE),
    **dict.fromkeys(("wan2.6-t2i", "wan2.6-image"), GENERATION),
    **dict.fromkeys(("paraformer-v2", "fun-asr", "qwen3-asr-flash-filetrans"), HEARING),
}
_CLASSES = {"wan2.2-t2v-plus": ("480P", "1080P"), "wanx2.1-kf2v-plus": ("720P",)}
_SIZES = {
    "480P": {"832*480", "480*832", "624*624"},
    "720P": {"1280*720", "720*1280", "960*960", "1088*832", "832*1088"},
    "1080P": {"1920*1080", "1080*1920", "1440*1440", "1632*1248", "1248*1632"},
}
_FILM_PARAMETERS = {"duration", "prompt_extend", "watermark", "seed", "audio", "shot_type"}
_IMAGE_PARAMETERS = {"size", "n", "seed", "prompt_extend", "watermark", "negative_prompt", "style"}
_IMAGE_FUNCTIONS = {"description_edit", "description_edit_with_mask", "stylization_all", "super_resolution", "expand"}


def check_task(path: str, body: Any, *, resolve: bool, uploads: dict[str, bytes]) -> None:
    """Check a submission. `resolve`: it asks for addresses in the vendor's storage to be looked up."""
    _only(body, {"model", "input", "parameters", "resources"} if path == HEARING else {"model", "input", "parameters"})
    for name, code in (("model", "BadRequest.EmptyModel"), ("input", "BadRequest.EmptyInput")):
        if not body.get(name):
            raise Refused(400, code, f"Required {name} missing.")
    model, asked, parameters = body["model"], body["input"], body.get("parameters", {})
    if not is_object(asked) or not is_object(parameters):
        raise bad("input and parameters must be objects")
    if model not in TASK_MODELS:
        raise Refused(400, "InvalidParameter", "Model not exist.")
    if TASK_MODELS[model] != path:
        raise Refused(400, "InvalidParameter", "url error, please check url！")
    if path in (FILM, FRAMES):
        _check_film(path, model, asked, parameters)
    elif path == HEARING:
        _check_hearing(model, asked, parameters)
    else:
        _check_pictures(path, model, asked, parameters)
    for url in _urls(asked):
        if url.startswith("oss://") and not (resolve and url in uploads):
            raise bad("The provided URL does not appear to be valid.")
        if not url.startswith(("http://", "https://", "oss://", "data:")):
            raise bad("url is invalid")


def class_of(body: Any) -> str:
    """Return the class of a film's size."""
    model, parameters = body["model"], body.get("parameters", {})
    if "size" in parameters:
        return next(name for name, sizes in _SIZES.items() if parameters["size"] in sizes)
    flash = "flash" in model or model == "wanx2.1-kf2v-plus"
    return parameters.get("resolution", "720P" if flash else "1080P")


def _check_film(path: str, model: str, asked: Any, parameters: Any) -> None:
    if asked.get("function", "video-synthesis") == "video-synthesis":  # the SDK always says so
        asked = {name: value for name, value in asked.items() if name != "function"}
    takes_media = model.startswith("wan2.7")
    if path == FRAMES:
        _only(asked, {"prompt", "negative_prompt", "first_frame_url", "last_frame_url", "template", "extend_prompt"})
        if not asked.get("first_frame_url"):
            raise bad("first_frame_url is required")
    elif "i2v" in model and takes_media:
        _only(asked, {"prompt", "negative_prompt", "media", "extend_prompt"})
        kinds = [one.get("type") for one in asked.get("media") or ()]
        if "first_frame" not in kinds or set(kinds) - {"first_frame", "last_frame", "driving_audio", "first_clip"}:
            raise bad("media is invalid")
    elif "i2v" in model:
        _only(asked, {"prompt", "negative_prompt", "img_url", "audio_url", "template", "extend_prompt"})
        if not asked.get("img_url"):
            raise bad("img_url must be set")
    else:
        _only(asked, {"prompt", "negative_prompt", "audio_url", "extend_prompt"})
        if not asked.get("prompt"):
            raise bad("prompt must be set")
    shape = {"size"} if "t2v" in model and not takes_media else {"resolution"}
    _only(parameters, _FILM_PARAMETERS | shape | ({"ratio"} if takes_media and "t2v" in model else set()))
    classes = _CLASSES.get(model, ("480P", "720P", "1080P"))
    sizes = {size for name in classes for size in _SIZES[name]}
    if parameters.get("size", "1920*1080") not in sizes | {"1920*1080"}:
        raise bad("The size is not match the allowed size")
    if "resolution" in parameters and parameters["resolution"] not in classes:
        raise bad("resolution is invalid")
    duration = parameters.get("duration", 5)
    lengths = {"wan2.5": (5, 10), "wan2.6": range(2, 16), "wan2.7": range(2, 16)}.get(model[:6], (5,))
    if type(duration) is not int or duration not in lengths:
        raise bad("duration is invalid")


def _check_pictures(path: str, model: str, asked: Any, parameters: Any) -> None:
    _only(parameters, _IMAGE_PARAMETERS | ({"is_async"} if path == GENERATION else set()))
    if path == GENERATION:
        _only(asked, {"messages"})
        messages = asked.get("messages")
        if not is_list(messages) or len(messages) != 1 or messages[0].get("role") != "user":
            raise bad("messages length only support 1")
        if sum("text" in part for part in messages[0]["content"]) != 1:
            raise bad("content must have one text")
    elif path == IMAGE_IMAGE and model == "wanx2.1-imageedit":
        _only(asked, {"prompt", "function", "base_image_url", "mask_image_url"})
        if asked.get("function") not in _IMAGE_FUNCTIONS or not asked.get("base_image_url"):
            raise bad("function and base_image_url are required")
    elif path == IMAGE_IMAGE:
        _only(asked, {"prompt", "negative_prompt", "images"})
        if not is_list(asked.get("images")) or not 1 <= len(asked["images"]) <= 3:
            raise bad("images must be set")
    else:
        _only(asked, {"prompt", "negative_prompt", "ref_img"})
        if not asked.get("prompt"):
            raise bad("prompt must be set")
    most = 1 if model.startswith("qwen-image") else 4
    n = parameters.get("n", 1)
    if type(n) is not int or not 1 <= n <= most:
        raise bad(f"num_images_per_prompt must be in [1, {most}]")
    if not re.fullmatch(r"\d{3,4}\*\d{3,4}", parameters.get("size", "1024*1024")):
        raise bad("size is invalid")


def _check_hearing(model: str, asked: Any, parameters: Any) -> None:
    if model == "qwen3-asr-flash-filetrans":
        _only(asked, {"file_url"})
        _only(parameters, {"language", "channel_id", "enable_itn", "enable_words"})
        urls = [asked.get("file_url")]
    else:
        _only(asked, {"file_urls"})
        _only(
            parameters,
            {"language_hints", "channel_id", "diarization_enabled", "speaker_count", "vocabulary_id"}
            | {"disfluency_removal_enabled", "timestamp_alignment_enabled", "special_word_filter"},
        )
        urls = asked.get("file_urls")
    if not is_list(urls) or not 1 <= len(urls) <= 100 or not all(type(url) is str for url in urls):
        raise bad("file_urls is invalid")
    if any(url.startswith("data:") for url in urls):
        raise bad("file_urls must be addresses")


def _only(value: Any, allowed: set[str]) -> None:
    for name in value:
        if name not in allowed:
            raise bad(f"unknown parameter {name}")


def _urls(asked: Any) -> Iterator[str]:
    """Yield every address of an input."""
    for name, value in asked.items():
        if name.endswith("_url") and value:
            yield value
        elif name in ("images", "file_urls"):
            yield from value
        elif name == "media":
            yield from (one["url"] for one in value)
        elif name == "messages":
            yield from (part["image"] for part in value[0]["content"] if "image" in part)
