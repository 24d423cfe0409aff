"""How vendors that speak OpenAI's chat format differ from one another.

A vendor's file sets these fields, each with the link and the date of the fact. The defaults are a server that takes
everything, which refuses by itself what it does not know.

Thinking is sent back as `reasoning_content` or `reasoning`, with the `reasoning_details` that this vendor itself gave;
or as `details` alone; or as `think`, in the text.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Raw, Struct

from tokengate.core.reply import FinishReason

ReasoningSpelling = Literal["effort", "thinking", "enable_thinking", "template", "object"]
ThoughtSpelling = Literal["reasoning_content", "reasoning", "details", "think"]
SearchSpelling = Literal["web_search_options", "enable_search"]

# Parameters that only engines have: vLLM and SGLang, vLLM alone, SGLang alone. Their protocol.py, 2026-11.
ENGINES = frozenset(
    {
        "add_generation_prompt",
        "continue_final_message",
        "ignore_eos",
        "min_tokens",
        "priority",
        "skip_special_tokens",
    }
)
VLLM = frozenset(
    {
        "add_special_tokens",
        "allowed_token_ids",
        "bad_words",
        "cache_salt",
        "chat_template",
        "documents",
        "echo",
        "guided_choice",
        "guided_grammar",
        "guided_json",
        "guided_regex",
        "include_stop_str_in_output",
        "kv_transfer_params",
        "length_penalty",
        "logprob_token_ids",
        "mm_processor_kwargs",
        "prompt_logprobs",
        "repetition_detection",
        "return_token_ids",
        "return_tokens_as_token_ids",
        "spaces_between_special_tokens",
        "structured_outputs",
        "truncate_prompt_tokens",
        "use_beam_search",
        "vllm_xargs",
    }
)
SGLANG = frozenset(
    {
        "ebnf",
        "lora_path",
        "no_stop_trim",
        "regex",
        "return_hidden_states",
        "separate_reasoning",
        "session_params",
        "stream_reasoning",
    }
)
ENGINE_PARAMETERS = ENGINES | VLLM | SGLANG

ALL_MODES = frozenset({"auto", "none", "required", "named"})
ALL_MEDIA = frozenset({"image", "audio", "video", "frames", "file"})


class Range(Struct, frozen=True):
    """What a vendor takes. `low` and `high` belong to it unless it is open there."""

    low: float
    high: float
    open_low: bool = False
    open_high: bool = False

    def above(self, value: float) -> bool:
        """Say whether the value is too large."""
        return value > self.high or (self.open_high and value == self.high)

    def below(self, value: float) -> bool:
        """Say whether the value is too small."""
        return value < self.low or (self.open_low and value == self.low)


class Dialect(Struct, frozen=True, kw_only=True):
    """One vendor's way of speaking OpenAI's chat format."""

    # Requests
    lacks: frozenset[str] = frozenset()  # words of the vocabulary, and parameters without a word, that it does not have
    ranges: Mapping[str, Range] = {}  # of sampling, where they are narrower than the vocabulary's
    cap_name: str = "max_tokens"
    max_stops: int | None = None
    stop_tokens: Literal["stop", "stop_token_ids"] | None = "stop_token_ids"  # where token ids go
    max_id: int | None = None  # characters of a tool call's id
    developer: bool = False  # knows the role `developer`, which is else `system`
    system_first: bool = False  # takes instructions at the beginning alone
    text_lists: bool = True  # takes a list of text parts where a string would do
    media: frozenset[str] = ALL_MEDIA
    audio_urls: Literal["input_audio", "audio_url"] = "audio_url"  # the part for sound at an address
    inline_media: frozenset[str] = frozenset()  # kinds that it does not fetch: they must lie inside the request
    custom_tools: bool = False
    tool_choice: frozenset[str] = ALL_MODES
    allowed_tools: bool = False
    serial_tools: bool = False  # calls one function at a time unless told that several may be called at once
    reasoning: ReasoningSpelling = "effort"
    efforts: frozenset[str] | None = None  # which it takes; None for all
    thinking_on: str = "enabled"  # its word for it where `reasoning` is "thinking"
    search: SearchSpelling | None = "web_search_options"
    partial: Literal["partial", "prefix", "continue_final_message"] | None = None
    cache_marks: bool = True
    thoughts: ThoughtSpelling | None = "reasoning_content"  # how earlier thinking is sent back
    no_thought: str = ""  # stands for the thinking that a caller did not send back; empty where it may be left out
    tool_signatures: bool = True  # takes a tool call's thought signature back
    draws: bool = False  # draws, as vLLM-Omni does: drawing.py
    always: Mapping[str, Raw] = {}  # parameters that every request has unless the caller gave them
    stream_only: Callable[[str], bool] | None = None  # says of a model's name whether it answers only in streams

    # Replies
    reasoning_outside: bool = False  # completion_tokens leave reasoning tokens out
    think_text: bool = False  # content begins with <think>...</think>
    whole_details: bool = False  # each streamed reasoning detail repeats its text so far
    finish_reasons: Mapping[str, FinishReason | None] = {}  # words of its own; None for "not yet"
