"""A chat request of the vocabulary, written for a vendor that speaks OpenAI's chat format."""

from typing import Any

import msgspec

from tokengate.core.chat import Chat, JsonFormat
from tokengate.core.custom_tools import without_custom
from tokengate.core.parts import Extra
from tokengate.core.wire import Losses
from tokengate.formats.openai.cache_marks import write_cache_mark
from tokengate.formats.openai.dialect import Dialect
from tokengate.formats.openai.drawing import as_prompt, modalities_of, write_canvas
from tokengate.formats.openai.fields import encode
from tokengate.formats.openai.message_writer import MessageWriter
from tokengate.formats.openai.reasoning_options import write_reasoning
from tokengate.formats.openai.shapes import is_object
from tokengate.formats.openai.thoughts import OWN
from tokengate.formats.openai.tools import is_foreign_search, write_tools

# Sampling words, which are also the parameters' names. Those of the first kind may be dropped where they are missing;
# a bias names tokens, and is refused.
_SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "top_a",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "seed",
)
_WEB_SEARCH_OPTIONS = frozenset({"search_context_size", "user_location"})


def write_chat(chat: Chat, dialect: Dialect, losses: Losses) -> bytes:
    """Return the body of a request. Raises Unsupported."""
    if not dialect.custom_tools:
        chat = without_custom(chat, losses)
    if dialect.draws:
        chat = as_prompt(chat, losses)
    body: dict[str, Any] = {"model": chat.model, "messages": MessageWriter(chat, dialect, losses).write()}
    if chat.stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    body |= _sampling(chat, dialect, losses)
    body |= _output(chat, dialect, losses)
    body |= write_tools(chat, dialect, losses)
    body |= write_reasoning(chat.reasoning, dialect, losses)
    body |= _search(chat, dialect, losses)
    body |= _rest(chat, dialect, losses)
    if dialect.partial == "continue_final_message" and chat.messages and chat.messages[-1].partial:
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    if chat.format == OWN:
        _add_extra(body, _known(chat, dialect, losses))
    else:
        losses.foreign(chat)
    return encode({**dialect.always, **body})


def _sampling(chat: Chat, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for word in _SAMPLING:
        value = getattr(chat.sampling, word)
        if value is None:
            continue
        if word in dialect.lacks:
            losses.drop(word)
            continue
        limits = dialect.ranges.get(word)
        if limits is not None and limits.above(value):
            losses.drop(word)
        elif limits is not None and limits.below(value):
            raise losses.refuse(word, f"must be {'greater than' if limits.open_low else 'at least'} {limits.low} there")
        else:
            written[word] = value
    bias = chat.sampling.logit_bias
    if bias:
        _need("logit_bias", dialect, losses)
        # Some formats have any numbers here, OpenAI's has integers.
        written["logit_bias"] = {token: int(one) if one.is_integer() else one for token, one in bias.items()}
    return written


def _output(chat: Chat, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    output = chat.output
    written: dict[str, Any] = {}
    if output.cap is not None:
        written[dialect.cap_name] = output.cap
    if output.n is not None and not (output.n == 1 and "n" in dialect.lacks):
        _need("n", dialect, losses)
        written["n"] = output.n
    written |= _stop(chat, dialect, losses)
    if output.json is not None:
        written["response_format"] = _json_format(output.json, dialect, losses)
    if output.logprobs:
        _need("logprobs", dialect, losses)
    if output.logprobs is not None and "logprobs" not in dialect.lacks:
        written["logprobs"] = output.logprobs
        if output.top_logprobs is not None:
            written["top_logprobs"] = output.top_logprobs
    written |= _modalities(chat, dialect, losses)
    if output.verbosity is not None:
        if "verbosity" in dialect.lacks:
            losses.drop("verbosity")
        else:
            written["verbosity"] = output.verbosity
    return written


def _stop(chat: Chat, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    output = chat.output
    written: dict[str, Any] = {}
    if output.stop:
        _need("stop", dialect, losses)
        if dialect.max_stops is not None and len(output.stop) > dialect.max_stops:
            raise losses.refuse("stop", f"must have at most {dialect.max_stops} element(s) there")
        written["stop"] = output.stop
    if output.stop_tokens:
        name = dialect.stop_tokens
        if name is None or name in written:
            raise losses.refuse("stop_tokens", "cannot be token ids there")
        written[name] = output.stop_tokens
    return written


def _json_format(json: JsonFormat, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    _need("json", dialect, losses)
    if json.schema is None and not json.name:
        return {"type": "json_object"}
    _need("json_schema", dialect, losses)
    inner: dict[str, Any] = {"name": json.name or "reply"}  # it must have one
    if json.description:
        inner["description"] = json.description
    if json.schema is not None:
        inner["schema"] = json.schema
    if json.strict is not None:
        inner["strict"] = json.strict
    return {"type": "json_schema", "json_schema": inner}


def _modalities(chat: Chat, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    written: dict[str, Any] = {}
    output = chat.output
    if output.modalities and output.modalities != ("text",):
        for modality in output.modalities:
            if modality != "text":
                _need(f"{modality}_out", dialect, losses)
    if dialect.draws:
        written["modalities"] = modalities_of(output.modalities)
    elif output.modalities and not (output.modalities == ("text",) and "modalities" in dialect.lacks):
        written["modalities"] = output.modalities
    if output.speech is not None:
        _need("audio_out", dialect, losses)
        if output.speech.language:
            losses.drop("language")
        audio = {"voice": output.speech.voice, "format": output.speech.media_format}
        written["audio"] = {name: value for name, value in audio.items() if value}
    if output.canvas is not None:
        _need("canvas", dialect, losses)
        if dialect.draws:
            return written | write_canvas(output.canvas, losses)
        image = {"aspect_ratio": output.canvas.ratio, "image_size": output.canvas.resolution}
        written["image_config"] = {name: value for name, value in image.items() if value}
    return written


def _search(chat: Chat, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    search = chat.search
    wanted = search.enabled or any(is_foreign_search(tool) for tool in chat.tools)
    if not wanted:
        return {"enable_search": False} if search.enabled is False and dialect.search == "enable_search" else {}
    options = search.options  # by their names, whoever wrote them: DashScope's are its compatible mode's
    match dialect.search:
        case None:
            raise losses.refuse("search")
        case "web_search_options":
            if options is not None and not _names(options) <= _WEB_SEARCH_OPTIONS:
                losses.drop("search_options")
                options = None
            return {"web_search_options": options if options is not None else {}}
        case "enable_search":
            written: dict[str, Any] = {"enable_search": True}
            if options is not None and _names(options) <= _WEB_SEARCH_OPTIONS:
                losses.drop("search_options")
            elif options is not None:
                written["search_options"] = options
            return written


def _rest(chat: Chat, dialect: Dialect, losses: Losses) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for word, value in (("user", chat.user), ("service_tier", chat.service_tier), ("metadata", chat.metadata)):
        if value is None:
            continue
        if word in dialect.lacks:
            losses.drop(word)
        else:
            written[word] = value
    if chat.translation is not None:
        _need("translation", dialect, losses)
        written["translation_options"] = chat.translation
    if chat.high_resolution_images is not None:
        if "high_resolution_images" in dialect.lacks:
            losses.drop("high_resolution_images")
        else:
            written["vl_high_resolution_images"] = chat.high_resolution_images
    return written | write_cache_mark(chat.cache, dialect, losses)


def _known(chat: Chat, dialect: Dialect, losses: Losses) -> Extra:
    """Return the caller's parameters without a word that this vendor may know. Raises Unsupported."""
    for name in chat.extra.keys() & dialect.lacks:
        if name in chat.essential:
            raise losses.refuse(name)
        losses.drop(name)
    return {name: raw for name, raw in chat.extra.items() if name not in dialect.lacks}


def _add_extra(body: dict[str, Any], extra: Extra) -> None:
    """Write the caller's own parameters back; of an object that has been written, the members that it lacks."""
    for name, raw in extra.items():
        written = body.get(name)
        if written is None:
            body[name] = raw
        elif isinstance(written, dict) and is_object(more := _decode(raw)):
            body[name] = {**more, **written}


def _need(word: str, dialect: Dialect, losses: Losses) -> None:
    if word in dialect.lacks:
        raise losses.refuse(word)


_decode = msgspec.json.Decoder().decode


def _names(options: msgspec.Raw) -> set[str]:
    value = _decode(options)
    return set(value) if is_object(value) else set()
