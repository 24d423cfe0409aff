"""What is written for a vendor reads as the same chat: nothing that this format can express is lost."""

import base64
import json

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, structs

from tokengate.core.chat import (
    OPEN_BUDGET,
    BuiltIn,
    Chat,
    Function,
    JsonFormat,
    Message,
    Output,
    Reasoning,
    Sampling,
    ToolChoice,
)
from tokengate.core.parts import (
    CacheMark,
    Data,
    File,
    FileId,
    Image,
    Opaque,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Url,
)
from tokengate.core.wire import Losses
from tokengate.formats.anthropic.abilities import PLAIN
from tokengate.formats.anthropic.read import read_chat
from tokengate.formats.anthropic.write import write_chat

_SCHEMA = Raw(b'{"type":"object","properties":{"a":{"type":"string"}}}')
_name = st.text("abc_-", min_size=1, max_size=5)
_text = st.text(max_size=8)
_said = st.text(min_size=1, max_size=8).filter(lambda text: text.strip() != "")
_cache = st.none() | st.builds(CacheMark, st.sampled_from(["5m", "1h"]))
_base64 = st.binary(max_size=6).map(lambda data: base64.b64encode(data).decode())
_raw = st.sampled_from([Raw(b"1"), Raw(b'{"a":[]}'), Raw(b'"x"')])
_extra = st.dictionaries(st.sampled_from(["x_one", "x_two"]), _raw, max_size=1)
_object = st.dictionaries(_name, st.integers(0, 9), max_size=2).map(json.dumps)
_texts = st.builds(Text, _said, _cache, extra=_extra)
_images = st.builds(
    Image,
    st.builds(Data, st.sampled_from(["image/png", "image/webp"]), _base64)
    | st.builds(Url, st.just("https://x/y"))
    | st.builds(FileId, _name),
    cache=_cache,
    extra=_extra,
)
_files = st.builds(
    File,
    st.builds(Data, st.just("application/pdf"), _base64)
    | _text.map(lambda text: Data("text/plain", base64.b64encode(text.encode()).decode()))
    | st.builds(Url, st.just("https://x/y.pdf"))
    | st.builds(FileId, _name),
    title=_text,
    context=_text,
    citations=st.booleans(),
    cache=_cache,
    extra=_extra,
)
_opaque = st.just(Opaque("anthropic", "container_upload", Raw(b'{"type":"container_upload","file_id":"f"}')))
_results = st.builds(
    ToolResult, _name, st.lists(_texts | _images | _files, max_size=2).map(tuple), is_error=st.booleans(), cache=_cache
)
_thoughts = st.builds(Thinking, _text, st.just("EqQB"), st.just("anthropic")) | st.builds(
    Thinking, st.just(""), st.just("EmwK"), st.just("anthropic"), redacted=st.just(True)
)
_calls = st.builds(ToolCall, _name, _name, _object, cache=_cache, extra=_extra)


@st.composite
def _chats(draw: st.DrawFn) -> Chat:
    messages: list[Message] = []
    if draw(st.booleans()):
        messages.append(Message("system", tuple(draw(st.lists(_texts, min_size=1, max_size=2)))))
    for _ in range(draw(st.integers(1, 2))):
        parts = draw(st.lists(_texts | _images | _files | _results | _opaque, min_size=1, max_size=3))
        messages.append(Message("user", tuple(parts), extra=draw(_extra)))
        parts = draw(st.lists(_texts | _thoughts | _calls | _opaque, min_size=1, max_size=3))
        messages.append(Message("assistant", tuple(parts), extra=draw(_extra)))
    if draw(st.booleans()):
        messages.append(Message("user", (Text("end"),)))
    else:
        messages[-1] = structs.replace(messages[-1], partial=True)
    function = st.builds(
        Function, _name, _text, st.just(_SCHEMA), st.none() | st.booleans(), cache=_cache, extra=_extra
    )
    built_in = st.just(BuiltIn("anthropic", "bash_20250124", Raw(b'{"type":"bash_20250124","name":"bash"}')))
    choice = draw(
        st.none() | st.sampled_from([ToolChoice("auto"), ToolChoice("required"), ToolChoice("named", ("f",))])
    )
    return Chat(
        format="anthropic",
        model=draw(_name),
        messages=tuple(messages),
        stream=draw(st.booleans()),
        include_usage=True,
        tools=tuple(draw(st.lists(function | built_in, max_size=2))),
        tool_choice=choice,
        parallel_tool_calls=draw(st.none() | st.booleans()) if choice else None,
        sampling=Sampling(
            temperature=draw(st.none() | st.floats(0, 1)),
            top_p=draw(st.none() | st.floats(0, 1)),
            top_k=draw(st.none() | st.integers(0, 99)),
        ),
        output=Output(
            cap=draw(st.integers(1, 99_999)),
            stop=tuple(draw(st.lists(_said, max_size=2))),
            json=draw(st.none() | st.just(JsonFormat(_SCHEMA))),
        ),
        reasoning=draw(
            st.just(Reasoning())
            | st.builds(Reasoning, enabled=st.just(False))
            | st.builds(
                Reasoning,
                enabled=st.just(True),
                budget=st.just(OPEN_BUDGET),
                shown=st.none() | st.booleans(),
                effort=st.none() | _name,
            )
        ),
        user=draw(st.none() | _name),
        service_tier=draw(st.none() | st.just("auto")),
        cache=draw(_cache),
        extra=draw(_extra),
    )


@given(_chats())
def test_what_is_written_reads_as_the_same_chat(chat: Chat) -> None:
    losses = Losses("the backend", {})

    assert read_chat(write_chat(chat, losses, PLAIN)) == chat
    assert losses.dropped == []
