"""What DashScope does by a model's name: which service serves it, and how it answers who does not say how.

https://help.aliyun.com/zh/model-studio/qwen-api-reference (result_format, incremental_output) and, for the services,
the pages of the models, 2026-11. Names of our own catalogue may have a vendor's name in front.
"""

import re
from typing import Literal

ImageService = Literal["text2image", "image2image", "image-generation"]

TEXT_PATH = "/services/aigc/text-generation/generation"
MULTIMODAL_PATH = "/services/aigc/multimodal-generation/generation"

# Models that see or hear. Qwen's general models do so from 3.5 on, but for its coders and its largest before 3.8.
_multimodal = re.compile(
    r"vl|qvq|omni|audio|ocr|asr|tts|caption|image|gui-|livetranslate"
    r"|^qwen3\.[5-9](?!\d).*(?:plus|flash|\db)|^qwen3\.(?:[89]|\d\d)-max|^kimi-k2\.[5-9]|^glm-[\d.]+v"
).search
# https://help.aliyun.com/zh/model-studio/multimodal-embedding-api-reference, 2026-11
_embeds_media = re.compile(r"multimodal-embedding|embedding-vision|vl-embedding|embedding-one-peace").search
# Models from before answers had the form of messages.
_answers_with_text = re.compile(
    r"^(?:qwen-|qwen1\.5-|qwen2|qwen-v|codeqwen|farui|baichuan|llama2|chatglm|ziya|belle)"
).match
# The vendor's open models that think, and those that speak: https://help.aliyun.com/zh/model-studio/stream, 2026-11.
_must_stream = re.compile(r"^(?:qwq|qvq)|omni|^qwen3-(?!.*instruct).*\db").search
# https://help.aliyun.com/zh/model-studio/text-to-image-v2-api-reference, 2026-11
_draws_in_messages = re.compile(r"^wan(?:2\.(?:[6-9]|\d\d)|[3-9])").match
_changes_pictures = re.compile(r"imageedit|i2i").search
_draws_slowly = re.compile(r"^wanx?|^qwen-image(?:-plus)?(?:-\d|$)|^flux|^stable-diffusion").match
# https://help.aliyun.com/zh/model-studio/qwen-tts, 2026-11
_follows_instructions = re.compile(r"tts-instruct").search
# https://www.alibabacloud.com/help/en/model-studio/qwen-asr-api-reference, 2026-11
_hears_at_once = re.compile(r"^qwen3-asr-flash(?!-filetrans|-realtime)").match
_streams_pieces = re.compile(r"^(?:qwen3|qwq|qvq)").match


def is_multimodal(model: str) -> bool:
    """Say whether a model is served by multimodal generation, also for nothing but text."""
    return _multimodal(_plain(model)) is not None


def embeds_media(model: str) -> bool:
    """Say whether an embedding model is served by the service for media, also for nothing but text."""
    return _embeds_media(_plain(model)) is not None


def answers_with_text(model: str) -> bool:
    """Say whether `result_format` is `text` for who does not say."""
    return _answers_with_text(_plain(model)) is not None


def streams_pieces(model: str) -> bool:
    """Say whether `incremental_output` is true for who does not say."""
    return _streams_pieces(_plain(model)) is not None


def follows_instructions(model: str) -> bool:
    """Say whether a model that speaks does so as it is told in words."""
    return _follows_instructions(_plain(model)) is not None


def hears_at_once(model: str) -> bool:
    """Say whether a model hears a recording while its caller waits; others do so as a task."""
    return _hears_at_once(_plain(model)) is not None


def must_stream(model: str) -> bool:
    """Say whether the vendor answers for a model only in streams."""
    return _must_stream(_plain(model)) is not None


def image_service(model: str) -> ImageService | None:
    """Return the service that makes a model's pictures as a task; None when the model makes them at once."""
    plain = _plain(model)
    if _draws_in_messages(plain):
        return "image-generation"
    if _changes_pictures(plain):
        return "image2image"
    return "text2image" if _draws_slowly(plain) else None


def draws_only_slowly(model: str) -> bool:
    """Say whether a model's pictures are only made as a task."""
    return image_service(model) in ("text2image", "image2image") and not _plain(model).startswith("qwen-")


def default_pictures(model: str) -> int:
    """Return how many pictures a model makes for who does not say."""
    return 4 if _plain(model).startswith("wan") else 1


def _plain(model: str) -> str:
    return model.rpartition("/")[2].lower()
