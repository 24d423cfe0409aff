"""Capabilities of what an answer may and must be: sampling, ends, JSON, thinking, and what vendors add."""

from tests.compatibility.capability import (
    ANTHROPIC,
    DASHSCOPE,
    GEMINI,
    OPENAI,
    RESPONSES,
    SCHEMA,
    Capability,
    decoded,
    first,
    text_of,
)
from tests.compatibility.clients import Ask, Json
from tests.compatibility.tools import given
from tokengate.core.chat import Chat
from tokengate.core.parts import Audio, Thinking
from tokengate.core.reply import FinishReason, Reply


def _config(**members: object) -> Ask:
    return Ask(members={"generationConfig": members})


def _parameters(**members: object) -> Ask:
    return Ask(members={"parameters": members})


def _members(**members: object) -> Ask:
    return Ask(members=members)


def _number(
    id: str, title: tuple[str, str], value: float, gemini: str = "", *, native: bool = True, also: tuple[str, ...] = ()
) -> Capability:
    """A parameter of sampling under its usual name; `also` are formats that have it under the same name."""
    asks = {client: _members(**{id: value}) for client in (OPENAI, *also)}
    if native:
        asks[DASHSCOPE] = _parameters(**{id: value})
    if gemini:
        asks[GEMINI] = _config(**{gemini: value})
    return Capability(
        id=id, title=title, group="output", asks=asks, arrives=lambda chat: getattr(chat.sampling, id) == value
    )


def _fits(reply: Reply) -> bool:
    told = decoded(text_of(reply))
    return isinstance(told.get("city"), str) and isinstance(told.get("days"), int)


def _thought(reply: Reply) -> str:
    return "".join(part.text for part in first(reply).parts if isinstance(part, Thinking))


def _thinks_on(chat: Chat) -> bool:
    reasoning = chat.reasoning
    return (
        reasoning.enabled is True
        or reasoning.effort not in (None, "none")
        or bool(reasoning.budget)
        or reasoning.shown is True
    )


_THINKING_OPENAI = Ask(members={"reasoning_effort": "low", "max_completion_tokens": 4000})
_THINKING: dict[str, Ask] = {
    OPENAI: _THINKING_OPENAI,
    RESPONSES: _members(reasoning={"effort": "low", "summary": "auto"}),
    ANTHROPIC: _members(thinking={"type": "adaptive", "display": "summarized"}, output_config={"effort": "low"}),
    GEMINI: _config(thinkingConfig={"thinkingLevel": "LOW", "includeThoughts": True}),
    DASHSCOPE: _parameters(enable_thinking=True, incremental_output=True),
}
_WITH_TOOLS = {client: Ask(members={**ask.members, **given()[client].members}) for client, ask in _THINKING.items()} | {
    DASHSCOPE: Ask(
        members={
            "parameters": {**_THINKING[DASHSCOPE].members["parameters"], **given()[DASHSCOPE].members["parameters"]}
        }
    )
}
_EXTRAS: Json = {"min_tokens": 2, "skip_special_tokens": False, "ignore_eos": False}


OUTPUT = (
    _number("temperature", ("temperature", "temperature"), 0.5, "temperature", also=(RESPONSES, ANTHROPIC)),
    _number("top_p", ("top_p", "top_p"), 0.9, "topP", also=(RESPONSES, ANTHROPIC)),
    _number("top_k", ("top_k", "top_k"), 20, "topK", also=(ANTHROPIC,)),
    _number("min_p", ("min_p", "min_p"), 0.1, native=False),
    _number("seed", ("seed", "seed"), 7, "seed"),
    _number("frequency_penalty", ("frequency_penalty", "frequency_penalty"), 0.5, "frequencyPenalty", native=False),
    _number("presence_penalty", ("presence_penalty", "presence_penalty"), 0.5, "presencePenalty"),
    _number("repetition_penalty", ("repetition_penalty", "repetition_penalty"), 1.1),
    Capability(
        id="logit_bias",
        title=("logit_bias", "logit_bias"),
        group="output",
        asks={OPENAI: _members(logit_bias={"1": 5}), DASHSCOPE: _parameters(logit_bias={"1": 5})},
        arrives=lambda chat: chat.sampling.logit_bias == {"1": 5},
    ),
    Capability(
        id="cap",
        title=("Largest number of output tokens", "输出上限"),
        group="output",
        asks={
            OPENAI: _members(max_tokens=20),
            RESPONSES: _members(max_output_tokens=20),
            ANTHROPIC: _members(max_tokens=20),
            GEMINI: _config(maxOutputTokens=20),
            DASHSCOPE: _parameters(max_tokens=20),
        },
        text=lambda vendor: " ".join(f"word{number}" for number in range(200)),
        arrives=lambda chat: chat.output.cap == 20,
        returns=lambda reply: first(reply).finish is FinishReason.LENGTH,
        slice=True,
    ),
    Capability(
        id="stop",
        title=("Stop sequences", "停止序列"),
        group="output",
        asks={
            OPENAI: _members(stop=["END"]),
            ANTHROPIC: _members(stop_sequences=["END"]),
            GEMINI: _config(stopSequences=["END"]),
            DASHSCOPE: _parameters(stop=["END"]),
        },
        text=lambda vendor: "one END two",
        arrives=lambda chat: chat.output.stop == ("END",),
        returns=lambda reply: "one" in text_of(reply) and "two" not in text_of(reply),
        slice=True,
    ),
    Capability(
        id="stop_which",
        title=("Which stop sequence matched", "命中的停止序列"),
        group="output",
        asks={OPENAI: _members(stop=["NEVER", "END"]), ANTHROPIC: _members(stop_sequences=["NEVER", "END"])},
        text=lambda vendor: "one END two",
        returns=lambda reply: first(reply).stop_sequence == "END",
    ),
    Capability(
        id="json",
        title=("JSON mode", "JSON 模式"),
        group="output",
        asks={
            OPENAI: _members(response_format={"type": "json_object"}),
            RESPONSES: _members(text={"format": {"type": "json_object"}}),
            GEMINI: _config(responseMimeType="application/json"),
            DASHSCOPE: _parameters(response_format={"type": "json_object"}),
        },
        text=lambda vendor: "Answer as json",
        arrives=lambda chat: chat.output.json is not None,
        returns=lambda reply: isinstance(decoded(text_of(reply)), dict),
        slice=True,
    ),
    Capability(
        id="json_schema",
        title=("JSON schema", "JSON Schema"),
        group="output",
        asks={
            OPENAI: _members(
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "trip", "schema": SCHEMA, "strict": True},
                }
            ),
            RESPONSES: _members(
                text={"format": {"type": "json_schema", "name": "trip", "schema": SCHEMA, "strict": True}}
            ),
            ANTHROPIC: _members(output_config={"format": {"type": "json_schema", "schema": SCHEMA}}),
            GEMINI: _config(responseMimeType="application/json", responseJsonSchema=SCHEMA),
            DASHSCOPE: _parameters(
                response_format={
                    "type": "json_schema",
                    "json_schema": {"name": "trip", "schema": SCHEMA, "strict": True},
                }
            ),
        },
        arrives=lambda chat: (
            chat.output.json is not None and decoded(chat.output.json.schema).get("properties") == SCHEMA["properties"]
        ),
        returns=_fits,
        slice=True,
    ),
    Capability(
        id="logprobs",
        title=("Log probabilities", "对数概率"),
        group="output",
        asks={
            OPENAI: _members(logprobs=True, top_logprobs=2),
            RESPONSES: _members(include=["message.output_text.logprobs"], top_logprobs=2),
            GEMINI: _config(responseLogprobs=True, logprobs=2),
            DASHSCOPE: _parameters(logprobs=True, top_logprobs=2),
        },
        arrives=lambda chat: chat.output.logprobs is True and chat.output.top_logprobs == 2,
        returns=lambda reply: bool(first(reply).logprobs),
    ),
    Capability(
        id="choices",
        title=("Several answers (n)", "多个候选(n)"),
        group="output",
        asks={OPENAI: _members(n=2), GEMINI: _config(candidateCount=2), DASHSCOPE: _parameters(n=2)},
        arrives=lambda chat: chat.output.n == 2,
        returns=lambda reply: len(reply.choices) == 2,
        slice=True,
    ),
    Capability(
        id="verbosity",
        title=("verbosity", "verbosity"),
        group="output",
        model="reasoning",
        asks={OPENAI: _members(verbosity="low"), RESPONSES: _members(text={"verbosity": "low"})},
        arrives=lambda chat: chat.output.verbosity == "low",
    ),
    Capability(
        id="audio_out",
        title=("Spoken answers", "语音输出"),
        group="output",
        model="speech",
        asks={
            OPENAI: _members(modalities=["text", "audio"], audio={"voice": "alloy", "format": "pcm16"}),
            GEMINI: _config(
                responseModalities=["AUDIO"],
                speechConfig={"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
            ),
        },
        arrives=lambda chat: "audio" in chat.output.modalities and chat.output.speech is not None,
        returns=lambda reply: any(isinstance(part, Audio) for part in first(reply).parts),
    ),
    Capability(
        id="effort",
        title=("Reasoning effort", "推理强度"),
        group="thinking",
        model="reasoning",
        asks={
            OPENAI: _members(reasoning_effort="low"),
            RESPONSES: _members(reasoning={"effort": "low"}),
            ANTHROPIC: _members(output_config={"effort": "low"}),
            GEMINI: _config(thinkingConfig={"thinkingLevel": "LOW"}),
            DASHSCOPE: _parameters(reasoning_effort="low"),
        },
        arrives=lambda chat: chat.reasoning.effort == "low",
    ),
    Capability(
        id="budget",
        title=("Thinking budget", "思考预算"),
        group="thinking",
        model="budget",
        asks={
            OPENAI: _members(enable_thinking=True, thinking_budget=2048, max_completion_tokens=4000),
            ANTHROPIC: _members(thinking={"type": "enabled", "budget_tokens": 2048}),
            GEMINI: _config(thinkingConfig={"thinkingBudget": 2048, "includeThoughts": True}),
            DASHSCOPE: _parameters(enable_thinking=True, thinking_budget=2048),
        },
        arrives=lambda chat: chat.reasoning.budget == 2048,
    ),
    Capability(
        id="thinking_off",
        title=("Thinking turned off (enable_thinking)", "关闭思考(enable_thinking)"),
        group="thinking",
        model="switch",
        asks={
            OPENAI: _members(enable_thinking=False),
            RESPONSES: _members(reasoning={"effort": "none"}),
            ANTHROPIC: _members(thinking={"type": "disabled"}),
            GEMINI: _config(thinkingConfig={"thinkingBudget": 0}),
            DASHSCOPE: _parameters(enable_thinking=False),
        },
        returns=lambda reply: not _thought(reply) and "Hello" in text_of(reply),
    ),
    Capability(
        id="thinking",
        title=("Text of the thinking", "思考内容"),
        group="thinking",
        model="thinking",
        asks=_THINKING,
        arrives=_thinks_on,
        returns=lambda reply: bool(_thought(reply)) and "Hello" in text_of(reply),
        slice=True,
    ),
    Capability(
        id="thinking_loop",
        title=("Thinking, with its proofs, in a loop of tools", "工具循环中的思考与签名"),
        group="thinking",
        model="thinking",
        asks=_WITH_TOOLS,
        text=lambda vendor: vendor.weather(["Rome"]),
        results=lambda arguments: "It is sunny",
        returns=lambda reply: "It is sunny" in text_of(reply),
        slice=True,
    ),
    Capability(
        id="translation",
        title=("translation_options", "translation_options"),
        group="vendor",
        model="translation",
        asks={
            OPENAI: _members(translation_options={"source_lang": "auto", "target_lang": "English"}),
            DASHSCOPE: _parameters(translation_options={"source_lang": "auto", "target_lang": "English"}),
        },
        arrives=lambda chat: decoded(chat.translation).get("target_lang") == "English",
    ),
    Capability(
        id="high_resolution",
        title=("vl_high_resolution_images", "vl_high_resolution_images"),
        group="vendor",
        model="image",
        asks={
            OPENAI: _members(vl_high_resolution_images=True),
            DASHSCOPE: _parameters(vl_high_resolution_images=True),
        },
        arrives=lambda chat: chat.high_resolution_images is True,
    ),
    Capability(
        id="vllm_sampling",
        title=("vLLM: min_tokens, ignore_eos, ...", "vLLM:min_tokens、ignore_eos 等"),
        group="vendor",
        asks={OPENAI: Ask(members=_EXTRAS)},
        arrives=lambda chat: chat.extra.keys() >= _EXTRAS.keys(),
    ),
    Capability(
        id="vllm_structured",
        title=("vLLM: structured_outputs", "vLLM:structured_outputs"),
        group="vendor",
        asks={OPENAI: _members(structured_outputs={"regex": "a+"})},
        arrives=lambda chat: "structured_outputs" in chat.extra,
    ),
    Capability(
        id="stop_tokens",
        title=("Stop tokens (stop_token_ids)", "停止 token(stop_token_ids)"),
        group="vendor",
        asks={OPENAI: _members(stop_token_ids=[7]), DASHSCOPE: _parameters(stop=[7])},
        arrives=lambda chat: chat.output.stop_tokens == (7,),
    ),
)
