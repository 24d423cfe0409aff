"""What Gemini's format can express: chats and replies for its row of the laws."""

import msgspec
from hypothesis import strategies as st

from tests.laws import vocabulary as v
from tokengate.core.chat import BuiltIn, Chat, Function, JsonFormat, Message, Output, Reasoning, Speech
from tokengate.core.parts import Audio, File, Image, Part, ToolCall, ToolResult, Video
from tokengate.core.reply import FinishReason, Reply, TokenLogprob

_MEDIA: v.Some[Part] = st.one_of(
    st.builds(Image, source=v.data("image/png", "image/webp")),
    st.builds(Audio, source=v.data("audio/wav")),
    st.builds(
        Video,
        frames=v.few(v.data("video/mp4"), 1, 1),
        fps=v.maybe(st.sampled_from([0.5, 2.0])),
        start_s=v.maybe(st.sampled_from([0.0, 1.5])),
    ),
    st.builds(File, source=v.data("application/pdf"), name=v.TEXT),
)
_CALLS = st.builds(ToolCall, id=v.ID, name=v.NAME, arguments=v.ARGUMENTS, signature=st.just("") | v.ID)
_FUNCTIONS = st.builds(Function, name=v.NAME, description=v.TEXT, parameters=v.maybe(v.raw(v.SCHEMAS)))


def _built_in(kind: str) -> BuiltIn:
    return BuiltIn("gemini", kind, msgspec.Raw(msgspec.json.encode({kind: {}})), web_search=kind == "googleSearch")


_BUILT_INS = st.sampled_from(["codeExecution", "googleSearch", "urlContext"]).map(_built_in)


@st.composite
def _talks(draw: st.DrawFn) -> tuple[Message, ...]:
    """Turns of user and model that alternate; every call is answered at once, by its name."""
    talk = list(draw(v.few(v.messages("system", v.few(v.PLAIN_TEXTS, 1, 2)), 0, 1)))
    for turn in range(draw(st.integers(1, 2))):
        talk.append(draw(v.messages("user", v.few(v.PLAIN_TEXTS | _MEDIA, 1, 3))))
        calls = [msgspec.structs.replace(call, id=f"{turn}-{at}") for at, call in enumerate(draw(v.few(_CALLS, 0, 2)))]
        said = draw(
            v.turns(
                v.few(v.signed_thoughts("gemini"), 0, 2),
                v.few(v.PLAIN_THOUGHTS, 0, 1),
                v.few(v.PLAIN_TEXTS, 1, 1),
                v.few(v.sealed_thoughts("gemini"), 0, 1),
            )
        )
        talk.append(Message("assistant", (*said, *calls)))
        results = [
            ToolResult(call.id, (draw(v.PLAIN_TEXTS),), call.name, is_error=draw(st.booleans())) for call in calls
        ]
        if results:
            talk += [Message("user", tuple(results)), Message("assistant", (draw(v.PLAIN_TEXTS),))]
    return tuple(talk)


def _consistent(reasoning: Reasoning) -> Reasoning:
    return msgspec.structs.replace(reasoning, enabled=False if reasoning.budget == 0 else None)


_REASONINGS = st.one_of(
    st.builds(Reasoning, effort=st.sampled_from(["minimal", "low", "medium", "high"]), shown=v.maybe(st.booleans())),
    st.builds(Reasoning, budget=st.integers(-1, 32_000), shown=v.maybe(st.booleans())),
).map(_consistent)


@st.composite
def _outputs(draw: st.DrawFn) -> Output:
    return msgspec.structs.replace(
        draw(v.output("cap", "n", "stop", "logprobs", "top_logprobs")),
        json=draw(v.maybe(st.builds(JsonFormat, schema=v.maybe(v.raw(v.SCHEMAS))))),
        modalities=draw(st.sampled_from([(), ("text",), ("text", "image")])),
        canvas=draw(v.maybe(v.OUTPUT["canvas"])),
        speech=draw(v.maybe(st.builds(Speech, voice=v.NAME, media_format=st.just("pcm16"), language=v.TEXT))),
    )


CHATS: v.Some[Chat] = v.chats(
    "gemini",
    messages=_talks(),
    tools=st.tuples(v.few(_FUNCTIONS), v.few(_BUILT_INS)).map(lambda tools: (*tools[0], *tools[1])),
    tool_choice=v.maybe(v.CHOICES.filter(lambda choice: choice.mode != "required" or len(choice.names) != 1)),
    sampling=v.sampling("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed"),
    output=_outputs(),
    reasoning=_REASONINGS,
    service_tier=v.maybe(st.sampled_from(["default", "flex", "priority"])),
    extra=st.dictionaries(
        st.sampled_from(["labels", "safetySettings", "generationConfig.mediaResolution", "toolConfig.retrievalConfig"]),
        v.raw(v.OBJECTS),
    ),
)
REPLIES: v.Some[Reply] = v.replies(
    v.turns(
        v.few(v.signed_thoughts(*v.FORMATS) | v.sealed_thoughts("anthropic", "responses"), 0, 2),
        v.few(v.PLAIN_THOUGHTS, 0, 1),
        v.few(v.SAID, 0, 1),
        v.few(v.sealed_thoughts("gemini"), 0, 1),
        v.few(v.DRAWN, 0, 2),
        v.few(_CALLS, 0, 2),
    ).filter(bool),
    most=2,
    finishes=st.sampled_from([FinishReason.STOP, FinishReason.LENGTH, FinishReason.CONTENT_FILTER]),
    logprobs=v.maybe(v.few(st.builds(TokenLogprob, token=v.WORD, logprob=st.floats(-9, 0)), 1)),
    usage=v.usages(
        *("input", "cache_read", "image_in", "video_in", "audio_in"),
        *("output", "reasoning", "image_out", "audio_out"),
    ),
)


def compact(reply: Reply) -> Reply:
    """A reply whose calls' arguments are written without blanks, as they are read."""
    choices = tuple(
        msgspec.structs.replace(choice, parts=tuple(_compact(part) for part in choice.parts))
        for choice in reply.choices
    )
    return msgspec.structs.replace(reply, choices=choices)


def _compact(part: Part) -> Part:
    if not isinstance(part, ToolCall):
        return part
    return msgspec.structs.replace(part, arguments=msgspec.json.format(part.arguments, indent=-1))
