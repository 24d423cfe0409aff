"""Writes a chat as a generateContent request."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from tokengate.core.chat import Chat, JsonFormat, Output, Sampling
from tokengate.core.custom_tools import without_custom
from tokengate.core.wire import Losses
from tokengate.formats.gemini.extra import nest
from tokengate.formats.gemini.fields import MOST
from tokengate.formats.gemini.requests import MAX_CANDIDATES, MAX_STOPS
from tokengate.formats.gemini.signatures import NAME
from tokengate.formats.gemini.thinking import Series, say_thinking, series_of, write_thinking
from tokengate.formats.gemini.tools import write_choice, write_tools
from tokengate.formats.gemini.write_turns import Dialect, write_turns

_TIERS: Final[Mapping[str, str]] = {
    "default": "standard",
    "standard": "standard",
    "flex": "flex",
    "priority": "priority",
}
_MODALITIES: Final = frozenset({"text", "image", "audio", "video"})
_SPOKEN: Final = frozenset({"", "pcm16", "pcm"})  # Gemini's voices give samples without a container


class Target(Struct, frozen=True, kw_only=True):
    """What of the target's ways decides how a request is written."""

    series: tuple[Series, ...]
    call_ids: bool


def write_request(chat: Chat, losses: Losses, target: Target) -> dict[str, Any]:
    """Return the request. Raises Unsupported."""
    chat = without_custom(chat, losses)
    own = chat.format == NAME
    series = series_of(chat.model, target.series)
    dialect = Dialect(
        own=own, verified=series.verified, call_ids=target.call_ids, media_in_results=own or bool(series.levels)
    )
    contents, system = write_turns(chat.messages, dialect, losses)
    request: dict[str, Any] = {"contents": contents}
    if system is not None:
        request["systemInstruction"] = system
    tools = write_tools(chat.tools, losses, own=own)
    if chat.search.enabled and not any("googleSearch" in entry for entry in tools):
        tools.append({"googleSearch": {}})
    if chat.search.options is not None:
        losses.drop("search_options")
    if tools:
        request["tools"] = tools
    calling = write_choice(chat.tool_choice, chat.tools, losses)
    if calling and tools:
        request["toolConfig"] = {"functionCallingConfig": calling}
    config = _sampling(chat.sampling, losses) | _output(chat.output, losses)
    thinking = say_thinking(chat.reasoning) if own else write_thinking(chat.reasoning, series, losses)
    if thinking:
        config["thinkingConfig"] = thinking
    if config:
        request["generationConfig"] = config
    _tier(chat.service_tier, request, losses)
    _leave_out(chat, losses)
    if own:
        nest(request, chat.extra)
    else:
        losses.foreign(chat)
    return request


encode = msgspec.json.Encoder().encode


def _sampling(sampling: Sampling, losses: Losses) -> dict[str, Any]:
    for word in ("min_p", "top_a", "repetition_penalty"):
        if getattr(sampling, word) is not None:
            losses.drop(word)
    if sampling.logit_bias:
        raise losses.refuse("logit_bias")
    temperature, seed = sampling.temperature, sampling.seed
    if temperature is not None and temperature > 2:
        losses.drop("temperature")
        temperature = None
    if seed is not None and not -MOST - 1 <= seed <= MOST:
        losses.drop("seed")
        seed = None
    return _given(
        temperature=temperature,
        topP=sampling.top_p,
        topK=sampling.top_k,
        frequencyPenalty=sampling.frequency_penalty,
        presencePenalty=sampling.presence_penalty,
        seed=seed,
    )


def _output(output: Output, losses: Losses) -> dict[str, Any]:
    if output.verbosity is not None:
        losses.drop("verbosity")
    if output.stop_tokens:
        raise losses.refuse("stop_tokens")
    if len(output.stop) > MAX_STOPS:
        raise losses.refuse("stop", f"may have at most {MAX_STOPS} sequences for Gemini")
    if output.n is not None and output.n > MAX_CANDIDATES:
        raise losses.refuse("n", f"may be at most {MAX_CANDIDATES} for Gemini")
    if not _MODALITIES.issuperset(output.modalities):
        raise losses.refuse("modalities")
    config = _given(
        maxOutputTokens=output.cap,
        candidateCount=output.n,
        stopSequences=list(output.stop) or None,
        responseLogprobs=output.logprobs,
        logprobs=output.top_logprobs,
        responseModalities=[one.upper() for one in output.modalities] or None,
    )
    if output.json is not None:
        config |= _json(output.json)
    if output.speech is not None:
        if output.speech.media_format not in _SPOKEN:
            raise losses.refuse("speech", f"cannot be '{output.speech.media_format}' with Gemini")
        config["speechConfig"] = _given(
            voiceConfig={"prebuiltVoiceConfig": {"voiceName": output.speech.voice}} if output.speech.voice else None,
            languageCode=output.speech.language or None,
        )
    if output.canvas is not None:
        config["imageConfig"] = _given(
            aspectRatio=output.canvas.ratio or None, imageSize=output.canvas.resolution or None
        )
    return config


def _json(wanted: JsonFormat) -> dict[str, Any]:
    return _given(responseMimeType="application/json", responseJsonSchema=wanted.schema)


def _tier(tier: str | None, request: dict[str, Any], losses: Losses) -> None:
    if tier is None or tier == "auto":
        return
    if tier in _TIERS:
        request["serviceTier"] = _TIERS[tier]
    else:
        losses.drop("service_tier")


def _leave_out(chat: Chat, losses: Losses) -> None:
    """Drop, or refuse, what Gemini has no word for."""
    if chat.translation is not None:
        raise losses.refuse("translation")
    dropped = {
        "parallel_tool_calls": chat.parallel_tool_calls is False,
        "user": chat.user is not None,
        "metadata": chat.metadata is not None,
        "high_resolution_images": bool(chat.high_resolution_images),
        "cache": chat.cache is not None,
    }
    for word, given in dropped.items():
        if given:
            losses.drop(word)


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
