"""xAI."""

from tokengate.formats.openai.dialect import ENGINE_PARAMETERS
from tokengate.formats.openai.format import OpenAIChat
from tokengate.formats.responses.format import ResponsesFormat
from tokengate.providers.compatible import OpenAICompatible

# https://docs.x.ai/docs/api-reference#chat-completions, 2026-11. Its reasoning models answer 400 to penalties and
# stop, and some to reasoning_effort: that depends on the model, and the answer says so.
_CHAT = OpenAIChat(
    lacks=ENGINE_PARAMETERS
    | frozenset(
        {
            "top_k",
            "min_p",
            "top_a",
            "repetition_penalty",
            "metadata",
            "service_tier",
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
    cap_name="max_completion_tokens",
    max_stops=4,
    stop_tokens=None,
    media=frozenset({"image"}),
    search=None,  # search_parameters answer 410 since 2026; the Responses API has tools instead
    cache_marks=False,
    thoughts=None,
    tool_signatures=False,
    reasoning_outside=True,
)

PROVIDER = OpenAICompatible(
    name="xai",
    title="xAI",
    base_url="https://api.x.ai/v1",
    key_env="XAI_API_KEY",
    vendors=("xai",),
    # Its search and other tools of its own are in the Responses API alone, whose instructions it answered with an error
    # and takes among the input. https://docs.x.ai/docs/guides/chat, 2026-11
    spoken=(_CHAT, ResponsesFormat(instructions=False)),
    reasoning_outside=True,  # 2026-11: completion_tokens count the visible answer only. https://docs.x.ai/docs/guides/reasoning
)
