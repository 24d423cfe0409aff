"""The body of a text or multimodal generation request, read.

`{"model", "input": {"messages" | "prompt"}, "parameters": {…}}`. Whatever a caller can get wrong here raises BadRequest
with `param`, such as `parameters.temperature`. Members without a word in the vocabulary are kept in `extra` under the
same dotted names.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from tokengate.core.chat import (
    BuiltIn,
    Chat,
    Function,
    JsonFormat,
    Output,
    Reasoning,
    Sampling,
    Search,
    Tool,
    ToolChoice,
)
from tokengate.core.errors import BadRequest
from tokengate.core.languages import check_languages
from tokengate.core.parts import CacheMark, Extra
from tokengate.core.splice import Members
from tokengate.formats.dashscope.content import NAME
from tokengate.formats.dashscope.messages import prompt_messages, read_messages
from tokengate.formats.dashscope.models import answers_with_text, streams_pieces
from tokengate.formats.dashscope.parameters import (
    ESSENTIAL,
    MAX_SEED,
    Body,
    ChatInput,
    ChatParameters,
    Choice,
    OfferedFunction,
    ResponseFormat,
    TranslationOptions,
)
from tokengate.formats.dashscope.refusal import missing, must_be, refusal_of
from tokengate.formats.dashscope.shapes import (
    decode_anything,
    decode_object,
    is_null,
    is_object,
    others,
)

T = TypeVar("T")

# How an answer is written. Without TEXT it is a list of choices, in which content is a string or, with PARTS, a list.
TEXT, PARTS = "text", "parts"
WHOLE = "whole"  # every event of a stream carries all that was said so far
CAP_WITH_THINKING = "max_completion_tokens"  # the cap came under this name

_EMPTY = Raw(b"{}")
_BODY = frozenset(Body.__struct_fields__)
_INPUT = frozenset(ChatInput.__struct_fields__)
_PARAMETERS = frozenset(ChatParameters.__struct_fields__)
_OFFERED = frozenset(OfferedFunction.__struct_fields__)

_decode_body = msgspec.json.Decoder(Body).decode
_decode_input = msgspec.json.Decoder(ChatInput).decode
_decode_parameters = msgspec.json.Decoder(ChatParameters).decode
_decode_translation = msgspec.json.Decoder(TranslationOptions).decode
_decode_function = msgspec.json.Decoder(OfferedFunction).decode


def read_chat(body: bytes, *, stream: bool = False, parts: bool = False) -> Chat:
    """Read a request. Raises BadRequest.

    Whether it asks for a stream is in its headers, and the service it was sent to says whether content is in `parts`.
    """
    wire, members = read_object(body, _decode_body)
    asked, input_members = read_object(wire.input, _decode_input, "input")
    given, parameters = read_object(
        _EMPTY if is_null(wire.parameters) else wire.parameters, _decode_parameters, "parameters"
    )
    if asked.messages is not None:
        if asked.prompt is not None or asked.history is not None:
            raise BadRequest("'input.messages' and 'input.prompt' exclude each other.", param="input.prompt")
        messages = read_messages(asked.messages)
    elif asked.prompt:
        messages = prompt_messages(asked.prompt, asked.history or [])
    elif asked.prompt is not None:
        raise must_be("input.prompt")
    else:
        raise missing("input.messages")
    extra = {
        **read_others(members, _BODY),
        **read_others(input_members, _INPUT, "input."),
        **read_others(parameters, _PARAMETERS, "parameters."),
    }
    if not stream and bytes(extra.get("stream", b"")) == b"true":
        raise BadRequest(
            "'stream' is not how this format asks for a stream: X-DashScope-SSE: enable is.", param="stream"
        )
    stop, stop_tokens = _read_stop(given.stop, extra)
    return Chat(
        format=NAME,
        model=wire.model,
        messages=messages,
        stream=stream,
        include_usage=True,
        tools=tuple(_read_tool(index, raw) for index, raw in enumerate(given.tools or ())),
        tool_choice=_read_tool_choice(given.tool_choice),
        parallel_tool_calls=given.parallel_tool_calls,
        sampling=_read_sampling(given),
        output=_read_output(given, stop, stop_tokens, extra),
        reasoning=Reasoning(enabled=given.enable_thinking, effort=given.reasoning_effort, budget=given.thinking_budget),
        search=Search(
            enabled=given.enable_search, options=_read_raw(given.search_options, "parameters.search_options")
        ),
        translation=_read_translation(wire.model, given.translation_options),
        high_resolution_images=given.vl_high_resolution_images,
        cache=None if given.cache_control is None else CacheMark(),
        style=_read_style(wire.model, given, parts=parts),
        extra=extra,
        essential=frozenset(
            name for name in extra if name.removeprefix("parameters.") in ESSENTIAL or name == "parameters.stop"
        ),
    )


def read_object(body: bytes | Raw, decode: Callable[[bytes | Raw], T], inside: str = "") -> tuple[T, Mapping[str, Raw]]:
    """Read an object as what is known of it, and as its members. Raises BadRequest, also for a member named twice."""
    try:
        members = Members(bytes(body))
        wire = decode(body)
    except (ValueError, RecursionError) as error:
        raise refusal_of(error, inside) from None
    return wire, {name: Raw(members.get(name) or b"null") for name in members}


def read_others(members: Mapping[str, Raw], known: frozenset[str], prefix: str = "") -> dict[str, Raw]:
    """Return the members that have no word of their own, by dotted name. Raises BadRequest for unsound ones.

    A name that differs from a known one only in its letters' case is refused: somebody behind us may read it.
    """
    found: dict[str, Raw] = {}
    for name, raw in others(members, known).items():
        if name.casefold() in known:
            raise BadRequest(f"'{prefix}{name}' must be written '{prefix}{name.casefold()}'.", param=prefix + name)
        read_value(raw, prefix + name)
        found[prefix + name] = raw
    return found


def read_value(raw: Raw, param: str) -> Any:
    """Return what a member's JSON says. Raises BadRequest."""
    try:
        return decode_anything(raw)
    except (ValueError, RecursionError) as error:
        raise refusal_of(error, param) from None


def _read_style(model: str, given: ChatParameters, *, parts: bool) -> frozenset[str]:
    style: set[str] = set()
    if parts:
        style.add(PARTS)
    elif given.result_format == "text" or (given.result_format is None and answers_with_text(model)):
        style.add(TEXT)
    if not (streams_pieces(model) if given.incremental_output is None else given.incremental_output):
        style.add(WHOLE)
    if given.max_tokens is None and given.max_completion_tokens is not None:
        style.add(CAP_WITH_THINKING)
    return frozenset(style)


def _read_sampling(given: ChatParameters) -> Sampling:
    if given.seed is not None and not 0 <= given.seed <= MAX_SEED:
        raise must_be("parameters.seed")
    return Sampling(
        temperature=given.temperature,
        top_p=given.top_p,
        top_k=given.top_k,
        presence_penalty=given.presence_penalty,
        repetition_penalty=given.repetition_penalty,
        seed=given.seed,
        logit_bias=given.logit_bias,
    )


def _read_output(
    given: ChatParameters, stop: tuple[str, ...], stop_tokens: tuple[int, ...], extra: dict[str, Raw]
) -> Output:
    if given.top_logprobs and given.logprobs is not True:
        raise BadRequest(
            "'parameters.top_logprobs' needs 'parameters.logprobs' to be true.", param="parameters.top_logprobs"
        )
    if given.max_tokens is not None and given.max_completion_tokens is not None:
        extra["parameters.max_completion_tokens"] = Raw(b"%d" % given.max_completion_tokens)
    return Output(
        cap=given.max_completion_tokens if given.max_tokens is None else given.max_tokens,
        n=given.n,
        stop=stop,
        stop_tokens=stop_tokens,
        json=_read_json(given.response_format),
        logprobs=given.logprobs,
        top_logprobs=given.top_logprobs,
    )


def _read_stop(
    stop: str | list[str | int | list[int]] | None, extra: dict[str, Raw]
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return stop texts and stop tokens. Sequences of several tokens have no word; they are kept as they are."""
    if stop is None:
        return (), ()
    if isinstance(stop, str):
        return (stop,), ()
    texts = tuple(item for item in stop if isinstance(item, str))
    if len(texts) == len(stop):
        return texts, ()
    if texts:
        raise must_be("parameters.stop")
    sequences = [[item] if isinstance(item, int) else item for item in stop if not isinstance(item, str)]
    if all(len(sequence) == 1 for sequence in sequences):
        return (), tuple(sequence[0] for sequence in sequences)
    extra["parameters.stop"] = Raw(msgspec.json.encode(stop))
    return (), ()


def _read_json(response_format: ResponseFormat | None) -> JsonFormat | None:
    if response_format is None or response_format.type == "text":
        return None
    schema = response_format.json_schema
    if response_format.type == "json_object":
        return JsonFormat()
    if schema is None or not bytes(schema.schema).startswith(b"{"):
        raise missing("parameters.response_format.json_schema.schema")
    return JsonFormat(Raw(bytes(schema.schema)), schema.name or "", schema.description or "", strict=schema.strict)


def _read_tool(index: int, raw: Raw) -> Tool:
    param = f"parameters.tools[{index}]"
    try:
        value: Any = decode_anything(raw)
        if not is_object(value):
            raise must_be(param)
        kind = value.get("type", "function")
        if kind != "function":
            if type(kind) is not str:
                raise must_be(f"{param}.type", "a string")
            return BuiltIn(NAME, kind, Raw(bytes(raw)), web_search=kind == "web_search")
        if not is_object(value.get("function")):
            raise must_be(param)
        function_raw = decode_object(raw)["function"]
        wire = _decode_function(function_raw)
        extra: Extra = others(decode_object(function_raw), _OFFERED)
    except (ValueError, RecursionError) as error:
        raise refusal_of(error, f"{param}.function") from None
    schema = _read_raw(wire.parameters, f"{param}.function.parameters")
    return Function(wire.name, wire.description or "", schema, wire.strict, extra=extra)


def _read_tool_choice(choice: str | Choice | None) -> ToolChoice | None:
    match choice:
        case None:
            return None
        case Choice():
            return ToolChoice("named", (choice.function.name,))
        case "none":
            return ToolChoice("none")
        case "required":
            return ToolChoice("required")
        case _:
            return ToolChoice("auto")


def _read_translation(model: str, raw: Raw) -> Raw | None:
    param = "parameters.translation_options"
    options = _read_raw(raw, param)
    if options is not None:
        try:
            wire = _decode_translation(options)
        except (ValueError, RecursionError) as error:
            raise refusal_of(error, param) from None
        check_languages(model, wire.source_lang, wire.target_lang, param)
    return options


def _read_raw(raw: Raw, param: str) -> Raw | None:
    """Return an object that stays as it is. Raises BadRequest for what is none."""
    if is_null(raw):
        return None
    if not bytes(raw).startswith(b"{"):
        raise must_be(param, "an object")
    return Raw(bytes(raw))
