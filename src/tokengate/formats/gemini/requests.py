"""Reads a client's generateContent request. The model and the wish for a stream are in its path."""

from typing import Final

from tokengate.core.chat import Canvas, Chat, JsonFormat, Output, Reasoning, Sampling, Speech
from tokengate.core.errors import BadRequest
from tokengate.core.parts import Extra
from tokengate.formats.gemini.contents import read_contents, read_system
from tokengate.formats.gemini.fields import Fields, wrong
from tokengate.formats.gemini.schema import read_schema
from tokengate.formats.gemini.signatures import NAME
from tokengate.formats.gemini.thinking import read_thinking
from tokengate.formats.gemini.tools import read_choice, read_tools

MAX_STOPS = 5
MAX_CANDIDATES = 8
SPOKEN = "pcm16"  # in which every spoken answer comes, and its media type
SPOKEN_TYPE = "audio/L16;codec=pcm;rate=24000"

# Without these the answer would be another one.
_ESSENTIAL: Final = frozenset(
    {
        "cachedContent",
        "continuationToken",
        "generationConfig.imageConfig.imageOutputOptions",
        "generationConfig.imageConfig.personGeneration",
        "generationConfig.responseFormat",
        "generationConfig.responseMimeType",
        "generationConfig.responseSchema",
        "generationConfig.speechConfig.multiSpeakerVoiceConfig",
        "generationConfig.translationConfig",
    }
)
_TIERS: Final = {"STANDARD": "default"}  # where the words of OpenAI and Google differ
_MODALITIES: Final = frozenset({"TEXT", "IMAGE", "AUDIO", "VIDEO"})


def read_chat(body: bytes, *, model: str, stream: bool) -> Chat:
    """Return a request. Raises BadRequest, which names the culprit by its path."""
    request = Fields(body, "")
    request.raw("model")  # said in the path
    contents = request.objects("contents")
    if not contents:
        raise wrong("contents", "a list with at least one turn")
    messages = read_contents(contents)
    system = request.object("systemInstruction")
    if system is not None:
        messages = (read_system(system), *messages)
    tools = read_tools(request.objects("tools"))
    extra: dict[str, Extra] = {}
    choice = None
    tool_config = request.object("toolConfig")
    if tool_config is not None:
        calling = tool_config.object("functionCallingConfig")
        if calling is not None:
            choice, tools = read_choice(calling, tools)
            extra["toolConfig.functionCallingConfig."] = calling.rest()
        extra["toolConfig."] = tool_config.rest()
    tier = request.word("serviceTier")
    config = request.object("generationConfig") or Fields(b"{}", "generationConfig")
    sampling, reasoning, output = _read_sampling(config), _read_reasoning(config), _read_output(config)
    extra |= {"generationConfig.": config.rest(), "": request.rest()}
    left = {f"{place}{name}": raw for place, members in extra.items() for name, raw in members.items()}
    return Chat(
        format=NAME,
        model=model,
        messages=messages,
        stream=stream,
        include_usage=stream,
        tools=tools,
        tool_choice=choice,
        sampling=sampling,
        output=output,
        reasoning=reasoning,
        service_tier=None if tier is None else _TIERS.get(tier, tier.lower()),
        extra=left,
        essential=_ESSENTIAL.intersection(left),
    )


def _read_sampling(config: Fields) -> Sampling:
    temperature = config.number("temperature")
    if temperature is not None and not 0 <= temperature <= 2:
        raise wrong(config.at("temperature"), "between 0 and 2")
    top_p = config.number("topP")
    if top_p is not None and not 0 <= top_p <= 1:
        raise wrong(config.at("topP"), "between 0 and 1")
    return Sampling(
        temperature=temperature,
        top_p=top_p,
        top_k=config.integer("topK", least=0),
        frequency_penalty=config.number("frequencyPenalty"),
        presence_penalty=config.number("presencePenalty"),
        seed=config.integer("seed"),
    )


def _read_reasoning(config: Fields) -> Reasoning:
    thinking = config.object("thinkingConfig")
    return Reasoning() if thinking is None else read_thinking(thinking)


def _read_output(config: Fields) -> Output:
    stop = config.strings("stopSequences")
    if len(stop) > MAX_STOPS:
        raise wrong(config.at("stopSequences"), f"a list of at most {MAX_STOPS} strings")
    modalities = tuple(one.upper() for one in config.strings("responseModalities"))
    if not _MODALITIES.issuperset(modalities):
        raise wrong(config.at("responseModalities"), "a list of TEXT, IMAGE, AUDIO and VIDEO")
    return Output(
        cap=config.integer("maxOutputTokens", least=1),
        n=config.integer("candidateCount", least=1, most=MAX_CANDIDATES),
        stop=stop,
        json=_read_json(config),
        logprobs=config.boolean("responseLogprobs"),
        top_logprobs=config.integer("logprobs", least=0),
        modalities=tuple(one.lower() for one in modalities),
        speech=_read_speech(config),
        canvas=_read_canvas(config),
    )


def _read_json(config: Fields) -> JsonFormat | None:
    """Take the format of the answer; what is neither text nor JSON stays."""
    if "responseMimeType" not in config:
        if "responseSchema" in config or "responseJsonSchema" in config:
            raise BadRequest(
                f"'{config.at('responseMimeType')}' must be application/json when there is a schema.",
                param=config.at("responseMimeType"),
            )
        return None
    kept = config.raw("responseMimeType")
    assert kept is not None, "a member that is there can be taken"
    kind = Fields(b'{"kind":%b}' % bytes(kept), "generationConfig").text("kind")
    if kind == "text/plain":
        return None
    if kind != "application/json":
        config.put_back("responseMimeType", kept)
        return None
    schema, openapi = config.raw("responseJsonSchema"), config.raw("responseSchema")
    if schema is not None and openapi is not None:
        raise BadRequest(
            f"'{config.path}' must not have both 'responseSchema' and 'responseJsonSchema'.",
            param=config.at("responseJsonSchema"),
        )
    return JsonFormat(schema if openapi is None else read_schema(openapi, config.at("responseSchema")))


def _read_speech(config: Fields) -> Speech | None:
    speech = config.object("speechConfig")
    if speech is None:
        return None
    language = speech.text("languageCode") or ""
    voice = ""
    voice_config = speech.object("voiceConfig")
    if voice_config is not None:
        prebuilt = voice_config.object("prebuiltVoiceConfig")
        voice = (prebuilt.text("voiceName") or "") if prebuilt is not None else ""
        for name, raw in voice_config.rest().items():
            config.put_back(f"speechConfig.voiceConfig.{name}", raw)
    for name, raw in speech.rest().items():
        config.put_back(f"speechConfig.{name}", raw)
    return Speech(voice, SPOKEN, language)


def _read_canvas(config: Fields) -> Canvas | None:
    image = config.object("imageConfig")
    if image is None:
        return None
    canvas = Canvas(image.text("aspectRatio") or "", image.text("imageSize") or "")
    for name, raw in image.rest().items():
        config.put_back(f"imageConfig.{name}", raw)
    return canvas if canvas != Canvas() else None
