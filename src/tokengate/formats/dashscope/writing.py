"""A chat, written as DashScope's request.

Replies are always asked for as messages, and streams in pieces. What DashScope cannot say is refused by name when it
changes the answer's meaning, and otherwise dropped with a warning.
"""

from typing import Any, assert_never

from msgspec import Raw

from tokengate.core.chat import (
    BuiltIn,
    Chat,
    Custom,
    Function,
    JsonFormat,
    Output,
    Reasoning,
    Sampling,
    Search,
    Tool,
    instructions_first,
)
from tokengate.core.custom_tools import without_custom
from tokengate.core.wire import Losses
from tokengate.formats.dashscope.content import NAME
from tokengate.formats.dashscope.models import is_multimodal
from tokengate.formats.dashscope.parameters import MAX_SEED, MAX_TOP_LOGPROBS
from tokengate.formats.dashscope.requests import CAP_WITH_THINKING
from tokengate.formats.dashscope.shapes import decode_object, encode
from tokengate.formats.dashscope.turns import write_messages

# What OpenAI's own format calls the options of a search has other names: only these mean the same here.
_SEARCH_OPTIONS = frozenset(
    {
        "assigned_site_list",
        "citation_format",
        "enable_citation",
        "enable_search_extension",
        "enable_source",
        "forced_search",
        "freshness",
        "intention_options",
        "prepend_search_result",
        "search_strategy",
    }
)


def write_chat(chat: Chat, losses: Losses, *, max_choices: int = 4) -> bytes:
    """Return the body of a request. Raises Unsupported."""
    own = chat.format == NAME
    if not own:
        losses.foreign(chat)
    chat = without_custom(chat, losses)
    parameters: dict[str, Any] = {"result_format": "message"}
    if chat.stream:
        parameters["incremental_output"] = True
    _write_sampling(chat.sampling, losses, parameters)
    _write_output(chat.output, losses, parameters, max_choices=max_choices)
    if CAP_WITH_THINKING in chat.style and own:
        parameters["max_completion_tokens"] = parameters.pop("max_tokens")
    _write_reasoning(chat.reasoning, losses, parameters)
    _write_tools(chat, losses, parameters)
    _write_search(chat.search, losses, parameters)
    if chat.translation is not None:
        parameters["translation_options"] = chat.translation
    if chat.high_resolution_images is not None:
        parameters["vl_high_resolution_images"] = chat.high_resolution_images
    if chat.cache is not None:
        if own:
            parameters["cache_control"] = {"type": "ephemeral"}
        else:
            losses.drop("cache")
    for word in ("user", "service_tier", "metadata"):
        if getattr(chat, word) is not None:
            losses.drop(word)

    # "system ... must be the first": https://help.aliyun.com/zh/model-studio/qwen-api-via-dashscope, 2026-11
    turns = chat.messages if own else instructions_first(chat.messages)
    messages = write_messages(turns, losses, listed=is_multimodal(chat.model), own=own)
    body: dict[str, Any] = {"model": chat.model, "input": {"messages": messages}, "parameters": parameters}
    if own:
        _write_extra(chat, body)
    return encode(body)


def _write_sampling(sampling: Sampling, losses: Losses, parameters: dict[str, Any]) -> None:
    temperature, top_p, seed = sampling.temperature, sampling.top_p, sampling.seed
    if temperature is not None and temperature >= 2:
        raise losses.refuse("temperature", "must be less than 2 here")
    if top_p is not None and top_p <= 0:
        raise losses.refuse("top_p", "must be above 0 here")
    if seed is not None and not 0 <= seed <= MAX_SEED:
        losses.drop("seed")
        seed = None
    values = {
        "temperature": temperature,
        "top_p": top_p,
        "top_k": sampling.top_k,
        "presence_penalty": sampling.presence_penalty,
        "repetition_penalty": sampling.repetition_penalty,
        "seed": seed,
        "logit_bias": sampling.logit_bias,
    }
    parameters.update((name, value) for name, value in values.items() if value is not None)
    for word, value in (
        ("min_p", sampling.min_p),
        ("top_a", sampling.top_a),
        ("frequency_penalty", sampling.frequency_penalty),
    ):
        if value:
            losses.drop(word)


def _write_output(output: Output, losses: Losses, parameters: dict[str, Any], *, max_choices: int) -> None:
    if output.n is not None and output.n > max_choices:
        raise losses.refuse("n", f"must be at most {max_choices} here")
    if output.top_logprobs is not None and output.top_logprobs > MAX_TOP_LOGPROBS:
        raise losses.refuse("top_logprobs", f"must be at most {MAX_TOP_LOGPROBS} here")
    if any(modality != "text" for modality in output.modalities):
        raise losses.refuse("modalities")
    if output.canvas is not None:
        raise losses.refuse("canvas")
    if output.stop and output.stop_tokens:
        raise losses.refuse("stop_tokens", "exclude texts to stop at")
    if output.verbosity is not None:
        losses.drop("verbosity")
    values = {
        "max_tokens": output.cap,
        "n": output.n,
        "stop": list(output.stop) or list(output.stop_tokens) or None,
        "logprobs": output.logprobs,
        "top_logprobs": output.top_logprobs,
        "response_format": None if output.json is None else _write_json(output.json),
    }
    parameters.update((name, value) for name, value in values.items() if value is not None)


def _write_json(asked: JsonFormat) -> dict[str, Any]:
    if asked.schema is None:
        return {"type": "json_object"}
    schema: dict[str, Any] = {"name": asked.name or "answer", "schema": asked.schema}
    if asked.description:
        schema["description"] = asked.description
    if asked.strict is not None:
        schema["strict"] = asked.strict
    return {"type": "json_schema", "json_schema": schema}


def _write_reasoning(reasoning: Reasoning, losses: Losses, parameters: dict[str, Any]) -> None:
    enabled = reasoning.enabled
    if reasoning.effort is not None:
        if enabled is None:
            enabled = reasoning.effort != "none"
        if reasoning.effort != "none":
            parameters["reasoning_effort"] = reasoning.effort
    if reasoning.budget == 0:
        enabled = False
    elif reasoning.budget is not None and reasoning.budget > 0:
        parameters["thinking_budget"] = reasoning.budget
    if enabled is not None:
        parameters["enable_thinking"] = enabled
    if reasoning.shown is False and enabled is not False:
        losses.drop("shown")


def _write_tools(chat: Chat, losses: Losses, parameters: dict[str, Any]) -> None:
    choice = chat.tool_choice
    only = choice.names if choice is not None and choice.mode in ("auto", "required") else ()
    offered = [
        tool
        for tool in chat.tools
        if not only or (isinstance(tool, Function) and tool.name in only) or isinstance(tool, BuiltIn)
    ]
    written = [
        entry
        for tool in offered
        if (entry := _write_tool(tool, losses, parameters, own=chat.format == NAME)) is not None
    ]
    if written:
        parameters["tools"] = written
        # One call at a time unless told otherwise, where every other format's callers expect several at once.
        # https://help.aliyun.com/en/model-studio/qwen-function-calling, 2026-11
        parallel = chat.parallel_tool_calls if chat.format == NAME else chat.parallel_tool_calls is not False
        if parallel is not None:
            parameters["parallel_tool_calls"] = parallel
    if choice is None or not written:
        return
    match choice.mode:
        case "auto" | "none":
            parameters["tool_choice"] = choice.mode
        case "named":
            parameters["tool_choice"] = _named(choice.names[0])
        case "required":
            functions = [tool for tool in offered if isinstance(tool, Function)]
            if len(offered) != 1 or len(functions) != 1:
                raise losses.refuse("tool_choice", "cannot be required here; name the function")
            parameters["tool_choice"] = _named(functions[0].name)
        case _:
            assert_never(choice.mode)


def _named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def _write_function(tool: Function, losses: Losses, *, own: bool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parameters"] = tool.parameters
    if tool.cache is not None:
        losses.drop("cache")
    if own:
        if tool.strict is not None:
            function["strict"] = tool.strict
        return {**tool.extra, **function}
    for name in (*(("strict",) if tool.strict else ()), *tool.extra):
        losses.drop(f"tools.{name}")
    return function


def _write_tool(tool: Tool, losses: Losses, parameters: dict[str, Any], *, own: bool) -> dict[str, Any] | Raw | None:
    """Return an entry of `tools`; None for a tool that is a parameter here."""
    match tool:
        case Function():
            return {"type": "function", "function": _write_function(tool, losses, own=own)}
        case BuiltIn(format="dashscope"):
            return tool.raw
        case BuiltIn(web_search=True):
            parameters["enable_search"] = True
            if decode_object(tool.raw).keys() - {"type", "name"}:
                losses.drop("search_options")
            return None
        case BuiltIn():
            raise losses.refuse("built_in", f"holds '{tool.kind}'; only functions and a web search can be run here")
        case Custom():
            raise losses.refuse("built_in", "may only be functions and a web search here")
        case _:
            assert_never(tool)


def _write_search(search: Search, losses: Losses, parameters: dict[str, Any]) -> None:
    if search.enabled is not None:
        parameters["enable_search"] = search.enabled
    if search.options is None:
        return
    if decode_object(search.options).keys() <= _SEARCH_OPTIONS:
        parameters["search_options"] = search.options
    else:
        losses.drop("search_options")


def _write_extra(chat: Chat, body: dict[str, Any]) -> None:
    """Write back what has no word, where it came from. What has one is already there, and wins."""
    for name, raw in chat.extra.items():
        where, dot, member = name.partition(".")
        if dot and where in ("input", "parameters"):
            body[where].setdefault(member, raw)
        else:
            body.setdefault(name, raw)
