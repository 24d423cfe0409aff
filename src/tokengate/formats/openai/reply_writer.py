"""Whole replies of the vocabulary, written as OpenAI's chat completions."""

from typing import Any

from tokengate.core.beside import with_extra
from tokengate.core.chat import Chat
from tokengate.core.custom_tools import custom_names, input_of
from tokengate.core.parts import Audio, Data, Extra, FileId, Image, Opaque, Refusal, Text, Thinking, ToolCall, Url
from tokengate.core.reply import Choice, Reply
from tokengate.core.wire import Heading
from tokengate.formats.openai.fields import encode
from tokengate.formats.openai.finish import write_finish
from tokengate.formats.openai.pieces import write_annotation, write_image, write_logprobs, write_searches
from tokengate.formats.openai.thoughts import OWN, write_thoughts
from tokengate.formats.openai.tools import FUNCTIONS
from tokengate.formats.openai.usage import write_usage

ID_HEAD = "chatcmpl-"
_NO_ARGUMENTS = "{}"
_KINDS = frozenset({"function", "custom"})  # of a call, which is written as one of them alone


def write_reply(reply: Reply, heading: Heading, chat: Chat) -> bytes:
    """Return the body of an answer to `chat`."""
    assert reply.usage is not None, "a reply is billed before it is written"
    body: dict[str, Any] = {
        "id": ID_HEAD + heading.id,
        "object": "chat.completion",
        "created": heading.created_s,
        "model": heading.model,
        "choices": [_write_choice(choice, reply, heading, chat) for choice in reply.choices],
        "usage": write_usage(reply.usage.usage),
        "system_fingerprint": reply.system_fingerprint,
    }
    if reply.service_tier is not None:
        body["service_tier"] = reply.service_tier
    body |= write_searches(reply.searches)
    if reply.format == OWN:
        body = {**reply.extra, **body}
    return encode(body)


def write_tool_call(call: ToolCall, custom: frozenset[str], *, own: bool) -> dict[str, Any]:
    """Return a call of a tool; `custom` names the caller's custom tools, which the vendor may know as functions. `own`
    says that the vendor spoke this format."""
    written: dict[str, Any] = {"id": call.id}
    if call.custom or call.name in custom:
        text = call.arguments if call.custom else input_of(call.arguments)
        written |= {"type": "custom", "custom": {"name": call.name, "input": text}}
    else:
        written |= {"type": "function", "function": _write_function(call)}
    if call.signature:
        written |= write_signature(call.signature)
    return with_beside(written, call.extra) if own else written


def write_signature(signature: str) -> dict[str, Any]:
    """Return the member of a tool call that holds Gemini's thought signature."""
    return {"extra_content": {"google": {"thought_signature": signature}}}


def with_beside(call: dict[str, Any], extra: Extra) -> dict[str, Any]:
    """Return a tool call, or a piece of one, with the members that nobody knows."""
    return with_extra(call, {name: raw for name, raw in extra.items() if name in call or name not in _KINDS})


def stop_members(native: str, word: str, sequence: str | None) -> dict[str, Any]:
    """Return what a choice says about its end beside OpenAI's word: OpenRouter's and vLLM's members."""
    written: dict[str, Any] = {}
    if native and native != word:
        written["native_finish_reason"] = native
    if sequence is not None:
        written["stop_reason"] = sequence
    return written


def _write_choice(choice: Choice, reply: Reply, heading: Heading, chat: Chat) -> dict[str, Any]:
    word = None if choice.finish is None else write_finish(choice.finish, functions=FUNCTIONS in chat.style)
    written: dict[str, Any] = {
        "index": choice.index,
        "message": _write_message(choice, heading, chat, own=reply.format == OWN),
        "logprobs": write_logprobs(choice.logprobs) if choice.logprobs else None,
        "finish_reason": word,
        **stop_members(choice.native, word or "", choice.stop_sequence),
    }
    return with_extra(written, choice.extra) if reply.format == OWN else written


def _write_message(choice: Choice, heading: Heading, chat: Chat, *, own: bool) -> dict[str, Any]:
    texts: list[str] = []
    thoughts: list[Thinking] = []
    annotations: list[Any] = []
    calls: list[ToolCall] = []
    refusal: str | None = None
    beside: dict[str, Any] = {}
    said = 0
    for part in choice.parts:
        match part:
            case Text():
                end = said + len(part.text)
                if part.citations:
                    annotations += [write_annotation(citation, said, end) for citation in part.citations]
                texts.append(part.text)
                said = end
            case Refusal():
                refusal = (refusal or "") + part.text
            case Thinking():
                thoughts.append(part)
            case ToolCall():
                calls.append(part)
            case Audio():
                beside["audio"] = _write_audio(part, heading)
            case Image():
                images: list[dict[str, Any]] = beside.setdefault("images", [])
                images.append(write_image(part, len(images)))
            case Opaque():
                pass  # what a vendor's own tool did; its outcome is in the text
            case _:
                raise AssertionError("a reply holds no input")
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(texts) if texts else None,
        "refusal": refusal,
        "reasoning_content": None,
        **write_thoughts(thoughts),
        "annotations": annotations,
        **beside,
    }
    if calls and FUNCTIONS in chat.style:
        message["function_call"] = _write_function(calls[0])
    elif calls:
        message["tool_calls"] = [write_tool_call(call, custom_names(chat), own=own) for call in calls]
    return message


def _write_function(call: ToolCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": call.arguments or _NO_ARGUMENTS}


def _write_audio(part: Audio, heading: Heading) -> dict[str, Any]:
    # A sound that its vendor does not keep cannot be named in a later request: it expires when it is made.
    expires: Any = part.extra.get("expires_at", heading.created_s)
    written: dict[str, Any] = {"id": part.id, "data": "", "expires_at": expires, "transcript": part.transcript}
    match part.source:
        case Data():
            written["data"] = part.source.base64
        case Url():
            written["url"] = part.source.url
        case FileId():
            raise AssertionError("what a model said is bytes or lies at an address")
    return written
