"""Alibaba DashScope (Bailian), in its compatible mode."""

from collections.abc import Mapping
from typing import Final

from tokengate.core.at_once import AtOnce
from tokengate.core.http import HttpRequest, Timeouts
from tokengate.core.images import ImageFormats
from tokengate.formats.dashscope.films import DashScopeFilms
from tokengate.formats.dashscope.hearing import DashScopeHearing
from tokengate.formats.dashscope.images import DashScopeImages
from tokengate.formats.dashscope.models import must_stream
from tokengate.formats.dashscope.pictures import DashScopePictures
from tokengate.formats.dashscope.recordings import DashScopeRecordings
from tokengate.formats.dashscope.speech import DashScopeSpeech
from tokengate.formats.openai.dialect import ENGINE_PARAMETERS, Range
from tokengate.formats.openai.format import OpenAIChat
from tokengate.formats.openai.rerank import OpenAIRerank
from tokengate.providers.compatible import OpenAICompatible

# https://help.aliyun.com/zh/model-studio/qwen-api-via-openai-chat-completions, 2026-11
_CHAT = OpenAIChat(
    lacks=ENGINE_PARAMETERS
    | frozenset(
        {
            "min_p",
            "top_a",
            "frequency_penalty",
            "logit_bias",
            "user",
            "service_tier",
            "metadata",
            "verbosity",
            "image_out",
            "canvas",
        }
    ),
    ranges={"temperature": Range(0, 2, open_high=True), "top_p": Range(0, 1, open_low=True)},
    stop_tokens="stop",
    system_first=True,
    media=frozenset({"image", "audio", "video", "frames"}),
    audio_urls="input_audio",
    reasoning="enable_thinking",
    search="enable_search",
    partial="partial",
    tool_signatures=False,
    serial_tools=True,  # https://help.aliyun.com/en/model-studio/qwen-function-calling, 2026-11
    stream_only=must_stream,
)

# It ranks texts beside its compatible mode, and returns no documents.
# https://help.aliyun.com/zh/model-studio/text-rerank-api, 2026-11
_RERANK_BASE: Final = "/compatible-api/v1"
_RERANK = OpenAIRerank(
    at=f"{_RERANK_BASE}/reranks", lacks=frozenset({"return_documents", "max_tokens_per_doc", "objects"})
)

# It makes pictures and films, speaks, and hears long recordings, by its own API alone.
_OWN_BASE: Final = "/api/v1"
_IMAGES: Final[ImageFormats] = {task: DashScopeImages(task=task, base=_OWN_BASE) for task in ("generation", "edit")}


class DashScope(OpenAICompatible, frozen=True, kw_only=True):
    """Knows that rerank and what is DashScope's own have base paths of their own."""

    def request(
        self,
        path: str,
        body: bytes,
        *,
        credential: str,
        base_url: str,
        headers: Mapping[str, str],
        timeouts: Timeouts,
    ) -> HttpRequest:
        """Return a POST, or a GET when there is no body. The address is that of the compatible mode."""
        if path.startswith((_RERANK_BASE, _OWN_BASE)):
            base_url = base_url.rstrip("/").removesuffix("/compatible-mode/v1")
        return super().request(path, body, credential=credential, base_url=base_url, headers=headers, timeouts=timeouts)


PROVIDER = DashScope(
    name="dashscope",
    title="DashScope",
    base_url="https://dashscope.aliyuncs.com/compatible-mode/v1",
    key_env="DASHSCOPE_API_KEY",
    vendors=("qwen",),
    spoken=(_CHAT,),
    rerank=_RERANK,
    images=_IMAGES,
    jobs={
        "image": DashScopePictures(base=_OWN_BASE, at_once=AtOnce(_IMAGES)),
        "video": DashScopeFilms(base=_OWN_BASE),
        "transcription": DashScopeRecordings(base=_OWN_BASE),
    },
    transcription=DashScopeHearing(base=_OWN_BASE),
    speech=DashScopeSpeech(base=_OWN_BASE),
    renames={"max_tokens": "max_completion_tokens"},  # which it does not know
    # Not insufficient_quota: here it is status 429 for too many tokens a minute, and over within a minute.
    # https://help.aliyun.com/en/model-studio/rate-limiting-best-practices, 2026-11
    quota_codes=frozenset({"Arrearage", "AllocationQuota.FreeTierOnly"}),
)
