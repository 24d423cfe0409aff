"""How a message is put to a backend that speaks its format: forwarded, or through the vocabulary where it must be."""

from msgspec import structs

from tests.formats.anthropic.examples import CHATS, body
from tests.gateway.parts import backend, call, inner_of, json_of, target
from tokengate.core.wire import Inlined
from tokengate.formats.anthropic.format import ANTHROPIC
from tokengate.gateway.adapt import adapt
from tokengate.gateway.adapter import Adapter
from tokengate.gateway.anthropic import MESSAGES
from tokengate.gateway.forward import Forwarded
from tokengate.gateway.overlay import fixed_chat
from tokengate.gateway.route import Target

CLAUDE = structs.replace(target(backend("claude"), model="theirs"), formats={"anthropic": ANTHROPIC})


async def adapted(asked: bytes, to: Target = CLAUDE, cap: int | None = None) -> Adapter:
    return await adapt(call(asked, operation=MESSAGES), to, asked, cap, nothing_fetched)


async def nothing_fetched(url: str, limit_bytes: int) -> Inlined:
    raise AssertionError("no address was named")


async def test_bytes_are_forwarded() -> None:
    adapter = await adapted(CHATS["tool-loop"])

    assert isinstance(inner_of(adapter), Forwarded)
    assert adapter.body == CHATS["tool-loop"].replace(b'"claude-opus-4-6"', b'"theirs"')


async def test_a_lowered_cap_reaches_the_backend_and_takes_thinking_away_that_has_no_room() -> None:
    adapter = await adapted(CHATS["tool-loop"], cap=5000)

    sent = json_of(adapter)
    assert isinstance(inner_of(adapter), Forwarded) and sent["max_tokens"] == 5000 and "thinking" not in sent


async def test_what_another_vendor_thought_is_left_out_by_name() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "gemini:AA"}
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": [thought, {"type": "text", "text": "b"}]},
        {"role": "user", "content": "c"},
    ]

    adapter = await adapted(body(messages=turns))

    assert isinstance(inner_of(adapter), Forwarded) and adapter.dropped == ["thinking"]
    assert json_of(adapter)["messages"][1]["content"] == [{"type": "text", "text": "b"}]


async def test_what_the_catalogue_says_of_a_model_goes_over_the_callers_own() -> None:
    to = structs.replace(CLAUDE, fixed=fixed_chat({"temperature": 0.25}))

    sent = json_of(await adapted(body(temperature=1, top_k=3), to))

    assert (sent["temperature"], sent["top_k"], sent["max_tokens"]) == (0.25, 3, 100)
