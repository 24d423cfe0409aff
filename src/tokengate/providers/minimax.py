"""MiniMax, whose errors come with status 200."""

from typing import Final

from msgspec import Raw

from tokengate.formats.openai.dialect import ENGINE_PARAMETERS, Range
from tokengate.formats.openai.format import OpenAIChat
from tokengate.providers.compatible import OpenAICompatible
from tokengate.providers.error_body import VendorError

# base_resp.status_code to the status that other vendors would send.
# https://platform.minimaxi.com/docs/api-reference/errorcode, 2026-11
_STATUS: Final = {
    "1002": 429,  # too many requests
    "1004": 401,  # the key
    "1008": 402,  # the balance
    "1026": 400,  # the input was found sensitive
    "1027": 400,  # the output was found sensitive
    "1039": 429,  # too many tokens
    "1042": 400,  # illegal characters
    "2013": 400,  # a parameter
    "2049": 401,  # the key
    "2056": 402,  # the plan's limit
}


# https://platform.minimaxi.com/docs/api-reference/text-openai-api, 2026-11. Thinking stands in the text unless it is
# asked for apart, in details that must come back whole in turns with tools; each of a stream's repeats its text so far.
_CHAT: Final = OpenAIChat(
    lacks=ENGINE_PARAMETERS
    | frozenset(
        {
            "n",
            "top_k",
            "min_p",
            "top_a",
            "frequency_penalty",
            "presence_penalty",
            "repetition_penalty",
            "seed",
            "logit_bias",
            "logprobs",
            "parallel_tool_calls",
            "effort",
            "user",
            "service_tier",
            "metadata",
            "verbosity",
            "modalities",
            "audio_out",
            "image_out",
            "canvas",
            "translation",
            "high_resolution_images",
            "pixels",
        }
    ),
    ranges={"temperature": Range(0, 1, open_low=True), "top_p": Range(0, 1, open_low=True)},
    cap_name="max_completion_tokens",
    stop_tokens=None,
    media=frozenset({"image"}),
    reasoning="thinking",
    thinking_on="adaptive",
    search=None,
    cache_marks=False,
    thoughts="details",
    tool_signatures=False,
    always={"reasoning_split": Raw(b"true")},
    think_text=True,
    whole_details=True,
)


class MiniMax(OpenAICompatible, frozen=True, kw_only=True):
    """Knows MiniMax's numbers."""

    def status_of(self, error: VendorError) -> int:
        """Return the status that an error inside a status 200 should have had."""
        return _STATUS.get(error.code or "", 500)


PROVIDER = MiniMax(
    name="minimax",
    title="MiniMax",
    base_url="https://api.minimaxi.com/v1",
    key_env="MINIMAX_API_KEY",
    vendors=("minimax",),
    spoken=(_CHAT,),
)
