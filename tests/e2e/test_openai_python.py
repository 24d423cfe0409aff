"""The official Python SDK against a real gateway process."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Generator, Iterable
from decimal import Decimal
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionChunk

from tests.e2e.customer import (
    EMBEDDING_MODEL,
    LOCAL_CHAT,
    LOCAL_EMBEDDING,
    SEEDS,
    UNPRICED_MODEL,
    Customer,
    refusal,
    stream,
    whole,
)
from tests.simulators.openai_upstream import DONE, Reply, chunk, completion, usage_of

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        "strict": True,
    },
}
HELLO: Any = [{"role": "user", "content": "hello"}]


@pytest.fixture
async def async_client(customer: Customer) -> AsyncGenerator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=customer.v1, api_key=customer.key, max_retries=0) as client:
        yield client


@pytest.fixture
def client(customer: Customer) -> Generator[OpenAI]:
    with OpenAI(base_url=customer.v1, api_key=customer.key, max_retries=0) as client:
        yield client


def text_chunk(model: str, text: str, **delta: Any) -> bytes:
    return chunk(model, [{"index": 0, "delta": {"content": text, **delta}, "finish_reason": None}])


def stop_chunk(model: str) -> bytes:
    return chunk(model, [{"index": 0, "delta": {}, "finish_reason": "stop"}])


def joined(chunks: Iterable[ChatCompletionChunk]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


# Chat, whole


def test_a_whole_chat_says_everything_and_is_billed(customer: Customer, client: OpenAI):
    customer.answer(whole(completion(customer.model, "Hello!", usage_of(10, 5))))

    raw = client.chat.completions.with_raw_response.create(model=customer.model, messages=HELLO)

    reply = raw.parse()
    assert reply.choices[0].message.content == "Hello!"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.model == customer.model
    assert reply.usage is not None and reply.usage.total_tokens == 15
    assert raw.headers["X-Request-Cost"] == "0.00002"  # 10 x 0.001 / 1000 + 5 x 0.002 / 1000
    assert raw.headers["X-Account-Balance"] == "9.9999"  # rounded down
    assert raw.request_id == raw.headers["x-request-id"]
    assert customer.balance() == "9.99998"
    bill = customer.send(f"/v1/usage/{raw.request_id}").json
    assert (bill["cost"], bill["usage_source"]) == ("0.00002", "vendor")


def test_parameters_reach_the_vendor_as_the_sdk_wrote_them(customer: Customer, client: OpenAI):
    parameters: dict[str, Any] = {
        "temperature": 0.3,
        "top_p": 0.9,
        "frequency_penalty": -1,
        "presence_penalty": 1.5,
        "logit_bias": {"50256": -100},
        "max_completion_tokens": 64,
        "n": 2,
        "seed": 7,
        "stop": ["\n\n", "END"],
        "user": "someone",
        "metadata": {"trace": "1"},
        "reasoning_effort": "low",
        "verbosity": "low",
        "service_tier": "auto",
    }
    customer.answer(whole(completion(customer.model, "Yes.", usage_of(10, 2))))

    client.chat.completions.create(
        model=customer.model, messages=HELLO, **parameters, extra_body={"top_k": 20, "enable_search": False}
    )

    assert customer.calls[0].json == {
        "model": customer.model,
        "messages": HELLO,
        **parameters,
        "top_k": 20,
        "enable_search": False,
    }


def test_the_vendors_body_passes_unchanged_both_ways(customer: Customer, client: OpenAI):
    asked = b'{ "messages":[{"role":"user","content":"\\u4f60\\u597d"}],\n "model":"%b", "temperature":1.0 }'
    answered = (SEEDS / "000-reply-1.json").read_bytes().replace(b"Qwen3-VL-8B-Instruct", customer.model.encode())
    customer.answer(whole(answered))

    reply = customer.send("/v1/chat/completions", asked % customer.model.encode())

    assert customer.calls[0].body == asked % customer.model.encode()
    assert reply.body == answered


def test_a_json_schema_is_parsed_by_the_sdk(customer: Customer, client: OpenAI):
    schema: Any = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "colour", "schema": schema, "strict": True}}
    customer.answer(whole(completion(customer.model, '{"colour": "blue"}', usage_of(9, 6))))

    reply = client.chat.completions.create(model=customer.model, messages=HELLO, response_format=wanted)

    assert customer.calls[0].json["response_format"] == wanted
    assert json.loads(reply.choices[0].message.content or "") == {"colour": "blue"}


def test_logprobs_come_back_with_their_alternatives(customer: Customer, client: OpenAI):
    answered = completion(customer.model, "Hi", usage_of(9, 1))
    token = {"token": "Hi", "logprob": -0.25, "bytes": [72, 105]}
    other = {"token": "Ho", "logprob": -1.5, "bytes": None}
    answered["choices"][0]["logprobs"] = {"content": [{**token, "top_logprobs": [token, other]}], "refusal": None}
    customer.answer(whole(answered))

    reply = client.chat.completions.create(model=customer.model, messages=HELLO, logprobs=True, top_logprobs=2)

    found = reply.choices[0].logprobs
    assert found is not None and found.content is not None
    assert (found.content[0].token, found.content[0].logprob) == ("Hi", -0.25)
    assert [top.token for top in found.content[0].top_logprobs] == ["Hi", "Ho"]
    assert customer.calls[0].json["top_logprobs"] == 2


# Chat, streamed


def test_a_stream_ends_without_usage_when_nobody_asked(customer: Customer, client: OpenAI):
    customer.answer(
        stream(
            text_chunk(customer.model, "", role="assistant"),
            text_chunk(customer.model, "Hel"),
            text_chunk(customer.model, "lo!"),
            stop_chunk(customer.model),
            chunk(customer.model, [], usage=usage_of(10, 2)),
        )
    )

    with client.chat.completions.create(model=customer.model, messages=HELLO, stream=True) as events:
        chunks = list(events)

    assert joined(chunks) == "Hello!"
    assert all(chunk.usage is None for chunk in chunks)
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"
    assert customer.bills()[0]["output_tokens"] == 2  # the vendor told, though the caller was not


def test_a_stream_ends_with_usage_when_asked(customer: Customer, client: OpenAI):
    customer.answer(
        stream(
            text_chunk(customer.model, "Hello!"),
            stop_chunk(customer.model),
            chunk(customer.model, [], usage=usage_of(10, 2)),
        )
    )

    with client.chat.completions.create(
        model=customer.model, messages=HELLO, stream=True, stream_options={"include_usage": True}
    ) as events:
        chunks = list(events)

    assert joined(chunks) == "Hello!"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None and chunks[-1].usage.completion_tokens == 2
    assert customer.bills()[0]["cost"] == "0.000014"


async def test_each_chunk_arrives_before_the_next_is_made(customer: Customer, async_client: AsyncOpenAI):
    words = ["one ", "two ", "three "]
    frames = [text_chunk(customer.model, word) for word in words]
    customer.answer(stream(*frames, stop_chunk(customer.model), gated=True))
    heard: list[str] = []

    asking = asyncio.create_task(
        async_client.chat.completions.create(model=customer.model, messages=HELLO, stream=True)
    )
    call = await asyncio.to_thread(customer.arrived)
    call.release()
    async with await asking as events:
        async for event in events:
            heard.append(event.choices[0].delta.content or event.choices[0].finish_reason or "")
            call.release(1 if event.choices[0].finish_reason is None else 2)  # then the end

    assert heard == [*words, "stop"]


# Tools


def test_a_tool_call_comes_back_whole(customer: Customer, client: OpenAI):
    answered = completion(customer.model, "", usage_of(40, 12))
    function = {"name": "get_weather", "arguments": '{"city":"\\u5317\\u4eac"}'}
    called = {"id": "call_1", "type": "function", "function": function}
    answered["choices"][0] |= {
        "finish_reason": "tool_calls",
        "message": {"role": "assistant", "content": None, "tool_calls": [called]},
    }
    customer.answer(whole(answered))
    choice: Any = {"type": "function", "function": {"name": "get_weather"}}

    raw = client.chat.completions.with_raw_response.create(
        model=customer.model, messages=HELLO, tools=[WEATHER], tool_choice=choice, parallel_tool_calls=False
    )

    reply = raw.parse().choices[0]
    assert reply.finish_reason == "tool_calls"
    assert reply.message.tool_calls is not None
    assert reply.message.tool_calls[0].to_dict() == called
    assert raw.content == json.dumps(answered, ensure_ascii=False).encode()
    asked = customer.calls[0].json
    assert (asked["tools"], asked["tool_choice"], asked["parallel_tool_calls"]) == ([WEATHER], choice, False)


def test_a_streamed_tool_call_is_passed_on_byte_for_byte(customer: Customer, client: OpenAI):
    def piece(**called: Any) -> bytes:
        delta = {"tool_calls": [{"index": 0, **called}]}
        return chunk(customer.model, [{"index": 0, "delta": delta, "finish_reason": None}])

    frames = [
        piece(id="call_1", type="function", function={"name": "get_weather", "arguments": ""}),
        piece(function={"arguments": '{"ci'}),
        piece(function={"arguments": 'ty":"北京"}'}),
        chunk(customer.model, [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]),
        chunk(customer.model, [], usage=usage_of(40, 12)),
    ]
    customer.answer(stream(*frames))

    with client.chat.completions.with_streaming_response.create(
        model=customer.model, messages=HELLO, tools=[WEATHER], stream=True, stream_options={"include_usage": True}
    ) as reply:
        received = b"".join(reply.iter_bytes())

    assert received == b"".join(frames) + DONE


def test_the_sdk_puts_a_streamed_tool_call_together(customer: Customer, client: OpenAI):
    def piece(**called: Any) -> bytes:
        delta = {"tool_calls": [{"index": 0, **called}]}
        return chunk(customer.model, [{"index": 0, "delta": delta, "finish_reason": None}])

    customer.answer(
        stream(
            text_chunk(customer.model, "", role="assistant"),
            piece(id="call_1", type="function", function={"name": "get_weather", "arguments": ""}),
            piece(function={"arguments": '{"city":'}),
            piece(function={"arguments": '"Paris"}'}),
            chunk(customer.model, [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]),
        )
    )

    with client.chat.completions.stream(model=customer.model, messages=HELLO, tools=[WEATHER]) as events:
        reply = events.get_final_completion()

    calls = reply.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].function.parsed_arguments == {"city": "Paris"}


# Other endpoints, and the local models


def test_embeddings_are_the_same_in_base64_and_as_floats(customer: Customer, client: OpenAI):
    texts = ["a cat", "a kitten", "a tax return"]

    packed = client.embeddings.create(model=LOCAL_EMBEDDING, input=texts)  # the SDK asks for base64
    plain = client.embeddings.create(model=LOCAL_EMBEDDING, input=texts, encoding_format="float")

    assert [len(row.embedding) for row in packed.data] == [256, 256, 256]
    for one, other in zip(packed.data, plain.data, strict=True):
        assert one.index == other.index
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
    assert packed.usage.prompt_tokens == plain.usage.prompt_tokens > 0
    assert [bill["endpoint"] for bill in customer.bills()] == ["embeddings", "embeddings"]


def test_embeddings_have_the_dimensions_that_were_asked_for(client: OpenAI):
    reply = client.embeddings.create(model=LOCAL_EMBEDDING, input="a cat", dimensions=64)

    assert len(reply.data[0].embedding) == 64


def test_embeddings_of_a_vendor_pass_through(customer: Customer, client: OpenAI):
    raw = client.embeddings.with_raw_response.create(model=EMBEDDING_MODEL, input=["one", "two"], dimensions=4)

    assert raw.parse().data[1].embedding == [0.5, 0.5, 0.5, 0.5]
    assert customer.calls[0].json == {
        "model": EMBEDDING_MODEL,
        "input": ["one", "two"],
        "dimensions": 4,
        "encoding_format": "base64",
    }
    assert raw.headers["x-request-cost"] == "0.000008"


def test_the_local_model_completes_a_prompt(customer: Customer, client: OpenAI):
    reply = client.completions.create(model=LOCAL_CHAT, prompt="The capital of France is", max_tokens=4, temperature=0)

    assert "Paris" in reply.choices[0].text
    assert reply.usage is not None and 0 < reply.usage.completion_tokens <= 4


def test_the_local_model_streams_a_completion(client: OpenAI):
    with client.completions.create(
        model=LOCAL_CHAT, prompt="The capital of France is", max_tokens=4, temperature=0, stream=True
    ) as events:
        text = "".join(choice.text for event in events for choice in event.choices)

    assert "Paris" in text


def test_the_local_model_streams_a_chat_with_its_real_token_count(customer: Customer, client: OpenAI):
    with client.chat.completions.create(
        model=LOCAL_CHAT,
        messages=[{"role": "user", "content": "Name a colour."}],
        max_tokens=6,
        seed=1,
        stream=True,
        stream_options={"include_usage": True},
    ) as events:
        chunks = list(events)

    usage = chunks[-1].usage
    assert joined(chunks)
    assert usage is not None and 0 < usage.completion_tokens <= 6
    assert customer.bills()[0]["output_tokens"] == usage.completion_tokens


def test_the_models_that_can_be_called_are_listed(customer: Customer, client: OpenAI):
    listed = {model.id for model in client.models.list()}

    assert {customer.model, "Qwen3-VL-8B-Instruct", LOCAL_CHAT, LOCAL_EMBEDDING} <= listed
    assert "gpt-5" not in listed  # in the catalogue, but no upstream offers it


def test_a_model_is_found_by_any_of_its_names(client: OpenAI):
    by_alias = client.models.retrieve("qwen/qwen3-vl-8b-instruct")

    assert by_alias == client.models.retrieve("Qwen3-VL-8B-Instruct")
    assert (by_alias.id, by_alias.object) == ("Qwen3-VL-8B-Instruct", "model")
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("no-such-model")
    assert refused.value.code == "model_not_found"


# Errors


@pytest.mark.parametrize(
    ("base", "message", "code"),
    [
        ("/v1", "Incorrect API key provided. ", "invalid_api_key"),
        ("/compatible-mode/v1", "Incorrect API key provided. ", "invalid_api_key"),
        ("/api/gpt/v1", "Invalid API-KEY", None),
    ],
)
def test_a_wrong_key_is_an_authentication_error(customer: Customer, base: str, message: str, code: str | None):
    with (
        OpenAI(base_url=customer.url + base, api_key="sk-wrong") as client,
        pytest.raises(openai.AuthenticationError) as refused,
    ):
        client.chat.completions.create(model=customer.model, messages=HELLO)

    assert refused.value.body == {"message": message, "type": "invalid_request_error", "param": None, "code": code}


def test_an_empty_wallet_is_a_402_that_names_both_amounts(customer: Customer, poor_key: str):
    with (
        OpenAI(base_url=customer.v1, api_key=poor_key) as client,
        pytest.raises(openai.APIStatusError) as refused,
    ):
        client.chat.completions.create(model=customer.model, messages=HELLO, max_tokens=1_000)

    assert refused.value.status_code == 402
    assert refused.value.code == "insufficient_balance"
    assert "¥0.001 is available" in refused.value.message
    assert customer.calls == []


def test_an_unknown_model_is_not_found(client: OpenAI):
    with pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(model="no-such-model", messages=HELLO)

    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


def test_a_model_without_a_price_is_forbidden(client: OpenAI):
    with pytest.raises(openai.PermissionDeniedError) as refused:
        client.chat.completions.create(model=UNPRICED_MODEL, messages=HELLO)

    assert "no price set" in refused.value.message


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"temperature": 2.5}, "temperature"),
        ({"top_logprobs": 21, "logprobs": True}, "top_logprobs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"extra_body": {"stop": 7}}, "stop"),
    ],
)
def test_a_bad_parameter_is_named(customer: Customer, client: OpenAI, parameters: dict[str, Any], param: str):
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=customer.model, messages=HELLO, **parameters)

    assert refused.value.param == param
    assert customer.calls == []
    assert customer.balance() == "10"


def test_a_vendors_refusal_keeps_its_words(customer: Customer, client: OpenAI):
    error = {"message": "Range of max_tokens is [1, 8192]", "type": "bad", "param": "max_tokens", "code": "range"}
    customer.answer(whole({"error": error}, 400))

    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=customer.model, messages=HELLO, max_tokens=100_000)

    assert refused.value.body == error
    assert customer.balance() == "10"


def test_a_keys_limit_is_a_rate_limit_error_with_its_headers(customer: Customer, limited_key: str):
    with OpenAI(base_url=customer.v1, api_key=limited_key, max_retries=0) as client:
        ask = client.chat.completions.with_raw_response.create
        first = ask(model=customer.model, messages=HELLO)
        ask(model=customer.model, messages=HELLO)
        with pytest.raises(openai.RateLimitError) as refused:
            ask(model=customer.model, messages=HELLO)

    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert first.headers["x-ratelimit-remaining-requests"] == "1"
    assert first.headers["x-ratelimit-reset-requests"].endswith("s")
    headers = refused.value.response.headers
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert 0 < int(headers["retry-after"]) <= 30
    assert refused.value.code == "rate_limit_exceeded"
    assert len(customer.calls) == 2


# Retries


def test_the_sdk_waits_as_long_as_the_vendor_asked_and_tries_again(customer: Customer, client: OpenAI):
    customer.answer(
        refusal(429, "Slow down.", retry_after="1"), whole(completion(customer.model, "Now.", usage_of(10, 1)))
    )
    started_s = time.monotonic()

    reply = client.with_options(max_retries=1).chat.completions.create(model=customer.model, messages=HELLO)

    assert reply.choices[0].message.content == "Now."
    assert time.monotonic() - started_s >= 1
    assert len(customer.calls) == 2
    assert customer.balance() == "9.999988"  # charged once


@pytest.mark.parametrize(
    ("trouble", "status"), [(refusal(500, "Out of order."), 502), (refusal(503, "Out of order.", retry_after="1"), 503)]
)
def test_a_vendors_trouble_is_retried(customer: Customer, client: OpenAI, trouble: Reply, status: int):
    customer.answer(
        trouble,
        trouble,
        whole(completion(customer.model, "Back.", usage_of(10, 1))),
    )

    with pytest.raises(openai.InternalServerError) as failed:
        client.chat.completions.create(model=customer.model, messages=HELLO)
    reply = client.with_options(max_retries=1).chat.completions.create(model=customer.model, messages=HELLO)

    assert failed.value.status_code == status
    assert "Out of order." in failed.value.message
    assert reply.choices[0].message.content == "Back."


def test_a_silent_vendor_is_a_504_and_retried(customer: Customer, client: OpenAI, impatient_model: str):
    model = impatient_model
    customer.answer(Reply(silent=True), Reply(silent=True), whole(completion(model, "Awake.", None)), model=model)

    with pytest.raises(openai.InternalServerError) as failed:
        client.chat.completions.create(model=model, messages=HELLO)
    reply = client.with_options(max_retries=1).chat.completions.create(model=model, messages=HELLO)

    assert (failed.value.status_code, failed.value.code) == (504, "upstream_timeout")
    assert reply.choices[0].message.content == "Awake."
    assert customer.bills()[0]["usage_source"] == "estimated"


# Leaving early


def test_a_clients_timeout_closes_the_vendors_request(customer: Customer, client: OpenAI):
    customer.answer(Reply(silent=True))

    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.3).chat.completions.create(model=customer.model, messages=HELLO)

    customer.wait_closed(customer.arrived())
    assert customer.balance() == "10"


def test_leaving_a_stream_closes_the_vendors_and_bills_what_came(customer: Customer, client: OpenAI):
    frames = [text_chunk(customer.model, f"word{number} ") for number in range(50)]
    reply = stream(*frames, ending="stall")
    customer.answer(reply)

    with client.chat.completions.create(model=customer.model, messages=HELLO, stream=True) as events:
        first = next(iter(events))

    assert first.choices[0].delta.content == "word0 "
    customer.wait_closed(customer.arrived())
    bill = customer.settled()
    assert (bill["outcome"], bill["usage_source"]) == ("client_gone", "estimated")
    assert Decimal(bill["cost"]) > 0


# Idempotency keys


def test_the_same_idempotency_key_gives_the_same_reply_and_one_charge(customer: Customer, client: OpenAI):
    customer.answer(
        whole(completion(customer.model, "First.", usage_of(10, 5))),
        whole(completion(customer.model, "Second.", usage_of(10, 5))),
    )

    def ask() -> Any:
        return client.chat.completions.with_raw_response.create(
            model=customer.model, messages=HELLO, extra_headers={"Idempotency-Key": "order-1"}
        )

    first, again = ask(), ask()

    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["x-request-id"] == first.headers["x-request-id"]
    assert "Idempotent-Replayed" not in first.headers
    assert len(customer.calls) == 1
    assert customer.balance() == "9.99998"


def test_a_replayed_stream_is_the_stored_one(customer: Customer, client: OpenAI):
    customer.answer(stream(text_chunk(customer.model, "Hello "), text_chunk(customer.model, "you.")))

    def ask() -> list[ChatCompletionChunk]:
        with client.chat.completions.create(
            model=customer.model, messages=HELLO, stream=True, extra_headers={"Idempotency-Key": "order-2"}
        ) as events:
            return list(events)

    assert ask() == ask()
    assert len(customer.calls) == 1


def test_an_idempotency_key_with_another_body_is_refused(customer: Customer, client: OpenAI):
    headers = {"Idempotency-Key": "order-3"}
    client.chat.completions.create(model=customer.model, messages=HELLO, extra_headers=headers)

    with pytest.raises(openai.UnprocessableEntityError) as refused:
        client.chat.completions.create(model=customer.model, messages=HELLO, seed=1, extra_headers=headers)

    assert refused.value.code == "idempotency_key_reused"


async def test_an_idempotency_key_in_use_is_a_conflict_that_the_sdk_waits_out(
    customer: Customer, async_client: AsyncOpenAI
):
    reply = whole(completion(customer.model, "Once.", usage_of(10, 5)))
    customer.answer(Reply(headers=reply.headers, pieces=[reply.body], gated=True))

    def ask(client: AsyncOpenAI) -> Any:
        return client.chat.completions.create(
            model=customer.model, messages=HELLO, extra_headers={"Idempotency-Key": "order-4"}
        )

    running = asyncio.create_task(ask(async_client))
    call = await asyncio.to_thread(customer.arrived)
    with pytest.raises(openai.ConflictError) as refused:
        await ask(async_client)
    waiting = asyncio.create_task(ask(async_client.with_options(max_retries=5)))
    call.release(2)

    assert int(refused.value.response.headers["retry-after"]) >= 1
    assert (await running).choices == (await waiting).choices
    assert len(customer.calls) == 1
    assert customer.balance() == "9.99998"


# Errors inside a stream


def test_a_stream_that_is_cut_raises_instead_of_ending(customer: Customer, client: OpenAI):
    customer.answer(stream(text_chunk(customer.model, "Hel"), text_chunk(customer.model, "lo"), ending="cut"))
    heard: list[ChatCompletionChunk] = []

    with (
        client.chat.completions.create(model=customer.model, messages=HELLO, stream=True) as events,
        pytest.raises(openai.APIError) as failed,
    ):
        heard.extend(event for event in events)

    assert failed.value.code == "upstream_error"
    assert customer.settled()["outcome"] == "upstream_cut"


def test_a_vendors_error_inside_a_stream_is_raised_in_its_words(customer: Customer, client: OpenAI):
    error = {"message": "GPU on fire", "type": "server_error", "param": None, "code": "fire"}
    frame = b"data: " + json.dumps({"error": error}).encode() + b"\n\n"
    customer.answer(stream(text_chunk(customer.model, "Hel"), frame, ending="eof"))
    heard: list[str] = []

    with (
        client.chat.completions.create(model=customer.model, messages=HELLO, stream=True) as events,
        pytest.raises(openai.APIError) as failed,
    ):
        for event in events:
            heard.append(event.choices[0].delta.content or "")

    assert heard == ["Hel"]
    assert failed.value.message == "GPU on fire"


# The asynchronous client


async def test_many_calls_at_once_are_each_answered_and_billed(customer: Customer, async_client: AsyncOpenAI):
    customer.answer(whole(completion(customer.model, "Hello!", usage_of(10, 5))))

    replies = await asyncio.gather(
        *[async_client.chat.completions.create(model=customer.model, messages=HELLO) for _ in range(20)]
    )

    assert {reply.choices[0].message.content for reply in replies} == {"Hello!"}
    assert customer.balance() == "9.9996"
    assert len(customer.bills()) == 20


async def test_the_asynchronous_client_streams(customer: Customer, async_client: AsyncOpenAI):
    customer.answer(stream(text_chunk(customer.model, "Hello "), text_chunk(customer.model, "you.")))

    async with await async_client.chat.completions.create(
        model=customer.model, messages=HELLO, stream=True, stream_options={"include_usage": True}
    ) as events:
        chunks = [event async for event in events]

    assert joined(chunks) == "Hello you."
    assert chunks[-1].usage is not None  # counted by the gateway, since the vendor did not


async def test_the_asynchronous_client_embeds(async_client: AsyncOpenAI):
    reply = await async_client.embeddings.create(model=LOCAL_EMBEDDING, input="a cat")

    assert len(reply.data[0].embedding) == 256


async def test_cancelling_an_asynchronous_call_closes_the_vendors_request(
    customer: Customer, async_client: AsyncOpenAI
):
    customer.answer(Reply(silent=True))

    asking = asyncio.create_task(async_client.chat.completions.create(model=customer.model, messages=HELLO))
    call = await asyncio.to_thread(customer.arrived)
    asking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asking
    await asyncio.to_thread(customer.wait_closed, call)
    assert customer.balance() == "10"
