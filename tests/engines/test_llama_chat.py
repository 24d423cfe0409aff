"""Chat completions and completions of the real model: the shape of replies, and each supported parameter."""

import contextlib
import json
import sys
from typing import Any

import msgspec
import pytest

from tests.engines.support import MODEL, chat, deltas, joined, request, streamed, text_of, whole
from tests.support import START_S
from tokengate.core.errors import BadRequest, Unsupported
from tokengate.engines.llama import LlamaEngine

GREEDY = {"temperature": 0}
HELLO = "19556"  # a token id of this model
LARGE_SCHEMA = {"type": "string", "enum": [f"word {number}" for number in range(1_000)]}


async def test_a_whole_reply_has_openai_fields(llama: LlamaEngine) -> None:
    reply = await whole(llama, chat("Hi", max_tokens=3))

    choice = reply["choices"][0]
    usage = reply["usage"]
    assert reply["id"].startswith("chatcmpl-")
    assert (reply["object"], reply["created"], reply["model"]) == ("chat.completion", int(START_S), MODEL)
    assert choice["index"] == 0
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"]
    assert choice["message"]["refusal"] is None
    assert choice["logprobs"] is None
    assert choice["finish_reason"] == "length"
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (31, 3, 34)


async def test_a_stream_says_what_the_whole_reply_says(llama: LlamaEngine) -> None:
    asked: dict[str, Any] = {"content": "Name three colours.", "max_tokens": 16, "seed": 11, "temperature": 0.9}

    reply = await whole(llama, chat(**asked))
    chunks = await streamed(llama, chat(**asked, stream=True))

    finishes = [part["finish_reason"] for chunk in chunks for part in chunk["choices"]]
    assert joined(chunks) == text_of(reply)
    assert deltas(chunks)[0] == {"role": "assistant", "content": "", "refusal": None}
    assert finishes == [None] * (len(finishes) - 1) + [reply["choices"][0]["finish_reason"]]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == reply["usage"]


async def test_content_may_be_a_list_of_text_parts(llama: LlamaEngine) -> None:
    parts = [{"type": "text", "text": "Name a"}, {"type": "text", "text": "colour."}]

    messages = [{"role": "user", "content": parts}]
    listed = await whole(llama, request("/chat/completions", messages=messages, max_tokens=8, **GREEDY))
    plain = await whole(llama, chat("Name a\ncolour.", **GREEDY))

    assert text_of(listed) == text_of(plain)


async def test_every_kind_of_message_is_read(llama: LlamaEngine) -> None:
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "What is the weather in Paris?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "Sunny"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "user", "content": "Why?"},
    ]

    reply = await whole(llama, request("/chat/completions", messages=messages, max_tokens=2))

    assert reply["usage"]["completion_tokens"] == 2


async def test_the_same_seed_gives_the_same_text(llama: LlamaEngine) -> None:
    texts = [text_of(await whole(llama, chat(seed=seed, temperature=2, max_tokens=12))) for seed in (5, 5, 6)]

    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize("seed", [-1, 0, 2**32 - 1, 2**64 - 1])
async def test_any_64_bit_seed_repeats_its_text(llama: LlamaEngine, seed: int) -> None:
    texts = [text_of(await whole(llama, chat(seed=seed, temperature=2, max_tokens=6))) for _ in range(2)]

    assert texts[0] == texts[1]


@pytest.mark.parametrize("narrowest", [{"top_k": 1}, {"top_p": 0}, {"min_p": 1}])
async def test_the_narrowest_choice_of_tokens_is_the_greedy_one(llama: LlamaEngine, narrowest: dict[str, Any]) -> None:
    greedy = await whole(llama, chat(**GREEDY))

    narrowed = await whole(llama, chat(temperature=2, seed=3, **narrowest))

    assert text_of(narrowed) == text_of(greedy)


@pytest.mark.parametrize("stop", [", 9", ["never said", ", 9", "x1", "x2", "x3"]])
async def test_text_ends_before_a_stop_string(llama: LlamaEngine, stop: str | list[str]) -> None:
    asked: dict[str, Any] = {"prompt": "1, 2, 3, 4, 5, 6,", "max_tokens": 20, "stop": stop} | GREEDY

    reply = await whole(llama, request("/completions", **asked))
    chunks = await streamed(llama, request("/completions", **asked, stream=True))

    assert reply["choices"][0]["text"] == " 7, 8"
    assert reply["choices"][0]["finish_reason"] == "stop"
    assert "".join(part["text"] for chunk in chunks for part in chunk["choices"]) == " 7, 8"


@pytest.mark.parametrize("cap", ["max_tokens", "max_completion_tokens"])
async def test_output_ends_at_the_cap(llama: LlamaEngine, cap: str) -> None:
    reply = await whole(llama, chat("Tell a long story.", **({"max_tokens": None} | {cap: 4})))

    assert reply["usage"]["completion_tokens"] == 4
    assert reply["choices"][0]["finish_reason"] == "length"


async def test_logit_bias_bans_and_forces_a_token(llama: LlamaEngine) -> None:
    free = await whole(llama, chat("Hi", max_tokens=2, **GREEDY))
    banned = await whole(llama, chat("Hi", max_tokens=2, logit_bias={HELLO: -100}, **GREEDY))
    forced = await whole(llama, chat("Hi", max_tokens=3, logit_bias={HELLO: 100}, **GREEDY))

    assert text_of(free).startswith("Hello")
    assert not text_of(banned).startswith("Hello")
    assert text_of(forced) == "Hello" * 3


@pytest.mark.parametrize(
    "penalty",
    [{"frequency_penalty": 2}, {"presence_penalty": 2}, {"repetition_penalty": 2}],
    ids=lambda p: next(iter(p)),
)
async def test_a_penalty_makes_repetition_rarer(llama: LlamaEngine, penalty: dict[str, float]) -> None:
    asked: dict[str, Any] = {"prompt": "The cat sat. The cat sat. The cat sat.", "max_tokens": 12} | GREEDY

    free = await whole(llama, request("/completions", **asked))
    penalised = await whole(llama, request("/completions", **asked, **penalty))

    assert penalised["choices"][0]["text"].count("cat") < free["choices"][0]["text"].count("cat")


@pytest.mark.parametrize(
    "ends",
    [
        {"temperature": 2, "top_p": 1, "top_k": 0, "min_p": 0, "repetition_penalty": 0, "top_a": 0},
        {"frequency_penalty": -2, "presence_penalty": -2, "repetition_penalty": 2, "top_k": 2**31 - 1},
        dict.fromkeys(
            ("temperature", "top_p", "top_k", "min_p", "stop", "seed", "n", "logit_bias", "tools", "response_format")
        ),
    ],
    ids=["one end", "other end", "null"],
)
async def test_ranges_include_their_ends(llama: LlamaEngine, ends: dict[str, Any]) -> None:
    reply = await whole(llama, chat(**({"max_tokens": 2} | ends)))

    assert reply["usage"]["completion_tokens"] <= 2


async def test_what_does_not_touch_the_answer_is_accepted(llama: LlamaEngine) -> None:
    harmless: dict[str, Any] = {
        "user": "u",
        "metadata": {"a": "b"},
        "store": False,
        "service_tier": "auto",
        "parallel_tool_calls": False,
        "verbosity": "low",
        "structured_outputs": True,
        "modalities": ["text"],
        "enable_search": False,
        "enable_thinking": False,
        "thinking_budget": 0,
        "function_call": "none",
        "unheard_of": {"x": 1},
    }

    reply = await whole(llama, chat(max_tokens=1, **harmless))

    assert reply["usage"]["completion_tokens"] == 1


async def test_n_choices_differ_and_count_the_prompt_once(llama: LlamaEngine) -> None:
    asked: dict[str, Any] = {"n": 3, "seed": 1, "temperature": 2, "max_tokens": 5}

    reply = await whole(llama, chat(**asked))
    chunks = await streamed(llama, chat(**asked, stream=True))
    single = await whole(llama, chat(**asked | {"n": 1}))

    texts = [text_of(reply, index) for index in range(3)]
    assert [choice["index"] for choice in reply["choices"]] == [0, 1, 2]
    assert len(set(texts)) == 3
    assert [len(joined(chunks, index)) > 0 for index in range(3)] == [True] * 3
    assert reply["usage"]["prompt_tokens"] == single["usage"]["prompt_tokens"]
    assert reply["usage"]["completion_tokens"] == 15
    assert chunks[-1]["usage"]["completion_tokens"] == 15


async def test_logprobs_have_openai_shape(llama: LlamaEngine) -> None:
    asked: dict[str, Any] = {"content": "Hi", "max_tokens": 3, "logprobs": True, "top_logprobs": 2} | GREEDY

    reply = await whole(llama, chat(**asked))
    chunks = await streamed(llama, chat(**asked, stream=True))
    bare = await whole(llama, chat(**asked | {"top_logprobs": None}))

    tokens = reply["choices"][0]["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == text_of(reply)
    for token in tokens:
        assert set(token) == {"token", "logprob", "bytes", "top_logprobs"}
        assert bytes(token["bytes"]).decode() == token["token"]
        assert token["logprob"] <= 0
        assert len(token["top_logprobs"]) == 2
        assert token["top_logprobs"][0]["token"] == token["token"]
    parts = [part for chunk in chunks for part in chunk["choices"] if part["logprobs"]]
    assert [token["token"] for part in parts for token in part["logprobs"]["content"]] == [
        token["token"] for token in tokens
    ]
    assert [token["top_logprobs"] for token in bare["choices"][0]["logprobs"]["content"]] == [[]] * 3


async def test_json_object_output_is_an_object(llama: LlamaEngine) -> None:
    stop_early = {"logit_bias": {"109": 8}}  # leans towards "}", so that the object is short

    reply = await whole(
        llama,
        chat("Give a person as JSON", max_tokens=200, seed=1, response_format={"type": "json_object"}, **stop_early),
    )

    assert isinstance(json.loads(text_of(reply)), dict)


@pytest.mark.parametrize("stream", [False, True])
async def test_json_schema_output_fits_the_schema(llama: LlamaEngine, stream: bool) -> None:
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "blue"]}, "warm": {"type": "boolean"}},
        "required": ["colour", "warm"],
        "additionalProperties": False,
    }
    asked: dict[str, Any] = {
        "content": "Is red warm?",
        "max_tokens": 40,
        "temperature": 2,
        "response_format": {"type": "json_schema", "json_schema": {"name": "colour", "schema": schema}},
    }

    for seed in range(2):
        text = (
            joined(await streamed(llama, chat(**asked, seed=seed, stream=True)))
            if stream
            else text_of(await whole(llama, chat(**asked, seed=seed)))
        )

        value = json.loads(text)
        assert value["colour"] in ("red", "blue")
        assert isinstance(value["warm"], bool)


async def test_a_schema_that_cannot_be_read_is_the_callers_mistake(llama: LlamaEngine) -> None:
    bad = {"type": "json_schema", "json_schema": {"name": "bad", "schema": {"type": "zebra"}}}

    with pytest.raises(BadRequest, match="zebra"):
        await llama.send(chat(response_format=bad))


@pytest.mark.parametrize("stream", [False, True])
async def test_a_prompt_beyond_the_context_names_the_numbers(llama: LlamaEngine, stream: bool) -> None:
    with pytest.raises(BadRequest, match=r"holds 512 tokens, and the prompt has 6\d\d") as caught:
        await llama.send(chat("word " * 600, stream=stream))

    assert caught.value.code == "context_length_exceeded"
    assert caught.value.status == 400


async def test_output_ends_when_the_context_is_full(llama: LlamaEngine) -> None:
    reply = await whole(llama, chat("word " * 460, max_tokens=None, ignore_eos=True))

    assert reply["usage"]["total_tokens"] == 512
    assert reply["choices"][0]["finish_reason"] == "length"


async def test_a_completion_has_openai_fields(llama: LlamaEngine) -> None:
    reply = await whole(llama, request("/completions", prompt="Once upon", max_tokens=2))

    choice = reply["choices"][0]
    assert reply["id"].startswith("cmpl-")
    assert reply["object"] == "text_completion"
    assert set(choice) == {"index", "text", "logprobs", "finish_reason"}
    assert (choice["index"], choice["logprobs"], choice["finish_reason"]) == (0, None, "length")
    assert reply["usage"]["completion_tokens"] == 2


async def test_a_completion_stream_says_what_the_whole_one_says(llama: LlamaEngine) -> None:
    asked: dict[str, Any] = {"prompt": "Once upon", "max_tokens": 6, "seed": 4, "echo": True}

    reply = await whole(llama, request("/completions", **asked))
    chunks = await streamed(llama, request("/completions", **asked, stream=True))

    assert "".join(part["text"] for chunk in chunks for part in chunk["choices"]) == reply["choices"][0]["text"]
    assert reply["choices"][0]["text"].startswith("Once upon")
    assert chunks[-1]["usage"] == reply["usage"]


async def test_several_prompts_are_answered_in_order(llama: LlamaEngine) -> None:
    asked: dict[str, Any] = {"max_tokens": 3, "seed": 2, "echo": True}

    reply = await whole(llama, request("/completions", prompt=["One two", "Red green blue"], n=2, **asked))
    alone = [
        await whole(llama, request("/completions", prompt=prompt, **asked)) for prompt in ("One two", "Red green blue")
    ]

    starts = [choice["text"].split()[0] for choice in reply["choices"]]
    assert starts == ["One", "One", "Red", "Red"]
    assert reply["usage"]["prompt_tokens"] == sum(one["usage"]["prompt_tokens"] for one in alone)
    assert reply["usage"]["completion_tokens"] == 12


async def test_a_prompt_may_be_token_ids(llama: LlamaEngine) -> None:
    reply = await whole(llama, request("/completions", prompt=[[1, 2, 3], [4, 5]], max_tokens=1))

    assert len(reply["choices"]) == 2
    assert reply["usage"]["prompt_tokens"] == 5


async def test_completion_logprobs_have_openai_shape(llama: LlamaEngine) -> None:
    reply = await whole(llama, request("/completions", prompt="Once upon", max_tokens=3, logprobs=2, **GREEDY))

    logprobs = reply["choices"][0]["logprobs"]
    assert "".join(logprobs["tokens"]) == reply["choices"][0]["text"]
    assert len(logprobs["token_logprobs"]) == 3
    assert logprobs["text_offset"][:2] == [0, len(logprobs["tokens"][0])]
    for token, top in zip(logprobs["tokens"], logprobs["top_logprobs"], strict=True):
        assert token in top
        assert len(top) == 2


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("top_a", 0.5),
        ("stop", [50256]),
        ("stop_token_ids", [1]),
        ("min_tokens", 1),
        ("modalities", ["text", "audio"]),
        ("audio", {"voice": "alloy", "format": "mp3"}),
        ("functions", [{"name": "f"}]),
        ("function_call", {"name": "f"}),
        ("enable_search", True),
        ("web_search_options", {}),
        ("translation_options", {"target_lang": "English"}),
        ("tools", [{"type": "function", "function": {"name": "f"}}]),
    ],
)
async def test_what_would_change_the_answer_is_refused_by_name(llama: LlamaEngine, param: str, value: Any) -> None:
    with pytest.raises(Unsupported, match=param) as caught:
        await llama.send(chat(**{param: value}))

    assert caught.value.param == param


async def test_media_is_refused_by_its_place(llama: LlamaEngine) -> None:
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "data:,"}}]

    with pytest.raises(Unsupported) as caught:
        await llama.send(request("/chat/completions", messages=[{"role": "user", "content": parts}]))

    assert caught.value.param == "messages[0].content[1].image_url"


@pytest.mark.parametrize(
    ("param", "body"),
    [
        ("suffix", {"suffix": "end"}),
        ("best_of", {"best_of": 3}),
        ("echo", {"echo": True, "logprobs": 1}),
    ],
)
async def test_what_completions_cannot_do_is_refused_by_name(
    llama: LlamaEngine, param: str, body: dict[str, Any]
) -> None:
    with pytest.raises(Unsupported) as caught:
        await llama.send(request("/completions", prompt="Once", **body))

    assert caught.value.param == param


@pytest.mark.parametrize(
    ("param", "body"),
    [
        ("temperature", {"temperature": 3}),
        ("n", {"n": 17}),
        ("stop", {"stop": ["x"] * 65}),
        ("logit_bias", {"logit_bias": {"Hello": 1}}),
        ("response_format.type", {"response_format": {"type": "xml"}}),
        ("response_format.json_schema.schema", {"response_format": {"type": "json_schema"}}),
        ("response_format", {"response_format": {"type": "json_schema", "json_schema": {"schema": LARGE_SCHEMA}}}),
        (
            "tools",
            {
                "tools": [{"type": "function", "function": {"name": "f", "parameters": LARGE_SCHEMA}}],
                "tool_choice": "required",
            },
        ),
        ("tool_choice", {"tool_choice": "required"}),
        ("messages[0].role", {"messages": [{"role": "king", "content": "x"}]}),
    ],
)
async def test_a_mistake_is_named(llama: LlamaEngine, param: str, body: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as caught:
        await llama.send(chat(**body))

    assert caught.value.param == param


@pytest.mark.parametrize("where", ["response_format", "tools"])
async def test_a_schema_of_any_depth_is_read_or_refused(llama: LlamaEngine, where: str) -> None:
    """The reading, the writing and the size's measuring end at depths that differ a little."""
    for depth in range(sys.getrecursionlimit() - 100, sys.getrecursionlimit()):
        schema = b'{"a":' * depth + b"1" + b"}" * depth
        shaped = {
            "response_format": b'"response_format":{"type":"json_schema","json_schema":{"schema":%b}}' % schema,
            "tools": b'"tool_choice":"required","tools":[{"type":"function","function":{"name":"f","parameters":%b}}]'
            % schema,
        }[where]
        asked = chat(max_tokens=1)
        asked = msgspec.structs.replace(asked, body=asked.body[:-1] + b"," + shaped + b"}")

        with contextlib.suppress(BadRequest, Unsupported):
            await whole(llama, asked)
