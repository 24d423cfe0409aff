"""Vendors that speak OpenAI's chat format in a way of their own, simulated: what each takes, leaves out, and refuses,
and how it tells its thinking.

    with ThreadedUpstream(DialectSimulator(XAI)) as upstream:
        client = OpenAI(base_url=upstream.url, api_key=KEY)

The texts that make something happen are those of `openai_vendor`. `asked` holds what the vendor understood: members
that it leaves out without a word are not in it, so that a test sees what was lost. Facts are those of the vendors'
pages that the files of `tokengate.providers` name, and of the engines' sources.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from tests.simulators.openai_rules import Json, check_messages, check_type, inner, listed, refuse
from tests.simulators.openai_upstream import Call, Reply
from tests.simulators.openai_vendor import Answer, OpenAISimulator, pieces_of, write_json

_EVERYONE = frozenset({"model", "messages", "stream", "stream_options", "temperature", "top_p", "max_tokens", "stop"})
_TOOLS = frozenset({"tools", "tool_choice"})
_TYPES: dict[str, Any] = {
    "model": str,
    "messages": list,
    "stream": bool,
    "stream_options": dict,
    "temperature": (int, float),
    "top_p": (int, float),
    "top_k": int,
    "max_tokens": int,
    "max_completion_tokens": int,
    "n": int,
    "seed": int,
    "logprobs": bool,
    "top_logprobs": int,
    "tools": list,
    "parallel_tool_calls": bool,
    "response_format": dict,
    "thinking": dict,
    "enable_thinking": bool,
    "thinking_budget": int,
    "enable_search": bool,
    "search_options": dict,
    "translation_options": dict,
    "vl_high_resolution_images": bool,
    "reasoning_effort": str,
    "user": str,
}
_MODES = frozenset({"auto", "none", "required", "named"})
_is_own = re.compile(r"call_[0-9a-f]{24}").fullmatch  # an id that this simulator gave to a call
# What an assistant's message may hold besides OpenAI's members.
_ASSISTANT = ("reasoning_content", "reasoning", "reasoning_details", "partial", "prefix")
# What only some vendors look at, in a message or in its parts.
_RARE = ("partial", "prefix", "cache_control")


class Vendor(Struct, frozen=True, kw_only=True):
    """What one vendor does with a request. Parts are the kinds of content besides text."""

    name: str
    models: tuple[str, ...]
    takes: frozenset[str]  # members that do something; it leaves out others, but for those that it refuses
    refuses: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    sees: frozenset[str] = frozenset({"user"})  # roles whose content may have such parts
    turn_members: frozenset[str] = frozenset()  # such as partial; those of parts, such as cache_control, too
    roles: frozenset[str] = frozenset({"system", "user", "assistant", "tool"})
    formats: frozenset[str] = frozenset({"text", "json_object", "json_schema"})
    tool_choices: frozenset[str] = _MODES
    ignores_choices: bool = False  # leaves out a choice of tools that it does not have
    temperature: tuple[float, float] = (0, 2)
    stops: int = 16
    data_only: bool = False  # fetches nothing
    thought: str = "reasoning_content"  # the member that tells it
    thinks: Callable[[Json], bool] = lambda body: False
    outside: bool = False  # completion_tokens leave thinking out
    check: Callable[[Json], None] = lambda body: None
    extra: Mapping[str, Any] = {}  # of a reply
    choice_extra: Callable[[Json, str], Json] = lambda body, said: {}
    filtered: str = "content_filter"


class DialectSimulator(OpenAISimulator):
    """One of these vendors."""

    def __init__(self, vendor: Vendor) -> None:
        super().__init__()
        self.vendor = vendor
        self.models = vendor.models

    def check(self, body: Json) -> None:
        vendor = self.vendor
        for name in sorted(body.keys() & vendor.refuses):
            refuse(f"Argument not supported on this model: {name}", name)
        for name in body.keys() - vendor.takes:
            del body[name]
        for name in body.keys() & _TYPES.keys():
            check_type(body[name], _TYPES[name], name)
        _check_values(body, vendor)
        body["messages"] = [_understood(message, vendor) for message in body["messages"]]
        check_messages([_known(message, vendor) for message in body["messages"]], self._check_part)
        vendor.check(body)

    def answer(self, body: Json, text: str) -> Answer:
        return DialectAnswer(body, text, self.vendor)

    def _check_part(self, part: Any, role: str, at: str) -> None:
        kind = part["type"]
        if kind == "text":
            return
        if kind not in self.vendor.parts or role not in self.vendor.sees:
            refuse(f"{at}.type: '{kind}' is not supported", f"{at}.type")
        if self.vendor.data_only and not part[kind]["url"].startswith("data:"):
            refuse("invalid image input")


class MiniMaxSimulator(DialectSimulator):
    """MiniMax, whose errors come with status 200."""

    def __call__(self, call: Call) -> Reply:
        reply = super().__call__(call)
        if reply.status < 400:
            return reply
        code = {400: 2013, 401: 1004, 402: 1008, 429: 1002}.get(reply.status, 1000)
        message = json.loads(reply.body)["error"]["message"]
        return write_json({"id": "06", "choices": None, "base_resp": {"status_code": code, "status_msg": message}})


class DialectAnswer(Answer):
    """What such a vendor says."""

    def __init__(self, body: Json, text: str, vendor: Vendor) -> None:
        super().__init__(body, text)
        self.vendor = vendor

    def thinking_tokens(self) -> int:
        return 9 if self.vendor.thinks(self.body) else 0

    def message(self) -> tuple[Json, str]:
        message, reason = super().message()
        message = {name: value for name, value in message.items() if name not in ("refusal", "annotations") or value}
        if refusal := message.pop("refusal", None):  # nobody else has that member
            message["content"] = refusal
        if reason == "content_filter":
            reason = self.vendor.filtered
        if self.vendor.thinks(self.body):
            message |= self._thought()
            if self.vendor.thought == "<think>":
                message["content"] = f"<think>\n{message.pop('<think>')}\n</think>\n\n{message['content'] or ''}"
        return message, reason

    def deltas(self, message: Json) -> Iterator[Json]:
        yield {"role": "assistant", "content": ""}
        for name in ("reasoning_content", "reasoning"):
            yield from ({name: piece} for piece in pieces_of(message.get(name) or ""))
        for detail in message.get("reasoning_details") or ():
            pieces = pieces_of(detail["text"])
            for end in range(1, len(pieces) + 1):  # each repeats what came before it
                yield {"reasoning_details": [{**detail, "text": "".join(pieces[:end])}]}
        yield from (delta for delta in super().deltas({**message, "refusal": None}) if "role" not in delta)

    def head(self, kind: str) -> Json:
        head = {name: value for name, value in super().head(kind).items() if name != "service_tier"}
        return {**head, **self.vendor.extra}

    def usage(self) -> Json:
        usage = super().usage()
        thought = self.thinking_tokens()
        usage["completion_tokens_details"] = {"reasoning_tokens": thought}
        if self.vendor.outside:
            usage["completion_tokens"] -= thought
        return usage

    def _choice(self, index: int) -> Json:
        choice = super()._choice(index)
        return {**choice, **self.vendor.choice_extra(self.body, self._said())}

    def _deltas(self, index: int) -> Iterator[Json]:
        for delta in super()._deltas(index):
            ended = self.vendor.choice_extra(self.body, self._said()) if delta["finish_reason"] else {}
            yield {**delta, **ended}

    def _thought(self) -> Json:
        text = f"I think about: {self.text or 'what the tools said'}"
        if self.vendor.thought == "details" and self.body.get("reasoning_split"):
            detail = {"type": "reasoning.text", "id": "reasoning-text-1", "format": "MiniMax-response-v1", "index": 0}
            return {"reasoning_details": [{**detail, "text": text}]}
        name = "<think>" if self.vendor.thought == "details" else self.vendor.thought
        return {name: text}


def _check_values(body: Json, vendor: Vendor) -> None:
    for name in ("model", "messages"):
        if not body.get(name):
            refuse(f"Missing required parameter: '{name}'.", name)
    form = inner(body, "response_format").get("type", "text")
    if form not in vendor.formats:
        refuse(f"response_format type {form} is not supported", "response_format")
    low, high = vendor.temperature
    if not low <= body.get("temperature", low) <= high:
        refuse(f"temperature must be between {low} and {high}", "temperature")
    stops = [] if isinstance(body.get("stop"), str) else listed(body, "stop")
    if len(stops) > vendor.stops:
        refuse(f"stop takes at most {vendor.stops} element(s)", "stop")
    choice = body.get("tool_choice", "auto")
    mode = choice if isinstance(choice, str) else "named" if choice["type"] == "function" else choice["type"]
    if mode not in vendor.tool_choices:
        if not vendor.ignores_choices:
            refuse(f"tool_choice {mode} is not supported", "tool_choice")
        del body["tool_choice"]


def _understood(message: Json, vendor: Vendor) -> Json:
    """Return a message, or a part of one, without what the vendor does not look at."""
    known = {name: value for name, value in message.items() if name not in _RARE or name in vendor.turn_members}
    if isinstance(known.get("content"), list):
        known["content"] = [_understood(part, vendor) for part in known["content"]]
    return known


def _known(message: Json, vendor: Vendor) -> Json:
    if message.get("role") not in vendor.roles:
        refuse(f"Incorrect role information: {message.get('role')}", "messages")
    hidden = (*_ASSISTANT, "cache_control")
    known = {name: value for name, value in message.items() if name not in hidden}
    if message.get("role") != "assistant":
        return known
    return known if known.get("content") is not None or known.get("tool_calls") else {**known, "content": ""}


def _xai_thinks(body: Json) -> bool:
    return body["model"] == "grok-3-mini"


def _check_xai(body: Json) -> None:
    if _xai_thinks(body):
        if body.get("reasoning_effort", "low") not in ("low", "medium", "high"):
            refuse("Invalid reasoning effort.", "reasoning_effort")
        for name in ("presence_penalty", "frequency_penalty", "stop"):
            if body.get(name) is not None:
                refuse(f"Argument not supported on this model: {name}", name)
    elif body.get("reasoning_effort") is not None:
        refuse("Model does not support parameter reasoningEffort.", "reasoning_effort")


def _is_on(body: Json) -> bool:
    """Say whether thinking, which is on by itself, was left so."""
    return inner(body, "thinking").get("type") != "disabled"


def _check_dashscope(body: Json) -> None:
    if body["model"].startswith(("qwq", "qvq")) and not body.get("stream"):
        refuse("This model only support stream mode, please enable the stream parameter to access the model.")
    if body.get("enable_thinking") and inner(body, "response_format").get("type", "text") != "text":
        refuse("Json mode response is not supported when enable_thinking is true", "response_format")
    if body["model"].startswith("qwen-mt") and not body.get("translation_options"):
        refuse("translation_options is required", "translation_options")


def _check_minimax(body: Json) -> None:
    """The thinking before a call of its own must come back: as details, or in the text."""
    for message in body["messages"]:
        calls = listed(message, "tool_calls")
        if message["role"] == "assistant" and any(_is_own(call["id"]) for call in calls):
            text = str(message.get("content") or "")
            if not message.get("reasoning_details") and not text.startswith("<think>"):
                refuse("invalid params, reasoning of tool calls is missing", "messages")


def _template_thinks(body: Json) -> bool:
    return inner(body, "chat_template_kwargs").get("enable_thinking", False)


def _matched(name: str) -> Callable[[Json, str], Json]:
    def extra(body: Json, said: str) -> Json:
        stops = [body["stop"]] if isinstance(body.get("stop"), str) else listed(body, "stop")
        return {name: next((stop for stop in stops if stop in said), None)}

    return extra


_VLLM_SAMPLING = frozenset(
    {
        "top_k",
        "min_p",
        "repetition_penalty",
        "frequency_penalty",
        "presence_penalty",
        "seed",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "n",
        "stop_token_ids",
        "min_tokens",
        "ignore_eos",
        "max_completion_tokens",
        "response_format",
        "parallel_tool_calls",
        "reasoning_effort",
        "chat_template_kwargs",
        "continue_final_message",
        "user",
        "skip_special_tokens",
        "priority",
    }
)

XAI = Vendor(
    name="xai",
    models=("grok-4-1-fast-non-reasoning", "grok-3-mini"),
    takes=_EVERYONE
    | _TOOLS
    | {
        "max_completion_tokens",
        "frequency_penalty",
        "presence_penalty",
        "seed",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "n",
        "parallel_tool_calls",
        "response_format",
        "reasoning_effort",
        "user",
        "deferred",
    },
    refuses=frozenset({"search_parameters"}),
    roles=frozenset({"system", "developer", "user", "assistant", "tool"}),
    parts=frozenset({"image_url"}),
    stops=4,
    thinks=_xai_thinks,
    outside=True,
    check=_check_xai,
)
ZHIPU = Vendor(
    name="zhipu",
    models=("glm-4.7",),
    takes=_EVERYONE | _TOOLS | {"do_sample", "thinking", "tool_stream", "user_id", "request_id", "response_format"},
    parts=frozenset({"image_url", "video_url"}),
    formats=frozenset({"text", "json_object"}),
    tool_choices=frozenset({"auto"}),
    temperature=(0, 1),
    stops=1,
    thinks=_is_on,
    extra={"request_id": "20261121"},
    filtered="sensitive",
)
DASHSCOPE = Vendor(
    name="dashscope",
    models=("qwen-plus", "qwen-vl-max", "qwen-mt-plus"),
    takes=_EVERYONE
    | _TOOLS
    | {
        "top_k",
        "presence_penalty",
        "repetition_penalty",
        "seed",
        "n",
        "parallel_tool_calls",
        "response_format",
        "logprobs",
        "top_logprobs",
        "enable_search",
        "search_options",
        "enable_thinking",
        "thinking_budget",
        "translation_options",
        "vl_high_resolution_images",
        "modalities",
        "audio",
        "reasoning_effort",
    },
    parts=frozenset({"image_url", "input_audio", "video_url", "video"}),
    turn_members=frozenset({"partial", "cache_control"}),
    thinks=lambda body: body.get("enable_thinking") is True,  # an effort alone turns nothing on
    check=_check_dashscope,
)
MINIMAX = Vendor(
    name="minimax",
    models=("MiniMax-M2.7",),
    takes=_EVERYONE | _TOOLS | {"max_completion_tokens", "response_format", "thinking", "reasoning_split"},
    parts=frozenset({"image_url"}),
    temperature=(0.01, 1),
    thought="details",
    thinks=_is_on,
    check=_check_minimax,
    extra={"base_resp": {"status_code": 0, "status_msg": ""}, "input_sensitive": False, "output_sensitive": False},
)
VLLM = Vendor(
    name="vllm",
    models=("Qwen3-VL-8B-Instruct",),
    takes=_EVERYONE
    | _TOOLS
    | _VLLM_SAMPLING
    | {"structured_outputs", "thinking_token_budget", "include_reasoning", "return_token_ids", "prompt_logprobs"}
    | {"modalities", "audio"},  # vLLM-Omni
    roles=frozenset({"system", "developer", "user", "assistant", "tool"}),
    parts=frozenset({"image_url", "audio_url", "input_audio", "video_url"}),
    thought="reasoning",
    thinks=_template_thinks,
    extra={"prompt_logprobs": None, "prompt_token_ids": None, "kv_transfer_params": None},
    choice_extra=_matched("stop_reason"),
)
SGLANG = Vendor(
    name="sglang",
    models=("Qwen3-VL-8B-Instruct",),
    takes=_EVERYONE | _TOOLS | _VLLM_SAMPLING | {"regex", "ebnf", "json_schema", "separate_reasoning", "rid"},
    parts=frozenset({"image_url", "audio_url", "input_audio", "video_url"}),
    thinks=_template_thinks,
    choice_extra=_matched("matched_stop"),
)
OLLAMA = Vendor(
    name="ollama",
    models=("qwen3:8b",),
    takes=_EVERYONE
    | {
        "tools",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "response_format",
        "logprobs",
        "top_logprobs",
        "reasoning_effort",
    },
    parts=frozenset({"image_url"}),
    tool_choices=frozenset({"auto"}),
    ignores_choices=True,
    data_only=True,
    thought="reasoning",
    thinks=lambda body: body.get("reasoning_effort", "none") != "none",
)
ANY = Vendor(
    name="any",
    models=("any-model",),
    takes=XAI.takes
    | DASHSCOPE.takes
    | VLLM.takes
    | {"verbosity", "service_tier", "metadata", "web_search_options", "reasoning", "top_a"},
    roles=frozenset({"system", "developer", "user", "assistant", "tool"}),
    parts=frozenset({"image_url", "input_audio", "audio_url", "video_url", "video", "file"}),
    sees=frozenset({"user", "tool"}),
    tool_choices=_MODES | {"allowed_tools"},
    turn_members=frozenset({"partial", "cache_control"}),
    thinks=lambda body: body.get("reasoning_effort", "none") != "none",
    choice_extra=_matched("stop_reason"),
)
