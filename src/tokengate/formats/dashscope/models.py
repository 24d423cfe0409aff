"""What DashScope does by a model's name: which service serves it, and how it answers who does not say how.

https://help.aliyun.com/zh/model-studio/qwen-api-reference (result_format, incremental_output) and, for the services,
the pages of the models, 2026-11. Names of our own catalogue may have a vendor's name in front.
"""

import re

TEXT_PATH = "/services/aigc/text-generation/generation"
MULTIMODAL_PATH = "/services/aigc/multimodal-generation/generation"

# Models that see or hear. Qwen's general models do so from 3.5 on, but for its coders and its largest before 3.8.
_multimodal = re.compile(
    r"vl|qvq|omni|audio|ocr|asr|tts|caption|image|gui-|livetranslate"
    r"|^qwen3\.[5-9](?!\d).*(?:plus|flash|\db)|^qwen3\.(?:[89]|\d\d)-max|^kimi-k2\.[5-9]|^glm-[\d.]+v"
).search
# Models from before answers had the form of messages.
_answers_with_text = re.compile(
    r"^(?:qwen-|qwen1\.5-|qwen2|qwen-v|codeqwen|farui|baichuan|llama2|chatglm|ziya|belle)"
).match
# The vendor's open models that think, and those that speak: https://help.aliyun.com/zh/model-studio/stream, 2026-11.
_must_stream = re.compile(r"^(?:qwq|qvq)|omni|^qwen3-(?!.*instruct).*\db").search
_streams_pieces = re.compile(r"^(?:qwen3|qwq|qvq)").match


def is_multimodal(model: str) -> bool:
    """Say whether a model is served by multimodal generation, also for nothing but text."""
    return _multimodal(_plain(model)) is not None


def answers_with_text(model: str) -> bool:
    """Say whether `result_format` is `text` for who does not say."""
    return _answers_with_text(_plain(model)) is not None


def streams_pieces(model: str) -> bool:
    """Say whether `incremental_output` is true for who does not say."""
    return _streams_pieces(_plain(model)) is not None


def must_stream(model: str) -> bool:
    """Say whether the vendor answers for a model only in streams."""
    return _must_stream(_plain(model)) is not None


def _plain(model: str) -> str:
    return model.rpartition("/")[2].lower()
