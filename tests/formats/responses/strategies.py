"""What the Responses API can express, as strategies: chats and replies that come back as they were."""

from base64 import b64encode

import msgspec
from hypothesis import strategies as st
from msgspec import Raw

from tokengate.core.chat import (
    BuiltIn,
    Chat,
    Custom,
    Function,
    JsonFormat,
    Message,
    Output,
    Reasoning,
    Sampling,
    Tool,
    ToolChoice,
)
from tokengate.core.parts import (
    Data,
    File,
    FileId,
    Image,
    Opaque,
    Part,
    Refusal,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
from tokengate.core.reply import Choice, FinishReason, Reply
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.formats.responses.usage import write_usage

text = st.text(max_size=20)
word = st.text(min_size=1, max_size=12)
_id = st.from_regex(r"[a-z]{2,4}_[A-Za-z0-9]{1,12}", fullmatch=True)
_base64 = st.binary(max_size=9).map(lambda data: b64encode(data).decode())
_types = st.sampled_from(["image/png", "application/pdf"])
_sources: st.SearchStrategy[Source] = st.one_of(
    st.builds(Url, st.from_regex(r"https://[a-z]{1,8}\.example/[a-z]{0,6}", fullmatch=True)),
    st.builds(Data, media_type=_types, base64=_base64),
    st.builds(FileId, _id),
)
_schema = st.just(Raw(b'{"type":"object","properties":{"a":{"type":"string"}}}'))

_images = st.builds(Image, source=_sources, detail=st.sampled_from([None, "auto", "low", "high", "original"]))
_files = st.builds(File, source=_sources, name=text)
_texts = st.builds(Text, text=text)
_said = st.builds(Text, text=text, phase=st.sampled_from(["", "commentary", "final_answer"]))
_content: st.SearchStrategy[Part] = st.one_of(_texts, _images, _files)
_results = st.builds(
    ToolResult, call_id=word, content=st.lists(_content, min_size=1, max_size=2).map(tuple), custom=st.booleans()
)
_calls = st.builds(ToolCall, id=word, name=word, arguments=text, custom=st.booleans())
# Encrypted content is base64, which is told from a wrapped signature by the colon that it cannot hold.
_sealed = st.from_regex(r"gAAAA[A-Za-z0-9_-]{1,20}={0,2}", fullmatch=True)
_own_thinking = st.one_of(
    st.builds(Thinking, text=word, signature=_sealed, format=st.just("responses"), summary=st.booleans(), id=_id),
    st.builds(
        Thinking, text=st.just(""), signature=_sealed, format=st.just("responses"), redacted=st.just(True), id=_id
    ),
)
_opaque = st.just(
    Opaque(
        "responses",
        "file_search_call",
        Raw(b'{"type":"file_search_call","id":"fs_1","status":"completed","queries":[]}'),
    )
)


def _turns(messages: list[Message]) -> tuple[Message, ...]:
    """Return messages as they are read: neighbours of the assistant, and of results, are one turn."""
    turns: list[Message] = []
    for message in messages:
        last = turns[-1] if turns else None
        if last is not None and _kind(last) == _kind(message) != "message":
            turns[-1] = Message(last.role, last.parts + message.parts)
        else:
            turns.append(message)
    return tuple(turns)


def _kind(message: Message) -> str:
    if message.role == "assistant":
        return "assistant"
    return "results" if any(isinstance(part, ToolResult) for part in message.parts) else "message"


_messages = st.lists(
    st.one_of(
        st.builds(
            Message,
            role=st.sampled_from(["user", "developer", "system"]),
            parts=st.lists(_content, min_size=1, max_size=3).map(tuple),
        ),
        st.builds(Message, role=st.just("user"), parts=st.lists(_results, min_size=1, max_size=2).map(tuple)),
        st.builds(
            Message,
            role=st.just("assistant"),
            parts=st.lists(
                st.one_of(_said, st.builds(Refusal, text=text), _calls, _own_thinking, _opaque),
                min_size=1,
                max_size=4,
            ).map(tuple),
        ),
    ),
    min_size=1,
    max_size=5,
).map(_turns)

_tools: st.SearchStrategy[Tool] = st.one_of(
    st.builds(
        Function,
        name=word,
        description=text,
        parameters=st.one_of(st.none(), _schema),
        strict=st.one_of(st.none(), st.booleans()),
    ),
    st.builds(Custom, name=word, description=text, syntax=st.just("lark"), definition=word),
    st.builds(Custom, name=word, description=text),
    st.just(BuiltIn("responses", "code_interpreter", Raw(b'{"type":"code_interpreter","container":"c"}'))),
    st.just(BuiltIn("responses", "web_search", Raw(b'{"type":"web_search"}'), web_search=True)),
)


def _name_of(tool: Tool) -> str:
    return tool.kind if isinstance(tool, BuiltIn) else tool.name


_effort = st.sampled_from([None, "none", "low", "medium", "high", "xhigh"])


@st.composite
def chats(draw: st.DrawFn) -> Chat:
    """Return a chat that this format says in full."""
    summary = draw(st.sampled_from([None, "auto", "detailed"]))
    effort = draw(_effort)
    signed = True if effort not in (None, "none") or summary else draw(st.sampled_from([None, True]))
    messages = draw(_messages)
    if effort != "none" and any(isinstance(part, Thinking) for one in messages for part in one.parts):
        signed = True  # a conversation with sealed thinking asks for more of it
    top = draw(st.sampled_from([None, 0, 5]))
    tools = draw(st.lists(_tools, max_size=3, unique_by=_name_of).map(tuple))
    names = tuple(tool.name for tool in tools if not isinstance(tool, BuiltIn))
    choices = [None, ToolChoice("auto"), ToolChoice("none"), ToolChoice("required")]
    if names:
        choices += [ToolChoice("named", names[:1]), ToolChoice("required", names), ToolChoice("auto", names)]
    json = st.one_of(
        st.none(),
        st.just(JsonFormat()),
        st.builds(JsonFormat, schema=_schema, name=word, description=text, strict=st.one_of(st.none(), st.booleans())),
    )
    return Chat(
        format="responses",
        model=draw(word),
        messages=messages,
        stream=draw(st.booleans()),
        include_usage=True,
        tools=tools,
        tool_choice=draw(st.sampled_from(choices)),
        parallel_tool_calls=draw(st.sampled_from([None, True, False])),
        sampling=Sampling(
            temperature=draw(st.one_of(st.none(), st.floats(0, 2))), top_p=draw(st.one_of(st.none(), st.floats(0, 1)))
        ),
        output=Output(
            cap=draw(st.one_of(st.none(), st.integers(1, 10**6))),
            json=draw(json),
            logprobs=True if top else draw(st.sampled_from([None, True])),
            top_logprobs=top,
            verbosity=draw(st.sampled_from([None, "low", "high"])),
        ),
        reasoning=Reasoning(effort=effort, shown=True if summary else None, signed=signed, summary=summary),
        user=draw(st.one_of(st.none(), word)),
        service_tier=draw(st.sampled_from([None, "flex"])),
        metadata=draw(st.sampled_from([None, Raw(b'{"a":"b"}')])),
        extra=draw(
            st.sampled_from(
                [
                    {},
                    {"prompt_cache_key": Raw(b'"k"'), "reasoning.mode": Raw(b'"pro"'), "text.other": Raw(b"1")},
                    {"include": Raw(b'["file_search_call.results"]'), "truncation": Raw(b'"auto"')},
                ]
            )
        ),
    )


_foreign_thinking = st.one_of(
    st.builds(Thinking, text=text, summary=st.booleans()).filter(lambda part: part.text != ""),
    st.builds(
        Thinking, text=word, signature=word, format=st.sampled_from(["anthropic", "gemini"]), summary=st.booleans()
    ),
    st.builds(Thinking, text=st.just(""), signature=word, format=st.just("anthropic"), redacted=st.just(True)),
)
_reply_calls = st.builds(ToolCall, id=word, name=word, arguments=text, signature=text, custom=st.booleans())
_usages = st.builds(
    Usage,
    input=st.integers(0, 999),
    cache_read=st.integers(0, 999),
    cache_write_5m=st.integers(0, 999),
    output=st.integers(1, 999),
    reasoning=st.integers(0, 999),
)


def _reported(usage: Usage) -> ReportedUsage:
    return ReportedUsage(usage, msgspec.json.encode(write_usage(usage)))


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    """Return a reply that this format says in full."""
    parts = draw(
        st.lists(
            st.one_of(_said, st.builds(Refusal, text=text), _reply_calls, _own_thinking, _foreign_thinking, _opaque),
            max_size=5,
        ).map(tuple)
    )
    called = any(isinstance(part, ToolCall) for part in parts)
    finish, native = draw(
        st.sampled_from(
            [
                (FinishReason.TOOL_CALLS if called else FinishReason.STOP, "completed"),
                (FinishReason.LENGTH, "max_output_tokens"),
                (FinishReason.CONTENT_FILTER, "content_filter"),
            ]
        )
    )
    return Reply(
        id="resp_019aa5d3c1f8a1b2c3d4e5f60718293a",
        model="alias",
        created_s=1_795_000_000,
        choices=(Choice(parts=parts, finish=finish, native=native),),
        usage=_reported(draw(_usages)),
        service_tier=draw(st.sampled_from(["default", "priority"])),
    )
