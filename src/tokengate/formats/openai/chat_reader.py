"""A client's request in OpenAI's chat format, read into the vocabulary.

All of OpenAI's parameters, and those that DashScope, DeepSeek, GLM, OpenRouter, vLLM and SGLang add, where the
vocabulary has a word for them; the others are kept as they are.
"""

from typing import Any

import msgspec
from msgspec import structs

from tokengate.core.chat import Canvas, Chat, JsonFormat, Message, Output, Sampling, Search, Speech
from tokengate.core.errors import BadRequest
from tokengate.core.parts import Extra
from tokengate.core.splice import Members
from tokengate.formats.openai.cache_marks import read_cache_mark
from tokengate.formats.openai.fields import Fields
from tokengate.formats.openai.message_reader import read_messages
from tokengate.formats.openai.parameters import ChatBody
from tokengate.formats.openai.reasoning_options import read_reasoning
from tokengate.formats.openai.refusal import must_be, refusal_of
from tokengate.formats.openai.replies import is_filled
from tokengate.formats.openai.requests import read_chat_body
from tokengate.formats.openai.shapes import is_object
from tokengate.formats.openai.thoughts import OWN
from tokengate.formats.openai.tools import FUNCTIONS, read_tool_choice, read_tools

# Parameters without a word that change what the answer is, not only how it comes about.
_ESSENTIAL = frozenset(
    {
        "allowed_token_ids",
        "asr_options",
        "audio",
        "bad_words",
        "chat_template",
        "deferred",
        "documents",
        "ebnf",
        "echo",
        "enable_code_interpreter",
        "guided_choice",
        "guided_grammar",
        "guided_json",
        "guided_regex",
        "include_stop_str_in_output",
        "json_schema",
        "logprob_token_ids",
        "lora_path",
        "moderation",
        "no_stop_trim",
        "ocr_options",
        "plugins",
        "prompt_logprobs",
        "regex",
        "response_format",
        "return_hidden_states",
        "return_token_ids",
        "search_parameters",
        "skill",
        "structured_outputs",
        "use_beam_search",
    }
)


def read_chat(body: bytes) -> Chat:
    """Read the body of `POST /v1/chat/completions`. Raises BadRequest."""
    return chat_of(*read_chat_body(body))


def chat_of(wire: ChatBody, members: Members) -> Chat:
    """Return the chat of a body that was read and checked. Raises BadRequest."""
    assert wire.messages is not None, "the body was checked"
    chat = Chat(
        format=OWN,
        model=wire.model,
        messages=read_messages(wire.messages),
        stream=wire.stream is True,
        include_usage=wire.stream_options is not None and wire.stream_options.include_usage is True,
        parallel_tool_calls=wire.parallel_tool_calls,
        sampling=_sampling(wire),
        output=_output(wire),
        search=Search(enabled=wire.enable_search),
        user=wire.user if wire.user is not None else wire.safety_identifier,
        service_tier=wire.service_tier,
        high_resolution_images=wire.vl_high_resolution_images,
        style=frozenset({FUNCTIONS}) if wire.functions is not None else frozenset(),
    )
    return chat if members.names() <= _TYPED else _with_untyped(chat, members)


def _with_untyped(chat: Chat, members: Members) -> Chat:
    """Return the chat with the parameters that the body's type has not read whole."""
    given = Fields({name: _value_of(members, name) for name in members if name not in _TYPED}, "")
    messages = chat.messages
    if given.any("continue_final_message") is True:
        given.any("add_generation_prompt")
        messages = _continued(messages)
    options = given.inner("stream_options")
    if options is not None:
        options.flag("include_usage")
        given.keep("stream_options", options)
    tools = read_tools(given)
    choice = read_tool_choice(given)
    reasoning = read_reasoning(given)
    search = _read_search(given, chat.search)
    output = structs.replace(
        chat.output, json=_read_json_format(given), speech=_read_speech(given), canvas=_read_canvas(given)
    )
    metadata, translation = given.raw("metadata"), given.raw("translation_options")
    cache = read_cache_mark(given)
    extra = given.rest()
    return structs.replace(
        chat,
        messages=messages,
        tools=tools,
        tool_choice=choice,
        output=output,
        reasoning=reasoning,
        search=search,
        metadata=metadata,
        translation=translation,
        cache=cache,
        extra=extra,
        essential=frozenset(name for name in extra if name in _ESSENTIAL and _changes_the_answer(name, extra)),
    )


_decode = msgspec.json.Decoder().decode

# Parameters that the body's own type has read whole.
_TYPED = frozenset(
    {
        "model",
        "messages",
        "stream",
        "max_tokens",
        "max_completion_tokens",
        "n",
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "top_a",
        "frequency_penalty",
        "presence_penalty",
        "repetition_penalty",
        "seed",
        "stop",
        "stop_token_ids",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "verbosity",
        "parallel_tool_calls",
        "modalities",
        "user",
        "service_tier",
        "enable_search",
        "vl_high_resolution_images",
    }
)


def _value_of(members: Members, name: str) -> Any:
    """Return a parameter's value; what lies deep inside it was not read before."""
    try:
        return _decode(members.get(name) or b"null")
    except (ValueError, RecursionError) as error:
        raise refusal_of(error, name) from None


def _sampling(wire: ChatBody) -> Sampling:
    return Sampling(
        temperature=wire.temperature,
        top_p=wire.top_p,
        top_k=wire.top_k,
        min_p=wire.min_p,
        top_a=wire.top_a,
        frequency_penalty=wire.frequency_penalty,
        presence_penalty=wire.presence_penalty,
        repetition_penalty=wire.repetition_penalty,
        seed=wire.seed,
        logit_bias=wire.logit_bias,
    )


def _output(wire: ChatBody) -> Output:
    stop = [wire.stop] if type(wire.stop) is str else wire.stop or []
    tokens = [token for token in stop if type(token) is int] + (wire.stop_token_ids or [])
    return Output(
        cap=wire.max_completion_tokens or wire.max_tokens,
        n=wire.n,
        stop=tuple(text for text in stop if type(text) is str),
        stop_tokens=tuple(tokens),
        logprobs=wire.logprobs,
        top_logprobs=wire.top_logprobs,
        modalities=tuple(wire.modalities or ()),
        verbosity=wire.verbosity,
    )


def _read_json_format(given: Fields) -> JsonFormat | None:
    """Take `response_format`; of types that nobody else has, it is kept."""
    form = given.inner("response_format")
    if form is None:
        return None
    match form.needed_text("type"):
        case "text":
            return None
        case "json_object":
            return JsonFormat()
        case "json_schema":
            inner = form.needed_inner("json_schema")
            return JsonFormat(
                inner.raw("schema"),
                inner.needed_text("name"),
                inner.text("description") or "",
                inner.flag("strict"),
            )
        case kind:
            given.put("response_format", {"type": kind}, form)
            return None


def _read_speech(given: Fields) -> Speech | None:
    """Take `audio`. A voice of the caller's own, {"id"}, has no word and stays."""
    audio = given.inner("audio")
    if audio is None:
        return None
    voice = audio.any("voice")
    media_format = audio.text("format") or ""
    if is_object(voice):
        given.put("audio", {"voice": voice}, audio)
        return Speech("", media_format)
    if voice is not None and type(voice) is not str:
        raise must_be(audio.path("voice"), "a string or an object with an id")
    given.keep("audio", audio)
    return Speech(voice or "", media_format)


def _read_canvas(given: Fields) -> Canvas | None:
    """Take OpenRouter's `image_config`; what only some models of its vendors have stays in it."""
    image = given.inner("image_config")
    if image is None:
        return None
    canvas = Canvas(image.text("aspect_ratio") or "", image.text("image_size") or "")
    given.keep("image_config", image)
    return canvas if canvas != Canvas() else None


def _read_search(given: Fields, asked: Search) -> Search:
    options = given.raw("web_search_options")
    if options is not None:
        return Search(enabled=True, options=options if bytes(options) != b"{}" else None)
    return structs.replace(asked, options=given.raw("search_options"))


def _continued(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    if not messages or messages[-1].role != "assistant":
        raise BadRequest(
            "'continue_final_message' needs the last message to be the assistant's.", param="continue_final_message"
        )
    return (*messages[:-1], structs.replace(messages[-1], partial=True))


def _changes_the_answer(name: str, extra: Extra) -> bool:
    """Say whether a parameter asks for something; the product page's structured_outputs is a mere flag."""
    raw = extra[name]
    return is_filled(raw) and not (name == "structured_outputs" and bytes(raw) == b"true")
