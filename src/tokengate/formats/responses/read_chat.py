"""The body of a request to `POST /v1/responses`, read into the vocabulary.

Strict about what it knows: a wrong type or range is a BadRequest that names the parameter. What has no word in the
vocabulary goes to `extra`, for a vendor that speaks this format; members of `reasoning` and `text` by their path.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Raw, Struct

from tokengate.core.chat import Chat, JsonFormat, Message, Output, Reasoning, Sampling
from tokengate.core.errors import BadRequest
from tokengate.core.parts import Extra, Text
from tokengate.core.splice import Members
from tokengate.formats.responses.read_items import read_input
from tokengate.formats.responses.read_tools import read_choice, read_tool
from tokengate.formats.responses.refusal import missing, read, refusal_of
from tokengate.formats.responses.types import (
    LOGPROBS,
    NAME,
    NONE,
    SIGNED,
    CreateBody,
    ReasoningConfig,
    TextConfig,
)


class Request(Struct, frozen=True):
    """A request whose earlier calls, if it names one, are still to be found."""

    wire: CreateBody
    members: Members

    @property
    def stored(self) -> bool:
        """Whether the caller lets the reply be kept, which is so unless they say no."""
        return self.wire.store is not False

    @property
    def items(self) -> list[Raw]:
        """The items of its own `input`."""
        value = self.wire.input
        if isinstance(value, str):
            return [Raw(msgspec.json.encode({"type": "message", "role": "user", "content": value}))]
        return value or []


def read_request(body: bytes) -> Request:
    """Read a body as far as it can be without the calls before it. Raises BadRequest."""
    try:
        if not body.isascii():
            body.decode()  # also what stays as it came, and is not decoded here
        members = Members(body)
        wire = _decode(body)
    except (ValueError, RecursionError) as error:
        raise refusal_of(error) from None
    _check_others(members)
    if wire.background and wire.store is False:
        raise BadRequest("'background' can only be used when 'store' is true.", param="background")
    if wire.conversation is not None:
        raise not_served("conversation")
    if wire.input is None and wire.prompt is None and wire.previous_response_id is None:
        raise missing("input")
    return Request(wire, members)


def read_chat(body: bytes) -> Chat:
    """Read a request that names no earlier call. Raises BadRequest."""
    return chat_of(read_request(body))


def chat_of(request: Request, history: Sequence[Raw] = ()) -> Chat:
    """Return a request in the vocabulary; `history` holds the items of the calls before it. Raises BadRequest."""
    wire, members = request.wire, request.members
    messages = read_input(wire.input or (), history)
    if wire.instructions is not None:
        messages.insert(0, Message("system", (Text(wire.instructions),)))
    choice = None if wire.tool_choice == NONE else read_choice(wire.tool_choice)
    extra = _extra(wire, members)
    if choice is None and wire.tool_choice != NONE:
        extra["tool_choice"] = wire.tool_choice
    include = frozenset(wire.include or ())
    return Chat(
        format=NAME,
        model=wire.model,
        messages=tuple(messages),
        stream=wire.stream is True,
        include_usage=True,
        tools=tuple(read_tool(tool, f"tools[{index}]") for index, tool in enumerate(wire.tools or ())),
        tool_choice=choice,
        parallel_tool_calls=wire.parallel_tool_calls,
        sampling=Sampling(temperature=wire.temperature, top_p=wire.top_p),
        output=Output(
            cap=wire.max_output_tokens,
            json=_json(wire.text, members),
            logprobs=True if LOGPROBS in include or wire.top_logprobs else None,
            top_logprobs=wire.top_logprobs,
            verbosity=wire.text.verbosity if wire.text else None,
        ),
        reasoning=_reasoning(wire.reasoning, signed=SIGNED in include),
        user=wire.user,
        service_tier=wire.service_tier,
        metadata=_given(members, "metadata"),
        extra=extra,
        essential=_ESSENTIAL & extra.keys(),
    )


def not_served(name: str) -> BadRequest:
    """Return the refusal of what the API has and the gateway does not."""
    return BadRequest(f"'{name}' is not supported by this gateway.", param=name, code="unsupported_parameter")


def _json(text: TextConfig | None, members: Members) -> JsonFormat | None:
    form = text.format if text else None
    if form is None or form.type == "text":
        return None
    if form.type == "json_object":
        return JsonFormat()
    if form.schema is None:
        raise missing("text.format.schema")
    written = read(_decode_members, members.get("text") or b"{}", "text")["format"]
    schema = read(_decode_members, written, "text.format")["schema"]
    return JsonFormat(schema, form.name or "", form.description or "", form.strict)


def _reasoning(config: ReasoningConfig | None, *, signed: bool) -> Reasoning:
    if config is None:
        return Reasoning(signed=signed or None)
    summary = config.summary or config.generate_summary
    return Reasoning(
        effort=config.effort, shown=True if summary else None, signed=signed or None, summary=summary or None
    )


def _extra(wire: CreateBody, members: Members) -> dict[str, Raw]:
    """Return what the vocabulary has no word for, but for values that say what is so anyway."""
    extra: dict[str, Raw] = {}
    for name in members:
        value = members.get(name) or NONE
        if name not in _WORDED and value != b"null":
            extra[name] = Raw(value)
    if wire.truncation == "disabled":
        del extra["truncation"]
    if wire.stream_options is not None and not wire.stream_options.include_obfuscation:
        del extra["stream_options"]
    others = [one for one in wire.include or () if one not in (SIGNED, LOGPROBS)]
    if others:
        extra["include"] = Raw(msgspec.json.encode(others))
    for outer, known in _NESTED.items():
        extra.update(_inside(members, outer, known))
    return extra


def _inside(members: Members, outer: str, known: frozenset[str]) -> Extra:
    raw = members.get(outer)
    inner = read(_decode_members, raw, outer) if raw is not None and raw != b"null" else {}
    return {f"{outer}.{name}": value for name, value in inner.items() if name not in known and value != NONE}


def _given(members: Members, name: str) -> Raw | None:
    raw = members.get(name)
    return None if raw is None or raw == b"null" else Raw(raw)


def _check_others(members: Members) -> None:
    """Check that members which we do not know are sound JSON, and none of ours in other letters."""
    for name in members:
        if name in _NAMES:
            continue
        if name.casefold() in _NAMES:
            raise BadRequest(f"'{name}' must be written '{name.casefold()}'.", param=name)
        try:
            _decode_anything(members.get(name) or b"")
        except (ValueError, RecursionError) as error:
            raise refusal_of(error, name) from None


_NAMES = frozenset(CreateBody.__struct_fields__)
# Members that have words in the vocabulary, or mean something to the gateway alone.
_WORDED = frozenset(
    {
        "model",
        "input",
        "instructions",
        "max_output_tokens",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "previous_response_id",
        "background",
        "store",
        "stream",
        "include",
        "reasoning",
        "text",
        "temperature",
        "top_p",
        "top_logprobs",
        "metadata",
        "service_tier",
        "user",
    }
)
_NESTED = {
    "reasoning": frozenset(ReasoningConfig.__struct_fields__),
    "text": frozenset(TextConfig.__struct_fields__),
}
_ESSENTIAL = frozenset({"prompt", "moderation", "tool_choice"})
_decode = msgspec.json.Decoder(CreateBody).decode
_decode_members = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_anything = msgspec.json.Decoder().decode
